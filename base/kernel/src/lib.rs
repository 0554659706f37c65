#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod codec;
mod cx;
mod effect;
mod embed;
mod id;
pub mod kinds;
pub mod meter;
mod payload;
mod protocol;
pub mod random;
mod time;

pub use cx::Cx;
pub use effect::{Channel, Effect, Sink};
pub use embed::{Slot, Upcall, Upcalls};
pub use id::{OpId, ProcessId};
pub use payload::Payload;
pub use protocol::{Data, Never, Protocol};
pub use time::{ParseSpanError, Span, Time};
