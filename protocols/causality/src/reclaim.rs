//! Getting back what a process owned that is gone for ever: interval tree clocks without lost identities.
//!
//! A process that crashes takes its part of the interval along, and events of processes that come and go then need ever more intervals.
//! To take the part is dangerous: the process may be alive and cut off, and if two count events on one part, two different
//! events have one name. No published protocol does this; this one is ours, and is explored (`tests/causality/reclaim.rs`).
//!
//! # How
//! - Processes agree on a *view*: an epoch and who its members are. All messages say the sender's epoch; only those of
//!   the receiver's own epoch and members are taken. That is the fence.
//! - Whoever wants others out (or in) asks all members that are to stay to *seal* their epoch for a new one. A member that seals moves to the
//!   new epoch, never goes back, and answers with what it owns and knows at that moment. From then on nothing that the old epoch said reaches it.
//! - When all have sealed, whatever none of them owns is owned by nobody who will ever be heard: the initiator takes it, together with all that the
//!   others knew. An event that the gone process counted is either known to one of them, and below what the initiator counts from, or will never be
//!   known to anybody.
//! - Those that stay must be more than half of the members, so that two halves do not throw each other out.
//!
//! Parts that are handed over while an epoch is sealed are lost or arrive whole: what was sent in the old epoch is refused in the new one, and
//! is then owned by nobody and taken by the initiator too.
//!
//! A process that was thrown out and lives asks to be admitted; it gets a new part, and counts what it did meanwhile as new events. What
//! it did under its old part nobody else has seen.
//!
//! Model: asynchronous, streams that may break; processes crash or are cut off, and do not lie. If a member that is to stay does not answer, the
//! change does not happen; whoever notices tries again without that member.

use std::collections::BTreeMap;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::dot::{Actor, Dot};
use crate::history::CausalHistory;
use crate::itc::{Events, Id, Stamp};

/// A set of processes, one bit each: at most 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Members(
    /// The bits.
    pub u32,
);

impl Members {
    /// Processes `0..count`.
    pub const fn first(count: u32) -> Self {
        Self(if count >= 32 { u32::MAX } else { (1 << count) - 1 })
    }

    /// Whether it has this process.
    pub const fn contains(self, process: ProcessId) -> bool {
        process.0 < 32 && self.0 >> process.0 & 1 == 1
    }

    /// How many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Those that both have.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that `other` has not.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn iter(self) -> impl Iterator<Item = ProcessId> {
        (0..32).map(ProcessId).filter(move |process| self.contains(*process))
    }
}

/// The name of a view: greater ones replace smaller ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// How many there were, along this line.
    pub number: u32,
    /// Who began it.
    pub initiator: ProcessId,
}

/// What is done wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mistake {
    /// Messages of any epoch are taken, from anybody: what a process does after it was thrown out is seen.
    NoFence,
    /// The part is taken as soon as more than half of the members have sealed: one that did not answer yet loses its part while it lives.
    TakesEarly,
}

/// What all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Processes `0..members` are the first view; all others have to be admitted.
    pub members: u32,
    /// What is done wrong on purpose; nothing by default.
    pub mistake: Option<Mistake>,
}

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Count an event.
    Write,
    /// Tell this process what is known here.
    Tell(ProcessId),
    /// Hand half of what is owned here to this process.
    Give(ProcessId),
    /// Let these be the members: those that are gone are thrown out, those that are new get a part.
    Change(Members),
}

/// What a client is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It is done, or under way.
    Done,
    /// It was refused: this process is no member, or too few would stay, or itself would not.
    Refused,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// What the sender knows, and which events that are.
    Known(Epoch, Events, CausalHistory),
    /// A part of what the sender owns, with all that it knows.
    Given(Epoch, Stamp, CausalHistory),
    /// Seal what you are in for this epoch with these members.
    Seal(Epoch, Members),
    /// The sender has sealed for this epoch: what it owned, and knew.
    Sealed(Epoch, Stamp, CausalHistory),
    /// The receiver is admitted: the epoch, its members, and its part.
    Admitted(Epoch, Members, Stamp, CausalHistory),
}

