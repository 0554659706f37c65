//! Running a scenario: from a plan to what came of it, one seed at a time.

pub mod gossip;
pub mod plan;
pub mod recording;
pub mod seeds;

pub use plan::{Origin, Plan};
