//! What is seen of a run, whatever the protocol: counters, neighbours, the messages of an episode.

use isles_kernel::{ProcessId, Span, Time};
use isles_sim::Counters;
use serde::Serialize;

/// How long the recorded episode may last.
pub(super) const EPISODE: Span = Span::secs(2);
/// A recorded episode has at most so many messages.
pub(super) const EPISODE_MAX: usize = 200_000;

/// The counters at one instant.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: Time,
    /// Processes that are up.
    pub live: u32,
    /// What changed so far: neighbours of a gossip protocol, members of a tree.
    pub changes: u64,
    /// The simulator's counters.
    pub counters: Counters,
}

/// A process and its neighbours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Neighbors {
    /// The process.
    pub process: ProcessId,
    /// Its neighbours, and whether payloads go to each of them unasked: links of a tree.
    pub peers: Vec<(ProcessId, bool)>,
}

/// All messages around one broadcast, or the beginning of a tree.
#[derive(Clone, Debug)]
pub struct Episode {
    /// Who began.
    pub origin: ProcessId,
    /// When.
    pub at: Time,
    /// Messages, by instant of sending.
    pub messages: Vec<Sent>,
    /// First deliveries, or members of a tree, by instant.
    pub deliveries: Vec<(Time, ProcessId)>,
}

/// A message of the recorded episode.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sent {
    /// When it left.
    #[serde(rename = "time")]
    pub at: Time,
    /// From whom.
    pub from: ProcessId,
    /// To whom.
    pub to: ProcessId,
    /// When it arrives; none if it is lost.
    pub arrival: Option<Time>,
    /// Its kind, as the kernel's meter names it.
    pub kind: String,
}
