//! Other simulators under PHOLD, the load of `isles bench sim`: every message that arrives is sent on to a random
//! process. One JSON object a line: rival, processes, law of the flights, messages delivered per CPU second.
//!
//! `cargo run --release [-- --quick]` in this folder, where `.cargo/config.toml` turns madsim on. With `graph FILE` it
//! searches a graph instead, as `isles bench graph` does, with `explore` the state spaces of `isles bench explore`, with `causality`
//! interval tree clocks as `isles bench causality` does, and with `crdt` the sets of `isles bench crdt`.

mod causality;
mod crdt;
mod explore;
mod graph;
mod heap;
mod madsim_phold;
mod turmoil_phold;

/// CPU seconds that each figure may take, set-up aside.
const FULL: f64 = 3.0;
const QUICK: f64 = 0.5;

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [command, path] = words.as_slice()
        && command == "graph"
    {
        return search(path);
    }
    if words.first().is_some_and(|word| word == "explore") {
        explore::run();
        return std::process::ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == "causality") {
        causality::run();
        return std::process::ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == "crdt") {
        crdt::run();
        return std::process::ExitCode::SUCCESS;
    }
    let budget = if std::env::args().any(|word| word == "--quick") { QUICK } else { FULL };
    // turmoil works for each host in each tick, whether a message comes or not: 64 in flight for each suit it better.
    for load in [(10, 1), (10, 64), (100, 1), (100, 64)] {
        say("turmoil 0.7", load, "narrow", turmoil_phold::messages_per_second(load, budget));
    }
    for load in [(10, 1), (10, 64), (100, 1), (1_000, 1), (10_000, 1)] {
        say("madsim 0.2", load, "narrow", madsim_phold::messages_per_second(load, budget));
    }
    for load in [(1_000, 1), (100_000, 1), (1_000_000, 1)] {
        say("std BinaryHeap", load, "wide", heap::messages_per_second(load, budget));
    }
    std::process::ExitCode::SUCCESS
}

fn search(path: &str) -> std::process::ExitCode {
    match graph::measure(path, 100) {
        Ok(found) => {
            let line = serde_json::json!({
                "rival": "petgraph 0.8", "seconds": found.search, "farthest": found.farthest,
                "components": found.components, "load": found.load,
            });
            println!("{line}");
            std::process::ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn say(rival: &str, (processes, pending): (u32, u32), law: &str, value: f64) {
    println!(
        "{}",
        serde_json::json!({
            "rival": rival, "processes": processes, "pending": pending, "law": law, "value": value,
            "unit": "messages/s",
        })
    );
}

/// CPU seconds that this thread has used so far.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// A small generator of its own for each process (Marsaglia's xorshift64), so that none of the rivals pays for
/// another's.
struct Random(u64);

impl Random {
    fn new(process: u32) -> Self {
        Self((u64::from(process) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) * u64::from(bound) >> 32) as u32
    }
}
