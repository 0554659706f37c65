//! Every protocol on every topology, and on networks that are real.

use std::path::{Path, PathBuf};

use isles_graph::formats::{Format, read_from};
use isles_graph::{Graph, is_connected};
use isles_lab::facts::{Patience, facts};
use isles_lab::registry::topologies::TOPOLOGIES;
use isles_lab::registry::{BROADCASTS, MEMBERSHIPS, run_seed};
use isles_lab::run::SeedOutcome;
use isles_lab::scenario::{Origin, Scenario, read};

/// Settings that make a graph of 16 processes.
fn settings(topology: &str) -> &'static str {
    match topology {
        "random-pairs" => "p = 0.4\n",
        "random-edges" => "edges = 60\n",
        _ => "",
    }
}

fn scenario(membership: &str, broadcast: &str, topology: &str, folder: &Path) -> Scenario {
    // Whoever asks one neighbour a second takes its time along a line, or until the hub of a star asks the right one.
    let duration = if broadcast.contains("pull") { "220s" } else { "40s" };
    let text = format!(
        "duration = '{duration}'\n[links]\nlatency = {{ model = 'uniform', min = '5ms', max = '50ms' }}\n\
         [membership]\nname = '{membership}'\n[broadcast]\nname = '{broadcast}'\n\
         [[broadcasts]]\nfirst = '20s'\norigin = 3\n{topology}"
    );
    let origin = Origin { name: "network", folder: Some(folder), settings: &[], memory_max: 1 << 30 };
    read(&text, &origin).unwrap_or_else(|error| panic!("{membership} {broadcast}: {error}"))
}

/// What share of all processes the payload reached.
fn reliability(scenario: &Scenario) -> f64 {
    let outcome = run_seed(&scenario.plan, 1, &scenario.selection, &scenario.world, &|_| {});
    let SeedOutcome::Gossip(outcome) = outcome.expect("it can be simulated") else {
        panic!("another family ran")
    };
    assert_eq!(outcome.broadcasts.len(), 1);
    outcome.broadcasts[0].reliability().expect("all are up")
}

fn every_pair(topology: &str, folder: &Path) {
    for membership in MEMBERSHIPS {
        for broadcast in BROADCASTS {
            let scenario = scenario(membership.name, broadcast.name, topology, folder);
            let pair = format!("{} over {} on {topology}", broadcast.name, membership.name);
            assert!(is_connected(&scenario.world.graph), "{pair}: this seed's graph is in parts");
            let least = match (membership.name, broadcast.name) {
                // A view that changes at random may leave somebody in nobody's view for a while.
                ("random-views", _) => 0.9,
                // The hub sends to a few of its leaves, once.
                (_, "eager-push" | "lazy-push") if topology.contains("'star'") => 0.25,
                _ => 1.0,
            };
            let reached = reliability(&scenario);
            assert!(reached >= least, "{pair}: {reached}");
        }
    }
}

#[test]
fn every_protocol_runs_on_every_topology() {
    for topology in TOPOLOGIES {
        let name = topology.name;
        let table = format!("[processes]\ncount = 16\n[topology]\nkind = '{name}'\n{}", settings(name));
        every_pair(&table, Path::new("."));
    }
}

#[test]
fn every_protocol_runs_on_a_network_out_of_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    every_pair("[topology]\nkind = 'file'\nfile = 'geant-2010.graphml'\n", &folder);
    every_pair("[topology]\nkind = 'file'\nfile = 'aws-2025.csv'\n", &folder);
    let scenario =
        scenario("static", "flood", "[topology]\nkind = 'file'\nfile = 'geant-2010.graphml'\n", &folder);
    assert_eq!((scenario.plan.processes, scenario.world.graph.edges()), (37, 56));
}

/// Where measured networks are, if somebody put them beside the sources.
fn measured() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/data/networks")).find(|folder| folder.is_dir())
}

#[test]
fn published_networks_have_their_published_figures() {
    let Some(folder) = measured() else { return };
    // Nodes, edges, diameter and radius without directions.
    let edge_lists =
        [("as/as20000102.txt", 6_474, 12_572, 9, 5), ("gnutella/p2p-Gnutella08.txt", 6_301, 20_777, 9, 6)];
    for (name, nodes, edges, diameter, radius) in edge_lists {
        let mut file = std::fs::File::open(folder.join(name)).expect("it is there");
        let mut named = read_from(Format::EdgeList, &mut file).expect("an edge list");
        named.graph = named.graph.undirected();
        let found = facts(&named, Patience::Some);
        let distances = found.distances.expect("asked for");
        assert_eq!((found.nodes, found.edges), (nodes, edges), "{name}");
        assert_eq!((distances.diameter, distances.radius), (diameter, radius), "{name}");
    }
}

#[test]
fn networks_of_the_topology_zoo_carry_a_broadcast() {
    let Some(folder) = measured() else { return };
    let lines = std::fs::read_to_string(folder.join("topology/topozoo_a.jsonl")).expect("it is there");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zoo");
    std::fs::create_dir_all(&place).expect("it can be made");
    for line in lines.lines() {
        let zoo: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let nodes = zoo["nodes"].as_array().expect("nodes");
        let number = |id: &serde_json::Value| {
            nodes.iter().position(|node| node["id"] == *id).map(|place| place as u32)
        };
        let edges = zoo["edges_km"].as_array().expect("edges");
        let edges: Vec<(u32, u32)> =
            edges.iter().filter_map(|edge| Some((number(&edge[0])?, number(&edge[1])?))).collect();
        let graph = Graph::from_edges(nodes.len() as u32, &edges);
        let found = facts(&graph.clone().into(), Patience::Some);
        let distances = found.distances.expect("it is small");
        assert_eq!(zoo["stats"]["links"], graph.edges(), "{}", zoo["name"]);
        assert_eq!(zoo["stats"]["diameter_hops"], distances.diameter, "{}", zoo["name"]);
        let mut text = Vec::new();
        isles_graph::formats::write(Format::GraphMl, &graph.into(), &mut text).expect("GraphML holds it");
        std::fs::write(place.join("net.graphml"), text).expect("it can be written");
        let table = "[topology]\nkind = 'file'\nfile = 'net.graphml'\n";
        assert_eq!(reliability(&scenario("static", "plumtree", table, &place)), 1.0, "{}", zoo["name"]);
    }
}
