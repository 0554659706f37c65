//! A directed graph in which additions win.
//!
//! Shapiro, Preguiça, Baquero, Zawirski, RR-7506, sec. 3.4, ask what to do when an edge is added while an end of it is removed elsewhere,
//! and choose that the removal wins. Here it is the other way round: to add an edge adds its ends once more, so that they outlive such
//! a removal. No edge is without its ends.

use isles_causality::Actor;

use crate::canonical::Element;
use crate::causal::{Causal, Definition, Site, stored_as};
use crate::store::{Keyed, KeyedPatch, Pair, PairPatch, Store, Values, ValuesPatch};

type Marks<K> = Keyed<K, Values<()>>;

/// A directed graph without parallel edges.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{AddWinsGraph, Causal};
/// let mut here: Causal<AddWinsGraph<u64>> = Causal::default();
/// here.add_vertex(Actor(1), 1);
/// here.add_vertex(Actor(1), 2);
/// let mut there = here.clone();
/// here.remove_vertex(Actor(1), &2);
/// there.add_edge(Actor(2), 1, 2);
/// here.join(&there);
/// assert!(here.contains_vertex(&2) && here.contains_edge(&1, &2));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AddWinsGraph<V>(
    /// Vertices, and edges as from and to.
    Pair<Marks<V>, Marks<(V, V)>>,
);

/// What may be asked of an [`AddWinsGraph`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op<V> {
    /// Add a vertex.
    AddVertex(V),
    /// Remove a vertex and the edges at it; does nothing if it is not there.
    RemoveVertex(V),
    /// Add an edge between two vertices; refused if one is not there.
    AddEdge(V, V),
    /// Remove an edge; does nothing if it is not there.
    RemoveEdge(V, V),
}

/// The change of an [`AddWinsGraph`].
pub type Delta<V> = PairPatch<KeyedPatch<V, ValuesPatch<()>>, KeyedPatch<(V, V), ValuesPatch<()>>>;

impl<V> Default for AddWinsGraph<V> {
    fn default() -> Self {
        Self(Pair(Keyed::default(), Keyed::default()))
    }
}

impl<V: Element> AddWinsGraph<V> {
    /// Whether `vertex` is there.
    pub fn contains_vertex(&self, vertex: &V) -> bool {
        self.0.0.tree().contains(vertex)
    }

    /// Whether the edge is there, and both its ends.
    pub fn contains_edge(&self, from: &V, to: &V) -> bool {
        // The ends are asked about for deltas that came before their causes.
        self.0.1.tree().contains(&(from.clone(), to.clone()))
            && self.contains_vertex(from)
            && self.contains_vertex(to)
    }

    /// The vertices, ascending.
    pub fn vertices(&self) -> impl ExactSizeIterator<Item = &V> {
        self.0.0.tree().iter().map(|(vertex, _)| vertex)
    }

    /// The edges, ascending.
    pub fn edges(&self) -> impl Iterator<Item = (&V, &V)> {
        let edges = self.0.1.tree().iter().map(|((from, to), _)| (from, to));
        edges.filter(|(from, to)| self.contains_vertex(from) && self.contains_vertex(to))
    }
}

fn renew<K: Element>(marks: &Marks<K>, site: &mut Site<'_>, key: K) -> Option<(K, ValuesPatch<()>)> {
    let dot = site.dot()?;
    let patch = marks.tree().get(&key).unwrap_or(&Values::default()).replace(dot, ());
    Some((key, patch))
}

impl<V: Element> Definition for AddWinsGraph<V> {
    stored_as!(Pair<Marks<V>, Marks<(V, V)>>);
    type Op = Op<V>;

    fn prepare(&self, site: &mut Site<'_>, op: Op<V>) -> Option<Delta<V>> {
        let Pair(vertices, edges) = &self.0;
        match op {
            Op::AddVertex(vertex) => PairPatch::of(Marks::all([renew(vertices, site, vertex)?]), None),
            Op::RemoveVertex(vertex) => {
                let marks = vertices.tree().get(&vertex)?.clear()?;
                let at_it = edges.tree().iter().filter(|((from, to), _)| *from == vertex || *to == vertex);
                let removed = at_it.filter_map(|(edge, marks)| Some((edge.clone(), marks.clear()?)));
                PairPatch::of(Marks::all([(vertex.clone(), marks)]), Marks::all(removed))
            }
            Op::AddEdge(from, to) => {
                if !self.contains_vertex(&from) || !self.contains_vertex(&to) {
                    return None;
                }
                let mut ends = vec![renew(vertices, site, from.clone())?];
                if from != to {
                    ends.push(renew(vertices, site, to.clone())?);
                }
                let edge = renew(edges, site, (from, to))?;
                PairPatch::of(Marks::all(ends), Marks::all([edge]))
            }
            Op::RemoveEdge(from, to) => {
                let edge = (from, to);
                let marks = edges.tree().get(&edge)?.clear()?;
                PairPatch::of(None, Marks::all([(edge, marks)]))
            }
        }
    }
}

impl<V: Element> Causal<AddWinsGraph<V>> {
    /// Adds `vertex`, and returns the delta.
    pub fn add_vertex(&mut self, by: Actor, vertex: V) -> Option<Delta<V>> {
        self.act(by, Op::AddVertex(vertex))
    }

    /// Removes `vertex` and all edges at it, and returns the delta; none if it is not there.
    ///
    /// # Complexity
    /// Linear in the edges of the graph.
    pub fn remove_vertex(&mut self, by: Actor, vertex: &V) -> Option<Delta<V>> {
        self.act(by, Op::RemoveVertex(vertex.clone()))
    }

    /// Adds an edge, and returns the delta; none if an end is not there.
    pub fn add_edge(&mut self, by: Actor, from: V, to: V) -> Option<Delta<V>> {
        self.act(by, Op::AddEdge(from, to))
    }

    /// Removes an edge, and returns the delta; none if it is not there.
    pub fn remove_edge(&mut self, by: Actor, from: &V, to: &V) -> Option<Delta<V>> {
        self.act(by, Op::RemoveEdge(from.clone(), to.clone()))
    }
}
