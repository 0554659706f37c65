//! Single handlers of the store, and whatever else may arrive.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many effects, faults and answers matter at each place"
)]

use isles_kernel::random::Stream;
use isles_kernel::{Cx, Effect, OpId, Payload, ProcessId, Protocol, Time};
use isles_quorum::store::{
    Birth, Command, Condition, Config, Entry, Event, Expiry, Keyspace, Mode, Msg, Op, Record, Reply, State,
    Store, Timer, TransactionId, Version, Why, Write,
};

/// A node and what it did in its last step.
struct One {
    node: Store,
    me: ProcessId,
    config: Config,
    effects: Vec<Effect<Store>>,
}

impl One {
    fn new(me: u32, log: &[Record]) -> Self {
        Self::of(me, Config::new(3, vec![Keyspace::all(3, 2, 2)]).expect("these quorums meet"), log)
    }

    fn of(me: u32, config: Config, log: &[Record]) -> Self {
        let mut effects = Vec::new();
        let node = Store::start(&mut Cx::new(ProcessId(me), Time::ZERO, &config, &mut effects), log);
        Self { node, me: ProcessId(me), config, effects }
    }

    fn step(&mut self, step: impl FnOnce(&mut Store, &mut Cx<'_, Store>)) -> Vec<Effect<Store>> {
        self.effects.clear();
        step(&mut self.node, &mut Cx::new(self.me, Time(5), &self.config, &mut self.effects));
        std::mem::take(&mut self.effects)
    }

    fn hears(&mut self, from: u32, msg: Msg) -> Vec<Effect<Store>> {
        self.step(|node, cx| node.on_message(cx, ProcessId(from), msg))
    }
}

fn key(name: &str) -> Payload {
    name.into()
}

fn id(number: u64, coordinator: u32) -> TransactionId {
    TransactionId { number, coordinator: ProcessId(coordinator) }
}

fn birth(at: u64, id: TransactionId) -> Birth {
    Birth { at: Time(at), first: id }
}

fn lock(number: u64, coordinator: u32, at: u64) -> Msg {
    let id = id(number, coordinator);
    Msg::Lock { id, birth: birth(at, id), is_only: true, keys: vec![(key("x"), Mode::Exclusive)] }
}

fn write(name: &str, version: u64) -> Write {
    Write { key: key(name), entry: Some(Entry { value: key("v"), expires: None }), version: Version(version) }
}

fn prepare(number: u64, coordinator: u32, version: u64) -> Msg {
    let participants = [ProcessId(0), ProcessId(1)].into();
    Msg::Prepare { id: id(number, coordinator), writes: [write("x", version)].into(), participants }
}

fn sent(effects: &[Effect<Store>]) -> Vec<(u32, Msg)> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send { to, msg, .. } => Some((to.0, msg.clone())),
        _ => None,
    });
    sent.collect()
}

fn granted(to: u32, number: u64, version: u64) -> (u32, Msg) {
    let entry = (version > 0).then(|| Entry { value: key("v"), expires: None });
    let state = State { version: Version(version), is_absent: version == 0, entry };
    (to, Msg::Granted { id: id(number, to), states: vec![(key("x"), state)] })
}

#[test]
fn an_older_transaction_wounds_a_younger_one_and_waits_for_an_older() {
    let mut replica = One::new(1, &[]);
    assert_eq!(sent(&replica.hears(0, lock(1, 0, 20))), [granted(0, 1, 0)]);
    // It is younger, and waits.
    assert_eq!(sent(&replica.hears(2, lock(1, 2, 30))), []);
    // It is the oldest: the holder loses its lock, and the other goes on waiting.
    let effects = replica.hears(2, lock(2, 2, 10));
    assert!(effects.contains(&Effect::Emit { event: Event::Wounded(id(1, 0)) }));
    assert_eq!(sent(&effects), [(0, Msg::Lost { id: id(1, 0) }), granted(2, 2, 0)]);
    assert_eq!(sent(&replica.hears(2, Msg::Abort { id: id(2, 2) })), [granted(2, 1, 0)]);
}

