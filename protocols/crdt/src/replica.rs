//! What clients ask of a replicated type that is kept by processes.

use isles_causality::Actor;
use isles_kernel::ProcessId;
use serde::{Deserialize, Serialize};

use crate::canonical::Wire;
use crate::replicated::Replicated;

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op<O> {
    /// Do something to the value.
    Do(O),
    /// Show the value.
    Read,
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Reply<R: Replicated> {
    /// It was done, here; false if it did nothing or was refused.
    Done(bool),
    /// The value, as it is here.
    Value(Wire<R>),
}

/// The name under which a process acts.
pub(crate) const fn actor(process: ProcessId) -> Actor {
    Actor(process.0 as u64 + 1)
}
