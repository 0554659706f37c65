//! Sets with removal and without tombstones: add-wins and remove-wins.
//!
//! Bieniusa, Zawirski, Preguiça, Shapiro, Baquero, Balegas, Duarte, "An optimized conflict-free replicated set", INRIA RR-8083, 2012,
//! <https://arxiv.org/abs/1210.3368>; the remove-wins set after Baquero's `rworset`. An element has the dots of its additions; a removal
//! leaves nothing but the context, which knows them.

use isles_causality::Actor;

use crate::canonical::Element;
use crate::causal::{Causal, Definition, Site, stored_as};
use crate::set::Op;
use crate::store::{Keyed, KeyedPatch, Store, Values, ValuesPatch};

/// A set in which an element that is added at one place and removed at another at once is there. This is the set to use.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{AddWinsSet, Causal};
/// let mut here: Causal<AddWinsSet<u64>> = Causal::default();
/// here.insert(Actor(1), 7);
/// let mut there = here.clone();
/// let removal = there.remove(Actor(2), &7).expect("it was there");
/// let addition = here.insert(Actor(1), 7).expect("it always changes something");
/// here.apply(&removal);
/// there.apply(&addition);
/// assert!(here.contains(&7) && here == there);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AddWinsSet<E>(Keyed<E, Values<()>>);

impl<E> Default for AddWinsSet<E> {
    fn default() -> Self {
        Self(Keyed::default())
    }
}

impl<E: Element> AddWinsSet<E> {
    /// Whether `element` is in it.
    pub fn contains(&self, element: &E) -> bool {
        self.0.tree().contains(element)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.tree().len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.tree().is_empty()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.0.tree().iter().map(|(element, _)| element)
    }

    /// The elements that are not less than `from`, ascending.
    pub fn iter_from(&self, from: &E) -> impl ExactSizeIterator<Item = &E> {
        self.0.tree().iter_from(from).map(|(element, _)| element)
    }
}

impl<E: Element> Definition for AddWinsSet<E> {
    stored_as!(Keyed<E, Values<()>>);
    type Op = Op<E>;

    fn prepare(&self, site: &mut Site<'_>, op: Op<E>) -> Option<KeyedPatch<E, ValuesPatch<()>>> {
        let none = Values::default();
        let of = |element: &E| self.0.tree().get(element).unwrap_or(&none);
        let (element, patch) = match op {
            Op::Insert(element) => {
                let patch = of(&element).replace(site.dot()?, ());
                (element, patch)
            }
            Op::Remove(element) => {
                let patch = of(&element).clear()?;
                (element, patch)
            }
        };
        Some(Keyed::<E, Values<()>>::at(element, patch))
    }
}

impl<E: Element> Causal<AddWinsSet<E>> {
    /// Adds `element`, and returns the delta. To add what is there renews it: it outlives removals by those who did not see that.
    pub fn insert(&mut self, by: Actor, element: E) -> Option<KeyedPatch<E, ValuesPatch<()>>> {
        self.act(by, Op::Insert(element))
    }

    /// Removes `element`, and returns the delta; none if it is not there.
    pub fn remove(&mut self, by: Actor, element: &E) -> Option<KeyedPatch<E, ValuesPatch<()>>> {
        self.act(by, Op::Remove(element.clone()))
    }

    /// Removes all elements, and returns the delta; none if there are none.
    pub fn clear(&mut self) -> Option<KeyedPatch<E, ValuesPatch<()>>> {
        let delta = self.0.clear()?;
        self.apply(&delta);
        Some(delta)
    }
}

/// A set in which an element that is added at one place and removed at another at once is not there. A removal stays as a mark until
/// somebody who has seen it adds the element again.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, RemoveWinsSet};
/// let mut here: Causal<RemoveWinsSet<u64>> = Causal::default();
/// here.insert(Actor(1), 7);
/// let mut there = here.clone();
/// there.remove(Actor(2), &7);
/// here.insert(Actor(1), 7);
/// here.join(&there);
/// assert!(!here.contains(&7));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RemoveWinsSet<E>(
    /// What was said last of each element, by each who did not know of the others: that it is there, or that it is not.
    Keyed<E, Values<bool>>,
);

impl<E> Default for RemoveWinsSet<E> {
    fn default() -> Self {
        Self(Keyed::default())
    }
}

fn is_in(said: &Values<bool>) -> bool {
    said.iter().all(|(_, is_in)| *is_in)
}

impl<E: Element> RemoveWinsSet<E> {
    /// Whether `element` is in it.
    pub fn contains(&self, element: &E) -> bool {
        self.0.tree().get(element).is_some_and(is_in)
    }

    /// How many elements there are.
    ///
    /// # Complexity
    /// Linear in the elements and the marks of removals.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.0.tree().iter().filter(|(_, said)| is_in(said)).map(|(element, _)| element)
    }
}

impl<E: Element> Definition for RemoveWinsSet<E> {
    stored_as!(Keyed<E, Values<bool>>);
    type Op = Op<E>;

    fn prepare(&self, site: &mut Site<'_>, op: Op<E>) -> Option<KeyedPatch<E, ValuesPatch<bool>>> {
        let (element, is_in) = match op {
            Op::Insert(element) => (element, true),
            Op::Remove(element) => (element, false),
        };
        let none = Values::default();
        let patch = self.0.tree().get(&element).unwrap_or(&none).replace(site.dot()?, is_in);
        Some(Keyed::<E, Values<bool>>::at(element, patch))
    }
}

impl<E: Element> Causal<RemoveWinsSet<E>> {
    /// Adds `element`, and returns the delta.
    pub fn insert(&mut self, by: Actor, element: E) -> Option<KeyedPatch<E, ValuesPatch<bool>>> {
        self.act(by, Op::Insert(element))
    }

    /// Removes `element`, and returns the delta. What is not there is removed too: from additions that are on their way.
    pub fn remove(&mut self, by: Actor, element: &E) -> Option<KeyedPatch<E, ValuesPatch<bool>>> {
        self.act(by, Op::Remove(element.clone()))
    }
}
