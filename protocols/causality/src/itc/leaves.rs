//! Trees over the interval from 0 to 1, kept as the list of their leaves.
//!
//! The paper's trees have relative numbers at inner nodes. Here a leaf has its absolute value, its depth, and where it ends: the depth of
//! the largest subtree that ends with it. Depths alone determine the tree, and ends make it possible to walk two trees side by
//! side without a stack and without recursion: below a leaf of one tree lie the leaves of the other up to the first that
//! ends at the leaf's depth or above. Sum, maximum, order and normal form are then single passes over flat memory.
//!
//! Normal form: no two sibling leaves have the same value. The paper's second condition, that the lesser of two siblings
//! has the number 0, is about relative numbers and holds by construction.

/// Where a leaf lies: its depth, and how far above that it ends. In one word, so that runs of them are compared as plain numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Shape(u64);

impl Shape {
    #[inline]
    pub(super) const fn new(depth: u32, end: u32) -> Self {
        Self((depth as u64) << 32 | (depth - end) as u64)
    }

    /// How many nodes are above the leaf. Its interval's width is 2 to the power of minus that.
    #[inline]
    pub(super) const fn depth(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The depth of the largest subtree that ends with the leaf: at most [`depth`](Self::depth), less if and only if the leaf is a
    /// right child, and 0 for the last leaf only.
    #[inline]
    pub(super) const fn end(self) -> u32 {
        self.depth() - self.0 as u32
    }

    /// 0 if and only if this is the right sibling of the leaf before it, `left`: a left child of the same depth.
    #[inline]
    const fn kinship(self, left: Self) -> u64 {
        (self.0 & !0xffff_ffff) ^ left.0
    }

    /// Whether this is the right sibling of the leaf before it, `left`.
    #[inline]
    pub(super) const fn is_sibling_of(self, left: Self) -> bool {
        self.kinship(left) == 0
    }
}

/// A tree. Shapes and values are apart, so that equal shapes are found and values are worked on many at a time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Tree<V> {
    /// Of each leaf, from left to right.
    pub(super) shapes: Vec<Shape>,
    /// Of each leaf.
    pub(super) values: Vec<V>,
}

/// How many leaves of equal shape are taken at once.
const RUN: usize = 8;
/// After how many of them in a row more are looked for.
const HOPE: usize = 3;

impl<V: Copy + Eq> Tree<V> {
    /// The same value everywhere.
    pub(super) fn constant(value: V) -> Self {
        Self { shapes: vec![Shape::new(0, 0)], values: vec![value] }
    }

    /// Without leaves, to be built.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { shapes: Vec::with_capacity(count), values: Vec::with_capacity(count) }
    }

    /// How many leaves there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Appends a leaf as it is.
    pub(super) fn append(&mut self, value: V, depth: u32, end: u32) {
        self.shapes.push(Shape::new(depth, end));
        self.values.push(value);
    }

    /// Appends leaves `from..to` of another tree as they are.
    pub(super) fn append_from(&mut self, other: &Self, from: usize, to: usize) {
        self.shapes.extend_from_slice(&other.shapes[from..to]);
        self.values.extend_from_slice(&other.values[from..to]);
    }

    /// Appends a leaf, and keeps the normal form: a right child that equals its sibling leaf is one with it.
    #[inline]
    pub(super) fn push(&mut self, value: V, mut shape: Shape) {
        while let (Some(last), Some(known)) = (self.shapes.last(), self.values.last())
            && shape.is_sibling_of(*last)
            && *known == value
        {
            self.shapes.pop();
            self.values.pop();
            shape = Shape::new(shape.depth() - 1, shape.end());
        }
        self.shapes.push(shape);
        self.values.push(value);
    }

    /// The run that begins with leaf `from`, if the tree is as long.
    #[inline]
    fn run(&self, from: usize) -> Option<(&[Shape; RUN], &[V; RUN])> {
        Some((self.shapes[from..].first_chunk()?, self.values[from..].first_chunk()?))
    }

    /// The place after the subtree of `depth` that begins with leaf `from`.
    #[inline]
    pub(super) fn after(&self, mut from: usize, depth: u32) -> usize {
        while let Some(next) = self.shapes[from..].first_chunk::<RUN>() {
            let mut ends = 0;
            for (k, shape) in next.iter().enumerate() {
                ends |= u32::from(shape.end() <= depth) << k;
            }
            if ends > 0 {
                return from + ends.trailing_zeros() as usize + 1;
            }
            from += RUN;
        }
        while self.shapes[from].end() > depth {
            from += 1;
        }
        from + 1
    }
}

