//! Causal types: a store of what is alive, and a context of all that is known.

use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Deref;

use isles_causality::dot::COUNTER_MAX;
use isles_causality::wire::{DecodeError, Flaw, Reader};
use isles_causality::{Actor, Dot, DotContext, Order};

use crate::canonical::{Canonical, Digest};
use crate::replicated::Replicated;
use crate::store::{Patch, Store};

/// What a causal type is: how it is stored, and what its operations change.
///
/// A type is defined by this alone; joining, deltas, encodings and nesting in a [`Map`](crate::Map) follow from its store.
pub trait Definition: Clone + Eq + Hash + Debug + Default + Send + Sync + 'static {
    /// How it is stored.
    type Store: Store;
    /// What a user asks.
    type Op;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// The store, to be changed.
    fn store_mut(&mut self) -> &mut Self::Store;

    /// The change that `op` makes; none if it makes none or is refused.
    fn prepare(&self, site: &mut Site<'_>, op: Self::Op) -> Option<<Self::Store as Store>::Patch>;
}

/// Writes the part of a [`Definition`] that says how a tuple struct is stored.
macro_rules! stored_as {
    ($store:ty) => {
        type Store = $store;

        fn store(&self) -> &Self::Store {
            &self.0
        }

        fn store_mut(&mut self) -> &mut Self::Store {
            &mut self.0
        }
    };
}
pub(crate) use stored_as;

/// Where an operation is prepared: gives its dots.
#[derive(Debug)]
pub struct Site<'c> {
    by: Actor,
    context: &'c DotContext,
    taken: u64,
}

impl<'c> Site<'c> {
    /// At the replica `by`, which knows `context`.
    pub const fn new(by: Actor, context: &'c DotContext) -> Self {
        Self { by, context, taken: 0 }
    }

    /// Who acts.
    pub const fn by(&self) -> Actor {
        self.by
    }

    /// The next dot; none when the actor has counted as far as counters go.
    pub fn dot(&mut self) -> Option<Dot> {
        self.taken += 1;
        let counter = self.context.newest(self.by) + self.taken;
        (counter <= COUNTER_MAX).then_some(Dot::new(self.by, counter))
    }
}

impl<T: Definition> Canonical for T {
    fn write(&self, out: &mut Vec<u8>) {
        self.store().write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        *value.store_mut() = T::Store::read(reader)?;
        Ok(value)
    }

    fn digest(&self) -> Digest {
        self.store().digest()
    }
}

impl<T: Definition> Store for T {
    type Patch = <T::Store as Store>::Patch;

    fn is_empty(&self) -> bool {
        self.store().is_empty()
    }

    fn dots(&self, see: &mut dyn FnMut(Dot)) {
        self.store().dots(see);
    }

    fn join(&mut self, mine: &DotContext, other: &Self, theirs: &DotContext) {
        self.store_mut().join(mine, other.store(), theirs);
    }

    fn apply(&mut self, mine: &DotContext, patch: &Self::Patch) {
        self.store_mut().apply(mine, patch);
    }

    fn news(&self, mine: &DotContext, patch: &Self::Patch) -> Option<Self::Patch> {
        self.store().news(mine, patch)
    }

    fn clear(&self) -> Option<Self::Patch> {
        self.store().clear()
    }
}

/// The state of one replica of a causal type. It reads as the type itself; the type's operations are its methods, and return deltas.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{AddWinsSet, Causal};
/// let (phone, laptop) = (Actor(1), Actor(2));
/// let mut cart: Causal<AddWinsSet<String>> = Causal::default();
/// cart.insert(phone, "milk".into());
/// let mut copy = cart.clone();
/// copy.remove(laptop, &"milk".into());
/// cart.insert(phone, "milk".into());
/// cart.join(&copy);
/// assert!(cart.contains(&"milk".into())); // it was added again by one who did not know that it was removed
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Causal<T> {
    value: T,
    /// All dots that are known. Invariant: those in `value` are among them.
    context: DotContext,
}

/// Mistakes of systems of the field, kept as switches so that tests can show that they would find them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// MUS-07 (riak_dt 78): if one side's context includes the other's, that side is taken as it is. A removal is no event, so that
    /// the side which knows all that the other knows may still hold what the other has removed.
    TakesIncluding,
    /// The same, with the comparison that its author had in mind: only if it includes it and more. It is wrong all the same.
    TakesStrictlyIncluding,
}

impl<T> Deref for Causal<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Definition> Causal<T> {
    /// A replica that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// All dots that are known.
    pub const fn context(&self) -> &DotContext {
        &self.context
    }

    /// Does `op` as `by`: the delta; none if nothing is done.
    pub fn act(&mut self, by: Actor, op: T::Op) -> Option<<T::Store as Store>::Patch> {
        let delta = Definition::prepare(&self.value, &mut Site::new(by, &self.context), op)?;
        self.apply(&delta);
        Some(delta)
    }

    /// Joins a delta.
    ///
    /// # Complexity
    /// Proportional to the delta, times the logarithm of the state.
    pub fn apply(&mut self, delta: &<T::Store as Store>::Patch) {
        self.value.store_mut().apply(&self.context, delta);
        delta.dots(&mut |dot| {
            self.context.insert(dot);
        });
    }

    /// Joins another replica's state.
    ///
    /// # Complexity
    /// Constant if the stores are equal, but for the contexts; otherwise proportional to the keys in which they differ, times the
    /// logarithm of the state.
    pub fn join(&mut self, other: &Self) {
        self.value.store_mut().join(&self.context, other.value.store(), &other.context);
        self.context.join(&other.context);
    }

    /// Joins another replica's state as it was once joined by mistake.
    pub fn join_mistaken(&mut self, other: &Self, mistake: Mistake) {
        let order = self.context.compare(&other.context);
        match (order, mistake) {
            (Order::After, _) | (Order::Equal, Mistake::TakesIncluding) => {}
            (Order::Before, _) => self.clone_from(other),
            (Order::Equal, Mistake::TakesStrictlyIncluding) | (Order::Concurrent, _) => self.join(other),
        }
    }
}

/// The store, then the context.
impl<T: Definition> Canonical for Causal<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.value.write(out);
        self.context.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = T::read(reader)?;
        let context = DotContext::read(reader)?;
        let mut all_known = true;
        value.dots(&mut |dot| all_known &= context.contains(dot));
        if !all_known {
            return Err(reader.error(Flaw::NotCanonical("what is alive is known")));
        }
        Ok(Self { value, context })
    }

    fn digest(&self) -> Digest {
        self.value.digest().then(self.context.digest())
    }
}

impl<T: Definition> Replicated for Causal<T> {
    type Op = T::Op;
    type Effect = <T::Store as Store>::Patch;
    type Delta = <T::Store as Store>::Patch;

    fn prepare(&self, by: Actor, op: T::Op) -> Option<Self::Effect> {
        Definition::prepare(&self.value, &mut Site::new(by, &self.context), op)
    }

    fn delta(&self, _: Actor, effect: &Self::Effect) -> Self::Delta {
        effect.clone()
    }

    fn apply(&mut self, delta: &Self::Delta) {
        Self::apply(self, delta);
    }

    fn join(&mut self, other: &Self) {
        Self::join(self, other);
    }

    fn join_deltas(delta: &mut Self::Delta, other: &Self::Delta) {
        delta.join(other);
    }

    fn news(&self, delta: &Self::Delta) -> Option<Self::Delta> {
        self.value.news(&self.context, delta)
    }
}
