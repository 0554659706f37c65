//! `isles run`: a scenario, over all its seeds.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use isles_lab::registry::run_seed;
use isles_lab::report::data::{Check, Relation, Report, Verdict};
use isles_lab::report::folder::Folder;
use isles_lab::report::{self, terminal};
use isles_lab::run::seeds::on_all_cores;
use isles_lab::run::{SeedOutcome, outcome, records};
use isles_lab::scenario::{self, Origin, Scenario, library};
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;

use crate::args::{RunArgs, ScenarioArgs};
use crate::{Failure, Outcome, memory_max, print, threads};

/// Runs a scenario, prints what came of it, and leaves a report.
///
/// # Errors
/// When the scenario is wrong or cannot be run, or the report cannot be written.
pub(crate) fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    // Before the work, so that a folder that cannot be used costs nothing.
    let scenario = load(&args.common, &args.set)?;
    let folder = match (&args.out, args.no_report) {
        (_, true) => None,
        (Some(path), false) => Some(Folder::at(path).map_err(|error| Failure::Input(error.to_string()))?),
        (None, false) => Some(
            Folder::numbered(Path::new("runs"), &scenario.name)
                .map_err(|error| Failure::Machine(error.to_string()))?,
        ),
    };
    let outcomes = simulate(&scenario, &args.common)?;
    let report = full_report(&scenario, &outcomes);
    let mut page = None;
    if let Some(folder) = &folder {
        let machine = |error: report::folder::WriteError| Failure::Machine(error.to_string());
        folder.write("scenario.toml", scenario.source.as_bytes()).map_err(machine)?;
        // Every seed has its digest; what happened message by message is kept of the first.
        if let Some(first) = outcomes.first() {
            records::write(first, folder).map_err(machine)?;
        }
        report::write(&report, folder).map_err(machine)?;
        page = Some(folder.path().join("report.html"));
    }
    if args.common.json {
        print(&json_line(&scenario, &report, &outcomes, &[])?)?;
    } else {
        let look = terminal::Look { color: colored(), width: width() };
        print(&terminal::summary(&report, look))?;
        for outcome in &outcomes {
            print(&format!("seed {} has the digest {:032x}", outcome.seed(), outcome.digest()))?;
        }
        if let Some(page) = page {
            let page = page.display().to_string();
            print(&format!("report: {}", page.if_supports_color(Stream::Stdout, |text| text.bold())))?;
        }
    }
    Ok(outcome_of(&report))
}

/// Whether all checks hold.
pub(crate) fn outcome_of(report: &Report) -> Outcome {
    if report.checks.iter().all(|check| check.verdict == Verdict::Holds) {
        Outcome::Good
    } else {
        Outcome::Bad
    }
}

fn colored() -> bool {
    "x".if_supports_color(Stream::Stdout, |text| text.bold()).to_string() != "x"
}

/// The terminal's width in columns, 100 where there is none.
fn width() -> u16 {
    terminal_size::terminal_size().map_or(100, |(width, _)| width.0).clamp(60, 160)
}