impl Tree<u64> {
    /// The least value of the subtree of `depth` that ends before leaf `end`.
    #[inline]
    pub(super) fn least_before(&self, end: usize, depth: u32) -> u64 {
        let mut from = end - 1;
        let mut least = self.values[from];
        // A subtree begins where the leaf before ends as high.
        while from > 0 && self.shapes[from - 1].end() > depth {
            from -= 1;
            least = least.min(self.values[from]);
        }
        least
    }

    /// Appends the first `count` of some leaves with new values, and keeps the normal form. Hardly ever are two of them one leaf
    /// now, so that is asked for all at once: the highest bit of `joins` is set if a word was 0.
    #[inline(always)]
    fn push_run(&mut self, shapes: &[Shape; RUN], values: &[u64; RUN], count: usize) {
        let mut joins = 0;
        for k in 1..RUN {
            let apart = shapes[k].kinship(shapes[k - 1]) | (values[k] ^ values[k - 1]);
            joins |= apart.wrapping_sub(1) & !apart;
        }
        if let (Some(last), Some(known)) = (self.shapes.last(), self.values.last()) {
            let apart = shapes[0].kinship(*last) | (values[0] ^ known);
            joins |= apart.wrapping_sub(1) & !apart;
        }
        if joins.cast_signed() >= 0 {
            // All are copied, which is faster than to copy some.
            let len = self.shapes.len() + count;
            self.shapes.extend_from_slice(shapes);
            self.values.extend_from_slice(values);
            self.shapes.truncate(len);
            self.values.truncate(len);
        } else {
            for k in 0..count {
                self.push(values[k], shapes[k]);
            }
        }
    }

    /// Appends the subtree that begins with leaf `from` of `other`, raised to `value` where it is less; `wide` is the leaf that it lies
    /// below. Returns the place after the subtree.
    #[inline]
    fn push_above(&mut self, wide: Shape, value: u64, other: &Self, from: usize) -> usize {
        if let Some((shapes, values)) = other.run(from) {
            let mut ends = 1 << RUN;
            let mut raised = *values;
            for k in 0..RUN {
                ends |= u32::from(shapes[k].end() <= wide.depth()) << k;
                raised[k] = greater(values[k], value);
            }
            let count = ends.trailing_zeros() as usize + 1;
            if count <= RUN {
                self.push_run(shapes, &raised, count);
                return from + count;
            }
        }
        let to = other.after(from, wide.depth());
        let (mut least, mut most) = (u64::MAX, 0);
        for known in &other.values[from..to] {
            (least, most) = (least.min(*known), most.max(*known));
        }
        if value <= least {
            self.append_from(other, from, to);
        } else if value >= most {
            self.push(value, wide);
        } else {
            for at in from..to {
                self.push(other.values[at].max(value), other.shapes[at]);
            }
        }
        to
    }
}

/// Whether leaves lie alike; asked without a branch for each.
#[inline]
fn same_run(a: &[Shape; RUN], b: &[Shape; RUN]) -> bool {
    let mut differ = 0;
    for k in 0..RUN {
        differ |= a[k].0 ^ b[k].0;
    }
    differ == 0
}

/// How many leaves lie alike until one does not; counted without a branch for each.
#[inline]
fn same(a: &[Shape; RUN], b: &[Shape; RUN]) -> usize {
    let mut differ = 1 << RUN;
    for k in 0..RUN {
        differ |= u32::from(a[k] != b[k]) << k;
    }
    differ.trailing_zeros() as usize
}

/// What is done with the intervals on which two trees are constant, from left to right, until it says no.
trait Visit<V> {
    /// One interval, and the values of both trees there.
    fn one(&mut self, shape: Shape, a: V, b: V) -> bool;
    /// Several that follow each other.
    fn run(&mut self, shapes: &[Shape; RUN], a: &[V; RUN], b: &[V; RUN]) -> bool;
}

