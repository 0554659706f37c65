//! The explorer, on protocols small enough to be looked at whole.

#[expect(unreachable_pub, reason = "the examples share them")]
#[path = "../../examples/models/mod.rs"]
mod models;

mod counts;
mod faults;
mod gossip;
mod liveness;
mod reductions;
mod traces;
mod world;
