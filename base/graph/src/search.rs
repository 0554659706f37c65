//! Searches from one node.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use isles_kernel::ProcessId;

use crate::{Graph, GraphError};

/// How many hops every node is from `source`, along the directions of edges; none for those that it does not reach.
///
/// # Panics
/// When there is no such node.
pub fn distances(graph: &Graph, source: ProcessId) -> Vec<Option<u32>> {
    let mut hops = vec![u32::MAX; graph.nodes() as usize];
    breadth_first(graph, source, &mut hops);
    hops.into_iter().map(|hops| (hops != u32::MAX).then_some(hops)).collect()
}

/// The nodes that `source` reaches, in the order in which a breadth-first search does, and their distances in `hops`, which
/// has a place for each node and is `u32::MAX` at each that may be visited.
pub(crate) fn breadth_first(graph: &Graph, source: ProcessId, hops: &mut [u32]) -> Vec<ProcessId> {
    hops[source.index()] = 0;
    let mut queue = vec![source];
    let mut next = 0;
    while let Some(&node) = queue.get(next) {
        next += 1;
        for &peer in graph.neighbors(node) {
            if hops[peer.index()] == u32::MAX {
                hops[peer.index()] = hops[node.index()] + 1;
                queue.push(peer);
            }
        }
    }
    queue
}

/// The least sum of weights on the way from `source` to every node (Dijkstra 1959); none for those that it does not reach.
/// Without weights every edge weighs 1.
///
/// # Errors
/// When a weight is negative or no number.
///
/// # Panics
/// When there is no such node.
pub fn weighted_distances(graph: &Graph, source: ProcessId) -> Result<Vec<Option<f64>>, GraphError> {
    let mut least = vec![None; graph.nodes() as usize];
    // Distances are not negative, so that their bits order them.
    let mut heap = BinaryHeap::from([Reverse((0u64, source))]);
    while let Some(Reverse((bits, node))) = heap.pop() {
        if least[node.index()].is_some() {
            continue;
        }
        let distance = f64::from_bits(bits);
        least[node.index()] = Some(distance);
        let weights = graph.weights(node);
        for (index, &peer) in graph.neighbors(node).iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[index]);
            if weight.is_nan() || weight < 0.0 {
                return Err(GraphError::new(format!(
                    "the edge from {node} to {peer} weighs {weight}: weights must not be negative"
                )));
            }
            if least[peer.index()].is_none() {
                heap.push(Reverse(((distance + weight + 0.0).to_bits(), peer)));
            }
        }
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{line, random_pairs};

    fn p(id: u32) -> ProcessId {
        ProcessId(id)
    }

    #[test]
    fn hops_are_counted_along_the_directions() {
        let graph = Graph::from_arcs(4, &[(0, 1), (1, 2), (0, 2)]);
        assert_eq!(distances(&graph, p(0)), [Some(0), Some(1), Some(1), None]);
        assert_eq!(distances(&graph, p(2)), [None, None, Some(0), None]);
    }

    #[test]
    fn a_detour_may_weigh_less() {
        let graph = Graph::weighted(4, false, &[(0, 1, 10.0), (0, 2, 3.0), (2, 1, 4.5)]);
        let found = weighted_distances(&graph, p(0)).expect("no weight is negative");
        assert_eq!(found, [Some(0.0), Some(7.5), Some(3.0), None]);
        for weight in [-1.0, f64::NAN] {
            assert!(weighted_distances(&Graph::weighted(2, true, &[(0, 1, weight)]), p(0)).is_err());
        }
    }

    #[test]
    fn without_weights_both_searches_agree() {
        for graph in [line(50), random_pairs(80, 0.03, 1).expect("possible")] {
            let hops = distances(&graph, p(0));
            let weighted = weighted_distances(&graph, p(0)).expect("no weights");
            assert!(hops.iter().zip(&weighted).all(|(hops, weighted)| hops.map(f64::from) == *weighted));
        }
    }
}
