//! Weighted voting: a register whose copies have votes, read by `r` of them and written by `w`.
//!
//! Paper: Gifford, "Weighted voting for replicated data", SOSP 1979 (<https://doi.org/10.1145/800215.806583>). Model: asynchronous; crashes with
//! recovery; streams that break, partitions. Symbols: `r` is [`Config::read`], `w` is [`Config::write`], the votes of all
//! together are `V`, a *representative* is a copy. `r + w > V`, so that a read meets the last write; `2 w > V`, so that a write, which
//! takes its version from its own quorum, meets the last write, too.
//!
//! | with n representatives that vote | a read | a write |
//! | --- | --- | --- |
//! | messages | 2 n, and 2 to fetch the value if the own copy is not current | 4 n |
//! | takes | the round trip by which r votes are there, and one more to fetch | that by which w votes are there, and one write to disk |
//! | tolerates | whatever leaves r votes up | whatever leaves w votes up |
//!
//! **Properties**: linearizable; no two values have one version. [`Mistake::Naive`] is the register that textbooks draw, without
//! transactions, and has neither: a write that reached a minority leaves a version that the next write uses again, and so do two writes
//! that ask for versions at the same time.
//!
//! A write is a transaction of one register (Gifford builds on a file system that has them): each representative locks itself for the write and
//! keeps its value on disk ([`Msg::Prepare`]); with `w` votes the writer knows the version, writes its decision to disk, answers its client,
//! and tells the representatives ([`Msg::Commit`]). Without `w` votes in time it takes the locks back: nothing was done. A
//! representative that is locked lets readers wait, so that who has seen a new value is never followed by who sees the old one. It does not let
//! writers wait: a second write is refused there, and no circle of waiting exists. A representative whose writer is silent asks it
//! again and again, and decides nothing alone; whoever has no decision on its disk says that there is none (presumed abort). As long as
//! the writer is down its locks stay: two-phase commit blocks.
//!
//! # Departures from the paper
//! - One register, not a file: values are small, and a write replaces all of it.
//! - A write locks all representatives that answer, not a cheapest quorum of them; whoever comes late is told the outcome, too.
//! - A weak representative (no votes) is the copy of a process that reads: what it fetches it keeps. Others do not read there. The paper lets
//!   any client choose any weak representative that is current.
//! - Reads take no locks: they wait for those of writes. Where a transaction is one operation that is as good (see the argument at
//!   `on_inquire`).
//! - Votes and quorums do not change.

mod operation;
mod representative;

use std::collections::BTreeMap;
use std::fmt;

use isles_kernel::{Cx, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::numbers::Numbers;
use crate::register::{Op, Reply};
use operation::{Operation, Vote};
use representative::Representative;

/// What all processes share. [`Config::new`] checks that quorums meet; whoever changes the fields afterwards knows what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The votes of the representatives, which are the first processes. Those without votes are weak. All other processes are clients only.
    pub votes: Vec<u32>,
    /// How many votes a read asks for: the paper's `r`.
    pub read: u32,
    /// How many votes a write asks for: the paper's `w`.
    pub write: u32,
    /// How long an operation waits for its quorum. Several round trips; 1 s is a guess.
    pub timeout: Span,
    /// How often a representative that is locked asks its writer, and a writer those who have not heard its decision. 500 ms is a guess.
    pub remind: Span,
    /// For controls and the museum.
    pub mistake: Option<Mistake>,
}

