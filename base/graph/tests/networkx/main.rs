//! Every metric, beside networkx (https://networkx.org): on 200 graphs of all generators, and on real networks where the folder of data
//! is there. What networkx found is kept in `golden.txt`; where Python has networkx it is asked again. `UPDATE=1` rewrites the file then;
//! `NETWORKX_PYTHON` names another Python.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use isles_graph::formats::{Format, read};
use isles_graph::*;
use isles_kernel::ProcessId;
use isles_kernel::random::Stream;

struct Sample {
    name: String,
    graph: Graph,
    /// Whether it is small enough for a search from every node and for flows, by Python.
    full: bool,
}

/// The graph with directions, or whole weights, or both, or as it is.
fn varied(graph: &Graph, variant: u64, seed: u64) -> Graph {
    let mut draws = Stream::new(seed, &[variant]);
    let edges: Vec<(u32, u32, f64)> = graph
        .edge_list()
        .flat_map(|(a, b)| {
            let weight = |draws: &mut Stream| f64::from(1 + draws.below(9));
            let (forth, back) = ((a.0, b.0, weight(&mut draws)), (b.0, a.0, weight(&mut draws)));
            match draws.below(4) {
                0 => vec![forth],
                1 => vec![back],
                _ => vec![forth, back],
            }
        })
        .collect();
    let arcs: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.0, edge.1)).collect();
    match variant {
        0 => graph.clone(),
        1 => Graph::weighted(graph.nodes(), false, &edges),
        2 => Graph::from_arcs(graph.nodes(), &arcs),
        _ => Graph::weighted(graph.nodes(), true, &edges),
    }
}

/// 200 graphs: 25 generators, each twice as it is, weighted, directed and both.
fn generated() -> Vec<Sample> {
    let mut samples = Vec::new();
    for seed in 0..2u64 {
        let n = 24 + 17 * seed as u32;
        let even = n - n % 2;
        let world = Kleinberg { side: 5 + seed as u32, links: 1, exponent: 2.0, seed };
        let two_parts = {
            let mut edges: Vec<(u32, u32)> = ring(n / 2).edge_list().map(|(a, b)| (a.0, b.0)).collect();
            edges.extend((n / 2 + 1..n).map(|node| (node - 1, node)));
            Graph::from_edges(n + 2, &edges)
        };
        let made = [
            ("ring", Ok(ring(n))),
            ("line", Ok(line(n))),
            ("star", Ok(star(n))),
            ("tree", Ok(tree(n, 2))),
            ("grid", Ok(grid(n, 5))),
            ("complete", complete(5 + 4 * seed as u32)),
            ("torus", torus(5 * (n / 5), 5)),
            ("hypercube", hypercube(3 + seed as u32)),
            ("regular-3", random_regular(even, 3, seed)),
            ("regular-4", random_regular(even, 4, seed)),
            ("pairs-sparse", random_pairs(n, 0.04, seed)),
            ("pairs-critical", random_pairs(n, 0.09, seed)),
            ("pairs-dense", random_pairs(n, 0.3, seed)),
            ("edges-few", random_edges(n, u64::from(n) / 2, seed)),
            ("edges-many", random_edges(n, 2 * u64::from(n), seed)),
            ("small-world-0", watts_strogatz(n, 4, 0.0, seed)),
            ("small-world-0.1", watts_strogatz(n, 4, 0.1, seed)),
            ("small-world-1", watts_strogatz(n, 6, 1.0, seed)),
            ("preferential-1", preferential_attachment(n, 1, seed)),
            ("preferential-2", preferential_attachment(n, 2, seed)),
            ("uniform-2", uniform_attachment(n, 2, seed)),
            ("geometric-sparse", random_geometric(n, 0.15, false, seed).map(|found| found.graph)),
            ("geometric-torus", random_geometric(n, 0.3, true, seed).map(|found| found.graph)),
            ("kleinberg", kleinberg(&world).map(|graph| graph.undirected())),
            ("two-parts", Ok(two_parts)),
        ];
        for (name, graph) in made {
            let graph = graph.unwrap_or_else(|why| panic!("{name}: {why}"));
            for (variant, suffix) in (0..).zip(["", "-weighted", "-directed", "-both"]) {
                let graph = varied(&graph, variant, seed);
                samples.push(Sample { name: format!("{name}-{seed}{suffix}"), graph, full: true });
            }
        }
    }
    samples
}

