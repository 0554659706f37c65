//! One search for one bug.

use std::ops::ControlFlow;

use isles_explore::{
    Answer, Budget, Explorer, Faults, Priorities, Progress, Property, Report, Scenario, Swarm, Walks,
};
use isles_kernel::Protocol;

use crate::clock::cpu_seconds;

/// How a bug is sought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// All states, nearest first.
    Exhaustive,
    /// All states but those that a reduction leaves out: orbits where processes may be exchanged; else ample sets where nothing goes
    /// wrong, and sleep sets, depth-first, where something does.
    Reduced,
    /// Behaviours drawn step by step.
    Random,
    /// Behaviours by random priorities, for bugs of depth 3.
    Pct,
    /// Many different bitstate searches.
    Swarm,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Exhaustive, Self::Reduced, Self::Random, Self::Pct, Self::Swarm];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exhaustive => "exhaustive",
            Self::Reduced => "reduced",
            Self::Random => "random",
            Self::Pct => "PCT",
            Self::Swarm => "swarm",
        }
    }
}

/// How far a search goes at most.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// Different states; of a swarm, of each member.
    pub states: u64,
    /// Behaviours, of a search that draws them.
    pub behaviours: u64,
    /// CPU seconds.
    pub seconds: f64,
}

/// A search to be made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hunt {
    /// How.
    pub strategy: Strategy,
    /// How far.
    pub bound: Bound,
    /// Of what is drawn.
    pub seed: u64,
}

/// What came of a search.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outcome {
    /// The steps of the counterexample, shortened until none can be left out, if there is one. A fair loop has those of its way and of
    /// one round.
    pub steps: Option<usize>,
    /// Different states that were met; of a swarm, those of the member that met most.
    pub states: u64,
    /// CPU seconds, without those for shortening.
    pub seconds: f64,
    /// Nothing was found, and all states were looked at.
    pub is_proof: bool,
}

/// Steps of one drawn behaviour at most, and of a member of a swarm.
const STEPS: u32 = 100;

impl Hunt {
    /// Searches a scenario for a violation of one of its properties, and asks nothing else.
    ///
    /// # Panics
    /// When it is no possible scenario, or has no such property.
    pub fn search<P: Protocol + Sync>(&self, mut scenario: Scenario<P>, breaks: &str) -> Outcome {
        scenario.properties.retain(|property| property.name() == breaks);
        assert!(!scenario.properties.is_empty(), "{breaks} is not asked");
        if self.strategy != Strategy::Reduced {
            scenario.symmetry = None;
        }
        let endless = scenario.properties.iter().any(Property::is_liveness);
        if endless && !matches!(self.strategy, Strategy::Exhaustive | Strategy::Reduced) {
            // A behaviour that was drawn ends somewhere, and shows nothing of what never happens.
            return Outcome { steps: None, states: 0, seconds: 0.0, is_proof: false };
        }
        let quiet = Faults { memories: scenario.faults.memories.clone(), ..Faults::default() };
        let orbits = scenario.symmetry.is_some();
        let smooth = scenario.faults.duplicates == Budget::Unlimited || scenario.faults == quiet;
        let (begin, most) = (cpu_seconds(), self.bound.seconds);
        let watch = move |_: Progress| {
            if cpu_seconds() - begin > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let explorer = Explorer::new(scenario).expect("scenarios of planted bugs are possible");
        let mut explorer = explorer.states(self.bound.states).progress(watch);
        if self.strategy == Strategy::Reduced && !orbits {
            explorer = if smooth { explorer.ample_sets() } else { explorer.sleep_sets() };
        }
        let report = self.report(&mut explorer, orbits || smooth);
        let seconds = cpu_seconds() - begin;
        let found = report.answer(breaks).filter(|answer| answer.is_bad()).and_then(Answer::trace).cloned();
        let steps = found.map(|trace| {
            // An exhaustive search finds the shortest; others find long ones.
            explorer.shorten(&trace, breaks).map_or(trace.steps.len(), |short| short.steps.len())
        });
        Outcome {
            steps,
            states: report.states,
            seconds,
            is_proof: steps.is_none() && report.stopped.is_none(),
        }
    }

    fn report<P: Protocol + Sync>(&self, explorer: &mut Explorer<P>, breadth: bool) -> Report<P> {
        let (count, seed) = (self.bound.behaviours, self.seed);
        match self.strategy {
            Strategy::Reduced if !breadth => explorer.depth_first(),
            Strategy::Exhaustive | Strategy::Reduced => explorer.breadth_first(),
            Strategy::Random => explorer.random(Walks { count, steps: STEPS, seed }),
            Strategy::Pct => explorer.priorities(Priorities { count, steps: STEPS, depth: 3, seed }),
            Strategy::Swarm => {
                let members = u32::try_from(count.div_ceil(64)).unwrap_or(u32::MAX).max(8);
                explorer.swarm(Swarm { members, bits: 22, hashes: 3, steps: STEPS, seed })
            }
        }
    }
}
