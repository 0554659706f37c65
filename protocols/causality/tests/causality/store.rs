//! Stores by get and put, in simulation and in small; bugs of the field as switches.

use isles_causality::store::{Basis, Config, Mistake, Op, Rule, Server, Versions, Write};
use isles_causality::{Actor, VersionVector, hybrid::Timestamp};
use isles_kernel::random::Stream;
use isles_kernel::{ProcessId, Span, Time};
use isles_sim::{Clients, Distribution, Links, Recorder, Setup, Simulation};

const RULES: [Rule; 5] = [
    Rule::Conditional,
    Rule::LastWriter,
    Rule::Dotted,
    Rule::ServerVectors,
    Rule::ClientVectors { pruned_above: 0 },
];

fn simulate(config: Config, seed: u64) -> Simulation<Server> {
    let mut links = Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) });
    links.loss = 0.05;
    let mut sim =
        Simulation::<Server>::new(Setup { links, ..Setup::new(3, seed, config) }).expect("a valid set-up");
    let mut recorder = Recorder::default();
    let until = Time::ZERO + Span::secs(3);
    let clients = Clients { patience: Span::secs(1), ..Clients::at_each(3, Span::millis(30), until, seed) };
    let mut value = 0;
    clients.drive(&mut sim, Time::ZERO + Span::secs(30), &mut recorder, |client, choices: &mut Stream| {
        let (client, key) = (client as u32, choices.below(2));
        value += 1;
        Some(if choices.below(3) == 0 {
            Op::Get { client, key }
        } else {
            Op::Put { client, key, context: Basis::Session, value }
        })
    });
    assert_eq!(recorder.stray_replies(), 0);
    sim
}

#[test]
fn servers_have_the_same_versions_in_the_end_by_every_rule() {
    for rule in RULES {
        for seed in 1..=3 {
            let sim = simulate(Config::new(3, rule), seed);
            let keys: Vec<_> = sim.live().map(|(_, server)| server.keys()).collect();
            assert!(
                keys[0].len() == 2 && keys.windows(2).all(|two| two[0] == two[1]),
                "{rule:?}, seed {seed}"
            );
        }
    }
}

#[test]
fn one_seed_is_one_run() {
    let digest = |seed| simulate(Config::new(3, Rule::Dotted), seed).digest();
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

fn time(wall: u64) -> Timestamp {
    Timestamp { wall, logical: 0 }
}

/// Interleaved writes of clients through one server, each with the context after its own last write: how many siblings, and the
/// bytes of their clocks.
fn interleaved(rule: Rule, clients: u64, writes: u64) -> (usize, usize) {
    let mut versions = Versions::new(rule);
    let mut contexts = vec![VersionVector::new(); clients as usize];
    for number in 0..writes {
        let client = (number % clients) as usize;
        let write = Write {
            server: Actor(0),
            client: Actor(1_000 + client as u64),
            context: &contexts[client],
            time: time(number),
        };
        assert!(versions.put(rule, &write, number, None) || rule == Rule::Conditional);
        contexts[client] = versions.context();
    }
    (versions.values().len(), versions.clock_bytes())
}

/// Museum: siblings explode without any failure.
#[test]
fn interleaved_writes_explode_with_one_vector_and_not_with_dots() {
    for writes in [10, 100, 1_000] {
        assert_eq!(interleaved(Rule::Dotted, 2, writes).0, 2);
        assert_eq!(interleaved(Rule::ServerVectors, 2, writes).0, writes as usize);
    }
    // With a counter for each client it is right, and the clocks are as many as clients.
    let (few, many) =
        (interleaved(Rule::Dotted, 50, 500), interleaved(Rule::ClientVectors { pruned_above: 0 }, 50, 500));
    assert_eq!((few.0, few.1 < 8), (50, true));
    assert!(many.1 > 50, "{many:?}");
}

/// Writes of a chain of clients, each of which has read the one before: at `old` the last but some, at `new` the last.
fn handed_off(rule: Rule) -> (Versions, Versions) {
    let (mut new, mut context) = (Versions::new(rule), VersionVector::new());
    let mut old = new.clone();
    for client in 0..12 {
        let write = Write { server: Actor(0), client: Actor(client), context: &context, time: time(client) };
        assert!(new.put(rule, &write, client, None));
        context = new.context();
        if client == 9 {
            old = new.clone();
        }
    }
    (old, new)
}

/// Museum: pruned vectors make ordered versions concurrent, and a hand-off finds the same difference for ever.
#[test]
fn a_pruned_vector_makes_siblings_of_ordered_versions_in_every_hand_off() {
    for (pruned_above, siblings) in [(0, 1), (10, 2)] {
        let (mut old, mut new) = handed_off(Rule::ClientVectors { pruned_above });
        new.join(&old);
        old.join(&new);
        assert_eq!((old.values().len(), new.values().len()), (siblings, siblings));
        assert!(new.values().contains(&11));
    }
    let (old, mut new) = handed_off(Rule::ClientVectors { pruned_above: 10 });
    // Whoever reads the siblings and writes one value prunes again, and the old version is a sibling once more.
    for round in 0..5 {
        let context = new.context();
        let write =
            Write { server: Actor(0), client: Actor(20 + round), context: &context, time: time(round) };
        assert!(new.put(Rule::ClientVectors { pruned_above: 10 }, &write, 100 + round, None));
        assert_eq!(new.values(), [100 + round]);
        new.join(&old);
        assert_eq!(new.values().len(), 2, "round {round}");
    }
}

/// Museum: a second write of the same microsecond is acknowledged and dropped.
#[test]
fn the_second_write_of_a_microsecond_counts() {
    for (mistake, last) in [(None, 2), (Some(Mistake::DropsSameMicrosecond), 1)] {
        let config = Config { mistake, ..Config::new(1, Rule::LastWriter) };
        let mut sim = Simulation::<Server>::new(Setup::new(1, 1, config)).expect("a valid set-up");
        for value in [1, 2] {
            sim.invoke_at(
                Time::ZERO + Span::millis(5) + Span::nanos(value),
                ProcessId(0),
                Op::Put { client: 0, key: 0, context: Basis::Session, value },
            );
        }
        sim.run_until(Time::ZERO + Span::secs(1), &mut Recorder::default());
        let (_, server) = sim.live().next().expect("it is alive");
        assert_eq!(server.keys()[&0].values(), [last], "{mistake:?}");
    }
}

/// The same three writes by every rule: one client writes, two others read that and write.
#[test]
fn concurrent_writes_are_refused_lost_or_kept() {
    let outcome = |rule: Rule| {
        let mut versions = Versions::new(rule);
        let mut write = |client: u64, context: &VersionVector| {
            let write =
                Write { server: Actor(0), client: Actor(1_000 + client), context, time: time(client) };
            let accepted = versions.put(rule, &write, client, None);
            (accepted, versions.context())
        };
        let (_, read) = write(1, &VersionVector::new());
        let accepted = [write(2, &read).0, write(3, &read).0];
        (accepted, versions.values())
    };
    assert_eq!(outcome(Rule::Conditional), ([true, false], vec![2]));
    assert_eq!(outcome(Rule::LastWriter), ([true, true], vec![3]));
    assert_eq!(outcome(Rule::Dotted), ([true, true], vec![2, 3]));
    assert_eq!(outcome(Rule::ClientVectors { pruned_above: 0 }), ([true, true], vec![2, 3]));
    assert_eq!(outcome(Rule::ServerVectors), ([true, true], vec![2, 3]));
}
