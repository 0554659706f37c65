//! Sessions.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many effects, operations and answers matter at each place"
)]

use std::collections::BTreeMap;

use isles_check::Verdict;
use isles_check::convergence::eventual;
use isles_check::sessions::sessions;
use isles_check::transactions::{Budget, Level, check};
use isles_history::{History, Key, Status, Step, Transactions, Value, ValueId};
use isles_kernel::{Cx, Effect, OpId, ProcessId, Protocol, Span, Time};
use isles_replication::multi_master::{Stamp, Stamped};
use isles_replication::session::{Config, Event, Guarantees, Mistake, Msg, Sessions, Timer};
use isles_replication::store::{Op, Reply, Update};
use isles_sim::{Clients, Fault, Memory, Recorder, Setup, Simulation, Who};

use crate::world::{Run, at, links};

const SERVERS: u32 = 4;
const CLIENTS: u32 = 5;
const OBJECTS: u32 = 50;

const LEVELS: [Level; 4] =
    [Level::ReadYourWrites, Level::MonotonicReads, Level::MonotonicWrites, Level::WritesFollowReads];

/// Servers that ask one another seldom, so that they differ for a while.
fn config(guarantees: Guarantees) -> Config {
    Config { period: Span::millis(200), ..Config::new(SERVERS, guarantees) }
}

/// Clients that read and write for two seconds, and look at all once more when all has arrived.
fn run(config: Config, seed: u64, faults: &[(u64, Fault)]) -> Run<Sessions> {
    let setup = Setup { links: links(), ..Setup::new(SERVERS + CLIENTS, seed, config) };
    let mut sim = Simulation::<Sessions>::new(setup).expect("a valid set-up");
    for (millis, fault) in faults {
        sim.inject(at(*millis), fault.clone());
    }
    for client in 0..CLIENTS {
        sim.invoke_at(at(9_000), ProcessId(SERVERS + client), Op::Snapshot);
    }
    let mut recorder = Recorder::default();
    let clients = Clients {
        at: (SERVERS..SERVERS + CLIENTS).map(ProcessId).collect(),
        patience: Span::millis(600),
        ..Clients::at_each(CLIENTS, Span::millis(10), at(2_000), seed)
    };
    let mut value = 0;
    clients.drive(&mut sim, at(15_000), &mut recorder, |_, choices| {
        value += 1;
        // Always other objects, so that many reads are of one that somebody has just written for the first time.
        let object = (value as u32 / 4 + choices.below(3)) % OBJECTS;
        Some(match choices.below(8) {
            0 => Op::Snapshot,
            1..4 => Op::Read { object },
            _ => Op::Write { object, value },
        })
    });
    assert_eq!(recorder.stray_replies(), 0);
    Run { history: recorder.history().clone(), sim }
}

/// The history in the words of the checkers: each operation is a transaction of its client's session, a snapshot one of a read of each object.
fn transactions(history: &History<Op, Reply>) -> Transactions {
    let mut read = Transactions::default();
    let keys: Vec<Key> = (0..OBJECTS).map(|object| read.add_key(Value::Int(object.into()))).collect();
    let mut values = BTreeMap::from([(0, ValueId::INITIAL)]);
    for operation in history.operations() {
        let mut id = |value| *values.entry(value).or_insert_with(|| read.add_value(Value::Int(value)));
        let steps: Vec<Step> = match (&operation.op, operation.reply()) {
            (Op::Write { object, value }, _) => {
                vec![Step::Write { key: keys[*object as usize], value: id(*value) }]
            }
            (Op::Read { object }, Some(Reply::Value(value))) => {
                vec![Step::Read { key: keys[*object as usize], value: id(*value) }]
            }
            (Op::Snapshot, Some(Reply::Values(values))) => (0..OBJECTS)
                .map(|object| {
                    let value = values.iter().find(|(of, _)| *of == object).map_or(0, |(_, value)| *value);
                    Step::Read { key: keys[object as usize], value: id(value) }
                })
                .collect(),
            _ => continue,
        };
        let is_known = operation.reply().is_some();
        let status = if is_known { Status::Committed } else { Status::Unknown };
        read.push(operation.process, status, Some((operation.invoked, operation.returned())), steps);
    }
    read
}

