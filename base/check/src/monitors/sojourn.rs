//! When each value of a collection went in and came out, as far as the history says.

use hashbrown::HashMap;
use isles_history::{Moment, Operation};
use rustc_hash::FxBuildHasher;

use super::Finding;
use crate::model::Datum;
use crate::models::collection::{Op, Reply};

/// Where something may happen: gap `g` lies before the event of rank `g` and after that of rank `g - 1`.
pub(super) type Gap = u32;

/// No operation.
pub(super) const NONE: u32 = u32::MAX;

/// One value: it went in once, in a gap of `enter_first..=enter_last`, and came out once at most, in a gap of
/// `leave_first..=leave_last`. Invariant: `enter_first <= enter_last <= leave_last` and `enter_first <= leave_first <= leave_last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sojourn {
    pub(super) enter_first: Gap,
    pub(super) enter_last: Gap,
    /// One past the last gap, for a value that stays.
    pub(super) leave_first: Gap,
    pub(super) leave_last: Gap,
    /// Which operation put it in.
    pub(super) enter: u32,
    /// Which took it out; [`NONE`] if it stays.
    pub(super) leave: u32,
}

impl Sojourn {
    /// The gaps in which the value is there whatever the order.
    pub(super) fn definite(&self) -> std::ops::Range<Gap> {
        self.enter_last + 1..self.leave_first.max(self.enter_last + 1)
    }

    /// Whether it may come out as soon as it went in.
    pub(super) const fn may_be_brief(&self) -> bool {
        self.leave_first <= self.enter_last
    }

    /// Its operations.
    pub(super) fn operations(&self) -> impl Iterator<Item = u32> + use<> {
        [self.enter, self.leave].into_iter().filter(|operation| *operation != NONE)
    }
}

/// A removal that found nothing, in a gap of `first..=last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Vacancy {
    pub(super) first: Gap,
    pub(super) last: Gap,
    pub(super) operation: u32,
}

/// A removal of which nobody knows what it took out, or whether.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Blind {
    pub(super) first: Gap,
    pub(super) operation: u32,
}

/// A history of a collection in which no value goes in twice.
#[derive(Debug)]
pub(super) struct Sojourns {
    /// In the order of the history; what nobody took out and may not have gone in is left out.
    pub(super) all: Vec<Sojourn>,
    pub(super) vacancies: Vec<Vacancy>,
    pub(super) blind: Vec<Blind>,
    /// One past the last gap.
    pub(super) gaps: Gap,
}

