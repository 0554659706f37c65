//! Read one, write all.

use isles_history::Entry;
use isles_kernel::{ProcessId, Span, Time};
use isles_replication::read_one::{Config, ReadOne};
use isles_replication::store::{Op, Reply};
use isles_sim::{Fault, Links, Recorder, Setup, Simulation, Who};

use crate::world::at;

/// Two clients of three replicas, one from either end: a write at once, a read of each after two seconds.
fn run(crashed: &[u32]) -> Vec<Option<Reply>> {
    let near = |order: [u32; 3]| order.map(ProcessId).to_vec();
    let config = Config { replicas: 3, nearest: vec![near([0, 1, 2]), near([2, 1, 0])] };
    let setup = Setup { links: Links::constant(Span::millis(10)), ..Setup::new(5, 1, config) };
    let mut sim = Simulation::<ReadOne>::new(setup).expect("a valid set-up");
    sim.invoke(ProcessId(3), Op::Write { object: 4, value: 9 });
    let who = crashed.iter().copied().map(ProcessId).collect();
    sim.inject(at(1_000), Fault::Crash(Who::Ids(who)));
    sim.invoke_at(at(2_000), ProcessId(3), Op::Read { object: 4 });
    sim.invoke_at(at(2_000), ProcessId(4), Op::Read { object: 4 });
    sim.invoke_at(at(5_000), ProcessId(4), Op::Write { object: 4, value: 8 });
    let mut recorder = Recorder::default();
    sim.run_until(Time::ZERO + Span::secs(9), &mut recorder);
    recorder.history().operations().iter().map(|operation| operation.reply().cloned()).collect()
}

#[test]
fn one_replica_is_enough_and_none_is_not() {
    let all = [Some(Reply::Done), Some(Reply::Value(9)), Some(Reply::Value(9)), Some(Reply::Done)];
    assert_eq!(run(&[]), all);
    for crashed in [&[0][..], &[0, 1], &[1, 2], &[0, 2]] {
        assert_eq!(run(crashed), all, "{crashed:?}");
    }
    assert_eq!(run(&[0, 1, 2]), [Some(Reply::Done), None, None, None]);
}

#[test]
fn a_read_takes_a_round_trip_and_asks_one() {
    let config = Config { replicas: 3, nearest: vec![vec![ProcessId(1), ProcessId(0), ProcessId(2)]] };
    let setup = Setup { links: Links::constant(Span::millis(10)), ..Setup::new(4, 1, config) };
    let mut sim = Simulation::<ReadOne>::new(setup).expect("a valid set-up");
    sim.invoke(ProcessId(3), Op::Read { object: 0 });
    let mut recorder = Recorder::default();
    sim.run_until(at(1_000), &mut recorder);
    let returned = recorder.history().entries().iter().find(|entry| matches!(entry, Entry::Return { .. }));
    assert_eq!(returned.map(Entry::time), Some(at(20)));
    let messages: u64 = sim.counters().kinds().map(|kind| kind.count).sum();
    assert_eq!(messages, 2);
}
