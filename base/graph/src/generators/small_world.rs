//! Short paths, with and without a way to find them.

use isles_kernel::random::Stream;

use super::{GraphError, error};
use crate::{EDGES_MAX, Graph};

/// A ring in which each node is linked to the `neighbors` nearest ones, half of them on each side; then each edge is
/// moved with probability `p`: its far end goes to a node chosen uniformly, loops and double edges excepted (Watts and
/// Strogatz, Nature 393, 1998: clockwise, nearest neighbours first).
///
/// # Errors
/// When `neighbors` is odd or not below `nodes`, `p` is not within 0 to 1, or there are more than [`EDGES_MAX`] edges.
pub fn watts_strogatz(nodes: u32, neighbors: u32, p: f64, seed: u64) -> Result<Graph, GraphError> {
    if neighbors % 2 == 1 || neighbors >= nodes.max(1) {
        return error(format!("a node of a ring of {nodes} cannot be linked to the {neighbors} nearest"));
    }
    if !(0.0..=1.0).contains(&p) {
        return error(format!("a probability is within 0 to 1, not {p}"));
    }
    if u64::from(nodes) * u64::from(neighbors) / 2 > EDGES_MAX {
        return error(format!("{nodes} nodes of degree {neighbors} have more than {EDGES_MAX} edges"));
    }
    let mut draws = Stream::new(seed, &[0x7773, u64::from(nodes), u64::from(neighbors), p.to_bits()]);
    // Who is linked to whom, in no order: rows are short, a search through them is quick.
    let mut rows: Vec<Vec<u32>> = vec![Vec::with_capacity(neighbors as usize + 2); nodes as usize];
    let around = |node: u32, step: u32| ((u64::from(node) + u64::from(step)) % u64::from(nodes)) as u32;
    for step in 1..=neighbors / 2 {
        for node in 0..nodes {
            let peer = around(node, step);
            rows[node as usize].push(peer);
            rows[peer as usize].push(node);
        }
    }
    for step in 1..=neighbors / 2 {
        for node in 0..nodes {
            // A node that is linked to all others has nowhere to go.
            if draws.unit() >= p || rows[node as usize].len() as u32 >= nodes - 1 {
                continue;
            }
            let old = around(node, step);
            let new = loop {
                let new = draws.below(nodes);
                if new != node && !rows[node as usize].contains(&new) {
                    break new;
                }
            };
            replace(&mut rows[node as usize], old, new);
            rows[old as usize].retain(|peer| *peer != node);
            rows[new as usize].push(node);
        }
    }
    let mut edges = Vec::with_capacity(nodes as usize * neighbors as usize / 2);
    for (node, row) in (0..nodes).zip(&rows) {
        edges.extend(row.iter().filter(|peer| node < **peer).map(|peer| (node, *peer)));
    }
    Ok(Graph::from_edges(nodes, &edges))
}

fn replace(row: &mut [u32], old: u32, new: u32) {
    if let Some(entry) = row.iter_mut().find(|peer| **peer == old) {
        *entry = new;
    }
}

/// A square lattice whose nodes have long links: Kleinberg, "The small-world phenomenon: an algorithmic perspective" (STOC
/// 2000). The links of a node are a function of the seed and the node, so that a walker can draw them as it passes, on
/// lattices that no memory would hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kleinberg {
    /// Nodes along a side.
    pub side: u32,
    /// Long links of each node.
    pub links: u32,
    /// r: a node at lattice distance d is chosen with a probability proportional to d^-r.
    pub exponent: f64,
    /// Of all that is random.
    pub seed: u64,
}

impl Kleinberg {
    /// Lattice distance of two nodes: steps along the sides.
    pub fn distance(&self, a: u64, b: u64) -> u64 {
        let side = u64::from(self.side);
        (a / side).abs_diff(b / side) + (a % side).abs_diff(b % side)
    }

    /// The neighbours in the lattice, at most four.
    pub fn near(&self, node: u64) -> impl Iterator<Item = u64> + use<> {
        let side = u64::from(self.side);
        let (row, column) = (node / side, node % side);
        let candidates = [
            (row > 0).then(|| node - side),
            (column > 0).then(|| node - 1),
            (column + 1 < side).then(|| node + 1),
            (row + 1 < side).then(|| node + side),
        ];
        candidates.into_iter().flatten()
    }

