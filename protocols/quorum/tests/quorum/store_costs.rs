//! What operations cost, counted, beside the table of presumed abort in Mohan, Lindsay and Obermarck 1986, section 4: with N
//! subordinates a commit takes 4 N messages, one forced record of the coordinator and two of each subordinate, and one lazy record of the
//! coordinator; a subordinate that only read 2 messages and no record; an abort no record of the coordinator and no acknowledgement.

use std::collections::BTreeMap;

use isles_kernel::{Payload, ProcessId, Span, Time};
use isles_quorum::store::{Command, Condition, Config, Expiry, Keyspace, Op, Record, Store};
use isles_sim::{Links, Setup, Simulation};

/// Messages by kind, and records by kind and node, that an operation costs on a store of so many nodes.
fn cost(nodes: u32, quorums: (u32, u32, u32), op: Op) -> (BTreeMap<String, u64>, Vec<Vec<&'static str>>) {
    let (n, r, w) = quorums;
    let config = Config::new(nodes, vec![Keyspace::all(n, r, w)]).expect("these quorums meet");
    let setup = Setup { links: Links::constant(Span::millis(1)), ..Setup::<Store>::new(nodes, 1, config) };
    let mut sim = Simulation::new(setup).expect("a valid set-up");
    sim.invoke_at(Time::ZERO + Span::millis(100), ProcessId(0), op);
    sim.run_until(Time::ZERO + Span::millis(600), &mut ());
    let sent = sim.counters().kinds().map(|kind| (kind.name.clone(), kind.count)).collect();
    let kind = |record: &Record| match record {
        Record::Boot(_) => "boot",
        Record::Write(_) | Record::Writes(_) => "write",
        Record::Prepared { .. } => "prepared",
        Record::Decided { .. } => "decided",
        Record::Committed { .. } => "committed",
        Record::End(_) => "end",
        Record::Forgotten(..) | Record::Floor(_) => "forgotten",
    };
    let log = |node| sim.log(ProcessId(node)).iter().skip(1).map(kind).collect();
    (sent, (0..nodes).map(log).collect())
}

fn set(key: &str) -> Command {
    let (condition, expiry, get) = (Condition::Always, Expiry::Never, false);
    Command::Set { key: Payload::from(key), value: Payload::from("1"), condition, expiry, get }
}

fn get(key: &str) -> Command {
    Command::Get { key: Payload::from(key) }
}

fn all(commands: &[Command]) -> Op {
    Op::All { commands: commands.into(), unchanged: [].into() }
}

fn sent(kinds: &[(&str, u64)]) -> BTreeMap<String, u64> {
    kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[test]
fn a_commit_costs_what_presumed_abort_says_and_the_round_of_locks() {
    // All three replicas write, one of them the coordinator: two subordinates.
    let (messages, records) = cost(3, (3, 1, 3), Op::One(set("x")));
    let published = [("Prepare", 2), ("Vote", 2), ("Commit", 2), ("Acknowledge", 2)];
    assert_eq!(messages, sent(&[&published[..], &[("Lock", 2), ("Granted", 2)]].concat()));
    assert_eq!(records[0], ["prepared", "committed", "decided", "end"]);
    assert_eq!(records[1..], [["prepared", "decided"], ["prepared", "decided"]]);
    // With two of three, the third hears of the commit and catches up: one record instead of two, and no vote.
    let (messages, records) = cost(3, (3, 2, 2), Op::One(set("x")));
    let kinds = [("Lock", 2), ("Granted", 2), ("Prepare", 1), ("Vote", 1), ("Commit", 2), ("Acknowledge", 2)];
    assert_eq!(messages, sent(&kinds));
    let mut others: Vec<usize> = records[1..].iter().map(Vec::len).collect();
    others.sort_unstable();
    assert_eq!(others, [1, 2]);
}

#[test]
fn who_only_read_is_done_with_its_vote() {
    let (messages, records) = cost(3, (3, 3, 3), all(&[get("x"), get("y")]));
    assert_eq!(messages, sent(&[("Lock", 2), ("Granted", 2), ("Prepare", 2), ("Vote", 2)]));
    assert!(records.iter().all(Vec::is_empty), "{records:?}");
    // A read of one key takes one round; nothing, if one replica is enough and this is one.
    assert_eq!(cost(3, (3, 2, 2), Op::One(get("x"))).0, sent(&[("Read", 2), ("Value", 2)]));
    assert_eq!(cost(3, (3, 1, 3), Op::One(get("x"))).0, sent(&[]));
}

#[test]
fn what_changes_nothing_is_aborted_without_a_record_and_without_acknowledgements() {
    let never = Command::Expire { key: Payload::from("x"), expiry: Expiry::Never };
    let (messages, records) = cost(3, (3, 1, 3), Op::One(never));
    assert_eq!(messages, sent(&[("Lock", 2), ("Granted", 2), ("Abort", 2)]));
    assert!(records.iter().all(Vec::is_empty), "{records:?}");
}

#[test]
fn a_node_alone_keeps_one_record_for_a_write_and_sends_nothing() {
    let (messages, records) = cost(1, (1, 1, 1), Op::One(set("x")));
    assert_eq!((messages, &records[0][..]), (sent(&[]), &["write"][..]));
    let (messages, records) = cost(1, (1, 1, 1), all(&[set("x"), set("y"), get("z")]));
    assert_eq!((messages, &records[0][..]), (sent(&[]), &["write"][..]));
    assert!(cost(1, (1, 1, 1), Op::One(get("x"))).1[0].is_empty());
}
