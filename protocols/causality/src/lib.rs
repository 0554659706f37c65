#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod dot;
pub mod exceptions;
pub mod hybrid;
pub mod order;
pub mod version_vector;
pub mod wire;

pub use dot::{Actor, Dot};
pub use exceptions::DotContext;
pub use order::Order;
pub use version_vector::VersionVector;
