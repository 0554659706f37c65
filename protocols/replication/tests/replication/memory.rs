//! The memory on total order broadcast.

use isles_kernel::Span;
use isles_replication::memory::{Config, Memory, Reads, Writes};
use isles_replication::store::{Op, Reply};

use crate::world::{REPLICAS, durations, reads_and_writes, run};

fn is_read(op: &Op) -> bool {
    op.update().is_none()
}

#[test]
fn all_replicas_hold_the_same_in_the_end() {
    for seed in 1..=5 {
        let config = Config::new(REPLICAS, Writes::Delivered, Reads::AtOnce);
        let run = run::<Memory>(config, seed, &[], |client, choices| {
            let (object, value) = (choices.below(2), client as i64 + 1);
            Some(if choices.below(2) == 0 {
                Op::Add { object, amount: value }
            } else {
                Op::Write { object, value }
            })
        });
        let stores: Vec<_> = run.sim.live().map(|(_, replica)| replica.store()).collect();
        assert!(stores.windows(2).all(|two| two[0] == two[1]), "seed {seed}");
        assert_eq!(run.history.open().count(), 0);
    }
}

#[test]
fn what_waits_takes_as_many_links_as_the_table_says() {
    // Links of 1 to 60 ms: what waits for nothing takes none, what waits for the order at least two.
    let longest = |writes, reads, wanted: fn(&Op) -> bool| {
        let run = run::<Memory>(Config::new(REPLICAS, writes, reads), 1, &[], reads_and_writes());
        durations(&run.history, wanted).into_iter().max().expect("there are some")
    };
    let write: fn(&Op) -> bool = |op| !is_read(op);
    assert_eq!(longest(Writes::Delivered, Reads::AtOnce, is_read), Span::ZERO);
    assert_eq!(longest(Writes::AtOnce, Reads::AfterOwnWrites, write), Span::ZERO);
    assert!(longest(Writes::AtOnce, Reads::AfterOwnWrites, is_read) > Span::millis(60));
    assert!(longest(Writes::Delivered, Reads::AtOnce, write) > Span::millis(60));
    assert!(longest(Writes::Acknowledged, Reads::AtOnce, write) > Span::millis(120));
    assert!(longest(Writes::Acknowledged, Reads::Stable, is_read) > Span::millis(60));
    assert!(longest(Writes::Delivered, Reads::Ordered, is_read) > Span::millis(60));
}

#[test]
fn a_client_sees_its_own_writes_unless_nobody_waits() {
    // Each client writes an object of its own, and reads it.
    let sees = |writes, reads| {
        let mut turn = [0i64; REPLICAS as usize];
        let run = run::<Memory>(Config::new(REPLICAS, writes, reads), 3, &[], |client, _| {
            turn[client] += 1;
            let (object, value) = (client as u32, turn[client]);
            Some(if value % 2 == 1 { Op::Write { object, value } } else { Op::Read { object } })
        });
        let mut last = [0i64; REPLICAS as usize];
        run.history.operations().into_iter().all(|operation| match (&operation.op, operation.reply()) {
            (Op::Write { object, value }, _) => {
                last[*object as usize] = *value;
                true
            }
            (Op::Read { object }, Some(Reply::Value(value))) => last[*object as usize] == *value,
            _ => true,
        })
    };
    assert!(sees(Writes::Delivered, Reads::AtOnce));
    assert!(sees(Writes::AtOnce, Reads::AfterOwnWrites));
    assert!(sees(Writes::Acknowledged, Reads::Stable));
    assert!(!sees(Writes::AtOnce, Reads::AtOnce), "the control must fail");
}

#[test]
fn a_snapshot_is_of_one_moment() {
    // One client moves a coin between two objects by two writes in one order; a snapshot may see none or two, never more.
    let mut turn = 0i64;
    let run = run::<Memory>(Config::new(REPLICAS, Writes::Delivered, Reads::AtOnce), 2, &[], |client, _| {
        if client > 0 {
            return Some(Op::Snapshot);
        }
        turn += 1;
        let object = ((turn / 2) % 2) as u32;
        Some(Op::Write { object, value: turn })
    });
    let mut snapshots = 0;
    for operation in run.history.operations() {
        if let Some(Reply::Values(values)) = operation.reply() {
            snapshots += 1;
            let numbers: Vec<i64> = values.iter().map(|(_, value)| *value).collect();
            // The values of one moment are of neighbouring turns.
            assert!(numbers.len() < 2 || (numbers[0] - numbers[1]).abs() <= 2, "{numbers:?}");
        }
    }
    assert!(snapshots > 50);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let digest = |seed| {
        let config = Config::new(REPLICAS, Writes::Acknowledged, Reads::Stable);
        run::<Memory>(config, seed, &[], reads_and_writes()).sim.digest()
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}
