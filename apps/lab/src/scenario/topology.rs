//! `[topology]`: the graph of a static overlay.

use std::path::Path;
use std::sync::Arc;

use isles_graph::formats::{self, Format};
use isles_graph::{Graph, GraphError};

use super::document::quote;
use super::reader::Reader;
use super::{Origin, file_of};
use crate::matrix::span_within;
use crate::registry::params::Values;
use crate::registry::topologies::{TOPOLOGIES, Topology};

/// The kind whose graph is in a file.
const FILE: &str = "file";

/// What an edge takes while the graph is made, in bytes: three lists hold it for a moment.
const BYTES_PER_EDGE: u64 = 32;

/// Whether the scenario names a file whose nodes are its processes.
pub(super) fn is_from_file(top: &Reader<'_>) -> bool {
    let table = top.entry("topology").and_then(|entry| entry.item.value.as_table());
    let kind = table.and_then(|table| table.get("kind"));
    kind.and_then(|entry| entry.item.value.as_text()) == Some(FILE)
}

pub(super) fn read(top: &Reader<'_>, origin: &Origin<'_>, processes: Option<u32>) -> Option<Arc<Graph>> {
    let table = top.table("topology")?;
    let kinds: Vec<(&str, Option<&Topology>)> =
        TOPOLOGIES.iter().map(|topology| (topology.name, Some(topology))).chain([(FILE, None)]).collect();
    let kind = table.choice("kind", &kinds);
    if table.entry("kind").is_none() {
        table.missing("kind", "\"random-regular\"");
    }
    let seed = table.count("seed", 0, i64::MAX as u64).unwrap_or(1);
    let made = match (kind, processes) {
        (Some(Some(topology)), Some(count)) => make(&table, topology, count, seed, origin),
        (Some(None), _) => from_file(&table, processes, origin).map(Ok),
        (Some(Some(_)), None) | (None, _) => None,
    };
    let of_kinds = TOPOLOGIES.iter().flat_map(|topology| topology.params).map(|param| param.name);
    let own: Vec<&'static str> = of_kinds.chain([FILE, "format"]).collect();
    if kind.is_some_and(|kind| kind.is_none() || processes.is_some()) {
        table.misplaced(&own, "this kind of topology");
    } else {
        table.pass_over(&own);
    }
    table.finish();
    match made? {
        Ok(graph) => Some(Arc::new(if graph.is_directed() { graph.undirected() } else { graph })),
        Err(error) => {
            let help = "choose another kind, or other numbers";
            top.complain(&top.place("topology"), format!("there is no such topology: {error}"), help);
            None
        }
    }
}

fn make(
    table: &Reader<'_>,
    topology: &Topology,
    processes: u32,
    seed: u64,
    origin: &Origin<'_>,
) -> Option<Result<Graph, GraphError>> {
    let values = Values::read_from(topology.params, Some(table));
    let about = (topology.edges)(u64::from(processes), &values);
    if about.saturating_mul(BYTES_PER_EDGE) > origin.memory_max {
        let what = format!("this topology has about {about} edges, too many for the memory there is");
        let most = origin.memory_max / BYTES_PER_EDGE;
        table.complain(&table.place("kind"), what, format!("at most {most} edges fit: choose another kind"));
        return None;
    }
    Some((topology.make)(processes, &values, seed))
}

/// The graph in the file that `kind = "file"` names. Its nodes are the first processes, or all, if nobody counted them.
fn from_file(table: &Reader<'_>, processes: Option<u32>, origin: &Origin<'_>) -> Option<Graph> {
    let file = table.text(FILE);
    if table.entry(FILE).is_none() {
        table.missing(FILE, "\"network.graphml\"");
    }
    let formats: Vec<(&str, Format)> = Format::ALL.iter().map(|(format, name, _)| (*name, *format)).collect();
    let asked = table.choice("format", &formats);
    let name = file?;
    let text = file_of(table, &table.place(FILE), name, origin)?;
    let ending = Path::new(name).extension().unwrap_or_default().to_string_lossy();
    let format = asked.unwrap_or_else(|| Format::guess(&ending, &text.as_bytes()[..text.len().min(BEGIN)]));
    match formats::read(format, &text) {
        Ok(named) => {
            let (nodes, processes) = (named.graph.nodes(), processes.unwrap_or(named.graph.nodes()));
            if processes == 0 {
                table.complain(
                    &table.place(FILE),
                    format!("'{name}' has no nodes"),
                    "name a file that has some",
                );
                return None;
            }
            if nodes > processes {
                let what = format!("'{name}' has {nodes} nodes, and there are {processes} processes");
                let help = format!("leave 'count' in [processes] out, or write count = {nodes}");
                table.complain(&table.place(FILE), what, help);
                return None;
            }
            Some(with_nodes(&named.graph, processes))
        }
        Err(error) => {
            let what = format!("'{name}' is no such graph: {}", error.why);
            match text.lines().nth(error.line.wrapping_sub(1)) {
                Some(line) if error.line > 0 => {
                    let quote = quote(name, &text, &span_within(&text, line.trim()));
                    table.complain_about(&table.place(FILE), quote, what, error.help);
                }
                _ => table.complain(&table.place(FILE), what, error.help),
            }
            None
        }
    }
}

/// So many bytes tell which format a file has.
const BEGIN: usize = 1 << 14;

/// The graph without directions and weights; processes that it does not have are alone.
fn with_nodes(graph: &Graph, processes: u32) -> Graph {
    if graph.nodes() == processes {
        return graph.clone();
    }
    let edges: Vec<(u32, u32)> = graph.edge_list().map(|(a, b)| (a.0, b.0)).collect();
    Graph::from_edges(processes, &edges)
}
