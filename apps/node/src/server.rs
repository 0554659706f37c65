//! Listens for clients, within limits, and ends those that overdo it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio_rustls::TlsAcceptor;

use crate::config::{Config, Limits};
use crate::connection::{Connection, End};
use crate::shared::{Shared, count};
use crate::switchboard::{About, Backend, Doom, Line, Switchboard};

/// After so long without a byte, the system asks whether the client is still there.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(60);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// What is under way when the node stops has so long to end.
const GRACE: Duration = Duration::from_secs(5);

/// Why clients cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is in use, or is not this machine's.
    #[error("cannot listen on {address}: {error}; is another node or Redis running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// Certificate or key of the clients' TLS cannot be used.
    #[error("clients.tls: {0}")]
    Tls(String),
}

/// Serves clients. All of it runs on one thread, in a `LocalSet`.
pub struct Server {
    shared: Rc<Shared>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    metrics: Option<TcpListener>,
}

impl Server {
    /// Listens, and accepts nobody yet. `switchboard` is where `backend` delivers its replies.
    ///
    /// # Errors
    /// When an address cannot be listened on, or the files of TLS cannot be used.
    pub fn bind(
        config: Config,
        switchboard: Rc<Switchboard>,
        backend: Rc<dyn Backend>,
    ) -> Result<Self, ServeError> {
        let tls =
            config.clients.tls.as_ref().map(crate::tls::acceptor).transpose().map_err(ServeError::Tls)?;
        let listener = listen(config.clients.listen)?;
        let metrics = config.metrics.map(listen).transpose()?;
        let shared = Rc::new(Shared::new(config, switchboard, backend));
        Ok(Self { shared, listener, tls: tls.map(Arc::new).map(TlsAcceptor::from), metrics })
    }

    /// Where clients connect.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where metrics are served, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Serves clients until `stop` is ready, and then what is under way.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { shared, listener, tls, metrics } = self;
        let mut tasks: Vec<JoinHandle<()>> = vec![spawn_local(sweep(shared.clone()))];
        if let Some(metrics) = metrics {
            tasks.push(spawn_local(crate::metrics::serve(metrics, shared.clone())));
        }
        tokio::select! {
            () = stop => {}
            () = accept(&shared, &listener, tls.as_ref()) => {}
        }
        drop(listener);
        for line in shared.switchboard.all() {
            line.end(Doom::Stop);
        }
        let ended = async {
            while shared.switchboard.len() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(clients = shared.switchboard.len(), "clients with requests under way are ended");
        }
        for task in tasks {
            task.abort();
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|error| ServeError::Listen { address, error })
}

async fn accept(shared: &Rc<Shared>, listener: &TcpListener, tls: Option<&TlsAcceptor>) {
    // Complaints of the same kind are told once a second.
    let complained = Cell::new(u64::MAX);
    let may_complain = || complained.replace(shared.second.get()) != shared.second.get();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if shared.switchboard.len() >= shared.config.limits.clients as usize {
                    count(&shared.stats.refused);
                    if may_complain() {
                        tracing::warn!(client = %address, limit = shared.config.limits.clients, "too many clients: refused (limits.clients)");
                    }
                    if tls.is_none() {
                        // Whether it can be told changes nothing.
                        let _ = stream.try_write(b"-ERR max number of clients reached\r\n");
                    }
                    continue;
                }
                admit(shared, stream, address, tls);
            }
            Err(error) => {
                if may_complain() {
                    tracing::error!(%error, "cannot accept clients; if files are exhausted, raise the limit (ulimit -n) or lower limits.clients");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn admit(shared: &Rc<Shared>, stream: TcpStream, address: SocketAddr, tls: Option<&TlsAcceptor>) {
    // What a socket cannot do makes it slower, not wrong.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    count(&shared.stats.connections);
    let about = About {
        address: address.to_string(),
        local: stream.local_addr().map(|local| local.to_string()).unwrap_or_default(),
        since: shared.second.get(),
        ..About::default()
    };
    tracing::debug!(client = %address, "client connected");
    let line = shared.switchboard.open(about);
    let shared = shared.clone();
    match tls.cloned() {
        None => drop(spawn_local(async move {
            let end = Connection::new(shared.clone(), stream, line.clone()).serve().await;
            tell(&shared, &line, end);
        })),
        Some(acceptor) => drop(spawn_local(async move {
            let most = Duration::from_nanos(shared.config.limits.stalled.0);
            match tokio::time::timeout(most, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let end = Connection::new(shared.clone(), stream, line.clone()).serve().await;
                    tell(&shared, &line, end);
                }
                Ok(Err(error)) => fail(&shared, &line, &error.to_string()),
                Err(_) => fail(&shared, &line, "it took too long (limits.stalled)"),
            }
        })),
    }
}

/// A TLS handshake failed.
fn fail(shared: &Shared, line: &Line, error: &str) {
    count(&shared.stats.handshakes);
    tracing::warn!(client = %line.about.borrow().address, error, "TLS handshake failed");
    shared.switchboard.close(line);
}

/// Tells how a connection ended.
fn tell(shared: &Shared, line: &Line, end: End) {
    let about = line.about.borrow();
    let client = &about.address;
    let why = match end {
        End::Closed | End::Broken | End::Doomed(Doom::Stop | Doom::Killed) => {
            tracing::debug!(%client, ?end, "client gone");
            return;
        }
        End::Unread => "it left too many bytes unread (limits.output)",
        End::Full => "the buffers of all clients are full (limits.buffers)",
        End::Doomed(Doom::Idle) => "it was idle (limits.idle)",
        End::Doomed(Doom::Stalled) => "it stopped amid a request or an answer (limits.stalled)",
        End::Doomed(Doom::Stranger) => "it did not authenticate in time (limits.stalled)",
    };
    count(&shared.stats.cut);
    tracing::warn!(%client, why, "client ended");
}

/// Once a second, ends connections that take too long.
async fn sweep(shared: Rc<Shared>) {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    interval.tick().await;
    loop {
        interval.tick().await;
        shared.second.set(shared.second.get() + 1);
        for line in shared.switchboard.all() {
            if let Some(doom) = overdue(&line, shared.second.get(), &shared.config.limits) {
                line.end(doom);
            }
        }
    }
}

/// Why a connection is to end, if it is.
fn overdue(line: &Line, second: u64, limits: &Limits) -> Option<Doom> {
    let stalled = limits.stalled.0 / 1_000_000_000;
    let idle = limits.idle.0.div_ceil(1_000_000_000);
    let silent = second.saturating_sub(line.heard.get());
    if line.unsent.get() > 0 && second.saturating_sub(line.sent.get()) > stalled
        || line.is_amid.get() && silent > stalled
    {
        return Some(Doom::Stalled);
    }
    if !line.is_known.get() && second.saturating_sub(line.about.borrow().since) > stalled {
        return Some(Doom::Stranger);
    }
    (idle > 0 && line.waiting.get() == 0 && silent > idle).then_some(Doom::Idle)
}
