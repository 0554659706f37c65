//! A counter that never falls below zero, though nobody asks anybody before taking from it (Balegas, Serra, Duarte, Ferreira, Shapiro,
//! Rodrigues, Preguiça, "Extending eventually consistent cloud databases for enforcing numeric invariants", SRDS 2015).
//!
//! Who adds may take as much again: it holds rights. Rights can be given to other replicas, which is one more entry in a matrix that only
//! grows. Paper → here: `R` is `rights`, `U` is `used`.

use std::collections::BTreeMap;

use isles_causality::Actor;
use isles_causality::wire::{DecodeError, Flaw, Reader, put_number};

use crate::canonical::Canonical;
use crate::counter::{delta_is_state, join_totals, new_totals, only, read_totals, write_totals};
use crate::replicated::Replicated;

/// A counter that is never negative.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{BoundedCounter, Replicated};
/// let (shop, web) = (Actor(1), Actor(2));
/// let mut tickets = BoundedCounter::default();
/// tickets.increment(shop, 3);
/// tickets.transfer(shop, web, 1);
/// let mut online = tickets.clone();
/// assert!(tickets.decrement(shop, 2).is_some() && tickets.decrement(shop, 1).is_none());
/// assert!(online.decrement(web, 1).is_some());
/// tickets.join(&online);
/// assert_eq!(tickets.value(), 0);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BoundedCounter {
    /// What each replica has added, at (itself, itself), and given to others, at (itself, the other). Invariant: nothing is zero.
    rights: BTreeMap<(Actor, Actor), u64>,
    /// What each replica has taken. Invariant: nothing is zero.
    used: BTreeMap<Actor, u64>,
}

/// What may be asked of a [`BoundedCounter`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op {
    /// Add so much, and hold the rights to take it.
    Increment(u64),
    /// Take so much; refused to a replica that does not hold the rights.
    Decrement(u64),
    /// Give rights away; refused to a replica that does not hold them.
    Transfer {
        /// To whom.
        to: Actor,
        /// How many.
        amount: u64,
    },
}

impl BoundedCounter {
    /// What was added less what was taken: never negative when all replicas keep the rules.
    pub fn value(&self) -> i128 {
        let added: i128 = self
            .rights
            .iter()
            .filter(|((from, to), _)| from == to)
            .map(|(_, amount)| i128::from(*amount))
            .sum();
        added - self.used.values().map(|amount| i128::from(*amount)).sum::<i128>()
    }

    /// How much a replica may take now, as far as is known here. What is known at the replica itself is safe to take.
    pub fn rights(&self, of: Actor) -> u64 {
        let mut rights = -i128::from(self.used.get(&of).copied().unwrap_or(0));
        for ((from, to), amount) in &self.rights {
            match (*from == of, *to == of) {
                (_, true) => rights += i128::from(*amount),
                (true, false) => rights -= i128::from(*amount),
                (false, false) => {}
            }
        }
        u64::try_from(rights.clamp(0, i128::from(u64::MAX))).expect("it is in the range")
    }

    /// Adds `amount`, and returns the delta; none if a total would exceed 64 bits.
    pub fn increment(&mut self, by: Actor, amount: u64) -> Option<Self> {
        self.act(by, Op::Increment(amount))
    }

    /// Takes `amount`, and returns the delta; none, and nothing is taken, if `by` does not hold the rights.
    pub fn decrement(&mut self, by: Actor, amount: u64) -> Option<Self> {
        self.act(by, Op::Decrement(amount))
    }

    /// Gives rights for `amount` to another replica, and returns the delta; none if `by` does not hold them.
    pub fn transfer(&mut self, by: Actor, to: Actor, amount: u64) -> Option<Self> {
        self.act(by, Op::Transfer { to, amount })
    }
}

impl Canonical for Op {
    fn write(&self, out: &mut Vec<u8>) {
        let (kind, amount) = match self {
            Self::Increment(amount) => (0u8, amount),
            Self::Decrement(amount) => (1, amount),
            Self::Transfer { amount, .. } => (2, amount),
        };
        kind.write(out);
        amount.write(out);
        if let Self::Transfer { to, .. } = self {
            to.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (kind, amount) = (u8::read(reader)?, u64::read(reader)?);
        match kind {
            0 => Ok(Self::Increment(amount)),
            1 => Ok(Self::Decrement(amount)),
            2 => Ok(Self::Transfer { to: Actor::read(reader)?, amount }),
            _ => Err(reader.error(Flaw::NotCanonical("there are three operations"))),
        }
    }
}

impl Replicated for BoundedCounter {
    type Op = Op;
    /// The operation itself, once it is allowed.
    type Effect = Op;
    delta_is_state!();

    fn prepare(&self, by: Actor, op: Op) -> Option<Op> {
        let allowed = match op {
            Op::Increment(amount) => {
                let total = self.rights.get(&(by, by)).copied().unwrap_or(0);
                amount > 0 && total.checked_add(amount).is_some()
            }
            Op::Decrement(amount) => amount > 0 && amount <= self.rights(by),
            Op::Transfer { to, amount } => to != by && amount > 0 && amount <= self.rights(by),
        };
        allowed.then_some(op)
    }

    fn delta(&self, by: Actor, effect: &Op) -> Self {
        let right = |to: Actor, amount: u64| {
            let total = self.rights.get(&(by, to)).copied().unwrap_or(0).saturating_add(amount);
            let rights = if total == 0 { BTreeMap::new() } else { BTreeMap::from([((by, to), total)]) };
            Self { rights, used: BTreeMap::new() }
        };
        match *effect {
            Op::Increment(amount) => right(by, amount),
            Op::Transfer { to, amount } => right(to, amount),
            Op::Decrement(amount) => {
                let total = self.used.get(&by).copied().unwrap_or(0).saturating_add(amount);
                Self { rights: BTreeMap::new(), used: only(by, total) }
            }
        }
    }

    fn join(&mut self, other: &Self) {
        for (pair, amount) in &other.rights {
            let mine = self.rights.entry(*pair).or_insert(*amount);
            *mine = (*mine).max(*amount);
        }
        join_totals(&mut self.used, &other.used);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        let is_new =
            |pair: &(Actor, Actor), amount: u64| self.rights.get(pair).is_none_or(|mine| *mine < amount);
        let rights: BTreeMap<_, _> = delta
            .rights
            .iter()
            .filter(|(pair, amount)| is_new(pair, **amount))
            .map(|(pair, amount)| (*pair, *amount))
            .collect();
        let used = new_totals(&self.used, &delta.used).unwrap_or_default();
        (!rights.is_empty() || !used.is_empty()).then_some(Self { rights, used })
    }
}

/// The rights, pairs ascending, then what was taken.
impl Canonical for BoundedCounter {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.rights.len() as u64);
        for ((from, to), amount) in &self.rights {
            from.write(out);
            to.write(out);
            amount.write(out);
        }
        write_totals(&self.used, out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut rights: BTreeMap<(Actor, Actor), u64> = BTreeMap::new();
        for _ in 0..reader.count(3)? {
            let pair = (Actor::read(reader)?, Actor::read(reader)?);
            let amount = u64::read(reader)?;
            if amount == 0 || rights.last_key_value().is_some_and(|(last, _)| *last >= pair) {
                return Err(reader.error(Flaw::NotCanonical("pairs ascend, and none has nothing")));
            }
            rights.insert(pair, amount);
        }
        Ok(Self { rights, used: read_totals(reader)? })
    }
}
