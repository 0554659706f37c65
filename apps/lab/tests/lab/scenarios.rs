//! Scenario files: wrong ones are refused with words that help, and nothing makes the reader panic.

use std::path::{Path, PathBuf};

use isles_lab::matrix;
use isles_lab::registry::run_seed;
use isles_lab::report::data::Relation;
use isles_lab::run::seeds::on_all_cores;
use isles_lab::scenario::{self, Origin, Scenario, ScenarioError, library};
use proptest::prelude::*;

/// Memory that the tests' scenarios may take: little, so that none takes much.
const MEMORY_MAX: u64 = 1 << 30;

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(
    name: &str,
    text: &str,
    folder: Option<&Path>,
    settings: &[String],
) -> Result<Scenario, ScenarioError> {
    scenario::read(text, &Origin { name, folder, settings, memory_max: MEMORY_MAX })
}

/// The files of a folder with this ending, by name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}

/// Every problem has a remedy.
fn is_helpful(said: &str) -> bool {
    let count = |beginning: &str| said.lines().filter(|line| line.starts_with(beginning)).count();
    count("error: ") > 0 && count("   = ") == count("error: ")
}

/// Lines `# --set FIELD=VALUE` of a wrong scenario are its overrides.
#[test]
fn wrong_scenarios_are_refused_with_the_words_beside_them() {
    let folder = crate_folder().join("tests/bad-scenarios");
    let count = files(&folder, "toml").len();
    assert!(count >= 100, "there are {count} wrong scenarios");
    isles_golden::pairs(&folder, "toml", "txt", |text| {
        let settings: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("# --set ")).map(str::to_owned).collect();
        match read("scenario.toml", text, Some(&folder), &settings) {
            Err(error) if is_helpful(&error.to_string()) => error.to_string(),
            Err(error) => panic!("a remedy is missing\n{error}"),
            Ok(_) => panic!("this is taken for right:\n{text}"),
        }
    });
}

#[test]
fn golden_texts_without_their_scenario_are_gone() {
    for path in files(&crate_folder().join("tests/bad-scenarios"), "txt") {
        assert!(path.with_extension("toml").exists(), "{} belongs to no scenario", path.display());
    }
}

