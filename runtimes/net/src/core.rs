//! A process and what its handlers act upon. Nothing here waits.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use isles_kernel::random::Stream;
use isles_kernel::{Channel, Cx, Effect, OpId, ProcessId, Protocol, Sink};

use crate::clock::{Clock, instant};
use crate::disk::Disk;
use crate::input::Input;
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::recording::Recorder;
use crate::timers::Timers;

/// The process.
#[derive(Debug)]
pub(crate) struct Core<P: Protocol> {
    /// None until it has started.
    state: Option<P>,
    config: Arc<P::Config>,
    pub(crate) own: Own<P>,
}

/// What handlers act upon.
#[derive(Debug)]
pub(crate) struct Own<P: Protocol> {
    me: ProcessId,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers<P::Timer>,
    pub(crate) disk: Disk<P>,
    pub(crate) out: Outbound,
    /// Messages to itself.
    local: VecDeque<(Channel, P::Msg)>,
    /// Answers that nobody has been given yet.
    pub(crate) replies: Vec<(OpId, P::Reply)>,
    pub(crate) events: Vec<P::Event>,
    entropy: Stream,
    pub(crate) recorder: Option<Recorder>,
    metrics: Rc<Metrics>,
}

impl<P: Protocol> Core<P> {
    pub(crate) fn new(config: Arc<P::Config>, out: Outbound, disk: Disk<P>, seed: u64) -> Self {
        let own = Own {
            me: out.me,
            clock: Clock::default(),
            timers: Timers::new(),
            disk,
            local: VecDeque::new(),
            replies: Vec::new(),
            events: Vec::new(),
            entropy: Stream::new(seed, &[]),
            recorder: None,
            metrics: Rc::clone(&out.metrics),
            out,
        };
        Self { state: None, config, own }
    }

    /// The process's state, once it has started.
    pub(crate) const fn state(&self) -> Option<&P> {
        self.state.as_ref()
    }

    /// Lets something happen, and then all that the process sends itself.
    pub(crate) fn step(&mut self, input: Input<P>) {
        self.happen(input);
        while let Some((channel, msg)) = self.own.local.pop_front() {
            self.happen(Input::Message { from: self.own.me, channel, msg });
        }
    }

    fn happen(&mut self, input: Input<P>) {
        let now = self.own.clock.now();
        if let Some(recorder) = &mut self.own.recorder {
            recorder.begin(now, &input);
        }
        let me = self.own.me;
        if let Input::Start { log } = &input {
            let mut cx = Cx::new(me, now, &*self.config, &mut self.own);
            self.state = Some(P::start(&mut cx, log));
        } else if let Some(state) = &mut self.state {
            let mut cx = Cx::new(me, now, &*self.config, &mut self.own);
            match input {
                Input::Start { .. } => {}
                Input::Message { from, msg, .. } => state.on_message(&mut cx, from, msg),
                Input::Timer { timer } => state.on_timer(&mut cx, timer),
                Input::Op { id, op } => state.on_op(&mut cx, id, op),
                Input::Unreachable { peer } => state.on_unreachable(&mut cx, peer),
                Input::Durable { records } => self.own.durable(records),
            }
        }
        if let Some(recorder) = &mut self.own.recorder {
            recorder.end();
        }
    }

    /// Gives the log's writer what has come together.
    pub(crate) fn write(&mut self) {
        let state = &self.state;
        self.own.disk.write(|| state.as_ref().and_then(P::snapshot));
    }
}

impl<P: Protocol> Sink<P> for Own<P> {
    #[inline]
    fn put(&mut self, effect: Effect<P>) {
        if self.disk.holds() && !matches!(effect, Effect::Persist { .. }) {
            self.disk.hold(effect);
        } else {
            self.perform(effect);
        }
    }

    #[inline]
    fn choose(&mut self, bound: u32) -> u32 {
        let choice = self.entropy.below(bound);
        if let Some(recorder) = &mut self.recorder {
            recorder.choices.push(choice);
        }
        choice
    }
}

impl<P: Protocol> Own<P> {
    /// What was recorded is in the file before anybody hears of it: a process that is killed leaves a recording that goes as far as
    /// others know.
    #[inline]
    pub(crate) fn keep_recording(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        if let Err(error) = recorder.flush() {
            tracing::error!(%error, "the recording cannot be written: it ends here");
            self.recorder = None;
        }
    }

    fn durable(&mut self, records: u64) {
        self.disk.is_durable_now(records);
        while let Some(effect) = self.disk.release() {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect<P>) {
        match effect {
            Effect::Send { to, msg, channel } => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.done.send(to, &msg);
                }
                if to == self.me {
                    self.local.push_back((channel, msg));
                } else {
                    self.out.send(to, channel, &msg);
                }
            }
            Effect::Reply { id, reply } => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.done.reply(id, &reply);
                }
                self.replies.push((id, reply));
            }
            Effect::Emit { event } => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.done.event(&event);
                }
                self.events.push(event);
            }
            Effect::Persist { record } => {
                self.metrics.records.inc();
                self.disk.persist(&record);
            }
            Effect::Arm { timer, after } => {
                let longest = Duration::from_secs(u64::from(u32::MAX));
                self.timers.arm(timer, instant() + Duration::from_nanos(after.0).min(longest));
            }
            Effect::Disarm { timer } => self.timers.disarm(&timer),
            Effect::Watch { peer } => self.out.watch(peer, true),
            Effect::Unwatch { peer } => self.out.watch(peer, false),
        }
    }
}
