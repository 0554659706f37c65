//! What a run of a broadcast protocol leaves behind, before it becomes a report.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use isles_gossip::broadcast::Event as Said;
use isles_gossip::node::{Event, Layer, Node};
use isles_gossip::{Broadcast, Change, Membership, MessageId};
use isles_history::{Entry, History};
use isles_kernel::{OpId, ProcessId, Protocol, Time, meter};
use isles_sim::Observer;
use serde::Serialize;

use super::seen::{EPISODE_MAX, Sent};

/// How one broadcast went.
#[derive(Clone, PartialEq, Debug)]
pub struct BroadcastOutcome {
    /// When it was invoked.
    pub at: Time,
    /// By whom.
    pub origin: ProcessId,
    /// Processes that were up from the invocation to the end of the run.
    pub eligible: u32,
    /// How many of these delivered it.
    pub reached: u32,
    /// All processes that delivered it, the origin included.
    pub delivered: u32,
    /// Copies of the payload that arrived, at whomever.
    pub copies: u64,
    /// Hops of the delivery that took most: last-delivery hop (Leitão et al., SRDS 2007, section 4.1).
    pub hops_max: u16,
    /// When it was last delivered.
    pub last: Time,
}

impl BroadcastOutcome {
    /// The share of the eligible processes that delivered; none if no process is eligible.
    pub fn reliability(&self) -> Option<f64> {
        (self.eligible > 0).then(|| f64::from(self.reached) / f64::from(self.eligible))
    }

    /// Relative message redundancy m/(n - 1) - 1 (Leitão et al., SRDS 2007, section 4.1): m payloads received, n
    /// processes that delivered. None if only the origin did.
    pub fn redundancy(&self) -> Option<f64> {
        (self.delivered > 1).then(|| self.copies as f64 / f64::from(self.delivered - 1) - 1.0)
    }
}

/// A broadcast while it is under way.
struct Track {
    at: Time,
    origin: ProcessId,
    /// A bit for each process that delivered.
    delivered: Vec<u64>,
    count: u32,
    copies: u64,
    hops_max: u16,
    last: Time,
}

/// What a client asked of a broadcast protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// To broadcast a payload of so many bytes.
    Broadcast(u32),
}

/// Watches a run of a [`Node`] and keeps what its measures need.
pub struct Recorder {
    processes: u32,
    tracks: Vec<Track>,
    by_id: BTreeMap<MessageId, usize>,
    /// When each process that is up started; none while it is down.
    up_since: Vec<Option<Time>>,
    /// From invocation to delivery, in microseconds, of broadcasts after the warm-up.
    pub latency: Histogram<u64>,
    /// How often a broadcast was delivered after so many hops, after the warm-up.
    pub hops: Vec<u64>,
    warmup: Time,
    /// Changes of neighbours so far.
    pub changes: u64,
    /// Messages of the episode that is being recorded.
    pub episode: Vec<Sent>,
    /// First deliveries of the episode.
    pub episode_deliveries: Vec<(Time, ProcessId)>,
    /// Who broadcasts the episode that is being recorded.
    recording: Option<ProcessId>,
    /// The broadcast that the episode is about, from its invocation on.
    episode_track: Option<usize>,
    /// What clients asked and were answered, and the crashes of processes that had been asked something.
    pub history: History<Asked, MessageId>,
    /// Processes that were asked something since they started.
    asked: BTreeSet<ProcessId>,
}

impl Recorder {
    /// A recorder of a run of `processes` processes.
    pub fn new(processes: u32, warmup: Time) -> Self {
        Self {
            processes,
            tracks: Vec::new(),
            by_id: BTreeMap::new(),
            up_since: vec![None; processes as usize],
            latency: Histogram::new(3).expect("three significant digits are allowed"),
            hops: Vec::new(),
            warmup,
            changes: 0,
            episode: Vec::new(),
            episode_deliveries: Vec::new(),
            recording: None,
            episode_track: None,
            history: History::default(),
            asked: BTreeSet::new(),
        }
    }

    /// Records every message from now on, and the deliveries of what `origin` broadcasts next; with none, no longer.
    pub fn record_messages(&mut self, origin: Option<ProcessId>) {
        self.recording = origin;
    }

    /// How many processes are up.
    pub fn live(&self) -> u32 {
        self.up_since.iter().flatten().count() as u32
    }

