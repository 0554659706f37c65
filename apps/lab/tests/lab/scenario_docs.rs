//! SCENARIO.md says what the reader of scenarios does: every key, default, bound and name.

use std::collections::BTreeSet;
use std::fmt::Write;

use isles_lab::registry::params::Param;
use isles_lab::registry::{self, Entry, FAMILIES, Family};
use isles_lab::scenario::{self, Origin, Scenario};

/// With one item of each list, so that overrides have something to change.
const BASE: &str = r#"
duration = "60s"
processes = { count = 20 }
membership = { name = "hyparview" }
broadcast = { name = "plumtree" }
broadcasts = [{ first = "10s" }]
faults = [{ at = "1s", kind = "heal" }]
checks = [{ measure = "redundancy", at-least = 0 }]
"#;

/// A table of keys in the page: its heading, its path in a scenario, and settings under which its keys are asked for.
struct Section {
    heading: &'static str,
    path: &'static str,
    contexts: &'static [&'static [&'static str]],
}

const SECTIONS: &[Section] = &[
    Section { heading: "The scenario", path: "", contexts: &[&[]] },
    Section { heading: "[processes]", path: "processes", contexts: &[&[]] },
    Section { heading: "[topology]", path: "topology", contexts: TOPOLOGIES },
    Section { heading: "[links]", path: "links", contexts: &[&[]] },
    Section {
        heading: "[links.bandwidth]",
        path: "links.bandwidth",
        contexts: &[&["links.bandwidth.bytes-per-second=5"]],
    },
    Section { heading: "[clocks]", path: "clocks", contexts: &[&[]] },
    Section { heading: "[disk]", path: "disk", contexts: &[&[]] },
    Section { heading: "[[broadcasts]]", path: "broadcasts.0", contexts: &[&[]] },
    Section { heading: "[[faults]]", path: "faults.0", contexts: FAULTS },
    Section {
        heading: "[churn]",
        path: "churn",
        contexts: &[&[
            "churn.session={ model = \"constant\", value = \"9s\" }",
            "churn.downtime={ model = \"constant\", value = \"9s\" }",
        ]],
    },
    Section { heading: "[[checks]]", path: "checks.0", contexts: &[&[]] },
    Section { heading: "[report]", path: "report", contexts: &[&[]] },
];

const TOPOLOGIES: &[&[&str]] = &[&["topology.kind=ring"], &["topology.kind=file"]];

const FAULTS: &[&[&str]] = &[
    &["faults.0.kind=crash", "faults.0.ids=[1]", "faults.0.for=5s"],
    &["faults.0.kind=restart"],
    &["faults.0.kind=pause", "faults.0.ids=[1]"],
    &["faults.0.kind=resume"],
    &["faults.0.kind=partition", "faults.0.groups=[{ fraction = 0.5 }]"],
    &["faults.0.kind=mute", "faults.0.ids=[1]"],
    &["faults.0.kind=heal"],
    &["faults.0.kind=loss", "faults.0.probability=0.5"],
    &["faults.0.kind=clock", "faults.0.ids=[1]", "faults.0.step=5ms", "faults.0.drift-ppm=3"],
];

const LAWS: &[&[&str]] = &[
    &["links.latency.model=constant"],
    &["links.latency.model=uniform"],
    &["links.latency.model=exponential"],
    &["links.latency.model=log-normal"],
    &["links.latency.model=pareto"],
    &["links.latency.model=weibull"],
    &["links.latency.model=matrix"],
];

const WHOM: &str = "`fraction` `count` `ids` `range` `region`";

fn read(settings: &[&str], last: Option<String>) -> Result<Scenario, String> {
    let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).chain(last).collect();
    let origin = Origin { name: "base", folder: None, settings: &settings, memory_max: 1 << 30 };
    scenario::read(BASE, &origin).map_err(|error| error.to_string())
}

