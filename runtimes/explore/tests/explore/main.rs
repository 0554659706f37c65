//! The explorer, on protocols small enough to be looked at whole.

#[expect(unreachable_pub, reason = "the examples share them")]
#[path = "../../examples/models/mod.rs"]
mod models;

mod byzantine;
mod counts;
mod coverage;
mod disk;
mod faults;
mod gossip;
mod lift;
mod liveness;
mod mistakes;
mod reductions;
mod searches;
mod traces;
mod world;
