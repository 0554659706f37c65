//! A node beside Redis and etcd: processes of their own on loopback, with the same client in the same call.
//!
//! The client is Debian's `redis-benchmark`: 50 connections, values of 64 bytes, 10^5 keys. A server's time is that of its process, all its threads, as
//! the system counts it. Where a program is not installed its figures are left out. etcd has no such client: connections of ours put by
//! its JSON gateway.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::measure::Effort;
use super::{Bench, Group};

pub(super) const GROUP: Group = Group {
    name: "node",
    about: "a node on sockets, beside Redis and etcd",
    benches: &[
        Bench {
            figures: &[
                ("set-p1-cpu-per-op", "µs"),
                ("set-p1-cpu-per-op-redis", "µs"),
                ("set-p1-throughput", "/s wall"),
                ("set-p1-throughput-redis", "/s wall"),
                ("get-p1-cpu-per-op", "µs"),
                ("get-p1-cpu-per-op-redis", "µs"),
                ("set-p16-cpu-per-op", "µs"),
                ("set-p16-cpu-per-op-redis", "µs"),
                ("set-p16-throughput", "/s wall"),
                ("set-p16-throughput-redis", "/s wall"),
                ("get-p16-cpu-per-op", "µs"),
                ("get-p16-cpu-per-op-redis", "µs"),
            ],
            about: "one node that keeps nothing, 50 clients; p16: pipelines of 16",
            slow: true,
            run: |effort| one(effort, false),
        },
        Bench {
            figures: &[
                ("set-p1-durable-cpu-per-op", "µs"),
                ("set-p1-durable-cpu-per-op-redis", "µs"),
                ("set-p1-durable-throughput", "/s wall"),
                ("set-p1-durable-throughput-redis", "/s wall"),
                ("get-p1-durable-cpu-per-op", "µs"),
                ("get-p1-durable-cpu-per-op-redis", "µs"),
                ("set-p16-durable-cpu-per-op", "µs"),
                ("set-p16-durable-cpu-per-op-redis", "µs"),
                ("set-p16-durable-throughput", "/s wall"),
                ("set-p16-durable-throughput-redis", "/s wall"),
                ("get-p16-durable-cpu-per-op", "µs"),
                ("get-p16-durable-cpu-per-op-redis", "µs"),
            ],
            about: "one node whose writes are on the disk before they are answered (Redis: appendfsync always)",
            slow: true,
            run: |effort| one(effort, true),
        },
        Bench {
            figures: &[
                ("three-set-p1-throughput", "/s wall"),
                ("three-set-p1-throughput-etcd", "/s wall"),
                ("three-get-p1-throughput", "/s wall"),
                ("three-set-p16-throughput", "/s wall"),
            ],
            about: "three durable nodes, each key on all, write and read quorums of two; etcd: three members",
            slow: true,
            run: three,
        },
    ],
};