fn field(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The keys that the reader asks for, as it tells when it meets one that it does not know.
fn known_keys(path: &str, context: &[&str]) -> BTreeSet<String> {
    let error = read(context, Some(format!("{}=1", field(path, "zzzzz")))).expect_err("there is no such key");
    let (_, rest) = error.split_once("unknown key 'zzzzz'").unwrap_or_else(|| panic!("{path}: {error}"));
    let (_, rest) = rest.split_once("= known are ").unwrap_or_else(|| panic!("{path}: {rest}"));
    rest.lines().next().unwrap_or_default().split(", ").map(str::to_owned).collect()
}

/// The rows of the tables under a heading whose first column has this name, as cells.
fn rows<'p>(page: &'p str, heading: &str, column: &str) -> Vec<Vec<&'p str>> {
    let mut rows = Vec::new();
    let (mut inside, mut wanted) = (false, false);
    for line in page.lines() {
        if line.starts_with('#') {
            inside = line.trim_start_matches('#').trim() == heading;
        }
        let Some(row) = line.strip_prefix("| ").filter(|_| inside) else {
            wanted = false;
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        if wanted && !cells[0].starts_with("---") {
            rows.push(cells);
        } else if cells[0] == column {
            wanted = true;
        }
    }
    assert!(!rows.is_empty(), "SCENARIO.md has no table of '{column}' under '{heading}'");
    rows
}

/// What is in code style.
fn literals(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn literal(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|inner| !inner.contains('`'))
}

#[test]
fn the_page_lists_every_key_and_no_other() {
    let page = page();
    for section in SECTIONS {
        let known: BTreeSet<String> =
            section.contexts.iter().flat_map(|context| known_keys(section.path, context)).collect();
        let listed: BTreeSet<String> =
            rows(&page, section.heading, "key").iter().flat_map(|cells| literals(cells[0])).collect();
        assert_eq!(listed, known, "{}", section.heading);
    }
    for part in FAMILIES.iter().flat_map(|family| family.parts) {
        let heading = format!("[{}]", part.table);
        let listed: BTreeSet<String> =
            rows(&page, &heading, "key").iter().flat_map(|cells| literals(cells[0])).collect();
        for entry in part.entries {
            let name = format!("{}.name={}", part.table, entry.name);
            let mut known = known_keys(part.table, &[&name]);
            known.retain(|key| entry.params.iter().all(|param| param.name != key));
            assert_eq!(listed, known, "{heading} {}", entry.name);
        }
    }
}

#[test]
fn the_page_tells_which_keys_go_with_which_kind() {
    let page = page();
    let tables = [
        ("[[faults]]", "kind", "faults.0", FAULTS, ["kind", "at", "for"]),
        ("Laws of spans", "model", "links.latency", LAWS, ["model", "", ""]),
    ];
    for (heading, column, path, contexts, common) in tables {
        let rows = rows(&page, heading, column);
        assert_eq!(rows.len(), contexts.len(), "{heading}");
        for (cells, context) in rows.iter().zip(contexts) {
            let kind = literal(cells[0]).expect("kinds are in code style");
            assert!(context[0].ends_with(&format!("={kind}")), "{kind} is not where the reader has it");
            let mut known = known_keys(path, context);
            known.retain(|key| !common.contains(&key.as_str()));
            assert_eq!(literals(&cells[1].replace("whom", WHOM)), known, "{heading} {kind}");
        }
    }
}

#[test]
fn leaving_a_key_out_is_writing_its_default() {
    let page = page();
    let mut compared = 0;
    for section in SECTIONS {
        for cells in rows(&page, section.heading, "key") {
            let (Some(key), Some(default)) = (literal(cells[0]), literal(cells[2])) else { continue };
            let path = field(section.path, key);
            // What the context writes is left out there.
            let context = context(section, key, |setting| !setting.starts_with(&format!("{path}=")));
            let without = read(&context, None).unwrap_or_else(|error| panic!("{path}: {error}"));
            let with = read(&context, Some(format!("{path}={default}")));
            let with = with.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(format!("{without:?}") == format!("{with:?}"), "{default} is not the default of {path}");
            compared += 1;
        }
    }
    assert!(compared > 25, "only {compared} defaults were compared");
}

/// The first settings of a section under which `key` is asked for, without those that are not wanted.
fn context(section: &Section, key: &str, wanted: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let found = section.contexts.iter().find(|context| known_keys(section.path, context).contains(key));
    let found = found.unwrap_or_else(|| panic!("{}: '{key}' is never asked for", section.heading));
    found.iter().copied().filter(|setting| wanted(setting)).collect()
}

