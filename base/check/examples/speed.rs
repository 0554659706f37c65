//! How fast monitors, levels and readers are, in CPU seconds, and how much memory the process had at most:
//! `cargo run --release -p isles-check --example speed -- [NAME...]`

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::hint::black_box;

use isles_check::linearizability::{Limits, check};
use isles_check::models::{
    KeyValue, PriorityQueue, Queue, Register, Set, Stack, collection, key_value, register, set,
};
use isles_check::transactions::{self, Budget, Level};
use isles_check::{Model, Verdict};
use isles_history::{
    Calls, Format, Key, Operation, Outcome, Reading, Status, Step, Transactions, Value, ValueId, read,
};
use isles_kernel::random::Stream;

/// What is measured.
const FIGURES: [(&str, fn()); 15] = [
    ("register-1e6", || registers(1_000_000)),
    ("register-1e7", || registers(10_000_000)),
    ("key-value-1e6", key_value),
    ("queue-1e6", queue),
    ("stack-1e6", stack),
    ("priority-queue-1e6", priority_queue),
    ("set-1e6", elements),
    ("growing-set-1e6", growing),
    ("list-append-1e6", lists),
    ("read-committed-1e6", || level(Level::SessionReadCommitted)),
    ("read-atomic-1e6", || level(Level::SessionReadAtomic)),
    ("causal-1e6", || level(Level::CausalConvergence)),
    ("parse-plume", plume),
    ("parse-lines", lines),
    ("parse-edn", edn),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (name, figure) in FIGURES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            say(name, "");
            figure();
        }
    }
}

#[expect(clippy::print_stdout, reason = "an example for the terminal")]
fn say(name: &str, what: &str) {
    println!("{name}{what}");
}

/// Nanoseconds that this thread ran so far, where the system tells.
fn cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// The most memory that the process had.
fn memory() -> String {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(String::new, |line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
}

fn measured<T>(bytes: Option<usize>, mut work: impl FnMut() -> T) -> T {
    let before = memory();
    let start = cpu();
    let result = black_box(work());
    let seconds = (cpu() - start) / 1e9;
    let rate = bytes.map_or_else(String::new, |bytes| {
        format!(", {:.0} MB/s of {} MB", bytes as f64 / seconds / 1e6, bytes / 1_000_000)
    });
    say("", &format!("    {seconds:.3} s{rate}, at most {} after {before}", memory()));
    result
}

fn judged<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>]) {
    let verdict = measured(None, || check(model, operations, &Limits::default()));
    assert!(matches!(verdict, Verdict::Holds(_)), "it was made so");
}

/// Operations that took effect in turn, each within an interval around its turn; about so many are open at a time.
fn history<Op, Reply>(
    count: u32,
    open: u32,
    mut act: impl FnMut(u32, &mut Stream) -> (Op, Reply),
) -> Vec<Operation<Op, Reply>> {
    let mut draws = Stream::new(1, &[1]);
    let mut operations: Vec<Operation<Op, Reply>> = (0..count)
        .map(|turn| {
            let at = u64::from(turn) * 100 + u64::from(open) * 100;
            let reach = open * 50;
            let (invoked, returned) =
                (at - u64::from(draws.below(reach)), at + u64::from(draws.below(reach)));
            let (op, reply) = act(turn, &mut draws);
            Operation {
                process: turn % open,
                invoked,
                op,
                outcome: Outcome::Returned { at: returned, reply },
            }
        })
        .collect();
    operations.sort_by_key(|operation| operation.invoked);
    operations
}

fn registers(count: u32) {
    let mut held = 0;
    let operations = history(count, 30, |turn, draws| {
        if draws.below(2) == 0 {
            return (register::Op::Read, register::Reply::Value(held));
        }
        held = turn + 1;
        (register::Op::Write(held), register::Reply::Done)
    });
    judged(&Register { initial: 0 }, &operations);
}

