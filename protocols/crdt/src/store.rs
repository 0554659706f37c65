//! What causal types are made of: values under dots, maps of such, and pairs of such, with the one merge rule that all share.
//!
//! A store holds what is alive; the causal context beside it ([`DotContext`]) knows all that ever was. A dot that is known and not alive
//! was removed, and no tombstone is needed. This is the algebra of Almeida, Shoker and Baquero, "Delta state replicated data types",
//! JPDC 111, 2018, sec. 7. Paper → here: `DotFun` is [`Values`], `DotSet` is `Values<()>`, `DotMap` is [`Keyed`].
//!
//! # Departures from the paper
//! - A delta is not a small state with a small context, but a [`Patch`], which says at each place which dots came and which went. So it
//!   finds its places in a large state without looking at the rest, and can be taken apart exactly.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use isles_causality::wire::{DecodeError, Flaw, Reader, put_number};
use isles_causality::{Dot, DotContext};
use smallvec::SmallVec;

use crate::canonical::{Canonical, Digest, Element};
use crate::tree::{Rule, Tree};

/// A part of a causal state: live dots, and what they stand for. Its default is empty.
pub trait Store: Clone + Eq + Hash + Debug + Default + Canonical + Send + Sync + 'static {
    /// A change of such a part.
    type Patch: Patch;

    /// Whether nothing is alive here.
    fn is_empty(&self) -> bool;

    /// Shows all dots that are alive here.
    fn dots(&self, see: &mut dyn FnMut(Dot));

    /// Merges another replica's store into this one. Each comes with what its replica knows. What both have stays; what one
    /// has stays if the other does not know it, and otherwise was removed there.
    fn join(&mut self, mine: &DotContext, other: &Self, theirs: &DotContext);

    /// Merges a change into this store of a replica that knows `mine`.
    fn apply(&mut self, mine: &DotContext, patch: &Self::Patch);

    /// The part of a change that is new to this store of a replica that knows `mine`; none if nothing is.
    fn news(&self, mine: &DotContext, patch: &Self::Patch) -> Option<Self::Patch>;

    /// The change that removes all that is alive here; none if nothing is.
    fn clear(&self) -> Option<Self::Patch>;
}

/// A change of a [`Store`]: dots that came and dots that went, each at its place.
pub trait Patch: Clone + Eq + Hash + Debug + Canonical + Send + Sync + 'static {
    /// Becomes the change that does both, in whatever order they were made.
    fn join(&mut self, other: &Self);

    /// Shows all dots that it tells of.
    fn dots(&self, see: &mut dyn FnMut(Dot));
}

/// Values that were written and not replaced or removed by anyone who knew them, each under its dot.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Values<T>(
    /// Invariant: dots ascend.
    SmallVec<[(Dot, T); 1]>,
);

/// A change of [`Values`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ValuesPatch<T> {
    /// Invariant: dots ascend; this or `gone` is not empty.
    alive: SmallVec<[(Dot, T); 1]>,
    /// Invariant: dots ascend, and none is in `alive`.
    gone: SmallVec<[Dot; 1]>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<T> Values<T> {
    /// The values with their dots, dots ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Dot, &T)> {
        self.0.iter().map(|(dot, value)| (*dot, value))
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Element> Values<T> {
    /// The change that replaces all by one value.
    pub fn replace(&self, dot: Dot, value: T) -> ValuesPatch<T> {
        ValuesPatch {
            alive: SmallVec::from_buf([(dot, value)]),
            gone: self.0.iter().map(|(dot, _)| *dot).collect(),
        }
    }

    fn has(&self, dot: Dot) -> bool {
        self.0.binary_search_by_key(&dot, |(dot, _)| *dot).is_ok()
    }
}

fn read_values<T: Element>(reader: &mut Reader<'_>) -> Result<SmallVec<[(Dot, T); 1]>, DecodeError> {
    let mut values: SmallVec<[(Dot, T); 1]> = SmallVec::new();
    for _ in 0..reader.count(2)? {
        let dot = Dot::read(reader)?;
        if values.last().is_some_and(|(last, _)| *last >= dot) {
            return Err(reader.error(Flaw::NotCanonical("dots ascend")));
        }
        values.push((dot, T::read(reader)?));
    }
    Ok(values)
}

impl<T: Element> Canonical for Values<T> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.0.len() as u64);
        for (dot, value) in &self.0 {
            dot.write(out);
            value.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_values(reader).map(Self)
    }

    fn digest(&self) -> Digest {
        let each = self.0.iter().map(|(dot, value)| dot.digest().then(value.digest()));
        each.fold(Digest::default(), Digest::plus)
    }
}

