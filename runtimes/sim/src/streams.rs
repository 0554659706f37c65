//! Streams: who watches whom, which streams a partition stalls, which are broken while their sender does not know.
//!
//! A stream that works costs nothing here: the simulator remembers only what is wrong.

use hashbrown::HashMap;
use isles_kernel::{Channel, ProcessId, Protocol, meter};
use rustc_hash::FxBuildHasher;

use crate::core::{Core, Letter, Phase};
use crate::counters::Lost;
use crate::event::{Body, Event};
use crate::fault::Cut;
use crate::observer::Observer;
use crate::process::Status;
use crate::simulation::{Simulation, act};
use crate::sparse::Sparse;

/// What is known of the streams of a run.
#[derive(Clone)]
pub(crate) struct Streams<P: Protocol> {
    /// Who watches each process, with the watcher's epoch; empty until somebody watches.
    pub(crate) watchers: Vec<Vec<(u32, u32)>>,
    /// Streams that a partition stalls, by sender and receiver.
    stalls: Sparse<(u32, u32), Stall<P>>,
    /// Streams that broke, by sender and receiver, until the sender is told. Never iterated.
    broken: HashMap<(u32, u32), News, FxBuildHasher>,
}

#[derive(Clone)]
struct Stall<P: Protocol> {
    /// The number of the event that ends the wait.
    seq: u32,
    /// What waits, each message with the run's epoch when it was sent.
    msgs: Vec<(u32, P::Msg)>,
}

/// News that a stream broke, on its way to the sender.
#[derive(Clone, Copy)]
struct News {
    /// The number of the event that brings it.
    seq: u32,
    /// The sender's epoch: a later start of the same process has no part in the stream.
    epoch: u32,
}

impl<P: Protocol> Streams<P> {
    pub(crate) fn new() -> Self {
        Self { watchers: Vec::new(), stalls: Sparse::new(), broken: HashMap::default() }
    }

    /// Whether the stream from `from`, which started at `epoch`, to `to` is broken and `from` does not know.
    #[inline]
    pub(crate) fn is_broken(&self, from: u32, epoch: u32, to: u32) -> bool {
        !self.broken.is_empty() && self.broken.get(&(from, to)).is_some_and(|news| news.epoch == epoch)
    }

    /// The news numbered `seq` has come; true if the stream was still to be reported to `from`.
    fn arrive(&mut self, from: u32, epoch: u32, to: u32, seq: u32) -> bool {
        let Some(&news) = self.broken.get(&(from, to)) else { return false };
        self.forget(from, to, seq);
        news.seq == seq && news.epoch == epoch
    }

    /// The news numbered `seq` finds nobody.
    pub(crate) fn forget(&mut self, from: u32, to: u32, seq: u32) {
        if self.broken.get(&(from, to)).is_some_and(|news| news.seq == seq) {
            self.broken.remove(&(from, to));
        }
    }

    /// Watching ends, and with it the wait for a stream over which nothing was sent.
    pub(crate) fn unwatch(&mut self, watcher: u32, peer: u32) {
        if let Some(watchers) = self.watchers.get_mut(peer as usize) {
            watchers.retain(|(other, _)| *other != watcher);
        }
        if self.stalls.get((watcher, peer)).is_some_and(|stall| stall.msgs.is_empty()) {
            self.stalls.remove((watcher, peer));
        }
    }

    /// `process` watches nothing and sends nothing any more; returns how many messages that waited are lost.
    fn end(&mut self, process: u32) -> usize {
        let ended = self.stalls.keys((process, 0)..=(process, u32::MAX));
        ended.into_iter().filter_map(|link| self.stalls.remove(link)).map(|stall| stall.msgs.len()).sum()
    }
}

impl<P: Protocol> Core<P> {
    /// The stream from `from`, which started at `epoch`, to `to` is broken. Whatever `from` still sends over it is
    /// lost; it learns that as soon as `to` can answer, or after the stream time-out if a partition swallows the answer.
    pub(crate) fn break_stream(&mut self, (from, epoch): (u32, u32), to: u32, seq: u32) {
        let wait = if self.is_cut(to, from) { self.timeout() } else { self.news(to, from) };
        self.break_stream_at(self.now.saturating_add(wait), (from, epoch), to, seq);
    }

