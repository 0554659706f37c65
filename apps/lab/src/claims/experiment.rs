//! What the experiments of the gossip chapter have in common.

use std::sync::Arc;

use isles_gossip::node::Config;
use isles_gossip::{Broadcast, Membership};
use isles_kernel::{ProcessId, Span, Time};
use isles_sim::{Clocks, Disk, Distribution, Fault, Links, Start, Who};

use super::Effort;
use crate::run::gossip::{SeedOutcome, run};
use crate::run::measures::find;
use crate::run::plan::{Broadcast as Payload, Origin, Plan};
use crate::run::seeds::on_all_cores;

/// Who broadcasts in an experiment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Senders {
    /// Process 0, always.
    One,
    /// Another process each time.
    Random,
}

/// A plan without faults: links of 10 to 50 ms, all processes from the beginning, no warm-up.
pub(super) fn plan(processes: u32, duration: Span) -> Plan {
    Plan {
        processes,
        start: Start::AtOnce,
        links: Links::law(Distribution::Uniform { min: Span::millis(10), max: Span::millis(50) }),
        clocks: Clocks::default(),
        disk: Disk::default(),
        churn: None,
        faults: Vec::new(),
        broadcasts: Vec::new(),
        warmup: Time::ZERO,
        duration,
        sample: duration,
        lanes: 0,
    }
}

impl Plan {
    /// Adds `count` broadcasts of 100 bytes, the first at `first`, then one `every` so often.
    pub(super) fn broadcasting(mut self, first: Span, every: Span, count: u64, senders: Senders) -> Self {
        let origin = match senders {
            Senders::One => Origin::Process(ProcessId(0)),
            Senders::Random => Origin::Random,
        };
        self.broadcasts.extend((0..count).map(|index| Payload {
            at: Time::ZERO + first + every.times(index),
            origin,
            payload: 100,
        }));
        self.broadcasts.sort_by_key(|broadcast| broadcast.at);
        self
    }

    /// Counts only broadcasts from `at` on.
    pub(super) fn counting_from(mut self, at: Span) -> Self {
        self.warmup = Time::ZERO + at;
        self
    }

    /// Adds a crash of this share of all processes.
    pub(super) fn crashing(mut self, at: Span, share: f64) -> Self {
        self.faults.push((Time::ZERO + at, Fault::Crash(Who::Fraction(share))));
        self
    }
}

/// The outcomes of all seeds.
pub(super) fn outcomes<M: Membership, B: Broadcast>(
    plan: &Plan,
    seeds: &[u64],
    effort: &Effort,
    config: impl Into<Arc<Config<M, B>>>,
) -> Result<Vec<SeedOutcome>, String> {
    let config = config.into();
    on_all_cores(seeds, effort.threads, |seed| {
        run(plan, seed, Arc::clone(&config), &|_, _| Vec::new(), &|_| {})
    })
    .map_err(|error| error.to_string())
}

/// The mean of a measure over seeds; not a number when no seed has it.
///
/// # Panics
/// When there is no such measure.
pub(super) fn mean(outcomes: &[SeedOutcome], plan: &Plan, measure: &str) -> f64 {
    let measure = find(measure).expect("experiments name measures that exist");
    let values: Vec<f64> = outcomes.iter().filter_map(|outcome| (measure.of)(outcome, plan)).collect();
    values.iter().sum::<f64>() / values.len() as f64
}
