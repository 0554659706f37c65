//! `isles check` on the shared histories, where they are there, and on small samples always.

use std::path::{Path, PathBuf};

use isles_lab::check::{Options, Outcome, Want, Word, run};

/// The folder of recorded histories; beside the checkout, so that many machines do not have it.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/histories");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/histories");
    [folder, beside].into_iter().find(|folder| folder.join("README.md").exists())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(list) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = list.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

fn judged(path: &Path, level: Option<&str>, options: Options) -> Result<Outcome, String> {
    let levels = level.map(|name| Want::named(name).expect("a level")).into_iter().collect();
    run(path, &Options { levels, verify: true, ..options }).map_err(|error| error.to_string())
}

/// What is wrong with an answer; nothing if it is as expected, and its certificate is accepted.
fn flaw(path: &Path, level: Option<&str>, expected: Word, options: Options) -> Option<String> {
    let name = format!("{} {}", path.display(), level.unwrap_or("default"));
    match judged(path, level, options) {
        Err(error) => Some(format!("{name}: {error}")),
        Ok(outcome) if outcome.verdict() != expected => {
            Some(format!("{name}: {:?}, expected {expected:?}", outcome.verdict()))
        }
        Ok(outcome) => outcome
            .judgements
            .iter()
            // A history without operations that count has nothing to verify.
            .find(|one| one.verified == Some(false))
            .map(|one| format!("{name}: the certificate is refused: {:?}", one.flaw)),
    }
}

fn word(text: &str) -> Word {
    if text == "ok" { Word::Holds } else { Word::Violated }
}

/// Rows of a table with a header: the file's name and the verdict in the column of this name.
fn verdicts(table: &Path, column: &str) -> Vec<(String, Word)> {
    let text = std::fs::read_to_string(table).expect("the table is there");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let place = head.iter().position(|name| *name == column).expect("the column");
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            (fields[0].to_owned(), word(fields[place]))
        })
        .collect()
}

fn none(flaws: Vec<String>) {
    assert!(flaws.is_empty(), "{}", flaws.join("\n"));
}

#[test]
fn logs_and_stores_get_their_verdicts() {
    let Some(folder) = shared() else { return };
    let mut flaws = Vec::new();
    let mut count = 0;
    for (name, expected) in verdicts(&folder.join("etcd-jepsen/VERDICTS.tsv"), "expected") {
        let path = folder.join("etcd-jepsen").join(name);
        if path.exists() {
            count += 1;
            flaws.extend(flaw(&path, None, expected, Options::default()));
        }
    }
    for path in files(&folder.join("kv")) {
        let expected = word(if path.to_string_lossy().contains("-bad") { "bad" } else { "ok" });
        flaws.extend(flaw(&path, None, expected, Options::default()));
        count += 1;
    }
    assert!(count > 50);
    none(flaws);
}

#[test]
fn histories_of_knossos_get_their_verdicts() {
    let Some(folder) = shared() else { return };
    let mut flaws = Vec::new();
    for model in ["cas-register", "multi-register", "mutex"] {
        for (kind, expected) in [("good", Word::Holds), ("bad", Word::Violated)] {
            for path in files(&folder.join("knossos").join(model).join(kind)) {
                flaws.extend(flaw(&path, None, expected, Options::default()));
            }
        }
    }
    none(flaws);
}

#[test]
fn generated_histories_get_their_verdicts() {
    let Some(folder) = shared() else { return };
    let mut flaws = Vec::new();
    for (name, expected) in verdicts(&folder.join("generated/VERDICTS.tsv"), "expected") {
        let path = folder.join("generated").join(name);
        if path.exists() {
            flaws.extend(flaw(&path, None, expected, Options::default()));
        }
    }
    none(flaws);
}

#[test]
fn workloads_of_jepsen_and_elle_get_their_verdicts() {
    let Some(folder) = shared() else { return };
    let flaws = [
        ("jepsen-workloads/bank.edn", None, "ok"),
        ("jepsen-workloads/bank-negative-balances.json", None, "bad"),
        ("jepsen-workloads/comments.edn", None, "bad"),
        ("jepsen-workloads/counter.edn", None, "ok"),
        ("elle/list-append/paper-example.edn", Some("serializable"), "bad"),
        ("elle/list-append/paper-example.edn", None, "bad"),
        ("elle/rw-register/rw-register.edn", None, "bad"),
    ];
    none(
        flaws
            .into_iter()
            .filter_map(|(name, level, expected)| {
                flaw(&folder.join(name), level, word(expected), Options::default())
            })
            .collect(),
    );
}

#[test]
fn the_strongest_level_of_the_histories_of_awdit_is_the_listed_one() {
    let Some(folder) = shared() else { return };
    let levels = ["session-read-committed", "session-read-atomic", "causal-convergence"];
    let mut flaws = Vec::new();
    for (name, holding) in [("none", 0), ("read-committed", 1), ("read-atomic", 2), ("causal", 3)] {
        for path in files(&folder.join("awdit-tests").join(name)) {
            for (place, level) in levels.into_iter().enumerate() {
                let expected = if place < holding { Word::Holds } else { Word::Violated };
                flaws.extend(flaw(&path, Some(level), expected, Options::default()));
            }
        }
    }
    none(flaws);
}

#[test]
fn litmus_histories_get_their_verdicts() {
    let Some(folder) = shared() else { return };
    let text = std::fs::read_to_string(folder.join("txn-litmus/litmus.jsonl")).expect("it is there");
    let scratch = std::env::temp_dir().join(format!("isles-litmus-{}", std::process::id()));
    let mut flaws = Vec::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let plume: Vec<&str> = line["plume"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|text| text.as_str().expect("text"))
            .collect();
        std::fs::write(&scratch, plume.join("\n")).expect("a scratch file");
        for (short, level) in [
            ("RC", "session-read-committed"),
            ("RA", "session-read-atomic"),
            ("CC", "causal-convergence"),
            ("PC", "session-prefix"),
            ("SI", "session-snapshot-isolation"),
            ("SER", "session-serializable"),
        ] {
            let expected = word(line["verdict"][short].as_str().expect("a verdict"));
            let flaw = flaw(&scratch, Some(level), expected, Options::default());
            flaws.extend(flaw.map(|flaw| format!("{}: {flaw}", line["name"])));
        }
    }
    let _ = std::fs::remove_file(&scratch);
    none(flaws);
}
