//! `isles sweep`: a scenario for every combination of values.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

use crate::args::SweepArgs;
use crate::run::{full_report, json_line, load, outcome_of, simulate};
use crate::{Failure, Outcome, print};

/// A sweep has at most so many combinations.
const COMBINATIONS_MAX: usize = 10_000;

/// Runs all combinations, one after the other, each over all seeds and cores.
///
/// # Errors
/// When a field is written wrongly, a scenario is wrong, or the table cannot be written.
pub(crate) fn run(args: &SweepArgs) -> Result<Outcome, Failure> {
    let combinations = combinations(&args.fields)?;
    // All are read before the first is run: the last one may be wrong.
    let scenarios = combinations
        .iter()
        .map(|settings| load(&args.common, settings))
        .collect::<Result<Vec<_>, Failure>>()?;
    // All are of one family, as the first: a field cannot turn one into another.
    let shown = scenarios.first().map_or(&[][..], |scenario| scenario.selection.family().shown);
    let names: Vec<&str> = args.fields.iter().filter_map(|field| Some(field.split_once('=')?.0)).collect();
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(names.iter().copied().chain(shown.iter().copied()));
    let mut csv = format!("{},{}\n", names.join(","), shown.join(","));
    let mut outcome = Outcome::Good;
    for (settings, scenario) in combinations.iter().zip(&scenarios) {
        let outcomes = simulate(scenario, &args.common)?;
        let report = full_report(scenario, &outcomes);
        if outcome_of(&report) == Outcome::Bad {
            outcome = Outcome::Bad;
        }
        if args.common.json {
            print(&json_line(scenario, &report, &outcomes, settings)?)?;
        }
        let values: Vec<&str> =
            settings.iter().filter_map(|setting| Some(setting.split_once('=')?.1)).collect();
        let median = |name: &str| {
            let figure = report.figures.iter().find(|figure| figure.name == name)?;
            Some((figure, figure.summary?.median))
        };
        let cells = shown.iter().map(|name| {
            median(name).map_or_else(|| "–".to_owned(), |(figure, value)| figure.show(value).to_string())
        });
        table.add_row(values.iter().map(|value| (*value).to_owned()).chain(cells));
        let plain: Vec<String> = shown
            .iter()
            .map(|name| median(name).map_or_else(String::new, |(_, value)| value.to_string()))
            .collect();
        csv.push_str(&format!("{},{}\n", values.join(","), plain.join(",")));
    }
    if !args.common.json {
        print(&table.to_string())?;
        print(&format!(
            "medians over {} seeds",
            scenarios.first().map_or(0, |scenario| scenario.seeds.len())
        ))?;
    }
    if let Some(path) = &args.csv {
        std::fs::write(path, csv)
            .map_err(|error| Failure::Machine(format!("cannot write '{}': {error}", path.display())))?;
    }
    Ok(outcome)
}

/// Every combination of one value of each field, as settings.
fn combinations(fields: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    let mut combinations = vec![Vec::new()];
    for field in fields {
        let Some((path, values)) = field.split_once('=').filter(|(_, values)| !values.is_empty()) else {
            let why = format!(
                "error: '{field}' names no values\n   = write it as FIELD=V1,V2, such as links.loss=0,0.05"
            );
            return Err(Failure::Input(why));
        };
        let values: Vec<&str> = values.split(',').collect();
        if combinations.len() * values.len() > COMBINATIONS_MAX {
            return Err(Failure::Input(format!("error: more than {COMBINATIONS_MAX} combinations")));
        }
        combinations = combinations
            .into_iter()
            .flat_map(|settings: Vec<String>| {
                values.iter().map(move |value| {
                    let mut settings = settings.clone();
                    settings.push(format!("{path}={value}"));
                    settings
                })
            })
            .collect();
    }
    Ok(combinations)
}
