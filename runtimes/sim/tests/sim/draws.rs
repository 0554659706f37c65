//! Random choices have names: what is taken out or added changes no other.

use isles_kernel::Time;
use isles_sim::{Fault, Links, Memory, Who};

use crate::world::{Cast, Choose, Chose, Send, Trace, World, ids, ms, p, seen, tell, uniform, world};

const COUNT: u32 = 20;

fn lossy() -> Links {
    Links { loss: 0.2, duplication: 0.1, reordering: 0.1, ..uniform(5, 50) }
}

/// Every process casts and streams to its neighbours at fixed instants.
fn talk() -> World {
    let mut sim = world(COUNT, lossy());
    for round in 0..30 {
        for who in 0..COUNT {
            let n = round * 1000 + who;
            let deeds = (1..4).flat_map(|k| [Cast((who + k) % COUNT, n), Send((who + k + 4) % COUNT, n)]);
            tell(&mut sim, u64::from(round) * 10, who, deeds.collect());
        }
    }
    sim
}

/// What was sent, when it arrives.
type Sent = Vec<(Time, u32, u32, Option<Time>, u32)>;

fn sent(mut sim: World) -> Sent {
    let mut trace = Trace::default();
    sim.run_until(ms(1_000), &mut trace);
    trace.sent
}

#[test]
fn a_message_more_changes_no_other_messages_fate() {
    let plain = sent(talk());
    let more = {
        let mut sim = talk();
        // Earlier at the same instant by the same process, over another link; and at other instants over the same one.
        tell(&mut sim, 95, 3, vec![Cast(4, 777_000)]);
        tell(&mut sim, 100, 3, vec![Cast(19, 777_001), Cast(18, 777_002), Choose(5)]);
        sent(sim)
    };
    let (added, same): (Sent, Sent) = more.into_iter().partition(|(.., n)| *n >= 777_000);
    assert_eq!(added.len(), 3);
    assert_eq!(same, plain);
}

#[test]
fn over_the_same_link_at_the_same_instant_only_later_messages_are_counted_anew() {
    let fates = |first: bool| {
        let mut sim = world(2, lossy());
        for at in 0..200 {
            let mut deeds = vec![Cast(1, 1), Cast(1, 2)];
            if first {
                deeds.insert(0, Cast(1, 0));
            }
            tell(&mut sim, at, 0, deeds);
        }
        let sent = sent(sim);
        [1, 2].map(|n| sent.iter().filter(|s| s.4 == n).map(|s| s.3).collect::<Vec<_>>())
    };
    assert_ne!(fates(false), fates(true), "the control: here an additional message does change others");
    // And no two of them share their fate by having one name.
    let [one, two] = fates(false);
    let alike = one.iter().zip(&two).filter(|(one, two)| one.is_some() && one == two).count();
    assert!(alike < 20, "{alike} of 200");
}

#[test]
fn a_fault_taken_out_changes_nothing_that_it_did_not_touch() {
    let with = |fault: bool| {
        let mut sim = talk();
        if fault {
            sim.inject(ms(100), Fault::Crash(ids(&[7])));
            sim.inject(ms(200), Fault::Restart { who: ids(&[7]), memory: Memory::Disk });
        }
        sim.inject(ms(150), Fault::Crash(Who::Ids(vec![p(9)])));
        sent(sim)
    };
    let of_others = |sent: Sent| -> Sent { sent.into_iter().filter(|(_, from, ..)| *from != 7).collect() };
    let (plain, faulty) = (with(false), with(true));
    assert_ne!(plain, faulty);
    // Streams to the crashed process break, which is what the fault does; everything else is as it was.
    let but_to_seven = |sent: Sent| -> Sent { sent.into_iter().filter(|(_, _, to, ..)| *to != 7).collect() };
    assert_eq!(but_to_seven(of_others(plain)), but_to_seven(of_others(faulty)));
}

#[test]
fn the_victims_drawn_by_one_fault_do_not_depend_on_the_others() {
    let crashed = |before: bool| {
        let mut sim = world(COUNT, lossy());
        if before {
            sim.inject(ms(10), Fault::Loss(0.5));
            sim.inject(ms(20), Fault::Pause(Who::Count(3)));
            sim.inject(ms(30), Fault::Resume(Who::All));
        }
        sim.inject(ms(50), Fault::Crash(Who::Fraction(0.25)));
        sim.run_until(ms(60), &mut ());
        (0..COUNT).filter(|process| sim.process(p(*process)).is_none()).collect::<Vec<_>>()
    };
    let victims = crashed(false);
    assert_eq!(victims.len(), 5);
    assert_eq!(victims, crashed(true));
}

#[test]
fn choices_do_not_depend_on_what_other_processes_choose() {
    let chosen = |others: u32| {
        let mut sim = world(COUNT, lossy());
        for who in 0..=others {
            tell(&mut sim, 10, who, vec![Choose(1_000_000), Choose(1_000_000)]);
        }
        sim.run_until(ms(10), &mut ());
        seen(&sim, 0)
    };
    assert_eq!(chosen(0), chosen(19));
    let (_, first) = &chosen(0)[0];
    let (_, second) = &chosen(0)[1];
    assert_ne!(first, second);
}

/// A start, an operation and a restart of one process at one instant draw for themselves.
#[test]
fn what_a_process_does_for_different_reasons_at_one_instant_is_drawn_differently() {
    let at_start = (0..4).map(|_| Choose(1 << 30)).collect();
    let setup = isles_sim::Setup::<crate::world::Script>::new(2, 1, vec![Choose(1 << 30), Cast(1, 0)]);
    let mut sim = isles_sim::Simulation::new(setup).expect("a valid set-up");
    tell(&mut sim, 0, 0, at_start);
    sim.run_until(ms(1), &mut ());
    let mut chosen: Vec<u32> = seen(&sim, 0)
        .into_iter()
        .filter_map(|(_, seen)| if let Chose(n) = seen { Some(n) } else { None })
        .collect();
    assert_eq!(chosen.len(), 5);
    chosen.sort_unstable();
    chosen.dedup();
    assert_eq!(chosen.len(), 5, "no draw has the name of another");
}

#[test]
fn the_same_instant_and_link_reached_for_two_reasons_has_two_fates() {
    let mut alike = 0;
    for seed in 0..50 {
        let config = vec![Cast(1, 0)];
        let links = uniform(5, 500);
        let setup =
            isles_sim::Setup { links, ..isles_sim::Setup::<crate::world::Script>::new(2, seed, config) };
        let mut sim = isles_sim::Simulation::new(setup).expect("a valid set-up");
        tell(&mut sim, 0, 0, vec![Cast(1, 1)]);
        let arrivals: Vec<Option<Time>> =
            sent(sim).into_iter().filter(|sent| sent.1 == 0).map(|sent| sent.3).collect();
        assert_eq!(arrivals.len(), 2);
        alike += u32::from(arrivals[0] == arrivals[1]);
    }
    assert!(alike < 3, "{alike} of 50");
}
