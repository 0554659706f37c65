//! What a node is told by its configuration file.

mod document;
mod problem;
mod units;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use isles_kernel::{ProcessId, Span};

pub use problem::ConfigError;

/// A documented example: every key with its default.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A checked configuration: whoever holds one may start a node with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// This node: its place in `members`.
    pub node: ProcessId,
    /// The cluster's name; nodes of other clusters are refused.
    pub cluster: String,
    /// Where nodes listen for each other, `host:port`, by their numbers.
    pub members: Vec<String>,
    /// The folder of the durable log.
    pub data: PathBuf,
    /// When an answer waits for the disk.
    pub durability: Durability,
    /// The folder of this node's key pair and the cluster's authority; none for plain text on loopback.
    pub keys: Option<PathBuf>,
    /// The folder where every input of the node is recorded, for `isles replay`: a file for each start.
    pub recording: Option<PathBuf>,
    /// How keys are kept, by their beginnings; the longest prefix that fits decides. Never empty, and one has the empty prefix.
    pub keyspaces: Vec<Keyspace>,
    /// How clients are served.
    pub clients: Clients,
    /// What one client may take, and all together.
    pub limits: Limits,
    /// Where metrics are served.
    pub metrics: Option<SocketAddr>,
    /// What is logged, and how.
    pub log: Log,
}

/// When an answer waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Nothing is kept: a node that was down has forgotten all.
    None,
    /// The log is synced once a second; a machine that fails may lose the last second.
    EverySecond,
    /// What is answered is on disk.
    Always,
}

/// How the keys that begin with `prefix` are kept (Gifford 1979: `read + write > replicas`, `2 write > replicas`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyspace {
    /// The beginning of its keys.
    pub prefix: String,
    /// Nodes that keep each key.
    pub replicas: u32,
    /// Replicas that a read asks.
    pub read: u32,
    /// Replicas that a write reaches before it is answered.
    pub write: u32,
}

/// How clients are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clients {
    /// Where they connect.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM; none for plain text.
    pub tls: Option<ClientTls>,
    /// Who may use the node; everyone if empty.
    pub users: Vec<User>,
}

/// The files of the clients' TLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientTls {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// If set, clients show a certificate signed by one of these authorities, PEM.
    pub authority: Option<PathBuf>,
}

/// Someone who may use the node.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name; `default` is who says `AUTH password` alone.
    pub name: String,
    /// SHA-256 of the password.
    pub digest: [u8; 32],
}

/// Without the digest: what is printed may be logged.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({:?})", self.name)
    }
}

/// What one client may take, and all together. Sizes in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Clients at a time; a further one is told so and closed.
    pub clients: u32,
    /// Of a request, with all its arguments, and of a transaction.
    pub request: usize,
    /// Arguments of a request.
    pub elements: u32,
    /// Requests of one client that are under way; the next waits unread.
    pub pipeline: u32,
    /// Of answers that a client does not read; then it is closed.
    pub output: usize,
    /// Of the buffers of all clients together; whoever wants more then is closed.
    pub buffers: usize,
    /// Commands between `MULTI` and `EXEC`, and keys that `WATCH` watches.
    pub transaction: u32,
    /// Keys that `KEYS` answers at most.
    pub keys: u32,
    /// A client that sends nothing for so long is closed; zero for never.
    pub idle: Span,
    /// A client that stops amid a request, a TLS handshake or an answer, or does not authenticate, is closed after this.
    pub stalled: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 10_000,
            request: 8 << 20,
            elements: 65_536,
            pipeline: 1_024,
            output: 32 << 20,
            buffers: 1 << 30,
            transaction: 1_024,
            keys: 100_000,
            idle: Span::ZERO,
            stalled: Span::secs(30),
        }
    }
}

/// What is logged, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// The least that is told.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a line.
    Json,
}

/// The least that is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// What needs someone now.
    Error,
    /// What someone should look at.
    Warn,
    /// Starts, stops, peers, clients that are refused.
    #[default]
    Info,
    /// Each connection.
    Debug,
    /// All.
    Trace,
}

impl Config {
    /// Reads and checks the file at `path`. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or says something unknown or impossible: each with its place and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unread(path, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder)
    }

    /// Checks a text; `name` is what errors call it, and `folder` what its paths are relative to.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, ConfigError> {
        let document: document::Document =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(name, text, &error))?;
        document.check(name, text, folder)
    }
}

