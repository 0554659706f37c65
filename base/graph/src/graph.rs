//! Compressed sparse rows.

use isles_kernel::ProcessId;

/// A simple graph over the processes `0..nodes`, directed or not, with weights or without: no loops, no parallel edges.
/// It takes 4 bytes per node, and 4 per arc (12 with weights); an undirected edge is two arcs.
#[derive(Clone, PartialEq, Debug)]
pub struct Graph {
    directed: bool,
    /// Invariant: `nodes + 1` entries, ascending; the neighbours of `p` are `targets[offsets[p]..offsets[p + 1]]`.
    offsets: Vec<u32>,
    /// Invariant: ascending within a row, no repetition, no self loop. Unless directed, `a` is in `b`'s row as `b`
    /// is in `a`'s.
    targets: Vec<ProcessId>,
    /// One for each target, or none at all. Unless directed, both arcs of an edge have the same.
    weights: Vec<f64>,
}

/// So many places of `targets` are filled at a time, which the cache holds: going through all edges once more costs less than a miss
/// for each arc.
const STRETCH: usize = 1 << 21;

/// A graph has at most so many arcs; an undirected edge is two.
pub const ARCS_MAX: usize = u32::MAX as usize;

impl Graph {
    /// The graph with these undirected edges; repetitions and self loops are dropped.
    ///
    /// # Panics
    /// When an edge names a node that is not below `nodes`, or there are more than [`ARCS_MAX`] arcs.
    pub fn from_edges(nodes: u32, edges: &[(u32, u32)]) -> Self {
        Self::gather(nodes, false, edges.len(), |index| edges[index], |_| 0.0, false)
    }

    /// The graph with these arcs, each from its first node to its second; repetitions and self loops are dropped.
    ///
    /// # Panics
    /// As [`from_edges`](Self::from_edges).
    pub fn from_arcs(nodes: u32, arcs: &[(u32, u32)]) -> Self {
        Self::gather(nodes, true, arcs.len(), |index| arcs[index], |_| 0.0, false)
    }

    /// The graph with these edges, or arcs if it is `directed`, and their weights; of repetitions the lightest stays.
    ///
    /// # Panics
    /// As [`from_edges`](Self::from_edges).
    pub fn weighted(nodes: u32, directed: bool, edges: &[(u32, u32, f64)]) -> Self {
        let ends = |index: usize| (edges[index].0, edges[index].1);
        Self::gather(nodes, directed, edges.len(), ends, |index| edges[index].2, true)
    }

    /// The graph with these edges, or arcs if it is `directed`, whose weights are in a list of their own, or none; of repetitions the
    /// lightest stays.
    ///
    /// # Panics
    /// As [`from_edges`](Self::from_edges), and when there are weights and not as many as edges.
    pub(crate) fn from_columns(nodes: u32, directed: bool, ends: &[(u32, u32)], weights: &[f64]) -> Self {
        assert!(weights.is_empty() || weights.len() == ends.len(), "a weight for each edge or none at all");
        let weight = |index: usize| weights[index];
        Self::gather(nodes, directed, ends.len(), |index| ends[index], weight, !weights.is_empty())
    }

