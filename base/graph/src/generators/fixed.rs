//! Topologies without chance.

use super::{GraphError, error};
use crate::{EDGES_MAX, Graph};

/// Each node is linked to the next one; there is no end.
pub fn ring(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
    Graph::from_edges(nodes, &edges)
}

/// Each node is linked to the next one.
pub fn line(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| (node - 1, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// All nodes are linked to node 0.
pub fn star(nodes: u32) -> Graph {
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| (0, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// All nodes are linked to each other.
///
/// # Errors
/// When there are more than [`EDGES_MAX`] edges.
pub fn complete(nodes: u32) -> Result<Graph, GraphError> {
    let count = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    if count > EDGES_MAX {
        return error(format!("a complete graph of {nodes} nodes has {count} edges, more than {EDGES_MAX}"));
    }
    let edges: Vec<(u32, u32)> = (0..nodes).flat_map(|a| (0..a).map(move |b| (b, a))).collect();
    Ok(Graph::from_edges(nodes, &edges))
}

/// Rows of `width` nodes, the last one shorter if need be; each node is linked to the ones beside, above and below.
pub fn grid(nodes: u32, width: u32) -> Graph {
    let width = width.max(1);
    let mut edges = Vec::new();
    for node in 0..nodes {
        if node % width != 0 {
            edges.push((node - 1, node));
        }
        if node >= width {
            edges.push((node - width, node));
        }
    }
    Graph::from_edges(nodes, &edges)
}

/// A tree in which each node has `arity` children, level by level.
pub fn tree(nodes: u32, arity: u32) -> Graph {
    let arity = arity.max(1);
    let edges: Vec<(u32, u32)> = (1..nodes).map(|node| ((node - 1) / arity, node)).collect();
    Graph::from_edges(nodes, &edges)
}

/// A [`grid`] of whole rows whose ends are linked: every node has the same neighbourhood. Of rows or columns of less than
/// three, both ends are the same neighbour.
///
/// # Errors
/// When `nodes` are not whole rows.
pub fn torus(nodes: u32, width: u32) -> Result<Graph, GraphError> {
    if width == 0 || !nodes.is_multiple_of(width) {
        return error(format!("{nodes} nodes are not whole rows of {width}"));
    }
    let mut edges = Vec::with_capacity(nodes as usize * 2);
    for node in 0..nodes {
        let (row, column) = (node / width * width, node % width);
        edges.push((node, row + (column + 1) % width));
        edges.push((node, ((u64::from(node) + u64::from(width)) % u64::from(nodes)) as u32));
    }
    Ok(Graph::from_edges(nodes, &edges))
}

/// The corners of a cube of so many dimensions, 2 to that power: each is linked to those that differ in one bit.
///
/// # Errors
/// When it has more than [`EDGES_MAX`] edges.
pub fn hypercube(dimensions: u32) -> Result<Graph, GraphError> {
    let edges = u64::from(dimensions) << dimensions.min(40) >> 1;
    if edges > EDGES_MAX || dimensions > 31 {
        return error(format!("a cube of {dimensions} dimensions has more than {EDGES_MAX} edges"));
    }
    let nodes = 1u32 << dimensions;
    let up = |node: u32| (0..dimensions).map(move |bit| (node, node ^ (1 << bit))).filter(|(a, b)| a < b);
    let edges: Vec<(u32, u32)> = (0..nodes).flat_map(up).collect();
    Ok(Graph::from_edges(nodes, &edges))
}

/// The [`hypercube`] of so many nodes.
///
/// # Errors
/// When `nodes` are no power of two, or it has more than [`EDGES_MAX`] edges.
pub fn cube_of(nodes: u32) -> Result<Graph, GraphError> {
    if nodes.is_power_of_two() {
        hypercube(nodes.ilog2())
    } else {
        error(format!("the corners of a cube are a power of two, not {nodes}"))
    }
}
