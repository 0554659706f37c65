//! Breadth-first searches by petgraph, over the undirected edges of a file: two numbers a line.

use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::{Bfs, EdgeRef as _};

use crate::cpu_seconds;

/// CPU seconds that one search takes for the distance of every node, mean over so many sources; and how far the farthest node
/// of all was, so that both sides can be compared.
pub fn seconds_per_search(path: &str, searches: u32) -> Result<(f64, u32), String> {
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
    Ok(((cpu_seconds() - begin) / f64::from(searches), farthest))
}
