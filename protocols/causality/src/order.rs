//! How two things in a partial order lie to each other: the one answer of every `compare` here.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// What `a.compare(&b)` says of `a`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Order {
    /// `a` happened before `b`: all that `a` knows, `b` knows, and something more.
    Before,
    /// `a` happened after `b`.
    After,
    /// Both know the same.
    Equal,
    /// Each knows something that the other does not.
    Concurrent,
}

impl Order {
    /// From the two halves: is `a` included in `b`, and is `b` included in `a`?
    pub const fn from_inclusions(a_in_b: bool, b_in_a: bool) -> Self {
        match (a_in_b, b_in_a) {
            (true, true) => Self::Equal,
            (true, false) => Self::Before,
            (false, true) => Self::After,
            (false, false) => Self::Concurrent,
        }
    }

    /// What `b.compare(&a)` says when `a.compare(&b)` says this.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
            Self::Equal | Self::Concurrent => self,
        }
    }

    /// Whether `a` is included in `b`.
    pub const fn is_before_or_equal(self) -> bool {
        matches!(self, Self::Before | Self::Equal)
    }
}

impl From<Ordering> for Order {
    fn from(ordering: Ordering) -> Self {
        match ordering {
            Ordering::Less => Self::Before,
            Ordering::Equal => Self::Equal,
            Ordering::Greater => Self::After,
        }
    }
}
