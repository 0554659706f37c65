#![doc = include_str!("../README.md")]

mod case;
mod catalogue;
pub mod clock;
mod exploration;
pub mod judge;
pub mod lift;
/// The models of the explorer's examples.
#[path = "../../../runtimes/explore/examples/models/mod.rs"]
pub mod models;
pub mod plan;
pub mod planted;
pub mod saved;
pub mod scenarios;
mod simulate;
pub mod stage;
pub mod workload;

pub use case::{CaseError, Found, Outcome, Replayed, Shown, Watcher, Word};
pub use catalogue::EXPLORATIONS;
pub use exploration::{Exploration, Parameter, Refused, Takes, find};
pub use simulate::SimulatorDiffers;

/// A plan that is ready to be searched.
#[derive(Debug)]
pub struct Ready {
    plan: plan::Plan,
    case: Opened,
}

/// Says nothing of the scenario, which has functions in it.
struct Opened(Box<dyn case::Case>);

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

impl Ready {
    /// Makes what a plan says ready.
    ///
    /// # Errors
    /// When there is no such exploration, or its parameters or the world cannot be so.
    pub fn new(plan: plan::Plan) -> Result<Self, Refused> {
        let case = Opened(exploration::open(&plan)?);
        Ok(Self { plan, case })
    }

    /// The plan.
    pub fn plan(&self) -> &plan::Plan {
        &self.plan
    }

    /// Searches with so many threads; the outcome is the same for any number. With `resume` it goes on from the checkpoint in
    /// the plan's folder.
    ///
    /// # Errors
    /// When the scenario is impossible, what the search is told does not go together, or its folder cannot be used.
    pub fn search(self, threads: usize, resume: bool, watcher: Watcher) -> Result<Outcome, CaseError> {
        self.case.0.search(&self.plan, threads, resume, watcher)
    }
}
