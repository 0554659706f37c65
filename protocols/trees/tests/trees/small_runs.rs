//! Every order of every small run: what the book proves, on all small graphs, and what goes wrong without its assumptions.

use std::sync::Arc;

use isles_graph::{Graph, line, ring};
use isles_kernel::{Data, OpId, Payload, ProcessId};
use isles_trees::every_root::{self, Elect, EveryRoot, all_agree, one_leader};
use isles_trees::gather::{Census, Gather, Members, Nothing};
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::properties::View;
use isles_trees::tree::{self, Answers, Mistake, Op, Reply};
use isles_trees::{Rounds, Routed, SpanningTree, routed};

use crate::graphs::{all_connected, all_strongly_connected};
use crate::orders::{Explored, Faults, Instant, Violation, explore};

const ROOT: ProcessId = ProcessId(0);
const BUILD: fn() -> Vec<(u32, Op)> = || vec![(0, Op::Build(Payload::from("x")))];
const SOUND: Faults = Faults { overtake: false, lose: 0, double: 0 };
const ANSWERED: [Answers; 3] = [Answers::Children, Answers::Acks, Answers::Echo];

/// What must hold at every instant, and at the end.
fn holds<V: Data>(
    view: &View<'_, V>,
    replies: &std::collections::BTreeMap<OpId, Reply<V>>,
    expected: Option<&V>,
    at_rest: bool,
) -> Result<(), String> {
    let said = |flaw: tree::properties::Flaw| flaw.to_string();
    view.parents_form_tree().map_err(said)?;
    view.children_have_their_parent().map_err(said)?;
    view.nobody_reports_early().map_err(said)?;
    if at_rest {
        view.spans().map_err(said)?;
        let found = replies.get(&OpId(0)).and_then(|reply| match reply {
            Reply::Built(value) => Some(value),
            Reply::Sent | Reply::Refused => None,
        });
        if found != expected {
            return Err(format!("the root found {found:?}, not {expected:?}"));
        }
    }
    Ok(())
}

fn all_orders<G: Gather>(
    config: &tree::Config<G>,
    expected: Option<&G::Value>,
    faults: Faults,
) -> Result<Explored, Violation> {
    let graph = Arc::clone(&config.graph);
    explore::<SpanningTree<G>>(
        config,
        graph.nodes(),
        &BUILD(),
        faults,
        |_| false,
        |now, at_rest| {
            let view = View::new(&graph, ROOT, now.states());
            if !config.forget {
                view.senders_are_inside(now.under_way()).map_err(|flaw| flaw.to_string())?;
            }
            holds(&view, &now.replies, expected, at_rest)
        },
    )
}

fn members(graph: &Graph) -> Vec<ProcessId> {
    graph.ids().collect()
}

#[test]
fn asynch_spanning_tree_is_a_tree_in_every_order_on_every_graph_of_up_to_five() {
    let (mut states, mut graphs) = (0, 0);
    for graph in (1..=5).flat_map(all_connected) {
        // The densest have too many orders for a test; claim TREE-08 has them.
        if graph.edges() <= 6 {
            let config = tree::Config::new(graph, Nothing, Answers::None);
            states += all_orders(&config, None, SOUND).unwrap_or_else(|found| panic!("{found:#?}")).states;
            graphs += 1;
        }
    }
    assert_eq!((graphs, states), (596, 63_676));
}

#[test]
fn every_way_of_answering_ends_in_every_order_with_everyone_counted_once() {
    let count = |answers| {
        let of = |graph: Graph| {
            let expected = members(&graph);
            let config = tree::Config::new(graph, Members, answers);
            all_orders(&config, Some(&expected), SOUND).unwrap_or_else(|found| panic!("{found:#?}")).states
        };
        (1..=4).flat_map(all_connected).map(of).sum::<usize>()
    };
    assert_eq!(ANSWERED.map(count), [77_279, 11_780, 4_661]);
}

/// AsynchBcastAck: when the root knows that everybody has the message, everybody has forgotten it.
fn with_forgetting(graph: Graph, faults: Faults) -> Result<Explored, Violation> {
    let config = tree::Config { forget: true, ..tree::Config::new(graph, Nothing, Answers::Acks) };
    let nodes = config.graph.nodes();
    let joined = |event: &tree::Event<()>| matches!(event, tree::Event::Joined { .. });
    explore::<SpanningTree<Nothing>>(&config, nodes, &BUILD(), faults, joined, |now, at_rest| {
        if let Some(twice) = now.marks.iter().position(|joined| *joined > 1) {
            return Err(format!("p{twice} has forgotten, and is searched again"));
        }
        let inside = now.states().find(|(_, process)| process.inside().is_some());
        match (now.replies.is_empty(), inside) {
            (true, None) if at_rest => Err("the root never knows".to_owned()),
            (false, Some((process, _))) => {
                Err(format!("the root knows that all is done, and {process} is in the tree"))
            }
            (true | false, _) => Ok(()),
        }
    })
}

#[test]
fn who_forgets_after_reporting_is_never_searched_again_over_fifo_channels() {
    let of = |graph| with_forgetting(graph, SOUND).unwrap_or_else(|found| panic!("{found:#?}")).states;
    assert_eq!((1..=4).flat_map(all_connected).map(of).sum::<usize>(), 11_544);
}

