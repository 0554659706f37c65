//! A dot: the name of one event, an actor and the number of the event at that actor.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whoever counts events: a process, a replica, a client. No two that count at the same time may have the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Actor(
    /// Its number.
    pub u64,
);

impl From<u64> for Actor {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// No counter that comes from outside is greater. Nobody counts that far, and whoever counts on from there does not overflow.
pub const COUNTER_MAX: u64 = 1 << 62;

/// One event: the `counter`-th of `actor`.
///
/// ```
/// use isles_causality::{Actor, Dot};
/// assert!(Dot::new(Actor(1), 2) > Dot::new(Actor(1), 1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(Actor, u64)", into = "(Actor, u64)")]
pub struct Dot {
    /// Who counted it.
    pub actor: Actor,
    /// From 1 on, at most [`COUNTER_MAX`] where it comes from outside.
    pub counter: u64,
}

impl Dot {
    /// The `counter`-th event of `actor`.
    pub const fn new(actor: Actor, counter: u64) -> Self {
        Self { actor, counter }
    }
}

impl From<Dot> for (Actor, u64) {
    fn from(dot: Dot) -> Self {
        (dot.actor, dot.counter)
    }
}

impl TryFrom<(Actor, u64)> for Dot {
    type Error = &'static str;

    fn try_from((actor, counter): (Actor, u64)) -> Result<Self, &'static str> {
        if (1..=COUNTER_MAX).contains(&counter) {
            Ok(Self { actor, counter })
        } else {
            Err("a counter is from 1 to 2^62")
        }
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.actor, self.counter)
    }
}
