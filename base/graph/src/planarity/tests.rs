use isles_kernel::ProcessId;
use isles_kernel::random::Stream;
use proptest::prelude::*;

use super::*;
use crate::{
    complete, grid, hypercube, line, preferential_attachment, random_geometric, random_pairs, random_regular,
    ring, star, torus, tree,
};

/// The proof, checked.
fn proven(graph: &Graph) -> Planarity {
    let found = planarity(graph);
    found.verify(graph).unwrap_or_else(|why| panic!("{why}: {:?}", graph.edge_list().collect::<Vec<_>>()));
    assert_eq!(found.is_planar(), is_planar(graph));
    found
}

fn obstacle(graph: &Graph) -> Option<Obstacle> {
    match proven(graph) {
        Planarity::Planar(_) => None,
        Planarity::Nonplanar(part) => Some(part.obstacle),
    }
}

/// Whether K5 or K3,3 is a minor (Wagner 1937): a subgraph after contracting some edges. Rows are sets of neighbours, as bits.
fn has_minor(rows: &[u32]) -> bool {
    let count = rows.len();
    let linked = |a: usize, b: usize| rows[a] >> b & 1 == 1;
    let clique = |set: u32| (0..count).all(|a| set >> a & 1 == 0 || (rows[a] | 1 << a) & set == set);
    let mut sets = 0u32..1 << count;
    if sets.clone().any(|set| set.count_ones() == 5 && clique(set)) {
        return true;
    }
    // Three nodes with three common neighbours.
    let common = |set: u32| (0..count).filter(|a| set >> a & 1 == 1).fold(u32::MAX, |all, a| all & rows[a]);
    if sets.any(|set| set.count_ones() == 3 && (common(set) & !set).count_ones() >= 3) {
        return true;
    }
    (0..count).flat_map(|a| (0..a).map(move |b| (b, a))).filter(|&(b, a)| linked(a, b)).any(|(b, a)| {
        let joined = |row: u32| {
            let row = if row >> a & 1 == 1 { row | 1 << b } else { row };
            (row & ((1 << a) - 1)) | (row >> (a + 1) << a)
        };
        let mut smaller: Vec<u32> = rows.to_vec();
        smaller[b] = (rows[a] | rows[b]) & !(1 << a | 1 << b);
        smaller.remove(a);
        let smaller: Vec<u32> =
            smaller.into_iter().enumerate().map(|(node, row)| joined(row) & !(1 << node)).collect();
        count > 5 && has_minor(&smaller)
    })
}

fn shuffled(graph: &Graph, seed: u64) -> Graph {
    let mut names: Vec<u32> = (0..graph.nodes()).collect();
    let mut draws = Stream::new(seed, &[1]);
    draws.shuffle(&mut names);
    let edges: Vec<(u32, u32)> =
        graph.edge_list().map(|(a, b)| (names[a.index()], names[b.index()])).collect();
    Graph::from_edges(graph.nodes(), &edges)
}

/// Every node after the third is put into a triangle and linked to its corners: as many edges as a planar graph can have.
fn triangulation(nodes: u32, seed: u64) -> Vec<(u32, u32)> {
    let mut draws = Stream::new(seed, &[2]);
    let mut edges = vec![(0, 1), (1, 2), (0, 2)];
    let mut triangles = vec![[0, 1, 2], [0, 1, 2]];
    for node in 3..nodes {
        let [a, b, c] = triangles.swap_remove(draws.below(triangles.len() as u32) as usize);
        edges.extend([(a, node), (b, node), (c, node)]);
        triangles.extend([[a, b, node], [a, c, node], [b, c, node]]);
    }
    edges
}

/// Nodes of a circle with chords that do not cross.
fn outerplanar(nodes: u32, seed: u64) -> Vec<(u32, u32)> {
    let mut draws = Stream::new(seed, &[3]);
    let mut edges: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
    let mut circle: Vec<u32> = (0..nodes).collect();
    while circle.len() > 3 {
        let at = draws.below(circle.len() as u32) as usize;
        let count = circle.len();
        edges.push((circle[(at + count - 1) % count], circle[(at + 1) % count]));
        circle.remove(at);
    }
    edges
}

/// The graph with a path of `length` edges in place of each edge.
fn stretched(nodes: u32, edges: &[(u32, u32)], length: u32) -> (u32, Vec<(u32, u32)>) {
    let mut count = nodes;
    let mut long = Vec::new();
    for &(a, b) in edges {
        let mut at = a;
        for _ in 1..length {
            long.push((at, count));
            at = count;
            count += 1;
        }
        long.push((at, b));
    }
    (count, long)
}

const K33: [(u32, u32); 9] = [(0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5)];

fn k5() -> Vec<(u32, u32)> {
    (0..5).flat_map(|a| (0..a).map(move |b| (b, a))).collect()
}

