//! Histories of simulated runs.

use isles_history::{Entry, History};
use isles_kernel::{OpId, ProcessId, Protocol, Time};

use crate::observer::Observer;

/// Records what clients invoked and were answered, and which processes crashed: what checkers judge.
#[derive(Debug)]
pub struct Recorder<P: Protocol> {
    history: History<P::Op, P::Reply>,
    stray: u64,
}

impl<P: Protocol> Default for Recorder<P> {
    fn default() -> Self {
        Self { history: History::default(), stray: 0 }
    }
}

impl<P: Protocol> Recorder<P> {
    /// What was recorded.
    pub fn history(&self) -> &History<P::Op, P::Reply> {
        &self.history
    }

    /// Answers to operations that were not open: a protocol that answers twice is wrong.
    pub fn stray_replies(&self) -> u64 {
        self.stray
    }

    fn push(&mut self, entry: Entry<P::Op, P::Reply>) {
        if self.history.push(entry).is_err() {
            self.stray += 1;
        }
    }
}

impl<P: Protocol> Observer<P> for Recorder<P> {
    fn on_invoke(&mut self, time: Time, process: ProcessId, id: OpId, op: &P::Op) {
        self.push(Entry::Invoke { time, process, id, op: op.clone() });
    }

    fn on_reply(&mut self, time: Time, process: ProcessId, id: OpId, reply: &P::Reply) {
        self.push(Entry::Return { time, process, id, reply: reply.clone() });
    }

    fn on_crash(&mut self, time: Time, process: ProcessId) {
        self.push(Entry::Crash { time, process });
    }
}
