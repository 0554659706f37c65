//! Graphs drawn without regard to distance or degree.

use isles_kernel::ProcessId;
use isles_kernel::random::Stream;

use super::{GraphError, error, logarithm_of};
use crate::{EDGES_MAX, Graph};

/// A random graph in which every node has `degree` neighbours: stubs are paired at random, and pairs that make a loop
/// or a double edge are swapped with random others until none is left (the pairing model of Bollobás, 1980,
/// mended by switches).
///
/// # Errors
/// When there is no such graph: `degree` not below `nodes`, or both odd; or it has more than [`EDGES_MAX`] edges.
pub fn random_regular(nodes: u32, degree: u32, seed: u64) -> Result<Graph, GraphError> {
    if degree >= nodes.max(1) {
        return error(format!("{nodes} nodes cannot have {degree} neighbours each"));
    }
    let stubs = u64::from(nodes) * u64::from(degree);
    if stubs % 2 == 1 {
        return error(format!(
            "{nodes} nodes of degree {degree} cannot be paired: one of the two must be even"
        ));
    }
    if stubs / 2 > EDGES_MAX {
        return error(format!("{nodes} nodes of degree {degree} have more than {EDGES_MAX} edges"));
    }
    let mut draws = Stream::new(seed, &[0x0072_6567_756c_6172, u64::from(nodes), u64::from(degree)]);
    let mut ends: Vec<u32> = (0..nodes).flat_map(|node| (0..degree).map(move |_| node)).collect();
    draws.shuffle(&mut ends);
    let mut edges: Vec<(u32, u32)> =
        ends.chunks_exact(2).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1]))).collect();
    for _ in 0..1_000 {
        let bad = flawed(nodes, &edges);
        if bad.is_empty() {
            return Ok(Graph::from_edges(nodes, &edges));
        }
        for index in bad {
            let other = draws.below(edges.len() as u32) as usize;
            let ((a, b), (c, d)) = (edges[index], edges[other]);
            edges[index] = (a.min(d), a.max(d));
            edges[other] = (c.min(b), c.max(b));
        }
    }
    error(format!(
        "no graph of {nodes} nodes of degree {degree} was found: it is too dense to be drawn at random"
    ))
}

/// The edges that are loops, or repeat an earlier one, in order: a counting sort by the smaller end, then short sorts.
fn flawed(nodes: u32, edges: &[(u32, u32)]) -> Vec<usize> {
    let mut ends = vec![0u32; nodes as usize + 1];
    for &(a, _) in edges {
        ends[a as usize + 1] += 1;
    }
    for node in 0..nodes as usize {
        ends[node + 1] += ends[node];
    }
    // The end of a row moves from where the row begins to where the next one does.
    let mut rows = vec![(0u32, 0u32); edges.len()];
    for (index, &(a, b)) in (0..).zip(edges) {
        rows[ends[a as usize] as usize] = (b, index);
        ends[a as usize] += 1;
    }
    let (mut bad, mut start) = (Vec::new(), 0);
    for (node, &end) in (0..nodes).zip(&ends) {
        let row = &mut rows[start as usize..end as usize];
        row.sort_unstable();
        let repeats = row.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1]);
        bad.extend(
            repeats
                .chain(row.iter().copied().filter(|(peer, _)| *peer == node))
                .map(|(_, index)| index as usize),
        );
        start = end;
    }
    bad.sort_unstable();
    bad.dedup();
    bad
}

/// A random graph with exactly `edges` edges, each set of them as likely as any other: G(n, m) of Erdős and Rényi (1959).
///
/// # Errors
/// When there are not so many pairs of nodes, or more than [`EDGES_MAX`] edges.
///
/// # Complexity
/// O(n + m) expected, up to the sort of each row; of a graph that has more than half of all edges, the missing ones
/// are drawn.
pub fn random_edges(nodes: u32, edges: u64, seed: u64) -> Result<Graph, GraphError> {
    let pairs = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    if edges > EDGES_MAX || edges > pairs {
        return error(format!("{edges} edges are too many for {nodes} nodes, which have {pairs} pairs"));
    }
    let mut draws = Stream::new(seed, &[0x0067_6e6d, u64::from(nodes), edges]);
    if edges <= pairs / 2 {
        return Ok(distinct(nodes, edges, &mut draws));
    }
    let absent = distinct(nodes, pairs - edges, &mut draws);
    let present = (0..nodes).flat_map(|a| (0..a).map(move |b| (b, a)));
    let present: Vec<(u32, u32)> =
        present.filter(|(a, b)| !absent.has_edge(ProcessId(*a), ProcessId(*b))).collect();
    Ok(Graph::from_edges(nodes, &present))
}

/// Draws until so many edges are different; each round draws as many as are missing, so that none is drawn too much.
fn distinct(nodes: u32, edges: u64, draws: &mut Stream) -> Graph {
    let mut drawn = Vec::with_capacity(edges as usize);
    loop {
        let graph = Graph::from_edges(nodes, &drawn);
        let missing = edges - graph.edges() as u64;
        if missing == 0 {
            return graph;
        }
        for _ in 0..missing {
            drawn.push((draws.below(nodes), draws.below(nodes)));
        }
    }
}

/// A random graph in which each pair of nodes is linked with probability `p`, independently: G(n, p) of Gilbert (1959).
///
/// # Errors
/// When `p` is not within 0 to 1, or about more than [`EDGES_MAX`] edges are to be expected.
///
/// # Complexity
/// O(n + m): gaps between edges are drawn, not pairs (Batagelj and Brandes, Phys. Rev. E 71, 2005).
pub fn random_pairs(nodes: u32, p: f64, seed: u64) -> Result<Graph, GraphError> {
    if !(0.0..=1.0).contains(&p) {
        return error(format!("a probability is within 0 to 1, not {p}"));
    }
    let pairs = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    if pairs as f64 * p > EDGES_MAX as f64 {
        return error(format!("{nodes} nodes linked with probability {p} have more than {EDGES_MAX} edges"));
    }
    if p == 0.0 {
        return Ok(Graph::from_edges(nodes, &[]));
    }
    let mut draws = Stream::new(seed, &[0x0067_6e70, u64::from(nodes), p.to_bits()]);
    let mut edges = Vec::with_capacity((pairs as f64 * p * 1.01) as usize);
    let (mut greater, mut lesser) = (1u64, 0u64);
    // The gap to the next edge is geometric: floor(ln u / ln(1 - p)).
    let scale = logarithm_of(1.0 - p);
    loop {
        let gap = if p < 1.0 { logarithm_of(1.0 - draws.unit()) / scale } else { 0.0 };
        lesser += if gap < pairs as f64 { gap as u64 } else { pairs };
        while lesser >= greater && greater < u64::from(nodes) {
            lesser -= greater;
            greater += 1;
        }
        if greater >= u64::from(nodes) {
            break;
        }
        edges.push((lesser as u32, greater as u32));
        lesser += 1;
    }
    Ok(Graph::from_edges(nodes, &edges))
}
