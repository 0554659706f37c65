//! The versions of one key at one server, by each rule that stores of the field have.

use serde::{Deserialize, Serialize};

use crate::dot::{Actor, Dot};
use crate::dvv_set::DvvSet;
use crate::hybrid::Timestamp;
use crate::order::Order;
use crate::version_vector::VersionVector;

/// What a server does with concurrent writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Rule {
    /// Refuse all but the first: a write must know the present version. One server, 0, decides.
    Conditional,
    /// Keep the one with the greatest timestamp, and drop the others after acknowledging them.
    LastWriter,
    /// Keep all: dotted version vector sets.
    Dotted,
    /// Keep all, and know them by one plain vector with a counter for each server. Dots are lost in it: what a write has read cannot
    /// be told from what it has not, so that nothing goes unless the write has read everything (Riak before 2.0).
    ServerVectors,
    /// Keep all, and know each by a vector with a counter for each client: right, and as long as there are clients.
    ClientVectors {
        /// More counters than this are pruned, the least actors first; 0 for never (Dynamo, section 4.4, prunes the oldest above 10).
        pruned_above: u8,
    },
}

/// What is done wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Mistake {
    /// The last writer is found by the wall clock in microseconds alone, and a write that is not later than the present one is dropped,
    /// though it is acknowledged: a second write of the same microsecond is lost (`riak_dt_lwwreg`).
    DropsSameMicrosecond,
}

/// Who writes, when, and after reading what.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    /// The server that takes the write.
    pub server: Actor,
    /// Who writes; two that write at the same time have different numbers, and all are different from servers'.
    pub client: Actor,
    /// What the client was told with its last read.
    pub context: &'a VersionVector,
    /// When, by the server's hybrid clock.
    pub time: Timestamp,
}

/// All versions of a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Versions {
    /// By [`Rule::Conditional`]: how many writes were accepted, and the last value.
    One(VersionVector, Vec<u64>),
    /// By [`Rule::LastWriter`].
    Last(Option<(Timestamp, Actor, u64)>),
    /// By [`Rule::Dotted`].
    Dotted(DvvSet<u64>),
    /// By [`Rule::ServerVectors`]: one clock for all; values ascend.
    Together(VersionVector, Vec<u64>),
    /// By [`Rule::ClientVectors`]: a clock each; ascending by value.
    Apart(Vec<(VersionVector, u64)>),
}

impl Versions {
    /// Of a key that was never written.
    pub fn new(rule: Rule) -> Self {
        match rule {
            Rule::Conditional => Self::One(VersionVector::new(), Vec::new()),
            Rule::LastWriter => Self::Last(None),
            Rule::Dotted => Self::Dotted(DvvSet::new()),
            Rule::ServerVectors => Self::Together(VersionVector::new(), Vec::new()),
            Rule::ClientVectors { .. } => Self::Apart(Vec::new()),
        }
    }

    /// The values that live, ascending.
    pub fn values(&self) -> Vec<u64> {
        let mut values: Vec<u64> = match self {
            Self::One(_, values) | Self::Together(_, values) => values.clone(),
            Self::Last(last) => last.iter().map(|(_, _, value)| *value).collect(),
            Self::Dotted(set) => set.values().copied().collect(),
            Self::Apart(versions) => versions.iter().map(|(_, value)| *value).collect(),
        };
        values.sort_unstable();
        values
    }

    /// What a reader is told, to be given back with its next write.
    pub fn context(&self) -> VersionVector {
        match self {
            Self::One(clock, _) | Self::Together(clock, _) => clock.clone(),
            Self::Last(_) => VersionVector::new(),
            Self::Dotted(set) => set.context(),
            Self::Apart(versions) => {
                let mut context = VersionVector::new();
                versions.iter().for_each(|(clock, _)| context.join(clock));
                context
            }
        }
    }

