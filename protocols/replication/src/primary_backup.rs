//! Primary-backup: one replica does every update and tells the others.
//!
//! Papers: Alsberg, Day, "A principle for resilient sharing of distributed resources", ICSE 1976; Budhiraja, Marzullo, Schneider, Toueg, "The
//! primary-backup approach", in Mullender (ed.), *Distributed Systems*, 1993, chapter 8.
//! Model: crashes without recovery, reliable FIFO channels, and a *perfect* failure detector: a stream breaks only when its other end has crashed.
//! Where a partition looks like a crash there will be two primaries; that is what the paper assumes away.
//!
//! | | [`Synchronous`](Mode::Synchronous) | [`Lazy`](Mode::Lazy) |
//! | --- | --- | --- |
//! | messages per update at the primary | 2 (n - 1) | n - 1 |
//! | an update takes | a round trip to the farthest backup | nothing |
//! | tolerates | n - 1 crashes without losing what was acknowledged | loses what was under way when the primary crashed |
//! | reads at the primary | linearizable | linearizable until the primary crashes |
//! | [reads at a backup](Config::read_anywhere) | may be stale | may be stale |
//!
//! The primary is the replica of the lowest number that has not crashed. A new one first gives all others what it has, so that what only some
//! had heard from the old one is everywhere or nowhere; then it serves.
//!
//! # Departures from the papers
//! - Clients sit at the replicas, which forward to the primary. What was forwarded to a primary that crashed is never answered: whether it
//!   took effect is unknown to the client, as it is in the world.
//! - An update of an old primary that is still on its way when the new one's memory arrives is dropped: the new memory says that all
//!   before its sender have crashed. The paper's clients and servers see a crash at one instant.

use std::collections::BTreeMap;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::store::{Op, Reply, Store, Update};

/// When an update is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// When every backup that lives has it.
    Synchronous,
    /// At once; the backups are told afterwards.
    Lazy,
}

/// What all replicas share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many replicas there are, `0..replicas`.
    pub replicas: u32,
    /// When an update is answered.
    pub mode: Mode,
    /// Each replica answers reads from what it has; otherwise the primary does.
    pub read_anywhere: bool,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose, in [`Mode::Synchronous`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// An update is answered when the first backup has it.
    WaitsForOne,
    /// A new primary serves at once, without giving the others what it has.
    NoInstall,
    /// A read is answered with an update that not all have yet.
    ReadsEarly,
    /// An old primary is heard after a new one's memory came.
    HearsTheDead,
}

/// What replicas send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To the primary: a client of the sender asks this.
    Forward {
        /// The sender's name for it.
        id: OpId,
        /// What is asked.
        op: Op,
    },
    /// From the primary: the answer.
    Answer {
        /// Which question.
        id: OpId,
        /// The answer.
        reply: Reply,
    },
    /// From the primary: do this.
    Update {
        /// Its number among all updates, from 1 on.
        number: u64,
        /// The change.
        update: Update,
    },
    /// From a new primary: this is the memory.
    Install {
        /// How many updates are in it.
        number: u64,
        /// What it holds.
        store: Store,
    },
    /// From a backup: it has as many updates as this.
    Acknowledge {
        /// How many.
        number: u64,
    },
}

/// What happened at a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It did an update.
    Applied {
        /// Its number.
        number: u64,
        /// The change.
        update: Update,
    },
    /// It became the primary.
    Promoted,
    /// A message was dropped.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// One replica, with its clients.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrimaryBackup {
    store: Store,
    /// How many updates are in the store.
    number: u64,
    /// Who has crashed, as far as this replica knows.
    crashed: Vec<bool>,
    /// At the primary: how many updates each backup has said to have.
    acknowledged: Vec<u64>,
    /// At the primary: who asked for the updates that not all backups have, by their numbers.
    unanswered: BTreeMap<u64, (ProcessId, OpId)>,
    /// At a new primary: what was asked before all backups had what it gave them, and how many updates that were.
    installing: Option<u64>,
    held: Vec<(ProcessId, OpId, Op)>,
}

