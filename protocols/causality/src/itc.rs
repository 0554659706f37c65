//! Interval tree clocks: version vectors and vector clocks for processes that come and go without names (Almeida, Baquero and Fonte,
//! "Interval tree clocks: a logical clock for dynamic systems", OPODIS 2008).
//!
//! A process owns a part of the interval from 0 to 1, and counts its events there. A new process gets half of the part of another; one that
//! retires gives its part to another. Nobody needs to be asked, names are never used up, and what is known gets simpler as parts
//! come together.
//!
//! Paper → here: (i, e) is [`Stamp`], i is [`Id`], e is [`Events`]; `fork`, `join`, `event`, `peek`, `send`, `receive`, `sync` keep
//! their names; `leq` is half of `compare`.
//!
//! Departures from the paper, none of which changes a result:
//! - trees are flat lists of leaves with absolute values, so that nothing recurses and depth costs nothing;
//! - an anonymous stamp has a type of its own, [`Events`], so that nobody can count an event who owns nothing;
//! - the sum of identities that overlap is an error, not a wrong identity;
//! - the cost that `grow` minimises is a pair; the authors' programs add 1000 for each leaf that is split, which is wrong below depth 1000.
//!
//! A process that is gone for ever takes its part with it. See [`reclaim`](crate::reclaim) for how others get it back.

mod events;
mod id;
mod leaves;
pub mod plain;
mod wire;

pub use events::Events;
pub use id::{Id, Overlap};
pub use wire::{STAMP_BYTES_MAX, Wire};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::order::Order;

/// What one process owns and knows.
///
/// A copy of a stamp is a danger: if both count events they count the same ones. [`fork`](Self::fork) makes a second process.
///
/// ```
/// use isles_causality::Order;
/// use isles_causality::itc::Stamp;
/// let mut a = Stamp::seed();
/// let mut b = a.fork();
/// a.event();
/// b.event();
/// assert_eq!(a.compare(&b), Order::Concurrent);
/// let message = a.send();
/// b.receive(&message);
/// assert_eq!(a.compare(&b), Order::Before);
/// a.join(b)?;
/// assert_eq!(a.to_string(), "(1, 2)");
/// # Ok::<(), isles_causality::itc::Overlap>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Invariant: owns something.
    id: Id,
    events: Events,
}

impl Stamp {
    /// The first process, which owns everything and knows nothing.
    pub fn seed() -> Self {
        Self { id: Id::whole(), events: Events::new() }
    }

    /// A process that owns `id` and knows `events`; none if `id` is nothing.
    pub fn new(id: Id, events: Events) -> Option<Self> {
        (!id.is_nothing()).then_some(Self { id, events })
    }

    /// What the process owns.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// What the process knows.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// A new process that gets a half of what this one owns, and knows the same.
    #[must_use = "the half that is given away is lost for ever if nobody takes it"]
    pub fn fork(&mut self) -> Self {
        Self { id: self.id.fork(), events: self.events.clone() }
    }

    /// Counts an event.
    pub fn event(&mut self) {
        self.events.event(&self.id);
    }

    /// The other process retires: this one owns and knows what both did.
    ///
    /// # Errors
    /// When both own the same part; nothing changes then.
    pub fn join(&mut self, other: Self) -> Result<(), Overlap> {
        self.id.join(&other.id)?;
        self.events.join(&other.events);
        Ok(())
    }

    /// Takes in what is known elsewhere, without counting that (join with an anonymous stamp).
    pub fn learn(&mut self, known: &Events) {
        self.events.join(known);
    }

    /// What is known, to be sent along or kept with data.
    pub fn peek(&self) -> Events {
        self.events.clone()
    }

    /// Counts the sending of a message: what is to be sent along with it (event, then peek).
    pub fn send(&mut self) -> Events {
        self.event();
        self.peek()
    }

    /// Counts the reception of a message that came with `known` (join, then event).
    pub fn receive(&mut self, known: &Events) {
        self.events.join(known);
        self.event();
    }

    /// Both learn what the other knows, and share anew what they own (join, then fork).
    ///
    /// # Errors
    /// When both own the same part; nothing changes then.
    pub fn sync(&mut self, other: &mut Self) -> Result<(), Overlap> {
        self.id.join(&other.id)?;
        self.events.join(&other.events);
        *other = self.fork();
        Ok(())
    }

    /// How what is known here lies to what is known there.
    pub fn compare(&self, other: &Self) -> Order {
        self.events.compare(&other.events)
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", self.id, self.events)
    }
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

// In data formats stamps and events are their bytes: canonical there too.
impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.encode().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::decode(&Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.encode().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::decode(&Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
