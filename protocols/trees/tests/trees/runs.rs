//! Simulated runs of trees, for the other tests, and what must hold of them under random latencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use isles_graph::{Graph, distances};
use isles_kernel::{OpId, Payload, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Links, Observer, Setup, Simulation};
use isles_trees::gather::{Gather, Members};
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::properties::View;
use isles_trees::tree::{self, Answers, Event, Op, Reply};
use isles_trees::{Rounds, Routed, SpanningTree, routed};

use crate::graphs::{one_of_each, one_way};

pub(crate) const ROOT: ProcessId = ProcessId(0);
/// Of the links of most tests; a round takes twice as long.
pub(crate) const DELAY: Span = Span::millis(10);
pub(crate) const ROUND: Span = Span::millis(20);

/// What a run told.
#[derive(Debug)]
pub(crate) struct Told<V> {
    /// When each process joined.
    pub(crate) joined: BTreeMap<ProcessId, Time>,
    /// When each process had a payload for the first time.
    pub(crate) delivered: BTreeMap<ProcessId, Time>,
    /// How often any process did.
    pub(crate) deliveries: usize,
    pub(crate) rejected: usize,
    /// What the root was answered, and when.
    pub(crate) built: Option<(Time, V)>,
}

impl<V> Default for Told<V> {
    fn default() -> Self {
        let (joined, delivered) = (BTreeMap::new(), BTreeMap::new());
        Self { joined, delivered, deliveries: 0, rejected: 0, built: None }
    }
}

impl<V: Clone, P: Protocol<Event = Event<V>, Reply = Reply<V>>> Observer<P> for Told<V> {
    fn on_event(&mut self, at: Time, process: ProcessId, event: &Event<V>) {
        match event {
            Event::Joined { .. } => {
                assert!(self.joined.insert(process, at).is_none(), "{process} joins twice")
            }
            Event::Delivered(_) => {
                self.delivered.entry(process).or_insert(at);
                self.deliveries += 1;
            }
            Event::Rejected { .. } => self.rejected += 1,
            Event::Finished(_) => {}
        }
    }

    fn on_reply(&mut self, at: Time, _: ProcessId, _: OpId, reply: &Reply<V>) {
        if let Reply::Built(value) = reply {
            self.built = Some((at, value.clone()));
        }
    }
}

pub(crate) fn constant() -> Links {
    Links::constant(DELAY)
}

pub(crate) fn jitter() -> Links {
    Links::law(Distribution::Exponential { min: Span::millis(1), mean: Span::millis(20) })
}

/// Builds a tree from process 0, and lets everything come to rest.
pub(crate) fn run<V: Clone, P: Protocol<Op = Op, Event = Event<V>, Reply = Reply<V>>>(
    processes: u32,
    seed: u64,
    links: Links,
    config: P::Config,
    payload: &str,
) -> (Simulation<P>, Told<V>) {
    let setup = Setup { links, ..Setup::new(processes, seed, config) };
    let mut sim = Simulation::<P>::new(setup).expect("a possible set-up");
    sim.invoke(ROOT, Op::Build(Payload::from(payload)));
    let mut told = Told::default();
    assert!(sim.run_to_quiescence(Time::ZERO + Span::secs(3_600), &mut told), "it comes to rest");
    (sim, told)
}

/// A tree without rounds.
pub(crate) fn flooded<G: Gather>(
    config: &tree::Config<G>,
    seed: u64,
    links: Links,
) -> (Simulation<SpanningTree<G>>, Told<G::Value>) {
    run(config.graph.nodes(), seed, links, config.clone(), "news")
}

/// A tree that grows in rounds of [`ROUND`].
pub(crate) fn in_rounds<G: Gather>(
    config: &tree::Config<G>,
    bundle: bool,
) -> (Simulation<Rounds<SpanningTree<G>>>, Told<G::Value>) {
    let graph = Arc::clone(&config.graph);
    let nodes = graph.nodes();
    run(nodes, 1, constant(), rounds::Config::new(graph, config.clone(), Pace::Clock(ROUND), bundle), "news")
}

/// Messages by kind.
pub(crate) fn kinds<P: Protocol>(sim: &Simulation<P>) -> BTreeMap<String, u64> {
    sim.counters().kinds().map(|kind| (kind.name.clone(), kind.count)).collect()
}

/// The distance of the farthest process from the root.
pub(crate) fn eccentricity(graph: &Graph) -> u32 {
    distances(graph, ROOT).into_iter().flatten().max().unwrap_or(0)
}

