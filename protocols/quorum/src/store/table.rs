//! What a node holds: for each key the newest write that it knows, in the order of the keys' hashes.

use std::collections::{BTreeMap, BTreeSet};

use isles_kernel::Payload;

use super::command::{Entry, Version};
use super::message::{State, Write, hash};

/// The newest known write of a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Cell {
    pub(super) version: Version,
    /// None if the key was deleted.
    pub(super) entry: Option<Entry>,
}

/// All keys that a node knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Table {
    cells: BTreeMap<(u64, Payload), Cell>,
    /// Invariant: the keys that are deleted or will expire, with their hashes.
    mortal: BTreeSet<(u64, Payload)>,
    /// Invariant: at least the version of every write of a key that was known and is not any more.
    pub(super) floor: Version,
}

impl Table {
    pub(super) fn get(&self, key: &Payload) -> Option<&Cell> {
        self.cells.get(&(hash(key), key.clone()))
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
        let cell = Cell { version: write.version, entry: write.entry.clone() };
        let place = (hash(&write.key), write.key.clone());
        if write.entry.as_ref().is_none_or(|entry| entry.expires.is_some()) {
            self.mortal.insert(place.clone());
        } else if !self.mortal.is_empty() {
            self.mortal.remove(&place);
        }
        self.cells.insert(place, cell);
    }

    /// A key is known no longer.
    pub(super) fn forget(&mut self, key: &Payload, version: Version) {
        let place = (hash(key), key.clone());
        self.mortal.remove(&place);
        self.cells.remove(&place);
        self.floor = self.floor.max(version);
    }

    /// All that is known, in the order of hashes, from one on.
    pub(super) fn from(&self, hash: u64) -> impl Iterator<Item = (u64, &Payload, &Cell)> {
        self.cells.range((hash, Payload::default())..).map(|((hash, key), cell)| (*hash, key, cell))
    }

    /// What is deleted or will expire, in the order of hashes, from one on.
    pub(super) fn mortal_from(&self, hash: u64) -> impl Iterator<Item = (u64, &Payload, &Cell)> {
        let places = self.mortal.range((hash, Payload::default())..);
        places.filter_map(|place| self.cells.get(place).map(|cell| (place.0, &place.1, cell)))
    }
}
