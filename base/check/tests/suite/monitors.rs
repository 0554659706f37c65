//! Monitors against brute force, on many small histories, and every order that they give against the model.

use std::collections::BTreeSet;

use isles_check::Model;
use isles_check::models::collection::{First, Op, Reply};
use isles_check::models::{PriorityQueue, Queue, Stack};
use isles_check::monitors::{Finding, priority_queue, queue, stack};
use isles_history::{Moment, Operation, Outcome};
use isles_kernel::random::Stream;

type Step = Operation<Op<u8>, Reply<u8>>;

/// Whether there is a legal order, by trying all.
fn brute<M: Model<Op = Op<u8>, Reply = Reply<u8>>>(model: &M, operations: &[Step]) -> bool {
    fn go<M: Model<Op = Op<u8>, Reply = Reply<u8>>>(
        model: &M,
        operations: &[Step],
        (done, state): (u32, M::State),
        seen: &mut BTreeSet<(u32, String)>,
    ) -> bool {
        let open = |at: usize| done >> at & 1 == 0;
        if (0..operations.len()).all(|at| !open(at) || operations[at].reply().is_none()) {
            return true;
        }
        if !seen.insert((done, format!("{state:?}"))) {
            return false;
        }
        let limit = (0..operations.len()).filter(|at| open(*at)).map(|at| operations[at].returned()).min();
        (0..operations.len()).filter(|at| open(*at) && Some(operations[*at].invoked) <= limit).any(|at| {
            let mut next = Vec::new();
            model.step(&state, &operations[at].op, operations[at].reply(), &mut next);
            next.into_iter().any(|state| go(model, operations, (done | 1 << at, state), seen))
        })
    }
    go(model, operations, (0, model.initial()), &mut BTreeSet::new())
}

/// Why this is no legal order of all that returned, if it is none.
fn flaw<M: Model<Op = Op<u8>, Reply = Reply<u8>>>(
    model: &M,
    operations: &[Step],
    order: &[u32],
) -> Option<String> {
    let mut states = vec![model.initial()];
    let mut there = vec![false; operations.len()];
    let mut latest: Moment = 0;
    for at in order {
        let operation = &operations[*at as usize];
        if std::mem::replace(&mut there[*at as usize], true) {
            return Some(format!("{at} is there twice"));
        }
        if operation.returned() < latest {
            return Some(format!("{at} returned before one before it was invoked"));
        }
        latest = latest.max(operation.invoked);
        let mut next = Vec::new();
        for state in &states {
            model.step(state, &operation.op, operation.reply(), &mut next);
        }
        if next.is_empty() {
            return Some(format!("{at} is not possible"));
        }
        states = next;
    }
    let missing = (0..operations.len()).find(|at| !there[*at] && operations[*at].reply().is_some());
    missing.map(|at| format!("{at} is missing"))
}

/// A history of few operations, most of them nearly right: values go in once; removals answer what may be in.
fn history(draws: &mut Stream, crashes: bool) -> Vec<Step> {
    let count = 2 + draws.below(7) as usize;
    let span = 2 + draws.below(12);
    let mut values: Vec<u8> = (0..count as u8).collect();
    draws.shuffle(&mut values);
    let mut inserted = 0;
    let mut operations: Vec<Step> = (0..count)
        .map(|_| {
            let invoked = Moment::from(draws.below(span));
            let at = invoked + Moment::from(draws.below(4));
            let inserts = inserted == 0 || draws.below(2) == 0;
            let (op, reply) = if inserts {
                inserted += 1;
                (Op::Insert(values[inserted - 1]), Reply::Done)
            } else {
                (Op::Remove, Reply::Value(None))
            };
            let outcome = if crashes && draws.below(6) == 0 {
                Outcome::Unknown
            } else {
                Outcome::Returned { at, reply }
            };
            Operation { process: 0, invoked, op, outcome }
        })
        .collect();
    let mut left: Vec<u8> = values[..inserted].to_vec();
    draws.shuffle(&mut left);
    for operation in &mut operations {
        if let Outcome::Returned { reply: Reply::Value(value), .. } = &mut operation.outcome
            && draws.below(5) > 0
        {
            *value = if draws.below(40) == 0 { Some(values[0]) } else { left.pop() };
        }
    }
    operations
}

/// Compares a monitor with brute force on so many histories. Returns how many were right, wrong, and left open.
fn compare<M: Model<Op = Op<u8>, Reply = Reply<u8>>>(
    model: &M,
    monitor: impl Fn(&[Step], &[u32]) -> Finding,
    seeds: std::ops::Range<u64>,
    crashes: bool,
) -> [u32; 3] {
    let mut counts = [0; 3];
    for seed in seeds {
        let operations = history(&mut Stream::new(seed, &[u64::from(crashes)]), crashes);
        let legal = brute(model, &operations);
        let members: Vec<u32> = (0..operations.len() as u32).collect();
        match monitor(&operations, &members) {
            Finding::Order(order) => {
                let flaw = flaw(model, &operations, &order);
                assert_eq!(flaw, None, "seed {seed}: {order:?} of {operations:#?}");
                counts[0] += 1;
            }
            Finding::Wrong(few) => {
                assert!(!legal, "seed {seed}: {operations:#?}");
                let few: Vec<Step> = few.iter().map(|at| operations[*at as usize].clone()).collect();
                assert!(!brute(model, &few), "seed {seed}: the part is right: {few:#?}");
                counts[1] += 1;
            }
            Finding::Inapplicable(why) => {
                assert!(crashes, "seed {seed}: {why}: {operations:#?}");
                counts[2] += 1;
            }
        }
    }
    counts
}

const SEEDS: std::ops::Range<u64> = 0..20_000;

fn each_way(counts: [u32; 3]) {
    assert!(counts[0] > 500 && counts[1] > 500, "one answer is hardly ever given: {counts:?}");
}

#[test]
fn queues_as_brute_force_says() {
    let model = Queue { initial: Vec::new() };
    each_way(compare(&model, queue, SEEDS, false));
    each_way(compare(&model, queue, SEEDS, true));
}

#[test]
fn stacks_as_brute_force_says() {
    let model = Stack { initial: Vec::new() };
    each_way(compare(&model, stack, SEEDS, false));
    each_way(compare(&model, stack, SEEDS, true));
}

#[test]
fn priority_queues_as_brute_force_says() {
    for first in [First::Least, First::Greatest] {
        let model = PriorityQueue { initial: Vec::new(), first };
        each_way(compare(
            &model,
            |operations, members| priority_queue(operations, members, first),
            SEEDS,
            false,
        ));
        each_way(compare(
            &model,
            |operations, members| priority_queue(operations, members, first),
            SEEDS,
            true,
        ));
    }
}
