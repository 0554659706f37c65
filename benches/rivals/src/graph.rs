//! Breadth-first searches by petgraph, over the undirected edges of a file: two numbers a line.

use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::{Bfs, EdgeRef as _};

use crate::cpu_seconds;

/// CPU seconds for the graph in a file.
pub struct Found {
    /// One search for the distance of every node, mean over some sources.
    pub search: f64,
    /// How far the farthest node of all was, so that both sides can be compared.
    pub farthest: u32,
    /// The number of components.
    pub components: f64,
    /// Reading the file and building the graph.
    pub load: f64,
}

/// Loads the graph, counts its components, and searches it from so many nodes.
pub fn measure(path: &str, searches: u32) -> Result<Found, String> {
    let begin = cpu_seconds();
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let mut edges = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut ends = line.split_whitespace().map(str::parse::<u32>);
        match (ends.next(), ends.next()) {
            (Some(Ok(a)), Some(Ok(b))) => edges.push((a, b)),
            _ => return Err(format!("{path}: no edge: {line}")),
        }
    }
    let graph: UnGraph<(), ()> = UnGraph::from_edges(&edges);
    let load = cpu_seconds() - begin;
    let begin = cpu_seconds();
    std::hint::black_box(petgraph::algo::connected_components(&graph));
    let components = cpu_seconds() - begin;
    let nodes = graph.node_count();
    let (mut farthest, begin) = (0, cpu_seconds());
    for search in 0..searches {
        let source = NodeIndex::new(search as usize * nodes / searches as usize);
        let mut hops = vec![u32::MAX; nodes];
        hops[source.index()] = 0;
        let mut search = Bfs::new(&graph, source);
        while let Some(node) = search.next(&graph) {
            for edge in graph.edges(node) {
                let peer = edge.target().index();
                if hops[peer] == u32::MAX {
                    hops[peer] = hops[node.index()] + 1;
                }
            }
            farthest = farthest.max(hops[node.index()]);
        }
    }
    let search = (cpu_seconds() - begin) / f64::from(searches);
    Ok(Found { search, farthest, components, load })
}
