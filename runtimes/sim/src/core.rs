//! What handlers act upon: everything of a run but the processes' states.

use std::collections::VecDeque;
use std::hash::Hash;

use isles_kernel::{Channel, Effect, OpId, ProcessId, Protocol, Sink, Span, Time, random};

use crate::clock::Clock;
use crate::counters::{Counters, Lost};
use crate::digest::Digest;
use crate::event::{Body, CLIENT, Event, SYSTEM};
use crate::fault::{Boundary, Cut, Strike};
use crate::link::{Fate, Latency, Ordinals, Wire};
use crate::observer::Observer;
use crate::process::Own;
use crate::queue::Queue;
use crate::streams::Streams;

#[derive(Clone)]
pub(crate) struct Core<P: Protocol> {
    pub(crate) seed: u64,
    pub(crate) now: u64,
    pub(crate) processes: u32,
    pub(crate) queue: Queue<P>,
    pub(crate) wire: Wire,
    pub(crate) counters: Counters,
    pub(crate) digest: Digest,
    /// The process whose handlers run, and why, for what is numbered within an instant.
    pub(crate) acting: u32,
    pub(crate) phase: Phase,
    pub(crate) ordinals: Ordinals,
    pub(crate) choices: u32,
    /// Crashes and restarts so far.
    pub(crate) epoch: u32,
    pub(crate) cuts: Vec<Cut>,
    pub(crate) streams: Streams<P>,
    /// A bit for each process that has crashed, for those who ask from afar. A process that has not started yet can be
    /// watched: the stream is made when it is there.
    pub(crate) down: Vec<u64>,
    /// Empty while all clocks are right.
    pub(crate) clocks: Vec<Clock>,
    pub(crate) sync: Span,
    pub(crate) crash_points: Vec<(ProcessId, Boundary, u32)>,
    pub(crate) strikes: Vec<Strike>,
    pub(crate) sees_messages: bool,
    /// What handlers choose, if that is told.
    pub(crate) script: Option<VecDeque<u32>>,
}

/// Why a process acts, in the order in which that happens within an instant. What a process draws and sends at an
/// instant is counted for each of these by itself, so that no two draws have one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// A message or timer.
    Event = 0,
    /// An operation.
    Op,
    /// The end of a disk write.
    System,
    /// A start.
    Start,
    /// The end of a pause.
    Resume,
    /// The end of a partition.
    Heal,
}

impl Phase {
    /// Why a process acts when an event from `from` comes.
    #[inline]
    const fn of(from: u32) -> Self {
        match from {
            SYSTEM => Self::System,
            CLIENT => Self::Op,
            _ => Self::Event,
        }
    }

    /// The `count`-th of its kind in this phase, as a word that names a draw.
    #[inline]
    fn word(self, count: u32) -> u64 {
        (self as u64) << 32 | u64::from(count)
    }
}

