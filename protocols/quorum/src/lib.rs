#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod abd;
pub mod availability;
mod numbers;
pub mod register;
pub mod store;
pub mod voting;