/// Which guarantees some session lacks.
fn lacked(history: &Transactions) -> Vec<Level> {
    let reports = sessions(history).expect("values are unique");
    let lacks = |level: &Level| reports.iter().any(|report| report.lacks.iter().any(|(of, _)| of == level));
    LEVELS.into_iter().filter(lacks).collect()
}

#[test]
fn with_tokens_sessions_have_all_guarantees_and_without_them_none() {
    let mut naive = [0; LEVELS.len()];
    for seed in 1..=20 {
        let kept = transactions(&run(config(Guarantees::ALL), seed, &[]).history);
        assert_eq!(lacked(&kept), [], "seed {seed}");
        // All four and one order of writes: what a session sees is its causal past.
        let causal = check(&kept, Level::CausalConvergence, Budget::default());
        assert!(matches!(causal, Verdict::Holds(_)), "seed {seed}: {causal:?}");
        for level in lacked(&transactions(&run(config(Guarantees::NONE), seed, &[]).history)) {
            naive[LEVELS.iter().position(|of| *of == level).expect("one of the four")] += 1;
        }
    }
    assert!(naive.iter().all(|seeds| *seeds >= 10), "the control must fail: {naive:?}");
}

#[test]
fn tokens_that_only_the_client_checks_do_not_order_what_others_see() {
    let mistaken = |seed| {
        let mistake = Some(Mistake::OwnWritesOnly);
        lacked(&transactions(&run(Config { mistake, ..config(Guarantees::ALL) }, seed, &[]).history))
    };
    let found: Vec<Vec<Level>> = (1..=40).map(mistaken).collect();
    let is_others = |level: &Level| matches!(level, Level::MonotonicWrites | Level::WritesFollowReads);
    assert!(found.iter().flatten().all(is_others), "{found:?}");
    for level in [Level::MonotonicWrites, Level::WritesFollowReads] {
        assert!(found.iter().any(|levels| levels.contains(&level)), "{level}: {found:?}");
    }
}

#[test]
fn servers_agree_when_writes_stop_whatever_happened_before() {
    let ids = |ids: &[u32]| Who::Ids(ids.iter().copied().map(ProcessId).collect());
    let faults = [
        (300, Fault::Partition(vec![ids(&[0, 4, 5])])),
        (900, Fault::Heal),
        (1_100, Fault::Crash(ids(&[1]))),
        (1_500, Fault::Restart { who: ids(&[1]), memory: Memory::Disk }),
    ];
    for seed in 1..=4 {
        for guarantees in [Guarantees::ALL, Guarantees::NONE] {
            let run = run(config(guarantees), seed, &faults);
            let servers: Vec<&Sessions> =
                (0..SERVERS).filter_map(|id| run.sim.process(ProcessId(id))).collect();
            assert_eq!(servers.len(), SERVERS as usize);
            assert!(servers[0].log().len() > 20, "seed {seed}: {}", servers[0].log().len());
            for server in &servers[1..] {
                assert_eq!(
                    (server.log(), server.store()),
                    (servers[0].log(), servers[0].store()),
                    "seed {seed}"
                );
            }
            let history = transactions(&run.history);
            if guarantees == Guarantees::ALL {
                assert_eq!(lacked(&history), [], "seed {seed}");
            }
            // A write whose server was lost has no end, and then nothing can be said of its object.
            assert!(!matches!(eventual(&history), Verdict::Violated(_)), "seed {seed}");
        }
    }
}

