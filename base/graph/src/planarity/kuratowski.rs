//! Finding a subdivision of K5 or K3,3 in a graph that is not planar.
//!
//! Every nonplanar graph has one (Kuratowski 1930). Here edges are taken away while the rest stays nonplanar, but not one at a
//! time: in each round the edges are put into an order, and only the shortest beginning of it that is not planar is kept. Without its
//! last edge it is planar, so that this edge belongs to every subdivision that is left; it stays at the front from then on. Between
//! rounds, what cannot matter is taken away too: nodes with one neighbour, one of two parallel edges; and nodes with two neighbours
//! become part of one long edge. A graph that keeps nothing but necessary edges then has 9 or 10 of them, however long the paths
//! are that they stand for, so that rounds are few.

use isles_kernel::random::Stream;

use super::left_right::{edges_max, is_planar};
use crate::components::find;

/// An edge of what is left, which may stand for a path.
#[derive(Clone, Copy)]
struct Long {
    a: u32,
    b: u32,
    /// What it stands for.
    part: u32,
    /// Whether every subdivision that is left contains it.
    needed: bool,
}

/// What a long edge stands for: an edge of the graph, by its index, or two parts one after the other.
#[derive(Clone, Copy)]
enum Part {
    Edge(u32),
    Both(u32, u32),
}

/// The indices of edges that make a subdivision of K5 or K3,3, ascending; `edges` must not be planar.
///
/// # Complexity
/// O(n log n) for each round: O(log n) tests. Rounds are at most as many as the subdivision has edges. Orders are shuffled, and
/// a round usually takes a constant share of all edges away.
pub(super) fn subdivision(nodes: u32, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut left = Left::new(nodes, edges);
    for round in 0.. {
        left.arrange(round);
        if left.cut() {
            break;
        }
        left.reduce();
    }
    left.expand()
}

struct Left {
    nodes: u32,
    edges: Vec<Long>,
    parts: Vec<Part>,
    draws: Stream,
}

