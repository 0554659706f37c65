//! A store of keys, each on several replicas: read and write quorums, and transactions over many keys.
//!
//! Papers: Gifford, "Weighted voting for replicated data", SOSP 1979; Gray, "Notes on data base operating systems", 1978, section 5.8;
//! Mohan, Lindsay, Obermarck, "Transaction management in the R* distributed database management system", ACM TODS 11 (4), 1986 (presumed
//! abort); Rosenkrantz, Stearns, Lewis, "System level concurrency control for distributed database systems", ACM TODS 3 (2), 1978
//! (wound-wait); Bernstein, Hadzilacos, Goodman, "Concurrency control and recovery in database systems", 1987, chapters 3, 7 and 8;
//! Thaler, Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 6 (1), 1998 (rendezvous hashing).
//! Model: asynchronous; nodes crash and recover with their logs; streams break, partitions heal. Clocks decide only what has expired
//! and who is older.
//!
//! Any node serves any key: it coordinates what its clients ask, and the replicas of the keys are the participants. A key has n replicas;
//! r of them make a read quorum and w a write quorum, with r + w > n and 2 w > n.
//!
//! | property | |
//! | --- | --- |
//! | single commands | linearizable |
//! | transactions | strictly serializable; all or nothing |
//! | what was answered | is on the disks of w replicas, or of the only one |
//! | [`Reply::Refused`] | was not done and never will be |
//! | who waits | for older transactions only; there is no circle |
//! | a coordinator is lost | whoever is prepared waits until it is back, or another participant knows, or the key was written since |
//!
//! What an operation costs, for a coordinator that is no replica, with a of the n replicas asked to prepare, w at least (a coordinator
//! that is one saves its own messages):
//!
//! | operation | messages | rounds until the answer | forced records |
//! | --- | --- | --- | --- |
//! | read of one key | 2 n | 1 | none |
//! | read of one key, r = 1 at a replica | none | 0 | none |
//! | write of one key | lock 2 n, prepare 2 a, commit 2 n | 2 | a replicas 2 each, the coordinator 1, and 1 more that nobody waits for; who catches up 1 |
//! | transaction of several keys | the same for all their replicas together | 2 | the same |
//! | transaction that only reads | lock 2 n, prepare 2 a | 2 | none |
//! | write that changes nothing, one key | lock 2 n, abort n | 1 | none |
//! | n = 1 at the replica | none | 0 | 1, a read none |
//!
//! Two rounds, because both quorums may be shrinking while it is built: a replica that crashes forgets the locks that it granted. The
//! first round asks all replicas for locks and goes on when a quorum of each key has granted them; answers and new entries are then a
//! function of the newest entries among them. In the second each that granted says whether it still holds the locks, and if it is to
//! write, promises to. With a quorum of promises for each key the coordinator's record is the decision. A replica that had no part in
//! it hears of the commit as well, and catches up; a read that finds an older write somewhere sends it the newer one.
//!
//! # Departures from the papers
//! - Votes are quorums, not all (Gifford): a participant that does not answer is not waited for, and one that promised may be asked by
//!   nobody. What it promised ends when it hears the decision, or of a later write of the key.
//! - Locks are taken by the coordinator's first round, at all replicas at once; R* takes them as the work goes on.
//! - A participant's records of a commit and of an abort are both forced, since effects wait for all earlier records anyway; presumed
//!   abort leaves that of an abort lazy. Whoever forgets one asks, and is told again.
//! - A read of one key is no transaction: it takes no lock and waits only where its key is promised, or locked by a transaction that has
//!   other keys.
//! - A transaction's locks are a lease: a coordinator that asks nobody to prepare loses them. One that is prepared loses nothing.
//! - Who is wounded tries again under another number, as old as before, after a random pause, a bounded number of times.
//! - Rosenkrantz et al. kill the younger one at once; here it is told, and one that promised is waited for.
//! - The coordinator always knows whether it has committed: [`Reply::Unknown`] is for runtimes, whose node may be lost.
//! - A disk that is lost takes the promises on it along; that node must come back under another name.
//! - Deletions are kept, with their versions, until all replicas of the key have known them; then each replica remembers only the highest
//!   version that it ever forgot, and no older write can come back.

