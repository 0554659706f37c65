//! Multi-master: every replica does every update at once and tells the others afterwards.
//!
//! Papers: Terry et al., "Managing update conflicts in Bayou", SOSP 1995; Saito, Shapiro, "Optimistic replication", ACM Computing Surveys 37 (1),
//! 2005, for the terms; Lamport, "Time, clocks, and the ordering of events in a distributed system", CACM 21 (7), 1978, for the timestamps.
//! Model: asynchronous, reliable channels; a replica that is cut off goes on serving.
//!
//! | | |
//! | --- | --- |
//! | messages per update | n - 1 |
//! | an operation takes | nothing: all is local |
//! | [`Arrival`](Rule::Arrival) | replicas that hear of updates in different orders differ for ever, unless all updates commute |
//! | [`LastWriter`](Rule::LastWriter) | when updates stop and all have arrived, replicas are equal: the same updates in the same order |
//!
//! # Departures from the papers
//! - Updates are kept for ever where they have to be put in order: there is no point from which on an order is final (Bayou's commitment).
//! - Channels are reliable; there is no anti-entropy session between pairs.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::store::{Op, Reply, Store, Update};

/// In which order a replica's memory is made of updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// As they came.
    Arrival,
    /// By their timestamps: what came late is put in its place, and what is after it done again.
    LastWriter,
}

/// What all replicas share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many replicas there are, `0..replicas`.
    pub replicas: u32,
    /// In which order updates count.
    pub rule: Rule,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose, with [`Rule::LastWriter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Of two updates with the same clock the one that came first is the earlier one, whoever sent it.
    TiesByArrival,
    /// An update that came late is put in its place, and what is after it is not done again.
    NoRedo,
}

/// A Lamport timestamp: all are different, and one that could know of another is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// The logical clock.
    pub clock: u64,
    /// Whose clock.
    pub replica: ProcessId,
}

/// An update with its timestamp: what replicas send each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stamped {
    /// When, logically.
    pub stamp: Stamp,
    /// The change.
    pub update: Update,
}

/// What happened at a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It learned of an update.
    Applied(Stamped),
    /// A message was dropped: its timestamp was not the sender's, or was there already.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// One replica, with its clients.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MultiMaster {
    clock: u64,
    store: Store,
    /// All updates by their timestamps; with [`Rule::Arrival`] none.
    updates: Vec<Stamped>,
}

impl Protocol for MultiMaster {
    type Config = Config;
    type Msg = Stamped;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Event;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { clock: 0, store: Store::default(), updates: Vec::new() }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        if let Some(update) = op.update() {
            self.clock += 1;
            let stamped = Stamped { stamp: Stamp { clock: self.clock, replica: cx.me() }, update };
            self.learn(cx, stamped);
            let me = cx.me();
            for peer in (0..cx.config().replicas).map(ProcessId).filter(|peer| *peer != me) {
                cx.send(peer, stamped);
            }
        }
        cx.reply(id, self.store.answer(&op));
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Stamped) {
        let known = self.updates.binary_search_by_key(&msg.stamp, |known| known.stamp).is_ok();
        if msg.stamp.replica != from || msg.stamp.clock == u64::MAX || known {
            cx.emit(Event::Rejected { from });
            return;
        }
        self.clock = self.clock.max(msg.stamp.clock);
        self.learn(cx, msg);
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl MultiMaster {
    /// What this replica holds.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    fn learn(&mut self, cx: &mut Cx<'_, Self>, stamped: Stamped) {
        cx.emit(Event::Applied(stamped));
        match cx.config().rule {
            Rule::Arrival => self.store.apply(stamped.update),
            Rule::LastWriter => {
                let mistake = cx.config().mistake;
                let place = match mistake {
                    Some(Mistake::TiesByArrival) => {
                        self.updates.partition_point(|known| known.stamp.clock <= stamped.stamp.clock)
                    }
                    _ => self.updates.partition_point(|known| known.stamp < stamped.stamp),
                };
                self.updates.insert(place, stamped);
                if place + 1 == self.updates.len() || mistake == Some(Mistake::NoRedo) {
                    self.store.apply(stamped.update);
                } else {
                    self.store = Store::default();
                    self.updates.iter().for_each(|known| self.store.apply(known.update));
                }
            }
        }
    }
}