/// Why votes and quorums do not go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// There are no votes, or more than 2^31.
    Votes(u64),
    /// A quorum of no votes, or of more than there are.
    Quorum(u32),
    /// A read may miss the last write: `r + w` is not greater than the votes.
    ReadMissesWrite,
    /// A write may miss the last one: `2 w` is not greater than the votes.
    WriteMissesWrite,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Votes(votes) => write!(f, "{votes} votes: give representatives 1 to 2^31 votes together"),
            Self::Quorum(votes) => {
                write!(f, "a quorum of {votes} votes: it has 1 to as many as there are")
            }
            Self::ReadMissesWrite => {
                f.write_str("a read may miss the last write: let read + write exceed the votes")
            }
            Self::WriteMissesWrite => {
                f.write_str("a write may miss the last one: let write exceed half of the votes")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Writes are no transactions (MUS-14): a write asks for versions, and stores its value under the next one wherever it can.
    Naive,
    /// Readers do not wait where a write has locked.
    PassesLocks,
    /// What a representative is locked for is not on its disk.
    LosesPrepared,
    /// What a writer has decided is not on its disk.
    LosesDecision,
    /// A write goes by the version of its own copy, not by those of its quorum.
    OwnVersion,
}

/// The version of a value: the initial value has 0, and each write a greater one than all before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Version(pub u64);

/// What processes send each other. Numbers name operations at the process that asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To a representative: which version do you have?
    Inquire {
        /// Of which operation.
        number: u64,
    },
    /// From a representative: this one.
    Version {
        /// Of which operation.
        number: u64,
        /// The version.
        version: Version,
    },
    /// To a representative: what is your value?
    Fetch {
        /// Of which operation.
        number: u64,
    },
    /// From a representative: this.
    Value {
        /// Of which operation.
        number: u64,
        /// Its version.
        version: Version,
        /// The value.
        value: i64,
    },
    /// To a representative: lock yourself for this value.
    Prepare {
        /// Of which write.
        number: u64,
        /// The value.
        value: i64,
    },
    /// From a representative: it is locked.
    Prepared {
        /// For which write.
        number: u64,
        /// What it has until then.
        version: Version,
    },
    /// From a representative: it is locked for another write, or too many wait.
    Busy {
        /// Which operation is not served.
        number: u64,
    },
    /// To a representative: take the value, under this version.
    Commit {
        /// Of which write.
        number: u64,
        /// The version.
        version: Version,
    },
    /// From a representative: it has heard the decision.
    Committed {
        /// About which write.
        number: u64,
    },
    /// To a representative: the write will not be.
    Abort {
        /// Which one.
        number: u64,
    },
    /// From a representative: what became of the write that it is locked for?
    Resolve {
        /// Which one.
        number: u64,
    },
    /// To a representative, from [`Mistake::Naive`]: have this.
    Store {
        /// Of which write.
        number: u64,
        /// The version.
        version: Version,
        /// The value.
        value: i64,
    },
    /// From a representative: it has that, or something newer.
    Stored {
        /// Of which write.
        number: u64,
    },
}

/// What a process has on its disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// It begins to ask, in this incarnation.
    Began(u32),
    /// Its copy has this.
    Stored(Version, i64),
    /// Its copy is locked for a write.
    Prepared(Lock),
    /// Its copy has what it was locked for, if the version is newer.
    Committed(Version),
    /// Its copy is locked no more.
    Aborted,
    /// A write of its own is decided.
    Decided {
        /// Which one.
        number: u64,
        /// Its version.
        version: Version,
        /// The representatives that have to hear of it.
        quorum: Vec<ProcessId>,
    },
    /// All have heard of that decision.
    Heard(u64),
}

/// For which write a representative is locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// Who writes.
    pub writer: ProcessId,
    /// The write's name there.
    pub number: u64,
    /// What is written.
    pub value: i64,
}

/// What a process waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// An operation has had its time.
    Operation(u64),
    /// This copy is locked for a write of this process, and has heard nothing.
    Resolve(ProcessId, u64),
    /// Not all have heard what was decided about a write.
    Remind(u64),
}

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
    /// A message was dropped: its sender has no such part.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// A decision that not all have heard of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Decision {
    version: Version,
    /// Those who have not heard of it. Invariant: not empty.
    unheard: Vec<ProcessId>,
}

/// One process: its copy, and what its clients ask.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Voting {
    numbers: Numbers,
    copy: Representative,
    operations: BTreeMap<u64, Operation>,
    /// Decisions about own writes that not all have heard of: they outlive the operation.
    decided: BTreeMap<u64, Decision>,
}

