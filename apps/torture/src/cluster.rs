//! Nodes as processes, each on its host.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::hosts::Hosts;
use crate::switch::address;

/// Nodes, and what is needed to start them again.
pub struct Cluster {
    /// Where everything of the run is.
    pub folder: PathBuf,
    program: PathBuf,
    /// Said before `--config`, for controls.
    words: Vec<String>,
    /// None on loopback, where ways cannot be cut.
    pub hosts: Option<Hosts>,
    nodes: Vec<Option<Child>>,
    ports: Vec<(u16, u16)>,
}

/// How a cluster is made.
pub struct Plan {
    /// Where everything of the run goes; made if absent.
    pub folder: PathBuf,
    /// What runs a node when `WORDS --config FILE` is said to it.
    pub program: PathBuf,
    /// Those words.
    pub words: Vec<String>,
    /// How many.
    pub nodes: usize,
    /// On hosts of their own; otherwise on loopback.
    pub apart: bool,
    /// Of the losses on ways between hosts.
    pub seed: u64,
}

/// The disk of a host, in MiB.
const DISK: u32 = 256;

impl Cluster {
    /// Makes hosts, keys and configurations; no node runs yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new(plan: Plan) -> Result<Self> {
        std::fs::create_dir_all(&plan.folder).with_context(|| plan.folder.display().to_string())?;
        let mut hosts = if plan.apart { Some(Hosts::new(plan.nodes, plan.seed)?) } else { None };
        let mut ports = Vec::new();
        for node in 0..plan.nodes {
            ports.push(if plan.apart { (7100, 6379) } else { (free_port()?, free_port()?) });
            let disk = plan.folder.join(format!("disk-{node}"));
            match &mut hosts {
                Some(hosts) => hosts.mount(&disk, DISK)?,
                None => std::fs::create_dir_all(&disk)?,
            }
        }
        isles_net::keys::make(&plan.folder.join("keys"), "torture", plan.nodes)?;
        let nodes = (0..plan.nodes).map(|_| None).collect();
        let cluster =
            Self { folder: plan.folder, program: plan.program, words: plan.words, hosts, nodes, ports };
        for node in 0..plan.nodes {
            std::fs::write(cluster.configuration(node), cluster.text(node))?;
        }
        Ok(cluster)
    }

    /// How many nodes there are, running or not.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn host(&self, node: usize) -> String {
        if self.hosts.is_some() { address(node) } else { "127.0.0.1".to_owned() }
    }

    /// Where a node serves clients.
    pub fn clients(&self, node: usize) -> String {
        format!("{}:{}", self.host(node), self.ports[node].1)
    }

    fn configuration(&self, node: usize) -> PathBuf {
        self.folder.join(format!("node-{node}.toml"))
    }

    fn text(&self, node: usize) -> String {
        let members: Vec<String> =
            (0..self.len()).map(|node| format!("\"{}:{}\"", self.host(node), self.ports[node].0)).collect();
        format!(
            "node = {node}\ncluster = \"torture\"\nmembers = [{}]\ndata = \"disk-{node}/data\"\ndurability = \"always\"\n\
             keys = \"keys\"\nrecording = \"recordings\"\n\n[clients]\nlisten = \"{}\"\nopen = true\n",
            members.join(", "),
            self.clients(node)
        )
    }

    /// The folder of a node's log.
    pub fn data(&self, node: usize) -> PathBuf {
        self.disk(node).join("data")
    }

    /// The disk of a node's host.
    pub fn disk(&self, node: usize) -> PathBuf {
        self.folder.join(format!("disk-{node}"))
    }

    /// Starts a node that does not run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, node: usize) -> Result<()> {
        if self.is_running(node) {
            return Ok(());
        }
        let log = self.folder.join(format!("node-{node}.log"));
        let log = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = match &self.hosts {
            Some(hosts) => hosts.command(node, &self.program),
            None => Command::new(&self.program),
        };
        command.args(&self.words).arg("--config").arg(self.configuration(node));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.nodes[node] = Some(command.spawn().with_context(|| self.program.display().to_string())?);
        Ok(())
    }

    /// Whether a node's process runs. One that has ended by itself has said why in its log.
    pub fn is_running(&mut self, node: usize) -> bool {
        match &mut self.nodes[node] {
            Some(child) => !matches!(child.try_wait(), Ok(Some(_)) | Err(_)),
            None => false,
        }
    }

    /// Sends a running node a signal.
    fn signal(&mut self, node: usize, signal: Signal) -> Result<()> {
        if self.is_running(node)
            && let Some(child) = &self.nodes[node]
        {
            let pid = Pid::from_raw(child.id() as i32).context("a process has a number")?;
            kill_process(pid, signal)?;
        }
        Ok(())
    }

    /// Kills a node (`kill -9`).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self, node: usize) -> Result<()> {
        self.signal(node, Signal::KILL)?;
        if let Some(mut child) = self.nodes[node].take() {
            child.wait()?;
        }
        Ok(())
    }

    /// Stops a node where it stands.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn pause(&mut self, node: usize) -> Result<()> {
        self.signal(node, Signal::STOP)
    }

    /// Lets a paused node go on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resume(&mut self, node: usize) -> Result<()> {
        self.signal(node, Signal::CONT)
    }

    /// Asks a node to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not within 10 s.
    pub fn stop(&mut self, node: usize) -> Result<()> {
        self.signal(node, Signal::TERM)?;
        for _ in 0..1000 {
            if !self.is_running(node) {
                self.nodes[node] = None;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("node {node} did not stop within 10 s")
    }

    /// Waits until a node serves clients.
    ///
    /// # Errors
    /// When it does not within `patience`, with the end of its log.
    pub fn serves(&mut self, node: usize, patience: Duration) -> Result<()> {
        for _ in 0..patience.as_millis() / 20 {
            if std::net::TcpStream::connect(self.clients(node)).is_ok() {
                return Ok(());
            }
            if !self.is_running(node) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("node {node} does not serve clients; the end of its log:\n{}", self.last_words(node))
    }

    /// The end of a node's log.
    pub fn last_words(&self, node: usize) -> String {
        let text = std::fs::read_to_string(self.folder.join(format!("node-{node}.log"))).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Puts the beginning of a batch at the end of a node's log, as a crash in the middle of a write would.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn tear(&self, node: usize, bytes: usize) -> Result<()> {
        let Some(path) = newest(&self.data(node))? else { return Ok(()) };
        let whole = std::fs::read(&path)?;
        // The beginning of the file's first batch is like that of any other, and its number is wrong.
        let torn = &whole[24.min(whole.len())..(24 + bytes).min(whole.len())];
        OpenOptions::new().append(true).open(&path)?.write_all(torn)?;
        Ok(())
    }

    /// Fills the disk of a node's host, and says where.
    ///
    /// # Errors
    /// When something else is wrong than that it is full.
    pub fn fill(&self, node: usize) -> Result<PathBuf> {
        let path = self.disk(node).join("filler");
        let mut file = File::create(&path)?;
        let block = vec![0; 1 << 16];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(path),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in 0..self.len() {
            if let Err(error) = self.resume(node).and_then(|()| self.kill(node)) {
                crate::say(&format!("node {node}: {error:#}"));
            }
        }
    }
}

/// The log file of the greatest number in a folder.
fn newest(folder: &Path) -> Result<Option<PathBuf>> {
    let mut newest: Option<PathBuf> = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") && newest.as_ref() < Some(&path) {
            newest = Some(path);
        }
    }
    Ok(newest)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
