#![doc = include_str!("../README.md")]

mod arena;
mod boundaries;
mod clients;
mod clock;
mod core;
mod counters;
mod digest;
mod distribution;
mod driven;
mod event;
mod fault;
mod lifecycle;
mod link;
mod matrix;
mod memory;
mod observer;
mod process;
mod queue;
mod recorder;
mod simulation;
mod sparse;
mod streams;
mod timers;

pub use boundaries::{Boundaries, each_boundary};
pub use clients::Clients;
pub use clock::Clocks;
pub use counters::{Counters, KindCount, Lost};
pub use digest::Digest;
pub use distribution::Distribution;
pub use driven::{Act, ActError, Driven};
pub use fault::{Boundary, Churn, Disk, Fault, Memory, Strike, Who};
pub use link::{Bandwidth, Detection, Latency, Links};
pub use matrix::Matrix;
pub use observer::Observer;
pub use recorder::{Recorder, Recording};
pub use simulation::{Setup, SetupError, Simulation, Start};
