//! The command line as scripts and people meet it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn isles(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isles")).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

/// Runs a command that must exit with `code`, and returns what it printed on standard output and error.
fn exits(code: i32, arguments: &[&str]) -> (String, String) {
    let output = isles(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "isles {arguments:?}\n{out}\n{err}");
    (out, err)
}

/// A folder of this test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("it can be made");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("it is text").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const SMALL: [&str; 4] = ["--seeds", "2", "--set", "processes.count=200"];

#[test]
fn a_run_leaves_a_report_folder() {
    let folder = Folder::new("run");
    let out_folder = folder.path("report");
    let (out, _) = exits(0, &[&["run", "voyage", "--out", &out_folder], &SMALL[..]].concat());
    assert!(out.contains("reliability") && out.contains("report.html"), "{out}");
    for file in [
        "report.html",
        "summary.json",
        "metrics.csv",
        "metrics.parquet",
        "scenario.toml",
        "history.jsonl",
        "trace.jsonl",
    ] {
        let length = std::fs::metadata(folder.0.join("report").join(file)).expect(file).len();
        assert!(length > 100, "{file} has {length} bytes");
    }
    let summary = std::fs::read_to_string(folder.0.join("report/summary.json")).expect("it is there");
    let summary: Value = serde_json::from_str(&summary).expect("it is JSON");
    assert_eq!(summary["seeds"], serde_json::json!([1, 2]));
    assert!(summary["figures"].as_array().is_some_and(|figures| figures.len() > 10));
    // Not a second time into the same folder: that run's results would be lost.
    let (_, err) = exits(2, &[&["run", "voyage", "--out", &out_folder], &SMALL[..]].concat());
    assert!(err.contains("report"), "{err}");
}

#[test]
fn json_is_one_object_and_the_same_for_any_number_of_threads() {
    let run = |threads: &str| {
        let (out, err) = exits(
            0,
            &[&["run", "voyage", "--json", "--no-report", "--threads", threads], &SMALL[..]].concat(),
        );
        assert_eq!(err, "", "quiet when nobody looks");
        assert_eq!(out.lines().count(), 1);
        serde_json::from_str::<Value>(&out).expect("it is JSON")
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one["figures"]["reliability"]["median"], 1.0);
    assert_eq!(one["digests"].as_array().map(Vec::len), Some(2));
    assert_eq!(one["passed"], true);
}

#[test]
fn a_check_that_fails_exits_with_1() {
    let strict = ["run", "voyage", "--no-report", "--set", "checks.1.at-most=-1"];
    let (out, _) = exits(1, &[&strict[..], &SMALL[..]].concat());
    assert!(out.contains("fails"), "{out}");
}

#[test]
fn wrong_input_exits_with_2_and_says_where_and_what_to_do() {
    for (arguments, words) in [
        (&["run", "nowhere"][..], &["nowhere", "list scenarios"][..]),
        (&["run", "voyag"], &["voyag", "did you mean 'voyage'?"]),
        (&["run", "voyage", "--set", "links.los=0.1"], &["unknown key 'los'", "did you mean 'loss'?"]),
        (&["run", "voyage", "--set", "links.loss"], &["FIELD=VALUE"]),
        (&["run", "voyage", "--set", "links.loss=2"], &["loss", "0 to 1"]),
        (&["run", "voyage", "--seeds", "0"], &["seeds"]),
        (&["run", "voyage", "--seeds", "1,1"], &["twice"]),
        (&["run", "voyage", "--seeds", "x"], &["seeds"]),
        (&["run", "voyage", "--threads", "0"], &["threads"]),
        (&["sweep", "voyage", "links.loss"], &["FIELD=V1,V2"]),
        (&["sweep", "voyage", "links.loss=0,7"], &["loss"]),
        (&["claims", "NOPE-1"], &["NOPE-1", "list claims"]),
        (&["bench", "nothing"], &["nothing", "--list"]),
        (&["graph", "gen", "rink", "--nodes", "5"], &["no topology 'rink'", "random-regular"]),
        (&["graph", "gen", "ring"], &["--nodes"]),
        (&["graph", "gen", "ring", "--nodes", "0"], &["--nodes"]),
        (&["graph", "gen", "watts-strogatz", "--nodes", "9", "q=1"], &["unknown key 'q'", "did you mean"]),
        (&["graph", "gen", "torus", "--nodes", "7", "width=3"], &["7"]),
        (&["graph", "gen", "ring", "--nodes", "9", "--format", "png"], &["no format 'png'", "graphml"]),
        (&["graph", "gen", "complete", "--nodes", "90000000"], &["too many for the memory"]),
        (
            &["graph", "gen", "ring", "--nodes", "9", "--format", "matrix"],
            &["a weight for every two", "another format"],
        ),
        (&["graph", "info", "nowhere.txt"], &["no file 'nowhere.txt'"]),
        (&["graph", "info", "."], &["cannot read"]),
        (&["frobnicate"], &["frobnicate"]),
        (&[], &["Usage"]),
    ] {
        let (_, err) = exits(2, arguments);
        for word in words {
            assert!(err.contains(word), "isles {arguments:?} does not say {word:?}:\n{err}");
        }
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn a_scenario_file_is_read_from_its_own_folder() {
    let folder = Folder::new("file");
    std::fs::write(folder.0.join("matrix.csv"), "0,10\n10,0\n").expect("it can be written");
    let scenario = "title = 'mine'\nduration = '20s'\n[processes]\ncount = 20\n[membership]\nname = 'everyone'\n\
                    [broadcast]\nname = 'eager-push'\n[links]\nlatency = { model = 'matrix', file = 'matrix.csv' }\n\
                    [[broadcasts]]\nfirst = '1s'\n[[checks]]\nmeasure = 'reliability'\nat-least = 0.5\n";
    std::fs::write(folder.0.join("mine.toml"), scenario).expect("it can be written");
    exits(0, &["run", &folder.path("mine.toml"), "--no-report"]);
    std::fs::write(folder.0.join("matrix.csv"), "0,10\n10,x\n").expect("it can be written");
    let (_, err) = exits(2, &["run", &folder.path("mine.toml"), "--no-report"]);
    assert!(err.contains("matrix.csv:2:4"), "{err}");
}

#[test]
fn a_sweep_prints_a_line_for_each_combination() {
    let arguments =
        ["sweep", "voyage", "processes.count=200", "links.loss=0,0.005", "broadcast.threshold=0,7", "--json"];
    let (out, _) = exits(0, &[&arguments[..], &["--seeds", "1"]].concat());
    let settings: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["settings"].clone())
        .collect();
    assert_eq!(settings.len(), 4);
    assert_eq!(
        settings[3],
        serde_json::json!(["processes.count=200", "links.loss=0.005", "broadcast.threshold=7"])
    );
}

#[test]
fn claims_print_the_promised_object() {
    let (out, _) = exits(0, &["claims", "GOS-02", "--quick", "--json"]);
    let line: Value = serde_json::from_str(out.trim()).expect("one object");
    let mut keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["control_fails", "holds", "id", "measured", "predicted", "seconds"]);
    assert_eq!((&line["id"], &line["holds"]), (&Value::from("GOS-02"), &Value::from(true)));
}

