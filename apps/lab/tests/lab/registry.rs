//! Every registered protocol can be run, with every other one.

use isles_lab::registry::params::Values;
use isles_lab::registry::topologies::TOPOLOGIES;
use isles_lab::registry::{BROADCASTS, FAMILIES, MEMBERSHIPS, TREES, run_seed};
use isles_lab::scenario::{Origin, Scenario, read};

fn scenario(membership: &str, broadcast: &str) -> Scenario {
    let text = format!(
        "duration = '40s'\n[processes]\ncount = 60\n[links]\nlatency = {{ model = 'uniform', min = '5ms', max = '50ms' }}\n[topology]\nkind = 'random-regular'\ndegree = 4\n\
         [membership]\nname = '{membership}'\n[broadcast]\nname = '{broadcast}'\n\
         [[broadcasts]]\nfirst = '20s'\ncount = 2\norigin = 3\n"
    );
    let origin = Origin { name: "pair", folder: None, settings: &[], memory_max: 1 << 30 };
    read(&text, &origin).unwrap_or_else(|error| panic!("{membership} {broadcast}: {error}"))
}

#[test]
fn every_pair_of_protocols_delivers() {
    for membership in MEMBERSHIPS {
        for broadcast in BROADCASTS {
            let scenario = scenario(membership.name, broadcast.name);
            let run = |seed| {
                let outcome = run_seed(&scenario.plan, seed, &scenario.selection, &scenario.world, &|_| {});
                outcome.expect("it can be simulated").gossip().expect("it is a gossip scenario").clone()
            };
            let outcome = run(1);
            let pair = format!("{} over {}", broadcast.name, membership.name);
            assert_eq!(outcome.broadcasts.len(), 2, "{pair}");
            // One-directional views without repair miss some.
            let enough = if membership.name == "random-views" { 0.9 } else { 0.98 };
            for one in &outcome.broadcasts {
                let reliability = one.reliability().expect("all are up");
                assert!(reliability >= enough, "{pair}: {reliability}");
            }
            assert_eq!(run(1).digest, outcome.digest, "{pair}");
            assert_ne!(run(2).digest, outcome.digest, "{pair}");
        }
    }
}

/// Every tree protocol over every kind of topology: it reaches all that there is to reach, with as many messages as its
/// formula says, breadth-first if it runs in rounds.
#[test]
fn every_tree_protocol_runs_on_every_topology() {
    for topology in TOPOLOGIES {
        for entry in TREES {
            let text = format!(
                "duration = '40s'\n[processes]\ncount = 64\n[links]\nlatency = {{ model = 'uniform', min = '5ms', max = '50ms' }}\n\
                 [topology]\nkind = '{}'\n[tree]\nname = '{}'\nroot = 3\nat = '1s'\n",
                topology.name, entry.name
            );
            let settings = if entry.params.iter().any(|param| param.name == "bundle") {
                vec!["tree.bundle=false".to_owned()]
            } else {
                vec![]
            };
            let origin = Origin { name: "tree", folder: None, settings: &settings, memory_max: 1 << 30 };
            let scenario = read(&text, &origin).unwrap_or_else(|error| panic!("{error}"));
            let outcome = run_seed(&scenario.plan, 1, &scenario.selection, &scenario.world, &|_| {});
            let outcome = outcome.expect("it can be simulated");
            let what = format!("{} over {}", entry.name, topology.name);
            let value = |measure| outcome.value(measure, &scenario.plan);
            for (measure, expected) in [("reached", 1.0), ("counted", 1.0), ("messages-over-formula", 1.0)] {
                assert_eq!(value(measure), Some(expected), "{what}: {measure}");
            }
            assert_eq!(value("rejected"), Some(0.0), "{what}");
            let connected = isles_graph::components(&scenario.world.graph).count();
            let elected = entry.name.ends_with("election") || entry.name == "diameter";
            assert_eq!(value("leaders"), Some(if elected { connected as f64 } else { 0.0 }), "{what}");
            assert!(value("time-to-finish").is_some(), "{what}");
            if value("rounds-to-finish").is_some() {
                assert_eq!(value("breadth-first"), Some(1.0), "{what}");
                assert_eq!(value("height"), value("eccentricity"), "{what}");
            }
            assert_eq!(value("diameter-error"), (entry.name == "diameter").then_some(0.0), "{what}");
        }
    }
}

#[test]
fn every_parameter_has_a_default_that_it_takes_and_a_word_to_say() {
    for entry in FAMILIES.iter().flat_map(|family| family.parts).flat_map(|part| part.entries) {
        // Panics when a default is none.
        assert_eq!(Values::defaults(entry.params).written().count(), entry.params.len());
        assert!(entry.params.iter().all(|param| !param.doc.is_empty()), "{}", entry.name);
        assert!(!entry.doc.is_empty());
    }
}
