//! Statements of the field as experiments, each with a control that must come out false.
//!
//! A verdict is computed from what the runs did. A claim whose control does not fail is reported as broken,
//! whatever its own runs say: a check that cannot fail proves nothing.

use std::fmt;

use serde::Serialize;

use crate::report::data::Chart;

mod caus;
mod con;
mod crdt;
mod curve;
mod ec;
mod experiment;
mod failure;
mod gos;
mod msg;
mod mus;
mod networks;
mod quo;
mod quo_transactions;
mod registry;
mod smw;
mod top;
mod tree;

pub use registry::all;

/// A statement, and the experiment that shows it.
pub struct Claim {
    /// Stable name, such as `GOS-03`.
    pub id: &'static str,
    /// The statement, one or two sentences.
    pub statement: &'static str,
    /// What is changed in the control, where the statement must come out false.
    pub control: &'static str,
    /// Where it comes from: paper and section.
    pub source: &'static str,
    /// Runs the experiment and its control.
    pub run: fn(&Effort) -> Result<Finding, String>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({})", self.id)
    }
}

/// How much an experiment may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Smaller and fewer runs, for tests: the verdicts must be the same, the figures are rougher.
    pub quick: bool,
    /// Threads for independent seeds; results do not depend on it.
    pub threads: usize,
}

/// What an experiment found.
#[derive(Clone, Default, Debug)]
pub struct Finding {
    /// Whether the statement came out true.
    pub holds: bool,
    /// Whether the control came out false, as it must.
    pub control_fails: bool,
    /// What was measured, in one line, the control's figures included.
    pub measured: String,
    /// What the source predicts, in one line.
    pub predicted: String,
    /// Curves worth looking at, for `isles claims --out`.
    pub charts: Vec<Chart>,
}

/// One line of `isles claims --json`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Verdict {
    /// The claim.
    pub id: &'static str,
    /// Whether the statement came out true.
    pub holds: bool,
    /// Whether the control came out false, as it must.
    pub control_fails: bool,
    /// What was measured.
    pub measured: String,
    /// What the source predicts.
    pub predicted: String,
    /// How long it took on the wall clock.
    pub seconds: f64,
}

impl Verdict {
    /// Whether the claim is shown: it holds, and its control does not.
    pub fn is_shown(&self) -> bool {
        self.holds && self.control_fails
    }
}

/// The claims whose id begins with one of `wanted` (ignoring case), all of them if none is wanted.
///
/// # Errors
/// With the first of `wanted` that no claim begins with.
pub fn select(wanted: &[String]) -> Result<Vec<&'static Claim>, String> {
    if wanted.is_empty() {
        return Ok(all().collect());
    }
    let begins = |claim: &Claim, prefix: &str| {
        claim.id.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if let Some(unknown) = wanted.iter().find(|prefix| !all().any(|claim| begins(claim, prefix))) {
        return Err(unknown.clone());
    }
    Ok(all().filter(|claim| wanted.iter().any(|prefix| begins(claim, prefix))).collect())
}
