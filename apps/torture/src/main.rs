//! `isles-torture`: a campaign, or the short of one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use isles_quorum::store::Mistake;
use isles_torture::{Torture, hosts, run, say};

/// Real nodes under real faults, and what the checkers say of their clients' history.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  isles-torture                             200 faults on three hosts (root, /dev/net/tun)
  isles-torture --loopback --steps 20       without hosts: kills, pauses, torn logs
  isles-torture --mistake releases-early    a control: the history must be wrong")]
struct Args {
    /// Faults.
    #[arg(long, default_value_t = 200)]
    steps: u64,
    /// Decides which faults, and what clients ask.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=20))]
    nodes: u64,
    /// Clients, each with one operation at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=200))]
    clients: u64,
    /// Where everything of the run goes: configurations, logs, disks, recordings, the history.
    #[arg(long, default_value = "runs/torture")]
    folder: PathBuf,
    /// Nodes on loopback instead of hosts of their own.
    #[arg(long)]
    loopback: bool,
    /// A mistake that nodes make on purpose: decides-alone, releases-early, forgets-early, votes-without-lock, reads-prepared.
    #[arg(long, value_parser = mistake)]
    mistake: Option<Mistake>,
    /// Runs a node with this configuration instead.
    #[arg(long, hide = true)]
    config: Option<PathBuf>,
}

const MISTAKES: [(&str, Mistake); 5] = [
    ("decides-alone", Mistake::DecidesAlone),
    ("releases-early", Mistake::ReleasesEarly),
    ("forgets-early", Mistake::ForgetsEarly),
    ("votes-without-lock", Mistake::VotesWithoutLock),
    ("reads-prepared", Mistake::ReadsPrepared),
];

fn mistake(word: &str) -> Result<Mistake, String> {
    let found = MISTAKES.iter().find(|(name, _)| *name == word).map(|(_, mistake)| *mistake);
    found.ok_or_else(|| format!("there are {}", MISTAKES.map(|(name, _)| name).join(", ")))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.config {
        Some(path) => node(path, args.mistake).map(|()| true),
        None => torture(args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// What a child of this process does.
fn node(path: &std::path::Path, mistake: Option<Mistake>) -> Result<()> {
    let config = isles_node::config::Config::read(path)?;
    isles_node::run::run_with(config, |store| store.mistake = mistake)?;
    Ok(())
}

fn torture(args: Args) -> Result<bool> {
    if !args.loopback
        && let Some(obstacle) = hosts::obstacle()
    {
        anyhow::bail!("{obstacle}; try --loopback, where ways are not cut");
    }
    let mut words = Vec::new();
    if let Some((name, _)) = MISTAKES.iter().find(|(_, mistake)| Some(*mistake) == args.mistake) {
        words = vec!["--mistake".to_owned(), (*name).to_owned()];
    }
    if args.folder.exists() {
        std::fs::remove_dir_all(&args.folder).with_context(|| args.folder.display().to_string())?;
    }
    std::fs::create_dir_all(&args.folder)?;
    let report = run(&Torture {
        program: std::env::current_exe()?,
        words,
        folder: args.folder.canonicalize()?,
        nodes: args.nodes as usize,
        clients: args.clients as usize,
        steps: args.steps,
        seed: args.seed,
        apart: !args.loopback,
    })?;
    print(&report);
    Ok(report.is_good())
}

#[expect(clippy::print_stdout, reason = "the report of a command")]
fn print(report: &isles_torture::Report) {
    for (kind, count) in &report.faults {
        println!("{kind:?}: {count}");
    }
    if let Some((arrived, lost)) = report.packets {
        println!("packets between hosts: {arrived} arrived, {lost} lost");
    }
    let judgement = &report.judgement;
    let (registers, lists) = (judgement.answered, judgement.unknown);
    println!("reads and writes: {} answered, {} of unknown outcome", registers.0, lists.0);
    println!("transactions: {} answered, {} of unknown outcome", registers.1, lists.1);
    println!("registers: {}", judgement.registers.as_deref().unwrap_or("linearizable"));
    println!("transactions: {}", judgement.transactions.as_deref().unwrap_or("strictly serializable"));
    println!("acknowledged writes that are lost: {:?}", judgement.lost);
    for complaint in report.complaints.iter().take(10) {
        println!("complaint: {complaint}");
    }
}
