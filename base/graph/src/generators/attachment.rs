//! Graphs that grow.

use isles_kernel::random::Stream;

use super::{GraphError, error};
use crate::{EDGES_MAX, Graph};

/// Each new node is linked to `links` different older ones, each chosen with a probability exactly proportional to its
/// degree (Barabási and Albert, Science 286, 1999). It begins with `links + 1` nodes that are all linked. The share of
/// nodes of degree k tends to 2m(m + 1) / k(k + 1)(k + 2), m being `links`.
///
/// # Errors
/// When `links` is 0 or not below `nodes`, or there are more than [`EDGES_MAX`] edges.
pub fn preferential_attachment(nodes: u32, links: u32, seed: u64) -> Result<Graph, GraphError> {
    let mut draws = Stream::new(seed, &[0x6261, u64::from(nodes), u64::from(links)]);
    // Every end of an edge: a node is there as often as it has neighbours.
    let mut ends: Vec<u32> = Vec::new();
    grow(nodes, links, |_, edges| {
        for &(a, b) in &edges[ends.len() / 2..] {
            ends.extend([a, b]);
        }
        ends[draws.below(ends.len() as u32) as usize]
    })
}

/// Each new node is linked to `links` different older ones, all equally likely: growth without preference, the control
/// of [`preferential_attachment`] (model A of Barabási and Albert, 1999). Degrees fall exponentially.
///
/// # Errors
/// As [`preferential_attachment`].
pub fn uniform_attachment(nodes: u32, links: u32, seed: u64) -> Result<Graph, GraphError> {
    let mut draws = Stream::new(seed, &[0x7561, u64::from(nodes), u64::from(links)]);
    grow(nodes, links, |newcomer, _| draws.below(newcomer))
}

/// `choose` proposes an older node to a newcomer, given all edges before its own.
fn grow(
    nodes: u32,
    links: u32,
    mut choose: impl FnMut(u32, &[(u32, u32)]) -> u32,
) -> Result<Graph, GraphError> {
    if links == 0 || links >= nodes {
        return error(format!("each of {nodes} nodes cannot be linked to {links} older ones"));
    }
    if u64::from(nodes) * u64::from(links) > EDGES_MAX {
        return error(format!("{nodes} nodes with {links} links each have more than {EDGES_MAX} edges"));
    }
    let mut edges: Vec<(u32, u32)> = (0..=links).flat_map(|a| (0..a).map(move |b| (b, a))).collect();
    let mut chosen: Vec<u32> = Vec::with_capacity(links as usize);
    for newcomer in links + 1..nodes {
        chosen.clear();
        while chosen.len() < links as usize {
            let older = choose(newcomer, &edges);
            if !chosen.contains(&older) {
                chosen.push(older);
            }
        }
        edges.extend(chosen.iter().map(|&older| (older, newcomer)));
    }
    Ok(Graph::from_edges(nodes, &edges))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of nodes of each degree, of one large graph.
    fn shares(graph: &Graph) -> Vec<f64> {
        let mut shares = vec![0.0; 100_000];
        for node in graph.ids() {
            shares[graph.degree(node) as usize] += 1.0 / f64::from(graph.nodes());
        }
        shares
    }

    #[test]
    fn degrees_follow_the_law_of_preferential_attachment_and_not_its_shifted_cousin() {
        for links in [1u32, 3, 5] {
            let found = shares(&preferential_attachment(100_000, links, 1).expect("possible"));
            let law = |k: u32| 2.0 * f64::from(links * (links + 1)) / f64::from(k * (k + 1) * (k + 2));
            for k in [links, links + 1, 2 * links] {
                let (found, expected) = (found[k as usize], law(k));
                assert!((found / expected - 1.0).abs() < 0.04, "{links} {k}: {found} {expected}");
            }
            // The control: without preference degrees fall by a factor.
            let uniform = shares(&uniform_attachment(100_000, links, 1).expect("possible"));
            assert!((uniform[links as usize] / law(links) - 1.0).abs() > 0.1);
        }
        // Attachment in proportion to k + 1 gives .599 here instead of 2/3.
        assert!(
            (shares(&preferential_attachment(100_000, 1, 2).expect("possible"))[1] - 2.0 / 3.0).abs() < 0.01
        );
    }

    #[test]
    fn every_newcomer_has_as_many_links_as_asked() {
        let graph = preferential_attachment(1_000, 4, 7).expect("possible");
        assert_eq!(graph.edges(), 10 + 995 * 4);
        assert!(graph.ids().all(|node| graph.degree(node) >= 4));
        assert_ne!(graph, preferential_attachment(1_000, 4, 8).expect("possible"));
        assert!(preferential_attachment(4, 4, 1).is_err() && uniform_attachment(4, 0, 1).is_err());
    }
}
