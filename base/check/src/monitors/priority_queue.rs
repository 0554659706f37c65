//! The first by priority comes out first.
//!
//! A value comes out where no value of higher priority is in, and where others are is of no concern. So values are taken by priority, the
//! highest first: each comes out in the first gap in which no higher one is definitely there, and it goes in as late as it may. Both are
//! best for all that follow, since from then on it is definitely there in as few gaps as can be: those between. If a value has no such gap, there
//! is no order. A removal that found nothing is of lower priority than everything. (The patterns of Bouajjani, Enea, Wang, "Checking
//! linearizability of concurrent priority queues", CONCUR 2017, are the ways in which this can fail.)

use isles_history::Operation;

use super::sojourn::{Gap, NONE, Sojourn, Sojourns, Taken, cover};
use super::{BLIND, Finding};
use crate::model::Datum;
use crate::models::collection::{First, Op, Reply};

/// Judges those of `operations` named by `members`, of a priority queue that is empty at first.
///
/// # Complexity
/// Time n log n, and some 80 bytes for each operation.
pub fn priority_queue<V: Datum>(
    operations: &[Operation<Op<V>, Reply<V>>],
    members: &[u32],
    first: First,
) -> Finding {
    let mut sojourns = match Sojourns::new(operations, members) {
        Ok(sojourns) => sojourns,
        Err(finding) => return finding,
    };
    sojourns.all.sort_by(|a, b| {
        let value = |sojourn: &Sojourn| match &operations[sojourn.enter as usize].op {
            Op::Insert(value) => Some(value),
            Op::Remove | Op::Peek => None,
        };
        match first {
            First::Least => value(a).cmp(&value(b)),
            First::Greatest => value(b).cmp(&value(a)),
        }
    });
    match place(&sojourns) {
        Ok(order) => Finding::Order(order),
        Err(_) if !sojourns.blind.is_empty() => Finding::Inapplicable(BLIND),
        Err(operations) => Finding::Wrong(operations),
    }
}

/// What happens in a gap, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Values come out, by priority; brief ones go in and out.
    Out(u32),
    /// Nothing is found.
    Nothing,
    /// Values go in.
    In,
}

/// An order, or operations that have none.
fn place(sojourns: &Sojourns) -> Result<Vec<u32>, Vec<u32>> {
    let mut taken = Taken::new(sojourns.gaps);
    // For each value the gap in which it comes out.
    let mut outs: Vec<Gap> = Vec::with_capacity(sojourns.all.len());
    let mut steps: Vec<(Gap, Part, u32)> = Vec::with_capacity(sojourns.all.len() * 2);
    for (rank, sojourn) in (0..).zip(&sojourns.all) {
        let out = taken.free_from(sojourn.leave_first);
        if sojourn.leave != NONE && out > sojourn.leave_last {
            let wanted = sojourn.leave_first..sojourn.leave_last + 1;
            return Err(blockers(sojourns, &outs, wanted, rank, sojourn.operations().collect()));
        }
        outs.push(out);
        let enter = sojourn.enter_last.min(out);
        let part = if enter == out { Part::Out(rank) } else { Part::In };
        steps.push((enter, part, sojourn.enter));
        if sojourn.leave != NONE {
            steps.push((out, Part::Out(rank), sojourn.leave));
        }
        taken.take(enter + 1..out);
    }
    for vacancy in &sojourns.vacancies {
        let gap = taken.free_from(vacancy.first);
        if gap > vacancy.last {
            let (wanted, count) = (vacancy.first..vacancy.last + 1, outs.len() as u32);
            return Err(blockers(sojourns, &outs, wanted, count, vec![vacancy.operation]));
        }
        steps.push((gap, Part::Nothing, vacancy.operation));
    }
    // A brief value goes in before it comes out: the sort keeps what is equal as it is.
    steps.sort_by_key(|(gap, part, _)| (*gap, *part));
    Ok(steps.into_iter().map(|(.., operation)| operation).collect())
}

/// Adds to `operations` those of values of which one is there in each of the gaps `wanted`, among the first `count`: and where one of them
/// stays longer than it would by itself, those that keep it.
fn blockers(
    sojourns: &Sojourns,
    outs: &[Gap],
    wanted: std::ops::Range<Gap>,
    count: u32,
    mut operations: Vec<u32>,
) -> Vec<u32> {
    let mut needs = vec![(wanted, count)];
    let mut there = vec![false; outs.len()];
    while let Some((wanted, count)) = needs.pop() {
        let ranges = (0..count).zip(&sojourns.all).map(|(place, sojourn)| {
            (sojourn.enter_last + 1..outs[place as usize].max(sojourn.enter_last + 1), place)
        });
        for place in cover(wanted, ranges).unwrap_or_default() {
            let sojourn = &sojourns.all[place as usize];
            if !std::mem::replace(&mut there[place as usize], true) {
                operations.extend(sojourn.operations());
                needs.push((sojourn.leave_first..outs[place as usize], place));
            }
        }
    }
    operations
}
