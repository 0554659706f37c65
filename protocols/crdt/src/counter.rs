//! Counters that count up, and up and down: for each replica its own totals (Shapiro, Preguiça, Baquero, Zawirski, INRIA RR-7506, 2011,
//! specifications 6 and 7).

use std::collections::BTreeMap;

use isles_causality::Actor;
use isles_causality::wire::{DecodeError, Flaw, Reader, put_actor, put_number};

use crate::canonical::Canonical;
use crate::replicated::Replicated;

/// Writes the part of a [`Replicated`] whose deltas are small states.
macro_rules! delta_is_state {
    () => {
        type Delta = Self;

        fn apply(&mut self, delta: &Self) {
            self.join(delta);
        }

        fn join_deltas(delta: &mut Self, other: &Self) {
            delta.join(other);
        }
    };
}
pub(crate) use delta_is_state;

/// What can be kept for each replica and joined point by point: numbers that only grow.
pub(crate) trait Totals: Copy + PartialEq {
    /// Joins with another replica's knowledge.
    fn join(&mut self, other: &Self);
    /// Appends it.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads it.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Whether nothing was counted.
    fn is_zero(&self) -> bool;
}

pub(crate) fn join_totals<T: Totals>(mine: &mut BTreeMap<Actor, T>, theirs: &BTreeMap<Actor, T>) {
    for (actor, totals) in theirs {
        mine.entry(*actor).and_modify(|mine| mine.join(totals)).or_insert(*totals);
    }
}

/// The totals of one replica alone; of none if it counted nothing.
pub(crate) fn only<T: Totals>(actor: Actor, totals: T) -> BTreeMap<Actor, T> {
    if totals.is_zero() { BTreeMap::new() } else { BTreeMap::from([(actor, totals)]) }
}

/// What of `theirs` is not in `mine`.
pub(crate) fn new_totals<T: Totals>(
    mine: &BTreeMap<Actor, T>,
    theirs: &BTreeMap<Actor, T>,
) -> Option<BTreeMap<Actor, T>> {
    let is_new = |(actor, totals): &(&Actor, &T)| {
        mine.get(actor).is_none_or(|mine| {
            let mut joined = *mine;
            joined.join(totals);
            joined != *mine
        })
    };
    let new: BTreeMap<Actor, T> =
        theirs.iter().filter(is_new).map(|(actor, totals)| (*actor, *totals)).collect();
    (!new.is_empty()).then_some(new)
}

pub(crate) fn write_totals<T: Totals>(totals: &BTreeMap<Actor, T>, out: &mut Vec<u8>) {
    put_number(out, totals.len() as u64);
    let mut previous = None;
    for (actor, totals) in totals {
        put_actor(out, previous, *actor);
        totals.write(out);
        previous = Some(*actor);
    }
}

pub(crate) fn read_totals<T: Totals>(reader: &mut Reader<'_>) -> Result<BTreeMap<Actor, T>, DecodeError> {
    let (mut all, mut previous) = (BTreeMap::new(), None);
    for _ in 0..reader.count(2)? {
        let actor = reader.actor_after(previous)?;
        let totals = T::read(reader)?;
        if totals.is_zero() {
            return Err(reader.error(Flaw::NotCanonical("who counted nothing is not listed")));
        }
        all.insert(actor, totals);
        previous = Some(actor);
    }
    Ok(all)
}

impl Totals for u64 {
    fn join(&mut self, other: &Self) {
        *self = (*self).max(*other);
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, *self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.number()
    }

    fn is_zero(&self) -> bool {
        *self == 0
    }
}

/// A counter that only counts up. An operation is how much to add; to add nothing does nothing.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::GrowOnlyCounter;
/// let mut visits = GrowOnlyCounter::default();
/// visits.add(Actor(1), 3);
/// assert_eq!(visits.value(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct GrowOnlyCounter {
    /// How much each replica has added. Invariant: nothing is zero.
    totals: BTreeMap<Actor, u64>,
}

impl GrowOnlyCounter {
    /// The sum of all that was added.
    pub fn value(&self) -> u128 {
        self.totals.values().map(|total| u128::from(*total)).sum()
    }

    /// Adds `amount`, and returns the delta. A replica's total stays at 2^64 - 1 when it has come there.
    pub fn add(&mut self, by: Actor, amount: u64) -> Option<Self> {
        self.act(by, amount)
    }
}

impl Replicated for GrowOnlyCounter {
    type Op = u64;
    /// How much to add.
    type Effect = u64;
    delta_is_state!();

    fn prepare(&self, _: Actor, amount: u64) -> Option<u64> {
        (amount > 0).then_some(amount)
    }

    fn delta(&self, by: Actor, amount: &u64) -> Self {
        let total = self.totals.get(&by).map_or(0, |total| *total).saturating_add(*amount);
        Self { totals: only(by, total) }
    }

    fn join(&mut self, other: &Self) {
        join_totals(&mut self.totals, &other.totals);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        new_totals(&self.totals, &delta.totals).map(|totals| Self { totals })
    }
}

impl Canonical for GrowOnlyCounter {
    fn write(&self, out: &mut Vec<u8>) {
        write_totals(&self.totals, out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { totals: read_totals(reader)? })
    }
}

/// What one replica has added and taken away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct UpDown {
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl UpDown {
    pub(crate) fn add(self, amount: i64) -> Self {
        match amount {
            0.. => Self { up: self.up.saturating_add(amount.unsigned_abs()), ..self },
            _ => Self { down: self.down.saturating_add(amount.unsigned_abs()), ..self },
        }
    }

    pub(crate) fn value(self) -> i128 {
        i128::from(self.up) - i128::from(self.down)
    }
}

impl Totals for UpDown {
    fn join(&mut self, other: &Self) {
        self.up = self.up.max(other.up);
        self.down = self.down.max(other.down);
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.up);
        put_number(out, self.down);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { up: reader.number()?, down: reader.number()? })
    }

    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// A counter that counts up and down: for each replica what it has added and what it has taken away, and the value is the sum
/// of the differences. An operation is how much to add; to add nothing does nothing.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::PnCounter;
/// let mut stock = PnCounter::default();
/// stock.add(Actor(1), 10);
/// stock.add(Actor(2), -3);
/// assert_eq!(stock.value(), 7);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct PnCounter {
    /// Invariant: nothing is zero.
    totals: BTreeMap<Actor, UpDown>,
}

impl PnCounter {
    /// What was added less what was taken away.
    pub fn value(&self) -> i128 {
        self.totals.values().map(|totals| totals.value()).sum()
    }

    /// Adds `amount`, and returns the delta. What a replica has added in all stays at 2^64 - 1 when it has come there, and so does
    /// what it has taken away.
    pub fn add(&mut self, by: Actor, amount: i64) -> Option<Self> {
        self.act(by, amount)
    }
}

impl Replicated for PnCounter {
    type Op = i64;
    /// How much to add.
    type Effect = i64;
    delta_is_state!();

    fn prepare(&self, _: Actor, amount: i64) -> Option<i64> {
        (amount != 0).then_some(amount)
    }

    fn delta(&self, by: Actor, amount: &i64) -> Self {
        let totals = self.totals.get(&by).copied().unwrap_or_default().add(*amount);
        Self { totals: only(by, totals) }
    }

    fn join(&mut self, other: &Self) {
        join_totals(&mut self.totals, &other.totals);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        new_totals(&self.totals, &delta.totals).map(|totals| Self { totals })
    }
}

impl Canonical for PnCounter {
    fn write(&self, out: &mut Vec<u8>) {
        write_totals(&self.totals, out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { totals: read_totals(reader)? })
    }
}
