//! Random small histories of every model, and what plain enumeration says of them.

#![expect(clippy::wildcard_enum_match_arm, reason = "a dice picks among what a model may answer")]

use std::collections::{BTreeMap, BTreeSet};

use isles_check::linearizability::incremental;
use isles_check::models::{
    Bank, Broker, Counter, KeyValue, Lease, Lock, Log, MultiRegister, PriorityQueue, Queue, Register, Set,
    Stack, bank, broker, collection, counter, key_value, lease, lock, log, multi_register, register, set,
};
use isles_check::{Model, Verdict, linearizability, sequential, verify};
use isles_history::{Operation, Outcome};

/// Splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % bound
    }

    fn is(&mut self, one_in: u64) -> bool {
        self.roll(one_in) == 0
    }
}

/// How histories of a model are made.
pub(crate) trait Kind: Model + Sized {
    /// Whether a step without an answer tells all states to which one with an answer may lead.
    const TELLS_ALL: bool = true;

    fn new(dice: &mut Dice) -> Self;
    fn op(&self, dice: &mut Dice, unique: u64) -> Self::Op;
    /// Some answer.
    fn reply(&self, dice: &mut Dice, op: &Self::Op) -> Self::Reply;
}

pub(crate) type Operations<M> = Vec<Operation<<M as Model>::Op, <M as Model>::Reply>>;

/// A history of at most `count` operations of at most four processes: legal for some order, except that now and then an answer is
/// any or unknown.
pub(crate) fn history<M: Kind>(model: &M, dice: &mut Dice, count: u64) -> Operations<M> {
    let count = 1 + dice.roll(count);
    let processes = 1 + dice.roll(4);
    let mut free = vec![0; processes as usize];
    let mut spans: Vec<(u64, u64, u64, u32)> = Vec::new();
    for _ in 0..count {
        let process = dice.roll(processes) as usize;
        let invoked = free[process] + 1 + dice.roll(6);
        let effect = invoked + dice.roll(6);
        let returned = effect + 1 + dice.roll(6);
        free[process] = returned + 1;
        spans.push((effect, invoked, returned, process as u32));
    }
    spans.sort_unstable();
    let mut state = model.initial();
    let mut operations: Operations<M> = Vec::new();
    let wild = 1 + dice.roll(12);
    for (number, (_, invoked, returned, process)) in (0..).zip(spans) {
        let op = model.op(dice, number);
        let mut next = Vec::new();
        let mut reply = None;
        for _ in 0..40 {
            let tried = model.reply(dice, &op);
            model.step(&state, &op, Some(&tried), &mut next);
            if !next.is_empty() {
                reply = Some(tried);
                break;
            }
        }
        let is_lost = dice.is(8);
        let mut process = process;
        if is_lost {
            next.clear();
            if dice.is(2) {
                model.step(&state, &op, None, &mut next);
            }
            process += 10 * (number as u32 + 1);
        }
        if let Some(after) =
            (!next.is_empty()).then(|| next.swap_remove(dice.roll(next.len() as u64) as usize))
        {
            state = after;
        }
        let outcome = match reply {
            _ if is_lost => Outcome::Unknown,
            Some(reply) if !dice.is(wild + 2) => Outcome::Returned { at: returned, reply },
            _ => Outcome::Returned { at: returned, reply: model.reply(dice, &op) },
        };
        operations.push(Operation { process, invoked, op, outcome });
    }
    operations.sort_by_key(|operation| operation.invoked);
    operations
}

/// Whether there is an order, by trying all; in real time, or only in that of each process.
pub(crate) fn has_order<M: Model>(model: &M, operations: &Operations<M>, in_real_time: bool) -> bool {
    fn go<M: Model>(
        model: &M,
        operations: &Operations<M>,
        in_real_time: bool,
        state: &M::State,
        done: &mut Vec<bool>,
    ) -> bool {
        if operations.iter().zip(&*done).all(|(operation, done)| *done || operation.reply().is_none()) {
            return true;
        }
        for place in 0..operations.len() {
            let operation = &operations[place];
            let must_wait = |(other, done): (&Operation<M::Op, M::Reply>, &bool)| {
                let before = if in_real_time {
                    other.returned() < operation.invoked
                } else {
                    other.process == operation.process && other.invoked < operation.invoked
                };
                !*done && before
            };
            if done[place] || operations.iter().zip(&*done).any(must_wait) {
                continue;
            }
            let mut next = Vec::new();
            model.step(state, &operation.op, operation.reply(), &mut next);
            done[place] = true;
            if next.iter().any(|state| go(model, operations, in_real_time, state, done)) {
                return true;
            }
            done[place] = false;
        }
        false
    }
    go(model, operations, in_real_time, &model.initial(), &mut vec![false; operations.len()])
}

