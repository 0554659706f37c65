//! The figures of HyParView and Plumtree after mass failure, in both modes of detection, beside the known ones.
//!
//! One run is prepared for each seed: everyone joins, one process broadcasts until its tree has settled. Each share of
//! crashes goes on from a snapshot of it. Links are of one length, as in the cycle-driven simulations of the papers.

use std::collections::BTreeMap;

use isles_gossip::hyparview::{self, HyParView};
use isles_gossip::node::{Config, Event, Layer};
use isles_gossip::{Broadcast, MessageId, Node, broadcast};
use isles_kernel::random::Stream;
use isles_kernel::{Payload, ProcessId, Span, Time};
use isles_sim::{Detection, Fault, Links, Observer, Setup, Simulation, Start, Who};

use super::Effort;
use super::curve::chart;
use crate::report::data::{Axis, Chart, Unit};
use crate::run::overlay::Overlay;
use crate::run::seeds::on_all_cores;
use crate::run::seen::Neighbors;

/// The shares that crash.
const SHARES: [f64; 6] = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9];
/// Broadcasts after the crash, one a second.
const AFTER: u32 = 25;
/// Broadcasts of one process before it, one a second.
const BEFORE: u32 = 12;

/// Known reliability of the first message after the crash, by share, when neighbours see the connection break: of a
/// cycle-driven simulation of the papers' algorithms among 10 000 processes.
pub(super) struct Known {
    /// Seen at once.
    pub(super) at_once: [f64; SHARES.len()],
    /// Seen on the next send, of half and of 80 % crashed.
    pub(super) on_send: [f64; 2],
}

/// What happened on average over seeds, when a share of all crashed.
#[derive(Clone, Copy, Debug)]
struct After {
    /// Reliability of the first message, one second after the crash.
    first: f64,
    /// Mean reliability of that one and those that followed.
    mean: f64,
}

/// The overlay before the crash, and a settled broadcast on it, on average over seeds.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Calm {
    degree: f64,
    asymmetry: f64,
    islands: f64,
    clustering: f64,
    path: f64,
    /// Hops of the last delivery.
    pub(super) hops: f64,
    /// Payloads in excess of one for each receiver.
    pub(super) redundancy: f64,
}

impl Calm {
    /// The overlay's figures.
    pub(super) fn overlay(&self) -> String {
        format!(
            "degree {:.3}, one-way links {:.4} %, clustering {:.5}, path {:.3}",
            self.degree,
            self.asymmetry * 100.0,
            self.clustering,
            self.path
        )
    }

    /// The traps of the field: links that only one end has, and closed islands.
    pub(super) fn is_sound(&self) -> bool {
        self.asymmetry == 0.0 && self.islands == 0.0
    }

    fn add(&mut self, other: &Self, share: f64) {
        let pairs = [
            (&mut self.degree, other.degree),
            (&mut self.asymmetry, other.asymmetry),
            (&mut self.islands, other.islands),
            (&mut self.clustering, other.clustering),
            (&mut self.path, other.path),
            (&mut self.hops, other.hops),
            (&mut self.redundancy, other.redundancy),
        ];
        for (sum, value) in pairs {
            *sum += value * share;
        }
    }
}

/// Counts deliveries of each message.
#[derive(Default)]
struct Tally {
    delivered: BTreeMap<MessageId, u32>,
    redundant: u32,
    hops_max: u16,
}

impl<B: Broadcast> Observer<Node<HyParView, B>> for Tally {
    fn on_event(&mut self, _: Time, _: ProcessId, event: &Event) {
        match event {
            Layer::Broadcast(broadcast::Event::Delivered { id, hops, .. }) => {
                *self.delivered.entry(*id).or_default() += 1;
                self.hops_max = self.hops_max.max(*hops);
            }
            Layer::Broadcast(broadcast::Event::Redundant { .. }) => self.redundant += 1,
            Layer::Membership(_) => {}
        }
    }
}

