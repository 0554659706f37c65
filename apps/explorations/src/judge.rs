//! Memories of numbered objects and registers, judged by what their clients saw.

use isles_check::linearizability::Limits;
use isles_check::linearizability::incremental::{Cache, Frontier, Ticket};
use isles_check::{Effect, Model, Verdict, sequential};
use isles_explore::Property;
use isles_history::{Entry, Operation, Outcome};
use isles_kernel::{OpId, Protocol};
use isles_quorum::register;
use isles_replication::store::{Op, Reply, Store};

/// All objects as one, so that snapshots are judged, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Objects;

impl Model for Objects {
    type Op = Op;
    type Reply = Reply;
    type State = Store;

    fn initial(&self) -> Store {
        Store::default()
    }

    fn step(&self, state: &Store, op: &Op, reply: Option<&Reply>, next: &mut Vec<Store>) {
        let mut after = state.clone();
        if let Some(update) = op.update() {
            after.apply(update);
        }
        if reply.is_none_or(|reply| after.answer(op) == *reply) {
            next.push(after);
        }
    }

    fn effect(&self, op: &Op, _: Option<&Reply>) -> Effect {
        if op.update().is_none() { Effect::Preserves } else { Effect::Any }
    }
}

/// A register of [`isles_quorum`], as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OneRegister;

impl Model for OneRegister {
    type Op = register::Op;
    type Reply = register::Reply;
    type State = i64;

    fn initial(&self) -> i64 {
        0
    }

    fn step(&self, held: &i64, op: &register::Op, reply: Option<&register::Reply>, next: &mut Vec<i64>) {
        let after = match (op, reply) {
            (_, Some(register::Reply::Refused)) | (register::Op::Read, None) => Some(*held),
            (register::Op::Read, Some(register::Reply::Value(value))) => (value == held).then_some(*held),
            (register::Op::Write(value), None | Some(register::Reply::Done)) => Some(*value),
            (register::Op::Read | register::Op::Write(_), Some(_)) => None,
        };
        next.extend(after);
    }
}

/// The history of a register is linearizable. A write whose outcome its client does not know may take effect long after it was told so.
pub fn linearizable_register<P: Protocol<Op = register::Op, Reply = register::Reply>>() -> Property<P> {
    Property::history("linearizable", |history| {
        let is_known = |entry: &&Entry<register::Op, register::Reply>| {
            !matches!(entry, Entry::Return { reply: register::Reply::Unknown, .. })
        };
        let known: Vec<_> = history.iter().filter(is_known).cloned().collect();
        is_linearizable(&OneRegister, &known)
    })
}

/// What clients of a memory are promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// One order of all operations, in which each takes effect while it is open (Herlihy and Wing 1990).
    Linearizable,
    /// One order of all operations that keeps that of each client (Lamport 1979).
    Sequential,
    /// Nothing.
    None,
}

impl Promise {
    /// What is to be asked for it; nothing for no promise.
    pub fn property<P: Protocol<Op = Op, Reply = Reply>>(self) -> Option<Property<P>> {
        match self {
            Self::Linearizable => Some(linearizable()),
            Self::Sequential => Some(sequentially_consistent()),
            Self::None => None,
        }
    }
}

/// The history is linearizable.
pub fn linearizable<P: Protocol<Op = Op, Reply = Reply>>() -> Property<P> {
    Property::history("linearizable", |history| is_linearizable(&Objects, history))
}

/// The history is sequentially consistent.
pub fn sequentially_consistent<P: Protocol<Op = Op, Reply = Reply>>() -> Property<P> {
    Property::history("sequentially consistent", |history| is_sequential(&Objects, history))
}

/// Whether a history is linearizable: entry by entry, with all ways in which it can have taken effect so far.
pub fn is_linearizable<M: Model>(model: &M, history: &[Entry<M::Op, M::Reply>]) -> bool {
    let mut cache = Cache::new(model);
    let mut frontier = Frontier::default();
    let mut open: Vec<(OpId, Ticket)> = Vec::new();
    history.iter().all(|entry| match entry {
        Entry::Invoke { id, op, .. } => {
            open.push((*id, frontier.invoke(&mut cache, op)));
            true
        }
        Entry::Return { id, reply, .. } => {
            let place = open.iter().position(|(other, _)| other == id);
            place.is_none_or(|place| frontier.respond(&mut cache, open.swap_remove(place).1, reply))
        }
        Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => true,
    })
}

/// Whether a history of an exploration, whose operations have the numbers of their clients in the upper half of their ids, is
/// sequentially consistent.
///
/// # Panics
/// When it is too long to be decided within the default [`Limits`]: some dozens of operations of several clients.
pub fn is_sequential<M: Model>(model: &M, history: &[Entry<M::Op, M::Reply>]) -> bool {
    let mut operations: Vec<Operation<M::Op, M::Reply>> = Vec::new();
    let mut ids: Vec<OpId> = Vec::new();
    for (moment, entry) in (0..).zip(history) {
        match entry {
            Entry::Invoke { id, op, .. } => {
                ids.push(*id);
                operations.push(Operation {
                    process: (id.0 >> 32) as u32,
                    invoked: moment,
                    op: op.clone(),
                    outcome: Outcome::Unknown,
                });
            }
            Entry::Return { id, reply, .. } => {
                if let Some(place) = ids.iter().position(|other| other == id) {
                    operations[place].outcome = Outcome::Returned { at: moment, reply: reply.clone() };
                }
            }
            Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    match sequential::check(model, &operations, &Limits::default()) {
        Verdict::Holds(_) => true,
        Verdict::Violated(_) => false,
        Verdict::Unknown(_) => panic!("{} operations are too many to be judged", operations.len()),
    }
}
