//! The add-wins set with tombstones: each addition has a tag, and a removal keeps the tags that it has seen for ever (the observed-remove
//! set of Shapiro, Preguiça, Baquero, Zawirski, RR-7506, specification 15, state-based as in Bieniusa et al., RR-8083, 2012, sec. 3).
//!
//! [`AddWinsSet`](crate::AddWinsSet) does the same without them; this one is the yardstick, and shows what tombstones cost.

use isles_causality::wire::{DecodeError, Reader};
use isles_causality::{Actor, Dot, DotContext, VersionVector};

use crate::canonical::{Canonical, Digest, Element};
use crate::replicated::Replicated;
use crate::set::{EMPTY, Op};
use crate::tree::{Rule, Tree};

/// An add-wins set that remembers all tags.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::TombstoneSet;
/// let mut set: TombstoneSet<u64> = TombstoneSet::default();
/// for _ in 0..10 {
///     set.insert(Actor(1), 7);
///     set.remove(Actor(1), 7);
/// }
/// assert_eq!((set.len(), set.tombstones()), (0, 10));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TombstoneSet<E> {
    /// Elements that were ever added.
    elements: Tree<E, Tags>,
    /// The last tag of each replica, so that none is given twice.
    last: VersionVector,
}

/// What happened to one element. Invariant: `added` is not empty and includes `removed`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tags {
    added: DotContext,
    removed: DotContext,
}

impl Tags {
    fn is_alive(&self) -> bool {
        self.added != self.removed
    }

    fn join(&mut self, other: &Self) {
        self.added.join(&other.added);
        self.removed.join(&other.removed);
    }

    /// What of `other` is not here.
    fn news(&self, other: &Self) -> Option<Self> {
        let removed = other.removed.difference(&self.removed);
        let mut added = other.added.difference(&self.added);
        added.join(&removed);
        (!added.is_empty()).then_some(Self { added, removed })
    }
}

impl Canonical for Tags {
    fn write(&self, out: &mut Vec<u8>) {
        self.added.encode_into(out);
        self.removed.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tags = Self { added: DotContext::read(reader)?, removed: DotContext::read(reader)? };
        match tags.added.is_empty() || !tags.added.includes(&tags.removed) {
            true => Err(reader.error(EMPTY)),
            false => Ok(tags),
        }
    }
}

/// What an operation does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Effect<E> {
    /// Adds the element with a tag.
    Insert(E, Dot),
    /// Removes these tags of the element.
    Remove(E, DotContext),
}

impl<E: Canonical> Canonical for Effect<E> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Insert(element, tag) => {
                false.write(out);
                element.write(out);
                tag.write(out);
            }
            Self::Remove(element, tags) => {
                true.write(out);
                element.write(out);
                tags.encode_into(out);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let removes = bool::read(reader)?;
        let element = E::read(reader)?;
        if !removes {
            return Ok(Self::Insert(element, Dot::read(reader)?));
        }
        let tags = DotContext::read(reader)?;
        if tags.is_empty() { Err(reader.error(EMPTY)) } else { Ok(Self::Remove(element, tags)) }
    }
}

/// All tags of both.
struct AllTags;

impl<E> Rule<E, Tags> for AllTags {
    const KEEPS_ALL: bool = true;

    fn mine(&mut self, _: &E, tags: &Tags) -> Option<Tags> {
        Some(tags.clone())
    }

    fn theirs(&mut self, _: &E, tags: &Tags) -> Option<Tags> {
        Some(tags.clone())
    }

    fn both(&mut self, _: &E, mine: &Tags, theirs: &Tags) -> Option<Tags> {
        let mut tags = mine.clone();
        tags.join(theirs);
        Some(tags)
    }
}

impl<E> Default for TombstoneSet<E> {
    fn default() -> Self {
        Self { elements: Tree::new(), last: VersionVector::new() }
    }
}

impl<E: Element> TombstoneSet<E> {
    /// Whether `element` is in it.
    pub fn contains(&self, element: &E) -> bool {
        self.elements.get(element).is_some_and(Tags::is_alive)
    }

    /// How many elements there are.
    ///
    /// # Complexity
    /// Linear in the elements that were ever added.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.elements.iter().filter(|(_, tags)| tags.is_alive()).map(|(element, _)| element)
    }

    /// How many tags are kept only because they were removed.
    pub fn tombstones(&self) -> u64 {
        self.elements.iter().map(|(_, tags)| tags.removed.count()).sum()
    }

    /// Adds `element` once more, and returns the delta.
    pub fn insert(&mut self, by: Actor, element: E) -> Option<Self> {
        self.act(by, Op::Insert(element))
    }

    /// Removes what is known of `element` here, and returns the delta; none if it is not there.
    pub fn remove(&mut self, by: Actor, element: E) -> Option<Self> {
        self.act(by, Op::Remove(element))
    }
}

impl<E: Element> Replicated for TombstoneSet<E> {
    type Op = Op<E>;
    type Effect = Effect<E>;
    type Delta = Self;

    fn prepare(&self, by: Actor, op: Op<E>) -> Option<Effect<E>> {
        match op {
            Op::Insert(element) => {
                let last = self.last.get(by);
                let tag = (last < isles_causality::dot::COUNTER_MAX).then(|| Dot::new(by, last + 1))?;
                Some(Effect::Insert(element, tag))
            }
            Op::Remove(element) => {
                let tags = self.elements.get(&element).filter(|tags| tags.is_alive())?;
                let seen = tags.added.difference(&tags.removed);
                Some(Effect::Remove(element, seen))
            }
        }
    }

    fn delta(&self, _: Actor, effect: &Effect<E>) -> Self {
        let mut delta = Self::default();
        let (element, tags) = match effect {
            Effect::Insert(element, tag) => {
                delta.last.raise(*tag);
                (element, Tags { added: [*tag].into_iter().collect(), removed: DotContext::new() })
            }
            Effect::Remove(element, seen) => (element, Tags { added: seen.clone(), removed: seen.clone() }),
        };
        delta.elements.insert(element.clone(), tags);
        delta
    }

    fn apply(&mut self, delta: &Self) {
        for (element, tags) in delta.elements.iter() {
            self.elements.alter(element, |mine| mine.get_or_insert_default().join(tags));
        }
        self.last.join(&delta.last);
    }

    fn join(&mut self, other: &Self) {
        self.elements = self.elements.merge(&other.elements, &mut AllTags);
        self.last.join(&other.last);
    }

    fn join_deltas(delta: &mut Self, other: &Self) {
        delta.apply(other);
    }

    fn news(&self, delta: &Self) -> Option<Self> {
        let none = Tags::default();
        let elements = delta
            .elements
            .filter(&mut |element, tags| self.elements.get(element).unwrap_or(&none).news(tags));
        let mut last = VersionVector::new();
        delta.last.iter().filter(|dot| !self.last.contains(*dot)).for_each(|dot| last.raise(dot));
        (!elements.is_empty() || !last.is_empty()).then_some(Self { elements, last })
    }
}

impl<E: Element> Canonical for TombstoneSet<E> {
    fn write(&self, out: &mut Vec<u8>) {
        self.elements.write(out);
        self.last.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { elements: Tree::read(reader)?, last: VersionVector::read(reader)? })
    }

    fn digest(&self) -> Digest {
        self.elements.digest().then(Canonical::digest(&self.last))
    }
}
