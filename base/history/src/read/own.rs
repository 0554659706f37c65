//! Entries of our own JSON lines, whatever the types of the operations were.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::{Actor, Event, Kind, Value};

use super::error::ReadError;
use super::json::{Field, NameSeed, Room, ValueSeed, some};
use super::names::Names;

/// What an open operation was: its return does not repeat it.
#[derive(Debug)]
struct Asked {
    actor: Actor,
    function: Arc<str>,
    key: Option<Value>,
}

/// Reads entries, and remembers the open operations.
#[derive(Debug, Default)]
pub(crate) struct Own {
    names: Names,
    open: HashMap<u64, Asked, FxBuildHasher>,
}

impl Own {
    /// The entry that `text`, which is `line`, is.
    pub(crate) fn entry(&mut self, text: &[u8], line: u64) -> Result<Event, ReadError> {
        let malformed = |error| ReadError::Malformed { line, error };
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let seed = LineSeed { room: Room::new(&mut self.names), line };
        let (word, mut event) = seed.deserialize(&mut deserializer).map_err(malformed)?;
        deserializer.end().map_err(malformed)?;
        match word {
            Word::Crash | Word::Fault => return Ok(event),
            Word::Invoke | Word::Return | Word::Fail | Word::Unknown => {}
        }
        let Some(id) = event.id else {
            return Err(ReadError::wrong(
                line,
                "an operation without id",
                "its invocation and its return have the same, a whole number",
            ));
        };
        if word == Word::Invoke {
            let asked = Asked {
                actor: event.actor.clone(),
                function: Arc::clone(&event.function),
                key: event.key.clone(),
            };
            if self.open.insert(id, asked).is_some() {
                let what = format!("operation {id} is invoked, and is open already");
                return Err(ReadError::wrong(line, what, "ids are used once"));
            }
            return Ok(event);
        }
        let Some(asked) = self.open.remove(&id) else {
            let what = format!("operation {id} returns, but it is not open");
            return Err(ReadError::wrong(line, what, "each return follows the invocation of the same id"));
        };
        event.actor = asked.actor;
        event.function = asked.function;
        event.key = asked.key;
        if let Value::Map(pairs) = &mut event.value
            && let [(Value::Text(name), value)] = &mut pairs[..]
            && matches!(&**name, "Ok" | "Err")
        {
            if &**name == "Err" {
                event.kind = Kind::Fail;
            }
            event.value = std::mem::replace(value, Value::Nil);
        }
        Ok(event)
    }
}

/// The types of our lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Invoke,
    Return,
    Fail,
    Unknown,
    Crash,
    Fault,
}

impl<'de> serde::Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordVisitor)
    }
}

struct WordVisitor;

impl Visitor<'_> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type: invoke, return, fail, unknown, crash or fault")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Word, E> {
        match name {
            "invoke" => Ok(Word::Invoke),
            "return" => Ok(Word::Return),
            "fail" => Ok(Word::Fail),
            "unknown" => Ok(Word::Unknown),
            "crash" => Ok(Word::Crash),
            "fault" => Ok(Word::Fault),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)),
        }
    }
}

struct LineSeed<'a> {
    room: Room<'a>,
    line: u64,
}

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = (Word, Event);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = (Word, Event);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with type, time, process and id")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut event = Event::blank(self.line, self.room.names.get(""));
        let (mut word, mut process, mut session, mut by) = (None, None, None, None);
        while let Some(field) = map.next_key::<Field>()? {
            let room = &mut self.room;
            match field {
                Field::Type => word = Some(map.next_value::<Word>()?),
                Field::Time => event.time = Some(map.next_value()?),
                Field::Uncertainty => event.uncertainty = map.next_value()?,
                Field::Process => process = Some(map.next_value()?),
                Field::Session => session = Some(map.next_value()?),
                Field::Id => event.id = Some(map.next_value()?),
                Field::Op => {
                    let op = map.next_value_seed(OpSeed(room))?;
                    (event.function, event.key, event.value) = (op.function, op.key, op.value);
                }
                Field::Reply | Field::Value => event.value = map.next_value_seed(ValueSeed(room))?,
                Field::F => event.function = map.next_value_seed(NameSeed(room))?,
                Field::By => by = Some(map.next_value_seed(NameSeed(room))?),
                Field::Key | Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let word = word.ok_or_else(|| A::Error::missing_field("type"))?;
        event.kind = match word {
            Word::Invoke => Kind::Invoke,
            Word::Return => Kind::Ok,
            Word::Fail => Kind::Fail,
            Word::Unknown | Word::Crash | Word::Fault => Kind::Info,
        };
        match word {
            Word::Crash => {
                let process: u64 = process.ok_or_else(|| A::Error::missing_field("process"))?;
                event.function = self.room.names.get("crash");
                event.actor = Actor::Nemesis(Arc::clone(&event.function));
                event.value = Value::Int(i64::try_from(process).unwrap_or(i64::MAX));
            }
            Word::Fault => {
                let by = by.ok_or_else(|| A::Error::missing_field("by"))?;
                event.actor = Actor::Nemesis(by);
            }
            Word::Invoke | Word::Return | Word::Fail | Word::Unknown => {
                event.actor = session.or(process).map_or(Actor::Unnamed, Actor::Client);
            }
        }
        Ok((word, event))
    }
}

