//! Nodes in the plane.

use isles_kernel::random::Stream;

use super::{GraphError, error};
use crate::{EDGES_MAX, Graph};

/// A graph whose nodes have places.
#[derive(Clone, PartialEq, Debug)]
pub struct Geometric {
    /// Who is linked to whom; the weights are distances.
    pub graph: Graph,
    /// Where each node is, within the unit square.
    pub places: Vec<(f64, f64)>,
}

/// Nodes at random places of the unit square, linked when they are at most `radius` apart (Gilbert 1961; Penrose,
/// "Random Geometric Graphs", 2003). On a `torus` opposite sides of the square are the same, so that no node lies at a
/// border.
///
/// # Errors
/// When `radius` is negative or no number, or about more than [`EDGES_MAX`] edges are to be expected.
///
/// # Complexity
/// O(n + m) expected: only nodes of neighbouring cells are compared.
pub fn random_geometric(nodes: u32, radius: f64, torus: bool, seed: u64) -> Result<Geometric, GraphError> {
    if !(0.0..=2.0).contains(&radius) {
        return error(format!("a radius within the unit square is 0 to 2, not {radius}"));
    }
    let expected = f64::from(nodes) * f64::from(nodes) / 2.0 * (3.15 * radius * radius).min(1.0);
    if expected > EDGES_MAX as f64 {
        return error(format!(
            "{nodes} nodes within {radius} of each other have more than {EDGES_MAX} edges"
        ));
    }
    let mut draws = Stream::new(seed, &[0x0072_6767, u64::from(nodes), radius.to_bits(), u64::from(torus)]);
    let places: Vec<(f64, f64)> = (0..nodes).map(|_| (draws.unit(), draws.unit())).collect();
    // Cells are not smaller than the radius, and about as many as nodes at most.
    let across = (1.0 / radius.max(1e-9)).floor().clamp(1.0, f64::from(nodes).sqrt().max(1.0)) as usize;
    let cell_of = |at: f64| ((at * across as f64) as usize).min(across - 1);
    let cells = Cells::new(across * across, &places, |(x, y)| cell_of(y) * across + cell_of(x));
    let mut edges = Vec::with_capacity((expected * 1.1) as usize);
    let mut near = Vec::new();
    for row in 0..across {
        let rows = beside(row, across, torus);
        for column in 0..across {
            let columns = beside(column, across, torus);
            near.clear();
            for row in &rows {
                near.extend(columns.iter().flat_map(|column| cells.of(row * across + column)));
            }
            for &(node, place) in cells.of(row * across + column) {
                for &(other, there) in near.iter().filter(|(other, _)| *other < node) {
                    let distance = apart(place, there, torus);
                    if distance <= radius {
                        edges.push((other, node, distance));
                    }
                }
            }
        }
    }
    Ok(Geometric { graph: Graph::weighted(nodes, false, &edges), places })
}

/// Nodes by the cell in which they lie, with their places beside them.
struct Cells {
    ends: Vec<u32>,
    members: Vec<(u32, (f64, f64))>,
}

impl Cells {
    fn new(count: usize, places: &[(f64, f64)], cell_of: impl Fn((f64, f64)) -> usize) -> Self {
        let mut ends = vec![0u32; count + 1];
        for &place in places {
            ends[cell_of(place) + 1] += 1;
        }
        for cell in 0..count {
            ends[cell + 1] += ends[cell];
        }
        let mut next = ends.clone();
        let mut members = vec![(0, (0.0, 0.0)); places.len()];
        for (node, &place) in (0..).zip(places) {
            let at = &mut next[cell_of(place)];
            members[*at as usize] = (node, place);
            *at += 1;
        }
        Self { ends, members }
    }

    fn of(&self, cell: usize) -> &[(u32, (f64, f64))] {
        &self.members[self.ends[cell] as usize..self.ends[cell + 1] as usize]
    }
}

/// The indices before, at and after `index`, each once.
fn beside(index: usize, across: usize, torus: bool) -> Vec<usize> {
    let mut found: Vec<usize> = if torus {
        vec![(index + across - 1) % across, index, (index + 1) % across]
    } else {
        (index.saturating_sub(1)..=(index + 1).min(across - 1)).collect()
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn apart(a: (f64, f64), b: (f64, f64), torus: bool) -> f64 {
    let along = |a: f64, b: f64| {
        let direct = (a - b).abs();
        if torus { direct.min(1.0 - direct) } else { direct }
    };
    let (dx, dy) = (along(a.0, b.0), along(a.1, b.1));
    (dx * dx + dy * dy).sqrt()
}

/// The radius at which a random geometric graph is connected with a probability that tends to e^(-e^(-c)) as `nodes`
/// grow: πr²n = ln n + c (Penrose 1997; Gupta and Kumar 1998). The limit is approached slowly.
pub fn connectivity_radius(nodes: u32, c: f64) -> f64 {
    let n = f64::from(nodes.max(1));
    ((libm::log(n) + c).max(0.0) / (std::f64::consts::PI * n)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_find_all_that_comparing_everybody_finds() {
        for (nodes, radius, torus) in
            [(200, 0.1, false), (200, 0.1, true), (50, 0.4, true), (50, 1.5, false), (9, 0.0, true)]
        {
            let found = random_geometric(nodes, radius, torus, 3).expect("possible");
            let all: Vec<(u32, u32, f64)> = (0..nodes)
                .flat_map(|a| (0..a).map(move |b| (b, a)))
                .map(|(b, a)| (b, a, apart(found.places[b as usize], found.places[a as usize], torus)))
                .filter(|edge| edge.2 <= radius)
                .collect();
            assert_eq!(found.graph, Graph::weighted(nodes, false, &all), "{nodes} {radius} {torus}");
        }
    }

    #[test]
    fn a_radius_out_of_bounds_is_refused() {
        for radius in [-0.1, f64::NAN, 3.0] {
            assert!(random_geometric(10, radius, false, 1).is_err());
        }
        assert!(random_geometric(4_000_000_000, 1.0, false, 1).is_err());
    }
}