impl Version {
    /// The next one. No honest copy has the last one there is.
    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Config {
    /// Votes of the first processes, and the two quorums, with time-outs of 1 s and reminders every 500 ms.
    ///
    /// # Errors
    /// When there are no votes, or quorums need not meet.
    pub fn new(votes: impl Into<Vec<u32>>, read: u32, write: u32) -> Result<Self, ConfigError> {
        let votes: Vec<u32> = votes.into();
        let all: u64 = votes.iter().copied().map(u64::from).sum();
        if all == 0 || all > 1 << 31 {
            return Err(ConfigError::Votes(all));
        }
        if let Some(quorum) =
            [read, write].into_iter().find(|quorum| *quorum == 0 || u64::from(*quorum) > all)
        {
            return Err(ConfigError::Quorum(quorum));
        }
        if u64::from(read) + u64::from(write) <= all {
            return Err(ConfigError::ReadMissesWrite);
        }
        if 2 * u64::from(write) <= all {
            return Err(ConfigError::WriteMissesWrite);
        }
        let (timeout, remind) = (Span::secs(1), Span::millis(500));
        Ok(Self { votes, read, write, timeout, remind, mistake: None })
    }

    /// The votes of a process; none if it has no copy.
    pub fn votes_of(&self, process: ProcessId) -> u32 {
        self.votes.get(process.index()).copied().unwrap_or(0)
    }

    /// All processes that vote.
    fn voters(&self) -> impl Iterator<Item = ProcessId> {
        (0..).zip(&self.votes).filter(|(_, votes)| **votes > 0).map(|(process, _)| ProcessId(process))
    }

    /// The votes of some processes together.
    fn sum<'p>(&self, processes: impl IntoIterator<Item = &'p ProcessId>) -> u64 {
        processes.into_iter().map(|process| u64::from(self.votes_of(*process))).sum()
    }
}

