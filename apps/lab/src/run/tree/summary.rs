//! From the outcomes of all seeds of a tree protocol to the report.

use std::collections::BTreeMap;

use super::SeedOutcome;
use super::measures::MEASURES;
use crate::report::data::{Axis, Distribution, Line, Report, Sample, Shape, Unit, View};
use crate::run::plan::Plan;
use crate::run::summary::{Caption, figures, over_time, rates, space_time, topology, traffic};

/// Fills in everything of the report that the outcomes tell.
pub(crate) fn report(plan: &Plan, outcomes: &[&SeedOutcome]) -> Report {
    let mut notes = Vec::new();
    let first = outcomes.first();
    let tree = (
        "The tree",
        "The graph at the end of the run, of the first seed; edges of the root's tree are highlighted.",
    );
    let caption = Caption {
        title: "The beginning",
        help: "Messages among the root and the processes that joined first.",
        asked: "asked",
        reached: "joined",
    };
    let (joined, last) =
        (joined(plan, outcomes), outcomes.iter().filter_map(|outcome| outcome.samples.last()));
    Report {
        seeds: outcomes.iter().map(|outcome| outcome.seed).collect(),
        figures: figures(MEASURES, plan, outcomes, |outcome| outcome.seed),
        charts: vec![joined, rates(plan, first.map_or(&[], |outcome| &outcome.samples))],
        distributions: vec![depths(outcomes)],
        traffic: traffic(last),
        topology: first.map(|outcome| topology(plan, &outcome.overlay, Some(outcome.begin.root), tree)),
        space_time: first
            .and_then(|outcome| outcome.episode.as_ref())
            .map(|episode| space_time(plan, episode, caption, &mut notes)),
        notes,
        ..Report::default()
    }
}

/// How the tree grew: a step for each instant at which somebody joined.
fn joined(plan: &Plan, outcomes: &[&SeedOutcome]) -> crate::report::data::Chart {
    let line = |outcome: &&SeedOutcome| {
        let mut instants: Vec<f64> = outcome.joined.iter().flatten().map(|at| at.as_secs_f64()).collect();
        instants.sort_by(f64::total_cmp);
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (count, at) in (1u32..).zip(instants) {
            match points.last_mut() {
                Some(last) if last.0 == at => last.1 = f64::from(count),
                Some(_) | None => points.push((at, f64::from(count))),
            }
        }
        Line { name: String::new(), seed: Some(outcome.seed), points, band: Vec::new() }
    };
    over_time(
        plan,
        ("Processes in the tree", "In an election: that know the outcome."),
        Axis::new("processes", Unit::named("processes")),
        Shape::Step,
        outcomes.iter().map(line).collect(),
    )
}

/// Depths in the trees beside distances from the root.
fn depths(outcomes: &[&SeedOutcome]) -> Distribution {
    let sample = |name: &str, values: &mut dyn Iterator<Item = u32>| {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
        let counts = counts.into_iter().map(|(value, count)| (f64::from(value), count)).collect();
        Sample { name: name.to_owned(), counts }
    };
    let mut depths =
        outcomes.iter().flat_map(|outcome| outcome.seats.iter().flatten().map(|seat| seat.depth));
    let mut far = outcomes.iter().flat_map(|outcome| outcome.expected.distance.iter().flatten().copied());
    Distribution {
        title: "Depth and distance".to_owned(),
        help: "Hops from the root along its tree, beside hops along shortest paths; all seeds.".to_owned(),
        axis: Axis::new("hops", Unit::named("hops")),
        view: View::Bars,
        samples: vec![sample("depth in the tree", &mut depths), sample("distance", &mut far)],
    }
}
