//! For each pruning a history that is too long without it.

use std::sync::Arc;

use isles_history::{Moment, Operation, Outcome};

use super::{Job, Limits, Rules, Standing};
use crate::Model;
use crate::models::register::{Op, Register, Reply};
use crate::models::{KeyValue, Queue, collection, key_value};

fn operation<O, R>(invoked: Moment, op: O, returned: Option<(Moment, R)>) -> Operation<O, R> {
    let outcome = returned.map_or(Outcome::Unknown, |(at, reply)| Outcome::Returned { at, reply });
    Operation { process: invoked as u32, invoked, op, outcome }
}

/// What a search comes to with these rules, and how many configurations that took: at most 100 000.
fn search<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>], rules: Rules) -> (Standing, u64) {
    let members = (0..operations.len() as u32).collect();
    let mut job = Job::new(model, operations, members, &Limits::default(), rules);
    (job.run(100_000), job.nodes())
}

/// All rules come to this within so many configurations; without one of them it takes ten times as many.
#[track_caller]
fn needs<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    (standing, nodes): (Standing, u64),
    without: Rules,
) {
    let (found, took) = search(model, operations, Rules::ALL);
    assert_eq!(found, standing);
    assert!(took <= nodes, "it took {took}");
    let (found, took) = search(model, operations, without);
    assert!(found == standing || found == Standing::Open);
    assert!(took >= 10 * nodes, "without, it took {took}");
}

/// Twelve operations at a time, of which every second is a read of what is written at last.
#[test]
fn greedy_reads() {
    let mut history = Vec::new();
    for place in 0..9 {
        history.push(operation(place, Op::Read, Some((100 + place, Reply::Value(0)))));
    }
    history.push(operation(50, Op::Write(1), Some((60, Reply::Done))));
    history.push(operation(70, Op::Read, Some((80, Reply::Value(0)))));
    let rules = Rules { look_ahead: false, ..Rules::ALL };
    let (found, took) = search(&Register { initial: 0 }, &history, rules);
    assert_eq!(found, Standing::Refuted);
    let (found, without) = search(&Register { initial: 0 }, &history, Rules { greedy_reads: false, ..rules });
    assert!(found == Standing::Refuted && without > 5 * took, "{took} with, {without} without");
}

/// Whether alike writes of unknown outcome took effect, and which, makes no difference.
#[test]
fn twins() {
    let mut history: Vec<_> =
        (0..14).map(|place| operation(place, collection::Op::Insert(1), None)).collect();
    history.push(operation(20, collection::Op::Insert(2), Some((21, collection::Reply::Done))));
    history.push(operation(22, collection::Op::Remove, Some((23, collection::Reply::Value(Some(2))))));
    history.push(operation(24, collection::Op::Remove, Some((25, collection::Reply::Value(None)))));
    history.push(operation(26, collection::Op::Peek, Some((27, collection::Reply::Value(Some(3))))));
    let without = Rules { twins: false, ..Rules::ALL };
    needs(&Queue { initial: Vec::new() }, &history, (Standing::Refuted, 2000), without);
}

/// Writes in any order come to the same.
#[test]
fn memory() {
    let mut history: Vec<_> = (0..9)
        .map(|place| operation(place, Op::Write(place % 5), Some((100 + place, Reply::Done))))
        .collect();
    history.push(operation(200, Op::CompareAndSet(7, 8), Some((201, Reply::Set(true)))));
    let without = Rules { memory: false, ..Rules::ALL };
    let look = |rules| search(&Register { initial: 0 }, &history, Rules { look_ahead: false, ..rules });
    let ((found, took), (_, without)) = (look(Rules::ALL), look(without));
    assert!(found == Standing::Refuted && without > 10 * took, "{took} with, {without} without");
}

/// Writes of unknown outcome, and writes that follow one another in pairs.
fn overwritten(lost: u64) -> Vec<Operation<Op<u64>, Reply<u64>>> {
    let mut history: Vec<_> = (0..lost).map(|place| operation(place, Op::Write(place), None)).collect();
    for round in 0..4 {
        let at = 100 + 10 * round;
        history.push(operation(at, Op::Write(50 + round), Some((at + 5, Reply::Done))));
        history.push(operation(at + 1, Op::Write(60 + round), Some((at + 6, Reply::Done))));
    }
    history.push(operation(200, Op::Read, Some((201, Reply::Value(99)))));
    history
}

/// What fails without an operation of unknown outcome fails after it.
#[test]
fn subsumption() {
    let history = overwritten(6);
    let rules = Rules { look_ahead: false, seen: false, ..Rules::ALL };
    let register = Register { initial: 0 };
    let (found, took) = search(&register, &history, rules);
    let (_, without) = search(&register, &history, Rules { subsumption: false, ..rules });
    assert!(found == Standing::Refuted && without > 3 * took, "{took} with, {without} without");
}

/// What is overwritten unseen need not have happened.
#[test]
fn seen() {
    let history = overwritten(11);
    let rules = Rules { look_ahead: false, ..Rules::ALL };
    let register = Register { initial: 0 };
    let (found, took) = search(&register, &history, rules);
    let (_, without) = search(&register, &history, Rules { seen: false, ..rules });
    assert!(found == Standing::Refuted && without > 10 * took, "{took} with, {without} without");
}

