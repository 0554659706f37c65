//! Version vectors: for each actor how many of its events are known, from the first on without a gap (Parker et al., "Detection
//! of mutual inconsistency in distributed systems", IEEE TSE 9(3), 1983).
//!
//! A version vector is the causal history of a replica, compressed: `{a1, a2, b1}` is `{a: 2, b: 1}`. Only updates are events;
//! meeting another replica is a [`join`](VersionVector::join) and counts nothing. That is the difference to a vector clock, which
//! orders what processes do, and counts receptions too.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use crate::dot::{Actor, Dot};
use crate::order::Order;
use crate::wire::{DecodeError, Reader, put_actor, put_number};

/// How many events of each actor are known. All actors that are not there count 0.
///
/// ```
/// use isles_causality::{Actor, Order, VersionVector};
/// let (mut left, mut right) = (VersionVector::new(), VersionVector::new());
/// left.event(Actor(1));
/// right.event(Actor(2));
/// assert_eq!(left.compare(&right), Order::Concurrent);
/// right.join(&left);
/// assert_eq!(left.compare(&right), Order::Before);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(try_from = "Vec<Dot>")]
pub struct VersionVector {
    /// The newest known event of each actor. Invariant: actors ascend, counters are at least 1.
    newest: SmallVec<[Dot; 2]>,
}

impl VersionVector {
    /// Nothing is known.
    pub fn new() -> Self {
        Self { newest: SmallVec::new() }
    }

    /// How many events of `actor` are known.
    pub fn get(&self, actor: Actor) -> u64 {
        self.position(actor).map_or(0, |index| self.newest[index].counter)
    }

    /// Whether the event `dot` is known.
    pub fn contains(&self, dot: Dot) -> bool {
        dot.counter <= self.get(dot.actor)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// How many actors have known events.
    pub fn len(&self) -> usize {
        self.newest.len()
    }

    /// The newest known event of each actor, actors ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Dot> + '_ {
        self.newest.iter().copied()
    }

    /// Counts one more event of `actor`: which it is.
    pub fn event(&mut self, actor: Actor) -> Dot {
        let dot = Dot::new(actor, self.get(actor) + 1);
        self.raise(dot);
        dot
    }

    /// Knows the event `dot` and all before it of the same actor. Nothing changes if they were known.
    ///
    /// # Panics
    /// When the counter is 0, which is no event.
    pub fn raise(&mut self, dot: Dot) {
        assert!(dot.counter > 0, "events are counted from 1 on");
        match self.position(dot.actor) {
            Ok(index) => self.newest[index].counter = self.newest[index].counter.max(dot.counter),
            Err(index) => self.newest.insert(index, dot),
        }
    }

    /// Forgets all events of `actor`. What compared as before may be concurrent afterwards: safe only for an actor whose events are
    /// known to be known everywhere, and that will never count again.
    pub fn remove(&mut self, actor: Actor) {
        if let Ok(index) = self.position(actor) {
            self.newest.remove(index);
        }
    }

    /// Knows what either knows: the greater count of each actor.
    ///
    /// # Complexity
    /// Linear in the actors of both.
    pub fn join(&mut self, other: &Self) {
        let mut at = 0;
        for (done, dot) in other.newest.iter().enumerate() {
            while self.newest.get(at).is_some_and(|mine| mine.actor < dot.actor) {
                at += 1;
            }
            match self.newest.get_mut(at) {
                Some(mine) if mine.actor == dot.actor => mine.counter = mine.counter.max(dot.counter),
                Some(_) | None => return self.join_new(at, &other.newest[done..]),
            }
        }
    }

