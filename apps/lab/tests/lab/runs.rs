//! Runs are decided by scenario and seed alone.

use isles_lab::registry::run_seed;
use isles_lab::run::SeedOutcome;
use isles_lab::run::gossip;
use isles_lab::run::seeds::on_all_cores;
use isles_lab::scenario::{Origin, Scenario, library, read};

fn load(name: &str, settings: &[&str]) -> Scenario {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let shipped = library::find(name).expect("it ships");
    let origin = Origin { name, folder: None, settings: &settings, memory_max: 1 << 34 };
    read(shipped.text, &origin).unwrap_or_else(|error| panic!("{error}"))
}

fn outcomes(scenario: &Scenario, threads: usize) -> Vec<SeedOutcome> {
    on_all_cores(&scenario.seeds, threads, |seed| {
        run_seed(&scenario.plan, seed, &scenario.selection, &scenario.world, &|_| {})
    })
    .expect("it can be simulated")
}

fn digests(outcomes: &[SeedOutcome]) -> Vec<u128> {
    outcomes.iter().map(SeedOutcome::digest).collect()
}

const SMALL: &[&str] = &["processes.count=300", "seeds=4"];

#[test]
fn every_shipped_scenario_is_right_and_every_file_ships() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            entry.expect("it can be read").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    let mut names: Vec<String> = library::SCENARIOS.iter().map(|shipped| shipped.name.to_owned()).collect();
    files.sort_unstable();
    names.sort_unstable();
    assert_eq!(files, names);
    for name in names {
        let scenario = load(&name, &[]);
        assert_ne!(scenario.title, name, "{name} has no title");
        assert!(!scenario.question.is_empty(), "{name} asks nothing");
        assert!(!scenario.checks.is_empty(), "{name} expects nothing");
    }
}

#[test]
fn one_thread_and_two_give_the_same_digests() {
    let scenario = load("voyage", SMALL);
    let one = digests(&outcomes(&scenario, 1));
    assert_eq!(one, digests(&outcomes(&scenario, 2)));
    assert_eq!(one.len(), 4);
    assert!(one.windows(2).all(|pair| pair[0] != pair[1]), "seeds differ");
}

#[test]
fn looking_on_changes_nothing() {
    let quiet = load("voyage", &["processes.count=300", "seeds=1", "report.lanes=0", "report.sample=50s"]);
    let watched =
        load("voyage", &["processes.count=300", "seeds=1", "report.lanes=16", "report.sample=100ms"]);
    let (quiet, watched) = (outcomes(&quiet, 1), outcomes(&watched, 1));
    let of = |outcomes: &[SeedOutcome]| -> gossip::SeedOutcome {
        outcomes[0].gossip().expect("it is a gossip scenario").clone()
    };
    assert!(of(&watched).episode.is_some() && of(&quiet).episode.is_none());
    assert!(of(&watched).samples.len() > of(&quiet).samples.len());
    assert_eq!(digests(&quiet), digests(&watched));
}

/// Debug and release builds, and every machine, agree on this number; a change of it is a change of behaviour and
/// belongs into the commit that causes it.
#[test]
fn the_digest_of_a_small_voyage_is_pinned() {
    let scenario = load("voyage", &["processes.count=300", "seeds=1"]);
    let digest = outcomes(&scenario, 1)[0].digest();
    assert_eq!(format!("{digest:032x}"), include_str!("voyage-300.digest").trim());
}

#[test]
fn another_field_gives_another_run() {
    let base = digests(&outcomes(&load("voyage", &["processes.count=300", "seeds=1"]), 1));
    let other =
        digests(&outcomes(&load("voyage", &["processes.count=300", "seeds=1", "links.loss=0.02"]), 1));
    assert_ne!(base, other);
}
