//! Histories of simulated runs.

use std::io::Write;

use isles_history::{Entry, History, Journal};
use isles_kernel::{OpId, ProcessId, Protocol, Time};
use serde::Serialize;

use crate::observer::Observer;

/// Records what clients invoked and were answered, and which processes crashed: what checkers judge.
#[derive(Debug)]
pub struct Recorder<P: Protocol> {
    history: History<P::Op, P::Reply>,
    stray: u64,
    /// Entries kept at most.
    room: usize,
    /// Entries that found no room.
    left_out: u64,
}

impl<P: Protocol> Default for Recorder<P> {
    fn default() -> Self {
        Self::with_room(usize::MAX)
    }
}

impl<P: Protocol> Recorder<P> {
    /// One that keeps the first `entries` entries and counts the others. The history is then that of the beginning of the run: what
    /// was open at its end is of unknown outcome, and a verdict on it is one on that beginning.
    pub fn with_room(entries: usize) -> Self {
        Self { history: History::default(), stray: 0, room: entries, left_out: 0 }
    }

    /// What was recorded.
    pub fn history(&self) -> &History<P::Op, P::Reply> {
        &self.history
    }

    /// Answers to operations that were not open: a protocol that answers twice is wrong.
    pub fn stray_replies(&self) -> u64 {
        self.stray
    }

    /// Entries that found no room: the history ends before the run if there are any.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn push(&mut self, entry: Entry<P::Op, P::Reply>) {
        // Once one is left out the others are, too: a history with holes would be another one.
        if self.left_out > 0 || self.history.entries().len() >= self.room {
            self.left_out += 1;
        } else if self.history.push(entry).is_err() {
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

/// Writes the history of a run as it happens, in memory that depends on the open operations alone.
#[derive(Debug)]
pub struct Recording<W> {
    journal: Journal<W>,
}

impl<W: Write> Recording<W> {
    /// Writes JSON lines to `out`.
    pub fn new(out: W) -> Self {
        Self { journal: Journal::new(out) }
    }

    /// What was written to, and how many answers came to operations that were not open.
    ///
    /// # Errors
    /// When something could not be written; nothing was written after that.
    pub fn finish(self) -> std::io::Result<(W, u64)> {
        self.journal.finish()
    }
}

impl<P: Protocol, W: Write> Observer<P> for Recording<W>
where
    P::Op: Serialize,
    P::Reply: Serialize,
{
    fn on_invoke(&mut self, time: Time, process: ProcessId, id: OpId, op: &P::Op) {
        self.journal.write::<&P::Op, &P::Reply>(&Entry::Invoke { time, process, id, op });
    }

    fn on_reply(&mut self, time: Time, process: ProcessId, id: OpId, reply: &P::Reply) {
        self.journal.write::<&P::Op, &P::Reply>(&Entry::Return { time, process, id, reply });
    }

    fn on_crash(&mut self, time: Time, process: ProcessId) {
        self.journal.write::<&P::Op, &P::Reply>(&Entry::Crash { time, process });
    }
}
