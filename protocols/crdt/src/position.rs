//! Where an element of a list is: a name that says it by itself, between those of its neighbours, for ever.
//!
//! Weidner and Kleppmann, "The art of the fugue: minimizing interleaving in collaborative text editing", arXiv 2305.00583, 2023. The
//! elements of a list are a tree; an element comes after those in its left subtrees and before those in its right ones, and siblings on one
//! side come in the order of their dots. A new element hangs on the right of its left neighbour, or, where the right neighbour hangs
//! below that one, on the left of the right neighbour. So what one replica types in one go, forwards or backwards, is one branch, and
//! nobody's text comes in between.
//!
//! # Departures from the paper
//! - The tree is not stored. A position is the way from the root to its element, as in the paper's variant for strings, so that a
//!   list is a map by position, and a removed element leaves nothing behind.
//! - For that, neighbours are the visible ones, not removed ones that the paper keeps as tombstones. A branch is still in one piece; what
//!   differs is beside which branch a new one grows when the neighbourhood has been removed.
//! - A run of steps on one side, with the next dot of one replica each, is one part of the way: text that is typed in one go has one,
//!   however long it is. A way has a further part wherever somebody wrote into what somebody had written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use isles_causality::dot::COUNTER_MAX;
use isles_causality::wire::{DecodeError, Flaw, Reader, put_number};
use isles_causality::{Actor, Dot};

use crate::canonical::{Canonical, Digest};

/// On which side of its parent an element hangs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Steps on one side, each to the next dot of one replica. The order of two runs is that of their first steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Run {
    side: Side,
    actor: Actor,
    /// The counter of the first step.
    first: u64,
    /// How many steps. Invariant: at least one, and the last is not beyond [`COUNTER_MAX`].
    count: u64,
}

/// The place of an element in a list. Positions are ordered as the elements are.
#[derive(Clone)]
pub struct Position {
    /// The way from the root up to the last run. Invariant: no run goes on where the one before ends.
    trunk: Arc<[Run]>,
    last: Run,
}

impl Run {
    /// Whether a step on `side` to `dot` makes this run longer.
    fn goes_on_with(&self, side: Side, dot: Dot) -> bool {
        self.side == side && self.actor == dot.actor && self.first + self.count == dot.counter
    }

    /// Whether the two begin with the same step.
    fn begins_as(&self, other: &Self) -> bool {
        (self.side, self.actor, self.first) == (other.side, other.actor, other.first)
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, (self.count - 1) << 1 | u64::from(self.side == Side::Right));
        self.actor.write(out);
        put_number(out, self.first - 1);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = reader.number()?;
        let side = if number & 1 == 1 { Side::Right } else { Side::Left };
        let (actor, first) = (Actor::read(reader)?, reader.counter_after(1)?);
        let count = (number >> 1) + 1;
        match first.checked_add(count - 1) {
            Some(last) if last <= COUNTER_MAX => Ok(Self { side, actor, first, count }),
            Some(_) | None => Err(reader.error(Flaw::TooLarge("a counter is at most 2^62"))),
        }
    }
}

/// The steps of a way that are still to be compared.
struct Steps<'p> {
    trunk: &'p [Run],
    last: Option<Run>,
}

impl Iterator for Steps<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        match self.trunk.split_first() {
            Some((first, rest)) => {
                self.trunk = rest;
                Some(*first)
            }
            None => self.last.take(),
        }
    }
}

impl Position {
    /// A child of the root, on the right, where all of them are.
    pub(crate) fn first(dot: Dot) -> Self {
        Self {
            trunk: [].into(),
            last: Run { side: Side::Right, actor: dot.actor, first: dot.counter, count: 1 },
        }
    }

    /// A child of this element.
    pub(crate) fn child(&self, side: Side, dot: Dot) -> Self {
        if self.last.goes_on_with(side, dot) {
            return Self {
                trunk: Arc::clone(&self.trunk),
                last: Run { count: self.last.count + 1, ..self.last },
            };
        }
        let trunk = self.trunk.iter().copied().chain([self.last]).collect();
        Self { trunk, last: Run { side, actor: dot.actor, first: dot.counter, count: 1 } }
    }

    /// How many runs the way has: what its encoding grows with.
    pub fn runs(&self) -> usize {
        self.trunk.len() + 1
    }

    /// The ways beyond what both have in common: the next steps of each, none where it ends there.
    fn fork(&self, other: &Self) -> (Option<Run>, Option<Run>) {
        let same = if Arc::ptr_eq(&self.trunk, &other.trunk) { self.trunk.len() } else { 0 };
        let mut mine = Steps { trunk: &self.trunk[same..], last: Some(self.last) };
        let mut theirs = Steps { trunk: &other.trunk[same..], last: Some(other.last) };
        let (mut a, mut b) = (mine.next(), theirs.next());
        while let (Some(x), Some(y)) = (&a, &b)
            && x.begins_as(y)
        {
            let common = x.count.min(y.count);
            let rest = |run: &Run| Run { first: run.first + common, count: run.count - common, ..*run };
            let (next_a, next_b) = (rest(x), rest(y));
            a = if next_a.count > 0 { Some(next_a) } else { mine.next() };
            b = if next_b.count > 0 { Some(next_b) } else { theirs.next() };
        }
        (a, b)
    }

