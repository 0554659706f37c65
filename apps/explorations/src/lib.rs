#![doc = include_str!("../README.md")]

/// The models of the explorer's examples.
#[path = "../../../runtimes/explore/examples/models/mod.rs"]
pub mod models;
pub mod scenarios;
