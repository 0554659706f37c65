//! A run can be copied at any moment, and both go on.

use isles_sim::{Fault, Memory, Who};

use crate::world::{Cast, Persist, Send, World, apart, ids, ms, tell, uniform, world};

fn busy() -> World {
    let mut sim = world(30, uniform(1, 50));
    for n in 0..600 {
        let (who, to) = (n % 30, n * 7 % 30);
        tell(&mut sim, u64::from(n), who, vec![Send(to, n), Cast(to, n), Persist(n), Send(0, n)]);
    }
    sim.inject(ms(100), apart(&[&[1, 2, 3]]));
    sim.inject(ms(150), Fault::Pause(ids(&[4])));
    sim.inject(ms(160), Fault::Crash(ids(&[5])));
    sim.inject(ms(300), Fault::Heal);
    sim.inject(ms(310), Fault::Resume(Who::All));
    sim.inject(ms(320), Fault::Restart { who: Who::All, memory: Memory::Kept });
    sim
}

#[test]
fn a_snapshot_goes_on_like_the_run_it_was_taken_of() {
    for moment in [0, 1, 120, 155, 161, 305, 400] {
        let mut sim = busy();
        sim.run_until(ms(moment), &mut ());
        let mut copy = sim.clone();
        assert_eq!(copy.digest(), sim.digest());
        sim.run_until(ms(1_000), &mut ());
        copy.run_until(ms(1_000), &mut ());
        assert_eq!(copy.digest(), sim.digest(), "taken at {moment} ms");
        assert_eq!(copy.counters(), sim.counters());
        assert!(copy.live().zip(sim.live()).all(|(a, b)| a == b));
    }
}

#[test]
fn a_fault_in_a_snapshot_does_not_touch_the_run() {
    let alone = {
        let mut sim = busy();
        sim.run_until(ms(1_000), &mut ());
        sim.digest()
    };
    let mut sim = busy();
    sim.run_until(ms(120), &mut ());
    let mut copy = sim.clone();
    copy.inject(ms(130), Fault::Crash(ids(&[7])));
    copy.run_until(ms(1_000), &mut ());
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(sim.digest(), alone);
    assert_ne!(copy.digest(), alone);
}
