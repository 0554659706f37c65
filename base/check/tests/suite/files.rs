//! The histories of the data folder, where it is in a folder above: each gets its verdict, and the verifier accepts the certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use isles_check::linearizability::{Limits, check};
use isles_check::models::{
    KeyValue, Lock, MultiRegister, Queue, Register, Set, Stack, collection, key_value, lock, multi_register,
    register, set,
};
use isles_check::{Model, Verdict, verify};
use isles_history::{Call, Calls, Kind, Operation, Outcome, Reading, Value, read};

fn folder() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|above| above.join("shared/data/histories")).find(|folder| folder.is_dir())
}

/// The operations of a file. A call that failed is left out unless it has an answer.
fn operations<Op, Reply>(
    path: &Path,
    convert: impl Fn(&Call) -> Option<(Op, Option<Reply>)>,
) -> Vec<Operation<Op, Reply>> {
    let file = std::fs::File::open(path).expect("it is listed");
    let Ok(Reading::Events(events)) = read(std::io::BufReader::new(file), None) else {
        panic!("{} holds operations", path.display())
    };
    let mut operations = Vec::new();
    for call in Calls::new(events) {
        let call = call.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Some((op, reply)) = convert(&call) else { continue };
        let outcome = match reply {
            Some(reply) if call.kind != Kind::Info => Outcome::Returned { at: call.returned, reply },
            _ => Outcome::Unknown,
        };
        operations.push(Operation { process: call.session, invoked: call.invoked, op, outcome });
    }
    operations.sort_by_key(|operation| operation.invoked);
    operations
}

fn pair(value: &Value) -> (Value, Value) {
    let Value::List(list) = value else { panic!("{value:?} is a pair") };
    (list[0].clone(), list[1].clone())
}

/// Nothing happened, for operations other than compare-and-set.
fn failed(call: &Call) -> bool {
    call.kind == Kind::Fail
}

fn register_call(call: &Call) -> Option<(register::Op<Value>, Option<register::Reply<Value>>)> {
    Some(match &*call.function {
        "cas" => {
            let (expected, new) = pair(&call.asked);
            (register::Op::CompareAndSet(expected, new), Some(register::Reply::Set(!failed(call))))
        }
        _ if failed(call) => return None,
        "read" => (register::Op::Read, Some(register::Reply::Value(call.answered.clone()))),
        "write" => (register::Op::Write(call.asked.clone()), Some(register::Reply::Done)),
        other => panic!("{other} on a register"),
    })
}

type KeyValueCall = (key_value::Op<Value, Value>, Option<key_value::Reply<Value>>);

fn key_value_call(call: &Call) -> Option<KeyValueCall> {
    let key = call.key.clone().expect("there is a key");
    let (action, reply) = match &*call.function {
        _ if failed(call) => return None,
        "get" | "read" => {
            let held = Some(call.answered.clone()).filter(|value| *value != Value::Nil);
            (key_value::Action::Get, key_value::Reply::Value(held))
        }
        "put" | "write" => (key_value::Action::Put(call.asked.clone()), key_value::Reply::Done),
        "append" => (key_value::Action::Append(call.asked.clone()), key_value::Reply::Done),
        other => panic!("{other} on a store"),
    };
    Some((key_value::Op { key, action }, Some(reply)))
}

fn collection_call(call: &Call) -> Option<(collection::Op<Value>, Option<collection::Reply<Value>>)> {
    Some(match &*call.function {
        _ if failed(call) => return None,
        "enqueue" | "push" => (collection::Op::Insert(call.asked.clone()), Some(collection::Reply::Done)),
        "dequeue" | "pop" => {
            let value = Some(call.answered.clone()).filter(|value| *value != Value::Nil);
            (collection::Op::Remove, Some(collection::Reply::Value(value)))
        }
        other => panic!("{other} on a collection"),
    })
}

fn set_call(call: &Call) -> Option<(set::Op<Value>, Option<set::Reply<Value>>)> {
    if failed(call) {
        return None;
    }
    let reply = if call.kind == Kind::Ok {
        let (_, told) = pair(&call.answered);
        Some(set::Reply::Is(told == Value::Bool(true)))
    } else {
        None
    };
    let element = call.asked.clone();
    let op = match &*call.function {
        "add" => set::Op::Add(element),
        "remove" => set::Op::Remove(element),
        _ => set::Op::Contains(element),
    };
    Some((op, reply))
}

