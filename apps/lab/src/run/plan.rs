//! What is to happen in a run, as plain data, whatever the protocol.

use std::sync::Arc;

use isles_kernel::{ProcessId, Protocol, Span, Time};
use isles_sim::{Churn, Clocks, Disk, Fault, Links, Setup, SetupError, Simulation, Start};

/// Everything of a scenario but its protocol and its seeds.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many processes there are.
    pub processes: u32,
    /// When they start.
    pub start: Start,
    /// What happens to messages.
    pub links: Links,
    /// How wrong clocks are.
    pub clocks: Clocks,
    /// How disks behave.
    pub disk: Disk,
    /// Whether processes come and go by themselves.
    pub churn: Option<Churn>,
    /// What goes wrong, and when.
    pub faults: Vec<(Time, Fault)>,
    /// What clients ask, by ascending instant.
    pub broadcasts: Vec<Broadcast>,
    /// Broadcasts before this instant are left out of the figures; they are still drawn.
    pub warmup: Time,
    /// When the run ends.
    pub duration: Span,
    /// How often counters are read for the curves.
    pub sample: Span,
    /// How many processes the space-time diagram shows; none for no diagram.
    pub lanes: usize,
}

impl Plan {
    /// The simulation before its first instant, all faults scheduled.
    ///
    /// # Errors
    /// When the plan cannot be simulated.
    pub(super) fn prepared<P: Protocol>(
        &self,
        seed: u64,
        config: Arc<P::Config>,
    ) -> Result<Simulation<P>, SetupError> {
        let mut sim = Simulation::new(Setup {
            start: self.start,
            links: self.links.clone(),
            clocks: self.clocks,
            disk: self.disk,
            churn: self.churn.clone(),
            ..Setup::new(self.processes, seed, config)
        })?;
        for (at, fault) in &self.faults {
            sim.inject(*at, fault.clone());
        }
        Ok(sim)
    }
}

/// One payload to be broadcast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broadcast {
    /// When.
    pub at: Time,
    /// By whom.
    pub origin: Origin,
    /// Bytes.
    pub payload: usize,
}

/// Who broadcasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// This process, or the next one that is up.
    Process(ProcessId),
    /// A process that is up, drawn for each broadcast.
    Random,
}
