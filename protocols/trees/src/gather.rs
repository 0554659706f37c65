//! What a convergecast brings to the root: any commutative monoid.

use std::fmt::Debug;
use std::hash::Hash;

use isles_kernel::{Data, ProcessId};
use serde::{Deserialize, Serialize};

/// What each process contributes, and how two contributions become one.
///
/// `combine` must be associative and commutative: a tree adds up in the order in which its branches happen to finish. Then
/// the root's value is that of all processes, each counted once. It lives in the configuration, which all processes
/// share; a process reads its own contribution only.
///
/// ```
/// use isles_kernel::ProcessId;
/// use isles_trees::gather::{Gather, Sum};
///
/// let readings = Sum(vec![20, 22, 19]);
/// assert_eq!(readings.combine(readings.input(ProcessId(0), 0), readings.input(ProcessId(2), 1)), 39);
/// ```
pub trait Gather: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// An element of the monoid.
    type Value: Data;
    /// What the process `me`, which is so many hops below the root, contributes.
    fn input(&self, me: ProcessId, depth: u32) -> Self::Value;
    /// Two contributions as one.
    fn combine(&self, a: Self::Value, b: Self::Value) -> Self::Value;
}

/// Nothing is gathered; the root learns that all is done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Nothing;

impl Gather for Nothing {
    type Value = ();
    fn input(&self, _: ProcessId, _: u32) {}
    fn combine(&self, (): (), (): ()) {}
}

/// The sum of a number from each process, which wraps around; a process that is not in the list has 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sum(
    /// By process.
    pub Vec<u64>,
);

impl Gather for Sum {
    type Value = u64;
    fn input(&self, me: ProcessId, _: u32) -> u64 {
        self.0.get(me.index()).copied().unwrap_or(0)
    }
    fn combine(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
}

/// The processes themselves, ascending; one that is counted twice is there twice.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Members;

impl Gather for Members {
    type Value = Vec<ProcessId>;
    fn input(&self, me: ProcessId, _: u32) -> Vec<ProcessId> {
        vec![me]
    }
    fn combine(&self, mut a: Vec<ProcessId>, b: Vec<ProcessId>) -> Vec<ProcessId> {
        a.extend(b);
        a.sort_unstable();
        a
    }
}

/// How many processes there are, the greatest UID among them, and how deep the tree is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Census {
    /// The UIDs by process; one that is not in the list has its number.
    pub uids: Vec<u64>,
}

impl Census {
    /// The UID of `me`.
    pub fn uid(&self, me: ProcessId) -> u64 {
        self.uids.get(me.index()).copied().unwrap_or(u64::from(me.0))
    }
}

/// What a [`Census`] finds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Found {
    /// How many processes were counted.
    pub count: u32,
    /// The greatest UID.
    pub uid_max: u64,
    /// The greatest depth: the root's eccentricity, if the tree is breadth-first.
    pub depth_max: u32,
}

impl Gather for Census {
    type Value = Found;
    fn input(&self, me: ProcessId, depth: u32) -> Found {
        Found { count: 1, uid_max: self.uid(me), depth_max: depth }
    }
    fn combine(&self, a: Found, b: Found) -> Found {
        Found {
            count: a.count.saturating_add(b.count),
            uid_max: a.uid_max.max(b.uid_max),
            depth_max: a.depth_max.max(b.depth_max),
        }
    }
}

/// Two things at once.
impl<A: Gather, B: Gather> Gather for (A, B) {
    type Value = (A::Value, B::Value);
    fn input(&self, me: ProcessId, depth: u32) -> Self::Value {
        (self.0.input(me, depth), self.1.input(me, depth))
    }
    fn combine(&self, a: Self::Value, b: Self::Value) -> Self::Value {
        (self.0.combine(a.0, b.0), self.1.combine(a.1, b.1))
    }
}