    /// Joins `rest`, whose first actor is new and belongs to place `at`.
    fn join_new(&mut self, at: usize, mut rest: &[Dot]) {
        let mine: SmallVec<[Dot; 2]> = self.newest.drain(at..).collect();
        let mut mine = mine.as_slice();
        self.newest.reserve(mine.len() + rest.len());
        while let (Some(a), Some(b)) = (mine.first(), rest.first()) {
            let counter = match a.actor.cmp(&b.actor) {
                std::cmp::Ordering::Less => a.counter,
                std::cmp::Ordering::Greater => b.counter,
                std::cmp::Ordering::Equal => a.counter.max(b.counter),
            };
            self.newest.push(Dot::new(a.actor.min(b.actor), counter));
            let (a, b) = (a.actor, b.actor);
            mine = &mine[usize::from(a <= b)..];
            rest = &rest[usize::from(b <= a)..];
        }
        self.newest.extend_from_slice(mine);
        self.newest.extend_from_slice(rest);
    }

    /// Knows what both know: the smaller count of each actor. What all replicas know is stable.
    pub fn meet(&mut self, other: &Self) {
        self.newest.retain(|mine| {
            mine.counter = mine.counter.min(other.get(mine.actor));
            mine.counter > 0
        });
    }

    /// Whether all that `other` knows is known here.
    pub fn includes(&self, other: &Self) -> bool {
        other.compare(self).is_before_or_equal()
    }

    /// How this lies to `other` in causal order.
    ///
    /// # Complexity
    /// Linear in the actors of both; ends where both know something that the other does not.
    pub fn compare(&self, other: &Self) -> Order {
        let (mut mine, mut theirs) = (self.newest.as_slice(), other.newest.as_slice());
        let (mut less, mut more) = (false, false);
        while let (Some(a), Some(b)) = (mine.first(), theirs.first()) {
            less |= a.actor > b.actor || a.actor == b.actor && a.counter < b.counter;
            more |= a.actor < b.actor || a.actor == b.actor && a.counter > b.counter;
            if less && more {
                return Order::Concurrent;
            }
            let (a, b) = (a.actor, b.actor);
            mine = &mine[usize::from(a <= b)..];
            theirs = &theirs[usize::from(b <= a)..];
        }
        less |= !theirs.is_empty();
        more |= !mine.is_empty();
        Order::from_inclusions(!more, !less)
    }

    /// Appends its encoding: the count of actors; for each, how far it is beyond the one before and how many events it has
    /// beyond the first, all as [`put_number`] writes them.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put_number(out, self.newest.len() as u64);
        let mut previous = None;
        for dot in &self.newest {
            put_actor(out, previous, dot.actor);
            put_number(out, dot.counter - 1);
            previous = Some(dot.actor);
        }
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// The next version vector of a reader.
    ///
    /// # Errors
    /// When the bytes do not begin with an encoding.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(2)?;
        let mut newest = SmallVec::with_capacity(count);
        let mut previous = None;
        for _ in 0..count {
            let actor = reader.actor_after(previous)?;
            newest.push(Dot::new(actor, reader.counter_after(1)?));
            previous = Some(actor);
        }
        Ok(Self { newest })
    }

    /// The version vector that `bytes` are.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some vector.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let vector = Self::read(&mut reader)?;
        reader.end()?;
        Ok(vector)
    }

    fn position(&self, actor: Actor) -> Result<usize, usize> {
        self.newest.binary_search_by_key(&actor, |dot| dot.actor)
    }
}

impl FromIterator<Dot> for VersionVector {
    /// Knows these events and those before them.
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut vector = Self::new();
        for dot in dots {
            vector.raise(dot);
        }
        vector
    }
}

impl TryFrom<Vec<Dot>> for VersionVector {
    type Error = &'static str;

    fn try_from(newest: Vec<Dot>) -> Result<Self, &'static str> {
        if newest.is_sorted_by(|a, b| a.actor < b.actor) && newest.iter().all(|dot| dot.counter > 0) {
            Ok(Self { newest: SmallVec::from_vec(newest) })
        } else {
            Err("the actors of a version vector ascend, and count from 1 on")
        }
    }
}

impl Serialize for VersionVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.newest)
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.newest.iter().map(|dot| (dot.actor.0, dot.counter))).finish()
    }
}
