#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod transactions;
mod verdict;

pub use verdict::{Progress, Verdict};
