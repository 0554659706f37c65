//! Causal histories: the set of all events that an event or a state knows (Schwarz and Mattern, "Detecting causal relationships in
//! distributed computations: in search of the holy grail", Distributed Computing 7(3), 1994; told again by Baquero and
//! Preguiça, "Why logical clocks are easy", CACM 59(4), 2016).
//!
//! This is the truth: one history is before another if it is a proper subset, and two that do not include each other are concurrent.
//! It grows with every event for ever, so nobody ships it; every mechanism of this library is tested against it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dot::Dot;
use crate::order::Order;

/// A set of events.
///
/// ```
/// use isles_causality::history::CausalHistory;
/// use isles_causality::{Actor, Dot, Order};
/// let mut a = CausalHistory::new();
/// a.event(Dot::new(Actor(1), 1));
/// let mut b = a.clone();
/// b.event(Dot::new(Actor(2), 1));
/// assert_eq!(a.compare(&b), Order::Before);
/// a.event(Dot::new(Actor(1), 2));
/// assert_eq!(a.compare(&b), Order::Concurrent);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CausalHistory {
    /// Invariant: ascending, without repetition.
    events: Vec<Dot>,
}

impl CausalHistory {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self { events: Vec::new() }
    }

    /// The events, ascending.
    pub fn events(&self) -> &[Dot] {
        &self.events
    }

    /// Whether `event` is known.
    pub fn contains(&self, event: Dot) -> bool {
        self.events.binary_search(&event).is_ok()
    }

    /// Knows `event`, which nobody has named before.
    pub fn event(&mut self, event: Dot) {
        if let Err(index) = self.events.binary_search(&event) {
            self.events.insert(index, event);
        }
    }

    /// Knows what either knows: the union.
    pub fn join(&mut self, other: &Self) {
        let mine = std::mem::take(&mut self.events);
        self.events = Vec::with_capacity(mine.len() + other.events.len());
        self.events.extend(mine.iter().chain(&other.events));
        self.events.sort_unstable();
        self.events.dedup();
    }

    /// Whether all events of `other` are known here.
    pub fn includes(&self, other: &Self) -> bool {
        let mut mine = self.events.iter();
        other.events.len() <= self.events.len()
            && other.events.iter().all(|event| mine.any(|other| other == event))
    }

    /// How this lies to `other` by inclusion.
    pub fn compare(&self, other: &Self) -> Order {
        Order::from_inclusions(other.includes(self), self.includes(other))
    }
}

impl FromIterator<Dot> for CausalHistory {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut events: Vec<Dot> = dots.into_iter().collect();
        events.sort_unstable();
        events.dedup();
        Self { events }
    }
}

impl fmt::Debug for CausalHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.events.iter().map(|dot| format_args!("{dot}").to_string())).finish()
    }
}
