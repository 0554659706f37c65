#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod dot;
pub mod dvv;
pub mod dvv_set;
pub mod exceptions;
pub mod history;
pub mod hybrid;
pub mod itc;
pub mod loads;
pub mod order;
pub mod reclaim;
pub mod store;
pub mod trial;
pub mod vector_clock;
pub mod version_vector;
pub mod wire;

pub use dot::{Actor, Dot};
pub use dvv::DottedVersionVector;
pub use dvv_set::DvvSet;
pub use exceptions::DotContext;
pub use history::CausalHistory;
pub use itc::Stamp;
pub use order::Order;
pub use vector_clock::VectorClock;
pub use version_vector::VersionVector;