mod alone;
mod apply;
mod command;
mod config;
mod coordinator;
mod evaluate;
mod locks;
mod message;
mod participant;
mod reads;
mod recovery;
mod scan;
mod sweep;
mod table;

pub use command::{Answer, Command, Condition, Entry, Expiry, TransactionId, Version};
pub use config::{Config, ConfigError, Keyspace, Mistake};
pub use message::{Birth, Event, Mode, Msg, Record, State, Timer, Why, Write};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use isles_kernel::{Cx, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use coordinator::{Committed, Purpose, Transaction};
use evaluate::Asked;
use locks::Locks;
use participant::Part;
use reads::Getting;
use scan::Scanning;
use sweep::Sweeping;
use table::Table;

/// What a client asks of any node of the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// One command.
    One(Command),
    /// All commands in order, at one instant, or none.
    All {
        /// The commands.
        commands: Arc<[Command]>,
        /// Keys, and the versions that they must still have (`WATCH`); otherwise [`Reply::Changed`].
        unchanged: Arc<[(Payload, Version)]>,
    },
    /// Keys that are there, in an order of the store's own, from a place in it on. A key that is there all the time from the first
    /// page to the last is on one of them.
    Scan {
        /// The place: 0, or [`Reply::Page`]'s.
        cursor: u64,
        /// How many keys to look at, about.
        count: u32,
    },
}

/// What the store answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Op::One`].
    One(Answer),
    /// To [`Op::All`]: the answers, in order.
    All(Vec<Answer>),
    /// To [`Op::All`]: a key has another version; nothing was done.
    Changed,
    /// To [`Op::Scan`].
    Page {
        /// Where the next page begins; 0 if this was the last one.
        cursor: u64,
        /// Keys.
        keys: Vec<Payload>,
    },
    /// Nothing was done, and never will be: no quorum answered in time, or too many transactions want the same keys.
    Refused,
    /// It is not known whether it was done or will be: the decision did not come in time.
    Unknown,
}

/// A node of the store: the coordinator of what its clients ask, and a replica of keys.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Store {
    /// How often this node has started, as far as its disk knows; in its numbers.
    epoch: u64,
    /// How many numbers it has given since.
    counter: u32,
    /// Invariant: only committed writes, all of which are on disk or on their way.
    table: Table,
    locks: Locks,
    /// Transactions that claim keys here.
    parts: BTreeMap<TransactionId, Part>,
    /// Operations that this node coordinates, by their first number.
    active: BTreeMap<u64, Transaction>,
    gets: BTreeMap<u64, Getting>,
    scans: BTreeMap<u64, Scanning>,
    sweeps: BTreeMap<u64, Sweeping>,
    /// Where the next sweep begins.
    swept: u64,
    swept_rounds: u32,
    /// Transactions that this node has committed as their coordinator, until all have acknowledged.
    committed: BTreeMap<TransactionId, Committed>,
    /// The last decisions that this node learned as a participant.
    decisions: VecDeque<(TransactionId, bool)>,
    /// What this node has told itself. Invariant: empty between handlers.
    inbox: VecDeque<Msg>,
}

