//! One root, without rounds: TREE-09 to TREE-11.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Channel, Payload, ProcessId, Span, Time};
use isles_sim::{Distribution, Latency, Links, Matrix, Setup, Simulation};
use isles_trees::SpanningTree;
use isles_trees::gather::{Census, Found};
use isles_trees::tree::properties::View;
use isles_trees::tree::{self, Answers, Op};

use super::world::{
    DELAY, ROOT, ROUND, Tally, Told, eccentricity, equal_links, flooded, graphs, in_rounds, random_links,
    rest, size,
};
use crate::claims::curve::{chart, exponent, logarithmic};
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Unit};

type Tree = SpanningTree<Census>;

fn config(graph: &Arc<Graph>, answers: Answers) -> tree::Config<Census> {
    tree::Config::new(Arc::clone(graph), Census { uids: Vec::new() }, answers)
}

/// A path from the root, and an edge from the root to everybody.
fn fan(nodes: u32) -> Arc<Graph> {
    let path = (1..nodes).map(|node| (node - 1, node));
    let spokes = (2..nodes).map(|node| (0, node));
    Arc::new(Graph::from_edges(nodes, &path.chain(spokes).collect::<Vec<_>>()))
}

/// Links that take [`DELAY`], but the path: all of it together takes less, downwards or both ways.
fn fast_path(nodes: u32, both_ways: bool) -> Result<Links, String> {
    let fast = Span(DELAY.0 / u64::from(nodes));
    let latency = |from: u32, to: u32| {
        if from + 1 == to || (both_ways && to + 1 == from) { fast } else { DELAY }
    };
    let spans = (0..nodes).flat_map(|from| (0..nodes).map(move |to| latency(from, to))).collect();
    let matrix = Matrix::new(nodes, spans).ok_or("too many processes for a matrix")?;
    Ok(Links { latency: Latency::Matrix { matrix, jitter: 0.0 }, ..equal_links() })
}

fn sizes(effort: &Effort) -> &'static [u32] {
    if effort.quick { &[8, 16, 32, 64] } else { &[8, 16, 32, 64, 128, 256, 512] }
}

/// In units of [`DELAY`].
fn delays(span: Span) -> f64 {
    span.0 as f64 / DELAY.0 as f64
}

pub(super) fn tree_09(effort: &Effort) -> Result<Finding, String> {
    let (mut path, mut exact, mut soon, mut control, mut random) = Default::default();
    let (mut heights, mut counts, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for &nodes in sizes(effort) {
        let graph = fan(nodes);
        let config = config(&graph, Answers::None);
        let (sim, told) = flooded(&config, 1, fast_path(nodes, false)?)?;
        let height = View::new(&graph, ROOT, sim.live()).height();
        Tally::add(&mut path, height == nodes - 1);
        let sent = sim.counters().sent();
        Tally::add(&mut exact, sent == graph.arcs() as u64 - u64::from(nodes - 1));
        let time = delays(told.last().since(told.begin()));
        Tally::add(&mut soon, time <= 1.0);
        let (sim, _) = flooded(&config, 1, equal_links())?;
        Tally::add(&mut control, View::new(&graph, ROOT, sim.live()).height() > 1);
        let x = f64::from(nodes);
        heights.push((x, f64::from(height)));
        counts.push((graph.edges() as f64, sent as f64));
        times.push((x, time));
    }
    // The bound on time for other graphs and latencies, too: whatever the order, no later than the slowest shortest path.
    let slowest = Span::millis(50);
    for graph in graphs(size(effort), 6)? {
        let uniform = Links::law(Distribution::Uniform { min: Span::millis(1), max: slowest });
        let (_, told) = flooded(&config(&graph, Answers::None), 1, uniform)?;
        let most = slowest.times(eccentricity(&graph));
        Tally::add(
            &mut random,
            told.last().since(told.begin()) <= most && told.joined.len() == graph.nodes() as usize,
        );
    }
    Ok(Finding {
        holds: path.all_right() && exact.all_right() && soon.all_right() && random.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "the root is everybody's neighbour, and the tree is a path of n - 1 hops (height as n^{:.2}) in {path} graphs; \
             2E - n + 1 messages in {exact} (as E^{:.2}); all joined within one delay in {soon}, and within the eccentricity \
             times the greatest delay in {random} others; control: deeper than one hop in {control}",
            exponent(&heights),
            exponent(&counts),
        ),
        predicted: "height n - 1 at eccentricity 1, E to 2E messages, time at most eccentricity times delay"
            .to_owned(),
        charts: vec![chart(
            "A fast long path beats slow short ones",
            "Everybody is the root's neighbour over a slow link, and the next one's over a fast one.",
            (
                logarithmic(Axis::new("processes", Unit::Plain)),
                logarithmic(Axis::new("hops or delays", Unit::Plain)),
            ),
            vec![
                ("height of the tree, hops".to_owned(), heights),
                ("time to join, delays".to_owned(), times),
            ],
        )],
    })
}

