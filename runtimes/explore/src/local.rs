//! One process as the explorer sees it: everything of a state that belongs to it, and what a step does to it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use isles_kernel::{Channel, Cx, Effect, OpId, ProcessId, Protocol, Sink, Span, Time};

use crate::digest::digest;
use crate::scenario::{Memory, Scenario};

/// A process, its timers, its disk and the streams that it watches.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Local<P: Protocol> {
    pub(crate) process: ProcessId,
    pub(crate) status: Status,
    /// None before the first start, and after a crash that kept none.
    pub(crate) state: Option<P>,
    /// Armed, without repetition, in the order of their digests: sets have one form.
    pub(crate) timers: Vec<P::Timer>,
    /// Invariant: the first `durable` survive a crash.
    pub(crate) log: Vec<P::Record>,
    pub(crate) durable: usize,
    /// Effects in order of emission; each waits until so many records are durable.
    pub(crate) waiting: Vec<(usize, Effect<P>)>,
    /// Peers whose streams are watched, ascending.
    pub(crate) watched: Vec<ProcessId>,
    /// How often it has crashed.
    pub(crate) crashes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Status {
    Up,
    Down,
    /// A handler panicked; the process does nothing more.
    Panicked,
}

/// What a process is confronted with.
pub(crate) enum Input<'a, P: Protocol> {
    Start,
    Message {
        from: ProcessId,
        msg: &'a P::Msg,
    },
    /// The timer at this place.
    Timer(usize),
    Op {
        id: OpId,
        op: &'a P::Op,
    },
    Unreachable(ProcessId),
    /// One more record is durable.
    Sync,
    Crash {
        memory: Memory,
        survivors: usize,
    },
}

// Written out because derived ones would ask that protocols can be copied, which are only pointed at.
impl<P: Protocol> Clone for Input<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Protocol> Copy for Input<'_, P> {}

/// What leaves a process in a step, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outward<P: Protocol> {
    Send { to: ProcessId, msg: P::Msg, channel: Channel },
    Watch(ProcessId),
    Reply { id: OpId, reply: P::Reply },
}

/// One way in which a step may end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ran<P: Protocol> {
    pub(crate) local: Local<P>,
    pub(crate) outward: Vec<Outward<P>>,
    pub(crate) events: Vec<P::Event>,
    /// The values that were chosen.
    pub(crate) choices: Vec<u32>,
    /// Some effect was emitted, of whatever kind.
    pub(crate) acted: bool,
    /// Of some choice not all values are tried.
    pub(crate) cut: bool,
    /// Why the handler panicked, if it did.
    pub(crate) panic: Option<String>,
}

