//! A store of values by keys.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use isles_history::{Operation, Value};

use crate::linearizability::zones::{self, Access};
use crate::model::{Datum, Effect, Model, Parts};
use crate::monitors::{self, Act, Step};

/// A store: each key holds a value or none. Keys are independent objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyValue<K, V> {
    /// What each key holds at first, `None` for nothing.
    pub initial: Option<V>,
    keys: PhantomData<K>,
}

impl<K, V> KeyValue<K, V> {
    /// A store in which every key holds this at first, `None` for nothing.
    pub const fn new(initial: Option<V>) -> Self {
        Self { initial, keys: PhantomData }
    }
}

/// What is asked of one key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Op<K, V> {
    /// Which key.
    pub key: K,
    /// What.
    pub action: Action<V>,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action<V> {
    /// What does it hold?
    Get,
    /// Hold this.
    Put(V),
    /// Hold what it holds with this at its end; a key without a value then holds just this.
    Append(V),
    /// If it holds the first, hold the second.
    CompareAndSet(Option<V>, V),
    /// Hold nothing. The answer tells whether it held something, or only that it is done.
    Delete,
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It held this.
    Value(Option<V>),
    /// It is done.
    Done,
    /// Whether the key held what was expected and was set, or held something and was deleted.
    Changed(bool),
}

/// Values that can be appended to one another.
pub trait Append: Datum {
    /// This one with the other at its end.
    #[must_use]
    fn append(&self, more: &Self) -> Self;

    /// Whether appending to `start` might lead to this one. May say yes.
    fn extends(&self, start: &Self) -> bool;

    /// How many parts it has, if it is its parts one after another, and appending puts those of another behind them: letters,
    /// elements. With these three methods a fast answer can be had; without them, `None`.
    fn parts(&self) -> Option<usize> {
        None
    }

    /// Whether it has all the parts of another from some place on.
    fn has(&self, at: usize, other: &Self) -> bool {
        let _ = (at, other);
        false
    }

    /// Hashes some of its parts: the same for the same parts of any value.
    fn hash_parts(&self, parts: Range<usize>, hasher: &mut impl Hasher) {
        let _ = (parts, hasher);
    }
}

impl<T: Datum> Append for Vec<T> {
    fn append(&self, more: &Self) -> Self {
        self.iter().chain(more).cloned().collect()
    }

    fn extends(&self, start: &Self) -> bool {
        self.starts_with(start)
    }

    fn parts(&self) -> Option<usize> {
        Some(self.len())
    }

    fn has(&self, at: usize, other: &Self) -> bool {
        self[at.min(self.len())..].starts_with(other)
    }

    fn hash_parts(&self, parts: Range<usize>, hasher: &mut impl Hasher) {
        self[parts].hash(hasher);
    }
}

impl Append for Arc<str> {
    fn append(&self, more: &Self) -> Self {
        [&**self, more].concat().into()
    }

    fn extends(&self, start: &Self) -> bool {
        self.starts_with(&**start)
    }

    fn parts(&self) -> Option<usize> {
        Some(self.len())
    }

    fn has(&self, at: usize, other: &Self) -> bool {
        self.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(other.as_bytes()))
    }

    fn hash_parts(&self, parts: Range<usize>, hasher: &mut impl Hasher) {
        hasher.write(&self.as_bytes()[parts]);
    }
}

/// Texts grow into longer texts, lists into longer lists, nothing into what is appended, anything else into a list.
impl Append for Value {
    fn append(&self, more: &Self) -> Self {
        match (self, more) {
            (Self::Nil, more) => more.clone(),
            (Self::Text(text), Self::Text(more)) => Self::Text(text.append(more)),
            (Self::List(list), Self::List(more)) => Self::List(list.append(more)),
            (Self::List(list), more) => Self::List(list.append(&vec![more.clone()])),
            (start, Self::List(more)) => Self::List(vec![start.clone()].append(more)),
            (start, more) => Self::List(vec![start.clone(), more.clone()]),
        }
    }

    fn extends(&self, start: &Self) -> bool {
        match (self, start) {
            (Self::Text(text), Self::Text(start)) => text.extends(start),
            (Self::List(list), Self::List(start)) => list.extends(start),
            _ => true,
        }
    }

