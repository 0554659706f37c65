//! What each type means, as a function of which operations are known and which had seen which (Burckhardt, Gotsman, Yang, Zawirski,
//! "Replicated data types: specification, verification, optimality", POPL 2014).
//!
//! Each takes the events of an execution and a bit for each of them that is known, as [`explore`](crate::executions::explore) hands them
//! to its judge.

use std::collections::BTreeSet;
use std::rc::Rc;

use isles_causality::hybrid::Timestamp;

use crate::executions::Event;
use crate::{Replicated, bounded_counter, flag, graph, map, register, resettable_counter, set, tally};

/// Events that are known.
fn known<R: Replicated>(events: &[Rc<Event<R>>], known: u32) -> impl Iterator<Item = (usize, &Event<R>)> {
    let all = events.iter().map(|event| &**event).enumerate();
    all.filter(move |(index, _)| known & 1 << index != 0)
}

/// Whether a known event for which `undoes` holds had seen the event of that number.
fn undone<R: Replicated>(
    events: &[Rc<Event<R>>],
    mask: u32,
    index: usize,
    undoes: impl Fn(&R::Op) -> bool,
) -> bool {
    known(events, mask).any(|(_, event)| event.seen & 1 << index != 0 && undoes(&event.op))
}

/// The sum of all that was added.
pub fn sum<R: Replicated<Op = i64>>(events: &[Rc<Event<R>>], mask: u32) -> i128 {
    known(events, mask).map(|(_, event)| i128::from(event.op)).sum()
}

/// The same, where nothing is taken away.
pub fn grown<R: Replicated<Op = u64>>(events: &[Rc<Event<R>>], mask: u32) -> i128 {
    known(events, mask).map(|(_, event)| i128::from(event.op)).sum()
}

/// What was added less what was taken.
pub fn bounded<R: Replicated<Op = bounded_counter::Op>>(events: &[Rc<Event<R>>], mask: u32) -> i128 {
    let amount = |(_, event): (usize, &Event<R>)| match event.op {
        bounded_counter::Op::Increment(amount) => i128::from(amount),
        bounded_counter::Op::Decrement(amount) => -i128::from(amount),
        bounded_counter::Op::Transfer { .. } => 0,
    };
    known(events, mask).map(amount).sum()
}

/// The sum of what no reset has seen.
pub fn resettable<R: Replicated<Op = resettable_counter::Op>>(events: &[Rc<Event<R>>], mask: u32) -> i128 {
    let resets = |op: &resettable_counter::Op| *op == resettable_counter::Op::Reset;
    let amount = |(index, event): (usize, &Event<R>)| match event.op {
        resettable_counter::Op::Add(amount) if !undone(events, mask, index, resets) => i128::from(amount),
        resettable_counter::Op::Add(_) | resettable_counter::Op::Reset => 0,
    };
    known(events, mask).map(amount).sum()
}

/// The same, of a [`Tally`](crate::Tally).
pub fn tallied<R: Replicated<Op = tally::Op>>(events: &[Rc<Event<R>>], mask: u32) -> i128 {
    let amount = |(index, event): (usize, &Event<R>)| match event.op {
        tally::Op::Add(amount) if !undone(events, mask, index, |op| *op == tally::Op::Reset) => {
            i128::from(amount)
        }
        tally::Op::Add(_) | tally::Op::Reset => 0,
    };
    known(events, mask).map(amount).sum()
}

/// The value of the latest write; stamps are made as the hybrid clock says, later than all that was seen.
pub fn last_written<R: Replicated<Op = register::Set<u64>>>(
    events: &[Rc<Event<R>>],
    mask: u32,
) -> Option<u64> {
    let mut stamps: Vec<Timestamp> = Vec::new();
    for event in events {
        let fresh = Timestamp { wall: event.op.now, logical: 0 };
        // The register itself has only seen the greatest of what was seen.
        let seen =
            (0..stamps.len()).filter(|index| event.seen & 1 << index != 0).map(|index| stamps[index]).max();
        stamps.push(seen.map_or(fresh, |seen| fresh.max(seen.successor())));
    }
    let last = known(events, mask).max_by_key(|(index, event)| (stamps[*index], event.by));
    last.map(|(_, event)| event.op.value)
}

/// The values that nobody replaced or cleared who had seen them.
pub fn written<R: Replicated<Op = register::Op<u64>>>(events: &[Rc<Event<R>>], mask: u32) -> BTreeSet<u64> {
    let value = |(index, event): (usize, &Event<R>)| match event.op {
        register::Op::Set(value) if !undone(events, mask, index, |_| true) => Some(value),
        register::Op::Set(_) | register::Op::Clear => None,
    };
    known(events, mask).filter_map(value).collect()
}

/// All that was added.
pub fn added<R: Replicated<Op = u64>>(events: &[Rc<Event<R>>], mask: u32) -> BTreeSet<u64> {
    known(events, mask).map(|(_, event)| event.op).collect()
}

