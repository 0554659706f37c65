//! Paxos with two proposers that retry, before one acceptor: duelling proposers.
//!
//! Lamport, *Paxos Made Simple*, 2001, section 2.4: "It's easy to construct a scenario in which two proposers each keep issuing a sequence of
//! proposals with increasing numbers, none of which are ever chosen." The acceptor's majority is itself, so that nothing but the duel is left.
//!
//! **Ballots** are numbers modulo [`CIRCLE`]: the proposer's number is the ballot modulo 2. A proposer has one message at a time under way,
//! and a new ballot is the next of its own after the one that beat it; so a ballot that the acceptor hears of is at most one before or
//! after the one that it promised, and a circle of four is enough to tell which. A violation of that would be remembered
//! ([`Acceptor::is_confused`]), and is asked for.

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

/// How many ballots there are before they begin again.
pub const CIRCLE: u8 = 4;

/// The two proposers are the processes 0 and 1; this is the acceptor.
pub const ACCEPTOR: ProcessId = ProcessId(2);

/// What is proposed: 0 or 1.
pub type Value = u8;

/// A ballot, on the circle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Ballot(u8);

impl Ballot {
    /// By how many places it is ahead of another one: -1, 0, 1; none if that cannot be told.
    fn ahead_of(self, other: Self) -> Option<i8> {
        match (self.0 + CIRCLE - other.0) % CIRCLE {
            0 => Some(0),
            1 => Some(1),
            3 => Some(-1),
            _ => None,
        }
    }

    /// The next ballot of the other proposer.
    const fn next(self) -> Self {
        Self((self.0 + 1) % CIRCLE)
    }
}

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Synod {
    /// Wants its value chosen.
    Proposer(Proposer),
    /// Chooses.
    Acceptor(Acceptor),
}

/// A proposer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Proposer {
    ballot: Ballot,
    /// What it proposes: its own value, or one that was accepted.
    value: Value,
    decided: Option<Value>,
}

/// The acceptor.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Acceptor {
    promised: Option<Ballot>,
    accepted: Option<Value>,
    confused: bool,
}

impl Acceptor {
    /// It heard of a ballot that is too far from the one that it promised to be compared with it.
    pub const fn is_confused(&self) -> bool {
        self.confused
    }
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Phase 1a.
    Prepare(Ballot),
    /// Phase 1b: what was accepted.
    Promise(Ballot, Option<Value>),
    /// Phase 2a.
    Accept(Ballot, Value),
    /// Phase 2b.
    Accepted(Ballot, Value),
    /// The acceptor has promised itself to a newer ballot than that one.
    Refused {
        /// The one that was refused.
        ballot: Ballot,
        /// The newer one.
        promised: Ballot,
    },
    /// To the other proposer.
    Decided(Value),
}

/// What processes have on disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// A proposer has begun: when it starts again it stands back, for it does not know with which ballots it had tried.
    Began,
    /// It will hear of no older ballot.
    Promised(Ballot),
    /// It accepted this.
    Accepted(Value),
}

/// A proposer tries again, with a ballot after this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Retry(Ballot);

/// What all processes share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// What each proposer wants.
    pub values: [Value; 2],
    /// Only this one tries again; everybody does if there is none.
    pub leader: Option<ProcessId>,
    /// Whether processes write to their disks, of which nothing is ever erased: a duel would fill it.
    pub durable: bool,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// What is accepted is told before it is on disk.
    TellsBeforeDisk,
    /// What is accepted is not written to disk.
    LosesAccepted,
    /// A promise is not written to disk.
    LosesPromise,
}

