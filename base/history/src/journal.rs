//! Histories that are written as they happen.

use std::io::{Error, Write};

use hashbrown::HashSet;
use isles_kernel::OpId;
use rustc_hash::FxBuildHasher;
use serde::Serialize;

use crate::Entry;

/// Writes entries as JSON lines at once; keeps only which operations are open.
///
/// ```
/// use isles_history::{Entry, Journal};
/// use isles_kernel::{OpId, ProcessId, Time};
///
/// let mut journal = Journal::new(Vec::new());
/// let (process, id) = (ProcessId(0), OpId(1));
/// journal.write(&Entry::<_, u32>::Invoke { time: Time(10), process, id, op: "read" });
/// journal.write(&Entry::<&str, _>::Return { time: Time(25), process, id, reply: 7 });
/// journal.write(&Entry::<&str, _>::Return { time: Time(26), process, id, reply: 7 });
/// let (text, stray) = journal.finish()?;
/// assert_eq!((text.iter().filter(|byte| **byte == b'\n').count(), stray), (2, 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Journal<W> {
    out: W,
    open: HashSet<OpId, FxBuildHasher>,
    stray: u64,
    failed: Option<Error>,
}

impl<W: Write> Journal<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, open: HashSet::default(), stray: 0, failed: None }
    }

    /// Writes what happened next; an answer to an operation that is not open is counted instead. After a failure nothing is written.
    pub fn write<Op: Serialize, Reply: Serialize>(&mut self, entry: &Entry<Op, Reply>) {
        let fits = match entry {
            Entry::Invoke { id, .. } => self.open.insert(*id),
            Entry::Return { id, .. } | Entry::Fail { id, .. } | Entry::Unknown { id, .. } => {
                self.open.remove(id)
            }
            Entry::Crash { .. } => true,
        };
        if !fits {
            self.stray += 1;
        } else if self.failed.is_none() {
            self.failed = entry.write(&mut self.out).err();
        }
    }

    /// What was written to, and how many entries did not fit those before.
    ///
    /// # Errors
    /// The first failure.
    pub fn finish(mut self) -> std::io::Result<(W, u64)> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| (self.out, self.stray)),
        }
    }
}
