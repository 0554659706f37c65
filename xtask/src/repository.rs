//! The working tree, and running commands in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs a command in `folder`, with its output where ours goes.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    let status = status.with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} {} failed: {status}", arguments.join(" "));
    Ok(())
}

/// Runs a command in `folder` and returns its standard output; a failing one is an error unless `any_status`.
///
/// # Errors
/// When it cannot be started, fails, or prints no text.
pub fn output(folder: &Path, program: &str, arguments: &[&str], any_status: bool) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() && !any_status {
        bail!(
            "{program} {} failed: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).context("its output is no text")
}

/// Files of the working tree that git tracks or would track, relative to `root`.
///
/// # Errors
/// When git fails.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let list = output(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"], false)?;
    Ok(list.lines().map(PathBuf::from).filter(|path| root.join(path).is_file()).collect())
}

/// What a fuzz target begins with, besides its own corpus.
const SEEDS: [(&str, &str); 2] = [("scenario", "apps/lab/scenarios"), ("matrix", "apps/lab/data")];

/// Runs every fuzz target for `seconds`.
///
/// # Errors
/// When cargo-fuzz is not there, or a target finds something.
pub fn fuzz(root: &Path, seconds: &str) -> Result<()> {
    let seconds: u32 = seconds.parse().context("seconds are a whole number")?;
    let folder = root.join("fuzz");
    ensure!(folder.is_dir(), "there is no fuzz folder");
    let list = output(&folder, "cargo", &["fuzz", "list"], false)
        .context("install it first: cargo install cargo-fuzz")?;
    for target in list.lines() {
        let limit = format!("-max_total_time={seconds}");
        let corpus = folder.join("corpus").join(target);
        std::fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
        let seeds = SEEDS.iter().filter(|(name, _)| *name == target).map(|(_, seeds)| root.join(seeds));
        let status = Command::new("cargo")
            .args(["fuzz", "run", target])
            .args(std::iter::once(corpus).chain(seeds))
            // Nothing that we read may take more: a text of a few lines must not fill the memory.
            .args(["--", &limit, "-rss_limit_mb=1024", "-timeout=10"])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(&folder)
            .status()?;
        ensure!(status.success(), "{target} found something: {status}");
    }
    Ok(())
}