impl Protocol for Voting {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Op;
    type Reply = Reply;
    type Record = Record;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, log: &[Record]) -> Self {
        let mut voting = Self::replay(log);
        voting.settle_own(cx);
        if let Some(lock) = voting.copy.lock() {
            cx.arm(Timer::Resolve(lock.writer, lock.number), cx.config().remind);
        }
        for number in voting.decided.keys() {
            cx.arm(Timer::Remind(*number), cx.config().remind);
        }
        voting
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        let (number, begun) = self.numbers.next();
        if let Some(incarnation) = begun {
            cx.persist(Record::Began(incarnation));
        }
        let (operation, request) = Operation::new(cx.config(), number, id, op);
        self.operations.insert(number, operation);
        cx.arm(Timer::Operation(number), cx.config().timeout);
        self.ask_all(cx, request);
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        let to_a_voter = cx.config().votes_of(cx.me()) > 0;
        let from_a_voter = cx.config().votes_of(from) > 0;
        let is_placed = match msg {
            Msg::Inquire { .. } | Msg::Fetch { .. } | Msg::Prepare { .. } | Msg::Store { .. } => to_a_voter,
            Msg::Commit { .. } | Msg::Abort { .. } => to_a_voter,
            Msg::Version { .. } | Msg::Value { .. } | Msg::Prepared { .. } | Msg::Busy { .. } => from_a_voter,
            Msg::Committed { .. } | Msg::Resolve { .. } | Msg::Stored { .. } => from_a_voter,
        };
        if !is_placed {
            cx.emit(Event::Rejected { from });
            return;
        }
        match msg {
            Msg::Inquire { number } => self.on_inquire(cx, from, number),
            Msg::Fetch { number } => {
                let (version, value) = self.copy.holds();
                self.tell(cx, from, Msg::Value { number, version, value });
            }
            Msg::Prepare { number, value } => self.on_prepare(cx, Lock { writer: from, number, value }),
            Msg::Commit { number, version } => self.on_commit(cx, from, number, version),
            Msg::Abort { number } => self.on_abort(cx, from, number),
            Msg::Store { number, version, value } => self.on_store(cx, from, number, (version, value)),
            Msg::Version { number, version } => self.on_vote(cx, from, number, Vote::Has(version)),
            Msg::Prepared { number, version } if self.operations.contains_key(&number) => {
                self.on_vote(cx, from, number, Vote::Locked(version));
            }
            Msg::Prepared { number, .. } | Msg::Resolve { number } => self.on_resolve(cx, from, number),
            Msg::Stored { number } => self.on_vote(cx, from, number, Vote::Stored),
            Msg::Value { number, version, value } => self.on_value(cx, number, version, value),
            Msg::Busy { number } => self.on_lost(cx, from, number),
            Msg::Committed { number } => self.on_heard(cx, from, number),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::Operation(number) => self.give_up(cx, number),
            Timer::Resolve(writer, number) => {
                if self.copy.is_locked_for(writer, number) {
                    cx.arm(timer, cx.config().remind);
                    self.tell(cx, writer, Msg::Resolve { number });
                }
            }
            Timer::Remind(number) => {
                if let Some(Decision { version, unheard }) = self.decided.get(&number).cloned() {
                    cx.arm(timer, cx.config().remind);
                    for peer in unheard {
                        self.tell(cx, peer, Msg::Commit { number, version });
                    }
                }
            }
        }
    }

    fn snapshot(&self) -> Option<Vec<Record>> {
        let mut log = vec![Record::Began(self.numbers.incarnations())];
        let (version, value) = self.copy.holds();
        log.push(Record::Stored(version, value));
        log.extend(self.copy.lock().map(Record::Prepared));
        log.extend(self.decided.iter().map(|(number, decision)| Record::Decided {
            number: *number,
            version: decision.version,
            quorum: decision.unheard.clone(),
        }));
        Some(log)
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let open: Vec<u64> = self.operations.keys().copied().collect();
        for number in open {
            self.on_lost(cx, peer, number);
        }
    }
}

impl Voting {
    /// The version and the value that this process's copy has.
    pub const fn holds(&self) -> (Version, i64) {
        self.copy.holds()
    }

    /// For which write its copy is locked.
    pub const fn lock(&self) -> Option<Lock> {
        self.copy.lock()
    }

    /// How many operations of its clients are open.
    pub fn open(&self) -> usize {
        self.operations.len()
    }

    /// The state that a log leaves.
    fn replay(log: &[Record]) -> Self {
        let (mut copy, mut decided) = (Representative::default(), BTreeMap::new());
        let mut incarnations = 0;
        for record in log {
            match record {
                Record::Began(incarnation) => incarnations = *incarnation,
                Record::Stored(..) | Record::Prepared(_) | Record::Committed(_) | Record::Aborted => {
                    copy.replay(record);
                }
                Record::Decided { number, version, quorum } => {
                    let decision = Decision { version: *version, unheard: quorum.clone() };
                    decided.insert(*number, decision);
                }
                Record::Heard(number) => _ = decided.remove(number),
            }
        }
        Self { numbers: Numbers::after(incarnations), copy, operations: BTreeMap::new(), decided }
    }

    /// Passes a message to a process, which may be this one.
    fn tell(&mut self, cx: &mut Cx<'_, Self>, to: ProcessId, msg: Msg) {
        if to == cx.me() {
            self.on_message(cx, to, msg);
        } else {
            cx.send(to, msg);
        }
    }

    /// Asks all who vote; this process last, since its answer may end the operation.
    fn ask_all(&mut self, cx: &mut Cx<'_, Self>, request: Msg) {
        let (config, me) = (cx.config(), cx.me());
        config.voters().filter(|voter| *voter != me).for_each(|voter| cx.send(voter, request));
        if config.votes_of(me) > 0 {
            self.on_message(cx, me, request);
        }
    }
}