#[test]
fn eventual_consistency_is_what_the_checker_sees_of_it() {
    let run = run(config(Guarantees::NONE), 1, &[]);
    let verdict = eventual(&transactions(&run.history));
    let Verdict::Holds(agreed) = verdict else { panic!("all has arrived: {verdict:?}") };
    assert_eq!(agreed.len(), OBJECTS as usize);
    assert!(agreed.iter().all(|of| of.sessions == CLIENTS), "{agreed:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let digest = |seed| run(config(Guarantees::ALL), seed, &[]).sim.digest();
    let pinned: Vec<String> = (1..=3).map(|seed| format!("session {seed} {:032x}\n", digest(seed))).collect();
    isles_golden::file("tests/replication/session-digests.txt", &pinned.concat());
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

/// A process and what it did in its last step.
struct One {
    process: Sessions,
    me: ProcessId,
    config: Config,
    effects: Vec<Effect<Sessions>>,
}

impl One {
    fn new(me: u32, config: Config, log: &[Stamped]) -> Self {
        let mut effects = Vec::new();
        let process = Sessions::start(&mut Cx::new(ProcessId(me), Time::ZERO, &config, &mut effects), log);
        effects.clear();
        Self { process, me: ProcessId(me), config, effects }
    }

    fn step(&mut self, step: impl FnOnce(&mut Sessions, &mut Cx<'_, Sessions>)) -> Vec<Effect<Sessions>> {
        step(&mut self.process, &mut Cx::new(self.me, Time::ZERO, &self.config, &mut self.effects));
        std::mem::take(&mut self.effects)
    }

    fn hears(&mut self, from: u32, msg: Msg) -> Vec<Effect<Sessions>> {
        self.step(|process, cx| process.on_message(cx, ProcessId(from), msg))
    }

    /// What it sends when it hears something, which is one message.
    fn answers(&mut self, from: u32, msg: Msg) -> Msg {
        let effects = self.hears(from, msg);
        let mut sent = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send { msg, .. } => Some(msg),
            _ => None,
        });
        let (first, second) = (sent.next(), sent.next());
        assert_eq!(second, None);
        first.expect("it answers")
    }
}

fn stamped(clock: u64, replica: u32, object: u32, value: i64) -> Stamped {
    Stamped { stamp: Stamp { clock, replica: ProcessId(replica) }, update: Update::Set { object, value } }
}

/// A client's message, with what it needs from another server's answer.
fn ask(client: &mut One, op: Op) -> Msg {
    let effects = client.step(|process, cx| process.on_op(cx, OpId(1), op));
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Send { msg, .. } => Some(msg),
        _ => None,
    });
    sent.expect("it asks")
}

fn sent_to(effects: &[Effect<Sessions>]) -> Vec<u32> {
    let to = |effect: &Effect<Sessions>| match effect {
        Effect::Send { to, .. } => Some(to.0),
        _ => None,
    };
    effects.iter().filter_map(to).collect()
}

#[test]
fn a_server_that_lacks_what_the_session_wrote_refuses_and_does_nothing() {
    let config = Config::new(2, Guarantees::ALL);
    let mut servers = [One::new(0, config.clone(), &[]), One::new(1, config.clone(), &[])];
    let mut client = One::new(2, config, &[]);
    let asked = ask(&mut client, Op::Write { object: 0, value: 7 });
    let answer = servers[0].answers(2, asked);
    assert!(matches!(answer, Msg::Answer { stamp: Some(Stamp { clock: 1, replica: ProcessId(0) }), .. }));
    let replied = client.hears(0, answer);
    assert_eq!(replied, [Effect::Reply { id: OpId(1), reply: Reply::Done }]);
    // A write, too: monotonic writes.
    for op in [Op::Read { object: 0 }, Op::Write { object: 1, value: 8 }] {
        let asked = ask(&mut client, op);
        let before = servers[1].process.clone();
        let refusal = servers[1].answers(2, asked.clone());
        assert!(matches!(refusal, Msg::Behind { .. }));
        assert_eq!(servers[1].process, before);
        let answer = servers[0].answers(2, asked);
        client.hears(0, answer);
    }
    // When it has what the other has, it serves.
    let have = Msg::Have(servers[1].process.version().expect("it is a server").clone());
    let writes = servers[0].answers(1, have);
    servers[1].hears(0, writes);
    let asked = ask(&mut client, Op::Read { object: 0 });
    assert!(matches!(servers[1].answers(2, asked), Msg::Answer { reply: Reply::Value(7), .. }));
}

#[test]
fn a_client_asks_each_server_and_then_waits() {
    let config = Config::new(3, Guarantees::ALL);
    let mut client = One::new(3, config, &[]);
    client.step(|process, cx| process.on_op(cx, OpId(1), Op::Read { object: 0 }));
    // It waits for its turn.
    assert_eq!(client.step(|process, cx| process.on_op(cx, OpId(2), Op::Snapshot)), []);
    assert_eq!(sent_to(&client.hears(0, Msg::Behind { attempt: 1 })), [1]);
    assert_eq!(sent_to(&client.step(|process, cx| process.on_unreachable(cx, ProcessId(1)))), [2]);
    let retry = client.hears(2, Msg::Behind { attempt: 3 });
    assert_eq!(retry, [Effect::Arm { timer: Timer::Retry { attempt: 4 }, after: Span::millis(50) }]);
    // An answer to what was asked before.
    let rejected = client.hears(2, Msg::Behind { attempt: 3 });
    assert_eq!(rejected, [Effect::Emit { event: Event::Rejected { from: ProcessId(2) } }]);
    assert_eq!(client.step(|process, cx| process.on_timer(cx, Timer::Retry { attempt: 1 })), []);
    let again = client.step(|process, cx| process.on_timer(cx, Timer::Retry { attempt: 4 }));
    assert_eq!(sent_to(&again), [0]);
}

