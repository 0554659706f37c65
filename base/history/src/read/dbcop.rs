//! dbcop's JSON: sessions of transactions of events.
//!
//! [dbcop](https://github.com/rnbguy/dbcop): an array of sessions, each an array of
//! `{"events":[..],"committed":true}`. An event is `{"Write":{"variable":1,"version":2}}`, or `["w",1,2]`, or, in older
//! files, `{"write":true,"variable":1,"value":2,"success":true}` under `data` of a map, with `success` for `committed`.
//! Version 0, or none, is what every variable holds before anybody writes it.

use std::fmt;
use std::io::{BufRead, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{Builder, Status, Step, Transactions, Value};

use super::error::{LINE_BYTES_MAX, ReadError};
use super::json::{NameSeed, Room, ValueSeed};
use super::names::Names;

/// Reads a whole text.
pub(crate) fn read(text: impl BufRead) -> Result<Transactions, ReadError> {
    let mut state =
        State { builder: Builder::with_initial_zero(), names: Names::default(), steps: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_reader(Bounded { text, since: 0 });
    let read = Sessions(&mut state).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|error| {
        let line = error.line().max(1) as u64;
        if error.is_io() && error.io_error_kind() == Some(std::io::ErrorKind::FileTooLarge) {
            ReadError::TooLong { line }
        } else if error.is_io() {
            ReadError::Io { line, error: error.into() }
        } else {
            ReadError::Malformed { line, error }
        }
    })?;
    Ok(state.builder.finish())
}

/// Refuses texts in which no comma comes for too long: the parser keeps names and numbers whole.
struct Bounded<R> {
    text: R,
    since: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.text.read(buffer)?;
        let comma = buffer[..count].iter().rposition(|byte| *byte == b',');
        self.since = comma.map_or(self.since + count as u64, |at| (count - at) as u64);
        if self.since > LINE_BYTES_MAX { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(count) }
    }
}

struct State {
    builder: Builder,
    names: Names,
    /// Of the transaction that is being read, and whether each succeeded.
    steps: Vec<(Step, bool)>,
}

/// All sessions.
struct Sessions<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Sessions<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sessions<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of sessions, or a map with them under 'data'")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for session in 0.. {
            if seq.next_element_seed(Session { state: self.0, session })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        loop {
            let Some(name) = map.next_key_seed(NameSeed(&mut Room::new(&mut self.0.names)))? else { break };
            if &*name == "data" && !found {
                map.next_value_seed(Sessions(self.0))?;
                found = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("data")) }
    }
}

/// One session.
struct Session<'a> {
    state: &'a mut State,
    session: u32,
}

impl<'de> DeserializeSeed<'de> for Session<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Session<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session: an array of transactions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(committed) = seq.next_element_seed(Transaction(self.state))? {
            let builder = &mut self.state.builder;
            let status = if committed { Status::Committed } else { Status::Aborted };
            let good = self.state.steps.iter().filter(|(_, success)| *success);
            builder.push(self.session, status, None, good.map(|(step, _)| *step));
            for (step, _) in self.state.steps.drain(..).filter(|(_, success)| !success) {
                if matches!(step, Step::Write { .. }) {
                    builder.push(self.session, Status::Aborted, None, [step]);
                }
            }
        }
        Ok(())
    }
}

/// One transaction: whether it was committed.
struct Transaction<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Transaction<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Transaction<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transaction: a map with events and committed")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let (mut committed, mut events) = (None, false);
        loop {
            let Some(name) = map.next_key_seed(NameSeed(&mut Room::new(&mut self.0.names)))? else { break };
            match &*name {
                "events" if !events => {
                    map.next_value_seed(Events(self.0))?;
                    events = true;
                }
                "committed" | "success" => committed = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !events {
            return Err(A::Error::missing_field("events"));
        }
        committed.ok_or_else(|| A::Error::missing_field("committed"))
    }
}

/// The events of a transaction.
struct Events<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let State { builder, names, steps } = self.0;
        while let Some(event) = seq.next_element_seed(ValueSeed(&mut Room::new(names)))? {
            let Some(step) = step(builder, &event) else {
                let what = super::error::excerpt(event.to_string().as_bytes());
                return Err(A::Error::custom(format_args!(
                    "'{what}' is no event: it is {{\"Write\":{{\"variable\":1,\"version\":2}}}} or [\"w\",1,2]"
                )));
            };
            steps.push(step);
        }
        Ok(())
    }
}

/// The step that an event is, and whether it succeeded.
fn step(builder: &mut Builder, event: &Value) -> Option<(Step, bool)> {
    let mut make = |write: bool, variable: &Value, version: &Value| {
        let known = |value: &Value| matches!(value, Value::Int(_) | Value::Text(_));
        if !known(variable) || !known(version) && (write || *version != Value::Nil) {
            return None;
        }
        Some(if write { builder.write(variable, version) } else { builder.read(variable, version) })
    };
    match event {
        Value::List(parts) => {
            let [kind, variable, version] = &parts[..] else { return None };
            let write = match kind.name()? {
                "w" => true,
                "r" => false,
                _ => return None,
            };
            Some((make(write, variable, version)?, true))
        }
        Value::Map(fields) => {
            if let [(name, Value::Map(fields))] = &fields[..] {
                let write = match name.name()? {
                    "Write" => true,
                    "Read" => false,
                    _ => return None,
                };
                return Some((make(write, field(fields, "variable")?, field(fields, "version")?)?, true));
            }
            let version = field(fields, "value").or_else(|| field(fields, "version"))?;
            let write = *field(fields, "write")? == Value::Bool(true);
            let success = field(fields, "success").is_none_or(|success| *success == Value::Bool(true));
            Some((make(write, field(fields, "variable")?, version)?, success))
        }
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Text(_)
        | Value::Keyword(_)
        | Value::Other(_)
        | Value::Set(_) => None,
    }
}

fn field<'a>(fields: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| key.name() == Some(name)).map(|(_, value)| value)
}
