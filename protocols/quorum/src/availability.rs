//! What votes and quorums promise before anything runs: how probable it is that a quorum is up, and how long one takes.
//!
//! Gifford 1979, section 5, compares vote assignments by these two figures; [`blocked`] and [`quorum_latency`] compute his, and
//! [`expected_latency`] is for latencies that vary: the time by which a quorum has answered is an order statistic of them.
//!
//! ```
//! use isles_quorum::availability::{blocked, quorum_latency};
//! use isles_kernel::Span;
//! // His second example: a file of three copies on a local net and beyond, votes 2, 1, 1, r = 2, w = 3, each up with 0.99.
//! let latencies = [75, 100, 750].map(Span::millis);
//! assert_eq!(quorum_latency(&[2, 1, 1], &latencies, 2), Some(Span::millis(75)));
//! assert_eq!(quorum_latency(&[2, 1, 1], &latencies, 3), Some(Span::millis(100)));
//! assert!((blocked(&[2, 1, 1], &[0.99; 3], 2) - 2.0e-4).abs() < 1e-6);
//! ```

use std::collections::BTreeMap;

use isles_kernel::Span;

/// The probability that the copies that are up have fewer than `needed` votes together, where each is up by itself with its
/// probability in `up`. Sums are small to large, so that one of 10^-12 is as exact as one of a half.
///
/// # Panics
/// When there are not as many probabilities as votes.
///
/// # Complexity
/// Copies times the number of different sums of votes below `needed`: that is n^2 / 2 for votes of one each.
pub fn blocked(votes: &[u32], up: &[f64], needed: u32) -> f64 {
    assert_eq!(votes.len(), up.len(), "a probability for each copy");
    let needed = u64::from(needed);
    // How probable each number of votes is, below what is needed.
    let mut sums = BTreeMap::new();
    if needed > 0 {
        sums.insert(0u64, 1.0f64);
    }
    for (votes, up) in votes.iter().zip(up) {
        let mut next = BTreeMap::new();
        for (sum, probability) in sums {
            *next.entry(sum).or_insert(0.0) += probability * (1.0 - up);
            let with = sum + u64::from(*votes);
            if with < needed {
                *next.entry(with).or_insert(0.0) += probability * up;
            }
        }
        sums = next;
    }
    let mut parts: Vec<f64> = sums.into_values().collect();
    parts.sort_by(f64::total_cmp);
    parts.into_iter().sum::<f64>().clamp(0.0, 1.0)
}

/// The instant by which copies with `needed` votes have answered, if each answers after its latency; none if there are not so many votes.
///
/// # Panics
/// When there are not as many latencies as votes.
pub fn quorum_latency(votes: &[u32], latencies: &[Span], needed: u32) -> Option<Span> {
    assert_eq!(votes.len(), latencies.len(), "a latency for each copy");
    let mut copies: Vec<(Span, u32)> = latencies.iter().copied().zip(votes.iter().copied()).collect();
    copies.sort_unstable();
    let mut sum = 0u64;
    copies.into_iter().find_map(|(latency, votes)| {
        sum += u64::from(votes);
        (sum >= u64::from(needed)).then_some(latency)
    })
}

