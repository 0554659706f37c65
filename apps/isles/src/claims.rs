//! `isles claims`.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Instant;

use isles_lab::claims::{Claim, Effort, Verdict, select};
use isles_lab::report;
use isles_lab::report::data::{Chart, Check, Relation, Report, Unit, Verdict as Judged};
use isles_lab::report::folder::Folder;
use owo_colors::{OwoColorize, Stream};

use crate::args::ClaimsArgs;
use crate::{Failure, Outcome, print, threads};

/// Runs the claims that were asked for.
///
/// # Errors
/// When an id is unknown, or an experiment could not be run.
pub(crate) fn run(args: &ClaimsArgs) -> Result<Outcome, Failure> {
    let claims = select(&args.ids).map_err(|unknown| {
        Failure::Input(format!(
            "error: no claim begins with '{unknown}'\n   = `isles list claims` shows all of them"
        ))
    })?;
    let effort = Effort { quick: args.quick, threads: threads(args.threads) };
    // Before the work, so that a folder that cannot be used costs nothing.
    let folder = args.out.as_ref().map(|path| Folder::at(Path::new(path))).transpose();
    let folder = folder.map_err(|error| Failure::Input(error.to_string()))?;
    let mut report = Report { title: "Claims".to_owned(), ..Report::default() };
    let mut shown = 0;
    for claim in &claims {
        let (verdict, charts) = judge(claim, &effort)?;
        shown += usize::from(verdict.is_shown());
        report.checks.push(check(claim, &verdict));
        report.charts.extend(charts);
        if args.json {
            let line = serde_json::to_string(&verdict);
            print(&line.map_err(|error| Failure::Machine(error.to_string()))?)?;
        } else {
            print(&describe(claim, &verdict))?;
        }
    }
    if let Some(folder) = folder {
        report.question = format!("{shown} of {} claims are shown.", claims.len());
        report::write(&report, &folder).map_err(|error| Failure::Machine(error.to_string()))?;
        if !args.json {
            print(&format!("report: {}", folder.path().join("report.html").display()))?;
        }
    }
    if !args.json {
        print(&format!("{shown} of {} claims shown", claims.len()))?;
    }
    Ok(if shown == claims.len() { Outcome::Good } else { Outcome::Bad })
}

#[expect(clippy::disallowed_methods, reason = "how long an experiment takes is about this machine")]
fn judge(claim: &Claim, effort: &Effort) -> Result<(Verdict, Vec<Chart>), Failure> {
    let begin = Instant::now();
    let spinner = std::io::stderr().is_terminal().then(|| {
        let spinner = indicatif::ProgressBar::new_spinner().with_message(claim.id);
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        spinner
    });
    let finding = (claim.run)(effort)
        .map_err(|why| Failure::Machine(format!("{} could not be run: {why}", claim.id)))?;
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    let verdict = Verdict {
        id: claim.id,
        holds: finding.holds,
        control_fails: finding.control_fails,
        measured: finding.measured,
        predicted: finding.predicted,
        seconds: begin.elapsed().as_secs_f64(),
    };
    Ok((verdict, finding.charts))
}

/// The claim as a line of the report.
fn check(claim: &Claim, verdict: &Verdict) -> Check {
    Check {
        name: claim.id.to_owned(),
        measured: None,
        relation: Relation::Equal,
        bound: None,
        unit: Unit::Plain,
        verdict: if verdict.is_shown() { Judged::Holds } else { Judged::Fails },
        detail: format!(
            "{}\nControl: {}\nMeasured: {}\nPredicted: {}\nSource: {}",
            claim.statement, claim.control, verdict.measured, verdict.predicted, claim.source
        ),
    }
}

fn describe(claim: &Claim, verdict: &Verdict) -> String {
    let word = match (verdict.holds, verdict.control_fails) {
        (true, true) => "shown".if_supports_color(Stream::Stdout, |word| word.green()).to_string(),
        (false, _) => "NOT SHOWN".if_supports_color(Stream::Stdout, |word| word.red()).to_string(),
        (true, false) => "BROKEN: the control does not fail"
            .if_supports_color(Stream::Stdout, |word| word.red())
            .to_string(),
    };
    format!(
        "{} {word} ({:.1} s)\n  {}\n  control    {}\n  measured   {}\n  predicted  {}\n  source     {}\n",
        claim.id.if_supports_color(Stream::Stdout, |id| id.bold()),
        verdict.seconds,
        claim.statement,
        claim.control,
        verdict.measured,
        verdict.predicted,
        claim.source,
    )
}
