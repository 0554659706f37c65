//! What clients ask of a register of several copies, and what they are answered.

use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// What does the register hold? It holds 0 in the beginning.
    Read,
    /// Let it hold this.
    Write(i64),
}

/// What a client is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Op::Read`]: it held this.
    Value(i64),
    /// To [`Op::Write`]: written.
    Done,
    /// Nothing was done, and never will be: no quorum answered in time, or another write was under way.
    Refused,
    /// It is not known whether the write took effect or will: too few copies said in time that they have it.
    Unknown,
}
