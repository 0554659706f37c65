//! The group `causality`: interval tree clocks on the loads of their paper, and dotted version vectors beside a vector for each server.

use isles_causality::loads::{Load, bytes_after, mean_bytes, round, stamps};
use isles_causality::store::{Rule, Versions, Write};
use isles_causality::{Actor, DvvSet, VersionVector, hybrid::Timestamp};

use super::measure::{cpu_seconds, median, rate};
use super::{Bench, Effort, Group};

pub(super) const GROUP: Group = Group {
    name: "causality",
    about: "what happened before what: interval tree clocks and dotted version vectors",
    benches: &[
        Bench {
            figures: &[
                ("itc-ops-per-second", "operations/s"),
                ("itc-ops-stamp-bytes", "B"),
                ("itc-compares-per-second", "compares/s"),
            ],
            about: "a third each of forks, events and joins of 40 processes that come and go, and orders of random pairs of them; the \
                    authors' rules transcribed with shared subtrees do 98 · 10^3 operations and 0.89 · 10^6 compares of 451 B",
            slow: false,
            run: |effort| churn(effort).map(Some).to_vec(),
        },
        Bench {
            figures: &[
                ("itc-static-4-bytes", "B"),
                ("itc-static-8-bytes", "B"),
                ("itc-static-16-bytes", "B"),
                ("itc-static-32-bytes", "B"),
                ("itc-static-64-bytes", "B"),
                ("itc-static-128-bytes", "B"),
            ],
            about: "mean stamp of so many processes after 25 000 times an event and a message; measured with the authors' programs: 9.1, 14.1, \
                    24.4, 46, 86, 162",
            slow: false,
            run: |effort| sizes(effort, Load::StaticProcess, 25_000),
        },
        Bench {
            figures: &[
                ("itc-data-4-bytes", "B"),
                ("itc-data-8-bytes", "B"),
                ("itc-data-16-bytes", "B"),
                ("itc-data-32-bytes", "B"),
                ("itc-data-64-bytes", "B"),
                ("itc-data-128-bytes", "B"),
            ],
            about: "the same of so many replicas after 10 000 times a fork, an event and a join: 13.3, 31, 92, 282, 869, 1846",
            slow: false,
            run: |effort| sizes(effort, Load::DynamicData, 10_000),
        },
        Bench {
            figures: &[
                ("itc-process-4-bytes", "B"),
                ("itc-process-8-bytes", "B"),
                ("itc-process-16-bytes", "B"),
                ("itc-process-32-bytes", "B"),
                ("itc-process-64-bytes", "B"),
                ("itc-process-128-bytes", "B"),
            ],
            about: "the same of so many processes after 10 000 times a fork, an event, a message and a join: 13.2, 33, 96, 286, none, 1941",
            slow: false,
            run: |effort| sizes(effort, Load::DynamicProcess, 10_000),
        },
        Bench {
            figures: &[("itc-static-128-1e6-bytes", "B"), ("itc-data-128-1e6-bytes", "B")],
            about: "128 processes, 10^6 events: those that stay, and replicas that come and go",
            slow: true,
            run: |_| {
                vec![
                    // A round of the first has three events: its own, sending, receiving.
                    Some(size(Load::StaticProcess, 128, 333_333, 1)),
                    Some(size(Load::DynamicData, 128, 1_000_000, 1)),
                ]
            },
        },
        Bench {
            figures: &[
                ("dvv-siblings-after-1000-writes", "siblings"),
                ("server-vector-siblings-after-1000-writes", "siblings"),
                ("client-vector-bytes-of-50-clients", "B"),
                ("dvv-bytes-of-50-clients", "B"),
            ],
            about: "two clients write in turn, each with the context of its own last write; clocks of a key that 50 clients wrote",
            slow: false,
            run: |_| siblings(),
        },
        Bench {
            figures: &[("dvv-updates-per-second", "updates/s"), ("dvv-joins-per-second", "joins/s")],
            about: "writes that overwrite what was read, and joins, of keys on three servers; Erlang's dvvset does 349 · 10^3 and 0.5 to 1.1 \
                    · 10^6",
            slow: false,
            run: |effort| dotted(effort).map(Some).to_vec(),
        },
    ],
};

/// Numbers as the rivals draw them (Marsaglia's xorshift64), so that the steps are the same.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * bound as u64) >> 32) as usize
    }
}

fn size(load: Load, count: usize, rounds: u32, seeds: u64) -> f64 {
    let one = |seed| {
        let mut random = Random::new(seed);
        bytes_after(load, count, rounds, &mut |bound| random.below(bound))
    };
    (0..seeds).map(one).sum::<f64>() / seeds as f64
}