    /// The stream is broken, and its sender learns it at the instant `at`, unless it will learn it anyway.
    pub(crate) fn break_stream_at(&mut self, at: u64, (from, epoch): (u32, u32), to: u32, seq: u32) {
        if self.streams.is_broken(from, epoch, to) {
            return;
        }
        self.streams.broken.insert((from, to), News { seq, epoch });
        let epoch = self.epoch;
        self.queue.push(Event { at, to: from, from: to, seq, epoch, body: Body::Unreachable });
    }

    fn news(&mut self, from: u32, to: u32) -> u64 {
        self.wire.news(self.seed, self.now, ProcessId(from), ProcessId(to))
    }

    fn timeout(&self) -> u64 {
        self.wire.links.stream_timeout.0.max(1)
    }

    /// A stream cannot get through: it waits, and breaks after the stream time-out.
    pub(crate) fn stall(&mut self, from: u32, to: u32, seq: u32, msg: Option<P::Msg>) {
        let (at, epoch) = (self.now.saturating_add(self.timeout()), self.epoch);
        let stall = self.streams.stalls.get_or_insert_with((from, to), || {
            self.queue.push(Event { at, to: from, from: to, seq, epoch, body: Body::Stalled });
            Stall { seq, msgs: Vec::new() }
        });
        stall.msgs.extend(msg.map(|msg| (epoch, msg)));
    }

    /// `me`, which started at `epoch`, watches `peer` from now on; `number` gives its next sequence number.
    pub(crate) fn watch(&mut self, (me, epoch): (u32, u32), peer: u32, number: impl FnOnce() -> u32) {
        if peer >= self.processes || self.is_down(peer) {
            // The attempt travels there and the refusal back.
            let wait = if self.is_cut(me, peer) || self.is_cut(peer, me) {
                self.timeout()
            } else {
                self.news(me, peer).saturating_add(self.news(peer, me))
            };
            return self.break_stream_at(self.now.saturating_add(wait), (me, epoch), peer, number());
        }
        if self.streams.watchers.is_empty() {
            self.streams.watchers.resize(self.processes as usize, Vec::new());
        }
        let watchers = &mut self.streams.watchers[peer as usize];
        match watchers.iter_mut().find(|(watcher, _)| *watcher == me) {
            Some((_, since)) => *since = epoch,
            None => {
                if watchers.len() == watchers.capacity() && watchers.len() < 8 {
                    watchers.reserve_exact(1);
                }
                watchers.push((me, epoch));
            }
        }
        if self.is_cut(me, peer) || self.is_cut(peer, me) {
            self.stall(me, peer, number(), None);
        }
    }
}

impl<P: Protocol> Simulation<P> {
    /// What `from` sent over a stream at the run's epoch `sent` reached nobody who knows of that stream.
    pub(crate) fn refuse(&mut self, from: u32, sent: u32, to: u32) {
        let Some(sender) = self.slots.get(from as usize).map(|slot| &slot.own) else { return };
        // If the sender itself started anew meanwhile, nobody is left to be told.
        if sent >= sender.epoch && matches!(sender.status, Status::Up | Status::Paused) {
            let sender = (from, sender.epoch);
            let seq = self.slots[to as usize].own.number();
            self.core.break_stream(sender, to, seq);
        }
    }

    /// Whoever watches the process learns that the stream broke.
    pub(crate) fn tell_watchers(&mut self, process: u32) {
        let Some(list) = self.core.streams.watchers.get_mut(process as usize) else { return };
        for (watcher, epoch) in std::mem::take(list) {
            let own = &self.slots[watcher as usize].own;
            if own.epoch == epoch && matches!(own.status, Status::Up | Status::Paused) {
                let seq = self.slots[process as usize].own.number();
                self.core.break_stream((watcher, epoch), process, seq);
            }
        }
    }