/// A circle of 2n nodes, each linked to the one opposite.
fn moebius_ladder(rungs: u32) -> Graph {
    let nodes = 2 * rungs;
    let edges: Vec<(u32, u32)> =
        (0..nodes).flat_map(|node| [(node, (node + 1) % nodes), (node, (node + rungs) % nodes)]).collect();
    Graph::from_edges(nodes, &edges)
}

proptest! {
    #[test]
    fn the_test_agrees_with_a_search_for_minors(
        nodes in 1u32..9,
        ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..40),
        directed in any::<bool>(),
    ) {
        let edges: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
        let graph = if directed { Graph::from_arcs(nodes, &edges) } else { Graph::from_edges(nodes, &edges) };
        let both = graph.undirected();
        let bits = |node| both.neighbors(node).iter().fold(0u32, |set, peer| set | 1 << peer.0);
        let rows: Vec<u32> = both.ids().map(bits).collect();
        prop_assert_eq!(proven(&graph).is_planar(), !has_minor(&rows));
    }

    #[test]
    fn sparse_and_dense_graphs_have_proofs(
        nodes in 5u32..80,
        ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..260),
    ) {
        let edges: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
        proven(&Graph::from_edges(nodes, &edges));
    }

    #[test]
    fn what_is_drawn_without_crossings_is_planar_until_an_edge_too_much(
        nodes in 5u32..120,
        seed in any::<u64>(),
        kept in 0.3f64..1.0,
    ) {
        let full = triangulation(nodes, seed);
        let graph = shuffled(&Graph::from_edges(nodes, &full), seed);
        prop_assert!(proven(&graph).is_planar());
        let mut draws = Stream::new(seed, &[4]);
        let some: Vec<(u32, u32)> = full.iter().copied().filter(|_| draws.unit() < kept).collect();
        prop_assert!(proven(&shuffled(&Graph::from_edges(nodes, &some), seed)).is_planar());
        prop_assert!(proven(&shuffled(&Graph::from_edges(nodes, &outerplanar(nodes, seed)), seed)).is_planar());
        // A triangulation has room for nothing.
        let (a, b) = (draws.below(nodes), draws.below(nodes));
        if a != b && !graph.has_edge(ProcessId(a), ProcessId(b)) {
            let mut edges: Vec<(u32, u32)> = graph.edge_list().map(|(a, b)| (a.0, b.0)).collect();
            edges.push((a, b));
            prop_assert!(!proven(&Graph::from_edges(nodes, &edges)).is_planar());
        }
    }

    #[test]
    fn hidden_obstacles_are_found(
        five in any::<bool>(),
        length in 1u32..20,
        hair in 0u32..200,
        seed in any::<u64>(),
    ) {
        let (corners, edges) = if five { (5, k5()) } else { (6, K33.to_vec()) };
        let (core, mut edges) = stretched(corners, &edges, length);
        let mut draws = Stream::new(seed, &[5]);
        for node in core..core + hair {
            edges.push((draws.below(node), node));
        }
        let graph = shuffled(&Graph::from_edges(core + hair, &edges), seed);
        let Planarity::Nonplanar(part) = proven(&graph) else { panic!("it has an obstacle") };
        // It is the only one.
        prop_assert_eq!(part.obstacle == Obstacle::K5, five);
        prop_assert!(part.paths.iter().all(|path| path.len() as u32 == length + 1));
    }
}

#[test]
fn known_graphs_are_told_apart() {
    let petersen: Vec<(u32, u32)> =
        (0..5).flat_map(|i| [(i, (i + 1) % 5), (i, i + 5), (i + 5, (i + 2) % 5 + 5)]).collect();
    assert_eq!(obstacle(&Graph::from_edges(10, &petersen)), Some(Obstacle::K33));
    assert_eq!(obstacle(&Graph::from_edges(6, &K33)), Some(Obstacle::K33));
    assert_eq!(obstacle(&complete(5).expect("small")), Some(Obstacle::K5));
    for dense in
        [complete(40).expect("small"), hypercube(4).expect("small"), torus(25, 5).expect("whole rows")]
    {
        assert!(!proven(&dense).is_planar());
    }
    for planar in [
        complete(4).expect("small"),
        hypercube(3).expect("small"),
        grid(60, 7),
        tree(100, 3),
        star(50),
        ring(30),
        line(2),
        Graph::from_edges(0, &[]),
        Graph::from_edges(7, &[]),
        Graph::from_edges(8, &[(0, 1), (1, 2), (2, 0), (4, 5), (5, 6), (6, 4), (6, 7)]),
    ] {
        assert!(proven(&planar).is_planar());
    }
    // Two parts, of which one cannot be drawn.
    let mut edges: Vec<(u32, u32)> = k5();
    edges.extend([(5, 6), (6, 7), (7, 5)]);
    assert_eq!(obstacle(&Graph::from_edges(8, &edges)), Some(Obstacle::K5));
}

