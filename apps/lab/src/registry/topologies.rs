//! The topologies that scenarios and `isles graph gen` can name: each is added here, and nowhere else.

use isles_graph::{self as graph, EDGES_MAX, Graph, GraphError, Kleinberg};

use super::params::{Kind, Param, Values};

/// A kind of topology.
#[derive(Clone, Copy, Debug)]
pub struct Topology {
    /// As scenarios name it.
    pub name: &'static str,
    /// One line, with its source.
    pub doc: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// About how many edges it has over so many nodes.
    pub edges: fn(u64, &Values) -> u64,
    /// The graph over so many nodes, for a seed.
    pub make: fn(u32, &Values, u64) -> Result<Graph, GraphError>,
}

const WIDTH: Param = Param {
    name: "width",
    kind: Kind::CountOr(u32::MAX as u64, "the square root of the processes"),
    default: "0",
    doc: "columns",
};

const DEGREE: Param =
    Param { name: "degree", kind: Kind::Count(1, 10_000), default: "5", doc: "neighbours of each process" };

const NEIGHBORS: Param = Param {
    name: "neighbors",
    kind: Kind::Count(0, 10_000),
    default: "10",
    doc: "nearest ones that each process is linked to, an even number (k of the paper; its figure 2 has 10)",
};

const LINKS: Param = Param {
    name: "links",
    kind: Kind::Count(1, 10_000),
    default: "4",
    doc: "older processes that each newcomer is linked to (m of the paper)",
};

const LONG_LINKS: Param = Param {
    name: "long-links",
    kind: Kind::Count(0, 10_000),
    default: "1",
    doc: "long links of each process (q of the paper)",
};

const EXPONENT: Param = Param {
    name: "exponent",
    kind: Kind::Real(0.0, 64.0),
    default: "2",
    doc: "long links are chosen by the distance to the power of minus this (r of the paper)",
};

const fn probability(default: &'static str, doc: &'static str) -> Param {
    Param { name: "p", kind: Kind::Real(0.0, 1.0), default, doc }
}

fn columns(nodes: u32, values: &Values) -> u32 {
    values.count_or_none("width").map_or(nodes.isqrt().max(1), |width| width as u32)
}

fn edges_of(nodes: u64, values: &Values) -> u64 {
    values.count_or_none("edges").unwrap_or(nodes * 2)
}

/// The radius at which a random geometric graph is nearly always connected: c = 3 gives 95 % in the limit.
fn radius(nodes: u32, values: &Values) -> f64 {
    let radius = values.real("radius");
    if radius > 0.0 { radius } else { graph::connectivity_radius(nodes, 3.0) }
}

/// The lattice has whole rows and columns: the greatest square that fits, and a tail of processes that are left.
fn lattice(nodes: u32, values: &Values, seed: u64) -> Result<Graph, GraphError> {
    let links = values.count("long-links") as u32;
    let world = Kleinberg { side: nodes.isqrt(), links, exponent: values.real("exponent"), seed };
    let whole = graph::kleinberg(&world)?;
    if whole.nodes() == nodes {
        return Ok(whole);
    }
    let tail = (whole.nodes()..nodes).map(|node| (node - 1, node));
    let arcs = whole.edge_list().map(|(from, to)| (from.0, to.0));
    let arcs: Vec<(u32, u32)> = arcs.chain(tail.flat_map(|(a, b)| [(a, b), (b, a)])).collect();
    Ok(Graph::from_arcs(nodes, &arcs))
}

