//! The register of Attiya, Bar-Noy and Dolev on 2 servers, so many clients (2 if none is given).

#[expect(dead_code, unreachable_pub, reason = "each example uses one of the models")]
mod models;

use isles_explore::{Explorer, ScenarioError};

fn count(default: u32) -> u32 {
    std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<(), ScenarioError> {
    let config = models::abd::Config { servers: 2, mistake: None };
    let scenario = models::register::scenario::<models::abd::Abd>(2, count(2), config);
    println!("{}", Explorer::new(scenario)?.breadth_first());
    Ok(())
}
