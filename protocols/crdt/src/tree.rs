//! The ordered map under all sets, maps and lists here: equal contents have equal trees and equal digests, clones are free, and two
//! trees are merged where they differ.
//!
//! It is a Merkle search tree (Auvolat and Taïani, "Merkle search trees: efficient state-based CRDTs in open networks", SRDS 2019,
//! <https://doi.org/10.1109/SRDS47363.2019.00032>): a key's level is the number of hexadecimal zeros at the end of its digest, and a
//! node holds neighbours of one level, between which lie trees of lower levels. So the shape depends on the keys alone, not on the
//! order in which they came; a node has some 16 entries, and a tree of 10^6 some 6 levels.
//!
//! # Departures from the paper
//! - A node's digest is the sum of its entries' digests, not a hash over its children's: a change updates the path to it by one addition
//!   for each level. It guards against accidents, not against malice; see [`Digest`].
//! - Nodes know how many entries they hold, for lists.
//! - Nodes are in memory, shared by counting references; the wire has whole trees or deltas, not nodes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use isles_causality::wire::{DecodeError, Flaw, Reader, put_number};

use crate::canonical::{Canonical, Digest};

mod merge;

pub use merge::Rule;

/// A canonical, persistent, ordered map.
///
/// ```
/// use isles_crdt::tree::Tree;
/// let mut one = Tree::new();
/// let mut other = Tree::new();
/// for key in 0..1_000u64 {
///     one.insert(key, ());
///     other.insert(999 - key, ());
/// }
/// assert_eq!(one, other); // by digest, at once
/// assert_eq!(one.nth(10), Some((&10, &())));
/// ```
#[derive(Clone)]
pub struct Tree<K, V>(Option<Arc<Node<K, V>>>);

#[derive(Clone)]
struct Node<K, V> {
    /// The level of all keys in `entries`. Invariant: trees in `children` have lower ones.
    level: u8,
    /// How many entries this and all nodes below hold.
    count: usize,
    /// The sum of the digests of these entries.
    digest: Digest,
    /// Invariant: not empty, keys ascend.
    entries: Vec<(K, V)>,
    /// What lies before, between and after the entries. Invariant: none on level 0, else one more than entries.
    children: Vec<Tree<K, V>>,
}

/// A new entry on its way to its place.
struct Place {
    level: u8,
    digest: Digest,
}

fn level(key: Digest) -> u8 {
    (key.bits().trailing_zeros() / 4) as u8
}

fn entry_digest<K: Canonical, V: Canonical>(key: &K, value: &V) -> Digest {
    key.digest().then(value.digest())
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K, V> Tree<K, V> {
    /// Nothing.
    pub const fn new() -> Self {
        Self(None)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.count)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The digest of all entries.
    pub fn digest(&self) -> Digest {
        self.0.as_ref().map_or(Digest::default(), |node| node.digest)
    }

    /// Whether both are one tree in memory, or have equal digests.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a.digest == b.digest && a.count == b.count,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn level(&self) -> Option<u8> {
        self.0.as_ref().map(|node| node.level)
    }

    /// All entries, keys ascending.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new(), left: self.len() };
        iter.descend(self);
        iter
    }

    /// The entry with `index` smaller ones.
    ///
    /// # Complexity
    /// Logarithmic.
    pub fn nth(&self, mut index: usize) -> Option<(&K, &V)> {
        let mut tree = self;
        'down: while let Some(node) = &tree.0 {
            if index >= node.count {
                return None;
            }
            if node.children.is_empty() {
                return node.entries.get(index).map(|(key, value)| (key, value));
            }
            for (child, entry) in node.children.iter().zip(node.entries.iter().map(Some).chain([None])) {
                if index < child.len() {
                    tree = child;
                    continue 'down;
                }
                index -= child.len();
                if index == 0 {
                    return entry.map(|(key, value)| (key, value));
                }
                index -= 1;
            }
            return None;
        }
        None
    }
}

impl<K: Ord, V> Tree<K, V> {
    /// The value at `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        let mut tree = self;
        loop {
            let node = tree.0.as_ref()?;
            match node.search(key) {
                Ok(index) => return Some(&node.entries[index].1),
                Err(index) => tree = node.children.get(index)?,
            }
        }
    }

    /// Whether there is a value at `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// How many keys are smaller than `key`.
    pub fn rank(&self, key: &K) -> usize {
        let (mut tree, mut rank) = (self, 0);
        while let Some(node) = &tree.0 {
            let (index, found) = match node.search(key) {
                Ok(index) => (index, true),
                Err(index) => (index, false),
            };
            rank += index + node.children.iter().take(index).map(Self::len).sum::<usize>();
            let Some(child) = node.children.get(index) else { return rank };
            if found {
                return rank + child.len();
            }
            tree = child;
        }
        rank
    }

    /// All entries from `key` on, keys ascending.
    pub fn iter_from(&self, key: &K) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new(), left: self.len() - self.rank(key) };
        let mut tree = self;
        while let Some(node) = &tree.0 {
            match node.search(key) {
                Ok(index) => {
                    iter.path.push((node, index));
                    break;
                }
                Err(index) => {
                    iter.path.push((node, index));
                    let Some(child) = node.children.get(index) else { break };
                    tree = child;
                }
            }
        }
        iter
    }
}

