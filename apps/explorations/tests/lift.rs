//! A moment of a simulation, taken up in every way: one of them is the simulation's own.

use isles_explorations::lift::moment;
use isles_explore::{Answer, Budget, Explorer, Property, Scenario};
use isles_gossip::hyparview::{Config, HyParView};
use isles_kernel::{ProcessId, Span, Time};
use isles_sim::{Setup, Simulation};

fn simulated() -> Simulation<HyParView> {
    let setup = Setup::<HyParView>::new(3_000, 5, Config::default());
    let mut sim = Simulation::new(setup).expect("a possible setup");
    sim.run_until(Time::ZERO + Span::millis(25), &mut ());
    sim
}

#[test]
fn what_the_simulation_does_next_is_one_of_the_ways() {
    let sim = simulated();
    // Whoever a few things are under way to; thousands are, to the process through which all join.
    let flights = sim.underway(|_| true);
    let count = |to: ProcessId| flights.iter().filter(|flight| flight.to == to).count();
    let busy = flights.iter().map(|flight| flight.to).find(|to| count(*to) == 2).expect("they are joining");
    let chosen = [busy, ProcessId((busy.0 + 1) % sim.processes())];
    // The simulation goes on until that process is another.
    let mut later = sim.clone();
    let before = sim.process(busy).expect("it is up").clone();
    while later.process(busy) == Some(&before) {
        let next = later.next_time().expect("something is under way");
        later.run_until(next, &mut ());
    }
    let after = later.process(busy).expect("it is up").clone();
    let reached = Property::reachable("as in the simulation", move |view| view.process(busy) == Some(&after));
    // No period ends yet.
    let scenario =
        Scenario { timeouts: Budget::NONE, ..Scenario::lifted(Config::default(), moment(&sim, &chosen)) };
    let report = Explorer::new(scenario.ask(reached)).expect("a possible scenario").depth(6).breadth_first();
    assert!(matches!(report.answer("as in the simulation"), Some(Answer::Reached(_))), "{report}");
}

#[test]
fn a_moment_has_what_is_armed_watched_and_under_way() {
    let sim = simulated();
    let chosen: Vec<ProcessId> = (0..50).map(ProcessId).collect();
    let moment = moment(&sim, &chosen);
    assert_eq!(moment.now, sim.now());
    assert!(moment.underway.iter().all(|message| chosen.contains(&message.to)));
    // Everybody has a period, and watches its neighbours.
    for standing in &moment.processes {
        let state = standing.state.as_ref().expect("nobody crashed");
        assert!(!standing.timers.is_empty());
        let (active, watched) = (state.active(), &standing.watched);
        assert!(active.iter().all(|peer| watched.contains(peer)), "{active:?} {watched:?}");
    }
}
