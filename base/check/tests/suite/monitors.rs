//! Monitors against brute force, on many small histories, and every order that they give against the model.

#![expect(clippy::wildcard_enum_match_arm, reason = "only gets have answers here")]

use std::collections::BTreeSet;
use std::sync::Arc;

use isles_check::linearizability::{Limits, check};
use isles_check::models::collection::{First, Op, Reply};
use isles_check::models::{KeyValue, PriorityQueue, Queue, Stack, key_value};
use isles_check::monitors::{Finding, priority_queue, queue, stack};
use isles_check::{Model, Verdict, verify};
use isles_history::{Moment, Operation, Outcome};
use isles_kernel::random::Stream;

use super::random::has_order;

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

type Text = Arc<str>;
type Grown = Operation<key_value::Op<(), Text>, key_value::Reply<Text>>;

fn grown(
    invoked: Moment,
    returned: Option<Moment>,
    action: key_value::Action<Text>,
    told: Option<&str>,
) -> Grown {
    let reply = match action {
        key_value::Action::Get => key_value::Reply::Value(told.map(Text::from)),
        _ => key_value::Reply::Done,
    };
    let outcome = returned.map_or(Outcome::Unknown, |at| Outcome::Returned { at, reply });
    Operation { process: 0, invoked, op: key_value::Op { key: (), action }, outcome }
}

/// Puts, appends and gets of one key, each value another, with answers that are right but for one now and then.
fn growth(draws: &mut Stream) -> (KeyValue<(), Text>, Vec<Grown>) {
    let initial = [None, Some(""), Some("z")][draws.below(3) as usize];
    let span = 2 + draws.below(16);
    let mut spans: Vec<[Moment; 3]> = (0..2 + draws.below(7))
        .map(|_| {
            let invoked = Moment::from(draws.below(span));
            let effect = invoked + Moment::from(draws.below(5));
            [effect, invoked, effect + Moment::from(draws.below(5))]
        })
        .collect();
    spans.sort_unstable();
    let mut held = initial.map(str::to_owned);
    let mut operations: Vec<Grown> = Vec::new();
    for (letter, [_, invoked, returned]) in (b'a'..).zip(spans) {
        let mut value = char::from(letter).to_string();
        value.extend((draws.below(2) == 0).then_some('!'));
        let is_lost = draws.below(8) == 0;
        let happens = !is_lost || draws.below(2) == 0;
        let told = held.clone();
        let action = match draws.below(8) {
            0..4 => key_value::Action::Get,
            4 => {
                held = if happens { Some(value.clone()) } else { held };
                key_value::Action::Put(value.into())
            }
            _ => {
                held = if happens { Some(held.unwrap_or_default() + &value) } else { held };
                key_value::Action::Append(value.into())
            }
        };
        operations.push(grown(invoked, (!is_lost).then_some(returned), action, told.as_deref()));
    }
    if draws.below(2) == 0 {
        let answers: Vec<key_value::Reply<Text>> =
            operations.iter().filter_map(|operation| operation.reply().cloned()).collect();
        let place = draws.below(operations.len() as u32) as usize;
        if let Outcome::Returned { reply: key_value::Reply::Value(told), .. } = &mut operations[place].outcome
        {
            let another = answers.get(draws.below(answers.len() as u32) as usize);
            *told = match (another, draws.below(3)) {
                (Some(key_value::Reply::Value(another)), 0) => another.clone(),
                (_, 1) => told.as_ref().and_then(|told| told.get(1..)).map(Text::from),
                _ => told.as_ref().map(|told| told.chars().rev().collect::<String>().into()),
            };
        }
    }
    operations.sort_by_key(|operation| operation.invoked);
    (KeyValue::new(initial.map(Text::from)), operations)
}

