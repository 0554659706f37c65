//! Clients that do what no client should: the node's memory stays bounded, and others do not notice.

#![expect(clippy::disallowed_methods, reason = "limits in seconds are measured with this machine's clock")]

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Client, Node, with_node};

/// Someone else is served as ever.
async fn others_are_unharmed(node: &Node) {
    let mut other = node.client().await;
    assert_eq!(other.ask("SET other 1").await, "+OK\r\n");
    assert_eq!(other.ask("GET other").await, "$1\r\n1\r\n");
}

/// Bytes of all clients' buffers, as the node tells.
async fn buffers(client: &mut Client) -> usize {
    let info = client.ask("INFO memory").await;
    let line = info.lines().find_map(|line| line.strip_prefix("mem_clients_normal:")).expect("a row");
    line.trim().parse().expect("a number")
}

#[test]
fn random_bytes_are_answered_or_end_the_connection() {
    with_node("", |node| async {
        let mut state = 1_u64;
        for round in 0..200 {
            let mut bytes: Vec<u8> = Vec::new();
            for _ in 0..400 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.push((state >> 56) as u8);
            }
            if round % 2 == 0 {
                bytes.splice(0..0, *b"*3\r\n$3\r\nSET\r\n");
            }
            let mut client = node.client().await;
            // It may be closed before all is sent.
            let _ = client.stream.write_all(&bytes).await;
        }
        others_are_unharmed(&node).await;
        node
    });
}

