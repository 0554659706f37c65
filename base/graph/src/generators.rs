//! The usual topologies. A random one is a function of its seed.

mod attachment;
mod fixed;
mod geometric;
mod random;
mod small_world;

use std::fmt;

pub use attachment::{preferential_attachment, uniform_attachment};
pub use fixed::{complete, cube_of, grid, hypercube, line, ring, star, torus, tree};
pub use geometric::{Geometric, connectivity_radius, random_geometric};
pub use random::{random_edges, random_pairs, random_regular};
pub use small_world::{DistanceLaw, Kleinberg, kleinberg, watts_strogatz};

/// Why a graph cannot be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphError(String);

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GraphError {}

/// A generated graph has at most so many edges.
pub const EDGES_MAX: u64 = 1 << 30;

impl GraphError {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

fn error<T>(why: String) -> Result<T, GraphError> {
    Err(GraphError(why))
}

/// The natural logarithm, the same on every machine.
fn logarithm_of(value: f64) -> f64 {
    libm::log(value)
}

#[cfg(test)]
mod tests {
    use isles_kernel::ProcessId;

    use super::*;
    use crate::Graph;

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
        assert_eq!(random_edges(6, 14, 1).expect("all but one").edges(), 14);
        assert!(random_edges(4, 7, 1).is_err());
    }

    #[test]
    fn each_set_of_edges_is_as_likely_as_any_other() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..9_000 {
            let graph = random_edges(4, 2, seed).expect("possible");
            *counts.entry(graph.edge_list().collect::<Vec<_>>()).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 15);
        assert!(counts.values().all(|count| (500..=700).contains(count)), "{counts:?}");
    }

    #[test]
    fn pairs_are_linked_with_the_probability_asked() {
        for p in [0.0, 0.001, 0.1, 0.7, 1.0] {
            let graph = random_pairs(500, p, 1).expect("possible");
            let expected = 124_750.0 * p;
            let spread = 5.0 * (expected * (1.0 - p)).sqrt();
            assert!((graph.edges() as f64 - expected).abs() <= spread, "{p}: {}", graph.edges());
        }
        let pair = |seed| random_pairs(3, 0.3, seed).expect("possible").has_edge(ProcessId(1), ProcessId(2));
        assert!((2_700..3_300).contains(&(0..10_000).filter(|seed| pair(*seed)).count()));
        assert!(random_pairs(10, -0.1, 1).is_err() && random_pairs(4_000_000_000, 0.5, 1).is_err());
    }

    #[test]
    fn tori_and_cubes_are_regular() {
        assert_eq!(degrees(&torus(12, 4).expect("whole rows")), [4; 12]);
        assert_eq!(degrees(&torus(5, 5).expect("one row is a ring")), [2; 5]);
        assert!(torus(7, 3).is_err() && torus(7, 0).is_err());
        let cube = hypercube(4).expect("small");
        assert_eq!((cube.nodes(), cube.edges()), (16, 32));
        assert!(cube.edge_list().all(|(a, b)| (a.0 ^ b.0).is_power_of_two()));
        assert_eq!(hypercube(0).expect("one corner").nodes(), 1);
        assert!(hypercube(32).is_err());
    }
}
