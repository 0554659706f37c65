//! What a measure is, and what is measured of a broadcast protocol: each a name, a unit, a sentence and a function.

use isles_kernel::Time;
use isles_sim::{Counters, Lost};

use super::gossip::SeedOutcome;
use super::overlay::Overlay;
use super::plan::Plan;
use super::recording::BroadcastOutcome;
use crate::report::data::Unit;

/// A number that every run of a family of protocols has; `O` is what comes of a seed.
#[derive(Debug)]
pub struct Measure<O: 'static> {
    /// As checks and sweeps name it.
    pub name: &'static str,
    /// What it counts.
    pub unit: fn() -> Unit,
    /// How it is measured.
    pub help: &'static str,
    /// Its value for one seed; none if the run does not tell.
    pub of: fn(&O, &Plan) -> Option<f64>,
}

/// A measure as lists and scenarios see it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// As checks and sweeps name it.
    pub name: &'static str,
    /// What it counts.
    pub unit: fn() -> Unit,
    /// How it is measured.
    pub help: &'static str,
}

impl<O> Measure<O> {
    /// The measure without its function.
    pub const fn about(&self) -> About {
        About { name: self.name, unit: self.unit, help: self.help }
    }
}

/// A broadcast counts as complete at this reliability when recovery is measured.
const COMPLETE: f64 = 0.999;
/// Sources of the breadth-first searches that sample path lengths.
const PATH_SOURCES: usize = 20;

pub(super) fn hops() -> Unit {
    Unit::named("hops")
}

pub(super) fn messages() -> Unit {
    Unit::named("messages")
}

fn links() -> Unit {
    Unit::named("links")
}

pub(super) fn plain() -> Unit {
    Unit::Plain
}

pub(super) fn share() -> Unit {
    Unit::Share
}

pub(super) fn seconds() -> Unit {
    Unit::Seconds
}

pub(super) fn bytes() -> Unit {
    Unit::Bytes
}

/// All measures, most telling first. Broadcasts of the warm-up count in none of them; messages and bytes are those of
/// the whole run.
pub static MEASURES: &[Measure<SeedOutcome>] = &[
    Measure {
        name: "reliability",
        unit: share,
        help: "share of the processes that were up from a broadcast to the end of the run that delivered it, mean over broadcasts",
        of: |outcome, plan| mean(counted(outcome, plan).filter_map(BroadcastOutcome::reliability)),
    },
    Measure {
        name: "reliability-min",
        unit: share,
        help: "the same, of the worst broadcast",
        of: |outcome, plan| {
            counted(outcome, plan).filter_map(BroadcastOutcome::reliability).min_by(f64::total_cmp)
        },
    },
    Measure {
        name: "last-delivery-hop",
        unit: hops,
        help: "hops of the delivery that took most, mean over broadcasts (LDH)",
        of: |outcome, plan| mean(counted(outcome, plan).map(|one| f64::from(one.hops_max))),
    },
    Measure {
        name: "last-delivery-hop-max",
        unit: hops,
        help: "hops of the delivery that took most of all",
        of: |outcome, plan| counted(outcome, plan).map(|one| f64::from(one.hops_max)).max_by(f64::total_cmp),
    },
    Measure {
        name: "redundancy",
        unit: plain,
        help: "relative message redundancy m/(n-1) - 1: payloads received in excess of one for each receiver, mean over broadcasts (RMR)",
        of: |outcome, plan| mean(counted(outcome, plan).filter_map(BroadcastOutcome::redundancy)),
    },
    Measure {
        name: "latency-p50",
        unit: seconds,
        help: "time from broadcast to delivery, median over deliveries",
        of: |outcome, _| quantile(outcome, 0.5),
    },
    Measure {
        name: "latency-p99",
        unit: seconds,
        help: "time from broadcast to delivery that 99 % of deliveries do not exceed",
        of: |outcome, _| quantile(outcome, 0.99),
    },
    Measure {
        name: "last-delivery",
        unit: seconds,
        help: "time from broadcast to its last delivery, mean over broadcasts",
        of: |outcome, plan| mean(counted(outcome, plan).map(|one| one.last.since(one.at).as_secs_f64())),
    },
    Measure {
        name: "recovery-time",
        unit: seconds,
        help: "longest time from a fault to the first broadcast from which on all are complete (99.9 %) until the next fault; as long as the run when that never comes",
        of: recovery_time,
    },
    Measure {
        name: "messages-per-process",
        unit: messages,
        help: "messages sent in the whole run, of all kinds, over the number of processes",
        of: |outcome, plan| Some(last(outcome)?.counters.sent() as f64 / f64::from(plan.processes)),
    },
    Measure {
        name: "bytes-per-process",
        unit: bytes,
        help: "bytes sent in the whole run, without transport headers, over the number of processes",
        of: |outcome, plan| Some(last(outcome)?.counters.bytes() as f64 / f64::from(plan.processes)),
    },
    Measure {
        name: "copies-per-broadcast",
        unit: messages,
        help: "payloads received for each broadcast, mean over broadcasts",
        of: |outcome, plan| mean(counted(outcome, plan).map(|one| one.copies as f64)),
    },
    Measure {
        name: "lost",
        unit: share,
        help: "share of the messages that did not arrive, for whatever reason",
        of: |outcome, _| lost(&last(outcome)?.counters),
    },
    Measure {
        name: "degree",
        unit: links,
        help: "neighbours per process at the end, mean over processes that are up",
        of: |outcome, _| Overlay::new(&outcome.overlay).mean_degree(),
    },
    Measure {
        name: "asymmetry",
        unit: share,
        help: "share of the links at the end that the other side does not have",
        of: |outcome, _| Some(Overlay::new(&outcome.overlay).asymmetry()),
    },
    Measure {
        name: "largest-component",
        unit: share,
        help: "share of the processes that are up at the end that are in the largest island of the overlay",
        of: |outcome, _| Overlay::new(&outcome.overlay).largest_component(),
    },
    Measure {
        name: "path-length",
        unit: hops,
        help: "mean shortest path in the overlay at the end, from 20 random processes",
        of: |outcome, _| Overlay::new(&outcome.overlay).mean_path(PATH_SOURCES, outcome.seed),
    },
    Measure {
        name: "clustering",
        unit: plain,
        help: "clustering coefficient of the overlay at the end, over processes with two links or more",
        of: |outcome, _| Overlay::new(&outcome.overlay).clustering(),
    },
    Measure {
        name: "neighbor-changes",
        unit: || Unit::named("changes"),
        help: "neighbours gained and lost in the whole run, over the number of processes",
        of: |outcome, plan| Some(last(outcome)?.changes as f64 / f64::from(plan.processes)),
    },
];

