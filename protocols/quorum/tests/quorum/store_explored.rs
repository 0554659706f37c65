//! The store, explored: every behaviour of a few nodes, with crashes at every boundary of durability.

use isles_check::Model;
use isles_check::linearizability::incremental::{Cache, Frontier, Ticket};
use isles_explore::{
    Answer as Found, Budget, Explorer, Faults, Property, Report, Scenario, Script, Timers, View,
};
use isles_history::Entry;
use isles_kernel::{OpId, Payload, ProcessId, Span};
use isles_quorum::store::{Command, Condition, Config, Expiry, Keyspace, Mistake, Op, Record, Reply, Store};

use crate::store_model::{Held, serve};

/// A store to its clients: one command or several at a time.
struct Operations;

impl Model for Operations {
    type Op = Op;
    type Reply = Reply;
    type State = Held;

    fn initial(&self) -> Held {
        Held::new()
    }

    fn step(&self, state: &Held, op: &Op, reply: Option<&Reply>, next: &mut Vec<Held>) {
        let mut after = state.clone();
        let fits = match (op, reply) {
            // What was refused has done nothing.
            (_, Some(Reply::Refused)) => true,
            (Op::One(command), None) => serve(&mut after, command, None),
            (Op::One(command), Some(Reply::One(answer))) => serve(&mut after, command, Some(answer)),
            (Op::All { commands, .. }, None) => {
                commands.iter().all(|command| serve(&mut after, command, None))
            }
            (Op::All { commands, .. }, Some(Reply::All(answers))) => {
                let told = commands.iter().zip(answers);
                commands.len() == answers.len() && { told }
                    .all(|(command, answer)| serve(&mut after, command, Some(answer)))
            }
            _ => false,
        };
        if fits {
            next.push(after);
        }
    }
}

fn key(name: &str) -> Payload {
    name.into()
}

fn get(name: &str) -> Command {
    Command::Get { key: key(name) }
}

fn set(name: &str, value: &str) -> Command {
    let (condition, expiry, get) = (Condition::Always, Expiry::Never, false);
    Command::Set { key: key(name), value: value.into(), condition, expiry, get }
}

fn add(name: &str) -> Command {
    Command::Increment { key: key(name), by: 1 }
}

fn one(command: Command) -> Op {
    Op::One(command)
}

fn all(commands: &[Command]) -> Op {
    Op::All { commands: commands.into(), unchanged: [].into() }
}

/// What one client asks of a node.
fn at(node: u32, ops: &[Op]) -> Script<Op> {
    ops.iter().map(|op| (ProcessId(node), op.clone())).collect()
}

/// What may go wrong: crashes, each with a restart, and time-outs.
#[derive(Clone, Copy)]
struct Trouble {
    crashes: u8,
    timeouts: u8,
}

const QUIET: Trouble = Trouble { crashes: 0, timeouts: 2 };
const CRASH: Trouble = Trouble { crashes: 1, timeouts: 2 };

fn scenario(
    nodes: (u32, u32, u32),
    clients: &[Script<Op>],
    trouble: Trouble,
    mistake: Option<Mistake>,
) -> Scenario<Store> {
    let (n, r, w) = nodes;
    let mut config = Config::new(n, vec![Keyspace::all(n, r, w)]).expect("these quorums meet");
    config.sweep = Span::ZERO;
    config.pauses = 1;
    config.remembered_max = 0;
    config.attempts_max = 3;
    config.mistake = mistake;
    let faults = Faults {
        crashes: Budget::UpTo(trouble.crashes),
        restarts: Budget::UpTo(trouble.crashes),
        ..Faults::default()
    };
    let timeouts = Budget::UpTo(trouble.timeouts);
    let scenario = Scenario {
        clients: clients.to_vec(),
        timers: Timers::WhenQuiet,
        timeouts,
        faults,
        ..Scenario::new(n, config)
    };
    scenario
        .ask(Property::history("linearizable", is_linearizable))
        .ask(Property::reachable("all are answered", |view| view.clients_done()))
        .ask(Property::reachable("all is done", is_done))
}

/// Clients are answered, and no node has anything under way.
fn is_done(view: &View<'_, Store>) -> bool {
    view.clients_done() && view.is_quiet() && view.live().all(|(_, node)| node.is_idle())
}

fn is_linearizable(history: &[Entry<Op, Reply>]) -> bool {
    let mut cache = Cache::new(&Operations);
    let mut frontier = Frontier::default();
    let mut open: Vec<(OpId, Ticket)> = Vec::new();
    history.iter().all(|entry| match entry {
        Entry::Invoke { id, op, .. } => {
            open.push((*id, frontier.invoke(&mut cache, op)));
            true
        }
        Entry::Return { id, reply, .. } => {
            let place = open.iter().position(|(other, _)| other == id);
            place.is_none_or(|place| frontier.respond(&mut cache, open.swap_remove(place).1, reply))
        }
        Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => true,
    })
}

fn explore(scenario: Scenario<Store>, states: u64) -> Report<Store> {
    Explorer::new(scenario).expect("it is a possible scenario").states(states).breadth_first()
}

/// Whether a property breaks, or what is to be reached is not.
fn breaks(report: &Report<Store>, property: &str) -> bool {
    report.answer(property).is_some_and(Found::is_bad)
}

fn holds(scenario: Scenario<Store>, states: u64) -> u64 {
    let report = explore(scenario, states);
    for finding in &report.findings {
        assert!(!finding.answer.is_bad(), "{finding:?}");
    }
    report.states
}