/// What came of comparing.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    pub(crate) sequential: u64,
    /// The largest contradiction.
    pub(crate) largest: usize,
}

/// Compares all answers on random histories from a seed on.
pub(crate) fn compare<M: Kind>(name: &str, seeds: std::ops::Range<u64>, count: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let mut dice = Dice(seed);
        let model = M::new(&mut dice);
        let operations = history(&model, &mut dice, count);
        let tell = || format!("{name}, seed {seed}: {operations:?}");
        let limits = linearizability::Limits::default();
        let right = has_order(&model, &operations, true);
        let core: Vec<u32> = (0..operations.len() as u32)
            .filter(|place| operations[*place as usize].reply().is_some() && dice.is(2))
            .collect();
        if right && !core.is_empty() {
            assert!(
                verify::contradiction(&model, &operations, &core, verify::Keep::RealTime).is_err(),
                "{core:?}, {}",
                tell()
            );
        }
        match linearizability::check(&model, &operations, &limits) {
            Verdict::Holds(order) => {
                assert!(right, "there is no order: {}", tell());
                assert_eq!(
                    verify::order(&model, &operations, &order.0, verify::Keep::RealTime),
                    Ok(()),
                    "{order:?}, {}",
                    tell()
                );
                tally.right += 1;
            }
            Verdict::Violated(why) => {
                assert!(!right, "there is an order: {}", tell());
                assert_eq!(
                    verify::contradiction(&model, &operations, &why.core, verify::Keep::RealTime),
                    Ok(()),
                    "{:?}, {}",
                    why.core,
                    tell()
                );
                tally.largest = tally.largest.max(why.core.len());
                tally.wrong += 1;
            }
            Verdict::Unknown(progress) => panic!("{progress:?}: {}", tell()),
        }
        assert_eq!(holds_without_monitors(&model, &operations, &limits), Some(right), "{}", tell());
        tally.sequential += u64::from(compare_sequential(&model, &operations, &limits, &tell));
        if M::TELLS_ALL {
            compare_incremental(&model, &operations, &tell);
        }
    }
    tally
}

/// A model of which no monitor is known, so that all is left to the search.
struct Searched<'a, M>(&'a M);

impl<M: Model> Model for Searched<'_, M> {
    type Op = M::Op;
    type Reply = M::Reply;
    type State = M::State;

    fn initial(&self) -> M::State {
        self.0.initial()
    }

    fn step(&self, state: &M::State, op: &M::Op, reply: Option<&M::Reply>, next: &mut Vec<M::State>) {
        self.0.step(state, op, reply, next);
    }

    fn effect(&self, op: &M::Op, reply: Option<&M::Reply>) -> isles_check::Effect {
        self.0.effect(op, reply)
    }

    fn objects(&self, op: &M::Op, objects: &mut isles_check::Parts) {
        self.0.objects(op, objects);
    }

    fn can_lead(&self, state: &M::State, op: &M::Op, reply: &M::Reply) -> bool {
        self.0.can_lead(state, op, reply)
    }

    fn supplies(&self, by: (&M::Op, Option<&M::Reply>), op: &M::Op, reply: &M::Reply) -> bool {
        self.0.supplies(by, op, reply)
    }
}

/// What the search alone says: neither a monitor, nor a part of which one is asked, nor one of values that hang together.
fn holds_without_monitors<M: Model>(
    model: &M,
    operations: &Operations<M>,
    limits: &linearizability::Limits,
) -> Option<bool> {
    match linearizability::check(&Searched(model), operations, limits) {
        Verdict::Holds(_) => Some(true),
        Verdict::Violated(_) => Some(false),
        Verdict::Unknown(_) => None,
    }
}

