//! Looking on without touching.

use isles_kernel::{OpId, ProcessId, Protocol, Time};

/// Someone who sees a run: measures, histories, diagrams. Nothing that an observer does changes the run.
///
/// Instants are the simulator's own, not those of the processes' clocks.
#[expect(unused_variables, reason = "every method may be left out")]
pub trait Observer<P: Protocol> {
    /// Whether [`on_send`](Self::on_send) and [`on_deliver`](Self::on_deliver) are wanted; asked at the start of each
    /// stretch of a run, since most observers only want events.
    fn sees_messages(&self) -> bool {
        false
    }

    /// A message left its sender. `arrival` is when it will reach the receiver, unless the receiver crashes;
    /// none if it is lost or stalled.
    fn on_send(&mut self, at: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &P::Msg) {}

    /// A message is handed to its receiver.
    fn on_deliver(&mut self, at: Time, from: ProcessId, to: ProcessId, msg: &P::Msg) {}

    /// A process told the layer above.
    fn on_event(&mut self, at: Time, process: ProcessId, event: &P::Event) {}

    /// An operation was invoked.
    fn on_invoke(&mut self, at: Time, process: ProcessId, id: OpId, op: &P::Op) {}

    /// An operation was answered.
    fn on_reply(&mut self, at: Time, process: ProcessId, id: OpId, reply: &P::Reply) {}

    /// A process started, for the first time or again.
    fn on_start(&mut self, at: Time, process: ProcessId) {}

    /// A process crashed.
    fn on_crash(&mut self, at: Time, process: ProcessId) {}
}

/// Nobody looks on.
impl<P: Protocol> Observer<P> for () {}
