//! Which nodes reach each other.

use isles_kernel::ProcessId;

use crate::Graph;

/// A partition of the nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Components {
    /// For each node the number of its component.
    pub of: Vec<u32>,
    /// How many nodes each component has.
    pub sizes: Vec<u32>,
}

impl Components {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The nodes of the largest component, ascending; of the first of several. None of a graph without nodes.
    pub fn largest(&self) -> Vec<ProcessId> {
        let most = self.sizes.iter().max();
        let Some(which) = most.and_then(|most| self.sizes.iter().position(|size| size == most)) else {
            return Vec::new();
        };
        let inside = (0..).zip(&self.of).filter(|(_, of)| **of as usize == which);
        inside.map(|(node, _)| ProcessId(node)).collect()
    }
}

/// The parts between which there is no edge, directions ignored, numbered by their least nodes.
pub fn components(graph: &Graph) -> Components {
    // A union-find needs no reversed copy of a directed graph.
    let mut root: Vec<u32> = (0..graph.nodes()).collect();
    for (a, b) in graph.edge_list() {
        let (a, b) = (find(&mut root, a.0), find(&mut root, b.0));
        // The least node is the root.
        root[a.max(b) as usize] = a.min(b);
    }
    let mut found = Components { of: Vec::with_capacity(root.len()), sizes: Vec::new() };
    for node in 0..graph.nodes() {
        let least = find(&mut root, node);
        let number = if least == node {
            found.sizes.push(0);
            found.sizes.len() as u32 - 1
        } else {
            found.of[least as usize]
        };
        found.of.push(number);
        found.sizes[number as usize] += 1;
    }
    found
}

/// The root of a node, with the path to it halved (Tarjan and van Leeuwen, J. ACM 31, 1984).
pub(crate) fn find(root: &mut [u32], mut node: u32) -> u32 {
    while root[node as usize] != node {
        root[node as usize] = root[root[node as usize] as usize];
        node = root[node as usize];
    }
    node
}

/// Whether everybody reaches everybody, directions ignored; a graph without nodes does not.
pub fn is_connected(graph: &Graph) -> bool {
    components(graph).count() == 1
}

/// The greatest parts within which everybody reaches everybody along the directions of edges, numbered so that edges between
/// them lead to lesser numbers (Tarjan, SIAM J. Comput. 1, 1972, without recursion).
pub fn strong_components(graph: &Graph) -> Components {
    const NEW: u32 = u32::MAX;
    let nodes = graph.nodes() as usize;
    let mut found = Components { of: vec![NEW; nodes], sizes: Vec::new() };
    // When each node was met, and the earliest node known to be reachable that has no component yet.
    let (mut met, mut low) = (vec![NEW; nodes], vec![NEW; nodes]);
    let mut stack: Vec<ProcessId> = Vec::new();
    // The path of the search: a node, and which of its neighbours is next.
    let mut path: Vec<(ProcessId, usize)> = Vec::new();
    let mut clock = 0;
    for start in graph.ids() {
        if met[start.index()] != NEW {
            continue;
        }
        path.push((start, 0));
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if *next == 0 {
                (met[node.index()], low[node.index()]) = (clock, clock);
                clock += 1;
                stack.push(node);
            }
            if let Some(&peer) = graph.neighbors(node).get(*next) {
                *next += 1;
                if met[peer.index()] == NEW {
                    path.push((peer, 0));
                } else if found.of[peer.index()] == NEW {
                    low[node.index()] = low[node.index()].min(met[peer.index()]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[parent.index()] = low[parent.index()].min(low[node.index()]);
            }
            if low[node.index()] == met[node.index()] {
                close(&mut found, &mut stack, node);
            }
        }
    }
    found
}

/// Everything on the stack down to `root` is one component.
fn close(found: &mut Components, stack: &mut Vec<ProcessId>, root: ProcessId) {
    let number = found.sizes.len() as u32;
    let mut size = 0;
    while let Some(node) = stack.pop() {
        found.of[node.index()] = number;
        size += 1;
        if node == root {
            break;
        }
    }
    found.sizes.push(size);
}

/// Whether everybody reaches everybody along the directions of edges.
pub fn is_strongly_connected(graph: &Graph) -> bool {
    strong_components(graph).count() == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{distances, line, ring};

    proptest! {
        #[test]
        fn components_are_who_reaches_whom(
            nodes in 1u32..40,
            ends in prop::collection::vec((any::<u32>(), any::<u32>()), 0..60),
        ) {
            let arcs: Vec<(u32, u32)> = ends.iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
            let graph = Graph::from_arcs(nodes, &arcs);
            let (weak, strong) = (components(&graph), strong_components(&graph));
            let both_ways = graph.undirected();
            for a in graph.ids() {
                let (forth, around) = (distances(&graph, a), distances(&both_ways, a));
                for b in graph.ids() {
                    prop_assert_eq!(weak.of[a.index()] == weak.of[b.index()], around[b.index()].is_some());
                    let back = distances(&graph, b)[a.index()].is_some();
                    prop_assert_eq!(strong.of[a.index()] == strong.of[b.index()], forth[b.index()].is_some() && back);
                    if forth[b.index()].is_some() {
                        prop_assert!(strong.of[b.index()] <= strong.of[a.index()]);
                    }
                }
            }
            for found in [weak, strong] {
                for (number, size) in (0..).zip(&found.sizes) {
                    prop_assert_eq!(found.of.iter().filter(|of| **of == number).count() as u32, *size);
                }
                prop_assert_eq!(found.largest().len() as u32, found.sizes.iter().copied().max().unwrap_or(0));
            }
        }
    }

    #[test]
    fn a_long_path_overflows_nothing() {
        assert!(is_connected(&line(1_000_000)));
        let arcs: Vec<(u32, u32)> = (0..1_000_000).map(|node| (node, (node + 1) % 1_000_000)).collect();
        assert!(is_strongly_connected(&Graph::from_arcs(1_000_000, &arcs)));
        assert!(!is_strongly_connected(&Graph::from_arcs(3, &[(0, 1), (1, 2)])));
        assert!(is_strongly_connected(&ring(4)) && !is_connected(&Graph::from_edges(0, &[])));
    }
}
