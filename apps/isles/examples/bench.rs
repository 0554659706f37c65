//! Runs the benchmarks: `cargo run --release -p isles --example bench -- [--list] [--quick] [--rivals] [GROUP|NAME]…`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

#[path = "../src/bench/mod.rs"]
mod bench;

fn main() -> std::process::ExitCode {
    let (flags, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let flag = |name: &str| flags.iter().any(|flag| flag == name);
    let effort = if flag("--quick") { bench::Effort::Quick } else { bench::Effort::Full };
    if flag("--list") {
        for group in bench::groups() {
            println!("{}: {}", group.name, group.about);
            for figure in group.benches {
                let slow = if figure.slow { " (not with --quick)" } else { "" };
                for (name, unit) in figure.figures {
                    println!("  {name} [{unit}]: {}{slow}", figure.about);
                }
            }
        }
        return std::process::ExitCode::SUCCESS;
    }
    let options = bench::Options { wanted, effort, rivals: flag("--rivals") };
    let result = bench::run(&options, &mut |figure| {
        println!("{}", serde_json::to_string(&figure).expect("plain data"));
    });
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::from(2)
        }
    }
}
