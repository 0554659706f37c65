//! Golden transcripts: what a client types, and the bytes that it is answered.

use std::path::Path;

use crate::harness::with_node;

#[test]
fn answers_are_those_of_the_transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    isles_golden::pairs(folder, "input", "expected", transcript);
}

/// Lines are commands as `redis-cli` takes them; `#` begins a remark, `!advance N` moves the store's clock by milliseconds, `!config`
/// lines in front are further configuration, and a number in front names another client.
fn transcript(input: &str) -> String {
    let config: String = input
        .lines()
        .filter_map(|line| line.strip_prefix("!config "))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut told = String::new();
    with_node(&config, |node| async {
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(node.client().await);
        }
        for line in input.lines().filter(|line| !line.starts_with("!config")) {
            told.push_str(&format!("{line}\n"));
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(millis) = line.strip_prefix("!advance ") {
                node.toy.advance(millis.parse::<u64>().expect("a number") * 1_000_000);
                continue;
            }
            let (client, command) = match line.split_once("> ") {
                Some((client, command)) => (client.parse::<usize>().expect("a number"), command),
                None => (0, line),
            };
            let answer = clients[client].ask(command).await;
            for part in answer.split_inclusive("\r\n") {
                told.push_str(&format!("    {}\n", part.escape_debug()));
            }
            if answer.is_empty() {
                told.push_str("    closed\n");
            }
        }
        drop(clients);
        node
    });
    told
}
