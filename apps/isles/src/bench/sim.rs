//! The group `sim`: what the simulator costs.

use super::measure::Effort;
use super::phold::{Load, WIDE};
use super::{Bench, Group, cluster, phold};

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
        phold!("phold-1e3", 1_000, 1),
        phold!("phold-1e5", 100_000, 1),
        phold!("phold-1e6", 1_000_000, 1),
        phold!("phold-1e3-x4", 1_000, 4),
        phold!("phold-1e5-x4", 100_000, 4),
        phold!("phold-1e6-x4", 1_000_000, 4),
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
