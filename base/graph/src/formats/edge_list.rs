//! Edge lists, as the Stanford Network Analysis Project publishes them.

use std::io::{self, Write};

use super::{NODES_MAX, Named, ReadError, graph_of, is_weighted, refuse};

const HELP: &str = "write two node numbers a line, apart by spaces, tabs or a comma, and perhaps a weight";

pub(super) fn read(text: &str) -> Result<Named, ReadError> {
    let mut edges: Vec<(u64, u64, Option<f64>)> = Vec::new();
    let (mut directed, mut nodes) = (false, None);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix(['#', '%']) {
            header(comment, &mut directed, &mut nodes);
        } else if !line.is_empty() {
            edges.push(edge(index + 1, line)?);
        }
    }
    // Numbers as they are, where every one of them is a node; otherwise in their order.
    let greatest = edges.iter().map(|edge| edge.0.max(edge.1)).max();
    let named =
        nodes.filter(|nodes| greatest.is_none_or(|greatest| greatest < *nodes) && *nodes <= NODES_MAX as u64);
    let mut ids: Vec<u64> = Vec::new();
    if named.is_none() {
        ids = edges.iter().flat_map(|edge| [edge.0, edge.1]).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > NODES_MAX {
            return refuse(0, format!("{} nodes are more than {NODES_MAX}", ids.len()), "split the graph");
        }
        if greatest.is_none_or(|greatest| greatest + 1 == ids.len() as u64) {
            (nodes, ids) = (Some(ids.len() as u64), Vec::new());
        }
    }
    let place =
        |id: u64| if ids.is_empty() { id as u32 } else { ids.partition_point(|other| *other < id) as u32 };
    let placed: Vec<(u32, u32, Option<f64>)> =
        edges.iter().map(|&(a, b, weight)| (place(a), place(b), weight)).collect();
    let count = if ids.is_empty() { nodes.unwrap_or(0) as usize } else { ids.len() };
    let names = ids.iter().map(ToString::to_string).collect();
    Ok(Named::new(graph_of(count, directed, &placed), names))
}

/// What SNAP's comments say: `Directed graph`, `Undirected graph`, `Nodes: 7 Edges: 9`.
fn header(comment: &str, directed: &mut bool, nodes: &mut Option<u64>) {
    let mut words = comment.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "Directed" => *directed = true,
            "Undirected" => *directed = false,
            "Nodes:" => *nodes = words.next().and_then(|count| count.parse().ok()),
            _ => {}
        }
    }
}

fn edge(number: usize, line: &str) -> Result<(u64, u64, Option<f64>), ReadError> {
    let mut fields = line.split(|c: char| c.is_whitespace() || c == ',').filter(|field| !field.is_empty());
    let (Some(a), Some(b)) = (fields.next(), fields.next()) else {
        return refuse(number, "an edge has two ends", HELP);
    };
    let end = |field: &str| {
        field
            .parse::<u64>()
            .or_else(|_| refuse(number, format!("'{}' is no node number", shown(field)), HELP))
    };
    let (a, b) = (end(a)?, end(b)?);
    let weight = match fields.next() {
        None => None,
        Some(field) => match field.parse::<f64>() {
            Ok(weight) if weight.is_finite() => Some(weight),
            _ => return refuse(number, format!("'{}' is no weight", shown(field)), HELP),
        },
    };
    match fields.next() {
        Some(_) => refuse(number, "there is more than an edge and a weight", HELP),
        None => Ok((a, b, weight)),
    }
}

/// The beginning of a field, for a message.
fn shown(field: &str) -> String {
    field.chars().take(40).collect()
}

/// Names are written where all of them are numbers; otherwise the numbers of the nodes are.
pub(super) fn write(named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    let numbers = named.names.iter().all(|name| name.parse::<u64>().is_ok_and(|id| id.to_string() == *name));
    let ascending = || {
        let ids: Vec<u64> = named.names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.windows(2).all(|two| two[0] < two[1])
    };
    let use_names =
        !named.names.is_empty() && numbers && ascending() && graph.ids().all(|node| graph.degree(node) > 0);
    writeln!(out, "# {} graph", if graph.is_directed() { "Directed" } else { "Undirected" })?;
    if use_names {
        writeln!(out, "# Edges: {}", graph.edges())?;
    } else {
        writeln!(out, "# Nodes: {} Edges: {}", graph.nodes(), graph.edges())?;
    }
    let weighted = is_weighted(graph);
    for (a, b, weight) in graph.weighted_edge_list() {
        if use_names {
            write!(out, "{}\t{}", named.name(a), named.name(b))?;
        } else {
            write!(out, "{}\t{}", a.0, b.0)?;
        }
        if weighted {
            write!(out, "\t{weight}")?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