    /// Counting sort by source, then a short sort within each row.
    fn gather(
        nodes: u32,
        directed: bool,
        count: usize,
        ends: impl Fn(usize) -> (u32, u32),
        weight: impl Fn(usize) -> f64,
        weighted: bool,
    ) -> Self {
        let mut starts = vec![0u32; nodes as usize + 1];
        let mut arcs = 0usize;
        for (a, b) in (0..count).map(&ends) {
            assert!(a < nodes && b < nodes, "edge ({a}, {b}) in a graph of {nodes} nodes");
            if a != b {
                starts[a as usize + 1] += 1;
                starts[b as usize + 1] += u32::from(!directed);
                arcs += 1 + usize::from(!directed);
            }
        }
        assert!(arcs <= ARCS_MAX, "{arcs} arcs are more than {ARCS_MAX}");
        for node in 0..nodes as usize {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut targets = vec![ProcessId(0); arcs];
        let mut weights = vec![0.0; if weighted { arcs } else { 0 }];
        let mut first = 0;
        while first < nodes {
            let begin = starts[first as usize] as usize;
            let within = starts.partition_point(|start| *start as usize <= begin + STRETCH);
            let end = (within as u32 - 1).max(first + 1);
            for index in 0..count {
                let (a, b) = ends(index);
                if a == b {
                    continue;
                }
                let mut put = |from: u32, to: u32| {
                    let place = next[from as usize] as usize;
                    next[from as usize] += 1;
                    targets[place] = ProcessId(to);
                    if weighted {
                        weights[place] = weight(index);
                    }
                };
                if (first..end).contains(&a) {
                    put(a, b);
                }
                if !directed && (first..end).contains(&b) {
                    put(b, a);
                }
            }
            first = end;
        }
        let mut graph = Self { directed, offsets: starts, targets, weights };
        graph.tidy_rows();
        graph
    }

    /// Sorts each row, and closes the gaps that repetitions leave.
    fn tidy_rows(&mut self) {
        let (mut kept, mut start) = (0usize, 0usize);
        let mut row: Vec<(ProcessId, f64)> = Vec::new();
        for node in 0..self.nodes() as usize {
            let end = self.offsets[node + 1] as usize;
            if self.weights.is_empty() {
                self.targets[start..end].sort_unstable();
                for index in start..end {
                    let target = self.targets[index];
                    if kept == self.offsets[node] as usize || self.targets[kept - 1] != target {
                        self.targets[kept] = target;
                        kept += 1;
                    }
                }
            } else {
                row.clear();
                row.extend((start..end).map(|index| (self.targets[index], self.weights[index])));
                row.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                row.dedup_by_key(|(target, _)| *target);
                for &(target, weight) in &row {
                    (self.targets[kept], self.weights[kept]) = (target, weight);
                    kept += 1;
                }
            }
            start = end;
            self.offsets[node + 1] = kept as u32;
        }
        self.targets.truncate(kept);
        self.targets.shrink_to_fit();
        self.weights.truncate(kept);
        self.weights.shrink_to_fit();
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }

    /// All nodes, ascending.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ProcessId> + use<> {
        (0..self.nodes()).map(ProcessId)
    }

    /// How many edges there are; arcs, if it is directed.
    pub fn edges(&self) -> usize {
        if self.directed { self.targets.len() } else { self.targets.len() / 2 }
    }

    /// How many arcs there are; an undirected edge is two.
    pub fn arcs(&self) -> usize {
        self.targets.len()
    }

    /// Whether edges lead one way only.
    pub fn is_directed(&self) -> bool {
        self.directed
    }

    /// The neighbours of `node`, ascending; those that it leads to, if the graph is directed.
    ///
    /// # Panics
    /// When there is no such node.
    #[inline]
    pub fn neighbors(&self, node: ProcessId) -> &[ProcessId] {
        &self.targets[self.offsets[node.index()] as usize..self.offsets[node.index() + 1] as usize]
    }

