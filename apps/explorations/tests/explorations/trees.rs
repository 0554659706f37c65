//! TREE-08.

use isles_explorations::scenarios::tree::{Channels, Parameters, connected_graphs, scenario};
use isles_explorations::scenarios::{election, rounds};
use isles_graph::{line, ring};
use isles_trees::tree::{Answers, Mistake};

use crate::{explore, failures};

#[test]
fn graphs_that_differ_by_names_count_once() {
    let counts: Vec<usize> = (1..=5).map(|nodes| connected_graphs(nodes).len()).collect();
    assert_eq!(counts, [1, 1, 3, 11, 58], "connected graphs with one node marked");
}

/// Explores all graphs of up to so many nodes and of at most seven edges.
fn prove(nodes: u32, parameters: &Parameters) -> u64 {
    let few = (1..=nodes).flat_map(connected_graphs).filter(|graph| graph.edges() <= 7);
    few.map(|graph| {
        let report = explore(scenario(Parameters { graph, ..parameters.clone() }));
        assert!(report.is_proof(), "{parameters:?}: {report}");
        report.states
    })
    .sum()
}

#[test]
fn trees_are_trees_in_every_order_on_every_graph() {
    let answered = |answers| Parameters { answers, ..Parameters::default() };
    // Denser graphs are for `isles explore`.
    let forgetting = Parameters { forget: true, ..answered(Answers::Acks) };
    let states = [
        prove(5, &answered(Answers::None)),
        prove(4, &answered(Answers::Acks)),
        prove(4, &answered(Answers::Echo)),
        prove(4, &forgetting),
        prove(3, &answered(Answers::Children)),
    ];
    assert_eq!(states, [24_372, 8_206, 2_644, 8_106, 146]);
}

#[test]
fn each_assumption_about_channels_is_needed() {
    let acks = |channels| {
        let answers = Answers::Acks;
        scenario(Parameters { graph: ring(3), answers, forget: true, channels, ..Parameters::default() })
    };
    assert_eq!(failures(acks(Channels::Reliable)), [""; 0]);
    assert_eq!(failures(acks(Channels::Unordered)), ["everybody is counted once"]);
    let doubled = failures(acks(Channels::Doubling(1)));
    assert_eq!(
        doubled,
        ["parents form a tree", "when the root knows, everybody has forgotten", "everybody is counted once"]
    );
    let lossy = Parameters { graph: line(3), channels: Channels::Lossy(1), ..Parameters::default() };
    assert_eq!(failures(scenario(lossy)), ["everybody is reached"]);
}

#[test]
fn mistakes_are_found() {
    let with = |mistake| {
        let answers = Answers::Children;
        failures(scenario(Parameters { answers, mistake: Some(mistake), ..Parameters::default() }))
    };
    assert_eq!(with(Mistake::ReportEarly), ["nobody reports early", "everybody is counted once"]);
    assert_eq!(with(Mistake::ReportToAll), ["children have their parent", "everybody is counted once"]);
}

#[test]
fn trees_that_grow_in_rounds_are_breadth_first_in_every_order() {
    for graph in [ring(4), line(4)] {
        let report = explore(rounds::scenario(rounds::Parameters { graph, mistake: None }));
        assert!(report.is_proof(), "{report}");
    }
}

#[test]
fn one_leads_and_all_know_in_every_order() {
    for (graph, answers) in [(line(3), Answers::Echo), (line(3), Answers::Children), (ring(3), Answers::Echo)]
    {
        let report = explore(election::scenario(election::Parameters { graph, answers, mistake: None }));
        assert!(report.is_proof(), "{report}");
    }
}
