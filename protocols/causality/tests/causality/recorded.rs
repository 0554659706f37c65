//! Replay of what the authors' own Erlang programs answered (`itc.erl` of ricardobcl/Interval-Tree-Clocks and `dvvset.erl` of
//! ricardobcl/Dotted-Version-Vectors), recorded with random steps of Erlang's generator.
//!
//! A line of the first is an operation on numbered stamps and the stamps that came of it in the Erlang wire form; after an event
//! there is the order to all stamps. `join A B` takes B out of the list. A line of the second is an operation of one of four
//! clients on one of three servers, and the server's clock that came of it, as `id:count:values`.

use isles_causality::itc::{Stamp, Wire};
use isles_causality::{Actor, DvvSet, Order, VersionVector};

fn hex(stamp: &Stamp) -> String {
    stamp.encode_as(Wire::Erlang).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(field: &str) -> usize {
    field.parse().expect("the traces have numbers here")
}

fn replay_stamps(trace: &str) -> usize {
    let mut stamps: Vec<Stamp> = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let fields: Vec<&str> = text.split(' ').collect();
        match fields.as_slice() {
            ["seed"] => stamps = vec![Stamp::seed()],
            ["fork", at, kept, given] => {
                let new = stamps[number(at)].fork();
                assert_eq!(
                    (hex(&stamps[number(at)]).as_str(), hex(&new).as_str()),
                    (*kept, *given),
                    "line {line}"
                );
                stamps.push(new);
            }
            ["join", at, other, joined] => {
                let other = stamps[number(other)].clone();
                stamps[number(at)].join(other).expect("stamps of a trace are disjoint");
                assert_eq!(hex(&stamps[number(at)]), *joined, "line {line}");
                stamps.remove(number(fields[2]));
            }
            ["event", at, stamp, orders] => {
                stamps[number(at)].event();
                assert_eq!(hex(&stamps[number(at)]), *stamp, "line {line}");
                let order = |other: &Stamp| match stamps[number(at)].compare(other) {
                    Order::Before => '<',
                    Order::After => '>',
                    Order::Equal => '=',
                    Order::Concurrent => '|',
                };
                assert_eq!(stamps.iter().map(order).collect::<String>(), *orders, "line {line}");
            }
            _ => panic!("line {line} is not understood: {text}"),
        }
    }
    trace.lines().count()
}

fn show(set: &DvvSet<u64>) -> String {
    let context = set.context();
    let servers: Vec<String> = context
        .iter()
        .map(|dot| {
            let values: Vec<String> = set
                .dotted()
                .filter(|(other, _)| other.actor == dot.actor)
                .map(|(_, value)| value.to_string())
                .collect();
            format!("{}:{}:{}", dot.actor, dot.counter, values.join(","))
        })
        .collect();
    if servers.is_empty() { "-".into() } else { servers.join(";") }
}

fn replay_sets(trace: &str) -> usize {
    let mut servers: [DvvSet<u64>; 3] = Default::default();
    let mut clients: [VersionVector; 4] = Default::default();
    for (line, text) in trace.lines().enumerate() {
        let fields: Vec<&str> = text.split(' ').collect();
        match fields.as_slice() {
            ["read", client, server] => clients[number(client)] = servers[number(server)].context(),
            ["put", client, server, value, clock] => {
                let at = number(server);
                let actor = Actor(at as u64);
                servers[at].event(actor, &clients[number(client)], number(value) as u64);
                assert_eq!(show(&servers[at]), *clock, "line {line}");
            }
            ["sync", server, other, clock] => {
                let other = servers[number(other)].clone();
                servers[number(server)].join(&other);
                assert_eq!(show(&servers[number(server)]), *clock, "line {line}");
            }
            ["less", server, other, less, more] => {
                let expected = match (*less, *more) {
                    ("true", _) => Order::Before,
                    (_, "true") => Order::After,
                    _ => servers[number(server)].compare(&servers[number(other)]),
                };
                let order = servers[number(server)].compare(&servers[number(other)]);
                assert_eq!(order, expected, "line {line}");
                assert_eq!(order == Order::Before, *less == "true", "line {line}");
                assert_eq!(order == Order::After, *more == "true", "line {line}");
            }
            _ => panic!("line {line} is not understood: {text}"),
        }
        // What travels is the same set again.
        if let [_, server, ..] = fields.as_slice()
            && let Ok(at @ 0..3) = server.parse::<usize>()
        {
            let mut bytes = Vec::new();
            servers[at].encode_into(&mut bytes, |out, value| isles_causality::wire::put_number(out, *value));
            let mut reader = isles_causality::wire::Reader::new(&bytes).expect("it is short");
            let read = DvvSet::read(&mut reader, |reader| reader.number()).expect("we wrote it");
            assert!(read == servers[at] && reader.end().is_ok());
        }
    }
    trace.lines().count()
}

#[test]
fn stamps_are_those_of_the_erlang_program_bit_for_bit() {
    assert_eq!(replay_stamps(include_str!("../traces/itc_erlang.txt")), 1001);
}

#[test]
fn sets_are_those_of_the_erlang_program_value_for_value() {
    assert_eq!(replay_sets(include_str!("../traces/dvvset_erlang.txt")), 1200);
}

/// For traces that are too large to be kept: files in the folder named here are replayed, too.
#[test]
fn traces_beside_are_replayed_too() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/more");
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let trace = std::fs::read_to_string(file.path()).expect("a trace is text");
        let lines = if trace.starts_with("seed") { replay_stamps(&trace) } else { replay_sets(&trace) };
        println!("{}: {lines} lines", file.path().display());
    }
}
