//! Crashing a run once at every boundary of its durability.

use isles_kernel::{ProcessId, Protocol, Time};

use crate::fault::{Boundary, Fault, Strike};
use crate::simulation::Simulation;

/// Crashes of one run, each tried in a run of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boundaries<E> {
    /// How many runs there were, the one without a crash included.
    pub runs: u32,
    /// The runs that failed: the crash, with so many records kept of those that were not durable, and why. The run
    /// without a crash has none.
    pub failures: Vec<(Option<(Strike, u32)>, E)>,
}

/// Runs what `begin` is about to do once as it is, and then once for every boundary of every process's durability:
/// before and after each of its disk writes, and for every number of records that a torn tail may keep.
///
/// `run` drives a simulation and judges it. It must do the same each time; whoever wants the crashed process to come
/// back injects a [`Fault::Restart`], in `begin` or in `run`.
///
/// # Panics
/// When `run` does not do the same each time, so that a crash does not take place.
///
/// # Example
/// A counter that answers when the new count is durable. Whatever it answered is never forgotten.
/// ```
/// use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
/// use isles_sim::{Fault, Memory, Setup, Simulation, Who, each_boundary};
///
/// #[derive(Clone, PartialEq, Eq, Hash, Debug)]
/// struct Counter(u32);
///
/// impl Protocol for Counter {
///     type Config = ();
///     type Msg = Never;
///     type Timer = Never;
///     type Op = ();
///     type Reply = u32;
///     type Record = u32;
///     type Event = Never;
///     fn start(_: &mut Cx<'_, Self>, log: &[u32]) -> Self {
///         Self(log.last().copied().unwrap_or(0))
///     }
///     fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, (): ()) {
///         self.0 += 1;
///         cx.persist(self.0);
///         cx.reply(id, self.0);
///     }
///     fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
///         match msg {}
///     }
///     fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
///         match timer {}
///     }
/// }
///
/// /// The highest count that was answered.
/// #[derive(Default)]
/// struct Answered(u32);
/// impl isles_sim::Observer<Counter> for Answered {
///     fn on_reply(&mut self, _: Time, _: ProcessId, _: OpId, count: &u32) {
///         self.0 = self.0.max(*count);
///     }
/// }
///
/// let mut sim = Simulation::<Counter>::new(Setup::new(1, 1, ())).expect("a valid set-up");
/// for at in [1, 2, 3, 5, 9] {
///     sim.invoke_at(Time::ZERO + Span::millis(at), ProcessId(0), ());
/// }
/// let back = Fault::Restart { who: Who::All, memory: Memory::Disk };
/// sim.inject(Time::ZERO + Span::millis(20), back);
/// let tried = each_boundary(&sim, |sim| {
///     let mut answered = Answered::default();
///     sim.run_until(Time::ZERO + Span::millis(30), &mut answered);
///     let count = sim.process(ProcessId(0)).map_or(0, |counter| counter.0);
///     if answered.0 <= count { Ok(()) } else { Err(format!("answered {}, remembers {count}", answered.0)) }
/// });
/// assert!(tried.failures.is_empty(), "{:?}", tried.failures);
/// assert!(tried.runs > 10);
/// ```
pub fn each_boundary<P: Protocol, E>(
    begin: &Simulation<P>,
    mut run: impl FnMut(&mut Simulation<P>) -> Result<(), E>,
) -> Boundaries<E> {
    let mut plain = begin.clone();
    let failures = run(&mut plain).err().map(|error| (None, error));
    let mut tried = Boundaries { runs: 1, failures: failures.into_iter().collect() };
    for process in (0..begin.processes()).map(ProcessId) {
        for sync in begin.syncs(process)..plain.syncs(process) {
            for boundary in [Boundary::BeforeSync(sync), Boundary::AfterSync(sync)] {
                tried.crash_at(begin, process, boundary, &mut run);
            }
        }
    }
    tried
}

impl<E> Boundaries<E> {
    /// One boundary, once for each number of records that may survive.
    fn crash_at<P: Protocol>(
        &mut self,
        begin: &Simulation<P>,
        process: ProcessId,
        boundary: Boundary,
        run: &mut impl FnMut(&mut Simulation<P>) -> Result<(), E>,
    ) {
        for survivors in 0.. {
            let mut sim = begin.clone();
            sim.inject(Time::ZERO, Fault::CrashAt { process, boundary, survivors });
            let outcome = run(&mut sim);
            self.runs += 1;
            let this = |strike: &&Strike| strike.process == process && strike.boundary == boundary;
            let strike = *sim.strikes().iter().find(this).expect("the run does the same each time");
            self.failures.extend(outcome.err().map(|error| (Some((strike, survivors)), error)));
            if survivors >= strike.unsynced {
                break;
            }
        }
    }
}
