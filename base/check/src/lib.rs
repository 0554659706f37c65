#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod linearizability;
mod model;
pub mod models;
pub mod monitors;
pub mod sequential;
mod verdict;
pub mod verify;

pub use model::{Datum, Effect, Model, Parts};
pub use verdict::{Progress, Verdict};
