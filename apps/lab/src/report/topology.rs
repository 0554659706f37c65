//! A graph as a picture: processes, connections, and the tree that a broadcast takes.

use std::collections::BTreeMap;

use super::data::Axis;
use super::data::{Distribution, Sample, Unit, View};
use super::picture::{Drawing, Edge, Node, NodeState, Topology};
use super::svg::{Anchor, Canvas, coordinate};

const WIDTH: f64 = 960.0;
/// At most; a flat graph has a flat picture.
const HEIGHT: f64 = 620.0;
const MARGIN: f64 = 26.0;

/// Draws the graph itself; `None` when it is too large to be seen.
pub(super) fn draw(topology: &Topology) -> Option<String> {
    let drawing = topology.drawing.as_ref().filter(|drawing| !drawing.nodes.is_empty())?;
    let (places, height) = fitted(&placed(drawing));
    let mut canvas = Canvas::new(WIDTH, height);
    edges(&mut canvas, drawing, &places);
    nodes(&mut canvas, drawing, &places);
    Some(canvas.finish("topology", &topology.title))
}

/// The groups and the colour of each; empty when there is but one.
pub(super) fn groups(drawing: &Drawing) -> BTreeMap<&str, usize> {
    let mut groups: BTreeMap<&str, usize> =
        drawing.nodes.iter().map(|node| (node.group.as_str(), 0)).collect();
    groups.values_mut().enumerate().for_each(|(index, colour)| *colour = index % super::chart::COLOURS);
    if groups.len() > 1 { groups } else { BTreeMap::new() }
}

/// How many connections the processes have, as a distribution to be drawn.
pub(super) fn degrees(topology: &Topology) -> Distribution {
    let counts = topology.degrees.iter().map(|&(degree, count)| (f64::from(degree), count)).collect();
    Distribution {
        title: "degrees".to_owned(),
        help: String::new(),
        axis: Axis::new("connections of a process", Unit::Plain),
        view: if topology.degrees.len() > 40 { View::Cumulative } else { View::Bars },
        samples: vec![Sample { name: String::new(), counts }],
    }
}

/// One path per style: hundreds of elements less than one per edge.
fn edges(canvas: &mut Canvas, drawing: &Drawing, places: &[(f64, f64)]) {
    let down = |index: u32| drawing.nodes[index as usize].state == NodeState::Crashed;
    let style = |edge: &Edge| match (down(edge.from) || down(edge.to), edge.tree) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    };
    for (wanted, class) in ["link down", "link", "link tree"].into_iter().enumerate() {
        let chosen = drawing.edges.iter().filter(|edge| style(edge) == wanted);
        let commands: String = chosen
            .map(|edge| segment(places[edge.from as usize], places[edge.to as usize], drawing.directed))
            .collect();
        canvas.path(&commands, class);
    }
}

/// A straight line, with a barb at its end if it leads one way.
fn segment(from: (f64, f64), to: (f64, f64), directed: bool) -> String {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(coordinate);
    let mut commands = format!("M{x1} {y1}L{x2} {y2}");
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt();
    if directed && length > 14.0 {
        let (ux, uy) = (dx / length, dy / length);
        let tip = (to.0 - ux * 6.0, to.1 - uy * 6.0);
        for side in [2.5, -2.5] {
            let barb = (tip.0 - ux * 5.0 - uy * side, tip.1 - uy * 5.0 + ux * side);
            let [a, b, c, d] = [tip.0, tip.1, barb.0, barb.1].map(coordinate);
            commands.push_str(&format!("M{a} {b}L{c} {d}"));
        }
    }
    commands
}

