//! Vector clocks: the causal history of each event of a process, compressed (Mattern, "Virtual time and global states of distributed
//! systems", 1989; Fidge, "Timestamps in message-passing systems that preserve the partial ordering", 1988).
//!
//! Everything that a process does is an event, sending and receiving too. The newest event is kept apart as a dot, so that order is
//! one comparison (Baquero and Preguiça 2016): an event happened before another if its dot is in what the other knows, since whoever
//! knows an event knows all that it knew.
//!
//! Departure from the papers: actors are numbers that come as they come, not places of a vector whose length is known.

use serde::{Deserialize, Serialize};

use crate::dot::{Actor, Dot};
use crate::order::Order;
use crate::version_vector::VersionVector;
use crate::wire::{DecodeError, Flaw, Reader, put_number};

/// The stamp of one event.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(Actor, VersionVector)", into = "(Actor, VersionVector)")]
pub struct VectorClock {
    /// The event.
    dot: Dot,
    /// What is known after it. Invariant: the newest event of the dot's actor is the dot.
    known: VersionVector,
}

impl VectorClock {
    /// The event that is stamped.
    pub const fn dot(&self) -> Dot {
        self.dot
    }

    /// All that the event knows, itself included, as one vector.
    pub const fn known(&self) -> &VersionVector {
        &self.known
    }

    /// How this event lies to `other`: whether the dot of either is in what the other knows.
    ///
    /// # Complexity
    /// Logarithmic in the actors.
    pub fn compare(&self, other: &Self) -> Order {
        Order::from_inclusions(other.known.contains(self.dot), self.known.contains(other.dot))
    }

    /// Its encoding: the actor, then what is known as [`VersionVector::encode`] has it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, self.dot.actor.0);
        self.known.encode_into(&mut out);
        out
    }

    /// The stamp that `bytes` are.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some stamp.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let actor = Actor(reader.number()?);
        let known = VersionVector::read(&mut reader)?;
        reader.end()?;
        Self::try_from((actor, known)).map_err(|flaw| reader.error(Flaw::NotCanonical(flaw)))
    }
}

impl From<VectorClock> for (Actor, VersionVector) {
    fn from(stamp: VectorClock) -> Self {
        (stamp.dot.actor, stamp.known)
    }
}

impl TryFrom<(Actor, VersionVector)> for VectorClock {
    type Error = &'static str;

    fn try_from((actor, known): (Actor, VersionVector)) -> Result<Self, &'static str> {
        match known.get(actor) {
            0 => Err("an event knows itself"),
            counter => Ok(Self { dot: Dot::new(actor, counter), known }),
        }
    }
}

/// What one process knows, and the stamps that it gives to its events.
///
/// ```
/// use isles_causality::{Actor, Order};
/// use isles_causality::vector_clock::Process;
/// let (mut a, mut b) = (Process::new(Actor(1)), Process::new(Actor(2)));
/// let sent = a.event();
/// let alone = b.event();
/// let received = b.receive(&sent);
/// assert_eq!(sent.compare(&received), Order::Before);
/// assert_eq!(sent.compare(&alone), Order::Concurrent);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Process {
    actor: Actor,
    known: VersionVector,
}

impl Process {
    /// A process that knows nothing yet.
    pub fn new(actor: Actor) -> Self {
        Self { actor, known: VersionVector::new() }
    }

    /// All that the process knows.
    pub const fn known(&self) -> &VersionVector {
        &self.known
    }

    /// The stamp of an event of this process, also of a sending.
    pub fn event(&mut self) -> VectorClock {
        let dot = self.known.event(self.actor);
        VectorClock { dot, known: self.known.clone() }
    }

    /// Takes in what an event of another process knew, without counting that: where only relevant events are registered.
    pub fn join(&mut self, other: &VectorClock) {
        self.known.join(&other.known);
    }

    /// Takes in what is known elsewhere, for a process that starts from another's state.
    pub fn know(&mut self, known: &VersionVector) {
        self.known.join(known);
    }

    /// The stamp of the reception of a message that was sent at `sent`: join, then event.
    pub fn receive(&mut self, sent: &VectorClock) -> VectorClock {
        self.join(sent);
        self.event()
    }
}
