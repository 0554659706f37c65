//! Figures at two commits, side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::repository::{output, run};

/// Scenarios whose figures are compared.
const SCENARIOS: &[&[&str]] = &[
    &["run", "voyage", "--seeds", "2", "--set", "processes.count=2000"],
    &["run", "flood", "--seeds", "2"],
    &["run", "plumtree-many-senders", "--seeds", "2"],
    &["run", "tree-flooded", "--seeds", "2"],
];

/// Benchmarks whose instructions are counted.
const BENCHES: &[&str] = &["phold-1e3", "small-runs-per-second"];

/// A working tree of another commit, under `target/`, and its program.
fn built(root: &Path, base: &str) -> Result<PathBuf> {
    let commit = output(root, "git", &["rev-parse", "--short", base], false)?;
    let folder = root.join("target").join("compare").join(commit.trim());
    if !folder.exists() {
        let path = folder.to_str().context("the path is no text")?;
        run(root, "git", &["worktree", "add", "--detach", path, base])?;
    }
    program(&folder)
}

fn program(folder: &Path) -> Result<PathBuf> {
    run(folder, "cargo", &["build", "--release", "--quiet", "--package", "isles", "--target-dir", "target"])?;
    Ok(folder.join("target/release/isles"))
}

fn print_table(rows: &[(String, f64, f64)]) {
    #![expect(clippy::print_stdout, reason = "it is what the command is for")]
    println!("{:<60} {:>16} {:>16} {:>9}", "figure", "base", "here", "change");
    for (name, base, here) in rows {
        let change =
            if base == here { "=".to_owned() } else { format!("{:+.1} %", (here / base - 1.0) * 100.0) };
        println!("{name:<60} {base:>16.6} {here:>16.6} {change:>9}");
    }
}

/// Prints simulation figures at `base` and in the working tree.
///
/// # Errors
/// When one of the two cannot be built or run.
pub fn simulations(root: &Path, base: &str) -> Result<()> {
    let (before, after) = (built(root, base)?, program(root)?);
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        let arguments = [*scenario, &["--json", "--no-report"]].concat();
        let figures = |program: &Path| {
            // A check that fails is a figure like the others.
            let text = output(root, program.to_str().context("the path is no text")?, &arguments, true)?;
            medians(&text).with_context(|| format!("isles {} printed no figures", arguments.join(" ")))
        };
        let (old, new) = (figures(&before)?, figures(&after)?);
        for (name, base) in old {
            if let Some(here) = new.get(&name) {
                rows.push((format!("{} {name}", scenario[1]), base, *here));
            }
        }
    }
    print_table(&rows);
    Ok(())
}

/// The medians of `isles run --json`.
pub fn medians(text: &str) -> Result<BTreeMap<String, f64>> {
    let line: Value = serde_json::from_str(text.trim())?;
    let figures = line["figures"].as_object().context("no figures")?;
    Ok(figures.iter().filter_map(|(name, figure)| Some((name.clone(), figure["median"].as_f64()?))).collect())
}

/// Prints instruction counts at `base` and in the working tree.
///
/// # Errors
/// When valgrind is not there, or one of the two cannot be built or run.
pub fn instructions(root: &Path, base: &str) -> Result<()> {
    output(root, "valgrind", &["--version"], false)
        .context("install valgrind first: it counts the instructions")?;
    let (before, after) = (built(root, base)?, program(root)?);
    let mut rows = Vec::new();
    for bench in BENCHES {
        rows.push(((*bench).to_owned(), counted(root, &before, bench)?, counted(root, &after, bench)?));
    }
    print_table(&rows);
    Ok(())
}

fn counted(root: &Path, program: &Path, bench: &str) -> Result<f64> {
    let log = root.join("target/compare/callgrind.log");
    let (log, program) = (log.to_str().context("no text")?, program.to_str().context("no text")?);
    let to_log = format!("--log-file={log}");
    let arguments = [
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        &to_log,
        program,
        "bench",
        bench,
        "--quick",
        "--json",
    ];
    output(root, "valgrind", &arguments, false)?;
    instructions_of(&std::fs::read_to_string(log)?)
}

/// The count that callgrind tells at its end.
pub fn instructions_of(log: &str) -> Result<f64> {
    let count =
        log.lines().find_map(|line| line.split_once("Collected : ")).context("callgrind told no count")?;
    let count: f64 = count.1.trim().parse().context("callgrind's count is no number")?;
    ensure!(count > 0.0, "callgrind counted nothing");
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_found() {
        let text =
            r#"{"scenario":"x","figures":{"reliability":{"median":1.0,"min":0.9},"odd":{"median":null}}}"#;
        assert_eq!(medians(text).expect("figures"), [("reliability".to_owned(), 1.0)].into());
        assert!(medians("{}").is_err());
    }

    #[test]
    fn callgrinds_count_is_found() {
        assert_eq!(
            instructions_of("==1== Events    : Ir\n==1== Collected : 12345\n").expect("a count"),
            12_345.0
        );
        assert!(instructions_of("==1== nothing").is_err());
    }
}
