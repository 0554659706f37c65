//! Transactions over quorums by two-phase commit with locks: QUO-04 and MUS-16.

use isles_check::Verdict;
use isles_check::linearizability::{Limits, check};
use isles_explorations::scenarios::store::{
    Keys, Mix, Parameters, is_blocked, is_released, no_circle, scenario,
};
use isles_explore::{Explorer, Property, Report};
use isles_history::Outcome;
use isles_kernel::random::Stream;
use isles_kernel::{Payload, ProcessId, Span, Time};
use isles_quorum::store::{Command, Config, Keyspace, Mistake, Op, Reply, Store};
use isles_sim::{Clients, Disk, Distribution, Fault, Links, Memory, Recorder, Setup, Simulation, Who};

use super::{Effort, Finding};
use crate::run::seeds::on_all_cores;

/// All behaviours, to the first violation.
fn explored(
    parameters: Parameters,
    more: Vec<Property<Store>>,
    effort: &Effort,
) -> Result<Report<Store>, String> {
    let scenario = more.into_iter().fold(scenario(parameters), |scenario, property| scenario.ask(property));
    let explorer = Explorer::new(scenario).map_err(|error| error.to_string())?;
    Ok(explorer.threads(effort.threads).breadth_first())
}

/// The property that broke, and the steps to it.
fn broken(report: &Report<Store>) -> Option<(&str, usize)> {
    let failure = report.failure()?;
    Some((&failure.property, failure.answer.trace().map_or(0, |trace| trace.steps.len())))
}

/// What simulated runs showed.
struct Runs {
    /// Operations that were done.
    done: usize,
    /// Runs whose histories have no legal order.
    wrong: usize,
}

/// Five nodes, of which each key is on three, under crashes and partitions; clients at all nodes, which are their proxies, add to two
/// keys at one instant, or read both.
fn simulated(mistake: Option<Mistake>, effort: &Effort) -> Result<Runs, String> {
    let seeds: Vec<u64> = (1..=if effort.quick { 12 } else { 60 }).collect();
    let runs = on_all_cores(&seeds, effort.threads, |seed| simulate(mistake, seed))?;
    let done = runs.iter().map(|(done, _)| done).sum();
    Ok(Runs { done, wrong: runs.iter().filter(|(_, legal)| !legal).count() })
}

/// How much was done in one run, and whether its history has a legal order.
fn simulate(mistake: Option<Mistake>, seed: u64) -> Result<(usize, bool), String> {
    let mut config = Config::new(5, vec![Keyspace::all(3, 2, 2)]).map_err(|error| error.to_string())?;
    (config.ask, config.resend) = (Span::millis(10), Span::millis(100));
    (config.patience, config.lease) = (Span::millis(600), Span::millis(600));
    config.mistake = mistake;
    let law = Distribution::Uniform { min: Span::micros(200), max: Span::millis(4) };
    let links = Links { stream_timeout: Span::millis(400), ..Links::law(law) };
    let disk = Disk { sync: Span::micros(500), torn: true };
    let setup = Setup { links, disk, ..Setup::<Store>::new(5, seed, config) };
    let mut sim = Simulation::new(setup).map_err(|error| error.to_string())?;
    let at = |millis: u64| Time::ZERO + Span::millis(millis);
    let mut draws = Stream::new(seed, &[0x7175_6f34]);
    for step in 0..12 {
        let one = Who::Ids(vec![ProcessId(draws.below(5))]);
        let is_crash = draws.below(3) > 0;
        sim.inject(
            at(100 * step + 50),
            if is_crash { Fault::Crash(one) } else { Fault::Partition(vec![one]) },
        );
        sim.inject(at(100 * step + 130), Fault::Restart { who: Who::All, memory: Memory::Disk });
        sim.inject(at(100 * step + 130), Fault::Heal);
    }
    let clients =
        Clients { patience: Span::secs(1), ..Clients::at_each(5, Span::millis(4), at(1_200), seed) };
    let mut recorder = Recorder::default();
    let mut count = 0i64;
    clients.drive(&mut sim, at(4_000), &mut recorder, |_, choices| {
        // Every amount is another one, and the keys are others now and then: what stays unknown concerns few.
        count += 1;
        let keys = ["x", "y"].map(|name| Payload::from(format!("{name}{}", count / 40).as_str()));
        let commands: Vec<Command> = if choices.below(2) == 0 {
            keys.into_iter().map(|key| Command::Get { key }).collect()
        } else {
            keys.into_iter().map(|key| Command::Increment { key, by: count << 20 }).collect()
        };
        Some(Op::All { commands: commands.into(), unchanged: [].into() })
    });
    let mut operations = recorder.history().operations();
    // What was refused was not done; a read that nobody answered tells nothing.
    let tells = |op: &Op, outcome: &Outcome<Reply>| match (op, outcome) {
        (_, Outcome::Returned { reply, .. }) => *reply != Reply::Refused,
        (Op::All { commands, .. }, Outcome::Unknown) => commands.iter().any(Command::is_write),
        (Op::One(_) | Op::Scan { .. }, Outcome::Unknown) => false,
    };
    operations.retain(|operation| tells(&operation.op, &operation.outcome));
    let done = operations.iter().filter(|operation| operation.reply().is_some()).count();
    match check(&Keys, &operations, &Limits::default()) {
        Verdict::Holds(_) => Ok((done, true)),
        Verdict::Violated(_) => Ok((done, false)),
        Verdict::Unknown(_) => Err(format!("the history of seed {seed} was not decided")),
    }
}