/// Sequential consistency; whether the history has it.
fn compare_sequential<M: Kind>(
    model: &M,
    operations: &Operations<M>,
    limits: &linearizability::Limits,
    tell: &dyn Fn() -> String,
) -> bool {
    let right = has_order(model, operations, false);
    match sequential::check(model, operations, limits) {
        Verdict::Holds(order) => {
            assert!(right, "there is no sequential order: {}", tell());
            assert_eq!(
                verify::order(model, operations, &order.0, verify::Keep::Processes),
                Ok(()),
                "{}",
                tell()
            );
        }
        Verdict::Violated(why) => {
            assert!(!right, "there is a sequential order: {}", tell());
            let checked = verify::contradiction(model, operations, &why.core, verify::Keep::Processes);
            assert_eq!(checked, Ok(()), "{:?}, {}", why.core, tell());
        }
        Verdict::Unknown(progress) => panic!("{progress:?}: {}", tell()),
    }
    right
}

/// The incremental checker finds a history wrong with exactly the return that makes it so.
fn compare_incremental<M: Kind>(model: &M, operations: &Operations<M>, tell: &dyn Fn() -> String) {
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        events.push((operation.invoked, false, place));
        if operation.reply().is_some() {
            events.push((operation.returned(), true, place));
        }
    }
    events.sort_unstable();
    let mut cache = incremental::Cache::new(model);
    let mut frontier = incremental::Frontier::default();
    let mut tickets = vec![None; operations.len()];
    let mut answered = vec![false; operations.len()];
    for (now, is_return, place) in events {
        let operation = &operations[place];
        if !is_return {
            tickets[place] = Some(frontier.invoke(&mut cache, &operation.op));
            continue;
        }
        let reply = operation.reply().expect("it returned");
        let fits = frontier.respond(&mut cache, tickets[place].expect("it was invoked"), reply);
        answered[place] = true;
        let so_far: Operations<M> = (0..)
            .zip(operations)
            .filter(|(place, _)| tickets[*place].is_some())
            .map(|(place, operation)| {
                let outcome = if answered[place] { operation.outcome.clone() } else { Outcome::Unknown };
                Operation { outcome, ..operation.clone() }
            })
            .collect();
        assert_eq!(fits, has_order(model, &so_far, true), "at {now}: {}", tell());
        if !fits {
            return;
        }
    }
}

fn few(dice: &mut Dice) -> u32 {
    dice.roll(3) as u32
}

/// A value that is written once, or one of a few.
fn value(dice: &mut Dice, unique: u64) -> u32 {
    if unique > 0 && unique % 2 == dice.0 % 2 { unique as u32 + 3 } else { few(dice) }
}

