//! The explorer, on protocols small enough to be looked at whole.

#[expect(dead_code, unreachable_pub, reason = "not every test needs every part of the models")]
#[path = "../../examples/models/mod.rs"]
mod models;

mod counts;
mod faults;
mod gossip;
mod liveness;
mod reductions;
mod traces;
mod world;
