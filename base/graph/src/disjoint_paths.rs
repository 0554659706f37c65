//! Paths that share no edge.

use isles_kernel::ProcessId;

use crate::Graph;

/// As many paths as there are from one node to another that share no edge, and the edges that prove that there are no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisjointPaths {
    /// The nodes of each path, from the first to the last.
    pub paths: Vec<Vec<ProcessId>>,
    /// Edges, as many as paths, without which there is no way at all (Menger 1927): a minimum cut.
    pub cut: Vec<(ProcessId, ProcessId)>,
}

/// Greatest number of edge-disjoint paths from `source` to `target`, along the directions of edges, by augmenting paths (Ford and
/// Fulkerson 1956). None between a node and itself.
///
/// # Panics
/// When one of the nodes is not there.
///
/// # Complexity
/// O(m) for each path, of which there are at most as many as the lesser degree.
pub fn edge_disjoint_paths(graph: &Graph, source: ProcessId, target: ProcessId) -> DisjointPaths {
    let mut flow = Flow::new(graph);
    if source == target {
        return DisjointPaths { paths: Vec::new(), cut: Vec::new() };
    }
    while flow.augment(source, target) {}
    let paths = flow.paths(source, target);
    let reached = |node: ProcessId| flow.from[node.index()] != UNSEEN;
    let crosses = |&(a, b): &(ProcessId, ProcessId)| {
        (reached(a) && !reached(b)) || (!graph.is_directed() && reached(b) && !reached(a))
    };
    DisjointPaths { paths, cut: graph.edge_list().filter(crosses).collect() }
}

/// The least number of edges without which the graph is not connected any more (strongly, if it is directed): 0 if it is not
/// connected to begin with, or has fewer than two nodes.
///
/// # Complexity
/// O(n · m · the least degree).
pub fn edge_connectivity(graph: &Graph) -> usize {
    if graph.nodes() < 2 {
        return 0;
    }
    let count = |a: u32, b: u32| edge_disjoint_paths(graph, ProcessId(a), ProcessId(b)).paths.len();
    let last = graph.nodes() - 1;
    // Some cut of least size parts node 0 from another one, in one direction or the other; a directed graph's cuts part two
    // nodes that follow each other round a circle (Schnorr, SIAM J. Comput. 8, 1979).
    let pairs: Vec<(u32, u32)> = if graph.is_directed() {
        (0..=last).map(|node| (node, if node == last { 0 } else { node + 1 })).collect()
    } else {
        (1..=last).map(|node| (0, node)).collect()
    };
    pairs.into_iter().map(|(a, b)| count(a, b)).min().unwrap_or(0)
}

const UNSEEN: u32 = u32::MAX;

/// A flow of 0 or 1 over each arc.
struct Flow<'a> {
    graph: &'a Graph,
    /// The first arc of each node.
    first: Vec<u32>,
    /// The arcs that lead to each node, in the order of `reversed`.
    reversed: Graph,
    /// For each node the arcs that lead to it, one for each of its rows in `reversed`.
    into: Vec<Vec<u32>>,
    used: Vec<bool>,
    /// From which node each node was reached by the last search, and over which arc.
    from: Vec<u32>,
    over: Vec<u32>,
}

impl<'a> Flow<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut first = vec![0u32];
        let mut into = vec![Vec::new(); graph.nodes() as usize];
        let mut arc = 0;
        for node in graph.ids() {
            for peer in graph.neighbors(node) {
                into[peer.index()].push(arc);
                arc += 1;
            }
            first.push(arc);
        }
        let nodes = graph.nodes() as usize;
        Self {
            graph,
            first,
            reversed: graph.reversed(),
            into,
            used: vec![false; arc as usize],
            from: vec![UNSEEN; nodes],
            over: vec![0; nodes],
        }
    }

    /// One more unit, over arcs that are free and back over arcs that are used; whether there was a way.
    fn augment(&mut self, source: ProcessId, target: ProcessId) -> bool {
        self.from.fill(UNSEEN);
        self.from[source.index()] = source.0;
        let mut queue = vec![source];
        let mut next = 0;
        while let Some(&node) = queue.get(next) {
            next += 1;
            let forward = (self.first[node.index()]..).zip(self.graph.neighbors(node));
            let back = self.into[node.index()].iter().copied().zip(self.reversed.neighbors(node));
            let free = forward.filter(|(arc, _)| !self.used[*arc as usize]);
            for (arc, peer) in free.chain(back.filter(|(arc, _)| self.used[*arc as usize])) {
                if self.from[peer.index()] == UNSEEN {
                    (self.from[peer.index()], self.over[peer.index()]) = (node.0, arc);
                    queue.push(*peer);
                }
            }
            if self.from[target.index()] != UNSEEN {
                break;
            }
        }
        if self.from[target.index()] == UNSEEN {
            return false;
        }
        let mut node = target;
        while node != source {
            let arc = self.over[node.index()] as usize;
            self.used[arc] = !self.used[arc];
            node = ProcessId(self.from[node.index()]);
        }
        true
    }

    /// Takes the flow apart into paths. Both arcs of an undirected edge may be used: that is as if none was.
    fn paths(&mut self, source: ProcessId, target: ProcessId) -> Vec<Vec<ProcessId>> {
        if !self.graph.is_directed() {
            for node in self.graph.ids() {
                for (index, peer) in self.graph.neighbors(node).iter().enumerate() {
                    let arc = self.first[node.index()] as usize + index;
                    let place = self.graph.neighbors(*peer).binary_search(&node);
                    let other = self.first[peer.index()] as usize + place.expect("an edge is two arcs");
                    if self.used[arc] && self.used[other] {
                        (self.used[arc], self.used[other]) = (false, false);
                    }
                }
            }
        }
        let mut paths = Vec::new();
        while let Some(mut next) = self.take(source) {
            let mut path = vec![source, next];
            while next != target {
                next = self.take(next).expect("what flows in flows out");
                path.push(next);
            }
            paths.push(without_loops(path));
        }
        paths
    }

    /// Follows a used arc from `node`, and frees it.
    fn take(&mut self, node: ProcessId) -> Option<ProcessId> {
        let first = self.first[node.index()] as usize;
        let neighbors = self.graph.neighbors(node);
        let index = (0..neighbors.len()).find(|index| self.used[first + index])?;
        self.used[first + index] = false;
        Some(neighbors[index])
    }
}