/// What a process tells.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It has taken what others owned that are gone.
    Reclaimed(Epoch),
    /// A message of another epoch, or of no member, was dropped.
    Fenced {
        /// Who sent it.
        from: ProcessId,
    },
    /// A part overlaps what this process owns: somebody lies.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// A change that is under way at its initiator.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Change {
    /// Whose seals are missing.
    missing: Members,
    /// Who is to be admitted.
    new: Members,
    /// How many members the old view had.
    before: u32,
    /// What those that have sealed owned and knew.
    sealed: BTreeMap<ProcessId, (Stamp, CausalHistory)>,
}

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    epoch: Epoch,
    members: Members,
    /// None before it is admitted.
    stamp: Option<Stamp>,
    /// The events that it knows: what an application would keep, and the truth that order is checked against.
    writes: CausalHistory,
    /// How many it has counted itself.
    own: u64,
    change: Option<Change>,
}

impl Protocol for Process {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let count = cx.config().members;
        let mut parts = vec![Stamp::seed()];
        for at in 0..count.saturating_sub(1) as usize {
            let part = parts[at].fork();
            parts.push(part);
        }
        let stamp = (cx.me().0 < count).then(|| parts.swap_remove(cx.me().index()));
        Self {
            epoch: Epoch { number: 0, initiator: ProcessId(0) },
            members: Members::first(count),
            stamp,
            writes: CausalHistory::new(),
            own: 0,
            change: None,
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        let done = match op {
            Op::Write => self.write(cx),
            Op::Tell(to) => self.tell(cx, to),
            Op::Give(to) => self.give(cx, to),
            Op::Change(members) => self.begin(cx, members),
        };
        cx.reply(id, if done.is_some() { Reply::Done } else { Reply::Refused });
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Seal(epoch, members) => self.on_seal(cx, from, epoch, members),
            Msg::Admitted(epoch, members, stamp, writes) => {
                self.on_admitted(cx, from, (epoch, members), stamp, writes)
            }
            Msg::Known(epoch, ..) | Msg::Given(epoch, ..) | Msg::Sealed(epoch, ..)
                if (epoch != self.epoch || !self.members.contains(from))
                    && cx.config().mistake != Some(Mistake::NoFence) =>
            {
                cx.emit(Event::Fenced { from });
            }
            Msg::Known(_, known, writes) => {
                if let Some(stamp) = &mut self.stamp {
                    stamp.learn(&known);
                    self.writes.join(&writes);
                }
            }
            Msg::Given(_, part, writes) => match self.stamp.as_mut().map(|stamp| stamp.join(part)) {
                Some(Ok(())) => self.writes.join(&writes),
                Some(Err(_)) | None => cx.emit(Event::Rejected { from }),
            },
            Msg::Sealed(_, stamp, writes) => self.on_sealed(cx, from, stamp, writes),
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl Process {
    /// The epoch it is in, and who its members are.
    pub const fn view(&self) -> (Epoch, Members) {
        (self.epoch, self.members)
    }

    /// What it owns and knows; none before it is admitted.
    pub const fn stamp(&self) -> Option<&Stamp> {
        self.stamp.as_ref()
    }

    /// The events that it knows.
    pub const fn writes(&self) -> &CausalHistory {
        &self.writes
    }

    fn write(&mut self, cx: &Cx<'_, Self>) -> Option<()> {
        self.stamp.as_mut()?.event();
        self.own += 1;
        self.writes.event(Dot::new(Actor(u64::from(cx.me().0)), self.own));
        Some(())
    }

    fn tell(&self, cx: &mut Cx<'_, Self>, to: ProcessId) -> Option<()> {
        cx.send(to, Msg::Known(self.epoch, self.stamp.as_ref()?.peek(), self.writes.clone()));
        Some(())
    }

    fn give(&mut self, cx: &mut Cx<'_, Self>, to: ProcessId) -> Option<()> {
        if to == cx.me() || !self.members.contains(to) {
            return None;
        }
        let part = self.stamp.as_mut()?.fork();
        cx.send(to, Msg::Given(self.epoch, part, self.writes.clone()));
        Some(())
    }

    /// Begins a change of the view: seals for itself first.
    fn begin(&mut self, cx: &mut Cx<'_, Self>, members: Members) -> Option<()> {
        let stay = members.and(self.members);
        let me = cx.me();
        let stamp = self.stamp.clone()?;
        if !stay.contains(me) || 2 * stay.count() <= self.members.count() {
            return None;
        }
        let before = self.members.count();
        self.epoch = Epoch { number: self.epoch.number.checked_add(1)?, initiator: me };
        let change = Change {
            missing: stay.without(Members(1 << me.0)),
            new: members.without(self.members),
            before,
            sealed: BTreeMap::from([(me, (stamp, self.writes.clone()))]),
        };
        self.members = members;
        for peer in change.missing.iter() {
            cx.send(peer, Msg::Seal(self.epoch, members));
        }
        self.change = Some(change);
        self.complete(cx);
        Some(())
    }

    /// A member wants a new view. Its own change, if there is one, is given up for a greater one.
    fn on_seal(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, epoch: Epoch, members: Members) {
        let is_for_me = epoch.initiator == from && members.contains(cx.me()) && self.members.contains(from);
        let (true, true, Some(stamp)) = (is_for_me, epoch > self.epoch, &self.stamp) else {
            cx.emit(Event::Fenced { from });
            return;
        };
        cx.send(from, Msg::Sealed(epoch, stamp.clone(), self.writes.clone()));
        (self.epoch, self.members, self.change) = (epoch, members, None);
    }

    fn on_sealed(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, stamp: Stamp, writes: CausalHistory) {
        let Some(change) = self.change.as_mut().filter(|change| change.missing.contains(from)) else {
            cx.emit(Event::Fenced { from });
            return;
        };
        change.missing = change.missing.without(Members(1 << from.0));
        change.sealed.insert(from, (stamp, writes));
        self.complete(cx);
    }

    /// Takes what nobody owns who has sealed, once all have, and admits who is new.
    fn complete(&mut self, cx: &mut Cx<'_, Self>) {
        let early = cx.config().mistake == Some(Mistake::TakesEarly);
        let is_due = |change: &Change| {
            change.missing.count() == 0 || early && 2 * change.sealed.len() as u32 > change.before
        };
        let (Some(change), Some(stamp)) = (self.change.take_if(|change| is_due(change)), self.stamp.as_mut())
        else {
            return;
        };
        // Parts may have moved on since; what matters is who owned what when it sealed.
        let mut owned = Id::nothing();
        for (sealed, writes) in change.sealed.values() {
            if owned.join(sealed.id()).is_err() {
                cx.emit(Event::Rejected { from: cx.me() });
                return;
            }
            stamp.learn(sealed.events());
            self.writes.join(writes);
        }
        if let Some(lost) = Stamp::new(owned.complement(), Events::new()) {
            if stamp.join(lost).is_err() {
                cx.emit(Event::Rejected { from: cx.me() });
                return;
            }
            cx.emit(Event::Reclaimed(self.epoch));
        }
        for new in change.new.iter() {
            let part = stamp.fork();
            cx.send(new, Msg::Admitted(self.epoch, self.members, part, self.writes.clone()));
        }
    }

    /// This process is a member now, perhaps again. What it owned before is void.
    fn on_admitted(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        (epoch, members): (Epoch, Members),
        stamp: Stamp,
        writes: CausalHistory,
    ) {
        let is_new = self.stamp.is_none() || epoch > self.epoch;
        if !is_new || !members.contains(cx.me()) || epoch.initiator != from {
            cx.emit(Event::Fenced { from });
            return;
        }
        (self.epoch, self.members, self.change) = (epoch, members, None);
        self.writes = writes;
        self.stamp = Some(stamp);
    }
}
