//! A run: processes, the loop that drives them, and what may be asked of it.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

use isles_kernel::{Cx, OpId, ProcessId, Protocol, Span, Time};

use crate::clock::{Clock, Clocks};
use crate::core::{Core, Phase, Step};
use crate::counters::{Counters, Lost};
use crate::digest::Digest;
use crate::event::{Body, CLIENT, Event};
use crate::fault::{Churn, Disk, Fault, Strike};
use crate::link::{Latency, Links, Ordinals, Wire};
use crate::memory;
use crate::observer::Observer;
use crate::process::{Own, Slot, Status};
use crate::queue::Queue;
use crate::sparse::Sparse;
use crate::streams::Streams;

/// When processes start for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// All at the beginning.
    #[default]
    AtOnce,
    /// One after the other, evenly over this span.
    Over(Span),
}

/// Everything that decides a run, besides what is invoked and injected later.
#[derive(Debug)]
pub struct Setup<P: Protocol> {
    /// How many processes there are at most: `0..processes`.
    pub processes: u32,
    /// How many of them start by themselves; the others are started by [`Fault::Restart`].
    pub initial: u32,
    /// When they start.
    pub start: Start,
    /// Names all random choices of the run.
    pub seed: u64,
    /// What all processes share.
    pub config: Arc<P::Config>,
    /// What happens to messages.
    pub links: Links,
    /// How wrong clocks are.
    pub clocks: Clocks,
    /// How disks behave.
    pub disk: Disk,
    /// Whether processes come and go by themselves.
    pub churn: Option<Churn>,
    /// Keep all pending events in a heap: slower in large runs, with the same outcome.
    pub heap_only: bool,
}

impl<P: Protocol> Setup<P> {
    /// `processes` processes that start at once, on links of 10 ms.
    pub fn new(processes: u32, seed: u64, config: impl Into<Arc<P::Config>>) -> Self {
        Self {
            processes,
            initial: processes,
            start: Start::AtOnce,
            seed,
            config: config.into(),
            links: Links::default(),
            clocks: Clocks::default(),
            disk: Disk::default(),
            churn: None,
            heap_only: false,
        }
    }
}

// Written out because a derived one would ask that the configuration can be cloned, which is only shared.
impl<P: Protocol> Clone for Setup<P> {
    fn clone(&self) -> Self {
        Self {
            processes: self.processes,
            initial: self.initial,
            start: self.start,
            seed: self.seed,
            config: Arc::clone(&self.config),
            links: self.links.clone(),
            clocks: self.clocks,
            disk: self.disk,
            churn: self.churn.clone(),
            heap_only: self.heap_only,
        }
    }
}

/// A configuration, shared; can be cloned even where it cannot.
pub(crate) struct Shared<P: Protocol>(Arc<P::Config>);

impl<P: Protocol> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> Deref for Shared<P> {
    type Target = P::Config;
    fn deref(&self) -> &P::Config {
        &self.0
    }
}

/// Why a set-up cannot be run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

/// A run of protocol `P` in virtual time. Cloning it takes a snapshot, from which it can go on in another way.
#[derive(Clone)]
pub struct Simulation<P: Protocol> {
    pub(crate) config: Shared<P>,
    pub(crate) slots: Vec<Slot<P>>,
    pub(crate) core: Core<P>,
    pub(crate) disk: Disk,
    pub(crate) churn: Option<Churn>,
    /// What waits for paused processes.
    pub(crate) held: Sparse<u32, Vec<Event<P>>>,
    /// Processes whose downtime is over.
    pub(crate) returning: Vec<u32>,
    start: Start,
    initial: u32,
    /// Processes below this have had their first start.
    started: u32,
    /// Faults to come, by instant and order of injection.
    faults: BTreeMap<(u64, u32), Fault>,
    injected: u32,
    /// Operations to come, by number.
    pub(crate) ops: Sparse<u32, P::Op>,
    invoked: u32,
}

/// How many events ahead a process's state is fetched into the cache.
const PREFETCH: usize = 12;

