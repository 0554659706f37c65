//! One root, in rounds: TREE-01 to TREE-05.

use std::sync::Arc;

use isles_graph::{Graph, distances, grid};
use isles_kernel::Payload;
use isles_trees::gather::{Census, Found, Sum};
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::properties::View;
use isles_trees::tree::{self, Answers, Mistake, Op};
use isles_trees::{Rounds, Routed, SpanningTree, routed};

use super::world::{
    DELAY, Grown, ROOT, ROUND, Tally, eccentricity, equal_links, flooded, graphs, grow, in_rounds, one_way,
    random_links, rest, sent, size,
};
use crate::claims::curve::{chart, exponent};
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Unit};

fn census() -> Census {
    Census { uids: Vec::new() }
}

fn rounds_axis() -> Axis {
    Axis::new("rounds", Unit::named("rounds"))
}

pub(super) fn tree_01(effort: &Effort) -> Result<Finding, String> {
    let (mut searches, mut time, mut tree, mut control) = Default::default();
    let (mut by_arcs, mut by_distance, mut deeper) = (Vec::new(), Vec::new(), 0.0f64);
    let sizes: &[u32] = if effort.quick { &[40, 120] } else { &[100, 300, 1_000, 3_000] };
    for &nodes in sizes {
        for graph in graphs(nodes, 1)?.into_iter().chain(one_way(nodes, 1)?) {
            let config = tree::Config {
                to_parent: true,
                ..tree::Config::new(Arc::clone(&graph), census(), Answers::None)
            };
            let (sim, told) = in_rounds(&config)?;
            let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child())));
            let (count, rounds) = (sim.counters().sent(), told.rounds(told.last()));
            Tally::add(&mut searches, count == graph.arcs() as u64);
            Tally::add(&mut time, rounds == eccentricity(&graph));
            Tally::add(
                &mut tree,
                view.parents_form_tree().and(view.spans()).and(view.is_breadth_first()).is_ok(),
            );
            by_arcs.push((graph.arcs() as f64, count as f64));
            by_distance.push((eccentricity(&graph) as f64, rounds as f64));
            let (sim, _) = flooded(&config, 1, random_links())?;
            let view = View::new(&graph, ROOT, sim.live());
            Tally::add(&mut control, view.is_breadth_first().is_ok());
            deeper = deeper.max(f64::from(view.height()) / eccentricity(&graph) as f64);
        }
    }
    by_distance.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Finding {
        holds: searches.all_right() && time.all_right() && tree.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "{} to {} processes: one search an edge in {searches} graphs (as E^{:.3}), as many rounds as the farthest is far in \
             {time}, breadth-first in {tree}; control: breadth-first in {control}, up to {deeper:.1} times as deep",
            sizes[0],
            sizes[sizes.len() - 1],
            exponent(&by_arcs),
        ),
        predicted: "E searches, eccentricity of the root in rounds, depth = distance".to_owned(),
        charts: vec![chart(
            "Rounds of SyncBFS",
            "Rounds until the last process joined, by the eccentricity of the root; a dot's graph is directed or not.",
            (Axis::new("eccentricity", Unit::named("hops")), rounds_axis()),
            vec![("rounds".to_owned(), by_distance)],
        )],
    })
}

/// SyncBFS where edges lead one way.
type RoutedInRounds = Rounds<Routed<SpanningTree<Census>>>;

/// Rounds with all that goes over an edge in one of them as one message.
fn routed_in_rounds(graph: &Arc<Graph>, route: bool) -> Result<Grown<RoutedInRounds, Found>, String> {
    let child = tree::Config::new(Arc::clone(graph), census(), Answers::Children);
    let config = routed::Config { graph: Arc::clone(graph), child, route };
    let paced = rounds::Config::new(Arc::clone(graph), config, Pace::Clock(ROUND), true);
    grow(graph.nodes(), 1, equal_links(), paced)
}