    /// Bytes of the clocks alone, as they travel.
    pub fn clock_bytes(&self) -> usize {
        match self {
            Self::One(clock, _) | Self::Together(clock, _) => clock.encode().len(),
            Self::Last(_) => Timestamp::BYTES,
            Self::Dotted(set) => {
                let mut bytes = Vec::new();
                set.encode_into(&mut bytes, |_, _| {});
                bytes.len()
            }
            Self::Apart(versions) => versions.iter().map(|(clock, _)| clock.encode().len()).sum(),
        }
    }

    /// A write: whether it was accepted. An accepted write may be dropped at once by [`Rule::LastWriter`], which is what that rule
    /// means.
    pub fn put(&mut self, rule: Rule, write: &Write<'_>, value: u64, mistake: Option<Mistake>) -> bool {
        match self {
            Self::One(clock, values) => {
                if write.context != clock {
                    return false;
                }
                clock.event(write.server);
                *values = vec![value];
            }
            Self::Last(last) => match mistake {
                Some(Mistake::DropsSameMicrosecond) => {
                    let time = Timestamp { wall: write.time.wall / 1_000, logical: 0 };
                    if last.is_none_or(|(known, _, _)| time > known) {
                        *last = Some((time, write.server, value));
                    }
                }
                None => *last = (*last).max(Some((write.time, write.server, value))),
            },
            Self::Dotted(set) => {
                set.event(write.server, write.context, value);
            }
            Self::Together(clock, values) => {
                if write.context.includes(clock) {
                    values.clear();
                }
                clock.join(write.context);
                clock.event(write.server);
                insert(values, value);
            }
            Self::Apart(versions) => {
                let mut clock = write.context.clone();
                // A client that forgot its own last write must not give its number to another.
                let known = versions.iter().map(|(known, _)| known.get(write.client)).max().unwrap_or(0);
                clock.raise(Dot::new(write.client, known.max(clock.get(write.client)) + 1));
                versions.retain(|(known, _)| !clock.includes(known));
                if let Rule::ClientVectors { pruned_above: most @ 1.. } = rule {
                    while clock.len() > usize::from(most) {
                        let other = clock.iter().map(|dot| dot.actor).find(|actor| *actor != write.client);
                        clock.remove(other.expect("more than one counter is there"));
                    }
                }
                let place = versions.partition_point(|(_, known)| *known < value);
                versions.insert(place, (clock, value));
            }
        }
        true
    }

    /// Takes in what another server has. Versions by another rule are not understood, and left.
    pub fn join(&mut self, other: &Self) {
        match (self, other) {
            (Self::One(mine, values), Self::One(theirs, others)) => {
                if mine.compare(theirs) == Order::Before {
                    mine.clone_from(theirs);
                    values.clone_from(others);
                }
            }
            (Self::Last(mine), Self::Last(theirs)) => *mine = (*mine).max(*theirs),
            (Self::Dotted(mine), Self::Dotted(theirs)) => mine.join(theirs),
            (Self::Together(mine, values), Self::Together(theirs, others)) => {
                match mine.compare(theirs) {
                    Order::Before => values.clone_from(others),
                    Order::Concurrent => others.iter().for_each(|value| insert(values, *value)),
                    Order::After | Order::Equal => {}
                }
                mine.join(theirs);
            }
            (Self::Apart(mine), Self::Apart(theirs)) => {
                let before = |version: &(VersionVector, u64), others: &[(VersionVector, u64)]| {
                    others.iter().any(|(clock, _)| version.0.compare(clock) == Order::Before)
                };
                let kept = mine.iter().filter(|version| !before(version, theirs));
                let new = theirs.iter().filter(|version| !before(version, mine));
                let mut all: Vec<(VersionVector, u64)> = kept.chain(new).cloned().collect();
                all.sort_by_key(|version| (version.1, version.0.encode()));
                all.dedup();
                *mine = all;
            }
            (Self::One(..) | Self::Last(_) | Self::Dotted(_) | Self::Together(..) | Self::Apart(_), _) => {}
        }
    }
}

/// Adds a value to an ascending list, unless it is there.
fn insert(values: &mut Vec<u64>, value: u64) {
    if let Err(index) = values.binary_search(&value) {
        values.insert(index, value);
    }
}
