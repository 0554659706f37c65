#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod book;
mod clock;
mod core;
mod datagram;
mod disk;
mod host;
mod incoming;
mod input;
pub mod keys;
mod log;
mod metrics;
mod outbound;
mod outgoing;
pub mod outside;
pub mod recording;
mod settings;
mod timers;
mod translate;
mod wire;

pub use host::Host;
pub use input::{Done, Input, Recorded};
pub use keys::{Keys, KeysError};
pub use log::{Durability, LogError, LogSettings};
pub use settings::{Limits, Recording, Security, Settings, StartError};
