//! The atomic register of a majority, with copies on disk and several operations at a process.
//!
//! Attiya, Bar-Noy, Dolev 1995; Lynch, Shvartsman 1997. [`models::abd`](crate::models::abd) is the same register as other explorers have it.

use isles_explore::{Budget, Faults, Property, Scenario, Script, Streams, View};
use isles_quorum::abd::{Abd, Config, Mistake};
use isles_quorum::register::Op;

use super::voting::{at, in_turn, two_writers, writer_and_reader};
use crate::judge::linearizable_register;

/// What is explored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many copies. One process more is a client's.
    pub replicas: u32,
    /// What clients do.
    pub clients: Vec<Script<Op>>,
    /// Processes that crash, any and at any moment, and start again with their disks.
    pub crashes: u8,
    /// Timers that fire.
    pub timeouts: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// Three copies and two writers at the same time; nothing goes wrong.
    fn default() -> Self {
        Self { replicas: 3, clients: two_writers(), crashes: 0, timeouts: 0, mistake: None }
    }
}

impl Parameters {
    /// The smallest case in which a mistake shows.
    pub fn showing(mistake: Mistake) -> Self {
        let turns = |writer, reader| in_turn(&[at(writer, Op::Write(1)), at(reader, Op::Read)]);
        let shown = match mistake {
            Mistake::SkipsWriteBack => Self { clients: writer_and_reader(), ..Self::default() },
            Mistake::SharedVersion => {
                // Both at the process without a copy.
                let clients = vec![vec![at(3, Op::Write(1))], vec![at(3, Op::Write(2))]];
                Self { clients, ..Self::default() }
            }
            Mistake::LosesStored => Self { clients: turns(1, 2), crashes: 1, ..Self::default() },
            Mistake::HalfQuorum => Self { replicas: 2, clients: turns(0, 1), ..Self::default() },
        };
        Self { mistake: Some(mistake), ..shown }
    }
}

/// All behaviours of the copies and their clients; messages overtake one another.
pub fn scenario(parameters: Parameters) -> Scenario<Abd> {
    let Parameters { replicas, clients, crashes, timeouts, mistake } = parameters;
    let budget = Budget::UpTo(crashes);
    let faults = Faults { crashes: budget, restarts: budget, ..Faults::default() };
    let config = Config { mistake, ..Config::new(replicas) };
    let scenario = Scenario::<Abd>::new(replicas + 1, config);
    let timeouts = Budget::UpTo(timeouts);
    Scenario { clients, faults, streams: Streams::Unordered, timeouts, ..scenario }
        .ask(one_value())
        .ask(linearizable_register())
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

/// What each version is of.
pub fn one_value() -> Property<Abd> {
    Property::always("no two values have one version", |view: &View<'_, Abd>| {
        let held: Vec<_> = view.live().map(|(_, process)| process.holds()).collect();
        let agree = |(version, value)| held.iter().all(|(other, same)| version != *other || value == *same);
        held.iter().copied().all(agree)
    })
}
