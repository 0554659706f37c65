//! Two trees become one, at the price of what differs.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Node, Tree, entry_digest};
use crate::canonical::{Canonical, Digest};

/// What becomes of an entry when two trees are merged. Entries of subtrees that are equal are not asked about: they stay.
pub trait Rule<K, V> {
    /// What only one side has stays whole and unasked.
    const KEEPS_ALL: bool;
    /// Only we have it.
    fn mine(&mut self, key: &K, value: &V) -> Option<V>;
    /// Only they have it.
    fn theirs(&mut self, key: &K, value: &V) -> Option<V>;
    /// Both have it.
    fn both(&mut self, key: &K, mine: &V, theirs: &V) -> Option<V>;
}

impl<K: Canonical + Ord + Clone, V: Canonical + Clone> Tree<K, V> {
    /// What `rule` makes of this tree and another.
    ///
    /// # Complexity
    /// Constant if the trees are equal; otherwise proportional to the entries in which they differ, times the levels.
    #[must_use]
    pub fn merge<R: Rule<K, V>>(&self, other: &Self, rule: &mut R) -> Self {
        if self.is_same(other) {
            return self.clone();
        }
        let (Some(mine), Some(theirs)) = (self.level(), other.level()) else {
            return match (R::KEEPS_ALL, self.is_empty()) {
                (true, true) => other.clone(),
                (true, false) => self.clone(),
                (false, true) => other.filter(&mut |key, value| rule.theirs(key, value)),
                (false, false) => self.filter(&mut |key, value| rule.mine(key, value)),
            };
        };
        let mut builder = Builder::new(mine.max(theirs));
        let (mut mine, mut theirs) = (Side::of(self, builder.level), Side::of(other, builder.level));
        loop {
            let order = match (mine.entries.first(), theirs.entries.first()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            // A key is on the same level everywhere, so that what lies between the other side's entries does not hold it.
            let (entry, left, right) = match order {
                Ordering::Less => {
                    let (key, value) = &mine.entries[0];
                    let right = theirs.cut(key);
                    (rule.mine(key, value).map(|value| (key, value)), mine.advance(), right)
                }
                Ordering::Greater => {
                    let (key, value) = &theirs.entries[0];
                    let left = mine.cut(key);
                    (rule.theirs(key, value).map(|value| (key, value)), left, theirs.advance())
                }
                Ordering::Equal => {
                    let ((key, a), (_, b)) = (&mine.entries[0], &theirs.entries[0]);
                    (rule.both(key, a, b).map(|value| (key, value)), mine.advance(), theirs.advance())
                }
            };
            builder.tree(left.merge(&right, rule));
            if let Some((key, value)) = entry {
                builder.entry(key.clone(), value);
            }
        }
        builder.tree(mine.gap.merge(&theirs.gap, rule));
        let merged = builder.finish();
        if merged.is_same(self) { self.clone() } else { merged }
    }

    /// What `keep` leaves of each entry.
    #[must_use]
    pub fn filter(&self, keep: &mut dyn FnMut(&K, &V) -> Option<V>) -> Self {
        let Some(node) = &self.0 else { return Self(None) };
        let mut builder = Builder::new(node.level);
        for (index, (key, value)) in node.entries.iter().enumerate() {
            if let Some(child) = node.children.get(index) {
                builder.tree(child.filter(keep));
            }
            if let Some(value) = keep(key, value) {
                builder.entry(key.clone(), value);
            }
        }
        if let Some(child) = node.children.last() {
            builder.tree(child.filter(keep));
        }
        let kept = builder.finish();
        if kept.is_same(self) { self.clone() } else { kept }
    }
}

/// A node under construction, from the left to the right.
struct Builder<K, V> {
    level: u8,
    count: usize,
    digest: Digest,
    entries: Vec<(K, V)>,
    children: Vec<Tree<K, V>>,
    /// What came after the last entry.
    gap: Tree<K, V>,
}

impl<K: Canonical + Ord + Clone, V: Canonical + Clone> Builder<K, V> {
    fn new(level: u8) -> Self {
        let (entries, children) = (Vec::new(), Vec::new());
        Self { level, count: 0, digest: Digest::default(), entries, children, gap: Tree::new() }
    }

    fn entry(&mut self, key: K, value: V) {
        self.count += 1;
        self.digest = self.digest.plus(entry_digest(&key, &value));
        self.place(key, value);
    }

    fn place(&mut self, key: K, value: V) {
        if self.level > 0 {
            self.children.push(std::mem::take(&mut self.gap));
        }
        self.entries.push((key, value));
    }

    fn tree(&mut self, tree: Tree<K, V>) {
        self.count += tree.len();
        self.digest = self.digest.plus(tree.digest());
        if tree.level() != Some(self.level) {
            self.gap = std::mem::take(&mut self.gap).concat(tree);
            return;
        }
        let Some(node) = tree.0.map(Arc::unwrap_or_clone) else { return };
        let mut children = node.children.into_iter();
        self.gap = std::mem::take(&mut self.gap).concat(children.next().unwrap_or_default());
        for (key, value) in node.entries {
            self.place(key, value);
            self.gap = children.next().unwrap_or_default();
        }
    }

    fn finish(mut self) -> Tree<K, V> {
        if self.entries.is_empty() {
            return self.gap;
        }
        if self.level > 0 {
            self.children.push(self.gap);
        }
        let Self { level, count, digest, entries, children, .. } = self;
        Tree(Some(Arc::new(Node { level, count, digest, entries, children })))
    }
}

/// One of two trees that are merged, seen from a level: if it is lower as a whole, it lies in one gap.
struct Side<'t, K, V> {
    entries: &'t [(K, V)],
    /// What follows the entries.
    children: &'t [Tree<K, V>],
    /// What comes before the first entry.
    gap: Tree<K, V>,
}

impl<'t, K: Canonical + Ord + Clone, V: Canonical + Clone> Side<'t, K, V> {
    fn of(tree: &'t Tree<K, V>, level: u8) -> Self {
        match &tree.0 {
            Some(node) if node.level == level => {
                let (gap, children) = match node.children.split_first() {
                    Some((first, rest)) => (first.clone(), rest),
                    None => (Tree::new(), [].as_slice()),
                };
                Self { entries: &node.entries, children, gap }
            }
            Some(_) | None => Self { entries: &[], children: &[], gap: tree.clone() },
        }
    }

    /// Goes behind the first entry; what lay before it.
    fn advance(&mut self) -> Tree<K, V> {
        self.entries = &self.entries[1..];
        let next = match self.children.split_first() {
            Some((first, rest)) => {
                self.children = rest;
                first.clone()
            }
            None => Tree::new(),
        };
        std::mem::replace(&mut self.gap, next)
    }

    /// Goes behind `key`; what lay before it.
    fn cut(&mut self, key: &K) -> Tree<K, V> {
        let (left, found, right) = std::mem::take(&mut self.gap).split(key);
        debug_assert!(found.is_none(), "a key has one digest");
        self.gap = right;
        left
    }
}
