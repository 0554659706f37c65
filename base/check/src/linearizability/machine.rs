//! A model's states and steps by number, each computed once.

use std::borrow::Cow;
use std::hash::BuildHasher;

use hashbrown::{HashMap, HashTable};
use isles_history::Operation;
use rustc_hash::FxBuildHasher;

use crate::{Effect, Model};

/// Operations that are asked and answered alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Class(pub(crate) u32);

/// A state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct StateId(pub(crate) u32);

impl StateId {
    /// What [`Machine::initial`] gives.
    pub(crate) const INITIAL: Self = Self(0);
}

/// Where a step leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Nowhere: it is not possible.
    Nowhere,
    /// To this state.
    One(StateId),
    /// To one of these; see [`Machine::choice`].
    Some { start: u32, count: u32 },
}

/// Steps of classes beyond these are looked up in a hash table instead of rows.
const ROW: u32 = 1 << 10;

/// What is known of states and classes, a small number each; 0 where nothing is known.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<u32>>,
    sparse: HashMap<u64, u32, FxBuildHasher>,
}

impl Table {
    fn get(&self, row: u32, class: Class) -> u32 {
        if class.0 >= ROW {
            return self.sparse.get(&key(row, class)).copied().unwrap_or(0);
        }
        self.rows.get(row as usize).and_then(|row| row.get(class.0 as usize)).copied().unwrap_or(0)
    }

    fn set(&mut self, row: u32, class: Class, value: u32) {
        if class.0 >= ROW {
            self.sparse.insert(key(row, class), value);
            return;
        }
        if self.rows.len() <= row as usize {
            self.rows.resize(row as usize + 1, Vec::new());
        }
        let row = &mut self.rows[row as usize];
        if row.len() <= class.0 as usize {
            row.resize(class.0 as usize + 1, 0);
        }
        row[class.0 as usize] = value;
    }
}

fn key(row: u32, class: Class) -> u64 {
    u64::from(row) << 32 | u64::from(class.0)
}

/// An operation with its answer.
type Asked<'a, M> = (Cow<'a, <M as Model>::Op>, Option<Cow<'a, <M as Model>::Reply>>);

/// States and steps of a model, for operations of one history.
pub(crate) struct Machine<'a, M: Model> {
    model: &'a M,
    /// What operations of each class are.
    asked: Vec<Asked<'a, M>>,
    classes: HashTable<u32>,
    effects: Vec<Effect>,
    states: Vec<M::State>,
    index: HashTable<u32>,
    steps: Table,
    leads: Table,
    supplies: Table,
    choices: Vec<StateId>,
    fresh: Vec<M::State>,
}

impl<'a, M: Model> Machine<'a, M> {
    /// A machine that knows only the initial state.
    pub(crate) fn new(model: &'a M) -> Self {
        let mut machine = Self {
            model,
            asked: Vec::new(),
            classes: HashTable::new(),
            effects: Vec::new(),
            states: Vec::new(),
            index: HashTable::new(),
            steps: Table::default(),
            leads: Table::default(),
            supplies: Table::default(),
            choices: Vec::new(),
            fresh: Vec::new(),
        };
        machine.intern(model.initial());
        machine
    }

