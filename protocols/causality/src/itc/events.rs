//! Events: how many are known on each part of the interval from 0 to 1.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::id::Id;
use super::leaves::{Shape, Tree, differ, is_less, least, maximum, nodes};
use crate::order::Order;

/// What is known: a number for each point of the interval from 0 to 1. This is what travels with messages and data, and what is
/// compared.
///
/// A copy costs nothing until it changes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Events {
    /// Invariant: in normal form.
    pub(super) tree: Arc<Tree<u64>>,
}

/// An owned left child that waits for its sibling.
#[derive(Clone, Copy)]
struct Waiting {
    depth: u32,
    /// Where its leaf is.
    place: usize,
}

/// A place to count an event at, where nothing can be filled.
#[derive(Clone, Copy)]
struct Candidate {
    /// How many leaves would be split, and how deep the result would be: the pair that `grow` minimises.
    cost: (u32, u32),
    /// The leaf of the events.
    event: usize,
    /// The first leaf of the identity that lies below that leaf, and the one that would count.
    first: usize,
    owned: usize,
}

impl Events {
    /// Nothing is known.
    pub fn new() -> Self {
        Tree::constant(0).into()
    }

    /// On how many intervals different numbers are known.
    pub fn intervals(&self) -> usize {
        self.tree.len()
    }

    /// The least and the greatest number known anywhere.
    pub fn range(&self) -> (u64, u64) {
        let values = || self.tree.values.iter().copied();
        (values().min().unwrap_or(0), values().max().unwrap_or(0))
    }

    /// Knows what either knows: the greater number everywhere.
    ///
    /// # Complexity
    /// Linear in the intervals of both.
    pub fn join(&mut self, other: &Self) {
        if !Arc::ptr_eq(&self.tree, &other.tree) {
            self.tree = Arc::new(maximum(&self.tree, &other.tree));
        }
    }

    /// Whether all that `other` knows is known here (paper: `leq`, the other way round).
    pub fn includes(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tree, &other.tree) || !is_less(&self.tree, &other.tree)
    }

    /// How this lies to `other` in causal order.
    ///
    /// # Complexity
    /// Linear in the intervals of both; ends where each knows something that the other does not.
    pub fn compare(&self, other: &Self) -> Order {
        if Arc::ptr_eq(&self.tree, &other.tree) {
            return Order::Equal;
        }
        let (less, more) = differ(&self.tree, &other.tree);
        Order::from_inclusions(!more, !less)
    }

    /// Counts an event of the process that owns `id`: fills what it may raise to simplify the tree, and grows it where there is
    /// nothing to fill (paper: `event`).
    ///
    /// # Panics
    /// When `id` owns nothing.
    ///
    /// # Complexity
    /// Linear in the intervals of both.
    pub fn event(&mut self, id: &Id) {
        let tree = Arc::make_mut(&mut self.tree);
        let (filled, candidate) = fill(tree, id);
        if !filled {
            grow(tree, id, &candidate.expect("whoever owns nothing has no events"));
        }
    }
}

/// Raises the owned parts as far as what is known beside them allows: whether that changed anything, and where an event would be counted
/// otherwise.
///
/// The pass goes over the leaves of the identity and writes the new leaves over the old ones; it never writes more than it has read. An
/// owned left child waits for what becomes of its sibling, since it is raised to the least of the *filled* sibling. Only for siblings of
/// owned parts it is asked what the least is.
fn fill(tree: &mut Tree<u64>, id: &Id) -> (bool, Option<Candidate>) {
    let mut waiting: SmallVec<[Waiting; 32]> = SmallVec::new();
    let mut best: Option<Candidate> = None;
    let mut changed = false;
    let (mut read, mut write, mut at) = (0, 0, 0);
    let parts = &id.tree;
    while at < parts.len() {
        let (depth, mut end) = (parts.shapes[at].depth(), parts.shapes[at].end());
        let mut owned = parts.values[at];
        let width = tree.shapes[read].depth();
        if width <= depth {
            // The number is the same on the part, and perhaps on more parts: those are not looked into.
            if width < depth {
                let next = parts.after(at, width);
                propose_all(&mut best, parts, (at, next), (width, read));
                at = next - 1;
                end = parts.shapes[at].end();
                owned = false;
            } else if owned {
                propose(&mut best, Candidate::new(depth, width, [read, at, at]));
            }
            copy(tree, read, read + 1, write);
            (read, write) = (read + 1, write + 1);
        } else {
            let next = tree.after(read, depth);
            if owned {
                tree.values[write] = tree.values[read..next].iter().fold(0, |most, value| most.max(*value));
                tree.shapes[write] = Shape::new(depth, end);
                write += 1;
                changed = true;
            } else {
                copy(tree, read, next, write);
                write += next - read;
            }
            read = next;
        }
        at += 1;
        if owned && end < depth {
            let least = tree.least_before(write - 1, depth);
            changed |= raise(&mut tree.values[write - 1], least);
        } else if owned && depth > 0 {
            waiting.push(Waiting { depth, place: write - 1 });
        }
        // Siblings that have ended, from the innermost to the outermost.
        while let Some(&left) = waiting.last()
            && left.depth > end
        {
            waiting.pop();
            let least = least(&tree.values[left.place + 1..write]);
            changed |= raise(&mut tree.values[left.place], least);
        }
        while changed && write > 1 && unite(tree, write) {
            write -= 1;
        }
    }
    tree.shapes.truncate(write);
    tree.values.truncate(write);
    (changed, best)
}

