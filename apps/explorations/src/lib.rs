#![doc = include_str!("../README.md")]

pub mod judge;
/// The models of the explorer's examples.
#[path = "../../../runtimes/explore/examples/models/mod.rs"]
pub mod models;
pub mod scenarios;
pub mod stage;
pub mod workload;
