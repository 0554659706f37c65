//! All bugs by all searches.

use std::fmt::Write;

use super::hunt::{Bound, Hunt, Outcome, Strategy};
use super::{PLANTED, Planted};

/// A bug, sought in several ways.
pub struct Row {
    /// Which bug.
    pub planted: &'static Planted,
    /// What each search found, and what the same search found in the protocol as it is shipped.
    pub cells: Vec<(Strategy, Outcome, Outcome)>,
}

impl Row {
    /// Whether a search found it.
    pub fn is_found(&self) -> bool {
        self.cells.iter().any(|(_, outcome, _)| outcome.steps.is_some())
    }

    /// Whether the protocol as it is shipped survived all searches.
    pub fn is_survived(&self) -> bool {
        self.cells.iter().all(|(.., shipped)| shipped.steps.is_none())
    }
}

/// Seeks a bug by each strategy. The protocol as it is shipped is searched as far as it took to find the bug, or as far as was
/// allowed.
pub fn examine(planted: &'static Planted, strategies: &[Strategy], bound: Bound, seed: u64) -> Row {
    let cell = |strategy: &Strategy| {
        let hunt = Hunt { strategy: *strategy, bound, seed };
        let outcome = (planted.search)(&hunt, true);
        let seconds = (outcome.seconds * 2.0).clamp(0.1, bound.seconds);
        let states = outcome.states.clamp(1_000, bound.states);
        let shipped = (planted.search)(&Hunt { bound: Bound { states, seconds, ..bound }, ..hunt }, false);
        (*strategy, outcome, shipped)
    };
    Row { planted, cells: strategies.iter().map(cell).collect() }
}

/// A table in Markdown: for each bug and search the states, CPU seconds and steps to a counterexample, or how far it looked in vain.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from("| bug | what is wrong | breaks |");
    let strategies: Vec<Strategy> =
        rows.first().map_or(Vec::new(), |row| row.cells.iter().map(|(strategy, ..)| *strategy).collect());
    for strategy in &strategies {
        let _ = write!(text, " {} |", strategy.name());
    }
    text += " shipped |\n|";
    text += &" --- |".repeat(strategies.len() + 4);
    text.push('\n');
    for row in rows {
        let Planted { name, wrong, breaks, .. } = row.planted;
        let _ = write!(text, "| {name} | {wrong} | {breaks} |");
        for (_, outcome, _) in &row.cells {
            let _ = write!(text, " {} |", told(outcome));
        }
        let proved = row.cells.iter().any(|(.., shipped)| shipped.is_proof);
        let shipped = match (row.is_survived(), proved) {
            (false, _) => "**fails, too**",
            (true, true) => "proved",
            (true, false) => "survives",
        };
        let _ = writeln!(text, " {shipped} |");
    }
    let found = rows.iter().filter(|row| row.is_found()).count();
    let _ = writeln!(text, "\n{found} of {} found by at least one search.", rows.len());
    for (place, strategy) in strategies.iter().enumerate() {
        let cells = || rows.iter().filter_map(|row| row.cells.get(place));
        let found = cells().filter(|(_, outcome, _)| outcome.steps.is_some()).count();
        let seconds: f64 = cells().map(|(_, outcome, _)| outcome.seconds).sum();
        let _ = writeln!(text, "- {}: {found} of {}, {seconds:.1} s in all", strategy.name(), rows.len());
    }
    text
}

fn told(outcome: &Outcome) -> String {
    let Outcome { steps, states, seconds, is_proof } = *outcome;
    match steps {
        Some(steps) => format!("{states} states, {seconds:.2} s, {steps} steps"),
        None if states == 0 => "cannot show it".to_owned(),
        None if is_proof => format!("none in all {states}, {seconds:.2} s"),
        None => format!("not in {states}, {seconds:.1} s"),
    }
}

/// The bugs whose names contain a word.
pub fn called(word: &str) -> impl Iterator<Item = &'static Planted> {
    PLANTED.iter().filter(move |planted| planted.name.contains(word))
}