#[test]
fn who_has_promised_is_not_wounded_and_who_lost_its_lock_does_not_promise() {
    let mut replica = One::new(1, &[]);
    replica.hears(0, lock(1, 0, 20));
    let effects = replica.hears(0, prepare(1, 0, 1));
    let place =
        |wanted: &dyn Fn(&Effect<Store>) -> bool| effects.iter().position(wanted).expect("it is there");
    let promise = place(&|effect| matches!(effect, Effect::Persist { record: Record::Prepared { .. } }));
    let vote = place(&|effect| matches!(effect, Effect::Send { msg: Msg::Vote { yes: true, .. }, .. }));
    assert!(promise < vote, "the promise is on disk before anybody hears of it");
    assert_eq!(sent(&replica.hears(2, lock(1, 2, 10))), []);
    // Nobody decides for the coordinator: neither the lease nor a broken stream.
    let late = replica.step(|node, cx| node.on_timer(cx, Timer::Lease(id(1, 0))));
    assert_eq!(late, []);
    let asks = replica.step(|node, cx| node.on_unreachable(cx, ProcessId(0)));
    assert_eq!(sent(&asks), [(0, Msg::Ask { id: id(1, 0) })]);
    assert_eq!(replica.node.in_doubt(), 1);
    // The other participant may know.
    let outcome = Msg::Outcome { id: id(1, 0), committed: true };
    assert_eq!(sent(&replica.hears(2, outcome)), [granted(2, 1, 1)]);
    // The lease of a lock that is not promised ends, and with it the chance to.
    let late = replica.step(|node, cx| node.on_timer(cx, Timer::Lease(id(1, 2))));
    assert_eq!(sent(&late), [(2, Msg::Lost { id: id(1, 2) })]);
    assert_eq!(sent(&replica.hears(2, prepare(1, 2, 2))), [(2, Msg::Vote { id: id(1, 2), yes: false })]);
}

#[test]
fn a_restarted_participant_keeps_its_promise_and_a_restarted_coordinator_presumes_abort() {
    let (writes, participants) = ([write("x", 1)].into(), [ProcessId(0), ProcessId(1)].into());
    let promise = Record::Prepared { id: id(1, 0), birth: birth(1, id(1, 0)), writes, participants };
    let mut replica = One::new(1, &[Record::Boot(1), promise]);
    assert_eq!(sent(&replica.effects), [(0, Msg::Ask { id: id(1, 0) })]);
    assert_eq!(sent(&replica.hears(2, Msg::Read { request: 7, key: key("x") })), [], "the read waits");
    let told =
        sent(&replica.hears(0, Msg::Commit { id: id(1, 0), writes: [write("x", 1)].into(), again: true }));
    let state = State { version: Version(1), is_absent: false, entry: write("x", 1).entry };
    assert_eq!(told, [(0, Msg::Acknowledge { id: id(1, 0) }), (2, Msg::Value { request: 7, state })]);
    // It does not know of the transaction: it was aborted.
    let mut coordinator = One::new(0, &[Record::Boot(1)]);
    let told = sent(&coordinator.hears(1, Msg::Ask { id: id(1, 0) }));
    assert_eq!(told, [(1, Msg::Outcome { id: id(1, 0), committed: false })]);
    // It does: it tells again until all have acknowledged.
    let participants = [ProcessId(1), ProcessId(2)].into();
    let decision = Record::Committed { id: id(1, 0), writes: [write("x", 1)].into(), participants };
    let mut coordinator = One::new(0, &[Record::Boot(1), decision]);
    let commit = Msg::Commit { id: id(1, 0), writes: [write("x", 1)].into(), again: true };
    assert_eq!(sent(&coordinator.effects), [(1, commit.clone()), (2, commit.clone())]);
    assert_eq!(coordinator.hears(1, Msg::Acknowledge { id: id(1, 0) }), []);
    let again = coordinator.step(|node, cx| node.on_timer(cx, Timer::Resend(id(1, 0))));
    assert_eq!(sent(&again), [(2, commit)]);
    let end = Effect::Persist { record: Record::End(id(1, 0)) };
    assert!(coordinator.hears(2, Msg::Acknowledge { id: id(1, 0) }).contains(&end));
    assert!(coordinator.node.is_idle());
}

