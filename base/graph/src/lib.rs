#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod generators;

use isles_kernel::ProcessId;

pub use generators::{
    EDGES_MAX, GraphError, complete, grid, line, random_edges, random_regular, ring, star, tree,
};

/// An undirected graph over the processes `0..nodes`, in compressed sparse rows: 4 bytes per node and 8 per edge.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Graph {
    /// Invariant: `nodes + 1` entries, ascending; the neighbours of `p` are `targets[offsets[p]..offsets[p + 1]]`.
    offsets: Vec<u32>,
    /// Invariant: ascending within a row, no repetition, no self loop; `a` is in `b`'s row as `b` is in `a`'s.
    targets: Vec<ProcessId>,
}

impl Graph {
    /// The graph with these undirected edges; repetitions and self loops are dropped.
    ///
    /// # Panics
    /// When an edge names a node that is not below `nodes`.
    pub fn from_edges(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let mut arcs = Vec::with_capacity(edges.len() * 2);
        for &(a, b) in edges {
            assert!(a < nodes && b < nodes, "edge ({a}, {b}) in a graph of {nodes} nodes");
            if a != b {
                arcs.extend([(a, b), (b, a)]);
            }
        }
        arcs.sort_unstable();
        arcs.dedup();
        let mut offsets = vec![0; nodes as usize + 1];
        for &(a, _) in &arcs {
            offsets[a as usize + 1] += 1;
        }
        for node in 0..nodes as usize {
            offsets[node + 1] += offsets[node];
        }
        Self { offsets, targets: arcs.into_iter().map(|(_, b)| ProcessId(b)).collect() }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }

    /// How many undirected edges there are.
    pub fn edges(&self) -> usize {
        self.targets.len() / 2
    }

    /// The neighbours of `node`, ascending.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn neighbors(&self, node: ProcessId) -> &[ProcessId] {
        &self.targets[self.offsets[node.index()] as usize..self.offsets[node.index() + 1] as usize]
    }
}
