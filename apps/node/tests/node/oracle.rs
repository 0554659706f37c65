//! The transcripts again, typed to Redis itself: where it is installed, it must answer the same bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::frame;

/// Transcripts that are also Redis's; the others show what is different, and passwords.
const COMMON: [&str; 4] = ["strings", "set", "expiry", "transactions"];

struct Redis {
    process: Child,
    port: u16,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    fn start() -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        let port = listener.local_addr().ok()?.port();
        drop(listener);
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.current_dir(std::env::temp_dir()).stdout(Stdio::null()).stderr(Stdio::null());
        let redis = Self { process: command.spawn().ok()?, port };
        let serves = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        (0..250).find(|_| {
            std::thread::sleep(Duration::from_millis(20));
            serves()
        })?;
        Some(redis)
    }

    fn client(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        stream
    }
}

fn ask(stream: &mut TcpStream, line: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).expect("it reads");
    let mut held = Vec::new();
    let mut part = [0; 4096];
    while held.is_empty() || frame(&held, 0).is_none() {
        let count = stream.read(&mut part).expect("an answer");
        assert!(count > 0, "{line}: closed");
        held.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&held).into_owned()
}

/// What may differ between two runs of Redis: who a client is, and how long an answer took.
fn normal(line: &str, answer: &str) -> String {
    if line.starts_with("HELLO") {
        return "HELLO".to_owned();
    }
    match (line.starts_with("PTTL"), answer.trim_start_matches(':').trim().parse::<i64>()) {
        (true, Ok(millis)) if millis > 0 => format!("about {}", (millis + 499) / 500 * 500),
        _ => answer.to_owned(),
    }
}

#[test]
fn redis_answers_the_same() {
    let Some(redis) = Redis::start() else {
        // Not by the macros, whose output the harness hides.
        let _ =
            std::io::stderr().write_all(b"\nSKIPPED: transcripts against Redis: there is no redis-server\n");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut differences = String::new();
    let mut lines = 0;
    for name in COMMON {
        let expected = std::fs::read_to_string(folder.join(format!("{name}.expected"))).expect(name);
        let mut clients: Vec<TcpStream> = (0..3).map(|_| redis.client()).collect();
        ask(&mut clients[0], "FLUSHALL");
        let mut rest = expected.lines().peekable();
        while let Some(line) = rest.next() {
            let mut ours = String::new();
            while let Some(answer) = rest.next_if(|line| line.starts_with("    ")) {
                ours.push_str(&answer[4..]);
            }
            if let Some(millis) = line.strip_prefix("!advance ") {
                std::thread::sleep(Duration::from_millis(millis.parse::<u64>().expect("a number")));
            }
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (client, command) = line.split_once("> ").unwrap_or(("0", line));
            let theirs = ask(&mut clients[client.parse::<usize>().expect("a number")], command);
            lines += 1;
            let (ours, theirs) = (normal(line, &ours.replace("\\r\\n", "\r\n")), normal(line, &theirs));
            let theirs = theirs.escape_debug().to_string().replace("\\r\\n", "\r\n");
            if ours != theirs {
                differences.push_str(&format!("{name}: {line}\n  ours  {ours:?}\n  Redis {theirs:?}\n"));
            }
        }
    }
    assert!(lines > 150, "{lines} lines were compared");
    assert!(differences.is_empty(), "{differences}");
}
