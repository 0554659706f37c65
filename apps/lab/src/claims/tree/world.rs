//! What the experiments of the chapter have in common: graphs, runs, and what they told.

use std::collections::BTreeSet;
use std::sync::Arc;

use isles_graph::{
    Graph, Kleinberg, complete, connectivity_radius, distances, grid, is_connected, is_strongly_connected,
    kleinberg, line, preferential_attachment, random_geometric, random_regular, ring, star, watts_strogatz,
};
use isles_kernel::random::Stream;
use isles_kernel::{OpId, Payload, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Links, Observer, Setup, Simulation};
use isles_trees::gather::Gather;
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::{self, Event, Op, Reply};
use isles_trees::{Rounds, SpanningTree};

use crate::claims::Effort;

pub(super) const ROOT: ProcessId = ProcessId(0);
/// Of links that are all alike; a round takes twice as long.
pub(super) const DELAY: Span = Span::millis(10);
pub(super) const ROUND: Span = Span::millis(20);

/// A connected graph of each kind, of about so many nodes.
pub(super) fn graphs(nodes: u32, seed: u64) -> Result<Vec<Arc<Graph>>, String> {
    let why = |error: isles_graph::GraphError| error.to_string();
    let all = vec![
        ring(nodes),
        line(nodes),
        star(nodes),
        grid(nodes, nodes.isqrt()),
        complete(nodes.min(60)).map_err(why)?,
        random_regular(nodes / 2 * 2, 4, seed).map_err(why)?,
        watts_strogatz(nodes, 6, 0.1, seed).map_err(why)?,
        preferential_attachment(nodes, 3, seed).map_err(why)?,
        random_geometric(nodes, connectivity_radius(nodes, 6.0), false, seed).map_err(why)?.graph,
    ];
    Ok(all.into_iter().filter(is_connected).map(Arc::new).collect())
}

/// Strongly connected graphs whose edges lead one way, of about so many nodes.
pub(super) fn one_way(nodes: u32, seed: u64) -> Result<Vec<Arc<Graph>>, String> {
    let mut draws = Stream::new(seed, &[0x6f6e_6577_6179]);
    let circle = || (0..nodes).map(move |node| (node, (node + 1) % nodes));
    let mut with_chords = |chords: u32| {
        let chords: Vec<(u32, u32)> = (0..chords).map(|_| (draws.below(nodes), draws.below(nodes))).collect();
        Graph::from_arcs(nodes, &circle().chain(chords).collect::<Vec<_>>())
    };
    let world = Kleinberg { side: nodes.isqrt(), links: 2, exponent: 2.0, seed };
    let all = vec![
        Graph::from_arcs(nodes, &circle().collect::<Vec<_>>()),
        with_chords(nodes / 2),
        with_chords(nodes * 4),
        kleinberg(&world).map_err(|error| error.to_string())?,
    ];
    Ok(all.into_iter().filter(is_strongly_connected).map(Arc::new).collect())
}

/// Nodes of the graphs of an experiment.
pub(super) fn size(effort: &Effort) -> u32 {
    if effort.quick { 100 } else { 1_000 }
}

/// Links whose latencies differ a lot.
pub(super) fn random_links() -> Links {
    Links::law(Distribution::Exponential { min: Span::millis(1), mean: Span::millis(20) })
}

pub(super) fn equal_links() -> Links {
    Links::constant(DELAY)
}

/// The distance of the farthest process from the root.
pub(super) fn eccentricity(graph: &Graph) -> u64 {
    u64::from(distances(graph, ROOT).into_iter().flatten().max().unwrap_or(0))
}

/// What the processes of a run told.
pub(super) struct Told<V> {
    /// Who joined, in order, and when the first and the last of them did.
    pub(super) joined: Vec<(Time, ProcessId)>,
    /// How many joined a second time.
    pub(super) again: u64,
    finished: BTreeSet<ProcessId>,
    /// Who has had a payload, and when it was last delivered to somebody new.
    pub(super) delivered: BTreeSet<ProcessId>,
    pub(super) last_delivery: Time,
    /// What the root gathered, when it knew, and whether everybody else had joined and finished by then.
    pub(super) built: Option<Built<V>>,
    pub(super) rejected: u64,
}

/// What a root knew.
pub(super) struct Built<V> {
    pub(super) at: Time,
    pub(super) value: V,
    pub(super) joined: usize,
    pub(super) finished: usize,
    pub(super) delivered: usize,
}

