//! `isles check` on the shared histories, where they are there, and on small samples always.

use std::path::{Path, PathBuf};

use isles_lab::check::{Options, Outcome, Want, Word, run, text};
use isles_lab::report::verdict;

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

/// A history in a file of its own for one test, gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{test}"));
        std::fs::write(&path, text).expect("a scratch file");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Terminal, page and JSON of an outcome.
fn shown(outcome: &Outcome) -> [String; 3] {
    let json = serde_json::to_string(outcome).expect("it has a form");
    [text(outcome, 100), verdict::render(outcome), json]
}

/// Files whose smallest contradictions are larger than ten operations, and why.
const LARGE: [(&str, &str); 1] = [(
    "etcd-first-1121.edn",
    "anybody may release this lock, so that who holds it follows only from counting from the start: a test of isles-check shows that each of \
     these operations is needed",
)];

#[test]
fn every_bad_file_is_explained_by_few_operations_and_in_the_same_bytes_each_time() {
    let Some(folder) = shared() else { return };
    let mut paths: Vec<PathBuf> = [
        "etcd-jepsen",
        "kv",
        "knossos/cas-register/bad",
        "knossos/mutex/bad",
        "generated",
        "jepsen-workloads",
    ]
    .iter()
    .flat_map(|name| files(&folder.join(name)))
    .collect();
    paths.push(folder.join("elle/list-append/paper-example.edn"));
    paths.push(folder.join("elle/rw-register/rw-register.edn"));
    let (mut bad, mut large) = (0, Vec::new());
    for path in paths.iter().filter(|path| path.extension().is_none_or(|kind| kind != "tsv" && kind != "md"))
    {
        // Some workloads are of models that are not known by their operations.
        let Ok(outcome) = judged(path, None, Options::default()) else { continue };
        if outcome.verdict() != Word::Violated {
            continue;
        }
        bad += 1;
        let again = judged(path, None, Options::default()).expect("it was judged before");
        assert!(shown(&outcome) == shown(&again), "{}", path.display());
        if outcome.judgements[0].core.len() > 10 {
            large.push(path.file_name().expect("a file").to_string_lossy().into_owned());
        }
    }
    assert!(bad > 50, "{bad}");
    assert_eq!(large, LARGE.map(|(name, _)| name));
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../base/check/tests/data/samples").join(name)
}

#[test]
fn what_befell_the_system_is_drawn_beside_what_is_wrong() {
    for name in ["register-lines.edn", "register.log", "register.jsonl"] {
        let outcome = judged(&sample(name), None, Options::default()).expect("it is judged");
        assert_eq!((outcome.verdict(), outcome.faults.len()), (Word::Violated, 1), "{name}");
        assert!(outcome.faults[0].end.is_some_and(|end| end > outcome.faults[0].begin));
        let [terminal, page, _] = shown(&outcome);
        assert!(terminal.contains("▒") && terminal.contains("nemesis: start"), "{terminal}");
        assert!(page.contains("class=\"fault\"") && page.contains("nemesis: start"));
    }
}

