//! From the outcomes of all seeds to the report.

use std::collections::BTreeMap;

use isles_kernel::{ProcessId, Time};
use isles_sim::Fault;

use super::gossip::SeedOutcome;
use super::measures::{MEASURES, Measure, counted};
use super::plan::Plan;
use super::seen::{self, Episode, Neighbors};
use crate::report::data::{
    Axis, Chart, Distribution, Edge, Fate, Figure, Landmark, Line, Message, Moment, MomentKind, Node,
    NodeState, Report, Sample, Shape, SpaceTime, Topology, Traffic, Unit, View,
};

/// Fills in everything of the report that the outcomes tell: figures, charts, distributions, traffic, topology and
/// space-time diagram. Title, set-up and checks are the caller's.
pub fn report(plan: &Plan, outcomes: &[&SeedOutcome]) -> Report {
    let mut notes = Vec::new();
    let first = outcomes.first();
    Report {
        seeds: outcomes.iter().map(|outcome| outcome.seed).collect(),
        figures: figures(MEASURES, plan, outcomes, |outcome| outcome.seed),
        charts: charts(plan, outcomes),
        distributions: distributions(outcomes),
        traffic: traffic(outcomes.iter().filter_map(|outcome| outcome.samples.last())),
        topology: first.map(|outcome| {
            let source = counted(outcome, plan).next().map(|one| one.origin);
            let words = (
                "The overlay",
                "Neighbours at the end of the run, of the first seed; links that payloads take unasked are highlighted.",
            );
            topology(plan, &outcome.overlay, source, words)
        }),
        space_time: first
            .and_then(|outcome| outcome.episode.as_ref())
            .map(|episode| space_time(plan, episode, BROADCAST, &mut notes)),
        notes,
        ..Report::default()
    }
}

/// Each measure over all seeds.
pub(super) fn figures<O>(
    measures: &[Measure<O>],
    plan: &Plan,
    outcomes: &[&O],
    seed: fn(&O) -> u64,
) -> Vec<Figure> {
    let of = |measure: &Measure<O>| {
        let value = |outcome: &&O| Some((seed(outcome), (measure.of)(outcome, plan)?));
        let values: Vec<(u64, f64)> = outcomes.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| Figure::new(measure.name, (measure.unit)(), measure.help, &values))
    };
    measures.iter().filter_map(of).collect()
}

fn charts(plan: &Plan, outcomes: &[&SeedOutcome]) -> Vec<Chart> {
    let over_time = |title: &str, help: &str, y: Axis, shape: Shape, lines: Vec<Line>| {
        over_time(plan, (title, help), y, shape, lines)
    };
    let per_broadcast = |value: fn(&super::recording::BroadcastOutcome) -> Option<f64>| -> Vec<Line> {
        outcomes
            .iter()
            .map(|outcome| Line {
                name: String::new(),
                seed: Some(outcome.seed),
                points: outcome
                    .broadcasts
                    .iter()
                    .filter_map(|one| Some((one.at.as_secs_f64(), value(one)?)))
                    .collect(),
                band: Vec::new(),
            })
            .collect()
    };
    let mut reliability = over_time(
        "Reliability of each broadcast",
        "Share of the processes that were up from the broadcast to the end of the run that delivered it.",
        Axis { from_zero: false, ..Axis::new("reliability", Unit::Share) },
        Shape::Line,
        per_broadcast(super::recording::BroadcastOutcome::reliability),
    );
    reliability.levels.push(Landmark { at: 1.0, label: "everyone".to_owned() });
    vec![
        reliability,
        over_time(
            "Last-delivery hop of each broadcast",
            "Hops of the delivery that took most.",
            Axis::new("hops", Unit::named("hops")),
            Shape::Line,
            per_broadcast(|one| Some(f64::from(one.hops_max))),
        ),
        over_time(
            "Redundancy of each broadcast",
            "Payloads received in excess of one for each receiver: m/(n-1) - 1.",
            Axis::new("redundancy", Unit::Plain),
            Shape::Line,
            per_broadcast(super::recording::BroadcastOutcome::redundancy),
        ),
        over_time(
            "Time to the last delivery of each broadcast",
            "From the broadcast to the last process that delivered it.",
            Axis::new("last delivery", Unit::Seconds),
            Shape::Line,
            per_broadcast(|one| Some(one.last.since(one.at).as_secs_f64())),
        ),
        rates(plan, outcomes.first().map_or(&[], |outcome| &outcome.samples)),
        over_time(
            "Processes that are up",
            "",
            Axis::new("processes", Unit::named("processes")),
            Shape::Step,
            outcomes
                .iter()
                .map(|outcome| Line {
                    name: String::new(),
                    seed: Some(outcome.seed),
                    points: outcome
                        .samples
                        .iter()
                        .map(|sample| (sample.at.as_secs_f64(), f64::from(sample.live)))
                        .collect(),
                    band: Vec::new(),
                })
                .collect(),
        ),
    ]
}

