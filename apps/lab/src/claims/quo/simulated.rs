//! Registers of quorums with faults, judged by what their clients saw and by what their copies hold: QUO-01 and MUS-14.

use std::collections::BTreeMap;

use isles_check::linearizability::{Limits, check};
use isles_check::{Verdict, verify};
use isles_explorations::judge::OneRegister;
use isles_explorations::scenarios::voting::{Parameters, at, in_turn};
use isles_history::{History, Outcome};
use isles_kernel::random::Stream;
use isles_kernel::{OpId, ProcessId, Span, Time};
use isles_quorum::register::{Op, Reply};
use isles_quorum::voting::{Config, Event, Mistake, Version, Voting};
use isles_sim::{
    Clients, Disk, Distribution, Fault, Links, Memory, Observer, Recorder, Setup, Simulation, Who,
};

use super::explored::{broken, explored};
use crate::claims::{Effort, Finding};
use crate::run::seeds::on_all_cores;

/// What a run showed.
struct Ended {
    /// Operations that were answered with what was asked for.
    answered: usize,
    linearizable: bool,
    /// A version under which two values were taken.
    twice: bool,
}

/// The history, and which values copies took under which versions.
#[derive(Default)]
struct Seen {
    recorder: Recorder<Voting>,
    taken: BTreeMap<Version, i64>,
    twice: bool,
}

impl Observer<Voting> for Seen {
    fn on_event(&mut self, _: Time, _: ProcessId, event: &Event) {
        if let Event::Took { version, value } = *event {
            self.twice |= *self.taken.entry(version).or_insert(value) != value;
        }
    }
    fn on_invoke(&mut self, at: Time, process: ProcessId, id: OpId, op: &Op) {
        self.recorder.on_invoke(at, process, id, op);
    }
    fn on_reply(&mut self, at: Time, process: ProcessId, id: OpId, reply: &Reply) {
        self.recorder.on_reply(at, process, id, reply);
    }
    fn on_crash(&mut self, at: Time, process: ProcessId) {
        self.recorder.on_crash(at, process);
    }
}

/// Whether what clients saw is one register. What they do not know the outcome of may take effect at any time later.
fn is_linearizable(history: &History<Op, Reply>) -> Result<bool, String> {
    let mut operations = history.operations();
    for operation in &mut operations {
        if operation.reply() == Some(&Reply::Unknown) {
            operation.outcome = Outcome::Unknown;
        }
    }
    match check(&OneRegister, &operations, &Limits::default()) {
        Verdict::Holds(order) => {
            verify::order(&OneRegister, &operations, &order.0, verify::Keep::RealTime)
                .map_err(|flaw| format!("a wrong certificate: {flaw:?}"))?;
            Ok(true)
        }
        Verdict::Violated(_) => Ok(false),
        Verdict::Unknown(_) => Err(format!("{} operations are not decided", operations.len())),
    }
}

/// Copies and a client's process more, on links of 1 to 60 ms.
fn world(config: Config, seed: u64) -> Result<Simulation<Voting>, String> {
    let law = Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) };
    let links = Links { stream_timeout: Span::secs(1), ..Links::law(law) };
    let processes = config.votes.len() as u32 + 1;
    let disk = Disk { torn: true, ..Disk::default() };
    Simulation::new(Setup { links, disk, ..Setup::new(processes, seed, config) })
        .map_err(|error| error.to_string())
}

fn ended(seen: &Seen) -> Result<Ended, String> {
    let history = seen.recorder.history();
    let is_answer = |reply: &Reply| matches!(reply, Reply::Value(_) | Reply::Done);
    let answered =
        history.operations().into_iter().filter(|operation| operation.reply().is_some_and(is_answer));
    Ok(Ended { answered: answered.count(), linearizable: is_linearizable(history)?, twice: seen.twice })
}

fn after(millis: u64) -> Time {
    Time::ZERO + Span::millis(millis)
}

/// A client at each process for three seconds. With faults, somebody crashes or is cut off every half of a second, for a part of it.
fn crowd(config: Config, faults: bool, seed: u64) -> Result<Ended, String> {
    let copies = config.votes.len() as u32;
    let mut sim = world(config, seed)?;
    let mut draws = Stream::new(seed, &[0x0066_6175_6c74]);
    for slot in (0..6).filter(|_| faults) {
        let begin = 500 * slot + u64::from(draws.below(150));
        let end = begin + 50 + u64::from(draws.below(300));
        let who = Who::Ids(vec![ProcessId(draws.below(copies))]);
        if draws.below(2) == 0 {
            sim.inject(after(begin), Fault::Crash(who));
            sim.inject(after(end), Fault::Restart { who: Who::All, memory: Memory::Disk });
        } else {
            sim.inject(after(begin), Fault::Partition(vec![who]));
            sim.inject(after(end), Fault::Heal);
        }
    }
    let clients = Clients {
        patience: Span::millis(1_200),
        ..Clients::at_each(copies + 1, Span::millis(120), after(3_000), seed)
    };
    let (mut seen, mut value) = (Seen::default(), 0);
    clients.drive(&mut sim, after(6_000), &mut seen, |_, draws| {
        value += 1;
        Some(if draws.below(2) == 0 { Op::Read } else { Op::Write(value) })
    });
    ended(&seen)
}