impl<T: Element> Store for Values<T> {
    type Patch = ValuesPatch<T>;

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.0.iter().for_each(|(dot, _)| see(*dot));
    }

    fn join(&mut self, mine: &DotContext, other: &Self, theirs: &DotContext) {
        // Also of what both have, a part may have to go: each dot is judged by itself.
        self.0.retain(|(dot, _)| other.has(*dot) || !theirs.contains(*dot));
        for (dot, value) in other.0.iter().filter(|(dot, _)| !mine.contains(*dot)) {
            insert(&mut self.0, *dot, value);
        }
    }

    fn apply(&mut self, mine: &DotContext, patch: &ValuesPatch<T>) {
        if !patch.gone.is_empty() {
            self.0.retain(|(dot, _)| patch.gone.binary_search(dot).is_err());
        }
        for (dot, value) in patch.alive.iter().filter(|(dot, _)| !mine.contains(*dot)) {
            insert(&mut self.0, *dot, value);
        }
    }

    fn news(&self, mine: &DotContext, patch: &ValuesPatch<T>) -> Option<ValuesPatch<T>> {
        let alive: SmallVec<[_; 1]> =
            patch.alive.iter().filter(|(dot, _)| !mine.contains(*dot)).cloned().collect();
        let is_new = |dot: &&Dot| !mine.contains(**dot) || self.has(**dot);
        let gone: SmallVec<[_; 1]> = patch.gone.iter().filter(is_new).copied().collect();
        (!alive.is_empty() || !gone.is_empty()).then_some(ValuesPatch { alive, gone })
    }

    fn clear(&self) -> Option<ValuesPatch<T>> {
        let gone: SmallVec<[_; 1]> = self.0.iter().map(|(dot, _)| *dot).collect();
        (!gone.is_empty()).then_some(ValuesPatch { alive: SmallVec::new(), gone })
    }
}

fn insert<T: Clone>(values: &mut SmallVec<[(Dot, T); 1]>, dot: Dot, value: &T) {
    if let Err(index) = values.binary_search_by_key(&dot, |(dot, _)| *dot) {
        values.insert(index, (dot, value.clone()));
    }
}

impl<T> ValuesPatch<T> {
    fn is_gone(&self, dot: Dot) -> bool {
        self.gone.binary_search(&dot).is_ok()
    }
}

impl<T: Element> Patch for ValuesPatch<T> {
    fn join(&mut self, other: &Self) {
        self.alive.retain(|(dot, _)| !other.is_gone(*dot));
        for (dot, value) in other.alive.iter().filter(|(dot, _)| !self.gone.contains(dot)) {
            insert(&mut self.alive, *dot, value);
        }
        self.gone.extend_from_slice(&other.gone);
        self.gone.sort_unstable();
        self.gone.dedup();
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.alive.iter().for_each(|(dot, _)| see(*dot));
        self.gone.iter().for_each(|dot| see(*dot));
    }
}

/// The live values, then the dots that went.
impl<T: Element> Canonical for ValuesPatch<T> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.alive.len() as u64);
        for (dot, value) in &self.alive {
            dot.write(out);
            value.write(out);
        }
        put_number(out, self.gone.len() as u64);
        self.gone.iter().for_each(|dot| dot.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut patch = Self { alive: read_values(reader)?, gone: SmallVec::new() };
        for _ in 0..reader.count(2)? {
            let dot = Dot::read(reader)?;
            if patch.gone.last().is_some_and(|last| *last >= dot) {
                return Err(reader.error(Flaw::NotCanonical("dots ascend")));
            }
            if patch.alive.binary_search_by_key(&dot, |(dot, _)| *dot).is_ok() {
                return Err(reader.error(Flaw::NotCanonical("a dot came or went")));
            }
            patch.gone.push(dot);
        }
        if patch.alive.is_empty() && patch.gone.is_empty() {
            return Err(reader.error(Flaw::NotCanonical("a change changes something")));
        }
        Ok(patch)
    }
}