/// Visits the intervals of two trees.
///
/// Below a leaf of one tree lie the leaves of the other up to the first that ends where it does. Trees that know of each other
/// have long runs of the same shape, which are compared as plain memory.
#[inline]
fn zip<V: Copy>(a: &Tree<V>, b: &Tree<V>, visit: &mut impl Visit<V>) {
    let (mut at_a, mut at_b) = (0, 0);
    let mut same = HOPE;
    while at_a < a.values.len() && at_b < b.values.len() {
        if same >= HOPE {
            same = 0;
            while let (Some(x), Some(y)) =
                (a.shapes[at_a..].first_chunk::<RUN>(), b.shapes[at_b..].first_chunk::<RUN>())
                && let (Some(v), Some(w)) =
                    (a.values[at_a..].first_chunk::<RUN>(), b.values[at_b..].first_chunk::<RUN>())
            {
                if !same_run(x, y) {
                    break;
                }
                if !visit.run(x, v, w) {
                    return;
                }
                (at_a, at_b) = (at_a + RUN, at_b + RUN);
            }
            continue;
        }
        let (x, y) = (a.shapes[at_a], b.shapes[at_b]);
        // The deeper word is the greater one; of one depth, the ends are the same.
        let finer = if x.0 >= y.0 { x } else { y };
        if !visit.one(finer, a.values[at_a], b.values[at_b]) {
            return;
        }
        // The wider of the two goes on when what lies below it has ended.
        at_a += usize::from((x.depth() >= y.depth()) | (y.end() <= x.depth()));
        at_b += usize::from((y.depth() >= x.depth()) | (x.end() <= y.depth()));
        same = if x.0 == y.0 { same + 1 } else { 0 };
    }
}

/// The greater value everywhere, in normal form.
pub(super) fn maximum(a: &Tree<u64>, b: &Tree<u64>) -> Tree<u64> {
    let mut out = Tree::with_capacity(a.len().max(b.len()) + 2 * RUN);
    let (mut at_a, mut at_b) = (0, 0);
    while at_a < a.len() && at_b < b.len() {
        while let (Some((shapes, v)), Some((others, w))) = (a.run(at_a), b.run(at_b)) {
            let count = same(shapes, others);
            if count == 0 {
                break;
            }
            let mut values = *v;
            for k in 0..RUN {
                values[k] = greater(v[k], w[k]);
            }
            out.push_run(shapes, &values, count);
            (at_a, at_b) = (at_a + count, at_b + count);
            if count < RUN {
                break;
            }
        }
        if at_a >= a.len() {
            break;
        }
        let (x, y) = (a.shapes[at_a], b.shapes[at_b]);
        if x == y {
            out.push(a.values[at_a].max(b.values[at_b]), x);
            (at_a, at_b) = (at_a + 1, at_b + 1);
        } else if x.depth() < y.depth() {
            at_b = out.push_above(x, a.values[at_a], b, at_b);
            at_a += 1;
        } else {
            at_a = out.push_above(y, b.values[at_b], a, at_a);
            at_b += 1;
        }
    }
    out
}

/// Negative if and only if `a` is less than `b`: numbers of events are at most 2^62, and some more that were counted here. So many
/// are compared at once without a branch.
#[inline]
const fn minus(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b).cast_signed()
}

/// The greater number, without a branch or a comparison.
#[inline]
const fn greater(a: u64, b: u64) -> u64 {
    let more = minus(a, b);
    b.wrapping_add((more & !(more >> 63)).cast_unsigned())
}

/// The least of some numbers, found in four ways at once; the greatest there is if there are none.
#[inline]
pub(super) fn least(values: &[u64]) -> u64 {
    let (fours, rest) = values.as_chunks::<4>();
    let mut least = [u64::MAX; 4];
    for four in fours {
        for k in 0..4 {
            least[k] = least[k].min(four[k]);
        }
    }
    rest.iter().chain(&least).fold(u64::MAX, |least, value| least.min(*value))
}

/// Where two trees differ so far: the highest bits of sums of differences.
struct Differ {
    less: i64,
    more: i64,
}

impl Visit<u64> for Differ {
    #[inline]
    fn one(&mut self, _: Shape, a: u64, b: u64) -> bool {
        self.less |= minus(a, b);
        self.more |= minus(b, a);
        self.less & self.more >= 0
    }