/// What was asked.
struct Op {
    function: Arc<str>,
    key: Option<Value>,
    value: Value,
}

/// Reads an operation: `{"f":"write","key":"x","value":3}`, or an enum as serde writes it: `"Read"`, `{"Write":3}`,
/// `{"Write":{"key":"x","value":3}}`, `{"Cas":{"from":1,"to":2}}`.
struct OpSeed<'r, 'a>(&'r mut Room<'a>);

impl<'de> DeserializeSeed<'de> for OpSeed<'_, '_> {
    type Value = Op;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Op, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OpSeed<'_, '_> {
    type Value = Op;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operation: a name, or a map with f, key and value, or a map of one variant")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Op, E> {
        Ok(Op { function: snake(self.0.names, name), key: None, value: Value::Nil })
    }

    // Operations that are plain numbers, texts and so on are broadcasts of payloads: nothing that a model has.
    fn visit_u64<E: Error>(self, value: u64) -> Result<Op, E> {
        let value = ValueSeed(self.0).visit_u64(value)?;
        Ok(Op { function: self.0.names.get(""), key: None, value })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Op, E> {
        Ok(Op { function: self.0.names.get(""), key: None, value: Value::Int(value) })
    }

    fn visit_unit<E: Error>(self) -> Result<Op, E> {
        Ok(Op { function: self.0.names.get(""), key: None, value: Value::Nil })
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Op, A::Error> {
        let function = self.0.names.get("");
        Ok(Op { function, key: None, value: ValueSeed(self.0).visit_seq(seq)? })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Op, A::Error> {
        let mut op = Op { function: self.0.names.get(""), key: None, value: Value::Nil };
        while let Some(name) = map.next_key_seed(NameSeed(self.0))? {
            match &*name {
                "f" => op.function = map.next_value_seed(NameSeed(self.0))?,
                "key" => op.key = some(map.next_value_seed(ValueSeed(self.0))?),
                "value" => op.value = map.next_value_seed(ValueSeed(self.0))?,
                variant => {
                    op.function = snake(self.0.names, variant);
                    let value = map.next_value_seed(ValueSeed(self.0))?;
                    (op.key, op.value) = variant_fields(value);
                }
            }
        }
        Ok(op)
    }
}

/// The key among the fields of a variant, and the others: one as it is, several as a list.
fn variant_fields(fields: Value) -> (Option<Value>, Value) {
    let Value::Map(pairs) = fields else { return (None, fields) };
    let (mut key, mut rest) = (None, Vec::new());
    for (name, value) in pairs {
        if name.name() == Some("key") {
            key = some(value);
        } else {
            rest.push(value);
        }
    }
    let value = match rest.len() {
        0 => Value::Nil,
        1 => rest.remove(0),
        _ => Value::List(rest),
    };
    (key, value)
}

/// The name of a variant as functions are called: `CompareAndSet` is `compare_and_set`.
fn snake(names: &mut Names, name: &str) -> Arc<str> {
    if !name.bytes().any(|letter| letter.is_ascii_uppercase()) {
        return names.get(name);
    }
    let mut text = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 && !text.ends_with('_') {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    names.get(&text)
}
