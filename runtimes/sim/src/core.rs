//! What handlers act upon: everything of a run but the processes' states.

use std::collections::BTreeMap;

use isles_kernel::{Channel, Effect, OpId, ProcessId, Protocol, Sink, Span, Time, random};

use crate::clock::Clock;
use crate::counters::{Counters, Lost};
use crate::digest::Digest;
use crate::event::{Body, Event, SYSTEM};
use crate::fault::{Boundary, Cut};
use crate::link::{Fate, Latency, Ordinals, Wire};
use crate::observer::Observer;
use crate::process::Own;
use crate::queue::Queue;

#[derive(Clone)]
pub(crate) struct Core<P: Protocol> {
    pub(crate) seed: u64,
    pub(crate) now: u64,
    pub(crate) processes: u32,
    pub(crate) queue: Queue<P>,
    pub(crate) wire: Wire,
    pub(crate) counters: Counters,
    pub(crate) digest: Digest,
    /// The process whose handlers run, for what is numbered within an instant.
    pub(crate) acting: u32,
    pub(crate) ordinals: Ordinals,
    pub(crate) choices: u32,
    /// Crashes and restarts so far.
    pub(crate) epoch: u32,
    pub(crate) cuts: Vec<Cut>,
    /// Streams that a partition stalls.
    pub(crate) stalls: BTreeMap<(u32, u32), Stall<P>>,
    /// Who watches each process, with the watcher's epoch; empty until somebody watches.
    pub(crate) watchers: Vec<Vec<(u32, u32)>>,
    /// A bit for each process that has crashed, for those who ask from afar. A process that has not started yet can be
    /// watched: the stream is made when it is there.
    pub(crate) down: Vec<u64>,
    /// Empty while all clocks are right.
    pub(crate) clocks: Vec<Clock>,
    pub(crate) sync: Span,
    pub(crate) crash_points: Vec<(ProcessId, Boundary, u32)>,
    pub(crate) sees_messages: bool,
}

#[derive(Clone)]
pub(crate) struct Stall<P: Protocol> {
    pub(crate) since: u64,
    pub(crate) msgs: Vec<P::Msg>,
}

impl<P: Protocol> Core<P> {
    /// The local clock of a process.
    #[inline]
    pub(crate) fn local(&self, process: u32) -> Time {
        match self.clocks.get(process as usize) {
            Some(clock) => clock.local(self.now),
            None => Time(self.now),
        }
    }

    /// `process` is about to act at the instant `at`.
    #[inline]
    pub(crate) fn turn(&mut self, at: u64, process: u32) {
        if at != self.now || process != self.acting {
            self.now = at;
            self.acting = process;
            self.choices = 0;
            self.ordinals.reset();
        }
    }

    pub(crate) fn is_cut(&self, from: u32, to: u32) -> bool {
        self.cuts.iter().any(|cut| cut.parts(from, to))
    }

    pub(crate) fn is_down(&self, process: u32) -> bool {
        self.down[process as usize / 64] >> (process % 64) & 1 == 1
    }

    pub(crate) fn set_down(&mut self, process: u32, down: bool) {
        let bit = 1 << (process % 64);
        let word = &mut self.down[process as usize / 64];
        *word = if down { *word | bit } else { *word & !bit };
    }

    pub(crate) fn region(&self, process: u32) -> Option<u32> {
        match &self.wire.links.latency {
            Latency::Matrix { matrix, .. } => Some(matrix.region(ProcessId(process))),
            Latency::Law(_) => None,
        }
    }

    /// Schedules something that the simulator does to a process.
    pub(crate) fn schedule(&mut self, at: u64, to: u32, seq: u32, body: Body<P>) {
        let epoch = self.epoch;
        self.queue.push(Event { at, to, from: SYSTEM, seq, epoch, body });
    }

    /// News that the stream to `peer` broke is on its way to `process`.
    pub(crate) fn break_stream(&mut self, process: u32, peer: u32, seq: u32) {
        let at = self.now + self.wire.news(self.seed, self.now, ProcessId(peer), ProcessId(process));
        let epoch = self.epoch;
        self.queue.push(Event { at, to: process, from: peer, seq, epoch, body: Body::Unreachable });
    }