impl<P: Protocol> Simulation<P> {
    /// A run at its beginning.
    ///
    /// # Errors
    /// When there are no processes or too many for 32-bit handles, or the links or laws are impossible.
    pub fn new(setup: Setup<P>) -> Result<Self, SetupError> {
        let error = |why: String| Err(SetupError(why));
        if setup.processes == 0 || setup.processes >= CLIENT {
            return error(format!("{} processes: there must be 1 to {}", setup.processes, CLIENT - 1));
        }
        if setup.initial > setup.processes {
            return error(format!("{} of {} processes cannot start", setup.initial, setup.processes));
        }
        if let Some(flaw) = setup.links.flaw() {
            return error(flaw);
        }
        if let Some(flaw) = setup.clocks.flaw() {
            return error(flaw);
        }
        if let Some(churn) = &setup.churn {
            for (name, law) in [("session", churn.session), ("downtime", churn.downtime)] {
                if let Some(flaw) = law.flaw() {
                    return error(format!("churn, {name}: {flaw}"));
                }
            }
        }
        let count = setup.processes as usize;
        let mut slots = memory::vec_with_capacity(count);
        slots.resize_with(count, || Slot { state: None, own: Own::new() });
        let clocks = if setup.clocks == Clocks::default() {
            Vec::new()
        } else {
            (0..setup.processes).map(|process| Clock::drawn(setup.clocks, setup.seed, process)).collect()
        };
        Ok(Self {
            config: Shared(setup.config),
            slots,
            core: Core {
                seed: setup.seed,
                now: 0,
                processes: setup.processes,
                queue: Queue::new(setup.heap_only),
                wire: Wire::new(setup.links, setup.processes),
                counters: Counters::default(),
                digest: Digest::default(),
                acting: u32::MAX,
                phase: Phase::Event,
                ordinals: Ordinals::new(),
                choices: 0,
                epoch: 0,
                cuts: Vec::new(),
                streams: Streams::new(),
                down: vec![0; count.div_ceil(64)],
                clocks,
                sync: setup.disk.sync,
                crash_points: Vec::new(),
                strikes: Vec::new(),
                sees_messages: false,
                script: None,
            },
            disk: setup.disk,
            churn: setup.churn,
            held: Sparse::new(),
            returning: Vec::new(),
            start: setup.start,
            initial: setup.initial,
            started: 0,
            faults: BTreeMap::new(),
            injected: 0,
            ops: Sparse::new(),
            invoked: 0,
        })
    }

    /// The instant up to which everything has happened.
    pub fn now(&self) -> Time {
        Time(self.core.now)
    }

    /// How many processes there are, running or not.
    pub fn processes(&self) -> u32 {
        self.core.processes
    }

    /// The state of a running or paused process; none if it is down or not started.
    pub fn process(&self, id: ProcessId) -> Option<&P> {
        let slot = self.slots.get(id.index())?;
        slot.state.as_ref().filter(|_| matches!(slot.own.status, Status::Up | Status::Paused))
    }

    /// All processes that run or are paused.
    pub fn live(&self) -> impl Iterator<Item = (ProcessId, &P)> {
        (0..self.core.processes).map(ProcessId).filter_map(|id| Some((id, self.process(id)?)))
    }

    /// The durable log of a process: what a restart would find.
    pub fn log(&self, id: ProcessId) -> &[P::Record] {
        let disk = self.slots.get(id.index()).and_then(|slot| slot.own.disk.as_ref());
        disk.map_or(&[], |disk| disk.found())
    }

    /// How many writes the disk of a process has finished: the number of its durability boundaries so far.
    pub fn syncs(&self, id: ProcessId) -> u32 {
        self.slots.get(id.index()).and_then(|slot| slot.own.disk.as_ref()).map_or(0, |disk| disk.syncs)
    }

    /// The crashes at boundaries of durability ([`Fault::CrashAt`]) that took place so far.
    pub fn strikes(&self) -> &[Strike] {
        &self.core.strikes
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.core.counters
    }

    /// 128 bits that stand for everything that happened: equal if and, but for chance, only if two runs were.
    pub fn digest(&self) -> u128 {
        self.core.digest.value()
    }

    /// How many events are pending.
    pub fn pending(&self) -> usize {
        self.core.queue.len()
    }

