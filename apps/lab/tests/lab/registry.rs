//! Every registered protocol can be run, with every other one.

use isles_lab::registry::params::Values;
use isles_lab::registry::{BROADCASTS, MEMBERSHIPS, run_seed};
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
                run_seed(
                    &scenario.plan,
                    seed,
                    &scenario.membership,
                    &scenario.broadcast,
                    &scenario.world,
                    &|_| {},
                )
                .expect("it can be simulated")
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

#[test]
fn every_parameter_has_a_default_that_it_takes_and_a_word_to_say() {
    for entry in MEMBERSHIPS.iter().chain(BROADCASTS) {
        // Panics when a default is none.
        assert_eq!(Values::defaults(entry.params).written().count(), entry.params.len());
        assert!(entry.params.iter().all(|param| !param.doc.is_empty()), "{}", entry.name);
        assert!(!entry.doc.is_empty());
    }
}
