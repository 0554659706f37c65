//! Running a scenario: from a plan to what came of it, one seed at a time.

pub mod gossip;
pub mod measures;
pub mod outcome;
pub mod overlay;
pub mod plan;
pub mod recording;
pub mod records;
pub mod seeds;
pub mod seen;
pub mod summary;
pub mod tree;

pub use outcome::SeedOutcome;
pub use plan::{Origin, Plan};