pub(super) fn quo_04(effort: &Effort) -> Result<Finding, String> {
    let quiet = Parameters { crashes: 0, restarts: 0, ..Parameters::default() };
    let (mut states, mut proved) = (0, true);
    for mix in [Mix::WriterAndReader, Mix::Adders, Mix::Crosswise] {
        for parameters in [Parameters { mix, ..quiet }, Parameters { nodes: 3, read: 2, mix, ..quiet }] {
            let report = explored(parameters, vec![no_circle()], effort)?;
            states += report.states;
            proved &= report.is_proof();
        }
    }
    let crash = explored(Parameters::default(), Vec::new(), effort)?;
    states += crash.states;
    proved &= crash.is_proof();
    // The coordinator is lost, for ever and for a while.
    let asked =
        || vec![Property::reachable("blocked", is_blocked), Property::reachable("released", is_released)];
    let reached =
        |report: &Report<Store>, name: &str| report.answer(name).is_some_and(|answer| !answer.is_bad());
    let lost = explored(Parameters { restarts: 0, ..Parameters::default() }, asked(), effort)?;
    let back = explored(Parameters::default(), asked(), effort)?;
    let blocks = reached(&lost, "blocked") && !reached(&lost, "released") && reached(&back, "released");
    let runs = simulated(None, effort)?;
    // Controls: locks that nobody takes away, and locks that are given back too early.
    let circle =
        Parameters { mistake: Some(Mistake::NeverWounds), ..Parameters::showing(Mistake::NeverWounds) };
    let circle = explored(circle, vec![no_circle()], effort)?;
    let early =
        Parameters { mistake: Some(Mistake::ReleasesEarly), ..Parameters::showing(Mistake::ReleasesEarly) };
    let early = explored(early, Vec::new(), effort)?;
    let control = simulated(Some(Mistake::ReleasesEarly), effort)?;
    let steps = |report: &Report<Store>| {
        broken(report).map_or("nothing found".to_owned(), |(property, steps)| {
            format!("\"{property}\" broken after {steps} steps")
        })
    };
    Ok(Finding {
        holds: proved && blocks && runs.wrong == 0,
        control_fails: broken(&circle).is_some_and(|(property, _)| property == "nobody waits in a circle")
            && broken(&early).is_some_and(|(property, _)| property == "linearizable")
            && control.wrong > 0,
        measured: format!(
            "{states} states with transactions of one and two keys and a crash: {}; coordinator lost: participant {}; {} operations \
             simulated with crashes and partitions, {} histories without a legal order; controls: no wounds: {}; locks back with the vote: {}, and \
             {} histories",
            if proved { "no violation" } else { "a violation, or not all" },
            if blocks { "waits for ever, and until it is back" } else { "does not wait as it should" },
            runs.done,
            runs.wrong,
            steps(&circle),
            steps(&early),
            control.wrong,
        ),
        predicted: "no violation, blocked, none; a circle of waiting, lost updates".to_owned(),
        ..Finding::default()
    })
}

pub(super) fn mus_16(effort: &Effort) -> Result<Finding, String> {
    let mistake = Mistake::DecidesAlone;
    let shown = Parameters::showing(mistake);
    let alone = explored(Parameters { mistake: Some(mistake), ..shown }, Vec::new(), effort)?;
    let shipped = explored(shown, Vec::new(), effort)?;
    let (runs, control) = (simulated(Some(mistake), effort)?, simulated(None, effort)?);
    let found = broken(&alone);
    Ok(Finding {
        holds: found.is_some_and(|(property, _)| property == "linearizable") && runs.wrong > 0,
        control_fails: shipped.is_proof() && control.wrong == 0,
        measured: format!(
            "who decides alone: {} in {} states, and {} simulated histories without a legal order; shipped: {} states, {}, and {}",
            found.map_or("nothing found".to_owned(), |(property, steps)| format!(
                "\"{property}\" broken after {steps} steps"
            )),
            alone.states,
            runs.wrong,
            shipped.states,
            if shipped.is_proof() { "none in all" } else { "a violation, or not all" },
            control.wrong,
        ),
        predicted: "found by both; control: none".to_owned(),
        ..Finding::default()
    })
}