impl Left {
    fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let long = |(part, &(a, b))| Long { a, b, part, needed: false };
        Self {
            nodes,
            edges: (0..).zip(edges).map(long).collect(),
            parts: (0..edges.len() as u32).map(Part::Edge).collect(),
            // Any will do: no graph is made for it.
            draws: Stream::new(0, &[0x6b75_7261]),
        }
    }

    /// Needed edges first. Every other round a spanning tree comes next: along it chords can be dropped that hold a ladder
    /// together which is hardly ever cut by chance.
    fn arrange(&mut self, round: u32) {
        self.draws.shuffle(&mut self.edges);
        if round % 2 == 1 {
            let mut root: Vec<u32> = (0..self.nodes).collect();
            let joins = |edge: &Long, root: &mut Vec<u32>| {
                let (a, b) = (find(root, edge.a), find(root, edge.b));
                root[a as usize] = b;
                a != b
            };
            let (tree, rest): (Vec<Long>, Vec<Long>) =
                self.edges.iter().partition(|edge| joins(edge, &mut root));
            self.edges = tree;
            self.edges.extend(rest);
        }
        self.edges.sort_by_key(|edge| !edge.needed);
    }

    /// Keeps the shortest beginning that is not planar, and says whether it has needed edges only.
    fn cut(&mut self) -> bool {
        let ends: Vec<(u32, u32)> = self.edges.iter().map(|edge| (edge.a, edge.b)).collect();
        let planar = |count: usize| is_planar(self.nodes, &ends[..count]);
        let needed = self.edges.iter().filter(|edge| edge.needed).count();
        // Invariant: `low` edges are planar, `high` are not.
        let (mut low, mut high) = (needed, ends.len().min(edges_max(self.nodes) + 1));
        if !planar(low) {
            self.edges.truncate(low);
            return true;
        }
        let mut step = 64;
        while low + step < high && planar(low + step) {
            low += step;
            step *= 2;
        }
        high = high.min(low + step);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if planar(middle) { low = middle } else { high = middle }
        }
        self.edges.truncate(high);
        self.edges[high - 1].needed = true;
        false
    }

    /// Takes away what cannot matter, while that is much.
    fn reduce(&mut self) {
        loop {
            let before = self.edges.len();
            self.prune();
            self.join_chains();
            self.drop_parallels();
            self.renumber();
            if self.edges.len() * 8 > before * 7 {
                return;
            }
        }
    }

    /// Drops edges to nodes that have no other edge, and so on.
    fn prune(&mut self) {
        let mut degrees = vec![0u32; self.nodes as usize];
        // All edges of a node in one number: of a node with one edge it is that edge.
        let mut mixed = vec![0u32; self.nodes as usize];
        for (index, edge) in (0..).zip(&self.edges) {
            for node in [edge.a, edge.b] {
                degrees[node as usize] += 1;
                mixed[node as usize] ^= index;
            }
        }
        let mut gone = vec![false; self.edges.len()];
        for start in 0..self.nodes {
            let mut node = start;
            while degrees[node as usize] == 1 {
                let index = mixed[node as usize];
                gone[index as usize] = true;
                let edge = self.edges[index as usize];
                let peer = edge.a ^ edge.b ^ node;
                degrees[node as usize] = 0;
                degrees[peer as usize] -= 1;
                mixed[peer as usize] ^= index;
                node = peer;
            }
        }
        let mut gone = gone.into_iter();
        self.edges.retain(|_| gone.next() == Some(false));
    }

    /// Makes one edge of the two of each node that has two.
    fn join_chains(&mut self) {
        let mut degrees = vec![0u32; self.nodes as usize];
        let mut two = vec![[0u32; 2]; self.nodes as usize];
        for (index, edge) in (0..).zip(&self.edges) {
            for node in [edge.a, edge.b] {
                let degree = &mut degrees[node as usize];
                if *degree < 2 {
                    two[node as usize][*degree as usize] = index;
                }
                *degree += 1;
            }
        }
        let mut gone = vec![false; self.edges.len()];
        for node in (0..self.nodes).filter(|node| degrees[*node as usize] == 2) {
            let [kept, other] = two[node as usize];
            let (left, right) = (self.edges[kept as usize], self.edges[other as usize]);
            // The last node of a cycle that hangs on nothing, or on one node.
            if kept == other {
                continue;
            }
            let (a, b) = (left.a ^ left.b ^ node, right.a ^ right.b ^ node);
            self.parts.push(Part::Both(left.part, right.part));
            let part = self.parts.len() as u32 - 1;
            self.edges[kept as usize] = Long { a, b, part, needed: left.needed || right.needed };
            gone[other as usize] = true;
            for entry in &mut two[b as usize] {
                if *entry == other {
                    *entry = kept;
                }
            }
        }
        let mut gone = gone.into_iter();
        self.edges.retain(|edge| gone.next() == Some(false) && edge.a != edge.b);
    }

    /// Of several edges between two nodes one stays.
    fn drop_parallels(&mut self) {
        let ends = |edge: &Long| (edge.a.min(edge.b), edge.a.max(edge.b));
        // A needed one comes first: another edge in its place would do as well, so that there is none.
        self.edges.sort_by_key(|edge| (ends(edge), !edge.needed));
        self.edges.dedup_by_key(|edge| ends(edge));
    }

    /// Nodes without edges are forgotten.
    fn renumber(&mut self) {
        let mut name = vec![u32::MAX; self.nodes as usize];
        let mut nodes = 0;
        for edge in &mut self.edges {
            for node in [&mut edge.a, &mut edge.b] {
                let new = &mut name[*node as usize];
                if *new == u32::MAX {
                    *new = nodes;
                    nodes += 1;
                }
                *node = *new;
            }
        }
        self.nodes = nodes;
    }

    /// The edges that all parts stand for.
    fn expand(self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open: Vec<u32> = self.edges.iter().map(|edge| edge.part).collect();
        while let Some(part) = open.pop() {
            match self.parts[part as usize] {
                Part::Edge(index) => found.push(index),
                Part::Both(left, right) => open.extend([left, right]),
            }
        }
        found.sort_unstable();
        found
    }
}