fn sizes(effort: Effort, load: Load, rounds: u32) -> Vec<Option<f64>> {
    let seeds = if effort == Effort::Quick { 1 } else { 5 };
    [4, 8, 16, 32, 64, 128].map(|count| Some(size(load, count, rounds, seeds))).to_vec()
}

/// Operations per second at about 450 bytes a stamp, these bytes, and compares per second.
fn churn(effort: Effort) -> [f64; 3] {
    let mut random = Random::new(0);
    let mut below = |bound: usize| random.below(bound);
    let mut all = stamps(40, &mut below);
    (0..5_000).for_each(|_| round(Load::DynamicData, &mut all, &mut below));
    let start = all.clone();
    let before = mean_bytes(&all);
    let mut after = Vec::new();
    // From the same stamps each time, since they go on growing.
    let operations = rate(effort, || {
        all.clone_from(&start);
        (0..1_000).for_each(|_| round(Load::DynamicData, &mut all, &mut below));
        after.push(mean_bytes(&all));
        3_000
    });
    let bytes = f64::midpoint(before, median(&mut after));
    let compares = rate(effort, || {
        for _ in 0..1_000 {
            let (a, b) = (below(start.len()), below(start.len()));
            std::hint::black_box(start[a].compare(&start[b]));
        }
        1_000
    });
    [operations, bytes, compares]
}

/// What the rivals do, by ours.
pub(super) struct Beside {
    pub(super) operations: f64,
    pub(super) compares: f64,
    /// How many pairs are in order.
    pub(super) ordered: usize,
    /// All stamps in the end.
    pub(super) text: String,
}

pub(super) fn beside_rivals() -> Beside {
    let mut operations = Vec::new();
    let mut compares = Vec::new();
    let mut last = (0, String::new());
    for _ in 0..5 {
        let mut random = Random::new(0);
        let mut below = |bound: usize| random.below(bound);
        let mut stamps = stamps(40, &mut below);
        let begin = cpu_seconds();
        (0..1_500).for_each(|_| round(Load::DynamicData, &mut stamps, &mut below));
        operations.push(4_500.0 / (cpu_seconds() - begin));
        let begin = cpu_seconds();
        let mut ordered = 0;
        for _ in 0..10 {
            ordered = 0;
            for a in &stamps {
                ordered += stamps.iter().filter(|b| b.events().includes(a.events())).count();
            }
        }
        compares.push(16_000.0 / (cpu_seconds() - begin));
        let text: Vec<String> = stamps.iter().map(|stamp| stamp.to_string().replace(' ', "")).collect();
        last = (ordered, text.concat());
    }
    Beside {
        operations: median(&mut operations),
        compares: median(&mut compares),
        ordered: last.0,
        text: last.1,
    }
}

/// Clients write in turn through one server, each with the context after its own last write.
fn written(rule: Rule, clients: u64, writes: u64) -> Versions {
    let mut versions = Versions::new(rule);
    let mut contexts = vec![VersionVector::new(); clients as usize];
    for number in 0..writes {
        let client = number % clients;
        let write = Write {
            server: Actor(0),
            client: Actor(1_000 + client),
            context: &contexts[client as usize],
            time: Timestamp { wall: number, logical: 0 },
        };
        versions.put(rule, &write, number, None);
        contexts[client as usize] = versions.context();
    }
    versions
}

fn siblings() -> Vec<Option<f64>> {
    let of_clients = |rule| written(rule, 50, 500).clock_bytes() as f64;
    vec![
        Some(written(Rule::Dotted, 2, 1_000).values().len() as f64),
        Some(written(Rule::ServerVectors, 2, 1_000).values().len() as f64),
        Some(of_clients(Rule::ClientVectors { pruned_above: 0 })),
        Some(of_clients(Rule::Dotted)),
    ]
}

fn dotted(effort: Effort) -> [f64; 2] {
    let mut random = Random::new(0);
    let mut servers: [DvvSet<u64>; 3] = Default::default();
    let mut value = 0;
    let updates = rate(effort, || {
        for _ in 0..1_000 {
            let at = random.below(3);
            let context = servers[at].context();
            value += 1;
            servers[at].event(Actor(at as u64), &context, value);
        }
        1_000
    });
    let copies = servers.clone();
    let joins = rate(effort, || {
        for _ in 0..1_000 {
            let (at, from) = (random.below(3), random.below(3));
            servers[at].join(&copies[from]);
        }
        1_000
    });
    [updates, joins]
}