#[test]
fn obstacles_of_large_graphs_are_found_soon() {
    let crossed = |side: u32| {
        let mut edges: Vec<(u32, u32)> =
            grid(side * side, side).edge_list().map(|(a, b)| (a.0, b.0)).collect();
        edges.push((side + 1, side * side - side - 2));
        Graph::from_edges(side * side, &edges)
    };
    let (long, path) = stretched(5, &k5(), 20_000);
    for graph in [
        crossed(100),
        moebius_ladder(300),
        Graph::from_edges(long, &path),
        torus(10_000, 100).expect("whole rows"),
        random_pairs(50_000, 5e-5, 1).expect("possible"),
        random_regular(20_000, 3, 1).expect("possible"),
        preferential_attachment(20_000, 2, 1).expect("possible"),
        random_geometric(5_000, 0.02, false, 1).expect("possible").graph,
    ] {
        assert!(!proven(&graph).is_planar());
    }
}

#[test]
fn a_path_of_a_million_nodes_overflows_nothing() {
    assert!(is_planar(&line(1_000_000)));
    let wheel: Vec<(u32, u32)> =
        (1..200_000).flat_map(|node| [(node - 1, node), (node - 1, 199_999)]).collect();
    assert!(proven(&Graph::from_edges(200_000, &wheel)).is_planar());
}

#[test]
fn a_drawing_that_was_tampered_with_proves_nothing() {
    let graph = grid(12, 4);
    let Planarity::Planar(drawing) = proven(&graph) else { panic!("a grid is planar") };
    let rows = || graph.ids().map(|node| drawing.around(node).to_vec()).collect::<Vec<_>>();
    assert_eq!(Embedding::new(rows()).verify(&graph), Ok(()));
    assert_eq!(drawing.faces(&graph), Ok(7));
    let refused = |change: &dyn Fn(&mut Vec<Vec<ProcessId>>)| {
        let mut rows = rows();
        change(&mut rows);
        Embedding::new(rows).verify(&graph).expect_err("it is wrong").to_string()
    };
    assert!(refused(&|rows| rows[5].swap(0, 1)).contains("lines cross"));
    assert!(refused(&|rows| rows[1].swap(0, 1)).contains("lines cross"));
    assert!(refused(&|rows| rows[5].truncate(3)).contains("neighbours around"));
    assert!(refused(&|rows| rows[5][0] = ProcessId(0)).contains("neighbours around"));
    assert!(refused(&|rows| rows[5][0] = ProcessId(99)).contains("neighbours around"));
    assert!(refused(&|rows| rows.truncate(11)).contains("11 rows"));
    // A turned row and a mirrored drawing are as good.
    let mut turned = rows();
    turned[5].rotate_left(1);
    assert_eq!(Embedding::new(turned).verify(&graph), Ok(()));
    assert_eq!(
        Embedding::new(rows().into_iter().map(|row| row.into_iter().rev().collect())).verify(&graph),
        Ok(())
    );
    // No order of neighbours makes a drawing of what cannot be drawn.
    let five = complete(5).expect("small");
    let found = Embedding::new(five.ids().map(|node| five.neighbors(node).to_vec())).verify(&five);
    assert!(found.expect_err("it cannot be drawn").to_string().contains("lines cross"));
}

#[test]
fn an_obstacle_that_was_tampered_with_proves_nothing() {
    let (nodes, edges) = stretched(6, &K33, 3);
    let graph = Graph::from_edges(nodes, &edges);
    let Planarity::Nonplanar(part) = proven(&graph) else { panic!("it is stretched K3,3") };
    let refused = |change: &dyn Fn(&mut Kuratowski)| {
        let mut part = part.clone();
        change(&mut part);
        part.verify(&graph).expect_err("it is wrong").to_string()
    };
    assert!(refused(&|part| part.paths.truncate(8)).contains("do not link"));
    let without_second = |part: &mut Kuratowski| {
        part.paths[0].remove(1);
    };
    assert!(refused(&without_second).contains("not linked"));
    assert!(refused(&|part| part.paths[0][1] = ProcessId(10_000)).contains("not linked"));
    assert!(refused(&|part| part.paths[0].clear()).contains("two ends"));
    assert!(refused(&|part| part.paths[1] = part.paths[0].clone()).contains("share more"));
    assert!(refused(&|part| part.obstacle = Obstacle::K5).contains("corners"));
    // A path that is there, through another one.
    let crossing = |part: &mut Kuratowski| {
        let back: Vec<ProcessId> = part.paths[1].iter().rev().copied().collect();
        part.paths[0] = [&back[..], &part.paths[0][1..]].concat();
    };
    assert!(refused(&crossing).contains("share more"));
    // A ring is planar: whatever is claimed to be an obstacle in it is none.
    let ring = ring(6);
    let paths = K33.map(|(a, b)| vec![ProcessId(a), ProcessId(b)]).to_vec();
    assert!(Kuratowski { obstacle: Obstacle::K33, paths }.verify(&ring).is_err());
}
