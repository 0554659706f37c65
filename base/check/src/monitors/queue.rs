//! First in, first out.
//!
//! Henzinger, Sezgin, Vafeiadis, "Aspect-oriented linearizability proofs", CONCUR 2013: a complete history of a queue without repeated values is
//! linearizable unless a value comes out that never went in, or twice; two values come out in another order than they went in; or nothing
//! is found although at each gap some value is definitely there.
//!
//! The order is built so: every removal that found nothing gets a gap in which no value is definitely there. Around it, values lie wholly before
//! or wholly after; who may do either goes in and out right there. What is left is a common linear extension of two interval orders, of
//! the insertions and of the removals, found by always taking a value that is minimal in both.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use isles_history::Operation;

use super::sojourn::{Gap, NONE, Sojourn, Sojourns, Taken, cover};
use super::{BLIND, Finding};
use crate::model::Datum;
use crate::models::collection::{Op, Reply};

/// Judges those of `operations` named by `members`, of a queue that is empty at first.
///
/// # Complexity
/// Time n log n, and some 100 bytes for each operation.
pub fn queue<V: Datum>(operations: &[Operation<Op<V>, Reply<V>>], members: &[u32]) -> Finding {
    let mut sojourns = match Sojourns::new(operations, members) {
        Ok(sojourns) => sojourns,
        Err(finding) => return finding,
    };
    let unseen = !sojourns.blind.is_empty();
    if unseen {
        guess_unseen(&mut sojourns);
    }
    let wrong = |operations| if unseen { Finding::Inapplicable(BLIND) } else { Finding::Wrong(operations) };
    if let Some((first, second)) = overtaken(&sojourns.all) {
        return wrong(first.operations().chain(second.operations()).collect());
    }
    match vacant_gaps(&sojourns) {
        Err(operations) => wrong(operations),
        Ok(vacant) => match order(&sojourns, &vacant) {
            Some(order) => Finding::Order(order),
            None => Finding::Inapplicable("no order was found"),
        },
    }
}

/// Two values of which the first went in before the second and came out after it, or not at all.
fn overtaken(all: &[Sojourn]) -> Option<(Sojourn, Sojourn)> {
    let (by_last, by_first) = (by(all, |sojourn| sojourn.enter_last), by(all, |sojourn| sojourn.enter_first));
    let mut earlier = by_last.into_iter().map(|(_, place)| &all[place as usize]).peekable();
    let mut latest: Option<&Sojourn> = None;
    for second in by_first.into_iter().map(|(_, place)| &all[place as usize]) {
        while let Some(first) = earlier.next_if(|first| first.enter_last < second.enter_first) {
            if latest.is_none_or(|latest| first.leave_first > latest.leave_first) {
                latest = Some(first);
            }
        }
        if let Some(first) = latest.filter(|first| first.leave_first > second.leave_last) {
            return Some((*first, *second));
        }
    }
    None
}

/// The numbers of `items` by a key, each with it.
fn by<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<(K, u32)> {
    let mut order: Vec<(K, u32)> = items.iter().map(key).zip(0..).collect();
    // Histories are in order, but for what overlaps: a sort that looks for runs is faster.
    order.sort();
    order
}

