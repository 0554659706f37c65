//! The store under faults, in simulated runs.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many effects, faults and answers matter at each place"
)]

use std::collections::BTreeSet;

use isles_kernel::{Cx, Effect, Payload, ProcessId, Protocol, Span, Time};
use isles_quorum::store::{
    Answer, Command, Condition, Config, Expiry, Keyspace, Mistake, Op, Record, Reply, Store,
};
use isles_sim::{Disk, Fault, Memory, Recorder, Setup, Simulation, Who};

use crate::store_world::{MISTAKES, Outcomes, Plan, config, plan, run};

#[test]
fn whatever_breaks_histories_are_linearizable_and_strictly_serializable() {
    let mut total = Outcomes::default();
    for seed in 0..25 {
        let outcomes = run(&plan(seed, 100, None));
        assert_eq!(outcomes.wrong, None, "seed {seed}: cargo run --example campaign 100 {seed}");
        total.add(&outcomes);
    }
    assert_eq!((total.undecided, total.rejected), (0, 0), "{total:?}");
    // All that the protocol is made of took part.
    let parts =
        [total.answered, total.committed, total.wounded, total.in_doubt, total.repaired, total.forgotten];
    assert!(parts.iter().all(|count| *count > 50), "{total:?}");
    assert!(total.answered > total.operations * 9 / 10, "{total:?}");
}

#[test]
fn the_same_runs_find_each_mistake() {
    // Nobody who waits in a circle does anything wrong, and locks that reads do not respect showed once in 62 600 steps.
    let others = [Mistake::NeverWounds, Mistake::ReadsLocked];
    for mistake in MISTAKES.into_iter().filter(|mistake| !others.contains(mistake)) {
        let found = (0..150).any(|seed| run(&plan(seed, 100, Some(mistake))).wrong.is_some());
        assert!(found, "{mistake:?}");
    }
    assert!(run(&plan(626, 100, Some(Mistake::ReadsLocked))).wrong.is_some());
    assert_eq!(run(&plan(626, 100, None)).wrong, None);
}

