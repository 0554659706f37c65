//! What a graph is like: everything that `isles-graph` measures, as far as it is worth the time.

use isles_graph::formats::Named;
use isles_graph::{
    Components, Eccentricities, Graph, PowerLaw, all_pairs, clustering, components, degree_counts, distances,
    edge_connectivity, is_planar, is_ring, is_star, is_tree, power_law, strong_components,
};
use isles_kernel::ProcessId;
use serde::Serialize;

/// How long it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Only what takes about as long as reading the graph.
    Little,
    /// What takes some seconds; the rest is left out, and said to be.
    Some,
    /// Everything, whatever it takes.
    Endless,
}

/// What a graph is like.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Facts {
    /// How many nodes there are.
    pub nodes: u32,
    /// How many edges there are; arcs, if they have directions.
    pub edges: usize,
    /// Loops and repetitions that the file had besides.
    pub dropped: u64,
    /// Whether edges have directions.
    pub directed: bool,
    /// If edges have weights.
    pub weights: Option<Weights>,
    /// Parts between which there is no edge.
    pub components: Parts,
    /// Parts within which everybody reaches everybody along the directions, if there are any.
    pub strong_components: Option<Parts>,
    /// What it is: connected, a tree, a ring, a star, complete.
    pub shapes: Vec<&'static str>,
    /// How many neighbours nodes have; whom they lead to, if edges have directions.
    pub degrees: Degrees,
    /// Triangles, directions ignored.
    pub clustering: Option<Clusters>,
    /// How far everybody is from everybody.
    pub distances: Option<Distances>,
    /// Two nodes are at least so many hops apart, if not all distances are counted: what two searches found.
    pub diameter_at_least: Option<u32>,
    /// The least number of edges without which it is not (strongly) connected.
    pub edge_connectivity: Option<usize>,
    /// What was not measured, and why.
    pub left_out: Vec<LeftOut>,
    /// How far each node sees, for whoever wants them all; nodes outside of the part that `distances` is about have 0.
    #[serde(skip)]
    pub eccentricities: Vec<u32>,
}

/// Weights of edges.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Weights {
    /// The least.
    pub min: f64,
    /// The mean over all edges.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
}

/// A partition of the nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Parts {
    /// How many parts.
    pub count: usize,
    /// Nodes of the largest.
    pub largest: u32,
}

impl Parts {
    fn of(components: &Components) -> Self {
        Self { count: components.count(), largest: components.sizes.iter().copied().max().unwrap_or(0) }
    }
}

/// How many neighbours nodes have.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Degrees {
    /// The least.
    pub min: u32,
    /// The mean over all nodes.
    pub mean: f64,
    /// The greatest.
    pub max: u32,
    /// Each degree that occurs, and how many nodes have it.
    pub counts: Vec<(u32, u64)>,
    /// The power law that fits best, if there are enough different degrees for one.
    pub power_law: Option<Law>,
}

/// A power law (Clauset, Shalizi, Newman 2009).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Law {
    /// α of k^-α.
    pub exponent: f64,
    /// Its standard error.
    pub error: f64,
    /// The least degree that it is about.
    pub least: u64,
    /// How many nodes have at least that degree.
    pub tail: u64,
    /// The Kolmogorov-Smirnov distance of law and degrees.
    pub distance: f64,
    /// Vuong's test against an exponential law: above 0 for the power law, below 0 against it, in standard deviations.
    pub against_exponential: f64,
    /// How often data that follow the law fit as badly, of [`ROUNDS`] sets: below 0.1 rules the law out.
    pub p_value: Option<f64>,
}

/// Triangles and shares of them.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Clusters {
    /// How many there are.
    pub triangles: u64,
    /// The mean share of linked pairs of neighbours, over nodes of degree 2 and more (SuiteSparse).
    pub mean_of_degree_two_and_more: Option<f64>,
    /// The same over all nodes, others counting as 0 (SNAP, networkx).
    pub mean_of_all: Option<f64>,
    /// The share of closed paths of two edges.
    pub transitivity: Option<f64>,
}

/// How far everybody is from everybody. Eccentricities are those within the largest (strong) component.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Distances {
    /// Nodes of the component that eccentricities are about.
    pub within: u32,
    /// The greatest eccentricity.
    pub diameter: u32,
    /// The least one.
    pub radius: u32,
    /// Their mean.
    pub mean_eccentricity: f64,
    /// How many nodes have each eccentricity, from the radius on.
    pub eccentricity_counts: Vec<(u32, u64)>,
    /// Nodes whose eccentricity is the radius: how many, and the names of the first.
    pub center: Chosen,
    /// Nodes whose eccentricity is the diameter.
    pub periphery: Chosen,
    /// The mean over ordered pairs that reach each other, in the whole graph.
    pub mean_path: Option<f64>,
    /// Within which 90 % of these pairs lie, interpolated.
    pub effective_diameter: Option<f64>,
    /// How many ordered pairs are 1, 2, 3 and so on hops apart, in the whole graph.
    pub hops: Vec<u64>,
}

