//! A part of a history as a search goes through it: invocations and returns in order, and slots for open operations.

use isles_history::{Moment, Operation};

use super::machine::{Class, Machine};
use crate::{Effect, Model};

/// An operation of a timeline: its number in the order of invocations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Local(pub(crate) u32);

/// An invocation or a return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Event(u32);

impl Event {
    pub(crate) const fn operation(self) -> Local {
        Local(self.0 >> 1)
    }

    pub(crate) const fn is_return(self) -> bool {
        self.0 & 1 == 1
    }
}

/// What is known of an operation of a timeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Its place in the history.
    pub(crate) member: u32,
    pub(crate) class: Class,
    pub(crate) invoked: Moment,
    /// [`Moment::MAX`] if its outcome is unknown.
    pub(crate) returned: Moment,
    /// While it is open no other has this slot; one of unknown outcome keeps it.
    pub(crate) slot: u32,
    /// Who had the slot before.
    pub(crate) heir_of: Option<Local>,
    /// It changes no state.
    pub(crate) is_read: bool,
    /// There are others of its class.
    pub(crate) has_twins: bool,
}

impl Item {
    pub(crate) const fn is_optional(&self) -> bool {
        self.returned == Moment::MAX
    }
}

/// A part of a history.
pub(crate) struct Timeline {
    pub(crate) items: Vec<Item>,
    pub(crate) events: Vec<Event>,
    /// How many slots there are.
    pub(crate) slots: usize,
}

impl Timeline {
    /// The timeline of these operations. Reads of unknown outcome say nothing and are left out.
    pub(crate) fn new<'a, M: Model>(
        model: &'a M,
        operations: &'a [Operation<M::Op, M::Reply>],
        members: &[u32],
    ) -> (Self, Machine<'a, M>) {
        let mut kept: Vec<u32> = members.to_vec();
        kept.retain(|member| {
            let operation = &operations[*member as usize];
            operation.reply().is_some() || model.effect(&operation.op, None) != Effect::Preserves
        });
        if !kept.is_sorted_by_key(|member| operations[*member as usize].invoked) {
            kept.sort_by_key(|member| operations[*member as usize].invoked);
        }
        let mut machine = Machine::new(model);
        let classes: Vec<Class> =
            kept.iter().map(|member| machine.class_of(&operations[*member as usize])).collect();
        let mut counts = vec![0_u32; machine.classes()];
        for class in &classes {
            counts[class.0 as usize] += 1;
        }
        let items: Vec<Item> = kept
            .iter()
            .zip(&classes)
            .map(|(&member, &class)| Item {
                member,
                class,
                invoked: operations[member as usize].invoked,
                returned: operations[member as usize].returned(),
                slot: 0,
                heir_of: None,
                is_read: machine.effect(class) == Effect::Preserves,
                has_twins: counts[class.0 as usize] > 1,
            })
            .collect();
        let events = events(&items);
        let mut timeline = Self { items, events, slots: 0 };
        timeline.give_slots();
        (timeline, machine)
    }

    /// Gives the least free slot to whoever is invoked.
    fn give_slots(&mut self) {
        let mut free: Vec<u32> = Vec::new();
        let mut last: Vec<Local> = Vec::new();
        for event in &self.events {
            let local = event.operation();
            if event.is_return() {
                free.push(self.items[local.0 as usize].slot);
                continue;
            }
            let item = &mut self.items[local.0 as usize];
            match free.pop() {
                Some(slot) => {
                    item.slot = slot;
                    item.heir_of = Some(last[slot as usize]);
                    last[slot as usize] = local;
                }
                None => {
                    item.slot = last.len() as u32;
                    last.push(local);
                }
            }
        }
        self.slots = last.len();
    }

    pub(crate) fn item(&self, local: Local) -> &Item {
        &self.items[local.0 as usize]
    }
}

/// Invocations and returns in order. What happens at one moment overlaps, hence invocations first.
fn events(items: &[Item]) -> Vec<Event> {
    let mut returns: Vec<(Moment, u32)> = items
        .iter()
        .zip(0..)
        .filter(|(item, _)| !item.is_optional())
        .map(|(item, local)| (item.returned, local))
        .collect();
    returns.sort_unstable();
    let mut events = Vec::with_capacity(items.len() + returns.len());
    let mut returns = returns.into_iter().peekable();
    for (item, local) in items.iter().zip(0_u32..) {
        while let Some((_, other)) = returns.next_if(|(at, _)| *at < item.invoked) {
            events.push(Event(other << 1 | 1));
        }
        events.push(Event(local << 1));
    }
    events.extend(returns.map(|(_, local)| Event(local << 1 | 1)));
    events
}