/// A map from keys to stores. A key is there as long as anything is alive under it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Keyed<K, S>(
    /// Invariant: no value is empty.
    Tree<K, S>,
);

/// A change of a [`Keyed`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyedPatch<K, P>(
    /// Invariant: not empty.
    BTreeMap<K, P>,
);

impl<K, S> Default for Keyed<K, S> {
    fn default() -> Self {
        Self(Tree::new())
    }
}

impl<K: Element, S: Store> Keyed<K, S> {
    /// The entries.
    pub const fn tree(&self) -> &Tree<K, S> {
        &self.0
    }

    /// The change that does `patch` at `key`.
    pub fn at(key: K, patch: S::Patch) -> KeyedPatch<K, S::Patch> {
        KeyedPatch(BTreeMap::from([(key, patch)]))
    }

    /// The change that does each of `patches` at its key; none if there are none.
    pub fn all(patches: impl IntoIterator<Item = (K, S::Patch)>) -> Option<KeyedPatch<K, S::Patch>> {
        let patches: BTreeMap<K, S::Patch> = patches.into_iter().collect();
        (!patches.is_empty()).then_some(KeyedPatch(patches))
    }
}

/// Two maps are merged key by key, where they differ.
struct Both<'c> {
    mine: &'c DotContext,
    theirs: &'c DotContext,
}

impl<K: Element, S: Store> Rule<K, S> for Both<'_> {
    const KEEPS_ALL: bool = false;

    fn mine(&mut self, key: &K, value: &S) -> Option<S> {
        self.both(key, value, &S::default())
    }

    fn theirs(&mut self, key: &K, value: &S) -> Option<S> {
        self.both(key, &S::default(), value)
    }

    fn both(&mut self, _: &K, mine: &S, theirs: &S) -> Option<S> {
        let mut joined = mine.clone();
        joined.join(self.mine, theirs, self.theirs);
        (!joined.is_empty()).then_some(joined)
    }
}

impl<K: Element, S: Store> Canonical for Keyed<K, S> {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tree: Tree<K, S> = Tree::read(reader)?;
        match tree.iter().any(|(_, value)| value.is_empty()) {
            true => Err(reader.error(Flaw::NotCanonical("something is alive under each key"))),
            false => Ok(Self(tree)),
        }
    }

    fn digest(&self) -> Digest {
        self.0.digest()
    }
}

impl<K: Element, S: Store> Store for Keyed<K, S> {
    type Patch = KeyedPatch<K, S::Patch>;

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.0.iter().for_each(|(_, value)| value.dots(see));
    }

    fn join(&mut self, mine: &DotContext, other: &Self, theirs: &DotContext) {
        self.0 = self.0.merge(&other.0, &mut Both { mine, theirs });
    }

    fn apply(&mut self, mine: &DotContext, patch: &Self::Patch) {
        for (key, patch) in &patch.0 {
            self.0.alter(key, |value| {
                let mut store = value.take().unwrap_or_default();
                store.apply(mine, patch);
                *value = Some(store).filter(|store| !store.is_empty());
            });
        }
    }

    fn news(&self, mine: &DotContext, patch: &Self::Patch) -> Option<Self::Patch> {
        let none = S::default();
        let news = |(key, patch): (&K, &S::Patch)| {
            Some((key.clone(), self.0.get(key).unwrap_or(&none).news(mine, patch)?))
        };
        Self::all(patch.0.iter().filter_map(news))
    }

    fn clear(&self) -> Option<Self::Patch> {
        Self::all(self.0.iter().filter_map(|(key, value)| Some((key.clone(), value.clear()?))))
    }
}