    /// Those of texts. What else there is may become elements of lists.
    fn parts(&self) -> Option<usize> {
        if let Self::Text(text) = self { text.parts() } else { None }
    }

    fn has(&self, at: usize, other: &Self) -> bool {
        matches!((self, other), (Self::Text(text), Self::Text(other)) if text.has(at, other))
    }

    fn hash_parts(&self, parts: Range<usize>, hasher: &mut impl Hasher) {
        if let Self::Text(text) = self {
            text.hash_parts(parts, hasher);
        }
    }
}

/// What the keys hold that were written, in the order of the keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct State<K, V>(Vec<(K, Option<V>)>);

impl<K: Datum, V: Append> State<K, V> {
    /// What a key holds; what it holds at first is given.
    fn get<'a>(&'a self, key: &K, initial: &'a Option<V>) -> Option<&'a V> {
        match self.0.binary_search_by(|(name, _)| name.cmp(key)) {
            Ok(place) => self.0[place].1.as_ref(),
            Err(_) => initial.as_ref(),
        }
    }

    /// A store in which a key holds something else.
    fn with(&self, key: &K, value: Option<V>) -> Self {
        let mut pairs = self.0.clone();
        match pairs.binary_search_by(|(name, _)| name.cmp(key)) {
            Ok(place) => pairs[place].1 = value,
            Err(place) => pairs.insert(place, (key.clone(), value)),
        }
        Self(pairs)
    }
}

impl<K: Datum, V: Append> Model for KeyValue<K, V> {
    type Op = Op<K, V>;
    type Reply = Reply<V>;
    type State = State<K, V>;

    fn initial(&self) -> State<K, V> {
        State(Vec::new())
    }

    fn step(
        &self,
        state: &State<K, V>,
        op: &Op<K, V>,
        reply: Option<&Reply<V>>,
        next: &mut Vec<State<K, V>>,
    ) {
        let held = state.get(&op.key, &self.initial);
        let done = matches!(reply, None | Some(Reply::Done));
        let told = |changed: bool| matches!(reply, Some(Reply::Changed(told)) if *told == changed);
        match &op.action {
            Action::Get => {
                let fits = match reply {
                    None => true,
                    Some(Reply::Value(value)) => value.as_ref() == held,
                    Some(Reply::Done | Reply::Changed(_)) => false,
                };
                next.extend(fits.then(|| state.clone()));
            }
            Action::Put(value) => next.extend(done.then(|| state.with(&op.key, Some(value.clone())))),
            Action::Append(more) => next.extend(done.then(|| {
                state.with(&op.key, Some(held.map_or_else(|| more.clone(), |held| held.append(more))))
            })),
            Action::CompareAndSet(expected, new) => {
                let sets = expected.as_ref() == held;
                next.extend(
                    (reply.is_none() || told(sets))
                        .then(|| if sets { state.with(&op.key, Some(new.clone())) } else { state.clone() }),
                );
            }
            Action::Delete => {
                next.extend((done || told(held.is_some())).then(|| state.with(&op.key, None)));
            }
        }
    }

    fn effect(&self, op: &Op<K, V>, reply: Option<&Reply<V>>) -> Effect {
        match (&op.action, reply) {
            (Action::Get, _) | (_, Some(Reply::Changed(false))) => Effect::Preserves,
            (Action::Put(_) | Action::Delete, Some(Reply::Done)) | (Action::Put(_), None) => {
                Effect::Overwrites
            }
            (Action::Append(_), None | Some(Reply::Done)) => Effect::Accepted,
            _ => Effect::Any,
        }
    }

    fn answers_alike(&self, op: &Op<K, V>) -> bool {
        matches!(op.action, Action::Put(_) | Action::Append(_))
    }

    fn objects(&self, op: &Op<K, V>, objects: &mut Parts) {
        objects.add(&op.key);
    }

    fn values(&self, op: &Op<K, V>, reply: Option<&Reply<V>>, values: &mut Parts) {
        match (&op.action, reply) {
            (Action::Get, Some(Reply::Value(value))) => values.add(&(&op.key, value)),
            (Action::Put(value), _) => values.add(&(&op.key, Some(value))),
            (Action::CompareAndSet(expected, new), None | Some(Reply::Changed(true))) => {
                values.add(&(&op.key, expected));
                values.add(&(&op.key, Some(new)));
            }
            (Action::Delete, Some(Reply::Done)) => values.add(&(&op.key, None::<&V>)),
            _ => values.all(),
        }
    }

