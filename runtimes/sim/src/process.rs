//! What the simulator keeps for each process besides its state.

use std::collections::VecDeque;

use isles_kernel::{Effect, Protocol};

/// A process of the run; begins at a cache line, so that a small one is fetched at once.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Slot<P: Protocol> {
    /// None before the first start. Kept after a crash, for a restart with memory.
    pub(crate) state: Option<P>,
    pub(crate) own: Own<P>,
}

#[derive(Clone)]
pub(crate) struct Own<P: Protocol> {
    /// Numbers what the process sends and arms.
    pub(crate) seq: u32,
    /// How many crashes and restarts the run had seen when the process started.
    pub(crate) epoch: u32,
    pub(crate) status: Status,
    /// Armed timers, each with the sequence number of its event; [`OVERDUE`] if that came while the process was
    /// down.
    pub(crate) timers: Vec<(P::Timer, u32)>,
    /// None until the first record.
    pub(crate) disk: Option<Box<DiskState<P>>>,
}

/// The sequence number of no event.
pub(crate) const OVERDUE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    NotStarted,
    Up,
    Paused,
    Down,
}

/// A process's log, and the effects that wait for it.
#[derive(Clone)]
pub(crate) struct DiskState<P: Protocol> {
    /// Invariant: the first `durable` records survive any crash.
    pub(crate) log: Vec<P::Record>,
    pub(crate) durable: usize,
    /// Records that the write under way will make durable; none when the disk is idle.
    pub(crate) writing: Option<usize>,
    /// Effects in order of emission; each waits until so many records are durable.
    pub(crate) waiting: VecDeque<(usize, Effect<P>)>,
    /// Writes finished.
    pub(crate) syncs: u32,
}

impl<P: Protocol> Default for DiskState<P> {
    fn default() -> Self {
        Self { log: Vec::new(), durable: 0, writing: None, waiting: VecDeque::new(), syncs: 0 }
    }
}

impl<P: Protocol> Own<P> {
    pub(crate) const fn new() -> Self {
        Self { seq: 0, epoch: 0, status: Status::NotStarted, timers: Vec::new(), disk: None }
    }

    /// The next sequence number.
    #[inline]
    pub(crate) fn number(&mut self) -> u32 {
        let seq = self.seq;
        self.seq = seq
            .checked_add(1)
            .filter(|next| *next != OVERDUE)
            .expect("a process sends fewer than 2^32 messages");
        seq
    }

    /// Disarms the timer whose event this is; none if it was re-armed or disarmed since.
    #[inline]
    pub(crate) fn take_timer(&mut self, seq: u32) -> Option<P::Timer> {
        let index = self.timers.iter().position(|(_, armed)| *armed == seq)?;
        Some(self.timers.swap_remove(index).0)
    }
}
