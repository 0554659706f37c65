//! Interval tree clocks by the crates of the registry, under the load of `isles bench causality`: random processes fork, count events and
//! join, their number is always the same.

use itc::Stamp;
use treeclocks::ItcPair;

use crate::{Random, cpu_seconds};

/// Processes that are alive.
const PROCESSES: u32 = 40;
/// Each of them is a fork, an event and a join.
const ROUNDS: u32 = 1_500;

trait Clock: Clone {
    fn seed() -> Self;
    fn fork(&mut self) -> Self;
    fn event(&mut self);
    fn join(&mut self, other: Self);
    fn leq(&self, other: &Self) -> bool;
    fn text(&self) -> String;
}

impl Clock for Stamp {
    fn seed() -> Self {
        Stamp::seed()
    }
    fn fork(&mut self) -> Self {
        let (kept, given) = itc::IntervalTreeClock::fork(self);
        *self = kept;
        given
    }
    fn event(&mut self) {
        *self = itc::IntervalTreeClock::event(self);
    }
    fn join(&mut self, other: Self) {
        *self = itc::IntervalTreeClock::join(self, &other);
    }
    fn leq(&self, other: &Self) -> bool {
        itc::LessThanOrEqual::leq(self, other)
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Clock for ItcPair {
    fn seed() -> Self {
        Self::new()
    }
    fn fork(&mut self) -> Self {
        ItcPair::fork(self)
    }
    fn event(&mut self) {
        ItcPair::event(self);
    }
    fn join(&mut self, other: Self) {
        ItcPair::join(self, other);
    }
    fn leq(&self, other: &Self) -> bool {
        self.timestamp <= other.timestamp
    }
    fn text(&self) -> String {
        format!("({},{})", self.id, self.timestamp).replace(' ', "")
    }
}

fn measure<C: Clock>(rival: &str) {
    let mut random = Random::new(0);
    let mut below = |bound: usize| random.below(bound as u32) as usize;
    let mut clocks = vec![C::seed()];
    while clocks.len() < PROCESSES as usize {
        let at = below(clocks.len());
        let new = clocks[at].fork();
        clocks.push(new);
    }
    let begin = cpu_seconds();
    for _ in 0..ROUNDS {
        let at = below(clocks.len());
        let new = clocks[at].fork();
        clocks.push(new);
        let at = below(clocks.len());
        clocks[at].event();
        let at = below(clocks.len());
        let gone = clocks.swap_remove(at);
        let at = below(clocks.len());
        clocks[at].join(gone);
    }
    let operations = f64::from(3 * ROUNDS) / (cpu_seconds() - begin);
    let begin = cpu_seconds();
    let mut ordered = 0;
    for a in &clocks {
        ordered += clocks.iter().filter(|b| a.leq(b)).count();
    }
    let compares = f64::from(PROCESSES * PROCESSES) / (cpu_seconds() - begin);
    let text: String = clocks.iter().map(C::text).collect();
    println!(
        "{}",
        serde_json::json!({
            "rival": rival, "operations": operations, "compares": compares, "ordered": ordered, "text": text,
        })
    );
}

pub fn run() {
    measure::<ItcPair>("treeclocks 0.10");
    measure::<Stamp>("itc 0.1");
}
