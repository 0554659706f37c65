//! Dotted version vector sets: one clock for all versions of a key (Almeida, Baquero, Gonçalves, Preguiça and Fonte, "Scalable and
//! accurate causality tracking for eventually consistent stores", DAIS 2014).
//!
//! For each server there is the number `n` of its writes that are known, and those values of them that nobody has overwritten, the
//! newest first. Their dots need no room: in `(id, n, [v, w])` of the paper, `v` is the `n`-th and `w` the one before.
//!
//! Paper → here: `sync` is [`DvvSet::join`], `update` is [`DvvSet::event`], `join` (what a reader is told) is
//! [`DvvSet::context`], `discard` is [`DvvSet::discard`].
//!
//! Departure from the paper: there are no anonymous values. A value gets its dot from the server that takes it, in one step, so
//! that values need no equality.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::dot::{Actor, COUNTER_MAX, Dot};
use crate::order::Order;
use crate::version_vector::VersionVector;
use crate::wire::{DecodeError, Flaw, Reader, put_actor, put_number};

/// What is known of the writes of one server.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Entry<V> {
    actor: Actor,
    /// How many writes, from 1 on.
    count: u64,
    /// Those that live, the newest first, without gap from `count` downwards. Invariant: at most `count`.
    values: SmallVec<[V; 1]>,
}

impl<V> Entry<V> {
    /// The number of the newest write that is overwritten.
    fn overwritten(&self) -> u64 {
        self.count - self.values.len() as u64
    }
}

/// All versions of a key, with their clock.
///
/// ```
/// use isles_causality::{Actor, VersionVector};
/// use isles_causality::dvv_set::DvvSet;
/// let server = Actor(1);
/// let mut key = DvvSet::new();
/// let read_nothing = VersionVector::new();
/// key.event(server, &read_nothing, "milk");
/// key.event(server, &read_nothing, "eggs");
/// assert_eq!(key.values().count(), 2);
/// let context = key.context();
/// key.event(server, &context, "milk and eggs");
/// assert!(key.values().eq([&"milk and eggs"]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry<V>>", into = "Vec<Entry<V>>")]
#[serde(bound(serialize = "V: Clone + Serialize", deserialize = "V: Deserialize<'de>"))]
pub struct DvvSet<V> {
    /// Invariant: actors ascend.
    entries: SmallVec<[Entry<V>; 1]>,
}

impl<V> Default for DvvSet<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> DvvSet<V> {
    /// No version was ever written.
    pub fn new() -> Self {
        Self { entries: SmallVec::new() }
    }

    /// The versions that live.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().flat_map(|entry| &entry.values)
    }

    /// The versions that live, each with its dot.
    pub fn dotted(&self) -> impl Iterator<Item = (Dot, &V)> {
        self.entries.iter().flat_map(|entry| {
            let dot = |age: usize| Dot::new(entry.actor, entry.count - age as u64);
            entry.values.iter().enumerate().map(move |(age, value)| (dot(age), value))
        })
    }

    /// Whether no version lives.
    pub fn is_empty(&self) -> bool {
        self.entries.iter().all(|entry| entry.values.is_empty())
    }

    /// What a reader of these versions knows, to be given back with its next write.
    pub fn context(&self) -> VersionVector {
        self.entries.iter().map(|entry| Dot::new(entry.actor, entry.count)).collect()
    }

    /// How much this knows, set against `other`.
    pub fn compare(&self, other: &Self) -> Order {
        self.context().compare(&other.context())
    }

    /// Drops the versions that a reader with `context` has read, and knows what it knows.
    pub fn discard(&mut self, context: &VersionVector) {
        for dot in context.iter() {
            match self.position(dot.actor) {
                Ok(index) => {
                    let entry = &mut self.entries[index];
                    let live = entry.count.saturating_sub(dot.counter).min(entry.values.len() as u64);
                    entry.values.truncate(live as usize);
                    entry.count = entry.count.max(dot.counter);
                }
                Err(index) => {
                    let values = SmallVec::new();
                    self.entries.insert(index, Entry { actor: dot.actor, count: dot.counter, values });
                }
            }
        }
    }

    /// A write of `value` through `server` by somebody who has read `context`: what it has read is overwritten, all else stays
    /// beside it. The dot of the write.
    pub fn event(&mut self, server: Actor, context: &VersionVector, value: V) -> Dot {
        self.discard(context);
        let index = self.position(server).unwrap_or_else(|index| {
            self.entries.insert(index, Entry { actor: server, count: 0, values: SmallVec::new() });
            index
        });
        // From the joined count on, not from the client's: two writes of one context get two dots.
        let entry = &mut self.entries[index];
        entry.count += 1;
        entry.values.insert(0, value);
        Dot::new(server, entry.count)
    }

    fn position(&self, actor: Actor) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&actor, |entry| entry.actor)
    }
}

