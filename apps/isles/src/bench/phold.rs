//! PHOLD (Fujimoto, "Performance of Time Warp under synthetic workloads", 1990): every message that arrives is
//! sent on to a random process. The classic load of simulators: nothing but the queue and the processes' memory.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Links, Setup, Simulation};

use super::measure::{Effort, memory_growth, rate};

/// How large a load is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Processes.
    pub(super) processes: u32,
    /// Messages in flight for each process.
    pub(super) pending: u32,
}

/// A process that passes on what it gets.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Phold {
    received: u64,
}

impl Protocol for Phold {
    type Config = Load;
    type Msg = u32; // hops so far
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        for _ in 0..cx.config().pending {
            let to = ProcessId(cx.choose(cx.config().processes));
            cx.cast(to, 0);
        }
        Self { received: 0 }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, _: ProcessId, hops: u32) {
        self.received += 1;
        let to = ProcessId(cx.choose(cx.config().processes));
        cx.cast(to, hops.wrapping_add(1));
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

/// The law of PeerSim's published runs: uniform over 1 ms to 1 s.
pub(super) const WIDE: (Span, Span) = (Span::millis(1), Span::millis(1000));
/// What turmoil and madsim are built for: they do some work in every virtual millisecond.
pub(super) const NARROW: (Span, Span) = (Span::millis(1), Span::millis(10));

fn simulation(load: Load, (min, max): (Span, Span), heap_only: bool) -> Simulation<Phold> {
    let links = Links::law(Distribution::Uniform { min, max });
    let setup = Setup { links, heap_only, ..Setup::new(load.processes, 1, load) };
    let mut sim = Simulation::new(setup).expect("the set-up is valid");
    // Two longest flights: no message is left of those that all started at once.
    sim.run_until(Time::ZERO + max + max, &mut ());
    sim
}

/// Events per CPU second once the load is steady.
pub(super) fn events_per_second(load: Load, law: (Span, Span), heap_only: bool, effort: Effort) -> f64 {
    let mut sim = simulation(load, law, heap_only);
    let in_flight = u64::from(load.processes) * u64::from(load.pending);
    let mean = (law.0.0 + law.1.0) / 2;
    let step = Span((u128::from(mean) * 20_000 / u128::from(in_flight)).max(1) as u64);
    rate(effort, || {
        let before = sim.counters().events;
        let until = sim.now() + step;
        sim.run_until(until, &mut ());
        sim.counters().events - before
    })
}

/// Bytes of memory for each process and the messages it has in flight.
pub(super) fn bytes_per_process(load: Load) -> Option<f64> {
    let (growth, _) = memory_growth(|| simulation(load, WIDE, false))?;
    Some(growth / f64::from(load.processes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_and_wheel_run_alike() {
        let digest = |law: (Span, Span), load: Load, heap_only: bool| {
            let mut sim = simulation(load, law, heap_only);
            let until = sim.now() + law.1 + law.1;
            sim.run_until(until, &mut ());
            (sim.digest(), sim.counters().events)
        };
        let loads = [(20, 1), (3_000, 1), (500, 8)].map(|(processes, pending)| Load { processes, pending });
        for (law, load) in [WIDE, NARROW].into_iter().flat_map(|law| loads.map(|load| (law, load))) {
            let wheel = digest(law, load, false);
            assert_eq!(wheel, digest(law, load, true), "{law:?}, {load:?}");
            assert!(wheel.1 > 4 * u64::from(load.processes));
        }
        assert_ne!(digest(WIDE, loads[0], false), digest(NARROW, loads[0], false));
    }
}
