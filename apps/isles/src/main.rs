//! The command line of isles.

mod args;
mod bench;
mod bench_command;
mod check;
mod claims;
mod explore;
mod graph;
mod list;
mod node;
mod run;
mod sweep;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};

/// How a command ended; what scripts see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All well: 0.
    Good,
    /// A check, a claim or its control came out wrong: 1.
    Bad,
    /// Whether all is well could not be decided: 4.
    Unknown,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input is wrong: 2.
    Input(String),
    /// The machine failed: 3.
    Machine(String),
}

/// A node makes and drops a few small values for each command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Claims(args) => claims::run(&args),
        Command::Completions { shell } => {
            // Through memory: the generator would panic where whoever reads has had enough.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "isles", &mut script);
            print(&String::from_utf8_lossy(&script)).map(|()| Outcome::Good)
        }
        Command::Explore(args) => explore::run(&args),
        Command::Replay(args) => explore::replay(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::List(args) => list::run(&args),
        Command::Node(args) => node::node(&args),
        Command::Cluster(args) => node::cluster(&args),
        Command::Keys(args) => node::keys(&args),
        Command::Bench(args) => bench_command::run(&args),
    };
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::from(1),
        Ok(Outcome::Unknown) => ExitCode::from(4),
        Err(Failure::Input(why)) => complain(&why, 2),
        Err(Failure::Machine(why)) => complain(&why, 3),
    }
}

#[expect(clippy::print_stderr, reason = "this is where a command line tells what went wrong")]
fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("{}", why.trim_end());
    ExitCode::from(code)
}

/// Writes `text` and a line end to standard output. Ends the program well when whoever read it has had enough.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|error| Failure::Machine(format!("cannot write to standard output: {error}"))),
    }
}

/// Three quarters of the memory that is free, or 8 GB where the system does not say.
pub(crate) fn memory_max() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.map_or(8_000_000_000, |kilobytes| kilobytes * 1024 / 4 * 3)
}

/// The threads to use: as asked, or all cores.
pub(crate) fn threads(asked: Option<u32>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |count| count as usize)
}