    /// Where the long links of `node` lead; the same each time. `law` is [`Self::law`].
    ///
    /// A distance is drawn, then one of the 4d places at that distance in the endless lattice; places beyond the sides are
    /// drawn again, which leaves exactly the law on those within.
    pub fn far<'a>(&self, node: u64, law: &'a DistanceLaw) -> impl Iterator<Item = u64> + use<'a> {
        let mut draws =
            Stream::new(self.seed, &[0x6b6c, u64::from(self.side), self.exponent.to_bits(), node]);
        let side = i64::from(self.side);
        let (row, column) = (node as i64 / side, node as i64 % side);
        let mut one = move || loop {
            let distance = law.draw(&mut draws) as i64;
            let place = ((u128::from(draws.bits()) * (4 * distance as u128)) >> 64) as i64;
            let (arm, along) = (place / distance, place % distance);
            let (down, right) = match arm {
                0 => (along, distance - along),
                1 => (distance - along, -along),
                2 => (-along, along - distance),
                _ => (along - distance, along),
            };
            let (row, column) = (row + down, column + right);
            if (0..side).contains(&row) && (0..side).contains(&column) {
                return (row * side + column) as u64;
            }
        };
        (0..self.links).map(move |_| one())
    }

    /// How likely each distance is in the endless lattice.
    pub fn law(&self) -> DistanceLaw {
        DistanceLaw::new(2 * u64::from(self.side.max(2) - 1), 1.0 - self.exponent)
    }
}

/// Distances d from 1 to a greatest one, each with a probability proportional to a power of d.
#[derive(Clone, PartialEq, Debug)]
pub struct DistanceLaw {
    /// Sums of the weights of the distances up to each of the first ones.
    sums: Vec<f64>,
    most: u64,
    power: f64,
    /// The weight of all further distances, as an integral.
    tail: f64,
}

/// Weights of so many distances are summed; beyond, the sum is so close to an integral that no experiment sees it.
const SUMMED: u64 = 1 << 20;

impl DistanceLaw {
    /// Distances 1 to `most`, d with a weight of d to the `power`. In a lattice of k dimensions there are about d^(k-1) places at
    /// distance d, so that links chosen by d^-r have the power k - 1 - r.
    ///
    /// # Panics
    /// When `most` is 0: there is no distance to draw.
    pub fn new(most: u64, power: f64) -> Self {
        assert!(most > 0, "a law of distances needs at least one distance");
        let summed = most.min(SUMMED);
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=summed)
            .map(|distance| {
                sum += libm::pow(distance as f64, power);
                sum
            })
            .collect();
        let mut law = Self { sums, most, power, tail: 0.0 };
        if most > summed {
            law.tail = law.integral(summed as f64 + 0.5, most as f64 + 0.5);
        }
        law
    }

    fn integral(&self, from: f64, to: f64) -> f64 {
        let power = 1.0 + self.power;
        if power.abs() < 1e-9 {
            libm::log(to / from)
        } else {
            (libm::pow(to, power) - libm::pow(from, power)) / power
        }
    }

    /// The next distance.
    pub fn draw(&self, draws: &mut Stream) -> u64 {
        let summed = self.sums.last().copied().unwrap_or(0.0);
        let mut at = draws.unit() * (summed + self.tail);
        if at < summed {
            return self.sums.partition_point(|sum| *sum <= at) as u64 + 1;
        }
        at -= summed;
        let (from, power) = (self.sums.len() as f64 + 0.5, 1.0 + self.power);
        let distance = if power.abs() < 1e-9 {
            from * libm::exp(at)
        } else {
            libm::pow(libm::pow(from, power) + at * power, 1.0 / power)
        };
        (libm::round(distance) as u64).clamp(self.sums.len() as u64 + 1, self.most)
    }
}

