//! What must hold of all processes of Plumtree together.

use std::collections::BTreeMap;
use std::fmt;

use isles_kernel::ProcessId;

use super::Plumtree;
use crate::broadcast::MessageId;

/// Why eager links are no spanning tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// A link is eager at one end only.
    Asymmetric {
        /// This end sends payloads.
        from: ProcessId,
        /// This end does not.
        to: ProcessId,
    },
    /// There are not as many eager links as a tree has: one fewer than processes.
    Links {
        /// How many there are.
        count: usize,
        /// Of so many processes.
        processes: usize,
    },
    /// Eager links do not connect all processes.
    Disconnected {
        /// One that the first process does not reach.
        process: ProcessId,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asymmetric { from, to } => write!(f, "the link of {from} and {to} is eager at {from} only"),
            Self::Links { count, processes } => {
                write!(f, "{count} eager links between {processes} processes are no tree")
            }
            Self::Disconnected { process } => write!(f, "no eager path leads to {process}"),
        }
    }
}

impl std::error::Error for Flaw {}

/// Whether the eager links between these processes are a spanning tree: eager at both ends, one fewer than
/// processes, and connected. To be asked when nothing is under way. Links to others, crashed ones say, do not count.
///
/// # Errors
/// With the first flaw, in the order of process ids.
///
/// # Complexity
/// O(l log n) for n processes with l links.
pub fn eager_links_form_tree<'a>(
    processes: impl IntoIterator<Item = (ProcessId, &'a Plumtree)>,
) -> Result<(), Flaw> {
    let processes: BTreeMap<ProcessId, &Plumtree> = processes.into_iter().collect();
    let mut ends = 0;
    for (&from, process) in &processes {
        for (to, other) in process.eager().filter_map(|to| Some((to, processes.get(&to)?))) {
            if !other.eager().any(|back| back == from) {
                return Err(Flaw::Asymmetric { from, to });
            }
            ends += 1;
        }
    }
    if ends / 2 + 1 != processes.len().max(1) {
        return Err(Flaw::Links { count: ends / 2, processes: processes.len() });
    }
    let mut unreached: BTreeMap<ProcessId, &Plumtree> = processes;
    let mut frontier: Vec<&Plumtree> =
        unreached.pop_first().map(|(_, process)| process).into_iter().collect();
    while let Some(process) = frontier.pop() {
        frontier.extend(process.eager().filter_map(|peer| unreached.remove(&peer)));
    }
    match unreached.first_key_value() {
        Some((&process, _)) => Err(Flaw::Disconnected { process }),
        None => Ok(()),
    }
}

/// Whether all these processes had the message; otherwise the first that had not, in the order given.
///
/// # Errors
/// With the process that misses it.
pub fn delivered_everywhere<'a>(
    processes: impl IntoIterator<Item = (ProcessId, &'a Plumtree)>,
    id: MessageId,
) -> Result<(), ProcessId> {
    match processes.into_iter().find(|(_, process)| !process.delivered(id)) {
        Some((process, _)) => Err(process),
        None => Ok(()),
    }
}