fn nodes(canvas: &mut Canvas, drawing: &Drawing, places: &[(f64, f64)]) {
    let groups = groups(drawing);
    let radius = if drawing.nodes.len() > 150 { 4.0 } else { 5.5 };
    let labelled = drawing.nodes.len() <= 40;
    for (node, &at) in drawing.nodes.iter().zip(places) {
        canvas.open("node", &tooltip(node));
        let colour = groups.get(node.group.as_str()).copied().unwrap_or(0);
        match node.state {
            NodeState::Up => canvas.circle(at, radius, &format!("up k{colour}")),
            NodeState::Crashed => {
                canvas.circle(at, radius, "crashed");
                let r = radius * 0.55;
                let [a, b, c, d] = [at.0 - r, at.1 - r, at.0 + r, at.1 + r].map(coordinate);
                canvas.path(&format!("M{a} {b}L{c} {d}M{a} {d}L{c} {b}"), "crashed-cross");
            }
            NodeState::Source => {
                canvas.circle(at, radius + 5.0, "source-ring");
                canvas.circle(at, radius + 1.5, &format!("up k{colour}"));
            }
            NodeState::Traitor => {
                let side = radius * 2.0;
                canvas.rect((at.0 - radius, at.1 - radius), (side, side), "traitor");
            }
        }
        if labelled {
            canvas.text((at.0, at.1 - radius - 5.0), Anchor::Middle, "node-label", &node.label);
        }
        canvas.close();
    }
}

fn tooltip(node: &Node) -> String {
    let state = match node.state {
        NodeState::Up => "",
        NodeState::Crashed => ", crashed",
        NodeState::Source => ", source",
        NodeState::Traitor => ", traitor",
    };
    let group = if node.group.is_empty() { String::new() } else { format!(", {}", node.group) };
    format!("{}{group}{state}", node.label)
}

/// Given positions, or those that forces find.
fn placed(drawing: &Drawing) -> Vec<(f64, f64)> {
    let finite = |node: &Node| node.position.filter(|(x, y)| x.is_finite() && y.is_finite());
    let given: Option<Vec<_>> = drawing.nodes.iter().map(finite).collect();
    given.unwrap_or_else(|| with_lone_below(drawing.nodes.len(), &drawing.edges))
}

/// Processes that are connected, by forces; all others in rows under them, where they take no room from the rest.
fn with_lone_below(count: usize, edges: &[Edge]) -> Vec<(f64, f64)> {
    let mut index = vec![None; count];
    let mut connected = 0;
    for node in edges.iter().flat_map(|edge| [edge.from, edge.to]) {
        index[node as usize].get_or_insert_with(|| {
            connected += 1;
            connected - 1
        });
    }
    if connected == 0 {
        return by_forces(count, edges);
    }
    let inner = |node: u32| index[node as usize].expect("an edge connects its ends");
    let inner: Vec<Edge> =
        edges.iter().map(|edge| Edge { from: inner(edge.from), to: inner(edge.to), ..*edge }).collect();
    let (places, height) = fitted(&by_forces(connected as usize, &inner));
    let mut lone = 0u32;
    let mut next_lone = || {
        let (row, column) = (lone / LONE_PER_ROW, lone % LONE_PER_ROW);
        lone += 1;
        let step = (WIDTH - 2.0 * MARGIN) / f64::from(LONE_PER_ROW - 1);
        (MARGIN + f64::from(column) * step, height + MARGIN + f64::from(row) * step)
    };
    index.iter().map(|inner| inner.map_or_else(&mut next_lone, |inner| places[inner as usize])).collect()
}

/// At most so many unconnected processes are drawn in a row.
const LONE_PER_ROW: u32 = 36;