type Run<B> = Simulation<Node<HyParView, B>>;

/// Broadcasts from `origin` and lets a second pass.
fn second<B: Broadcast>(sim: &mut Run<B>, origin: ProcessId, tally: &mut Tally) {
    sim.invoke(origin, Layer::Broadcast(Payload::zeros(100)));
    let until = sim.now() + Span::secs(1);
    sim.run_until(until, tally);
}

/// Everyone has joined, and process 0 has broadcast until its tree has settled.
fn prepared<B: Broadcast>(
    processes: u32,
    seed: u64,
    detection: Detection,
    broadcast: B::Config,
) -> Result<(Run<B>, Calm), String> {
    let config = Config { membership: hyparview::Config::default(), broadcast };
    let links = Links { detection, ..Links::constant(Span::millis(20)) };
    let setup = Setup { links, start: Start::Over(Span::secs(10)), ..Setup::new(processes, seed, config) };
    let mut sim = Run::<B>::new(setup).map_err(|error| error.to_string())?;
    sim.run_until(Time::ZERO + Span::secs(60), &mut ());
    let mut last = Tally::default();
    for _ in 0..BEFORE {
        last = Tally::default();
        second(&mut sim, ProcessId(0), &mut last);
    }
    let neighbors: Vec<Neighbors> = sim
        .live()
        .map(|(process, node)| Neighbors {
            process,
            peers: node.membership.active().iter().map(|peer| (*peer, false)).collect(),
        })
        .collect();
    let overlay = Overlay::new(&neighbors);
    let receivers = f64::from(processes - 1);
    let calm = Calm {
        degree: overlay.mean_degree().unwrap_or(f64::NAN),
        asymmetry: overlay.asymmetry(),
        islands: 1.0 - overlay.largest_component().unwrap_or(f64::NAN),
        clustering: overlay.clustering().unwrap_or(f64::NAN),
        path: overlay.mean_path(20, seed).unwrap_or(f64::NAN),
        hops: f64::from(last.hops_max),
        redundancy: f64::from(last.redundant) / receivers,
    };
    Ok((sim, calm))
}

/// Goes on from the snapshot: a share crashes, and random survivors broadcast.
fn crashed<B: Broadcast>(mut sim: Run<B>, share: f64, seed: u64) -> After {
    sim.inject(sim.now(), Fault::Crash(Who::Fraction(share)));
    let until = sim.now() + Span::secs(1);
    sim.run_until(until, &mut ());
    let alive: Vec<ProcessId> = sim.live().map(|(id, _)| id).collect();
    let mut draws = Stream::new(seed, &[0x7375_7276_6976_6f72]);
    let mut tally = Tally::default();
    let mut ids = Vec::new();
    for _ in 0..AFTER {
        let known: Vec<MessageId> = tally.delivered.keys().copied().collect();
        let origin = alive[draws.below(alive.len() as u32) as usize];
        second(&mut sim, origin, &mut tally);
        // A broadcast is delivered at its origin at once.
        ids.extend(tally.delivered.keys().filter(|id| !known.contains(id)).copied());
    }
    // Late copies, by way of repairs, count too.
    let until = sim.now() + Span::secs(5);
    sim.run_until(until, &mut tally);
    let reliability = |id: &MessageId| f64::from(tally.delivered[id]) / alive.len() as f64;
    let mean = ids.iter().map(reliability).sum::<f64>() / ids.len() as f64;
    After { first: ids.first().map_or(0.0, reliability), mean }
}

/// A mode of detection: the calm before, and what came of each of [`SHARES`].
type Mode = (Calm, [After; SHARES.len()]);

