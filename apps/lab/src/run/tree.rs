//! One run of a tree protocol: a tree that grows from a root, or one from every process.

pub mod measures;
pub mod summary;

use std::sync::Arc;

use isles_graph::{Graph, components, distances, eccentricities};
use isles_history::{Entry, History};
use isles_kernel::{OpId, Payload, ProcessId, Protocol, Span, Time, meter};
use isles_sim::{Observer, SetupError};

use super::plan::Plan;
use super::seen::{EPISODE, EPISODE_MAX, Episode, Neighbors, Sample, Sent};
use crate::registry::TreeEntry;
use crate::registry::params::Values;

/// Who begins, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Begin {
    /// The root; of an election, whose tree is looked at.
    pub root: ProcessId,
    /// When it is asked; in an election everybody is.
    pub at: Time,
}

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct SeedOutcome {
    /// The seed.
    pub seed: u64,
    /// The trace digest.
    pub digest: u128,
    /// Who began, and when.
    pub begin: Begin,
    /// What the graph alone says.
    pub expected: Expected,
    /// When each process joined the tree; in an election, when it knew the outcome.
    pub joined: Vec<Option<Time>>,
    /// When the root knew that all was done; in an election, when everybody knew the outcome.
    pub finished: Option<Time>,
    /// Where each process is in the root's tree at the end, if it is up and in it.
    pub seats: Vec<Option<Seat>>,
    /// What the root found out.
    pub found: Found,
    /// How many processes took themselves for the leader.
    pub leaders: u32,
    /// What became of the broadcasts along the tree.
    pub broadcasts: Vec<Spread>,
    /// Messages that did not fit.
    pub rejected: u64,
    /// The counters at every sampling instant; the last is the end of the run.
    pub samples: Vec<Sample>,
    /// The graph at the end, of processes that are up, and which of its edges are the tree's.
    pub overlay: Vec<Neighbors>,
    /// The beginning, if a diagram is wanted.
    pub episode: Option<Episode>,
    /// What clients asked and were answered.
    pub history: History<String, String>,
    /// Bytes that the simulator took for slots, events and watchers, at the end.
    pub simulator_bytes: usize,
}

/// What the graph says before anything runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Expected {
    /// Hops from the root; none if it cannot reach that process.
    pub distance: Vec<Option<u32>>,
    /// Edges of what the root can reach; in an election, of everything.
    pub edges: u64,
    /// How many messages the protocol sends for its tree, if there is a formula.
    pub messages: Option<u64>,
    /// How long a round is, if there are rounds by the clock.
    pub round: Option<Span>,
    /// How many links the longest shortest path has, where the protocol looks for it.
    pub diameter: Option<u32>,
}

/// A place in a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// The process above; the root has none.
    pub parent: Option<ProcessId>,
    /// Hops from the root, along the tree.
    pub depth: u32,
}

/// What a root found out, as far as its protocol looks for it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Found {
    /// How many processes it counted.
    pub count: Option<u32>,
    /// The diameter.
    pub diameter: Option<u32>,
}

/// What an event says, whatever the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// The process is in the tree, or knows the outcome.
    Joined,
    /// Everything below it is done, and this was found out.
    Finished(Found),
    /// Both: it knows the outcome, and whether it leads.
    Elected(Found, bool),
    /// A payload is here.
    Delivered,
    /// A message did not fit.
    Rejected,
}

/// One broadcast along the finished tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// When the root was asked.
    pub at: Time,
    /// How many processes have it, the root included.
    pub delivered: u32,
    /// When the last of them had it.
    pub last: Time,
}

/// What the graph says about a run of `E`.
fn expected<E: TreeEntry>(graph: &Graph, root: ProcessId, values: &Values) -> Expected {
    let parts = components(graph);
    let own = parts.of[root.index()];
    let mut sizes = vec![(0u64, 0u64); parts.count()];
    for process in graph.ids() {
        let size = &mut sizes[parts.of[process.index()] as usize];
        *size = (size.0 + 1, size.1 + u64::from(graph.degree(process)));
    }
    let wanted = if E::EVERYBODY { &sizes[..] } else { &sizes[own as usize..=own as usize] };
    let diameter = || {
        let all = eccentricities(graph).of;
        graph
            .ids()
            .map(|id| id.index())
            .filter(|id| parts.of[*id] == own)
            .map(|id| all[id])
            .max()
            .unwrap_or(0)
    };
    Expected {
        distance: distances(graph, root),
        edges: wanted.iter().map(|(_, arcs)| arcs / 2).sum(),
        messages: wanted.iter().map(|(count, arcs)| E::messages(*count, *arcs, values)).sum(),
        round: E::round(values),
        diameter: E::DIAMETER.then(diameter),
    }
}

