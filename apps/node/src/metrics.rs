//! Metrics over HTTP: one path, one answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::shared::Shared;

/// Bytes of a request.
const REQUEST_MAX: usize = 8 << 10;
/// Readers at a time.
const READERS_MAX: u32 = 16;
/// A reader has so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers `GET /metrics`.
pub(crate) async fn serve(listener: TcpListener, shared: Rc<Shared>) {
    let readers = Rc::new(Cell::new(0_u32));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        if readers.get() >= READERS_MAX {
            continue;
        }
        readers.set(readers.get() + 1);
        let (readers, shared) = (readers.clone(), shared.clone());
        tokio::task::spawn_local(async move {
            // Whoever is slow, or gone, gets nothing.
            let _ = tokio::time::timeout(PATIENCE, answer(stream, &shared)).await;
            readers.set(readers.get() - 1);
        });
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut part).await?;
        if count == 0 || request.len() + count > REQUEST_MAX {
            return Ok(());
        }
        request.extend_from_slice(&part[..count]);
    }
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (status, body) = match (words.next(), words.next()) {
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", shared.metrics()),
        (Some(b"GET"), Some(_)) => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