impl Protocol for Store {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Op;
    type Reply = Reply;
    type Record = Record;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, log: &[Record]) -> Self {
        let mut store = Self {
            epoch: 0,
            counter: 0,
            table: Table::new(cx.config().seed),
            locks: Locks::default(),
            parts: BTreeMap::new(),
            active: BTreeMap::new(),
            gets: BTreeMap::new(),
            scans: BTreeMap::new(),
            sweeps: BTreeMap::new(),
            swept: 0,
            swept_rounds: 0,
            committed: BTreeMap::new(),
            decisions: VecDeque::new(),
            inbox: VecDeque::new(),
        };
        store.replay(log);
        store.boot(cx);
        store.go_on(cx);
        store.drain(cx);
        if cx.config().sweep > Span::ZERO {
            cx.arm(Timer::Sweep, cx.config().sweep);
        }
        store
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        let config = cx.config();
        if !coordinator::fits(&op, config.commands_max, config.bytes_max) {
            return cx.reply(id, Reply::Refused);
        }
        match op {
            Op::One(command) => self.on_command(cx, id, command),
            Op::All { commands, unchanged } => self.on_commands(cx, id, commands, unchanged),
            Op::Scan { cursor, count } => {
                if self.has_room(cx, id) {
                    self.scan(cx, id, cursor, count);
                }
            }
        }
        self.drain(cx);
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        if from.0 >= cx.config().nodes() {
            return self.reject(cx, from, Why::Stranger);
        }
        self.handle(cx, from, msg);
        self.drain(cx);
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::Deadline(slot) => {
                if self.active.contains_key(&slot) {
                    self.on_deadline(cx, slot);
                }
                self.read_is_late(cx, slot);
                self.scan_is_late(cx, slot);
            }
            Timer::Retry(slot) => {
                self.on_retry(cx, slot);
                self.read_again(cx, slot);
            }
            Timer::Resend(id) => self.on_resend(cx, id),
            Timer::Lease(id) => self.on_lease(cx, id),
            Timer::Ask(id) => self.on_ask_timer(cx, id),
            Timer::Sweep => self.sweep(cx),
        }
        self.drain(cx);
    }

    fn snapshot(&self) -> Option<Vec<Record>> {
        Some(self.records())
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        self.replica_lost(cx, peer);
        self.reads_lost(cx, peer);
        self.coordinator_lost(cx, peer);
        self.drain(cx);
    }
}

impl Store {
    /// How many keys this node knows, the deleted ones included that it has not forgotten yet.
    pub const fn keys(&self) -> usize {
        self.table.count()
    }

    /// Whether nothing is under way here: no operation, no lock, no decision that somebody may not know.
    pub fn is_idle(&self) -> bool {
        self.busy() == 0 && self.parts.is_empty() && self.locks.is_empty()
    }

    /// On how many transactions this node voted yes without knowing the decision.
    pub fn in_doubt(&self) -> usize {
        self.parts.values().filter(|part| part.prepared.is_some()).count()
    }

    /// How many claims on keys wait here for another one.
    pub fn waiting(&self) -> usize {
        self.locks.waiting()
    }

    /// One command: alone, if this node is a quorum of its key and nobody has it locked.
    fn on_command(&mut self, cx: &mut Cx<'_, Self>, id: OpId, command: Command) {
        let key = command.key();
        if self.is_alone(cx, key) && !self.locks.is_claimed(key) {
            return self.do_alone(cx, id, command);
        }
        let is_plain = !command.is_write() && self.reads_alone(cx, key) && !self.locks.is_hidden(key);
        if is_plain {
            return self.do_alone(cx, id, command);
        }
        if !self.has_room(cx, id) {
            return;
        }
        if let Command::Get { key } = command {
            self.get(cx, id, key);
        } else {
            self.begin(cx, Purpose::One(id), [command].into(), [].into());
        }
    }

    fn on_commands(
        &mut self,
        cx: &mut Cx<'_, Self>,
        id: OpId,
        commands: Arc<[Command]>,
        unchanged: Arc<[(Payload, Version)]>,
    ) {
        let mut keys = commands.iter().map(Command::key).chain(unchanged.iter().map(|(key, _)| key));
        if keys.all(|key| self.is_alone(cx, key) && !self.locks.is_claimed(key)) {
            return self.do_all_alone(cx, id, Asked { commands: &commands, unchanged: &unchanged });
        }
        if self.has_room(cx, id) {
            self.begin(cx, Purpose::All(id), commands, unchanged);
        }
    }

