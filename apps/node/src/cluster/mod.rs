//! A local cluster: nodes as background processes on loopback, for trying things out and for tests.

mod process;

use std::fmt::Write;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use process::Process;

/// Nodes of a local cluster at most.
pub const NODES_MAX: usize = 64;
/// A node has so long to serve after it was started, and to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a cluster cannot be started, ended or looked at.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// What was asked for cannot be.
    #[error("{0}")]
    Input(String),
    /// The machine refused.
    #[error("{0}")]
    Machine(String),
}

fn machine(what: impl std::fmt::Display, error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Machine(format!("{what}: {error}"))
}

/// A cluster in a folder: `node-0.toml`, `node-0.log`, `node-0.pid`, `node-0/` (data) and so on, and `keys/`.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    nodes: Vec<Member>,
}

/// One node of it.
#[derive(Debug)]
struct Member {
    number: usize,
    clients: SocketAddr,
    peers: String,
}

/// Whether all nodes serve, and what to print.
#[derive(Debug)]
pub struct Status {
    /// All nodes serve clients.
    pub is_good: bool,
    /// A line for each.
    pub text: String,
}

impl Cluster {
    /// The cluster in this folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> Result<Self, ClusterError> {
        let found = Self::find(folder)?;
        found.ok_or_else(|| {
            let folder = folder.display();
            ClusterError::Input(format!(
                "there is no cluster in {folder}: `isles cluster up 3 --folder {folder}` makes one"
            ))
        })
    }

    fn find(folder: &Path) -> Result<Option<Self>, ClusterError> {
        let mut nodes = Vec::new();
        for number in 0..NODES_MAX {
            let path = folder.join(format!("node-{number}.toml"));
            if !path.exists() {
                break;
            }
            let config =
                crate::config::Config::read(&path).map_err(|error| ClusterError::Input(error.to_string()))?;
            let peers = config.members.get(number).cloned().unwrap_or_default();
            nodes.push(Member { number, clients: config.clients.listen, peers });
        }
        Ok((!nodes.is_empty()).then(|| Self { folder: folder.to_owned(), nodes }))
    }

    /// Starts `count` nodes, or those of them that do not run: each is `program node --config FILE`. Clients are served on `base_port`
    /// and the ports after it, nodes talk on those 100 above, and metrics are 200 above.
    ///
    /// # Errors
    /// When the folder holds another cluster, a port is in use, or a node does not start: then with the end of its log.
    pub fn up(folder: &Path, count: usize, base_port: u16, program: &Path) -> Result<Self, ClusterError> {
        if count == 0 || count > NODES_MAX {
            return Err(ClusterError::Input(format!("{count} nodes: take 1 to {NODES_MAX}")));
        }
        let cluster = match Self::find(folder)? {
            Some(cluster) if cluster.nodes.len() != count => {
                return Err(ClusterError::Input(format!(
                    "{} holds a cluster of {} nodes, not {count}: choose another folder, or take it away with `isles cluster down --remove`",
                    folder.display(),
                    cluster.nodes.len()
                )));
            }
            Some(cluster) => cluster,
            None => Self::make(folder, count, base_port)?,
        };
        let absent: Vec<&Member> =
            cluster.nodes.iter().filter(|member| cluster.process(member).is_none()).collect();
        for member in &absent {
            cluster.check_ports(member)?;
        }
        for member in &absent {
            cluster.start(member, program)?;
        }
        for member in &cluster.nodes {
            cluster.wait(member)?;
        }
        Ok(cluster)
    }

    /// Writes keys and configurations; nothing runs yet.
    fn make(folder: &Path, count: usize, base_port: u16) -> Result<Self, ClusterError> {
        if u32::from(base_port) + 200 + count as u32 > 65_535 || base_port == 0 {
            return Err(ClusterError::Input(format!(
                "--base-port {base_port}: take 1 to {}",
                65_335 - count
            )));
        }
        std::fs::create_dir_all(folder).map_err(|error| machine(folder.display(), error))?;
        if !folder.join("keys/ca.pem").exists() {
            isles_net::keys::make(&folder.join("keys"), "local", count)
                .map_err(|error| ClusterError::Machine(error.to_string()))?;
        }
        let port = |above: u16, node: usize| base_port + above + node as u16;
        let members: Vec<String> =
            (0..count).map(|node| format!("\"127.0.0.1:{}\"", port(100, node))).collect();
        // The first is written last: with it there is a cluster.
        for node in (0..count).rev() {
            let text = format!(
                "node = {node}\ncluster = \"local\"\nmembers = [{}]\nkeys = \"keys\"\ndata = \"node-{node}\"\ndurability = \"always\"\n\n\
                 [clients]\nlisten = \"127.0.0.1:{}\"\n\n[metrics]\nlisten = \"127.0.0.1:{}\"\n",
                members.join(", "),
                port(0, node),
                port(200, node),
            );
            let path = folder.join(format!("node-{node}.toml"));
            std::fs::write(&path, text).map_err(|error| machine(path.display(), error))?;
        }
        Self::open(folder)
    }

    fn path(&self, member: &Member, ending: &str) -> PathBuf {
        self.folder.join(format!("node-{}.{ending}", member.number))
    }

    /// The process of a node, if it runs.
    fn process(&self, member: &Member) -> Option<Process> {
        Process::read(&self.path(member, "pid"))
    }

    fn check_ports(&self, member: &Member) -> Result<(), ClusterError> {
        for address in [member.clients.to_string(), member.peers.clone()] {
            TcpListener::bind(&address).map_err(|error| {
                ClusterError::Input(format!(
                    "node {} cannot listen on {address}: {error}; end who does, or take another --base-port in a new folder",
                    member.number
                ))
            })?;
        }
        Ok(())
    }

    fn start(&self, member: &Member, program: &Path) -> Result<(), ClusterError> {
        let log = self.path(member, "log");
        let open = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        let log = open.map_err(|error| machine(log.display(), error))?;
        let process = Process::start(program, &self.path(member, "toml"), log)
            .map_err(|error| machine(program.display(), error))?;
        let pid = self.path(member, "pid");
        process.write(&pid).map_err(|error| machine(pid.display(), error))
    }

    /// Waits until a node serves clients.
    #[expect(clippy::disallowed_methods, reason = "how long a process takes to start is about this machine")]
    fn wait(&self, member: &Member) -> Result<(), ClusterError> {
        let begin = Instant::now();
        while ping(member.clients).is_none() {
            if self.process(member).is_none() || begin.elapsed() > PATIENCE {
                let log = self.path(member, "log");
                return Err(ClusterError::Machine(format!(
                    "node {} does not serve clients; the end of {}:\n{}",
                    member.number,
                    log.display(),
                    tail(&log, 5)
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends all nodes: in good order, or after 15 s by force. With `remove`, takes away all that `up` made, data and keys too.
    ///
    /// # Errors
    /// When a process cannot be ended, or a file cannot be removed.
    pub fn down(&self, remove: bool) -> Result<String, ClusterError> {
        let mut told = String::new();
        let running: Vec<(&Member, Process)> =
            self.nodes.iter().filter_map(|member| Some((member, self.process(member)?))).collect();
        for (_, process) in &running {
            process.end();
        }
        for (member, process) in &running {
            let is_forced = !process.wait(PATIENCE);
            if is_forced {
                process.kill();
                if !process.wait(PATIENCE) {
                    return Err(ClusterError::Machine(format!(
                        "node {}: process {process} cannot be ended",
                        member.number
                    )));
                }
            }
            // Into a text: it cannot fail.
            let _ =
                writeln!(told, "node {} ended{}", member.number, if is_forced { " by force" } else { "" });
        }
        for member in &self.nodes {
            discard(&self.path(member, "pid"))?;
        }
        if remove {
            self.remove()?;
            let _ = writeln!(told, "{} removed", self.folder.display());
        }
        if told.is_empty() {
            told.push_str("no node runs\n");
        }
        Ok(told)
    }

    fn remove(&self) -> Result<(), ClusterError> {
        let gone = |path: PathBuf| match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(machine(path.display(), error)),
            Err(_) | Ok(()) => Ok(()),
        };
        for member in &self.nodes {
            for ending in ["toml", "log"] {
                discard(&self.path(member, ending))?;
            }
            gone(self.folder.join(format!("node-{}", member.number)))?;
        }
        gone(self.folder.join("keys"))?;
        // Whatever else is in it is not ours.
        let _ = std::fs::remove_dir(&self.folder);
        Ok(())
    }

    /// Who runs, and serves.
    pub fn status(&self) -> Status {
        let mut status = Status { is_good: true, text: String::new() };
        for member in &self.nodes {
            let process = self.process(member);
            let latency = ping(member.clients);
            let state = match (&process, latency) {
                (Some(process), Some(latency)) => {
                    format!("serves (process {process}, {} us)", latency.as_micros())
                }
                (Some(process), None) => format!("runs (process {process}) and does NOT serve"),
                (None, Some(_)) => "does NOT run; somebody else serves on its port".to_owned(),
                (None, None) => "does NOT run".to_owned(),
            };
            status.is_good &= process.is_some() && latency.is_some();
            // Into a text: it cannot fail.
            let _ = writeln!(
                status.text,
                "node {}  clients {}  nodes {}  {state}",
                member.number, member.clients, member.peers
            );
        }
        status
    }

    /// The last lines of the logs of all nodes, or of one.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn logs(&self, node: Option<usize>, lines: usize) -> Result<String, ClusterError> {
        if let Some(node) = node.filter(|node| *node >= self.nodes.len()) {
            let last = self.nodes.len() - 1;
            return Err(ClusterError::Input(format!("there is no node {node}: take 0 to {last}")));
        }
        let wanted = self.nodes.iter().filter(|member| node.is_none_or(|node| node == member.number));
        let mut told = String::new();
        for member in wanted {
            let path = self.path(member, "log");
            let _ = writeln!(told, "== {}\n{}", path.display(), tail(&path, lines));
        }
        Ok(told)
    }
}

fn discard(path: &Path) -> Result<(), ClusterError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(machine(path.display(), error)),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// The last lines of a file.
fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// How long a node takes to answer, if it does within a second.
#[expect(clippy::disallowed_methods, reason = "how long a node takes to answer is about this machine")]
fn ping(address: SocketAddr) -> Option<Duration> {
    let second = Duration::from_secs(1);
    let begin = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, second).ok()?;
    stream.set_read_timeout(Some(second)).ok()?;
    stream.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).ok()?;
    // Whoever asks for a password serves, too.
    (answer == *b"+PONG\r\n" || answer == *b"-NOAUTH").then(|| begin.elapsed())
}