/// A server, killed and forgotten when it is dropped.
struct Server {
    children: Vec<Child>,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Server {
    /// Microseconds of processor time that all its processes have taken.
    fn micros(&self) -> Option<f64> {
        let ticks = |child: &Child| -> Option<f64> {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
            // After the name in parentheses; user and system time are the 14th and 15th field of all.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
        };
        // A tick is a hundredth of a second on Linux, whatever the kernel's own clock.
        Some(self.children.iter().map(ticks).sum::<Option<f64>>()? * 10_000.0)
    }
}

fn free_port() -> Option<u16> {
    Some(TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port())
}

fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::temp_dir().join(format!("isles-bench-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

fn start(command: &mut Command, log: &Path) -> Option<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).ok()?;
    command.stdin(Stdio::null()).stdout(log.try_clone().ok()?).stderr(log).spawn().ok()
}

/// Waits until somebody listens.
fn listens(port: u16) -> Option<()> {
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn redis(durable: bool) -> Option<Server> {
    let (folder, port) = (folder("redis")?, free_port()?);
    let append = if durable { "yes" } else { "no" };
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", append]);
    command.args(["--appendfsync", "always", "--dir"]).arg(&folder);
    let child = start(&mut command, &folder.join("out"))?;
    let server = Server { children: vec![child], port, folder };
    listens(port)?;
    Some(server)
}

/// So many nodes, each key on all of them.
fn nodes(count: usize, durable: bool) -> Option<Server> {
    let folder = folder(&format!("node{count}"))?;
    let ports: Vec<(u16, u16)> =
        (0..count).map(|_| Some((free_port()?, free_port()?))).collect::<Option<_>>()?;
    let members: Vec<String> = ports.iter().map(|(port, _)| format!("\"127.0.0.1:{port}\"")).collect();
    let mut server = Server { children: Vec::new(), port: ports[0].1, folder };
    let durability = if durable { "always" } else { "none" };
    for (node, (_, clients)) in ports.iter().enumerate() {
        let text = format!(
            "node = {node}\ncluster = \"bench\"\nmembers = [{}]\nplain = true\ndata = \"data-{node}\"\ndurability = \"{durability}\"\n\
             [clients]\nlisten = \"127.0.0.1:{clients}\"\n",
            members.join(", ")
        );
        let path = server.folder.join(format!("node-{node}.toml"));
        std::fs::write(&path, text).ok()?;
        let mut command = Command::new(std::env::current_exe().ok()?);
        command.args(["node", "--config"]).arg(&path);
        let out = server.folder.join(format!("out-{node}"));
        server.children.push(start(&mut command, &out)?);
    }
    ports.iter().try_for_each(|(_, clients)| listens(*clients))?;
    Some(server)
}

/// Operations per second of wall time, and microseconds of the server's time for each.
#[derive(Clone, Copy)]
struct Load {
    throughput: f64,
    micros: f64,
}

/// One load of `redis-benchmark`.
fn load(server: &Server, test: &str, (pipeline, count): (u32, u64)) -> Option<Load> {
    let begun = server.micros()?;
    let output = Command::new("redis-benchmark")
        .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", test, "-c", "50", "-d", "64"])
        .args(["-r", "100000", "-n", &count.to_string(), "-P", &pipeline.to_string(), "--csv"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.to_lowercase().starts_with(&format!("\"{test}\"")))?;
    let throughput = line.split(',').nth(1)?.trim_matches('"').parse().ok()?;
    Some(Load { throughput, micros: (server.micros()? - begun) / count as f64 })
}

/// The better of several loads of each server, in turns, so that both have the same machine.
fn both(
    servers: &[Option<Server>; 2],
    effort: Effort,
    test: &str,
    (pipeline, count): (u32, u64),
) -> [Option<Load>; 2] {
    let (rounds, count) = if effort == Effort::Quick { (1, count / 20) } else { (3, count) };
    let mut best: [Option<Load>; 2] = [None; 2];
    for _ in 0..rounds {
        for (best, server) in best.iter_mut().zip(servers) {
            let Some(load) = server.as_ref().and_then(|server| load(server, test, (pipeline, count))) else {
                continue;
            };
            *best = Some(best.map_or(load, |best| Load {
                throughput: best.throughput.max(load.throughput),
                micros: best.micros.min(load.micros),
            }));
        }
    }
    best
}

fn one(effort: Effort, durable: bool) -> Vec<Option<f64>> {
    let servers = [nodes(1, durable), redis(durable)];
    let mut figures = Vec::new();
    for (pipeline, sets, gets) in
        [(1, if durable { 100_000 } else { 300_000 }, 300_000), (16, 1_000_000, 1_000_000)]
    {
        let sets = both(&servers, effort, "set", (pipeline, sets));
        figures.extend(sets.map(|load| load.map(|load| load.micros)));
        figures.extend(sets.map(|load| load.map(|load| load.throughput)));
        let gets = both(&servers, effort, "get", (pipeline, gets));
        figures.extend(gets.map(|load| load.map(|load| load.micros)));
    }
    figures
}

fn three(effort: Effort) -> Vec<Option<f64>> {
    let server = [nodes(3, true), None];
    let throughput =
        |test, pipeline, count| both(&server, effort, test, (pipeline, count))[0].map(|load| load.throughput);
    let figures =
        [throughput("set", 1, 40_000), throughput("get", 1, 100_000), throughput("set", 16, 100_000)];
    drop(server);
    let etcd = etcd().and_then(|etcd| puts(&etcd, if effort == Effort::Quick { 500 } else { 10_000 }));
    vec![figures[0], etcd, figures[1], figures[2]]
}

fn etcd() -> Option<Server> {
    let folder = folder("etcd")?;
    let ports: Vec<(u16, u16)> = (0..3).map(|_| Some((free_port()?, free_port()?))).collect::<Option<_>>()?;
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let members: Vec<String> =
        ports.iter().enumerate().map(|(member, (port, _))| format!("m{member}={}", url(*port))).collect();
    let mut server = Server { children: Vec::new(), port: ports[0].1, folder };
    for (member, (peers, clients)) in ports.iter().enumerate() {
        let mut command = Command::new("etcd");
        command.args(["--name", &format!("m{member}"), "--initial-cluster", &members.join(",")]);
        command.args(["--listen-peer-urls", &url(*peers), "--initial-advertise-peer-urls", &url(*peers)]);
        command.args(["--listen-client-urls", &url(*clients), "--advertise-client-urls", &url(*clients)]);
        command.arg("--data-dir").arg(server.folder.join(format!("data-{member}")));
        let out = server.folder.join(format!("out-{member}"));
        server.children.push(start(&mut command, &out)?);
    }
    ports.iter().try_for_each(|(_, clients)| listens(*clients))?;
    // They listen before they have a leader.
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", server.port))
            .ok()
            .and_then(|mut stream| put(&mut stream, 0))
            .is_some()
        {
            return Some(server);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}

/// Puts per second of wall time, by 50 connections.
#[expect(clippy::disallowed_methods, reason = "throughput is about this machine's clock")]
fn puts(server: &Server, count: u64) -> Option<f64> {
    let begun = std::time::Instant::now();
    let port = server.port;
    let threads: Vec<_> = (0..50)
        .map(|client: u64| {
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
                stream.set_nodelay(true).ok()?;
                (0..count / 50).try_for_each(|number| put(&mut stream, client * 1_000_003 + number * 7919))
            })
        })
        .collect();
    let all = threads.into_iter().map(|thread| thread.join().ok().flatten()).collect::<Option<Vec<()>>>();
    all.map(|_| count as f64 / begun.elapsed().as_secs_f64())
}

/// Puts 64 bytes by the JSON gateway, which takes them in base 64.
fn put(stream: &mut TcpStream, key: u64) -> Option<()> {
    let (key, value) = (format!("{:0>16}", key % 100_000), "A".repeat(88));
    let body = format!("{{\"key\":\"{key}\",\"value\":\"{value}\"}}");
    let head =
        format!("POST /v3/kv/put HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut good) = (String::new(), 0, false);
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        good |= line.starts_with("HTTP/1.1 200");
        match line.to_lowercase().strip_prefix("content-length:") {
            Some(number) => length = number.trim().parse().ok()?,
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    good.then_some(())
}
