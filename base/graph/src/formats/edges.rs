//! Edges while they are read.

use crate::Graph;

/// So many edges can be read: both arcs of each fit into a graph.
pub(super) const EDGES_MAX: usize = crate::ARCS_MAX / 2;

/// Edges, 8 bytes each, and 8 more as soon as one has a weight.
#[derive(Default)]
pub(super) struct Edges {
    pub(super) ends: Vec<(u32, u32)>,
    /// None at all, or one for each edge.
    weights: Vec<f64>,
}

impl Edges {
    /// Adds an edge; whether there was room.
    #[inline]
    pub(super) fn push(&mut self, a: u32, b: u32, weight: Option<f64>) -> bool {
        if weight.is_some() || !self.weights.is_empty() {
            self.weigh(weight);
        }
        self.ends.push((a, b));
        self.ends.len() <= EDGES_MAX
    }

    /// The next edge weighs this. Edges without a weight weigh 1, as soon as there are others.
    #[cold]
    pub(super) fn weigh(&mut self, weight: Option<f64>) {
        self.weights.resize(self.ends.len(), 1.0);
        self.weights.push(weight.unwrap_or(1.0));
    }

    /// The last edge, which had no weight so far, weighs this.
    pub(super) fn weigh_last(&mut self, weight: f64) {
        self.weights.resize(self.ends.len(), 1.0);
        if let Some(last) = self.weights.last_mut() {
            *last = weight;
        }
    }

    /// The graph, and how many edges it left out: loops and repetitions.
    pub(super) fn graph(self, nodes: usize, directed: bool) -> (Graph, u64) {
        let graph = Graph::from_columns(nodes as u32, directed, &self.ends, &self.weights);
        let dropped = (self.ends.len() - graph.edges()) as u64;
        (graph, dropped)
    }
}
