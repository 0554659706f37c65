//! From the operations of a file to those of a model.

mod guess;
mod words;

use std::collections::BTreeMap;

use isles_history::{Call, Kind, Moment, Operation, Outcome, ReadError, Value, place};

use crate::{Effect, Model};

pub use guess::{Guess, guess};
pub use words::Words;

/// What `:fail` says of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Fails {
    /// That it did not happen: it is left out, as Knossos does.
    #[default]
    Drop,
    /// Where an operation can be refused, that it was: a compare-and-set found another value, as Porcupine's model of etcd has it.
    /// Other operations are left out.
    Assert,
}

/// How entries are understood.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Reading {
    /// What a failure says.
    pub fails: Fails,
    /// Whether values are pairs of key and value, as Jepsen's independent keys are written. Objects of different keys are judged apart.
    pub tuples: bool,
    /// By how many nanoseconds clocks may have been wrong, either way, beyond what the file says; `None` for the order of the file.
    pub skew: Option<u64>,
}

/// Where an operation is in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The line of its invocation.
    pub line: u64,
    /// What the file calls its client.
    pub process: Option<u64>,
}

/// The operations on one object, in the order of their invocations, and where each comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object<Op, Reply> {
    /// What the file calls it, where it has several.
    pub key: Option<Value>,
    /// What happened to it.
    pub operations: Vec<Operation<Op, Reply>>,
    /// Of each operation.
    pub origins: Vec<Origin>,
}

/// An [`Object`] of a model.
pub type ObjectOf<M> = Object<<M as Model>::Op, <M as Model>::Reply>;

/// What an operation of a file is to a model, and what it was answered; see [`Words`].
pub struct Asked<'a> {
    /// Which operation.
    pub function: &'a str,
    /// Of which object, for models of several.
    pub key: Option<&'a Value>,
    /// What was asked.
    pub asked: &'a Value,
    /// What was answered; nothing unless it returned.
    pub answered: &'a Value,
    /// Whether it returned ([`Kind::Ok`]), was refused ([`Kind::Fail`]), or nobody knows.
    pub kind: Kind,
    /// Its client.
    pub process: u32,
}

/// Collects operations for `model`, object by object in the order in which they appear. Operations that failed are as
/// [`Fails`] says, those of unknown outcome that change nothing are left out. If nothing is left, there is one object to which nothing
/// happened, so that it is judged like all others.
///
/// # Errors
/// The first operation that is wrong, or that the model does not have.
pub fn objects<M: Words>(
    model: &M,
    calls: impl IntoIterator<Item = Result<Call, ReadError>>,
    reading: Reading,
) -> Result<Vec<ObjectOf<M>>, ReadError> {
    let mut collected: Vec<Collected<M>> = Vec::new();
    let mut places: BTreeMap<Value, usize> = BTreeMap::new();
    for call in calls {
        let call = call?;
        let key = call.key.clone().filter(|_| !M::KEYED);
        let (key, asked, answered) = if reading.tuples {
            let (key, asked) = pair(&call.asked, &call)?;
            let answered =
                if call.answered == Value::Nil { Value::Nil } else { pair(&call.answered, &call)?.1 };
            (Some(key), asked, answered)
        } else {
            (key, call.asked.clone(), call.answered.clone())
        };
        if call.kind == Kind::Fail && reading.fails == Fails::Drop {
            continue;
        }
        let turned = model.turn(&Asked {
            function: &call.function,
            key: call.key.as_ref(),
            asked: &asked,
            answered: &answered,
            kind: call.kind,
            process: call.session,
        });
        let Some((op, reply)) = turned else { return Err(foreign(model, &call)) };
        let object = match places.get(key.as_ref().unwrap_or(&Value::Nil)) {
            Some(place) => &mut collected[*place],
            None => {
                places.insert(key.clone().unwrap_or(Value::Nil), collected.len());
                collected.push(Collected { key, items: Vec::new() });
                collected.last_mut().expect("one was added")
            }
        };
        object.add(model, &call, op, reply);
    }
    if collected.is_empty() {
        collected.push(Collected { key: None, items: Vec::new() });
    }
    Ok(collected.into_iter().map(|object| object.finish(reading.skew)).collect())
}

/// Key and value of a tuple.
fn pair(value: &Value, call: &Call) -> Result<(Value, Value), ReadError> {
    match value.elements() {
        Some([key, value]) => Ok((key.clone(), value.clone())),
        Some(_) | None => Err(ReadError::Wrong {
            line: call.lines.0,
            what: format!("'{value}' is no pair of key and value"),
            remedy: "either all values are such pairs, or none is",
        }),
    }
}

fn foreign<M: Words>(model: &M, call: &Call) -> ReadError {
    let answer = if call.kind == Kind::Ok {
        format!(" answered {}", shortened(&call.answered))
    } else {
        String::new()
    };
    ReadError::Wrong {
        line: call.lines.0,
        what: format!(
            "'{} {}'{answer} is no operation of a {}",
            call.function,
            shortened(&call.asked),
            model.name()
        ),
        remedy: M::HAS,
    }
}

fn shortened(value: &Value) -> String {
    const SHOWN: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        text
    } else {
        text.chars().take(SHOWN).chain(" ...".chars()).collect()
    }
}

/// An operation, where it stands in the file, and when it was by the clock of the file.
type Item<M> = (Operation<<M as Model>::Op, <M as Model>::Reply>, Origin, Option<(Moment, Moment)>);

struct Collected<M: Model> {
    key: Option<Value>,
    items: Vec<Item<M>>,
}

impl<M: Model> Collected<M> {
    fn add(&mut self, model: &M, call: &Call, op: M::Op, reply: Option<M::Reply>) {
        // Whoever failed without a refusal that the model knows did nothing; whoever changes nothing unseen, too.
        let is_unknown = reply.is_none();
        if is_unknown && (call.kind == Kind::Fail || model.effect(&op, None) == Effect::Preserves) {
            return;
        }
        let outcome = match reply {
            Some(reply) => Outcome::Returned { at: call.returned, reply },
            None => Outcome::Unknown,
        };
        let operation = Operation { process: call.session, invoked: call.invoked, op, outcome };
        let origin = Origin { line: call.lines.0, process: call.process };
        self.items.push((operation, origin, call.clock));
    }

    fn finish(mut self, skew: Option<u64>) -> Object<M::Op, M::Reply> {
        self.items.sort_by_key(|(operation, ..)| operation.invoked);
        let clocks: Option<Vec<(Moment, Moment)>> = self.items.iter().map(|(.., clock)| *clock).collect();
        let mut object = Object { key: self.key, operations: Vec::new(), origins: Vec::new() };
        for (operation, origin, _) in self.items {
            object.operations.push(operation);
            object.origins.push(origin);
        }
        if let (Some(skew), Some(clocks)) = (skew, clocks) {
            let widened: Vec<(Moment, Moment)> = clocks
                .into_iter()
                .map(|(earliest, latest)| (earliest.saturating_sub(skew), latest.saturating_add(skew)))
                .collect();
            place(&mut object.operations, &widened);
            let mut order: Vec<usize> = (0..object.operations.len()).collect();
            order.sort_by_key(|place| object.operations[*place].invoked);
            object.operations = order.iter().map(|place| object.operations[*place].clone()).collect();
            object.origins = order.iter().map(|place| object.origins[*place]).collect();
        }
        object
    }
}
