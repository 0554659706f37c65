//! One history in every format that is read: all say the same of it, and so does what is written of them.

use std::path::Path;

use isles_check::lattice::place;
use isles_check::linearizability::{Limits, check};
use isles_check::models::{KeyValue, Register};
use isles_check::read::{Fails, Reading as How, Words, objects};
use isles_check::transactions::{Budget, Level};
use isles_check::{Verdict, verify, verify_transactions};
use isles_history::{
    Calls, EdnWriter, Event, Format, LinesWriter, Reading, Transactions, Value, read, transactions,
    write_plume,
};

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn events(text: &[u8], format: Option<Format>) -> Vec<Event> {
    match read(text, format).expect("a history") {
        Reading::Events(events) => events.collect::<Result<_, _>>().expect("it is right"),
        Reading::Transactions(_) => panic!("these are operations"),
    }
}

/// What is wrong with a history, in words, if something is; the certificate is verified.
fn wrong<M: Words>(model: &M, events: &[Event]) -> Option<Vec<String>> {
    let how = How { fails: Fails::Drop, tuples: false, skew: None };
    let calls = Calls::new(events.iter().cloned().map(Ok));
    let objects = objects(model, calls, how).expect("it is of this model");
    assert_eq!(objects.len(), 1);
    let operations = &objects[0].operations;
    match check(model, operations, &Limits::default()) {
        Verdict::Holds(order) => {
            assert_eq!(verify::order(model, operations, &order.0, verify::Keep::RealTime), Ok(()));
            None
        }
        Verdict::Violated(why) => {
            assert_eq!(verify::contradiction(model, operations, &why.core, verify::Keep::RealTime), Ok(()));
            let text = |place: &u32| {
                let operation = &operations[*place as usize];
                format!("{} {}", operation.process, model.describe(&operation.op, operation.reply()))
            };
            Some(why.core.iter().map(text).collect())
        }
        Verdict::Unknown(progress) => panic!("{progress:?}"),
    }
}

/// The history without its last read is right.
fn judged_twice<M: Words>(name: &str, model: &M, events: &[Event]) -> Vec<String> {
    let last = events.iter().rposition(|event| event.id.is_some() || event.kind == isles_history::Kind::Ok);
    let mut fewer = events.to_vec();
    fewer.remove(last.expect("it has an answer"));
    assert_eq!(wrong(model, &fewer), None, "{name}");
    wrong(model, events).unwrap_or_else(|| panic!("{name} has a stale read"))
}

fn written(events: &[Event]) -> [(Format, Vec<u8>); 2] {
    let (mut edn, mut lines) = (Vec::new(), Vec::new());
    let (mut as_edn, mut as_lines) = (EdnWriter::default(), LinesWriter::default());
    for event in events {
        as_edn.write(event, &mut edn).expect("memory does not fail");
        as_lines.write(event, &mut lines).expect("memory does not fail");
    }
    [(Format::Edn, edn), (Format::Lines, lines)]
}

#[test]
fn a_register_is_judged_alike_in_every_format_and_so_is_what_is_written_of_it() {
    let files = [
        ("register-lines.edn", Format::Edn),
        ("register-vector.edn", Format::Edn),
        ("register-list.edn", Format::Edn),
        ("register-array.json", Format::Json),
        ("register-lines.json", Format::Json),
        ("register.log", Format::Log),
        ("register.jsonl", Format::Lines),
    ];
    let register = Register { initial: Value::Nil };
    let mut said: Vec<Vec<String>> = Vec::new();
    for (name, format) in files {
        let text = sample(name);
        assert_eq!(Format::of(&text), Some(format), "{name}");
        let events = events(&text, None);
        said.push(judged_twice(name, &register, &events));
        let faults: Vec<&Event> =
            events.iter().filter(|event| matches!(event.actor, isles_history::Actor::Nemesis(_))).collect();
        assert_eq!(faults.len(), 2, "{name}");
        for (format, text) in written(&events) {
            let again = self::events(&text, None);
            assert_eq!(Format::of(&text), Some(format), "{name}");
            said.push(judged_twice(name, &register, &again));
        }
    }
    // Sessions are numbered in the order in which they begin.
    assert_eq!(said[0], ["3 read → 2", "3 read → 1"]);
    assert!(said.iter().all(|core| *core == said[0]), "{said:?}");
}

