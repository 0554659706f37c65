//! What a store is to its clients, written from Redis's documentation and independently of the store that is judged.

use std::collections::BTreeMap;

use isles_check::{Model, Parts};
use isles_quorum::store::{Answer, Command, Condition};

/// What keys hold.
pub(crate) type Held = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store of one command at a time: keys do not know of each other.
pub(crate) struct Commands;

impl Model for Commands {
    type Op = Command;
    type Reply = Answer;
    type State = Held;

    fn initial(&self) -> Held {
        Held::new()
    }

    fn step(&self, state: &Held, op: &Command, reply: Option<&Answer>, next: &mut Vec<Held>) {
        let mut after = state.clone();
        if serve(&mut after, op, reply) {
            next.push(after);
        }
    }

    fn objects(&self, op: &Command, objects: &mut Parts) {
        objects.add(&op.key().bytes());
    }
}

/// Does a command, and tells whether it can have been answered thus.
pub(crate) fn serve(held: &mut Held, command: &Command, reply: Option<&Answer>) -> bool {
    let name = command.key().bytes();
    let before = held.get(name).map(Vec::as_slice);
    let (fits, new): (bool, Option<Option<Vec<u8>>>) = match command {
        Command::Get { .. } => (reads(reply, before), None),
        Command::Set { value, condition, get, .. } => {
            let holds = match condition {
                Condition::Always => true,
                Condition::Absent => before.is_none(),
                Condition::Present => before.is_some(),
            };
            let told = if holds { Answer::Done } else { Answer::Unchanged };
            let fits = if *get { reads(reply, before) } else { says(reply, &told) };
            (fits, holds.then(|| Some(value.bytes().to_vec())))
        }
        Command::Delete { .. } => {
            let was_there = before.is_some();
            (says(reply, &Answer::Deleted(u64::from(was_there))), was_there.then_some(None))
        }
        Command::Append { value, .. } => {
            let whole = [before.unwrap_or_default(), value.bytes()].concat();
            (says(reply, &Answer::Length(whole.len() as u64)), Some(Some(whole)))
        }
        Command::Increment { by, .. } => increment(reply, before, *by),
        Command::Expire { .. } => (false, None),
    };
    match new {
        None => {}
        Some(Some(value)) => drop(held.insert(name.to_vec(), value)),
        Some(None) => drop(held.remove(name)),
    }
    fits
}

fn says(reply: Option<&Answer>, told: &Answer) -> bool {
    reply.is_none_or(|reply| reply == told)
}

fn reads(reply: Option<&Answer>, held: Option<&[u8]>) -> bool {
    match reply {
        None => true,
        Some(Answer::Entry(entry, _)) => entry.as_ref().map(|entry| entry.value.bytes()) == held,
        Some(_) => false,
    }
}

fn increment(reply: Option<&Answer>, held: Option<&[u8]>, by: i64) -> (bool, Option<Option<Vec<u8>>>) {
    let number = match held {
        None => Some(0),
        Some(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<i64>().ok()),
    };
    let Some(number) = number else { return (says(reply, &Answer::NotANumber), None) };
    let Some(sum) = number.checked_add(by) else { return (says(reply, &Answer::Overflow), None) };
    (says(reply, &Answer::Number(sum)), Some(Some(sum.to_string().into_bytes())))
}
