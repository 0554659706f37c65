//! The handle through which a process acts.

use crate::{Channel, Effect, OpId, ProcessId, Protocol, Sink, Span, Time};

/// Everything that a handler may see and do besides its own state and input.
pub struct Cx<'a, P: Protocol> {
    pub(crate) me: ProcessId,
    pub(crate) now: Time,
    pub(crate) config: &'a P::Config,
    pub(crate) sink: &'a mut dyn Sink<P>,
}

impl<'a, P: Protocol> Cx<'a, P> {
    /// A handle for one handler call; runtimes make it, protocols receive it.
    #[inline]
    pub fn new(me: ProcessId, now: Time, config: &'a P::Config, sink: &'a mut dyn Sink<P>) -> Self {
        Self { me, now, config, sink }
    }

    /// This process.
    #[inline]
    pub fn me(&self) -> ProcessId {
        self.me
    }

    /// The local clock, which may drift and be wrong.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// What all processes share.
    #[inline]
    pub fn config(&self) -> &'a P::Config {
        self.config
    }

    /// Sends `msg` to `to` over a stream: in order, without loss while the stream holds.
    #[inline]
    pub fn send(&mut self, to: ProcessId, msg: P::Msg) {
        self.send_by(Channel::Stream, to, msg);
    }

    /// Sends `msg` to `to` as a datagram, which may be lost, doubled and overtaken.
    #[inline]
    pub fn cast(&mut self, to: ProcessId, msg: P::Msg) {
        self.send_by(Channel::Datagram, to, msg);
    }

    /// Sends `msg` to `to` over the kind of channel that a configuration names.
    #[inline]
    pub fn send_by(&mut self, channel: Channel, to: ProcessId, msg: P::Msg) {
        self.sink.put(Effect::Send { to, msg, channel });
    }

    /// Keeps a stream to `peer`, so that its breaking is reported without anything being sent.
    pub fn watch(&mut self, peer: ProcessId) {
        self.sink.put(Effect::Watch { peer });
    }

    /// Ends what [`watch`](Self::watch) began.
    pub fn unwatch(&mut self, peer: ProcessId) {
        self.sink.put(Effect::Unwatch { peer });
    }

    /// Arms `timer` to be due when `after` has passed on the local clock, instead of any earlier arming.
    #[inline]
    pub fn arm(&mut self, timer: P::Timer, after: Span) {
        self.sink.put(Effect::Arm { timer, after });
    }

    /// Disarms `timer`; nothing happens if it is not armed.
    #[inline]
    pub fn disarm(&mut self, timer: P::Timer) {
        self.sink.put(Effect::Disarm { timer });
    }

    /// Appends `record` to the durable log. All that is emitted afterwards, in this or a later step, waits
    /// until the record is on disk; a crash before that drops both.
    pub fn persist(&mut self, record: P::Record) {
        self.sink.put(Effect::Persist { record });
    }

    /// Answers the operation `id`.
    pub fn reply(&mut self, id: OpId, reply: P::Reply) {
        self.sink.put(Effect::Reply { id, reply });
    }

    /// Tells the layer above that `event` happened.
    #[inline]
    pub fn emit(&mut self, event: P::Event) {
        self.sink.put(Effect::Emit { event });
    }

    /// A number in `0..bound`.
    ///
    /// # Panics
    /// When `bound` is zero.
    #[inline]
    pub fn choose(&mut self, bound: u32) -> u32 {
        if bound == 1 { 0 } else { self.sink.choose(bound) }
    }

    /// One of `items`, or none if there are none.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        if items.is_empty() { None } else { Some(&items[self.choose(items.len() as u32) as usize]) }
    }

    /// Puts `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = items.len();
        self.sample(items, count);
    }

    /// Moves `count` of `items`, chosen at random and in random order, to the front, and returns them; all of
    /// them if there are fewer.
    pub fn sample<'i, T>(&mut self, items: &'i mut [T], count: usize) -> &'i mut [T] {
        let count = count.min(items.len());
        for index in 0..count.min(items.len().saturating_sub(1)) {
            let other = index + self.choose((items.len() - index) as u32) as usize;
            items.swap(index, other);
        }
        &mut items[..count]
    }

    /// True in `numerator` of `denominator` cases.
    ///
    /// # Panics
    /// When `denominator` is zero.
    pub fn chance(&mut self, numerator: u32, denominator: u32) -> bool {
        self.choose(denominator) < numerator
    }
}
