//! Sets without memory of who added what: grow-only, and two-phase.

use isles_causality::Actor;
use isles_causality::wire::{DecodeError, Flaw, Reader};

use crate::canonical::{Canonical, Digest, Element};
use crate::replicated::Replicated;
use crate::tree::{Rule, Tree};

/// Both sides' entries.
pub(crate) struct Union;

impl<K> Rule<K, ()> for Union {
    const KEEPS_ALL: bool = true;

    fn mine(&mut self, _: &K, (): &()) -> Option<()> {
        Some(())
    }

    fn theirs(&mut self, _: &K, (): &()) -> Option<()> {
        Some(())
    }

    fn both(&mut self, _: &K, (): &(), (): &()) -> Option<()> {
        Some(())
    }
}

/// A set to which elements are added for good (Shapiro et al., RR-7506, specification 11). An operation is what to add; to add what is
/// there does nothing.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::GrowOnlySet;
/// let mut seen: GrowOnlySet<String> = GrowOnlySet::default();
/// seen.insert(Actor(1), "gull".into());
/// assert!(seen.contains(&"gull".into()));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GrowOnlySet<E> {
    elements: Tree<E, ()>,
}

impl<E> Default for GrowOnlySet<E> {
    fn default() -> Self {
        Self { elements: Tree::new() }
    }
}

impl<E: Element> GrowOnlySet<E> {
    /// Whether `element` is in it.
    pub fn contains(&self, element: &E) -> bool {
        self.elements.contains(element)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.elements.iter().map(|(element, ())| element)
    }

    /// Adds `element`, and returns the delta; none if it is there.
    pub fn insert(&mut self, by: Actor, element: E) -> Option<Self> {
        self.act(by, element)
    }
}

impl<E: Element> Replicated for GrowOnlySet<E> {
    type Op = E;
    /// What to add.
    type Effect = E;
    type Delta = Self;

    fn prepare(&self, _: Actor, element: E) -> Option<E> {
        (!self.contains(&element)).then_some(element)
    }

    fn delta(&self, _: Actor, element: &E) -> Self {
        let mut elements = Tree::new();
        elements.insert(element.clone(), ());
        Self { elements }
    }

    fn apply(&mut self, delta: &Self) {
        for (element, ()) in delta.elements.iter() {
            self.elements.insert(element.clone(), ());
        }
    }

    fn join(&mut self, other: &Self) {
        self.elements = self.elements.merge(&other.elements, &mut Union);
    }

    fn join_deltas(delta: &mut Self, other: &Self) {
        delta.apply(other);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        let elements =
            delta.elements.filter(&mut |element, ()| (!self.elements.contains(element)).then_some(()));
        (!elements.is_empty()).then_some(Self { elements })
    }
}

impl<E: Element> Canonical for GrowOnlySet<E> {
    fn write(&self, out: &mut Vec<u8>) {
        self.elements.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { elements: Tree::read(reader)? })
    }

    fn digest(&self) -> Digest {
        self.elements.digest()
    }
}

/// A set from which an element is removed for good: what was removed cannot be added again (Shapiro et al., RR-7506,
/// specification 12).
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::TwoPhaseSet;
/// let mut open: TwoPhaseSet<u64> = TwoPhaseSet::default();
/// open.insert(Actor(1), 7);
/// open.remove(Actor(1), 7);
/// assert!(open.insert(Actor(1), 7).is_none() && !open.contains(&7));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TwoPhaseSet<E> {
    /// All that was ever added, with whether it was removed.
    elements: Tree<E, bool>,
    /// How many were removed.
    removed: usize,
}

/// What may be asked of a set.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op<E> {
    /// Add an element.
    Insert(E),
    /// Remove an element.
    Remove(E),
}