impl<P: Protocol> Local<P> {
    pub(crate) const fn new(process: ProcessId) -> Self {
        Self {
            process,
            status: Status::Down,
            state: None,
            timers: Vec::new(),
            log: Vec::new(),
            durable: 0,
            waiting: Vec::new(),
            watched: Vec::new(),
            crashes: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.status == Status::Up
    }

    /// All different ways in which a step may end: one for each sequence of choices that makes a difference.
    pub(crate) fn outcomes(&self, input: Input<'_, P>, scenario: &Scenario<P>) -> Vec<Ran<P>> {
        let mut outcomes: Vec<Ran<P>> = Vec::new();
        let mut script = Vec::new();
        loop {
            let mut sink = Collect::<P> { script, next: 0, most: scenario.choices_max, ..Collect::new() };
            let ran = self.run(input, scenario, &mut sink);
            script = sink.script;
            let same = |other: &Ran<P>| other.local == ran.local && other.outward == ran.outward;
            // Outcomes that differ only in what was emitted lead to one state.
            if !outcomes.iter().any(same) {
                outcomes.push(ran);
            }
            // The next sequence: the last choice that has a value left takes it, and what follows is open.
            while script.last().is_some_and(|choice| choice.index + 1 == choice.count()) {
                script.pop();
            }
            match script.last_mut() {
                Some(choice) => choice.index += 1,
                None => return outcomes,
            }
        }
    }

    fn run(&self, input: Input<'_, P>, scenario: &Scenario<P>, sink: &mut Collect<P>) -> Ran<P> {
        let mut local = self.clone();
        let result = catch_unwind(AssertUnwindSafe(|| local.handle(input, scenario, sink)));
        let mut outward = Vec::new();
        let renews = |effect: &Effect<P>| matches!((input, effect), (Input::Timer(_), Effect::Arm { .. }));
        let acted = !sink.effects.iter().all(renews);
        if let Input::Sync = input {
            local.release(&mut outward, &mut sink.events);
        }
        let barrier = scenario.faults.crashes != crate::scenario::Budget::NONE;
        for effect in std::mem::take(&mut sink.effects) {
            local.take(effect, barrier, &mut outward, &mut sink.events);
        }
        let panic = result.err().map(|panic| {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
        });
        if panic.is_some() {
            local = Self { status: Status::Panicked, log: self.log.clone(), ..Self::new(self.process) };
        }
        Ran {
            local,
            outward,
            events: std::mem::take(&mut sink.events),
            choices: sink.script.iter().map(Choice::value).collect(),
            acted,
            cut: sink.script.iter().any(|choice| choice.most < choice.bound),
            panic,
        }
    }

    fn handle(&mut self, input: Input<'_, P>, scenario: &Scenario<P>, sink: &mut Collect<P>) {
        let begin = scenario.moment.as_ref().map_or(Time::ZERO, |moment| moment.now);
        let now = begin + Span::secs(u64::from(self.crashes));
        let me = self.process;
        let mut cx = Cx::new(me, now, &*scenario.config, sink);
        match (input, &mut self.state) {
            (Input::Start, _) => self.start(&mut cx),
            (Input::Crash { memory, survivors }, _) => self.crash(memory, survivors),
            (Input::Sync, _) => self.durable += 1,
            (Input::Message { from, msg }, Some(state)) => state.on_message(&mut cx, from, msg.clone()),
            (Input::Op { id, op }, Some(state)) => state.on_op(&mut cx, id, op.clone()),
            (Input::Timer(place), Some(state)) => {
                let timer = self.timers.remove(place);
                state.on_timer(&mut cx, timer);
            }
            (Input::Unreachable(peer), Some(state)) => {
                self.watched.retain(|other| *other != peer);
                state.on_unreachable(&mut cx, peer);
            }
            (Input::Message { .. } | Input::Op { .. } | Input::Timer(_) | Input::Unreachable(_), None) => {}
        }
    }

    fn start(&mut self, cx: &mut Cx<'_, P>) {
        self.status = Status::Up;
        if self.state.is_none() {
            self.durable = self.log.len();
            self.state = Some(P::start(cx, &self.log));
        }
    }

    fn crash(&mut self, memory: Memory, survivors: usize) {
        self.status = Status::Down;
        self.crashes += 1;
        if memory == Memory::Kept {
            return;
        }
        self.watched.clear();
        self.log.truncate(if memory == Memory::Lost { 0 } else { self.durable + survivors });
        self.durable = self.log.len();
        self.state = None;
        self.timers.clear();
        self.waiting.clear();
    }

    /// Takes one effect of a handler: at once, or when what was persisted before it is durable.
    fn take(
        &mut self,
        effect: Effect<P>,
        barrier: bool,
        outward: &mut Vec<Outward<P>>,
        events: &mut Vec<P::Event>,
    ) {
        if let Effect::Persist { record } = effect {
            self.log.push(record);
            self.durable += usize::from(!barrier);
        } else if self.durable < self.log.len() {
            self.waiting.push((self.log.len(), effect));
        } else {
            self.perform(effect, outward, events);
        }
    }

    /// Performs what waited for records that are durable now.
    fn release(&mut self, outward: &mut Vec<Outward<P>>, events: &mut Vec<P::Event>) {
        let ready = self.waiting.partition_point(|(until, _)| *until <= self.durable);
        let ready: Vec<_> = self.waiting.drain(..ready).collect();
        for (_, effect) in ready {
            self.perform(effect, outward, events);
        }
    }

    pub(crate) fn arm(&mut self, timer: P::Timer) {
        if !self.timers.contains(&timer) {
            let key = digest(0, &timer);
            let place = self.timers.partition_point(|other| digest(0, other) < key);
            self.timers.insert(place, timer);
        }
    }

    fn perform(&mut self, effect: Effect<P>, outward: &mut Vec<Outward<P>>, events: &mut Vec<P::Event>) {
        match effect {
            Effect::Send { to, msg, channel } => outward.push(Outward::Send { to, msg, channel }),
            Effect::Reply { id, reply } => outward.push(Outward::Reply { id, reply }),
            Effect::Emit { event } => events.push(event),
            Effect::Arm { timer, .. } => self.arm(timer),
            Effect::Disarm { timer } => self.timers.retain(|other| *other != timer),
            Effect::Watch { peer } => {
                if let Err(place) = self.watched.binary_search(&peer) {
                    self.watched.insert(place, peer);
                }
                outward.push(Outward::Watch(peer));
            }
            Effect::Unwatch { peer } => self.watched.retain(|other| *other != peer),
            Effect::Persist { record } => self.log.push(record),
        }
    }
}

/// One choice of a handler.
#[derive(Clone, Copy, Debug)]
struct Choice {
    index: u32,
    bound: u32,
    most: u32,
}

impl Choice {
    /// How many values are tried.
    const fn count(&self) -> u32 {
        if self.bound > self.most { 2 } else { self.bound }
    }

    const fn value(&self) -> u32 {
        if self.bound > self.most && self.index > 0 { self.bound - 1 } else { self.index }
    }
}

/// Collects the effects of a handler, and makes the choices that a script says.
struct Collect<P: Protocol> {
    effects: Vec<Effect<P>>,
    events: Vec<P::Event>,
    script: Vec<Choice>,
    next: usize,
    most: u32,
}

impl<P: Protocol> Collect<P> {
    const fn new() -> Self {
        Self { effects: Vec::new(), events: Vec::new(), script: Vec::new(), next: 0, most: 0 }
    }
}

impl<P: Protocol> Sink<P> for Collect<P> {
    fn put(&mut self, effect: Effect<P>) {
        self.effects.push(effect);
    }

    fn choose(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "cannot choose from nothing");
        if self.next == self.script.len() {
            self.script.push(Choice { index: 0, bound, most: self.most });
        }
        let choice = &self.script[self.next];
        assert_eq!(
            choice.bound, bound,
            "a handler is not deterministic: the same step chose from another number"
        );
        self.next += 1;
        choice.value()
    }
}
