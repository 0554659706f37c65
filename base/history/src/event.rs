//! What one line of a history file says, whatever the format.

use std::fmt;
use std::sync::Arc;

use crate::Moment;

/// A value as files have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

impl Value {
    /// The text of a text or of a name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Keyword(text) => Some(text),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Other(_)
            | Self::List(_)
            | Self::Set(_)
            | Self::Map(_) => None,
        }
    }

    /// A whole number.
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Nil
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::Other(_)
            | Self::List(_)
            | Self::Set(_)
            | Self::Map(_) => None,
        }
    }

    /// The elements of a list or a set.
    pub fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) | Self::Set(values) => Some(values),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::Other(_)
            | Self::Map(_) => None,
        }
    }
}

/// As EDN has it. Names and odd values that EDN cannot have, which may come from other formats, are shown as texts.
/// As the file has it: models describe operations so, and people read that.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, open: &str, values: &[Self], close: char| {
            f.write_str(open)?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    f.write_str(" ")?;
                }
                value.fmt(f)?;
            }
            write!(f, "{close}")
        };
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Text(text) => quoted(f, text),
            Self::Keyword(name) if crate::read::is_name(name) => write!(f, ":{name}"),
            Self::Other(text) if crate::read::is_other(text) => f.write_str(text),
            Self::Keyword(text) | Self::Other(text) => quoted(f, text),
            Self::List(values) => all(f, "[", values, ']'),
            Self::Set(values) => all(f, "#{", values, '}'),
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    f.write_str(if index > 0 { ", " } else { "" })?;
                    write!(f, "{key} {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A text between quotes, with the escapes that EDN and JSON share.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
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
    /// A client that the file does not name.
    Unnamed,
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
    /// By how many nanoseconds the clock that told [`Event::time`] may have been wrong, either way.
    pub uncertainty: u64,
    /// Who.
    pub actor: Actor,
    /// Names the operation from its invocation to its completion, where the format has such names. A client has one
    /// operation at a time otherwise.
    pub id: Option<u64>,
    /// What happened to the operation.
    pub kind: Kind,
    /// Which operation: `read`, `write`, `cas`, `enqueue`, `txn` ... Empty where the file does not say.
    pub function: Arc<str>,
    /// Of which object, where the format keeps it apart from the value.
    pub key: Option<Value>,
    /// What was asked, or answered.
    pub value: Value,
}

impl Event {
    /// An entry of which nothing but the line is known yet.
    pub(crate) const fn blank(line: u64, function: Arc<str>) -> Self {
        Self {
            line,
            time: None,
            uncertainty: 0,
            actor: Actor::Unnamed,
            id: None,
            kind: Kind::Info,
            function,
            key: None,
            value: Value::Nil,
        }
    }
}
