//! How stale the reads of a register are, as numbers.
//!
//! - **k-atomicity** (Aiyer, Alvisi and Bazzi, DISC 2005): the least k such that in some order that respects real time each read returns
//!   one of the k writes before it. 1 is atomic.
//! - **Δ-atomicity** (Golab, Li and Shah, PODC 2011): the least Δ such that the register is atomic if each read is taken to have begun Δ earlier.
//!
//! Values must be unique. Δ is exact: zones (Gibbons and Korach, SIAM J. Comput. 1997) decide each candidate. For k no fast
//! algorithm is known beyond 2, so it is given as bounds: what real time alone demands, and what a good order achieves.

use isles_history::Moment;

use crate::rules::{Rule, on};

/// A read or a write of one register. Reads that never returned are left out by whoever collects these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// When it was invoked.
    pub invoked: Moment,
    /// When it returned; [`Moment::MAX`] for a write that may still take effect.
    pub returned: Moment,
    /// What was written or read; none for the initial value, which nobody writes.
    pub value: Option<u32>,
    /// Whether it is a write.
    pub is_write: bool,
}

/// How stale a register is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Staleness {
    /// The least Δ, in the unit of the moments; 0 for an atomic register.
    pub delta: Moment,
    /// Each read returns one of the latest k writes: k is at least this.
    pub k_at_least: u32,
    /// And at most this.
    pub k_at_most: u32,
}

/// Why staleness is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// A value was written twice, by these two accesses.
    WrittenTwice(usize, usize),
    /// This access read what nobody wrote.
    ThinAir(usize),
    /// This access returned before what it read was written.
    FromTheFuture(usize),
}

/// The writes and reads of one value.
#[derive(Clone, Copy)]
struct Cluster {
    invoked: Moment,
    /// When its write was in effect at the latest.
    effect: Moment,
}

/// Measures the staleness of one register. O(n log n) for n accesses and each of 64 candidates of Δ.
///
/// # Errors
/// The first access that makes no sense at any staleness.
///
/// ```
/// use isles_check::staleness::{Access, staleness};
///
/// let access = |invoked, returned, value, is_write| Access { invoked, returned, value: Some(value), is_write };
/// // Written 1, then 2, then 3; 1 is read 15 after it was replaced for good.
/// let writes = [access(0, 10, 1, true), access(20, 30, 2, true), access(40, 50, 3, true)];
/// let measured = staleness(&[writes[0], writes[1], writes[2], access(45, 60, 1, false)]).expect("it makes sense");
/// assert_eq!((measured.delta, measured.k_at_least, measured.k_at_most), (15, 2, 2));
/// ```
pub fn staleness(accesses: &[Access]) -> Result<Staleness, Flaw> {
    let mut values: Vec<(Option<u32>, usize)> = (0..accesses.len())
        .filter(|place| accesses[*place].is_write)
        .map(|place| (accesses[place].value, place))
        .collect();
    values.sort_unstable();
    let twice = values.windows(2).find(|pair| pair[0].0 == pair[1].0);
    if let Some(pair) = twice.filter(|_| on(Rule::StalenessTwice)) {
        return Err(Flaw::WrittenTwice(pair[0].1, pair[1].1));
    }
    // The initial value is written before everything.
    let mut clusters = vec![Cluster { invoked: 0, effect: 0 }];
    clusters.extend(
        values.iter().map(|(_, place)| Cluster {
            invoked: accesses[*place].invoked,
            effect: accesses[*place].returned,
        }),
    );
    let mut reads = Vec::new();
    for (place, access) in accesses.iter().enumerate().filter(|(_, access)| !access.is_write) {
        let of = match access.value {
            None => 0,
            Some(_) => {
                let found = values.binary_search_by_key(&access.value, |(value, _)| *value);
                match found {
                    Ok(found) => 1 + found,
                    Err(_) if on(Rule::StalenessThinAir) => return Err(Flaw::ThinAir(place)),
                    Err(_) => 0,
                }
            }
        };
        if access.returned < clusters[of].invoked && on(Rule::StalenessFuture) {
            return Err(Flaw::FromTheFuture(place));
        }
        clusters[of].effect = clusters[of].effect.min(access.returned);
        reads.push((of, access.invoked, access.returned));
    }
    let latest = reads.iter().map(|read| read.1).max().unwrap_or(0);
    let (mut low, mut high) = (0, latest);
    while low < high {
        let delta = low + (high - low) / 2;
        if is_atomic(&clusters, &reads, delta) { high = delta } else { low = delta + 1 }
    }
    let writes: Vec<Access> = values.iter().map(|(_, place)| accesses[*place]).collect();
    let least = if low == 0 { 1 } else { demanded(&writes, &reads).max(2) };
    let most = if low == 0 { 1 } else { achieved(&clusters, &reads).max(least) };
    Ok(Staleness { delta: low, k_at_least: least, k_at_most: most })
}

/// Whether the register is atomic if reads began `delta` earlier.
fn is_atomic(clusters: &[Cluster], reads: &[(usize, Moment, Moment)], delta: Moment) -> bool {
    // A zone reaches from the first return of its cluster to the last invocation.
    let mut zones: Vec<(Moment, Moment)> = clusters.iter().map(|of| (of.effect, of.invoked)).collect();
    for (of, invoked, _) in reads {
        zones[*of].1 = zones[*of].1.max(invoked.saturating_sub(delta));
    }
    let mut forward: Vec<(Moment, Moment)> = zones.iter().filter(|zone| zone.0 < zone.1).copied().collect();
    forward.sort_unstable();
    let apart = forward.windows(2).all(|pair| pair[0].1 <= pair[1].0) || !on(Rule::StalenessForward);
    apart
        && zones.iter().filter(|zone| zone.0 >= zone.1).all(|backward| {
            // Inside a forward zone there is no room for another value.
            let next = forward.partition_point(|zone| zone.0 < backward.1);
            next == 0 || backward.0 >= forward[next - 1].1 || !on(Rule::StalenessBackward)
        })
}

