//! A register of copies with votes, read and written by quorums: QUO-01 to QUO-03, MUS-14.
//!
//! Gifford 1979. Written naively it has two values of one version, by a partition and by two writers; as a transaction it has not.

use isles_explore::{Budget, Faults, Property, Scenario, Script, Timers, View};
use isles_kernel::ProcessId;
use isles_quorum::register::Op;
use isles_quorum::voting::{Config, Mistake, Voting};

use crate::judge::linearizable_register;

/// What is explored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// The votes of the copies, and the two quorums. Whether they meet is not asked: that is what is found out.
    pub votes: Vec<u32>,
    /// How many votes a read needs.
    pub read: u32,
    /// How many votes a write needs.
    pub write: u32,
    /// What clients do.
    pub clients: Vec<Script<Op>>,
    /// Partitions that cut p0 off from the others. With any, nothing else is late: time-outs come only when nothing can arrive.
    pub cuts: u8,
    /// Copies that crash, any and at any moment, and start again with their disks.
    pub crashes: u8,
    /// Timers that fire.
    pub timeouts: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// An operation at a process.
pub const fn at(process: u32, op: Op) -> (ProcessId, Op) {
    (ProcessId(process), op)
}

impl Default for Parameters {
    /// Three copies of one vote, of which two are a quorum, and two writers at the same time; nothing goes wrong.
    fn default() -> Self {
        Self {
            votes: vec![1; 3],
            read: 2,
            write: 2,
            clients: two_writers(),
            cuts: 0,
            crashes: 0,
            timeouts: 0,
            mistake: None,
        }
    }
}

/// Two clients that write at the same time, at p0 and at p1.
pub fn two_writers() -> Vec<Script<Op>> {
    vec![vec![at(0, Op::Write(1))], vec![at(1, Op::Write(2))]]
}

/// A client that writes at p0, and one that reads at p1 and then at p2.
pub fn writer_and_reader() -> Vec<Script<Op>> {
    vec![vec![at(0, Op::Write(1))], vec![at(1, Op::Read), at(2, Op::Read)]]
}

/// One client that does one thing after the other.
pub fn in_turn(script: &[(ProcessId, Op)]) -> Vec<Script<Op>> {
    vec![script.to_vec()]
}

impl Parameters {
    /// One client that writes at p0 and then at p1, and a partition that cuts p0 off.
    pub fn parted() -> Self {
        let clients = in_turn(&[at(0, Op::Write(1)), at(1, Op::Write(2))]);
        Self { clients, cuts: 1, timeouts: 2, ..Self::default() }
    }

    /// The smallest case in which a mistake shows.
    pub fn showing(mistake: Mistake) -> Self {
        let (write, read) = (at(0, Op::Write(1)), at(1, Op::Read));
        let shown = match mistake {
            Mistake::Naive => Self::default(),
            Mistake::PassesLocks => Self { clients: writer_and_reader(), ..Self::default() },
            Mistake::LosesPrepared => {
                Self { clients: in_turn(&[write, read]), crashes: 1, ..Self::default() }
            }
            Mistake::LosesDecision => {
                Self { clients: in_turn(&[write, read]), crashes: 1, timeouts: 1, ..Self::default() }
            }
            Mistake::OwnVersion => {
                Self { clients: in_turn(&[write, at(2, Op::Write(2))]), ..Self::default() }
            }
        };
        Self { mistake: Some(mistake), ..shown }
    }
}

/// All behaviours of the copies and their clients.
pub fn scenario(parameters: Parameters) -> Scenario<Voting> {
    let Parameters { votes, read, write, clients, cuts, crashes, timeouts, mistake } = parameters;
    let processes = votes.len() as u32;
    let config = Config::new([1], 1, 1).expect("one vote is a quorum of one");
    let config = Config { votes, read, write, mistake, ..config };
    let faults = Faults {
        cuts: Budget::UpTo(cuts),
        groups: vec![vec![ProcessId(0)]],
        crashes: Budget::UpTo(crashes),
        restarts: Budget::UpTo(crashes),
        ..Faults::default()
    };
    let timers = if cuts > 0 { Timers::WhenQuiet } else { Timers::Free };
    let scenario = Scenario::<Voting>::new(processes, config);
    Scenario { clients, faults, timers, timeouts: Budget::UpTo(timeouts), ..scenario }
        .ask(one_value())
        .ask(linearizable_register())
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

/// What each version is of.
pub fn one_value() -> Property<Voting> {
    Property::always("no two values have one version", |view: &View<'_, Voting>| {
        let held: Vec<_> = view.live().map(|(_, process)| process.holds()).collect();
        let agree = |(version, value)| held.iter().all(|(other, same)| version != *other || value == *same);
        held.iter().copied().all(agree)
    })
}