impl<V: Clone> DvvSet<V> {
    /// Knows what either knows: versions that one side has overwritten go.
    pub fn join(&mut self, other: &Self) {
        for theirs in &other.entries {
            match self.position(theirs.actor) {
                Ok(index) => {
                    let mine = &mut self.entries[index];
                    let overwritten = mine.overwritten().max(theirs.overwritten());
                    if theirs.count > mine.count {
                        mine.values.clone_from(&theirs.values);
                        mine.count = theirs.count;
                    }
                    let live = mine.count.saturating_sub(overwritten);
                    mine.values.truncate(usize::try_from(live).unwrap_or(usize::MAX));
                }
                Err(index) => self.entries.insert(index, theirs.clone()),
            }
        }
    }
}

impl<V> DvvSet<V> {
    /// Appends its encoding: the count of servers; for each, how far it is beyond the one before, how many writes it has beyond the
    /// first, how many values live, and these as `put` writes them.
    pub fn encode_into(&self, out: &mut Vec<u8>, mut put: impl FnMut(&mut Vec<u8>, &V)) {
        put_number(out, self.entries.len() as u64);
        let mut previous = None;
        for entry in &self.entries {
            put_actor(out, previous, entry.actor);
            put_number(out, entry.count - 1);
            put_number(out, entry.values.len() as u64);
            for value in &entry.values {
                put(out, value);
            }
            previous = Some(entry.actor);
        }
    }

    /// The next set of a reader, whose values `value` reads. It may take memory only as bytes allow.
    ///
    /// # Errors
    /// When the bytes do not begin with an encoding, or `value` fails.
    pub fn read(
        reader: &mut Reader<'_>,
        mut value: impl FnMut(&mut Reader<'_>) -> Result<V, DecodeError>,
    ) -> Result<Self, DecodeError> {
        let servers = reader.count(3)?;
        let mut entries: SmallVec<[Entry<V>; 1]> = SmallVec::new();
        for _ in 0..servers {
            let actor = reader.actor_after(entries.last().map(|entry| entry.actor))?;
            let count = reader.counter_after(1)?;
            // A value may have no bytes; then the count of writes is all that bounds it, and is not trusted.
            let live = reader.number()?;
            if live > count {
                return Err(reader.error(Flaw::TooLarge("more values live than were written")));
            }
            let mut values = SmallVec::new();
            for _ in 0..live {
                let left = reader.left();
                values.push(value(reader)?);
                if reader.left() == left {
                    return Err(reader.error(Flaw::NotCanonical("a value has at least one byte")));
                }
            }
            entries.push(Entry { actor, count, values });
        }
        Ok(Self { entries })
    }
}

impl<V> From<DvvSet<V>> for Vec<Entry<V>> {
    fn from(set: DvvSet<V>) -> Self {
        set.entries.into_vec()
    }
}

impl<V> TryFrom<Vec<Entry<V>>> for DvvSet<V> {
    type Error = &'static str;

    fn try_from(entries: Vec<Entry<V>>) -> Result<Self, &'static str> {
        let real = |entry: &Entry<V>| {
            (1..=COUNTER_MAX).contains(&entry.count) && entry.values.len() as u64 <= entry.count
        };
        if entries.is_sorted_by(|a, b| a.actor < b.actor) && entries.iter().all(real) {
            Ok(Self { entries: SmallVec::from_vec(entries) })
        } else {
            Err("the servers of a set ascend, and have written what lives")
        }
    }
}