#[test]
fn crashes_are_marks() {
    let text = "{\"type\":\"invoke\",\"time\":1,\"process\":0,\"id\":0,\"op\":{\"f\":\"write\",\"value\":1}}
{\"type\":\"return\",\"time\":2,\"process\":0,\"id\":0,\"reply\":null}
{\"type\":\"crash\",\"time\":3,\"process\":0}
{\"type\":\"invoke\",\"time\":4,\"process\":1,\"id\":1,\"op\":{\"f\":\"read\"}}
{\"type\":\"return\",\"time\":5,\"process\":1,\"id\":1,\"reply\":null}
";
    let file = Scratch::new("crash", text);
    let outcome = judged(&file.0, None, Options::default()).expect("it is judged");
    let [terminal, page, _] = shown(&outcome);
    assert!(terminal.contains("▲") && terminal.contains("process 0 crashes"), "{terminal}");
    assert!(page.contains("fault at-once"));
}

/// Each of two clients writes one object and reads the other as it was at first, in the words that `op` has for a write or a read.
fn two_objects(op: impl Fn(u32, Option<u32>, bool) -> String) -> String {
    let mut lines = Vec::new();
    for (process, key, value) in [(0, 0, Some(1)), (1, 1, Some(1)), (0, 1, None), (1, 0, None)] {
        for kind in ["invoke", "ok"] {
            lines.push(format!("{{:process {process}, :type :{kind}, {}}}", op(key, value, kind == "ok")));
        }
    }
    lines.join("\n")
}

#[test]
fn sequential_consistency_does_not_compose() {
    let keyed = |key: u32, value: Option<u32>, _: bool| match value {
        Some(value) => format!(":f :put, :key \"{key}\", :value \"{value}\""),
        None => format!(":f :get, :key \"{key}\", :value nil"),
    };
    let tuples = |key: u32, value: Option<u32>, _: bool| match value {
        Some(value) => format!(":f :write, :value [{key} {value}]"),
        None => format!(":f :read, :value [{key} nil]"),
    };
    for (name, text) in [("keyed", two_objects(keyed)), ("tuples", two_objects(tuples))] {
        let file = Scratch::new(name, &text);
        let word = |level| judged(&file.0, Some(level), Options::default()).expect("it is judged").verdict();
        assert_eq!(word("sequential"), Word::Violated, "{name}");
        assert_eq!(word("sequential-per-object"), Word::Holds, "{name}");
        let all = judged(&file.0, None, Options { all: true, ..Options::default() }).expect("it is judged");
        assert_eq!(all.strongest, ["sequential-per-object"], "{name}");
        assert_eq!(all.weakest, ["sequential"], "{name}");
    }
}

#[test]
fn agreement_in_the_end_and_staleness_are_told() {
    let line = |process: u32, kind: &str, function: &str, value: &str, time: u32| {
        format!("{{:process {process}, :type :{kind}, :f :{function}, :value {value}, :time {time}}}\n")
    };
    let history = |last: &str| {
        let mut text = String::new();
        for (process, value, time) in [(0, "1", 10), (0, "2", 30)] {
            text += &line(process, "invoke", "write", value, time);
            text += &line(process, "ok", "write", value, time + 5);
        }
        for (process, value, time) in [(1, "2", 50), (2, last, 70)] {
            text += &line(process, "invoke", "read", "nil", time);
            text += &line(process, "ok", "read", value, time + 5);
        }
        text
    };
    let (right, wrong) = (Scratch::new("agree", &history("2")), Scratch::new("differ", &history("1")));
    let word = |file: &Scratch| {
        judged(&file.0, Some("eventual"), Options::default()).expect("it is judged").verdict()
    };
    assert_eq!((word(&right), word(&wrong)), (Word::Holds, Word::Violated));
    let all = |file: &Scratch| {
        judged(&file.0, None, Options { all: true, ..Options::default() }).expect("it is judged")
    };
    let (right, wrong) = (all(&right), all(&wrong));
    assert_eq!((right.stale[0].delta, right.stale[0].k_at_most), (0, 1));
    // 1 was replaced for good when 2 had been read, at 55, and was read from 70 on.
    let stale = &wrong.stale[0];
    assert!(
        stale.nanoseconds && stale.delta > 0 && (stale.k_at_least, stale.k_at_most) == (2, 2),
        "{stale:?}"
    );
    assert!(text(&wrong, 100).contains("staleness: Δ = "), "{}", text(&wrong, 100));
}

#[test]
fn lists_are_placed_among_all_levels() {
    let all = judged(&sample("lists.edn"), None, Options { all: true, ..Options::default() })
        .expect("it is judged");
    assert!(
        all.weakest.contains(&"read-atomic") && all.weakest.contains(&"monotonic-reads"),
        "{:?}",
        all.weakest
    );
    assert!(all.strongest.contains(&"session-read-committed"), "{:?}", all.strongest);
    assert!(all.judgements.iter().all(|one| one.verified == Some(true)));
}