#[test]
fn lists_name_everything() {
    let (out, _) = exits(0, &["list"]);
    for word in ["voyage", "hyparview", "active-max", "plumtree", "reliability", "GOS-05", "span of time"] {
        assert!(out.contains(word), "{word}");
    }
    let (out, _) = exits(0, &["list", "--json"]);
    assert!(out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let (out, _) = exits(0, &["bench", "--list", "--json"]);
    assert!(out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn help_and_completions_are_there() {
    assert!(exits(0, &["--help"]).0.contains("Exit codes"));
    for command in ["run", "sweep", "list", "claims", "bench", "graph"] {
        assert!(exits(0, &[command, "--help"]).0.contains("Usage"), "{command}");
    }
    // What the examples of the help do is possible.
    exits(0, &["run", "voyage", "--no-report", "--seeds", "1", "--set", "processes.count=100"]);
    let sweep = "processes.count=100 links.loss=0.01 membership.active-max=4,5";
    let words = ["sweep", "voyage", "--seeds", "1"].into_iter().chain(sweep.split(' '));
    exits(0, &words.collect::<Vec<_>>());
    for shell in ["bash", "zsh", "fish"] {
        assert!(exits(0, &["completions", shell]).0.contains("isles"), "{shell}");
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_not_complained_to() {
    use std::process::Stdio;
    for arguments in [&["completions", "bash"][..], &["list"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_isles"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_graph_is_generated_described_and_converted() {
    let folder = Folder::new("graph");
    let (list, xml, dot) = (folder.path("ring.txt"), folder.path("ring.graphml"), folder.path("ring.dot"));
    let (out, _) = exits(0, &["graph", "gen", "ring", "--nodes", "6", "--out", &list]);
    assert!(out.contains("6 nodes, 6 undirected edges"), "{out}");
    assert_eq!(
        exits(0, &["graph", "gen", "ring", "--nodes", "6"]).0,
        std::fs::read_to_string(&list).expect("written")
    );
    exits(0, &["graph", "convert", &list, &xml]);
    exits(0, &["graph", "convert", &xml, &dot]);
    for file in [&list, &xml, &dot] {
        let (out, _) = exits(0, &["graph", "info", file]);
        for words in ["connected, ring", "3, 3", "6 nodes: 0 1 2 3 4 5", "edge connectivity          2"] {
            assert!(out.contains(words), "{file}: no {words:?}\n{out}");
        }
    }
    // Back again, it is the same file.
    let (out, _) = exits(0, &["graph", "convert", &dot, "-", "--to", "edges"]);
    assert_eq!(out, std::fs::read_to_string(&list).expect("written"));
    assert!(!folder.0.read_dir().expect("a folder").any(|file| text_of(file).ends_with(".part")));
}

fn text_of(file: std::io::Result<std::fs::DirEntry>) -> String {
    file.expect("it can be read").file_name().to_string_lossy().into_owned()
}

#[test]
fn facts_of_a_graph_are_one_object() {
    let folder = Folder::new("facts");
    let file = folder.path("arcs.txt");
    std::fs::write(&file, "# Directed graph: x\n0 1 2.5\n1 2\n2 0\n2 3\n2 3\n9 9\n")
        .expect("it can be written");
    let (out, _) = exits(0, &["graph", "info", &file, "--json"]);
    let facts: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&facts["nodes"], &facts["edges"], &facts["dropped"]), (&5.into(), &4.into(), &2.into()));
    assert_eq!(facts["strong_components"], serde_json::json!({ "count": 3, "largest": 3 }));
    assert_eq!((&facts["distances"]["diameter"], &facts["distances"]["hops"][2]), (&2.into(), &1.into()));
    let all = folder.path("all.csv");
    let (out, _) = exits(0, &["graph", "info", &file, "--undirected", "--json", "--eccentricities", &all]);
    let facts: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&facts["directed"], &facts["strong_components"]), (&false.into(), &Value::Null));
    assert_eq!(facts["clustering"]["triangles"], 1);
    let csv = std::fs::read_to_string(&all).expect("it was written");
    assert_eq!(csv, "node,eccentricity\n0,2\n1,2\n2,1\n3,2\n9,0\n");
    let (out, _) = exits(0, &["graph", "info", &file, "--quick"]);
    assert!(out.contains("power law") || out.contains("triangles"), "{out}");
}

#[test]
fn a_wrong_graph_is_told_with_its_line_and_what_to_do() {
    let folder = Folder::new("wrong-graph");
    for (name, text, words) in [
        (
            "a.txt",
            "0 1\n1 two\n",
            &["a.txt:2", "'two' is no node number", "two node numbers a line", "'edges'"][..],
        ),
        ("b.graphml", "<graphml>\n<graph>\n<node id='a'/>\n", &["b.graphml:4", "the rest is missing"]),
        ("c.dot", "graph {\n a -> b }", &["c.dot:2", "--"]),
        ("d.csv", "0,1\n2\n", &["d.csv:2", "a square"]),
    ] {
        let file = folder.path(name);
        std::fs::write(&file, text).expect("it can be written");
        let (_, err) = exits(2, &["graph", "info", &file]);
        assert!(words.iter().all(|word| err.contains(word)), "{err}");
        exits(2, &["graph", "convert", &file, &folder.path("out.txt")]);
    }
    assert!(!folder.0.join("out.txt").exists());
}

#[test]
fn an_exploration_is_proved_found_saved_and_replayed() {
    let (proved, _) = exits(0, &["explore", "paxos", "--threads", "2"]);
    assert!(proved.contains("16668 states") && proved.contains("linearizable: holds"), "{proved}");
    let folder = Folder::new("explore");
    let out = folder.path("found");
    let (found, _) = exits(1, &["explore", "two-phase-commit", "mistake=hasty", "--out", &out]);
    assert!(found.contains("consistent: VIOLATED after 7 steps"), "{found}");
    for ending in ["jsonl", "html", "svg", "mmd", "shiviz", "txt"] {
        assert!(PathBuf::from(&out).join(format!("consistent.{ending}")).is_file(), "no {ending}");
    }
    let (replayed, _) = exits(0, &["replay", &format!("{out}/consistent.jsonl")]);
    assert!(replayed.contains("shown again") && replayed.contains("the same in the simulator"), "{replayed}");
    let (json, _) = exits(4, &["explore", "paxos", "--depth", "3", "--json"]);
    let json: Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(json["proof"], false);
    // A file of one's own, and a field of it set.
    let file = folder.path("mine.toml");
    let plan = "exploration = \"paxos\"\n[parameters]\nclients = 1\n[search]\nkind = \"depth-first\"\n";
    std::fs::write(&file, plan).expect("the folder is there");
    exits(0, &["explore", &file, "--set", "world.losses=0"]);
}

#[test]
fn a_wrong_exploration_is_told_with_what_there_is() {
    let refused = |arguments: &[&str]| exits(2, arguments).1;
    assert!(refused(&["explore", "paxso"]).contains("did you mean 'paxos'"));
    assert!(refused(&["explore", "paxos", "clients"]).contains("PARAM=VALUE"));
    assert!(refused(&["explore", "paxos", "clients=99"]).contains("1 to 16"));
    assert!(refused(&["explore", "paxos", "--set", "world.losess=1"]).contains("losses"));
    assert!(refused(&["explore", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(refused(&["replay", "nowhere.jsonl"]).contains("nowhere.jsonl"));
    assert!(refused(&["explore", "--planted", "nothing-like-it"]).contains("no planted bug"));
    assert!(refused(&["explore"]).contains("required"));
}

#[test]
fn planted_bugs_are_found() {
    let (table, _) = exits(0, &["explore", "--planted", "two-phase-commit/hasty", "--seconds", "5"]);
    assert!(table.contains("1 of 1 found") && table.contains("proved"), "{table}");
}