fn lock_call(call: &Call) -> Option<(lock::Op<u32>, Option<lock::Reply>)> {
    let op = if &*call.function == "acquire" { lock::Op::Acquire(0) } else { lock::Op::Release(0) };
    (!failed(call)).then_some((op, Some(lock::Reply(true))))
}

type MultiRegisterCall = (multi_register::Op<Value, Value>, Option<multi_register::Reply<Value>>);

fn multi_register_call(call: &Call) -> Option<MultiRegisterCall> {
    if failed(call) {
        return None;
    }
    let Value::List(steps) = (if call.kind == Kind::Ok { &call.answered } else { &call.asked }) else {
        panic!("steps are a list")
    };
    let (mut asked, mut read) = (Vec::new(), Vec::new());
    for step in steps {
        let Value::List(words) = step else { panic!("a step is a list") };
        let reads = matches!(&words[0], Value::Keyword(word) if &**word == "read");
        if reads {
            asked.push(multi_register::Step::Read(words[1].clone()));
            read.push(Some(words[2].clone()).filter(|value| *value != Value::Nil));
        } else {
            asked.push(multi_register::Step::Write(words[1].clone(), words[2].clone()));
            read.push(None);
        }
    }
    Some((multi_register::Op(asked), Some(multi_register::Reply(read))))
}

/// Judges a history; whether it is right, and how many operations show it if it is not.
fn judge<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    path: &Path,
) -> Option<(bool, usize)> {
    match check(model, operations, &Limits { nodes: 200_000, ..Limits::default() }) {
        Verdict::Holds(order) => {
            assert_eq!(
                verify::order(model, operations, &order.0, verify::Keep::RealTime),
                Ok(()),
                "{}",
                path.display()
            );
            Some((true, 0))
        }
        Verdict::Violated(why) => {
            let checked = verify::contradiction(model, operations, &why.core, verify::Keep::RealTime);
            let said = why.sentences(model, operations, |place| format!("#{place}"));
            assert_eq!(checked, Ok(()), "{}: {said:?}", path.display());
            Some((false, why.core.len()))
        }
        Verdict::Unknown(_) => None,
    }
}

fn judge_file(path: &Path) -> Option<(bool, usize)> {
    let name = path.to_string_lossy();
    let is = |word: &str| name.contains(word);
    if is("multi-register") {
        let keys = ["x", "y"].map(|key| (Value::Keyword(key.into()), Value::Int(0)));
        let model = MultiRegister { initial: BTreeMap::from(keys) };
        judge(&model, &operations(path, multi_register_call), path)
    } else if is("knossos/cas-register") {
        // Knossos takes a compare-and-set that failed for one that did not happen, whatever the reason.
        let happened = |call: &Call| if failed(call) { None } else { register_call(call) };
        judge(&Register { initial: Value::Nil }, &operations(path, happened), path)
    } else if is("etcd-jepsen") || is("cas") || is("generated/register") {
        judge(&Register { initial: Value::Nil }, &operations(path, register_call), path)
    } else if is("/kv/") {
        judge(&KeyValue::new(Some(Value::Text("".into()))), &operations(path, key_value_call), path)
    } else if is("generated/kv") {
        judge(&KeyValue::new(None), &operations(path, key_value_call), path)
    } else if is("mutex") {
        judge(&Lock { initial: None, owned: false }, &operations(path, lock_call), path)
    } else if is("queue") {
        judge(&Queue { initial: Vec::new() }, &operations(path, collection_call), path)
    } else if is("stack") {
        judge(&Stack { initial: Vec::new() }, &operations(path, collection_call), path)
    } else {
        judge(&Set { initial: BTreeSet::new() }, &operations(path, set_call), path)
    }
}

/// Files below a folder, with what their names say: `ok` and `bad`, or `good`.
fn files(folder: &Path) -> Vec<(PathBuf, bool)> {
    let mut found = Vec::new();
    let mut left = ["kv", "knossos", "generated"].map(|name| folder.join(name)).to_vec();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                path.read_dir().expect("it is there").map(|entry| entry.expect("it can be read").path()),
            );
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        if ["txn", "append-", "VERDICTS"].iter().all(|word| !name.contains(word)) {
            let right = name.contains("-ok") || name.contains("/good/");
            found.push((path, right));
        }
    }
    let verdicts = std::fs::read_to_string(folder.join("etcd-jepsen/VERDICTS.tsv")).expect("it is there");
    for line in verdicts.lines().skip(1) {
        let mut words = line.split('\t');
        if let (Some(name), Some(verdict)) = (words.next(), words.next()) {
            found.push((folder.join("etcd-jepsen").join(name), verdict == "ok"));
        }
    }
    found.retain(|(path, _)| path.is_file());
    found.sort();
    found
}

