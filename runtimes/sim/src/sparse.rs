//! Values for a few of many keys.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// A sorted map. Its tree holds places alone and knows nothing of the values, so that it is compiled once and not for
/// every protocol.
#[derive(Clone)]
pub(crate) struct Sparse<K, V> {
    places: BTreeMap<K, u32>,
    values: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<K: Copy + Ord, V> Sparse<K, V> {
    pub(crate) const fn new() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.values.get(*self.places.get(&key)? as usize)?.as_ref()
    }

    /// The value of `key`, made by `make` if there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = *self.places.entry(key).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.values.push(None);
                self.values.len() as u32 - 1
            })
        });
        self.values[place as usize].get_or_insert_with(make)
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let place = self.places.remove(&key)?;
        self.free.push(place);
        self.values[place as usize].take()
    }

    /// The keys within `range`, in order.
    pub(crate) fn keys(&self, range: impl RangeBounds<K>) -> Vec<K> {
        self.places.range(range).map(|(key, _)| *key).collect()
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::random;

    use super::*;

    #[test]
    fn it_is_a_map() {
        let (mut sparse, mut plain) = (Sparse::new(), BTreeMap::new());
        for step in 0..10_000u64 {
            let bits = random::draw(7, &[step]);
            let key = random::below(bits, 40);
            match bits % 3 {
                0 => assert_eq!(sparse.remove(key), plain.remove(&key)),
                1 => assert_eq!(
                    *sparse.get_or_insert_with(key, || step),
                    *plain.entry(key).or_insert(step),
                    "step {step}"
                ),
                _ => assert_eq!(sparse.get(key), plain.get(&key)),
            }
            assert!(sparse.values.len() <= 40, "places are used again");
        }
        assert_eq!(sparse.keys(10..), plain.range(10..).map(|(key, _)| *key).collect::<Vec<_>>());
    }
}
