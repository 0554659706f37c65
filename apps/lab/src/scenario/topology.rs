//! `[topology]`: the graph of a static overlay.

use std::sync::Arc;

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

pub(super) fn read(top: &Reader<'_>, origin: &Origin<'_>, processes: Option<u32>) -> Option<Arc<Graph>> {
    let table = top.table("topology")?;
    let kinds: Vec<(&str, Option<&Topology>)> =
        TOPOLOGIES.iter().map(|topology| (topology.name, Some(topology))).chain([(FILE, None)]).collect();
    let kind = table.choice("kind", &kinds);
    if table.entry("kind").is_none() {
        table.missing("kind", "\"random-regular\"");
    }
    let seed = table.count("seed", 0, i64::MAX as u64).unwrap_or(1);
    let made = kind.zip(processes).and_then(|(kind, count)| match kind {
        Some(topology) => make(&table, topology, count, seed, origin),
        None => from_file(&table, count, origin).map(Ok),
    });
    let of_kinds = TOPOLOGIES.iter().flat_map(|topology| topology.params).map(|param| param.name);
    let own: Vec<&'static str> = of_kinds.chain([FILE]).collect();
    if kind.is_some() && processes.is_some() {
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

fn from_file(table: &Reader<'_>, processes: u32, origin: &Origin<'_>) -> Option<Graph> {
    let Some(name) = table.text(FILE) else {
        if table.entry(FILE).is_none() {
            table.missing(FILE, "\"edges.txt\"");
        }
        return None;
    };
    let text = file_of(table, &table.place(FILE), name, origin)?;
    edge_list(table, name, &text, processes)
}

/// Two node numbers a line; lines that begin with `#` or `%` are left out.
fn edge_list(table: &Reader<'_>, name: &str, text: &str, processes: u32) -> Option<Graph> {
    let mut edges = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        let mut ends = line.split_whitespace().map(str::parse::<u32>);
        let why = match (ends.next(), ends.next()) {
            (Some(Ok(a)), Some(Ok(b))) if a < processes && b < processes => {
                edges.push((a, b));
                continue;
            }
            (Some(Ok(a)), Some(Ok(b))) => format!("node {} is none of the {processes} processes", a.max(b)),
            _ => "this line is no edge".to_owned(),
        };
        let quote = quote(name, text, &span_within(text, line));
        let help = "write two node numbers a line, counted from 0";
        table.complain_about(&table.place("file"), quote, format!("'{name}' is no such graph: {why}"), help);
        return None;
    }
    Some(Graph::from_edges(processes, &edges))
}