/// The control of the comparison above: another value than the default is told apart.
#[test]
fn writing_another_value_than_the_default_is_seen() {
    for setting in ["links.retransmit=201ms", "broadcasts.0.payload=101", "report.lanes=11", "disk.torn=true"]
    {
        let with = read(&[], Some(setting.to_owned())).unwrap_or_else(|error| panic!("{error}"));
        let base = read(&[], None).expect("the base is right");
        assert!(format!("{base:?}") != format!("{with:?}"), "{setting}");
    }
}

#[test]
fn the_page_has_the_bounds_of_numbers() {
    let page = page();
    let mut compared = 0;
    for section in SECTIONS {
        for cells in rows(&page, section.heading, "key") {
            let Some(key) = literal(cells[0]) else { continue };
            let Some((min, max)) = cells[1].split_once(" to ") else { continue };
            if min.parse::<f64>().is_err() || max.parse::<f64>().is_err() {
                continue;
            }
            let path = field(section.path, key);
            // A set of processes is named in one way.
            let context = context(section, key, |setting| key != "fraction" || !setting.contains("ids="));
            let error = read(&context, Some(format!("{path}=-9000000000")));
            let error = error.expect_err("it is out of bounds");
            assert!(error.contains(&format!("from {min} to {max}\n")), "{path}: {error}");
            compared += 1;
        }
    }
    assert!(compared > 10, "only {compared} bounds were compared");
}

#[test]
fn the_examples_of_the_page_are_right() {
    let page = page();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for text in examples {
        let origin = Origin { name: "SCENARIO.md", folder: None, settings: &[], memory_max: 1 << 30 };
        scenario::read(text, &origin).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The page, with its lists of protocols and measures as the registry has them.
///
/// # Panics
/// When they are others in the file: `UPDATE=1` rewrites them.
fn page() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("SCENARIO.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mut fresh = page.clone();
    let mut generated: Vec<(String, String)> = vec![("topologies".to_owned(), topologies())];
    for family in FAMILIES {
        for part in family.parts {
            generated.push((format!("{} protocols", part.table), protocols(part.entries)));
        }
        generated.push((format!("{} measures", family.parts[0].table), measures(family)));
    }
    for (name, text) in generated {
        let begin = format!("<!-- generated: {name} -->\n");
        let (before, rest) = fresh.split_once(&begin).unwrap_or_else(|| panic!("no place for {name}"));
        let (_, after) = rest.split_once("<!-- end -->").expect("it has an end");
        fresh = format!("{before}{begin}{text}<!-- end -->{after}");
    }
    isles_golden::file(&path, &fresh);
    fresh
}

fn measures(family: &Family) -> String {
    let mut text = String::from("| measure | unit | what it is |\n| --- | --- | --- |\n");
    for measure in (family.measures)() {
        let _ = writeln!(text, "| `{}` | {} | {} |", measure.name, (measure.unit)().symbol(), measure.help);
    }
    text
}

fn protocols(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let _ = writeln!(text, "\n### {}\n\n`name = \"{}\"`: {}.\n", entry.name, entry.name, entry.doc);
        parameters(&mut text, entry.params);
    }
    text.push('\n');
    text
}

fn topologies() -> String {
    let mut text = String::new();
    for topology in registry::topologies::TOPOLOGIES {
        let _ = writeln!(text, "\n### {0}\n\n`kind = \"{0}\"`: {1}.\n", topology.name, topology.doc);
        parameters(&mut text, topology.params);
    }
    text.push('\n');
    text
}

fn parameters(text: &mut String, params: &[Param]) {
    if params.is_empty() {
        let _ = writeln!(text, "No parameters.\n");
        return;
    }
    let _ = writeln!(text, "| parameter | takes | default | meaning |\n| --- | --- | --- | --- |");
    for param in params {
        let takes = param.kind.describe();
        let _ = writeln!(text, "| `{}` | {takes} | `{}` | {} |", param.name, param.default, param.doc);
    }
}
