//! Scenario files: a TOML text that describes a run completely. `SCENARIO.md` beside the crate lists every key.

mod document;
mod faults;
pub mod library;
mod links;
mod protocols;
pub(crate) mod reader;
mod settings;
mod setup;
mod topology;
mod workload;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Span, Time};
use isles_sim::{Clocks, Disk, Start};

use crate::registry::{FAMILIES, Selection, World};
use crate::report::data::Setting;
use crate::run::measures::About;
use crate::run::plan::Plan;
use document::{Item, Place, Problem, Table, Value};
use reader::Reader;

pub use settings::read_settings;

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Short name: the file's stem or the library's name.
    pub name: String,
    /// Heading of the report.
    pub title: String,
    /// What the run is to find out.
    pub question: String,
    /// The text, as it was read.
    pub source: String,
    /// The seeds to run, all different.
    pub seeds: Vec<u64>,
    /// What is to happen.
    pub plan: Plan,
    /// The protocols.
    pub selection: Selection,
    /// What configurations depend on.
    pub world: World,
    /// What is expected.
    pub checks: Vec<Expectation>,
    /// The set-up, for the report.
    pub setup: Vec<Setting>,
}

/// Something expected of a measure, for every seed.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Of which measure.
    pub measure: About,
    /// The bound.
    pub relation: crate::report::data::Relation,
    /// In the measure's unit.
    pub bound: f64,
}

/// What is wrong with a scenario, as a person reads it: each problem with its line, the place marked, and the remedy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(pub String);

/// No run has more processes.
pub const PROCESSES_MAX: u64 = 100_000_000;
/// No scenario has more seeds.
pub const SEEDS_MAX: u64 = 100_000;
/// No run lasts longer, in virtual time.
pub const DURATION_MAX: Span = Span::secs(365 * 86_400);

/// Counters are read at most so often in a run.
const SAMPLES_MAX: u64 = 100_000;

/// Where a scenario comes from.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// Shown in messages: the path, or the library's name.
    pub name: &'a str,
    /// Where relative paths begin; none for the library, which has no files.
    pub folder: Option<&'a Path>,
    /// Changes to fields, `path=value`, in order.
    pub settings: &'a [String],
    /// Memory that a run may take, in bytes.
    pub memory_max: u64,
}

/// Reads the scenario `text`.
///
/// # Errors
/// All problems that were found, in the order of the lines.
pub fn read(text: &str, origin: &Origin<'_>) -> Result<Scenario, ScenarioError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refused = |problems: &[Problem]| Err(fail(origin.name, text, problems));
    let mut table = match document::parse(text) {
        Ok(table) => table,
        Err(problems) => return refused(&problems),
    };
    for setting in origin.settings {
        if let Err(problem) = table.set(setting) {
            return refused(&[problem]);
        }
    }
    let problems = RefCell::new(Vec::new());
    let scenario = read_table(text, &table, origin, &problems);
    let problems = problems.into_inner();
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(scenario),
        _ => refused(&problems),
    }
}

fn fail(name: &str, text: &str, problems: &[Problem]) -> ScenarioError {
    ScenarioError(document::render(name, text, problems))
}

