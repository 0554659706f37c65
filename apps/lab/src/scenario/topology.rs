//! `[topology]`: the graph of a static overlay.

use std::sync::Arc;

use isles_graph::{self as graph, Graph, GraphError};

use super::reader::Reader;
use super::{Origin, file_of};

#[derive(Clone, Copy)]
enum Kind {
    Ring,
    Line,
    Star,
    Complete,
    Grid,
    Tree,
    RandomRegular,
    RandomEdges,
    File,
}

const KINDS: &[(&str, Kind)] = &[
    ("ring", Kind::Ring),
    ("line", Kind::Line),
    ("star", Kind::Star),
    ("complete", Kind::Complete),
    ("grid", Kind::Grid),
    ("tree", Kind::Tree),
    ("random-regular", Kind::RandomRegular),
    ("random-edges", Kind::RandomEdges),
    ("file", Kind::File),
];

pub(super) fn read(top: &Reader<'_>, origin: &Origin<'_>, processes: u32) -> Option<Arc<Graph>> {
    let table = top.table("topology")?;
    let kind = table.choice("kind", KINDS);
    if table.entry("kind").is_none() {
        table.missing("kind", "\"random-regular\"");
    }
    let seed = table.count("seed", 0, i64::MAX as u64).unwrap_or(1);
    let made = kind.and_then(|kind| make(&table, kind, processes, seed, origin));
    table.finish();
    match made? {
        Ok(graph) => Some(Arc::new(graph)),
        Err(error) => {
            top.complain(&top.place("topology"), format!("there is no such topology: {error}"), "");
            None
        }
    }
}

fn make(
    table: &Reader<'_>,
    kind: Kind,
    processes: u32,
    seed: u64,
    origin: &Origin<'_>,
) -> Option<Result<Graph, GraphError>> {
    let number = |key: &'static str, default: u64, max: u64| table.count(key, 1, max).unwrap_or(default);
    Some(match kind {
        Kind::Ring => Ok(graph::ring(processes)),
        Kind::Line => Ok(graph::line(processes)),
        Kind::Star => Ok(graph::star(processes)),
        Kind::Complete => graph::complete(processes),
        Kind::Grid => {
            let width = number("width", u64::from(processes.isqrt().max(1)), u64::from(u32::MAX));
            Ok(graph::grid(processes, width as u32))
        }
        Kind::Tree => Ok(graph::tree(processes, number("arity", 2, u64::from(u32::MAX)) as u32)),
        Kind::RandomRegular => graph::random_regular(processes, number("degree", 5, 10_000) as u32, seed),
        Kind::RandomEdges => {
            graph::random_edges(processes, number("edges", u64::from(processes) * 2, graph::EDGES_MAX), seed)
        }
        Kind::File => {
            let Some(name) = table.text("file") else {
                table.missing("file", "\"edges.txt\"");
                return None;
            };
            let text = file_of(table, &table.place("file"), name, origin)?;
            return Some(Ok(edge_list(table, name, &text, processes)?));
        }
    })
}

/// Two node numbers a line; lines that begin with `#` or `%` are left out.
fn edge_list(table: &Reader<'_>, name: &str, text: &str, processes: u32) -> Option<Graph> {
    let mut edges = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        let mut ends = line.split_whitespace().map(str::parse::<u32>);
        match (ends.next(), ends.next()) {
            (Some(Ok(a)), Some(Ok(b))) if a < processes && b < processes => edges.push((a, b)),
            (Some(Ok(a)), Some(Ok(b))) => {
                let what = format!(
                    "'{name}', line {}: node {} is none of the {processes} processes",
                    index + 1,
                    a.max(b)
                );
                table.complain(&table.place("file"), what, "nodes are numbered from 0");
                return None;
            }
            _ => {
                let what = format!("'{name}', line {}: no edge", index + 1);
                table.complain(&table.place("file"), what, "two node numbers a line");
                return None;
            }
        }
    }
    Some(Graph::from_edges(processes, &edges))
}