#[test]
fn every_tree_spans_and_counts_everyone_once_whatever_the_latencies() {
    for seed in 1..=3 {
        for (name, graph) in one_of_each(60, seed) {
            let (nodes, everyone) = (graph.nodes(), graph.ids().collect::<Vec<_>>());
            for answers in [Answers::None, Answers::Children, Answers::Acks, Answers::Echo] {
                let config = tree::Config::new(graph.clone(), Members, answers);
                let (sim, told) = flooded(&config, seed, jitter());
                let view = View::new(&config.graph, ROOT, sim.live());
                let flaw = view.parents_form_tree().and(view.spans()).and(view.nobody_reports_early());
                assert_eq!(
                    flaw.and(view.children_have_their_parent()),
                    Ok(()),
                    "{name} {answers:?} seed {seed}"
                );
                let built = told.built.map(|(_, members)| members);
                assert_eq!(built, (answers != Answers::None).then(|| everyone.clone()), "{name} {answers:?}");
                assert_eq!((told.deliveries, told.rejected), (nodes as usize, 0), "{name} {answers:?}");
            }
        }
    }
}

#[test]
fn rounds_by_messages_and_rounds_by_clocks_grow_the_same_tree() {
    for (name, graph) in one_of_each(40, 7) {
        let graph = Arc::new(graph);
        let config = tree::Config::new(Arc::clone(&graph), Members, Answers::Echo);
        let pace = Pace::Synchronizer { rounds: 2 * graph.nodes() + 2 };
        let paced = rounds::Config::new(Arc::clone(&graph), config.clone(), pace, true);
        let (by_clock, told) = in_rounds(&config, false);
        let (by_messages, told_too) =
            run::<_, Rounds<SpanningTree<Members>>>(graph.nodes(), 7, jitter(), paced, "news");
        for process in graph.ids() {
            let [a, b] = [&by_clock, &by_messages].map(|sim| sim.process(process).map(Rounds::child));
            assert_eq!(a, b, "{name} {process}");
        }
        let view = View::new(&graph, ROOT, by_clock.live().map(|(me, rounds)| (me, rounds.child())));
        assert_eq!(view.is_breadth_first().and(view.spans()), Ok(()), "{name}");
        assert_eq!(told.built.map(|built| built.1), told_too.built.map(|built| built.1), "{name}");
    }
}

/// The control: a clock that ticks before messages arrive makes no rounds, and the tree need not be breadth-first.
#[test]
fn rounds_that_are_too_short_are_none() {
    let (_, graph) = one_of_each(60, 1).swap_remove(4);
    let config = tree::Config::new(graph, Members, Answers::None);
    let graph = Arc::clone(&config.graph);
    let paced = rounds::Config::new(Arc::clone(&graph), config, Pace::Clock(Span::millis(1)), true);
    let (sim, _) = run::<_, Rounds<SpanningTree<Members>>>(graph.nodes(), 1, jitter(), paced, "news");
    let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child())));
    assert_eq!(view.parents_form_tree().and(view.spans()), Ok(()), "a tree it is");
    assert!(view.is_breadth_first().is_err());
}

#[test]
fn answers_are_routed_where_edges_lead_one_way() {
    for (nodes, chords) in [(5, 3), (20, 20), (40, 160)] {
        let graph = Arc::new(one_way(nodes, chords, u64::from(nodes)));
        let child = tree::Config::new(Arc::clone(&graph), Members, Answers::Children);
        let config = routed::Config { graph: Arc::clone(&graph), child, route: true };
        let (sim, told) = run::<_, Routed<SpanningTree<Members>>>(nodes, 1, jitter(), config.clone(), "news");
        let view = View::new(&graph, ROOT, sim.live().map(|(me, routed)| (me, routed.child())));
        let flaw = view.parents_form_tree().and(view.spans()).and(view.nobody_reports_early());
        assert_eq!(flaw.and(view.children_have_their_parent()), Ok(()));
        assert_eq!(told.built.map(|built| built.1), Some(graph.ids().collect()));
        assert_eq!(told.rejected, 0);
        let paced = rounds::Config::new(Arc::clone(&graph), config, Pace::Clock(ROUND), true);
        let (sim, told) =
            run::<_, Rounds<Routed<SpanningTree<Members>>>>(nodes, 1, constant(), paced, "news");
        let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child().child())));
        assert_eq!(view.is_breadth_first().and(view.spans()), Ok(()));
        assert_eq!(told.built.map(|built| built.1), Some(graph.ids().collect()));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let pinned: Vec<String> = one_of_each(40, 5)
        .into_iter()
        .map(|(name, graph)| {
            let (sim, _) = flooded(&tree::Config::new(graph, Members, Answers::Children), 5, jitter());
            format!("{name} {:032x}\n", sim.digest())
        })
        .collect();
    isles_golden::file("tests/trees/digests.txt", &pinned.concat());
}