#[test]
fn giant_and_nested_frames_are_refused_before_they_are_kept() {
    with_node("[limits]\nrequest = \"1MiB\"", |node| async {
        let nested = "*1\r\n".repeat(100_000);
        let cases = [
            ("*2000000000\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
            ("*2\r\n$3\r\nGET\r\n$2000000000\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
            (nested.as_str(), "-ERR Protocol error: expected '$', got '*'\r\n"),
            ("*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        ];
        for (bytes, expected) in cases {
            let mut client = node.client().await;
            let _ = client.stream.write_all(bytes.as_bytes()).await;
            assert_eq!(client.answer().await, expected);
            assert!(client.is_closed().await);
        }
        // Many arguments that each are small enough: together they are not.
        let mut client = node.client().await;
        client.send("*60000\r\n").await;
        let part = format!("$60000\r\n{}\r\n", "x".repeat(60_000));
        let mut sent = 0_usize;
        while client.stream.write_all(part.as_bytes()).await.is_ok() && sent < 64 << 20 {
            sent += part.len();
        }
        assert!(sent < 16 << 20, "the node read {sent} bytes of one request");
        others_are_unharmed(&node).await;
        node
    });
}

#[test]
fn whoever_does_not_read_is_cut_and_takes_bounded_memory() {
    with_node("[limits]\noutput = \"1MiB\"\nstalled = \"1s\"", |node| async {
        let mut watcher = node.client().await;
        let value = "v".repeat(400_000);
        watcher.send(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n{value}\r\n", value.len())).await;
        assert_eq!(watcher.answer().await, "+OK\r\n");
        let mut greedy = node.client().await;
        let asks = "GET k\r\n".repeat(10_000);
        let _ = tokio::time::timeout(Duration::from_secs(1), greedy.stream.write_all(asks.as_bytes())).await;
        let mut most = 0;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(4) {
            most = most.max(buffers(&mut watcher).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(most < 4 << 20, "one client that did not read took {most} bytes");
        // Behind what is in the socket's own buffers comes the end.
        assert!(greedy.is_closed().await, "it is still served");
        let info = watcher.ask("INFO stats").await;
        assert!(info.contains("client_output_buffer_limit_disconnections:1\r\n"), "{info}");
        node
    });
}

#[test]
fn half_a_request_ends_after_a_while_and_whoever_is_idle_may_stay() {
    with_node("[limits]\nstalled = \"1s\"", |node| async {
        let mut idle = node.client().await;
        let mut half = node.client().await;
        half.send("*2\r\n$3\r\nGET\r\n$5\r\nab").await;
        let begin = Instant::now();
        assert!(half.is_closed().await);
        assert!(begin.elapsed() > Duration::from_millis(900));
        assert_eq!(idle.ask("PING").await, "+PONG\r\n");
        node
    });
    with_node("[limits]\nidle = \"1s\"", |node| async {
        let mut idle = node.client().await;
        assert!(idle.is_closed().await);
        node
    });
}

#[test]
fn strangers_get_little_room_and_time_and_few_guesses() {
    with_node("[clients]\npassword = \"sesame\"\n[limits]\nstalled = \"2s\"", |node| async {
        let mut stranger = node.client().await;
        assert_eq!(stranger.ask("GET a").await, "-NOAUTH Authentication required.\r\n");
        assert_eq!(stranger.ask("HELLO 2 AUTH default sesam").await.split(' ').next(), Some("-WRONGPASS"));
        for _ in 0..6 {
            assert!(stranger.ask("AUTH wrong").await.starts_with("-WRONGPASS"));
        }
        assert!(stranger.ask("AUTH wrong").await.starts_with("-WRONGPASS"));
        assert!(stranger.is_closed().await, "it may guess for ever");
        let mut large = node.client().await;
        large.send("*2\r\n$3\r\nGET\r\n$20000\r\n").await;
        assert_eq!(large.answer().await, "-ERR Protocol error: unauthenticated bulk length\r\n");
        let mut silent = node.client().await;
        let mut friend = node.client().await;
        assert_eq!(friend.ask("AUTH sesame").await, "+OK\r\n");
        assert!(silent.is_closed().await, "it may be silent for ever");
        assert_eq!(friend.ask("PING").await, "+PONG\r\n");
        node
    });
}

#[test]
fn thousands_beyond_the_limit_are_told_so_and_others_are_served() {
    with_node("[limits]\nclients = 50", |node| async {
        let mut first = node.client().await;
        assert_eq!(first.ask("SET a 1").await, "+OK\r\n");
        let mut kept = Vec::new();
        for _ in 1..50 {
            let mut client = node.client().await;
            assert_eq!(client.ask("PING").await, "+PONG\r\n");
            kept.push(client);
        }
        for _ in 0..2_000 {
            let mut stream = TcpStream::connect(node.address).await.expect("it listens");
            let mut told = String::new();
            let _ = stream.read_to_string(&mut told).await;
            assert_eq!(told, "-ERR max number of clients reached\r\n");
        }
        assert_eq!(first.ask("GET a").await, "$1\r\n1\r\n");
        let info = first.ask("INFO stats").await;
        assert!(info.contains("rejected_connections:2000\r\n"), "{info}");
        drop(kept);
        while !first.ask("INFO clients").await.contains("connected_clients:1\r\n") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        others_are_unharmed(&node).await;
        node
    });
}

#[test]
fn whoever_leaves_amid_an_operation_leaves_nothing() {
    with_node("[limits]\nstalled = \"1s\"", |node| async {
        for _ in 0..100 {
            let mut client = node.client().await;
            client.send("SET slow:a 1\r\nGET never:b\r\n").await;
            while node.toy.held() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Closed with what it has not read: a reset.
            drop(client);
            node.toy.release();
        }
        let mut other = node.client().await;
        while !other.ask("INFO clients").await.contains("connected_clients:1\r\n") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        node
    });
}

#[test]
fn metrics_are_served_to_whoever_asks_in_time() {
    with_node("[metrics]\nlisten = \"127.0.0.1:0\"", |node| async {
        let address = node.metrics.expect("it was asked for");
        let ask = async |request: &str| {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            stream.write_all(request.as_bytes()).await.expect("it reads");
            let mut told = String::new();
            let _ = stream.read_to_string(&mut told).await;
            told
        };
        let told = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200") && told.contains("toy_up 1\n"), "{told}");
        assert!(told.contains("\nisles_client_connections 0\n"), "{told}");
        assert!(ask("GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404"));
        assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405"));
        assert_eq!(ask(&"x".repeat(20_000)).await, "");
        node
    });
}
