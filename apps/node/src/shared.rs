//! What all connections of a node share.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::command::Table;
use crate::config::Config;
use crate::switchboard::{Backend, Switchboard};

/// Bytes that one read takes at most.
const READ: usize = 64 << 10;

/// What all connections of a node share.
pub(crate) struct Shared {
    /// What the node was told.
    pub(crate) config: Config,
    /// The commands.
    pub(crate) table: Table,
    /// The connections.
    pub(crate) switchboard: Rc<Switchboard>,
    backend: Rc<dyn Backend>,
    /// What was counted.
    pub(crate) stats: Stats,
    /// Seconds since the node began to serve.
    pub(crate) second: Cell<u64>,
    /// Where every connection reads to: an idle connection holds no buffer.
    pub(crate) scratch: RefCell<Box<[u8]>>,
    /// Bytes of the buffers of all connections.
    pub(crate) buffers: Cell<usize>,
}

/// What was counted since the node began to serve.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// Commands that were read.
    pub(crate) commands: Cell<u64>,
    /// Connections that were accepted.
    pub(crate) connections: Cell<u64>,
    /// Connections that were refused: there were too many.
    pub(crate) refused: Cell<u64>,
    /// Wrong passwords.
    pub(crate) strangers: Cell<u64>,
    /// Bytes that are no request.
    pub(crate) malformed: Cell<u64>,
    /// Connections that the node ended: idle, stalled, too much unread.
    pub(crate) cut: Cell<u64>,
    /// TLS handshakes that failed.
    pub(crate) handshakes: Cell<u64>,
    /// Bytes read.
    pub(crate) input: Cell<u64>,
    /// Bytes written.
    pub(crate) output: Cell<u64>,
}

/// Counts one more.
pub(crate) fn count(cell: &Cell<u64>) {
    add(cell, 1);
}

/// Counts so many more.
pub(crate) fn add(cell: &Cell<u64>, more: usize) {
    cell.set(cell.get() + more as u64);
}

impl Shared {
    pub(crate) fn new(config: Config, switchboard: Rc<Switchboard>, backend: Rc<dyn Backend>) -> Self {
        Self {
            config,
            table: Table::new(),
            switchboard,
            backend,
            stats: Stats::default(),
            second: Cell::new(0),
            scratch: RefCell::new(vec![0; READ].into()),
            buffers: Cell::new(0),
        }
    }

    /// What keeps the keys.
    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Whether this user has this password. Digests are compared, so that time tells nothing of the password.
    pub(crate) fn is_user(&self, name: &[u8], password: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(password).into();
        self.config.clients.users.iter().any(|user| user.name.as_bytes() == name && user.digest == digest)
    }

    /// All counters, as Prometheus text.
    pub(crate) fn metrics(&self) -> String {
        let mut text = self.backend.metrics();
        let Stats { commands, connections, refused, strangers, malformed, cut, handshakes, input, output } =
            &self.stats;
        let mut row = |name: &str, kind: &str, help: &str, value: u64| {
            // Into a text: it cannot fail.
            let _ = writeln!(
                text,
                "# HELP isles_client_{name} {help}\n# TYPE isles_client_{name} {kind}\nisles_client_{name} {value}"
            );
        };
        row("connections", "gauge", "Clients that are connected.", self.switchboard.len() as u64);
        row("buffer_bytes", "gauge", "Bytes of the buffers of all clients.", self.buffers.get() as u64);
        row("commands_total", "counter", "Commands read.", commands.get());
        row("connections_total", "counter", "Clients accepted.", connections.get());
        row("refused_total", "counter", "Clients refused because there were too many.", refused.get());
        row("wrong_passwords_total", "counter", "Wrong passwords.", strangers.get());
        row(
            "malformed_total",
            "counter",
            "Clients ended because their bytes were no request.",
            malformed.get(),
        );
        row(
            "cut_total",
            "counter",
            "Clients ended because they were idle, stalled or did not read.",
            cut.get(),
        );
        row("handshakes_failed_total", "counter", "TLS handshakes that failed.", handshakes.get());
        row("read_bytes_total", "counter", "Bytes read from clients.", input.get());
        row("written_bytes_total", "counter", "Bytes written to clients.", output.get());
        // The end mark of OpenMetrics, if the backend wrote one, must be last.
        if text.contains("# EOF\n") {
            text = text.replace("# EOF\n", "");
            text.push_str("# EOF\n");
        }
        text
    }
}