pub(super) fn tree_10(effort: &Effort) -> Result<Finding, String> {
    let (mut up, mut down, mut flat) = (Vec::new(), Vec::new(), Vec::new());
    let (mut as_high, mut control) = (Tally::default(), Tally::default());
    let broadcast = || Op::Broadcast(Payload::zeros(8));
    for &nodes in sizes(effort) {
        let (graph, x) = (fan(nodes), f64::from(nodes));
        let config = tree::Config { carry: false, ..config(&graph, Answers::Children) };
        // Searches go down the path fast, answers and reports up slowly.
        let (_, told) = flooded(&config, 1, fast_path(nodes, false)?)?;
        let built = told.built.as_ref().ok_or("a root never knew")?;
        up.push((x, delays(built.at.since(told.begin()))));
        // Everything is fast while the tree grows, and slow afterwards.
        let (mut sim, mut told) = flooded(&config, 1, fast_path(nodes, true)?)?;
        sim.set_latency(Latency::Law(Distribution::Constant(DELAY))).map_err(|error| error.to_string())?;
        let asked = sim.now();
        told.delivered.clear();
        sim.invoke(ROOT, broadcast());
        rest(&mut sim, &mut told)?;
        let time = delays(told.last_delivery.since(asked));
        as_high.add(time == f64::from(nodes - 1) && told.delivered.len() == nodes as usize);
        down.push((x, time));
        // Rounds make it breadth-first; the broadcast goes down it at the same latencies.
        let (mut sim, mut told) = in_rounds(&tree::Config { carry: true, ..config })?;
        let before = sim.now();
        told.delivered.clear();
        sim.invoke(ROOT, broadcast());
        rest(&mut sim, &mut told)?;
        let rounds = told.last_delivery.since(before).0.div_ceil(ROUND.0);
        // One round until the root acts, and one for each hop.
        let hops = rounds.saturating_sub(1) as f64;
        control.add(hops >= f64::from(nodes - 1));
        flat.push((x, hops));
    }
    let (reports, broadcasts) = (exponent(&up), exponent(&down));
    let linear = |exponent: f64| (0.9..1.1).contains(&exponent);
    Ok(Finding {
        holds: linear(reports) && linear(broadcasts) && as_high.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "everybody is the root's neighbour: reports take n^{reports:.2} delays, {:.0} for {} processes; a broadcast down the finished \
             tree, whose path has become slow, n - 1 delays in {as_high} graphs; control: as long in {control}, one delay",
            up.last().map_or(f64::NAN, |point| point.1),
            sizes(effort)[sizes(effort).len() - 1],
        ),
        predicted: "the height times the delay: n - 1 delays; breadth-first: one".to_owned(),
        charts: vec![chart(
            "The price of a path",
            "Delays until the last process has a broadcast, or the root all reports, of a graph of eccentricity 1.",
            (
                logarithmic(Axis::new("processes", Unit::Plain)),
                logarithmic(Axis::new("delays", Unit::named("delays"))),
            ),
            vec![
                ("reports up the tree".to_owned(), up),
                ("broadcast down the tree".to_owned(), down),
                ("control: breadth-first tree".to_owned(), flat),
            ],
        )],
    })
}

pub(super) fn tree_11(effort: &Effort) -> Result<Finding, String> {
    let (mut known, mut exact, mut forgotten, mut control) = Default::default();
    let mut again = 0;
    let seeds = if effort.quick { 2 } else { 5 };
    for graph in graphs(size(effort), 7)? {
        let config = tree::Config { forget: true, ..config(&graph, Answers::Acks) };
        let (nodes, searches) = (graph.nodes() as usize, graph.arcs() as u64 - u64::from(graph.nodes()) + 1);
        for seed in 1..=seeds {
            let (sim, told) = flooded(&config, seed, random_links())?;
            Tally::add(&mut known, told.built.is_some_and(|built| built.delivered == nodes));
            Tally::add(&mut exact, sim.counters().sent() == 2 * searches);
            let empty = sim.live().all(|(_, process)| process.inside().is_none());
            Tally::add(&mut forgotten, empty && told.again == 0 && told.rejected == 0);
        }
        let datagrams = tree::Config { channel: Channel::Datagram, ..config };
        let links = Links { duplication: 0.2, reordering: 0.2, ..random_links() };
        // Searched again and again, they might never come to rest.
        let told = for_a_while(&datagrams, links)?;
        again += told.again;
        Tally::add(&mut control, told.again == 0 && told.rejected == 0);
    }
    Ok(Finding {
        holds: known.all_right() && exact.all_right() && forgotten.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "the root knew when everybody had the payload in {known} runs, after exactly 2 (2E - n + 1) messages in {exact}, and \
             everything was forgotten, nobody searched twice, in {forgotten}; control: in {control}, {again} searched again"
        ),
        predicted: "an acknowledgement for every search, the root's knowledge last".to_owned(),
        ..Finding::default()
    })
}

/// A run that is ended after two seconds.
fn for_a_while(config: &tree::Config<Census>, links: Links) -> Result<Told<Found>, String> {
    let setup = Setup { links, ..Setup::new(config.graph.nodes(), 1, config.clone()) };
    let mut sim = Simulation::<Tree>::new(setup).map_err(|error| error.to_string())?;
    sim.invoke(ProcessId(0), Op::Build(Payload::zeros(8)));
    let mut told = Told::new();
    sim.run_until(Time::ZERO + Span::secs(2), &mut told);
    Ok(told)
}