#[test]
fn without_wounds_transactions_stand_still_until_their_time_is_up() {
    let refused = |mistake| {
        let plan = |seed| Plan {
            config: config(3, 3, 2, 2, mistake),
            clients: 12,
            steps: 0,
            every: Span::millis(100),
            seed,
        };
        (0..6).map(|seed| run(&plan(seed)).refused).sum::<u64>()
    };
    let (shipped, without) = (refused(None), refused(Some(Mistake::NeverWounds)));
    assert!(shipped == 0 && without > 5, "{shipped} {without}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let digest = |seed| run(&plan(seed, 30, None)).digest;
    let pinned: Vec<String> = (1..=5).map(|seed| format!("store {seed} {:032x}\n", digest(seed))).collect();
    isles_golden::file("tests/quorum/store-digests.txt", &pinned.concat());
}

fn key(name: &str) -> Payload {
    name.into()
}

fn set(name: &str, value: &str) -> Command {
    let (condition, expiry, get) = (Condition::Always, Expiry::Never, false);
    Command::Set { key: key(name), value: value.into(), condition, expiry, get }
}

/// A node that starts with these records.
fn started(config: &Config, me: u32, log: &[Record]) -> (Store, Vec<Record>) {
    let mut effects: Vec<Effect<Store>> = Vec::new();
    let store = Store::start(&mut Cx::new(ProcessId(me), Time::ZERO, config, &mut effects), log);
    let persisted = effects.into_iter().filter_map(|effect| match effect {
        Effect::Persist { record } => Some(record),
        _ => None,
    });
    (store, persisted.collect())
}

#[test]
fn a_snapshot_says_what_the_whole_log_says() {
    let (mut shorter, mut unfinished) = (0, 0);
    for seed in 0..30 {
        let plan = plan(seed, 25, None);
        let mut sim = crate::store_world::crashed(&plan);
        for node in 0..plan.config.nodes() {
            let log = sim.log(ProcessId(node)).to_vec();
            let (store, persisted) = started(&plan.config, node, &log);
            let whole = [log, persisted].concat();
            let snapshot = store.snapshot().expect("it has one");
            assert_eq!(
                started(&plan.config, node, &snapshot),
                started(&plan.config, node, &whole),
                "seed {seed}"
            );
            shorter += usize::from(snapshot.len() < whole.len());
            unfinished += store.in_doubt();
        }
        sim.run_until(Time::ZERO, &mut ());
    }
    assert!(shorter > 60 && unfinished > 5, "{shorter} {unfinished}");
}

/// What a client at a node is answered, one after the other, with time enough for each.
fn ask(config: Config, asked: &[(u64, u32, Op)], faults: &[(u64, Fault)]) -> (Vec<Reply>, Simulation<Store>) {
    let setup = Setup { disk: Disk::default(), ..Setup::<Store>::new(config.nodes(), 1, config) };
    let mut sim = Simulation::new(setup).expect("a valid set-up");
    let at = |millis: u64| Time::ZERO + Span::millis(millis);
    for (millis, node, op) in asked {
        sim.invoke_at(at(*millis), ProcessId(*node), op.clone());
    }
    for (millis, fault) in faults {
        sim.inject(at(*millis), fault.clone());
    }
    let mut recorder = Recorder::default();
    let last = asked.iter().map(|(millis, ..)| *millis).max().unwrap_or(0);
    sim.run_until(at(last + 5_000), &mut recorder);
    let replies =
        recorder.history().operations().into_iter().filter_map(|operation| operation.reply().cloned());
    (replies.collect(), sim)
}

#[test]
fn deleted_keys_are_forgotten_and_new_versions_are_above_them() {
    let delete = Op::One(Command::Delete { key: key("x") });
    let one = |command| Op::One(command);
    let asked = [
        (10, 0, one(set("x", "1"))),
        (400, 1, delete),
        (3_000, 2, one(set("x", "2"))),
        (3_400, 0, one(Command::Get { key: key("x") })),
    ];
    let (replies, sim) = ask(config(3, 3, 2, 2, None), &asked, &[]);
    assert_eq!(replies[1], Reply::One(Answer::Deleted(1)));
    let Reply::One(Answer::Entry(Some(entry), version)) = &replies[3] else { panic!("{replies:?}") };
    assert_eq!((entry.value.bytes(), version.0), (&b"2"[..], 3));
    let forgotten =
        |node| sim.log(ProcessId(node)).iter().any(|record| matches!(record, Record::Forgotten(..)));
    assert!((0..3).all(forgotten));
    // While a replica is down it cannot be forgotten.
    let down = [(200, Fault::Crash(Who::Ids(vec![ProcessId(2)])))];
    let (_, sim) = ask(config(3, 3, 2, 2, None), &asked[..2], &down);
    let forgotten =
        |node| sim.log(ProcessId(node)).iter().any(|record| matches!(record, Record::Forgotten(..)));
    assert!(!(0..3).any(forgotten));
}

#[test]
fn expired_keys_are_gone_at_once_and_forgotten_soon() {
    let expiry = Expiry::At(Time::ZERO + Span::millis(500));
    let set =
        Command::Set { key: key("x"), value: key("1"), condition: Condition::Always, expiry, get: false };
    let get = || Op::One(Command::Get { key: key("x") });
    let asked = [(10, 0, Op::One(set)), (450, 1, get()), (520, 1, get())];
    let (replies, sim) = ask(config(3, 3, 2, 2, None), &asked, &[]);
    assert!(matches!(replies[1], Reply::One(Answer::Entry(Some(_), _))), "{replies:?}");
    assert!(matches!(replies[2], Reply::One(Answer::Entry(None, _))), "{replies:?}");
    assert!(sim.live().all(|(_, node)| node.keys() == 0 && node.is_idle()));
}

#[test]
fn a_scan_finds_every_key_that_is_there_all_the_time_whoever_is_down() {
    let mut asked: Vec<(u64, u32, Op)> = (0..200)
        .map(|number| (10 + number, number as u32 % 5, Op::One(set(&format!("k{number}"), "1"))))
        .collect();
    // One replica of each key may be missing.
    let faults = [(1_000, Fault::Crash(Who::Ids(vec![ProcessId(3)])))];
    let config = config(5, 3, 2, 2, None);
    let mut seen = BTreeSet::new();
    let mut cursor = 0;
    let mut pages = 0;
    loop {
        asked.truncate(200);
        asked.push((2_000, 1, Op::Scan { cursor, count: 30 }));
        let (replies, _) = ask(config.clone(), &asked, &faults);
        let Some(Reply::Page { cursor: next, keys }) = replies.last() else { panic!("{:?}", replies.last()) };
        seen.extend(keys.iter().cloned());
        pages += 1;
        cursor = *next;
        if cursor == 0 {
            break;
        }
    }
    assert!(seen.len() == 200 && pages > 4, "{} keys on {pages} pages", seen.len());
}

#[test]
fn what_a_quorum_cannot_answer_is_refused_and_was_not_done() {
    let both = Who::Ids(vec![ProcessId(1), ProcessId(2)]);
    let faults =
        [(100, Fault::Crash(both.clone())), (1_500, Fault::Restart { who: both, memory: Memory::Disk })];
    let get = || Op::One(Command::Get { key: key("x") });
    let asked = [
        (10, 0, Op::One(set("x", "1"))),
        (300, 0, Op::One(set("x", "2"))),
        (300, 0, get()),
        (300, 0, Op::Scan { cursor: 0, count: 10 }),
        (3_000, 1, get()),
    ];
    let (replies, _) = ask(config(3, 3, 2, 2, None), &asked, &faults);
    assert_eq!(replies[1..4], [Reply::Refused, Reply::Refused, Reply::Refused]);
    assert!(matches!(&replies[4], Reply::One(Answer::Entry(Some(entry), _)) if entry.value.bytes() == b"1"));
}

#[test]
fn watched_keys_that_changed_stop_a_transaction() {
    let (replies, _) = {
        let watch = |version| Op::All {
            commands: [set("y", "1")].into(),
            unchanged: [(key("x"), isles_quorum::store::Version(version))].into(),
        };
        let asked =
            [(10, 0, watch(0)), (300, 1, Op::One(set("x", "1"))), (600, 2, watch(0)), (900, 2, watch(1))];
        ask(config(3, 3, 2, 2, None), &asked, &[])
    };
    let done = Reply::All(vec![Answer::Done]);
    assert_eq!(replies, [done.clone(), Reply::One(Answer::Done), Reply::Changed, done]);
}

#[test]
fn keyspaces_have_quorums_of_their_own() {
    let space = |prefix: &str, n, r, w| Keyspace { prefix: prefix.into(), n, r, w };
    let config = Config::new(3, vec![space("", 3, 2, 2), space("a", 3, 1, 3), space("ab", 1, 1, 1)]);
    let config = config.expect("these quorums meet");
    let of = |name: &str| config.keyspace(&key(name)).n + 10 * config.keyspace(&key(name)).r;
    assert_eq!([of("b"), of("a"), of("aa"), of("abc")], [23, 13, 13, 11]);
    assert_eq!(config.replicas(&key("abc")).len(), 1);
    let error =
        |nodes, spaces: Vec<Keyspace>| Config::new(nodes, spaces).expect_err("it is none").to_string();
    assert_eq!(
        error(3, vec![space("", 3, 3, 1)]),
        "keyspace \"\": 2 w must be more than n, and 2 * 1 is not more than 3"
    );
    assert_eq!(
        error(3, vec![space("", 4, 3, 3)]),
        "keyspace \"\": n must be 1 to 3, the number of nodes, and is 4"
    );
    assert_eq!(
        error(3, vec![space("a", 3, 2, 2)]),
        "no keyspace takes all other keys: give one the empty prefix"
    );
    assert_eq!(
        error(3, vec![Keyspace::all(3, 2, 2), Keyspace::all(3, 2, 2)]),
        "keyspace \"\" is there twice"
    );
    assert_eq!(error(0, Vec::new()), "there must be at least one node");
    let asked = [
        (
            10,
            0,
            Op::All {
                commands: [set("abc", "1"), set("a", "2"), set("b", "3")].into(),
                unchanged: [].into(),
            },
        ),
        (
            500,
            2,
            Op::All {
                commands: ["abc", "a", "b"]
                    .map(|name| Command::Append { key: key(name), value: key("!") })
                    .into(),
                unchanged: [].into(),
            },
        ),
    ];
    let (replies, sim) = ask(config, &asked, &[]);
    assert_eq!(replies[1], Reply::All(vec![Answer::Length(2); 3]));
    let copies: usize = sim.live().map(|(_, node)| node.keys()).sum();
    assert_eq!(copies, 7);
}