impl Sojourns {
    /// What those of `operations` named by `members` say of each value.
    ///
    /// # Errors
    /// With what is wrong already, or why no monitor can judge it.
    pub(super) fn new<V: Datum>(
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Result<Self, Finding> {
        if members.len() >= (u32::MAX / 16) as usize {
            return Err(Finding::Inapplicable("more operations than fit"));
        }
        let (ranks, gaps) = ranks(operations, members);
        let mut index: HashMap<&V, u32, FxBuildHasher> =
            HashMap::with_capacity_and_hasher(members.len() / 2, FxBuildHasher);
        let mut all: Vec<Sojourn> = Vec::with_capacity(members.len() / 2 + 1);
        for (&operation, rank) in members.iter().zip(&ranks) {
            let at = &operations[operation as usize];
            let Op::Insert(value) = &at.op else { continue };
            if index.insert(value, all.len() as u32).is_some() {
                return Err(Finding::Inapplicable("a value goes in twice"));
            }
            all.push(Sojourn {
                enter_first: rank.0 + 1,
                enter_last: rank.1.min(gaps - 1),
                leave_first: gaps,
                leave_last: gaps,
                enter: operation,
                leave: NONE,
            });
        }
        let (mut vacancies, mut blind) = (Vec::new(), Vec::new());
        for (&operation, rank) in members.iter().zip(&ranks) {
            let at = &operations[operation as usize];
            let (first, last) = (rank.0 + 1, rank.1.min(gaps - 1));
            match (&at.op, at.reply()) {
                (Op::Insert(_), None | Some(Reply::Done)) => {}
                (Op::Remove, Some(Reply::Value(Some(value)))) => {
                    let Some(place) = index.get(value) else { return Err(Finding::Wrong(vec![operation])) };
                    let sojourn = &mut all[*place as usize];
                    if sojourn.leave != NONE {
                        return Err(Finding::Wrong(vec![sojourn.enter, sojourn.leave, operation]));
                    }
                    if last < sojourn.enter_first {
                        return Err(Finding::Wrong(vec![sojourn.enter, operation]));
                    }
                    sojourn.leave = operation;
                    // It went in before it came out.
                    sojourn.enter_last = sojourn.enter_last.min(last);
                    sojourn.leave_first = first.max(sojourn.enter_first);
                    sojourn.leave_last = last;
                }
                (Op::Remove, Some(Reply::Value(None))) => vacancies.push(Vacancy { first, last, operation }),
                (Op::Remove, None) => blind.push(Blind { first, operation }),
                (Op::Peek, None) => {}
                (Op::Peek, Some(_)) => {
                    return Err(Finding::Inapplicable("somebody looked without taking out"));
                }
                (Op::Insert(_) | Op::Remove, Some(_)) => return Err(Finding::Wrong(vec![operation])),
            }
        }
        let unknown = |sojourn: &Sojourn| operations[sojourn.enter as usize].reply().is_none();
        all.retain(|sojourn| sojourn.leave != NONE || !unknown(sojourn));
        Ok(Self { all, vacancies, blind, gaps })
    }
}

/// The ranks of invocation and return of each member among all their events, and how many gaps there are between them. What happens at one
/// moment overlaps: invocations come first.
fn ranks<Op, Reply>(operations: &[Operation<Op, Reply>], members: &[u32]) -> (Vec<(u32, u32)>, Gap) {
    let mut events: Vec<(Moment, bool, u32)> = Vec::with_capacity(members.len() * 2);
    for (operation, member) in (0..).zip(members) {
        let at = &operations[*member as usize];
        events.push((at.invoked, false, operation));
        if at.returned() < Moment::MAX {
            events.push((at.returned(), true, operation));
        }
    }
    // Invocations are in order already, returns nearly.
    events.sort();
    let mut ranks = vec![(0, u32::MAX); members.len()];
    for (rank, (_, is_return, operation)) in (0..).zip(&events) {
        let own = &mut ranks[*operation as usize];
        if *is_return { own.1 = rank } else { own.0 = rank }
    }
    (ranks, events.len() as Gap + 1)
}

/// Which gaps are taken, where gaps are only ever taken more.
#[derive(Debug)]
pub(super) struct Taken {
    /// A gap that is free points at itself, another one towards the next that may be free.
    next: Vec<Gap>,
}

impl Taken {
    /// All of `0..gaps` are free.
    pub(super) fn new(gaps: Gap) -> Self {
        Self { next: (0..=gaps).collect() }
    }

    /// The first free gap from `gap` on; one past the last if there is none.
    pub(super) fn free_from(&mut self, gap: Gap) -> Gap {
        let mut at = gap;
        while self.next[at as usize] != at {
            let after = self.next[at as usize];
            self.next[at as usize] = self.next[after as usize];
            at = after;
        }
        at
    }

    /// Takes gaps.
    pub(super) fn take(&mut self, gaps: std::ops::Range<Gap>) {
        let mut at = self.free_from(gaps.start);
        while at < gaps.end {
            self.next[at as usize] = at + 1;
            at = self.free_from(at + 1);
        }
    }
}

/// The fewest of `ranges` that together take all of `wanted`; none if some of it is free. Each range comes with whose it is.
pub(super) fn cover(
    wanted: std::ops::Range<Gap>,
    ranges: impl Iterator<Item = (std::ops::Range<Gap>, u32)>,
) -> Option<Vec<u32>> {
    let mut ranges: Vec<(std::ops::Range<Gap>, u32)> =
        ranges.filter(|(range, _)| range.start < wanted.end && range.end > wanted.start).collect();
    ranges.sort_unstable_by_key(|(range, owner)| (range.start, *owner));
    let mut chosen = Vec::new();
    let (mut at, mut ranges) = (wanted.start, ranges.into_iter().peekable());
    while at < wanted.end {
        let mut best: Option<(Gap, u32)> = None;
        while let Some((range, owner)) = ranges.next_if(|(range, _)| range.start <= at) {
            if best.is_none_or(|(end, _)| range.end > end) {
                best = Some((range.end, owner));
            }
        }
        let (end, owner) = best.filter(|(end, _)| *end > at)?;
        chosen.push(owner);
        at = end;
    }
    Some(chosen)
}
