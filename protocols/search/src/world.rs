//! Worlds in which every process has a place, and links to some near and some far.

use isles_graph::{DistanceLaw, Graph, Kleinberg};
use isles_kernel::ProcessId;
use isles_kernel::random::Stream;

/// Who knows whom, and how far everybody is from everybody.
#[derive(Clone, PartialEq, Debug)]
pub enum World {
    /// Kleinberg's lattice in two dimensions.
    Lattice {
        /// Its parameters.
        lattice: Kleinberg,
        /// How long its long links are.
        law: DistanceLaw,
    },
    /// Kleinberg's lattice in one dimension, closed to a ring: everybody knows both neighbours, and has long links.
    Ring {
        /// How many processes there are, at least 3.
        nodes: u64,
        /// Long links of each.
        links: u32,
        /// How long they are: d with a probability proportional to d^-r.
        law: DistanceLaw,
        /// Of all that is random.
        seed: u64,
    },
    /// Chord's fingers (Stoica et al., SIGCOMM 2001): process n knows n + 1, n + 2, n + 4, and so on, round a ring.
    /// Distances are clockwise.
    Fingers {
        /// How many processes there are.
        nodes: u64,
    },
    /// Any graph whose process n has the place n on a ring.
    Placed {
        /// Who knows whom.
        graph: Graph,
    },
}

impl World {
    /// Kleinberg's lattice.
    pub fn lattice(lattice: Kleinberg) -> Self {
        Self::Lattice { law: lattice.law(), lattice }
    }

    /// A ring of `nodes` (3 are made of fewer), each with long links chosen by the distance to the power of -`exponent`.
    pub fn ring(nodes: u64, links: u32, exponent: f64, seed: u64) -> Self {
        let nodes = nodes.max(3);
        Self::Ring { nodes, links, law: DistanceLaw::new(nodes / 2, -exponent), seed }
    }

    /// How many processes there are.
    pub fn nodes(&self) -> u64 {
        match self {
            Self::Lattice { lattice, .. } => u64::from(lattice.side) * u64::from(lattice.side),
            Self::Ring { nodes, .. } | Self::Fingers { nodes } => *nodes,
            Self::Placed { graph } => u64::from(graph.nodes()),
        }
    }

    /// How far `to` is from `from`, by their places alone.
    pub fn distance(&self, from: u64, to: u64) -> u64 {
        match self {
            Self::Lattice { lattice, .. } => lattice.distance(from, to),
            Self::Fingers { nodes } => (to + nodes - from) % nodes,
            Self::Ring { .. } | Self::Placed { .. } => {
                let direct = from.abs_diff(to);
                direct.min(self.nodes() - direct)
            }
        }
    }

    /// Calls `visit` with everybody whom `node` knows; some may come twice.
    pub fn each_neighbor(&self, node: u64, mut visit: impl FnMut(u64)) {
        match self {
            Self::Lattice { lattice, law } => {
                lattice.near(node).chain(lattice.far(node, law)).for_each(visit)
            }
            Self::Ring { nodes, links, law, seed } => {
                visit((node + 1) % nodes);
                visit((node + nodes - 1) % nodes);
                let mut draws = Stream::new(*seed, &[0x7269_6e67, *nodes, node]);
                for _ in 0..*links {
                    let distance = law.draw(&mut draws);
                    let clockwise = draws.below(2) == 0;
                    visit((node + if clockwise { distance } else { nodes - distance }) % nodes);
                }
            }
            Self::Fingers { nodes } => {
                let steps = std::iter::successors(Some(1u64), |step| step.checked_mul(2));
                steps.take_while(|step| step < nodes).for_each(|step| visit((node + step) % nodes));
            }
            Self::Placed { graph } => {
                graph.neighbors(ProcessId(node as u32)).iter().for_each(|peer| visit(u64::from(peer.0)));
            }
        }
    }

    /// Whom a walker at `node` goes to on its way to `target`: the neighbour nearest to it, the least of several; none if no
    /// neighbour is nearer than `node` itself.
    pub fn next_hop(&self, node: u64, target: u64) -> Option<u64> {
        let mut best = (self.distance(node, target), node);
        self.each_neighbor(node, |peer| {
            let candidate = (self.distance(peer, target), peer);
            if candidate.0 < best.0 || (candidate.0 == best.0 && best.1 != node && peer < best.1) {
                best = candidate;
            }
        });
        (best.1 != node).then_some(best.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbors(world: &World, node: u64) -> Vec<u64> {
        let mut all = Vec::new();
        world.each_neighbor(node, |peer| all.push(peer));
        all
    }

    #[test]
    fn fingers_double_and_lead_clockwise() {
        let world = World::Fingers { nodes: 16 };
        assert_eq!(neighbors(&world, 14), [15, 0, 2, 6]);
        assert_eq!((world.distance(14, 2), world.distance(2, 14)), (4, 12));
        assert_eq!(world.next_hop(14, 5), Some(2));
        assert_eq!(world.next_hop(5, 5), None);
    }

    #[test]
    fn a_ring_is_measured_the_short_way_round() {
        let world = World::ring(10, 3, 1.0, 1);
        assert_eq!((world.distance(9, 1), world.distance(1, 9), world.distance(0, 5)), (2, 2, 5));
        for node in 0..10 {
            let all = neighbors(&world, node);
            assert_eq!(all.len(), 5);
            assert!(all.iter().all(|peer| *peer < 10 && *peer != node), "{all:?}");
        }
        assert_eq!(World::ring(0, 1, 1.0, 1).nodes(), 3);
    }
}