/// Nodes: how many, and the names of the first [`SHOWN`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Chosen {
    /// How many.
    pub count: usize,
    /// The names of the first.
    pub first: Vec<String>,
}

/// Something that was not measured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeftOut {
    /// What.
    pub what: &'static str,
    /// Why not.
    pub why: String,
}

/// Of many nodes so many are named.
pub const SHOWN: usize = 10;
/// Synthetic sets of degrees for a p-value, which is then known to about 0.05.
pub const ROUNDS: u32 = 100;

/// CPU seconds that a part may take with [`Patience::Some`], as they are estimated.
const SECONDS: f64 = 20.0;
/// What a search from 512 nodes takes for each arc and level, as measured on preferential attachment.
const SEARCH_SECONDS: f64 = 1.2e-8;
/// What an augmenting path takes for each arc.
const PATH_SECONDS: f64 = 2e-8;
/// What drawing, sorting and fitting take, for each value and for two of the different values.
const DRAW_SECONDS: f64 = 1e-7;
const FIT_SECONDS: f64 = 2e-6;
/// What a triangle takes to be looked for, for each arc and its square root.
const TRIANGLE_SECONDS: f64 = 1e-9;

/// Measures `named`.
pub fn facts(named: &Named, patience: Patience) -> Facts {
    let graph = &named.graph;
    let (weak, strong) = (components(graph), graph.is_directed().then(|| strong_components(graph)));
    let counts = degree_counts(graph);
    let mut measuring = Measuring { patience, left_out: Vec::new() };
    let degrees = measuring.degrees(graph, &counts);
    let clusters = measuring.clusters(graph);
    let (distances, eccentricities) = match measuring.distances(named, strong.as_ref().unwrap_or(&weak)) {
        Some((distances, of)) => (Some(distances), of),
        None => (None, Vec::new()),
    };
    let diameter_at_least =
        if distances.is_none() && patience != Patience::Little { two_searches(graph) } else { None };
    let edge_connectivity = measuring.edge_connectivity(graph, strong.as_ref().unwrap_or(&weak));
    Facts {
        nodes: graph.nodes(),
        edges: graph.edges(),
        dropped: named.dropped,
        directed: graph.is_directed(),
        weights: weights(graph),
        components: Parts::of(&weak),
        strong_components: strong.as_ref().map(Parts::of),
        shapes: shapes(graph, &weak, strong.as_ref()),
        degrees,
        clustering: clusters,
        distances,
        diameter_at_least,
        edge_connectivity,
        left_out: measuring.left_out,
        eccentricities,
    }
}