/// The controls of TREE-08: each assumption about channels is needed.
#[test]
fn without_order_without_reliability_without_single_delivery_something_goes_wrong() {
    let triangle = || ring(3);
    let mut told = String::new();
    let mut tell = |what: &str, found: Result<Explored, Violation>| {
        let Err(Violation { flaw, steps }) = found else { panic!("{what}: nothing goes wrong") };
        told += &format!("# {what}\n{}\n=> {flaw}\n\n", steps.join("\n"));
    };
    let overtake = Faults { overtake: true, ..SOUND };
    let (lose, double) = (Faults { lose: 1, ..SOUND }, Faults { double: 1, ..SOUND });
    tell("messages overtake each other", with_forgetting(triangle(), overtake));
    tell("a message arrives twice", with_forgetting(triangle(), double));
    let plain = tree::Config::new(line(3), Nothing, Answers::None);
    tell("a message is lost", all_orders(&plain, None, lose));
    let acks = tree::Config::new(triangle(), Members, Answers::Acks);
    tell(
        "a message arrives twice, and nobody forgets",
        all_orders(&acks, Some(&members(&triangle())), double),
    );
    isles_golden::file("tests/traces/violations.txt", &told);
}

#[test]
fn planted_mistakes_are_found() {
    for mistake in [Mistake::ReportEarly, Mistake::ReportToAll] {
        let graph = ring(4);
        let expected = members(&graph);
        let config =
            tree::Config { mistake: Some(mistake), ..tree::Config::new(graph, Members, Answers::Children) };
        assert!(all_orders(&config, Some(&expected), SOUND).is_err(), "{mistake:?} is not found");
    }
}

/// Rounds that end when everybody was heard, over channels of any latency.
fn in_rounds(graph: Graph, answers: Answers, rounds: u32) -> Explored {
    let (nodes, expected) = (graph.nodes(), members(&graph));
    let child = tree::Config::new(graph.clone(), Members, answers);
    let config = rounds::Config::new(graph.clone(), child, Pace::Synchronizer { rounds }, true);
    let check = |now: &Instant<Rounds<SpanningTree<Members>>>, at_rest: bool| {
        let view = View::new(&graph, ROOT, now.states().map(|(me, process)| (me, process.child())));
        view.is_breadth_first().map_err(|flaw| flaw.to_string())?;
        let expected = (answers != Answers::None).then_some(&expected);
        holds(&view, &now.replies, expected, at_rest)
    };
    explore(&config, nodes, &BUILD(), SOUND, |_| false, check).unwrap_or_else(|found| panic!("{found:#?}"))
}

#[test]
fn trees_that_grow_in_rounds_are_breadth_first_in_every_order() {
    let mut states = 0;
    // Denser graphs of four have too many orders for a test.
    for graph in (1..=4).flat_map(all_connected).filter(|graph| graph.edges() <= 3) {
        // Those at distance k join in round k, counted from 0.
        states += in_rounds(graph.clone(), Answers::None, graph.nodes()).states;
        if graph.nodes() < 4 {
            // Down and up, and two rounds for the last answers.
            let explored = in_rounds(graph, Answers::Children, 7);
            assert_eq!(explored.ends, 1, "rounds leave no choice");
            states += explored.states;
        }
    }
    assert_eq!(states, 11_328);
}

/// The control: without rounds, the triangle's third process may be found the long way round.
#[test]
fn trees_that_grow_without_rounds_need_not_be_breadth_first() {
    let config = tree::Config::new(ring(3), Nothing, Answers::None);
    let found = explore::<SpanningTree<Nothing>>(
        &config,
        3,
        &BUILD(),
        SOUND,
        |_| false,
        |now, _| {
            View::new(&config.graph, ROOT, now.states()).is_breadth_first().map_err(|flaw| flaw.to_string())
        },
    );
    assert_eq!(found.expect_err("a detour may be faster").steps.len(), 3);
}

#[test]
fn answers_find_their_way_in_every_order_where_edges_lead_one_way() {
    let mut states = 0;
    for graph in (1..=3).flat_map(all_strongly_connected) {
        let graph = Arc::new(graph);
        let expected = members(&graph);
        let child = tree::Config::new(Arc::clone(&graph), Members, Answers::Children);
        let config = routed::Config { graph: Arc::clone(&graph), child, route: true };
        let check = |now: &Instant<Routed<SpanningTree<Members>>>, at_rest: bool| {
            let view = View::new(&graph, ROOT, now.states().map(|(me, process)| (me, process.child())));
            holds(&view, &now.replies, Some(&expected), at_rest)
        };
        let explored = explore(&config, graph.nodes(), &BUILD(), SOUND, |_| false, check);
        states += explored.unwrap_or_else(|found| panic!("{found:#?}")).states;
    }
    assert_eq!(states, 2_355);
}

#[test]
fn one_leads_and_all_agree_in_every_order_whoever_begins() {
    let mut states = 0;
    for graph in (1..=3).flat_map(all_connected) {
        let nodes = graph.nodes();
        let census = Census { uids: vec![5, 9, 2] };
        for first in 0..nodes {
            let tree = tree::Config::new(graph.clone(), census.clone(), Answers::Echo);
            let config = every_root::Config { tree, diameter: false };
            let check = |now: &Instant<EveryRoot>, at_rest: bool| {
                one_leader(&config, now.states()).map_err(|two| format!("{two:?} lead"))?;
                all_agree(now.states()).map_err(|two| format!("{two:?} do not agree"))?;
                let done = now.states().all(|(me, process)| process.outcome(&config, me).is_some());
                if at_rest && !done { Err("not everybody knows".to_owned()) } else { Ok(()) }
            };
            let explored = explore(&config, nodes, &[(first, Elect)], SOUND, |_| false, check);
            states += explored.unwrap_or_else(|found| panic!("{found:#?}")).states;
        }
    }
    assert_eq!(states, 14_389);
}