impl<K: Ord, V> Node<K, V> {
    fn search(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(key))
    }
}

impl<K: Canonical + Ord + Clone, V: Canonical + Clone> Tree<K, V> {
    /// Puts `value` at `key`, and returns what was there.
    ///
    /// # Complexity
    /// Logarithmic; nodes that a clone shares are copied on the way.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let digest = key.digest();
        let place = Place { level: level(digest), digest: digest.then(value.digest()) };
        self.put(&place, key, value).0
    }

    /// Also says by how much the digest grows.
    fn put(&mut self, place: &Place, key: K, value: V) -> (Option<V>, Digest) {
        let Some(node) = self.0.as_mut().filter(|node| node.level >= place.level) else {
            let (left, _, right) = std::mem::take(self).split(&key);
            let (count, digest) =
                (left.len() + right.len() + 1, place.digest.plus(left.digest()).plus(right.digest()));
            let children = if place.level == 0 { Vec::new() } else { vec![left, right] };
            let node = Node { level: place.level, count, digest, entries: vec![(key, value)], children };
            self.0 = Some(Arc::new(node));
            return (None, place.digest);
        };
        let node = Arc::make_mut(node);
        let (old, growth) = match node.search(&key) {
            Ok(index) => {
                let old = std::mem::replace(&mut node.entries[index].1, value);
                let growth = place.digest.minus(entry_digest(&key, &old));
                (Some(old), growth)
            }
            Err(index) if node.level > place.level => node.children[index].put(place, key, value),
            Err(index) => {
                if node.level > 0 {
                    let (left, _, right) = std::mem::take(&mut node.children[index]).split(&key);
                    node.children[index] = left;
                    node.children.insert(index + 1, right);
                }
                node.entries.insert(index, (key, value));
                (None, place.digest)
            }
        };
        node.count += usize::from(old.is_none());
        node.digest = node.digest.plus(growth);
        (old, growth)
    }

    /// Takes the value at `key` out.
    ///
    /// # Complexity
    /// As [`insert`](Self::insert).
    pub fn remove(&mut self, key: &K) -> Option<V> {
        if self.contains(key) { self.take(key).map(|(value, _)| value) } else { None }
    }

    /// Also says by how much the digest shrinks.
    fn take(&mut self, key: &K) -> Option<(V, Digest)> {
        let node = Arc::make_mut(self.0.as_mut()?);
        let (value, digest) = match node.search(key) {
            Err(index) => node.children.get_mut(index)?.take(key)?,
            Ok(index) => {
                let (key, value) = node.entries.remove(index);
                if node.level > 0 {
                    let right = node.children.remove(index + 1);
                    let left = std::mem::take(&mut node.children[index]);
                    node.children[index] = left.concat(right);
                }
                let digest = entry_digest(&key, &value);
                (value, digest)
            }
        };
        node.count -= 1;
        node.digest = node.digest.minus(digest);
        if node.entries.is_empty() {
            *self = node.children.pop().unwrap_or_default();
        }
        Some((value, digest))
    }

    /// Hands the value at `key` to `change`, and keeps what that leaves.
    pub fn alter<R>(&mut self, key: &K, change: impl FnOnce(&mut Option<V>) -> R) -> R {
        let old = self.get(key).cloned();
        let mut value = old.clone();
        let result = change(&mut value);
        match value {
            Some(value) => {
                self.insert(key.clone(), value);
            }
            None if old.is_some() => {
                self.take(key);
            }
            None => {}
        }
        result
    }

    /// What is before `key`, at it, and after it.
    fn split(self, key: &K) -> (Self, Option<(K, V)>, Self) {
        let Some(node) = self.0 else { return (Self(None), None, Self(None)) };
        let (count, digest) = (node.count, node.digest);
        let Node { level, mut entries, mut children, .. } = Arc::unwrap_or_clone(node);
        let (found, right_entries, right_children) = match entries
            .binary_search_by(|(other, _)| other.cmp(key))
        {
            Ok(index) => {
                let right = entries.split_off(index + 1);
                let right_children = if level > 0 { children.split_off(index + 1) } else { Vec::new() };
                (entries.pop(), right, right_children)
            }
            Err(index) => {
                let right = entries.split_off(index);
                let mut found = None;
                let mut right_children = Vec::new();
                if level > 0 {
                    right_children = children.split_off(index);
                    let middle;
                    (middle, found, right_children[0]) = std::mem::take(&mut right_children[0]).split(key);
                    children.push(middle);
                }
                (found, right, right_children)
            }
        };
        let right = Self::build(level, right_entries, right_children);
        let found_digest = found.as_ref().map_or(Digest::default(), |(key, value)| entry_digest(key, value));
        let left_count = count - right.len() - usize::from(found.is_some());
        let left_digest = digest.minus(right.digest()).minus(found_digest);
        let left = match entries.is_empty() {
            true => children.pop().unwrap_or_default(),
            false => Self(Some(Arc::new(Node {
                level,
                count: left_count,
                digest: left_digest,
                entries,
                children,
            }))),
        };
        (left, found, right)
    }

    fn build(level: u8, entries: Vec<(K, V)>, mut children: Vec<Self>) -> Self {
        if entries.is_empty() {
            return children.pop().unwrap_or_default();
        }
        let mut digest = Digest::default();
        let mut count = entries.len();
        for (key, value) in &entries {
            digest = digest.plus(entry_digest(key, value));
        }
        for child in &children {
            digest = digest.plus(child.digest());
            count += child.len();
        }
        Self(Some(Arc::new(Node { level, count, digest, entries, children })))
    }

    /// Both, where all keys of `right` are greater.
    fn concat(self, right: Self) -> Self {
        let (left, right) = match (self.0, right.0) {
            (Some(left), Some(right)) => (left, right),
            (left, right) => return Self(left.or(right)),
        };
        let (count, digest) = (left.count + right.count, left.digest.plus(right.digest));
        let mut node;
        if left.level > right.level {
            node = Arc::unwrap_or_clone(left);
            let last = node.children.pop().unwrap_or_default();
            node.children.push(last.concat(Self(Some(right))));
        } else if left.level < right.level {
            node = Arc::unwrap_or_clone(right);
            let first = std::mem::take(&mut node.children[0]);
            node.children[0] = Self(Some(left)).concat(first);
        } else {
            node = Arc::unwrap_or_clone(left);
            let mut right = Arc::unwrap_or_clone(right);
            if node.level > 0 {
                let last = node.children.pop().unwrap_or_default();
                let first = std::mem::take(&mut right.children[0]);
                right.children[0] = last.concat(first);
                node.children.append(&mut right.children);
            }
            node.entries.append(&mut right.entries);
        }
        (node.count, node.digest) = (count, digest);
        Self(Some(Arc::new(node)))
    }
}