impl<K: Element, P: Patch> Patch for KeyedPatch<K, P> {
    fn join(&mut self, other: &Self) {
        for (key, patch) in &other.0 {
            match self.0.get_mut(key) {
                Some(mine) => mine.join(patch),
                None => {
                    self.0.insert(key.clone(), patch.clone());
                }
            }
        }
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.0.values().for_each(|patch| patch.dots(see));
    }
}

impl<K: Element, P: Patch> Canonical for KeyedPatch<K, P> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.0.len() as u64);
        let mut previous = None;
        for (key, patch) in &self.0 {
            key.write_after(previous, out);
            patch.write(out);
            previous = Some(key);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut patches: BTreeMap<K, P> = BTreeMap::new();
        for _ in 0..reader.count(1)? {
            let previous = patches.last_key_value().map(|(key, _)| key);
            let key = K::read_after(previous, reader)?;
            if previous.is_some_and(|previous| *previous >= key) {
                return Err(reader.error(Flaw::NotCanonical("keys ascend")));
            }
            patches.insert(key, P::read(reader)?);
        }
        match patches.is_empty() {
            true => Err(reader.error(Flaw::NotCanonical("a change changes something"))),
            false => Ok(Self(patches)),
        }
    }
}

/// Two stores under one context.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pair<A, B>(
    /// One of them.
    pub A,
    /// The other.
    pub B,
);

/// A change of a [`Pair`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PairPatch<P, Q>(
    /// Of one of them.
    Option<P>,
    /// Of the other. Invariant: not both are none.
    Option<Q>,
);

impl<P, Q> PairPatch<P, Q> {
    /// The change that does one, the other or both; none if there is neither.
    pub fn of(one: Option<P>, other: Option<Q>) -> Option<Self> {
        (one.is_some() || other.is_some()).then_some(Self(one, other))
    }
}

impl<A: Store, B: Store> Canonical for Pair<A, B> {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(A::read(reader)?, B::read(reader)?))
    }

    fn digest(&self) -> Digest {
        self.0.digest().then(self.1.digest())
    }
}

impl<A: Store, B: Store> Store for Pair<A, B> {
    type Patch = PairPatch<A::Patch, B::Patch>;

    fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.0.dots(see);
        self.1.dots(see);
    }

    fn join(&mut self, mine: &DotContext, other: &Self, theirs: &DotContext) {
        self.0.join(mine, &other.0, theirs);
        self.1.join(mine, &other.1, theirs);
    }

    fn apply(&mut self, mine: &DotContext, patch: &Self::Patch) {
        patch.0.iter().for_each(|patch| self.0.apply(mine, patch));
        patch.1.iter().for_each(|patch| self.1.apply(mine, patch));
    }

    fn news(&self, mine: &DotContext, patch: &Self::Patch) -> Option<Self::Patch> {
        let one = patch.0.as_ref().and_then(|patch| self.0.news(mine, patch));
        let other = patch.1.as_ref().and_then(|patch| self.1.news(mine, patch));
        PairPatch::of(one, other)
    }

    fn clear(&self) -> Option<Self::Patch> {
        PairPatch::of(self.0.clear(), self.1.clear())
    }
}

impl<P: Patch, Q: Patch> Patch for PairPatch<P, Q> {
    fn join(&mut self, other: &Self) {
        join_option(&mut self.0, &other.0);
        join_option(&mut self.1, &other.1);
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.0.iter().for_each(|patch| patch.dots(see));
        self.1.iter().for_each(|patch| patch.dots(see));
    }
}

fn join_option<P: Patch>(mine: &mut Option<P>, other: &Option<P>) {
    match (mine.as_mut(), other) {
        (Some(mine), Some(other)) => mine.join(other),
        (None, Some(_)) => mine.clone_from(other),
        (_, None) => {}
    }
}

impl<P: Patch, Q: Patch> Canonical for PairPatch<P, Q> {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (one, other) = (Option::read(reader)?, Option::read(reader)?);
        Self::of(one, other).ok_or_else(|| reader.error(Flaw::NotCanonical("a change changes something")))
    }
}