    /// Whether one more operation can be coordinated; otherwise it is refused.
    fn has_room(&self, cx: &mut Cx<'_, Self>, id: OpId) -> bool {
        let has_room = self.busy() < cx.config().active_max;
        if !has_room {
            cx.reply(id, Reply::Refused);
        }
        has_room
    }

    /// What this node has told itself.
    fn drain(&mut self, cx: &mut Cx<'_, Self>) {
        while let Some(msg) = self.inbox.pop_front() {
            self.handle(cx, cx.me(), msg);
        }
    }

    fn handle(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Read { request, key } => self.on_read(cx, from, request, &key),
            Msg::Value { request, state } => self.on_value(cx, from, request, state),
            Msg::Lock { id, birth, is_only, keys } => {
                if self.check_coordinator(cx, from, id) {
                    match self.flaw(cx, id, &keys) {
                        None => self.on_lock(cx, id, (birth, is_only), keys),
                        Some(why) => self.reject(cx, from, why),
                    }
                }
            }
            Msg::Granted { id, states } => self.on_granted(cx, from, id, states),
            Msg::Lost { id } => self.on_lost(cx, from, id),
            Msg::Prepare { id, writes, participants } => {
                let nodes = cx.config().nodes();
                let are_nodes =
                    participants.len() <= nodes as usize && participants.iter().all(|who| who.0 < nodes);
                if !are_nodes {
                    self.reject(cx, from, Why::Malformed);
                } else if self.check_coordinator(cx, from, id) && self.check_writes(cx, from, &writes) {
                    self.on_prepare(cx, id, writes, participants);
                }
            }
            Msg::Vote { id, yes } => self.on_vote(cx, from, id, yes),
            Msg::Commit { id, writes, again } => {
                if self.check_coordinator(cx, from, id) && self.check_writes(cx, from, &writes) {
                    self.on_commit(cx, id, &writes, again);
                }
            }
            Msg::Abort { id } => {
                if self.check_coordinator(cx, from, id) {
                    self.on_abort(cx, id);
                }
            }
            Msg::Acknowledge { id } => self.on_acknowledge(cx, from, id),
            Msg::Ask { id } => self.on_ask(cx, from, id),
            Msg::Outcome { id, committed } => self.on_outcome(cx, id, committed),
            Msg::Repair(write) => {
                if self.check_writes(cx, from, std::slice::from_ref(&write)) {
                    self.on_repair(cx, &write);
                }
            }
            Msg::Scan { request, cursor, count } => self.on_scan(cx, from, request, (cursor, count)),
            Msg::Keys { request, keys, next } => self.on_keys(cx, from, request, (keys, next)),
            Msg::Deleted { request, keys } => self.on_deleted(cx, from, request, &keys),
            Msg::AreDeleted { request, yes } => self.on_are_deleted(cx, from, request, yes),
            Msg::Forget { keys } => self.on_forget(cx, keys),
        }
    }

    fn check_writes(&self, cx: &mut Cx<'_, Self>, from: ProcessId, writes: &[Write]) -> bool {
        let is_here = |write: &Write| {
            write.version > Version(0)
                && write.version < Version(u64::MAX)
                && cx.config().holds(cx.me(), &write.key)
        };
        let are_here = writes.iter().all(is_here);
        let are_sorted = writes.windows(2).all(|pair| pair[0].key < pair[1].key);
        if !are_here || !are_sorted {
            self.reject(cx, from, if are_sorted { Why::NotHere } else { Why::Malformed });
        }
        are_here && are_sorted
    }

    fn reject(&self, cx: &mut Cx<'_, Self>, from: ProcessId, why: Why) {
        cx.emit(Event::Rejected { from, why });
    }
}
