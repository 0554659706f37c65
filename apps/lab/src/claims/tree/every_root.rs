//! Everybody a root: TREE-06, TREE-07 and TREE-12.

use std::sync::Arc;

use isles_graph::{Graph, all_pairs, grid, random_regular, ring};
use isles_kernel::{ProcessId, Protocol, Span, Time};
use isles_sim::{Links, Observer, Setup, Simulation};
use isles_trees::Rounds;
use isles_trees::every_root::{self, Elect, EveryRoot, Outcome};
use isles_trees::gather::Census;
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::{self, Answers, Mistake};

use super::world::{ROUND, Tally, equal_links, graphs, random_links, rest};
use crate::claims::curve::{chart, exponent, logarithmic};
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Unit};

/// What everybody found out, and when the last one did.
#[derive(Default)]
struct Elected {
    outcomes: Vec<(ProcessId, Outcome)>,
    last: Time,
}

impl<P: Protocol<Event = every_root::Event>> Observer<P> for Elected {
    fn on_event(&mut self, at: Time, process: ProcessId, event: &every_root::Event) {
        if let every_root::Event::Done(outcome) = event {
            self.outcomes.push((process, *outcome));
            self.last = at;
        }
    }
}

impl Elected {
    fn leaders(&self) -> Vec<ProcessId> {
        self.outcomes.iter().filter(|(_, outcome)| outcome.leads).map(|(process, _)| *process).collect()
    }
}

/// Asks everybody at once, and lets everything come to rest.
fn elect<P>(
    nodes: u32,
    seed: u64,
    links: Links,
    config: P::Config,
) -> Result<(Simulation<P>, Elected), String>
where
    P: Protocol<Op = Elect, Event = every_root::Event>,
{
    let setup = Setup { links, ..Setup::new(nodes, seed, config) };
    let mut sim = Simulation::<P>::new(setup).map_err(|error| error.to_string())?;
    (0..nodes).for_each(|process| {
        sim.invoke(ProcessId(process), Elect);
    });
    let mut elected = Elected::default();
    rest(&mut sim, &mut elected)?;
    Ok((sim, elected))
}

/// UIDs that are all different and have nothing to do with the order of processes.
fn uids(nodes: u32) -> Vec<u64> {
    (0..nodes).map(|process| u64::from(process.wrapping_mul(0x9e37_79b1))).collect()
}

fn everybody(graph: &Arc<Graph>, uids: Vec<u64>, diameter: bool) -> every_root::Config {
    every_root::Config {
        tree: tree::Config::new(Arc::clone(graph), Census { uids }, Answers::Echo),
        diameter,
    }
}

fn in_rounds(
    graph: &Arc<Graph>,
    config: every_root::Config,
    bundle: bool,
) -> Result<(Simulation<Rounds<EveryRoot>>, Elected), String> {
    let paced = rounds::Config::new(Arc::clone(graph), config, Pace::Clock(ROUND), bundle);
    elect(graph.nodes(), 1, equal_links(), paced)
}

/// Whether exactly this process leads, and everybody knows its UID and how many there are.
fn agreed(graph: &Graph, uids: &[u64], elected: &Elected) -> bool {
    let greatest = graph.ids().max_by_key(|process| uids[process.index()]);
    let Some(leader) = greatest else { return false };
    let same = |outcome: &Outcome| {
        outcome.found.uid_max == uids[leader.index()] && outcome.found.count == graph.nodes()
    };
    elected.leaders() == [leader]
        && elected.outcomes.len() == graph.nodes() as usize
        && elected.outcomes.iter().all(|(_, outcome)| same(outcome))
}

pub(super) fn tree_06(effort: &Effort) -> Result<Finding, String> {
    let (mut one, mut exact, mut bundled, mut control) = Default::default();
    let mut two = 0;
    for graph in graphs(if effort.quick { 40 } else { 200 }, 4)? {
        let uids = uids(graph.nodes());
        let (sim, elected) = in_rounds(&graph, everybody(&graph, uids.clone(), false), false)?;
        Tally::add(&mut one, agreed(&graph, &uids, &elected));
        let formula = graph.arcs() as u64 * u64::from(graph.nodes());
        Tally::add(&mut exact, sim.counters().sent() == formula);
        let (sim, elected) = in_rounds(&graph, everybody(&graph, uids.clone(), false), true)?;
        let diameter = u64::from(isles_graph::eccentricities(&graph).diameter().unwrap_or(0));
        let most = graph.arcs() as u64 * (2 * diameter + 2);
        Tally::add(&mut bundled, agreed(&graph, &uids, &elected) && sim.counters().sent() <= most);
        let mut twice = uids.clone();
        twice[0] = u64::MAX;
        twice[graph.nodes() as usize / 2] = u64::MAX;
        let (_, elected) = in_rounds(&graph, everybody(&graph, twice, false), true)?;
        two = elected.leaders().len();
        Tally::add(&mut control, two == 1);
    }
    Ok(Finding {
        holds: one.all_right() && exact.all_right() && bundled.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "the greatest UID leads, alone and known to all, in {one} graphs; exactly 2E · n messages in {exact}, at most \
             2E (2 diam + 2) of one a round and edge in {bundled}; control: one leader in {control}, {two} at last"
        ),
        predicted: "one leader, the process with the greatest UID; O(diam · E) messages".to_owned(),
        ..Finding::default()
    })
}

