//! Sequential objects whose histories are judged.

pub mod bank;
pub mod broker;
pub mod collection;
pub mod composed;
pub mod counter;
pub mod key_value;
pub mod lease;
pub mod lock;
pub mod log;
pub mod multi_register;
pub mod register;
pub mod set;

pub use bank::Bank;
pub use broker::Broker;
pub use collection::{PriorityQueue, Queue, Stack};
pub use composed::Composed;
pub use counter::Counter;
pub use key_value::KeyValue;
pub use lease::Lease;
pub use lock::Lock;
pub use log::Log;
pub use multi_register::MultiRegister;
pub use register::Register;
pub use set::Set;