/// Lets removals of unknown outcome take out what otherwise would have been overtaken: the value that must go first by the
/// removal that came first. A good guess, not the only one.
fn guess_unseen(sojourns: &mut Sojourns) {
    let mut by_first: Vec<(Gap, Gap)> =
        sojourns.all.iter().map(|sojourn| (sojourn.enter_first, sojourn.leave_last)).collect();
    by_first.sort_unstable();
    // For each place of `by_first`, until when whoever went in before must have come out.
    let mut deadlines: Vec<Gap> = by_first.iter().map(|(_, leave_last)| *leave_last).collect();
    for place in (1..deadlines.len()).rev() {
        deadlines[place - 1] = deadlines[place - 1].min(deadlines[place]);
    }
    let gaps = sojourns.gaps;
    let mut needy: Vec<(Gap, u32)> = Vec::new();
    for (place, sojourn) in (0..).zip(&sojourns.all).filter(|(_, sojourn)| sojourn.leave == NONE) {
        let after = by_first.partition_point(|(enter_first, _)| *enter_first <= sojourn.enter_last);
        if let Some(deadline) = deadlines.get(after).filter(|deadline| **deadline < sojourn.leave_first) {
            needy.push((*deadline, place));
        }
    }
    needy.sort_unstable();
    sojourns.blind.sort_unstable_by_key(|blind| (blind.first, blind.operation));
    for ((_, place), blind) in needy.into_iter().zip(&sojourns.blind) {
        let sojourn = &mut sojourns.all[place as usize];
        sojourn.leave = blind.operation;
        sojourn.leave_first = blind.first.max(sojourn.enter_first);
        sojourn.leave_last = gaps - 1;
    }
}

/// A gap for each removal that found nothing, in their order; or one that has none, with values of which one is there in each of its gaps.
fn vacant_gaps(sojourns: &Sojourns) -> Result<Vec<Gap>, Vec<u32>> {
    let mut taken = Taken::new(sojourns.gaps);
    for sojourn in &sojourns.all {
        taken.take(sojourn.definite());
    }
    let mut gaps = Vec::with_capacity(sojourns.vacancies.len());
    for vacancy in &sojourns.vacancies {
        let gap = taken.free_from(vacancy.first);
        if gap > vacancy.last {
            let ranges = (0..).zip(&sojourns.all).map(|(place, sojourn)| (sojourn.definite(), place));
            let there = cover(vacancy.first..vacancy.last + 1, ranges).unwrap_or_default();
            let operations = there.into_iter().flat_map(|place| sojourns.all[place as usize].operations());
            return Err(operations.chain([vacancy.operation]).collect());
        }
        gaps.push(gap);
    }
    Ok(gaps)
}

/// Where something happens: four places in each gap. Values that come before a removal that found nothing use the first, brief ones
/// between them the second, the removal itself the third, values that come after it the fourth.
type Place = u64;

const fn place(gap: Gap, part: u64) -> Place {
    gap as u64 * 4 + part
}

/// A sojourn in places.
#[derive(Clone, Copy, Debug)]
struct Stay {
    enter: (Place, Place),
    leave: (Place, Place),
    sojourn: u32,
}

/// An order of all operations, with the removals that found nothing in gaps `vacant`.
fn order(sojourns: &Sojourns, vacant: &[Gap]) -> Option<Vec<u32>> {
    let mut gaps = vacant.to_vec();
    gaps.sort_unstable();
    gaps.dedup();
    let mut stays = Vec::with_capacity(sojourns.all.len());
    // What happens in one go: the place, and the operations.
    let mut brief: Vec<(Place, [u32; 2])> = Vec::new();
    for (number, sojourn) in (0..).zip(&sojourns.all) {
        let mut stay = Stay {
            enter: (place(sojourn.enter_first, 0), place(sojourn.enter_last, 3)),
            leave: (place(sojourn.leave_first, 0), place(sojourn.leave_last, 3)),
            sojourn: number,
        };
        // The vacant gaps before which it must be over, and after which it must begin.
        let after = gaps.partition_point(|gap| *gap <= sojourn.enter_last);
        let before = gaps.partition_point(|gap| *gap < sojourn.leave_first);
        if before < after {
            brief.push((place(gaps[before], 1), [sojourn.enter, sojourn.leave]));
            continue;
        }
        if let Some(gap) = gaps.get(after) {
            stay.leave.1 = stay.leave.1.min(place(*gap, 0));
            stay.enter.1 = stay.enter.1.min(stay.leave.1);
        }
        if let Some(gap) = before.checked_sub(1).map(|before| gaps[before]) {
            stay.enter.0 = stay.enter.0.max(place(gap, 3));
            stay.leave.0 = stay.leave.0.max(stay.enter.0);
        }
        stays.push(stay);
    }
    let line = common_extension(&stays)?;
    let mut steps = points(&stays, &line, sojourns);
    steps.extend(brief.into_iter().map(|(place, [enter, leave])| (place, enter, Some(leave))));
    steps.extend(
        vacant
            .iter()
            .zip(&sojourns.vacancies)
            .map(|(gap, vacancy)| (place(*gap, 2), vacancy.operation, None)),
    );
    // Steps of one value at one place keep their order.
    steps.sort_by_key(|(place, ..)| *place);
    Some(steps.into_iter().flat_map(|(_, first, second)| [first].into_iter().chain(second)).collect())
}

