//! The group `crdt`: what a change of a large set costs, and what it costs to merge two of them.

use isles_causality::Actor;
use isles_crdt::canonical::{decode, encode};
use isles_crdt::{AddWinsSet, Causal, List};
use isles_kernel::random::Stream;

use super::measure::{median, rate, timed};
use super::{Bench, Effort, Group};

type Set = Causal<AddWinsSet<u64>>;

pub(super) const GROUP: Group = Group {
    name: "crdt",
    about: "replicated data types: adding to and merging add-wins sets of 10^5 and 10^6 elements, editing lists",
    benches: &[
        Bench {
            figures: &[("add-1e5-microseconds", "µs"), ("add-1e5-wire-bytes", "bytes")],
            about: "one more element of an add-wins set of 10^5 numbers, delta included, and that delta's encoding",
            slow: false,
            run: |effort| add(effort, 100_000),
        },
        Bench {
            figures: &[("add-1e6-microseconds", "µs"), ("add-1e6-wire-bytes", "bytes")],
            about: "the same of 10^6",
            slow: true,
            run: |effort| add(effort, 1_000_000),
        },
        Bench {
            figures: &[
                ("merge-equal-1e5-microseconds", "µs"),
                ("merge-1pc-1e5-milliseconds", "ms"),
                ("merge-1pc-1e5-microseconds-per-difference", "µs"),
            ],
            about: "two sets of 10^5 that came about in different ways: equal, and with 1 in 200 of each unknown to the other",
            slow: false,
            run: |effort| merge(effort, 100_000),
        },
        Bench {
            figures: &[
                ("merge-equal-1e6-microseconds", "µs"),
                ("merge-1pc-1e6-milliseconds", "ms"),
                ("merge-1pc-1e6-microseconds-per-difference", "µs"),
            ],
            about: "the same of 10^6",
            slow: true,
            run: |effort| merge(effort, 1_000_000),
        },
        Bench {
            figures: &[("list-type-microseconds", "µs"), ("list-type-state-bytes", "bytes")],
            about: "typing 10^5 characters in one go, and bytes of the encoded text for each",
            slow: false,
            run: |_| typed(),
        },
        Bench {
            figures: &[("list-insert-1e5-microseconds", "µs"), ("list-insert-1e5-wire-bytes", "bytes")],
            about: "a character anywhere in a text of 10^5, delta included, and that delta's encoding",
            slow: false,
            run: inserted,
        },
    ],
};

/// The `index`-th of different numbers in no order.
const fn number(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn set(count: u64) -> Set {
    let mut set = Set::new();
    for index in 0..count {
        set.insert(Actor(1), number(index));
    }
    set
}

/// Microseconds for each of the units that `step` does.
fn microseconds(effort: Effort, step: impl FnMut() -> u64) -> f64 {
    1e6 / rate(effort, step)
}

/// Adds numbers that are not in the set, and takes them out again unmeasured, so that its size stays.
pub(super) fn add_microseconds(effort: Effort, count: u64) -> f64 {
    let full = set(count);
    let mut samples = Vec::new();
    for round in 0..if effort == Effort::Quick { 3 } else { 15 } {
        let mut set = full.clone();
        // Copies the paths that a clone shares, once.
        let fresh = |index| number(count + (round << 32) + index);
        (0..2_000).for_each(|index| {
            set.insert(Actor(2), fresh(index));
        });
        let added = (2_000..4_000).map(fresh);
        let (seconds, ()) = timed(|| {
            added.for_each(|element| {
                std::hint::black_box(set.insert(Actor(2), element));
            });
        });
        samples.push(seconds * 1e6 / 2_000.0);
    }
    median(&mut samples)
}

fn add(effort: Effort, count: u64) -> Vec<Option<f64>> {
    let mut full = set(count);
    let deltas = (0..1_000).filter_map(|index| full.insert(Actor(2), number(count + index)));
    let bytes: Vec<usize> = deltas.map(|delta| encode(&delta).len()).collect();
    let mean = bytes.iter().sum::<usize>() as f64 / bytes.len() as f64;
    vec![Some(add_microseconds(effort, count)), Some(mean)]
}

/// Two sets of so many elements that share no memory: equal, and with 1 in 200 of each unknown to the other.
fn pair(count: u64) -> Option<[Set; 4]> {
    let one = set(count);
    let other: Set = decode(&encode(&one)).ok()?;
    let (mut ours, mut theirs) = (one.clone(), other.clone());
    for index in 0..count / 200 {
        ours.insert(Actor(2), number(count + index));
        theirs.insert(Actor(3), number(2 * count + index));
    }
    Some([one, other, ours, theirs])
}

/// CPU seconds to merge equal sets, and different ones.
pub(super) fn merge_seconds(effort: Effort, count: u64) -> Option<[f64; 2]> {
    let [mut one, other, ours, theirs] = pair(count)?;
    let equal = microseconds(effort, || {
        (0..1_000).for_each(|_| one.join(&other));
        1_000
    });
    let merge = || {
        let mut merged = ours.clone();
        let (seconds, ()) = timed(|| merged.join(&theirs));
        (merged.len() as u64 == count + 2 * (count / 200)).then_some(seconds)
    };
    let mut samples: Vec<f64> = (0..3).map(|_| merge()).collect::<Option<_>>()?;
    Some([equal / 1e6, median(&mut samples)])
}

fn merge(effort: Effort, count: u64) -> Vec<Option<f64>> {
    let Some([equal, different]) = merge_seconds(effort, count) else { return vec![None; 3] };
    let differences = 2.0 * (count / 200) as f64;
    vec![Some(equal * 1e6), Some(different * 1e3), Some(different * 1e6 / differences)]
}

fn typed() -> Vec<Option<f64>> {
    const COUNT: usize = 100_000;
    let mut text: Causal<List<char>> = Causal::new();
    let (seconds, ()) = timed(|| {
        (0..COUNT).for_each(|index| {
            std::hint::black_box(text.insert(Actor(1), index, 'x'));
        });
    });
    let bytes = encode(&text).len() as f64;
    vec![Some(seconds * 1e6 / COUNT as f64), Some(bytes / COUNT as f64)]
}

fn inserted(effort: Effort) -> Vec<Option<f64>> {
    let mut text: Causal<List<char>> = Causal::new();
    text.insert_text(Actor(1), 0, &"island ".repeat(14_286));
    let mut draws = Stream::new(1, &[]);
    let mut bytes = Vec::new();
    let each = microseconds(effort, || {
        for _ in 0..1_000 {
            let index = draws.below(text.len() as u32) as usize;
            let delta = text.insert(Actor(2), index, 'y');
            if bytes.len() < 1_000 {
                bytes.extend(delta.map(|delta| encode(&delta).len()));
            }
        }
        1_000
    });
    let mean = bytes.iter().sum::<usize>() as f64 / bytes.len() as f64;
    vec![Some(each), Some(mean)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_that_are_merged_are_as_they_are_said_to_be() {
        let [one, other, ours, theirs] = pair(2_000).expect("an encoding is read");
        assert_eq!(one, other);
        assert_eq!((ours.len(), theirs.len()), (2_010, 2_010));
        let common = ours.iter().filter(|element| theirs.contains(element)).count();
        assert_eq!(common, 2_000);
    }
}
