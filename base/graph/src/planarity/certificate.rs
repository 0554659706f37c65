//! What proves that a graph is planar, or that it is not, and the checks of such proofs. They know nothing of how a proof was found.

use std::fmt;

use isles_kernel::ProcessId;

use crate::{Graph, components};

/// A drawing without crossings, up to the shapes of its lines: the order of the neighbours around each node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Embedding {
    /// Invariant: one more than there are nodes, ascending; the neighbours of `p` are `around[offsets[p]..offsets[p + 1]]`.
    offsets: Vec<u32>,
    around: Vec<ProcessId>,
}

/// Why something proves nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoProof(String);

impl fmt::Display for NoProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoProof {}

fn refuse<T>(why: String) -> Result<T, NoProof> {
    Err(NoProof(why))
}

impl Embedding {
    /// The drawing in which the neighbours of each node come in this order, clockwise. Whether it is one of some graph, and
    /// without crossings, is what [`verify`](Self::verify) says.
    pub fn new(rows: impl IntoIterator<Item = Vec<ProcessId>>) -> Self {
        let mut found = Self { offsets: vec![0], around: Vec::new() };
        for row in rows {
            found.around.extend(row);
            found.offsets.push(found.around.len() as u32);
        }
        found
    }

    /// From the rows one after the other, which are as long as the degrees.
    pub(super) fn of(graph: &Graph, around: impl Iterator<Item = u32>) -> Self {
        let mut offsets = vec![0];
        for node in graph.ids() {
            offsets.push(offsets[node.index()] + graph.degree(node));
        }
        Self { offsets, around: around.map(ProcessId).collect() }
    }

    /// The neighbours of `node` in their order, clockwise.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn around(&self, node: ProcessId) -> &[ProcessId] {
        &self.around[self.offsets[node.index()] as usize..self.offsets[node.index() + 1] as usize]
    }

    /// How many areas the drawing of each component divides the plane into, taken together; none for a node without neighbours.
    ///
    /// # Errors
    /// When the drawing is not one of this graph.
    pub fn faces(&self, graph: &Graph) -> Result<usize, NoProof> {
        let follow = self.follow(graph)?;
        let mut seen = vec![false; follow.len()];
        let mut faces = 0;
        for start in 0..follow.len() {
            let mut at = start;
            faces += usize::from(!seen[start]);
            while !seen[at] {
                seen[at] = true;
                at = follow[at] as usize;
            }
        }
        Ok(faces)
    }

    /// Checks that this is a drawing of `graph` without crossings: that every node has its neighbours around it, and that nodes
    /// less edges plus areas are two for each component (Euler's formula; a crossing costs areas).
    ///
    /// # Errors
    /// With what is wrong.
    pub fn verify(&self, graph: &Graph) -> Result<(), NoProof> {
        let faces = self.faces(graph)? as i64;
        // A component without edges has an area, too.
        let alone = graph.ids().filter(|node| self.around(*node).is_empty()).count() as i64;
        let found = i64::from(graph.nodes()) - self.around.len() as i64 / 2 + faces + alone;
        let wanted = 2 * components(graph).count() as i64;
        if found == wanted {
            return Ok(());
        }
        refuse(format!("nodes - edges + areas are {found}, not {wanted}: lines cross"))
    }

    /// For each place around a node, which stands for the line from there to the neighbour, the next line of the area on its
    /// left: at the neighbour, the one after the line back.
    fn follow(&self, graph: &Graph) -> Result<Vec<u32>, NoProof> {
        let undirected = graph.is_directed().then(|| graph.undirected());
        let graph = undirected.as_ref().unwrap_or(graph);
        if self.offsets.len() != graph.nodes() as usize + 1 {
            return refuse(format!("{} rows for {} nodes", self.offsets.len() - 1, graph.nodes()));
        }
        // Every place by the node and its neighbour, ascending: with the ends exchanged it is the place of the line back.
        let mut places: Vec<(ProcessId, ProcessId, u32)> = Vec::with_capacity(self.around.len());
        for node in graph.ids() {
            let from = self.offsets[node.index()];
            places.extend((from..).zip(self.around(node)).map(|(place, peer)| (node, *peer, place)));
            let row = &mut places[from as usize..];
            row.sort_unstable();
            if !row.iter().map(|(_, peer, _)| peer).eq(graph.neighbors(node)) {
                return refuse(format!("node {node} does not have its neighbours around it"));
            }
        }
        let mut follow = vec![0; places.len()];
        for &(node, peer, place) in &places {
            let first = self.offsets[peer.index()];
            let row = &places[first as usize..self.offsets[peer.index() + 1] as usize];
            let back = row.binary_search_by_key(&node, |(_, peer, _)| *peer);
            let back = back.expect("neighbours are each other's") + first as usize;
            let after = places[back].2 + 1;
            follow[place as usize] = if after == self.offsets[peer.index() + 1] { first } else { after };
        }
        Ok(follow)
    }
}

