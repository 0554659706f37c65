//! Two-phase commit with so many resource managers (8 if none is given).

#[expect(dead_code, unreachable_pub, reason = "each example uses one of the models")]
mod models;

use isles_explore::{Explorer, ScenarioError};

fn count(default: u32) -> u32 {
    std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<(), ScenarioError> {
    let count = count(8);
    let scenario = models::two_phase_commit::scenario(count, None);
    println!("{}", Explorer::new(scenario)?.breadth_first());
    Ok(())
}