    /// Puts a message that left just now onto its link, and says when it arrives.
    pub(crate) fn transmit(
        &mut self,
        (from, to): (u32, u32),
        seq: u32,
        channel: Channel,
        bytes: u32,
        msg: P::Msg,
    ) -> Option<u64> {
        let (at, epoch) = (self.now, self.epoch);
        let event = |at: u64, seq: u32, body: Body<P>| Event { at, to, from, seq, epoch, body };
        let wrap = |msg: P::Msg| match channel {
            Channel::Stream => Body::Stream(msg),
            Channel::Datagram => Body::Datagram(msg),
        };
        if from == to {
            self.queue.push(event(at + 1, seq, wrap(msg)));
            return Some(at + 1);
        }
        let link = u64::from(from) << 32 | u64::from(to);
        let identity = random::draw(self.seed, &[link, at, u64::from(self.ordinals.next(to))]);
        match self.wire.send(at, identity, (ProcessId(from), ProcessId(to)), channel, bytes) {
            Fate::Arrives { at, again } => {
                if let Some(again) = again {
                    self.counters.duplicated += 1;
                    self.queue.push(event(again, seq, Body::Datagram(msg.clone())));
                }
                self.queue.push(event(at, seq, wrap(msg)));
                Some(at)
            }
            Fate::Lost(why) => {
                self.counters.lose(why);
                None
            }
            Fate::Breaks { at } => {
                self.counters.lose(Lost::Stream);
                self.queue.push(Event { at, to: from, from: to, seq, epoch, body: Body::Unreachable });
                None
            }
        }
    }
}

/// The sink of one handler call.
pub(crate) struct Step<'a, P: Protocol> {
    pub(crate) core: &'a mut Core<P>,
    pub(crate) own: &'a mut Own<P>,
    pub(crate) me: u32,
    pub(crate) observer: &'a mut dyn Observer<P>,
}

impl<P: Protocol> Sink<P> for Step<'_, P> {
    #[inline]
    fn put(&mut self, effect: Effect<P>) {
        if self.own.disk.is_some() {
            self.put_after_disk(effect);
        } else {
            self.perform(effect);
        }
    }

    #[inline]
    fn choose(&mut self, bound: u32) -> u32 {
        let choice = self.core.choices;
        self.core.choices += 1;
        let identity = [0x6368_6f6f_7365, u64::from(self.me), self.core.now, u64::from(choice)];
        random::below(random::draw(self.core.seed, &identity), bound)
    }
}

