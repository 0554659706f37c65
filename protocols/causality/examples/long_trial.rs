//! 10^7 random steps, every mechanism's order against the sets of events: `cargo run --release -p isles-causality --example long_trial`.
//! Another number of steps may be given.
#![expect(clippy::print_stdout, reason = "an example talks")]

use isles_causality::trial::{exhaust, wander};

fn main() {
    let steps = std::env::args().nth(1).map_or(10_000_000, |text| text.parse().expect("a number of steps"));
    // Marsaglia 2003, xorshift.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) % bound as u64) as usize
    };
    wander(steps, 100, 6, below).expect("a mechanism contradicts the sets of events");
    println!("{steps} random steps: every order is that of the sets of events");
    let runs = exhaust(4, 7).expect("a mechanism contradicts the sets of events");
    println!("all {runs} runs of 7 steps with at most 4 replicas: the same");
}
