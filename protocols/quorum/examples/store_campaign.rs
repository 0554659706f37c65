//! Random kills and partitions under a concurrent workload, and what the checkers say of the history:
//! `cargo run --release -p isles-quorum --example store_campaign [STEPS] [SEED] [MISTAKE]`.
#![expect(clippy::print_stdout, reason = "it is a program")]

#[path = "../tests/quorum/store_model.rs"]
mod store_model;
#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/quorum/store_world.rs"]
mod store_world;

use store_world::{MISTAKES, Outcomes, plan, run};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, default| words.get(place).map_or(default, |word| word.parse().expect("a number"));
    let (steps, first) = (number(0, 100_000), number(1, 1));
    let mistake = words.get(2).map(|word| {
        let named = MISTAKES.into_iter().find(|mistake| format!("{mistake:?}") == *word);
        named.unwrap_or_else(|| panic!("there is no mistake {word}: one of {MISTAKES:?}"))
    });
    let mut total = Outcomes::default();
    for seed in first.. {
        let outcomes = run(&plan(seed, 100, mistake));
        total.add(&outcomes);
        if let Some(wrong) = &outcomes.wrong {
            println!("seed {seed}: {}", wrong.chars().take(4_000).collect::<String>());
            break;
        }
        if total.steps >= steps {
            break;
        }
    }
    total.wrong = None;
    println!("{total:#?}");
}