/// Runs `plan` once. `progress` is told the share of virtual time that has passed.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn run<E: TreeEntry>(
    plan: &Plan,
    seed: u64,
    (begin, values): (Begin, &Values),
    (config, graph): (Arc<<E::Protocol as Protocol>::Config>, &Graph),
    progress: &dyn Fn(f64),
) -> Result<SeedOutcome, SetupError> {
    let mut sim = plan.prepared::<E::Protocol>(seed, config)?;
    for process in (0..plan.processes).map(ProcessId).filter(|one| E::EVERYBODY || *one == begin.root) {
        sim.invoke_at(begin.at, process, E::begin(values));
    }
    for broadcast in &plan.broadcasts {
        if let Some(op) = E::broadcast(Payload::zeros(broadcast.payload)) {
            sim.invoke_at(broadcast.at, begin.root, op);
        }
    }
    let mut recorder = Recorder::<E>::new(plan, begin);
    let end = Time::ZERO + plan.duration;
    let mut samples = Vec::new();
    let mut until = Time::ZERO;
    while until < end {
        until = (until + plan.sample).min(end);
        sim.run_until(until, &mut recorder);
        let changes = recorder.joined.iter().flatten().count() as u64;
        samples.push(Sample { at: until, live: recorder.live, changes, counters: sim.counters().clone() });
        progress(until.0 as f64 / end.0.max(1) as f64);
    }
    let mut seats = vec![None; plan.processes as usize];
    for (process, state) in sim.live() {
        seats[process.index()] = E::seat(state, begin.root);
    }
    let linked = |a: ProcessId, b: ProcessId| {
        let above =
            |low: ProcessId, high| seats[low.index()].is_some_and(|seat: Seat| seat.parent == Some(high));
        above(a, b) || above(b, a)
    };
    let overlay = sim.live().map(|(process, _)| Neighbors {
        process,
        peers: graph.neighbors(process).iter().map(|peer| (*peer, linked(process, *peer))).collect(),
    });
    let overlay = overlay.collect();
    let mut deliveries: Vec<(Time, ProcessId)> =
        (0..).map(ProcessId).zip(&recorder.joined).filter_map(|(id, at)| Some(((*at)?, id))).collect();
    deliveries.sort_unstable();
    let messages = recorder.messages;
    let episode =
        (plan.lanes > 0).then_some(Episode { origin: begin.root, at: begin.at, messages, deliveries });
    Ok(SeedOutcome {
        seed,
        digest: sim.digest(),
        begin,
        expected: expected::<E>(graph, begin.root, values),
        finished: recorder.finished.filter(|_| !E::EVERYBODY || recorder.joined.iter().all(Option::is_some)),
        joined: recorder.joined,
        seats,
        found: recorder.found,
        leaders: recorder.leaders,
        broadcasts: recorder.broadcasts,
        rejected: recorder.rejected,
        samples,
        overlay,
        episode,
        history: recorder.history,
        simulator_bytes: sim.bytes(),
    })
}

/// Watches a run and keeps what measures need.
struct Recorder<E: TreeEntry> {
    begin: Begin,
    lanes: usize,
    live: u32,
    joined: Vec<Option<Time>>,
    finished: Option<Time>,
    found: Found,
    leaders: u32,
    broadcasts: Vec<Spread>,
    /// By process: how many broadcasts it has.
    delivered: Vec<u32>,
    rejected: u64,
    messages: Vec<Sent>,
    now: Time,
    history: History<String, String>,
    entry: std::marker::PhantomData<fn() -> E>,
}

impl<E: TreeEntry> Recorder<E> {
    fn new(plan: &Plan, begin: Begin) -> Self {
        let count = plan.processes as usize;
        Self {
            begin,
            lanes: plan.lanes,
            live: 0,
            joined: vec![None; count],
            finished: None,
            found: Found::default(),
            leaders: 0,
            broadcasts: plan
                .broadcasts
                .iter()
                .map(|one| Spread { at: one.at, delivered: 0, last: one.at })
                .collect(),
            delivered: vec![0; count],
            rejected: 0,
            messages: Vec::new(),
            now: Time::ZERO,
            history: History::default(),
            entry: std::marker::PhantomData,
        }
    }

    fn note(&mut self, entry: Entry<String, String>) {
        self.history.push(entry).expect("the simulator's time ascends, and an operation is answered once");
    }
}

impl<E: TreeEntry> Observer<E::Protocol> for Recorder<E> {
    fn sees_messages(&self) -> bool {
        self.lanes > 0 && self.now <= self.begin.at + EPISODE
    }

    fn on_send(
        &mut self,
        at: Time,
        from: ProcessId,
        to: ProcessId,
        arrival: Option<Time>,
        msg: &<E::Protocol as Protocol>::Msg,
    ) {
        self.now = at;
        if self.messages.len() < EPISODE_MAX && at >= self.begin.at {
            self.messages.push(Sent { at, from, to, arrival, kind: meter::name(msg) });
        }
    }

    fn on_event(&mut self, at: Time, process: ProcessId, event: &<E::Protocol as Protocol>::Event) {
        let joined = &mut self.joined[process.index()];
        match E::told(event) {
            Told::Joined => *joined = joined.or(Some(at)),
            Told::Finished(found) if process == self.begin.root => {
                (self.finished, self.found) = (Some(at), found);
            }
            Told::Finished(_) => {}
            Told::Elected(found, leads) => {
                *joined = joined.or(Some(at));
                self.finished = Some(at);
                self.leaders += u32::from(leads);
                if process == self.begin.root {
                    self.found = found;
                }
            }
            Told::Delivered => {
                let number = &mut self.delivered[process.index()];
                if let Some(spread) = self.broadcasts.get_mut(*number as usize) {
                    (spread.delivered, spread.last) = (spread.delivered + 1, at);
                }
                *number += 1;
            }
            Told::Rejected => self.rejected += 1,
        }
    }

    fn on_invoke(&mut self, time: Time, process: ProcessId, id: OpId, op: &<E::Protocol as Protocol>::Op) {
        self.note(Entry::Invoke { time, process, id, op: format!("{op:?}") });
    }

    fn on_reply(
        &mut self,
        time: Time,
        process: ProcessId,
        id: OpId,
        reply: &<E::Protocol as Protocol>::Reply,
    ) {
        self.note(Entry::Return { time, process, id, reply: format!("{reply:?}") });
    }

    fn on_start(&mut self, _: Time, _: ProcessId) {
        self.live += 1;
    }

    fn on_crash(&mut self, time: Time, process: ProcessId) {
        self.live -= 1;
        self.note(Entry::Crash { time, process });
    }
}
