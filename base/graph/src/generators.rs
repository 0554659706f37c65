//! The usual topologies.

use std::collections::BTreeSet;
use std::fmt;

use isles_kernel::random::Stream;

use crate::Graph;

/// Why a graph cannot be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphError(String);

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GraphError {}

/// A graph has at most so many edges.
pub const EDGES_MAX: u64 = 1 << 30;

fn error<T>(why: String) -> Result<T, GraphError> {
    Err(GraphError(why))
}

/// Each node is linked to the next one; there is no end.
pub fn ring(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
    Graph::from_edges(nodes, &edges)
}

/// Each node is linked to the next one.
pub fn line(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| (node - 1, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// All nodes are linked to node 0.
pub fn star(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| (0, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// All nodes are linked to each other.
///
/// # Errors
/// When there are more than [`EDGES_MAX`] edges.
pub fn complete(nodes: u32) -> Result<Graph, GraphError> {
    let count = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    if count > EDGES_MAX {
        return error(format!("a complete graph of {nodes} nodes has {count} edges, more than {EDGES_MAX}"));
    }
    let edges: Vec<(u32, u32)> = (0..nodes).flat_map(|a| (0..a).map(move |b| (b, a))).collect();
    Ok(Graph::from_edges(nodes, &edges))
}

/// Rows of `width` nodes, the last one shorter if need be; each node is linked to the ones beside, above and below.
pub fn grid(nodes: u32, width: u32) -> Graph {
    let width = width.max(1);
    let mut edges = Vec::new();
    for node in 0..nodes {
        if node % width != 0 {
            edges.push((node - 1, node));
        }
        if node >= width {
            edges.push((node - width, node));
        }
    }
    Graph::from_edges(nodes, &edges)
}

/// A tree in which each node has `arity` children, level by level.
pub fn tree(nodes: u32, arity: u32) -> Graph {
    let arity = arity.max(1);
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| ((node - 1) / arity, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// A random graph in which every node has `degree` neighbours: stubs are paired at random, and pairs that make a loop
/// or a double edge are swapped with random others until none is left (the pairing model of Bollobás, 1980,
/// mended by switches).
///
/// # Errors
/// When there is no such graph: `degree` not below `nodes`, or both odd; or it has more than [`EDGES_MAX`] edges.
pub fn random_regular(nodes: u32, degree: u32, seed: u64) -> Result<Graph, GraphError> {
    if degree >= nodes.max(1) {
        return error(format!("{nodes} nodes cannot have {degree} neighbours each"));
    }
    let stubs = u64::from(nodes) * u64::from(degree);
    if stubs % 2 == 1 {
        return error(format!(
            "{nodes} nodes of degree {degree} cannot be paired: one of the two must be even"
        ));
    }
    if stubs / 2 > EDGES_MAX {
        return error(format!("{nodes} nodes of degree {degree} have more than {EDGES_MAX} edges"));
    }
    let mut draws = Stream::new(seed, &[0x0072_6567_756c_6172, u64::from(nodes), u64::from(degree)]);
    let mut ends: Vec<u32> = (0..nodes).flat_map(|node| (0..degree).map(move |_| node)).collect();
    draws.shuffle(&mut ends);
    let mut edges: Vec<(u32, u32)> =
        ends.chunks_exact(2).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1]))).collect();
    for _ in 0..1_000 {
        let bad = flawed(&edges);
        if bad.is_empty() {
            return Ok(Graph::from_edges(nodes, &edges));
        }
        for index in bad {
            let other = draws.below(edges.len() as u32) as usize;
            let ((a, b), (c, d)) = (edges[index], edges[other]);
            edges[index] = (a.min(d), a.max(d));
            edges[other] = (c.min(b), c.max(b));
        }
    }
    error(format!(
        "no graph of {nodes} nodes of degree {degree} was found: it is too dense to be drawn at random"
    ))
}

/// The edges that are loops, or repeat another one.
fn flawed(edges: &[(u32, u32)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_unstable_by_key(|index| edges[*index]);
    let mut bad: Vec<usize> = order
        .windows(2)
        .filter(|pair| edges[pair[0]] == edges[pair[1]])
        .map(|pair| pair[1])
        .chain((0..edges.len()).filter(|index| edges[*index].0 == edges[*index].1))
        .collect();
    bad.sort_unstable();
    bad.dedup();
    bad
}

/// A random graph with `edges` different edges: G(n, m) of Erdős and Rényi.
///
/// # Errors
/// When there are not so many pairs of nodes, or more than [`EDGES_MAX`] edges, or the graph would be so dense that
/// drawing edges at random takes too long (more than half of all pairs).
pub fn random_edges(nodes: u32, edges: u64, seed: u64) -> Result<Graph, GraphError> {
    let pairs = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    if edges > EDGES_MAX || edges > pairs / 2 {
        return error(format!(
            "{edges} edges are too many for {nodes} nodes: at most half of the {pairs} pairs"
        ));
    }
    let mut draws = Stream::new(seed, &[0x0067_6e6d, u64::from(nodes), edges]);
    let mut chosen = BTreeSet::new();
    while (chosen.len() as u64) < edges {
        let (a, b) = (draws.below(nodes), draws.below(nodes));
        if a != b {
            chosen.insert((a.min(b), a.max(b)));
        }
    }
    let chosen: Vec<(u32, u32)> = chosen.into_iter().collect();
    Ok(Graph::from_edges(nodes, &chosen))
}

#[cfg(test)]
mod tests {
    use isles_kernel::ProcessId;

    use super::*;

    fn degrees(graph: &Graph) -> Vec<usize> {
        (0..graph.nodes()).map(|node| graph.neighbors(ProcessId(node)).len()).collect()
    }

    #[test]
    fn simple_topologies_have_their_degrees() {
        assert_eq!(degrees(&ring(5)), [2; 5]);
        assert_eq!(degrees(&line(4)), [1, 2, 2, 1]);
        assert_eq!(degrees(&star(4)), [3, 1, 1, 1]);
        assert_eq!(degrees(&complete(4).expect("small")), [3; 4]);
        assert_eq!(degrees(&grid(6, 3)), [2, 3, 2, 2, 3, 2]);
        assert_eq!(degrees(&tree(7, 2)), [2, 3, 3, 1, 1, 1, 1]);
        assert_eq!(ring(1).edges(), 0);
    }

    #[test]
    fn random_regular_graphs_are_regular_and_differ_by_seed() {
        for (nodes, degree) in [(10, 3), (1_000, 5), (50, 20), (4, 3)] {
            let graph = random_regular(nodes, degree, 1).expect("it exists");
            assert!(degrees(&graph).iter().all(|found| *found == degree as usize), "{nodes} {degree}");
        }
        assert_ne!(random_regular(100, 3, 1), random_regular(100, 3, 2));
        assert_eq!(random_regular(100, 3, 1), random_regular(100, 3, 1));
        assert!(random_regular(5, 3, 1).is_err());
        assert!(random_regular(3, 3, 1).is_err());
    }

    #[test]
    fn random_edges_are_as_many_as_asked() {
        assert_eq!(random_edges(1_000, 3_000, 1).expect("sparse").edges(), 3_000);
        assert!(random_edges(4, 5, 1).is_err());
    }
}