    #[inline]
    fn run(&mut self, _: &[Shape; RUN], a: &[u64; RUN], b: &[u64; RUN]) -> bool {
        for k in 0..RUN {
            self.less |= minus(a[k], b[k]);
            self.more |= minus(b[k], a[k]);
        }
        self.less & self.more >= 0
    }
}

/// Whether the first tree is less anywhere, and whether it is more anywhere; what is left is not looked at once both are known.
pub(super) fn differ(a: &Tree<u64>, b: &Tree<u64>) -> (bool, bool) {
    let mut differ = Differ { less: 0, more: 0 };
    zip(a, b, &mut differ);
    (differ.less < 0, differ.more < 0)
}

/// Whether the first tree is less anywhere.
pub(super) fn is_less(a: &Tree<u64>, b: &Tree<u64>) -> bool {
    struct Less(i64);
    impl Visit<u64> for Less {
        #[inline]
        fn one(&mut self, _: Shape, a: u64, b: u64) -> bool {
            self.0 |= minus(a, b);
            self.0 >= 0
        }

        #[inline]
        fn run(&mut self, _: &[Shape; RUN], a: &[u64; RUN], b: &[u64; RUN]) -> bool {
            for k in 0..RUN {
                self.0 |= minus(a[k], b[k]);
            }
            self.0 >= 0
        }
    }
    let mut less = Less(0);
    zip(a, b, &mut less);
    less.0 < 0
}

/// Whether both trees are true anywhere.
pub(super) fn meet(a: &Tree<bool>, b: &Tree<bool>) -> bool {
    struct Meet(bool);
    impl Visit<bool> for Meet {
        fn one(&mut self, _: Shape, a: bool, b: bool) -> bool {
            self.0 |= a & b;
            !self.0
        }

        fn run(&mut self, _: &[Shape; RUN], a: &[bool; RUN], b: &[bool; RUN]) -> bool {
            for k in 0..RUN {
                self.0 |= a[k] & b[k];
            }
            !self.0
        }
    }
    let mut meet = Meet(false);
    zip(a, b, &mut meet);
    meet.0
}

/// A node of a tree in preorder: the left child of an inner node follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<V> {
    /// The least value below, or the leaf's own.
    pub(super) least: V,
    /// Where the right child is; 0 for a leaf.
    pub(super) right: usize,
}

/// All nodes in preorder.
pub(super) fn nodes<V: Copy + Ord>(tree: &Tree<V>) -> Vec<Node<V>> {
    let mut nodes: Vec<Node<V>> = Vec::with_capacity(2 * tree.values.len());
    let mut open = Vec::new();
    let mut start = 0;
    for (leaf, value) in tree.shapes.iter().zip(&tree.values) {
        for _ in start..leaf.depth() {
            open.push(nodes.len());
            nodes.push(Node { least: *value, right: 0 });
        }
        nodes.push(Node { least: *value, right: 0 });
        for _ in leaf.end()..leaf.depth() {
            let parent = open.pop().expect("a right child has a parent");
            nodes[parent].least = nodes[parent + 1].least.min(nodes[nodes[parent].right].least);
        }
        if let Some(&parent) = open.last() {
            nodes[parent].right = nodes.len();
        }
        start = leaf.end();
    }
    nodes
}

/// Builds the list of leaves while a tree is read in preorder.
#[derive(Debug)]
pub(super) struct Builder<V, F> {
    pub(super) tree: Tree<V>,
    /// The inner nodes whose children are being read, from the root down: whether it is the right child, and what the reader keeps.
    open: Vec<(bool, F)>,
}

impl<V: Copy + Eq, F> Builder<V, F> {
    pub(super) fn new() -> Self {
        Self { tree: Tree::with_capacity(0), open: Vec::new() }
    }

    /// The next node is inner.
    pub(super) fn inner(&mut self, keep: F) {
        self.open.push((false, keep));
    }

    /// The innermost inner node that is open: whether its right child is being read, and what was kept.
    pub(super) fn top(&mut self) -> Option<(bool, &mut F)> {
        self.open.last_mut().map(|(right, keep)| (*right, keep))
    }

    /// The next node is a leaf. Where it ends is known as nodes end.
    pub(super) fn leaf(&mut self, value: V) {
        let depth = u32::try_from(self.open.len()).expect("an encoding has fewer bits than 2^32");
        self.tree.append(value, depth, depth);
    }

