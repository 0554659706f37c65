//! A counter that can be set to zero. A reset takes back what its replica had seen; what was added at the same time elsewhere stays
//! (observed reset: Weidner and Almeida, "An oblivious observed-reset embeddable replicated counter", PaPoC 2022, sec. 2).
//!
//! Beside the totals of each replica stand those that were reset; both only grow, and the value is the difference.

use std::collections::BTreeMap;

use isles_causality::Actor;
use isles_causality::wire::{DecodeError, Flaw, Reader};

use crate::canonical::Canonical;
use crate::counter::{
    Totals, UpDown, delta_is_state, join_totals, new_totals, only, read_totals, write_totals,
};
use crate::replicated::Replicated;

/// A counter that counts up and down and can be reset.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Replicated, ResettableCounter};
/// let mut here = ResettableCounter::default();
/// here.add(Actor(1), 5);
/// let mut there = here.clone();
/// there.add(Actor(2), 2);
/// here.reset(Actor(1));
/// here.join(&there);
/// assert_eq!(here.value(), 2); // the reset did not see the 2
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct ResettableCounter {
    /// Invariant: nothing is zero, and nothing more is reset than was counted.
    totals: BTreeMap<Actor, Resettable>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Resettable {
    all: UpDown,
    reset: UpDown,
}

/// What may be asked of a [`ResettableCounter`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op {
    /// Add so much; to add nothing does nothing.
    Add(i64),
    /// Back to zero, as far as is known here; does nothing if nothing was counted since the last reset.
    Reset,
}

/// What an operation does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Adds so much.
    Add(i64),
    /// Takes back what the replica had seen.
    Reset(ResettableCounter),
}

impl Totals for Resettable {
    fn join(&mut self, other: &Self) {
        self.all.join(&other.all);
        self.reset.join(&other.reset);
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.all.write(out);
        self.reset.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (all, reset) = (UpDown::read(reader)?, UpDown::read(reader)?);
        match reset.up <= all.up && reset.down <= all.down {
            true => Ok(Self { all, reset }),
            false => Err(reader.error(Flaw::NotCanonical("nothing more is reset than was counted"))),
        }
    }

    fn is_zero(&self) -> bool {
        self.all.is_zero()
    }
}

impl ResettableCounter {
    /// What was counted and not reset.
    pub fn value(&self) -> i128 {
        self.totals.values().map(|totals| totals.all.value() - totals.reset.value()).sum()
    }

    /// Adds `amount`, and returns the delta.
    pub fn add(&mut self, by: Actor, amount: i64) -> Option<Self> {
        self.act(by, Op::Add(amount))
    }

    /// Resets what is known here, and returns the delta.
    pub fn reset(&mut self, by: Actor) -> Option<Self> {
        self.act(by, Op::Reset)
    }
}

impl Replicated for ResettableCounter {
    type Op = Op;
    type Effect = Effect;
    delta_is_state!();

    fn prepare(&self, _: Actor, op: Op) -> Option<Effect> {
        match op {
            Op::Add(amount) => (amount != 0).then_some(Effect::Add(amount)),
            Op::Reset => {
                let open = self.totals.iter().filter(|(_, totals)| totals.reset != totals.all);
                let reset: BTreeMap<_, _> = open
                    .map(|(actor, totals)| (*actor, Resettable { all: totals.all, reset: totals.all }))
                    .collect();
                (!reset.is_empty()).then_some(Effect::Reset(Self { totals: reset }))
            }
        }
    }

    fn delta(&self, by: Actor, effect: &Effect) -> Self {
        match effect {
            Effect::Add(amount) => {
                let mine = self.totals.get(&by).copied().unwrap_or_default();
                let totals = Resettable { all: mine.all.add(*amount), ..mine };
                Self { totals: only(by, totals) }
            }
            Effect::Reset(reset) => reset.clone(),
        }
    }

    fn join(&mut self, other: &Self) {
        join_totals(&mut self.totals, &other.totals);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        new_totals(&self.totals, &delta.totals).map(|totals| Self { totals })
    }
}

impl Canonical for ResettableCounter {
    fn write(&self, out: &mut Vec<u8>) {
        write_totals(&self.totals, out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { totals: read_totals(reader)? })
    }
}

impl Canonical for Effect {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Add(amount) => {
                false.write(out);
                amount.write(out);
            }
            Self::Reset(reset) => {
                true.write(out);
                reset.write(out);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match bool::read(reader)? {
            false => Ok(Self::Add(i64::read(reader)?)),
            true => Ok(Self::Reset(ResettableCounter::read(reader)?)),
        }
    }
}
