//! Sets of dots with gaps: version vectors with exceptions (Malkhi and Terry, "Concise version vectors in WinFS", DISC 2005), which are
//! the causal contexts of delta-based replicated data types: a compact vector and a cloud of dots that do not join it yet (Almeida,
//! Shoker and Baquero, "Delta state replicated data types", JPDC 111, 2018).
//!
//! The two are one thing seen from two sides. For an actor of whom 1 to 3 and 6 are known, WinFS says "6, except 4 and 5", and a
//! context says "3, and besides 6". Here it is a list of runs, 1 to 3 and 6 to 6, which is canonical by itself: a gap that
//! is filled makes two runs one.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use crate::dot::{Actor, COUNTER_MAX, Dot};
use crate::order::Order;
use crate::version_vector::VersionVector;
use crate::wire::{DecodeError, Flaw, Reader, put_actor, put_number};

/// Events of one actor that follow each other without a gap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Whose events.
    pub actor: Actor,
    /// The number of the first, from 1 on.
    pub first: u64,
    /// The number of the last, not less than `first`.
    pub last: u64,
}

impl Run {
    const fn of(dot: Dot) -> Self {
        Self { actor: dot.actor, first: dot.counter, last: dot.counter }
    }

    /// How many events there are.
    pub const fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether `later` begins where this run ends or before, so that the two are one.
    fn reaches(&self, later: &Self) -> bool {
        self.actor == later.actor && later.first <= self.last + 1
    }
}

/// A set of dots, compact where it has no gaps.
///
/// ```
/// use isles_causality::{Actor, Dot, DotContext};
/// let mut context = DotContext::new();
/// for counter in [1, 2, 4] {
///     context.insert(Dot::new(Actor(7), counter));
/// }
/// assert_eq!(context.compact().get(Actor(7)), 2);
/// assert!(context.contains(Dot::new(Actor(7), 4)) && !context.contains(Dot::new(Actor(7), 3)));
/// context.insert(Dot::new(Actor(7), 3));
/// assert_eq!(context.compact().get(Actor(7)), 4);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(try_from = "Vec<Run>")]
pub struct DotContext {
    /// Invariant: ascending by actor and first, and no run reaches the next.
    runs: SmallVec<[Run; 1]>,
}

impl DotContext {
    /// The empty set.
    pub fn new() -> Self {
        Self { runs: SmallVec::new() }
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        let after = self.after(dot);
        after > 0 && self.runs[after - 1].actor == dot.actor && dot.counter <= self.runs[after - 1].last
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs of the set, ascending by actor and number; no two touch.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// How many dots the set has; the greatest number if there are more.
    pub fn count(&self) -> u64 {
        self.runs.iter().fold(0, |count: u64, run| count.saturating_add(run.count()))
    }

    /// All dots of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.runs.iter().flat_map(|run| (run.first..=run.last).map(|counter| Dot::new(run.actor, counter)))
    }

    /// The greatest counter of `actor`, 0 if there is none. In a version vector with exceptions this is the vector.
    pub fn newest(&self, actor: Actor) -> u64 {
        let after = self.runs.partition_point(|run| run.actor <= actor);
        self.runs[..after].last().filter(|run| run.actor == actor).map_or(0, |run| run.last)
    }