    /// The streams of a process that crashed end.
    pub(crate) fn end_streams(&mut self, process: u32) {
        for _ in 0..self.core.streams.end(process) {
            self.core.counters.lose(Lost::Stream);
        }
    }

    /// A process that goes on from memory learns that the streams it watched, as it started at `before`, broke.
    pub(crate) fn lose_watched(&mut self, process: u32, before: u32) {
        let watched: Vec<u32> = (0..self.core.streams.watchers.len() as u32)
            .filter(|peer| self.core.streams.watchers[*peer as usize].contains(&(process, before)))
            .collect();
        for peer in watched {
            self.core.streams.unwatch(process, peer);
            let own = &mut self.slots[process as usize].own;
            let (epoch, seq) = (own.epoch, own.number());
            self.core.break_stream((process, epoch), peer, seq);
        }
    }

    /// A partition begins.
    pub(crate) fn cut(&mut self, cut: Cut) {
        // A stream that crosses the cut is stalled in both directions: acknowledgements do not return either.
        let mut crossing = Vec::new();
        for (peer, watchers) in self.core.streams.watchers.iter().enumerate() {
            let peer = peer as u32;
            let crosses = |watcher: u32| cut.parts(watcher, peer) || cut.parts(peer, watcher);
            crossing
                .extend(watchers.iter().filter(|(watcher, _)| crosses(*watcher)).map(|(w, _)| (*w, peer)));
        }
        self.core.cuts.push(cut);
        for (watcher, peer) in crossing {
            let seq = self.slots[watcher as usize].own.number();
            self.core.stall(watcher, peer, seq, None);
        }
    }

    /// All partitions end.
    pub(crate) fn heal(&mut self) {
        self.core.cuts.clear();
        for (from, to) in self.core.streams.stalls.keys(..) {
            let Some(stall) = self.core.streams.stalls.remove((from, to)) else { continue };
            self.core.turn(self.core.now, from, Phase::Heal);
            let incarnation = self.slots[from as usize].own.epoch;
            for (epoch, msg) in stall.msgs {
                if self.core.streams.is_broken(from, incarnation, to) {
                    self.core.counters.lose(Lost::Stream);
                    continue;
                }
                let seq = self.slots[from as usize].own.number();
                let bytes = meter::measure(&msg).1;
                let letter = Letter { from, to, seq, epoch, incarnation, channel: Channel::Stream, bytes };
                self.core.transmit(letter, msg);
            }
        }
    }

    /// The stream from `me` to `peer` has been stalled for the whole time-out, unless it was healed since.
    pub(crate) fn stream_timed_out(&mut self, me: u32, peer: u32, seq: u32, observer: &mut dyn Observer<P>) {
        let streams = &mut self.core.streams;
        if streams.stalls.get((me, peer)).is_some_and(|stall| stall.seq == seq) {
            streams.broken.remove(&(me, peer));
            self.unreachable(me, peer, observer);
        }
    }

    /// The news numbered `seq` reaches `me`: the stream to `peer` broke.
    pub(crate) fn news_came(&mut self, me: u32, peer: u32, seq: u32, observer: &mut dyn Observer<P>) {
        let epoch = self.slots[me as usize].own.epoch;
        if self.core.streams.arrive(me, epoch, peer, seq) {
            self.unreachable(me, peer, observer);
        }
    }

    /// `me` is told that its stream to `peer` broke, with all that waited for it.
    fn unreachable(&mut self, me: u32, peer: u32, observer: &mut dyn Observer<P>) {
        let Self { config, slots, core, .. } = self;
        let waited = core.streams.stalls.remove((me, peer)).map_or(0, |stall| stall.msgs.len());
        for _ in 0..waited {
            core.counters.lose(Lost::Stream);
        }
        core.streams.unwatch(me, peer);
        core.counters.unreachable += 1;
        let (slot, peer) = (&mut slots[me as usize], ProcessId(peer));
        act(slot, core, config, observer, |state, cx| state.on_unreachable(cx, peer));
    }
}