/// The path without the rounds that it makes.
fn without_loops(path: Vec<ProcessId>) -> Vec<ProcessId> {
    let mut straight: Vec<ProcessId> = Vec::with_capacity(path.len());
    for node in path {
        if let Some(before) = straight.iter().position(|other| *other == node) {
            straight.truncate(before);
        }
        straight.push(node);
    }
    straight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{complete, distances, hypercube, ring, torus, tree};

    fn p(id: u32) -> ProcessId {
        ProcessId(id)
    }

    fn without(graph: &Graph, cut: &[(ProcessId, ProcessId)]) -> Graph {
        let rest: Vec<(u32, u32)> =
            graph.edge_list().filter(|edge| !cut.contains(edge)).map(|(a, b)| (a.0, b.0)).collect();
        if graph.is_directed() {
            Graph::from_arcs(graph.nodes(), &rest)
        } else {
            Graph::from_edges(graph.nodes(), &rest)
        }
    }

    #[test]
    fn known_graphs_have_known_counts() {
        let count = |graph: &Graph, a, b| edge_disjoint_paths(graph, p(a), p(b)).paths.len();
        assert_eq!((count(&ring(9), 0, 4), count(&tree(9, 2), 3, 8)), (2, 1));
        assert_eq!(count(&torus(36, 6).expect("whole rows"), 0, 20), 4);
        assert_eq!(count(&hypercube(5).expect("small"), 0, 31), 5);
        assert_eq!(count(&ring(4), 2, 2), 0);
        assert_eq!(edge_connectivity(&complete(6).expect("small")), 5);
        assert_eq!(edge_connectivity(&tree(10, 3)), 1);
        assert_eq!(edge_connectivity(&Graph::from_edges(4, &[(0, 1), (2, 3)])), 0);
        assert_eq!(edge_connectivity(&Graph::from_arcs(3, &[(0, 1), (1, 2), (2, 0)])), 1);
        assert_eq!(edge_connectivity(&Graph::from_arcs(3, &[(0, 1), (1, 2)])), 0);
    }

    proptest! {
        #[test]
        fn paths_are_disjoint_and_the_cut_proves_that_there_are_no_more(
            nodes in 2u32..14,
            ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..60),
            directed in any::<bool>(),
        ) {
            let edges: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
            let graph = if directed { Graph::from_arcs(nodes, &edges) } else { Graph::from_edges(nodes, &edges) };
            let found = edge_disjoint_paths(&graph, p(0), p(nodes - 1));
            let mut steps: Vec<(ProcessId, ProcessId)> = Vec::new();
            for path in &found.paths {
                prop_assert_eq!((path[0], path[path.len() - 1]), (p(0), p(nodes - 1)));
                for two in path.windows(2) {
                    prop_assert!(graph.has_edge(two[0], two[1]));
                    let order = directed || two[0] < two[1];
                    steps.push(if order { (two[0], two[1]) } else { (two[1], two[0]) });
                }
            }
            let count = steps.len();
            steps.sort_unstable();
            steps.dedup();
            prop_assert_eq!(steps.len(), count);
            prop_assert_eq!(found.cut.len(), found.paths.len());
            prop_assert_eq!(distances(&without(&graph, &found.cut), p(0))[nodes as usize - 1], None);
        }
    }
}
