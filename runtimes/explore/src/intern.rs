//! Values that occur again and again, each kept once and named by a small number.

use std::hash::Hash;

use hashbrown::HashTable;

use crate::digest::digest;

/// A table of different values. Their numbers depend on the order in which they were met; their keys do not.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    domain: u64,
    values: Vec<T>,
    keys: Vec<u64>,
    index: HashTable<u32>,
}

impl<T: Eq + Hash> Interner<T> {
    /// Nothing yet; `domain` keeps the keys of different tables apart.
    pub(crate) const fn new(domain: u64) -> Self {
        Self { domain, values: Vec::new(), keys: Vec::new(), index: HashTable::new() }
    }

    /// 64 bits that stand for a value, whether it is in the table or not.
    pub(crate) fn key_of(&self, value: &T) -> u64 {
        digest(self.domain, value)
    }

    /// The number of `value`.
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let key = self.key_of(&value);
        self.intern_keyed(value, key)
    }

    /// The number of `value`, whose key the caller made from its content.
    pub(crate) fn intern_keyed(&mut self, value: T, key: u64) -> u32 {
        let Self { values, keys, index, .. } = self;
        if let Some(&id) = index.find(key, |&id| keys[id as usize] == key && values[id as usize] == value) {
            return id;
        }
        let id = values.len() as u32;
        assert!(id < 1 << 28, "more than 2^28 different values: bound the scenario");
        values.push(value);
        keys.push(key);
        index.insert_unique(key, id, |&id| keys[id as usize]);
        id
    }

    /// The value with this number.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> &T {
        &self.values[id as usize]
    }

    /// 64 bits that stand for the content of the value.
    #[inline]
    pub(crate) fn key(&self, id: u32) -> u64 {
        self.keys[id as usize]
    }

    /// Keeps the values that are marked, and says which number each has now; none of those that are gone.
    pub(crate) fn retain(&mut self, kept: &[bool]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(kept.len());
        let mut next = 0;
        for kept in kept {
            numbers.push(if *kept { next } else { u32::MAX });
            next += u32::from(*kept);
        }
        let (mut of_values, mut of_keys) = (kept.iter(), kept.iter());
        self.values.retain(|_| of_values.next().is_some_and(|kept| *kept));
        self.keys.retain(|_| of_keys.next().is_some_and(|kept| *kept));
        self.values.shrink_to_fit();
        self.keys.shrink_to_fit();
        let keys = &self.keys;
        self.index = HashTable::with_capacity(keys.len());
        for id in 0..next {
            self.index.insert_unique(keys[id as usize], id, |&id| keys[id as usize]);
        }
        numbers
    }

    /// All values, whose keys and differences must stay as they are.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}