#[test]
fn files_get_their_verdicts() {
    let Some(folder) = folder() else { return };
    let mut large = Vec::new();
    for (path, right) in files(&folder) {
        let (found, size) = judge_file(&path).unwrap_or_else(|| panic!("{} is decided", path.display()));
        assert_eq!(found, right, "{}", path.display());
        if size > 10 {
            large.push(path.file_name().expect("it is a file").to_owned());
        }
    }
    assert_eq!(large, ["etcd-first-1121.edn"], "see the test below");
}

/// Whatever contradiction there is in this file, it needs more than ten operations, each of which is needed: without it, all others
/// together do not contradict one another, and neither do fewer. (Anybody may release this lock, so that who holds it follows only from counting
/// from the start.)
#[test]
fn one_file_has_no_small_contradiction() {
    let Some(folder) = folder() else { return };
    let path = folder.join("knossos/mutex/bad/etcd-first-1121.edn");
    let (lock, operations) = (Lock { initial: None, owned: false }, operations(&path, lock_call));
    let Verdict::Violated(why) = check(&lock, &operations, &Limits::default()) else { panic!("it is wrong") };
    let all = || 0..operations.len() as u32;
    let needed = |one: &u32| {
        let rest: Vec<u32> = all().filter(|other| other != one).collect();
        let checked = verify::contradiction(&lock, &operations, &rest, verify::Keep::RealTime);
        checked == Err(verify::Flaw::NotRefuted)
    };
    let needed: Vec<u32> = all().filter(needed).collect();
    assert!(
        needed.len() > 10 && needed.iter().all(|one| why.core.contains(one)),
        "{needed:?} of {:?}",
        why.core
    );
    // If only its holder may release the lock, few operations show it.
    let owned = |call: &Call| {
        let op = if &*call.function == "acquire" { lock::Op::Acquire } else { lock::Op::Release };
        let client = u32::try_from(call.process?).ok()?;
        (!failed(call)).then_some((op(client), Some(lock::Reply(true))))
    };
    let operations = self::operations(&path, owned);
    let lock = Lock { initial: None, owned: true };
    let (found, size) = judge(&lock, &operations, &path).expect("it is decided");
    assert!(!found && size <= 10, "{size}");
}

/// What was answered, and whether by a read, as an operation of a set.
type Convert = dyn Fn(&Value, bool) -> (set::Op<Value>, set::Reply<Value>);

#[test]
fn a_set_that_lost_an_element_is_explained_by_two_operations() {
    let Some(folder) = folder() else { return };
    let path = folder.join("jepsen-workloads/set_full.edn");
    let model = Set { initial: BTreeSet::new() };
    // As it is written, elements are pairs, and the read saw numbers that nobody added.
    let judge_it = |convert: &Convert, skip| {
        let call = |call: &Call| {
            let (op, reply) = convert(&call.answered, &*call.function == "read");
            Some((op, Some(reply)))
        };
        let operations = operations(&path, call);
        assert_eq!(operations.len(), 294);
        judge(&model, &operations[skip..], &path)
    };
    fn list(value: &Value) -> Vec<Value> {
        value.elements().expect("it is a list").to_vec()
    }
    let whole = |value: &Value, is_read: bool| match is_read {
        true => (set::Op::Read, set::Reply::All(list(value).into_iter().collect())),
        false => (set::Op::Add(value.clone()), set::Reply::Done),
    };
    assert_eq!(judge_it(&whole, 0), Some((false, 1)));
    // If the first number is a key, element 0 was lost, and without it all is right.
    let keyed = |value: &Value, is_read: bool| match is_read {
        true => (set::Op::Read, set::Reply::All(list(value).into_iter().skip(1).collect())),
        false => (set::Op::Add(list(value)[1].clone()), set::Reply::Done),
    };
    assert_eq!(judge_it(&keyed, 0), Some((false, 2)));
    assert_eq!(judge_it(&keyed, 1), Some((true, 0)));
}
