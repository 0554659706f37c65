//! The atomic register on a majority of copies, with several readers and writers.
//!
//! Papers: Attiya, Bar-Noy, Dolev, "Sharing memory robustly in message-passing systems", JACM 42 (1), 1995
//! (<https://doi.org/10.1145/200836.200869>), with one writer; Lynch, Shvartsman, "Robust emulation of shared memory using dynamic
//! quorum-acknowledged broadcasts", FTCS 1997, with several. Model: asynchronous; crashes with recovery of fewer than half of the
//! copies at a time; streams that break. A *tag* of the papers is a [`Version`] here.
//!
//! | with n copies | a read | a write |
//! | --- | --- | --- |
//! | messages | 4 n | 4 n |
//! | takes | two round trips to a majority | two round trips to a majority, and a write to disk |
//! | tolerates | fewer than n / 2 copies down | fewer than n / 2 copies down |
//!
//! **Properties**: linearizable. Nothing is ever locked, so nothing blocks; but it is a register and no more: to change it by what it holds
//! needs transactions or consensus.
//!
//! Both operations ask a majority for its newest version. A write stores its value under a greater one at a majority; a read stores what it
//! found, for whoever reads next may ask a majority in which nobody had it.
//!
//! # Departures from the papers
//! - A process does several operations at once. Two writes of one process may then find the same newest version, and a write that was cut
//!   short by a crash leaves a version that the next one may not find: a version therefore has the number of its write, too, which is never
//!   used again ([`Mistake::SharedVersion`] leaves it out).
//! - Copies are on disk, so that a majority is one of all that ever were up.
//! - An operation ends after a time-out: before anything was stored nothing was done, after that a write may or may not be.

use std::collections::BTreeMap;

use isles_kernel::{Cx, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::numbers::Numbers;
use crate::register::{Op, Reply};

/// What all processes share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many copies there are: at the processes `0..replicas`. All others are clients only.
    pub replicas: u32,
    /// How long an operation waits for its majorities. Several round trips; 1 s is a guess.
    pub timeout: Span,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// A read does not store what it found.
    SkipsWriteBack,
    /// Two writes of one process may have the same version.
    SharedVersion,
    /// What a copy stores is not on its disk.
    LosesStored,
    /// Half of the copies are enough.
    HalfQuorum,
}

/// The version of a value; the initial value has the least. No two writes have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Version {
    /// One more than that of the newest version that the writer heard of.
    pub clock: u64,
    /// Who wrote.
    pub writer: ProcessId,
    /// The write's name there.
    pub number: u64,
}

/// What processes send each other. Numbers name operations at the process that asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To a copy: what do you have?
    Query {
        /// Of which operation.
        number: u64,
    },
    /// From a copy: this.
    Answer {
        /// Of which operation.
        number: u64,
        /// The version.
        version: Version,
        /// The value.
        value: i64,
    },
    /// To a copy: have this, if it is newer.
    Store {
        /// Of which operation.
        number: u64,
        /// The version.
        version: Version,
        /// The value.
        value: i64,
    },
    /// From a copy: it has that, or something newer.
    Stored {
        /// Of which operation.
        number: u64,
    },
}

/// What a process has on its disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// It begins to ask, in this incarnation.
    Began(u32),
    /// Its copy has this.
    Stored(Version, i64),
}

/// An operation has had its time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TimeOut(u64);

/// What happened at a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Its copy took a value.
    Took {
        /// Its version.
        version: Version,
        /// The value.
        value: i64,
    },
    /// A message was dropped: its sender or receiver has no copy.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// What a majority has; so far this is the newest.
    Asking(Version, i64),
    /// A majority that has stored it; then this is the answer.
    Storing(Reply),
}

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Operation {
    id: OpId,
    op: Op,
    phase: Phase,
    /// Who has answered in this phase. Invariant: ascending.
    answered: Vec<ProcessId>,
    /// Who will not answer in this phase, as far as is known.
    lost: Vec<ProcessId>,
}

/// One process: its copy, and what its clients ask.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Abd {
    numbers: Numbers,
    version: Version,
    value: i64,
    operations: BTreeMap<u64, Operation>,
}

impl Version {
    /// That of the initial value.
    pub const INITIAL: Self = Self { clock: 0, writer: ProcessId(0), number: 0 };
}

impl Config {
    /// So many copies, and a time-out of 1 s.
    pub const fn new(replicas: u32) -> Self {
        Self { replicas, timeout: Span::secs(1), mistake: None }
    }

    /// How many copies any two of which have one in common.
    const fn majority(&self) -> usize {
        let replicas = self.replicas as usize;
        match self.mistake {
            Some(Mistake::HalfQuorum) => replicas.div_ceil(2),
            _ => replicas / 2 + 1,
        }
    }

    const fn has_copy(&self, process: ProcessId) -> bool {
        process.0 < self.replicas
    }
}

impl Protocol for Abd {
    type Config = Config;
    type Msg = Msg;
    type Timer = TimeOut;
    type Op = Op;
    type Reply = Reply;
    type Record = Record;
    type Event = Event;

