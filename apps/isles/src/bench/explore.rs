//! The group `explore`: how fast whole state spaces are searched, on one thread, with the properties of the models asked.

use isles_explorations::models::{paxos, register, single_copy, two_phase_commit};
use isles_explore::{Explorer, Report, Scenario};
use isles_kernel::Protocol;

use super::measure::{median, memory_growth, timed};
use super::{Bench, Effort, Group};

pub(super) const GROUP: Group = Group {
    name: "explore",
    about: "the explorer: different states per CPU second, breadth-first, of the models that Stateright has as examples",
    benches: &[
        Bench {
            figures: &[("paxos-3-bytes-per-state", "B")],
            about: "memory at the peak of the search of Paxos with 3 clients, for each of 1 194 428 states",
            slow: false,
            run: |_| vec![bytes_per_state()],
        },
        Bench {
            figures: &[("2pc-8-states-per-second", "states/s")],
            about: "two-phase commit with 8 resource managers: 1 745 408 states, 18 507 778 generated",
            slow: false,
            run: |effort| vec![Some(rate(Model::TwoPhaseCommit, Search::Breadth, effort))],
        },
        Bench {
            figures: &[("paxos-3-states-per-second", "states/s")],
            about: "single-decree Paxos, 3 servers and 3 clients: 1 194 428 states, 2 420 477 generated",
            slow: false,
            run: |effort| vec![Some(rate(Model::Paxos, Search::Breadth, effort))],
        },
        Bench {
            figures: &[("register-4-states-per-second", "states/s")],
            about: "a register on one server, 4 clients, linearizable: 400 233 states, 731 789 generated",
            slow: false,
            run: |effort| vec![Some(rate(Model::Register, Search::Breadth, effort))],
        },
        Bench {
            figures: &[("2pc-12-orbits-per-second", "states/s")],
            about: "two-phase commit with 12 resource managers by exact symmetry: 6 656 orbits",
            slow: false,
            run: |effort| vec![Some(rate(Model::Orbits, Search::Breadth, effort))],
        },
    ],
};

/// What is searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Model {
    TwoPhaseCommit,
    Paxos,
    Register,
    Orbits,
}

/// How it is searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Search {
    Breadth,
    Depth,
}

impl Model {
    /// How it is called in figures.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TwoPhaseCommit => "2pc-8",
            Self::Paxos => "paxos-3",
            Self::Register => "register-4",
            Self::Orbits => "2pc-12-orbits",
        }
    }

    /// How many states it has.
    pub(super) const fn states(self) -> u64 {
        match self {
            Self::TwoPhaseCommit => 1_745_408,
            Self::Paxos => 1_194_428,
            Self::Register => 400_233,
            Self::Orbits => 6_656,
        }
    }
}

/// States per CPU second.
pub(super) fn rate(model: Model, search: Search, effort: Effort) -> f64 {
    let rounds = if effort == Effort::Quick { 1 } else { 3 };
    let mut seconds: Vec<f64> = (0..rounds).map(|_| timed(|| states(model, search)).0).collect();
    model.states() as f64 / median(&mut seconds)
}

/// Searches a model, and counts.
///
/// # Panics
/// When the count is not the known one: then the time would mean nothing.
fn states(model: Model, search: Search) -> u64 {
    let states = match model {
        Model::TwoPhaseCommit => count(two_phase_commit::scenario(8, None), search),
        Model::Paxos => count(paxos_of_three(), search),
        Model::Register => count(register::scenario::<single_copy::SingleCopy>(1, 4, ()), search),
        Model::Orbits => {
            let scenario = two_phase_commit::scenario(12, None);
            count(scenario.symmetric((1..=12).map(isles_kernel::ProcessId)), search)
        }
    };
    assert_eq!(states, model.states(), "{}", model.name());
    states
}

fn paxos_of_three() -> Scenario<paxos::Paxos> {
    register::scenario(3, 3, paxos::Config { servers: 3, mistake: None })
}

fn count<P: Protocol + Sync>(scenario: Scenario<P>, search: Search) -> u64 {
    let mut explorer = Explorer::new(scenario).expect("the models are possible");
    let report: Report<P> = match search {
        Search::Breadth => explorer.breadth_first(),
        Search::Depth => explorer.depth_first(),
    };
    assert!(report.is_proof(), "{report}");
    report.states
}

fn bytes_per_state() -> Option<f64> {
    let (bytes, states) = memory_growth(|| states(Model::Paxos, Search::Breadth))?;
    Some(bytes / states as f64)
}
