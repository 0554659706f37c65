//! Messages and times against their formulas: over every kind of graph, exactly.

use std::collections::BTreeMap;
use std::sync::Arc;

use isles_graph::{Graph, all_pairs, complete};
use isles_kernel::{ProcessId, Protocol, Span, Time};
use isles_sim::{Links, Observer, Setup, Simulation};
use isles_trees::Rounds;
use isles_trees::every_root::{self, Elect, EveryRoot, Outcome, all_agree, one_leader};
use isles_trees::gather::{Census, Nothing, Sum};
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::{self, Answers};

use crate::graphs::{all_connected, one_of_each, one_way};
use crate::runs::{ROOT, ROUND, Told, constant, eccentricity, flooded, in_rounds, jitter, kinds};

/// A way of answering, its messages by kind, and how many rounds it may take beyond twice the eccentricity.
type Row<'a> = (Answers, &'a [(&'a str, u64)], u64);

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().filter(|(_, count)| *count > 0).map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// How many rounds after the root a thing happened.
fn rounds_after<V>(told: &Told<V>, at: Time) -> u64 {
    at.since(told.joined[&ROOT]).0 / ROUND.0
}

fn last<V>(told: &Told<V>) -> u64 {
    rounds_after(told, told.joined.values().copied().max().expect("the root joins"))
}

#[test]
fn sync_bfs_sends_one_search_over_every_directed_edge_and_takes_as_many_rounds_as_the_farthest_is_far() {
    let graphs = one_of_each(80, 3)
        .into_iter()
        .chain([("one-way", one_way(50, 70, 1)), ("one-way ring", one_way(9, 0, 1))]);
    for (name, graph) in graphs {
        let config = tree::Config { to_parent: true, ..tree::Config::new(graph, Nothing, Answers::None) };
        let (sim, told) = in_rounds(&config, true);
        assert_eq!(kinds(&sim), counts(&[("One.Search", config.graph.arcs() as u64)]), "{name}");
        assert_eq!(last(&told), u64::from(eccentricity(&config.graph)), "{name}");
        assert_eq!(told.joined.len(), config.graph.nodes() as usize, "{name}");
    }
}

#[test]
fn every_way_of_answering_has_its_exact_count_in_rounds_and_without() {
    let small = (2..=5).flat_map(all_connected).map(|graph| ("small", graph));
    for (name, graph) in one_of_each(50, 2).into_iter().chain(small) {
        let (arcs, others) = (graph.arcs() as u64, u64::from(graph.nodes()) - 1);
        let searches = arcs - others;
        let depth = u64::from(eccentricity(&graph));
        // Which messages, and how many rounds more than down and up.
        let rows: [Row<'_>; 4] = [
            (Answers::None, &[("Search", searches)], 0),
            (
                Answers::Children,
                &[
                    ("Search", searches),
                    ("Parent", others),
                    ("NonParent", searches - others),
                    ("Report", others),
                ],
                2,
            ),
            (Answers::Acks, &[("Search", searches), ("NonParent", searches - others), ("Report", others)], 2),
            (Answers::Echo, &[("Search", searches), ("Report", others)], 1),
        ];
        for (answers, expected, slack) in rows {
            let config = tree::Config::new(graph.clone(), Nothing, answers);
            let (sim, _) = flooded(&config, 3, jitter());
            assert_eq!(kinds(&sim), counts(expected), "{name} {answers:?}");
            let (sim, told) = in_rounds(&config, false);
            let bare = kinds(&sim).into_iter().map(|(kind, count)| (kind.replace("One.", ""), count));
            assert_eq!(bare.collect::<BTreeMap<_, _>>(), counts(expected), "{name} {answers:?} in rounds");
            // Down and up along shortest paths; the last answers may take a round each way more.
            let finish = told.built.as_ref().map(|(at, ())| rounds_after(&told, *at));
            let within = finish.is_none_or(|rounds| (2 * depth..=2 * depth + slack).contains(&rounds));
            assert!(within, "{name} {answers:?}: {finish:?} rounds to a depth of {depth}");
            assert_eq!(finish.is_some(), answers != Answers::None);
        }
    }
}

#[test]
fn a_payload_costs_nothing_when_carried_and_a_message_for_each_child_when_sent_later() {
    for (name, graph) in one_of_each(50, 4) {
        let nodes = u64::from(graph.nodes());
        let carried = tree::Config::new(graph, Nothing, Answers::Echo);
        let later = tree::Config { carry: false, ..carried.clone() };
        let (sim, told) = in_rounds(&carried, false);
        let depth = u64::from(eccentricity(&carried.graph));
        let first =
            |told: &Told<()>| rounds_after(told, told.delivered.values().copied().max().expect("some"));
        assert_eq!((sim.counters().sent(), first(&told)), (carried.graph.arcs() as u64, depth), "{name}");
        let (sim, told) = in_rounds(&later, false);
        assert_eq!(sim.counters().sent(), later.graph.arcs() as u64 + nodes - 1, "{name}");
        assert!((3 * depth..=3 * depth + 1).contains(&first(&told)), "{name}: {} {depth}", first(&told));
        assert_eq!((told.deliveries as u64, told.delivered.len() as u64), (nodes, nodes), "{name}");
    }
}

#[test]
fn flooding_takes_no_longer_than_the_greatest_delay_over_a_shortest_path() {
    // Every delay is the same: the bound of AsynchSpanningTree is reached, and the tree is breadth-first by chance.
    for (name, graph) in one_of_each(80, 6) {
        let config = tree::Config::new(graph, Sum(vec![3; 80]), Answers::Echo);
        let (_, told) = flooded(&config, 1, constant());
        let span = told.joined.values().copied().max().expect("some").since(Time::ZERO);
        assert_eq!(span, Span::millis(10).times(u64::from(eccentricity(&config.graph))), "{name}");
        assert_eq!(told.built.map(|built| built.1), Some(3 * u64::from(config.graph.nodes())), "{name}");
    }
}

/// What all processes of a run found, by process, and when the last one did.
#[derive(Default)]
struct Elected {
    by_process: BTreeMap<ProcessId, Outcome>,
    last: Time,
}

impl<P: Protocol<Event = every_root::Event, Reply = Outcome>> Observer<P> for Elected {
    fn on_event(&mut self, at: Time, process: ProcessId, event: &every_root::Event) {
        let every_root::Event::Done(outcome) = event else { panic!("{event:?}") };
        assert!(self.by_process.insert(process, *outcome).is_none());
        self.last = at;
    }
}

/// Everybody is asked at once.
fn elect<P: Protocol<Op = Elect, Event = every_root::Event, Reply = Outcome>>(
    processes: u32,
    links: Links,
    config: P::Config,
) -> (Simulation<P>, Elected) {
    let setup = Setup { links, ..Setup::new(processes, 4, config) };
    let mut sim = Simulation::<P>::new(setup).expect("a possible set-up");
    for process in 0..processes {
        sim.invoke(ProcessId(process), Elect);
    }
    let mut elected = Elected::default();
    assert!(sim.run_to_quiescence(Time::ZERO + Span::secs(3_600), &mut elected), "it comes to rest");
    (sim, elected)
}

fn everybody(graph: Graph, diameter: bool) -> every_root::Config {
    // UIDs that have nothing to do with the order of processes.
    let uids = (0..u64::from(graph.nodes())).map(|process| process * 7_919 % 104_729).collect();
    every_root::Config { tree: tree::Config::new(graph, Census { uids }, Answers::Echo), diameter }
}

fn leader(config: &every_root::Config) -> Option<ProcessId> {
    config.tree.graph.ids().max_by_key(|process| config.tree.gather.uid(*process))
}

#[test]
fn with_everybody_a_root_one_leads_and_it_takes_two_messages_an_edge_a_root() {
    for (name, graph) in one_of_each(30, 8) {
        let config = everybody(graph, false);
        let (nodes, edges) = (config.tree.graph.nodes(), config.tree.graph.edges() as u64);
        let (sim, elected) = elect::<EveryRoot>(nodes, jitter(), config.clone());
        assert_eq!(sim.counters().sent(), 2 * edges * u64::from(nodes), "{name}");
        assert_eq!(one_leader(&config, sim.live()), Ok(()), "{name}");
        assert_eq!(all_agree(sim.live()), Ok(()), "{name}");
        let leaders: Vec<ProcessId> = elected
            .by_process
            .iter()
            .filter(|(_, outcome)| outcome.leads)
            .map(|(process, _)| *process)
            .collect();
        assert_eq!(leaders, Vec::from_iter(leader(&config)), "{name}");
        assert!(elected.by_process.values().all(|outcome| outcome.found.count == nodes), "{name}");
    }
}

#[test]
fn in_rounds_everybody_learns_its_eccentricity_and_the_diameter() {
    for (name, graph) in one_of_each(30, 9).into_iter().chain([("one", Graph::from_edges(1, &[]))]) {
        let exact = all_pairs(&graph);
        let diameter = exact.eccentricities.diameter().expect("it is connected");
        let config = everybody(graph, true);
        let graph = Arc::clone(&config.tree.graph);
        let (nodes, edges) = (graph.nodes(), graph.edges() as u64);
        for bundle in [false, true] {
            let paced = rounds::Config::new(Arc::clone(&graph), config.clone(), Pace::Clock(ROUND), bundle);
            let (sim, elected) = elect::<Rounds<EveryRoot>>(nodes, constant(), paced);
            for (process, outcome) in &elected.by_process {
                assert_eq!(outcome.diameter, Some(diameter), "{name}");
                let found = exact.eccentricities.of.get(process.index()).copied();
                assert_eq!(found, Some(outcome.found.depth_max), "{name} {process}");
            }
            // From the first round, which begins at the first tick.
            let rounds = elected.last.0 / ROUND.0 - 1;
            assert!(rounds <= 3 * u64::from(diameter) + 2, "{name}: {rounds} rounds");
            let sent = sim.counters().sent();
            let roots = u64::from(nodes);
            if bundle {
                assert!(sent <= 2 * edges * (3 * u64::from(diameter) + 2), "{name}: {sent}");
            } else {
                assert_eq!(sent, 2 * edges * roots + roots * (roots - 1), "{name}");
            }
        }
    }
}

/// The control: without rounds, trees may be deeper than need be, and the diameter comes out too large.
#[test]
fn without_rounds_the_diameter_may_come_out_too_large() {
    let graph = complete(12).expect("small");
    let diameter = all_pairs(&graph).eccentricities.diameter();
    let config = everybody(graph, true);
    let (_, elected) = elect::<EveryRoot>(config.tree.graph.nodes(), jitter(), config);
    assert!(elected.by_process.values().all(|outcome| outcome.diameter > diameter));
}

#[test]
fn whoever_begins_alone_wakes_all_others() {
    let config = everybody(isles_graph::ring(9), true);
    let setup = Setup { links: constant(), ..Setup::new(9, 1, config) };
    let mut sim = Simulation::<EveryRoot>::new(setup).expect("a possible set-up");
    sim.invoke(ProcessId(4), Elect);
    let mut elected = Elected::default();
    assert!(sim.run_to_quiescence(Time::ZERO + Span::secs(60), &mut elected));
    assert_eq!(elected.by_process.len(), 9);
}