#[test]
fn a_store_in_the_words_of_a_log_of_gets_and_puts() {
    let store = KeyValue::new(None);
    let events = events(&sample("store.txt"), None);
    let said = judged_twice("store.txt", &store, &events);
    assert_eq!(said, ["3 get \"k\" → \"2\"", "3 get \"k\" → \"1\""]);
    for (_, text) in written(&events) {
        assert_eq!(judged_twice("store.txt", &store, &self::events(&text, None)), said);
    }
}

fn transactions_of(text: &[u8]) -> Transactions {
    match read(text, None).expect("a history") {
        Reading::Transactions(history) => history,
        Reading::Events(events) => transactions(Calls::new(events)).expect("transactions"),
    }
}

/// The strongest levels that hold, and the weakest that do not; all certificates are verified. Levels of real time are left out.
fn placed(history: &Transactions) -> [Vec<Level>; 2] {
    let placed = place(history, Budget::default());
    assert!(placed.unknown.is_empty());
    let untimed = |level: &Level| level.order() != isles_check::transactions::Order::RealTime;
    let (mut holds, mut fails) = (Vec::new(), Vec::new());
    for (level, witness) in placed.strongest {
        assert_eq!(verify_transactions(history, level, &Verdict::Holds(witness)), Ok(()), "{level}");
        holds.push(level);
    }
    for (level, violation) in placed.weakest {
        assert_eq!(verify_transactions(history, level, &Verdict::Violated(violation)), Ok(()), "{level}");
        fails.push(level);
    }
    [holds, fails].map(|levels| levels.into_iter().filter(untimed).collect())
}

#[test]
fn transactions_are_placed_alike_in_every_format_and_so_is_what_is_written_of_them() {
    let files = [
        ("txn.plume.txt", Format::Plume),
        ("txn.awdit.txt", Format::Awdit),
        ("txn.dbcop.json", Format::Dbcop),
        ("txn.edn", Format::Edn),
    ];
    let mut said = Vec::new();
    for (name, format) in files {
        let text = sample(name);
        assert_eq!(Format::of(&text), Some(format), "{name}");
        let history = transactions_of(&text);
        said.push(placed(&history));
        let mut plume = Vec::new();
        write_plume(&history, &mut plume).expect("registers alone");
        assert_eq!(Format::of(&plume), Some(Format::Plume));
        said.push(placed(&transactions_of(&plume)));
    }
    // Half of a transaction was seen, and a session went back.
    let [holds, fails] = &said[0];
    assert!(fails.contains(&Level::ReadAtomic) && fails.contains(&Level::MonotonicReads), "{fails:?}");
    assert!(holds.contains(&Level::SessionReadCommitted), "{holds:?}");
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
}

#[test]
fn lists_are_placed_among_all_levels() {
    let said: Vec<_> = ["lists.edn", "lists.json"]
        .iter()
        .map(|name| {
            let history = transactions_of(&sample(name));
            placed(&history)
        })
        .collect();
    let [holds, fails] = &said[0];
    assert!(fails.contains(&Level::ReadAtomic) && fails.contains(&Level::MonotonicReads), "{fails:?}");
    assert!(
        holds.contains(&Level::SessionReadCommitted) && holds.contains(&Level::MonotonicWrites),
        "{holds:?}"
    );
    assert_eq!(said[0], said[1]);
    // What is written of them is placed alike, too.
    for (_, text) in written(&events(&sample("lists.edn"), None)) {
        assert_eq!(placed(&transactions_of(&text)), said[0]);
    }
}

/// Nothing of an explanation depends on chance: neither tables nor threads come into it.
#[test]
fn explanations_are_the_same_each_time() {
    let once = || {
        let register = Register { initial: Value::Nil };
        let mut text = format!("{:?}", wrong(&register, &events(&sample("register.log"), None)));
        for name in ["txn.plume.txt", "lists.edn"] {
            let history = transactions_of(&sample(name));
            text += &format!("{:?}", place(&history, Budget::default()));
        }
        text
    };
    let first = once();
    let others: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(once)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(others.iter().all(|other| *other == first));
}
