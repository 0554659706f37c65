//! The group `check`: verdicts on histories. Reading files is not part of any figure.

#![expect(clippy::wildcard_enum_match_arm, reason = "a file may hold any value where a register knows a few")]

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isles_check::linearizability::incremental::{Cache, Frontier};
use isles_check::linearizability::{Limits, check, check_parts, decide, partition};
use isles_check::models::{KeyValue, Register, key_value, register};
use isles_history::{Call, Calls, Kind, Operation, Outcome, Reading, Value, read};

use super::measure::{median, memory_growth, timed};
use super::{Bench, Effort, Group};

pub(super) const GROUP: Group = Group {
    name: "check",
    about: "verdicts on histories, in CPU seconds without reading them",
    benches: &[
        Bench {
            figures: &[
                ("etcd-logs-seconds", "s"),
                ("etcd-logs-explained-seconds", "s"),
                ("etcd-log-explained-slowest-seconds", "s"),
            ],
            about: "compare-and-set registers: the etcd logs of shared/data/histories in a folder above this one, or as many alike; \
                    verdicts with the order of those that have one, as Porcupine gives them, which takes 0.516 s for all 102, 0.265 s \
                    for the 50 of that folder (sum of its VERDICTS.tsv); the same with an explanation of each that is wrong; and the log \
                    of them that takes longest",
            slow: false,
            run: etcd_logs,
        },
        Bench {
            figures: &[("kv-c50-ok-seconds", "s")],
            about: "put, append and get by 50 clients, right: kv/c50-ok.txt of that folder, or one alike; Porcupine 0.150 s",
            slow: false,
            run: |effort| vec![Some(store_right(effort))],
        },
        Bench {
            figures: &[("kv-c50-bad-seconds", "s"), ("kv-c50-bad-explained-seconds", "s")],
            about: "the same with ten keys, each wrong: kv/c50-bad.txt of that folder, or one alike; the verdict, which Porcupine has \
                    after 0.013 s, and each key explained, which it had not after 100 s",
            slow: false,
            run: store_wrong,
        },
        Bench {
            figures: &[("register-unique-1e6-seconds", "s"), ("register-unique-1e6-bytes", "B")],
            about: "a register of 10^6 operations by 30 clients, values written once, with the order as certificate; Porcupine: 3 · 10^4 \
                    operations by 10 clients in 12.7 s and 6.6 GB, 10^3 by 30 undecided",
            slow: false,
            run: |_| unique_register(1_000_000),
        },
        Bench {
            figures: &[("register-unique-1e7-seconds", "s"), ("register-unique-1e7-bytes", "B")],
            about: "the same with 10^7 operations; bytes beyond the history itself",
            slow: true,
            run: |_| unique_register(10_000_000),
        },
        Bench {
            figures: &[("linearizability-step-nanoseconds", "ns")],
            about: "one invocation or return of the incremental checker, six operations open at a time",
            slow: false,
            run: |effort| vec![Some(step(effort))],
        },
    ],
};

/// A file of the data folder.
fn data(path: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|above| above.join("shared/data/histories").join(path)).find(|path| path.exists())
}

/// A pseudo-random number below a bound (Marsaglia 2003, xorshift).
pub(super) fn draw(state: &mut u64, bound: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) % bound
}

/// The operations of a file.
fn operations<Op, Reply>(
    path: &Path,
    convert: impl Fn(&Call) -> Option<(Op, Reply)>,
) -> Option<Vec<Operation<Op, Reply>>> {
    let Ok(Reading::Events(events)) = read(BufReader::new(std::fs::File::open(path).ok()?), None) else {
        return None;
    };
    let mut operations = Vec::new();
    for call in Calls::new(events) {
        let call = call.ok()?;
        let Some((op, reply)) = convert(&call) else { continue };
        let unknown = call.kind == Kind::Info;
        let outcome = if unknown { Outcome::Unknown } else { Outcome::Returned { at: call.returned, reply } };
        operations.push(Operation { process: call.session, invoked: call.invoked, op, outcome });
    }
    operations.sort_by_key(|operation| operation.invoked);
    Some(operations)
}

