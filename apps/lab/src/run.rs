//! Running a scenario: from a plan to what came of it, one seed at a time.

pub mod gossip;
pub mod measures;
pub mod overlay;
pub mod plan;
pub mod recording;
pub mod records;
pub mod seeds;
pub mod summary;

pub use plan::{Origin, Plan};
