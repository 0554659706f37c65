//! How far everything is from everything: exact eccentricities, diameter, radius, hop histogram.

use isles_kernel::ProcessId;

use crate::Graph;
use crate::bit_parallel::{BATCH, Level, Searches, each_bit};
use crate::search::breadth_first;

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

/// Counts all distances, by searches from 512 nodes at once. Nodes of degree 1 are not searched from: they see what their
/// neighbour sees, one hop later. The hops of a directed graph follow its arcs.
///
/// # Complexity
/// O(n · m / 512 · diameter) in the worst case, and 200 bytes per node.
pub fn all_pairs(graph: &Graph) -> AllPairs {
    let core = Core::of(graph);
    let mut searches = Searches::new(&core.graph, &core.leaves);
    let sources = searches.order().to_vec();
    let mut of = vec![0; sources.len()];
    let mut hops = Vec::new();
    let mut add = |distance: u32, pairs: u64| {
        if pairs > 0 {
            hops.resize(hops.len().max(distance as usize), 0);
            hops[distance as usize - 1] += pairs;
        }
    };
    for &source in &sources {
        let leaves = u64::from(core.leaves.get(source as usize).copied().unwrap_or(0));
        add(1, 2 * leaves);
        add(2, leaves * leaves.saturating_sub(1));
    }
    search_from(&mut searches, &sources, &mut of, |level| {
        add(level.distance, level.pairs);
        // From the source to a leaf, and back.
        add(level.distance + 1, 2 * level.heavy_pairs);
        add(level.distance + 2, level.heavy_both);
    });
    AllPairs { eccentricities: core.spread(&of, sources.len() as u64), hops }
}

/// Exact eccentricities of all nodes, without a search from each. Every search bounds the eccentricities of its whole component,
/// since d(v, s) ≤ ε(v) and ε(s) - d(v, s) ≤ ε(v) ≤ ε(s) + d(v, s) (Takes and Kosters, Algorithms 6(1), 2013, alternating
/// between the least lower and the greatest upper bound). As soon as a search settles too few nodes, those that are left
/// are searched from 512 at once, as in [`all_pairs`]. The hops of a directed graph follow its arcs, and bound nothing.
pub fn eccentricities(graph: &Graph) -> Eccentricities {
    let core = Core::of(graph);
    let mut searches = Searches::new(&core.graph, &core.leaves);
    let mut bounds = Bounds::new(&core);
    if !graph.is_directed() {
        bounds.narrow(&core);
    }
    let open = |node: &u32| bounds.lower[*node as usize] < bounds.upper[*node as usize];
    let sources: Vec<u32> = searches.order().iter().copied().filter(open).collect();
    let mut of = bounds.lower;
    search_from(&mut searches, &sources, &mut of, |_| {});
    core.spread(&of, bounds.searches + sources.len() as u64)
}

/// Searches from all `sources`, and notes how far each sees, leaves included.
fn search_from(searches: &mut Searches, sources: &[u32], of: &mut [u32], mut at_level: impl FnMut(&Level)) {
    for batch in sources.chunks(BATCH) {
        for &source in batch {
            of[source as usize] = searches.own_leaf(source);
        }
        searches.run(batch, |level| {
            each_bit(&level.who, |index| {
                let seen = &mut of[batch[index] as usize];
                *seen = (*seen).max(level.distance);
            });
            each_bit(&level.heavy_who, |index| of[batch[index] as usize] = level.distance + 1);
            at_level(level);
        });
    }
}

/// A graph without its leaves: nodes of degree 1, except where two of them make a component.
struct Core {
    graph: Graph,
    /// How many leaves each node of the core has; empty if there are none at all.
    leaves: Vec<u32>,
    /// For each node of the whole graph its node in the core, or that of its neighbour, and whether it is a leaf.
    place: Vec<(u32, bool)>,
}

impl Core {
    fn of(graph: &Graph) -> Self {
        let is_leaf = |node: ProcessId| {
            !graph.is_directed() && graph.degree(node) == 1 && graph.degree(graph.neighbors(node)[0]) > 1
        };
        let mut place = vec![(0, false); graph.nodes() as usize];
        let mut nodes = 0;
        for node in graph.ids().filter(|node| !is_leaf(*node)) {
            place[node.index()].0 = nodes;
            nodes += 1;
        }
        if nodes == graph.nodes() {
            return Self { graph: graph.clone(), leaves: Vec::new(), place };
        }
        let mut leaves = vec![0; nodes as usize];
        for node in graph.ids().filter(|node| is_leaf(*node)) {
            let neighbour = place[graph.neighbors(node)[0].index()].0;
            leaves[neighbour as usize] += 1;
            place[node.index()] = (neighbour, true);
        }
        let inner = |&(a, b): &(ProcessId, ProcessId)| !place[a.index()].1 && !place[b.index()].1;
        let edges: Vec<(u32, u32)> =
            graph.edge_list().filter(inner).map(|(a, b)| (place[a.index()].0, place[b.index()].0)).collect();
        Self { graph: Graph::from_edges(nodes, &edges), leaves, place }
    }

    /// From eccentricities of the core to those of all nodes.
    fn spread(&self, of: &[u32], searches: u64) -> Eccentricities {
        let whole = |&(place, leaf): &(u32, bool)| of[place as usize] + u32::from(leaf);
        Eccentricities { of: self.place.iter().map(whole).collect(), searches }
    }
}

/// What is known of the eccentricities while searches go on.
struct Bounds {
    lower: Vec<u32>,
    upper: Vec<u32>,
    searches: u64,
}

/// After so many searches it is asked whether they were worth it.
const WINDOW: usize = 32;
/// A search that settles fewer nodes than this costs more than its share of a batch.
const WORTH: usize = 32;