/// Goes through entries in the order of their keys.
pub struct Iter<'t, K, V> {
    /// Nodes from the root on, each with the index of its next entry.
    path: Vec<(&'t Node<K, V>, usize)>,
    left: usize,
}

impl<'t, K, V> Iter<'t, K, V> {
    fn descend(&mut self, mut tree: &'t Tree<K, V>) {
        while let Some(node) = &tree.0 {
            self.path.push((node, 0));
            let Some(child) = node.children.first() else { return };
            tree = child;
        }
    }
}

impl<'t, K, V> Iterator for Iter<'t, K, V> {
    type Item = (&'t K, &'t V);

    fn next(&mut self) -> Option<(&'t K, &'t V)> {
        loop {
            let (node, index) = self.path.last_mut()?;
            let (node, at) = (*node, *index);
            if let Some((key, value)) = node.entries.get(at) {
                *index += 1;
                if let Some(child) = node.children.get(at + 1) {
                    self.descend(child);
                }
                self.left -= 1;
                return Some((key, value));
            }
            self.path.pop();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K, V> PartialEq for Tree<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl<K, V> Eq for Tree<K, V> {}

impl<K, V> Hash for Tree<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Tree<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The count of entries, then keys and values, keys ascending and each written after the one before.
impl<K: Canonical + Ord + Clone, V: Canonical + Clone> Canonical for Tree<K, V> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.len() as u64);
        let mut previous = None;
        for (key, value) in self.iter() {
            key.write_after(previous, out);
            value.write(out);
            previous = Some(key);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // The count reserves nothing: keys ascend, so that whatever has no bytes comes once at most.
        let count = reader.number()?;
        let (mut tree, mut previous) = (Self::new(), None);
        for _ in 0..count {
            let key = K::read_after(previous.as_ref(), reader)?;
            if previous.as_ref().is_some_and(|previous| *previous >= key) {
                return Err(reader.error(Flaw::NotCanonical("keys ascend")));
            }
            tree.insert(key.clone(), V::read(reader)?);
            previous = Some(key);
        }
        Ok(tree)
    }

    fn digest(&self) -> Digest {
        self.digest()
    }
}
