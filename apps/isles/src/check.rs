//! `isles check`.

use std::time::Instant;

use isles_lab::check::{CheckError, Options, Outcome as Checked, Want, Word, run as judge, text};
use isles_lab::report;

use crate::args::CheckArgs;
use crate::{Failure, Outcome, print};

/// Judges a history.
///
/// # Errors
/// When the file is no history, or what was asked for does not fit; when a page cannot be written.
pub(crate) fn run(args: &CheckArgs) -> Result<Outcome, Failure> {
    let options = options(args)?;
    let (checked, seconds) = timed(args, &options)?;
    if let Some(path) = &args.html {
        let page = report::verdict::render(&checked);
        std::fs::write(path, page)
            .map_err(|error| Failure::Machine(format!("cannot write {}: {error}", path.display())))?;
    }
    if args.json {
        print(&json(&checked, seconds)?)?;
    } else {
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        let mut shown = text(&checked, width);
        shown.push_str(&format!("{seconds:.3} s"));
        print(&shown)?;
    }
    let refused = checked.judgements.iter().any(|judgement| judgement.verified == Some(false));
    if refused {
        return Err(Failure::Machine(
            "a certificate was refused by the verifier: this is a fault of isles".to_owned(),
        ));
    }
    Ok(match checked.verdict() {
        Word::Holds => Outcome::Good,
        // With --all some level nearly always fails: the answer is the place in the lattice.
        Word::Violated if args.all => Outcome::Good,
        Word::Violated => Outcome::Bad,
        Word::Unknown => Outcome::Unknown,
    })
}

fn options(args: &CheckArgs) -> Result<Options, Failure> {
    let mut levels = Vec::new();
    for name in &args.level {
        levels.push(Want::named(name).ok_or_else(|| {
            Failure::Input(format!("there is no level '{name}'; there are {}", Want::names().join(", ")))
        })?);
    }
    let format = args.format.as_deref().map(str::parse).transpose().map_err(Failure::Input)?;
    let initial = args.initial.as_deref().map(Options::initial_value).transpose().map_err(Failure::Input)?;
    let mut options = Options {
        format,
        model: args.model.clone(),
        levels,
        all: args.all,
        verify: args.verify,
        initial,
        fails: args.fails.into(),
        skew: args.skew_ns,
        ..Options::default()
    };
    if let Some(nodes) = args.nodes {
        options.limits.nodes = nodes;
        options.budget.steps = nodes;
    }
    Ok(options)
}

#[expect(clippy::disallowed_methods, reason = "how long a verdict takes is about this machine")]
fn timed(args: &CheckArgs, options: &Options) -> Result<(Checked, f64), Failure> {
    let begin = Instant::now();
    let checked = judge(&args.file, options).map_err(|error| match error {
        CheckError::Open { .. } | CheckError::Read { .. } | CheckError::Asked(_) => {
            Failure::Input(error.to_string())
        }
        _ => Failure::Machine(error.to_string()),
    })?;
    Ok((checked, begin.elapsed().as_secs_f64()))
}

/// One object: the outcome, its verdict and the seconds it took.
fn json(checked: &Checked, seconds: f64) -> Result<String, Failure> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        verdict: Word,
        seconds: f64,
        #[serde(flatten)]
        checked: &'a Checked,
    }
    serde_json::to_string(&Line { verdict: checked.verdict(), seconds, checked })
        .map_err(|error| Failure::Machine(error.to_string()))
}
