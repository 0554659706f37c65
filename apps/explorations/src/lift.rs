//! Lift: a moment of a simulation, from which a few processes go on in every way.

use isles_explore::{Moment, Standing, Underway};
use isles_kernel::{ProcessId, Protocol};
use isles_sim::{Flight, Simulation};

/// The moment in which a simulation is, with some of its processes: their states, timers, disks and watched streams, and what
/// is under way to them. Give it to [`Scenario::lifted`](isles_explore::Scenario::lifted).
///
/// News of streams that broke and are not yet told, and disk writes under way, are left out: what was persisted counts as
/// durable.
///
/// ```
/// use isles_explorations::lift::moment;
/// use isles_explore::{Budget, Explorer, Property, Scenario};
/// use isles_gossip::hyparview::{Config, HyParView, properties};
/// use isles_kernel::{ProcessId, Span, Time};
/// use isles_sim::{Setup, Simulation};
///
/// // A thousand processes join; after 25 ms, what may four of them do in the next three steps, before a period ends?
/// let config = Config::default();
/// let mut sim = Simulation::<HyParView>::new(Setup::new(1_000, 1, config.clone()))?;
/// sim.run_until(Time::ZERO + Span::millis(25), &mut ());
/// let chosen = [7, 12, 500, 900].map(ProcessId);
/// let scenario = Scenario { timeouts: Budget::NONE, ..Scenario::lifted(config, moment(&sim, &chosen)) };
/// let scenario = scenario
///     .ask(Property::always("views are sound", |view| properties::views_sound(view.config(), view.live()).is_ok()));
/// let report = Explorer::new(scenario)?.depth(3).breadth_first();
/// assert!(report.states > 1 && report.failure().is_none(), "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn moment<P: Protocol>(simulation: &Simulation<P>, chosen: &[ProcessId]) -> Moment<P> {
    let standing = |process: &ProcessId| Standing {
        process: *process,
        state: simulation.process(*process).cloned(),
        timers: simulation.timers(*process),
        log: simulation.log(*process).to_vec(),
        watched: simulation.watched(*process),
    };
    let flights = simulation.underway(|to| chosen.contains(&to));
    let underway = |Flight { from, to, channel, msg }| Underway { from, to, channel, msg };
    Moment {
        now: simulation.now(),
        processes: chosen.iter().map(standing).collect(),
        underway: flights.into_iter().map(underway).collect(),
    }
}
