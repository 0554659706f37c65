//! The group `sim`: what the simulator costs.

use super::measure::Effort;
use super::phold::{Load, WIDE};
use super::waves::Joins;
use super::{Bench, Group, cluster, phold, waves};

const RATE: &str = "events/s";

/// PHOLD of a size.
macro_rules! phold {
    ($name:literal, $processes:literal, $pending:literal) => {
        Bench {
            figures: &[($name, RATE)],
            about: concat!("PHOLD, flights of 1 ms to 1 s, ", $pending, " in flight for each process"),
            slow: false,
            run: |effort| {
                let load = Load { processes: $processes, pending: $pending };
                vec![Some(phold::events_per_second(load, WIDE, false, effort))]
            },
        }
    };
}

/// A flood over so many processes.
macro_rules! wave {
    ($name:literal, $processes:literal, $slow:literal) => {
        Bench {
            figures: &[($name, "s")],
            about: "one flood over a random overlay of degree 8, latencies of 10 to 99 ms, datagrams",
            slow: $slow,
            run: |_| vec![Some(waves::flood_seconds($processes))],
        }
    };
}

/// Plumtree over so many processes.
macro_rules! plumtree {
    (($settled:literal, $first:literal), $processes:literal, $slow:literal) => {
        Bench {
            figures: &[($settled, "s"), ($first, "s")],
            about: "a broadcast of Plumtree over a random overlay of degree 5, 10 to 99 ms between regions, streams: \
                    along the tree, and the first one over all links",
            slow: $slow,
            run: |_| {
                let (first, settled) = waves::plumtree_seconds($processes);
                vec![Some(settled), Some(first)]
            },
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "sim",
    about: "the simulator: events a second, memory, waves over a million processes and more",
    benches: &[
        Bench {
            figures: &[("phold-1e6-bytes-per-process", "B")],
            about: "PHOLD, memory for each of 10^6 processes with its one message in flight",
            slow: false,
            run: |_| vec![phold::bytes_per_process(Load { processes: 1_000_000, pending: 1 })],
        },
        Bench {
            figures: &[("plumtree-bytes-per-process", "B"), ("plumtree-wave-bytes-per-process", "B")],
            about: "Plumtree over HyParView, 10^5 processes: with full views, and at the peak of the first broadcast",
            slow: false,
            run: |_| waves::plumtree_bytes().to_vec(),
        },
        phold!("phold-1e3", 1_000, 1),
        phold!("phold-1e5", 100_000, 1),
        phold!("phold-1e6", 1_000_000, 1),
        phold!("phold-1e3-x4", 1_000, 4),
        phold!("phold-1e5-x4", 100_000, 4),
        phold!("phold-1e6-x4", 1_000_000, 4),
        wave!("flood-wave-1e6-seconds", 1_000_000, false),
        wave!("flood-wave-1e7-seconds", 10_000_000, true),
        plumtree!(("plumtree-wave-1e6-seconds", "plumtree-first-wave-1e6-seconds"), 1_000_000, false),
        plumtree!(("plumtree-wave-1e7-seconds", "plumtree-first-wave-1e7-seconds"), 10_000_000, true),
        Bench {
            figures: &[
                ("concurrent-joins-1e4-seconds", "s"),
                ("concurrent-joins-1e4-hops", "hops"),
                ("concurrent-joins-1e4-redundancy", "payloads"),
                ("concurrent-joins-1e4-reliability", "share"),
                ("concurrent-joins-1e4-random-senders-hops", "hops"),
                ("concurrent-joins-1e4-random-senders-redundancy", "payloads"),
            ],
            about: "10^4 processes join HyParView at once through one contact; then one broadcasts by Plumtree, 10 times \
                    to shape the tree and 30 times that count; then random ones do the same",
            slow: false,
            run: |_| {
                let Joins { seconds, one_sender: one, random_senders: random } =
                    waves::concurrent_joins(10_000);
                [seconds, one.hops, one.redundancy, one.reliability, random.hops, random.redundancy]
                    .map(Some)
                    .to_vec()
            },
        },
        Bench {
            figures: &[("startup-microseconds", "µs")],
            about: "a set-up of 5 processes, started and dropped",
            slow: false,
            run: |effort| vec![Some(cluster::startup_microseconds(effort))],
        },
        Bench {
            figures: &[("small-runs-per-second", "runs/s")],
            about: "complete runs of 5 processes and 10^4 events, with loss, partitions and crashes",
            slow: false,
            run: |effort| vec![Some(cluster::small_runs_per_second(effort))],
        },
        Bench {
            figures: &[("cluster-1000-messages-per-second", "messages/s")],
            about: "1,000 processes that ask each other over streams, with loss, partitions and crashes",
            slow: false,
            run: |effort: Effort| vec![Some(cluster::messages_per_second(1_000, effort))],
        },
    ],
};