#[test]
fn a_later_write_of_the_key_ends_a_promise_whatever_was_decided() {
    let mut replica = One::new(1, &[]);
    replica.hears(0, lock(1, 0, 20));
    replica.hears(0, prepare(1, 0, 1));
    replica.hears(2, Msg::Repair(write("x", 1)));
    assert_eq!(
        replica.node.in_doubt(),
        0,
        "versions are unique: this one is another transaction's, and the promised one was aborted"
    );
    let mut replica = One::new(1, &[]);
    replica.hears(0, lock(1, 0, 20));
    replica.hears(2, Msg::Repair(write("x", 5)));
    assert_eq!(replica.node.version(&key("x")), Version(0), "somebody works with what it knows");
    replica.hears(0, prepare(1, 0, 1));
    replica.hears(2, Msg::Repair(write("x", 5)));
    assert_eq!((replica.node.version(&key("x")), replica.node.in_doubt()), (Version(5), 0));
}

#[test]
fn numbers_are_never_used_again() {
    let mut seen = Vec::new();
    let mut log = Vec::new();
    for _ in 0..3 {
        let mut node = One::new(0, &log);
        log.extend(node.effects.iter().filter_map(|effect| match effect {
            Effect::Persist { record } => Some(record.clone()),
            _ => None,
        }));
        let command = Command::Increment { key: key("x"), by: 1 };
        for op in 0..3 {
            let asked = node.step(|node, cx| node.on_op(cx, OpId(op), Op::One(command.clone())));
            let ids = sent(&asked).into_iter().filter_map(|(_, msg)| match msg {
                Msg::Lock { id, .. } => Some(id),
                _ => None,
            });
            seen.extend(ids.take(1));
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((seen.len(), count), (9, 9));
}

#[test]
fn too_many_operations_and_too_large_ones_are_refused_at_once() {
    let mut config = Config::new(3, vec![Keyspace::all(3, 2, 2)]).expect("these quorums meet");
    (config.active_max, config.bytes_max, config.commands_max) = (2, 100, 4);
    config.validate().expect("they are possible");
    let mut node = One::of(0, config, &[]);
    let refused = |op: u64| Effect::Reply { id: OpId(op), reply: Reply::Refused };
    let get = |name: &str| Command::Get { key: key(name) };
    for op in 0..3 {
        let effects = node.step(|node, cx| node.on_op(cx, OpId(op), Op::One(get("x"))));
        assert_eq!(effects.contains(&refused(op)), op == 2);
    }
    let large = Command::Append { key: key("x"), value: Payload::zeros(100) };
    let many: Vec<Command> = (0..5).map(|_| get("x")).collect();
    let many = Op::All { commands: many.into(), unchanged: [].into() };
    for op in [Op::One(large), many] {
        assert_eq!(node.step(|node, cx| node.on_op(cx, OpId(9), op)), [refused(9)]);
    }
}

#[test]
fn messages_that_make_no_sense_are_dropped_and_told() {
    let mut node = One::new(1, &[]);
    let before = node.node.clone();
    let two = |a: &str, b: &str| {
        let keys = [a, b].map(|name| (key(name), Mode::Shared)).to_vec();
        Msg::Lock { id: id(1, 0), birth: birth(1, id(1, 0)), is_only: false, keys }
    };
    let forged = [
        (3, lock(1, 3, 1), Why::Stranger),
        (2, lock(1, 0, 1), Why::NotCoordinator),
        (0, two("b", "a"), Why::Malformed),
        (0, two("a", "a"), Why::Malformed),
        (0, prepare(1, 2, 1), Why::NotCoordinator),
        (0, prepare(1, 0, 0), Why::NotHere),
        (0, prepare(1, 0, u64::MAX), Why::NotHere),
        (0, Msg::Repair(write("x", u64::MAX)), Why::NotHere),
        (2, Msg::Abort { id: id(1, 0) }, Why::NotCoordinator),
    ];
    for (from, msg, why) in forged {
        let rejected = Effect::Emit { event: Event::Rejected { from: ProcessId(from), why } };
        assert_eq!(node.hears(from, msg), [rejected]);
    }
    let participants = [ProcessId(7)].into();
    let strange = Msg::Prepare { id: id(1, 0), writes: [write("x", 1)].into(), participants };
    let rejected = Effect::Emit { event: Event::Rejected { from: ProcessId(0), why: Why::Malformed } };
    assert_eq!(node.hears(0, strange), [rejected]);
    assert_eq!(node.node, before);
}

/// Any message about a few keys and transactions, sensible or not.
fn anything(choices: &mut Stream) -> Msg {
    let small = |choices: &mut Stream| u64::from(choices.below(4));
    let transaction = id((1 << 38 | small(choices) << 6) + small(choices) % 2, choices.below(3));
    let name = |choices: &mut Stream| key(["x", "y", "z"][choices.below(3) as usize]);
    let version =
        |choices: &mut Stream| Version([0, 1, 2, 3, u64::MAX - 1, u64::MAX][choices.below(6) as usize]);
    let entry =
        |choices: &mut Stream| (choices.below(2) == 0).then(|| Entry { value: key("5"), expires: None });
    let write =
        |choices: &mut Stream| Write { key: name(choices), entry: entry(choices), version: version(choices) };
    let state = |choices: &mut Stream| State {
        version: version(choices),
        is_absent: choices.below(2) == 0,
        entry: entry(choices),
    };
    let writes: Vec<Write> = (0..choices.below(3)).map(|_| write(choices)).collect();
    let request = 1 << 32 | small(choices);
    match choices.below(19) {
        0 => Msg::Read { request, key: name(choices) },
        1 => Msg::Value { request, state: state(choices) },
        2 | 3 => {
            let keys = ["x", "y", "z"].iter().filter(|_| choices.below(2) == 0);
            let keys = keys.map(|name| (key(name), Mode::Exclusive)).collect();
            let birth = birth(small(choices), transaction);
            Msg::Lock { id: transaction, birth, is_only: choices.below(2) == 0, keys }
        }
        4 => Msg::Granted { id: transaction, states: vec![(name(choices), state(choices))] },
        5 => Msg::Lost { id: transaction },
        6 | 7 => Msg::Prepare { id: transaction, writes: writes.into(), participants: [ProcessId(1)].into() },
        8 => Msg::Vote { id: transaction, yes: choices.below(2) == 0 },
        9 | 10 => Msg::Commit { id: transaction, writes: writes.into(), again: choices.below(2) == 0 },
        11 => Msg::Abort { id: transaction },
        12 => Msg::Acknowledge { id: transaction },
        13 => Msg::Ask { id: transaction },
        14 => Msg::Outcome { id: transaction, committed: choices.below(2) == 0 },
        15 => Msg::Repair(write(choices)),
        16 => Msg::Scan { request, cursor: choices.bits(), count: choices.below(5) },
        17 => Msg::Keys { request, keys: vec![name(choices)], next: Some(choices.bits()) },
        _ => Msg::Forget { keys: vec![(name(choices), version(choices))] },
    }
}

#[test]
fn whatever_arrives_a_node_goes_on_and_its_log_says_what_it_knows() {
    for seed in 0..60 {
        let mut choices = Stream::new(seed, &[]);
        let mut node = One::new(0, &[]);
        let mut log: Vec<Record> = Vec::new();
        let mut timers: Vec<Timer> = Vec::new();
        for step in 0..400u64 {
            let effects = match choices.below(8) {
                0 => {
                    let (condition, expiry) = (Condition::Always, Expiry::Never);
                    let set = Command::Set { key: key("x"), value: key("1"), condition, expiry, get: true };
                    let ops = [
                        Op::One(set),
                        Op::One(Command::Get { key: key("y") }),
                        Op::Scan { cursor: 0, count: 3 },
                    ];
                    let op = ops[choices.below(3) as usize].clone();
                    node.step(|node, cx| node.on_op(cx, OpId(step), op))
                }
                1 if !timers.is_empty() => {
                    let timer = timers.swap_remove(choices.below(timers.len() as u32) as usize);
                    node.step(|node, cx| node.on_timer(cx, timer))
                }
                2 => node.step(|node, cx| node.on_unreachable(cx, ProcessId(1 + step as u32 % 2))),
                _ => node.hears(choices.below(4), anything(&mut choices)),
            };
            for effect in effects {
                match effect {
                    Effect::Persist { record } => log.push(record),
                    Effect::Arm { timer, .. } => timers.push(timer),
                    _ => {}
                }
            }
        }
        let mut again = One::new(0, &log);
        for name in ["x", "y", "z"] {
            assert_eq!(again.node.version(&key(name)), node.node.version(&key(name)), "seed {seed}");
        }
        assert_eq!(again.node.in_doubt(), node.node.in_doubt(), "seed {seed}");
        again.hears(1, Msg::Read { request: 1, key: key("x") });
    }
}

#[test]
fn messages_and_records_are_small() {
    assert!(size_of::<Msg>() <= 88 && size_of::<Record>() <= 88 && size_of::<Op>() <= 72);
}
