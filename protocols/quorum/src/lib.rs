#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod numbers;
pub mod register;
pub mod store;
pub mod voting;
