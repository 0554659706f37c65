//! `isles bench`: the arguments and the printing; the benchmarks are in `bench/`.

use crate::args::BenchArgs;
use crate::bench::{self, Effort, Error, Measurement, Options};
use crate::{Failure, Outcome, print};

/// Measures what was asked for, and prints each figure as soon as it is there.
///
/// # Errors
/// When something unknown is wanted, or the rivals cannot be built.
pub(crate) fn run(args: &BenchArgs) -> Result<Outcome, Failure> {
    if args.list {
        return list(args.json);
    }
    let effort = if args.quick { Effort::Quick } else { Effort::Full };
    let options = Options { wanted: args.wanted.clone(), effort, rivals: args.rivals };
    let mut printed = Ok(());
    let mut show = |figure: Measurement| {
        if printed.is_ok() {
            printed = if args.json { json(&figure) } else { print(&line(&figure)) };
        }
    };
    let measured = bench::run(&options, &mut show);
    printed?;
    measured.map_err(|error| match error {
        Error::Unknown(_) | Error::NoRivals => Failure::Input(format!("error: {error}")),
        Error::Rivals { .. } => Failure::Machine(format!("error: {error}")),
    })?;
    Ok(Outcome::Good)
}

fn json(figure: &Measurement) -> Result<(), Failure> {
    print(&serde_json::to_string(figure).map_err(|error| Failure::Machine(error.to_string()))?)
}

fn line(figure: &Measurement) -> String {
    let value = isles_lab::report::format::digits(figure.value);
    let beside = match (&figure.rival, figure.ratio) {
        (Some(rival), Some(ratio)) => format!("  {ratio:.2} times as good as {rival}"),
        _ => String::new(),
    };
    format!("{:<44} {value:>12} {}{beside}", figure.name, figure.unit)
}

fn list(as_json: bool) -> Result<Outcome, Failure> {
    for group in bench::groups() {
        if !as_json {
            print(&format!("{}: {}", group.name, group.about))?;
        }
        for benchmark in group.benches {
            for (name, unit) in benchmark.figures {
                if as_json {
                    let object = serde_json::json!({
                        "group": group.name, "name": name, "unit": unit, "about": benchmark.about, "slow": benchmark.slow,
                    });
                    print(&object.to_string())?;
                } else {
                    let slow = if benchmark.slow { " (not with --quick)" } else { "" };
                    print(&format!("  {name:<40} {unit:<10} {}{slow}", benchmark.about))?;
                }
            }
        }
    }
    Ok(Outcome::Good)
}
