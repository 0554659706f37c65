//! How far everything is from everything: exact eccentricities, diameter, radius, hop histogram.

use isles_kernel::ProcessId;

use crate::Graph;
use crate::bit_parallel::{BATCH, Searches};

/// How far every node sees, in hops. Nodes that cannot be reached do not count: each component is seen by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eccentricities {
    /// For each node the distance to the farthest node that it reaches; 0 if it reaches nobody.
    pub of: Vec<u32>,
    /// From how many nodes a search was made.
    pub searches: u64,
}

impl Eccentricities {
    /// The greatest of them; none for a graph without nodes.
    pub fn diameter(&self) -> Option<u32> {
        self.of.iter().copied().max()
    }

    /// The least of them; none for a graph without nodes.
    pub fn radius(&self) -> Option<u32> {
        self.of.iter().copied().min()
    }

    /// The nodes whose eccentricity is the radius.
    pub fn center(&self) -> Vec<ProcessId> {
        self.with(self.radius())
    }

    /// The nodes whose eccentricity is the diameter.
    pub fn periphery(&self) -> Vec<ProcessId> {
        self.with(self.diameter())
    }

    /// The mean over all nodes; none for a graph without nodes.
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.of.iter().map(|&one| f64::from(one)).sum();
        (!self.of.is_empty()).then(|| sum / self.of.len() as f64)
    }

    fn with(&self, wanted: Option<u32>) -> Vec<ProcessId> {
        let nodes = (0..).zip(&self.of).filter(|(_, of)| Some(**of) == wanted);
        nodes.map(|(node, _)| ProcessId(node)).collect()
    }
}

/// All distances of a graph, counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllPairs {
    /// Of every node.
    pub eccentricities: Eccentricities,
    /// How many ordered pairs of different nodes are `index + 1` hops apart.
    pub hops: Vec<u64>,
}

impl AllPairs {
    /// The mean distance of ordered pairs that reach each other; none if there are none.
    pub fn mean_path(&self) -> Option<f64> {
        let pairs: u64 = self.hops.iter().sum();
        let sum: f64 = (1..).zip(&self.hops).map(|(hops, &pairs)| f64::from(hops) * pairs as f64).sum();
        (pairs > 0).then(|| sum / pairs as f64)
    }

    /// The distance within which `share` of all pairs that reach each other lie, interpolated between whole hops as by
    /// Leskovec, Kleinberg and Faloutsos (KDD 2005): the effective diameter is that of 0.9. None if there are no pairs.
    pub fn effective_diameter(&self, share: f64) -> Option<f64> {
        let pairs: u64 = self.hops.iter().sum();
        let wanted = share * pairs as f64;
        let mut within = 0.0;
        for (hops, &at) in (0..).zip(&self.hops) {
            if within + at as f64 >= wanted {
                return (pairs > 0).then(|| f64::from(hops) + (wanted - within) / at as f64);
            }
            within += at as f64;
        }
        None
    }
}

/// Searches from every node, 512 at once.
///
/// # Complexity
/// O(n · m / 512 · diameter) in the worst case, and 200 bytes per node.
pub fn all_pairs(graph: &Graph) -> AllPairs {
    let mut searches = Searches::new(graph);
    let sources = searches.order().to_vec();
    let mut of = vec![0; sources.len()];
    let mut hops = Vec::new();
    search_from(&mut searches, &sources, &mut of, &mut hops);
    AllPairs { eccentricities: Eccentricities { of, searches: sources.len() as u64 }, hops }
}

fn search_from(searches: &mut Searches, sources: &[u32], of: &mut [u32], hops: &mut Vec<u64>) {
    for batch in sources.chunks(BATCH) {
        searches.run(batch, |level, pairs, who| {
            if hops.len() < level as usize {
                hops.resize(level as usize, 0);
            }
            hops[level as usize - 1] += pairs;
            for (word, &bits) in who.iter().enumerate() {
                let mut bits = bits;
                while bits != 0 {
                    of[batch[word * 64 + bits.trailing_zeros() as usize] as usize] = level;
                    bits &= bits - 1;
                }
            }
        });
    }
}
