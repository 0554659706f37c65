//! What befell the system while a history was recorded, as marks and bands of its picture.

use isles_history::{Fault, Moment, Value};
use serde::Serialize;

/// Something that befell the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Mark {
    /// What, in the words of the file.
    pub text: String,
    /// When it began, in the order of the history.
    pub begin: u64,
    /// When it ended; `None` if it was over at once, or if nobody said so.
    pub end: Option<u64>,
}

/// Words that begin something, with those that end it.
const PAIRS: [(&str, &[&str]); 8] = [
    ("start", &["stop"]),
    ("partition", &["heal", "stop"]),
    ("cut", &["heal", "mend"]),
    ("pause", &["resume"]),
    ("kill", &["start", "restart"]),
    ("crash", &["restart", "start", "recover"]),
    ("isolate", &["heal", "rejoin"]),
    ("loss", &["heal", "stop"]),
];

/// Marks shown of a history at most.
const MARKS_MAX: usize = 200;

/// The faults in order, each with its end if a later one of the same doer says that it is over. A nemesis tells twice of what it does, when it
/// sets out and when it has done it; the second one is taken into the first.
pub(super) fn marks(faults: &[Fault]) -> Vec<Mark> {
    let mut marks: Vec<(Mark, &Fault)> = Vec::new();
    // By doer and word: whether it was told once, and the second time is still to come.
    let mut halves: Vec<(&str, &str)> = Vec::new();
    for fault in faults {
        let half = (&*fault.by, &*fault.what);
        if let Some(place) = halves.iter().position(|other| *other == half) {
            halves.swap_remove(place);
            continue;
        }
        if &*fault.by == "nemesis" {
            halves.push(half);
        }
        if end(&mut marks, fault) || marks.len() >= MARKS_MAX {
            continue;
        }
        let is_told = fault.value != Value::Nil;
        let value = if is_told { format!(" {}", fault.value) } else { String::new() };
        let text = match &*fault.by {
            "crash" => format!("process{value} crashes"),
            by => format!("{by}: {}{value}", fault.what),
        };
        marks.push((Mark { text, begin: fault.at, end: None }, fault));
    }
    marks.into_iter().map(|(mark, _)| mark).collect()
}

/// Whether a fault is the end of one before it.
fn end(marks: &mut [(Mark, &Fault)], fault: &Fault) -> bool {
    let ends = |(mark, begun): &(Mark, &Fault)| {
        let (begin, end) = (word(&begun.what), word(&fault.what));
        // A part of a name says what it is about: start-partition, stop-partition.
        let same = begin.1.is_empty() || end.1.is_empty() || begin.1 == end.1;
        let is_pair = PAIRS.iter().any(|(first, last)| *first == begin.0 && last.contains(&end.0));
        mark.end.is_none() && begun.by == fault.by && same && is_pair
    };
    let begun = marks.iter_mut().rev().find(|mark| ends(mark));
    begun.map(|(mark, _)| mark.end = Some(fault.at as Moment)).is_some()
}

/// The first part of a name, and the rest.
fn word(name: &str) -> (&str, &str) {
    name.split_once(['-', '_', ' ']).unwrap_or((name, ""))
}

/// Those that touch the time from one moment to another.
pub(super) fn during(marks: &[Mark], from: u64, to: u64) -> Vec<&Mark> {
    marks.iter().filter(|mark| mark.begin <= to && mark.end.unwrap_or(mark.begin) >= from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at: u64, by: &str, what: &str) -> Fault {
        Fault { at, time: None, by: by.into(), what: what.into(), value: Value::Nil }
    }

    #[test]
    fn what_was_begun_and_ended_is_one_band() {
        let told = [
            fault(1, "nemesis", "start-partition"),
            fault(2, "nemesis", "start-partition"),
            fault(3, "nemesis", "kill"),
            fault(4, "nemesis", "kill"),
            fault(7, "nemesis", "stop-partition"),
            fault(8, "nemesis", "stop-partition"),
            fault(9, "crash", "crash"),
        ];
        let found: Vec<(u64, Option<u64>)> = marks(&told).iter().map(|mark| (mark.begin, mark.end)).collect();
        assert_eq!(found, [(1, Some(7)), (3, None), (9, None)]);
        let found = marks(&told);
        assert_eq!(during(&found, 4, 6).len(), 1, "the band goes on, the mark is past");
        assert_eq!(during(&found, 0, 0).len(), 0);
    }
}
