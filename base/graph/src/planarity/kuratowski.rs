//! Finding a subdivision of K5 or K3,3 in a graph that is not planar: every one has it (Kuratowski 1930).
//!
//! First the graph is made small while it stays nonplanar. Of its edges in random order the later ones are deleted, as many as
//! possible, and of what is left the earlier ones are contracted, as many as possible. In between, what cannot matter is taken away
//! too: nodes with one neighbour, one of two parallel edges; and nodes with two neighbours become part of one long edge.
//! Only K5 and K3,3 allow neither a deletion nor a contraction (Wagner 1937), so that each round takes a share of the edges
//! away. Neither would do alone: most edges of a long ladder are needed, and its rungs cannot be contracted. In every other round
//! the edges of a breadth-first tree come first, which are as a rule those that are needed.
//!
//! What the few edges that are left stand for, and the contracted ones, are a part of the graph that is not planar: the
//! obstacle with a tree in place of each node. From it everything is taken away that can be.

use isles_kernel::ProcessId;
use isles_kernel::random::Stream;

use super::left_right::{edges_max, is_planar};
use crate::Graph;
use crate::components::find;

/// An edge of what is left, which may stand for a path.
#[derive(Clone, Copy)]
struct Long {
    a: u32,
    b: u32,
    /// What it stands for.
    part: u32,
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
/// O(log n) sorts and tests of O(n log n) each, as long as every round takes a share of all edges away, as it does for graphs
/// of the usual generators and of networks. A Möbius ladder of n nodes, from which hardly any set of edges can be taken at once,
/// takes O(n²): a second for n = 4,000.
pub(super) fn subdivision(nodes: u32, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut left = Left::new(nodes, edges, 0..edges.len() as u32);
    left.shrink();
    let mut left = Left::new(nodes, edges, left.expand().into_iter());
    left.reduce();
    left.minimise();
    left.expand()
}

/// A K5 with every node drawn apart into two has so many edges: no more are left where each round finds something.
const FEW: usize = 15;
/// After so many rounds that took next to nothing away the graph is small enough.
const IDLE_MAX: u32 = 8;

struct Left {
    nodes: u32,
    edges: Vec<Long>,
    parts: Vec<Part>,
    /// Parts that were contracted.
    contracted: Vec<u32>,
    draws: Stream,
}

impl Left {
    /// The edges of which the indices are given.
    fn new(nodes: u32, edges: &[(u32, u32)], indices: impl Iterator<Item = u32> + Clone) -> Self {
        let long = |(part, index)| {
            let (a, b) = edges[index as usize];
            Long { a, b, part }
        };
        Self {
            nodes,
            edges: (0..).zip(indices.clone()).map(long).collect(),
            parts: indices.map(Part::Edge).collect(),
            contracted: Vec::new(),
            // Any will do: no graph is made for it.
            draws: Stream::new(0, &[0x6b75_7261]),
        }
    }

    /// Deletes and contracts until hardly anything is left.
    fn shrink(&mut self) {
        // No planar graph has more edges; all that come later are for nothing.
        self.edges.truncate(edges_max(self.nodes) + 1);
        self.reduce();
        let (mut idle, mut round) = (0, 0);
        while self.edges.len() > FEW && idle < IDLE_MAX {
            let before = self.edges.len();
            self.arrange(round % 2 == 1);
            self.delete();
            self.reduce();
            if round % 2 == 0 {
                self.arrange(false);
                self.contract();
                self.reduce();
            }
            round += 1;
            idle = if self.edges.len() * 16 > before * 15 { idle + 1 } else { 0 };
        }
    }

    /// Puts the edges into another order; into that of a search from a node if `by_tree`.
    fn arrange(&mut self, by_tree: bool) {
        self.draws.shuffle(&mut self.edges);
        if !by_tree {
            return;
        }
        let ends: Vec<(u32, u32)> = self.edges.iter().map(|edge| (edge.a, edge.b)).collect();
        let graph = Graph::from_edges(self.nodes, &ends);
        let mut before = vec![u32::MAX; self.nodes as usize];
        let start = self.draws.below(self.nodes);
        for root in (start..self.nodes).chain(0..start) {
            if before[root as usize] != u32::MAX {
                continue;
            }
            before[root as usize] = root;
            let mut queue = vec![root];
            let mut next = 0;
            while let Some(&node) = queue.get(next) {
                next += 1;
                for peer in graph.neighbors(ProcessId(node)) {
                    if before[peer.index()] == u32::MAX {
                        before[peer.index()] = node;
                        queue.push(peer.0);
                    }
                }
            }
        }
        let in_tree = |edge: &Long| before[edge.a as usize] == edge.b || before[edge.b as usize] == edge.a;
        self.edges.sort_by_key(|edge| !in_tree(edge));
    }

    /// Keeps a short beginning that is not planar.
    fn delete(&mut self) {
        let ends: Vec<(u32, u32)> = self.edges.iter().map(|edge| (edge.a, edge.b)).collect();
        let kept = turning_point(ends.len(), |count| is_planar(self.nodes, &ends[..count])).1;
        self.edges.truncate(kept);
    }

    /// Contracts a long beginning without which the rest is not planar.
    fn contract(&mut self) {
        let count = turning_point(self.edges.len(), |count| {
            let mut root: Vec<u32> = (0..self.nodes).collect();
            for edge in &self.edges[..count] {
                let (a, b) = (find(&mut root, edge.a), find(&mut root, edge.b));
                root[a as usize] = b;
            }
            let ends =
                self.edges[count..].iter().map(|edge| (find(&mut root, edge.a), find(&mut root, edge.b)));
            let mut ends: Vec<(u32, u32)> =
                ends.filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect();
            ends.sort_unstable();
            ends.dedup();
            !is_planar(self.nodes, &ends)
        })
        .0;
        let mut root: Vec<u32> = (0..self.nodes).collect();
        for edge in self.edges.drain(..count) {
            let (a, b) = (find(&mut root, edge.a), find(&mut root, edge.b));
            if a != b {
                root[a as usize] = b;
                self.contracted.push(edge.part);
            }
        }
        for edge in &mut self.edges {
            (edge.a, edge.b) = (find(&mut root, edge.a), find(&mut root, edge.b));
        }
        self.edges.retain(|edge| edge.a != edge.b);
    }

    /// Deletes edge after edge, if the rest is still not planar.
    fn minimise(&mut self) {
        let mut index = 0;
        while index < self.edges.len() {
            let others = self.edges.iter().enumerate().filter(|(other, _)| *other != index);
            let ends: Vec<(u32, u32)> = others.map(|(_, edge)| (edge.a, edge.b)).collect();
            if is_planar(self.nodes, &ends) {
                index += 1;
            } else {
                self.edges.remove(index);
            }
        }
    }

    /// Takes away what cannot matter, while that is much.
    fn reduce(&mut self) {
        loop {
            let before = self.edges.len();
            self.drop_parallels();
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
            self.edges[kept as usize] = Long { a, b, part };
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
        self.edges.sort_unstable_by_key(|edge| (ends(edge), edge.part));
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

    /// The edges that all parts stand for, the contracted ones, too.
    fn expand(self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = self.contracted;
        open.extend(self.edges.iter().map(|edge| edge.part));
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

/// Two counts up to `most` that are not far from each other, of which `holds` is true of the lesser and false of the greater; it must be true
/// of 0 and false of `most`, and change once.
fn turning_point(most: usize, holds: impl Fn(usize) -> bool) -> (usize, usize) {
    let (mut low, mut high) = (0, most);
    while high - low > 1 + most / 16 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    (low, high)
}