pub(super) fn tree_02(effort: &Effort) -> Result<Finding, String> {
    let (mut undirected, mut directed, mut control) = (Tally::default(), Tally::default(), Tally::default());
    let mut points = Vec::new();
    for graph in graphs(size(effort), 1)? {
        let (sim, _) = in_rounds(&tree::Config::new(Arc::clone(&graph), census(), Answers::Children))?;
        let others = u64::from(graph.nodes()) - 1;
        let searches = graph.arcs() as u64 - others;
        let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child())));
        let exact = (sent(&sim, ".Parent"), sent(&sim, ".NonParent")) == (others, searches - others);
        undirected.add(exact && knows_children(&graph, &view) && view.is_breadth_first().is_ok());
    }
    let sizes: &[u32] = if effort.quick { &[30, 60] } else { &[40, 80, 160, 240] };
    let mut most: f64 = 0.0;
    for &nodes in sizes {
        for graph in one_way(nodes, 1)? {
            let (sim, told) = routed_in_rounds(&graph, true)?;
            let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child().child())));
            directed.add(
                knows_children(&graph, &view) && view.is_breadth_first().is_ok() && told.built.is_some(),
            );
            let diameter = isles_graph::eccentricities(&graph).diameter().unwrap_or(0);
            let bound = f64::from(diameter) * graph.arcs() as f64;
            most = most.max(sim.counters().sent() as f64 / bound);
            points.push((bound, sim.counters().sent() as f64));
            let (sim, told) = routed_in_rounds(&graph, false)?;
            let view = View::new(&graph, ROOT, sim.live().map(|(me, rounds)| (me, rounds.child().child())));
            control.add(knows_children(&graph, &view) && told.built.is_some());
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Finding {
        // Down, the answers of the deepest on their way, and up, each hop of which may take a diameter: by far not always.
        holds: undirected.all_right() && directed.all_right() && exponent(&points) < 1.3,
        control_fails: control.any_wrong(),
        measured: format!(
            "everybody knows its children in {undirected} undirected graphs (n - 1 parent replies, all others non-parent) and in \
             {directed} directed ones, there with (diam · E)^{:.2} messages, at most {most:.1} diam · E, reports included; \
             control: in {control}",
            exponent(&points),
        ),
        predicted: "as many parent replies as processes but the root; O(diam · E) bundled messages for replies, and for \
                    reports as many diameters more as the tree is deep"
            .to_owned(),
        charts: vec![chart(
            "Child pointers where edges lead one way",
            "Messages, all that goes over an edge in one round being one, by diameter times edges.",
            (Axis::new("diameter times edges", Unit::Plain), Axis::new("messages", Unit::named("messages"))),
            vec![("messages".to_owned(), points)],
        )],
    })
}

/// Whether everybody but the root is somebody's child, and nobody a wrong one's.
fn knows_children(graph: &Graph, view: &View<'_, Found>) -> bool {
    let known: usize = graph
        .ids()
        .filter_map(|process| Some((process, view.inside(process)?)))
        .map(|(process, inside)| inside.children(graph.neighbors(process)).count())
        .sum();
    known + 1 == graph.nodes() as usize && view.children_have_their_parent().is_ok()
}

pub(super) fn tree_03(effort: &Effort) -> Result<Finding, String> {
    let (mut late, mut time, mut control) = (Tally::default(), Tally::default(), Tally::default());
    let mut points = Vec::new();
    let seeds = if effort.quick { 2 } else { 10 };
    for graph in graphs(size(effort), 2)? {
        let nodes = graph.nodes() as usize;
        for answers in [Answers::Children, Answers::Acks, Answers::Echo] {
            let config = tree::Config::new(Arc::clone(&graph), census(), answers);
            let (_, told) = in_rounds(&config)?;
            let built = told.built.as_ref().ok_or("a root never knew")?;
            let (rounds, depth) = (told.rounds(built.at), eccentricity(&graph));
            time.add((2 * depth..=2 * depth + 2).contains(&rounds));
            points.push((depth as f64, rounds as f64));
            for seed in 1..=seeds {
                let (_, told) = flooded(&config, seed, random_links())?;
                late.add(told.built.is_some_and(|built| built.joined == nodes && built.finished == nodes));
            }
        }
        let early = tree::Config {
            mistake: Some(Mistake::ReportEarly),
            ..tree::Config::new(Arc::clone(&graph), census(), Answers::Children)
        };
        let (_, told) = flooded(&early, 1, random_links())?;
        control.add(told.built.is_some_and(|built| built.joined == nodes && built.finished == nodes));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Finding {
        holds: late.all_right() && time.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "the root knew when all had joined and finished in {late} runs of random latency, and after twice the eccentricity and up to two \
             rounds in {time}; control: in {control}"
        ),
        predicted: "never early; twice the eccentricity, and up to two rounds for the last answers"
            .to_owned(),
        charts: vec![chart(
            "Rounds until the root knows",
            "Rounds from the root's first to its report, by its eccentricity.",
            (Axis::new("eccentricity", Unit::named("hops")), rounds_axis()),
            vec![("rounds".to_owned(), points)],
        )],
    })
}

