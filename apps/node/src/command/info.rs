//! `INFO`: what clients and dashboards read.

use std::fmt::Write;

use super::arguments::is;
use super::plan::Act;
use crate::config::Durability;
use crate::session::{REDIS_VERSION, Session};
use crate::shared::Shared;
use crate::wire::{Frame, Request};

/// A section: its name, and what writes it.
type Section = (&'static str, fn(&Shared, &mut String));

const SECTIONS: [Section; 9] = [
    ("server", server),
    ("clients", clients),
    ("memory", memory),
    ("persistence", persistence),
    ("stats", stats),
    ("replication", replication),
    ("cpu", cpu),
    ("cluster", cluster),
    ("isles", isles),
];

/// `INFO [section ...]`
pub(super) fn info(_: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let all = ["all", "everything", "default"];
    let is_all = request.len() == 1 || request.args(1).any(|arg| all.into_iter().any(|word| is(arg, word)));
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if is_all || request.args(1).any(|arg| is(arg, name)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let title = name[..1].to_ascii_uppercase() + &name[1..];
            text.push_str(&format!("# {}\r\n", if name == "cpu" { "CPU" } else { &title }));
            write(shared, &mut text);
        }
    }
    Frame::Verbatim(text).into()
}

fn row(text: &mut String, name: &str, value: impl std::fmt::Display) {
    // Into a text: it cannot fail.
    let _ = write!(text, "{name}:{value}\r\n");
}

fn server(shared: &Shared, text: &mut String) {
    row(text, "redis_version", REDIS_VERSION);
    row(text, "redis_mode", "standalone");
    row(text, "isles_version", env!("CARGO_PKG_VERSION"));
    row(text, "os", std::env::consts::OS);
    row(text, "arch_bits", usize::BITS);
    row(text, "multiplexing_api", "epoll");
    row(text, "process_id", std::process::id());
    row(text, "tcp_port", shared.config.clients.listen.port());
    row(text, "server_time_usec", shared.backend().now().0 / 1_000);
    row(text, "uptime_in_seconds", shared.second.get());
    row(text, "uptime_in_days", shared.second.get() / 86_400);
}

fn clients(shared: &Shared, text: &mut String) {
    row(text, "connected_clients", shared.switchboard.len());
    row(text, "cluster_connections", 0);
    row(text, "maxclients", shared.config.limits.clients);
    row(text, "blocked_clients", 0);
    row(text, "tracking_clients", 0);
}

/// Bytes of memory that the process has, where the system tells.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .map(|rest| rest.trim().trim_end_matches(" kB"));
    kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn memory(shared: &Shared, text: &mut String) {
    let resident = resident();
    row(text, "used_memory", resident);
    row(text, "used_memory_rss", resident);
    row(text, "mem_clients_normal", shared.buffers.get());
    row(text, "maxmemory", 0);
    row(text, "maxmemory_policy", "noeviction");
}

fn persistence(shared: &Shared, text: &mut String) {
    row(text, "loading", 0);
    row(text, "aof_enabled", u8::from(shared.config.durability != Durability::None));
    row(text, "rdb_bgsave_in_progress", 0);
    row(text, "aof_rewrite_in_progress", 0);
}

fn stats(shared: &Shared, text: &mut String) {
    let stats = &shared.stats;
    row(text, "total_connections_received", stats.connections.get());
    row(text, "total_commands_processed", stats.commands.get());
    row(text, "total_net_input_bytes", stats.input.get());
    row(text, "total_net_output_bytes", stats.output.get());
    row(text, "rejected_connections", stats.refused.get());
    row(text, "acl_access_denied_auth", stats.strangers.get());
    row(text, "client_query_buffer_limit_disconnections", stats.malformed.get());
    row(text, "client_output_buffer_limit_disconnections", stats.cut.get());
}

fn replication(_: &Shared, text: &mut String) {
    row(text, "role", "master");
    row(text, "connected_slaves", 0);
    row(text, "master_repl_offset", 0);
}

/// Processor time of the process in system and user mode, in seconds, where the system tells.
fn processor() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name of the program, which may contain anything: ticks of a hundredth of a second.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks =
        |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    (ticks(12), ticks(11))
}

fn cpu(_: &Shared, text: &mut String) {
    let (system, user) = processor();
    row(text, "used_cpu_sys", format!("{system:.6}"));
    row(text, "used_cpu_user", format!("{user:.6}"));
}

fn cluster(_: &Shared, text: &mut String) {
    row(text, "cluster_enabled", 0);
}

fn isles(shared: &Shared, text: &mut String) {
    let config = &shared.config;
    row(text, "node", config.node.0);
    row(text, "cluster_name", &config.cluster);
    row(text, "members", config.members.join(","));
    for keyspace in &config.keyspaces {
        let name = format!("keyspace_{:?}", keyspace.prefix);
        row(
            text,
            &name,
            format!("replicas={},read={},write={}", keyspace.replicas, keyspace.read, keyspace.write),
        );
    }
}
