//! The report of a run of real size, written and read back.

use std::fs;
use std::path::PathBuf;

use isles_lab::report::folder::Folder;
use isles_lab::report::{html, summary_json, write};

#[path = "../examples/sample_report/sample.rs"]
mod sample;

/// A folder of its own for one test, gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{test}"));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_run_leaves_four_files_and_links_to_those_that_were_there() {
    let scratch = Scratch::new("files");
    let folder = Folder::at(&scratch.0).unwrap();
    folder.write_lines("history.jsonl", [1, 2]).unwrap();
    let written = write(&sample::report(), &folder).unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["report.html", "summary.json", "metrics.csv", "metrics.parquet"]);
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 5, "nothing half-written stays");
    let page = fs::read_to_string(&written[0]).unwrap();
    for name in ["history.jsonl", "summary.json", "metrics.csv", "metrics.parquet"] {
        assert!(page.contains(&format!("href=\"./{name}\"")), "{name}");
    }
    assert!(!page.contains("trace.jsonl"));
    assert!(Folder::at(&scratch.0).is_err(), "a second run must not write here");
}

#[test]
fn the_page_of_a_long_run_stays_under_a_megabyte() {
    let mut report = sample::report();
    // Twenty seeds, each with a hundred thousand points per curve.
    for chart in &mut report.charts {
        let lines = chart.lines.clone();
        chart.lines.clear();
        for seed in 0..20 {
            for line in lines.iter().filter(|line| line.seed == Some(1)) {
                let mut line = line.clone();
                line.seed = Some(seed);
                let last = line.points.len();
                line.points =
                    (0..100_000).map(|i| (f64::from(i) / 1000.0, line.points[i as usize % last].1)).collect();
                chart.lines.push(line);
            }
        }
    }
    report.topology = Some(sample::topology(400));
    assert!(report.topology.as_ref().unwrap().drawing.is_some());
    let (page, summary) = (html::render(&report, &[]), summary_json(&report));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(summary.len() < 1_000_000, "{} bytes", summary.len());
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(html::render(&sample::report(), &[]), html::render(&sample::report(), &[]));
    assert_eq!(summary_json(&sample::report()), summary_json(&sample::report()));
}

#[test]
fn the_summary_has_the_documented_fields() {
    let text = summary_json(&sample::report());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["format"], "isles-report-1");
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "format",
        "title",
        "question",
        "scenario",
        "setup",
        "seeds",
        "figures",
        "checks",
        "charts",
        "distributions",
        "traffic",
        "topology",
        "space_time",
        "notes",
    ];
    expected.sort_unstable();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let check = serde_json::json!({
        "name": "redundancy stays below 0.02", "measured": 0.0227, "relation": "at_most", "bound": 0.02,
        "unit": "", "verdict": "fails",
        "detail": "seeds 2 and 5; replay with: isles run plumtree-mass-failure --seed 5",
    });
    assert_eq!(value["checks"][2], check);
    let figure = &value["figures"][2];
    assert_eq!((&figure["name"], &figure["unit"]), (&"recovery time".into(), &"s".into()));
    assert_eq!(figure["per_seed"][0]["seed"], 1);
    for key in ["median", "min", "max", "p95"] {
        assert!(figure["summary"][key].is_f64(), "{key}");
    }
    let line = &value["charts"][0]["lines"][0];
    assert_eq!(line["seed"], serde_json::Value::Null, "five seeds are condensed to one curve");
    assert_eq!(line["points"].as_array().unwrap().len(), line["band"].as_array().unwrap().len());
    assert_eq!(value["space_time"]["messages"][0]["fate"].as_object().unwrap().len(), 1);
}