    /// Whether `other` hangs somewhere below this element.
    pub(crate) fn is_above(&self, other: &Self) -> bool {
        matches!(self.fork(other), (None, Some(_)))
    }

    /// How many runs of the trunk are those of another trunk.
    fn shared(&self, other: &Self) -> usize {
        if Arc::ptr_eq(&self.trunk, &other.trunk) {
            return self.trunk.len();
        }
        self.trunk.iter().zip(other.trunk.iter()).take_while(|(a, b)| a == b).count()
    }

    /// Whether this is one step further than `previous`, in the same run.
    fn follows(&self, previous: &Self) -> bool {
        self.last.begins_as(&previous.last)
            && self.last.count == previous.last.count + 1
            && self.trunk.len() == previous.trunk.len()
            && self.shared(previous) == self.trunk.len()
    }

    fn read_rest(
        previous: Option<&Self>,
        shared: usize,
        reader: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let rest = reader.count(3)?;
        let old = previous.map_or([].as_slice(), |previous| &previous.trunk[..shared]);
        let trunk: Arc<[Run]> = match previous {
            Some(previous) if rest == 0 && shared == previous.trunk.len() => Arc::clone(&previous.trunk),
            Some(_) | None => {
                let mut runs = Vec::with_capacity(shared + rest);
                runs.extend_from_slice(old);
                for _ in 0..rest {
                    runs.push(Run::read(reader)?);
                }
                runs.into()
            }
        };
        let last = Run::read(reader)?;
        let goes_on =
            |(run, next): (&Run, &Run)| run.goes_on_with(next.side, Dot::new(next.actor, next.first));
        if trunk.iter().zip(trunk.iter().skip(1).chain([&last])).any(goes_on) {
            return Err(reader.error(Flaw::NotCanonical("a run is as long as it can be")));
        }
        Ok(Self { trunk, last })
    }
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        self.last == other.last && (Arc::ptr_eq(&self.trunk, &other.trunk) || self.trunk == other.trunk)
    }
}

impl Eq for Position {}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.fork(other) {
            (None, None) => Ordering::Equal,
            (None, Some(below)) => {
                if below.side == Side::Left {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(below), None) => {
                if below.side == Side::Left {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(a), Some(b)) => a.cmp(&b),
        }
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Position {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.trunk.hash(state);
        self.last.hash(state);
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.side == Side::Left { '<' } else { '>' };
        write!(f, "{side}{}:{}+{}", self.actor, self.first, self.count - 1)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.trunk.iter().chain([&self.last])).finish()
    }
}

/// Alone: the count of runs but the last, and the runs. After another position: 0 if it is one step further in the same run; else
/// one more than the count of runs in common but for the last, and the others as before.
impl Canonical for Position {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.trunk.len() as u64);
        self.trunk.iter().chain([&self.last]).for_each(|run| run.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::read_rest(None, 0, reader)
    }

    fn write_after(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        let Some(previous) = previous else { return self.write(out) };
        if self.follows(previous) {
            return put_number(out, 0);
        }
        let shared = self.shared(previous);
        put_number(out, shared as u64 + 1);
        let rest = &self.trunk[shared..];
        put_number(out, rest.len() as u64);
        rest.iter().chain([&self.last]).for_each(|run| run.write(out));
    }

    fn read_after(previous: Option<&Self>, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let Some(previous) = previous else { return Self::read(reader) };
        let Some(shared) = reader.number()?.checked_sub(1) else {
            let count = previous.last.count + 1;
            if previous.last.first + previous.last.count > COUNTER_MAX {
                return Err(reader.error(Flaw::TooLarge("a counter is at most 2^62")));
            }
            return Ok(Self { trunk: Arc::clone(&previous.trunk), last: Run { count, ..previous.last } });
        };
        let shared = usize::try_from(shared).ok().filter(|shared| *shared <= previous.trunk.len());
        let shared =
            shared.ok_or_else(|| reader.error(Flaw::TooLarge("more runs in common than there are")))?;
        let position = Self::read_rest(Some(previous), shared, reader)?;
        if position.shared(previous) != shared || position.follows(previous) {
            return Err(
                reader.error(Flaw::NotCanonical("whatever two neighbours have in common is left out"))
            );
        }
        Ok(position)
    }

    fn digest(&self) -> Digest {
        let of = |run: &Run| {
            Digest::of_numbers([run.count << 1 | u64::from(run.side == Side::Right), run.actor.0, run.first])
        };
        self.trunk.iter().fold(of(&self.last), |digest, run| digest.then(of(run)))
    }
}