/// The control of the wrong ones: what they have in common is right.
#[test]
fn the_common_part_of_the_wrong_scenarios_is_right() {
    let text = "duration = \"60s\"\n[processes]\ncount = 100\n[membership]\nname = \"hyparview\"\n[broadcast]\nname = \"plumtree\"\n";
    let scenario = read("base", text, None, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.plan.processes, scenario.seeds.as_slice()), (100, [1].as_slice()));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = library::SCENARIOS[0].text.replace('\n', "\r\n");
    read("voyage", &format!("\u{feff}{text}"), None, &[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn overrides_reach_fields_of_tables_lists_and_items() {
    let set = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        read("voyage", library::SCENARIOS[0].text, None, &settings).unwrap_or_else(|error| panic!("{error}"))
    };
    let scenario =
        set(&["links.loss=0.25", "faults.0.at=90s", "seeds=[4, 7]", "seeds.1=9", "clocks.offset-max=5ms"]);
    assert_eq!(scenario.plan.links.loss, 0.25);
    assert_eq!(scenario.plan.faults[0].0.to_string(), "90s");
    assert_eq!(scenario.seeds, [4, 9]);
    assert_eq!(scenario.plan.clocks.offset_max.to_string(), "5ms");
    let latency = set(&["links.latency={ model = \"constant\", value = \"7ms\" }", "broadcasts.0.count=15"]);
    assert_eq!(latency.plan.broadcasts.len(), 15);
}

/// What the library says of its protocols is true, at least of the first seed.
#[test]
fn the_checks_of_shipped_scenarios_hold() {
    let numbers: Vec<u64> = (0..library::SCENARIOS.len() as u64).collect();
    let judged = on_all_cores(&numbers, 2, |number| {
        let shipped = library::SCENARIOS[number as usize];
        let scenario = read(shipped.name, shipped.text, None, &[]).unwrap_or_else(|error| panic!("{error}"));
        let Scenario { plan, selection, world, seeds, checks, .. } = &scenario;
        let outcome = run_seed(plan, seeds[0], selection, world, &|_| {})?;
        let mut failing = Vec::new();
        for check in checks {
            let measured = outcome.value(check.measure.name, plan);
            let holds = measured.is_some_and(|measured| match check.relation {
                Relation::AtLeast => measured >= check.bound,
                Relation::AtMost => measured <= check.bound,
                Relation::Equal => measured == check.bound,
            });
            if !holds {
                failing.push(format!("{}: {} is {measured:?}", shipped.name, check.measure.name));
            }
        }
        Ok::<_, isles_sim::SetupError>(failing)
    });
    let failing: Vec<String> = judged.expect("they can be simulated").into_iter().flatten().collect();
    assert!(failing.is_empty(), "{failing:#?}");
}

/// Pieces that are put into texts: what readers stumble over.
const PIECES: &[&str] = &[
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "[[",
    "]]",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'''",
    "\"\"\"",
    "=",
    ".",
    ",",
    "\n",
    "\\",
    "\u{0}",
    "é",
    "\u{1f3dd}",
    "9223372036854775807",
    "99999999999999999999",
    "2026-01-01",
    "true",
    "60",
    "\"0s\"",
    "\"600000h\"",
    "#",
    "[faults]",
    "\"matrix\"",
    "count",
    "kind",
];

/// Fields that overrides go for.
const FIELDS: &[&str] = &[
    "duration",
    "seeds",
    "seeds.0",
    "warmup",
    "processes.count",
    "processes.start-over",
    "membership.name",
    "membership.active-max",
    "broadcast.name",
    "broadcast.threshold",
    "topology",
    "topology.kind",
    "topology.degree",
    "topology.edges",
    "topology.width",
    "links",
    "links.loss",
    "links.latency",
    "links.latency.model",
    "links.latency.file",
    "links.bandwidth.bytes-per-second",
    "clocks.drift-ppm-max",
    "broadcasts",
    "broadcasts.0.count",
    "broadcasts.0.every",
    "broadcasts.0.origin",
    "faults.0.at",
    "faults.0.kind",
    "faults.0.for",
    "faults.0.range",
    "faults.0.groups",
    "churn.session",
    "churn.trace",
    "checks.0.at-least",
    "report.lanes",
    "report.sample",
    "",
    ".",
    "a.b.c",
    "faults.9.at",
];

const VALUES: &[&str] = &[
    "-1",
    "0",
    "1",
    "3",
    "50",
    "1e18",
    "100000000",
    "9223372036854775807",
    "0.5",
    "nan",
    "true",
    "[]",
    "[0]",
    "[0, 50]",
    "{}",
    "\"\"",
    "0s",
    "1ns",
    "3s",
    "1h",
    "99999h",
    "complete",
    "grid",
    "tree",
    "random-regular",
    "random-edges",
    "file",
    "static",
    "pull",
    "partition",
    "clock",
    "pause",
    "Cargo.toml",
    ".",
    "/nowhere",
    "[{ fraction = 0.5 }]",
    "{ model = \"pareto\", scale = \"1ms\", shape = 0.01 }",
];

/// A text with some of its characters left out, doubled, or with pieces put in.
fn mutated(text: &str, changes: &[(prop::sample::Index, u8, usize)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (place, change, piece) in changes {
        let at = place.index(chars.len() + 1);
        match change % 4 {
            0 => {
                chars.splice(at..(at + piece % 12).min(chars.len()), []);
            }
            1 => {
                let copied: Vec<char> = chars[at..(at + piece % 40).min(chars.len())].to_vec();
                chars.splice(at..at, copied);
            }
            _ => {
                chars.splice(at..at, PIECES[piece % PIECES.len()].chars());
            }
        }
    }
    chars.into_iter().collect()
}

/// Reads with little memory; whatever comes of it makes sense.
fn try_to_read(text: &str, settings: &[String]) -> Result<(), TestCaseError> {
    let origin = Origin { name: "any", folder: None, settings, memory_max: 1 << 26 };
    match scenario::read(text, &origin) {
        Ok(scenario) => {
            prop_assert!(scenario.plan.processes > 0 && !scenario.seeds.is_empty());
            prop_assert!(scenario.plan.broadcasts.iter().all(|one| one.at.0 <= scenario.plan.duration.0));
        }
        Err(error) => prop_assert!(is_helpful(&error.to_string()), "{error}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        try_to_read(&text, &[])?;
    }

    #[test]
    fn mutated_scenarios_are_read_or_refused(
        number in 0..library::SCENARIOS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..1_000usize), 1..6),
    ) {
        try_to_read(&mutated(library::SCENARIOS[number].text, &changes), &[])?;
    }

    #[test]
    fn any_override_is_taken_or_refused(
        number in 0..library::SCENARIOS.len(),
        settings in prop::collection::vec((0..FIELDS.len(), 0..VALUES.len()), 1..4),
    ) {
        let settings: Vec<String> =
            settings.into_iter().map(|(field, value)| format!("{}={}", FIELDS[field], VALUES[value])).collect();
        try_to_read(library::SCENARIOS[number].text, &settings)?;
    }

    #[test]
    fn mutated_matrices_are_read_or_refused_at_a_place_of_theirs(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..1_000usize), 0..6),
    ) {
        let text = mutated("region,a,b\na,1,20\nb,20.5,1\n", &changes);
        match matrix::parse(&text) {
            Ok(trips) => prop_assert_eq!(trips.millis.len(), trips.names.len().pow(2)),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error),
        }
    }
}
