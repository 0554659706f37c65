//! One run of a broadcast protocol.

use std::sync::Arc;

use hdrhistogram::Histogram;
use isles_gossip::node::{Config, Layer};
use isles_gossip::{Broadcast, Membership, MessageId, Node};
use isles_history::History;
use isles_kernel::{Payload, ProcessId, Time, random};
use isles_sim::{SetupError, Simulation};

use super::plan::{Origin, Plan};
use super::recording::{Asked, BroadcastOutcome, Recorder};
use super::seen::{EPISODE, Episode, Neighbors, Sample};

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct SeedOutcome {
    /// The seed.
    pub seed: u64,
    /// The trace digest.
    pub digest: u128,
    /// Every broadcast, the warm-up's too.
    pub broadcasts: Vec<BroadcastOutcome>,
    /// From invocation to delivery, in microseconds, after the warm-up.
    pub latency: Histogram<u64>,
    /// Deliveries by hops, after the warm-up.
    pub hops: Vec<u64>,
    /// The counters at every sampling instant; the last is the end of the run.
    pub samples: Vec<Sample>,
    /// Who is whose neighbour at the end, of processes that are up.
    pub overlay: Vec<Neighbors>,
    /// The first broadcast after the warm-up, if a diagram is wanted.
    pub episode: Option<Episode>,
    /// What clients asked and were answered.
    pub history: History<Asked, MessageId>,
    /// Bytes that the simulator took for slots, events and watchers, at the end.
    pub simulator_bytes: usize,
}

/// Reads a process's neighbours, and whether payloads go to each of them unasked.
pub type ReadNeighbors<'a, M, B> = &'a (dyn Fn(ProcessId, &Node<M, B>) -> Vec<(ProcessId, bool)> + Sync);

/// Runs `plan` once. `progress` is told the share of virtual time that has passed.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn run<M: Membership, B: Broadcast>(
    plan: &Plan,
    seed: u64,
    config: Arc<Config<M, B>>,
    neighbors: ReadNeighbors<'_, M, B>,
    progress: &dyn Fn(f64),
) -> Result<SeedOutcome, SetupError> {
    let mut sim = plan.prepared(seed, config)?;
    let end = Time::ZERO + plan.duration;
    let mut recorder = Recorder::new(plan.processes, plan.warmup);
    let mut samples = Vec::new();
    let mut episode = None;
    let mut recording_until = None;
    let mut next_sample = Time::ZERO + plan.sample;
    let mut broadcasts = plan.broadcasts.iter().enumerate().peekable();
    loop {
        let next_broadcast = broadcasts.peek().map_or(end, |(_, broadcast)| broadcast.at);
        let until = next_broadcast.min(next_sample).min(recording_until.unwrap_or(end)).min(end);
        sim.run_until(until, &mut recorder);
        if recording_until == Some(until) || (recording_until.is_some() && until == end) {
            recorder.record_messages(None);
            recording_until = None;
        }
        if until == next_sample || until == end {
            let (live, changes, counters) = (recorder.live(), recorder.changes, sim.counters().clone());
            samples.push(Sample { at: until, live, changes, counters });
            next_sample = until + plan.sample;
            progress(until.0 as f64 / end.0.max(1) as f64);
        }
        if until == end {
            break;
        }
        while let Some((index, broadcast)) = broadcasts.next_if(|(_, broadcast)| broadcast.at <= until) {
            let Some(origin) = choose_origin(&sim, broadcast.origin, seed, index as u64) else { continue };
            if plan.lanes > 0 && episode.is_none() && broadcast.at >= plan.warmup {
                recorder.record_messages(Some(origin));
                recording_until = Some((until + EPISODE).min(end));
                episode = Some((origin, until));
            }
            sim.invoke(origin, Layer::Broadcast(Payload::zeros(broadcast.payload)));
        }
    }
    let overlay =
        sim.live().map(|(process, node)| Neighbors { process, peers: neighbors(process, node) }).collect();
    Ok(SeedOutcome {
        seed,
        digest: sim.digest(),
        broadcasts: recorder.outcomes(),
        latency: recorder.latency,
        hops: recorder.hops,
        samples,
        overlay,
        episode: episode.map(|(origin, at)| Episode {
            origin,
            at,
            messages: recorder.episode,
            deliveries: recorder.episode_deliveries,
        }),
        history: recorder.history,
        simulator_bytes: sim.bytes(),
    })
}

/// Who broadcasts, out of those that are up; none if nobody is.
fn choose_origin<M: Membership, B: Broadcast>(
    sim: &Simulation<Node<M, B>>,
    origin: Origin,
    seed: u64,
    index: u64,
) -> Option<ProcessId> {
    let count = sim.processes();
    let first = match origin {
        Origin::Process(process) => process.0,
        Origin::Random => random::below(random::draw(seed, &[0x6f72_6967_696e, index]), count),
    };
    (0..count).map(|step| ProcessId((first + step) % count)).find(|id| sim.process(*id).is_some())
}
