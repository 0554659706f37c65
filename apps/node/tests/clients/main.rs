//! Clients that people use, unmodified, against three nodes (N=3, R=W=2, TLS between them): each one's transcript.
//!
//! Clients are installed into the folder for tests of cargo, never elsewhere. One that is not there and cannot be installed is skipped,
//! and says so on standard error, whatever the test harness hides.

mod nodes;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use nodes::Nodes;

/// Versions that the transcripts are of.
const REDIS_PY: &str = "redis==8.1.0";
const NODE_CLIENTS: [&str; 2] = ["redis@6.3.1", "ioredis@6.0.0"];

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

fn skip(what: &str, why: &str) {
    // Not by the macros, whose output the harness hides.
    let _ = std::io::stderr().write_all(format!("\nSKIPPED: {what}: {why}\n").as_bytes());
}

/// What a command printed, or why it failed.
fn output(command: &mut Command) -> Result<String, String> {
    let name = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(format!("{name}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// A folder of the build's own, which later runs find again.
fn installed(name: &str, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = folder.join("installed");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        install(&folder)?;
        std::fs::write(done, "").map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

fn python() -> Result<PathBuf, String> {
    let folder = installed("redis-py-8.1.0", |folder| {
        output(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
        output(Command::new(folder.join("venv/bin/pip")).args(["install", "--quiet", REDIS_PY])).map(drop)
    })?;
    Ok(folder.join("venv/bin/python"))
}

fn node_modules() -> Result<PathBuf, String> {
    installed("node-clients-6.3.1-6.0.0", |folder| {
        std::fs::write(folder.join("package.json"), "{\"private\": true}")
            .map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]).args(NODE_CLIENTS);
        output(npm.current_dir(folder)).map(drop)
    })
}

#[test]
fn redis_py() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skip("redis-py", &why),
    };
    let nodes = Nodes::start(3);
    let told =
        output(Command::new(python).arg(here("redis_py.py")).args(nodes.ports())).expect("redis-py runs");
    isles_golden::file(here("redis_py.expected"), &told);
}

#[test]
fn node_redis_and_ioredis() {
    let folder = match node_modules() {
        Ok(folder) => folder,
        Err(why) => return skip("node-redis, ioredis", &why),
    };
    let nodes = Nodes::start(3);
    for name in ["node_redis", "ioredis"] {
        // Modules are found from where a script is.
        let script = folder.join(format!("{name}.mjs"));
        std::fs::copy(here(&format!("{name}.mjs")), &script).expect("copied");
        let told = output(Command::new("node").arg(script).args(nodes.ports())).expect(name);
        isles_golden::file(here(&format!("{name}.expected")), &told);
    }
}

#[test]
fn redis_cli() {
    if let Err(why) = output(Command::new("redis-cli").arg("--version")) {
        return skip("redis-cli", &why);
    }
    let nodes = Nodes::start(3);
    let mut told = String::new();
    for (port, protocol) in nodes.ports().iter().zip(["-2", "-3", "-2"]) {
        let script = std::fs::File::open(here("redis_cli.txt")).expect("a script");
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", port, protocol, "--no-raw"]).stdin(script);
        told.push_str(&format!("== {protocol}\n{}", output(&mut cli).expect("redis-cli runs")));
    }
    isles_golden::file(here("redis_cli.expected"), &told);
}

#[test]
fn redis_benchmark() {
    if let Err(why) = output(Command::new("redis-benchmark").arg("--version")) {
        return skip("redis-benchmark", &why);
    }
    let nodes = Nodes::start(3);
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args([
        "-p",
        &nodes.ports()[1],
        "-t",
        "ping,set,get,incr,mset",
        "-n",
        "2000",
        "-c",
        "20",
        "-P",
        "4",
    ]);
    let told = output(benchmark.args(["-r", "1000", "--csv"])).expect("redis-benchmark runs");
    let tests: Vec<&str> = told.lines().skip(1).filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(tests, ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"], "{told}");
    let rates = told.lines().skip(1).filter_map(|line| line.split('"').nth(3)?.parse::<f64>().ok());
    assert!(rates.clone().count() == 6 && rates.clone().all(|rate| rate > 0.0), "{told}");
}