/// What was added and never removed.
pub fn two_phase<R: Replicated<Op = set::Op<u64>>>(events: &[Rc<Event<R>>], mask: u32) -> BTreeSet<u64> {
    let removed = |element: u64| known(events, mask).any(|(_, event)| event.op == set::Op::Remove(element));
    let added = |(_, event): (usize, &Event<R>)| match event.op {
        set::Op::Insert(element) if !removed(element) => Some(element),
        set::Op::Insert(_) | set::Op::Remove(_) => None,
    };
    known(events, mask).filter_map(added).collect()
}

/// An addition counts until a removal that has seen it.
pub fn add_wins<R: Replicated<Op = set::Op<u64>>>(events: &[Rc<Event<R>>], mask: u32) -> BTreeSet<u64> {
    let added = |(index, event): (usize, &Event<R>)| match event.op {
        set::Op::Insert(element) => {
            let removes = |op: &set::Op<u64>| *op == set::Op::Remove(element);
            (!undone(events, mask, index, removes)).then_some(element)
        }
        set::Op::Remove(_) => None,
    };
    known(events, mask).filter_map(added).collect()
}

/// A removal counts until an addition that has seen it.
pub fn remove_wins<R: Replicated<Op = set::Op<u64>>>(events: &[Rc<Event<R>>], mask: u32) -> BTreeSet<u64> {
    let added: BTreeSet<u64> = known(events, mask)
        .filter_map(|(_, event)| match event.op {
            set::Op::Insert(element) => Some(element),
            set::Op::Remove(_) => None,
        })
        .collect();
    let removed = |element: u64| {
        known(events, mask).any(|(index, event)| {
            let adds = |op: &set::Op<u64>| *op == set::Op::Insert(element);
            event.op == set::Op::Remove(element) && !undone(events, mask, index, adds)
        })
    };
    added.into_iter().filter(|element| !removed(*element)).collect()
}

/// Whether a flag has a saying of this kind left: one that was not seen by one of the other kind.
pub fn stands<R: Replicated<Op = flag::Op>>(events: &[Rc<Event<R>>], mask: u32, what: flag::Op) -> bool {
    known(events, mask)
        .any(|(index, event)| event.op == what && !undone(events, mask, index, |op| *op != what))
}

/// Elements of a map of sets, as key and element.
pub fn map_of_sets<R: Replicated<Op = map::Op<u64, set::Op<u64>>>>(
    events: &[Rc<Event<R>>],
    mask: u32,
) -> BTreeSet<(u64, u64)> {
    let added = |(index, event): (usize, &Event<R>)| match event.op {
        map::Op::Update(key, set::Op::Insert(element)) => {
            let removes = |op: &map::Op<u64, set::Op<u64>>| match op {
                map::Op::Remove(other) => *other == key,
                map::Op::Update(other, op) => (*other, op) == (key, &set::Op::Remove(element)),
            };
            (!undone(events, mask, index, removes)).then_some((key, element))
        }
        map::Op::Update(..) | map::Op::Remove(_) => None,
    };
    known(events, mask).filter_map(added).collect()
}

/// An operation on a map of maps of registers.
pub type MapOfMaps = map::Op<u64, map::Op<u64, register::Op<u64>>>;

/// Values of a map of maps of registers, as key, key and value.
pub fn map_of_maps<R: Replicated<Op = MapOfMaps>>(
    events: &[Rc<Event<R>>],
    mask: u32,
) -> BTreeSet<(u64, u64, u64)> {
    let written = |(index, event): (usize, &Event<R>)| match &event.op {
        map::Op::Update(outer, map::Op::Update(inner, register::Op::Set(value))) => {
            let replaces = |op: &MapOfMaps| match op {
                map::Op::Remove(other) => other == outer,
                map::Op::Update(other, map::Op::Update(key, _) | map::Op::Remove(key)) => {
                    (other, key) == (outer, inner)
                }
            };
            (!undone(events, mask, index, replaces)).then_some((*outer, *inner, *value))
        }
        map::Op::Update(..) | map::Op::Remove(_) => None,
    };
    known(events, mask).filter_map(written).collect()
}

/// Vertices, and edges.
pub fn graph<R: Replicated<Op = graph::Op<u64>>>(
    events: &[Rc<Event<R>>],
    mask: u32,
) -> (BTreeSet<u64>, BTreeSet<(u64, u64)>) {
    let (mut vertices, mut edges) = (BTreeSet::new(), BTreeSet::new());
    for (index, event) in known(events, mask) {
        let mut mark = |vertex: u64| {
            if !undone(events, mask, index, |op| *op == graph::Op::RemoveVertex(vertex)) {
                vertices.insert(vertex);
            }
        };
        match event.op {
            graph::Op::AddVertex(vertex) => mark(vertex),
            graph::Op::AddEdge(from, to) => {
                mark(from);
                mark(to);
                let removes = |op: &graph::Op<u64>| {
                    [
                        graph::Op::RemoveVertex(from),
                        graph::Op::RemoveVertex(to),
                        graph::Op::RemoveEdge(from, to),
                    ]
                    .contains(op)
                };
                if !undone(events, mask, index, removes) {
                    edges.insert((from, to));
                }
            }
            graph::Op::RemoveVertex(_) | graph::Op::RemoveEdge(..) => {}
        }
    }
    (vertices, edges)
}