/// The folder of data, which lies beside the repository, if it is there.
fn data() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/data/networks")).find(|folder| folder.is_dir())
}

/// Real networks; none where there are no data.
fn real() -> Vec<Sample> {
    let Some(folder) = data() else { return Vec::new() };
    let text =
        |path: &str| std::fs::read_to_string(folder.join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
    let mut samples = Vec::new();
    for (name, path) in [
        ("as20000102", "as/as20000102.txt"),
        ("p2p-Gnutella04", "gnutella/p2p-Gnutella04.txt"),
        ("p2p-Gnutella05", "gnutella/p2p-Gnutella05.txt"),
        ("p2p-Gnutella08", "gnutella/p2p-Gnutella08.txt"),
        ("p2p-Gnutella24", "gnutella/p2p-Gnutella24.txt"),
        ("p2p-Gnutella31", "gnutella/p2p-Gnutella31.txt"),
    ] {
        let graph = read(Format::EdgeList, &text(path)).unwrap_or_else(|why| panic!("{path}: {why}")).graph;
        samples.push(Sample { name: name.to_owned(), graph, full: false });
    }
    for (index, line) in text("topology/topozoo_a.jsonl").lines().enumerate() {
        let network: serde_json::Value = serde_json::from_str(line).expect("a network a line");
        let list = |key: &str| network[key].as_array().expect("a list").clone();
        let ids: Vec<serde_json::Value> = list("nodes").iter().map(|node| node["id"].clone()).collect();
        let place = |id: &serde_json::Value| ids.iter().position(|other| other == id).expect("a node") as u32;
        let edges: Vec<(u32, u32, f64)> = list("edges_km")
            .iter()
            .map(|edge| (place(&edge[0]), place(&edge[1]), edge[2].as_f64().expect("a length")))
            .collect();
        let name = format!("topology-zoo-{index}");
        samples.push(Sample { name, graph: Graph::weighted(ids.len() as u32, false, &edges), full: true });
    }
    samples
}

fn spread(parts: &Components) -> String {
    let squares: u64 = parts.sizes.iter().map(|size| u64::from(*size).pow(2)).sum();
    format!("{}/{}/{squares}", parts.count(), parts.largest().len())
}

fn nodes_of(nodes: &[ProcessId]) -> String {
    format!("{}/{}", nodes.len(), nodes.iter().map(|node| u64::from(node.0)).sum::<u64>())
}

fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// The line that `measure.py` prints, by our own metrics.
fn figures(sample: &Sample) -> String {
    let Sample { name, graph, full } = sample;
    let last = ProcessId(graph.nodes() - 1);
    let place: u64 = graph.edge_list().map(|(a, b)| (u64::from(a.0) + 1) * (u64::from(b.0) + 3)).sum();
    let around = clustering(graph);
    let shape = [is_tree(graph), is_star(graph), is_ring(graph)].map(|is| if is { '1' } else { '0' });
    let planarity = planarity(graph);
    planarity.verify(graph).unwrap_or_else(|why| panic!("{name}: {why}"));
    let mut line = format!(
        "{name} size={}/{}/{place} weak={} strong={} degrees={} triangles={} clustering={:.9}/{:.9}/{:.9} planar={} shape={}",
        graph.nodes(),
        graph.edges(),
        spread(&components(graph)),
        spread(&strong_components(graph)),
        joined(&degree_counts(graph)),
        around.triangles(),
        around.mean_of_all().unwrap_or(0.0),
        around.mean_of_degree_two_and_more().unwrap_or(0.0),
        around.transitivity().unwrap_or(0.0),
        u32::from(planarity.is_planar()),
        shape.iter().collect::<String>(),
    );
    for source in [ProcessId(0), ProcessId(last.0 / 2)] {
        let near: Vec<u32> = distances(graph, source).into_iter().flatten().collect();
        let weights = weighted_distances(graph, source).expect("no weight is negative");
        let weights: Vec<f64> = weights.into_iter().flatten().collect();
        let (hops, weight) =
            (near.iter().map(|hops| u64::from(*hops)).sum::<u64>(), weights.iter().sum::<f64>());
        write!(line, " hops{0}={1}/{hops} weight{0}={2}/{weight:.6}", source.0, near.len(), weights.len())
            .expect("a string takes all");
    }
    if *full {
        let all = all_pairs(graph);
        let far = eccentricities(graph);
        assert_eq!(far.of, all.eccentricities.of, "{name}");
        let weighed: u64 = (1..).zip(&far.of).map(|(place, of): (u64, _)| place * u64::from(*of)).sum();
        write!(
            line,
            " far={}/{}/{weighed} center={} periphery={} hops={} cut={} paths={}",
            far.radius().expect("there are nodes"),
            far.diameter().expect("there are nodes"),
            nodes_of(&far.center()),
            nodes_of(&far.periphery()),
            joined(&all.hops),
            edge_connectivity(graph),
            edge_disjoint_paths(graph, ProcessId(0), last).paths.len(),
        )
        .expect("a string takes all");
    }
    line
}

/// Whether two lines say the same, numbers with a point up to the last digits.
fn agree(ours: &str, theirs: &str) -> bool {
    let parts = |line: &str| line.split([' ', '=', '/']).map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (parts(ours), parts(theirs));
    let same = |(a, b): (&String, &String)| {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-8 * b.abs().max(1.0);
        a == b || (b.contains('.') && matches!((a.parse(), b.parse()), (Ok(a), Ok(b)) if close(a, b)))
    };
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networkx/golden.txt")
}

/// Compares the samples with the lines of their names in the golden file.
fn compare(samples: &[Sample]) {
    let text = std::fs::read_to_string(golden()).expect("the golden file is there");
    let mut differences = String::new();
    for sample in samples {
        let ours = figures(sample);
        let begin = format!("{} ", sample.name);
        match text.lines().find(|line| line.starts_with(&begin)) {
            Some(theirs) if agree(&ours, theirs) => {}
            theirs => writeln!(differences, "ours     {ours}\nnetworkx {}", theirs.unwrap_or("nothing"))
                .expect("a string takes all"),
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn two_hundred_graphs_have_the_figures_of_networkx() {
    let samples = generated();
    assert_eq!(samples.len(), 200);
    compare(&samples);
}

#[test]
fn real_networks_have_the_figures_of_networkx() {
    let samples = real();
    if samples.is_empty() {
        println!("skipped: no folder shared/data/networks above this one");
    }
    compare(&samples);
}

#[test]
fn a_wrong_figure_is_noticed() {
    let ours = figures(&generated()[0]);
    assert!(agree(&ours, &ours));
    assert!(!agree(&ours, &ours.replace("cut=2", "cut=1")));
    assert!(!agree("a clustering=0.500000000/0.5", "a clustering=0.500001000/0.5"));
    assert!(agree("a clustering=0.500000000/0.5", "a clustering=0.500000001/0.5"));
    assert!(!agree("a hops=5,6", "a hops=5,7") && !agree("a b=1", "a b=1 c=2"));
}

/// A Python that has networkx.
#[expect(clippy::disallowed_methods, reason = "the switch of whoever runs the tests, not of a run")]
fn python() -> Option<String> {
    let name = std::env::var("NETWORKX_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let asked = Command::new(&name).args(["-c", "import networkx"]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success()).then_some(name)
}

/// What networkx says of the samples, a line each.
fn ask(python: &str, samples: &[Sample]) -> String {
    let mut input = String::new();
    for Sample { name, graph, full } in samples {
        let flags = (u32::from(*full), u32::from(graph.is_directed()));
        writeln!(input, "graph {name} {} {} {}", flags.0, flags.1, graph.nodes())
            .expect("a string takes all");
        for (a, b, weight) in graph.weighted_edge_list() {
            writeln!(input, "{} {} {weight}", a.0, b.0).expect("a string takes all");
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networkx/measure.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it ran a moment ago");
    let mut pipe = child.stdin.take().expect("it is piped");
    // The answers fit into no pipe's buffer: they are read while the graphs are written.
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it can be waited for");
    writer.join().expect("it does not panic").expect("Python reads all");
    assert!(output.status.success(), "measure.py failed");
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch of whoever runs the tests, not of a run")]
fn networkx_still_says_what_the_golden_file_says() {
    let Some(python) = python() else {
        println!("skipped: no Python with networkx; golden.txt holds what it said");
        return;
    };
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        let samples: Vec<Sample> = generated().into_iter().chain(real()).collect();
        std::fs::write(golden(), ask(&python, &samples)).expect("the golden file can be written");
        return;
    }
    let text = std::fs::read_to_string(golden()).expect("the golden file is there");
    // The real ones take Python minutes.
    for theirs in ask(&python, &generated()).lines() {
        assert!(text.lines().any(|line| agree(line, theirs)), "{theirs}");
    }
}
