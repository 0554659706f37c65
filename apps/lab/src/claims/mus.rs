//! The museum: mistakes that were really made, each a switch in our own protocol.
//!
//! A mistake is shown when a search from a cold start finds a run in which it does harm, and the shipped protocol survives
//! the same search.

use std::sync::Arc;

use isles_gossip::node::{Config, Layer};
use isles_gossip::plumtree::{self, Mistake, Plumtree};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_gossip::{MessageId, Node};
use isles_graph::Graph;
use isles_kernel::random::Stream;
use isles_kernel::{Channel, OpId, Payload, ProcessId, Span, Time};
use isles_sim::{Distribution, Fault, Links, Observer, Setup, Simulation, Who};

use super::{Claim, Effort, Finding};

/// The museum's claims.
pub(super) static MUS: &[Claim] = &[
    Claim {
        id: "MUS-07",
        statement: "An add-wins set whose merge takes the side that knows at least as much brings removed elements back; a search over \
                seeds finds it from a cold start.",
        control: "the shipped merge survives the same search",
        source: "riak_dt 78 and 79",
        run: super::crdt::mus_07,
    },
    Claim {
        id: "MUS-14",
        statement: "A quorum write without a transaction leaves two values with one version: one write after the other when a partition cuts \
                    one short, and two at the same time when nothing goes wrong; a search over seeds finds both from a cold start.",
        control: "the shipped register survives the same search",
        source: "textbooks of replication; Gifford, SOSP 1979, section 2, assumes transactions",
        run: super::quo::mus_14,
    },
    Claim {
        id: "MUS-16",
        statement: "A participant of two-phase commit that has promised, hears nothing and decides alone after a time-out undoes half of what \
                    was committed; explored and simulated from a cold start, both find it.",
        control: "the shipped participant survives the same searches",
        source: "folklore; Mohan, Lindsay, Obermarck, ACM TODS 11 (4), 1986, section 2, says that it must wait",
        run: super::quo_transactions::mus_16,
    },
    Claim {
        id: "MUS-31",
        statement: "Session tokens that are checked only where an operation is asked for do not give monotonic writes: servers that pass on only what \
                    they accepted themselves show others a write without the one before it.",
        control: "the shipped servers survive the same search",
        source: "Terry et al., PDIS 1994, section 4; Petersen et al., SOSP 1997 (the prefix property)",
        run: super::ec::mus_31,
    },
    Claim {
        id: "MUS-33",
        statement: "Graft and prune that chase each other, and a lazy id that is forgotten when its owner dies, each leave a \
                broadcast that never arrives; a search over seeds finds one from a cold start.",
        control: "the shipped Plumtree survives the same search",
        source: "gossip implementations; Leitão, Pereira, Rodrigues, SRDS 2007, algorithms 1 and 2",
        run: mus_33,
    },
];

/// A run of which a mistake may show.
type Trial = fn(Option<Mistake>, u64) -> Result<bool, String>;

const MISTAKES: [(&str, Mistake, Trial); 4] = [
    ("forget-with-owner", Mistake::ForgetWithOwner, crashes_deprive),
    ("prune-revokes", Mistake::PruneRevokes, crashes_deprive),
    ("graft-only-when-lazy", Mistake::GraftOnlyWhenLazy, crashes_deprive),
    ("ask-once", Mistake::AskOnce, an_outage_deprives),
];

/// Processes of a run: few, so that a mistake shows soon and is read easily.
const PROCESSES: u32 = 24;

/// A small run whose messages are remembered.
struct Run {
    sim: Simulation<Node<StaticGraph, Plumtree>>,
    ids: Ids,
    graph: Arc<Graph>,
}

/// Remembers what was broadcast.
#[derive(Default)]
struct Ids(Vec<MessageId>);

impl Observer<Node<StaticGraph, Plumtree>> for Ids {
    fn on_reply(&mut self, _: Time, _: ProcessId, _: OpId, id: &MessageId) {
        self.0.push(*id);
    }
}

impl Run {
    fn new(seed: u64, broadcast: plumtree::Config) -> Result<Self, String> {
        let graph = isles_graph::random_regular(PROCESSES, 4, seed).map_err(|error| error.to_string())?;
        let graph = Arc::new(graph);
        let config = Config { membership: static_graph::Config::new(Arc::clone(&graph)), broadcast };
        let latency = Distribution::Uniform { min: Span::millis(5), max: Span::millis(15) };
        let setup = Setup { links: Links::law(latency), ..Setup::new(PROCESSES, seed, config) };
        let sim = Simulation::new(setup).map_err(|error| error.to_string())?;
        let mut run = Self { sim, ids: Ids::default(), graph };
        // A settled tree.
        for second in 1..4 {
            run.broadcast(Span::secs(2 * second), 0);
        }
        run.sim.run_until(Time::ZERO + SETTLED, &mut run.ids);
        Ok(run)
    }