/// How many writes real time alone puts between a read and the write that it read, that one included.
fn demanded(writes: &[Access], reads: &[(usize, Moment, Moment)]) -> u32 {
    let mut begins: Vec<(Moment, Moment)> =
        writes.iter().map(|write| (write.invoked, write.returned)).collect();
    begins.sort_unstable();
    let between = |&(of, invoked, _): &(usize, Moment, Moment)| {
        let after = if of == 0 { 0 } else { writes[of - 1].returned };
        let from = if of == 0 { 0 } else { begins.partition_point(|write| write.0 <= after) };
        let to = begins.partition_point(|write| write.0 < invoked);
        let is_between = |write: &&(Moment, Moment)| write.1 < invoked && on(Rule::StalenessBetween);
        1 + begins[from.min(to)..to].iter().filter(is_between).count() as u32
    };
    reads.iter().map(between).max().unwrap_or(1)
}

/// How stale reads are if writes are ordered by when they were in effect at the latest, and reads come as early as they can.
fn achieved(clusters: &[Cluster], reads: &[(usize, Moment, Moment)]) -> u32 {
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    order.sort_by_key(|of| (clusters[*of].effect, clusters[*of].invoked));
    let mut place = vec![0; clusters.len()];
    order.iter().enumerate().for_each(|(at, of)| place[*of] = at);
    let mut reads = reads.to_vec();
    reads.sort_unstable_by_key(|read| read.1);
    let mut ended = std::collections::BinaryHeap::new();
    let (mut floor, mut most) = (0, 1);
    for (of, invoked, returned) in reads {
        while let Some(&std::cmp::Reverse((end, at))) = ended.peek()
            && end < invoked
        {
            floor = floor.max(at);
            ended.pop();
        }
        let replaced = order.partition_point(|of| clusters[*of].effect < invoked).saturating_sub(1);
        let at = floor.max(replaced).max(place[of]);
        most = most.max(1 + (at - place[of]) as u32);
        ended.push(std::cmp::Reverse((returned, at)));
    }
    most
}

#[cfg(test)]
mod tests {
    use isles_kernel::random::Stream;

    use super::*;

    /// The least k, by trying all orders.
    fn brute(accesses: &[Access], order: &mut Vec<usize>, k: usize) -> bool {
        if order.len() == accesses.len() {
            return true;
        }
        for next in 0..accesses.len() {
            let is_free = !order.contains(&next)
                && (0..accesses.len()).all(|other| {
                    order.contains(&other) || accesses[other].returned >= accesses[next].invoked
                });
            let written: Vec<Option<u32>> = std::iter::once(None)
                .chain(order.iter().filter(|of| accesses[**of].is_write).map(|of| accesses[*of].value))
                .collect();
            let is_right = accesses[next].is_write
                || written.iter().rev().take(k).any(|value| *value == accesses[next].value);
            if is_free && is_right {
                order.push(next);
                if brute(accesses, order, k) {
                    return true;
                }
                order.pop();
            }
        }
        false
    }

    fn sample(seed: u64) -> Vec<Access> {
        let mut random = Stream::new(seed, &[]);
        let writes = 1 + random.below(3);
        (0..writes + 1 + random.below(3))
            .map(|number| {
                let invoked = u64::from(random.below(30)) * 2 + 1;
                let is_write = number < writes;
                let value = if is_write { Some(number) } else { random.below(writes + 1).checked_sub(1) };
                Access { invoked, returned: invoked + 2 * u64::from(random.below(12)) + 1, value, is_write }
            })
            .collect()
    }

    #[test]
    fn numbers_agree_with_all_orders() {
        let (mut exact, mut judged) = (0, 0);
        for seed in 0..2_000 {
            let accesses = sample(seed);
            let measured = staleness(&accesses);
            let least = (1..=8).find(|k| brute(&accesses, &mut Vec::new(), *k));
            let Some(least) = least else {
                assert!(matches!(measured, Err(Flaw::FromTheFuture(_))), "seed {seed}");
                continue;
            };
            let measured = measured.expect("it makes sense");
            let bounds = measured.k_at_least as usize..=measured.k_at_most as usize;
            assert!(bounds.contains(&least), "seed {seed}: {least} in {bounds:?} {accesses:?}");
            assert_eq!(measured.delta == 0, least == 1, "seed {seed}");
            if measured.delta > 0 {
                let moved = |delta: u64| -> Vec<Access> {
                    let earlier = |access: &Access| Access {
                        invoked: if access.is_write {
                            access.invoked
                        } else {
                            access.invoked.saturating_sub(delta)
                        },
                        ..*access
                    };
                    accesses.iter().map(earlier).collect()
                };
                assert!(brute(&moved(measured.delta), &mut Vec::new(), 1), "seed {seed}");
                assert!(!brute(&moved(measured.delta - 1), &mut Vec::new(), 1), "seed {seed}");
            }
            judged += 1;
            exact += usize::from(measured.k_at_least == measured.k_at_most);
        }
        assert!(judged > 1_000 && exact * 10 > judged * 9, "{exact} of {judged}");
    }
}
