//! Registers: one value, and what to do when it is written at two places at once.

use isles_causality::Actor;
use isles_causality::hybrid::Timestamp;
use isles_causality::wire::{DecodeError, Reader};

use crate::canonical::{Canonical, Element};
use crate::causal::{Causal, Definition, Site, stored_as};
use crate::counter::delta_is_state;
use crate::replicated::Replicated;
use crate::store::{Store, Values, ValuesPatch};

/// The last writer wins: of two values that were written at once, the one with the greater timestamp stays (Shapiro et al., RR-7506,
/// specification 8).
///
/// Timestamps are hybrid: a write is stamped later than what its replica has seen, whatever the wall clock says, so that nobody
/// overwrites a value and sees the old one win. A replica whose clock lags loses to all that is written at the same time elsewhere.
/// Writes of one instant are ordered by replica, and those of one replica's name at one instant, which should not be, by value.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{LwwRegister, Replicated};
/// let mut here: LwwRegister<String> = LwwRegister::default();
/// let mut there = here.clone();
/// here.set(Actor(1), 1_000, "old".into());
/// there.set(Actor(2), 2_000, "new".into());
/// here.join(&there);
/// assert_eq!(here.get().map(String::as_str), Some("new"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LwwRegister<T>(Option<Written<T>>);

/// A value with its place in the order of writes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Written<T> {
    /// When it was written.
    pub stamp: Timestamp,
    /// By which replica.
    pub by: Actor,
    /// What.
    pub value: T,
}

/// A write: the wall clock in nanoseconds, and the value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Set<T> {
    /// What the writer's wall clock shows, in nanoseconds since any instant that all replicas agree about.
    pub now: u64,
    /// The value.
    pub value: T,
}

impl<T> Default for LwwRegister<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Element> LwwRegister<T> {
    /// The value, if one was written.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|written| &written.value)
    }

    /// The value with its timestamp, if one was written.
    pub const fn written(&self) -> Option<&Written<T>> {
        self.0.as_ref()
    }

    /// Writes `value` while the wall clock shows `now` nanoseconds, and returns the delta.
    pub fn set(&mut self, by: Actor, now: u64, value: T) -> Option<Self> {
        self.act(by, Set { now, value })
    }
}

impl<T: Element> Replicated for LwwRegister<T> {
    type Op = Set<T>;
    type Effect = Self;
    delta_is_state!();

    fn prepare(&self, by: Actor, Set { now, value }: Set<T>) -> Option<Self> {
        let fresh = Timestamp { wall: now, logical: 0 };
        let stamp = match &self.0 {
            Some(seen) if seen.stamp >= fresh => seen.stamp.successor(),
            Some(_) | None => fresh,
        };
        Some(Self(Some(Written { stamp, by, value })))
    }

    fn delta(&self, _: Actor, effect: &Self) -> Self {
        effect.clone()
    }

    fn join(&mut self, other: &Self) {
        if *self < *other {
            self.clone_from(other);
        }
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        (*self < *delta).then(|| delta.clone())
    }
}

impl<T: Element> Canonical for LwwRegister<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Option::read(reader)?))
    }
}

impl<T: Element> Canonical for Written<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.stamp.write(out);
        self.by.write(out);
        self.value.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            stamp: <Timestamp as Canonical>::read(reader)?,
            by: Actor::read(reader)?,
            value: T::read(reader)?,
        })
    }
}

/// Keeps all values that were written at once: a write replaces what its replica has seen (Shapiro et al., RR-7506, specification 10;
/// the shopping cart of DeCandia et al., "Dynamo", SOSP 2007).
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, MultiValueRegister};
/// let mut here: Causal<MultiValueRegister<u64>> = Causal::default();
/// let mut there = here.clone();
/// here.set(Actor(1), 10);
/// there.set(Actor(2), 20);
/// here.join(&there);
/// assert_eq!(here.values().collect::<Vec<_>>(), [&10, &20]);
/// here.set(Actor(1), 30);
/// assert_eq!(here.values().collect::<Vec<_>>(), [&30]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MultiValueRegister<T>(Values<T>);

/// What may be asked of a [`MultiValueRegister`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op<T> {
    /// Write a value in place of all that are known here.
    Set(T),
    /// Take away all values that are known here; does nothing if there are none.
    Clear,
}

impl<T> Default for MultiValueRegister<T> {
    fn default() -> Self {
        Self(Values::default())
    }
}

impl<T: Element> MultiValueRegister<T> {
    /// The values that were written and not replaced, in the order of their dots.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<T: Element> Definition for MultiValueRegister<T> {
    stored_as!(Values<T>);
    type Op = Op<T>;

    fn prepare(&self, site: &mut Site<'_>, op: Op<T>) -> Option<ValuesPatch<T>> {
        match op {
            Op::Set(value) => Some(self.0.replace(site.dot()?, value)),
            Op::Clear => self.0.clear(),
        }
    }
}

impl<T: Element> Causal<MultiValueRegister<T>> {
    /// Writes `value` in place of all that are known here, and returns the delta.
    pub fn set(&mut self, by: Actor, value: T) -> Option<ValuesPatch<T>> {
        self.act(by, Op::Set(value))
    }

    /// Takes away all values that are known here, and returns the delta.
    pub fn clear(&mut self, by: Actor) -> Option<ValuesPatch<T>> {
        self.act(by, Op::Clear)
    }
}