/// Which of the two smallest graphs that are not planar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// Five nodes, each linked to all others.
    K5,
    /// Three nodes, each linked to three others: three houses and three wells.
    K33,
}

/// A part of a graph that cannot be drawn without crossings: K5 or K3,3, with paths in place of edges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kuratowski {
    /// Which of the two it is.
    pub obstacle: Obstacle,
    /// The nodes of each path, ends included: 10 or 9 paths.
    pub paths: Vec<Vec<ProcessId>>,
}

impl Kuratowski {
    /// The paths that these edges make between the nodes at which more than two of them meet.
    ///
    /// # Panics
    /// When they are no subdivision.
    pub(super) fn of(edges: &[(u32, u32)]) -> Self {
        let mut links: Vec<(u32, u32)> = edges.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        links.sort_unstable();
        let row = |node: u32| {
            let from = links.partition_point(|link| link.0 < node);
            links[from..].iter().take_while(move |link| link.0 == node).map(|link| link.1)
        };
        let is_corner = |node: u32| row(node).count() > 2;
        let mut corners: Vec<u32> = links.iter().map(|link| link.0).filter(|node| is_corner(*node)).collect();
        corners.dedup();
        let mut paths = Vec::new();
        for &corner in &corners {
            for first in row(corner) {
                let (mut before, mut node) = (corner, first);
                let mut path = vec![ProcessId(corner)];
                while !is_corner(node) {
                    path.push(ProcessId(node));
                    let next = row(node).find(|peer| *peer != before);
                    (before, node) = (node, next.expect("no path of a subdivision ends but at a corner"));
                }
                path.push(ProcessId(node));
                if corner < node {
                    paths.push(path);
                }
            }
        }
        Self { obstacle: if corners.len() == 5 { Obstacle::K5 } else { Obstacle::K33 }, paths }
    }

    /// Checks that these are paths of `graph`, that they share nothing but their ends, and that they link these as K5 or
    /// K3,3 does.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn verify(&self, graph: &Graph) -> Result<(), NoProof> {
        let linked = |a: ProcessId, b: ProcessId| {
            let known = |node: ProcessId| node.0 < graph.nodes();
            known(a) && known(b) && (graph.has_edge(a, b) || graph.has_edge(b, a))
        };
        let mut corners: Vec<ProcessId> = Vec::new();
        let mut inner: Vec<ProcessId> = Vec::new();
        let mut pairs: Vec<(ProcessId, ProcessId)> = Vec::new();
        for path in &self.paths {
            let [first, between @ .., last] = path.as_slice() else {
                return refuse("a path has two ends".to_owned());
            };
            if let Some(step) = path.windows(2).find(|step| !linked(step[0], step[1])) {
                return refuse(format!("{} and {} are not linked", step[0], step[1]));
            }
            corners.extend([first, last]);
            inner.extend(between);
            pairs.push((*first.min(last), *first.max(last)));
        }
        corners.sort_unstable();
        corners.dedup();
        let crossings = inner.len();
        inner.sort_unstable();
        inner.dedup();
        if inner.len() != crossings || corners.iter().any(|corner| inner.binary_search(corner).is_ok()) {
            return refuse("paths share more than their ends".to_owned());
        }
        pairs.sort_unstable();
        let wanted = self.wanted(&corners, &pairs)?;
        if pairs == wanted {
            return Ok(());
        }
        refuse(format!("the paths do not link their ends as {:?} does", self.obstacle))
    }

    /// The pairs that must be linked, ascending.
    fn wanted(
        &self,
        corners: &[ProcessId],
        pairs: &[(ProcessId, ProcessId)],
    ) -> Result<Vec<(ProcessId, ProcessId)>, NoProof> {
        let count = match self.obstacle {
            Obstacle::K5 => 5,
            Obstacle::K33 => 6,
        };
        if corners.len() != count {
            return refuse(format!("{:?} has {count} corners, not {}", self.obstacle, corners.len()));
        }
        // The houses are the first corner and those that it is not linked to.
        let is_house = |corner: ProcessId| !pairs.contains(&(corners[0], corner));
        let apart = |a: ProcessId, b: ProcessId| self.obstacle == Obstacle::K5 || is_house(a) != is_house(b);
        let houses = corners.iter().filter(|corner| is_house(**corner)).count();
        if self.obstacle == Obstacle::K33 && houses != 3 {
            return refuse(format!("{houses} corners on one side, not 3"));
        }
        let all = corners.iter().flat_map(|&a| corners.iter().map(move |&b| (a, b)));
        Ok(all.filter(|&(a, b)| a < b && apart(a, b)).collect())
    }
}