impl<P: Protocol> Step<'_, P> {
    /// Holds `effect` back while records that were persisted before it are not durable.
    fn put_after_disk(&mut self, effect: Effect<P>) {
        match (&mut self.own.disk, effect) {
            (Some(disk), effect)
                if disk.durable < disk.log.len() && !matches!(effect, Effect::Persist { .. }) =>
            {
                let until = disk.log.len();
                disk.waiting.push_back((until, effect));
            }
            (_, effect) => self.perform(effect),
        }
    }

    pub(crate) fn perform(&mut self, effect: Effect<P>) {
        match effect {
            Effect::Send { to, msg, channel } => self.send(to, msg, channel),
            Effect::Arm { timer, after } => self.arm(timer, after),
            Effect::Disarm { timer } => self.own.timers.retain(|(armed, _)| *armed != timer),
            Effect::Emit { event } => {
                self.observer.on_event(Time(self.core.now), ProcessId(self.me), &event);
            }
            Effect::Reply { id, reply } => self.reply(id, &reply),
            Effect::Watch { peer } => self.watch(peer),
            Effect::Unwatch { peer } => {
                if let Some(watchers) = self.core.watchers.get_mut(peer.index()) {
                    watchers.retain(|(watcher, _)| *watcher != self.me);
                }
            }
            Effect::Persist { record } => self.persist(record),
        }
    }

    fn send(&mut self, to: ProcessId, msg: P::Msg, channel: Channel) {
        let seq = self.own.number();
        let core = &mut *self.core;
        let (_, bytes) = core.counters.send(&msg);
        if to.0 >= core.processes {
            core.counters.lose(Lost::Down);
            return;
        }
        let told = core.sees_messages.then(|| msg.clone());
        let arrival = if !core.cuts.is_empty() && core.is_cut(self.me, to.0) {
            match channel {
                Channel::Datagram => core.counters.lose(Lost::Partition),
                Channel::Stream => self.stall(to.0, seq, Some(msg)),
            }
            None
        } else {
            core.transmit((self.me, to.0), seq, channel, bytes, msg)
        };
        if let Some(msg) = told {
            self.observer.on_send(Time(self.core.now), ProcessId(self.me), to, arrival.map(Time), &msg);
        }
    }

    /// A stream cannot get through: it waits, and breaks after the stream time-out.
    fn stall(&mut self, to: u32, seq: u32, msg: Option<P::Msg>) {
        self.core.stall(self.me, to, seq, msg);
    }

    fn arm(&mut self, timer: P::Timer, after: Span) {
        let seq = self.own.number();
        let wait = match self.core.clocks.get(self.me as usize) {
            Some(clock) => clock.real(after),
            None => after.0,
        };
        match self.own.timers.iter_mut().find(|(armed, _)| *armed == timer) {
            Some((_, armed)) => *armed = seq,
            None => {
                if self.own.timers.len() == self.own.timers.capacity() && self.own.timers.len() < 4 {
                    self.own.timers.reserve_exact(1);
                }
                self.own.timers.push((timer, seq));
            }
        }
        let (at, epoch) = (self.core.now.saturating_add(wait.max(1)), self.core.epoch);
        self.core.queue.push(Event { at, to: self.me, from: self.me, seq, epoch, body: Body::Timer });
    }

    fn reply(&mut self, id: OpId, reply: &P::Reply) {
        self.observer.on_reply(Time(self.core.now), ProcessId(self.me), id, reply);
    }

    fn watch(&mut self, peer: ProcessId) {
        let core = &mut *self.core;
        if peer.0 >= core.processes {
            return;
        }
        if core.watchers.is_empty() {
            core.watchers.resize(core.processes as usize, Vec::new());
        }
        if core.is_down(peer.0) {
            let seq = self.own.number();
            core.break_stream(self.me, peer.0, seq);
            return;
        }
        let watchers = &mut core.watchers[peer.index()];
        match watchers.iter_mut().find(|(watcher, _)| *watcher == self.me) {
            Some((_, epoch)) => *epoch = self.own.epoch,
            None => {
                if watchers.len() == watchers.capacity() && watchers.len() < 8 {
                    watchers.reserve_exact(1);
                }
                watchers.push((self.me, self.own.epoch));
            }
        }
        if !core.cuts.is_empty() && core.is_cut(self.me, peer.0) {
            let seq = self.own.number();
            self.stall(peer.0, seq, None);
        }
    }

    fn persist(&mut self, record: P::Record) {
        let disk = self.own.disk.get_or_insert_default();
        disk.log.push(record);
        if disk.writing.is_none() {
            self.write();
        }
    }

    /// Begins to write all records that are not durable.
    pub(crate) fn write(&mut self) {
        let seq = self.own.number();
        if let Some(disk) = &mut self.own.disk {
            disk.writing = Some(disk.log.len());
            let at = self.core.now.saturating_add(self.core.sync.0.max(1));
            self.core.schedule(at, self.me, seq, Body::Synced);
        }
    }
}

impl<P: Protocol> Core<P> {
    pub(crate) fn stall(&mut self, from: u32, to: u32, seq: u32, msg: Option<P::Msg>) {
        let (now, epoch) = (self.now, self.epoch);
        let stall = self.stalls.entry((from, to)).or_insert_with(|| {
            let at = now.saturating_add(self.wire.links.stream_timeout.0.max(1));
            self.queue.push(Event { at, to: from, from: to, seq, epoch, body: Body::Stalled });
            Stall { since: now, msgs: Vec::new() }
        });
        stall.msgs.extend(msg);
    }
}