/// None only when there are problems.
fn read_table(
    text: &str,
    table: &Table,
    origin: &Origin<'_>,
    problems: &RefCell<Vec<Problem>>,
) -> Option<Scenario> {
    let top = Reader::new(table, "", Place::File(0..0), problems);
    let (title, question) = (read_words(&top, "title", 200), read_words(&top, "question", 2_000));
    let seeds = read_seeds(&top);
    let duration = read_duration(&top);
    // Where these are wrong, the widest bounds keep what depends on them from being called wrong, too.
    let duration = duration.unwrap_or(DURATION_MAX);
    let from_file = topology::is_from_file(&top);
    let (count, start) = read_processes(&top, duration, from_file);
    let topology = topology::read(&top, origin, count);
    // Processes that nobody counted are the nodes of the file.
    let count = count.or_else(|| topology.as_ref().filter(|_| from_file).map(|graph| graph.nodes()));
    let processes = count.unwrap_or(PROCESSES_MAX as u32);
    let links = links::read(&top, origin);
    let clocks = read_clocks(&top);
    let disk = read_disk(&top);
    let bounds =
        protocols::Bounds { topology: &topology, processes: count, duration, memory_max: origin.memory_max };
    let selection = protocols::read(&top, &bounds);
    let (broadcasts, warmup) = workload::read(&top, processes, duration, selection.as_ref());
    let regions = links.regions.clone();
    let (faults, churn) = faults::read(&top, origin, processes, duration, &regions, links.links.loss);
    let checks = read_checks(&top, selection.as_ref());
    let (lanes, sample) = read_report(&top, duration);
    top.finish();
    let plan = Plan {
        processes,
        start,
        links: links.links,
        clocks,
        disk,
        churn,
        faults,
        broadcasts,
        warmup,
        duration,
        sample,
        lanes,
    };
    let selection = selection?;
    if !problems.borrow().is_empty() {
        return None;
    }
    let graph = topology.unwrap_or_else(|| Arc::new(Graph::from_edges(processes, &[])));
    let name = Path::new(origin.name)
        .file_stem()
        .map_or_else(|| origin.name.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let setup = setup::describe(&plan, &selection, &links.words, &seeds);
    Some(Scenario {
        title: if title.is_empty() { name.clone() } else { title },
        name,
        question,
        source: text.to_owned(),
        seeds,
        plan,
        selection,
        world: World { processes, graph },
        checks,
        setup,
    })
}

/// A text for people; empty if it is not there.
fn read_words(top: &Reader<'_>, key: &'static str, most: usize) -> String {
    let words = top.text(key).unwrap_or_default();
    if words.chars().count() > most {
        let help = format!("write at most {most} characters");
        top.complain(&top.place(key), format!("the {key} is too long"), help);
    }
    words.to_owned()
}

fn read_duration(top: &Reader<'_>) -> Option<Span> {
    let span = top.span("duration");
    if top.entry("duration").is_none() {
        top.missing("duration", "\"60s\"");
    }
    let fits = span.filter(|span| *span > Span::ZERO && *span <= DURATION_MAX);
    if fits != span {
        let help = "write a span above 0s, at most a year";
        top.complain(&top.place("duration"), "'duration' is out of bounds", help);
    }
    fits
}

/// A count of seeds, 1 to that; or a list.
fn read_seeds(top: &Reader<'_>) -> Vec<u64> {
    let place = top.place("seeds");
    match top.entry("seeds").map(|entry| &entry.item.value) {
        None => vec![1],
        Some(Value::Integer(_)) => (1..=top.count("seeds", 1, SEEDS_MAX).unwrap_or(1)).collect(),
        Some(Value::List(items)) => {
            let mut seeds: Vec<u64> = Vec::new();
            let mut known = BTreeSet::new();
            for item in items {
                match seed_of(item) {
                    Some(seed) if !known.insert(seed) => {
                        let what = format!("seed {seed} is there twice");
                        top.complain(&item.place, what, "each seed is run once: leave one out");
                    }
                    Some(seed) => seeds.push(seed),
                    None => top.complain(&item.place, "this is no seed", "write a whole number, 0 or more"),
                }
            }
            if items.len() as u64 > SEEDS_MAX {
                top.complain(&place, "there are too many seeds", format!("write at most {SEEDS_MAX}"));
            }
            if items.is_empty() {
                top.complain(
                    &place,
                    "there are no seeds",
                    "write a count such as 5, or a list such as [1, 2, 3]",
                );
            }
            seeds
        }
        Some(other) => {
            let what = format!("'seeds' is {}", other.kind());
            top.complain(&place, what, "write a count such as 5, or a list such as [1, 2, 3]");
            vec![1]
        }
    }
}

fn seed_of(item: &Item) -> Option<u64> {
    item.value.as_integer().and_then(|seed| u64::try_from(seed).ok())
}

fn read_processes(top: &Reader<'_>, duration: Span, counted: bool) -> (Option<u32>, Start) {
    let Some(table) = top.table("processes") else {
        if top.entry("processes").is_none() && !counted {
            top.complain_here("the scenario has no [processes]", "add [processes] with count = 1000");
        }
        return (None, Start::AtOnce);
    };
    let count = table.count("count", 1, PROCESSES_MAX);
    if count.is_none() && table.entry("count").is_none() && !counted {
        table.missing("count", "1000");
    }
    let over = instant(&table, "start-over", duration).map_or(Span::ZERO, |end| end.since(Time::ZERO));
    table.finish();
    let start = if over == Span::ZERO { Start::AtOnce } else { Start::Over(over) };
    (count.map(|count| count as u32), start)
}

fn read_clocks(top: &Reader<'_>) -> Clocks {
    let Some(table) = top.table("clocks") else { return Clocks::default() };
    let clocks = Clocks {
        offset_max: table.span("offset-max").unwrap_or_default(),
        drift_ppm_max: table.count("drift-ppm-max", 0, 900_000).unwrap_or(0) as u32,
    };
    table.finish();
    clocks
}

fn read_disk(top: &Reader<'_>) -> Disk {
    let default = Disk::default();
    let Some(table) = top.table("disk") else { return default };
    let disk = Disk {
        sync: table.span("sync").unwrap_or(default.sync),
        torn: table.flag("torn").unwrap_or(default.torn),
    };
    table.finish();
    disk
}

fn read_checks(top: &Reader<'_>, selection: Option<&Selection>) -> Vec<Expectation> {
    use crate::report::data::{Relation, Unit};
    // Where the protocols are wrong, any family may be meant.
    let measures: Vec<About> = match selection {
        Some(selection) => (selection.family().measures)(),
        None => FAMILIES.iter().flat_map(|family| (family.measures)()).collect(),
    };
    let mut checks = Vec::new();
    for table in top.tables("checks") {
        let measure = table.text("measure").and_then(|name| {
            let found = measures.iter().copied().find(|measure| measure.name == name);
            if found.is_none() {
                let names = measures.iter().map(|measure| measure.name);
                table.complain_choice(&table.place("measure"), "measure", name, names);
            }
            found
        });
        if table.entry("measure").is_none() {
            table.missing("measure", "\"reliability\"");
        }
        let mut bounds = Vec::new();
        for (key, relation) in
            [("at-least", Relation::AtLeast), ("at-most", Relation::AtMost), ("equals", Relation::Equal)]
        {
            let Some(bound) = table.number(key, f64::MIN, f64::INFINITY) else { continue };
            bounds.push((relation, bound));
            let Some(measure) = measure else { continue };
            if (measure.unit)() == Unit::Share && !(0.0..=1.0).contains(&bound) {
                let what = format!("'{}' is a share, and {bound} is none", measure.name);
                table.complain(&table.place(key), what, "0 to 1: write 0.999 for 99.9 %");
            }
            checks.push(Expectation { measure, relation, bound });
        }
        let bound =
            |wanted: Relation| bounds.iter().find(|(relation, _)| *relation == wanted).map(|one| one.1);
        match (bound(Relation::AtLeast), bound(Relation::AtMost)) {
            (Some(least), Some(most)) if least > most => {
                table.complain(&table.place("at-most"), "nothing can meet this check", "exchange the bounds");
            }
            _ if bounds.is_empty()
                && ["at-least", "at-most", "equals"].iter().all(|key| table.entry(key).is_none()) =>
            {
                table.complain_here("this check has no bound", "add at-least, at-most or equals");
            }
            _ => {}
        }
        table.finish();
    }
    checks
}

fn read_report(top: &Reader<'_>, duration: Span) -> (usize, Span) {
    let usual = Span((duration.0 / 120).max(1));
    let Some(table) = top.table("report") else { return (12, usual) };
    let lanes = table.count("lanes", 0, 64).unwrap_or(12) as usize;
    let sample = table.span("sample").unwrap_or(usual);
    if duration.0 / sample.0.max(1) > SAMPLES_MAX {
        let least = Span(duration.0.div_ceil(SAMPLES_MAX));
        let help = format!("write at least \"{least}\": a run has {SAMPLES_MAX} samples at most");
        table.complain(&table.place("sample"), format!("'sample' is {sample}, which is too short"), help);
    }
    table.finish();
    (lanes, sample)
}

/// The file that a scenario names, relative to its folder.
fn file_of(reader: &Reader<'_>, place: &Place, name: &str, origin: &Origin<'_>) -> Option<String> {
    let path: PathBuf = origin.folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
    if let Ok(meta) = std::fs::metadata(&path) {
        // A pipe or a device might never end.
        let flaw = if !meta.is_file() {
            Some("is no file".to_owned())
        } else {
            (meta.len() > FILE_MAX).then(|| format!("has more than {FILE_MAX} bytes"))
        };
        if let Some(flaw) = flaw {
            reader.complain(place, format!("'{name}' {flaw}"), "name a text file, and not too large a one");
            return None;
        }
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            let why = if error.kind() == std::io::ErrorKind::NotFound {
                "there is no such file".to_owned()
            } else if error.kind() == std::io::ErrorKind::InvalidData {
                "it is no text".to_owned()
            } else {
                error.to_string()
            };
            let what = format!("cannot read '{name}': {why}");
            reader.complain(place, what, "paths begin at the scenario's folder");
            None
        }
    }
}

/// A file that a scenario names has at most so many bytes.
const FILE_MAX: u64 = 1 << 28;

/// What to do about what comes after the end.
fn longer(duration: Span) -> String {
    format!("the run lasts {duration}: choose an earlier instant, or a longer duration")
}

/// An instant of the run that must not lie after its end.
fn instant(reader: &Reader<'_>, key: &'static str, duration: Span) -> Option<Time> {
    let span = reader.span(key)?;
    if span > duration {
        let what = format!("'{key}' is {span}, after the end of the run");
        reader.complain(&reader.place(key), what, longer(duration));
        return None;
    }
    Some(Time::ZERO + span)
}
