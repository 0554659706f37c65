#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod convergence;
pub mod lattice;
pub mod linearizability;
mod model;
pub mod models;
pub mod monitors;
mod near;
pub mod read;
mod rules;
pub mod sequential;
pub mod sessions;
pub mod staleness;
pub mod transactions;
mod verdict;
pub mod verify;

pub use model::{Datum, Effect, Model, Parts};
pub use verdict::{Progress, Verdict};
pub use verify::transactions::verify_transactions;
