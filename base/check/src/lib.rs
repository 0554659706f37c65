#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod convergence;
pub mod lattice;
pub mod sessions;
pub mod staleness;
pub mod transactions;
mod verdict;
mod verify_transactions;

pub use verdict::{Progress, Verdict};
pub use verify_transactions::verify_transactions;
