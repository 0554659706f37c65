//! What the words mean, and what cycles are good for.

use isles_graph::{
    Eccentricities, Graph, GraphError, Obstacle, Planarity, clustering, complete, components, distances,
    eccentricities, edge_connectivity, edge_disjoint_paths, hypercube, is_ring, is_star, is_tree, line,
    planarity, preferential_attachment, random_geometric, random_pairs, random_regular, ring, star,
    strong_components, torus, tree, watts_strogatz,
};
use isles_kernel::ProcessId;
use isles_kernel::random::Stream;

use crate::claims::{Effort, Finding};

/// Components, triangles, radius, diameter, nodes of the centre and of the periphery, whether planar, edges of a least cut.
type Figures = [u64; 8];

/// What networkx 3.6 says of these graphs; their figures and those of 190 more are in base/graph/tests/networkx.
fn by_networkx() -> [(Result<Graph, GraphError>, Figures); 8] {
    [
        (Ok(tree(41, 2)), [1, 0, 5, 9, 2, 18, 1, 1]),
        (torus(40, 5), [1, 0, 6, 6, 40, 40, 0, 4]),
        (hypercube(4), [1, 0, 4, 4, 16, 16, 0, 4]),
        (random_regular(40, 3, 1), [1, 1, 5, 7, 8, 5, 0, 3]),
        (random_pairs(41, 0.09, 1), [1, 7, 4, 6, 2, 8, 0, 1]),
        (watts_strogatz(41, 4, 0.1, 1), [1, 29, 4, 7, 1, 6, 0, 3]),
        (preferential_attachment(41, 2, 1), [1, 15, 3, 5, 8, 2, 0, 2]),
        (random_geometric(41, 0.3, true, 1).map(|found| found.graph), [1, 506, 3, 3, 41, 41, 0, 6]),
    ]
}

fn figures(graph: &Graph) -> Figures {
    let far = eccentricities(graph);
    [
        components(graph).count() as u64,
        clustering(graph).triangles(),
        u64::from(far.radius().unwrap_or(0)),
        u64::from(far.diameter().unwrap_or(0)),
        far.center().len() as u64,
        far.periphery().len() as u64,
        u64::from(planarity(graph).is_planar()),
        edge_connectivity(graph) as u64,
    ]
}

/// Whether all nodes are centre and periphery.
fn is_all_centre_and_periphery(far: &Eccentricities) -> bool {
    far.center().len() == far.of.len() && far.periphery().len() == far.of.len()
}

const FAR: u32 = u32::MAX;

/// Distances between all nodes by the definition: the shortest of all ways over each further node (Floyd, Warshall 1962).
fn by_definition(graph: &Graph) -> Vec<Vec<u32>> {
    let nodes = graph.nodes() as usize;
    let mut least = vec![vec![FAR; nodes]; nodes];
    for (a, b) in graph.edge_list() {
        least[a.index()][b.index()] = 1;
        if !graph.is_directed() {
            least[b.index()][a.index()] = 1;
        }
    }
    for (node, row) in least.iter_mut().enumerate() {
        row[node] = 0;
    }
    for over in 0..nodes {
        let further = least[over].clone();
        for row in &mut least {
            let first = row[over];
            for (to, rest) in further.iter().enumerate() {
                row[to] = row[to].min(first.saturating_add(*rest));
            }
        }
    }
    least
}

/// Whether distances, eccentricities and both kinds of components of `graph` are those of a table of distances.
fn agrees(graph: &Graph, table: &[Vec<u32>]) -> bool {
    let far = eccentricities(graph);
    let strong = strong_components(graph);
    graph.ids().all(|from| {
        let row = &table[from.index()];
        let near = distances(graph, from).into_iter().map(|hops| hops.unwrap_or(FAR));
        let farthest = row.iter().filter(|hops| **hops != FAR).max();
        let together = |to: usize| row[to] != FAR && table[to][from.index()] != FAR;
        near.eq(row.iter().copied())
            && farthest == Some(&far.of[from.index()])
            && (0..row.len()).all(|to| together(to) == (strong.of[to] == strong.of[from.index()]))
    })
}

