#![doc = "x"]
#![forbid(unsafe_code)]
mod book; mod clock; pub mod keys; mod log; mod metrics; mod settings; mod timers; mod translate; mod wire;
