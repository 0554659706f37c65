//! Plans of explorations and headings of saved behaviours from outside: a plan or an error, and what is a plan is ready or refused.

#![no_main]

use isles_explorations::plan::Plan;
use isles_explorations::{Ready, saved};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(plan) = Plan::read(text, &[]) {
        let _ = Ready::new(plan);
    }
    let _ = saved::read(text);
});
