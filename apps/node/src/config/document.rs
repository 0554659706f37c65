//! The file as it is written, before it is checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use isles_kernel::ProcessId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::problem::Problems;
use super::units::{Length, Size};
use super::{
    ClientTls, Clients, Config, ConfigError, Durability, Keyspace, Limits, Log, LogFormat, LogLevel, User,
    is_loopback,
};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    node: Spanned<u32>,
    cluster: Spanned<String>,
    members: Spanned<Vec<Spanned<String>>>,
    #[serde(default = "data")]
    data: PathBuf,
    #[serde(default = "durability")]
    durability: Durability,
    keys: Option<Spanned<PathBuf>>,
    #[serde(default)]
    plain: bool,
    recording: Option<PathBuf>,
    #[serde(default)]
    keyspaces: Vec<Spanned<KeyspaceTable>>,
    #[serde(default)]
    clients: ClientsTable,
    #[serde(default)]
    limits: LimitsTable,
    metrics: Option<MetricsTable>,
    #[serde(default)]
    log: LogTable,
}

fn data() -> PathBuf {
    "data".into()
}

fn durability() -> Durability {
    Durability::Always
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyspaceTable {
    prefix: Spanned<String>,
    replicas: Option<Spanned<u32>>,
    read: Option<Spanned<u32>>,
    write: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ClientsTable {
    listen: Option<Spanned<String>>,
    tls: Option<TlsTable>,
    password: Option<Spanned<String>>,
    #[serde(default)]
    users: Vec<UserTable>,
    #[serde(default)]
    open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    certificate: PathBuf,
    key: PathBuf,
    authority: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTable {
    name: Spanned<String>,
    password: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    clients: Option<Spanned<u32>>,
    request: Option<Spanned<Size>>,
    elements: Option<Spanned<u32>>,
    pipeline: Option<Spanned<u32>>,
    output: Option<Spanned<Size>>,
    buffers: Option<Spanned<Size>>,
    transaction: Option<Spanned<u32>>,
    keys: Option<Spanned<u32>>,
    idle: Option<Length>,
    stalled: Option<Spanned<Length>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsTable {
    listen: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct LogTable {
    format: LogFormat,
    level: LogLevel,
}

impl Document {
    /// The configuration, if all of it is possible.
    pub(super) fn check(self, name: &str, text: &str, folder: &Path) -> Result<Config, ConfigError> {
        let mut problems = Problems::new(name, text);
        self.check_members(&mut problems);
        let members: Vec<String> =
            self.members.get_ref().iter().map(|member| member.get_ref().clone()).collect();
        let keyspaces = check_keyspaces(&self.keyspaces, members.len() as u32, &mut problems);
        let clients = check_clients(self.clients, folder, &mut problems);
        let limits = check_limits(&self.limits, &mut problems);
        let metrics = self.metrics.and_then(|table| address(&table.listen, "127.0.0.1:9100", &mut problems));
        problems.finish()?;
        let within = |path: PathBuf| folder.join(path);
        Ok(Config {
            node: ProcessId(*self.node.get_ref()),
            cluster: self.cluster.into_inner(),
            members,
            data: within(self.data),
            durability: self.durability,
            keys: self.keys.map(|keys| within(keys.into_inner())),
            recording: self.recording.map(within),
            keyspaces,
            clients,
            limits,
            metrics,
            log: Log { format: self.log.format, level: self.log.level },
        })
    }

    fn check_members(&self, problems: &mut Problems<'_>) {
        let members = self.members.get_ref();
        let Some(last) = members.len().checked_sub(1) else {
            problems.add(
                self.members.span(),
                "there are no members",
                "name at least this node: members = [\"127.0.0.1:7100\"]",
            );
            return;
        };
        if *self.node.get_ref() as usize > last {
            let what = format!("there is no member {}", self.node.get_ref());
            problems.add(self.node.span(), &what, &format!("members are numbered from 0: 0 to {last}"));
        }
        let name = self.cluster.get_ref();
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = (1..=40).contains(&name.len()) && name.chars().all(is_inner);
        if !is_name || name.starts_with('-') || name.ends_with('-') {
            problems.add(
                self.cluster.span(),
                "this is no name of a cluster",
                "take 1 to 40 of a-z, 0-9 and '-', not at its ends",
            );
        }
        for (place, member) in members.iter().enumerate() {
            let port = member
                .get_ref()
                .rsplit_once(':')
                .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
            if !port.is_some_and(|(host, port)| !host.is_empty() && port != 0) {
                problems.add(
                    member.span(),
                    "this is no address",
                    "write host:port, as in \"127.0.0.1:7100\"",
                );
            }
            if members[..place].iter().any(|other| other.get_ref() == member.get_ref()) {
                problems.add(member.span(), "two members have this address", "give each its own");
            }
            if self.plain && !is_loopback(member.get_ref()) {
                let remedy =
                    "take out 'plain', make keys with `isles keys`, and name their folder with 'keys'";
                problems.add(member.span(), "nodes talk in plain text on loopback only", remedy);
            }
        }
        match &self.keys {
            Some(keys) if self.plain => {
                problems.add(keys.span(), "there are 'keys', and 'plain' is true", "take one of them out");
            }
            None if !self.plain => {
                let remedy =
                    "name the folder that `isles keys` made with 'keys', or say plain = true (loopback only)";
                problems.add(self.members.span(), "nodes must know each other: there are no 'keys'", remedy);
            }
            Some(_) | None => {}
        }
    }
}

fn check_keyspaces(
    tables: &[Spanned<KeyspaceTable>],
    members: u32,
    problems: &mut Problems<'_>,
) -> Vec<Keyspace> {
    let mut keyspaces: Vec<Keyspace> = Vec::new();
    for table in tables {
        let KeyspaceTable { prefix, replicas, read, write } = table.get_ref();
        let value =
            |said: &Option<Spanned<u32>>, else_: u32| said.as_ref().map_or(else_, |said| *said.get_ref());
        let count = value(replicas, members.min(3));
        let majority = count / 2 + 1;
        let (reads, writes) = (value(read, majority), value(write, majority));
        let span = |said: &Option<Spanned<u32>>| said.as_ref().map_or_else(|| table.span(), Spanned::span);
        let plural =
            |number: u32, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        if count == 0 || count > members {
            let what = format!("{} of {}", plural(count, "replica"), plural(members, "member"));
            problems.add(span(replicas), &what, &format!("take 1 to {members}"));
            continue;
        }
        let mut fits = true;
        for (key, said, number) in [("read", read, reads), ("write", write, writes)] {
            if number == 0 || number > count {
                fits = false;
                problems.add(
                    span(said),
                    &format!("'{key}' is {number}"),
                    &format!("take 1 to {count}, the replicas"),
                );
            }
        }
        if fits && reads + writes <= count {
            let what = format!("read + write is {}: a read may miss the last write", reads + writes);
            problems.add(span(read), &what, &format!("their sum must be greater than {count}, the replicas"));
        } else if fits && 2 * writes <= count {
            let what = format!("'write' is {writes}: two writes may not meet");
            problems.add(span(write), &what, &format!("take more than half of {count}, the replicas"));
        }
        if keyspaces.iter().any(|other| other.prefix == *prefix.get_ref()) {
            problems.add(prefix.span(), "two keyspaces have this prefix", "join them, or change one");
        }
        keyspaces.push(Keyspace {
            prefix: prefix.get_ref().clone(),
            replicas: count,
            read: reads,
            write: writes,
        });
    }
    if !keyspaces.iter().any(|keyspace| keyspace.prefix.is_empty()) {
        let replicas = members.clamp(1, 3);
        let majority = replicas / 2 + 1;
        keyspaces.push(Keyspace { prefix: String::new(), replicas, read: majority, write: majority });
    }
    keyspaces
}

fn address(said: &Spanned<String>, example: &str, problems: &mut Problems<'_>) -> Option<SocketAddr> {
    let read = said.get_ref().parse().ok();
    if read.is_none() {
        let remedy = format!("write IP:port, as in \"{example}\" or \"[::1]:6379\"");
        problems.add(said.span(), &format!("'{}' is no address", said.get_ref()), &remedy);
    }
    read
}

fn check_clients(table: ClientsTable, folder: &Path, problems: &mut Problems<'_>) -> Clients {
    let usual = SocketAddr::from(([127, 0, 0, 1], 6379));
    let listen = table.listen.as_ref().and_then(|said| address(said, "127.0.0.1:6379", problems));
    let mut users = Vec::new();
    if let Some(password) = &table.password {
        users.extend(user("default", password, problems));
    }
    for UserTable { name, password } in &table.users {
        if users.iter().any(|user: &User| user.name == *name.get_ref()) {
            let remedy = "give each user one entry; 'password' is that of user 'default'";
            problems.add(name.span(), "two users have this name", remedy);
        }
        users.extend(user(name.get_ref(), password, problems));
    }
    let is_reachable = listen.is_some_and(|address| !address.ip().is_loopback());
    if is_reachable && users.is_empty() && !table.open && table.password.is_none() {
        let remedy = "set clients.password, or say clients.open = true if everyone may read and write";
        let span = table.listen.as_ref().map_or(0..0, Spanned::span);
        problems.add(span, "others reach this address, and no password is asked for", remedy);
    }
    let tls = table.tls.map(|tls| ClientTls {
        certificate: folder.join(tls.certificate),
        key: folder.join(tls.key),
        authority: tls.authority.map(|path| folder.join(path)),
    });
    Clients { listen: listen.unwrap_or(usual), tls, users }
}

/// A user by name and password, which is written as it is or as `sha256:` and 64 hexadecimal digits.
fn user(name: &str, password: &Spanned<String>, problems: &mut Problems<'_>) -> Option<User> {
    let text = password.get_ref();
    if text.is_empty() {
        problems.add(password.span(), "the password is empty", "choose one, or leave the user out");
        return None;
    }
    let digest = match text.strip_prefix("sha256:") {
        Some(digits) => {
            let digest = hexadecimal(digits);
            if digest.is_none() {
                problems.add(
                    password.span(),
                    "this is no SHA-256",
                    "write sha256: and 64 hexadecimal digits",
                );
            }
            digest?
        }
        None => Sha256::digest(text.as_bytes()).into(),
    };
    Some(User { name: name.to_owned(), digest })
}

fn hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

fn check_limits(table: &LimitsTable, problems: &mut Problems<'_>) -> Limits {
    let usual = Limits::default();
    let mut count = |key: &str, said: &Option<Spanned<u32>>, usual: u32, most: u32| {
        let Some(said) = said else { return usual };
        if *said.get_ref() == 0 || *said.get_ref() > most {
            problems.add(
                said.span(),
                &format!("'{key}' is {}", said.get_ref()),
                &format!("take 1 to {most}"),
            );
        }
        *said.get_ref()
    };
    let clients = count("clients", &table.clients, usual.clients, 1_000_000);
    let elements = count("elements", &table.elements, usual.elements, 1 << 20);
    let pipeline = count("pipeline", &table.pipeline, usual.pipeline, 1 << 16);
    let transaction = count("transaction", &table.transaction, usual.transaction, 1 << 20);
    let keys = count("keys", &table.keys, usual.keys, 100_000_000);
    let mut size = |key: &str, said: &Option<Spanned<Size>>, usual: usize, least: usize, most: usize| {
        let Some(said) = said else { return usual };
        let bytes = said.get_ref().0;
        if bytes < least || bytes > most {
            let what = format!("'{key}' is {bytes} bytes");
            problems.add(said.span(), &what, &format!("take {least} to {most} bytes"));
        }
        bytes
    };
    let request = size("request", &table.request, usual.request, 1 << 10, usual.request);
    let output = size("output", &table.output, usual.output, 1 << 16, 1 << 36);
    let buffers = size("buffers", &table.buffers, usual.buffers, 1 << 20, 1 << 44);
    let stalled = table.stalled.as_ref().map_or(usual.stalled, |said| {
        if said.get_ref().0.0 < 1_000_000_000 {
            problems.add(said.span(), "'stalled' is less than a second", "take \"1s\" or more");
        }
        said.get_ref().0
    });
    let idle = table.idle.map_or(usual.idle, |Length(idle)| idle);
    Limits { clients, request, elements, pipeline, output, buffers, transaction, keys, idle, stalled }
}
