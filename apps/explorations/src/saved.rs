//! A saved behaviour: a line that says of which exploration it is, and the steps as the explorer writes them.

use serde::{Deserialize, Serialize};

use crate::case::{CaseError, Replayed};
use crate::exploration::{Refused, open};
use crate::plan::Plan;

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    format: String,
    version: u32,
    plan: Plan,
}

const FORMAT: &str = "isles-exploration";

/// Why a saved behaviour cannot be replayed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// It is no saved behaviour.
    #[error("line 1: {0}; is it a file that `isles explore --out` wrote?")]
    Heading(String),
    /// There is no such exploration any more, or not with these parameters.
    #[error("line 1: {0}")]
    Refused(#[from] Refused),
    /// The steps are no behaviour of it.
    #[error("after the first line: {0}")]
    Steps(#[from] CaseError),
}

/// The plan and the steps as one text.
pub(crate) fn write(plan: &Plan, steps: &str) -> String {
    let heading = Heading { format: FORMAT.to_owned(), version: 1, plan: plan.clone() };
    let mut text = serde_json::to_string(&heading).expect("plain data");
    text.push('\n');
    text.push_str(steps);
    text
}

/// The plan of a saved behaviour, and where its steps begin.
///
/// # Errors
/// When the first line is no heading.
pub fn read(text: &str) -> Result<(Plan, &str), SavedError> {
    let (first, steps) = text.split_once('\n').unwrap_or((text, ""));
    if first.len() > isles_explore::LINE_BYTES_MAX {
        return Err(SavedError::Heading(format!("it has {} bytes", first.len())));
    }
    let heading: Heading =
        serde_json::from_str(first).map_err(|error| SavedError::Heading(error.to_string()))?;
    if heading.format != FORMAT || heading.version != 1 {
        return Err(SavedError::Heading(format!("{} {} is not {FORMAT} 1", heading.format, heading.version)));
    }
    Ok((heading.plan, steps))
}

/// Replays a saved behaviour.
///
/// # Errors
/// When it is none, or a step of it is not possible or has another outcome than is written.
pub fn replay(text: &str) -> Result<(Plan, Replayed), SavedError> {
    let (plan, steps) = read(text)?;
    let replayed = open(&plan)?.replay(&plan, steps)?;
    Ok((plan, replayed))
}
