//! What one line of a history file says, whatever the format.

use std::sync::Arc;

use crate::Moment;

/// A value as files have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// Nothing, or not known yet.
    Nil,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Arc<str>),
    /// A name of EDN: `:x` without its colon, or a symbol.
    Keyword(Arc<str>),
    /// Whatever else a file may hold (fractions, numbers beyond 64 bits, tagged objects), as it is written there.
    Other(Arc<str>),
    /// In order.
    List(Vec<Self>),
    /// Without an order; as in the file.
    Set(Vec<Self>),
    /// Pairs of key and value; as in the file.
    Map(Vec<(Self, Self)>),
}

/// What a line says of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// It was invoked.
    Invoke,
    /// It returned.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows whether it happened; its process does nothing more under this name.
    Info,
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Actor {
    /// A client.
    Client(u64),
    /// Whatever injects faults, by its name.
    Nemesis(Arc<str>),
}

/// One line of a history file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Where in the file, counted from 1.
    pub line: u64,
    /// When, in nanoseconds, where the file says so.
    pub time: Option<Moment>,
    /// Who.
    pub actor: Actor,
    /// What happened to the operation.
    pub kind: Kind,
    /// Which operation: `read`, `write`, `cas`, `enqueue`, `txn` ...
    pub function: Arc<str>,
    /// Of which object, where the format keeps it apart from the value.
    pub key: Option<Value>,
    /// What was asked, or answered.
    pub value: Value,
}
