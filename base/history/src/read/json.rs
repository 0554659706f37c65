//! Values of JSON, and entries of Jepsen histories as JSON: the map of [`super::jepsen`] with texts for names.
//!
//! What JSON does not have is written as a map of one key: `{"$name":"x"}`, `{"$set":[..]}`, `{"$other":"1/2"}`,
//! `{"$map":[[key,value],..]}`.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{Event, Value};

use super::error::{ReadError, VALUES_MAX};
use super::jepsen::{KINDS, actor, kind};
use super::names::Names;

/// What the values of an entry share: the names met so far, and how many more values it may have.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    pub(crate) names: &'a mut Names,
    left: u32,
}

impl<'a> Room<'a> {
    pub(crate) const fn new(names: &'a mut Names) -> Self {
        Self { names, left: VALUES_MAX }
    }

    fn take<E: Error>(&mut self) -> Result<(), E> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("an entry of more than {VALUES_MAX} values")))?;
        Ok(())
    }
}

/// Reads any value.
#[derive(Debug)]
pub(crate) struct ValueSeed<'r, 'a>(pub(crate) &'r mut Room<'a>);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.take()?;
        deserializer.deserialize_any(self)
    }
}

/// Whole numbers up to this size are exact as floating numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::Other(Arc::from(value.to_string())), Value::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() >= EXACT {
            return Err(E::custom("a number that is not exact in 64 bits; write it as a text"));
        }
        Ok(Value::Other(Arc::from(format!("{value:?}"))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(Arc::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(ValueSeed(self.0))? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(NameSeed(self.0))? {
            self.0.take()?;
            let value = map.next_value_seed(ValueSeed(self.0))?;
            if let Some(kind) = key.strip_prefix('$')
                && pairs.is_empty()
            {
                let value = special(kind, value).ok_or_else(|| {
                    A::Error::custom(format_args!("'${kind}' that is none of $name, $set, $other, $map"))
                })?;
                return match map.next_key_seed(NameSeed(self.0))? {
                    None => Ok(value),
                    Some(key) => Err(A::Error::custom(format_args!("'{key}' beside '${kind}'"))),
                };
            }
            pairs.push((Value::Text(key), value));
        }
        Ok(Value::Map(pairs))
    }
}

/// What `{"$kind":value}` means.
fn special(kind: &str, value: Value) -> Option<Value> {
    match (kind, value) {
        ("name", Value::Text(name)) => Some(Value::Keyword(name)),
        ("other", Value::Text(text)) => Some(Value::Other(text)),
        ("set", Value::List(values)) => Some(Value::Set(values)),
        ("map", Value::List(pairs)) => pairs
            .into_iter()
            .map(|pair| match pair {
                Value::List(pair) => <[Value; 2]>::try_from(pair).ok().map(|[key, value]| (key, value)),
                Value::Nil
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Text(_)
                | Value::Keyword(_)
                | Value::Other(_)
                | Value::Set(_)
                | Value::Map(_) => None,
            })
            .collect::<Option<_>>()
            .map(Value::Map),
        _ => None,
    }
}

/// Reads a name, kept once.
#[derive(Debug)]
pub(crate) struct NameSeed<'r, 'a>(pub(crate) &'r mut Room<'a>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_, '_> {
    type Value = Arc<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_, '_> {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Arc<str>, E> {
        Ok(self.0.names.get(name))
    }
}

/// A number from 0 on, and `None` for whatever else is there.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    u64::try_from(value.int()?).ok()
}

/// The entry that `text`, which begins in `line`, is.
pub(crate) fn entry(text: &[u8], line: u64, names: &mut Names) -> Result<Event, ReadError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = EntrySeed { room: Room::new(names), line };
    seed.deserialize(&mut deserializer).and_then(|event| deserializer.end().map(|()| event)).map_err(
        |error| {
            let within = (error.line() as u64).saturating_sub(1);
            ReadError::Malformed { line: line + within, error }
        },
    )
}

struct EntrySeed<'a> {
    room: Room<'a>,
    line: u64,
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with type, f, process and value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Event, A::Error> {
        let mut event = Event::blank(self.line, self.room.names.get(""));
        let mut typed = false;
        while let Some(field) = map.next_key::<Field>()? {
            let room = &mut self.room;
            match field {
                Field::Type => {
                    let name = map.next_value_seed(NameSeed(room))?;
                    event.kind = kind(name.as_bytes())
                        .ok_or_else(|| A::Error::custom(format_args!("type '{name}': {KINDS}")))?;
                    typed = true;
                }
                Field::F => event.function = map.next_value_seed(NameSeed(room))?,
                Field::Process => {
                    event.actor = actor(Some(map.next_value_seed(ValueSeed(room))?)).ok_or_else(|| {
                        A::Error::custom("a process that is neither a whole number from 0 on nor a name")
                    })?;
                }
                Field::Key => event.key = some(map.next_value_seed(ValueSeed(room))?),
                Field::Value => event.value = map.next_value_seed(ValueSeed(room))?,
                Field::Time => event.time = whole(&map.next_value_seed(ValueSeed(room))?),
                Field::Uncertainty => {
                    event.uncertainty = whole(&map.next_value_seed(ValueSeed(room))?).unwrap_or(0);
                }
                Field::Session | Field::Id | Field::Op | Field::Reply | Field::By | Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if typed { Ok(event) } else { Err(A::Error::missing_field("type")) }
    }
}

/// A key, unless it is nothing.
pub(crate) fn some(key: Value) -> Option<Value> {
    (key != Value::Nil).then_some(key)
}

/// The keys of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    Type,
    F,
    Process,
    Key,
    Value,
    Time,
    Uncertainty,
    Session,
    Id,
    Op,
    Reply,
    By,
    Other,
}

impl<'de> serde::Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "type" => Field::Type,
            "f" => Field::F,
            "process" => Field::Process,
            "key" => Field::Key,
            "value" => Field::Value,
            "time" => Field::Time,
            "uncertainty" => Field::Uncertainty,
            "session" => Field::Session,
            "id" => Field::Id,
            "op" => Field::Op,
            "reply" => Field::Reply,
            "by" => Field::By,
            _ => Field::Other,
        })
    }
}