    fn broadcast(&mut self, at: Span, origin: u32) {
        let op = Layer::Broadcast(Payload::zeros(1));
        self.sim.invoke_at(Time::ZERO + at, ProcessId(origin), op);
    }

    /// Whether a process misses for ever what another one has to which it is still connected.
    fn deprives(mut self) -> bool {
        self.sim.run_until(Time::ZERO + SETTLED + Span::secs(60), &mut self.ids);
        let mut island: Vec<u32> = (0..PROCESSES).collect();
        // Everyone takes the smallest number among its live neighbours until nothing changes.
        for _ in 0..PROCESSES {
            for (id, _) in self.sim.live() {
                for peer in self.graph.neighbors(id) {
                    if self.sim.process(*peer).is_some() {
                        island[id.index()] = island[id.index()].min(island[peer.index()]);
                    }
                }
            }
        }
        self.ids.0.iter().any(|message| {
            let (mut have, mut miss) = (Vec::new(), Vec::new());
            for (id, node) in self.sim.live() {
                let list = if node.broadcast.delivered(*message) { &mut have } else { &mut miss };
                list.push(island[id.index()]);
            }
            miss.iter().any(|island| have.contains(island))
        })
    }
}

/// By this time a run's tree has settled.
const SETTLED: Span = Span::secs(8);

/// Several senders at once, while a third of the processes crashes one by one.
fn crashes_deprive(mistake: Option<Mistake>, seed: u64) -> Result<bool, String> {
    let mut run = Run::new(seed, plumtree::Config { mistake, ..plumtree::Config::default() })?;
    let mut draws = Stream::new(seed, &[0x6d75_7365_756d]);
    for _ in 0..8 {
        let (after, origin) = (Span::micros(u64::from(draws.below(100_000))), draws.below(PROCESSES));
        run.broadcast(SETTLED + after, origin);
    }
    for _ in 0..8 {
        let (after, victim) = (Span::micros(u64::from(draws.below(700_000))), draws.below(PROCESSES));
        run.sim.inject(Time::ZERO + SETTLED + after, Fault::Crash(Who::Ids(vec![ProcessId(victim)])));
    }
    Ok(run.deprives())
}

/// An inner process of the tree crashes, and for a second no datagram comes through, just when the others ask for what
/// they miss.
fn an_outage_deprives(mistake: Option<Mistake>, seed: u64) -> Result<bool, String> {
    let config = plumtree::Config { mistake, channel: Channel::Datagram, ..plumtree::Config::default() };
    let mut run = Run::new(seed, config)?;
    let victim = 1 + Stream::new(seed, &[0x6f75_7461_6765]).below(PROCESSES - 1);
    let begin = Time::ZERO + SETTLED;
    run.sim.inject(begin, Fault::Crash(Who::Ids(vec![ProcessId(victim)])));
    run.broadcast(SETTLED, 0);
    // All payloads and announcements have arrived by the first instant; the GRAFTs have not left.
    run.sim.inject(begin + Span::millis(450), Fault::Loss(1.0));
    run.sim.inject(begin + Span::millis(1_450), Fault::Loss(0.0));
    Ok(run.deprives())
}

/// The first seed of which a process is deprived.
fn first_loss(trial: Trial, mistake: Option<Mistake>, seeds: u64) -> Result<Option<u64>, String> {
    for seed in 0..seeds {
        if trial(mistake, seed)? {
            return Ok(Some(seed));
        }
    }
    Ok(None)
}

fn mus_33(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 100 } else { 2_000 };
    let mut found = Vec::new();
    for (name, mistake, trial) in MISTAKES {
        found.push((name, first_loss(trial, Some(mistake), seeds)?));
    }
    let shipped = first_loss(crashes_deprive, None, seeds)?.or(first_loss(an_outage_deprives, None, seeds)?);
    let told: Vec<String> = found
        .iter()
        .map(|(name, seed)| match seed {
            Some(seed) => format!("{name}: lost with seed {seed}"),
            None => format!("{name}: not found in {seeds} seeds"),
        })
        .collect();
    Ok(Finding {
        holds: found.iter().all(|(_, seed)| seed.is_some()),
        control_fails: shipped.is_none(),
        measured: format!(
            "{}; control: {}",
            told.join(", "),
            shipped.map_or(format!("the shipped protocol loses nothing in {seeds} seeds"), |seed| {
                format!("THE SHIPPED PROTOCOL loses with seed {seed}")
            })
        ),
        predicted: "each mistake found, none in the shipped protocol".to_owned(),
        ..Finding::default()
    })
}