    fn can_lead(&self, state: &State<K, V>, op: &Op<K, V>, reply: &Reply<V>) -> bool {
        let Some(wanted) = needed(op, reply) else { return true };
        match (state.get(&op.key, &self.initial), wanted) {
            (Some(held), Some(wanted)) => wanted.extends(held),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    fn supplies(&self, (by, _): (&Op<K, V>, Option<&Reply<V>>), op: &Op<K, V>, reply: &Reply<V>) -> bool {
        if by.key != op.key {
            return false;
        }
        let held = match &by.action {
            Action::Get | Action::Append(_) => return false,
            Action::Delete => return true,
            Action::Put(held) | Action::CompareAndSet(_, held) => held,
        };
        needed(op, reply).is_none_or(|wanted| wanted.is_some_and(|wanted| wanted.extends(held)))
    }

    /// Zones, if one key is only put, got and appended to, and no value is written twice.
    fn monitor(
        &self,
        operations: &[Operation<Op<K, V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let key = &operations[*members.first()? as usize].op.key;
        let access = |name: &u32| {
            let operation = &operations[*name as usize];
            if operation.op.key != *key {
                return None;
            }
            let (value, is_write) = match (&operation.op.action, operation.reply()) {
                (Action::Get, Some(Reply::Value(value))) => (value.as_ref(), false),
                (Action::Put(value), None | Some(Reply::Done)) => (Some(value), true),
                _ => return None,
            };
            let (invoked, returned) = (operation.invoked, operation.returned());
            Some(Access { value, is_write, invoked, returned, name: *name })
        };
        let is_idle = |name: &u32| {
            let operation = &operations[*name as usize];
            operation.op.key == *key && operation.op.action == Action::Get && operation.reply().is_none()
        };
        let kept = members.iter().filter(|name| !is_idle(name));
        zones::judge(self.initial.as_ref(), kept.clone().map(access)).or_else(|| {
            let steps: Option<Vec<Step<'_, V>>> = kept
                .map(|name| operations[*name as usize].op.key.eq(key).then(|| step(operations, *name))?)
                .collect();
            monitors::appends(self.initial.as_ref(), &steps?).told()
        })
    }

    fn describe(&self, op: &Op<K, V>, reply: Option<&Reply<V>>) -> String {
        let key = &op.key;
        let asked = match &op.action {
            Action::Get => format!("get {key:?}"),
            Action::Put(value) => format!("put {key:?} {value:?}"),
            Action::Append(value) => format!("append {key:?} {value:?}"),
            Action::CompareAndSet(Some(expected), new) => format!("cas {key:?} {expected:?} {new:?}"),
            Action::CompareAndSet(None, new) => format!("cas {key:?} nothing {new:?}"),
            Action::Delete => format!("delete {key:?}"),
        };
        match reply {
            Some(Reply::Value(Some(value))) => format!("{asked} → {value:?}"),
            Some(Reply::Value(None)) => asked + " → nothing",
            Some(Reply::Changed(true) | Reply::Done) => asked,
            Some(Reply::Changed(false)) => asked + ", refused",
            None => asked + ", unknown",
        }
    }
}

/// What an operation on one key did, unless it is one of those that depend on what is there.
fn step<K, V>(operations: &[Operation<Op<K, V>, Reply<V>>], name: u32) -> Option<Step<'_, V>> {
    let operation = &operations[name as usize];
    let act = match (&operation.op.action, operation.reply()) {
        (Action::Get, Some(Reply::Value(value))) => Act::Get(value.as_ref()),
        (Action::Put(value), None | Some(Reply::Done)) => Act::Put(value),
        (Action::Append(value), None | Some(Reply::Done)) => Act::Append(value),
        _ => return None,
    };
    Some(Step { act, invoked: operation.invoked, returned: operation.returned(), name })
}

/// What the key must hold for this answer.
const fn needed<'a, K, V>(op: &'a Op<K, V>, reply: &'a Reply<V>) -> Option<Option<&'a V>> {
    match (&op.action, reply) {
        (Action::Get, Reply::Value(value)) => Some(value.as_ref()),
        (Action::CompareAndSet(value, _), Reply::Changed(true)) => Some(value.as_ref()),
        _ => None,
    }
}