fn weights(graph: &Graph) -> Option<Weights> {
    if graph.edges() == 0 || graph.weights(ProcessId(0)).is_none() {
        return None;
    }
    let all = || graph.weighted_edge_list().map(|(.., weight)| weight);
    Some(Weights {
        min: all().fold(f64::INFINITY, f64::min),
        mean: all().sum::<f64>() / graph.edges() as f64,
        max: all().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// Every word of textbooks that fits.
fn shapes(graph: &Graph, weak: &Components, strong: Option<&Components>) -> Vec<&'static str> {
    let pairs = graph.nodes() as usize * (graph.nodes() as usize).saturating_sub(1);
    let one = weak.count() == 1;
    // Only a graph of few edges can be one of these; others need not be copied without directions.
    let few = one && graph.edges() <= 2 * graph.nodes() as usize;
    [
        ("connected", one),
        ("strongly connected", strong.is_some_and(|strong| strong.count() == 1)),
        ("tree", few && is_tree(graph)),
        ("ring", few && is_ring(graph)),
        ("star", few && is_star(graph)),
        ("complete", graph.nodes() > 0 && graph.arcs() == pairs),
        ("planar", is_planar(graph)),
    ]
    .into_iter()
    .filter_map(|(shape, fits)| fits.then_some(shape))
    .collect()
}

/// The distance of the node that is farthest from the one that is farthest from the node of highest degree: never above the
/// diameter, and often the diameter itself.
fn two_searches(graph: &Graph) -> Option<u32> {
    let hub = graph.ids().max_by_key(|node| graph.degree(*node))?;
    let farthest = |from: ProcessId| {
        let hops = distances(graph, from);
        (0..).zip(hops).filter_map(|(node, hops)| Some((hops?, node))).max().unwrap_or((0, from.0))
    };
    Some(farthest(ProcessId(farthest(hub).1)).0)
}

/// What the measurements have in common.
struct Measuring {
    patience: Patience,
    left_out: Vec<LeftOut>,
}

impl Measuring {
    /// Whether something that takes about so long is to be measured; if not, that is noted.
    fn is_worth(&mut self, what: &'static str, seconds: f64) -> bool {
        let most = match self.patience {
            Patience::Little => 0.1,
            Patience::Some => SECONDS,
            Patience::Endless => f64::INFINITY,
        };
        if seconds > most {
            self.left_out.push(LeftOut { what, why: format!("it would take about {}", time(seconds)) });
        }
        seconds <= most
    }

    fn degrees(&mut self, graph: &Graph, counts: &[u64]) -> Degrees {
        let there = (0u32..).zip(counts.iter().copied()).filter(|(_, count)| *count > 0);
        let counts_by_degree: Vec<(u32, u64)> = there.collect();
        let (values, nodes) = (counts_by_degree.len() as f64, f64::from(graph.nodes()));
        let fit = values * values * FIT_SECONDS;
        let law = if self.is_worth("power law", fit) { power_law(counts) } else { None };
        let again = f64::from(ROUNDS) * (fit + nodes * DRAW_SECONDS);
        let law = law.map(|law| {
            let p_value =
                self.is_worth("p-value of the power law", again).then(|| law.p_value(counts, ROUNDS, 1));
            described(&law, p_value)
        });
        Degrees {
            min: counts_by_degree.first().map_or(0, |first| first.0),
            mean: if graph.nodes() == 0 { 0.0 } else { graph.arcs() as f64 / nodes },
            max: counts_by_degree.last().map_or(0, |last| last.0),
            counts: counts_by_degree,
            power_law: law,
        }
    }

    fn clusters(&mut self, graph: &Graph) -> Option<Clusters> {
        let arcs = graph.arcs() as f64;
        self.is_worth("clustering", arcs * arcs.sqrt() * TRIANGLE_SECONDS / 10.0).then(|| {
            let found = clustering(graph);
            Clusters {
                triangles: found.triangles(),
                mean_of_degree_two_and_more: found.mean_of_degree_two_and_more(),
                mean_of_all: found.mean_of_all(),
                transitivity: found.transitivity(),
            }
        })
    }

    /// Distances, and the eccentricity of every node within the largest of the `parts`.
    fn distances(&mut self, named: &Named, parts: &Components) -> Option<(Distances, Vec<u32>)> {
        let graph = &named.graph;
        let levels = f64::from(two_searches(graph)?.clamp(1, 512));
        let searches = f64::from(graph.nodes()) / 512.0;
        if !self.is_worth("distances", searches.max(1.0) * graph.arcs() as f64 * levels * SEARCH_SECONDS) {
            return None;
        }
        let all = all_pairs(graph);
        let inside = parts.largest();
        // Without directions nobody sees beyond the own component.
        let of: Vec<u32> = if graph.is_directed() && parts.count() > 1 {
            all_pairs(&induced(graph, &inside)).eccentricities.of
        } else {
            inside.iter().map(|node| all.eccentricities.of[node.index()]).collect()
        };
        let seen = Eccentricities { of, searches: all.eccentricities.searches };
        let chosen = |places: Vec<ProcessId>| Chosen {
            count: places.len(),
            first: places
                .iter()
                .take(SHOWN)
                .map(|place| named.name(inside[place.index()]).into_owned())
                .collect(),
        };
        let (diameter, radius) = (seen.diameter()?, seen.radius()?);
        let with = |wanted: u32| seen.of.iter().filter(|one| **one == wanted).count() as u64;
        let distances = Distances {
            within: inside.len() as u32,
            diameter,
            radius,
            mean_eccentricity: seen.mean()?,
            eccentricity_counts: (radius..=diameter).map(|one| (one, with(one))).collect(),
            center: chosen(seen.center()),
            periphery: chosen(seen.periphery()),
            mean_path: all.mean_path(),
            effective_diameter: all.effective_diameter(0.9),
            hops: all.hops,
        };
        let mut whole = vec![0; graph.nodes() as usize];
        for (node, one) in inside.iter().zip(&seen.of) {
            whole[node.index()] = *one;
        }
        Some((distances, whole))
    }

    fn edge_connectivity(&mut self, graph: &Graph, parts: &Components) -> Option<usize> {
        if parts.count() != 1 || graph.nodes() < 2 {
            return Some(0);
        }
        let mut least = graph.ids().map(|node| graph.degree(node)).min().unwrap_or(0);
        if graph.is_directed() {
            let into = graph.reversed();
            least = least.min(into.ids().map(|node| into.degree(node)).min().unwrap_or(0));
        }
        // A node with one edge is cut off by it, and something connected is not connected without any.
        if least == 1 {
            return Some(1);
        }
        let paths = f64::from(graph.nodes()) * f64::from(least + 3);
        self.is_worth("edge connectivity", paths * graph.arcs() as f64 * PATH_SECONDS)
            .then(|| edge_connectivity(graph))
    }
}

/// The part of `graph` between `nodes`, which ascend, numbered in their order.
fn induced(graph: &Graph, nodes: &[ProcessId]) -> Graph {
    let mut place = vec![u32::MAX; graph.nodes() as usize];
    for (index, node) in (0..).zip(nodes) {
        place[node.index()] = index;
    }
    let arcs: Vec<(u32, u32)> = graph
        .edge_list()
        .map(|(a, b)| (place[a.index()], place[b.index()]))
        .filter(|&(a, b)| a != u32::MAX && b != u32::MAX)
        .collect();
    Graph::from_arcs(nodes.len() as u32, &arcs)
}

fn described(law: &PowerLaw, p_value: Option<f64>) -> Law {
    Law {
        exponent: law.exponent,
        error: law.error,
        least: law.least,
        tail: law.tail,
        distance: law.distance,
        against_exponential: law.against_exponential,
        p_value,
    }
}

/// A span of time in words, roughly.
fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        "a second".to_owned()
    } else if seconds < 120.0 {
        format!("{seconds:.0} seconds")
    } else if seconds < 7_200.0 {
        format!("{:.0} minutes", seconds / 60.0)
    } else {
        format!("{:.0} hours", seconds / 3_600.0)
    }
}

