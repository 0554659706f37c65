//! What was written is read again.

use std::sync::Arc;

use isles_history::{
    Actor, Builder, EdnWriter, Event, Format, Kind, LinesWriter, Reading, Status, Transactions, Value, read,
    write_plume,
};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Arc<str>> {
    ".{0,6}".prop_map(Arc::from)
}

/// Values that both EDN and JSON have, one way or another.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        text().prop_map(Value::Text),
        "[a-z][a-z0-9/.-]{0,6}".prop_map(|name| Value::Keyword(Arc::from(name))),
        prop_oneof![
            Just("1/2"),
            Just("0.5"),
            Just("123456789012345678901"),
            Just("#object[a.B 0x1 \"x\"]"),
            Just("##NaN"),
            Just("#inst \"2020\"")
        ]
        .prop_map(|other| Value::Other(Arc::from(other))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Set),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
            prop::collection::vec((text().prop_map(Value::Text), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

/// A history as Jepsen has it: each process has one operation at a time, and none after one that stayed unknown.
fn history() -> impl Strategy<Value = Vec<Event>> {
    let step = (
        0usize..5,
        0u8..8,
        value(),
        value(),
        prop::option::of(0u64..1000),
        0u64..3,
        prop::option::of(value()),
    );
    prop::collection::vec(step, 0..40).prop_map(|steps| {
        let functions: [Arc<str>; 3] = ["read", "write", "odd name"].map(Arc::from);
        let mut names = [0u64, 1, 2, 3, 4];
        let mut open: [Option<(Arc<str>, Option<Value>)>; 5] = [const { None }; 5];
        let mut events = Vec::new();
        for (index, (slot, kind, asked, answered, time, uncertainty, key)) in (1..).zip(steps) {
            let mut event = Event {
                line: index,
                time,
                uncertainty,
                actor: Actor::Client(names[slot]),
                id: None,
                kind: Kind::Invoke,
                function: Arc::clone(&functions[slot % 3]),
                key: key.filter(|key| *key != Value::Nil),
                value: asked,
            };
            if kind == 7 {
                event.actor = Actor::Nemesis(Arc::from("nemesis"));
                (event.kind, event.key) = (Kind::Info, None);
            } else if let Some((function, key)) = open[slot].take() {
                event.kind = [Kind::Ok, Kind::Ok, Kind::Fail, Kind::Info][usize::from(kind) % 4];
                (event.function, event.key, event.value) = (function, key, answered);
                if event.kind == Kind::Info {
                    names[slot] += 5;
                }
            } else {
                open[slot] = Some((Arc::clone(&event.function), event.key.clone()));
            }
            events.push(event);
        }
        events
    })
}

/// Without what a format does not keep: the names of operations.
fn plain(events: Vec<Event>) -> Vec<Event> {
    events.into_iter().map(|event| Event { id: None, ..event }).collect()
}

fn edn(events: &[Event]) -> Vec<u8> {
    let (mut out, mut writer) = (Vec::new(), EdnWriter::default());
    events.iter().for_each(|event| writer.write(event, &mut out).expect("memory does not fail"));
    out
}

fn lines(events: &[Event]) -> Vec<u8> {
    let (mut out, mut writer) = (Vec::new(), LinesWriter::default());
    events.iter().for_each(|event| writer.write(event, &mut out).expect("memory does not fail"));
    out
}

/// Transactions over registers, or over lists.
fn transactions() -> impl Strategy<Value = Transactions> {
    let step = (any::<bool>(), 0i64..4, 0i64..30);
    let transaction = (0u32..4, any::<bool>(), prop::collection::vec(step, 1..4));
    prop::collection::vec(transaction, 0..12).prop_map(|all| {
        let mut builder = Builder::with_initial_zero();
        for (session, committed, steps) in all {
            let steps: Vec<_> = steps
                .into_iter()
                .filter(|(write, _, _)| committed || *write)
                .map(|(write, key, value)| {
                    let (key, value) = (Value::Int(key), Value::Int(value + i64::from(write)));
                    if write { builder.write(&key, &value) } else { builder.read(&key, &value) }
                })
                .collect();
            if committed {
                builder.push(session, Status::Committed, None, steps);
            } else {
                steps.into_iter().for_each(|step| builder.push(session, Status::Aborted, None, [step]));
            }
        }
        builder.finish()
    })
}

/// Transactions session by session, in the order in which sessions appear: other orders among sessions plume does not keep.
fn by_session(transactions: &Transactions) -> Vec<String> {
    let mut sessions: Vec<u32> = Vec::new();
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (transaction, line) in transactions.all().iter().zip(super::shown(transactions).lines()) {
        let known = sessions.iter().position(|session| *session == transaction.session);
        let place = known.unwrap_or_else(|| {
            sessions.push(transaction.session);
            sessions.len() - 1
        });
        let name = format!("session {} ", transaction.session);
        lines.push((place, line.strip_prefix(&name).expect("it begins so").to_owned()));
    }
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn edn_is_read_as_it_was_written(history in history()) {
        prop_assert_eq!(super::events(&edn(&history), Some(Format::Edn)).expect("own text"), history);
    }

    #[test]
    fn lines_are_read_as_they_were_written_and_written_as_they_were_read(history in history()) {
        let text = lines(&history);
        let read = super::events(&text, Some(Format::Lines)).expect("own text");
        prop_assert_eq!(String::from_utf8(lines(&read)).expect("it is text"), String::from_utf8(text).expect("it is text"));
        prop_assert_eq!(plain(read), history);
    }

    #[test]
    fn one_format_after_the_other_keeps_all(history in history()) {
        let read = super::events(&lines(&history), Some(Format::Lines)).expect("own text");
        let again = super::events(&edn(&read), Some(Format::Edn)).expect("own text");
        prop_assert_eq!(again, history);
    }

    #[test]
    fn plume_is_read_as_it_was_written(transactions in transactions()) {
        let mut text = Vec::new();
        write_plume(&transactions, &mut text).expect("registers alone");
        let Reading::Transactions(read) = read(text.as_slice(), Some(Format::Plume)).expect("own text") else {
            panic!("plume has transactions")
        };
        prop_assert_eq!(by_session(&read), by_session(&transactions));
    }
}

#[test]
fn plume_has_neither_lists_nor_unknown_outcomes() {
    let mut builder = Builder::default();
    let step = builder.append(&Value::Int(1), &Value::Int(2));
    builder.push(0, Status::Committed, None, [step]);
    let error = write_plume(&builder.finish(), &mut Vec::new()).expect_err("a list");
    assert!(error.to_string().starts_with("transaction 0 works on a list"), "{error}");
    let mut builder = Builder::default();
    let step = builder.write(&Value::Int(1), &Value::Int(2));
    builder.push(0, Status::Unknown, None, [step]);
    let error = write_plume(&builder.finish(), &mut Vec::new()).expect_err("an unknown outcome");
    assert!(error.to_string().starts_with("nobody knows"), "{error}");
}

#[test]
fn names_that_are_no_numbers_are_numbered() {
    let mut builder = Builder::default();
    let key = Value::Text(Arc::from("x"));
    let steps = [builder.read(&key, &Value::Nil), builder.write(&key, &Value::Text(Arc::from("a")))];
    builder.push(0, Status::Committed, None, steps);
    let mut text = Vec::new();
    write_plume(&builder.finish(), &mut text).expect("registers alone");
    assert_eq!(String::from_utf8(text).expect("it is text"), "r(0,0,0,0)\nw(0,1,0,0)\n");
}
