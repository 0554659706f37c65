//! What a node holds: for each key the newest write that it knows, in the order of the keys' hashes.
//!
//! The table is an array in which keys are sorted by hash: a key's home is the part of the array at which its hash points, and it is
//! there or a little further on, with no gap between (linear probing, kept sorted: Amble and Knuth, "Ordered hash tables", 1974). So it is
//! found in one cache line or two, and scans go through it from any hash on.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use isles_kernel::Payload;

use super::command::{Entry, Version};
use super::message::{State, Write, hash};

/// The newest known write of a key: one line of the cache.
#[repr(align(64))]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Cell {
    hash: u64,
    pub(super) key: Payload,
    pub(super) version: Version,
    /// None if the key was deleted.
    pub(super) entry: Option<Entry>,
}

/// All keys that a node knows.
#[derive(Clone)]
pub(super) struct Table {
    /// In the hashes.
    seed: u64,
    /// Invariant: cells are sorted by hash, then key; each is at its home or after it, and between there is no gap. The last is empty.
    places: Vec<Option<Cell>>,
    /// How many of the places are homes: the first, a power of two of them.
    homes: usize,
    count: usize,
    /// By how many bits a hash is shifted to be a home.
    shift: u32,
    /// Invariant: the keys that are deleted or will expire, with their hashes.
    mortal: BTreeSet<(u64, Payload)>,
    /// Invariant: at least the version of every write of a key that was known and is not any more.
    pub(super) floor: Version,
}

/// Where a key is, or would be.
#[derive(Clone, Copy)]
pub(super) struct Place {
    index: usize,
    hash: u64,
    pub(super) is_there: bool,
}

const HOMES_MIN: usize = 8;
/// Places after the last home at first; there are more when they are needed.
const SPARE: usize = 8;

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        let (mortal, floor) = (BTreeSet::new(), Version(0));
        let (places, homes) = (empty(HOMES_MIN), HOMES_MIN);
        Self { seed, places, homes, count: 0, shift: shift(homes), mortal, floor }
    }

    /// Where a key stands in the order of scans.
    pub(super) fn hash(&self, key: &Payload) -> u64 {
        hash(self.seed, key)
    }

    /// Where a key is, or would be.
    pub(super) fn find(&self, key: &Payload) -> Place {
        let hash = hash(self.seed, key);
        let mut index = (hash >> self.shift) as usize;
        while let Some(Some(cell)) = self.places.get(index) {
            if cell.hash >= hash {
                if cell.hash > hash || cell.key > *key {
                    break;
                }
                if cell.key == *key {
                    return Place { index, hash, is_there: true };
                }
            }
            index += 1;
        }
        Place { index, hash, is_there: false }
    }

    /// What is known at a place.
    pub(super) fn at(&self, place: Place) -> Option<&Cell> {
        if place.is_there { self.places[place.index].as_ref() } else { None }
    }

    pub(super) fn get(&self, key: &Payload) -> Option<&Cell> {
        self.at(self.find(key))
    }

    /// What is known of a key.
    pub(super) fn state(&self, key: &Payload) -> State {
        match self.get(key) {
            Some(cell) => State { version: cell.version, is_absent: false, entry: cell.entry.clone() },
            None => State { version: self.floor, is_absent: true, entry: None },
        }
    }

    /// The version of the newest known write of a key; 0 if none is known.
    pub(super) fn version(&self, key: &Payload) -> Version {
        self.get(key).map_or(Version(0), |cell| cell.version)
    }

    /// Takes a write, whatever was there.
    pub(super) fn put(&mut self, write: &Write) {
        self.put_at(self.find(&write.key), write);
    }

    /// Takes a write of the key that is, or would be, at this place.
    pub(super) fn put_at(&mut self, place: Place, write: &Write) {
        let Place { index, hash, is_there } = place;
        let is_mortal = is_mortal(write.entry.as_ref());
        if is_mortal {
            self.mortal.insert((hash, write.key.clone()));
        }
        if let (true, Some(cell)) = (is_there, &mut self.places[index]) {
            let was_mortal = self::is_mortal(cell.entry.as_ref());
            cell.version = write.version;
            cell.entry.clone_from(&write.entry);
            if was_mortal && !is_mortal {
                self.mortal.remove(&(hash, write.key.clone()));
            }
            return;
        }
        let cell = Cell { hash, key: write.key.clone(), version: write.version, entry: write.entry.clone() };
        self.insert(index, cell);
    }

    fn insert(&mut self, index: usize, cell: Cell) {
        self.count += 1;
        let end = index + self.places[index..].iter().take_while(|place| place.is_some()).count();
        self.places[index..=end].rotate_right(1);
        self.places[index] = Some(cell);
        if self.places.last().is_some_and(Option::is_some) {
            let more = self.places.len() + SPARE;
            self.places.resize_with(more, || None);
        }
        if self.count > self.homes / 4 * 3 {
            self.grow();
        }
    }

    /// Twice as many homes.
    #[cold]
    fn grow(&mut self) {
        self.homes *= 2;
        self.shift = shift(self.homes);
        let mut next = 0;
        for cell in std::mem::replace(&mut self.places, empty(self.homes)).into_iter().flatten() {
            let index = next.max((cell.hash >> self.shift) as usize);
            next = index + 1;
            if next >= self.places.len() {
                self.places.resize_with(next + SPARE, || None);
            }
            self.places[index] = Some(cell);
        }
    }

    /// A key is known no longer.
    pub(super) fn forget(&mut self, key: &Payload, version: Version) {
        self.floor = self.floor.max(version);
        let place = self.find(key);
        if !place.is_there {
            return;
        }
        if !self.mortal.is_empty() {
            self.mortal.remove(&(place.hash, key.clone()));
        }
        self.count -= 1;
        self.places[place.index] = None;
        // Those after it move up, as long as they are away from home.
        let mut gap = place.index;
        while let Some(Some(cell)) = self.places.get(gap + 1)
            && ((cell.hash >> self.shift) as usize) <= gap
        {
            self.places.swap(gap, gap + 1);
            gap += 1;
        }
    }

    /// All that is known, in the order of hashes, from one on.
    pub(super) fn from(&self, hash: u64) -> impl Iterator<Item = (u64, &Payload, &Cell)> {
        let home = (hash >> self.shift) as usize;
        let cells = self.places[home..].iter().flatten().filter(move |cell| cell.hash >= hash);
        cells.map(|cell| (cell.hash, &cell.key, cell))
    }

    /// What is deleted or will expire, in the order of hashes, from one on.
    pub(super) fn mortal_from(&self, hash: u64) -> impl Iterator<Item = (u64, &Payload, &Cell)> {
        let places = self.mortal.range((hash, Payload::default())..);
        places.filter_map(|place| self.get(&place.1).map(|cell| (place.0, &place.1, cell)))
    }

    /// How many keys are known.
    pub(super) const fn count(&self) -> usize {
        self.count
    }
}