/// The stays in an order in which both insertions and removals are possible.
fn common_extension(stays: &[Stay]) -> Option<Vec<u32>> {
    let (by_enter, by_leave) = (by(stays, |stay| stay.enter.0), by(stays, |stay| stay.leave.0));
    let (by_entered, by_left) = (by(stays, |stay| stay.enter.1), by(stays, |stay| stay.leave.1));
    // Who may come next by its insertion, by its removal; who may by both is ready.
    let mut may = vec![0u8; stays.len()];
    let mut gone = vec![false; stays.len()];
    let (mut enter, mut leave, mut entered, mut left) = (0, 0, 0, 0);
    let mut ready: BinaryHeap<Reverse<(Place, u32)>> = BinaryHeap::new();
    let mut line = Vec::with_capacity(stays.len());
    while line.len() < stays.len() {
        while gone[by_entered[entered].1 as usize] {
            entered += 1;
        }
        while gone[by_left[left].1 as usize] {
            left += 1;
        }
        let mut allow = |list: &[(Place, u32)], at: &mut usize, limit: Place| {
            while let Some(&(_, stay)) = list.get(*at).filter(|(first, _)| *first <= limit) {
                may[stay as usize] += 1;
                if may[stay as usize] == 2 {
                    ready.push(Reverse((stays[stay as usize].enter.1, stay)));
                }
                *at += 1;
            }
        };
        allow(&by_enter, &mut enter, by_entered[entered].0);
        allow(&by_leave, &mut leave, by_left[left].0);
        let Reverse((_, next)) = ready.pop()?;
        gone[next as usize] = true;
        line.push(next);
    }
    Some(line)
}

/// Lets each come out as early, and go in as late, as the line allows: insertions and removals in order, each with its place.
fn points(stays: &[Stay], line: &[u32], sojourns: &Sojourns) -> Vec<(Place, u32, Option<u32>)> {
    let line: Vec<&Stay> = line.iter().map(|stay| &stays[*stay as usize]).collect();
    let mut latest = Place::MAX;
    let mut enters: Vec<Place> = line
        .iter()
        .rev()
        .map(|stay| {
            latest = latest.min(stay.enter.1);
            latest
        })
        .collect();
    enters.reverse();
    let mut earliest = 0;
    let leaves: Vec<Place> = line
        .iter()
        .map(|stay| {
            earliest = earliest.max(stay.leave.0);
            earliest
        })
        .collect();
    let operations = |at: usize| {
        let sojourn = &sojourns.all[line[at].sojourn as usize];
        (sojourn.enter, sojourn.leave)
    };
    let mut steps = Vec::with_capacity(line.len() * 2);
    // The first that has not come out.
    let mut waiting = 0;
    for at in 0..=line.len() {
        let place = if at < line.len() { enters[at].min(leaves[at]) } else { Place::MAX };
        while waiting < at && leaves[waiting] <= place {
            let leave = operations(waiting).1;
            if leave != NONE {
                steps.push((leaves[waiting], leave, None));
            }
            waiting += 1;
        }
        if at < line.len() {
            steps.push((place, operations(at).0, None));
        }
    }
    steps
}