impl Protocol for Synod {
    type Config = Config;
    type Msg = Msg;
    type Timer = Retry;
    type Op = Never;
    type Reply = Never;
    type Record = Record;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, log: &[Record]) -> Self {
        if cx.me() == ACCEPTOR {
            let mut acceptor = Acceptor::default();
            for record in log {
                match *record {
                    Record::Promised(ballot) => acceptor.promised = Some(ballot),
                    Record::Accepted(value) => acceptor.accepted = Some(value),
                    Record::Began => {}
                }
            }
            return Self::Acceptor(acceptor);
        }
        let ballot = Ballot(cx.me().0 as u8 % 2);
        if log.is_empty() {
            if cx.config().durable {
                cx.persist(Record::Began);
            }
            cx.cast(ACCEPTOR, Msg::Prepare(ballot));
        }
        Self::Proposer(Proposer { ballot, value: cx.config().values[cx.me().index() % 2], decided: None })
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match self {
            Self::Acceptor(acceptor) => acceptor.on_message(cx, from, msg),
            Self::Proposer(proposer) => proposer.on_message(cx, msg),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Retry(promised): Retry) {
        if let Self::Proposer(proposer) = self
            && proposer.decided.is_none()
        {
            proposer.ballot = promised.next();
            cx.cast(ACCEPTOR, Msg::Prepare(proposer.ballot));
        }
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

impl Acceptor {
    fn on_message(&mut self, cx: &mut Cx<'_, Synod>, from: ProcessId, msg: Msg) {
        let (Msg::Prepare(ballot) | Msg::Accept(ballot, _)) = msg else { return };
        let ahead = self.promised.map_or(Some(1), |promised| ballot.ahead_of(promised));
        self.confused |= ahead.is_none();
        let Config { mistake, durable, .. } = *cx.config();
        match (msg, ahead, self.promised) {
            (_, Some(-1) | None, Some(promised)) => cx.cast(from, Msg::Refused { ballot, promised }),
            (Msg::Accept(_, value), ..) => {
                self.promised = Some(ballot);
                self.accepted = Some(value);
                if mistake == Some(Mistake::TellsBeforeDisk) {
                    cx.cast(from, Msg::Accepted(ballot, value));
                }
                if durable && mistake != Some(Mistake::LosesAccepted) {
                    cx.persist(Record::Accepted(value));
                }
                if mistake != Some(Mistake::TellsBeforeDisk) {
                    cx.cast(from, Msg::Accepted(ballot, value));
                }
            }
            (..) => {
                self.promised = Some(ballot);
                if durable && mistake != Some(Mistake::LosesPromise) {
                    cx.persist(Record::Promised(ballot));
                }
                cx.cast(from, Msg::Promise(ballot, self.accepted));
            }
        }
    }
}

impl Proposer {
    fn on_message(&mut self, cx: &mut Cx<'_, Synod>, msg: Msg) {
        let other = ProcessId(1 - cx.me().0.min(1));
        match msg {
            _ if self.decided.is_some() => {}
            Msg::Promise(ballot, accepted) if ballot == self.ballot => {
                self.value = accepted.unwrap_or(self.value);
                cx.cast(ACCEPTOR, Msg::Accept(ballot, self.value));
            }
            Msg::Accepted(ballot, value) if ballot == self.ballot => {
                self.decided = Some(value);
                cx.cast(other, Msg::Decided(value));
            }
            Msg::Refused { ballot, promised } if ballot == self.ballot => {
                if cx.config().leader.is_none_or(|leader| leader == cx.me()) {
                    cx.arm(Retry(promised), Span::millis(1));
                }
            }
            Msg::Decided(value) => {
                self.decided = Some(value);
                // What it would try again is decided.
                (0..CIRCLE).for_each(|ballot| cx.disarm(Retry(Ballot(ballot))));
            }
            Msg::Promise(..)
            | Msg::Accepted(..)
            | Msg::Refused { .. }
            | Msg::Prepare(_)
            | Msg::Accept(..) => {}
        }
    }
}

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// What each proposer wants.
    pub values: [Value; 2],
    /// Only this one tries again: the control.
    pub leader: Option<ProcessId>,
    /// Crashes of processes, each of which finds what had reached its disk when it starts again. If there are any, proposers try again
    /// twice in all.
    pub crashes: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// A duel.
    fn default() -> Self {
        Self { values: [0, 1], leader: None, crashes: 0, mistake: None }
    }
}

/// All behaviours of the three. With crashes that they end is not asked: a message that a process that crashed did not send is missing.
pub fn scenario(parameters: Parameters) -> Scenario<Synod> {
    let Parameters { values, leader, crashes, mistake } = parameters;
    let faults = Faults {
        crashes: Budget::UpTo(crashes),
        restarts: Budget::UpTo(crashes),
        memories: vec![Memory::Disk],
        ..Faults::default()
    };
    let timeouts = if crashes > 0 { Budget::UpTo(2) } else { Budget::Unlimited };
    let config = Config { values, leader, durable: crashes > 0, mistake };
    let scenario = Scenario { faults, timeouts, ..Scenario::<Synod>::new(3, config) }
        .ask(Property::always("one value is decided", |view: &View<'_, Synod>| {
            let mut all = decisions(view);
            let first = all.next();
            all.all(|value| Some(value) == first)
        }))
        .ask(Property::never("ballots cannot be compared", |view: &View<'_, Synod>| {
            matches!(view.process(ACCEPTOR), Some(Synod::Acceptor(acceptor)) if acceptor.is_confused())
        }))
        .ask(Property::reachable("0 is decided", |view: &View<'_, Synod>| decisions(view).any(|value| value == 0)))
        .ask(Property::reachable("1 is decided", |view: &View<'_, Synod>| decisions(view).any(|value| value == 1)));
    if crashes > 0 {
        return scenario;
    }
    scenario.ask(Property::eventually("somebody decides", |view: &View<'_, Synod>| {
        decisions(view).next().is_some()
    }))
}

/// What proposers have decided.
fn decisions<'a>(view: &View<'a, Synod>) -> impl Iterator<Item = Value> + use<'a> {
    let proposers = [0, 1].map(|proposer| view.process(ProcessId(proposer)));
    proposers.into_iter().flatten().filter_map(|process| match process {
        Synod::Proposer(proposer) => proposer.decided,
        Synod::Acceptor(_) => None,
    })
}
