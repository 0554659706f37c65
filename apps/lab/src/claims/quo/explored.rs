//! The two flaws of the naive register, in every order: QUO-02 and QUO-03.

use isles_explorations::scenarios::voting::{Parameters, at, in_turn, scenario};
use isles_explore::{Explorer, Report};
use isles_quorum::register::Op;
use isles_quorum::voting::{Mistake, Voting};

use crate::claims::{Effort, Finding};

/// All behaviours, to the first violation.
pub(super) fn explored(parameters: Parameters, effort: &Effort) -> Result<Report<Voting>, String> {
    let explorer = Explorer::new(scenario(parameters)).map_err(|error| error.to_string())?;
    Ok(explorer.threads(effort.threads).breadth_first())
}

/// The property that broke, and the steps to it.
pub(super) fn broken(report: &Report<Voting>) -> Option<(&str, usize)> {
    let failure = report.failure()?;
    Some((&failure.property, failure.answer.trace().map_or(0, |trace| trace.steps.len())))
}

/// The naive register in a case in which it is flawed; then the shipped one there, and the naive one where the cause is taken away.
fn flaw(case: &Parameters, without: Parameters, effort: &Effort) -> Result<Finding, String> {
    let mistake = Some(Mistake::Naive);
    let naive = explored(Parameters { mistake, ..case.clone() }, effort)?;
    let shipped = explored(case.clone(), effort)?;
    let calm = explored(Parameters { mistake, ..without }, effort)?;
    let found = broken(&naive);
    Ok(Finding {
        holds: found.is_some_and(|(property, _)| property == "no two values have one version"),
        control_fails: shipped.is_proof() && calm.is_proof(),
        measured: format!(
            "naive: {} states, {}; with transactions: {} states, {}; naive without the cause: {} states, {}",
            naive.states,
            found.map_or("nothing found".to_owned(), |(_, steps)| format!(
                "two values of one version after {steps} steps"
            )),
            shipped.states,
            broken(&shipped)
                .map_or("none in all".to_owned(), |(property, _)| format!("breaks \"{property}\"")),
            calm.states,
            broken(&calm).map_or("none in all".to_owned(), |(property, _)| format!("breaks \"{property}\"")),
        ),
        predicted: "two values of one version; controls: none".to_owned(),
        ..Finding::default()
    })
}

pub(super) fn quo_02(effort: &Effort) -> Result<Finding, String> {
    let parted = Parameters::parted();
    flaw(&parted, Parameters { cuts: 0, timeouts: 0, ..parted.clone() }, effort)
}

pub(super) fn quo_03(effort: &Effort) -> Result<Finding, String> {
    // One after the other, with nothing late: each is over when the next begins, or in the way of being so.
    let clients = in_turn(&[at(0, Op::Write(1)), at(1, Op::Write(2))]);
    flaw(&Parameters::default(), Parameters { clients, ..Parameters::default() }, effort)
}
