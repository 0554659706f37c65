//! The part of group `check` about objects whose values are written once, which monitors judge in n log n: 10^6 operations of ten
//! clients, made by a run in some order, so that every history holds.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use isles_check::linearizability::{Limits, check};
use isles_check::models::{KeyValue, PriorityQueue, Queue, Set, Stack, collection, key_value, set};
use isles_check::{Model, Verdict};
use isles_history::Operation;

use super::check::{draw, generate};
use super::measure::timed;
use super::{Bench, Group};

const COUNT: u64 = 1_000_000;
const CLIENTS: u64 = 10;

/// A model and its histories.
macro_rules! monitor {
    ($name:literal, $about:literal, $run:expr) => {
        Bench { figures: &[($name, "s")], about: $about, slow: false, run: |_| vec![$run()] }
    };
}

pub(super) const GROUP: Group = Group {
    name: "check",
    about: "verdicts on histories of 10^6 operations of ten clients, values written once",
    benches: &[
        monitor!("queue-1e6-seconds", "a FIFO queue, half of the operations insert", queue),
        monitor!("stack-1e6-seconds", "a stack, likewise", stack),
        monitor!("priority-queue-1e6-seconds", "a priority queue, likewise", priority_queue),
        monitor!("set-1e6-seconds", "adds, removes and questions after one of 10^5 elements", elements),
        monitor!(
            "growing-set-1e6-seconds",
            "a set that only grows, and is read as a whole ten times",
            growing
        ),
        monitor!("key-value-1e6-seconds", "puts and gets of 10^4 keys", store),
    ],
};

/// CPU seconds; none if the answer is wrong.
fn judged<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Option<f64> {
    let (seconds, verdict) = timed(|| check(model, operations, &Limits::default()));
    matches!(verdict, Verdict::Holds(_)).then_some(seconds)
}

/// Half of the operations insert a value that was not there before, in no order of size; the others remove.
fn collections(
    mut insert: impl FnMut(u32),
    mut remove: impl FnMut() -> Option<u32>,
) -> Vec<Operation<collection::Op<u32>, collection::Reply<u32>>> {
    let mut next = 0u32;
    generate(COUNT, CLIENTS, 11, |dice| {
        if draw(dice, 2) == 0 {
            // An odd factor permutes the numbers.
            next += 1;
            let value = next.wrapping_mul(2_654_435_761);
            insert(value);
            return (collection::Op::Insert(value), collection::Reply::Done);
        }
        (collection::Op::Remove, collection::Reply::Value(remove()))
    })
}

fn queue() -> Option<f64> {
    let held = RefCell::new(VecDeque::new());
    let operations = collections(|v| held.borrow_mut().push_back(v), || held.borrow_mut().pop_front());
    judged(&Queue { initial: Vec::new() }, &operations)
}

fn stack() -> Option<f64> {
    let held = RefCell::new(Vec::new());
    let operations = collections(|v| held.borrow_mut().push(v), || held.borrow_mut().pop());
    judged(&Stack { initial: Vec::new() }, &operations)
}

fn priority_queue() -> Option<f64> {
    let held = RefCell::new(BTreeSet::new());
    let insert = |v| _ = held.borrow_mut().insert(v);
    let operations = collections(insert, || held.borrow_mut().pop_first());
    judged(&PriorityQueue { initial: Vec::new(), first: collection::First::Least }, &operations)
}

fn elements() -> Option<f64> {
    let mut held = BTreeSet::new();
    let operations = generate(COUNT, CLIENTS, 12, |dice| {
        let element = draw(dice, 100_000) as u32;
        let (op, is) = match draw(dice, 3) {
            0 => (set::Op::Add(element), held.insert(element)),
            1 => (set::Op::Remove(element), held.remove(&element)),
            _ => (set::Op::Contains(element), held.contains(&element)),
        };
        (op, set::Reply::Is(is))
    });
    judged(&Set { initial: BTreeSet::new() }, &operations)
}

fn growing() -> Option<f64> {
    let (mut held, mut turn) = (BTreeSet::new(), 0u64);
    let operations = generate(COUNT, CLIENTS, 13, |_| {
        turn += 1;
        if turn % (COUNT / 10) == 0 {
            return (set::Op::Read, set::Reply::All(held.clone()));
        }
        held.insert(turn);
        (set::Op::Add(turn), set::Reply::Done)
    });
    judged(&Set { initial: BTreeSet::new() }, &operations)
}

fn store() -> Option<f64> {
    let (mut held, mut turn) = (vec![None; 10_000], 0);
    let operations = generate(COUNT, 3 * CLIENTS, 14, |dice| {
        let key = draw(dice, 10_000) as u32;
        let value: &mut Option<Vec<u32>> = &mut held[key as usize];
        turn += 1;
        if draw(dice, 2) == 0 {
            let op = key_value::Op { key, action: key_value::Action::Get };
            return (op, key_value::Reply::Value(value.clone()));
        }
        *value = Some(vec![turn]);
        let action = key_value::Action::Put(vec![turn]);
        (key_value::Op { key, action }, key_value::Reply::Done)
    });
    judged(&KeyValue::new(None), &operations)
}
