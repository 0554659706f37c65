//! A run in which nothing goes wrong: how processes come to the moment in which an exploration begins.
//!
//! Everything arrives in the order of sending, of each choice the first value is taken, records are on disk at once, and no timer
//! fires by itself. What is explored from there is every behaviour; how it came there is one.

use std::collections::VecDeque;
use std::sync::Arc;

use isles_explore::{Moment, Scenario, Standing, Underway};
use isles_kernel::{Cx, Effect, OpId, ProcessId, Protocol, Sink, Time};

/// No run of a few processes is longer.
const DELIVERIES_MAX: u32 = 100_000;

/// Processes on their way to a moment.
pub struct Stage<P: Protocol> {
    config: Arc<P::Config>,
    processes: Vec<Standing<P>>,
    underway: VecDeque<Underway<P>>,
    operations: u64,
}

/// What one step of a process does to it and to the rest.
struct Hand<'a, P: Protocol> {
    me: ProcessId,
    timers: &'a mut Vec<P::Timer>,
    log: &'a mut Vec<P::Record>,
    watched: &'a mut Vec<ProcessId>,
    underway: &'a mut VecDeque<Underway<P>>,
}

impl<P: Protocol> Sink<P> for Hand<'_, P> {
    fn put(&mut self, effect: Effect<P>) {
        match effect {
            Effect::Send { to, channel, msg } => {
                self.underway.push_back(Underway { from: self.me, to, channel, msg });
            }
            Effect::Watch { peer } => {
                if !self.watched.contains(&peer) {
                    self.watched.push(peer);
                }
            }
            Effect::Unwatch { peer } => self.watched.retain(|other| *other != peer),
            Effect::Arm { timer, .. } => {
                self.timers.retain(|other| *other != timer);
                self.timers.push(timer);
            }
            Effect::Disarm { timer } => self.timers.retain(|other| *other != timer),
            Effect::Persist { record } => self.log.push(record),
            Effect::Reply { .. } | Effect::Emit { .. } => {}
        }
    }

    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}

impl<P: Protocol> Stage<P> {
    /// So many processes, started in the order of their ids.
    pub fn new(processes: u32, config: impl Into<Arc<P::Config>>) -> Self {
        let mut stage = Self {
            config: config.into(),
            processes: Vec::new(),
            underway: VecDeque::new(),
            operations: u64::from(u32::MAX),
        };
        for process in (0..processes).map(ProcessId) {
            let (mut timers, mut log, mut watched) = (Vec::new(), Vec::new(), Vec::new());
            let mut hand = Hand {
                me: process,
                timers: &mut timers,
                log: &mut log,
                watched: &mut watched,
                underway: &mut stage.underway,
            };
            let state = Some(P::start(&mut Cx::new(process, Time::ZERO, &*stage.config, &mut hand), &[]));
            stage.processes.push(Standing { process, state, timers, log, watched });
        }
        stage
    }

    /// The process, if it is there.
    pub fn process(&self, process: ProcessId) -> Option<&P> {
        self.processes.get(process.index())?.state.as_ref()
    }

    /// A client asks something; what it is answered is lost.
    pub fn ask(&mut self, at: ProcessId, op: P::Op) {
        self.operations -= 1;
        let id = OpId(self.operations << 32);
        self.step(at, |process, cx| process.on_op(cx, id, op));
    }

    /// A timer fires, if it is armed.
    pub fn fire(&mut self, at: ProcessId, timer: &P::Timer) {
        let Some(standing) = self.processes.get_mut(at.index()) else { return };
        if let Some(place) = standing.timers.iter().position(|other| other == timer) {
            let timer = standing.timers.remove(place);
            self.step(at, |process, cx| process.on_timer(cx, timer));
        }
    }

    /// Delivers so many messages, in the order of sending, or all that there are.
    pub fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let Some(Underway { from, to, msg, .. }) = self.underway.pop_front() else { return };
            self.step(to, |process, cx| process.on_message(cx, from, msg));
        }
    }

    /// Delivers everything, and what follows from it, in the order of sending.
    ///
    /// # Panics
    /// When that does not end.
    pub fn settle(&mut self) {
        self.settle_without(|_, _| false);
    }

    /// Delivers everything but what is lost, given its receiver.
    ///
    /// # Panics
    /// When that does not end.
    pub fn settle_without(&mut self, is_lost: impl Fn(ProcessId, &P::Msg) -> bool) {
        for _ in 0..DELIVERIES_MAX {
            let Some(Underway { from, to, msg, .. }) = self.underway.pop_front() else { return };
            if !is_lost(to, &msg) {
                self.step(to, |process, cx| process.on_message(cx, from, msg));
            }
        }
        panic!("after {DELIVERIES_MAX} deliveries something is still under way");
    }

    /// The exploration of what may happen from here on.
    pub fn scenario(self) -> Scenario<P> {
        let moment = Moment { now: Time::ZERO, processes: self.processes, underway: self.underway.into() };
        Scenario::lifted(self.config, moment)
    }

    fn step(&mut self, at: ProcessId, step: impl FnOnce(&mut P, &mut Cx<'_, P>)) {
        let Some(Standing { state: Some(state), timers, log, watched, .. }) =
            self.processes.get_mut(at.index())
        else {
            return;
        };
        let mut hand = Hand { me: at, timers, log, watched, underway: &mut self.underway };
        step(state, &mut Cx::new(at, Time::ZERO, &*self.config, &mut hand));
    }
}