/// One writes what the other reads twice.
fn writer_and_reader() -> [Script<Op>; 2] {
    [at(0, &[one(set("x", "1"))]), at(1, &[one(get("x")), one(get("x"))])]
}

/// Both add to the same keys, in opposite order.
fn crosswise() -> [Script<Op>; 2] {
    [at(0, &[all(&[add("x"), add("y")])]), at(1, &[all(&[add("y"), add("x")])])]
}

#[test]
fn without_failures_all_histories_are_linearizable_and_all_is_done() {
    let count = |quorums, clients: &[Script<Op>]| holds(scenario(quorums, clients, QUIET, None), 100_000);
    let counts = [(2, 1, 2), (2, 2, 2), (3, 2, 2)]
        .map(|quorums| [count(quorums, &writer_and_reader()), count(quorums, &crosswise())]);
    assert_eq!(counts, [[108, 113], [148, 113], [12_782, 12_610]]);
}

#[test]
fn with_a_crash_at_any_boundary_histories_are_linearizable() {
    let count = |quorums, clients: &[Script<Op>]| holds(scenario(quorums, clients, CRASH, None), 200_000);
    assert_eq!(count((2, 1, 2), &writer_and_reader()), 160_069);
    // These are more than a test has time for: as far as it goes.
    assert!(count((2, 1, 2), &crosswise()) > 200_000);
    assert!(count((3, 2, 2), &writer_and_reader()) > 200_000);
}

/// A mistake, and the smallest case in which it shows.
fn showing(mistake: Option<Mistake>, of: Mistake) -> Scenario<Store> {
    let read_both = at(0, &[one(get("x"))]).into_iter().chain(at(1, &[one(get("x"))])).collect();
    let (quorums, clients, trouble) = match of {
        Mistake::DecidesAlone | Mistake::ForgetsEarly => {
            ((2, 1, 2), vec![at(0, &[one(set("x", "1"))]), read_both], CRASH)
        }
        Mistake::ReadsPrepared => ((2, 1, 2), vec![at(0, &[one(set("x", "1"))]), read_both], QUIET),
        Mistake::ReleasesEarly => ((2, 1, 2), vec![at(0, &[one(add("x"))]), at(1, &[one(add("x"))])], QUIET),
        Mistake::ForgetsDeleted => {
            let delete = one(Command::Delete { key: key("x") });
            let script =
                at(0, &[one(set("x", "1")), delete]).into_iter().chain(at(2, &[one(get("x"))])).collect();
            ((3, 2, 2), vec![script], QUIET)
        }
        // The first shows in no history; the others when a stream breaks in one direction, and with five nodes: in simulations.
        Mistake::NeverWounds | Mistake::VotesWithoutLock | Mistake::ReadsLocked => {
            ((2, 1, 2), crosswise().to_vec(), QUIET)
        }
    };
    scenario(quorums, &clients, trouble, mistake)
}

#[test]
fn each_mistake_is_found_and_the_same_search_finds_nothing_without_it() {
    for mistake in [
        Mistake::DecidesAlone,
        Mistake::ReleasesEarly,
        Mistake::ForgetsEarly,
        Mistake::ReadsPrepared,
        Mistake::ForgetsDeleted,
    ] {
        let found = explore(showing(Some(mistake), mistake), 400_000);
        assert!(breaks(&found, "linearizable"), "{mistake:?}");
        let shipped = explore(showing(None, mistake), found.states);
        assert!(!breaks(&shipped, "linearizable"), "{mistake:?}");
    }
}

#[test]
fn without_wounds_transactions_wait_for_each_other_in_a_circle() {
    let circle = |mistake| {
        let at_rest = Property::never("a circle", |view: &View<'_, Store>| {
            view.is_quiet() && view.live().map(|(_, node)| node.waiting()).sum::<usize>() > 0
        });
        let trouble = Trouble { timeouts: 1, ..QUIET };
        breaks(
            &explore(scenario((2, 1, 2), &crosswise(), trouble, mistake).ask(at_rest), 100_000),
            "a circle",
        )
    };
    assert!(circle(Some(Mistake::NeverWounds)));
    assert!(!circle(None));
}

#[test]
fn a_participant_whose_coordinator_is_lost_waits_until_it_is_back() {
    let blocked = |view: &View<'_, Store>| {
        let waits = view.process(ProcessId(1)).is_some_and(|node| node.in_doubt() > 0);
        view.process(ProcessId(0)).is_none() && view.is_quiet() && waits
    };
    let is_back = |view: &View<'_, Store>| {
        let promised = view.log(ProcessId(1)).iter().any(|record| matches!(record, Record::Prepared { .. }));
        promised && view.log(ProcessId(0)).contains(&Record::Boot(2)) && is_done(view)
    };
    let asked = |restarts| {
        let clients = [at(0, &[one(set("x", "1"))])];
        let mut scenario = scenario((2, 1, 2), &clients, Trouble { crashes: 1, timeouts: 3 }, None);
        scenario.faults.restarts = Budget::UpTo(restarts);
        let released = Property::leads_to("blocked, then not", blocked, move |view| !blocked(view));
        scenario
            .ask(Property::reachable("blocked", blocked))
            .ask(Property::reachable("told", is_back))
            .ask(released)
    };
    let lost = explore(asked(0), 200_000);
    assert_eq!(lost.stopped, None);
    // The vote binds it: whatever it does, it learns nothing while the coordinator is away.
    assert!(!breaks(&lost, "blocked") && breaks(&lost, "blocked, then not") && breaks(&lost, "told"));
    let back = explore(asked(1), 200_000);
    assert!(!breaks(&back, "blocked") && !breaks(&back, "told"));
}
