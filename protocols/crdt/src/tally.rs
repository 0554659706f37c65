//! A counter that can live in a map: to remove its key takes back what was known, and what was added elsewhere at the same time stays.
//!
//! Each addition has its dot. To put the additions of one replica together would be shorter, and wrong: a removal that has seen some
//! of them would have to take them out of the sum again, which is what the map-embeddable counters of Riak and of Baquero's
//! library get wrong (Weidner and Almeida, PaPoC 2022, sec. 3). It takes some bytes for each addition since the last reset; a
//! [`ResettableCounter`](crate::ResettableCounter) takes some for each replica, and stands by itself.

use isles_causality::Actor;

use crate::causal::{Causal, Definition, Site, stored_as};
use crate::store::{Store, Values, ValuesPatch};

/// A counter of what was added and not taken back.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, Map, Tally, tally::Op};
/// let mut here: Causal<Map<String, Tally>> = Causal::default();
/// here.update(Actor(1), "likes".into(), Op::Add(3));
/// let mut there = here.clone();
/// here.remove(Actor(1), &"likes".into());
/// there.update(Actor(2), "likes".into(), Op::Add(1));
/// here.join(&there);
/// assert_eq!(here.get(&"likes".into()).map(Tally::value), Some(1));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally(Values<i64>);

/// What may be asked of a [`Tally`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op {
    /// Add so much; to add nothing does nothing.
    Add(i64),
    /// Back to zero, as far as is known here; does nothing if nothing is counted.
    Reset,
}

impl Tally {
    /// The sum.
    pub fn value(&self) -> i128 {
        self.0.iter().map(|(_, amount)| i128::from(*amount)).sum()
    }
}

impl Definition for Tally {
    stored_as!(Values<i64>);
    type Op = Op;

    fn prepare(&self, site: &mut Site<'_>, op: Op) -> Option<ValuesPatch<i64>> {
        match op {
            Op::Add(0) => None,
            Op::Add(amount) => Some(Values::default().replace(site.dot()?, amount)),
            Op::Reset => self.0.clear(),
        }
    }
}

impl Causal<Tally> {
    /// Adds `amount`, and returns the delta.
    pub fn add(&mut self, by: Actor, amount: i64) -> Option<ValuesPatch<i64>> {
        self.act(by, Op::Add(amount))
    }

    /// Resets what is known here, and returns the delta.
    pub fn reset(&mut self, by: Actor) -> Option<ValuesPatch<i64>> {
        self.act(by, Op::Reset)
    }
}
