//! What a graph looks like: the definitions of textbooks.

use crate::{Graph, is_connected};

/// Whether it is connected and has no cycle; not meant for directed graphs, whose directions are ignored.
pub fn is_tree(graph: &Graph) -> bool {
    let undirected = graph.undirected();
    undirected.edges() as u64 + 1 == u64::from(undirected.nodes()) && is_connected(&undirected)
}

/// Whether one node is everybody else's only neighbour, with two nodes or more.
pub fn is_star(graph: &Graph) -> bool {
    let graph = graph.undirected();
    is_tree(&graph) && graph.nodes() > 1 && graph.ids().any(|node| graph.degree(node) + 1 == graph.nodes())
}

/// Whether it is one cycle through all nodes, three or more.
pub fn is_ring(graph: &Graph) -> bool {
    let graph = graph.undirected();
    graph.nodes() > 2 && graph.ids().all(|node| graph.degree(node) == 2) && is_connected(&graph)
}

/// How many nodes have each degree, from 0 on; the out-degree of directed graphs.
pub fn degree_counts(graph: &Graph) -> Vec<u64> {
    let mut counts = Vec::new();
    for node in graph.ids() {
        let degree = graph.degree(node) as usize;
        counts.resize(counts.len().max(degree + 1), 0);
        counts[degree] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{complete, grid, line, ring, star, tree};

    #[test]
    fn every_shape_is_told_from_the_others() {
        let shapes = |graph: &Graph| (is_tree(graph), is_star(graph), is_ring(graph));
        assert_eq!(shapes(&tree(10, 3)), (true, false, false));
        assert_eq!(shapes(&line(5)), (true, false, false));
        assert_eq!(shapes(&star(9)), (true, true, false));
        assert_eq!(shapes(&ring(9)), (false, false, true));
        assert_eq!(shapes(&ring(3)), shapes(&complete(3).expect("small")));
        assert_eq!(shapes(&grid(9, 3)), (false, false, false));
        // As many edges as a tree, and two parts.
        assert_eq!(shapes(&Graph::from_edges(5, &[(0, 1), (1, 2), (2, 0), (3, 4)])), (false, false, false));
        assert_eq!(
            shapes(&Graph::from_edges(6, &[(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])),
            (false, false, false)
        );
    }

    #[test]
    fn degrees_are_counted() {
        assert_eq!(degree_counts(&star(5)), [0, 4, 0, 0, 1]);
        assert_eq!(degree_counts(&Graph::from_edges(2, &[])), [2]);
    }
}