/// Places that fill the picture without distortion, and how high it then is.
fn fitted(places: &[(f64, f64)]) -> (Vec<(f64, f64)>, f64) {
    let range = |values: &dyn Fn(&(f64, f64)) -> f64| {
        let ends = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        places.iter().map(values).fold((f64::INFINITY, f64::NEG_INFINITY), ends)
    };
    let (x, y) = (range(&|place| place.0), range(&|place| place.1));
    let room = (WIDTH - 2.0 * MARGIN, HEIGHT - 2.0 * MARGIN);
    let scale = (room.0 / (x.1 - x.0).max(1e-9)).min(room.1 / (y.1 - y.0).max(1e-9));
    // A single point, or all on one: the middle.
    let scale = if (x.1 - x.0).max(y.1 - y.0) < 1e-9 { 0.0 } else { scale };
    let height = (y.1 - y.0) * scale + 2.0 * MARGIN;
    let centre = ((x.0 + x.1) / 2.0, (y.0 + y.1) / 2.0);
    let fit = |&(px, py): &(f64, f64)| {
        ((px - centre.0) * scale + WIDTH / 2.0, (py - centre.1) * scale + height / 2.0)
    };
    (places.iter().map(fit).collect(), height)
}

/// Rounds of the force layout.
const ROUNDS: usize = 220;

/// Fruchterman and Reingold 1991, "Graph drawing by force-directed placement": neighbours attract by d²/k,
/// all repel by k²/d, moves are bounded by a temperature that falls. Departures: a weak pull to the centre
/// keeps separate components in the picture, and the start is scattered by a fixed rule, so that the same
/// graph always gives the same picture. Only arithmetic that every machine rounds alike.
///
/// # Complexity
/// O(rounds · (n² + edges)).
fn by_forces(count: usize, edges: &[Edge]) -> Vec<(f64, f64)> {
    let (width, height) = (WIDTH, HEIGHT);
    let mut places: Vec<(f64, f64)> =
        (0..count as u64).map(|index| scattered(index, width, height)).collect();
    let ideal = (width * height / count.max(1) as f64).sqrt();
    let mut moves = vec![(0.0f64, 0.0f64); count];
    for round in 0..ROUNDS {
        let left = 1.0 - round as f64 / ROUNDS as f64;
        let temperature = 0.1 * width * left * left + 0.5;
        repel(&places, &mut moves, ideal);
        for edge in edges {
            let (a, b) = (edge.from as usize, edge.to as usize);
            let (dx, dy) = (places[a].0 - places[b].0, places[a].1 - places[b].1);
            let pull = (dx * dx + dy * dy).sqrt() / ideal;
            moves[a] = (moves[a].0 - dx * pull, moves[a].1 - dy * pull);
            moves[b] = (moves[b].0 + dx * pull, moves[b].1 + dy * pull);
        }
        for (place, force) in places.iter_mut().zip(&mut moves) {
            // The picture is wider than high.
            force.0 -= (place.0 - width / 2.0) * 0.2;
            force.1 -= (place.1 - height / 2.0) * 0.3;
            let length = (force.0 * force.0 + force.1 * force.1).sqrt().max(1e-9);
            let step = length.min(temperature) / length;
            place.0 += force.0 * step;
            place.1 += force.1 * step;
            *force = (0.0, 0.0);
        }
    }
    places
}

fn repel(places: &[(f64, f64)], moves: &mut [(f64, f64)], ideal: f64) {
    for a in 0..places.len() {
        for b in a + 1..places.len() {
            let (dx, dy) = (places[a].0 - places[b].0, places[a].1 - places[b].1);
            let push = ideal * ideal / (dx * dx + dy * dy).max(0.01);
            moves[a] = (moves[a].0 + dx * push, moves[a].1 + dy * push);
            moves[b] = (moves[b].0 - dx * push, moves[b].1 - dy * push);
        }
    }
}

