//! Entries of Jepsen histories: maps with the keys `:process :type :f :value :key :time`, in any order, others left out.

use std::sync::Arc;

use crate::{Actor, Event, Kind, Value};

use super::edn::Edn;
use super::error::{ReadError, excerpt};
use super::json::whole;
use super::names::Names;

pub(crate) const KINDS: &str = "it is invoke, ok, fail or info";

/// What a type is called.
pub(crate) fn kind(name: &[u8]) -> Option<Kind> {
    match name {
        b"invoke" => Some(Kind::Invoke),
        b"ok" => Some(Kind::Ok),
        b"fail" => Some(Kind::Fail),
        b"info" => Some(Kind::Info),
        _ => None,
    }
}

/// Who a value of `:process` names.
pub(crate) fn actor(process: Option<Value>) -> Option<Actor> {
    match process {
        None | Some(Value::Nil) => Some(Actor::Unnamed),
        Some(Value::Int(process)) => u64::try_from(process).ok().map(Actor::Client),
        Some(Value::Text(name) | Value::Keyword(name)) => Some(Actor::Nemesis(name)),
        Some(Value::Bool(_) | Value::Other(_) | Value::List(_) | Value::Set(_) | Value::Map(_)) => None,
    }
}

/// The entry that `text`, which begins in `line`, is; `None` if it is a discarded form.
pub(crate) fn entry(text: &[u8], line: u64, names: &mut Names) -> Result<Option<Event>, ReadError> {
    let mut edn = Edn::new(text, line, names);
    let mut tagged = false;
    while edn.peek(0)? == Some(b'#') {
        if tagged {
            return Err(edn.wrong("two tags before an entry", "an entry is a map, {..}"));
        }
        tagged = true;
        edn.tag()?;
    }
    match edn.peek(0)? {
        None if !tagged => return Ok(None),
        Some(b'{') => {}
        _ => {
            let what = format!("'{}' where a map should be", excerpt(text));
            return Err(edn.wrong(what, "an entry is a map, {..}"));
        }
    }
    edn.take(b'{', 0)?;
    let mut fields = Fields::default();
    while !edn.take(b'}', 0)? {
        fields.read(&mut edn)?;
    }
    fields.event(line, edn.names()).map(Some)
}

/// What was found so far.
#[derive(Default)]
struct Fields {
    kind: Option<Kind>,
    function: Option<Arc<str>>,
    process: Option<Value>,
    key: Option<Value>,
    value: Option<Value>,
    time: Option<u64>,
    uncertainty: Option<u64>,
}

impl Fields {
    /// Reads a key and its value.
    fn read(&mut self, edn: &mut Edn<'_>) -> Result<(), ReadError> {
        let Some(name) = edn.keyword(0)? else {
            edn.skip(1)?;
            return edn.skip(1);
        };
        match name {
            b"type" => {
                let Some(kind) = edn.keyword(1)?.and_then(kind) else {
                    return Err(edn.wrong("a :type that is none", "it is :invoke, :ok, :fail or :info"));
                };
                self.kind = Some(kind);
            }
            b"f" => {
                let function = edn.value(1)?;
                let none = (function == Value::Nil).then_some("");
                let Some(name) = function.name().or(none) else {
                    let what = format!("'{}' for :f", excerpt(function.to_string().as_bytes()));
                    return Err(edn.wrong(what, "it is the name of a function, as in :f :read"));
                };
                self.function = Some(edn.names().get(name));
            }
            b"process" => self.process = Some(edn.value(1)?),
            b"key" => self.key = Some(edn.value(1)?),
            b"value" => self.value = Some(edn.value(1)?),
            b"time" => self.time = whole(&edn.value(1)?),
            b"uncertainty" => self.uncertainty = whole(&edn.value(1)?),
            _ => edn.skip(1)?,
        }
        Ok(())
    }

    fn event(self, line: u64, names: &mut Names) -> Result<Event, ReadError> {
        let Some(kind) = self.kind else {
            return Err(ReadError::wrong(
                line,
                "an entry without :type",
                "it is :invoke, :ok, :fail or :info",
            ));
        };
        let Some(actor) = actor(self.process) else {
            return Err(ReadError::wrong(
                line,
                "a :process that is none",
                "it is a whole number from 0 on, or the name of a nemesis",
            ));
        };
        Ok(Event {
            time: self.time,
            uncertainty: self.uncertainty.unwrap_or(0),
            actor,
            kind,
            key: self.key.filter(|key| *key != Value::Nil),
            value: self.value.unwrap_or(Value::Nil),
            ..Event::blank(line, self.function.unwrap_or_else(|| names.get("")))
        })
    }
}

/// The entry of a log of Jepsen: `... jepsen.util - PROCESS :TYPE :FUNCTION VALUE`, blanks between. `None` for a line of
/// another logger.
pub(crate) fn log_entry(text: &[u8], line: u64, names: &mut Names) -> Result<Option<Event>, ReadError> {
    const LOGGER: &[u8] = b"jepsen.util";
    let Some(at) = text.windows(LOGGER.len()).position(|window| window == LOGGER) else { return Ok(None) };
    let rest = text[at + LOGGER.len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let mut edn = Edn::new(rest, line, names);
    let malformed = |edn: &Edn<'_>| {
        let what = format!("'{}' after the logger's name", excerpt(rest));
        edn.wrong(what, "it is PROCESS :TYPE :FUNCTION VALUE, as in 3 :invoke :read nil")
    };
    if edn.peek(0)?.is_none() {
        return Err(malformed(&edn));
    }
    let process = edn.value(1)?;
    let actor = actor(Some(process)).ok_or_else(|| malformed(&edn))?;
    let Some(kind) = edn.keyword(1)?.and_then(kind) else { return Err(malformed(&edn)) };
    let Some(function) = edn.keyword(1)? else { return Err(malformed(&edn)) };
    let function = edn.names().get(&String::from_utf8_lossy(function));
    let mut value = if edn.peek(0)?.is_some() { edn.value(1)? } else { Value::Nil };
    // What follows a failure is its reason, unless it is the value that was asked.
    if matches!(kind, Kind::Fail | Kind::Info)
        && matches!(value, Value::Keyword(_))
        && matches!(actor, Actor::Client(_))
    {
        value = Value::Nil;
    }
    Ok(Some(Event { actor, kind, value, ..Event::blank(line, function) }))
}
