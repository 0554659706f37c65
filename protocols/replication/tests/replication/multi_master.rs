//! Multi-master.

use isles_kernel::{Cx, Effect, ProcessId, Protocol, Span, Time};
use isles_replication::multi_master::{Config, Event, MultiMaster, Rule, Stamp, Stamped};
use isles_replication::store::{Op, Update};
use isles_sim::{Fault, Who};

use crate::world::{REPLICAS, durations, reads_and_writes, run};

const fn config(rule: Rule) -> Config {
    Config { replicas: REPLICAS, rule, mistake: None }
}

fn equal_in_the_end(rule: Rule, seed: u64, faults: &[(u64, Fault)], adds_only: bool) -> bool {
    let run = run::<MultiMaster>(config(rule), seed, faults, |client, choices| {
        let (object, amount) = (choices.below(2), client as i64 + 1);
        let write = !adds_only && choices.below(2) == 0;
        Some(if write { Op::Write { object, value: amount } } else { Op::Add { object, amount } })
    });
    assert_eq!(run.history.open().count(), 0, "everybody is answered, whatever happens");
    let stores: Vec<_> = run.sim.live().map(|(_, replica)| replica.store()).collect();
    stores.windows(2).all(|two| two[0] == two[1])
}

#[test]
fn timestamps_make_replicas_equal_and_arrival_does_not() {
    for seed in 1..=5 {
        assert!(equal_in_the_end(Rule::LastWriter, seed, &[], false), "seed {seed}");
        assert!(!equal_in_the_end(Rule::Arrival, seed, &[], false), "seed {seed}: the control must fail");
        assert!(
            equal_in_the_end(Rule::Arrival, seed, &[], true),
            "seed {seed}: sums do not depend on the order"
        );
    }
}

#[test]
fn a_partition_stops_nobody_and_is_forgotten_when_it_heals() {
    let cut = Fault::Partition(vec![Who::Ids(vec![ProcessId(0), ProcessId(1)])]);
    let healed = [(200, cut.clone()), (1_500, Fault::Heal)];
    for seed in 1..=5 {
        assert!(equal_in_the_end(Rule::LastWriter, seed, &healed, false), "seed {seed}");
        assert!(
            !equal_in_the_end(Rule::LastWriter, seed, &[(200, cut.clone())], true),
            "seed {seed}: apart for ever"
        );
    }
}

#[test]
fn nothing_waits() {
    let run = run::<MultiMaster>(config(Rule::LastWriter), 1, &[], reads_and_writes());
    assert!(durations(&run.history, |_| true).iter().all(|span| *span == Span::ZERO));
}

#[test]
fn a_forged_timestamp_is_dropped() {
    let mut effects: Vec<Effect<MultiMaster>> = Vec::new();
    let config = config(Rule::LastWriter);
    let mut replica = MultiMaster::start(&mut Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects), &[]);
    let msg = |clock, replica| Stamped {
        stamp: Stamp { clock, replica: ProcessId(replica) },
        update: Update::Set { object: 0, value: 5 },
    };
    for forged in [msg(1, 2), msg(u64::MAX, 1)] {
        let mut cx = Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects);
        replica.on_message(&mut cx, ProcessId(1), forged);
    }
    let mut cx = Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects);
    replica.on_message(&mut cx, ProcessId(1), msg(7, 1));
    let mut cx = Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects);
    replica.on_message(&mut cx, ProcessId(1), msg(7, 1));
    let rejected = Effect::Emit { event: Event::Rejected { from: ProcessId(1) } };
    let applied = Effect::Emit { event: Event::Applied(msg(7, 1)) };
    assert_eq!(effects, [rejected.clone(), rejected.clone(), applied, rejected]);
    assert_eq!(replica.store().get(0), 5);
}
