//! Claims about stores with get and put.

use isles_causality::history::CausalHistory;
use isles_causality::hybrid::Timestamp;
use isles_causality::store::{Rule, Versions, Write};
use isles_causality::{Actor, Dot, Order, VersionVector};
use isles_kernel::random::Stream;

use super::super::{Effort, Finding};

/// What a rule did with the writes of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Outcome {
    accepted: u32,
    refused: u32,
    /// Acknowledged, not there after the last write, and not overwritten by anybody who had read them.
    lost: u32,
    /// There in the end.
    kept: u32,
}

/// The same run by any rule: clients read and write at random, through one server. Values are numbered by their writes.
fn run(rule: Rule, clients: u32, seed: u64) -> (Outcome, bool) {
    let mut draws = Stream::new(seed, &[0x7374_6f72]);
    let mut versions = Versions::new(rule);
    // By client: what it has read and not yet written after, as a context and as a set of writes.
    let mut read: Vec<Option<(VersionVector, CausalHistory)>> = vec![None; clients as usize];
    // Accepted writes, each with all that its writer knew.
    let mut written: Vec<(u64, CausalHistory)> = Vec::new();
    let (mut outcome, mut exact) = (Outcome::default(), true);
    let name = |value: u64| Dot::new(Actor(0), value);
    for value in 1..=200 {
        let client = draws.below(clients) as usize;
        let Some((context, known)) = read[client].take() else {
            let present = versions.values();
            let mut known = CausalHistory::new();
            for (_, history) in written.iter().filter(|(number, _)| present.contains(number)) {
                known.join(history);
            }
            read[client] = Some((versions.context(), known));
            continue;
        };
        let write = Write {
            server: Actor(0),
            client: Actor(1_000 + client as u64),
            context: &context,
            time: Timestamp { wall: value, logical: 0 },
        };
        if !versions.put(rule, &write, value, None) {
            outcome.refused += 1;
            continue;
        }
        outcome.accepted += 1;
        let mut history = known;
        history.event(name(value));
        written.push((value, history));
        exact &= versions.values() == living(&written);
    }
    let living = living(&written);
    let kept = versions.values();
    outcome.lost = living.iter().filter(|value| !kept.contains(value)).count() as u32;
    outcome.kept = kept.len() as u32;
    (outcome, exact)
}

/// The writes that no other write has read.
fn living(written: &[(u64, CausalHistory)]) -> Vec<u64> {
    let overwritten =
        |history: &CausalHistory| written.iter().any(|(_, other)| history.compare(other) == Order::Before);
    written.iter().filter(|(_, history)| !overwritten(history)).map(|(value, _)| *value).collect()
}

const RULES: [Rule; 4] =
    [Rule::Conditional, Rule::LastWriter, Rule::Dotted, Rule::ClientVectors { pruned_above: 0 }];

pub(super) fn caus_07(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 5 } else { 100 };
    let sum = |clients: u32| {
        RULES.map(|rule| {
            let mut all = (Outcome::default(), true);
            for seed in 0..seeds {
                let (one, exact) = run(rule, clients, seed);
                all.0.accepted += one.accepted;
                all.0.refused += one.refused;
                all.0.lost += one.lost;
                all.0.kept += one.kept;
                all.1 &= exact;
            }
            all
        })
    };
    let [conditional, last, dotted, by_client] = sum(4);
    let quiet = |outcomes: &[(Outcome, bool); 4]| {
        outcomes
            .iter()
            .all(|(one, exact)| (one.refused, one.lost, one.kept, *exact) == (0, 0, seeds as u32, true))
    };
    Ok(Finding {
        holds: conditional.0.refused > 0
            && conditional.0.lost == 0
            && last.0.refused == 0
            && last.0.lost > 0
            && [dotted, by_client].iter().all(|(one, exact)| (one.refused, one.lost, *exact) == (0, 0, true)),
        control_fails: quiet(&sum(1)),
        measured: format!(
            "4 clients, {} writes each: conditional refuses {}; last-writer-wins loses {} of those that were to live in the end; multi-value \
             refuses {} and loses {}, and has exactly the living versions after each write: {}; control, one client: nothing of that",
            dotted.0.accepted,
            conditional.0.refused,
            last.0.lost,
            dotted.0.refused,
            dotted.0.lost,
            dotted.1 && by_client.1,
        ),
        predicted: "some refused, some lost, none of both; control: none of anything".to_owned(),
        ..Finding::default()
    })
}

pub(super) fn caus_08(_: &Effort) -> Result<Finding, String> {
    let nothing = VersionVector::new();
    let server = Actor(0);
    let write = |client: u64| Write {
        server,
        client: Actor(1_000 + client),
        context: &nothing,
        time: Timestamp { wall: client, logical: 0 },
    };
    let mut versions = Versions::new(Rule::Dotted);
    versions.put(Rule::Dotted, &write(1), 1, None);
    versions.put(Rule::Dotted, &write(2), 2, None);
    let both = versions.values() == [1, 2];
    // A vector for each version, with the server's next number: the second looks as if it had read the first.
    let (mut first, mut second) = (nothing.clone(), nothing.clone());
    first.raise(Dot::new(server, 1));
    second.raise(Dot::new(server, 2));
    let one_lost = first.compare(&second) == Order::Before;
    let sizes = [10, 100, 1_000].map(|clients: u64| {
        [Rule::Dotted, Rule::ClientVectors { pruned_above: 0 }].map(|rule| {
            let mut versions = Versions::new(rule);
            for client in 0..clients {
                let context = versions.context();
                let write = Write { context: &context, ..write(client) };
                versions.put(rule, &write, client, None);
            }
            versions.clock_bytes()
        })
    });
    Ok(Finding {
        holds: both && sizes.iter().all(|[dotted, _]| *dotted <= 6),
        control_fails: one_lost && sizes[2][1] > 50 * sizes[0][1],
        measured: format!(
            "two writes of one context through one server: both live: {both}; clocks after 10, 100, 1000 clients: {}, {}, {} B; control: a \
             vector for each version loses one: {one_lost}; a counter for each client: {}, {}, {} B",
            sizes[0][0], sizes[1][0], sizes[2][0], sizes[0][1], sizes[1][1], sizes[2][1]
        ),
        predicted: "both live, a few bytes; control: one is lost, and bytes grow with clients".to_owned(),
        ..Finding::default()
    })
}
