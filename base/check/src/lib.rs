#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod lattice;
pub mod transactions;
mod verdict;
mod verify_transactions;

pub use verdict::{Progress, Verdict};
pub use verify_transactions::verify_transactions;