fn key_value() {
    let mut held = vec![None; 10_000];
    let operations = history(1_000_000, 30, |turn, draws| {
        let key = draws.below(10_000);
        let value = &mut held[key as usize];
        if draws.below(2) == 0 {
            let op = key_value::Op { key, action: key_value::Action::Get };
            return (op, key_value::Reply::Value(value.clone()));
        }
        *value = Some(vec![turn]);
        let action = key_value::Action::Put(vec![turn]);
        (key_value::Op { key, action }, key_value::Reply::Done)
    });
    judged(&KeyValue::new(None), &operations);
}

/// Half of the operations insert, half remove.
fn collections(
    mut insert: impl FnMut(u32),
    mut remove: impl FnMut() -> Option<u32>,
) -> Vec<Operation<collection::Op<u32>, collection::Reply<u32>>> {
    let mut values: Vec<u32> = (0..1_000_000).collect();
    Stream::new(2, &[]).shuffle(&mut values);
    history(1_000_000, 10, |turn, draws| {
        if draws.below(2) == 0 {
            let value = values[turn as usize];
            insert(value);
            return (collection::Op::Insert(value), collection::Reply::Done);
        }
        (collection::Op::Remove, collection::Reply::Value(remove()))
    })
}

fn queue() {
    let cell = std::cell::RefCell::new(VecDeque::new());
    let operations = collections(|v| cell.borrow_mut().push_back(v), || cell.borrow_mut().pop_front());
    judged(&Queue { initial: Vec::new() }, &operations);
}

fn stack() {
    let cell = std::cell::RefCell::new(Vec::new());
    let operations = collections(|v| cell.borrow_mut().push(v), || cell.borrow_mut().pop());
    judged(&Stack { initial: Vec::new() }, &operations);
}

fn priority_queue() {
    let cell = std::cell::RefCell::new(BTreeSet::new());
    let insert = |v| _ = cell.borrow_mut().insert(v);
    let operations = collections(insert, || cell.borrow_mut().pop_first());
    judged(&PriorityQueue { initial: Vec::new(), first: collection::First::Least }, &operations);
}

/// Adds, removes, and questions after one of 10^5 elements.
fn elements() {
    let mut held = BTreeSet::new();
    let operations = history(1_000_000, 10, |_, draws| {
        let element = draws.below(100_000);
        let (op, is) = match draws.below(3) {
            0 => (set::Op::Add(element), held.insert(element)),
            1 => (set::Op::Remove(element), held.remove(&element)),
            _ => (set::Op::Contains(element), held.contains(&element)),
        };
        (op, set::Reply::Is(is))
    });
    judged(&Set { initial: BTreeSet::new() }, &operations);
}

/// 10^6 adds of 10^6 elements, and ten reads of all.
fn growing() {
    let mut held = BTreeSet::new();
    let operations = history(1_000_000, 10, |turn, _| {
        if turn % 100_000 == 99_999 {
            return (set::Op::Read, set::Reply::All(held.clone()));
        }
        held.insert(turn);
        (set::Op::Add(turn), set::Reply::Done)
    });
    judged(&Set { initial: BTreeSet::new() }, &operations);
}

fn judged_level(history: &Transactions, level: Level) {
    let verdict = measured(None, || transactions::check(history, level, Budget::default()));
    assert!(matches!(verdict, Verdict::Holds(_)), "it was made so");
}

/// 125 000 transactions of 8 operations on 10^4 registers in 1000 sessions.
fn level(level: Level) {
    judged_level(&transactions(), level);
}

fn transactions() -> Transactions {
    let (mut history, mut random) = (Transactions::default(), Stream::new(1, &[]));
    let keys: Vec<Key> = (0..10_000).map(|key| history.add_key(Value::Int(key))).collect();
    let mut current = vec![ValueId::INITIAL; keys.len()];
    for number in 0..125_000 {
        let mut steps = Vec::with_capacity(8);
        for step in 0..8 {
            let at = random.below(keys.len() as u32) as usize;
            if random.below(2) == 0 {
                current[at] = history.add_value(Value::Int(number * 8 + step + 1));
                steps.push(Step::Write { key: keys[at], value: current[at] });
            } else {
                steps.push(Step::Read { key: keys[at], value: current[at] });
            }
        }
        history.push(random.below(1_000), Status::Committed, None, steps);
    }
    history
}

