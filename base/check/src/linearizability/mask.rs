//! Sets of slots: of the operations that are open at one place of a history.

use std::hash::Hash;

use smallvec::{SmallVec, smallvec};

/// A set of slots below a number that is fixed when it is made.
pub(super) trait Mask: Clone + Eq + Hash {
    /// Without any of `slots` slots.
    fn empty(slots: usize) -> Self;
    fn has(&self, slot: u32) -> bool;
    fn insert(&mut self, slot: u32);
    fn remove(&mut self, slot: u32);
    /// What is in this one and not in the other.
    fn without(&self, other: &Self) -> Self;
    /// What is in both.
    fn and(&self, other: &Self) -> Self;
    /// The least.
    fn first(&self) -> Option<u32>;

    fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }
}

impl Mask for u64 {
    fn empty(_: usize) -> Self {
        0
    }

    fn has(&self, slot: u32) -> bool {
        self >> slot & 1 == 1
    }

    fn insert(&mut self, slot: u32) {
        *self |= 1 << slot;
    }

    fn remove(&mut self, slot: u32) {
        *self &= !(1 << slot);
    }

    fn without(&self, other: &Self) -> Self {
        self & !other
    }

    fn and(&self, other: &Self) -> Self {
        self & other
    }

    fn first(&self) -> Option<u32> {
        (*self != 0).then(|| self.trailing_zeros())
    }
}

/// For more than 64 slots.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Wide(SmallVec<[u64; 4]>);

impl Mask for Wide {
    fn empty(slots: usize) -> Self {
        Self(smallvec![0; slots.div_ceil(64)])
    }

    fn has(&self, slot: u32) -> bool {
        self.0[slot as usize / 64].has(slot % 64)
    }

    fn insert(&mut self, slot: u32) {
        self.0[slot as usize / 64].insert(slot % 64);
    }

    fn remove(&mut self, slot: u32) {
        self.0[slot as usize / 64].remove(slot % 64);
    }

    fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(word, other)| word & !other).collect())
    }

    fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(word, other)| word & other).collect())
    }

    fn first(&self) -> Option<u32> {
        let place = self.0.iter().position(|word| *word != 0)?;
        Some(place as u32 * 64 + self.0[place].trailing_zeros())
    }
}