/// A linearizable history of some clients: `act` says what the next operation in order is and what is answered.
pub(super) fn generate<Op, Reply>(
    count: u64,
    clients: u64,
    seed: u64,
    mut act: impl FnMut(&mut u64) -> (Op, Reply),
) -> Vec<Operation<Op, Reply>> {
    let mut dice = seed;
    let mut free: Vec<u64> = (0..clients).map(|_| draw(&mut dice, 1000)).collect();
    let mut spans: Vec<(u64, u64, u64, u32)> = Vec::with_capacity(count as usize);
    for number in 0..count {
        let client = (number % clients) as usize;
        let invoked = free[client] + 1 + draw(&mut dice, 200);
        let length = 2 + draw(&mut dice, 1000);
        free[client] = invoked + length;
        spans.push((invoked + 1 + draw(&mut dice, length - 1), invoked, invoked + length, client as u32));
    }
    spans.sort_unstable();
    let mut operations: Vec<Operation<Op, Reply>> = spans
        .into_iter()
        .map(|(_, invoked, at, process)| {
            let (op, reply) = act(&mut dice);
            Operation { process, invoked, op, outcome: Outcome::Returned { at, reply } }
        })
        .collect();
    operations.sort_by_key(|operation| operation.invoked);
    operations
}

/// CPU seconds, the least of several rounds.
fn least(effort: Effort, mut work: impl FnMut()) -> f64 {
    let rounds = if effort == Effort::Quick { 2 } else { 7 };
    (0..rounds).map(|_| timed(&mut work).0).fold(f64::INFINITY, f64::min)
}

type RegisterOperation<V> = Operation<register::Op<V>, register::Reply<V>>;

fn register_call(call: &Call) -> Option<(register::Op<Value>, register::Reply<Value>)> {
    Some(match (&*call.function, &call.asked) {
        ("cas", Value::List(pair)) => (
            register::Op::CompareAndSet(pair.first()?.clone(), pair.get(1)?.clone()),
            register::Reply::Set(call.kind != Kind::Fail),
        ),
        _ if call.kind == Kind::Fail => return None,
        ("read", _) => (register::Op::Read, register::Reply::Value(call.answered.clone())),
        ("write", value) => (register::Op::Write(value.clone()), register::Reply::Done),
        _ => return None,
    })
}

fn etcd_logs(effort: Effort) -> Vec<Option<f64>> {
    let folder = data("etcd-jepsen").and_then(|folder| folder.read_dir().ok());
    let paths = folder.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut logs: Vec<Vec<RegisterOperation<Value>>> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
        .filter_map(|path| operations(&path, register_call))
        .collect();
    if logs.is_empty() {
        logs = (1..50).map(compare_and_set).collect();
    }
    let model = Register { initial: Value::Nil };
    let decided = least(effort, || {
        for log in &logs {
            std::hint::black_box(decide(&model, log, &Limits::default()));
        }
    });
    let explained: Vec<f64> = logs
        .iter()
        .map(|log| least(effort, || _ = std::hint::black_box(check(&model, log, &Limits::default()))))
        .collect();
    vec![Some(decided), Some(explained.iter().sum()), explained.into_iter().max_by(f64::total_cmp)]
}

/// Five values, read, written, and compared and set by five clients.
fn compare_and_set(seed: u64) -> Vec<RegisterOperation<Value>> {
    let mut held = Value::Nil;
    generate(85, 5, seed, |dice| {
        let mut value = || Value::Int(draw(dice, 5) as i64);
        let (expected, new) = (value(), value());
        match draw(dice, 3) {
            0 => (register::Op::Read, register::Reply::Value(held.clone())),
            1 => {
                held = new.clone();
                (register::Op::Write(new), register::Reply::Done)
            }
            _ => {
                let set = held == expected;
                if set {
                    held = new.clone();
                }
                (register::Op::CompareAndSet(expected, new), register::Reply::Set(set))
            }
        }
    })
}

type Text = Arc<str>;
type StoreOperation = Operation<key_value::Op<Text, Text>, key_value::Reply<Text>>;
type Store = KeyValue<Text, Text>;

fn store_call(call: &Call) -> Option<(key_value::Op<Text, Text>, key_value::Reply<Text>)> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let key = text(call.key.as_ref()?)?;
    let (action, reply) = match &*call.function {
        "get" => (key_value::Action::Get, key_value::Reply::Value(text(&call.answered))),
        "put" => (key_value::Action::Put(text(&call.asked)?), key_value::Reply::Done),
        _ => (key_value::Action::Append(text(&call.asked)?), key_value::Reply::Done),
    };
    Some((key_value::Op { key, action }, reply))
}

