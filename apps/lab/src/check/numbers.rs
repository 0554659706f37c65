//! How stale the registers of a history are, as numbers.

use std::collections::BTreeMap;

use isles_check::staleness::{Access, staleness};
use isles_history::{Call, Kind, Moment, ReadError, Value};
use serde::Serialize;

/// How stale the reads of one object are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stale {
    /// Which object, where the history has several.
    pub object: Option<String>,
    /// The least Δ by which reads would have to begin earlier for the register to be atomic.
    pub delta: u64,
    /// Whether Δ is in nanoseconds; otherwise in places of the order of events.
    pub nanoseconds: bool,
    /// Each read returns one of the latest k writes: k is at least this.
    pub k_at_least: u32,
    /// And at most this.
    pub k_at_most: u32,
}

/// Reads and writes of one object.
#[derive(Default)]
struct Object {
    accesses: Vec<Access>,
    clocks: Vec<Option<(Moment, Moment)>>,
    values: BTreeMap<Value, u32>,
}

/// Measures each object whose operations are reads and writes of unique values; others are left out, as there is no such number. In the
/// order of names.
///
/// # Errors
/// The first operation that is wrong.
pub(super) fn numbers(
    calls: impl Iterator<Item = Result<Call, ReadError>>,
    tuples: bool,
) -> Result<Vec<Stale>, ReadError> {
    let mut objects: BTreeMap<Value, Option<Object>> = BTreeMap::new();
    for call in calls {
        let call = call?;
        let part = |value: &Value, place: usize| {
            value.elements().and_then(|pair| pair.get(place)).cloned().unwrap_or(Value::Nil)
        };
        let key = if tuples { part(&call.asked, 0) } else { call.key.clone().unwrap_or(Value::Nil) };
        let object = objects.entry(key).or_insert_with(|| Some(Object::default()));
        let is_kept = object.as_mut().is_some_and(|object| {
            let value = |value: &Value| if tuples { part(value, 1) } else { value.clone() };
            object.add(&call, &value(&call.asked), &value(&call.answered))
        });
        if !is_kept {
            *object = None;
        }
    }
    let several = objects.len() > 1;
    let measured = objects.into_iter().filter_map(|(key, object)| {
        let (measured, nanoseconds) = object?.measured()?;
        Some(Stale {
            object: several.then(|| key.to_string()),
            delta: measured.delta,
            nanoseconds,
            k_at_least: measured.k_at_least,
            k_at_most: measured.k_at_most,
        })
    });
    Ok(measured.collect())
}

impl Object {
    /// Adds a read or a write; whether it was one.
    fn add(&mut self, call: &Call, asked: &Value, answered: &Value) -> bool {
        let is_write = match &*call.function {
            "write" | "put" | "w" => true,
            "read" | "get" | "r" => false,
            _ => return false,
        };
        if call.kind == Kind::Fail || !is_write && call.kind != Kind::Ok {
            return true;
        }
        let value = Some(if is_write { asked } else { answered }).filter(|value| **value != Value::Nil);
        let next = self.values.len() as u32;
        let value = value.map(|value| *self.values.entry(value.clone()).or_insert(next));
        let returned = if call.kind == Kind::Ok { call.returned } else { Moment::MAX };
        self.accesses.push(Access { invoked: call.invoked, returned, value, is_write });
        self.clocks.push(call.clock);
        true
    }

    /// The numbers, and whether they are in nanoseconds.
    fn measured(mut self) -> Option<(isles_check::staleness::Staleness, bool)> {
        let clocks: Option<Vec<(Moment, Moment)>> = self.clocks.iter().copied().collect();
        if let Some(clocks) = &clocks {
            for (access, (invoked, returned)) in self.accesses.iter_mut().zip(clocks) {
                (access.invoked, access.returned) = (*invoked, *returned);
            }
        }
        if self.accesses.iter().all(|access| access.is_write) {
            return None;
        }
        Some((staleness(&self.accesses).ok()?, clocks.is_some()))
    }
}