/// Directed graphs at random, of few arcs to many.
fn directed(count: u32) -> Vec<Graph> {
    let one = |seed: u32| {
        let mut draws = Stream::new(u64::from(seed), &[0x746f_7031]);
        let nodes = 2 + draws.below(40);
        let arcs = draws.below(4 * nodes);
        let arcs: Vec<(u32, u32)> = (0..arcs).map(|_| (draws.below(nodes), draws.below(nodes))).collect();
        Graph::from_arcs(nodes, &arcs)
    };
    (0..count).map(one).collect()
}

/// Whether proofs of planarity stand, and no longer once something is changed in them.
fn proofs_stand() -> Result<bool, String> {
    let five = complete(5).map_err(|error| error.to_string())?;
    let cube = hypercube(3).map_err(|error| error.to_string())?;
    let Planarity::Nonplanar(mut part) = planarity(&five) else { return Ok(false) };
    let Planarity::Planar(drawing) = planarity(&cube) else { return Ok(false) };
    let stand = part.verify(&five).is_ok() && part.obstacle == Obstacle::K5 && drawing.verify(&cube).is_ok();
    part.paths.truncate(9);
    let mut rows: Vec<Vec<ProcessId>> = cube.ids().map(|node| drawing.around(node).to_vec()).collect();
    rows[0].swap(0, 1);
    let crossed = isles_graph::Embedding::new(rows);
    Ok(stand && part.verify(&five).is_err() && crossed.verify(&cube).is_err())
}

pub(super) fn top_01(effort: &Effort) -> Result<Finding, String> {
    let mut same = 0;
    for (graph, expected) in by_networkx() {
        let graph = graph.map_err(|error| error.to_string())?;
        same += u32::from(figures(&graph) == expected && planarity(&graph).verify(&graph).is_ok());
    }
    let graphs = directed(if effort.quick { 100 } else { 1_000 });
    let right = graphs.iter().filter(|graph| agrees(graph, &by_definition(graph))).count();
    // The planted mistake: directions are ignored.
    let wrong = graphs.iter().filter(|graph| agrees(graph, &by_definition(&graph.undirected()))).count();
    let sizes = 3..if effort.quick { 60 } else { 300 };
    let rings =
        sizes.clone().filter(|size| is_all_centre_and_periphery(&eccentricities(&ring(*size)))).count();
    let lines =
        sizes.clone().filter(|size| is_all_centre_and_periphery(&eccentricities(&line(*size)))).count();
    let shapes = sizes.clone().all(|size| {
        let shapes = |graph: &Graph| [is_ring(graph), is_tree(graph), is_star(graph)];
        shapes(&ring(size)) == [true, false, false]
            && shapes(&star(size)) == [false, true, true]
            && shapes(&line(size + 1)) == [false, true, false]
            && shapes(&tree(size + 4, 2)) == [false, true, false]
    });
    let proofs = proofs_stand()?;
    Ok(Finding {
        holds: same == 8 && right == graphs.len() && rings == sizes.len() && shapes && proofs,
        // Where all arcs go both ways or there are none, directions do not matter.
        control_fails: lines == 0 && wrong < graphs.len() / 4 && proofs,
        measured: format!(
            "{same} of 8 graphs have networkx's figures; {right} of {} directed graphs have distances, eccentricities and \
             components as defined; in {rings} of {} rings all nodes are centre and periphery; shapes told apart: {shapes}; proofs \
             stand and are refused once changed: {proofs}; control: in {lines} lines, {wrong} directed graphs",
            graphs.len(),
            sizes.len(),
        ),
        predicted: "all; control: no line, and next to no directed graph".to_owned(),
        charts: Vec::new(),
    })
}

/// The graph without these edges.
fn without(graph: &Graph, failed: &[(ProcessId, ProcessId)]) -> Graph {
    let left = graph.edge_list().filter(|(a, b)| !failed.contains(&(*a, *b)) && !failed.contains(&(*b, *a)));
    Graph::from_edges(graph.nodes(), &left.map(|(a, b)| (a.0, b.0)).collect::<Vec<_>>())
}

fn reaches(graph: &Graph, from: ProcessId, to: ProcessId) -> bool {
    distances(graph, from)[to.index()].is_some()
}

/// What failures did between pairs of nodes of one graph.
#[derive(Default)]
struct Failures {
    pairs: u64,
    /// Paths of all pairs together.
    paths: u64,
    /// Sets of one edge less than there are paths that were taken away, and how many of them left a way.
    fewer: u64,
    survived: u64,
    /// Cuts that were taken away, and how many of them left none.
    cuts: u64,
    parted: u64,
}

