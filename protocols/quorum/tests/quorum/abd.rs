//! The atomic register on a majority, on single handlers and in every order.

use isles_explore::{Budget, Explorer, Faults, Property, Scenario, Streams, View};
use isles_kernel::{OpId, ProcessId, Protocol};
use isles_quorum::abd::{Abd, Config, Mistake, Msg, Record, Version};
use isles_quorum::register::{Op, Reply};

use crate::world::{One, is_linearizable, persisted, replies, sent};

const FIRST: u64 = 1 << 32;

fn receive(one: &mut One<Abd>, from: u32, msg: Msg) -> Vec<isles_kernel::Effect<Abd>> {
    one.step(|abd, cx| abd.on_message(cx, ProcessId(from), msg))
}

/// Lynch, Shvartsman 1997: a write finds the newest version of a majority, and stores its value under a greater one at a majority.
#[test]
fn a_write_goes_by_a_majority_twice() {
    let (mut writer, _) = One::<Abd>::start(0, Config::new(3), &[]);
    let asked = writer.step(|abd, cx| abd.on_op(cx, OpId(1), Op::Write(5)));
    assert_eq!(sent(&asked), [(1, Msg::Query { number: FIRST }), (2, Msg::Query { number: FIRST })]);
    let found = Version { clock: 4, writer: ProcessId(2), number: 9 };
    let effects = receive(&mut writer, 2, Msg::Answer { number: FIRST, version: found, value: 3 });
    let version = Version { clock: 5, writer: ProcessId(0), number: FIRST };
    let store = Msg::Store { number: FIRST, version, value: 5 };
    assert_eq!(sent(&effects), [(1, store), (2, store)]);
    assert_eq!(persisted(&effects), [Record::Stored(version, 5)]);
    // An answer that is late is no vote of the second round.
    assert_eq!(
        replies(&receive(&mut writer, 1, Msg::Answer { number: FIRST, version: found, value: 3 })),
        []
    );
    assert_eq!(replies(&receive(&mut writer, 1, Msg::Stored { number: FIRST })), [Reply::Done]);
}

/// Attiya, Bar-Noy, Dolev 1995: a reader stores what it found before it says so.
#[test]
fn a_read_writes_back() {
    let (mut reader, _) = One::<Abd>::start(0, Config::new(3), &[]);
    reader.step(|abd, cx| abd.on_op(cx, OpId(1), Op::Read));
    let version = Version { clock: 4, writer: ProcessId(2), number: 9 };
    let effects = receive(&mut reader, 2, Msg::Answer { number: FIRST, version, value: 3 });
    assert_eq!((replies(&effects), sent(&effects).len(), reader.process.holds()), (vec![], 2, (version, 3)));
    assert_eq!(replies(&receive(&mut reader, 2, Msg::Stored { number: FIRST })), [Reply::Value(3)]);
    let snapshot = reader.process.snapshot().expect("it has one");
    assert_eq!(One::<Abd>::start(0, Config::new(3), &snapshot).0.process.holds(), (version, 3));
}

fn at(process: u32, op: Op) -> (ProcessId, Op) {
    (ProcessId(process), op)
}

/// Three copies and two clients' processes; messages overtake one another. Processes may crash and come back.
fn scenario(clients: Vec<Vec<(ProcessId, Op)>>, crashes: u8, mistake: Option<Mistake>) -> Scenario<Abd> {
    let budget = Budget::UpTo(crashes);
    let faults = Faults { crashes: budget, restarts: budget, ..Faults::default() };
    let scenario = Scenario::<Abd>::new(4, Config { mistake, ..Config::new(3) });
    Scenario { clients, faults, streams: Streams::Unordered, timeouts: Budget::NONE, ..scenario }
        .ask(Property::always(ONE_VALUE, |view: &View<'_, Abd>| {
            let held: Vec<_> = view.live().map(|(_, process)| process.holds()).collect();
            held.iter()
                .all(|(version, value)| held.iter().all(|(other, same)| version != other || value == same))
        }))
        .ask(Property::history("linearizable", is_linearizable))
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

const ONE_VALUE: &str = "no two values have one version";

/// What breaks first, and the steps to it; the number of states if nothing breaks in any of them.
fn outcome(scenario: Scenario<Abd>) -> Result<u64, (String, usize)> {
    let report = Explorer::new(scenario).expect("a possible scenario").threads(2).breadth_first();
    let Some(failure) = report.failure() else {
        assert!(report.is_proof(), "{report}");
        return Ok(report.states);
    };
    Err((failure.property.clone(), failure.answer.trace().map_or(0, |trace| trace.steps.len())))
}

fn lost(steps: usize) -> Result<u64, (String, usize)> {
    Err(("linearizable".to_owned(), steps))
}

#[test]
fn a_read_that_does_not_write_back_is_followed_by_an_older_one() {
    let clients = || vec![vec![at(0, Op::Write(1))], vec![at(1, Op::Read), at(2, Op::Read)]];
    assert_eq!(outcome(scenario(clients(), 0, Some(Mistake::SkipsWriteBack))), lost(9));
    assert_eq!(outcome(scenario(clients(), 0, None)), Ok(1_358_988));
}

/// A process without a copy that does two writes at once. They end in either order, and all copies agree on it.
#[test]
fn two_writes_of_one_process_have_two_versions() {
    let clients = || vec![vec![at(3, Op::Write(1))], vec![at(3, Op::Write(2))]];
    let shared = outcome(scenario(clients(), 0, Some(Mistake::SharedVersion)));
    assert_eq!(shared, Err((ONE_VALUE.to_owned(), 12)));
    assert_eq!(outcome(scenario(clients(), 0, None)), Ok(1_385_427));
}

#[test]
fn what_a_copy_stored_survives_a_crash_because_it_is_on_disk() {
    let clients = || vec![vec![at(1, Op::Write(1)), at(2, Op::Read)]];
    assert_eq!(outcome(scenario(clients(), 1, Some(Mistake::LosesStored))), lost(14));
    assert_eq!(outcome(scenario(clients(), 1, None)), Ok(56_614));
}

#[test]
fn half_of_the_copies_are_not_enough() {
    let clients = vec![vec![at(0, Op::Write(1)), at(1, Op::Read)]];
    let two = |mistake| {
        let config = Config { mistake, ..Config::new(2) }.into();
        Scenario { processes: 2, config, ..scenario(clients.clone(), 0, mistake) }
    };
    assert_eq!(outcome(two(Some(Mistake::HalfQuorum))), lost(2));
    assert!(outcome(two(None)).is_ok());
}
