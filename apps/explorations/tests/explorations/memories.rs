//! CON-03 and CON-05: what replicated memories promise.

use isles_explorations::judge::Promise;
use isles_explorations::scenarios::{memory, multi_master, primary_backup};
use isles_explorations::workload::{Mix, Workload};
use isles_explore::Clients;
use isles_replication::memory::{Reads, Writes};
use isles_replication::multi_master::Rule;
use isles_replication::primary_backup::Mode;

use crate::{explore, failures};

/// Two clients that write and read, and one that writes while two read.
const WORKLOADS: [Workload; 2] = [
    Workload { clients: 2, operations: 2, objects: 1, mix: Mix::WritesAndReads },
    Workload { clients: 3, operations: 1, objects: 1, mix: Mix::WriterAndReaders },
];

/// Whether all workloads keep the promise.
fn keeps(writes: Writes, reads: Reads, promise: Promise) -> bool {
    let kept = |workload| {
        let parameters = memory::Parameters { writes, reads, workload, promise, ..Default::default() };
        let report = explore(memory::scenario(parameters));
        assert!(report.is_proof() || report.failure().is_some(), "{report}");
        report.is_proof()
    };
    WORKLOADS.into_iter().all(kept)
}

#[test]
fn who_waits_for_what_decides_what_a_memory_promises() {
    // Writes, reads, sequentially consistent, linearizable.
    let table = [
        (Writes::AtOnce, Reads::AtOnce, false, false),
        (Writes::Delivered, Reads::AtOnce, true, false),
        (Writes::AtOnce, Reads::AfterOwnWrites, true, false),
        (Writes::Acknowledged, Reads::AtOnce, true, false),
        (Writes::Acknowledged, Reads::Stable, true, true),
        (Writes::Delivered, Reads::Ordered, true, true),
    ];
    for (writes, reads, sequential, linearizable) in table {
        assert_eq!(keeps(writes, reads, Promise::Sequential), sequential, "{writes:?} {reads:?}");
        assert_eq!(keeps(writes, reads, Promise::Linearizable), linearizable, "{writes:?} {reads:?}");
    }
}

#[test]
fn remote_clients_snapshots_and_more_replicas_change_nothing() {
    let snapshots = Workload { clients: 2, operations: 2, objects: 2, mix: Mix::WritesAndSnapshots };
    for (replicas, place, workload) in [
        (2, Clients::Remote, WORKLOADS[0]),
        (2, Clients::Attached, snapshots),
        (3, Clients::Attached, WORKLOADS[1]),
    ] {
        let parameters = memory::Parameters { replicas, place, workload, ..Default::default() };
        let report = explore(memory::scenario(parameters));
        assert!(report.is_proof(), "{report}");
    }
}

#[test]
fn what_a_primary_acknowledged_survives_crashes() {
    for (crashes, states) in [(0, 814), (1, 15_783), (2, 30_255)] {
        let report =
            explore(primary_backup::scenario(primary_backup::Parameters { crashes, ..Default::default() }));
        assert!(report.is_proof(), "{report}");
        assert_eq!(report.states, states);
    }
}

#[test]
fn a_lazy_primary_loses_what_it_acknowledged_and_a_backup_is_stale() {
    let lazy = |crashes| {
        let parameters = primary_backup::Parameters { mode: Mode::Lazy, crashes, ..Default::default() };
        failures(primary_backup::scenario(parameters))
    };
    assert_eq!(lazy(1), ["linearizable"]);
    assert_eq!(lazy(0), [""; 0]);
    let workload = Workload { clients: 3, operations: 1, ..primary_backup::Parameters::default().workload };
    let anywhere =
        primary_backup::Parameters { read_anywhere: true, crashes: 0, workload, ..Default::default() };
    assert_eq!(failures(primary_backup::scenario(anywhere)), ["linearizable"]);
}

#[test]
fn masters_converge_by_timestamps_and_not_by_arrival() {
    let report = explore(multi_master::scenario(multi_master::Parameters::default()));
    assert!(report.is_proof() && report.states == 78_863, "{report}");
    let few = Workload { operations: 1, ..multi_master::Parameters::default().workload };
    let arrival = multi_master::Parameters { rule: Rule::Arrival, workload: few, ..Default::default() };
    assert_eq!(failures(multi_master::scenario(arrival)), ["at rest, all replicas hold the same"]);
    let asked = multi_master::Parameters {
        promise: Promise::Sequential,
        workload: Workload { objects: 2, ..Workload::default() },
        ..Default::default()
    };
    assert_eq!(failures(multi_master::scenario(asked)), ["sequentially consistent"]);
}
