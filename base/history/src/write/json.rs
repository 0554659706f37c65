//! Our JSON lines.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::{Actor, Event, Kind, Value};

use super::{Unnamed, take_unnamed};

/// Writes entries as our JSON lines; see the README of this crate.
///
/// Operations without an id get one, in the order of their invocations: let either all of them have one, or none.
#[derive(Debug, Default)]
pub struct LinesWriter {
    /// The operation of each client, where the history has no ids.
    open: BTreeMap<u64, u64>,
    unnamed: Vec<Unnamed>,
    next: u64,
}

impl LinesWriter {
    /// Writes an entry and a line end.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&mut self, event: &Event, out: &mut impl Write) -> Result<()> {
        let id = self.id(event);
        serde_json::to_writer(&mut *out, &Line { event, id })?;
        out.write_all(b"\n")
    }

    fn id(&mut self, event: &Event) -> Option<u64> {
        let invoke = event.kind == Kind::Invoke;
        let id = match (&event.actor, event.id) {
            (Actor::Nemesis(_), _) => None,
            (_, Some(id)) => Some(id),
            (Actor::Client(client), None) if invoke => {
                self.open.insert(*client, self.next);
                Some(self.next)
            }
            (Actor::Client(client), None) => self.open.remove(client),
            (Actor::Unnamed, None) if invoke => {
                self.unnamed.push(Unnamed {
                    id: self.next,
                    function: event.function.clone(),
                    key: event.key.clone(),
                    asked: event.value.clone(),
                });
                Some(self.next)
            }
            (Actor::Unnamed, None) => take_unnamed(&mut self.unnamed, event),
        };
        self.next += u64::from(invoke);
        id
    }
}

/// An entry with the name of its operation.
struct Line<'a> {
    event: &'a Event,
    id: Option<u64>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let event = self.event;
        let mut map = serializer.serialize_map(None)?;
        let crash = match (&event.actor, &event.value) {
            (Actor::Nemesis(name), Value::Int(process))
                if **name == *"crash" && *event.function == *"crash" =>
            {
                u64::try_from(*process).ok()
            }
            _ => None,
        };
        let fault = matches!(event.actor, Actor::Nemesis(_));
        let word = match event.kind {
            _ if crash.is_some() => "crash",
            _ if fault => "fault",
            Kind::Invoke => "invoke",
            Kind::Ok => "return",
            Kind::Fail => "fail",
            Kind::Info => "unknown",
        };
        map.serialize_entry("type", word)?;
        if let Some(time) = event.time {
            map.serialize_entry("time", &time)?;
        }
        if event.uncertainty > 0 {
            map.serialize_entry("uncertainty", &event.uncertainty)?;
        }
        match (&event.actor, crash) {
            (_, Some(process)) => {
                map.serialize_entry("process", &process)?;
                return map.end();
            }
            (Actor::Nemesis(name), None) => {
                map.serialize_entry("by", &**name)?;
                map.serialize_entry("f", &*event.function)?;
            }
            (Actor::Client(process), None) => map.serialize_entry("process", process)?,
            (Actor::Unnamed, None) => {}
        }
        if let Some(id) = self.id {
            map.serialize_entry("id", &id)?;
        }
        if event.kind == Kind::Invoke && !fault {
            map.serialize_entry("op", &Op(event))?;
        } else if event.value != Value::Nil || event.kind == Kind::Ok {
            map.serialize_entry(if fault { "value" } else { "reply" }, &Json(&event.value))?;
        }
        map.end()
    }
}

struct Op<'a>(&'a Event);

impl Serialize for Op<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("f", &*self.0.function)?;
        if let Some(key) = &self.0.key {
            map.serialize_entry("key", &Json(key))?;
        }
        if self.0.value != Value::Nil {
            map.serialize_entry("value", &Json(&self.0.value))?;
        }
        map.end()
    }
}

/// A value as JSON has it; see [`crate::read`] for what JSON does not have.
struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let one = |serializer: S, name: &str, text: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(name, text)?;
            map.end()
        };
        match self.0 {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Keyword(name) => one(serializer, "$name", name),
            Value::Other(text) => one(serializer, "$other", text),
            Value::List(values) => serializer.collect_seq(values.iter().map(Json)),
            Value::Set(values) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$set", &Values(values))?;
                map.end()
            }
            Value::Map(pairs) => {
                let plain =
                    pairs.iter().all(|(key, _)| matches!(key, Value::Text(text) if !text.starts_with('$')));
                if plain {
                    let texts =
                        pairs.iter().map(|(key, value)| (key.name().unwrap_or_default(), Json(value)));
                    return serializer.collect_map(texts);
                }
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$map", &Pairs(pairs))?;
                map.end()
            }
        }
    }
}

struct Values<'a>(&'a [Value]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Json))
    }
}

struct Pairs<'a>(&'a [(Value, Value)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (key, value) in self.0 {
            list.serialize_element(&[Json(key), Json(value)])?;
        }
        list.end()
    }
}
