//! Nodes of a cluster, each on a thread of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use isles_node::config::Config;
use tokio::sync::oneshot;

pub(crate) struct Nodes {
    folder: PathBuf,
    ports: Vec<String>,
    running: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

impl Nodes {
    /// So many nodes that serve clients. Their logs are on disk, and not waited for.
    pub(crate) fn start(count: usize) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("isles-clients-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        isles_net::keys::make(&folder.join("keys"), "clients", count).expect("keys");
        let members: Vec<String> = (0..count).map(|_| format!("\"127.0.0.1:{}\"", free_port())).collect();
        let mut nodes = Self { folder, ports: Vec::new(), running: Vec::new() };
        for node in 0..count {
            let port = free_port();
            nodes.ports.push(port.to_string());
            let text = format!(
                "node = {node}\ncluster = \"clients\"\nmembers = [{}]\nkeys = \"keys\"\ndata = \"data-{node}\"\n\
                 durability = \"every-second\"\n[clients]\nlisten = \"127.0.0.1:{port}\"\n",
                members.join(", ")
            );
            let config =
                Config::parse(&text, "test.toml", &nodes.folder).unwrap_or_else(|error| panic!("{error}"));
            let (stop, stopped) = oneshot::channel::<()>();
            let thread = std::thread::spawn(move || {
                let outcome = isles_node::run::run_until(config, |_| (), async {
                    let _ = stopped.await;
                });
                assert!(outcome.is_ok(), "{outcome:?}");
            });
            nodes.running.push((stop, thread));
        }
        for port in &nodes.ports {
            nodes.wait(port);
        }
        nodes
    }

    /// Waits until a node can write: a quorum of the others is there.
    fn wait(&self, port: &str) {
        for _ in 0..500 {
            let ask = || {
                let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).ok()?;
                stream.write_all(b"SET ready 1\r\n").ok()?;
                let mut answer = [0; 5];
                stream.read_exact(&mut answer).ok()?;
                (answer == *b"+OK\r\n").then_some(())
            };
            if ask().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no node serves at {port}");
    }

    /// Where clients connect.
    pub(crate) fn ports(&self) -> &[String] {
        &self.ports
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        let (stops, threads): (Vec<_>, Vec<_>) = self.running.drain(..).unzip();
        for stop in stops {
            let _ = stop.send(());
        }
        for thread in threads {
            let _ = thread.join();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