#[test]
fn values_that_grow_as_brute_force_says() {
    let mut counts = [0; 2];
    for seed in 0..6_000 {
        let (model, operations) = growth(&mut Stream::new(seed, &[7]));
        let members: Vec<u32> = (0..operations.len() as u32).collect();
        let legal = has_order(&model, &operations, true);
        match model.monitor(&operations, &members).expect("each value is another") {
            Ok(order) => {
                let checked = verify::order(&model, &operations, &order, verify::Keep::RealTime);
                assert_eq!(checked, Ok(()), "seed {seed}: {order:?} of {operations:#?}");
                counts[0] += 1;
            }
            Err(few) => {
                assert!(!legal, "seed {seed}: {few:?} of {operations:#?}");
                let Verdict::Violated(why) = check(&model, &operations, &Limits::default()) else {
                    panic!("seed {seed}: the monitor says no")
                };
                let checked = verify::contradiction(&model, &operations, &why.core, verify::Keep::RealTime);
                assert_eq!(checked, Ok(()), "seed {seed}: {why:?} of {operations:#?}");
                counts[1] += 1;
            }
        }
    }
    assert!(counts[0] > 2_000 && counts[1] > 500, "one answer is hardly ever given: {counts:?}");
}

/// When an operation was invoked and returned, and what it was.
type Told = (Moment, Moment, &'static str);

/// What the monitor of values that grow says of operations that are written `put a`, `app b`, `get ab`, each with the moments
/// of its invocation and return; nothing is there at first.
fn grows(operations: &[Told]) -> Option<Result<Vec<u32>, Vec<u32>>> {
    let operations: Vec<Grown> = operations
        .iter()
        .map(|(invoked, returned, words)| {
            let (word, value) = words.split_at(4);
            let action = match word {
                "put " => key_value::Action::Put(value.into()),
                "app " => key_value::Action::Append(value.into()),
                _ => key_value::Action::Get,
            };
            grown(*invoked, Some(*returned), action, Some(value))
        })
        .collect();
    let members: Vec<u32> = (0..operations.len() as u32).collect();
    KeyValue::new(None).monitor(&operations, &members)
}

/// Each of these is wrong by one rule only: without it, the monitor would find an order.
#[test]
fn values_that_grow_are_wrong_for_each_reason() {
    let wrong: [(&str, &[Told]); 7] = [
        ("nobody wrote it", &[(0, 9, "put a"), (0, 9, "get ax")]),
        ("it is read twice in one value", &[(0, 9, "put a"), (0, 9, "app b"), (0, 9, "get abb")]),
        (
            "it is read in two values",
            &[(0, 9, "put a"), (0, 9, "put b"), (0, 9, "app c"), (0, 9, "get ac"), (0, 9, "get bc")],
        ),
        (
            "two orders are read",
            &[(0, 9, "put a"), (0, 9, "app b"), (0, 9, "app c"), (0, 9, "get ab"), (0, 9, "get acb")],
        ),
        ("a put is read as if it had been appended", &[(0, 9, "put a"), (0, 9, "put b"), (0, 9, "get ab")]),
        ("what is read comes later", &[(0, 9, "put a"), (0, 4, "app b"), (5, 9, "app c"), (0, 9, "get acb")]),
        ("another put lies between", &[(0, 1, "put a"), (2, 3, "put b"), (4, 5, "app c"), (6, 7, "get ac")]),
    ];
    for (why, operations) in wrong {
        assert!(matches!(grows(operations), Some(Err(_))), "{why}");
        // Without the last reading nothing is wrong.
        assert!(matches!(grows(&operations[..operations.len() - 1]), Some(Ok(_))), "{why}");
    }
}

#[test]
fn values_that_can_be_read_in_two_ways_are_left_to_search() {
    assert_eq!(grows(&[(0, 1, "put a"), (0, 1, "app ab"), (0, 1, "app b"), (2, 3, "get aab")]), None);
    assert_eq!(grows(&[(0, 1, "put a"), (0, 1, "app a"), (2, 3, "get aa")]), None);
    assert_eq!(grows(&[(0, 1, "put a"), (0, 1, "app "), (2, 3, "get a")]), None);
}
