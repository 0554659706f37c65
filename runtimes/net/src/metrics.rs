//! What a host counts, for Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counters of one host.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) sent: Counter,
    pub(crate) sent_bytes: Counter,
    pub(crate) received: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) datagrams_sent: Counter,
    pub(crate) datagrams_received: Counter,
    pub(crate) dropped: Counter,
    pub(crate) rejected: Counter,
    pub(crate) operations: Counter,
    pub(crate) replies: Counter,
    pub(crate) timers: Counter,
    pub(crate) unreachable: Counter,
    pub(crate) connects: Counter,
    pub(crate) refused: Counter,
    pub(crate) streams: Gauge,
    pub(crate) records: Counter,
    pub(crate) syncs: Counter,
    pub(crate) log_bytes: Gauge,
    pub(crate) snapshots: Counter,
    pub(crate) sync_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("isles");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let sent = counter("messages_sent", "Messages handed to streams");
        let sent_bytes = counter("message_bytes_sent", "Bytes of frames handed to streams");
        let received = counter("messages_received", "Messages that streams brought");
        let received_bytes = counter("message_bytes_received", "Bytes that streams brought");
        let datagrams_sent = counter("datagrams_sent", "Datagrams sent");
        let datagrams_received = counter("datagrams_received", "Datagrams received");
        let dropped = counter(
            "messages_dropped",
            "Messages that were queued for a stream that broke, and lost datagrams",
        );
        let rejected = counter("rejected", "Frames and datagrams that could not be understood");
        let operations = counter("operations", "Operations that clients invoked");
        let replies = counter("replies", "Operations that were answered");
        let timers = counter("timers", "Timers that came due");
        let unreachable = counter("unreachable", "Times that a stream broke or was not made");
        let connects = counter("connects", "Streams that were made to others");
        let refused = counter("refused", "Incoming streams that were refused");
        let records = counter("log_records", "Records written to the log");
        let syncs = counter("log_syncs", "Times that the disk was waited for");
        let snapshots = counter("log_snapshots", "Snapshots that took the place of a log");
        let (streams, log_bytes) = (Gauge::default(), Gauge::default());
        registry.register("streams_incoming", "Incoming streams that are open", streams.clone());
        registry.register("log_bytes", "Bytes of the log", log_bytes.clone());
        let sync_seconds = Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        registry.register("log_sync_seconds", "How long batches took to be durable", sync_seconds.clone());
        Self {
            registry,
            sent,
            sent_bytes,
            received,
            received_bytes,
            datagrams_sent,
            datagrams_received,
            dropped,
            rejected,
            operations,
            replies,
            timers,
            unreachable,
            connects,
            refused,
            streams,
            records,
            syncs,
            log_bytes,
            snapshots,
            sync_seconds,
        }
    }

    /// All of them as Prometheus text (OpenMetrics).
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }
}
