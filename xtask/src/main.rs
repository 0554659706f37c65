//! Chores of the repository: `cargo xtask`.

use std::process::ExitCode;

use xtask::{compare, readme, repository, tidy};

const HELP: &str = "\
cargo xtask tidy                 check sizes, floors, names and what must not be written
cargo xtask readme               run the README's commands marked `sh check`
cargo xtask readme --test-command  print the README's test command
cargo xtask ci                   all that .ci/run does
cargo xtask sim-diff [BASE]      compare simulation figures with those at BASE (default HEAD~1)
cargo xtask bench-diff [BASE]    compare instruction counts with those at BASE (default HEAD~1; needs valgrind)
cargo xtask torture [WORDS]      real nodes on hosts of their own under 200 faults, judged (root); WORDS as isles-torture takes them
cargo xtask fuzz [SECONDS]       run every fuzz target for so long (default 60; needs cargo-fuzz)";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository::root();
    let result = match words.as_slice() {
        ["tidy"] => tidy::run(&root),
        ["readme"] => readme::run(&root),
        ["readme", "--test-command"] => readme::test_command(&root).map(|command| println!("{command}")),
        ["ci"] => repository::run(&root, "bash", &[".ci/run"]),
        ["sim-diff"] => compare::simulations(&root, "HEAD~1"),
        ["sim-diff", base] => compare::simulations(&root, base),
        ["bench-diff"] => compare::instructions(&root, "HEAD~1"),
        ["bench-diff", base] => compare::instructions(&root, base),
        ["torture", words @ ..] => {
            let cargo = ["run", "--release", "--quiet", "-p", "isles-torture", "--"];
            repository::run(&root, "cargo", &[&cargo[..], words].concat())
        }
        ["fuzz"] => repository::fuzz(&root, "60"),
        ["fuzz", seconds] => repository::fuzz(&root, seconds),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
