//! Graphs to try protocols on.

use isles_graph::{
    Graph, complete, connectivity_radius, cube_of, grid, is_connected, is_strongly_connected, line,
    preferential_attachment, random_geometric, random_regular, ring, star, torus, tree, watts_strogatz,
};

/// Every connected graph over the nodes `0..nodes`, each set of edges once.
pub(crate) fn all_connected(nodes: u32) -> Vec<Graph> {
    let pairs: Vec<(u32, u32)> = (0..nodes).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
    subsets(&pairs).map(|edges| Graph::from_edges(nodes, &edges)).filter(is_connected).collect()
}

/// Every strongly connected directed graph over the nodes `0..nodes`.
pub(crate) fn all_strongly_connected(nodes: u32) -> Vec<Graph> {
    let pairs: Vec<(u32, u32)> =
        (0..nodes).flat_map(|a| (0..nodes).filter(move |b| *b != a).map(move |b| (a, b))).collect();
    subsets(&pairs).map(|arcs| Graph::from_arcs(nodes, &arcs)).filter(is_strongly_connected).collect()
}

fn subsets(pairs: &[(u32, u32)]) -> impl Iterator<Item = Vec<(u32, u32)>> + '_ {
    (0..1u32 << pairs.len()).map(|set| {
        pairs.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, pair)| *pair).collect()
    })
}

/// One graph for each generator, connected, of about so many nodes.
pub(crate) fn one_of_each(nodes: u32, seed: u64) -> Vec<(&'static str, Graph)> {
    let side = nodes.isqrt().max(3);
    let geometric = random_geometric(nodes, connectivity_radius(nodes, 6.0), false, seed).expect("possible");
    let all = vec![
        ("ring", ring(nodes)),
        ("line", line(nodes)),
        ("star", star(nodes)),
        ("complete", complete(nodes.min(40)).expect("small")),
        ("grid", grid(nodes, side)),
        ("torus", torus(side * side, side).expect("whole rows")),
        ("tree", tree(nodes, 3)),
        ("hypercube", cube_of(1 << nodes.ilog2()).expect("a power of two")),
        ("random-regular", random_regular(nodes / 2 * 2, 4, seed).expect("possible")),
        ("watts-strogatz", watts_strogatz(nodes, 6, 0.2, seed).expect("possible")),
        ("preferential-attachment", preferential_attachment(nodes, 3, seed).expect("possible")),
        ("geometric", geometric.graph),
    ];
    all.into_iter().filter(|(_, graph)| is_connected(graph)).collect()
}

/// A strongly connected graph: a ring of one-way edges, and random chords.
pub(crate) fn one_way(nodes: u32, chords: u32, seed: u64) -> Graph {
    let mut draws = isles_kernel::random::Stream::new(seed, &[7]);
    let mut arcs: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
    arcs.extend((0..chords).map(|_| (draws.below(nodes), draws.below(nodes))));
    Graph::from_arcs(nodes, &arcs)
}
