//! Tables and lists of what is met in nearly the order of its names.

use std::hash::{BuildHasher, Hasher};

/// Gives numbers that follow one another neighbouring places of a table: clients count when they write a value once, so that a table of 10^7
/// values is used from its beginning to its end instead of all over. Any other name gets a place by its hash.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct NearHasher {
    /// Of all but the last number, and of that without its last bits.
    mixed: u64,
    /// The last bits of the last number.
    low: u64,
}

/// So many numbers are neighbours: what a table looks at in one go.
const NEAR: u64 = 16;
/// An odd number without a pattern (Steele and Vigna 2021, table 5).
const FACTOR: u64 = 0xd134_2543_de82_ef95;

impl NearHasher {
    const fn mix(&mut self, word: u64) {
        self.mixed = (self.mixed.rotate_left(23) ^ self.low ^ word).wrapping_mul(FACTOR);
        self.low = 0;
    }
}

impl Hasher for NearHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number / NEAR);
        self.low = number % NEAR;
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        // The first bits tell neighbours apart, the last are the place.
        let mixed = self.mixed ^ self.mixed >> 32;
        (mixed - mixed % NEAR + self.low) ^ self.low << 59
    }
}

/// Makes such hashers.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct BuildNearHasher;

impl BuildHasher for BuildNearHasher {
    type Hasher = NearHasher;

    fn build_hasher(&self) -> NearHasher {
        NearHasher::default()
    }
}

/// Sorts what is nearly in order already, in time n times the mean distance that an item has to go.
pub(crate) fn sort<T: Ord + Copy>(items: &mut [T]) {
    // Beyond this sorting from anew is quicker.
    let mut moves = items.len() * 32;
    for place in 1..items.len() {
        let item = items[place];
        let mut to = place;
        while to > 0 && items[to - 1] > item {
            items[to] = items[to - 1];
            to -= 1;
        }
        items[to] = item;
        let Some(left) = moves.checked_sub(place - to) else { return items.sort_unstable() };
        moves = left;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbours_are_near_and_differ() {
        let hashes: Vec<u64> = (32..48_u64).map(|number| BuildNearHasher.hash_one(number)).collect();
        let places: BTreeSet<u64> = hashes.iter().map(|hash| hash % NEAR).collect();
        let lines: BTreeSet<u64> = hashes.iter().map(|hash| hash % (1 << 20) / NEAR).collect();
        let tags: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert_eq!((places.len(), lines.len(), tags.len()), (16, 1, 16));
    }

    #[test]
    fn other_names_are_spread() {
        // Names that end alike share a sixteenth of the places, where a table finds them in one go: of 2^12 that fall into 2^12 at random
        // 2589 are expected to be alone or first.
        let spread = |hashes: &mut dyn Iterator<Item = u64>| {
            let places: BTreeSet<u64> = hashes.take(1 << 12).map(|hash| hash % (1 << 16)).collect();
            assert!(places.len() > 2400, "{} of 4096 places", places.len());
        };
        spread(&mut (0..).map(|number: u64| BuildNearHasher.hash_one(number.to_string())));
        spread(&mut (0..).map(|number: u64| BuildNearHasher.hash_one((number, 7_u64))));
        spread(&mut (0..).map(|number: u64| BuildNearHasher.hash_one(number * 1000)));
    }

    #[test]
    fn lists_are_sorted_whatever_their_order() {
        let near: Vec<u64> = (0..5000).map(|place| place ^ 13).collect();
        let far: Vec<u64> = (0..5000).map(|place: u64| place.wrapping_mul(FACTOR) >> 20).collect();
        let down: Vec<u64> = (0..5000).rev().collect();
        for mut list in [near, far, down, Vec::new()] {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            sort(&mut list);
            assert_eq!(list, sorted);
        }
    }
}
