//! Certificates that were changed are refused.

use isles_check::linearizability::{Limits, check};
use isles_check::models::Register;
use isles_check::models::register::{Op, Reply};
use isles_check::verify::{Flaw, Keep, contradiction, order};
use isles_check::{Model, Verdict};
use isles_history::{Operation, Outcome};

use super::random::{Dice, Kind, history};

type Step = Operation<Op<u32>, Reply<u32>>;

fn step(process: u32, invoked: u64, at: u64, op: Op<u32>, reply: Reply<u32>) -> Step {
    Operation { process, invoked, op, outcome: Outcome::Returned { at, reply } }
}

#[test]
fn orders_with_something_changed_are_refused() {
    let register = Register { initial: 0 };
    let ask = |wide: bool| {
        let [a, b, c, d] = if wide { [(0, 9); 4] } else { [(0, 1), (2, 3), (4, 5), (6, 7)] };
        [
            step(0, a.0, a.1, Op::Write(1), Reply::Done),
            step(1, b.0, b.1, Op::Read, Reply::Value(1)),
            step(2, c.0, c.1, Op::CompareAndSet(1, 2), Reply::Set(true)),
            step(3, d.0, d.1, Op::Read, Reply::Value(2)),
        ]
    };
    for wide in [false, true] {
        let operations = ask(wide);
        let judged = |names: &[u32]| order(&register, &operations, names, Keep::RealTime);
        assert_eq!(judged(&[0, 1, 2, 3]), Ok(()));
        for place in 0..4 {
            let mut fewer = vec![0, 1, 2, 3];
            let left_out = fewer.remove(place);
            // Whoever needs it is refused first.
            assert!(
                matches!(judged(&fewer), Err(Flaw::Missing(name) | Flaw::Impossible(name)) if name >= left_out)
            );
            let mut twice = vec![0, 1, 2, 3];
            twice.insert(place, 3 - place as u32);
            assert!(judged(&twice).is_err(), "{twice:?}");
        }
        for place in 0..3 {
            let mut swapped = vec![0, 1, 2, 3];
            swapped.swap(place, place + 1);
            judged(&swapped).expect_err("each depends on the one before");
        }
        assert_eq!(judged(&[0, 1, 2, 3, 4]), Err(Flaw::BadName(4)));
    }
}

#[test]
fn contradictions_of_fewer_or_other_operations_are_refused() {
    let register = Register { initial: 0 };
    let operations = [
        step(0, 0, 1, Op::Write(1), Reply::Done),
        step(1, 2, 3, Op::Write(2), Reply::Done),
        step(2, 4, 5, Op::Read, Reply::Value(1)),
        step(3, 6, 7, Op::Read, Reply::Value(2)),
    ];
    let judged = |core: &[u32]| contradiction(&register, &operations, core, Keep::RealTime);
    let Verdict::Violated(why) = check(&register, &operations, &Limits::default()) else {
        panic!("it is stale")
    };
    assert_eq!(judged(&why.core), Ok(()));
    for left_out in 0..why.core.len() {
        let mut fewer = why.core.clone();
        fewer.remove(left_out);
        assert_eq!(judged(&fewer), Err(Flaw::NotRefuted), "{fewer:?}");
    }
    assert_eq!(judged(&[0, 1, 3]), Err(Flaw::NotRefuted));
    assert_eq!(judged(&[1, 1, 2]), Err(Flaw::BadName(1)));
    assert_eq!(judged(&[2, 9]), Err(Flaw::BadName(9)));
}

/// How many orders of random histories can be swapped somewhere, and how many of the results are refused: those that plain replay refuses.
fn swaps<M: Kind>(seeds: std::ops::Range<u64>) -> (u32, u32) {
    let (mut made, mut refused) = (0, 0);
    for seed in seeds {
        let mut dice = Dice(seed);
        let model = M::new(&mut dice);
        let operations = history(&model, &mut dice, 7);
        let Verdict::Holds(right) = check(&model, &operations, &Limits::default()) else { continue };
        for place in 1..right.0.len() {
            let mut names = right.0.clone();
            names.swap(place - 1, place);
            let found = order(&model, &operations, &names, Keep::RealTime);
            made += 1;
            refused += u32::from(found.is_err());
            assert_eq!(
                found.is_ok(),
                replays(&model, &operations, &names),
                "seed {seed}: {names:?} {operations:?}"
            );
        }
    }
    (made, refused)
}

/// Whether operations take effect in an order, each within its interval, as recursion tells.
fn replays<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>], names: &[u32]) -> bool {
    fn go<M: Model>(
        model: &M,
        operations: &[Operation<M::Op, M::Reply>],
        names: &[u32],
        state: &M::State,
    ) -> bool {
        let Some((first, rest)) = names.split_first() else { return true };
        let operation = &operations[*first as usize];
        let is_in_time = rest.iter().all(|later| operations[*later as usize].returned() >= operation.invoked);
        let mut next = Vec::new();
        model.step(state, &operation.op, operation.reply(), &mut next);
        is_in_time && next.iter().any(|state| go(model, operations, rest, state))
    }
    go(model, operations, names, &model.initial())
}

#[test]
fn swapped_orders_are_refused_exactly_where_replay_fails() {
    let (made, refused) = swaps::<Register<u32>>(0..2_000);
    assert!(refused > 500 && made > refused + 500, "{refused} of {made}");
}