    fn start(_: &mut Cx<'_, Self>, log: &[Record]) -> Self {
        let mut abd = Self {
            numbers: Numbers::after(0),
            version: Version::INITIAL,
            value: 0,
            operations: BTreeMap::new(),
        };
        for record in log {
            match *record {
                Record::Began(incarnation) => abd.numbers = Numbers::after(incarnation),
                Record::Stored(version, value) => (abd.version, abd.value) = (version, value),
            }
        }
        abd
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        let (number, begun) = self.numbers.next();
        if let Some(incarnation) = begun {
            cx.persist(Record::Began(incarnation));
        }
        let phase = Phase::Asking(Version::INITIAL, 0);
        let operation = Operation { id, op, phase, answered: Vec::new(), lost: Vec::new() };
        self.operations.insert(number, operation);
        cx.arm(TimeOut(number), cx.config().timeout);
        self.ask_all(cx, Msg::Query { number });
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        let keeper = match msg {
            Msg::Query { .. } | Msg::Store { .. } => cx.me(),
            Msg::Answer { .. } | Msg::Stored { .. } => from,
        };
        if !cx.config().has_copy(keeper) {
            cx.emit(Event::Rejected { from });
            return;
        }
        match msg {
            Msg::Query { number } => {
                let (version, value) = (self.version, self.value);
                self.tell(cx, from, Msg::Answer { number, version, value });
            }
            Msg::Answer { number, version, value } => self.on_answer(cx, from, number, (version, value)),
            Msg::Store { number, version, value } => {
                if version > self.version {
                    (self.version, self.value) = (version, value);
                    if cx.config().mistake != Some(Mistake::LosesStored) {
                        cx.persist(Record::Stored(version, value));
                    }
                    cx.emit(Event::Took { version, value });
                }
                self.tell(cx, from, Msg::Stored { number });
            }
            Msg::Stored { number } => self.on_stored(cx, from, number),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, TimeOut(number): TimeOut) {
        self.give_up(cx, number);
    }

    fn snapshot(&self) -> Option<Vec<Record>> {
        let began = Record::Began(self.numbers.incarnations());
        Some(vec![began, Record::Stored(self.version, self.value)])
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let replicas = cx.config().replicas as usize;
        if !cx.config().has_copy(peer) {
            return;
        }
        let mut hopeless = Vec::new();
        for (number, operation) in &mut self.operations {
            if !operation.answered.contains(&peer) && !operation.lost.contains(&peer) {
                operation.lost.push(peer);
                if replicas - operation.lost.len() < cx.config().majority() {
                    hopeless.push(*number);
                }
            }
        }
        hopeless.into_iter().for_each(|number| self.give_up(cx, number));
    }
}

impl Abd {
    /// The version and the value that this process's copy has.
    pub const fn holds(&self) -> (Version, i64) {
        (self.version, self.value)
    }

    /// How many operations of its clients are open.
    pub fn open(&self) -> usize {
        self.operations.len()
    }

    /// Passes a message to a process, which may be this one.
    fn tell(&mut self, cx: &mut Cx<'_, Self>, to: ProcessId, msg: Msg) {
        if to == cx.me() {
            self.on_message(cx, to, msg);
        } else {
            cx.send(to, msg);
        }
    }

    /// Asks all copies; its own last, since that may end the phase.
    fn ask_all(&mut self, cx: &mut Cx<'_, Self>, request: Msg) {
        let (config, me) = (cx.config(), cx.me());
        (0..config.replicas)
            .map(ProcessId)
            .filter(|peer| *peer != me)
            .for_each(|peer| cx.send(peer, request));
        if config.has_copy(me) {
            self.on_message(cx, me, request);
        }
    }

    /// Lynch, Shvartsman 1997: the first round finds the newest version that a majority has.
    fn on_answer(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64, copy: (Version, i64)) {
        let Some(operation) = self.operations.get_mut(&number) else { return };
        let Phase::Asking(version, value) = &mut operation.phase else { return };
        if copy.0 > *version {
            (*version, *value) = copy;
        }
        let (version, value) = (*version, *value);
        if !operation.hears(from, cx.config()) {
            return;
        }
        let mistake = cx.config().mistake;
        let (version, value, reply) = match operation.op {
            Op::Read if mistake == Some(Mistake::SkipsWriteBack) => {
                return self.finish(cx, number, Reply::Value(value));
            }
            Op::Read => (version, value, Reply::Value(value)),
            Op::Write(written) => {
                let named = if mistake == Some(Mistake::SharedVersion) { 0 } else { number };
                let version =
                    Version { clock: version.clock.saturating_add(1), writer: cx.me(), number: named };
                (version, written, Reply::Done)
            }
        };
        operation.phase = Phase::Storing(reply);
        operation.answered.clear();
        operation.lost.clear();
        self.ask_all(cx, Msg::Store { number, version, value });
    }

    /// The second round makes a majority have it.
    fn on_stored(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64) {
        let Some(operation) = self.operations.get_mut(&number) else { return };
        let Phase::Storing(reply) = operation.phase else { return };
        if operation.hears(from, cx.config()) {
            self.finish(cx, number, reply);
        }
    }

    /// No majority answered. What a write stored somewhere may still be found.
    fn give_up(&mut self, cx: &mut Cx<'_, Self>, number: u64) {
        let Some(operation) = self.operations.get(&number) else { return };
        let reply = match operation.phase {
            Phase::Storing(Reply::Done) => Reply::Unknown,
            Phase::Storing(_) | Phase::Asking(..) => Reply::Refused,
        };
        self.finish(cx, number, reply);
    }

    fn finish(&mut self, cx: &mut Cx<'_, Self>, number: u64, reply: Reply) {
        if let Some(operation) = self.operations.remove(&number) {
            cx.disarm(TimeOut(number));
            cx.reply(operation.id, reply);
        }
    }
}

impl Operation {
    /// A copy answered; whether these are now a majority.
    fn hears(&mut self, from: ProcessId, config: &Config) -> bool {
        self.lost.retain(|peer| *peer != from);
        if let Err(place) = self.answered.binary_search(&from) {
            self.answered.insert(place, from);
        }
        self.answered.len() >= config.majority()
    }
}