    /// What is missing below the newest dot of each actor: the exceptions.
    pub fn exceptions(&self) -> impl Iterator<Item = Run> + '_ {
        let mut previous = (Actor(0), 0);
        self.runs.iter().filter_map(move |run| {
            let from = if previous.0 == run.actor { previous.1 + 1 } else { 1 };
            previous = (run.actor, run.last);
            (from < run.first).then(|| Run { actor: run.actor, first: from, last: run.first - 1 })
        })
    }

    /// The part without gaps: for each actor the events from 1 on of which none is missing.
    pub fn compact(&self) -> VersionVector {
        self.runs.iter().filter(|run| run.first == 1).map(|run| Dot::new(run.actor, run.last)).collect()
    }

    /// The part beyond gaps: what [`compact`](Self::compact) leaves out.
    pub fn cloud(&self) -> impl Iterator<Item = Run> + '_ {
        self.runs.iter().copied().filter(|run| run.first > 1)
    }

    /// Counts one more event of `actor`, after the newest one: which it is. Only the actor itself may do that, in a set that has
    /// all its dots.
    pub fn event(&mut self, actor: Actor) -> Dot {
        let dot = Dot::new(actor, self.newest(actor) + 1);
        self.insert(dot);
        dot
    }

    /// Adds `dot`: whether it is new.
    ///
    /// # Panics
    /// When the counter is 0, which is no event, or beyond [`COUNTER_MAX`].
    ///
    /// # Complexity
    /// Logarithmic in the runs, and linear where a run comes or goes.
    pub fn insert(&mut self, dot: Dot) -> bool {
        assert!((1..=COUNTER_MAX).contains(&dot.counter), "events are counted from 1 to 2^62");
        let after = self.after(dot);
        let run = Run::of(dot);
        let joins_next = self.runs.get(after).is_some_and(|next| run.reaches(next));
        if after > 0 && self.runs[after - 1].reaches(&run) {
            if dot.counter <= self.runs[after - 1].last {
                return false;
            }
            self.runs[after - 1].last = dot.counter;
            if joins_next {
                self.runs[after - 1].last = self.runs[after].last;
                self.runs.remove(after);
            }
        } else if joins_next {
            self.runs[after].first = dot.counter;
        } else {
            self.runs.insert(after, run);
        }
        true
    }

    /// Takes `dot` out: whether it was there. The causal context of a replica only grows; this is for sets of dots that say
    /// something else, such as what is alive.
    pub fn remove(&mut self, dot: Dot) -> bool {
        if !self.contains(dot) {
            return false;
        }
        let at = self.after(dot) - 1;
        let run = self.runs[at];
        match (run.first == dot.counter, run.last == dot.counter) {
            (true, true) => {
                self.runs.remove(at);
            }
            (true, false) => self.runs[at].first += 1,
            (false, true) => self.runs[at].last -= 1,
            (false, false) => {
                self.runs[at].last = dot.counter - 1;
                self.runs.insert(at + 1, Run { first: dot.counter + 1, ..run });
            }
        }
        true
    }

    /// Adds all dots of `other`.
    ///
    /// # Complexity
    /// Linear in the runs of both; logarithmic if `other` has one run.
    pub fn join(&mut self, other: &Self) {
        match other.runs.as_slice() {
            [] => {}
            [run] if run.first == run.last => {
                self.insert(Dot::new(run.actor, run.first));
            }
            theirs if other.compare(self) != Order::Before => self.merge(theirs),
            _ => {}
        }
    }

    fn merge(&mut self, mut theirs: &[Run]) {
        let old = std::mem::take(&mut self.runs);
        let mut mine = old.as_slice();
        let mut merged: SmallVec<[Run; 1]> = SmallVec::with_capacity(mine.len() + theirs.len());
        loop {
            let run = match (mine.first(), theirs.first()) {
                (Some(a), Some(b)) if a <= b => take_first(&mut mine),
                (_, Some(_)) => take_first(&mut theirs),
                (Some(_), None) => take_first(&mut mine),
                (None, None) => break,
            };
            match merged.last_mut() {
                Some(last) if last.reaches(&run) => last.last = last.last.max(run.last),
                Some(_) | None => merged.push(run),
            }
        }
        self.runs = merged;
    }

    /// The dots that are here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Self::new();
        let mut theirs = other.runs.as_slice();
        for run in &self.runs {
            let mut rest = *run;
            while theirs.first().is_some_and(|b| (b.actor, b.last) < (rest.actor, rest.first)) {
                theirs = &theirs[1..];
            }
            // One of theirs may end in a later run of ours, so it stays in the list.
            for b in theirs.iter().take_while(|b| (b.actor, b.first) <= (run.actor, run.last)) {
                if rest.first < b.first {
                    left.runs.push(Run { last: b.first - 1, ..rest });
                }
                rest.first = rest.first.max(b.last + 1);
            }
            if rest.first <= rest.last {
                left.runs.push(rest);
            }
        }
        left
    }

    /// Whether all dots of `other` are here.
    pub fn includes(&self, other: &Self) -> bool {
        other.compare(self).is_before_or_equal()
    }

    /// How this lies to `other` by inclusion.
    ///
    /// # Complexity
    /// Linear in the runs of both; ends where each has a dot that the other has not.
    pub fn compare(&self, other: &Self) -> Order {
        let (mut mine, mut theirs) = (self.runs.as_slice(), other.runs.as_slice());
        let (mut less, mut more) = (false, false);
        while let (Some(a), Some(b)) = (mine.first(), theirs.first()) {
            if less && more {
                return Order::Concurrent;
            }
            if a.actor != b.actor || a.last < b.first || b.last < a.first {
                // The earlier of two that do not meet is missing on the other side, since runs that touch are one.
                let earlier = a.cmp(b) == Ordering::Less;
                (more, less) = (more | earlier, less | !earlier);
                if earlier {
                    mine = &mine[1..]
                } else {
                    theirs = &theirs[1..]
                }
                continue;
            }
            // Runs that meet are included the one in the other, or neither: whatever sticks out has no other run to be in.
            more |= a.first < b.first || a.last > b.last;
            less |= b.first < a.first || b.last > a.last;
            let (a, b) = (a.last, b.last);
            mine = &mine[usize::from(a <= b)..];
            theirs = &theirs[usize::from(b <= a)..];
        }
        // A run that was left when its partner had ended has been counted already, and counting it again says the same.
        less |= !theirs.is_empty();
        more |= !mine.is_empty();
        Order::from_inclusions(!more, !less)
    }

    /// Appends its encoding: the count of runs; for each, the actor if it is another one than before, how many are missing before
    /// the run, and how many it has beyond the first.
    ///
    /// The number of missing ones is doubled, and the lowest bit says that the actor is the same as before.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put_number(out, self.runs.len() as u64);
        let mut previous: Option<Run> = None;
        for run in &self.runs {
            match previous {
                Some(before) if before.actor == run.actor => {
                    put_number(out, (run.first - before.last - 2) << 1 | 1);
                }
                Some(_) | None => {
                    put_number(out, (run.first - 1) << 1);
                    put_actor(out, previous.map(|before| before.actor), run.actor);
                }
            }
            put_number(out, run.last - run.first);
            previous = Some(*run);
        }
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// The next context of a reader.
    ///
    /// # Errors
    /// When the bytes do not begin with an encoding.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(2)?;
        let mut runs: SmallVec<[Run; 1]> = SmallVec::with_capacity(count);
        for _ in 0..count {
            let gap = reader.number()?;
            let before = runs.last();
            let (actor, from) = match (gap & 1, before) {
                (0, _) => (reader.actor_after(before.map(|run| run.actor))?, 1),
                (_, Some(before)) => (before.actor, before.last + 2),
                (_, None) => {
                    return Err(reader.error(Flaw::NotCanonical("the first run has no actor before it")));
                }
            };
            let first = from + (gap >> 1).min(COUNTER_MAX);
            if first > COUNTER_MAX {
                return Err(reader.error(Flaw::TooLarge("a counter is at most 2^62")));
            }
            let last = reader.counter_after(first)?;
            runs.push(Run { actor, first, last });
        }
        Ok(Self { runs })
    }

    /// The context that `bytes` are.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some context.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let context = Self::read(&mut reader)?;
        reader.end()?;
        Ok(context)
    }

    /// The place of the first run that begins after `dot`.
    fn after(&self, dot: Dot) -> usize {
        self.runs.partition_point(|run| (run.actor, run.first) <= (dot.actor, dot.counter))
    }
}