#[test]
fn writes_are_passed_on_oldest_first_and_take_effect_by_their_stamps() {
    let config = Config { batch_max: 2, ..Config::new(3, Guarantees::ALL) };
    let log = [stamped(1, 0, 0, 1), stamped(1, 1, 0, 2), stamped(2, 0, 0, 3)];
    let mut full = One::new(0, config.clone(), &log);
    let mut empty = One::new(2, config.clone(), &[]);
    let have = Msg::Have(empty.process.version().expect("it is a server").clone());
    let first = full.answers(2, have);
    assert_eq!(first, Msg::Writes(log[..2].to_vec()));
    // It was a full message: it asks for more, after both are on their way to the disk.
    let effects = empty.hears(0, first);
    let persisted = effects.iter().filter(|effect| matches!(effect, Effect::Persist { .. })).count();
    assert_eq!((persisted, sent_to(&effects)), (2, vec![0]));
    let Some(Effect::Send { msg: more, .. }) = effects.into_iter().last() else { panic!("it asks") };
    assert_eq!(full.answers(2, more), Msg::Writes(log[2..].to_vec()));
    // What comes late is put in its place.
    empty.hears(0, Msg::Writes(vec![stamped(5, 0, 0, 9)]));
    empty.hears(1, Msg::Writes(vec![stamped(4, 1, 0, 8)]));
    assert_eq!(empty.process.store().map(|store| store.get(0)), Some(9));
    assert_eq!(empty.process.log().len(), 4);
}

#[test]
fn a_server_that_restarts_has_what_it_had_and_uses_no_stamp_twice() {
    let config = Config::new(2, Guarantees::ALL);
    let log = [stamped(1, 1, 0, 5), stamped(2, 0, 0, 6), stamped(1, 0, 1, 4)];
    let mut server = One::new(0, config, &log);
    assert_eq!(server.process.store().map(|store| (store.get(0), store.get(1))), Some((6, 4)));
    let effects = server.step(|process, cx| process.on_op(cx, OpId(1), Op::Write { object: 0, value: 7 }));
    assert!(effects.contains(&Effect::Persist { record: stamped(3, 0, 0, 7) }), "{effects:?}");
}

#[test]
fn messages_that_make_no_sense_are_dropped() {
    let config = Config::new(2, Guarantees::ALL);
    let mut server = One::new(0, config.clone(), &[]);
    let before = server.process.clone();
    let forged = [
        Msg::Writes(vec![stamped(1, 2, 0, 5)]),
        Msg::Writes(vec![stamped(u64::MAX, 1, 0, 5)]),
        Msg::Writes(vec![stamped(0, 1, 0, 5)]),
        Msg::Writes(vec![stamped(2, 1, 0, 5), stamped(1, 1, 0, 5)]),
        Msg::Behind { attempt: 1 },
    ];
    let rejected = [Effect::Emit { event: Event::Rejected { from: ProcessId(1) } }];
    for msg in forged {
        assert_eq!(server.hears(1, msg), rejected);
    }
    // A vector of other servers.
    let other = One::new(0, Config::new(3, Guarantees::ALL), &[]);
    let version = other.process.version().expect("it is a server").clone();
    assert_eq!(server.hears(1, Msg::Have(version.clone())), rejected);
    let needs = version.clone();
    assert_eq!(server.hears(1, Msg::Ask { attempt: 1, op: Op::Snapshot, needs }), rejected);
    assert_eq!(server.process, before);
    let mut client = One::new(2, config, &[]);
    client.step(|process, cx| process.on_op(cx, OpId(1), Op::Read { object: 0 }));
    let answer = Msg::Answer { attempt: 1, reply: Reply::Value(0), version, stamp: None };
    let rejected = [Effect::Emit { event: Event::Rejected { from: ProcessId(0) } }];
    assert_eq!(client.hears(0, answer), rejected);
}