pub(super) fn tree_04(effort: &Effort) -> Result<Finding, String> {
    let sides: &[u32] = if effort.quick { &[5, 10, 15] } else { &[5, 10, 20, 40, 60] };
    let (mut carried, mut later, mut down, mut control) = Default::default();
    let (mut time_carried, mut time_later, mut extra) = (Vec::new(), Vec::new(), Vec::new());
    for &side in sides {
        let graph = Arc::new(grid(side * side, side));
        let (depth, others) = (eccentricity(&graph), u64::from(graph.nodes()) - 1);
        let config = tree::Config::new(Arc::clone(&graph), census(), Answers::Echo);
        let (sim, told) = in_rounds(&config)?;
        let everyone = |reached: usize| reached == graph.nodes() as usize;
        let base = sim.counters().sent();
        let first = told.rounds(told.last_delivery);
        Tally::add(
            &mut carried,
            base == graph.arcs() as u64 && first == depth && everyone(told.delivered.len()),
        );
        let (mut sim, mut told) = in_rounds(&tree::Config { carry: false, ..config.clone() })?;
        let second = told.rounds(told.last_delivery);
        let within = (3 * depth..=3 * depth + 1).contains(&second);
        let more = sim.counters().sent() - base;
        Tally::add(&mut later, more == others && within && everyone(told.delivered.len()));
        let before = sim.counters().sent();
        sim.invoke(ROOT, Op::Broadcast(Payload::zeros(8)));
        rest(&mut sim, &mut told)?;
        Tally::add(&mut down, sim.counters().sent() - before == others);
        let (flood, _) = in_rounds(&tree::Config::new(Arc::clone(&graph), census(), Answers::None))?;
        Tally::add(&mut control, flood.counters().sent() == others);
        let x = f64::from(graph.nodes());
        time_carried.push((x, first as f64));
        time_later.push((x, second as f64));
        extra.push((x, more as f64));
    }
    Ok(Finding {
        holds: carried.all_right() && later.all_right() && down.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "grids of side {} to {}: carried at no message and in as many rounds as the farthest is far in {carried}; down the \
             finished tree with n - 1 messages more (as n^{:.3}), after thrice the rounds, in {later}; later ones with n - 1 in \
             {down}; control: in {control}",
            sides[0],
            sides[sides.len() - 1],
            exponent(&extra),
        ),
        predicted: "0 and n - 1 messages more; eccentricity and thrice the eccentricity in rounds".to_owned(),
        charts: vec![chart(
            "Two ways to broadcast",
            "Rounds until the last process of a square grid has the payload.",
            (Axis::new("processes", Unit::Plain), rounds_axis()),
            vec![
                ("carried by searches".to_owned(), time_carried),
                ("down the finished tree".to_owned(), time_later),
            ],
        )],
    })
}

pub(super) fn tree_05(effort: &Effort) -> Result<Finding, String> {
    let (mut sums, mut sets, mut control, mut explained) = Default::default();
    let mut example = String::new();
    for graph in graphs(size(effort).min(400), 3)? {
        let values: Vec<u64> = (0..u64::from(graph.nodes())).map(|process| process * process + 1).collect();
        let total: u64 = values.iter().sum();
        let config = tree::Config::new(Arc::clone(&graph), Sum(values.clone()), Answers::Children);
        let (_, told) = in_rounds(&config)?;
        Tally::add(&mut sums, told.built.is_some_and(|built| built.value == total));
        let both = (Sum(values.clone()), Census { uids: values.clone() });
        let (_, told) =
            flooded(&tree::Config::new(Arc::clone(&graph), both, Answers::Echo), 1, random_links())?;
        let greatest = values.last().copied();
        Tally::add(
            &mut sets,
            told.built.is_some_and(|built| {
                let (sum, found) = built.value;
                sum == total && found.count == graph.nodes() && Some(found.uid_max) == greatest
            }),
        );
        let (_, told) = in_rounds(&tree::Config { mistake: Some(Mistake::ReportToAll), ..config })?;
        let wrong = told.built.map_or(0, |built| built.value);
        Tally::add(&mut control, wrong == total);
        Tally::add(&mut explained, wrong == over_all_paths(&graph, &values));
        if wrong != total && example.is_empty() {
            example = format!("{wrong} in place of {total}");
        }
    }
    Ok(Finding {
        holds: sums.all_right() && sets.all_right() && explained.all_right(),
        control_fails: control.any_wrong(),
        measured: format!(
            "the sum is right in {sums} graphs in rounds, and sum, number and maximum together in {sets} without; control: in \
             {control} ({example}), each process counted once for each shortest path in {explained}"
        ),
        predicted: "each value once; with reports to all nearer neighbours, once for each shortest path"
            .to_owned(),
        ..Finding::default()
    })
}

/// The sum in which each process counts once for each of its shortest paths to the root, as u64 wraps.
fn over_all_paths(graph: &Graph, values: &[u64]) -> u64 {
    let far = distances(graph, ROOT);
    let mut order: Vec<_> = graph.ids().filter(|process| far[process.index()].is_some()).collect();
    order.sort_by_key(|process| far[process.index()]);
    let mut paths = vec![0u64; far.len()];
    paths[ROOT.index()] = 1;
    for process in order {
        for next in graph.neighbors(process) {
            if far[next.index()] == far[process.index()].map(|hops| hops + 1) {
                paths[next.index()] = paths[next.index()].wrapping_add(paths[process.index()]);
            }
        }
    }
    paths.iter().zip(values).fold(0, |sum, (paths, value)| sum.wrapping_add(paths.wrapping_mul(*value)))
}

// A round must leave time for every message.
const _: () = assert!(DELAY.0 < ROUND.0);