fn take_first(runs: &mut &[Run]) -> Run {
    let (first, rest) = runs.split_first().expect("somebody looked before");
    *runs = rest;
    *first
}

impl From<&VersionVector> for DotContext {
    fn from(vector: &VersionVector) -> Self {
        let run = |dot: Dot| Run { actor: dot.actor, first: 1, last: dot.counter };
        Self { runs: vector.iter().map(run).collect() }
    }
}

impl FromIterator<Dot> for DotContext {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut context = Self::new();
        for dot in dots {
            context.insert(dot);
        }
        context
    }
}

impl TryFrom<Vec<Run>> for DotContext {
    type Error = &'static str;

    fn try_from(runs: Vec<Run>) -> Result<Self, &'static str> {
        let real = |run: &Run| 1 <= run.first && run.first <= run.last && run.last <= COUNTER_MAX;
        if runs.iter().all(real) && runs.is_sorted_by(|a, b| a < b && !a.reaches(b)) {
            Ok(Self { runs: SmallVec::from_vec(runs) })
        } else {
            Err("the runs of a context ascend, do not touch, and count from 1 to 2^62")
        }
    }
}

impl Serialize for DotContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.runs)
    }
}

impl fmt::Debug for DotContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(
                self.runs
                    .iter()
                    .map(|run| format_args!("{}:{}..={}", run.actor, run.first, run.last).to_string()),
            )
            .finish()
    }
}