/// Every kind, the simple ones first.
pub static TOPOLOGIES: &[Topology] = &[
    Topology {
        name: "ring",
        doc: "each process has two neighbours, the last one the first",
        params: &[],
        edges: |nodes, _| nodes,
        make: |nodes, _, _| Ok(graph::ring(nodes)),
    },
    Topology {
        name: "line",
        doc: "a ring that is cut open",
        params: &[],
        edges: |nodes, _| nodes,
        make: |nodes, _, _| Ok(graph::line(nodes)),
    },
    Topology {
        name: "star",
        doc: "process 0 is everyone's only neighbour",
        params: &[],
        edges: |nodes, _| nodes,
        make: |nodes, _, _| Ok(graph::star(nodes)),
    },
    Topology {
        name: "complete",
        doc: "everyone is everyone's neighbour",
        params: &[],
        edges: |nodes, _| nodes.saturating_mul(nodes) / 2,
        make: |nodes, _, _| graph::complete(nodes),
    },
    Topology {
        name: "grid",
        doc: "rows and columns, up to four neighbours",
        params: &[WIDTH],
        edges: |nodes, _| 2 * nodes,
        make: |nodes, values, _| Ok(graph::grid(nodes, columns(nodes, values))),
    },
    Topology {
        name: "torus",
        doc: "a grid of whole rows whose ends are linked, four neighbours",
        params: &[WIDTH],
        edges: |nodes, _| 2 * nodes,
        make: |nodes, values, _| graph::torus(nodes, columns(nodes, values)),
    },
    Topology {
        name: "tree",
        doc: "process 0 is the root, levels are filled one after the other",
        params: &[Param {
            name: "arity",
            kind: Kind::Count(1, u32::MAX as u64),
            default: "2",
            doc: "children of each process",
        }],
        edges: |nodes, _| nodes,
        make: |nodes, values, _| Ok(graph::tree(nodes, values.count("arity") as u32)),
    },
    Topology {
        name: "hypercube",
        doc: "processes whose numbers differ in one bit are neighbours; their count is a power of two",
        params: &[],
        edges: |nodes, _| nodes * u64::from(nodes.max(1).ilog2()) / 2,
        make: |nodes, _, _| graph::cube_of(nodes),
    },
    Topology {
        name: "random-regular",
        doc: "drawn among the graphs in which all have the same number of neighbours",
        params: &[DEGREE],
        edges: |nodes, values| nodes.saturating_mul(values.count("degree")) / 2,
        make: |nodes, values, seed| graph::random_regular(nodes, values.count("degree") as u32, seed),
    },
    Topology {
        name: "random-edges",
        doc: "drawn among all graphs of so many edges: G(n, m) of Erdős and Rényi",
        params: &[Param {
            name: "edges",
            kind: Kind::CountOr(EDGES_MAX, "two for each process"),
            default: "0",
            doc: "how many, all different",
        }],
        edges: edges_of,
        make: |nodes, values, seed| graph::random_edges(nodes, edges_of(u64::from(nodes), values), seed),
    },
    Topology {
        name: "random-pairs",
        doc: "each pair is linked with the same probability: G(n, p) of Gilbert",
        params: &[probability("0.01", "probability of each pair")],
        edges: |nodes, values| (nodes as f64 * nodes as f64 / 2.0 * values.real("p")) as u64,
        make: |nodes, values, seed| graph::random_pairs(nodes, values.real("p"), seed),
    },
    Topology {
        name: "watts-strogatz",
        doc: "a ring of near neighbours, some of whose links are moved anywhere (Nature 393, 1998)",
        params: &[NEIGHBORS, probability("0.1", "probability that a link is moved")],
        edges: |nodes, values| nodes.saturating_mul(values.count("neighbors")) / 2,
        make: |nodes, values, seed| {
            graph::watts_strogatz(nodes, values.count("neighbors") as u32, values.real("p"), seed)
        },
    },
    Topology {
        name: "preferential-attachment",
        doc: "newcomers are linked to older ones in proportion to their degree (Barabási and Albert, Science 286, 1999)",
        params: &[LINKS],
        edges: |nodes, values| nodes.saturating_mul(values.count("links")),
        make: |nodes, values, seed| graph::preferential_attachment(nodes, values.count("links") as u32, seed),
    },
    Topology {
        name: "uniform-attachment",
        doc: "newcomers are linked to any older ones: growth without preference",
        params: &[LINKS],
        edges: |nodes, values| nodes.saturating_mul(values.count("links")),
        make: |nodes, values, seed| graph::uniform_attachment(nodes, values.count("links") as u32, seed),
    },
    Topology {
        name: "random-geometric",
        doc: "random places in the unit square, linked when they are near (Gilbert 1961)",
        params: &[
            Param {
                name: "radius",
                kind: Kind::Real(0.0, 2.0),
                default: "0",
                doc: "how near; 0 for that at which the graph is nearly always connected",
            },
            Param {
                name: "wrapped",
                kind: Kind::Flag,
                default: "false",
                doc: "opposite sides of the square are the same: a torus",
            },
        ],
        edges: |nodes, values| {
            let radius = radius(nodes.min(u64::from(u32::MAX)) as u32, values);
            (nodes as f64 * nodes as f64 / 2.0 * (3.15 * radius * radius).min(1.0)) as u64
        },
        make: |nodes, values, seed| {
            graph::random_geometric(nodes, radius(nodes, values), values.flag("wrapped"), seed)
                .map(|made| made.graph)
        },
    },
    Topology {
        name: "kleinberg",
        doc: "a square lattice with long links, of the greatest square of processes; the rest hangs on it as a line (STOC 2000)",
        params: &[LONG_LINKS, EXPONENT],
        edges: |nodes, values| nodes.saturating_mul(4 + values.count("long-links")),
        make: lattice,
    },
];

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Topology> {
    TOPOLOGIES.iter().find(|topology| topology.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_made_with_its_defaults_and_about_as_large_as_it_says() {
        for topology in TOPOLOGIES {
            let values = Values::defaults(topology.params);
            let made =
                (topology.make)(1_024, &values, 1).unwrap_or_else(|why| panic!("{}: {why}", topology.name));
            assert_eq!(made.nodes(), 1_024, "{}", topology.name);
            let (about, edges) = ((topology.edges)(1_024, &values), made.edges() as u64);
            assert!(
                edges <= about + about / 5 + 20 && edges * 2 + 20 >= about,
                "{}: {edges} of {about}",
                topology.name
            );
        }
        assert_eq!(
            lattice(27, &Values::defaults(&[LONG_LINKS, EXPONENT]), 1).expect("a square of 25").nodes(),
            27
        );
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = TOPOLOGIES.iter().map(|topology| topology.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TOPOLOGIES.len());
        assert!(find("ring").is_some() && find("rink").is_none());
    }
}