/// A chart over virtual time, with the faults.
pub(super) fn over_time(
    plan: &Plan,
    (title, help): (&str, &str),
    y: Axis,
    shape: Shape,
    lines: Vec<Line>,
) -> Chart {
    let landmark =
        |(at, fault): &(Time, Fault)| Landmark { at: at.as_secs_f64(), label: describe(fault).to_owned() };
    let events = plan.faults.iter().map(landmark).collect();
    Chart { help: help.to_owned(), shape, lines, events, ..Chart::over_time(title, y) }
}

/// Messages per process and second between samples, a line for each kind.
pub(super) fn rates(plan: &Plan, samples: &[seen::Sample]) -> Chart {
    let count_of = |sample: &seen::Sample, name: &str| {
        sample.counters.kinds().find(|kind| kind.name == name).map_or(0, |kind| kind.count)
    };
    let kinds = samples.last().into_iter().flat_map(|last| last.counters.kinds());
    let lines = kinds
        .map(|kind| {
            let mut points = Vec::new();
            let (mut before, mut at) = (0, Time::ZERO);
            for sample in samples {
                let count = count_of(sample, &kind.name);
                let span = sample.at.since(at).as_secs_f64();
                if span > 0.0 {
                    let rate = (count - before) as f64 / span / f64::from(plan.processes);
                    points.push((sample.at.as_secs_f64(), rate));
                }
                (before, at) = (count, sample.at);
            }
            Line { name: kind.name.clone(), seed: None, points, band: Vec::new() }
        })
        .collect();
    let title = ("Messages sent, by kind", "Per process and second, of the first seed.");
    over_time(plan, title, Axis::new("messages", Unit::named("messages/s")), Shape::Stack, lines)
}

fn distributions(outcomes: &[&SeedOutcome]) -> Vec<Distribution> {
    let mut latency: BTreeMap<u64, u64> = BTreeMap::new();
    let mut hops: BTreeMap<usize, u64> = BTreeMap::new();
    for outcome in outcomes {
        for value in outcome.latency.iter_recorded() {
            *latency.entry(value.value_iterated_to()).or_default() += value.count_since_last_iteration();
        }
        for (count, deliveries) in outcome.hops.iter().enumerate() {
            *hops.entry(count).or_default() += deliveries;
        }
    }
    let micros = latency.into_iter().map(|(value, count)| (value as f64 / 1e6, count)).collect();
    let hops = hops.into_iter().map(|(value, count)| (value as f64, count)).collect();
    vec![
        Distribution {
            title: "Latency of deliveries".to_owned(),
            help: "From broadcast to delivery, all seeds, after the warm-up.".to_owned(),
            axis: Axis::new("latency", Unit::Seconds),
            view: View::Cumulative,
            samples: vec![Sample { name: String::new(), counts: micros }],
        },
        Distribution {
            title: "Hops of deliveries".to_owned(),
            help: "Hops of the first copy to arrive, all seeds, after the warm-up.".to_owned(),
            axis: Axis::new("hops", Unit::named("hops")),
            view: View::Bars,
            samples: vec![Sample { name: String::new(), counts: hops }],
        },
    ]
}

/// Messages by kind, from the last samples of all seeds.
pub(super) fn traffic<'a>(last: impl Iterator<Item = &'a seen::Sample>) -> Vec<Traffic> {
    let mut kinds: Vec<Traffic> = Vec::new();
    for kind in last.flat_map(|last| last.counters.kinds()) {
        match kinds.iter_mut().find(|known| known.kind == kind.name) {
            Some(known) => {
                known.messages += kind.count;
                known.bytes += kind.bytes;
            }
            None => kinds.push(Traffic { kind: kind.name.clone(), messages: kind.count, bytes: kind.bytes }),
        }
    }
    kinds
}