/// A place that looks like chance but is a function of the index alone.
fn scattered(index: u64, width: f64, height: f64) -> (f64, f64) {
    let mix = |salt: u64| {
        let mut bits = (index * 2 + salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    (mix(0) * width, mix(1) * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(count: u32) -> Vec<Edge> {
        (0..count).map(|index| Edge { from: index, to: (index + 1) % count, tree: false }).collect()
    }

    fn nodes_of(count: usize) -> Vec<Node> {
        (0..count).map(|index| Node { label: format!("p{index}"), ..Node::default() }).collect()
    }

    fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
        ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt()
    }

    #[test]
    fn neighbours_lie_nearer_than_strangers() {
        let places = by_forces(40, &ring(40));
        let mean = |distances: Vec<f64>| distances.iter().sum::<f64>() / distances.len() as f64;
        let near = mean((0..40).map(|i| distance(places[i], places[(i + 1) % 40])).collect());
        let far = mean((0..40).map(|i| distance(places[i], places[(i + 20) % 40])).collect());
        assert!(near * 3.0 < far, "{near} {far}");
        // The control: without edges, the same pairs are no nearer.
        let places = by_forces(40, &[]);
        let near = mean((0..40).map(|i| distance(places[i], places[(i + 1) % 40])).collect());
        let far = mean((0..40).map(|i| distance(places[i], places[(i + 20) % 40])).collect());
        assert!(near * 1.5 > far, "{near} {far}");
    }

    #[test]
    fn processes_without_connections_lie_below() {
        let places = with_lone_below(60, &ring(40));
        let lowest = places[..40].iter().fold(0.0, |low: f64, place| low.max(place.1));
        assert!(places[40..].iter().all(|place| place.1 > lowest));
        assert!(places[40..].windows(2).all(|two| distance(two[0], two[1]) > 20.0));
    }

    #[test]
    fn the_same_graph_gives_the_same_picture() {
        let topology = || Topology::new("t", "", nodes_of(60), ring(60), false);
        let first = draw(&topology()).unwrap();
        assert_eq!(first, draw(&topology()).unwrap());
        let other = Topology::new("t", "", nodes_of(60), ring(59), false);
        assert_ne!(first, draw(&other).unwrap());
    }

    #[test]
    fn all_nodes_are_inside_the_picture() {
        let mut nodes = nodes_of(3);
        let places = [(-1e6, 0.0), (1e6, 5.0), (0.0, -7.0)];
        for (node, place) in nodes.iter_mut().zip(places) {
            node.position = Some(place);
        }
        for drawing in [
            Drawing { nodes, edges: vec![], directed: false },
            Drawing { nodes: nodes_of(1), edges: vec![], directed: false },
            Drawing { nodes: nodes_of(200), edges: ring(100), directed: false },
        ] {
            let (places, height) = fitted(&placed(&drawing));
            assert!(height <= HEIGHT + 1e-6);
            for (x, y) in places {
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=height).contains(&y), "{x} {y}");
            }
        }
    }

    #[test]
    fn a_graph_too_large_to_be_seen_leaves_its_degrees() {
        let topology = Topology::new("t", "", nodes_of(401), ring(401), false);
        assert!(draw(&topology).is_none());
        assert_eq!(topology.degrees, [(2, 401)]);
        assert!(draw(&Topology::new("t", "", nodes_of(400), ring(400), false)).is_some());
    }

    #[test]
    fn edges_to_nowhere_and_crashed_processes_do_not_count() {
        let mut nodes = nodes_of(3);
        nodes[2].state = NodeState::Crashed;
        let edge = |from, to| Edge { from, to, tree: false };
        let edges = vec![edge(0, 1), edge(1, 2), edge(0, 9), edge(1, 1)];
        let topology = Topology::new("t", "", nodes, edges.clone(), false);
        assert_eq!((topology.edges, topology.nodes_up, topology.nodes_crashed), (2, 2, 1));
        assert_eq!(topology.degrees, [(1, 1), (2, 1)]);
        let directed = Topology::new("t", "", nodes_of(3), edges, true);
        assert_eq!(directed.degrees, [(0, 1), (1, 2)]);
    }

    #[test]
    fn a_hostile_label_cannot_leave_the_picture() {
        let mut nodes = nodes_of(2);
        nodes[0].label = "<script>".to_owned();
        nodes[0].group = "</title><script>".to_owned();
        let svg = draw(&Topology::new("<script>", "", nodes, vec![], false)).unwrap();
        assert!(!svg.contains("<script"), "{svg}");
    }
}