/// How long a quorum takes on average, if each copy's latency is one of the values of its law, all equally probable, and all copies are
/// independent: the expectation of the weighted order statistic. None if there are not so many votes, or a law has no values.
///
/// # Panics
/// When there are not as many laws as votes.
///
/// # Complexity
/// That of [`blocked`] for each value of each law.
pub fn expected_latency(votes: &[u32], laws: &[&[f64]], needed: u32) -> Option<f64> {
    assert_eq!(votes.len(), laws.len(), "a law for each copy");
    let all: u64 = votes.iter().copied().map(u64::from).sum();
    if all < u64::from(needed) || laws.iter().any(|law| law.is_empty()) {
        return None;
    }
    let mut steps: Vec<(f64, usize)> = Vec::new();
    for (copy, law) in laws.iter().enumerate() {
        steps.extend(law.iter().map(|value| (*value, copy)));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut answered = vec![0u64; votes.len()];
    let mut probabilities = vec![0.0; votes.len()];
    let (mut expected, mut last, mut waiting) = (0.0, 0.0, 1.0);
    for (value, copy) in steps {
        // The mean is the area below the probability that one still waits; latencies below zero would be area the other way.
        expected += (value - last) * waiting;
        last = value;
        answered[copy] += 1;
        probabilities[copy] = answered[copy] as f64 / laws[copy].len() as f64;
        waiting = blocked(votes, &probabilities, needed);
    }
    Some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gifford 1979, section 5: latencies, votes, r, w; then, with copies up with 0.99, how long a read and a write take, and how often
    /// each blocks. He counts the transfer of data alone, which in the first example comes from a copy without votes.
    #[test]
    fn the_examples_of_the_paper() {
        let table = [
            ([75, 65, 65], [1, 0, 0], 1, 1, (65, 75), (1.0e-2, 1.0e-2)),
            ([75, 100, 750], [2, 1, 1], 2, 3, (75, 100), (1.99e-4, 1.0099e-2)),
            ([75, 750, 750], [1, 1, 1], 1, 3, (75, 750), (1.0e-6, 2.9701e-2)),
        ];
        for (latencies, votes, read, write, (reads, writes), (read_blocks, write_blocks)) in table {
            let latencies = latencies.map(Span::millis);
            let quorum = quorum_latency(&votes, &latencies, read);
            let weak = (0..3).filter(|copy| votes[*copy] == 0).map(|copy| latencies[copy]).min();
            assert_eq!(quorum.min(weak.or(quorum)), Some(Span::millis(reads)), "{votes:?}");
            assert_eq!(quorum_latency(&votes, &latencies, write), Some(Span::millis(writes)));
            let near = |needed, paper: f64| (blocked(&votes, &[0.99; 3], needed) / paper - 1.0).abs() < 1e-9;
            assert!(near(read, read_blocks) && near(write, write_blocks), "{votes:?}");
        }
    }

    /// Every set of copies that are up, against the sums.
    #[test]
    fn the_sums_are_those_over_all_sets() {
        let (votes, up) = ([3, 1, 0, 2, 1, 5], [0.9, 0.5, 0.1, 0.99, 0.7, 0.3]);
        for needed in 0..=13 {
            let mut slow = 0.0;
            for set in 0..1u32 << votes.len() {
                let is_up = |copy: &usize| set >> copy & 1 == 1;
                let sum: u32 = (0..votes.len()).filter(is_up).map(|copy| votes[copy]).sum();
                let of = |copy: usize| if is_up(&copy) { up[copy] } else { 1.0 - up[copy] };
                slow += if sum < needed { (0..votes.len()).map(of).product() } else { 0.0 };
            }
            assert!((blocked(&votes, &up, needed) - slow).abs() < 1e-12, "{needed}");
        }
    }

    /// The k-th of n uniform latencies in 0..1 is k / (n + 1) on average, and votes count as so many copies.
    #[test]
    fn a_quorum_takes_as_long_as_an_order_statistic() {
        let law: Vec<f64> = (0..400).map(|value| (f64::from(value) + 0.5) / 400.0).collect();
        for (copies, needed) in [(1, 1), (3, 2), (5, 1), (5, 3), (5, 5)] {
            let expected = expected_latency(&vec![1; copies], &vec![&law[..]; copies], needed as u32);
            let closed = needed as f64 / (copies as f64 + 1.0);
            assert!(
                expected.is_some_and(|expected| (expected - closed).abs() < 2e-3),
                "{needed} of {copies}"
            );
        }
        // With 2, 1, 1 votes and 3 needed: the heavy copy, and the first of the two others: max(a, min(b, c)) is 7/12.
        let weighted = expected_latency(&[2, 1, 1], &[&law, &law, &law], 3).expect("there are so many votes");
        assert!((weighted - 7.0 / 12.0).abs() < 2e-3, "{weighted}");
        // Latencies that do not vary are those of the table.
        assert_eq!(expected_latency(&[2, 1, 1], &[&[75.0], &[100.0], &[750.0]], 3), Some(100.0));
        assert_eq!(expected_latency(&[1, 1], &[&law, &law], 3), None);
        assert_eq!(expected_latency(&[1, 1], &[&law, &[]], 1), None);
    }

    #[test]
    fn more_votes_needed_block_more_often() {
        let of = |needed| blocked(&[1; 5], &[0.9; 5], needed);
        assert!((0..6).all(|needed| of(needed) <= of(needed + 1)));
        assert_eq!((of(0), of(6)), (0.0, 1.0));
    }
}
