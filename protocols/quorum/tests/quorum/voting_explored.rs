//! Weighted voting in every order: the two flaws of the naive register as shortest counterexamples, and none in what is shipped.

use isles_explore::{Budget, Explorer, Faults, Property, Report, Scenario, Timers, View};
use isles_kernel::ProcessId;
use isles_quorum::register::Op;
use isles_quorum::voting::{Config, Mistake, Voting};

use crate::world::is_linearizable;

const ONE_VALUE: &str = "no two values have one version";

fn one_value() -> Property<Voting> {
    Property::always(ONE_VALUE, |view: &View<'_, Voting>| {
        let held: Vec<_> = view.live().map(|(_, process)| process.holds()).collect();
        held.iter().all(|(version, value)| held.iter().all(|(other, same)| version != other || value == same))
    })
}

/// Three copies of one vote each, of which two are a quorum.
fn config(mistake: Option<Mistake>) -> Config {
    Config { mistake, ..Config::new([1, 1, 1], 2, 2).expect("quorums meet") }
}

fn at(process: u32, op: Op) -> (ProcessId, Op) {
    (ProcessId(process), op)
}

fn asked(scenario: Scenario<Voting>) -> Scenario<Voting> {
    scenario
        .ask(one_value())
        .ask(Property::history("linearizable", is_linearizable))
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

/// One client, that writes at p0 and then at p1. Nothing is late unless p0 is cut off.
fn parted(mistake: Option<Mistake>, cuts: u8) -> Scenario<Voting> {
    let faults = Faults { cuts: Budget::UpTo(cuts), groups: vec![vec![ProcessId(0)]], ..Faults::default() };
    let scenario = Scenario::<Voting>::new(3, config(mistake));
    asked(Scenario { faults, timers: Timers::WhenQuiet, timeouts: Budget::UpTo(2), ..scenario })
        .client(vec![at(0, Op::Write(1)), at(1, Op::Write(2))])
}

/// Two clients that write at the same time, and nothing goes wrong.
fn concurrent(mistake: Option<Mistake>) -> Scenario<Voting> {
    let scenario = Scenario::<Voting>::new(3, config(mistake));
    asked(Scenario { timeouts: Budget::NONE, ..scenario })
        .client(vec![at(0, Op::Write(1))])
        .client(vec![at(1, Op::Write(2))])
}

fn explore(scenario: Scenario<Voting>) -> Report<Voting> {
    Explorer::new(scenario).expect("a possible scenario").threads(2).breadth_first()
}

#[test]
fn probe() {
    for (name, scenario) in [
        ("naive parted", parted(Some(Mistake::Naive), 1)),
        ("naive not parted", parted(Some(Mistake::Naive), 0)),
        ("naive concurrent", concurrent(Some(Mistake::Naive))),
        ("parted", parted(None, 1)),
        ("concurrent", concurrent(None)),
    ] {
        let begin = std::time::Instant::now();
        let mut explorer = Explorer::new(scenario).expect("a possible scenario").threads(2).states(3_000_000);
        let report = explorer.breadth_first();
        println!("{name}: {report} {:?}", begin.elapsed());
        if let Some(trace) = report.failure().and_then(|f| f.answer.trace()) {
            println!("{}", trace.to_text());
        }
    }
}