/// The lattice of a [`Kleinberg`] as a graph: an arc to each neighbour in the lattice, and the long ones.
///
/// # Errors
/// When there are fewer than two nodes or more than 2^31, an exponent that is negative or no number, or more than
/// [`EDGES_MAX`] arcs.
pub fn kleinberg(world: &Kleinberg) -> Result<Graph, GraphError> {
    let nodes = u64::from(world.side) * u64::from(world.side);
    if !(0.0..=64.0).contains(&world.exponent) {
        return error(format!("the exponent of long links is within 0 to 64, not {}", world.exponent));
    }
    if world.side < 2 || nodes > 1 << 31 || nodes * (4 + u64::from(world.links)) > EDGES_MAX {
        return error(format!(
            "a lattice of {0} × {0} nodes with {1} long links each is too small, or has more than {EDGES_MAX} arcs",
            world.side, world.links
        ));
    }
    let law = world.law();
    let mut arcs = Vec::with_capacity((nodes * (4 + u64::from(world.links))) as usize);
    for node in 0..nodes {
        arcs.extend(world.near(node).chain(world.far(node, &law)).map(|peer| (node as u32, peer as u32)));
    }
    Ok(Graph::from_arcs(nodes as u32, &arcs))
}

#[cfg(test)]
mod tests {
    use isles_kernel::ProcessId;

    use super::*;

    #[test]
    fn nothing_is_moved_at_zero_and_edges_are_kept_at_one() {
        let ring = watts_strogatz(100, 4, 0.0, 1).expect("possible");
        assert!(ring.ids().all(|node| ring.degree(node) == 4));
        let moved = watts_strogatz(100, 4, 1.0, 1).expect("possible");
        assert_eq!((ring.edges(), moved.edges()), (200, 200));
        let kept = ring.edge_list().filter(|(a, b)| moved.has_edge(*a, *b)).count();
        assert!(kept < 30, "{kept}");
        // Each node keeps at least the half of its edges that it looks after.
        assert!(moved.ids().all(|node| moved.degree(node) >= 2));
        assert!(watts_strogatz(10, 3, 0.1, 1).is_err() && watts_strogatz(10, 4, 1.5, 1).is_err());
        assert_eq!(watts_strogatz(5, 4, 1.0, 1).expect("complete: nothing can move").edges(), 10);
    }

    #[test]
    fn long_links_follow_the_law_from_the_corner_and_from_the_middle() {
        for (side, exponent, node) in [(5u32, 2.0, 0u64), (5, 0.0, 12), (5, 1.0, 7), (4, 3.0, 15)] {
            let world = Kleinberg { side, links: 200_000, exponent, seed: 9 };
            let law = world.law();
            let mut found = vec![0.0; (side * side) as usize];
            for peer in world.far(node, &law) {
                found[peer as usize] += 1.0 / 200_000.0;
            }
            let weight = |peer: u64| match world.distance(node, peer) {
                0 => 0.0,
                distance => (distance as f64).powf(-exponent),
            };
            let sum: f64 = (0..u64::from(side * side)).map(weight).sum();
            for (peer, share) in (0..).zip(&found) {
                assert!((share - weight(peer) / sum).abs() < 0.004, "{side} {exponent} {node} {peer}");
            }
        }
    }

    #[test]
    fn distances_beyond_the_summed_ones_are_drawn_from_the_same_law() {
        let exact = DistanceLaw::new(SUMMED, -1.0);
        let mut short = DistanceLaw::new(64, -1.0);
        (short.most, short.tail) = (SUMMED, short.integral(64.5, SUMMED as f64 + 0.5));
        let mean_log = |law: &DistanceLaw| {
            let mut draws = Stream::new(1, &[2]);
            (0..100_000).map(|_| (law.draw(&mut draws) as f64).ln()).sum::<f64>() / 100_000.0
        };
        assert!((mean_log(&exact) - mean_log(&short)).abs() < 0.03);
    }

    #[test]
    fn links_do_not_depend_on_who_asks_first() {
        let world = Kleinberg { side: 20, links: 2, exponent: 2.0, seed: 1 };
        let graph = kleinberg(&world).expect("possible");
        let law = world.law();
        for node in [399u64, 0, 210] {
            for peer in world.far(node, &law).chain(world.near(node)) {
                assert!(graph.has_edge(ProcessId(node as u32), ProcessId(peer as u32)));
            }
        }
        assert!(kleinberg(&Kleinberg { side: 1, ..world }).is_err());
        assert!(kleinberg(&Kleinberg { exponent: f64::NAN, ..world }).is_err());
    }
}