    /// The model.
    pub(crate) const fn model(&self) -> &'a M {
        self.model
    }

    /// The class of an operation of a history.
    pub(crate) fn class_of(&mut self, operation: &'a Operation<M::Op, M::Reply>) -> Class {
        let (op, reply) = (&operation.op, operation.reply());
        self.known(op, reply).unwrap_or_else(|| self.add((Cow::Borrowed(op), reply.map(Cow::Borrowed))))
    }

    /// The class of an operation whose answer is not known yet.
    pub(crate) fn class_asked(&mut self, op: &M::Op) -> Class {
        self.known(op, None).unwrap_or_else(|| self.add((Cow::Owned(op.clone()), None)))
    }

    /// The class of what is asked in another class, now that it is answered.
    pub(crate) fn class_answered(&mut self, asked: Class, reply: &M::Reply) -> Class {
        let op = &self.asked[asked.0 as usize].0;
        if let Some(class) = self.known(op, Some(reply)) {
            return class;
        }
        let op = op.clone();
        self.add((op, Some(Cow::Owned(reply.clone()))))
    }

    fn known(&self, op: &M::Op, reply: Option<&M::Reply>) -> Option<Class> {
        let hash = FxBuildHasher.hash_one((op, reply));
        let is_it = |class: &u32| {
            let (other, answer) = &self.asked[*class as usize];
            **other == *op && answer.as_deref() == reply
        };
        self.classes.find(hash, is_it).map(|class| Class(*class))
    }

    fn add(&mut self, asked: Asked<'a, M>) -> Class {
        let class = self.asked.len() as u32;
        let hash = |(op, reply): &Asked<'a, M>| FxBuildHasher.hash_one((&**op, reply.as_deref()));
        let hashed = hash(&asked);
        self.effects.push(self.model.effect(&asked.0, asked.1.as_deref()));
        self.asked.push(asked);
        self.classes.insert_unique(hashed, class, |class| hash(&self.asked[*class as usize]));
        Class(class)
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.asked.len()
    }

    /// What operations of a class do in every state.
    pub(crate) fn effect(&self, class: Class) -> Effect {
        self.effects[class.0 as usize]
    }

    fn intern(&mut self, state: M::State) -> StateId {
        let hash = FxBuildHasher.hash_one(&state);
        if let Some(id) = self.index.find(hash, |id| self.states[*id as usize] == state) {
            return StateId(*id);
        }
        let id = self.states.len() as u32;
        self.states.push(state);
        self.index.insert_unique(hash, id, |id| FxBuildHasher.hash_one(&self.states[*id as usize]));
        StateId(id)
    }

    /// Where a step leads.
    pub(crate) fn step(&mut self, state: StateId, class: Class) -> Next {
        let known = self.steps.get(state.0, class);
        let code = if known == 0 { self.compute(state, class) } else { known };
        match code {
            1 => Next::Nowhere,
            // The first of several states is preceded by their count.
            code if code & 1 == 1 => {
                let place = code >> 1;
                Next::Some { start: place + 1, count: self.choices[place as usize].0 }
            }
            code => Next::One(StateId((code >> 1) - 1)),
        }
    }

    /// Computes a step and notes it: 1 is nowhere, an even number twice the state and 2, an odd one twice a place and 1.
    fn compute(&mut self, state: StateId, class: Class) -> u32 {
        let (op, reply) = &self.asked[class.0 as usize];
        let mut fresh = std::mem::take(&mut self.fresh);
        self.model.step(&self.states[state.0 as usize], op, reply.as_deref(), &mut fresh);
        let code = match fresh.len() {
            0 => 1,
            1 => fresh.pop().map_or(1, |state| (self.intern(state).0 + 1) << 1),
            count => {
                // Place 0 would be taken for nowhere.
                if self.choices.is_empty() {
                    self.choices.push(StateId::INITIAL);
                }
                let place = self.choices.len() as u32;
                self.choices.push(StateId(count as u32));
                for state in fresh.drain(..) {
                    let state = self.intern(state);
                    self.choices.push(state);
                }
                place << 1 | 1
            }
        };
        self.fresh = fresh;
        self.steps.set(state.0, class, code);
        code
    }

    /// One of several states of [`Next::Some`].
    pub(crate) fn choice(&self, place: u32) -> StateId {
        self.choices[place as usize]
    }

    /// [`Model::can_lead`] to what this class was answered.
    pub(crate) fn can_lead(&mut self, state: StateId, class: Class) -> bool {
        let (op, Some(reply)) = &self.asked[class.0 as usize] else { return true };
        let known = self.leads.get(state.0, class);
        if known != 0 {
            return known == 1;
        }
        let leads = self.model.can_lead(&self.states[state.0 as usize], op, reply);
        self.leads.set(state.0, class, if leads { 1 } else { 2 });
        leads
    }

    /// [`Model::supplies`].
    pub(crate) fn supplies(&mut self, by: Class, class: Class) -> bool {
        let (op, Some(reply)) = &self.asked[class.0 as usize] else { return true };
        let known = self.supplies.get(by.0, class);
        if known != 0 {
            return known == 1;
        }
        let (by_op, by_reply) = &self.asked[by.0 as usize];
        let supplies = self.model.supplies((by_op, by_reply.as_deref()), op, reply);
        self.supplies.set(by.0, class, if supplies { 1 } else { 2 });
        supplies
    }

    /// Whether states may still be numbered: beyond this a search gives up.
    pub(crate) fn has_room(&self) -> bool {
        self.states.len() < 1 << 20 && self.choices.len() < 1 << 28
    }
}