impl Bounds {
    fn new(core: &Core) -> Self {
        let nodes = core.graph.nodes() as usize;
        Self { lower: vec![0; nodes], upper: vec![u32::MAX; nodes], searches: 0 }
    }

    /// Searches within the component of the node of highest degree, while that settles enough.
    fn narrow(&mut self, core: &Core) {
        let Some(hub) = core.graph.ids().max_by_key(|node| core.graph.degree(*node)) else { return };
        let mut distances = vec![u32::MAX; core.graph.nodes() as usize];
        let mut queue = breadth_first(&core.graph, hub, &mut distances);
        let mut open: Vec<u32> = queue.iter().map(|node| node.0).collect();
        let mut source = hub;
        let mut settled = 0;
        for number in 1.. {
            let seen = |node: &ProcessId| {
                let leaf = core.leaves.get(node.index()).is_some_and(|leaves| *leaves > 0);
                distances[node.index()] + u32::from(leaf)
            };
            let own = queue.iter().map(seen).max().unwrap_or(0);
            self.searches += 1;
            let before = open.len();
            open.retain(|&node| {
                let (lower, upper) = (&mut self.lower[node as usize], &mut self.upper[node as usize]);
                let distance = distances[node as usize];
                // A leaf of the source lies one hop beyond it.
                let leaf = core.leaves.get(source.index()).is_some_and(|leaves| *leaves > 0);
                *lower = (*lower).max(distance + u32::from(leaf)).max(own - distance);
                *upper = (*upper).min(own + distance);
                if node == source.0 {
                    (*lower, *upper) = (own, own);
                }
                lower < upper
            });
            settled += before - open.len();
            if number % WINDOW == 0 && std::mem::take(&mut settled) < WINDOW * WORTH {
                return;
            }
            let next = if number % 2 == 1 {
                open.iter()
                    .max_by_key(|&&node| (self.upper[node as usize], core.graph.degree(ProcessId(node))))
            } else {
                open.iter().min_by_key(|&&node| {
                    (self.lower[node as usize], std::cmp::Reverse(core.graph.degree(ProcessId(node))))
                })
            };
            let Some(&next) = next else { return };
            source = ProcessId(next);
            for node in queue {
                distances[node.index()] = u32::MAX;
            }
            queue = breadth_first(&core.graph, source, &mut distances);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{complete, grid, line, preferential_attachment, ring, star, tree, watts_strogatz};

    /// A search from every node, one after the other.
    fn by_hand(graph: &Graph) -> (Vec<u32>, Vec<u64>) {
        let (mut of, mut hops) = (Vec::new(), Vec::new());
        for source in graph.ids() {
            let mut distances = vec![u32::MAX; graph.nodes() as usize];
            let reached = breadth_first(graph, source, &mut distances);
            of.push(reached.iter().map(|node| distances[node.index()]).max().unwrap_or(0));
            for node in reached.iter().filter(|node| **node != source) {
                let distance = distances[node.index()] as usize;
                hops.resize(hops.len().max(distance), 0);
                hops[distance - 1] += 1;
            }
        }
        (of, hops)
    }

    fn agree(graph: &Graph) {
        let (of, hops) = by_hand(graph);
        let all = all_pairs(graph);
        assert_eq!((&all.eccentricities.of, &all.hops), (&of, &hops));
        assert_eq!(eccentricities(graph).of, of);
    }

    proptest! {
        #[test]
        fn all_ways_to_count_agree(
            nodes in 1u32..90,
            ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..150),
            directed in any::<bool>(),
        ) {
            let edges: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
            agree(&if directed { Graph::from_arcs(nodes, &edges) } else { Graph::from_edges(nodes, &edges) });
        }
    }

    #[test]
    fn larger_graphs_agree_too() {
        for graph in [
            line(700),
            ring(601),
            star(40),
            tree(1_000, 3),
            grid(600, 20),
            complete(30).expect("small"),
            preferential_attachment(1_500, 2, 1).expect("possible"),
            watts_strogatz(1_200, 4, 0.05, 2).expect("possible"),
            Graph::from_edges(0, &[]),
            Graph::from_edges(7, &[(0, 1), (2, 3), (3, 4)]),
        ] {
            agree(&graph);
        }
    }

    #[test]
    fn few_searches_settle_a_graph_whose_nodes_see_differently_far() {
        let path = eccentricities(&line(100_000));
        assert!(path.searches < 10, "{}", path.searches);
        assert_eq!((path.diameter(), path.radius()), (Some(99_999), Some(50_000)));
        assert_eq!(path.center(), [ProcessId(49_999), ProcessId(50_000)]);
        assert_eq!(path.periphery(), [ProcessId(0), ProcessId(99_999)]);
        assert!(eccentricities(&tree(100_000, 2)).searches < 200);
    }

    #[test]
    fn every_node_of_a_ring_is_centre_and_periphery() {
        let ring = eccentricities(&ring(9));
        assert_eq!((ring.center().len(), ring.periphery().len()), (9, 9));
        let path = eccentricities(&line(9));
        assert_eq!((path.center().len(), path.periphery().len()), (1, 2));
    }

    #[test]
    fn the_effective_diameter_lies_between_hops() {
        let all =
            AllPairs { eccentricities: Eccentricities { of: vec![], searches: 0 }, hops: vec![10, 80, 10] };
        assert_eq!(all.effective_diameter(0.5), Some(1.5));
        assert_eq!(all.effective_diameter(0.9), Some(2.0));
        assert_eq!(all.mean_path(), Some(2.0));
        assert_eq!(all_pairs(&Graph::from_edges(3, &[])).effective_diameter(0.9), None);
    }
}
