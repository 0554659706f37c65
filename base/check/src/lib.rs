#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod model;
pub mod models;
mod verdict;

pub use model::{Datum, Effect, Model, Parts};
pub use verdict::{Progress, Verdict};