impl<E: Canonical> Canonical for Op<E> {
    fn write(&self, out: &mut Vec<u8>) {
        let (removes, element) = match self {
            Self::Insert(element) => (false, element),
            Self::Remove(element) => (true, element),
        };
        removes.write(out);
        element.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let removes = bool::read(reader)?;
        let element = E::read(reader)?;
        Ok(if removes { Self::Remove(element) } else { Self::Insert(element) })
    }
}

impl<E> Default for TwoPhaseSet<E> {
    fn default() -> Self {
        Self { elements: Tree::new(), removed: 0 }
    }
}

/// Removed at either side is removed.
struct RemovedStays;

impl<K> Rule<K, bool> for RemovedStays {
    const KEEPS_ALL: bool = true;

    fn mine(&mut self, _: &K, removed: &bool) -> Option<bool> {
        Some(*removed)
    }

    fn theirs(&mut self, _: &K, removed: &bool) -> Option<bool> {
        Some(*removed)
    }

    fn both(&mut self, _: &K, mine: &bool, theirs: &bool) -> Option<bool> {
        Some(*mine || *theirs)
    }
}

impl<E: Element> TwoPhaseSet<E> {
    /// Whether `element` is in it.
    pub fn contains(&self, element: &E) -> bool {
        self.elements.get(element) == Some(&false)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.elements.len() - self.removed
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.elements.iter().filter(|(_, removed)| !**removed).map(|(element, _)| element)
    }

    /// Adds `element`, and returns the delta; none if it is or was there.
    pub fn insert(&mut self, by: Actor, element: E) -> Option<Self> {
        self.act(by, Op::Insert(element))
    }

    /// Removes `element` for good, and returns the delta; none if it is not there.
    pub fn remove(&mut self, by: Actor, element: E) -> Option<Self> {
        self.act(by, Op::Remove(element))
    }

    fn of(elements: Tree<E, bool>) -> Self {
        let removed = elements.iter().filter(|(_, removed)| **removed).count();
        Self { elements, removed }
    }
}

impl<E: Element> Replicated for TwoPhaseSet<E> {
    type Op = Op<E>;
    /// The operation itself, once it is allowed.
    type Effect = Op<E>;
    type Delta = Self;

    fn prepare(&self, _: Actor, op: Op<E>) -> Option<Op<E>> {
        let allowed = match &op {
            Op::Insert(element) => !self.elements.contains(element),
            Op::Remove(element) => self.contains(element),
        };
        allowed.then_some(op)
    }

    fn delta(&self, _: Actor, effect: &Op<E>) -> Self {
        let mut elements = Tree::new();
        match effect {
            Op::Insert(element) => elements.insert(element.clone(), false),
            Op::Remove(element) => elements.insert(element.clone(), true),
        };
        Self::of(elements)
    }

    fn apply(&mut self, delta: &Self) {
        for (element, removed) in delta.elements.iter() {
            let was = self.elements.get(element).copied();
            let is = *removed || was == Some(true);
            if was != Some(is) {
                self.elements.insert(element.clone(), is);
                self.removed += usize::from(is);
            }
        }
    }

    fn join(&mut self, other: &Self) {
        let elements = self.elements.merge(&other.elements, &mut RemovedStays);
        if !elements.is_same(&self.elements) {
            *self = Self::of(elements);
        }
    }

    fn join_deltas(delta: &mut Self, other: &Self) {
        delta.apply(other);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        let elements = delta.elements.filter(&mut |element, removed| match self.elements.get(element) {
            Some(true) => None,
            Some(false) => removed.then_some(true),
            None => Some(*removed),
        });
        (!elements.is_empty()).then(|| Self::of(elements))
    }
}

impl<E: Element> Canonical for TwoPhaseSet<E> {
    fn write(&self, out: &mut Vec<u8>) {
        self.elements.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::of(Tree::read(reader)?))
    }

    fn digest(&self) -> Digest {
        self.elements.digest()
    }
}

/// Shared by the sets that are told of in other files: what no set of tags may be.
pub(crate) const EMPTY: Flaw = Flaw::NotCanonical("an element that is listed was added");
