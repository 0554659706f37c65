//! What an overlay looks like at one instant: degrees, islands, symmetry, path lengths.

use std::collections::VecDeque;

use isles_kernel::random::Stream;

use super::seen::Neighbors;

/// The overlay of the processes that are up, as a directed graph.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Arcs of each process, by index into the processes that are up; links to others are dropped.
    arcs: Vec<Vec<u32>>,
}

impl Overlay {
    /// The overlay that `neighbors` make, ascending by process.
    pub fn new(neighbors: &[Neighbors]) -> Self {
        let index = |id| neighbors.binary_search_by_key(&id, |one: &Neighbors| one.process).ok();
        let arcs = neighbors
            .iter()
            .map(|one| one.peers.iter().filter_map(|(peer, _)| Some(index(*peer)? as u32)).collect())
            .collect();
        Self { arcs }
    }

    /// Links per process, on average; none without processes.
    pub fn mean_degree(&self) -> Option<f64> {
        let links: usize = self.arcs.iter().map(Vec::len).sum();
        (!self.arcs.is_empty()).then(|| links as f64 / self.arcs.len() as f64)
    }

    /// The share of links whose other end does not know the link.
    pub fn asymmetry(&self) -> f64 {
        let links: usize = self.arcs.iter().map(Vec::len).sum();
        let one_way: usize = (0u32..)
            .zip(&self.arcs)
            .map(|(from, arcs)| arcs.iter().filter(|to| !self.arcs[**to as usize].contains(&from)).count())
            .sum();
        if links == 0 { 0.0 } else { one_way as f64 / links as f64 }
    }

    /// The share of processes in the largest component, links taken both ways; none without processes.
    pub fn largest_component(&self) -> Option<f64> {
        let mut both: Vec<Vec<u32>> = self.arcs.clone();
        for (from, arcs) in (0u32..).zip(&self.arcs) {
            for to in arcs {
                both[*to as usize].push(from);
            }
        }
        let mut seen = vec![false; both.len()];
        let mut largest = 0;
        for start in 0..both.len() {
            if seen[start] {
                continue;
            }
            let (mut size, mut stack) = (0usize, vec![start]);
            seen[start] = true;
            while let Some(node) = stack.pop() {
                size += 1;
                for &next in &both[node] {
                    if !std::mem::replace(&mut seen[next as usize], true) {
                        stack.push(next as usize);
                    }
                }
            }
            largest = largest.max(size);
        }
        (!both.is_empty()).then(|| largest as f64 / both.len() as f64)
    }

    /// Mean number of hops from a process to those it reaches, over `sources` processes drawn with `seed`; none if
    /// nobody reaches anybody.
    pub fn mean_path(&self, sources: usize, seed: u64) -> Option<f64> {
        let mut draws = Stream::new(seed, &[0x7061_7468]);
        let mut distance = vec![u32::MAX; self.arcs.len()];
        let (mut sum, mut count) = (0u64, 0u64);
        for _ in 0..if self.arcs.is_empty() { 0 } else { sources } {
            let source = draws.below(self.arcs.len() as u32);
            distance.fill(u32::MAX);
            distance[source as usize] = 0;
            let mut queue = VecDeque::from([source]);
            while let Some(node) = queue.pop_front() {
                for &next in &self.arcs[node as usize] {
                    if distance[next as usize] == u32::MAX {
                        distance[next as usize] = distance[node as usize] + 1;
                        sum += u64::from(distance[next as usize]);
                        count += 1;
                        queue.push_back(next);
                    }
                }
            }
        }
        (count > 0).then(|| sum as f64 / count as f64)
    }

    /// Mean over processes with two links or more of the share of pairs of neighbours that are linked (Watts and
    /// Strogatz, 1998); none if no process has two.
    pub fn clustering(&self) -> Option<f64> {
        let linked =
            |a: u32, b: u32| self.arcs[a as usize].contains(&b) || self.arcs[b as usize].contains(&a);
        let (mut sum, mut count) = (0.0, 0u32);
        for arcs in self.arcs.iter().filter(|arcs| arcs.len() >= 2) {
            let pairs = arcs.len() * (arcs.len() - 1) / 2;
            let closed = (0..arcs.len())
                .flat_map(|i| (0..i).map(move |j| (i, j)))
                .filter(|(i, j)| linked(arcs[*i], arcs[*j]))
                .count();
            sum += closed as f64 / pairs as f64;
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::ProcessId;

    use super::*;

    fn overlay(rows: &[(u32, &[u32])]) -> Overlay {
        let neighbors: Vec<Neighbors> = rows
            .iter()
            .map(|(process, peers)| Neighbors {
                process: ProcessId(*process),
                peers: peers.iter().map(|peer| (ProcessId(*peer), false)).collect(),
            })
            .collect();
        Overlay::new(&neighbors)
    }

    #[test]
    fn a_triangle_with_a_tail_has_the_textbook_figures() {
        // 1-2-3 is a triangle, 7 hangs on 3; 9 is alone; 5 is down, so that links to it do not count.
        let overlay = overlay(&[(1, &[2, 3, 5]), (2, &[1, 3]), (3, &[1, 2, 7]), (7, &[3]), (9, &[])]);
        assert_eq!(overlay.mean_degree(), Some(8.0 / 5.0));
        assert_eq!(overlay.asymmetry(), 0.0);
        assert_eq!(overlay.largest_component(), Some(0.8));
        let clustering = overlay.clustering().expect("three have two links");
        assert!((clustering - (1.0 + 1.0 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn one_way_links_are_seen() {
        let ring = overlay(&[(0, &[1]), (1, &[2]), (2, &[0])]);
        assert_eq!(ring.asymmetry(), 1.0);
        assert_eq!(ring.largest_component(), Some(1.0));
        assert_eq!(ring.mean_path(10, 1), Some(1.5));
    }
}