impl Failures {
    /// Takes edges away between `pairs` random pairs: all but one edge of the cut, an edge of each path but one, and random ones; then the
    /// whole cut.
    fn of(graph: &Graph, pairs: u64, seed: u64) -> Self {
        let mut draws = Stream::new(seed, &[0x746f_7032]);
        let mut found = Self::default();
        let edges: Vec<(ProcessId, ProcessId)> = graph.edge_list().collect();
        while found.pairs < pairs {
            let (from, to) = (ProcessId(draws.below(graph.nodes())), ProcessId(draws.below(graph.nodes())));
            if from == to {
                continue;
            }
            let ways = edge_disjoint_paths(graph, from, to);
            let fewer = ways.paths.len().saturating_sub(1);
            let mut sets = Vec::new();
            for spared in 0..ways.cut.len() {
                sets.push([&ways.cut[..spared], &ways.cut[spared + 1..]].concat());
            }
            for _ in 0..4 {
                let mut paths = ways.paths.clone();
                draws.shuffle(&mut paths);
                let mut edge_of = |path: &Vec<ProcessId>| {
                    let at = draws.below(path.len() as u32 - 1) as usize;
                    (path[at], path[at + 1])
                };
                sets.push(paths[..fewer].iter().map(&mut edge_of).collect());
                sets.push((0..fewer).map(|_| edges[draws.below(edges.len() as u32) as usize]).collect());
            }
            found.fewer += sets.len() as u64;
            found.survived +=
                sets.iter().filter(|set| reaches(&without(graph, set), from, to)).count() as u64;
            found.cuts += 1;
            found.parted += u64::from(!reaches(&without(graph, &ways.cut), from, to));
            found.paths += ways.paths.len() as u64;
            found.pairs += 1;
        }
        found
    }

    /// As Menger has it.
    fn as_said(&self) -> bool {
        self.survived == self.fewer && self.parted == self.cuts
    }

    fn mean_paths(&self) -> f64 {
        self.paths as f64 / self.pairs as f64
    }
}

pub(super) fn top_02(effort: &Effort) -> Result<Finding, String> {
    let pairs = if effort.quick { 15 } else { 200 };
    let text = |error: GraphError| error.to_string();
    let graphs = [
        ("ring", ring(60)),
        ("torus", torus(100, 10).map_err(text)?),
        ("hypercube", hypercube(6).map_err(text)?),
        ("random regular", random_regular(200, 5, 1).map_err(text)?),
        ("small world", watts_strogatz(200, 6, 0.2, 1).map_err(text)?),
        ("preferential", preferential_attachment(200, 3, 1).map_err(text)?),
    ];
    let found: Vec<(&str, Failures)> =
        graphs.iter().map(|(name, graph)| (*name, Failures::of(graph, pairs, 1))).collect();
    let trees = Failures::of(&tree(100, 2), pairs, 1);
    // In a tree every edge parts somebody, in a ring none does.
    let parts = |graph: &Graph| {
        graph.edge_list().filter(|edge| components(&without(graph, &[*edge])).count() > 1).count()
    };
    let (ring_parts, tree_parts) = (parts(&graphs[0].1), parts(&tree(100, 2)));
    let lines: Vec<String> = found
        .iter()
        .map(|(name, one)| {
            format!(
                "{name} {:.2} paths, {} of {} sets survived, {} of {} cuts parted",
                one.mean_paths(),
                one.survived,
                one.fewer,
                one.parted,
                one.cuts
            )
        })
        .collect();
    Ok(Finding {
        holds: found.iter().all(|(_, one)| one.as_said() && one.mean_paths() >= 2.0) && ring_parts == 0,
        control_fails: trees.mean_paths() == 1.0 && trees.parted == trees.cuts && tree_parts == 99,
        measured: format!(
            "{pairs} pairs each: {}; single edges that part a ring: {ring_parts}; control: tree {:.2} paths, {} of {} cuts of one edge \
             parted, {tree_parts} of 99 edges part it",
            lines.join("; "),
            trees.mean_paths(),
            trees.parted,
            trees.cuts,
        ),
        predicted: "k paths survive any k - 1 failures and not their cut: 2 paths in a ring, 4 in the torus, 6 in the hypercube, 1 in a tree"
            .to_owned(),
        charts: Vec::new(),
    })
}
