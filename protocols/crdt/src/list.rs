//! Lists, and text as a list of characters: edited anywhere, by anyone, offline too, and the same everywhere after merging.

use isles_causality::Actor;

use crate::canonical::Element;
use crate::causal::{Causal, Definition, Site, stored_as};
use crate::position::{Position, Side};
use crate::store::{Keyed, KeyedPatch, Store, Values, ValuesPatch};

/// A list. What was inserted at one place by several replicas at once stands one after the other, never mixed; see
/// [`position`](crate::position).
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, List};
/// let mut here: Causal<List<char>> = Causal::default();
/// here.insert_text(Actor(1), 0, "Hello!");
/// let mut there = here.clone();
/// here.insert_text(Actor(1), 5, " Anna");
/// there.insert_text(Actor(2), 5, ", Bert");
/// here.join(&there);
/// there.join(&here);
/// assert_eq!(here.text(), there.text());
/// assert_eq!(here.text(), "Hello Anna, Bert!");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct List<T>(Keyed<Position, Values<T>>);

/// What may be asked of a [`List`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op<T> {
    /// Insert values before what is at `index`; refused beyond the end.
    Insert {
        /// How many elements come before.
        index: usize,
        /// The values, in order; if there are none, nothing is done.
        values: Vec<T>,
    },
    /// Remove elements; refused if there are not as many.
    Remove {
        /// How many elements come before.
        index: usize,
        /// How many go; if none, nothing is done.
        count: usize,
    },
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Keyed::default())
    }
}

impl<T: Element> List<T> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.tree().len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.tree().is_empty()
    }

    /// The elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        // One place has one dot, unless a replica's name was used twice; then all that it wrote there are shown.
        self.0.tree().iter().flat_map(|(_, values)| values.iter().map(|(_, value)| value))
    }

    /// The element at `index`.
    ///
    /// # Complexity
    /// Logarithmic.
    pub fn get(&self, index: usize) -> Option<&T> {
        let (_, values) = self.0.tree().nth(index)?;
        values.iter().next().map(|(_, value)| value)
    }

    /// Where the element at `index` is, whatever is inserted or removed around it: for cursors, selections and comments.
    pub fn position(&self, index: usize) -> Option<&Position> {
        self.0.tree().nth(index).map(|(position, _)| position)
    }

    /// How many elements come before `position` now; also of one whose element was removed.
    pub fn index(&self, position: &Position) -> usize {
        self.0.tree().rank(position)
    }
}

impl<T: Element> Definition for List<T> {
    stored_as!(Keyed<Position, Values<T>>);
    type Op = Op<T>;

    fn prepare(&self, site: &mut Site<'_>, op: Op<T>) -> Option<KeyedPatch<Position, ValuesPatch<T>>> {
        match op {
            Op::Insert { index, .. } if index > self.len() => None,
            Op::Insert { index, values } => {
                let left = index.checked_sub(1).and_then(|index| self.position(index));
                let right = self.position(index);
                let mut places = Vec::with_capacity(values.len());
                for value in values {
                    let dot = site.dot()?;
                    let position = match (places.last(), left, right) {
                        (Some((previous, _)), ..) => Position::child(previous, Side::Right, dot),
                        (None, Some(left), Some(right)) if left.is_above(right) => {
                            right.child(Side::Left, dot)
                        }
                        (None, Some(left), _) => left.child(Side::Right, dot),
                        (None, None, Some(right)) => right.child(Side::Left, dot),
                        (None, None, None) => Position::first(dot),
                    };
                    places.push((position, Values::default().replace(dot, value)));
                }
                Keyed::<Position, Values<T>>::all(places)
            }
            Op::Remove { index, count } => {
                if count > self.len() || index > self.len() - count {
                    return None;
                }
                let from = self.position(index)?;
                let removed = self.0.tree().iter_from(from).take(count);
                Keyed::<Position, Values<T>>::all(
                    removed.filter_map(|(position, values)| Some((position.clone(), values.clear()?))),
                )
            }
        }
    }
}

impl<T: Element> Causal<List<T>> {
    /// Inserts `value` before what is at `index`, and returns the delta; none beyond the end.
    pub fn insert(
        &mut self,
        by: Actor,
        index: usize,
        value: T,
    ) -> Option<KeyedPatch<Position, ValuesPatch<T>>> {
        self.act(by, Op::Insert { index, values: vec![value] })
    }

    /// Removes `count` elements from `index` on, and returns the delta; none if there are not as many.
    pub fn remove(
        &mut self,
        by: Actor,
        index: usize,
        count: usize,
    ) -> Option<KeyedPatch<Position, ValuesPatch<T>>> {
        self.act(by, Op::Remove { index, count })
    }
}

impl List<char> {
    /// The text.
    pub fn text(&self) -> String {
        self.iter().collect()
    }
}

impl Causal<List<char>> {
    /// Inserts `text` before the character at `index`, and returns the delta; none beyond the end. Indices count characters.
    pub fn insert_text(
        &mut self,
        by: Actor,
        index: usize,
        text: &str,
    ) -> Option<KeyedPatch<Position, ValuesPatch<char>>> {
        self.act(by, Op::Insert { index, values: text.chars().collect() })
    }
}
