//! A verdict for the terminal.

use std::fmt::Write;

use super::faults::during;
use super::{Bar, Judgement, Mark, Outcome, Word};

/// Faults shown of a part that is wrong at most.
const FAULTS_MAX: usize = 12;

/// The outcome in lines at most `width` columns wide, as far as names allow.
pub fn text(outcome: &Outcome, width: usize) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} {}, {} ({})",
        outcome.file,
        outcome.count,
        if outcome.model == "transactions" { "transactions" } else { "operations" },
        outcome.model,
        outcome.format
    );
    for judgement in &outcome.judgements {
        one(&mut text, judgement, &outcome.faults, width);
    }
    for stale in &outcome.stale {
        let object = stale.object.as_ref().map_or(String::new(), |object| format!(" of object {object}"));
        let unit = if stale.nanoseconds { "ns" } else { "places in the order of events" };
        let k = match (stale.k_at_least, stale.k_at_most) {
            (least, most) if least == most => format!("one of the latest {least}"),
            (least, most) => format!("one of the latest {least} to {most}"),
        };
        let _ = writeln!(text, "staleness{object}: Δ = {} {unit}; each read returns {k} writes", stale.delta);
    }
    for (what, levels) in
        [("strongest that hold", &outcome.strongest), ("weakest that do not", &outcome.weakest)]
    {
        if !levels.is_empty() {
            let _ = writeln!(text, "{what}: {}", levels.join(", "));
        }
    }
    text
}

fn one(text: &mut String, judgement: &Judgement, faults: &[Mark], width: usize) {
    let sign = match judgement.verdict {
        Word::Holds => "✓ holds",
        Word::Violated => "✗ violated",
        Word::Unknown => "? unknown",
    };
    let _ = write!(text, "{} {sign}", judgement.level);
    if let Some(anomaly) = &judgement.anomaly {
        let _ = write!(text, ": {anomaly}");
    }
    if let Some(object) = &judgement.object {
        let _ = write!(text, " (object {object})");
    }
    match (judgement.verified, &judgement.flaw) {
        (Some(true), _) => text.push_str(", certificate verified"),
        (Some(false), flaw) => {
            let _ = write!(text, ", CERTIFICATE REFUSED: {}", flaw.as_deref().unwrap_or("no reason given"));
        }
        (None, _) => {}
    }
    text.push('\n');
    for sentence in &judgement.why {
        let _ = writeln!(text, "  {sentence}");
    }
    let marked: Vec<&Bar> = judgement.bars.iter().filter(|bar| bar.marked).collect();
    if !marked.is_empty() {
        text.push('\n');
        picture(text, &marked, faults, width);
    }
}

/// One line for each operation of the part that is wrong, its interval drawn to scale of the order of events among them; and one for
/// whatever befell the system meanwhile.
fn picture(text: &mut String, bars: &[&Bar], faults: &[Mark], width: usize) {
    let mut moments: Vec<u64> = bars.iter().flat_map(|bar| [Some(bar.begin), bar.end]).flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    let (names, lanes) = (
        bars.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0),
        bars.iter().map(|bar| bar.lane.chars().count()).max().unwrap_or(0),
    );
    let step = (width.saturating_sub(names + lanes + 40) / moments.len().max(1)).clamp(2, 8);
    let place = |moment: u64| moments.partition_point(|other| *other < moment) * step;
    let all = moments.len() * step + 2;
    for bar in bars {
        let begin = place(bar.begin);
        let line = match bar.end {
            Some(end) => format!("├{}┤", "─".repeat((place(end) - begin).saturating_sub(1))),
            None => format!("├{}→", "╌".repeat(all.saturating_sub(begin + 2))),
        };
        let line = format!("{}{line}", " ".repeat(begin));
        let _ = writeln!(
            text,
            "  {:<names$}  process {:<lanes$}  {line:<all$}  {}",
            bar.name, bar.lane, bar.text
        );
    }
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return };
    for mark in during(faults, *first, *last).into_iter().take(FAULTS_MAX) {
        let begin = place(mark.begin).min(all - 2);
        let line = match mark.end {
            Some(end) => "▒".repeat(place(end).saturating_sub(begin).clamp(1, all - begin)),
            None => "▲".to_owned(),
        };
        let line = format!("{}{line}", " ".repeat(begin));
        let gap = names + lanes + "process ".len() + 2;
        let _ = writeln!(text, "  {:<gap$}  {line:<all$}  {}", "fault", mark.text);
    }
}
