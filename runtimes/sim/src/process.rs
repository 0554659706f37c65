//! What the simulator keeps for each process besides its state.

use std::collections::VecDeque;

use isles_kernel::{Effect, Protocol};

use crate::timers::Timers;

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
    pub(crate) timers: Timers<P::Timer>,
    /// None until the first record.
    pub(crate) disk: Option<Box<DiskState<P>>>,
}

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
    /// How many records a restart from the disk finds, while the process is down. A restart from memory finds all.
    pub(crate) survived: Option<usize>,
}

impl<P: Protocol> Default for DiskState<P> {
    fn default() -> Self {
        Self {
            log: Vec::new(),
            durable: 0,
            writing: None,
            waiting: VecDeque::new(),
            syncs: 0,
            survived: None,
        }
    }
}

impl<P: Protocol> Own<P> {
    pub(crate) const fn new() -> Self {
        Self { seq: 0, epoch: 0, status: Status::NotStarted, timers: Timers::new(), disk: None }
    }

    /// The next sequence number.
    #[inline]
    pub(crate) fn number(&mut self) -> u32 {
        next(&mut self.seq)
    }
}

/// The next of a process's sequence numbers.
#[inline]
pub(crate) fn next(seq: &mut u32) -> u32 {
    let number = *seq;
    *seq = number.checked_add(1).expect("a process sends fewer than 2^32 messages");
    number
}

impl<P: Protocol> DiskState<P> {
    /// The records that a restart would find.
    pub(crate) fn found(&self) -> &[P::Record] {
        &self.log[..self.survived.unwrap_or(self.durable)]
    }

    /// The disk as a restart finds it; returns its records.
    pub(crate) fn recover(&mut self) -> Vec<P::Record> {
        let found = self.found().len();
        *self = Self { syncs: self.syncs, log: std::mem::take(&mut self.log), ..Self::default() };
        self.log.truncate(found);
        std::mem::take(&mut self.log)
    }
}