    /// The left child of the innermost open node is complete; its right child follows.
    pub(super) fn left_ended(&mut self) {
        let (right, _) = self.open.last_mut().expect("a left child has a parent");
        *right = true;
    }

    /// The right child of the innermost open node is complete, and the node with it: what was kept.
    pub(super) fn right_ended(&mut self) -> F {
        let (_, keep) = self.open.pop().expect("a right child has a parent");
        let last = self.tree.shapes.last_mut().expect("a leaf was read");
        *last = Shape::new(last.depth(), self.open.len() as u32);
        keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(leaves: &[(u64, u32, u32)]) -> Tree<u64> {
        let mut tree = Tree::with_capacity(0);
        for (value, depth, end) in leaves {
            tree.append(*value, *depth, *end);
        }
        tree
    }

    #[test]
    fn siblings_of_one_value_are_one_leaf_all_the_way_up() {
        let mut out = Tree::with_capacity(0);
        for (depth, end) in [(1, 1), (2, 2), (3, 3), (3, 0)] {
            out.push(3, Shape::new(depth, end));
        }
        assert_eq!(out, Tree::constant(3));
    }

    #[test]
    fn trees_of_different_shapes_meet_on_the_finer_intervals() {
        // (1, (2, 3)) and ((4, 5), 6)
        let a = tree(&[(1, 1, 1), (2, 2, 2), (3, 2, 0)]);
        let b = tree(&[(4, 2, 2), (5, 2, 1), (6, 1, 0)]);
        struct Seen(Vec<(u64, u64, u32, u32)>);
        impl Visit<u64> for Seen {
            fn one(&mut self, shape: Shape, a: u64, b: u64) -> bool {
                self.0.push((a, b, shape.depth(), shape.end()));
                true
            }
            fn run(&mut self, _: &[Shape; RUN], _: &[u64; RUN], _: &[u64; RUN]) -> bool {
                unreachable!("the trees are small")
            }
        }
        let mut seen = Seen(Vec::new());
        zip(&a, &b, &mut seen);
        assert_eq!(seen.0, [(1, 4, 2, 2), (1, 5, 2, 1), (2, 6, 2, 2), (3, 6, 2, 0)]);
    }

    /// A comb of 40 leaves whose values differ, joined with itself and with its mirror: whole runs, and runs with leaves that
    /// become one.
    #[test]
    fn runs_of_equal_shape_give_what_single_leaves_give() {
        let comb = |value: &dyn Fn(u32) -> u64| {
            let leaves: Vec<(u64, u32, u32)> =
                (1..40).map(|depth| (value(depth), depth, depth)).chain([(value(40), 39, 0)]).collect();
            tree(&leaves)
        };
        let (up, down) = (comb(&|k| u64::from(k)), comb(&|k| u64::from(41 - k)));
        let joined = maximum(&up, &down);
        let mut single = Tree::with_capacity(0);
        for at in 0..up.len() {
            single.push(up.values[at].max(down.values[at]), up.shapes[at]);
        }
        assert_eq!(joined, single);
        // 20 and 21 of both are 21, but only the last two leaves are siblings.
        assert_eq!(joined.len(), 40);
        // The mirror has its pair of siblings in front, and what becomes one cascades from run to run.
        let mirror = |value: &dyn Fn(u32) -> u64| {
            let leaves = (1..40).rev().map(|depth| (value(depth), depth, depth - 1));
            tree(&[(value(40), 39, 39)].into_iter().chain(leaves).collect::<Vec<_>>())
        };
        let (even, odd) = (mirror(&|k| u64::from(k % 2) * 5), mirror(&|k| u64::from(1 - k % 2) * 5));
        assert_eq!(maximum(&even, &odd), Tree::constant(5));
        assert_eq!(maximum(&even, &even), even);
        assert_eq!(up.after(0, 0), 40);
        assert_eq!(up.after(20, 20), 40);
        assert_eq!(up.after(20, 21), 21);
    }

    #[test]
    fn preorder_has_the_least_of_each_subtree() {
        let tree = tree(&[(4, 2, 2), (5, 2, 1), (6, 1, 0)]);
        let least: Vec<(u64, usize)> = nodes(&tree).iter().map(|node| (node.least, node.right)).collect();
        assert_eq!(least, [(4, 4), (4, 3), (4, 0), (5, 0), (6, 0)]);
    }
}