impl Protocol for PrimaryBackup {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let replicas = cx.config().replicas as usize;
        others(cx).for_each(|peer| cx.watch(peer));
        Self {
            store: Store::default(),
            number: 0,
            crashed: vec![false; replicas],
            acknowledged: vec![0; replicas],
            unanswered: BTreeMap::new(),
            installing: None,
            held: Vec::new(),
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        if cx.config().read_anywhere && op.update().is_none() {
            cx.reply(id, self.store.answer(&op));
            return;
        }
        let primary = self.primary();
        if primary == cx.me() {
            self.serve(cx, primary, id, op);
        } else {
            cx.send(primary, Msg::Forward { id, op });
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        // What a primary answered is true, whatever has become of it.
        let heard = matches!(msg, Msg::Answer { .. });
        if self.crashed.get(from.index()).is_none_or(|crashed| *crashed && !heard) {
            cx.emit(Event::Rejected { from });
            return;
        }
        match msg {
            Msg::Forward { id, op } => self.serve(cx, from, id, op),
            Msg::Answer { id, reply } => cx.reply(id, reply),
            Msg::Update { number, update } if number == self.number + 1 => {
                self.apply(cx, update);
                cx.send(from, Msg::Acknowledge { number });
            }
            Msg::Install { number, store } => {
                // Whatever the primaries before it sent and this replica has not heard yet, is not in this memory.
                let me = cx.me();
                let before = (0..from.0).map(ProcessId).filter(|peer| *peer != me);
                if cx.config().mistake != Some(Mistake::HearsTheDead) {
                    before.for_each(|peer| self.crashed[peer.index()] = true);
                }
                (self.number, self.store) = (number, store);
                cx.send(from, Msg::Acknowledge { number });
            }
            Msg::Acknowledge { number } => {
                let known = &mut self.acknowledged[from.index()];
                *known = number.max(*known);
                self.answer(cx);
            }
            Msg::Update { .. } => cx.emit(Event::Rejected { from }),
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    /// Budhiraja et al. 1993, section 8.3: the next in line takes over.
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let before = self.primary();
        match self.crashed.get_mut(peer.index()) {
            Some(crashed) => *crashed = true,
            None => return,
        }
        if self.primary() == cx.me() && before != cx.me() {
            cx.emit(Event::Promoted);
            if cx.config().mistake != Some(Mistake::NoInstall) {
                self.installing = Some(self.number);
                for peer in self.backups(cx) {
                    cx.send(peer, Msg::Install { number: self.number, store: self.store.clone() });
                }
            }
        }
        self.answer(cx);
    }
}

/// All replicas but this one.
fn others(cx: &Cx<'_, PrimaryBackup>) -> impl Iterator<Item = ProcessId> + use<> {
    let me = cx.me();
    (0..cx.config().replicas).map(ProcessId).filter(move |peer| *peer != me)
}

impl PrimaryBackup {
    /// What this replica holds.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// How many operations wait here for other replicas.
    pub fn waiting(&self) -> usize {
        self.unanswered.len() + self.held.len()
    }

    /// Who serves, as far as this replica knows; the last one if all have crashed.
    pub fn primary(&self) -> ProcessId {
        let first = self.crashed.iter().position(|crashed| !crashed);
        ProcessId(first.unwrap_or(self.crashed.len().saturating_sub(1)) as u32)
    }

    /// The replicas that live, but for this one.
    fn backups(&self, cx: &Cx<'_, Self>) -> impl Iterator<Item = ProcessId> + use<> {
        let crashed = self.crashed.clone();
        others(cx).filter(move |peer| !crashed[peer.index()])
    }

    fn apply(&mut self, cx: &mut Cx<'_, Self>, update: Update) {
        self.store.apply(update);
        self.number += 1;
        cx.emit(Event::Applied { number: self.number, update });
    }

    /// The primary does what a client of `origin` asks. A replica that is asked and does not know yet that it is the primary will be,
    /// for whoever asked it saw the others crash; it serves from then on.
    fn serve(&mut self, cx: &mut Cx<'_, Self>, origin: ProcessId, id: OpId, op: Op) {
        if self.primary() != cx.me() || self.installing.is_some() {
            self.held.push((origin, id, op));
            return;
        }
        let Some(update) = op.update() else {
            // A value that is not everywhere could vanish with this primary after it was shown.
            let early = cx.config().mistake == Some(Mistake::ReadsEarly);
            return match (cx.config().mode, self.unanswered.is_empty() || early) {
                (Mode::Synchronous, false) => self.held.push((origin, id, op)),
                (Mode::Synchronous, true) | (Mode::Lazy, _) => {
                    let reply = self.store.answer(&op);
                    tell(cx, origin, id, reply);
                }
            };
        };
        self.apply(cx, update);
        for peer in self.backups(cx) {
            cx.send(peer, Msg::Update { number: self.number, update });
        }
        match cx.config().mode {
            Mode::Lazy => tell(cx, origin, id, Reply::Done),
            Mode::Synchronous => {
                self.unanswered.insert(self.number, (origin, id));
                self.answer(cx);
            }
        }
    }

    /// Answers what every living backup has; when a new primary's memory is everywhere, what was held meanwhile.
    fn answer(&mut self, cx: &mut Cx<'_, Self>) {
        if self.primary() != cx.me() {
            return;
        }
        let known = self.backups(cx).map(|peer| self.acknowledged[peer.index()]);
        let one = cx.config().mistake == Some(Mistake::WaitsForOne);
        let everywhere = if one { known.max() } else { known.min() };
        let everywhere = everywhere.unwrap_or(self.number);
        while let Some(first) = self.unanswered.first_entry().filter(|first| *first.key() <= everywhere) {
            let (origin, id) = first.remove();
            tell(cx, origin, id, Reply::Done);
        }
        if self.installing.is_some_and(|number| number > everywhere) {
            return;
        }
        self.installing = None;
        if self.unanswered.is_empty() {
            for (origin, id, op) in std::mem::take(&mut self.held) {
                self.serve(cx, origin, id, op);
            }
        }
    }
}

/// Answers a client of this replica, or of another.
fn tell(cx: &mut Cx<'_, PrimaryBackup>, origin: ProcessId, id: OpId, reply: Reply) {
    if origin == cx.me() {
        cx.reply(id, reply);
    } else {
        cx.send(origin, Msg::Answer { id, reply });
    }
}
