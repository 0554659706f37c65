//! Identities: the parts of the interval from 0 to 1 that a process owns.

use std::cmp::Ordering;
use std::fmt;

use super::leaves::{Tree, meet};

/// A part of the interval from 0 to 1. Processes that are alive at the same time own disjoint parts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Id {
    /// Invariant: in normal form.
    pub(super) tree: Tree<bool>,
}

/// Two identities have a part in common, so that one of them is a copy or was made up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlap;

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two identities overlap: one of them is a copy, or was not made by fork")
    }
}

impl std::error::Error for Overlap {}

impl Id {
    /// The whole interval: the identity of the first process.
    pub fn whole() -> Self {
        Self { tree: Tree::constant(true) }
    }

    /// Nothing.
    pub fn nothing() -> Self {
        Self { tree: Tree::constant(false) }
    }

    /// Whether it owns nothing.
    pub fn is_nothing(&self) -> bool {
        matches!(self.tree.values.as_slice(), [false])
    }

    /// Whether it owns everything.
    pub fn is_whole(&self) -> bool {
        matches!(self.tree.values.as_slice(), [true])
    }

    /// Whether nothing belongs to both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        !meet(&self.tree, &other.tree)
    }

    /// What this does not own.
    #[must_use]
    pub fn complement(&self) -> Self {
        let values = self.tree.values.iter().map(|owned| !owned).collect();
        Self { tree: Tree { shapes: self.tree.shapes.clone(), values } }
    }

    /// Owns what either owns (paper: `sum`).
    ///
    /// # Errors
    /// When they overlap; nothing changes then.
    pub fn join(&mut self, other: &Self) -> Result<(), Overlap> {
        let (a, b) = (&self.tree, &other.tree);
        let mut out = Tree::with_capacity(a.len() + b.len());
        let (mut at_a, mut at_b) = (0, 0);
        while at_a < a.len() && at_b < b.len() {
            let (shape, x, y) = (a.shapes[at_a], a.values[at_a], b.values[at_b]);
            match shape.depth().cmp(&b.shapes[at_b].depth()) {
                Ordering::Equal if x & y => return Err(Overlap),
                Ordering::Equal => {
                    out.push(x | y, shape);
                    (at_a, at_b) = (at_a + 1, at_b + 1);
                }
                // Below a part that is not owned all is as it is on the other side. A subtree has an owned part.
                Ordering::Less if x => return Err(Overlap),
                Ordering::Less => {
                    let next = b.after(at_b, shape.depth());
                    out.append_from(b, at_b, next);
                    (at_a, at_b) = (at_a + 1, next);
                }
                Ordering::Greater if y => return Err(Overlap),
                Ordering::Greater => {
                    let next = a.after(at_a, b.shapes[at_b].depth());
                    out.append_from(a, at_a, next);
                    (at_a, at_b) = (next, at_b + 1);
                }
            }
        }
        self.tree = out;
        Ok(())
    }

    /// Gives away about half of what it owns, and keeps the other half (paper: `split`; the left half is kept). Of nothing, both
    /// halves are nothing.
    #[must_use = "what is given away is lost for ever if nobody takes it"]
    pub fn fork(&mut self) -> Self {
        if self.is_nothing() {
            return Self::nothing();
        }
        let tree = &self.tree;
        // Down to the first node both of whose children own something. The node's leaves are from `low` to `high`.
        let (mut low, mut high, mut depth) = (0, tree.len(), 0);
        while high - low > 1 {
            if tree.shapes[low].depth() == depth + 1 && !tree.values[low] {
                low += 1;
            } else if tree.shapes[high - 1].depth() == depth + 1 && !tree.values[high - 1] {
                high -= 1;
            } else {
                break;
            }
            depth += 1;
        }
        let (half, end) = (depth + 1, tree.shapes[high - 1].end());
        let whole = high - low == 1;
        let middle = if whole { high } else { tree.after(low, half) };
        let mut given = Tree::with_capacity(low + 2 + tree.len() - middle);
        given.append_from(tree, 0, low);
        given.append(false, half, half);
        let mut kept = Tree::with_capacity(middle + 2 + tree.len() - high);
        kept.append_from(tree, 0, if whole { low } else { middle });
        if whole {
            given.append(true, half, end);
            kept.append(true, half, half);
        }
        given.append_from(tree, middle, tree.len());
        kept.append(false, half, end);
        kept.append_from(tree, high, tree.len());
        self.tree = kept;
        Self { tree: given }
    }

    /// How many intervals it takes to say it.
    pub fn intervals(&self) -> usize {
        self.tree.len()
    }
}

impl fmt::Display for Id {
    /// As in the paper: `((1,0),0)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = 0;
        for (leaf, owned) in self.tree.shapes.iter().zip(&self.tree.values) {
            if start > 0 {
                f.write_str(",")?;
            }
            for _ in start..leaf.depth() {
                f.write_str("(")?;
            }
            write!(f, "{}", u8::from(*owned))?;
            for _ in leaf.end()..leaf.depth() {
                f.write_str(")")?;
            }
            start = leaf.end();
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
