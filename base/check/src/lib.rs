#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod lattice;
pub mod linearizability;
mod model;
pub mod models;
pub mod sequential;
pub mod transactions;
mod verdict;
pub mod verify;
mod verify_transactions;

pub use model::{Datum, Effect, Model, Parts};
pub use verdict::{Progress, Verdict};
pub use verify_transactions::verify_transactions;