impl Kind for Register<u32> {
    fn new(_: &mut Dice) -> Self {
        Self { initial: 0 }
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> register::Op<u32> {
        match dice.roll(5) {
            0 | 1 => register::Op::Read,
            2 | 3 => register::Op::Write(value(dice, unique)),
            _ => register::Op::CompareAndSet(few(dice), few(dice)),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &register::Op<u32>) -> register::Reply<u32> {
        match op {
            register::Op::Read => register::Reply::Value(dice.roll(8) as u32),
            register::Op::Write(_) => register::Reply::Done,
            register::Op::CompareAndSet(..) => register::Reply::Set(dice.is(2)),
        }
    }
}

/// A register whose values are written once each.
#[derive(Debug)]
pub(crate) struct Unique(pub(crate) Register<u32>);

impl Model for Unique {
    type Op = register::Op<u32>;
    type Reply = register::Reply<u32>;
    type State = u32;

    fn initial(&self) -> u32 {
        self.0.initial
    }

    fn step(&self, state: &u32, op: &Self::Op, reply: Option<&Self::Reply>, next: &mut Vec<u32>) {
        self.0.step(state, op, reply, next);
    }

    fn effect(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> isles_check::Effect {
        self.0.effect(op, reply)
    }

    fn values(&self, op: &Self::Op, reply: Option<&Self::Reply>, values: &mut isles_check::Parts) {
        self.0.values(op, reply, values);
    }

    fn monitor(
        &self,
        operations: &[Operation<Self::Op, Self::Reply>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let answer = self.0.monitor(operations, members);
        assert!(answer.is_some(), "zones judge {operations:?}");
        answer
    }
}

impl Kind for Unique {
    fn new(_: &mut Dice) -> Self {
        Self(Register { initial: 0 })
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> register::Op<u32> {
        if dice.is(2) { register::Op::Read } else { register::Op::Write(unique as u32 + 1) }
    }

    fn reply(&self, dice: &mut Dice, op: &register::Op<u32>) -> register::Reply<u32> {
        match op {
            register::Op::Write(_) => register::Reply::Done,
            _ => register::Reply::Value(dice.roll(8) as u32),
        }
    }
}

impl Kind for MultiRegister<u32, u32> {
    fn new(_: &mut Dice) -> Self {
        Self { initial: BTreeMap::from([(0, 0), (1, 0)]) }
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> multi_register::Op<u32, u32> {
        let steps = (0..1 + dice.roll(2)).map(|_| {
            let key = few(dice);
            if dice.is(2) {
                multi_register::Step::Read(key)
            } else {
                multi_register::Step::Write(key, value(dice, unique))
            }
        });
        multi_register::Op(steps.collect())
    }

    fn reply(&self, dice: &mut Dice, op: &multi_register::Op<u32, u32>) -> multi_register::Reply<u32> {
        multi_register::Reply(
            op.0.iter()
                .map(|step| {
                    let reads = matches!(step, multi_register::Step::Read(_));
                    (reads && !dice.is(4)).then(|| few(dice))
                })
                .collect(),
        )
    }
}

impl Kind for KeyValue<u32, Vec<u32>> {
    fn new(dice: &mut Dice) -> Self {
        Self::new(dice.is(2).then(Vec::new))
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> key_value::Op<u32, Vec<u32>> {
        use key_value::Action::{Append, CompareAndSet, Delete, Get, Put};
        let action = match dice.roll(10) {
            0..4 => Get,
            4 => Put(vec![value(dice, unique)]),
            5..=7 => Append(vec![value(dice, unique)]),
            8 => CompareAndSet(dice.is(2).then(|| vec![few(dice)]), vec![few(dice)]),
            _ => Delete,
        };
        key_value::Op { key: few(dice) / 2, action }
    }

    fn reply(&self, dice: &mut Dice, op: &key_value::Op<u32, Vec<u32>>) -> key_value::Reply<Vec<u32>> {
        use key_value::{Action, Reply};
        match op.action {
            Action::Get => {
                Reply::Value((!dice.is(3)).then(|| (0..dice.roll(3)).map(|_| dice.roll(8) as u32).collect()))
            }
            Action::CompareAndSet(..) => Reply::Changed(dice.is(2)),
            Action::Delete if dice.is(2) => Reply::Changed(dice.is(2)),
            _ => Reply::Done,
        }
    }
}

impl Kind for Counter {
    fn new(_: &mut Dice) -> Self {
        Self { initial: 0 }
    }

    fn op(&self, dice: &mut Dice, _: u64) -> counter::Op {
        match dice.roll(8) {
            0..3 => counter::Op::Read,
            3 => counter::Op::Add(-1),
            _ => counter::Op::Add(few(dice).into()),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &counter::Op) -> counter::Reply {
        let quiet = matches!(op, counter::Op::Add(_)) && dice.is(2);
        if quiet { counter::Reply::Done } else { counter::Reply::Value(dice.roll(8) as i64 - 1) }
    }
}

impl Kind for Set<u32> {
    fn new(_: &mut Dice) -> Self {
        Self { initial: BTreeSet::from([1]) }
    }

    fn op(&self, dice: &mut Dice, _: u64) -> set::Op<u32> {
        match dice.roll(10) {
            0..4 => set::Op::Add(few(dice)),
            4..7 => set::Op::Remove(few(dice)),
            7 | 8 => set::Op::Contains(few(dice)),
            _ => set::Op::Read,
        }
    }

    fn reply(&self, dice: &mut Dice, op: &set::Op<u32>) -> set::Reply<u32> {
        match op {
            set::Op::Read => set::Reply::All((0..3).filter(|_| dice.is(2)).collect()),
            set::Op::Add(_) | set::Op::Remove(_) if dice.is(2) => set::Reply::Done,
            _ => set::Reply::Is(dice.is(2)),
        }
    }
}

/// A set that only grows and is read as a whole.
#[derive(Debug)]
pub(crate) struct Growing(pub(crate) Set<u32>);

impl Model for Growing {
    type Op = set::Op<u32>;
    type Reply = set::Reply<u32>;
    type State = BTreeSet<u32>;

    fn initial(&self) -> BTreeSet<u32> {
        self.0.initial()
    }

    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        reply: Option<&Self::Reply>,
        next: &mut Vec<Self::State>,
    ) {
        self.0.step(state, op, reply, next);
    }

    fn effect(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> isles_check::Effect {
        self.0.effect(op, reply)
    }

    fn values(&self, op: &Self::Op, reply: Option<&Self::Reply>, values: &mut isles_check::Parts) {
        self.0.values(op, reply, values);
    }

    fn narrowed(
        &self,
        op: &Self::Op,
        reply: &Self::Reply,
        without: &isles_check::Parts,
    ) -> Option<Self::Reply> {
        self.0.narrowed(op, reply, without)
    }

    fn can_lead(&self, state: &Self::State, op: &Self::Op, reply: &Self::Reply) -> bool {
        self.0.can_lead(state, op, reply)
    }

    fn supplies(&self, by: (&Self::Op, Option<&Self::Reply>), op: &Self::Op, reply: &Self::Reply) -> bool {
        self.0.supplies(by, op, reply)
    }

    fn monitor(
        &self,
        operations: &[Operation<Self::Op, Self::Reply>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let answer = self.0.monitor(operations, members);
        let has_reads = operations.iter().any(|operation| operation.op == set::Op::Read);
        assert!(!has_reads || answer.is_some(), "a chain judges {operations:?}");
        answer
    }
}

impl Kind for Growing {
    fn new(_: &mut Dice) -> Self {
        Self(Set { initial: BTreeSet::new() })
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> set::Op<u32> {
        match dice.roll(5) {
            0 | 1 => set::Op::Read,
            2 => set::Op::Add(few(dice)),
            _ => set::Op::Add(unique as u32 % 8),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &set::Op<u32>) -> set::Reply<u32> {
        match op {
            // Mostly what may have been added.
            set::Op::Read => set::Reply::All((0..8).filter(|_| dice.is(3)).collect()),
            _ => set::Reply::Done,
        }
    }
}

fn collection_op(dice: &mut Dice, unique: u64) -> collection::Op<u32> {
    match dice.roll(9) {
        0..4 => collection::Op::Insert(value(dice, unique)),
        8 => collection::Op::Peek,
        _ => collection::Op::Remove,
    }
}

fn collection_reply(dice: &mut Dice, op: &collection::Op<u32>) -> collection::Reply<u32> {
    match op {
        collection::Op::Insert(_) => collection::Reply::Done,
        _ => collection::Reply::Value((!dice.is(4)).then(|| dice.roll(8) as u32)),
    }
}

macro_rules! collections {
    ($($model:ident { $($field:ident: $value:expr),* }),*) => {$(
        impl Kind for $model<u32> {
            fn new(dice: &mut Dice) -> Self {
                let initial = if dice.is(4) { vec![2, 1] } else { Vec::new() };
                Self { initial, $($field: $value),* }
            }

            fn op(&self, dice: &mut Dice, unique: u64) -> collection::Op<u32> {
                collection_op(dice, unique)
            }

            fn reply(&self, dice: &mut Dice, op: &collection::Op<u32>) -> collection::Reply<u32> {
                collection_reply(dice, op)
            }
        }
    )*};
}

collections!(Queue {}, Stack {}, PriorityQueue { first: collection::First::Greatest });

impl Kind for Lock<u32> {
    fn new(dice: &mut Dice) -> Self {
        Self { initial: None, owned: dice.is(2) }
    }

    fn op(&self, dice: &mut Dice, _: u64) -> lock::Op<u32> {
        if dice.is(2) { lock::Op::Acquire(few(dice)) } else { lock::Op::Release(few(dice)) }
    }

    fn reply(&self, dice: &mut Dice, _: &lock::Op<u32>) -> lock::Reply {
        lock::Reply(!dice.is(4))
    }
}

impl Kind for Lease {
    const TELLS_ALL: bool = false;

    fn new(_: &mut Dice) -> Self {
        Self { token: 0 }
    }

    fn op(&self, dice: &mut Dice, _: u64) -> lease::Op {
        match dice.roll(4) {
            0 | 1 => lease::Op::Acquire,
            2 => lease::Op::Renew(dice.roll(4)),
            _ => lease::Op::Release(dice.roll(4)),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &lease::Op) -> lease::Reply {
        if *op == lease::Op::Acquire && !dice.is(4) {
            lease::Reply::Granted(dice.roll(5))
        } else {
            lease::Reply::Is(dice.is(2))
        }
    }
}

impl Kind for Log<u32> {
    fn new(_: &mut Dice) -> Self {
        Self { initial: vec![0] }
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> log::Op<u32> {
        match dice.roll(8) {
            0..4 => log::Op::Append(value(dice, unique)),
            4 => log::Op::Tail,
            _ => log::Op::Read { from: dice.roll(2), limit: if dice.is(2) { u64::MAX } else { 2 } },
        }
    }

    fn reply(&self, dice: &mut Dice, op: &log::Op<u32>) -> log::Reply<u32> {
        match op {
            log::Op::Append(_) if dice.is(2) => log::Reply::Done,
            log::Op::Append(_) | log::Op::Tail => log::Reply::At(1 + dice.roll(4)),
            log::Op::Read { .. } => {
                log::Reply::Records((0..dice.roll(4)).map(|_| dice.roll(7) as u32).collect())
            }
        }
    }
}

impl Kind for Bank<u32> {
    fn new(dice: &mut Dice) -> Self {
        Self { initial: BTreeMap::from([(0, 2), (1, 1)]), overdraft: dice.is(4) }
    }

    fn op(&self, dice: &mut Dice, _: u64) -> bank::Op<u32> {
        match dice.roll(5) {
            0 | 1 => {
                bank::Op::Transfer { from: few(dice), to: few(dice), amount: 1 + i64::from(few(dice)) / 2 }
            }
            2 => bank::Op::Read,
            _ => bank::Op::Balance(few(dice)),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &bank::Op<u32>) -> bank::Reply<u32> {
        match op {
            bank::Op::Transfer { .. } => bank::Reply::Moved(!dice.is(4)),
            bank::Op::Balance(_) => bank::Reply::Balance(dice.roll(4) as i64),
            bank::Op::Read => {
                bank::Reply::Balances((0..3).map(|account| (account, dice.roll(4) as i64)).collect())
            }
        }
    }
}

impl Kind for Broker<u32> {
    fn new(dice: &mut Dice) -> Self {
        let order = if dice.is(2) { broker::Order::Fifo } else { broker::Order::Any };
        Self { order, initial: Vec::new() }
    }

    fn op(&self, dice: &mut Dice, unique: u64) -> broker::Op<u32> {
        match dice.roll(8) {
            0..3 => broker::Op::Send(value(dice, unique)),
            3..6 => broker::Op::Receive,
            _ => broker::Op::Acknowledge(dice.roll(8) as u32),
        }
    }

    fn reply(&self, dice: &mut Dice, op: &broker::Op<u32>) -> broker::Reply<u32> {
        match op {
            broker::Op::Send(_) => broker::Reply::Done,
            broker::Op::Receive => broker::Reply::Message((!dice.is(3)).then(|| dice.roll(8) as u32)),
            broker::Op::Acknowledge(_) => broker::Reply::Acknowledged(dice.is(2)),
        }
    }
}

/// A campaign for one model.
pub(crate) type Campaign = fn(&str, std::ops::Range<u64>, u64) -> Tally;

/// All models.
pub(crate) const CAMPAIGNS: [(&str, Campaign); 15] = [
    ("register", compare::<Register<u32>>),
    ("unique register", compare::<Unique>),
    ("multi-register", compare::<MultiRegister<u32, u32>>),
    ("key-value", compare::<KeyValue<u32, Vec<u32>>>),
    ("counter", compare::<Counter>),
    ("set", compare::<Set<u32>>),
    ("growing set", compare::<Growing>),
    ("queue", compare::<Queue<u32>>),
    ("stack", compare::<Stack<u32>>),
    ("priority queue", compare::<PriorityQueue<u32>>),
    ("lock", compare::<Lock<u32>>),
    ("lease", compare::<Lease>),
    ("log", compare::<Log<u32>>),
    ("bank", compare::<Bank<u32>>),
    ("broker", compare::<Broker<u32>>),
];
