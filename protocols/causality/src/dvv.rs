//! Dotted version vectors: a version is one event, and apart from it what its writer had read (Preguiça, Baquero, Almeida, Fonte and
//! Gonçalves, "Brief announcement: efficient causality tracking in distributed storage systems with dotted version vectors", PODC
//! 2012).
//!
//! A few servers count for many clients. With the dot apart, two clients that write through one server after reading the same stay
//! concurrent: both have the same past, and neither dot is in the past of the other. A plain vector cannot say "1 and 3 but not 2".

use serde::{Deserialize, Serialize};

use crate::dot::{Actor, Dot};
use crate::order::Order;
use crate::version_vector::VersionVector;
use crate::wire::{DecodeError, Flaw, Reader, put_number};

/// The clock of one version.
///
/// ```
/// use isles_causality::{Actor, Order, VersionVector};
/// use isles_causality::dvv::DottedVersionVector;
/// let server = Actor(1);
/// let read_nothing = VersionVector::new();
/// let first = DottedVersionVector::event(&read_nothing, [], server);
/// let second = DottedVersionVector::event(&read_nothing, [&first], server);
/// assert_eq!(first.compare(&second), Order::Concurrent);
/// let third = DottedVersionVector::event(&second.context(), [&first, &second], server);
/// assert_eq!(third.compare(&second), Order::After);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(Dot, VersionVector)", into = "(Dot, VersionVector)")]
pub struct DottedVersionVector {
    /// The version's own event.
    dot: Dot,
    /// What its writer had read. Invariant: without the dot.
    past: VersionVector,
}

impl DottedVersionVector {
    /// The clock of a write through `server` by somebody who has read `context`, while the server has the versions `present`. The
    /// server counts from the greatest number of its own that it can see, never from the client's alone.
    pub fn event<'a>(
        context: &VersionVector,
        present: impl IntoIterator<Item = &'a Self>,
        server: Actor,
    ) -> Self {
        let newest = present.into_iter().map(|version| version.newest(server)).max().unwrap_or(0);
        let counter = newest.max(context.get(server)) + 1;
        Self { dot: Dot::new(server, counter), past: context.clone() }
    }

    /// The version's own event.
    pub const fn dot(&self) -> Dot {
        self.dot
    }

    /// What its writer had read.
    pub const fn past(&self) -> &VersionVector {
        &self.past
    }

    /// What a reader of this version has read: its past and its dot. A gap before the dot is filled, so this is for the next write
    /// of a reader who got all versions at once, or this alone and takes the others for seen.
    pub fn context(&self) -> VersionVector {
        let mut context = self.past.clone();
        context.raise(self.dot);
        context
    }

    /// The greatest counter of `actor` in this clock.
    fn newest(&self, actor: Actor) -> u64 {
        let own = if self.dot.actor == actor { self.dot.counter } else { 0 };
        self.past.get(actor).max(own)
    }

    /// How this version lies to `other`: whether the dot of either is in the past of the other.
    pub fn compare(&self, other: &Self) -> Order {
        if self.dot == other.dot {
            return Order::Equal;
        }
        Order::from_inclusions(other.past.contains(self.dot), self.past.contains(other.dot))
    }

    /// The versions of both sides that no version of the other side has overwritten, each once.
    pub fn join<'a>(mine: &'a [Self], theirs: &'a [Self]) -> Vec<Self> {
        let lives = |version: &&'a Self, others: &[Self]| {
            !others.iter().any(|other| version.compare(other) == Order::Before)
        };
        let mut all: Vec<Self> = mine.iter().filter(|version| lives(version, theirs)).cloned().collect();
        for version in theirs.iter().filter(|version| lives(version, mine)) {
            if !all.iter().any(|other| other.dot == version.dot) {
                all.push(version.clone());
            }
        }
        all
    }

    /// Its encoding: actor and counter of the dot, then the past as [`VersionVector::encode`] has it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, self.dot.actor.0);
        put_number(&mut out, self.dot.counter - 1);
        self.past.encode_into(&mut out);
        out
    }

    /// The clock that `bytes` are.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some clock.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let dot = Dot::new(Actor(reader.number()?), reader.counter_after(1)?);
        let past = VersionVector::read(&mut reader)?;
        reader.end()?;
        Self::try_from((dot, past)).map_err(|flaw| reader.error(Flaw::NotCanonical(flaw)))
    }
}

impl From<DottedVersionVector> for (Dot, VersionVector) {
    fn from(clock: DottedVersionVector) -> Self {
        (clock.dot, clock.past)
    }
}

impl TryFrom<(Dot, VersionVector)> for DottedVersionVector {
    type Error = &'static str;

    fn try_from((dot, past): (Dot, VersionVector)) -> Result<Self, &'static str> {
        if past.contains(dot) {
            Err("the past of a version is without the version itself")
        } else {
            Ok(Self { dot, past })
        }
    }
}
