//! A node as a process: its store on sockets and disk, its clients, its log, its end.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use isles_kernel::{OpId, Time};
use isles_net::{Host, Keys, LogSettings, Recording, Security, Settings, StartError};
use isles_quorum::store::{self, Event, Op, Store};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use crate::about::About;
use crate::config::{Config, Durability, LogFormat, LogLevel};
use crate::server::{ServeError, Server};
use crate::switchboard::{Backend, Switchboard};

/// What nodes speak with each other; others are refused.
pub const PROTOCOL: &str = "store 1";

/// Why a node does not run, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The store cannot be as it is configured.
    #[error("{0}")]
    Store(#[from] store::ConfigError),
    /// The nodes' port, the keys, the log or the recording cannot be used.
    #[error("{0}")]
    Start(#[from] StartError),
    /// Keys cannot be used.
    #[error("{0}; `isles keys` makes them")]
    Keys(#[from] isles_net::KeysError),
    /// Clients cannot be served.
    #[error("{0}")]
    Serve(#[from] ServeError),
    /// The disk failed while the node ran.
    #[error("{0}; the node ended, since it can promise nothing any more")]
    Disk(String),
    /// The system refused.
    #[error("the system: {0}")]
    System(#[from] std::io::Error),
}

/// The store behind the clients' port.
struct Quorum(Host<Store>);

impl Backend for Quorum {
    fn invoke(&self, id: OpId, op: Op) {
        self.0.invoke(id, op);
    }

    fn now(&self) -> Time {
        self.0.now()
    }

    fn metrics(&self) -> String {
        self.0.metrics()
    }
}

/// Runs a node until it is told to end (SIGTERM, SIGINT), and ends it in good order.
///
/// # Errors
/// When it cannot start, or its disk fails.
pub fn run(config: Config) -> Result<(), RunError> {
    run_with(config, |_| ())
}

/// As [`run`], with something of the store changed before it starts: its time-outs, or a mistake of the museum.
///
/// # Errors
/// As [`run`].
pub fn run_with(config: Config, adapt: impl FnOnce(&mut store::Config)) -> Result<(), RunError> {
    log_to_stderr(&config);
    raise_files(config.limits.clients);
    let outcome = run_until(config, adapt, async {
        match told_to_end().await {
            Ok(()) => tracing::info!("told to end: requests under way are finished"),
            Err(error) => tracing::error!(%error, "signals cannot be received"),
        }
    });
    match &outcome {
        Ok(()) => tracing::info!("node stopped"),
        Err(error) => tracing::error!(%error, "node stopped"),
    }
    outcome
}

/// Runs a node on this thread until `stop` is ready, and ends it in good order. For whoever embeds one.
///
/// # Errors
/// When it cannot start, or its disk fails.
pub fn run_until(
    config: Config,
    adapt: impl FnOnce(&mut store::Config),
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, serve(config, adapt, stop))
}

async fn serve(
    config: Config,
    adapt: impl FnOnce(&mut store::Config),
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let switchboard = Rc::new(Switchboard::default());
    let replies = Rc::clone(&switchboard);
    let mut shared = About::new(&config).store()?;
    adapt(&mut shared);
    let shared = Arc::new(shared);
    let host = Host::<Store>::start(
        settings(&config)?,
        shared,
        move |(id, reply)| replies.deliver(id, reply),
        |event| tell(&event),
    )
    .await?;
    let server = match Server::bind(config.clone(), switchboard, Rc::new(Quorum(host.clone()))) {
        Ok(server) => server,
        Err(error) => {
            host.stop().await;
            return Err(error.into());
        }
    };
    tracing::info!(
        node = config.node.0,
        cluster = config.cluster,
        members = config.members.join(","),
        clients = %server.address()?,
        tls = config.clients.tls.is_some(),
        durability = ?config.durability,
        data = %config.data.display(),
        version = env!("CARGO_PKG_VERSION"),
        "node serves clients"
    );
    let failure = RefCell::new(None);
    server
        .run(async {
            tokio::select! {
                why = host.failed() => {
                    failure.replace(Some(why));
                }
                () = stop => {}
            }
        })
        .await;
    host.stop().await;
    failure.into_inner().map_or(Ok(()), |why| Err(RunError::Disk(why)))
}

async fn told_to_end() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn settings(config: &Config) -> Result<Settings, RunError> {
    let security = match &config.keys {
        None => Security::Plain,
        Some(folder) => Security::Tls(Keys::read(folder, config.node.index())?),
    };
    let log = |durability| LogSettings { durability, ..LogSettings::new(&config.data) };
    Ok(Settings {
        me: config.node,
        members: config.members.clone(),
        listen: None,
        cluster: config.cluster.clone(),
        protocol: PROTOCOL.to_owned(),
        security,
        log: match config.durability {
            Durability::None => None,
            Durability::EverySecond => Some(log(isles_net::Durability::EverySecond)),
            Durability::Always => Some(log(isles_net::Durability::Always)),
        },
        recording: config.recording.as_ref().map(|folder| recording(config, folder)).transpose()?,
        limits: isles_net::Limits::default(),
    })
}

/// A file of this start, named by its time; with what makes the store's configuration again.
fn recording(config: &Config, folder: &Path) -> Result<Recording, RunError> {
    std::fs::create_dir_all(folder)?;
    let about = serde_json::to_value(About::new(config)).map_err(std::io::Error::from)?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    Ok(Recording { path: folder.join(format!("node-{}-{now}.isles", config.node.0)), about })
}

/// What happens inside the store, for whoever looks into it.
fn tell(event: &Event) {
    match event {
        Event::Rejected { from, why } => tracing::warn!(%from, ?why, "message of another node dropped"),
        Event::InDoubt(transaction) => {
            tracing::info!(?transaction, "a transaction's coordinator is silent: others are asked")
        }
        Event::Repaired { replica } => {
            tracing::debug!(%replica, "a replica was behind and has been written to")
        }
        Event::Aborted(transaction) => tracing::debug!(?transaction, "transaction aborted"),
        Event::Committed(_) | Event::Wounded(_) | Event::Forgotten => {}
    }
}

fn log_to_stderr(config: &Config) {
    let level = match config.log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    let builder =
        tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
    // Whoever has set one already keeps it.
    let _ = match config.log.format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(is_terminal).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Lets the process open as many files as it may, and says so if that is too few.
fn raise_files(clients: u32) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::from(clients) + 64;
    if current.is_some_and(|current| current < wanted) {
        let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let limit = Rlimit { current: Some(raised), maximum };
        if setrlimit(Resource::Nofile, limit).is_err() || raised < wanted {
            tracing::warn!(
                files = raised,
                wanted,
                "fewer files may be open than limits.clients needs: raise it with ulimit -n"
            );
        }
    }
}