/// Graphs of one kind, ascending by size.
type Growing = (&'static str, Vec<Arc<Graph>>);

/// Graphs of growing size whose diameters grow as n, as the root of n, and as its logarithm.
fn growing(effort: &Effort) -> Result<Vec<Growing>, String> {
    let sides: &[u32] = if effort.quick { &[4, 6, 8] } else { &[4, 8, 12, 16, 20] };
    let regular =
        |side: &u32| random_regular(side * side, 4, 1).map(Arc::new).map_err(|error| error.to_string());
    Ok(vec![
        ("ring", sides.iter().map(|side| Arc::new(ring(side * side / 2))).collect()),
        ("grid", sides.iter().map(|side| Arc::new(grid(side * side, *side))).collect()),
        ("random regular", sides.iter().map(regular).collect::<Result<_, _>>()?),
    ])
}

pub(super) fn tree_07(effort: &Effort) -> Result<Finding, String> {
    let (mut right, mut within, mut control) = (Tally::default(), Tally::default(), Tally::default());
    let (mut times, mut counts, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let (mut all_times, mut all_counts) = (Vec::new(), Vec::new());
    for (name, graphs) in growing(effort)? {
        let (mut time, mut count) = (Vec::new(), Vec::new());
        for graph in &graphs {
            let exact = all_pairs(graph).eccentricities;
            let diameter = exact.diameter().unwrap_or(0);
            let config = everybody(graph, uids(graph.nodes()), true);
            let (sim, elected) = in_rounds(graph, config.clone(), true)?;
            let same = |(process, outcome): &(ProcessId, Outcome)| {
                outcome.diameter == Some(diameter) && outcome.found.depth_max == exact.of[process.index()]
            };
            right.add(elected.outcomes.len() == exact.of.len() && elected.outcomes.iter().all(same));
            // The first round begins at the first tick.
            let rounds = elected.last.since(Time::ZERO + ROUND).0 / ROUND.0;
            let (diam, sent) = (u64::from(diameter), sim.counters().sent());
            within.add(rounds <= 3 * diam + 2 && sent <= graph.arcs() as u64 * (3 * diam + 2));
            time.push((f64::from(diameter), rounds as f64));
            count.push((f64::from(diameter) * graph.edges() as f64, sent as f64));
            let (_, elected) = elect::<EveryRoot>(graph.nodes(), 1, random_links(), config)?;
            control.add(elected.outcomes.iter().all(|(_, outcome)| outcome.diameter == Some(diameter)));
        }
        told.push(format!("{name}: messages as (diam · E)^{:.2}", exponent(&count)));
        all_times.extend(time.iter().copied());
        all_counts.extend(count.iter().copied());
        times.push((name.to_owned(), time));
        counts.push((name.to_owned(), count));
    }
    let (slope, growth) = (exponent(&all_times), exponent(&all_counts));
    let log = |name: &str, unit: Unit| logarithmic(Axis::new(name, unit));
    Ok(Finding {
        holds: right.all_right()
            && within.all_right()
            && (0.8..1.2).contains(&slope)
            && (0.8..1.2).contains(&growth),
        control_fails: control.any_wrong(),
        measured: format!(
            "every process of {right} graphs learns its eccentricity and the diameter, within 3 diam + 2 rounds and \
             2E (3 diam + 2) messages in {within}; over all, rounds as diam^{slope:.2} and messages as (diam · E)^{growth:.2} \
             ({}); control: right in {control}",
            told.join(", ")
        ),
        predicted: "exponents of 1".to_owned(),
        charts: vec![
            chart(
                "Rounds to the diameter",
                "Until the last process knows the diameter.",
                (log("diameter", Unit::named("hops")), log("rounds", Unit::named("rounds"))),
                times,
            ),
            chart(
                "Messages to the diameter",
                "All that goes over an edge in one round being one.",
                (log("diameter times edges", Unit::Plain), log("messages", Unit::named("messages"))),
                counts,
            ),
        ],
    })
}

pub(super) fn tree_12(effort: &Effort) -> Result<Finding, String> {
    let (mut one, mut exact, mut control) = (Tally::default(), Tally::default(), Tally::default());
    let (mut most, mut longest) = (0, Span::ZERO);
    let seeds = if effort.quick { 1 } else { 3 };
    for graph in graphs(if effort.quick { 40 } else { 150 }, 5)? {
        let uids = uids(graph.nodes());
        let config = everybody(&graph, uids.clone(), false);
        for seed in 1..=seeds {
            let (sim, elected) = elect::<EveryRoot>(graph.nodes(), seed, random_links(), config.clone())?;
            one.add(agreed(&graph, &uids, &elected));
            exact.add(sim.counters().sent() == graph.arcs() as u64 * u64::from(graph.nodes()));
            longest = longest.max(elected.last.since(Time::ZERO));
        }
        let tree = tree::Config {
            mistake: Some(Mistake::ReportEarly),
            answers: Answers::Children,
            ..config.tree.clone()
        };
        let early = every_root::Config { tree, diameter: false };
        let (_, elected) = elect::<EveryRoot>(graph.nodes(), 1, random_links(), early)?;
        most = most.max(elected.leaders().len());
        control.add(elected.leaders().len() == 1);
    }
    Ok(Finding {
        holds: one.all_right() && exact.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "one leader, the greatest UID, known to all with their number in {one} runs of random latency, the longest of {longest}; \
             exactly 2E · n messages in {exact}; control: one leader in {control}, up to {most}"
        ),
        predicted: "one leader; 2E messages for every root".to_owned(),
        ..Finding::default()
    })
}
