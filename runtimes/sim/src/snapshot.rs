//! What a run is in the middle of: for whoever takes it up elsewhere.

use isles_kernel::{Channel, ProcessId, Protocol};

use crate::event::{Body, Event};
use crate::simulation::Simulation;
use crate::timers::Timers;

/// A message that is under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flight<P: Protocol> {
    /// Its sender.
    pub from: ProcessId,
    /// Its receiver.
    pub to: ProcessId,
    /// How it travels.
    pub channel: Channel,
    /// What it says.
    pub msg: P::Msg,
}

impl<P: Protocol> Simulation<P> {
    /// Messages under way to those processes, in the order in which they will arrive; what waits for a paused process comes
    /// first. What a partition holds back is not there, nor what was sent over a stream to an earlier start of its receiver.
    ///
    /// # Complexity
    /// O(n log n) of all that is pending.
    pub fn underway(&self, to: impl Fn(ProcessId) -> bool) -> Vec<Flight<P>> {
        let mut flights = Vec::new();
        let held =
            self.held.keys(..).into_iter().filter_map(|process| self.held.get(process)).flatten().cloned();
        let mut queue = self.core.queue.clone();
        let pending = std::iter::from_fn(move || queue.pop_before(u64::MAX));
        for event in held.collect::<Vec<Event<P>>>().into_iter().chain(pending) {
            let (from, receiver) = (ProcessId(event.from), ProcessId(event.to));
            let begun = self.slots[receiver.index()].own.epoch;
            let (channel, msg) = match event.body {
                Body::Datagram(msg) => (Channel::Datagram, msg),
                Body::Stream(msg) if event.epoch >= begun => (Channel::Stream, msg),
                Body::Stream(_)
                | Body::Timer
                | Body::Op
                | Body::Unreachable
                | Body::Stalled
                | Body::Synced
                | Body::ChurnDown
                | Body::ChurnUp => continue,
            };
            if to(receiver) {
                flights.push(Flight { from, to: receiver, channel, msg });
            }
        }
        flights
    }

    /// The timers that a process has armed, in the order in which they are due.
    pub fn timers(&self, id: ProcessId) -> Vec<P::Timer> {
        let Some(slot) = self.slots.get(id.index()) else { return Vec::new() };
        let mut armed: Vec<(u64, u32, P::Timer)> = match &slot.own.timers {
            Timers::Few(list) => {
                list.iter().map(|(timer, armed)| (armed.due, armed.seq, timer.clone())).collect()
            }
            Timers::Many(index) => {
                index.armed().map(|(timer, armed)| (armed.due, armed.seq, timer.clone())).collect()
            }
        };
        armed.sort_by_key(|(due, seq, _)| (*due, *seq));
        armed.into_iter().map(|(_, _, timer)| timer).collect()
    }

    /// The processes whose streams a process watches, ascending.
    pub fn watched(&self, id: ProcessId) -> Vec<ProcessId> {
        let Some(slot) = self.slots.get(id.index()) else { return Vec::new() };
        let me = (id.0, slot.own.epoch);
        let watchers = (0..).zip(&self.core.streams.watchers);
        watchers.filter(|(_, list)| list.contains(&me)).map(|(peer, _)| ProcessId(peer)).collect()
    }
}