/// Appends and reads of one of twenty lists each, which is replaced by a new one after 32 appends; sessions overlap.
fn lists() {
    let (mut history, mut random) = (Transactions::default(), Stream::new(2, &[]));
    let elements: Vec<ValueId> = (0..32).map(|element| history.add_value(Value::Int(element))).collect();
    let mut lists: Vec<(Key, usize)> = (0..20).map(|key| (history.add_key(Value::Int(key)), 0)).collect();
    for number in 0..1_000_000u64 {
        let mut steps = Vec::with_capacity(3);
        for _ in 0..3 {
            let list = &mut lists[random.below(20) as usize];
            if random.below(2) == 0 {
                if list.1 == elements.len() {
                    *list = (history.add_key(Value::Nil), 0);
                }
                steps.push(Step::Append { key: list.0, element: elements[list.1] });
                list.1 += 1;
            } else {
                let (key, count) = *list;
                steps.push(history.read_list(key, elements[..count].iter().copied()));
            }
        }
        history.push((number % 20) as u32, Status::Committed, Some((10 * number, 10 * number + 150)), steps);
    }
    judged_level(&history, Level::StrictSerializable);
}

fn plume() {
    let (history, mut text) = (transactions(), String::new());
    for round in 0..5 {
        for (number, of) in history.all().iter().enumerate() {
            for step in history.steps(of) {
                let (letter, key, value) = match *step {
                    Step::Write { key, value } => ('w', key, value),
                    Step::Read { key, value } | Step::Append { key, element: value } => ('r', key, value),
                    Step::ReadList { .. } => continue,
                };
                let value = if value == ValueId::INITIAL { 0 } else { i64::from(value.0) * 5 + round };
                let (session, number) = (of.session, number + round as usize * 125_000);
                writeln!(text, "{letter}({},{value},{session},{number})", key.0).expect("memory takes it");
            }
        }
    }
    measured(Some(text.len()), || {
        read(text.as_bytes(), Some(Format::Plume)).map(|_| ()).expect("it is right")
    });
}

/// Events of a register, and the calls that they make.
fn events(text: &str, format: Format) {
    let count = measured(Some(text.len()), || {
        let Ok(Reading::Events(events)) = read(text.as_bytes(), Some(format)) else { panic!("operations") };
        events.filter(Result::is_ok).count()
    });
    measured(Some(text.len()), || {
        let Ok(Reading::Events(events)) = read(text.as_bytes(), Some(format)) else { panic!("operations") };
        Calls::new(events).filter(Result::is_ok).count()
    });
    assert_eq!(count, 1_000_000);
}

fn lines() {
    let mut text = String::new();
    for number in 0..500_000u64 {
        let (time, process) = (number * 1000, number % 10);
        let (asked, answered) = if number % 2 == 0 {
            (format!(r#"{{"f":"write","key":"x","value":{number}}}"#), "null".to_owned())
        } else {
            (r#"{"f":"read","key":"x","value":null}"#.to_owned(), (number - 1).to_string())
        };
        writeln!(text, r#"{{"type":"invoke","time":{time},"process":{process},"id":{number},"op":{asked}}}"#)
            .and_then(|()| {
                let time = time + 500;
                writeln!(text, r#"{{"type":"return","time":{time},"process":{process},"id":{number},"reply":{answered}}}"#)
            })
            .expect("memory takes it");
    }
    events(&text, Format::Lines);
}

fn edn() {
    let mut text = String::new();
    for number in 0..500_000u64 {
        let process = number % 10;
        let (function, asked, answered) = if number % 2 == 0 {
            ("write", number.to_string(), number)
        } else {
            ("read", "nil".to_owned(), number - 1)
        };
        writeln!(text, "{{:process {process}, :type :invoke, :f :{function}, :value {asked}, :time {number}000, :index {}}}", 2 * number)
            .and_then(|()| {
                writeln!(text, "{{:process {process}, :type :ok, :f :{function}, :value {answered}, :time {number}500, :index {}}}", 2 * number + 1)
            })
            .expect("memory takes it");
    }
    events(&text, Format::Edn);
}