    /// What became of the broadcasts so far, in order of invocation.
    pub fn outcomes(&self) -> Vec<BroadcastOutcome> {
        self.tracks.iter().map(|track| self.outcome(track)).collect()
    }

    fn outcome(&self, track: &Track) -> BroadcastOutcome {
        let (mut eligible, mut reached) = (0, 0);
        for (process, since) in self.up_since.iter().enumerate() {
            if since.is_some_and(|since| since <= track.at) {
                eligible += 1;
                reached += (track.delivered[process / 64] >> (process % 64) & 1) as u32;
            }
        }
        BroadcastOutcome {
            at: track.at,
            origin: track.origin,
            eligible,
            reached,
            delivered: track.count,
            copies: track.copies,
            hops_max: track.hops_max,
            last: track.last,
        }
    }

    fn note(&mut self, entry: Entry<Asked, MessageId>) {
        self.history.push(entry).expect("the simulator's time ascends, and a broadcast is answered once");
    }

    fn delivered(&mut self, at: Time, process: ProcessId, id: MessageId, hops: u16) {
        let index = *self.by_id.entry(id).or_insert_with(|| {
            // Whatever is delivered for the first time was broadcast there and then.
            self.tracks.push(Track {
                at,
                origin: process,
                delivered: vec![0; (self.processes as usize).div_ceil(64)],
                count: 0,
                copies: 0,
                hops_max: 0,
                last: at,
            });
            let index = self.tracks.len() - 1;
            if self.recording == Some(process) {
                self.episode_track.get_or_insert(index);
            }
            index
        });
        if self.recording.is_some() && self.episode_track == Some(index) {
            self.episode_deliveries.push((at, process));
        }
        let track = &mut self.tracks[index];
        track.delivered[process.index() / 64] |= 1 << (process.index() % 64);
        track.count += 1;
        track.hops_max = track.hops_max.max(hops);
        track.last = at;
        if process == track.origin {
            return;
        }
        track.copies += 1;
        if track.at >= self.warmup {
            let micros = at.since(track.at).0 / 1_000;
            self.latency.record(micros).expect("the histogram grows to what is recorded");
            let hops = usize::from(hops);
            if self.hops.len() <= hops {
                self.hops.resize(hops + 1, 0);
            }
            self.hops[hops] += 1;
        }
    }
}

impl<M: Membership, B: Broadcast> Observer<Node<M, B>> for Recorder {
    fn sees_messages(&self) -> bool {
        self.recording.is_some()
    }

    fn on_send(
        &mut self,
        at: Time,
        from: ProcessId,
        to: ProcessId,
        arrival: Option<Time>,
        msg: &<Node<M, B> as Protocol>::Msg,
    ) {
        if self.episode.len() < EPISODE_MAX {
            self.episode.push(Sent { at, from, to, arrival, kind: meter::name(msg) });
        }
    }

    fn on_event(&mut self, at: Time, process: ProcessId, event: &Event) {
        match event {
            Layer::Broadcast(Said::Delivered { id, hops, .. }) => self.delivered(at, process, *id, *hops),
            Layer::Broadcast(Said::Redundant { id }) => {
                if let Some(index) = self.by_id.get(id) {
                    self.tracks[*index].copies += 1;
                }
            }
            Layer::Membership(Change::Up { .. } | Change::Down { .. }) => self.changes += 1,
            Layer::Membership(Change::Everyone { .. }) => {}
        }
    }

    fn on_invoke(&mut self, time: Time, process: ProcessId, id: OpId, op: &<Node<M, B> as Protocol>::Op) {
        if let Layer::Broadcast(payload) = op {
            self.asked.insert(process);
            self.note(Entry::Invoke {
                time,
                process,
                id,
                op: Asked::Broadcast(payload.bytes().len() as u32),
            });
        }
    }

    fn on_reply(&mut self, time: Time, process: ProcessId, id: OpId, reply: &MessageId) {
        self.note(Entry::Return { time, process, id, reply: *reply });
    }

    fn on_start(&mut self, at: Time, process: ProcessId) {
        self.up_since[process.index()] = Some(at);
    }

    fn on_crash(&mut self, time: Time, process: ProcessId) {
        if self.asked.remove(&process) {
            self.note(Entry::Crash { time, process });
        }
        self.up_since[process.index()] = None;
    }
}