/// One operation after the other, each at another process and long after the one before it; a copy is cut off during each, and heals.
fn in_order(config: Config, seed: u64) -> Result<Ended, String> {
    let copies = config.votes.len() as u32;
    let mut sim = world(config, seed)?;
    let mut draws = Stream::new(seed, &[0x0070_6172_7465_6400]);
    for step in 0..12u64 {
        let begin = 3_000 * step;
        let op = if draws.below(3) == 0 { Op::Read } else { Op::Write(step as i64 + 1) };
        let client = draws.below(copies);
        sim.invoke_at(after(begin), ProcessId(client), op);
        // In half of the cases it is the client's own copy that is cut off, somewhere in its two rounds.
        let victim = if draws.below(2) == 0 { client } else { draws.below(copies) };
        let cut = begin + u64::from(draws.below(150));
        sim.inject(after(cut), Fault::Partition(vec![Who::Ids(vec![ProcessId(victim)])]));
        // The next operation may find it so.
        let healed = if draws.below(2) == 0 { begin + 2_500 } else { begin + 4_500 };
        sim.inject(after(healed), Fault::Heal);
    }
    let mut seen = Seen::default();
    sim.run_until(after(40_000), &mut seen);
    ended(&seen)
}

/// Votes and quorums: a majority, read one and write all, a heavy copy, a weak one, and more writers than needed.
const ASSIGNMENTS: [(&[u32], u32, u32); 5] = [
    (&[1, 1, 1], 2, 2),
    (&[1, 1, 1], 1, 3),
    (&[2, 1, 1], 2, 3),
    (&[1, 1, 1, 0], 2, 2),
    (&[1, 1, 1, 1, 1], 2, 4),
];

pub(super) fn quo_01(effort: &Effort) -> Result<Finding, String> {
    let seeds: Vec<u64> = (1..=if effort.quick { 15 } else { 200 }).collect();
    let one = |seed: u64| -> Result<Ended, String> {
        let (votes, read, write) = ASSIGNMENTS[seed as usize % ASSIGNMENTS.len()];
        let config = Config::new(votes, read, write).map_err(|error| error.to_string())?;
        crowd(config, true, seed).map_err(|why| format!("seed {seed}: {why}"))
    };
    let runs = on_all_cores(&seeds, effort.threads, one)?;
    let linearizable = runs.iter().filter(|run| run.linearizable && !run.twice).count();
    let answered: usize = runs.iter().map(|run| run.answered).sum();
    let clients = in_turn(&[at(0, Op::Write(1)), at(2, Op::Read)]);
    let stale = explored(Parameters { read: 1, clients, ..Parameters::default() }, effort)?;
    let clients = in_turn(&[at(0, Op::Write(1)), at(2, Op::Write(2))]);
    let equal =
        explored(Parameters { votes: vec![1; 4], read: 3, clients, ..Parameters::default() }, effort)?;
    let (stale, equal) = (broken(&stale), broken(&equal));
    let told = |found: Option<(&str, usize)>| {
        found.map_or("nothing".to_owned(), |(property, steps)| {
            format!("\"{property}\" broken after {steps} steps")
        })
    };
    Ok(Finding {
        holds: linearizable == runs.len() && answered > 20 * runs.len(),
        control_fails: stale.is_some_and(|(property, _)| property == "linearizable")
            && equal.is_some_and(|(property, _)| property == "no two values have one version"),
        measured: format!(
            "{linearizable} of {} runs with crashes and partitions linearizable ({answered} operations answered); controls: r + w = V: {}; \
             2 w = V: {}",
            runs.len(),
            told(stale),
            told(equal),
        ),
        predicted: "all; controls: a stale read, two values of one version".to_owned(),
        ..Finding::default()
    })
}

pub(in crate::claims) fn mus_14(effort: &Effort) -> Result<Finding, String> {
    let seeds: Vec<u64> = (1..=if effort.quick { 20 } else { 200 }).collect();
    // For each seed: two values of one version by partition, and by writers; and whether clients saw it.
    let shown = |mistake: Option<Mistake>| {
        let one = |seed: u64| -> Result<(Ended, Ended), String> {
            let config = Config::new([1, 1, 1], 2, 2).map_err(|error| error.to_string())?;
            let config = Config { mistake, ..config };
            Ok((in_order(config.clone(), seed)?, crowd(config, false, seed)?))
        };
        on_all_cores(&seeds, effort.threads, one)
    };
    let (naive, shipped) = (shown(Some(Mistake::Naive))?, shown(None)?);
    let parted = naive.iter().filter(|(parted, _)| parted.twice).count();
    let crowded = naive.iter().filter(|(_, crowded)| crowded.twice).count();
    let seen = naive.iter().filter(|(parted, crowded)| !parted.linearizable || !crowded.linearizable).count();
    let first = naive.iter().position(|(parted, _)| parted.twice).map_or(0, |place| seeds[place]);
    let flawed = |run: &Ended| run.twice || !run.linearizable;
    let survived = shipped.iter().filter(|(parted, crowded)| !flawed(parted) && !flawed(crowded)).count();
    let runs = seeds.len();
    Ok(Finding {
        holds: parted > 0 && crowded > 0 && seen > 0,
        control_fails: survived == runs,
        measured: format!(
            "of {runs} seeds, two values of one version by partition with {parted} (first {first}), by writers at the same time with \
             {crowded}; clients of {seen} saw it; control: {survived} of {runs} are as they should be"
        ),
        predicted: "some of each; control: none".to_owned(),
        ..Finding::default()
    })
}