/// The scenario that the arguments name, with their changes.
///
/// # Errors
/// When there is none of that name, or it is wrong.
pub(crate) fn load(args: &ScenarioArgs, settings: &[String]) -> Result<Scenario, Failure> {
    let mut settings = settings.to_vec();
    if let Some(seeds) = &args.seeds {
        let value = if seeds.contains(',') { format!("[{seeds}]") } else { seeds.clone() };
        settings.push(format!("seeds={value}"));
    }
    let path = Path::new(&args.scenario);
    let memory_max = memory_max();
    if let Some(shipped) = library::find(&args.scenario) {
        let origin = Origin { name: shipped.name, folder: None, settings: &settings, memory_max };
        return scenario::read(shipped.text, &origin).map_err(|error| Failure::Input(error.to_string()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        let why = if error.kind() == std::io::ErrorKind::NotFound {
            let help = library::nearest(&args.scenario).map_or_else(
                || "`isles list scenarios` shows the library".to_owned(),
                |name| format!("did you mean '{name}'? `isles list scenarios` shows the library"),
            );
            format!("there is no file '{}', and no scenario of that name\n   = {help}", args.scenario)
        } else {
            format!("cannot read '{}': {error}", args.scenario)
        };
        Failure::Input(format!("error: {why}"))
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let origin = Origin {
        name: &args.scenario,
        folder: Some(folder.unwrap_or(Path::new("."))),
        settings: &settings,
        memory_max,
    };
    scenario::read(&text, &origin).map_err(|error| Failure::Input(error.to_string()))
}

/// Runs all seeds, with a progress bar where somebody looks.
///
/// # Errors
/// When the scenario cannot be simulated.
pub(crate) fn simulate(scenario: &Scenario, args: &ScenarioArgs) -> Result<Vec<SeedOutcome>, Failure> {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {eta}");
        let bar = ProgressBar::new(1_000 * scenario.seeds.len() as u64).with_message(scenario.name.clone());
        style.map_or(bar.clone(), |style| bar.with_style(style))
    });
    let threads = threads(args.threads);
    let outcomes = on_all_cores(&scenario.seeds, threads, |seed| {
        let told = AtomicU64::new(0);
        let progress = |share: f64| {
            let now = (share * 1_000.0) as u64;
            let before = told.swap(now, Ordering::Relaxed);
            if let Some(bar) = &bar {
                bar.inc(now.saturating_sub(before));
            }
        };
        run_seed(&scenario.plan, seed, &scenario.selection, &scenario.world, &progress)
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    outcomes.map_err(|error| Failure::Input(format!("error: the scenario cannot be simulated: {error}")))
}

/// The report with everything that the scenario says.
pub(crate) fn full_report(scenario: &Scenario, outcomes: &[SeedOutcome]) -> Report {
    Report {
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        scenario: scenario.source.clone(),
        setup: scenario.setup.clone(),
        checks: checks(scenario, outcomes),
        ..outcome::report(&scenario.plan, outcomes)
    }
}

/// Each check for the seed that is worst for it: a check holds if it holds for every seed.
fn checks(scenario: &Scenario, outcomes: &[SeedOutcome]) -> Vec<Check> {
    let of = |expectation: &scenario::Expectation| {
        let values: Vec<(u64, Option<f64>)> = outcomes
            .iter()
            .map(|outcome| (outcome.seed(), outcome.value(expectation.measure.name, &scenario.plan)))
            .collect();
        let bound = expectation.bound;
        // By how much a value misses the bound; below zero it does not.
        let miss = |value: f64| match expectation.relation {
            Relation::AtLeast => bound - value,
            Relation::AtMost => value - bound,
            Relation::Equal => (value - bound).abs(),
        };
        let worst = values
            .iter()
            .filter_map(|(seed, value)| Some((*seed, (*value)?)))
            .max_by(|a, b| miss(a.1).total_cmp(&miss(b.1)));
        let all_told = values.iter().all(|(_, value)| value.is_some());
        let verdict = match worst {
            Some((_, value)) if miss(value) > 0.0 => Verdict::Fails,
            Some(_) if all_told => Verdict::Holds,
            Some(_) | None => Verdict::Undecided,
        };
        Check {
            name: expectation.measure.name.to_owned(),
            measured: worst.map(|(_, value)| value),
            relation: expectation.relation,
            bound: Some(bound),
            unit: (expectation.measure.unit)(),
            verdict,
            detail: match worst {
                Some((seed, _)) if outcomes.len() > 1 => format!("worst of {} seeds: {seed}", outcomes.len()),
                _ => String::new(),
            },
        }
    };
    scenario.checks.iter().map(of).collect()
}

/// One line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    settings: &'a [String],
    seeds: Vec<u64>,
    digests: Vec<String>,
    figures: serde_json::Map<String, serde_json::Value>,
    checks: Vec<serde_json::Value>,
    passed: bool,
}

/// The run as one JSON object: `figures` has the median, `min` and `max` of each measure over the seeds.
///
/// # Errors
/// When a value cannot be written as JSON.
pub(crate) fn json_line(
    scenario: &Scenario,
    report: &Report,
    outcomes: &[SeedOutcome],
    settings: &[String],
) -> Result<String, Failure> {
    let figures = report
        .figures
        .iter()
        .filter_map(|figure| {
            let summary = figure.summary?;
            let value = serde_json::json!({
                "median": summary.median, "min": summary.min, "max": summary.max, "unit": figure.unit.symbol(),
            });
            Some((figure.name.clone(), value))
        })
        .collect();
    let checks = report.checks.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    let line = Line {
        scenario: &scenario.name,
        settings,
        seeds: scenario.seeds.clone(),
        digests: outcomes.iter().map(|outcome| format!("{:032x}", outcome.digest())).collect(),
        figures,
        checks: checks.map_err(|error| Failure::Machine(error.to_string()))?,
        passed: outcome_of(report) == Outcome::Good,
    };
    serde_json::to_string(&line).map_err(|error| Failure::Machine(error.to_string()))
}