/// Whether nobody but this machine reaches `address` (`host:port`).
pub(crate) fn is_loopback(address: &str) -> bool {
    let Some((host, _)) = address.rsplit_once(':') else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "node = 0\ncluster = \"c\"\nmembers = [\"127.0.0.1:7100\"]\nplain = true\n";

    fn read(text: &str) -> Result<Config, String> {
        Config::parse(text, "node.toml", Path::new("etc")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_is_a_configuration_and_says_the_defaults() {
        let example = read(EXAMPLE).expect("the example");
        assert_eq!(example.limits, Limits::default());
        assert_eq!(example.members.len(), 3);
        let smallest = read(SMALLEST).expect("the smallest");
        assert_eq!(smallest.keyspaces, [Keyspace { prefix: String::new(), replicas: 1, read: 1, write: 1 }]);
        assert_eq!(smallest.limits, example.limits);
        assert_eq!(smallest.clients.listen, example.clients.listen);
        assert_eq!(smallest.data, Path::new("etc/data"));
    }

    #[test]
    fn what_is_wrong_is_told_with_place_and_remedy() {
        let cases: &[(&str, &[&str])] = &[
            ("cluser = \"c\"\n", &["line 5", "unknown key 'cluser'", "did you mean 'cluster'?"]),
            ("[clients]\nlisten = \"here\"\n", &["line 6, column 10", "'here'", "127.0.0.1:6379"]),
            ("[clients]\nlisten = \"0.0.0.0:6379\"\n", &["line 6", "clients.password", "clients.open"]),
            ("durability = \"sometimes\"\n", &["line 5", "none", "every-second", "always"]),
            ("[[keyspaces]]\nprefix = \"\"\nreplicas = 2\n", &["line 7", "2 replicas", "1 member"]),
            ("[[keyspaces]]\nprefix = \"\"\nread = 0\n", &["line 7, column 8", "'read' is 0", "1"]),
            ("[limits]\nrequest = \"12 pounds\"\n", &["line 6", "12 pounds", "KiB"]),
            ("[limits]\nidle = 5\n", &["line 6", "\"30s\""]),
            ("[limits]\nclients = 0\n", &["line 6", "'clients' is 0"]),
            ("[clients]\ntls = { certificate = \"a.pem\" }\n", &["line 6", "key"]),
            ("[[clients.users]]\nname = \"a\"\npassword = \"\"\n", &["line 7", "empty"]),
            ("[[clients.users]]\nname = \"a\"\npassword = \"sha256:12\"\n", &["line 7", "64"]),
            ("keys = \"k\"\n", &["plain", "keys"]),
            ("node = 1\n", &["line 5", "node"]),
        ];
        for (more, expected) in cases {
            let error = read(&format!("{SMALLEST}{more}")).expect_err(more);
            for word in *expected {
                assert!(error.contains(word), "{more}: '{word}' is not in:\n{error}");
            }
        }
        let text = SMALLEST.replace("node = 0", "node = 1");
        let error = read(&text).expect_err("no such member");
        assert!(error.contains("line 1, column 8") && error.contains("0 to 0"), "{error}");
        let error = read(&SMALLEST.replace("127.0.0.1", "10.0.0.1")).expect_err("plain text");
        assert!(error.contains("loopback") && error.contains("isles keys"), "{error}");
        let error = read("").expect_err("nothing");
        assert!(error.contains("'node'"), "{error}");
    }

    #[test]
    fn quorums_that_do_not_meet_are_refused() {
        let three = "node = 2\ncluster = \"c\"\nmembers = [\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:3\"]\nplain = true\n[[keyspaces]]\nprefix = \"\"\n";
        let error = read(&format!("{three}read = 1\nwrite = 2\n")).expect_err("1 + 2 = 3");
        assert!(error.contains("read + write") && error.contains("line 7"), "{error}");
        let error = read(&format!("{three}read = 3\nwrite = 1\n")).expect_err("2 writes may not meet");
        assert!(error.contains("two writes"), "{error}");
        assert!(read(&format!("{three}read = 1\nwrite = 3\n")).is_ok());
    }

    #[test]
    fn passwords_are_not_printed() {
        let config =
            read(&format!("{SMALLEST}[clients]\npassword = \"hunter2\"\n")).expect("a configuration");
        assert_eq!(config.clients.users.len(), 1);
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!format!("{config:?}").contains(&format!("{}", config.clients.users[0].digest[0])));
    }
}