impl<V> Told<V> {
    pub(super) fn new() -> Self {
        Self {
            joined: Vec::new(),
            again: 0,
            finished: BTreeSet::new(),
            delivered: BTreeSet::new(),
            last_delivery: Time::ZERO,
            built: None,
            rejected: 0,
        }
    }

    /// When the root joined.
    pub(super) fn begin(&self) -> Time {
        self.joined.first().map_or(Time::ZERO, |first| first.0)
    }

    /// Rounds from the root's first to this instant.
    pub(super) fn rounds(&self, at: Time) -> u64 {
        at.since(self.begin()).0 / ROUND.0
    }

    /// When the last process joined.
    pub(super) fn last(&self) -> Time {
        self.joined.last().map_or(Time::ZERO, |last| last.0)
    }
}

impl<V: Clone, P: Protocol<Event = Event<V>, Reply = Reply<V>>> Observer<P> for Told<V> {
    fn on_event(&mut self, at: Time, process: ProcessId, event: &Event<V>) {
        match event {
            Event::Joined { .. } => {
                self.again += u64::from(self.joined.iter().any(|(_, other)| *other == process));
                self.joined.push((at, process));
            }
            Event::Finished(_) => {
                self.finished.insert(process);
            }
            Event::Delivered(_) => {
                if self.delivered.insert(process) {
                    self.last_delivery = at;
                }
            }
            Event::Rejected { .. } => self.rejected += 1,
        }
    }

    fn on_reply(&mut self, at: Time, _: ProcessId, _: OpId, reply: &Reply<V>) {
        if let Reply::Built(value) = reply {
            let (joined, finished) = (self.joined.len(), self.finished.len());
            let delivered = self.delivered.len();
            self.built = Some(Built { at, value: value.clone(), joined, finished, delivered });
        }
    }
}

/// A simulation and what it told.
pub(super) type Grown<P, V> = (Simulation<P>, Told<V>);

/// Lets a tree grow from process 0, with a payload, until all is at rest.
pub(super) fn grow<V, P>(
    nodes: u32,
    seed: u64,
    links: Links,
    config: P::Config,
) -> Result<Grown<P, V>, String>
where
    V: Clone,
    P: Protocol<Op = Op, Event = Event<V>, Reply = Reply<V>>,
{
    let setup = Setup { links, ..Setup::new(nodes, seed, config) };
    let mut sim = Simulation::<P>::new(setup).map_err(|error| error.to_string())?;
    sim.invoke(ROOT, Op::Build(Payload::zeros(8)));
    let mut told = Told::new();
    rest(&mut sim, &mut told)?;
    Ok((sim, told))
}

/// Lets everything come to rest.
pub(super) fn rest<P: Protocol>(
    sim: &mut Simulation<P>,
    observer: &mut dyn Observer<P>,
) -> Result<(), String> {
    let deadline = sim.now() + Span::secs(36_000);
    if sim.run_to_quiescence(deadline, observer) {
        Ok(())
    } else {
        Err("a run does not come to rest".to_owned())
    }
}

/// A tree without rounds.
pub(super) fn flooded<G: Gather>(
    config: &tree::Config<G>,
    seed: u64,
    links: Links,
) -> Result<Grown<SpanningTree<G>, G::Value>, String> {
    grow(config.graph.nodes(), seed, links, config.clone())
}

/// A tree in rounds.
pub(super) fn in_rounds<G: Gather>(
    config: &tree::Config<G>,
) -> Result<Grown<Rounds<SpanningTree<G>>, G::Value>, String> {
    let paced = rounds::Config::new(Arc::clone(&config.graph), config.clone(), Pace::Clock(ROUND), false);
    grow(config.graph.nodes(), 1, equal_links(), paced)
}

/// Messages of the kinds whose names end so.
pub(super) fn sent<P: Protocol>(sim: &Simulation<P>, kind: &str) -> u64 {
    sim.counters().kinds().filter(|row| row.name.ends_with(kind)).map(|row| row.count).sum()
}

/// Whether every one of many cases came out as predicted, and how many there were.
#[derive(Default)]
pub(super) struct Tally {
    cases: u64,
    wrong: u64,
}

impl Tally {
    pub(super) fn add(&mut self, right: bool) {
        self.cases += 1;
        self.wrong += u64::from(!right);
    }

    pub(super) fn all_right(&self) -> bool {
        self.cases > 0 && self.wrong == 0
    }

    pub(super) fn any_wrong(&self) -> bool {
        self.wrong > 0
    }
}

/// "7 of 9".
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.cases - self.wrong, self.cases)
    }
}