    /// Bytes that the simulator itself takes: processes' slots, pending events, watchers; without what states and
    /// messages own on the heap.
    pub fn bytes(&self) -> usize {
        let watchers: usize = self.core.streams.watchers.iter().map(|list| 24 + list.capacity() * 8).sum();
        self.slots.capacity() * size_of::<Slot<P>>() + self.core.queue.bytes() + watchers
    }

    /// Invokes `op` at `process`, now.
    pub fn invoke(&mut self, process: ProcessId, op: P::Op) -> OpId {
        self.invoke_at(Time(self.core.now), process, op)
    }

    /// Invokes `op` at `process` at the instant `at`, or now if that has passed. An operation invoked at a process
    /// that is down is lost.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn invoke_at(&mut self, at: Time, process: ProcessId, op: P::Op) -> OpId {
        assert!(process.0 < self.core.processes, "there is no {process}");
        let id = OpId(u64::from(self.invoked));
        let (at, epoch) = (at.0.max(self.core.now), self.core.epoch);
        let event = Event { at, to: process.0, from: CLIENT, seq: self.invoked, epoch, body: Body::Op };
        self.core.queue.push(event);
        self.ops.get_or_insert_with(self.invoked, || op);
        self.invoked += 1;
        id
    }

    /// Lets messages that are sent from now on travel as `latency` says; those under way arrive as they would have, and
    /// nothing overtakes them on their stream.
    ///
    /// # Errors
    /// When the law is impossible.
    pub fn set_latency(&mut self, latency: Latency) -> Result<(), SetupError> {
        let links = Links { latency, ..self.core.wire.links.clone() };
        if let Some(flaw) = links.flaw() {
            return Err(SetupError(flaw));
        }
        self.core.wire.set_latency(self.core.now, links.latency);
        Ok(())
    }

    /// Lets `fault` befall the run at the instant `at`, before anything else that happens then; now if that has
    /// passed. Of processes that start at that instant, crashes, pauses and restarts befall those that have started;
    /// what befalls the network and the clocks is there when they start.
    pub fn inject(&mut self, at: Time, fault: Fault) {
        self.faults.insert((at.0.max(self.core.now), self.injected), fault);
        self.injected += 1;
    }

    /// Lets everything happen up to and including the instant `until`, and moves the clock there.
    pub fn run_until(&mut self, until: Time, observer: &mut dyn Observer<P>) {
        self.core.sees_messages = observer.sees_messages();
        let limit = until.0.saturating_add(1);
        loop {
            let next = self.faults.first_key_value();
            let fault = next.map_or(u64::MAX, |((at, _), _)| *at);
            let environmental = next.is_some_and(|(_, fault)| fault.is_environmental());
            let start = if self.started < self.initial { self.start_of(self.started) } else { u64::MAX };
            self.run_events(limit.min(fault).min(start), observer);
            if fault.min(start) >= limit {
                break;
            }
            if start < fault || start == fault && !environmental {
                self.core.move_to(start);
                self.first_start(self.started, observer);
                self.started += 1;
            } else if let Some(((at, _), fault)) = self.faults.pop_first() {
                self.core.move_to(at);
                self.befall(fault, observer);
            }
        }
        self.core.move_to(until.0);
    }

    /// Lets everything happen until nothing is pending, at most until `deadline`. True if nothing is pending.
    pub fn run_to_quiescence(&mut self, deadline: Time, observer: &mut dyn Observer<P>) -> bool {
        while let Some(next) = self.next_time() {
            if next > deadline {
                return false;
            }
            self.run_until(next, observer);
        }
        true
    }

    /// When the next thing happens; none if nothing is pending, or nothing before [`Time::MAX`], which never comes.
    pub fn next_time(&mut self) -> Option<Time> {
        let fault = self.faults.first_key_value().map(|((at, _), _)| *at);
        let start = (self.started < self.initial).then(|| self.start_of(self.started));
        let next = self.core.queue.next_time().into_iter().chain(fault).chain(start).min();
        next.filter(|next| *next < u64::MAX).map(Time)
    }

    fn start_of(&self, process: u32) -> u64 {
        match self.start {
            Start::AtOnce => 0,
            Start::Over(span) => {
                (u128::from(span.0) * u128::from(process) / u128::from(self.initial.max(1))) as u64
            }
        }
    }

    /// Handles all events before `limit`.
    fn run_events(&mut self, limit: u64, observer: &mut dyn Observer<P>) {
        while let Some(event) = self.core.queue.pop_before(limit) {
            if let Some(next) = self.core.queue.upcoming(PREFETCH) {
                memory::prefetch(&self.slots[next as usize]);
            }
            self.core.turn_for(&event);
            if self.slots[event.to as usize].own.status == Status::Up {
                self.handle(event, observer);
            } else {
                self.arrive_in_vain(event);
                self.bring_back(observer);
            }
        }
    }

    /// Something happens to a process whose turn it is, and that was up when it came or at least before it did.
    #[inline(always)]
    pub(crate) fn handle(&mut self, event: Event<P>, observer: &mut dyn Observer<P>) {
        let Self { config, slots, core, ops, .. } = self;
        let slot = &mut slots[event.to as usize];
        let (from, me) = (ProcessId(event.from), ProcessId(event.to));
        let stale = event.epoch < slot.own.epoch;
        let timer = if matches!(event.body, Body::Timer) { slot.own.timers.take(event.seq) } else { None };
        if timer.is_none() && matches!(event.body, Body::Timer) {
            // Disarmed since, or armed again: for earlier, and then that was another event, or for later.
            if let Some((due, seq)) = slot.own.timers.postponed(event.seq) {
                core.queue.push(Event { at: due.max(event.at), seq, ..event });
            }
            return;
        }
        core.counters.events += 1;
        let what = event.at ^ u64::from(event.seq).rotate_left(40);
        core.digest.fold(what, u64::from(event.to) << 32 | u64::from(event.from));
        match event.body {
            Body::Stream(msg) => {
                if stale {
                    core.counters.lose(Lost::Stream);
                    self.refuse(event.from, event.epoch, event.to);
                    return;
                }
                deliver(slot, core, config, observer, (from, me), msg);
            }
            Body::Datagram(msg) => deliver(slot, core, config, observer, (from, me), msg),
            Body::Timer => {
                core.counters.timers += 1;
                if let Some(timer) = timer {
                    act(slot, core, config, observer, |state, cx| state.on_timer(cx, timer));
                }
            }
            Body::Op => {
                let Some(op) = ops.remove(event.seq) else { return };
                let id = OpId(u64::from(event.seq));
                core.counters.ops += 1;
                observer.on_invoke(Time(core.now), me, id, &op);
                act(slot, core, config, observer, |state, cx| state.on_op(cx, id, op));
            }
            Body::Unreachable => self.news_came(event.to, event.from, event.seq, observer),
            Body::Stalled => self.stream_timed_out(event.to, event.from, event.seq, observer),
            Body::Synced if !stale => self.synced(me, observer),
            Body::ChurnDown if !stale => self.churn_down(me, observer),
            Body::Synced | Body::ChurnDown | Body::ChurnUp => {}
        }
    }
}

/// Hands a message to its receiver.
#[inline]
fn deliver<P: Protocol>(
    slot: &mut Slot<P>,
    core: &mut Core<P>,
    config: &P::Config,
    observer: &mut dyn Observer<P>,
    (from, me): (ProcessId, ProcessId),
    msg: P::Msg,
) {
    core.counters.delivered += 1;
    msg.hash(&mut core.digest);
    if core.sees_messages {
        observer.on_deliver(Time(core.now), from, me, &msg);
    }
    act(slot, core, config, observer, |state, cx| state.on_message(cx, from, msg));
}

/// Runs a handler of the process whose turn it is.
#[inline]
pub(crate) fn act<P: Protocol>(
    slot: &mut Slot<P>,
    core: &mut Core<P>,
    config: &P::Config,
    observer: &mut dyn Observer<P>,
    handler: impl FnOnce(&mut P, &mut Cx<'_, P>),
) {
    let Some(state) = &mut slot.state else { return };
    let me = core.acting;
    let now = core.local(me);
    let mut step = Step { core, own: &mut slot.own, me, observer };
    handler(state, &mut Cx::new(ProcessId(me), now, config, &mut step));
}