/// A message on its way out.
#[derive(Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) seq: u32,
    /// The run's epoch when the process sent it.
    pub(crate) epoch: u32,
    /// The epoch at which the sender started.
    pub(crate) incarnation: u32,
    pub(crate) channel: Channel,
    pub(crate) bytes: u32,
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
    pub(crate) fn turn(&mut self, at: u64, process: u32, phase: Phase) {
        if at != self.now || process != self.acting || phase != self.phase {
            self.now = at;
            self.acting = process;
            self.phase = phase;
            self.choices = 0;
            self.ordinals.reset();
        }
    }

    /// An event is about to happen.
    #[inline]
    pub(crate) fn turn_for(&mut self, event: &Event<P>) {
        self.turn(event.at, event.to, Phase::of(event.from));
    }

    /// Moves the clock on when nothing happens.
    pub(crate) fn move_to(&mut self, at: u64) {
        if at > self.now {
            self.now = at;
            self.acting = u32::MAX;
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

    /// Puts a message that leaves now onto its link, and says when it arrives.
    #[inline]
    pub(crate) fn transmit(&mut self, letter: Letter, msg: P::Msg) -> Option<u64> {
        let Letter { from, to, seq, epoch, channel, .. } = letter;
        let now = self.now;
        let event = |at: u64, body: Body<P>| Event { at, to, from, seq, epoch, body };
        let wrap = |msg: P::Msg| match channel {
            Channel::Stream => Body::Stream(msg),
            Channel::Datagram => Body::Datagram(msg),
        };
        if from == to {
            let at = now.saturating_add(1);
            self.queue.push(event(at, wrap(msg)));
            return Some(at);
        }
        let link = u64::from(from) << 32 | u64::from(to);
        let ordinal = self.phase.word(self.ordinals.next(to));
        let identity = random::draw(self.seed, &[link, now, ordinal]);
        match self.wire.send(now, identity, (ProcessId(from), ProcessId(to)), channel, letter.bytes) {
            Fate::Arrives { at, again } => {
                if let Some(again) = again {
                    self.counters.duplicated += 1;
                    self.queue.push(event(again, Body::Datagram(msg.clone())));
                }
                self.queue.push(event(at, wrap(msg)));
                Some(at)
            }
            Fate::Lost(why) => {
                self.counters.lose(why);
                None
            }
            Fate::Breaks { at } => {
                self.counters.lose(Lost::Stream);
                self.break_stream_at(at, (from, letter.incarnation), to, seq);
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
        if let Some(told) = self.core.script.as_mut().and_then(VecDeque::pop_front) {
            return told.min(bound.saturating_sub(1));
        }
        let choice = self.core.choices;
        self.core.choices += 1;
        let identity = [0x6368_6f6f_7365, u64::from(self.me), self.core.now, self.core.phase.word(choice)];
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
            Effect::Disarm { timer } => self.own.timers.disarm(&timer),
            Effect::Emit { event } => {
                self.observer.on_event(Time(self.core.now), ProcessId(self.me), &event);
            }
            Effect::Reply { id, reply } => self.reply(id, &reply),
            Effect::Watch { peer } => {
                let me = (self.me, self.own.epoch);
                self.core.watch(me, peer.0, || self.own.number());
            }
            Effect::Unwatch { peer } => self.core.streams.unwatch(self.me, peer.0),
            Effect::Persist { record } => self.persist(record),
        }
    }

    fn send(&mut self, to: ProcessId, msg: P::Msg, channel: Channel) {
        let seq = self.own.number();
        let core = &mut *self.core;
        let (_, bytes) = core.counters.send(&msg);
        let told = core.sees_messages.then(|| msg.clone());
        let (from, incarnation) = (self.me, self.own.epoch);
        let arrival = if to.0 >= core.processes {
            core.counters.lose(Lost::Down);
            if channel == Channel::Stream {
                core.break_stream((from, incarnation), to.0, seq);
            }
            None
        } else if channel == Channel::Stream && core.streams.is_broken(from, incarnation, to.0) {
            core.counters.lose(Lost::Stream);
            None
        } else if !core.cuts.is_empty() && core.is_cut(from, to.0) {
            match channel {
                Channel::Datagram => core.counters.lose(Lost::Partition),
                Channel::Stream => core.stall(from, to.0, seq, Some(msg)),
            }
            None
        } else {
            let letter = Letter { from, to: to.0, seq, epoch: core.epoch, incarnation, channel, bytes };
            core.transmit(letter, msg)
        };
        if let Some(msg) = told {
            self.observer.on_send(Time(self.core.now), ProcessId(from), to, arrival.map(Time), &msg);
        }
    }

    fn arm(&mut self, timer: P::Timer, after: Span) {
        let seq = self.own.number();
        let wait = match self.core.clocks.get(self.me as usize) {
            Some(clock) => clock.real(after),
            None => after.0,
        };
        let (due, epoch) = (self.core.now.saturating_add(wait.max(1)), self.core.epoch);
        if self.own.timers.arm(timer, due, seq) {
            let (to, from) = (self.me, self.me);
            self.core.queue.push(Event { at: due, to, from, seq, epoch, body: Body::Timer });
        }
    }

    fn reply(&mut self, id: OpId, reply: &P::Reply) {
        reply.hash(&mut self.core.digest);
        self.observer.on_reply(Time(self.core.now), ProcessId(self.me), id, reply);
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
