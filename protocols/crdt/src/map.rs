//! Maps from keys to causal types, maps among them.
//!
//! The observed-remove map of Almeida, Shoker, Baquero, JPDC 111, 2018, sec. 7.5: to remove a key resets what is known under it; what was
//! done under it elsewhere at the same time stays, and the key with it.

use isles_causality::Actor;

use crate::canonical::Element;
use crate::causal::{Causal, Definition, Site, stored_as};
use crate::store::{Keyed, KeyedPatch, Store};

/// A map whose values are of a causal type. A key is there as long as its value is not empty.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{AddWinsSet, Causal, Map, set};
/// let mut here: Causal<Map<String, AddWinsSet<u64>>> = Causal::default();
/// here.update(Actor(1), "primes".into(), set::Op::Insert(2));
/// let mut there = here.clone();
/// here.remove(Actor(1), &"primes".into());
/// there.update(Actor(2), "primes".into(), set::Op::Insert(3));
/// here.join(&there);
/// let primes = here.get(&"primes".into()).expect("somebody did something there");
/// assert_eq!(primes.iter().collect::<Vec<_>>(), [&3]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Map<K, T>(Keyed<K, T>);

/// What may be asked of a [`Map`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op<K, O> {
    /// Do something to the value at a key, which begins as the empty one.
    Update(K, O),
    /// Remove a key; does nothing if it is not there.
    Remove(K),
}

impl<K, T> Default for Map<K, T> {
    fn default() -> Self {
        Self(Keyed::default())
    }
}

impl<K: Element, T: Definition> Map<K, T> {
    /// The value at `key`.
    pub fn get(&self, key: &K) -> Option<&T> {
        self.0.tree().get(key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.tree().len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.tree().is_empty()
    }

    /// Keys and values, keys ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &T)> {
        self.0.tree().iter()
    }
}

impl<K: Element, T: Definition> Definition for Map<K, T> {
    stored_as!(Keyed<K, T>);
    type Op = Op<K, T::Op>;

    fn prepare(
        &self,
        site: &mut Site<'_>,
        op: Self::Op,
    ) -> Option<KeyedPatch<K, <T::Store as Store>::Patch>> {
        let (key, patch) = match op {
            Op::Update(key, op) => {
                let patch = match self.get(&key) {
                    Some(value) => value.prepare(site, op)?,
                    None => T::default().prepare(site, op)?,
                };
                (key, patch)
            }
            Op::Remove(key) => {
                let patch = self.get(&key)?.clear()?;
                (key, patch)
            }
        };
        Some(Keyed::<K, T>::at(key, patch))
    }
}

impl<K: Element, T: Definition> Causal<Map<K, T>> {
    /// Does `op` to the value at `key`, and returns the delta; none if it does nothing.
    pub fn update(
        &mut self,
        by: Actor,
        key: K,
        op: T::Op,
    ) -> Option<KeyedPatch<K, <T::Store as Store>::Patch>> {
        self.act(by, Op::Update(key, op))
    }

    /// Removes `key`, and returns the delta; none if it is not there.
    pub fn remove(&mut self, by: Actor, key: &K) -> Option<KeyedPatch<K, <T::Store as Store>::Patch>> {
        self.act(by, Op::Remove(key.clone()))
    }
}
