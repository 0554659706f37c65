#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod cluster;
pub mod config;
pub mod replay;
pub mod run;
pub mod server;
pub mod wire;

mod about;
mod command;
mod connection;
mod metrics;
mod session;
mod shared;
mod switchboard;
mod tls;

pub use switchboard::{Backend, Switchboard};
