//! How many values are definitely there in each gap.

use super::Gap;

/// A gap that was found empty is not found again: it counts as if this many were there.
const FOUND: i32 = i32::MAX / 2;

/// A tree over gaps, each with a depth; of each part the least depth, less what its ancestors add.
pub(super) struct Depths {
    gaps: Gap,
    /// How many leaves there are: a power of two.
    leaves: usize,
    /// Of each node the least depth of its gaps, its own `added` and those of its descendants counted.
    least: Vec<i32>,
    added: Vec<i32>,
}

impl Depths {
    /// The depths of `0..gaps` under these ranges.
    pub(super) fn new(gaps: Gap, ranges: impl Iterator<Item = std::ops::Range<Gap>>) -> Self {
        let leaves = (gaps as usize).next_power_of_two();
        let mut steps = vec![0; gaps as usize + 1];
        for range in ranges {
            steps[range.start as usize] += 1;
            steps[range.end as usize] -= 1;
        }
        let mut least = vec![FOUND; leaves * 2];
        let mut depth = 0;
        for gap in 0..gaps as usize {
            depth += steps[gap];
            least[leaves + gap] = depth;
        }
        for node in (1..leaves).rev() {
            least[node] = least[node * 2].min(least[node * 2 + 1]);
        }
        Self { gaps, leaves, least, added: vec![0; leaves] }
    }

    pub(super) const fn gaps(&self) -> Gap {
        self.gaps
    }

    /// One less in each of these gaps.
    pub(super) fn lower(&mut self, gaps: std::ops::Range<Gap>) {
        let (mut low, mut high) = (gaps.start as usize + self.leaves, gaps.end as usize + self.leaves);
        let ends = (low, high - 1);
        while low < high {
            if low & 1 == 1 {
                self.add(low, -1);
                low += 1;
            }
            if high & 1 == 1 {
                high -= 1;
                self.add(high, -1);
            }
            (low, high) = (low / 2, high / 2);
        }
        self.renew(ends.0);
        self.renew(ends.1);
    }

    fn add(&mut self, node: usize, amount: i32) {
        self.least[node] += amount;
        if node < self.leaves {
            self.added[node] += amount;
        }
    }

    /// Brings the ancestors of a leaf up to date.
    fn renew(&mut self, leaf: usize) {
        let mut node = leaf / 2;
        while node > 0 {
            self.least[node] = self.least[node * 2].min(self.least[node * 2 + 1]) + self.added[node];
            node /= 2;
        }
    }

    /// The first of these gaps in which nothing is there; it is not found again.
    pub(super) fn next_empty(&mut self, gaps: std::ops::Range<Gap>) -> Option<Gap> {
        let leaf = self.find(1, (0, self.leaves), 0, &gaps)?;
        self.least[leaf] = FOUND;
        self.renew(leaf);
        Some((leaf - self.leaves) as Gap)
    }

    fn find(
        &self,
        node: usize,
        (low, high): (usize, usize),
        above: i32,
        gaps: &std::ops::Range<Gap>,
    ) -> Option<usize> {
        if high <= gaps.start as usize || low >= gaps.end as usize || self.least[node] + above > 0 {
            return None;
        }
        if node >= self.leaves {
            return Some(node);
        }
        let (middle, above) = ((low + high) / 2, above + self.added[node]);
        self.find(node * 2, (low, middle), above, gaps)
            .or_else(|| self.find(node * 2 + 1, (middle, high), above, gaps))
    }
}