/// Processes and their neighbours; `source` is where something began.
pub(super) fn topology(
    plan: &Plan,
    overlay: &[Neighbors],
    source: Option<ProcessId>,
    (title, help): (&str, &str),
) -> Topology {
    let up = |id| overlay.binary_search_by_key(&id, |one: &Neighbors| one.process).ok();
    let nodes = (0..plan.processes)
        .map(ProcessId)
        .map(|id| Node {
            label: id.to_string(),
            state: match up(id) {
                None => NodeState::Crashed,
                Some(_) if Some(id) == source => NodeState::Source,
                Some(_) => NodeState::Up,
            },
            ..Node::default()
        })
        .collect();
    let mut edges: BTreeMap<(u32, u32), bool> = BTreeMap::new();
    for one in overlay {
        for (peer, tree) in &one.peers {
            let ends = (one.process.0.min(peer.0), one.process.0.max(peer.0));
            *edges.entry(ends).or_default() |= *tree;
        }
    }
    let edges = edges.into_iter().map(|((from, to), tree)| Edge { from, to, tree }).collect();
    Topology::new(title, help, nodes, edges, false)
}

/// What the space-time diagram of an episode says.
#[derive(Clone, Copy)]
pub(super) struct Caption {
    /// Heading.
    pub(super) title: &'static str,
    /// What is seen.
    pub(super) help: &'static str,
    /// What its origin was asked.
    pub(super) asked: &'static str,
    /// What the processes did that it reached.
    pub(super) reached: &'static str,
}

/// Of a broadcast.
const BROADCAST: Caption = Caption {
    title: "The first broadcast",
    help: "Messages among the origin and the processes that it reached first.",
    asked: "broadcast",
    reached: "delivered the broadcast",
};

/// An episode, among its origin and those that it reached first.
pub(super) fn space_time(
    plan: &Plan,
    episode: &Episode,
    caption: Caption,
    notes: &mut Vec<String>,
) -> SpaceTime {
    let mut lanes = vec![episode.origin];
    for (_, process) in &episode.deliveries {
        if lanes.len() < plan.lanes && !lanes.contains(process) {
            lanes.push(*process);
        }
    }
    let lane = |id: ProcessId| lanes.iter().position(|other| *other == id).map(|index| index as u32);
    let end = episode
        .deliveries
        .iter()
        .filter(|(_, process)| lane(*process).is_some())
        .map(|(at, _)| *at)
        .max()
        .unwrap_or(episode.at);
    // A little longer than the last delivery, so that its consequences are seen.
    let end = end + isles_kernel::Span(end.since(episode.at).0 / 2);
    let messages: Vec<Message> = episode
        .messages
        .iter()
        .filter(|sent| sent.at >= episode.at && sent.at <= end)
        .filter_map(|sent| {
            Some(Message {
                kind: sent.kind.clone(),
                from: lane(sent.from)?,
                to: lane(sent.to)?,
                sent: sent.at.as_secs_f64(),
                fate: sent.arrival.map_or(Fate::Lost, |at| Fate::Arrived(at.as_secs_f64())),
            })
        })
        .collect();
    if episode.deliveries.len() > lanes.len() {
        notes.push(format!(
            "The space-time diagram shows the origin and the first {} of {} processes that {}.",
            lanes.len() - 1,
            episode.deliveries.len() - 1,
            caption.reached,
        ));
    }
    let invoked = Moment {
        lane: 0,
        at: episode.at.as_secs_f64(),
        kind: MomentKind::Invoked,
        label: caption.asked.to_owned(),
    };
    let delivered = episode.deliveries.iter().filter(|(at, _)| *at <= end).filter_map(|(at, process)| {
        let (lane, at) = (lane(*process)?, at.as_secs_f64());
        Some(Moment { lane, at, kind: MomentKind::Delivered, label: String::new() })
    });
    SpaceTime {
        title: caption.title.to_owned(),
        help: caption.help.to_owned(),
        lanes: lanes.iter().map(ToString::to_string).collect(),
        messages,
        moments: std::iter::once(invoked).chain(delivered).collect(),
    }
}

/// A fault in two words, for the rule in a chart.
pub fn describe(fault: &Fault) -> &'static str {
    match fault {
        Fault::Crash(_) | Fault::CrashAt { .. } => "crash",
        Fault::Restart { .. } => "restart",
        Fault::Pause(_) => "pause",
        Fault::Resume(_) => "resume",
        Fault::Partition(_) => "partition",
        Fault::Mute(_) => "one-way cut",
        Fault::Heal => "heal",
        Fault::Loss(_) => "loss",
        Fault::Clock { .. } => "clocks",
    }
}
