//! `[topology]`: the graph of a static overlay.

use std::sync::Arc;

use isles_graph::{self as graph, Graph, GraphError};

use super::document::quote;
use super::reader::Reader;
use super::{Origin, file_of};
use crate::matrix::span_within;

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

/// What an edge takes while the graph is made, in bytes: three lists hold it for a moment.
const BYTES_PER_EDGE: u64 = 32;

pub(super) fn read(top: &Reader<'_>, origin: &Origin<'_>, processes: Option<u32>) -> Option<Arc<Graph>> {
    let table = top.table("topology")?;
    let kind = table.choice("kind", KINDS);
    if table.entry("kind").is_none() {
        table.missing("kind", "\"random-regular\"");
    }
    let seed = table.count("seed", 0, i64::MAX as u64).unwrap_or(1);
    let made = kind.zip(processes).and_then(|(kind, count)| make(&table, kind, count, seed, origin));
    let own = ["width", "arity", "degree", "edges", "file"];
    if kind.is_some() && processes.is_some() {
        table.misplaced(&own, "this kind of topology");
    } else {
        table.pass_over(&own);
    }
    table.finish();
    match made? {
        Ok(graph) => Some(Arc::new(graph)),
        Err(error) => {
            let help = "choose another kind, or other numbers";
            top.complain(&top.place("topology"), format!("there is no such topology: {error}"), help);
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
    let n = u64::from(processes);
    let degree = if matches!(kind, Kind::RandomRegular) { number("degree", 5, 10_000) } else { 0 };
    let edges = if matches!(kind, Kind::RandomEdges) { number("edges", n * 2, graph::EDGES_MAX) } else { 0 };
    let about = match kind {
        Kind::Ring | Kind::Line | Kind::Star | Kind::Tree => n,
        Kind::Grid => 2 * n,
        Kind::Complete => n.saturating_mul(n) / 2,
        Kind::RandomRegular => n.saturating_mul(degree) / 2,
        Kind::RandomEdges => edges,
        Kind::File => 0,
    };
    if about.saturating_mul(BYTES_PER_EDGE) > origin.memory_max {
        let what = format!("this topology has about {about} edges, too many for the memory there is");
        let most = origin.memory_max / BYTES_PER_EDGE;
        table.complain(&table.place("kind"), what, format!("at most {most} edges fit: choose another kind"));
        return None;
    }
    Some(match kind {
        Kind::Ring => Ok(graph::ring(processes)),
        Kind::Line => Ok(graph::line(processes)),
        Kind::Star => Ok(graph::star(processes)),
        Kind::Complete => graph::complete(processes),
        Kind::Grid => {
            let width = number("width", u64::from(processes.isqrt()).max(1), u64::from(u32::MAX));
            Ok(graph::grid(processes, width as u32))
        }
        Kind::Tree => Ok(graph::tree(processes, number("arity", 2, u64::from(u32::MAX)) as u32)),
        Kind::RandomRegular => graph::random_regular(processes, degree as u32, seed),
        Kind::RandomEdges => graph::random_edges(processes, edges, seed),
        Kind::File => {
            let Some(name) = table.text("file") else {
                if table.entry("file").is_none() {
                    table.missing("file", "\"edges.txt\"");
                }
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
