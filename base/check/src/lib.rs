#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod verdict;

pub use verdict::{Progress, Verdict};
