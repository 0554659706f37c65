//! `isles cluster`, `isles node` and `isles keys`, as whoever types them sees them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn isles(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isles"));
    command.current_dir(folder).args(words).output().expect("it runs")
}

/// What it printed, and its exit code.
fn told(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = isles(folder, words);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("isles-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A port below which nobody else is likely to look: those above it are for this process.
fn base_port() -> String {
    let port = 20_000 + std::process::id() % 300 * 100;
    port.to_string()
}

#[test]
fn a_cluster_goes_up_and_down_and_leaves_nothing() {
    let folder = folder("cluster");
    let base = base_port();
    let up = ["cluster", "up", "3", "--base-port", &base];
    let (code, text) = told(&folder, &["cluster", "status"]);
    assert!(code == 2 && text.contains("isles cluster up"), "{text}");
    let (code, text) = told(&folder, &up);
    assert!(code == 0 && text.matches("serves").count() == 3, "{text}");
    let (code, again) = told(&folder, &up);
    let processes = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| Some(line.split("process ").nth(1)?.split(',').next()?.to_owned()))
            .collect()
    };
    assert!(code == 0 && processes(&text) == processes(&again), "it is not started twice:\n{text}{again}");
    let (code, text) = told(&folder, &["cluster", "up", "4", "--base-port", &base]);
    assert!(code == 2 && text.contains("3 nodes, not 4"), "{text}");
    let (code, logs) = told(&folder, &["cluster", "logs", "1"]);
    assert!(code == 0 && logs.contains("node serves clients"), "{logs}");
    let (code, text) = told(&folder, &["cluster", "logs", "7"]);
    assert!(code == 2 && text.contains("0 to 2"), "{text}");
    // One is killed: that is seen, and `up` starts it again.
    let killed = processes(&again)[1].clone();
    Command::new("kill").args(["-9", &killed]).status().expect("killed");
    while told(&folder, &["cluster", "status"]).0 == 0 {}
    let (code, text) = told(&folder, &up);
    assert!(
        code == 0 && processes(&text)[0] == processes(&again)[0] && processes(&text)[1] != killed,
        "{text}"
    );
    let (code, text) = told(&folder, &["cluster", "down", "--remove"]);
    assert!(code == 0 && text.matches("ended").count() == 3 && !text.contains("by force"), "{text}");
    let left: Vec<_> = std::fs::read_dir(&folder).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn what_cannot_be_is_refused_with_a_remedy() {
    let folder = folder("refused");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("a port").port();
    if port < 65_000 {
        let (code, text) = told(&folder, &["cluster", "up", "1", "--base-port", &port.to_string()]);
        assert!(code == 2 && text.contains(&port.to_string()) && text.contains("--base-port"), "{text}");
    }
    assert_eq!(told(&folder, &["cluster", "up", "0", "--folder", "x"]).0, 2);
    let (code, example) = told(&folder, &["node", "--example-config"]);
    assert!(code == 0 && example.contains("[limits]"), "{example}");
    std::fs::write(folder.join("node.toml"), example.replace("[limits]", "[limit]")).expect("written");
    let (code, text) = told(&folder, &["node", "--config", "node.toml"]);
    assert!(code == 2 && text.contains("did you mean 'limits'?"), "{text}");
    std::fs::write(folder.join("node.toml"), example).expect("written");
    let (code, text) = told(&folder, &["node", "--config", "node.toml", "--check-config"]);
    assert!(code == 0 && text.contains("cluster example"), "{text}");
    let (code, text) = told(&folder, &["node", "--config", "node.toml"]);
    assert!(code == 3 && text.contains("isles keys"), "{text}");
    let make = ["keys", "keys", "--cluster", "example", "--members", "3"];
    assert_eq!(told(&folder, &make).0, 0);
    assert!(told(&folder, &make).1.contains("already"));
    std::fs::remove_dir_all(&folder).expect("removed");
}