/// Ten keys, put, got and appended to by fifty clients; each key has a get that misses what was appended, if they are to be wrong.
fn store(wrong: bool) -> Vec<StoreOperation> {
    let mut held: Vec<Vec<Text>> = vec![Vec::new(); 10];
    let mut number = 0;
    let mut operations: Vec<StoreOperation> = generate(2_000, 50, 7, |dice| {
        let key = draw(dice, 10) as usize;
        number += 1;
        let value: Text = format!("x {number} y").into();
        let values = &mut held[key];
        let (action, reply) = match draw(dice, 10) {
            0..5 => (key_value::Action::Get, key_value::Reply::Value(Some(values.concat().into()))),
            5..9 => {
                values.push(value.clone());
                (key_value::Action::Append(value), key_value::Reply::Done)
            }
            _ => {
                *values = vec![value.clone()];
                (key_value::Action::Put(value), key_value::Reply::Done)
            }
        };
        (key_value::Op { key: key.to_string().into(), action }, reply)
    });
    for key in 0..if wrong { 10 } else { 0 } {
        let key: Text = key.to_string().into();
        let mut rest = operations.iter_mut().rev().filter(|operation| operation.op.key == key).skip(5);
        let spoilt = rest.find_map(|operation| match &mut operation.outcome {
            Outcome::Returned { reply: key_value::Reply::Value(Some(text)), .. } if text.len() > 20 => {
                Some(text)
            }
            _ => None,
        });
        if let Some(text) = spoilt {
            let cut = text[..text.len() - 1].rfind('y').map_or(0, |place| place + 1);
            *text = text[cut..].into();
        }
    }
    operations
}

fn store_right(effort: Effort) -> f64 {
    let read = data("kv/c50-ok.txt").and_then(|path| operations(&path, store_call));
    let operations = read.unwrap_or_else(|| store(false));
    let model = Store::new(Some(Text::from("")));
    least(effort, || {
        std::hint::black_box(check(&model, &operations, &Limits::default()));
    })
}

fn store_wrong(effort: Effort) -> Vec<Option<f64>> {
    let read = data("kv/c50-bad.txt").and_then(|path| operations(&path, store_call));
    let operations = read.unwrap_or_else(|| store(true));
    let model = Store::new(Some(Text::from("")));
    let decided = least(effort, || {
        std::hint::black_box(decide(&model, &operations, &Limits::default()));
    });
    let explained = least(effort, || {
        for part in partition(&model, &operations) {
            std::hint::black_box(check_parts(&model, &operations, vec![part], &Limits::default()));
        }
    });
    vec![Some(decided), Some(explained)]
}

fn unique_register(count: u64) -> Vec<Option<f64>> {
    let (mut held, mut next) = (0_u64, 0_u64);
    let operations: Vec<RegisterOperation<u64>> = generate(count, 30, 3, |dice| {
        if draw(dice, 2) == 0 {
            return (register::Op::Read, register::Reply::Value(held));
        }
        next += 1;
        held = next;
        (register::Op::Write(held), register::Reply::Done)
    });
    let model = Register { initial: 0 };
    let mut seconds = Vec::new();
    let bytes = memory_growth(|| {
        for _ in 0..if count > 1_000_000 { 1 } else { 3 } {
            seconds.push(timed(|| std::hint::black_box(check(&model, &operations, &Limits::default()))).0);
        }
    });
    vec![Some(median(&mut seconds)), bytes.map(|(bytes, ())| bytes)]
}

/// Six clients of a register, each with an operation open at nearly all times.
fn step(effort: Effort) -> f64 {
    let mut held = 0;
    let operations: Vec<RegisterOperation<u64>> = generate(10_000, 6, 5, |dice| {
        if draw(dice, 2) == 0 {
            return (register::Op::Read, register::Reply::Value(held));
        }
        held = draw(dice, 5);
        (register::Op::Write(held), register::Reply::Done)
    });
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        events.push((operation.invoked, false, place));
        events.push((operation.returned(), true, place));
    }
    events.sort_unstable();
    let model = Register { initial: 0 };
    let seconds = least(effort, || {
        let mut cache = Cache::new(&model);
        let mut frontier = Frontier::default();
        let mut tickets = vec![None; operations.len()];
        for &(_, is_return, place) in &events {
            let operation = &operations[place];
            match (is_return, tickets[place], operation.reply()) {
                (true, Some(ticket), Some(reply)) => {
                    std::hint::black_box(frontier.respond(&mut cache, ticket, reply));
                }
                _ => tickets[place] = Some(frontier.invoke(&mut cache, &operation.op)),
            }
        }
        assert!(frontier.is_linearizable(), "it was made so");
    });
    seconds * 1e9 / events.len() as f64
}
