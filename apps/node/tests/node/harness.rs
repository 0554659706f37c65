//! A node in front of the toy store, on a port of its own, and clients that speak bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use isles_node::Switchboard;
use isles_node::config::Config;
use isles_node::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::toy::Toy;

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) toy: Rc<Toy>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

/// Runs `test` against a node with these further lines of configuration; the node stops afterwards, in good order.
pub(crate) fn with_node<F: Future<Output = Node>>(more: &str, test: impl FnOnce(Node) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let node = test(start(more)).await;
        node.stop().await;
    });
}

fn start(more: &str) -> Node {
    let text = format!("node = 0\ncluster = \"test\"\nmembers = [\"127.0.0.1:7100\"]\nplain = true\n{more}");
    let text = match text.contains("[clients]") {
        true => text.replace("[clients]", "[clients]\nlisten = \"127.0.0.1:0\""),
        false => format!("{text}\n[clients]\nlisten = \"127.0.0.1:0\"\n"),
    };
    let config = Config::parse(&text, "test.toml", Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    let switchboard = Rc::new(Switchboard::default());
    let toy = Toy::new(switchboard.clone());
    let server = Server::bind(config, switchboard, toy.clone()).expect("a free port");
    let (stop, stopped) = oneshot::channel::<()>();
    let address = server.address().expect("it listens");
    let metrics = server.metrics_address();
    let task = tokio::task::spawn_local(server.run(async {
        let _ = stopped.await;
    }));
    Node { address, metrics, toy, stop: Some(stop), task }
}

impl Node {
    pub(crate) async fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Client { stream, held: Vec::new() }
    }

    pub(crate) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        tokio::time::timeout(Duration::from_secs(8), self.task).await.expect("it stops").expect("no panic");
    }
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    held: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the node reads");
    }

    /// One answer, as it came; empty at the end.
    pub(crate) async fn answer(&mut self) -> String {
        let read = async {
            loop {
                if let Some(length) = frame(&self.held, 0) {
                    return self.held.drain(..length).collect::<Vec<u8>>();
                }
                let mut part = vec![0; 65536];
                match self.stream.read(&mut part).await {
                    Ok(0) | Err(_) => return std::mem::take(&mut self.held),
                    Ok(count) => self.held.extend_from_slice(&part[..count]),
                }
            }
        };
        let bytes = tokio::time::timeout(Duration::from_secs(10), read).await.expect("an answer");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One command, written as a line, and its answer.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        let _ = self.stream.write_all(format!("{line}\r\n").as_bytes()).await;
        self.answer().await
    }

    /// Whether the node has closed the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut part = [0; 4096];
        let read = async {
            loop {
                match self.stream.read(&mut part).await {
                    Ok(0) | Err(_) => return true,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(5), read).await.unwrap_or(false)
    }
}

/// Where the frame ends that begins at `from`, in RESP2 or RESP3, if it is whole.
pub(crate) fn frame(bytes: &[u8], from: usize) -> Option<usize> {
    let line = bytes[from..].windows(2).position(|end| end == b"\r\n")? + from;
    let count = || std::str::from_utf8(&bytes[from + 1..line]).ok()?.parse::<i64>().ok();
    let after = line + 2;
    let members = match bytes[from] {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => 0,
        b'$' | b'=' | b'!' => {
            let Some(length) = usize::try_from(count().expect("a length")).ok() else { return Some(after) };
            return (bytes.len() >= after + length + 2).then_some(after + length + 2);
        }
        b'*' | b'~' | b'>' => count().expect("a length").max(0),
        b'%' => 2 * count().expect("a length"),
        other => panic!("no frame begins with {}", other.escape_ascii()),
    };
    (0..members).try_fold(after, |at, _| if at < bytes.len() { frame(bytes, at) } else { None })
}