/// The measure of this name.
pub fn find(name: &str) -> Option<&'static Measure<SeedOutcome>> {
    MEASURES.iter().find(|measure| measure.name == name)
}

/// The broadcasts after the warm-up.
pub fn counted<'a>(outcome: &'a SeedOutcome, plan: &'a Plan) -> impl Iterator<Item = &'a BroadcastOutcome> {
    outcome.broadcasts.iter().filter(|one| one.at >= plan.warmup)
}

fn last(outcome: &SeedOutcome) -> Option<&super::seen::Sample> {
    outcome.samples.last()
}

/// The share of messages that did not arrive; none if none was sent.
pub(super) fn lost(counters: &Counters) -> Option<f64> {
    let reasons = [Lost::Link, Lost::Partition, Lost::Queue, Lost::Down, Lost::Stream];
    let lost: u64 = reasons.iter().map(|why| counters.lost(*why)).sum();
    (counters.sent() > 0).then(|| lost as f64 / counters.sent() as f64)
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

fn quantile(outcome: &SeedOutcome, share: f64) -> Option<f64> {
    let latency = &outcome.latency;
    (!latency.is_empty()).then(|| latency.value_at_quantile(share) as f64 / 1e6)
}

fn recovery_time(outcome: &SeedOutcome, plan: &Plan) -> Option<f64> {
    let mut instants: Vec<Time> = plan.faults.iter().map(|(at, _)| *at).collect();
    instants.dedup();
    let end = Time::ZERO + plan.duration;
    let spans = instants.iter().enumerate().filter_map(|(index, &fault)| {
        let next = instants.get(index + 1).copied().unwrap_or(end);
        let after: Vec<&BroadcastOutcome> =
            outcome.broadcasts.iter().filter(|one| one.at >= fault && one.at < next).collect();
        let incomplete = |one: &&BroadcastOutcome| one.reliability().is_some_and(|share| share < COMPLETE);
        let span = match after.iter().rposition(incomplete) {
            None => after.first()?.at.since(fault),
            Some(index) => after.get(index + 1).map_or(plan.duration, |one| one.at.since(fault)),
        };
        Some(span.as_secs_f64())
    });
    spans.max_by(f64::total_cmp)
}