fn is_mortal(entry: Option<&Entry>) -> bool {
    entry.is_none_or(|entry| entry.expires.is_some())
}

fn empty(homes: usize) -> Vec<Option<Cell>> {
    let mut places = Vec::new();
    places.resize_with(homes + SPARE, || None);
    places
}

const fn shift(homes: usize) -> u32 {
    u64::BITS - homes.trailing_zeros()
}

/// What is known, without the empty places.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "floor {} ", self.floor.0)?;
        let cells = self.places.iter().flatten();
        f.debug_map().entries(cells.map(|cell| (&cell.key, (cell.version.0, &cell.entry)))).finish()
    }
}

/// Tables are equal if they know the same, however large they are.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let is_same = (self.seed, self.count, self.floor) == (other.seed, other.count, other.floor);
        is_same && self.places.iter().flatten().eq(other.places.iter().flatten())
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.count.hash(state);
        self.floor.hash(state);
        for cell in self.places.iter().flatten() {
            cell.hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isles_kernel::Time;
    use isles_kernel::random::Stream;

    use super::*;

    #[test]
    fn a_place_is_one_line_of_the_cache() {
        assert_eq!(size_of::<Option<Cell>>(), 64);
    }

    #[test]
    fn a_table_is_a_sorted_map() {
        for seed in 0..40 {
            let mut choices = Stream::new(seed, &[]);
            let mut table = Table::new(seed);
            let mut map: BTreeMap<(u64, Payload), Write> = BTreeMap::new();
            let names = 1 + choices.below(200);
            for version in 1..2_000 {
                let key = Payload::from(choices.below(names).to_string().as_str());
                let entry = |choices: &mut Stream| {
                    let expires = (choices.below(4) == 0).then_some(Time(1));
                    Entry { value: key.clone(), expires }
                };
                let place = (table.hash(&key), key.clone());
                if choices.below(3) == 0 {
                    table.forget(&key, Version(version));
                    map.remove(&place);
                } else {
                    let entry = (choices.below(8) > 0).then(|| entry(&mut choices));
                    let write = Write { key: key.clone(), entry, version: Version(version) };
                    table.put(&write);
                    map.insert(place, write);
                }
                assert_eq!(table.get(&key).is_some(), map.contains_key(&(table.hash(&key), key.clone())));
            }
            let all =
                |from: u64| table.from(from).map(|(hash, key, cell)| (hash, key, cell.version, &cell.entry));
            let expected = map.iter().map(|((hash, key), write)| (*hash, key, write.version, &write.entry));
            assert!(all(0).eq(expected.clone()), "seed {seed}");
            let from = map.keys().nth(map.len() / 2).map_or(0, |(hash, _)| *hash);
            assert!(all(from).eq(expected.clone().filter(|row| row.0 >= from)));
            let mortal = expected.filter(|row| is_mortal(row.3.as_ref())).map(|row| row.1);
            assert!(table.mortal_from(0).map(|row| row.1).eq(mortal));
            // Its size leaves no trace.
            let mut again = Table::new(seed);
            map.values().rev().for_each(|write| again.put(write));
            again.floor = table.floor;
            assert_eq!((&again, again.count()), (&table, map.len()));
        }
    }
}