#[cfg(test)]
mod tests {
    use isles_graph::{complete, line, preferential_attachment, ring, star};

    use super::*;

    fn of(graph: Graph) -> Facts {
        facts(&graph.into(), Patience::Some)
    }

    #[test]
    fn a_ring_is_all_centre_and_all_periphery() {
        let found = of(ring(8));
        assert_eq!(found.shapes, ["connected", "ring", "planar"]);
        assert_eq!(found.edge_connectivity, Some(2));
        let distances = found.distances.expect("it is small");
        assert_eq!((distances.diameter, distances.radius, distances.within), (4, 4, 8));
        assert_eq!((distances.center.count, distances.periphery.count), (8, 8));
        assert_eq!(distances.hops, [16, 16, 16, 8]);
        assert!(found.left_out.is_empty());
    }

    #[test]
    fn shapes_are_told() {
        assert_eq!(of(star(5)).shapes, ["connected", "tree", "star", "planar"]);
        assert_eq!(of(line(4)).shapes, ["connected", "tree", "planar"]);
        assert_eq!(of(complete(4).expect("small")).shapes, ["connected", "complete", "planar"]);
        assert_eq!(of(Graph::from_edges(4, &[(0, 1), (2, 3)])).shapes, ["planar"]);
        let round = Graph::from_arcs(3, &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(of(round).shapes, ["connected", "strongly connected", "ring", "planar"]);
    }

    #[test]
    fn eccentricities_are_those_of_the_largest_part() {
        let found = of(Graph::from_edges(7, &[(0, 1), (2, 3), (3, 4), (4, 5)]));
        let distances = found.distances.expect("it is small");
        assert_eq!((distances.within, distances.diameter, distances.radius), (4, 3, 2));
        assert_eq!(distances.center.first, ["3", "4"]);
        assert_eq!(found.eccentricities, [0, 0, 3, 2, 2, 3, 0]);
        assert_eq!((found.components.count, found.edge_connectivity), (3, Some(0)));
        // 0 leads into a circle, which it is no part of.
        let found = of(Graph::from_arcs(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)]));
        let distances = found.distances.expect("it is small");
        assert_eq!((distances.within, distances.diameter, distances.radius), (3, 2, 2));
        assert_eq!(found.eccentricities, [0, 2, 2, 2, 0]);
        assert_eq!(distances.hops.len(), 4);
    }

    #[test]
    fn what_takes_long_is_left_out_and_told() {
        let graph = Named::from(preferential_attachment(20_000, 4, 1).expect("possible"));
        let found = facts(&graph, Patience::Little);
        assert!(found.distances.is_none() && found.clustering.is_some());
        let left: Vec<&str> = found.left_out.iter().map(|one| one.what).collect();
        assert_eq!(left, ["p-value of the power law", "distances", "edge connectivity"]);
        assert!(found.left_out[1].why.contains("second"), "{:?}", found.left_out);
    }

    #[test]
    fn a_graph_without_anything_has_facts() {
        for graph in [Graph::from_edges(0, &[]), Graph::from_edges(1, &[]), Graph::from_arcs(2, &[(0, 1)])] {
            let found = of(graph);
            assert_eq!(found.edge_connectivity, Some(0));
            assert!(found.left_out.is_empty());
        }
    }
}
