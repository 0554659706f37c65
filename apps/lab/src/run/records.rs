//! What a run leaves behind for other tools, one JSON object a line.

use std::io::Write;

use isles_kernel::{ProcessId, Time};
use serde::Serialize;

use super::outcome::SeedOutcome;
use super::seen::{Episode, Sent};
use crate::report::folder::{Folder, WriteError};

/// A line of `trace.jsonl`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Step<'a> {
    /// A message left its sender; without an arrival it is lost.
    Send(&'a Sent),
    /// A process had the payload for the first time, or joined the tree.
    Deliver { time: Time, process: ProcessId },
}

/// Writes `history.jsonl`, what clients asked and were answered, and, if messages were recorded, `trace.jsonl`: those
/// around the first broadcast after the warm-up, or the beginning of a tree, in order of time.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(outcome: &SeedOutcome, folder: &Folder) -> Result<(), WriteError> {
    let mut history = folder.draft("history.jsonl")?;
    let (written, episode) = match outcome {
        SeedOutcome::Gossip(outcome) => (outcome.history.write(&mut history), &outcome.episode),
        SeedOutcome::Tree(outcome) => (outcome.history.write(&mut history), &outcome.episode),
    };
    written.and_then(|()| history.flush()).map_err(|e| history.encode_error(e))?;
    history.finish()?;
    if let Some(episode) = episode {
        folder.write_lines("trace.jsonl", steps(episode))?;
    }
    Ok(())
}

fn steps(episode: &Episode) -> Vec<Step<'_>> {
    let delivered = |&(time, process): &(Time, ProcessId)| (time, Step::Deliver { time, process });
    let mut steps: Vec<(Time, Step<'_>)> = episode.deliveries.iter().map(delivered).collect();
    steps.extend(episode.messages.iter().map(|sent| (sent.at, Step::Send(sent))));
    // Whoever delivers, delivers before it forwards.
    steps.sort_by_key(|(time, _)| *time);
    steps.into_iter().map(|(_, step)| step).collect()
}
