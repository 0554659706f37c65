//! How many neighbours are neighbours of each other.

use isles_kernel::ProcessId;

use crate::Graph;

/// The triangles of a graph, directions ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clustering {
    /// In how many triangles each node is.
    pub triangles_of: Vec<u64>,
    /// How many neighbours each node has.
    degrees: Vec<u32>,
}

impl Clustering {
    /// How many triangles there are.
    pub fn triangles(&self) -> u64 {
        self.triangles_of.iter().sum::<u64>() / 3
    }

    /// The share of pairs of neighbours of `node` that are neighbours themselves (Watts and Strogatz 1998); none if it has fewer
    /// than two neighbours.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn local(&self, node: ProcessId) -> Option<f64> {
        let pairs = pairs(self.degrees[node.index()]);
        (pairs > 0).then(|| self.triangles_of[node.index()] as f64 / pairs as f64)
    }

    /// The mean of [`local`](Self::local) over the nodes that have two neighbours or more, as SuiteSparse publishes it; none if
    /// there are none.
    pub fn mean_of_degree_two_and_more(&self) -> Option<f64> {
        let (sum, count) = self.sum();
        (count > 0).then(|| sum / count as f64)
    }

    /// The mean over all nodes, those with fewer than two neighbours counting as 0, as SNAP and networkx have it; none for a
    /// graph without nodes.
    pub fn mean_of_all(&self) -> Option<f64> {
        (!self.degrees.is_empty()).then(|| self.sum().0 / self.degrees.len() as f64)
    }

    /// The share of all paths of two edges whose ends are neighbours: three times the triangles by the paths. None if there are
    /// no such paths.
    pub fn transitivity(&self) -> Option<f64> {
        let paths: u64 = self.degrees.iter().map(|&degree| pairs(degree)).sum();
        (paths > 0).then(|| self.triangles_of.iter().sum::<u64>() as f64 / paths as f64)
    }

    fn sum(&self) -> (f64, usize) {
        let all = (0..self.degrees.len() as u32).filter_map(|node| self.local(ProcessId(node)));
        all.fold((0.0, 0), |(sum, count), one| (sum + one, count + 1))
    }
}

fn pairs(degree: u32) -> u64 {
    u64::from(degree) * u64::from(degree.saturating_sub(1)) / 2
}

/// Counts the triangles of `graph`, directions ignored.
///
/// # Complexity
/// O(m^1.5): every edge leads from the end of lesser degree, so that no node has more than √(2m) of them (Chiba and Nishizeki,
/// SIAM J. Comput. 14, 1985).
pub fn clustering(graph: &Graph) -> Clustering {
    let undirected = graph.is_directed().then(|| graph.undirected());
    let graph = undirected.as_ref().unwrap_or(graph);
    let degrees: Vec<u32> = graph.ids().map(|node| graph.degree(node)).collect();
    let mut rank: Vec<u32> = (0..graph.nodes()).collect();
    rank.sort_by_key(|&node| degrees[node as usize]);
    let mut place = vec![0; rank.len()];
    for (index, &node) in (0..).zip(&rank) {
        place[node as usize] = index;
    }
    let upward: Vec<(u32, u32)> = graph
        .edge_list()
        .map(|(a, b)| (place[a.index()], place[b.index()]))
        .map(|(a, b)| (a.min(b), a.max(b)))
        .collect();
    let upward = Graph::from_arcs(graph.nodes(), &upward);
    let mut triangles_of = vec![0u64; rank.len()];
    let mut marked = vec![u32::MAX; rank.len()];
    for low in upward.ids() {
        for high in upward.neighbors(low) {
            marked[high.index()] = low.0;
        }
        for &middle in upward.neighbors(low) {
            for &high in upward.neighbors(middle) {
                if marked[high.index()] == low.0 {
                    for corner in [low, middle, high] {
                        triangles_of[rank[corner.index()] as usize] += 1;
                    }
                }
            }
        }
    }
    Clustering { triangles_of, degrees }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{complete, ring, tree, watts_strogatz};

    #[test]
    fn known_graphs_have_known_values() {
        let all = clustering(&complete(6).expect("small"));
        assert_eq!((all.triangles(), all.transitivity(), all.mean_of_all()), (20, Some(1.0), Some(1.0)));
        let none = clustering(&tree(10, 2));
        assert_eq!((none.triangles(), none.transitivity()), (0, Some(0.0)));
        // C(0) = 3(k - 2) / 4(k - 1) of the ring of Watts and Strogatz.
        let lattice = clustering(&watts_strogatz(1_000, 10, 0.0, 1).expect("possible"));
        assert!((lattice.mean_of_all().expect("nodes") - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(clustering(&ring(3)).triangles(), 1);
    }

    #[test]
    fn the_two_means_differ_by_the_nodes_of_degree_one() {
        let found = clustering(&Graph::from_edges(5, &[(0, 1), (1, 2), (2, 0), (2, 3)]));
        assert_eq!(found.mean_of_degree_two_and_more(), Some((1.0 + 1.0 + 1.0 / 3.0) / 3.0));
        assert_eq!(found.mean_of_all(), Some((1.0 + 1.0 + 1.0 / 3.0) / 5.0));
        assert_eq!(found.transitivity(), Some(3.0 / 5.0));
        assert_eq!(found.local(ProcessId(3)), None);
    }

    proptest! {
        #[test]
        fn triangles_are_triples_of_neighbours(
            nodes in 1u32..25,
            ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..120),
        ) {
            let edges: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
            let graph = Graph::from_edges(nodes, &edges);
            let has = |a: u32, b: u32| graph.has_edge(ProcessId(a), ProcessId(b));
            let found = clustering(&graph);
            for a in 0..nodes {
                let around = |a: u32| (0..nodes).flat_map(move |b| (0..b).map(move |c| (a, b, c)));
                let count = around(a).filter(|&(a, b, c)| has(a, b) && has(b, c) && has(c, a)).count() as u64;
                prop_assert_eq!(found.triangles_of[a as usize], count);
            }
        }
    }
}