    /// The weights of the edges to the neighbours, in their order; none if the graph has no weights.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn weights(&self, node: ProcessId) -> Option<&[f64]> {
        let row = self.offsets[node.index()] as usize..self.offsets[node.index() + 1] as usize;
        // A graph without edges has weights or none: nobody can tell.
        (self.weights.len() == self.targets.len()).then(|| &self.weights[row])
    }

    /// How many neighbours `node` has; how many it leads to, if the graph is directed.
    ///
    /// # Panics
    /// When there is no such node.
    #[inline]
    pub fn degree(&self, node: ProcessId) -> u32 {
        self.offsets[node.index() + 1] - self.offsets[node.index()]
    }

    /// Whether an edge leads from `from` to `to`.
    ///
    /// # Panics
    /// When there is no node `from`.
    pub fn has_edge(&self, from: ProcessId, to: ProcessId) -> bool {
        self.neighbors(from).binary_search(&to).is_ok()
    }

    /// Every edge once, ascending: from the lesser node to the greater one, or every arc if the graph is directed.
    pub fn edge_list(&self) -> impl Iterator<Item = (ProcessId, ProcessId)> + '_ {
        self.ids().flat_map(move |from| {
            let seen = move |to: &&ProcessId| self.directed || from < **to;
            self.neighbors(from).iter().filter(seen).map(move |to| (from, *to))
        })
    }

    /// Every edge once as [`edge_list`](Self::edge_list) has it, with its weight, which is 1 if the graph has none.
    pub fn weighted_edge_list(&self) -> impl Iterator<Item = (ProcessId, ProcessId, f64)> + '_ {
        self.ids().flat_map(move |from| {
            let row = self.offsets[from.index()] as usize;
            let weight = move |index: usize| self.weights.get(row + index).copied().unwrap_or(1.0);
            self.neighbors(from)
                .iter()
                .enumerate()
                .filter(move |(_, to)| self.directed || from < **to)
                .map(move |(index, to)| (from, *to, weight(index)))
        })
    }

    /// The graph with every arc turned round; itself if it is not directed.
    pub fn reversed(&self) -> Self {
        self.rebuilt(self.directed, |from, to| (to.0, from.0))
    }

    /// The graph without directions; itself if it has none.
    pub fn undirected(&self) -> Self {
        self.rebuilt(false, |from, to| (from.0, to.0))
    }

    fn rebuilt(&self, directed: bool, ends: impl Fn(ProcessId, ProcessId) -> (u32, u32)) -> Self {
        if !self.directed {
            return self.clone();
        }
        if self.weights.is_empty() {
            let edges: Vec<(u32, u32)> = self.edge_list().map(|(from, to)| ends(from, to)).collect();
            Self::gather(self.nodes(), directed, edges.len(), |index| edges[index], |_| 0.0, false)
        } else {
            let turned = |(from, to, weight)| {
                let (a, b) = ends(from, to);
                (a, b, weight)
            };
            let edges: Vec<(u32, u32, f64)> = self.weighted_edge_list().map(turned).collect();
            Self::weighted(self.nodes(), directed, &edges)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(id: u32) -> ProcessId {
        ProcessId(id)
    }

    #[test]
    fn loops_and_repetitions_are_dropped() {
        let graph = Graph::from_edges(4, &[(0, 1), (1, 0), (2, 2), (0, 1), (3, 1)]);
        assert_eq!((graph.nodes(), graph.edges(), graph.is_directed()), (4, 2, false));
        assert_eq!(graph.neighbors(p(1)), [p(0), p(3)]);
        assert_eq!(graph.neighbors(p(2)), []);
        assert_eq!(graph.edge_list().collect::<Vec<_>>(), [(p(0), p(1)), (p(1), p(3))]);
        assert!(graph.has_edge(p(3), p(1)) && !graph.has_edge(p(0), p(3)));
    }

    #[test]
    fn arcs_lead_one_way() {
        let graph = Graph::from_arcs(3, &[(0, 1), (1, 0), (1, 2), (1, 2)]);
        assert_eq!((graph.edges(), graph.degree(p(2))), (3, 0));
        assert_eq!(graph.reversed().neighbors(p(2)), [p(1)]);
        assert_eq!(graph.reversed().reversed(), graph);
        assert_eq!(graph.undirected(), Graph::from_edges(3, &[(0, 1), (1, 2)]));
    }

    #[test]
    fn the_lightest_of_repeated_edges_stays() {
        let graph = Graph::weighted(3, false, &[(0, 1, 5.0), (1, 0, 2.0), (2, 1, 7.0)]);
        assert_eq!(graph.weights(p(1)), Some(&[2.0, 7.0][..]));
        assert_eq!(graph.weighted_edge_list().collect::<Vec<_>>(), [(p(0), p(1), 2.0), (p(1), p(2), 7.0)]);
        assert_eq!(Graph::from_edges(2, &[(0, 1)]).weights(p(0)), None);
        let directed = Graph::weighted(2, true, &[(0, 1, 3.0)]);
        assert_eq!(directed.reversed().weights(p(1)), Some(&[3.0][..]));
    }

    #[test]
    #[should_panic(expected = "edge (0, 3)")]
    fn an_edge_to_nowhere_is_a_mistake_of_the_caller() {
        Graph::from_edges(3, &[(0, 3)]);
    }
}
