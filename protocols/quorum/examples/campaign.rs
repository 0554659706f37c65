//! `cargo run --release -p isles-quorum --example campaign [STEPS] [SEED]`: random kills and partitions under a concurrent workload, and
//! what the checkers say of the history.
#![expect(clippy::print_stdout, reason = "it is a program")]

#[path = "../tests/quorum/store_world.rs"]
mod store_world;

use isles_kernel::Span;
use store_world::{Outcomes, Plan, config, run};

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("numbers"));
    let steps = numbers.next().unwrap_or(100_000);
    let first = numbers.next().unwrap_or(1);
    let mut total = Outcomes::default();
    for seed in first.. {
        let (nodes, n, r, w) = [(3, 3, 2, 2), (5, 3, 2, 2), (3, 3, 1, 3), (5, 5, 3, 3)][seed as usize % 4];
        let config = config(nodes, n, r, w, None);
        let outcomes = run(&Plan { config, clients: 8, steps: 100, every: Span::millis(50), seed });
        total.add(&outcomes);
        if let Some(wrong) = &outcomes.wrong {
            println!("seed {seed}: {wrong}");
            break;
        }
        if total.steps >= steps {
            break;
        }
    }
    println!("{total:?}");
}
