//! Explorations by name: what they find, and what of it can be replayed.

use std::ops::ControlFlow;

use isles_explorations::plan::Plan;
use isles_explorations::saved::{self, SavedError};
use isles_explorations::{CaseError, EXPLORATIONS, Outcome, Ready, Takes, Word};

fn plan(name: &str, set: &[(&str, &str)]) -> Plan {
    let set: Vec<_> = set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    Plan::named(name, &set).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn explored(name: &str, set: &[(&str, &str)]) -> Outcome {
    let ready = Ready::new(plan(name, set)).unwrap_or_else(|error| panic!("{name}: {error}"));
    ready
        .search(2, false, Box::new(|_| ControlFlow::Continue(())))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn known_spaces_are_reached_by_name() {
    let states = |name, set: &[(&str, &str)]| {
        let outcome = explored(name, set);
        assert!(outcome.proof, "{}", outcome.summary);
        (outcome.states, outcome.generated)
    };
    assert_eq!(states("paxos", &[]), (16_668, 32_971));
    assert_eq!(states("two-phase-commit", &[]).0, 288);
    assert_eq!(
        states("two-phase-commit", &[("parameters.managers", "7"), ("search.symmetry", "true")]).0,
        920
    );
    assert_eq!(states("abd", &[]).0, 544);
    assert_eq!(states("single-copy", &[]).0, 93);
}

/// Every exploration with every mistake that it knows, a little way: what is found is saved, read and replayed, in the
/// explorer and in the simulator.
#[test]
fn what_is_found_is_replayed_in_both_runtimes() {
    for exploration in EXPLORATIONS {
        let outcome = explored(exploration.name, &[("search.states", "20000"), ("search.whole", "true")]);
        let mut shown = 0;
        for found in &outcome.findings {
            let Some(behaviour) = &found.shown else { continue };
            shown += 1;
            let (_, replayed) = saved::replay(&behaviour.saved)
                .unwrap_or_else(|error| panic!("{}, {}: {error}", exploration.name, found.property));
            assert!(replayed.is_shown(), "{}, {}", exploration.name, found.property);
            assert_eq!(replayed.shown, *behaviour);
        }
        let asked = outcome.findings.iter().filter(|found| found.answer == Word::Reached).count();
        assert!(shown >= asked);
    }
}

#[test]
fn a_mistake_is_found_by_every_search() {
    for kind in ["breadth-first", "depth-first", "random", "priorities", "swarm"] {
        let set = [("parameters.mistake", "hasty"), ("search.kind", kind), ("search.steps", "60")];
        let outcome = explored("two-phase-commit", &set);
        let found = outcome.failure().unwrap_or_else(|| panic!("{kind}: {}", outcome.summary));
        assert_eq!((found.property.as_str(), found.answer), ("consistent", Word::Violated));
        // What is not shortest by itself was shortened.
        assert!(found.steps.is_some_and(|steps| steps <= 8), "{kind}: {:?}", found.steps);
        let shown = found.shown.as_ref().expect("a violation has a behaviour");
        let (_, replayed) = saved::replay(&shown.saved).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(replayed.decided, ["consistent"]);
    }
}

#[test]
fn a_tampered_file_is_refused_with_its_place() {
    let outcome = explored("two-phase-commit", &[("parameters.mistake", "hasty")]);
    let found = outcome.failure().and_then(|found| found.shown.as_ref()).expect("the mistake shows");
    let lines: Vec<&str> = found.saved.lines().collect();
    let refused = |text: String| saved::replay(&text).expect_err("refused");
    assert!(matches!(refused(String::new()), SavedError::Heading(_)));
    assert!(matches!(refused(lines[1..].join("\n")), SavedError::Heading(_)));
    let other = found.saved.replacen("two-phase-commit", "two-phase-comit", 1);
    assert!(refused(other).to_string().contains("did you mean"));
    // Without the mistake the same steps have another outcome, or cannot happen.
    let right = found.saved.replacen("hasty", "none", 1);
    assert!(matches!(refused(right), SavedError::Steps(CaseError::Replay(_))));
    // A step is missing.
    let mut fewer = lines.clone();
    fewer.remove(2);
    match saved::replay(&fewer.join("\n")) {
        Err(SavedError::Steps(_)) => {}
        Err(other) => panic!("{other}"),
        // Possible, and shows nothing.
        Ok((_, replayed)) => assert!(!replayed.is_shown()),
    }
    let torn = &found.saved[..found.saved.len() - 9];
    assert!(matches!(refused(torn.to_owned()), SavedError::Steps(CaseError::Trace(_))));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |name, set: &[(&str, &str)]| {
        let ready = Ready::new(plan(name, set)).map_err(|error| error.to_string());
        ready
            .and_then(|ready| {
                let watcher = Box::new(|_| ControlFlow::Continue(()));
                ready.search(1, false, watcher).map_err(|error| error.to_string())
            })
            .expect_err("refused")
    };
    assert!(refused("paxso", &[]).contains("did you mean 'paxos'"));
    assert!(refused("paxos", &[("parameters.server", "3")]).contains("did you mean 'servers'"));
    assert!(refused("paxos", &[("parameters.servers", "0")]).contains("2 to 7"));
    assert!(refused("paxos", &[("search.symmetry", "true")]).contains("leave symmetry out"));
    let swarm = [("search.kind", "swarm"), ("search.bits", "50")];
    assert!(refused("paxos", &swarm).contains("2^10 to 2^40"));
    let disk = [("search.kind", "random"), ("search.disk", "\"x\"")];
    assert!(refused("paxos", &disk).contains("only a breadth-first search"));
    let bug = [("search.kind", "priorities"), ("search.bug-depth", "0")];
    assert!(refused("paxos", &bug).contains("1 and more"));
    let groups = [("world.cuts", "1"), ("world.groups", "[[7]]")];
    assert!(refused("paxos", &groups).contains("7"), "a group of nobody");
}

/// The least and the most of each number, and every word, alone: nothing panics, whatever is asked for.
#[test]
fn every_value_of_every_parameter_is_searched_or_refused() {
    for exploration in EXPLORATIONS {
        for parameter in exploration.parameters {
            let values: Vec<String> = match parameter.takes {
                Takes::Number { least, most, .. } => vec![least.to_string(), most.to_string()],
                Takes::Word(words) => words.iter().map(|word| format!("{word:?}")).collect(),
            };
            for value in values {
                let path = format!("parameters.{}", parameter.name);
                let plan = plan(exploration.name, &[(&path, &value), ("search.states", "300")]);
                let Ok(ready) = Ready::new(plan) else { continue };
                let outcome = ready.search(1, false, Box::new(|_| ControlFlow::Continue(())));
                assert!(outcome.is_ok(), "{}: {path} = {value}: {outcome:?}", exploration.name);
            }
        }
    }
}
