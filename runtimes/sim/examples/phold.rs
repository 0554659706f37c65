//! PHOLD (Fujimoto, 1990): every message received is sent on to a random process. The classic load of simulators.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Links, Setup, Simulation};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Phold {
    received: u64,
}

impl Protocol for Phold {
    type Config = (u32, u32);
    type Msg = u32;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (count, pending) = *cx.config();
        for _ in 0..pending {
            let to = ProcessId(cx.choose(count));
            cx.cast(to, 0);
        }
        Self { received: 0 }
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, _: ProcessId, hops: u32) {
        self.received += 1;
        let to = ProcessId(cx.choose(cx.config().0));
        cx.cast(to, hops.wrapping_add(1));
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example measures and prints")]
fn main() {
    for (count, pending) in [(1_000, 1), (100_000, 1), (1_000_000, 1), (1_000_000, 4)] {
        let law = Distribution::Uniform { min: Span::millis(1), max: Span::millis(1000) };
        let setup = Setup { links: Links::law(law), ..Setup::new(count, 1, (count, pending)) };
        let mut sim = Simulation::<Phold>::new(setup).expect("a valid set-up");
        sim.run_until(Time::ZERO + Span::millis(2_000), &mut ());
        let (events, begin) = (sim.counters().events, std::time::Instant::now());
        let mut until = sim.now();
        while begin.elapsed().as_secs_f64() < 2.0 {
            until += Span::millis(100);
            sim.run_until(until, &mut ());
        }
        let rate = (sim.counters().events - events) as f64 / begin.elapsed().as_secs_f64();
        println!(
            "{count} x {pending}: {:.2} M events/s, {} B/process, {} B/event",
            rate / 1e6,
            sim.bytes() / count as usize,
            size_of::<(u64, u64, u64, u32)>()
        );
    }
}