/// What a get shows tells in which order appends took effect.
#[test]
fn look_ahead() {
    let op = |action| key_value::Op { key: (), action };
    let text = |range: std::ops::Range<u8>| -> Arc<str> {
        range.map(|letter| (b'a' + letter) as char).collect::<String>().into()
    };
    let mut history: Vec<_> = (0..10)
        .rev()
        .zip(0..)
        .map(|(letter, place)| {
            let append = key_value::Action::Append(text(letter..letter + 1));
            operation(place, op(append), Some((100 + place, key_value::Reply::Done)))
        })
        .collect();
    let answer = key_value::Reply::Value(Some(text(0..10)));
    history.push(operation(200, op(key_value::Action::Get), Some((201, answer))));
    let without = Rules { look_ahead: false, ..Rules::ALL };
    needs(&KeyValue::new(None), &history, (Standing::Found, 200), without);
}

/// Operations of more than 64 clients, and more than 64 of unknown outcome.
#[test]
fn many_are_open_at_a_time() {
    let mut history: Vec<_> = (0..100).map(|place| operation(place, Op::Write(place), None)).collect();
    history.extend(
        (100..200).map(|place| operation(place, Op::Read, Some((1000 + place, Reply::Value(place - 100))))),
    );
    let (found, _) = search(&Register { initial: 1000 }, &history, Rules::ALL);
    assert_eq!(found, Standing::Found);
    history.truncate(100);
    history.push(operation(3000, Op::Write(1000), Some((3001, Reply::Done))));
    history.push(operation(3002, Op::CompareAndSet(1000, 5), Some((3003, Reply::Set(true)))));
    history.push(operation(3004, Op::Read, Some((3005, Reply::Value(1000)))));
    let (found, _) = search(&Register { initial: 1000 }, &history, Rules::ALL);
    assert_eq!(found, Standing::Refuted);
}

/// A search that forgets most of what failed comes to the same.
#[test]
fn a_small_memory_is_enough() {
    let mut history: Vec<_> = (0..6)
        .map(|place| operation(place, Op::Write(place % 5), Some((100 + place, Reply::Done))))
        .collect();
    history.push(operation(200, Op::CompareAndSet(7, 8), Some((201, Reply::Set(true)))));
    let limits = Limits { memory: 8, ..Limits::default() };
    let register = Register { initial: 0 };
    let members = (0..history.len() as u32).collect();
    let rules = Rules { look_ahead: false, ..Rules::ALL };
    let mut job = Job::new(&register, &history, members, &limits, rules);
    assert_eq!(job.run(1_000_000), Standing::Refuted);
}

/// Up to when a walk with all that returned has ways, and how many it goes through until then.
fn ways<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>]) -> (Moment, u64) {
    let members: Vec<u32> = (0..operations.len() as u32).collect();
    let mut examiner = super::Examiner::new(model, operations, &members);
    let until = examiner.refuted_until(1 << 13).expect("it is refuted");
    (until, examiner.work)
}

/// A way with less of what is of unknown outcome done can do more: 2^11 sets without that.
#[test]
fn ways_that_did_less_cover_others() {
    // Only the last read is wrong, and it may be answered in some state until it returns. All values matter to what is refused.
    let mut history = overwritten(11);
    history.pop();
    history.insert(11, operation(20, Op::CompareAndSet(98, 99), Some((21, Reply::Set(false)))));
    for value in [3, 3] {
        let at = 200 + 10 * history.len() as u64;
        history.push(operation(at, Op::Read, Some((at + 1, Reply::Value(value)))));
        history.push(operation(at + 2, Op::Write(70), Some((at + 3, Reply::Done))));
    }
    let last = history.iter().filter(|operation| operation.op == Op::Read).map(Operation::returned).max();
    let (until, ways) = ways(&Register { initial: 0 }, &history);
    assert!(Some(until) == last && ways < 500, "{ways} until {until}");
}

/// Reads that fit are taken by a walk at once: 2^9 sets without that.
#[test]
fn a_walk_takes_reads() {
    let mut history: Vec<_> =
        (0..9).map(|place| operation(place, Op::Read, Some((100 + place, Reply::Value(0))))).collect();
    history.push(operation(200, Op::CompareAndSet(0, 1), Some((201, Reply::Set(true)))));
    history.push(operation(210, Op::CompareAndSet(0, 1), Some((211, Reply::Set(true)))));
    let (until, ways) = ways(&Register { initial: 0 }, &history);
    assert!(until == 211 && ways < 100, "{ways} until {until}");
}

/// Of operations that are alike a walk takes the first to return first: 2^8 sets without that.
#[test]
fn a_walk_takes_twins_in_order() {
    let mut history: Vec<_> = (0..8)
        .map(|place| {
            operation(place, collection::Op::Insert(1), Some((100 + place, collection::Reply::Done)))
        })
        .collect();
    for at in [200, 202] {
        let empty = collection::Reply::Value(None);
        history.push(operation(at, collection::Op::Remove, Some((at + 1, empty))));
    }
    let (until, ways) = ways(&Queue { initial: Vec::new() }, &history);
    assert!(until >= 201 && ways < 100, "{ways} until {until}");
}