/// Raises a value to the least of its sibling: whether that changed it.
#[inline]
fn raise(value: &mut u64, least: u64) -> bool {
    let raises = least > *value;
    *value = least.max(*value);
    raises
}

/// Makes the two leaves before `write` one if they are siblings and equal: whether they were.
fn unite(tree: &mut Tree<u64>, write: usize) -> bool {
    let (left, right) = (tree.shapes[write - 2], tree.shapes[write - 1]);
    let is_one = right.is_sibling_of(left) && tree.values[write - 2] == tree.values[write - 1];
    if is_one {
        tree.shapes[write - 2] = Shape::new(right.depth() - 1, right.end());
    }
    is_one
}

/// Copies leaves `from..to` to `place`, which is not after `from`.
#[inline]
fn copy(tree: &mut Tree<u64>, from: usize, to: usize, place: usize) {
    if place != from {
        tree.shapes.copy_within(from..to, place);
        tree.values.copy_within(from..to, place);
    }
}

impl Candidate {
    /// An owned part at `depth` below a leaf of `width`: the leaf of the events, the first part below it, and the part.
    fn new(depth: u32, width: u32, [event, first, owned]: [usize; 3]) -> Self {
        Self { cost: (depth - width, depth), event, first, owned }
    }
}

/// Keeps the cheaper candidate; of equals the one further right, as the paper's `grow` does.
fn propose(best: &mut Option<Candidate>, candidate: Candidate) {
    if best.is_none_or(|other| candidate.cost <= other.cost) {
        *best = Some(candidate);
    }
}

/// Proposes all owned parts `first..next`, which lie below the leaf `event` of the events, at depth `width`.
fn propose_all(
    best: &mut Option<Candidate>,
    parts: &Tree<bool>,
    (first, next): (usize, usize),
    (width, event): (u32, usize),
) {
    for part in (first..next).filter(|part| parts.values[*part]) {
        propose(best, Candidate::new(parts.shapes[part].depth(), width, [event, first, part]));
    }
}

/// Counts an event on the owned part that `candidate` names, and splits what stands in the way.
fn grow(tree: &mut Tree<u64>, id: &Id, candidate: &Candidate) {
    let (leaf, value) = (tree.shapes[candidate.event], tree.values[candidate.event]);
    if candidate.cost.0 == 0 {
        tree.values[candidate.event] += 1;
        return;
    }
    // The way from the leaf down to the owned part: whether it goes right, level by level.
    let levels = |depth: u32| (depth - leaf.depth()) as usize;
    let parts = &id.tree.shapes;
    let mut path: SmallVec<[bool; 64]> = SmallVec::new();
    path.resize(levels(parts[candidate.first].depth()), false);
    for at in candidate.first..candidate.owned {
        path.truncate(levels(parts[at].end()));
        *path.last_mut().expect("a sibling follows below the leaf") = true;
        path.resize(levels(parts[at + 1].depth()), false);
    }
    let depth = |level: usize| leaf.depth() + level as u32;
    // What ends with the node at a level: the node above the right turns that lead to it.
    let end = |level: usize| match path[..level].iter().rposition(|right| !right) {
        Some(left) => depth(left + 1),
        None => leaf.end(),
    };
    let last = path.len();
    let mut split: SmallVec<[(Shape, u64); 16]> = SmallVec::new();
    for level in (1..=last).filter(|level| path[level - 1]) {
        split.push((Shape::new(depth(level), depth(level)), value));
    }
    split.push((Shape::new(depth(last), end(last)), value + 1));
    for level in (1..=last).rev().filter(|level| !path[level - 1]) {
        split.push((Shape::new(depth(level), end(level - 1)), value));
    }
    tree.shapes.splice(candidate.event..=candidate.event, split.iter().map(|(shape, _)| *shape));
    tree.values.splice(candidate.event..=candidate.event, split.iter().map(|(_, value)| *value));
}

impl From<Tree<u64>> for Events {
    fn from(tree: Tree<u64>) -> Self {
        Self { tree: Arc::new(tree) }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Events {
    /// As in the paper: `(1,2,(0,1,0))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = nodes(&self.tree);
        let (mut next, mut start) = (0, 0);
        let mut above = vec![0];
        for (leaf, value) in self.tree.shapes.iter().zip(&self.tree.values) {
            if start > 0 {
                f.write_str(",")?;
            }
            for _ in start..leaf.depth() {
                write!(f, "({},", nodes[next].least - above[above.len() - 1])?;
                above.push(nodes[next].least);
                next += 1;
            }
            write!(f, "{}", value - above[above.len() - 1])?;
            next += 1;
            for _ in leaf.end()..leaf.depth() {
                f.write_str(")")?;
                above.pop();
            }
            start = leaf.end();
        }
        Ok(())
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