fn mode<B: Broadcast<Config: Clone>>(
    (processes, seeds): (u32, &[u64]),
    detection: Detection,
    broadcast: &B::Config,
    effort: &Effort,
) -> Result<Mode, String> {
    let by_seed = on_all_cores(seeds, effort.threads, |seed| {
        let (sim, calm) = prepared::<B>(processes, seed, detection, broadcast.clone())?;
        Ok::<Mode, String>((calm, SHARES.map(|share| crashed(sim.clone(), share, seed))))
    })?;
    let share = 1.0 / by_seed.len() as f64;
    let mut sum = (Calm::default(), [After { first: 0.0, mean: 0.0 }; SHARES.len()]);
    for (calm, after) in &by_seed {
        sum.0.add(calm, share);
        for (sum, after) in sum.1.iter_mut().zip(after) {
            sum.first += after.first * share;
            sum.mean += after.mean * share;
        }
    }
    Ok(sum)
}

/// Both modes of detection, beside what is known.
pub(super) struct Figures {
    /// Before the crash.
    pub(super) calm: Calm,
    at_once: [After; SHARES.len()],
    on_send: [After; SHARES.len()],
    known: Known,
}

impl Figures {
    /// Simulates them over HyParView with the papers' defaults.
    ///
    /// # Errors
    /// When it cannot be simulated.
    pub(super) fn measure<B: Broadcast<Config: Clone>>(
        size: (u32, &[u64]),
        broadcast: &B::Config,
        known: Known,
        effort: &Effort,
    ) -> Result<Self, String> {
        let (calm, at_once) = mode::<B>(size, Detection::Immediate, broadcast, effort)?;
        let (_, on_send) = mode::<B>(size, Detection::OnSend, broadcast, effort)?;
        Ok(Self { calm, at_once, on_send, known })
    }

    /// Whether the first message is as reliable as is known, but for a hundredth, up to 80 % crashed.
    pub(super) fn agree(&self) -> bool {
        let pairs = SHARES.iter().zip(self.at_once.iter().zip(self.known.at_once));
        pairs.filter(|(share, _)| **share <= 0.8).all(|(_, (after, known))| after.first >= known - 0.01)
    }

    /// Reliability of the first message and mean of all, by share and mode.
    pub(super) fn measured(&self) -> String {
        let list = |row: &[After; SHARES.len()]| {
            let cells = SHARES.iter().zip(row);
            let cells: Vec<String> = cells
                .map(|(share, after)| format!("{:.0} %: {:.4}/{:.4}", share * 100.0, after.first, after.mean))
                .collect();
            cells.join(", ")
        };
        format!(
            "reliability of the first message / mean of {AFTER}, breaks seen at once: {}; seen on the next send: {}",
            list(&self.at_once),
            list(&self.on_send)
        )
    }

    /// The known figures, as [`Figures::measured`] tells ours.
    pub(super) fn predicted(&self) -> String {
        let cells = SHARES.iter().zip(self.known.at_once);
        let cells: Vec<String> =
            cells.map(|(share, known)| format!("{:.0} %: {known:.4}", share * 100.0)).collect();
        let [half, most] = self.known.on_send;
        format!(
            "first message in a cycle-driven simulation, at once: {}; on the next send: 50 %: {half}, 80 %: {most}",
            cells.join(", ")
        )
    }

    /// Reliability of the first message by share, ours and the known one.
    pub(super) fn chart(&self, title: &str) -> Chart {
        let percent = |share: &f64| share * 100.0;
        let curve = |row: &[After; SHARES.len()]| {
            SHARES.iter().map(percent).zip(row.iter().map(|after| after.first)).collect::<Vec<_>>()
        };
        let known = SHARES.iter().map(percent).zip(self.known.at_once).collect();
        let known_on_send = [50.0, 80.0].into_iter().zip(self.known.on_send).collect();
        chart(
            title,
            "Reliability of the first message after so many processes crash at once, mean over seeds.",
            (Axis::new("crashed (%)", Unit::Plain), Axis::new("reliability", Unit::Share)),
            vec![
                ("seen at once".to_owned(), curve(&self.at_once)),
                ("known, at once".to_owned(), known),
                ("seen on the next send".to_owned(), curve(&self.on_send)),
                ("known, on the next send".to_owned(), known_on_send),
            ],
        )
    }
}
