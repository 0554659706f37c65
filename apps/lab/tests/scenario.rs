//! Scenario files: wrong ones are refused with words that help, and nothing makes the reader panic.

use std::path::{Path, PathBuf};

use isles_lab::scenario::{self, Origin, Scenario, ScenarioError};

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

/// Whether golden files are rewritten instead of compared.
fn update() -> bool {
    std::env::vars().any(|(key, value)| key == "UPDATE" && value == "1")
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

/// Lines `# --set FIELD=VALUE` of a wrong scenario are its overrides.
#[test]
fn wrong_scenarios_are_refused_with_the_words_beside_them() {
    let folder = crate_folder().join("tests/bad-scenarios");
    let scenarios = files(&folder, "toml");
    assert!(scenarios.len() >= 100, "there are {} wrong scenarios", scenarios.len());
    let mut differing = Vec::new();
    for path in scenarios {
        let text = std::fs::read_to_string(&path).expect("scenarios are texts");
        let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
        let settings: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("# --set ")).map(str::to_owned).collect();
        let said = match read(&name, &text, Some(&folder), &settings) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name} is taken for right"),
        };
        let problems = said.matches("error: ").count();
        assert!(problems > 0 && said.matches("\n   = ").count() == problems, "{name}: a remedy each\n{said}");
        let golden = path.with_extension("txt");
        if update() {
            std::fs::write(&golden, &said).expect("golden files can be written");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != said {
            differing.push(format!("{name}:\n{said}"));
        }
    }
    assert!(
        differing.is_empty(),
        "{} differ; look at them, then rewrite with UPDATE=1\n{}",
        differing.len(),
        differing.join("\n")
    );
}

#[test]
fn golden_texts_without_their_scenario_are_gone() {
    for path in files(&crate_folder().join("tests/bad-scenarios"), "txt") {
        assert!(path.with_extension("toml").exists(), "{} belongs to no scenario", path.display());
    }
}
