//! Processes that may be exchanged: of states that differ only by who is who, one is enough.

use isles_kernel::{ProcessId, Protocol};

use crate::scenario::Scenario;
use crate::space::{Need, Space};
use crate::action::Action;
use crate::state::State;

/// A protocol that says how its parts look when processes are exchanged.
pub trait Rename: Protocol {
    /// This state with all ids renamed.
    #[must_use]
    fn rename(&self, by: &Renaming) -> Self;
    /// A message with all ids renamed.
    fn rename_msg(msg: &Self::Msg, by: &Renaming) -> Self::Msg;
    /// A timer with all ids renamed; as it is, unless timers name processes.
    fn rename_timer(timer: &Self::Timer, by: &Renaming) -> Self::Timer {
        let _ = by;
        timer.clone()
    }
    /// A record with all ids renamed; as it is, unless records name processes.
    fn rename_record(record: &Self::Record, by: &Renaming) -> Self::Record {
        let _ = by;
        record.clone()
    }
}

/// Who is called how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renaming(Vec<ProcessId>);

impl Renaming {
    /// The new name of a process.
    pub fn of(&self, process: ProcessId) -> ProcessId {
        self.0.get(process.index()).copied().unwrap_or(process)
    }
}

/// Processes that behave alike.
pub struct Symmetry<P: Protocol> {
    processes: Vec<ProcessId>,
    phantom: std::marker::PhantomData<fn(P)>,
}

impl<P: Rename> Symmetry<P> {
    pub(crate) fn new(processes: impl IntoIterator<Item = ProcessId>) -> Self {
        Self { processes: processes.into_iter().collect(), phantom: std::marker::PhantomData }
    }
}
impl<P: Protocol> Symmetry<P> {
    pub(crate) fn flaw(&self, _: &Scenario<P>) -> Option<String> {
        None
    }
}

impl<P: Protocol> Space<P> {
    #[inline]
    pub(crate) fn fingerprints(
        &self,
        state: State<'_>,
        scratch: &mut Vec<u32>,
        each: impl FnMut(Action, u64),
    ) -> Result<(), Need> {
        self.successors(state, scratch, each)
    }
    pub(crate) fn is_symmetric(&self) -> bool {
        false
    }
    pub(crate) fn fingerprint(&self, words: &[u32]) -> Result<u64, Need> {
        Ok(self.state(words).fingerprint())
    }
}
