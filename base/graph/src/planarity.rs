//! Whether a graph can be drawn without crossings, with a proof either way.

mod certificate;
mod kuratowski;
mod left_right;

pub use certificate::{Embedding, Kuratowski, NoProof, Obstacle};

use crate::Graph;

/// Whether a graph is planar, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Planarity {
    /// It is: this is a drawing.
    Planar(Embedding),
    /// It is not: this part of it cannot be drawn.
    Nonplanar(Kuratowski),
}

impl Planarity {
    /// Checks the proof, whichever it is, by means that have nothing in common with the search for it.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn verify(&self, graph: &Graph) -> Result<(), NoProof> {
        match self {
            Self::Planar(embedding) => embedding.verify(graph),
            Self::Nonplanar(part) => part.verify(graph),
        }
    }

    /// Whether it is planar.
    pub fn is_planar(&self) -> bool {
        matches!(self, Self::Planar(_))
    }
}

/// Whether `graph` can be drawn in the plane without crossings, directions ignored; the left-right planarity test of de Fraysseix and
/// Rosenstiehl (1982). [`planarity`] says why, too.
///
/// # Complexity
/// O(n log n): a graph of more than 3n - 6 edges is not planar, and not looked at.
pub fn is_planar(graph: &Graph) -> bool {
    left_right::is_planar(graph.nodes(), &edges_of(graph))
}

/// Whether `graph` can be drawn in the plane without crossings, directions ignored: with the drawing if it can, and a subdivision of K5 or
/// K3,3 if it cannot (Kuratowski 1930).
///
/// # Complexity
/// O(n log n) for a planar graph. For another one O(n log² n) as a rule, so that a graph of 10^6 edges takes seconds; O(n²) in
/// the worst case known, a Möbius ladder.
pub fn planarity(graph: &Graph) -> Planarity {
    let edges = edges_of(graph);
    if let Some(around) = left_right::embed(graph.nodes(), &edges) {
        let undirected = graph.is_directed().then(|| graph.undirected());
        return Planarity::Planar(Embedding::of(undirected.as_ref().unwrap_or(graph), around.into_iter()));
    }
    let part = kuratowski::subdivision(graph.nodes(), &edges);
    let part: Vec<(u32, u32)> = part.into_iter().map(|index| edges[index as usize]).collect();
    Planarity::Nonplanar(Kuratowski::of(&part))
}

fn edges_of(graph: &Graph) -> Vec<(u32, u32)> {
    let undirected = graph.is_directed().then(|| graph.undirected());
    undirected.as_ref().unwrap_or(graph).edge_list().map(|(a, b)| (a.0, b.0)).collect()
}

#[cfg(test)]
mod tests;
