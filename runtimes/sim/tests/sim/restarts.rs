//! Crashes, restarts, pauses, churn and clocks.

use isles_kernel::{Span, Time};
use isles_sim::{Churn, Clocks, Disk, Distribution, Fault, Links, Memory, Setup, Simulation, Who};

use crate::world::{
    Arm, Cast, Disarm, Message, Persist, Script, Seen, Send, Started, Timer, Trace, Unreachable, Watch,
    World, got, ids, ms, p, seen, tell, uniform, world, world_with,
};

fn crash(sim: &mut World, at: u64, who: u32) {
    sim.inject(ms(at), Fault::Crash(ids(&[who])));
}

fn restart(sim: &mut World, at: u64, who: u32, memory: Memory) {
    sim.inject(ms(at), Fault::Restart { who: ids(&[who]), memory });
}

fn started(sim: &World, who: u32) -> Vec<u32> {
    let first = &sim.process(p(who)).expect("it is up").seen[0].1;
    let Started(log) = first else { panic!("{first:?} before a start") };
    log.clone()
}

/// A process persists 1 and 2, and is crashed while 2 is on its way to the disk.
fn crashed() -> World {
    let mut sim = world(3, Links::default());
    tell(&mut sim, 10, 0, vec![Persist(1)]);
    tell(&mut sim, 20, 0, vec![Persist(2), Send(1, 2)]);
    sim.inject(Time(ms(20).0 + 500_000), Fault::Crash(ids(&[0])));
    sim
}

#[test]
fn a_restart_from_disk_finds_what_was_durable() {
    let mut sim = crashed();
    restart(&mut sim, 50, 0, Memory::Disk);
    sim.run_until(ms(40), &mut ());
    assert!(sim.process(p(0)).is_none());
    assert_eq!(sim.log(p(0)), [1]);
    sim.run_until(ms(100), &mut ());
    assert_eq!(started(&sim, 0), [1]);
    assert!(got(&sim, 1, 0).is_empty(), "what waited for the record was lost with it");
    assert_eq!((sim.counters().crashes, sim.counters().restarts), (1, 1));
}

#[test]
fn a_restart_without_disk_finds_nothing() {
    let mut sim = crashed();
    restart(&mut sim, 50, 0, Memory::Lost);
    tell(&mut sim, 60, 0, vec![Persist(7)]);
    crash(&mut sim, 70, 0);
    restart(&mut sim, 80, 0, Memory::Disk);
    sim.run_until(ms(75), &mut ());
    assert_eq!(sim.syncs(p(0)), 2, "boundaries are counted on");
    sim.run_until(ms(100), &mut ());
    assert_eq!(started(&sim, 0), [7]);
}

#[test]
fn a_restart_from_memory_goes_on_with_all_that_was_under_way() {
    let mut sim = crashed();
    restart(&mut sim, 50, 0, Memory::Kept);
    sim.run_until(ms(100), &mut ());
    let script = sim.process(p(0)).expect("it is up");
    assert_eq!(script.seen.len(), 1, "it did not start again");
    // The write begins anew; what waited for it still does, and is sent then.
    assert_eq!(seen(&sim, 1), [(61, Message(0, 2))]);
    assert_eq!(sim.log(p(0)), [1, 2]);
}

#[test]
fn timers_go_on_after_a_restart_from_memory_and_not_after_one_from_disk() {
    let run = |memory| {
        let mut sim = world(2, Links::default());
        let deeds = [(1, 65), (2, 30), (3, 40), (4, 20), (5, 500), (6, 25)];
        let mut deeds: Vec<_> = deeds.map(|(timer, span)| Arm(timer, Span::millis(span))).to_vec();
        deeds.extend([Disarm(6), Arm(1, Span::millis(35)), Arm(4, Span::millis(90))]);
        tell(&mut sim, 0, 0, deeds);
        crash(&mut sim, 10, 0);
        restart(&mut sim, 60, 0, memory);
        sim.run_until(ms(1_000), &mut ());
        seen(&sim, 0)
    };
    // Due meanwhile were 2, 1 and 3, in this order.
    let expected = [(60, Timer(2)), (60, Timer(1)), (60, Timer(3)), (90, Timer(4)), (500, Timer(5))];
    assert_eq!(run(Memory::Kept), expected);
    assert_eq!(run(Memory::Disk), []);
}

#[test]
fn whoever_goes_on_from_memory_learns_that_its_streams_broke() {
    let run = |memory| {
        let mut sim = world(3, Links::default());
        tell(&mut sim, 0, 0, vec![Watch(1), Watch(2)]);
        tell(&mut sim, 0, 1, vec![Watch(0)]);
        crash(&mut sim, 50, 0);
        restart(&mut sim, 70, 0, memory);
        sim.run_until(ms(1_000), &mut ());
        (seen(&sim, 0), seen(&sim, 1))
    };
    let (own, peer) = run(Memory::Kept);
    assert_eq!(own, [(80, Unreachable(1)), (80, Unreachable(2))]);
    assert_eq!(peer, [(60, Unreachable(0))]);
    let (own, _) = run(Memory::Disk);
    assert_eq!(own, [], "a new start knows of no streams");
}

#[test]
fn whoever_is_down_misses_what_comes() {
    let mut sim = world(2, Links::default());
    for n in 0..100 {
        tell(&mut sim, u64::from(n), 0, vec![Cast(1, n)]);
    }
    crash(&mut sim, 30, 1);
    restart(&mut sim, 60, 1, Memory::Kept);
    sim.run_until(ms(200), &mut ());
    // 10 ms on the way: sent from 20 to 49 arrives from 30 to 59.
    assert_eq!(got(&sim, 1, 0), (0..20).chain(50..100).collect::<Vec<_>>());
}

#[test]
fn a_pause_delays_and_loses_nothing_and_keeps_the_order() {
    let run = |pause: bool| {
        let mut sim = world(3, uniform(1, 30));
        for n in 0..200 {
            tell(&mut sim, u64::from(n), 0, vec![Send(2, n), Cast(2, 1_000 + n)]);
            tell(&mut sim, u64::from(n), 1, vec![Send(2, n)]);
        }
        tell(
            &mut sim,
            0,
            2,
            vec![Arm(1, Span::millis(80)), Arm(2, Span::millis(70)), Arm(3, Span::millis(120))],
        );
        tell(&mut sim, 10, 2, vec![Arm(3, Span::millis(65))]);
        if pause {
            sim.inject(ms(60), Fault::Pause(ids(&[2])));
            sim.inject(ms(150), Fault::Resume(Who::All));
        }
        sim.run_until(ms(500), &mut ());
        seen(&sim, 2)
    };
    let (plain, paused) = (run(false), run(true));
    let without_times = |seen: &[(u64, Seen)]| seen.iter().map(|(_, seen)| seen.clone()).collect::<Vec<_>>();
    assert_eq!(without_times(&plain), without_times(&paused), "the same things in the same order");
    assert!(paused.iter().all(|(at, _)| *at < 60 || *at >= 150));
    assert!(plain.iter().any(|(at, _)| (60..150).contains(at)));
    assert!(paused.iter().filter(|(at, _)| *at == 150).count() > 200);
}

#[test]
fn a_crash_in_a_pause_loses_what_waited_and_tells_its_senders() {
    let mut sim = world(3, Links::default());
    sim.inject(ms(10), Fault::Pause(ids(&[1])));
    tell(&mut sim, 20, 0, vec![Send(1, 1), Cast(1, 2)]);
    tell(&mut sim, 25, 1, vec![Cast(2, 9)]);
    crash(&mut sim, 50, 1);
    sim.inject(ms(55), Fault::Resume(Who::All));
    restart(&mut sim, 60, 1, Memory::Disk);
    sim.run_until(ms(500), &mut ());
    assert_eq!(seen(&sim, 0), [(60, Unreachable(1))]);
    assert_eq!((seen(&sim, 1), seen(&sim, 2)), (vec![], vec![]));
    assert_eq!(sim.counters().lost(isles_sim::Lost::Down), 2);
}

fn churned(churn: Churn, processes: u32) -> (World, Trace) {
    let mut sim = world_with(processes, Links::default(), |setup| setup.churn = Some(churn));
    let mut trace = Trace::default();
    sim.run_until(Time::ZERO + Span::secs(1_000), &mut trace);
    (sim, trace)
}

fn churn(session: Distribution, downtime: Distribution) -> Churn {
    Churn { session, downtime, memory: Memory::Disk, from: Time::ZERO, until: Time::MAX, stable: 0 }
}

#[test]
fn under_churn_processes_are_up_for_the_predicted_share_of_time() {
    let second = |count| Span::secs(count);
    let exponential = |mean| Distribution::Exponential { min: Span::ZERO, mean: second(mean) };
    let uniform = Distribution::Uniform { min: second(10), max: second(30) };
    for (law, up, down) in [
        (churn(exponential(30), exponential(10)), 30.0, 10.0),
        (churn(uniform, Distribution::Constant(second(60))), 20.0, 60.0),
    ] {
        let (_, trace) = churned(law, 200);
        // From the middle of the run on, when the common beginning is forgotten.
        let half = Time::ZERO + Span::secs(500);
        let mut total = 0.0;
        for process in 0..200 {
            let mut since = None;
            let end = Time::ZERO + Span::secs(1_000);
            let mut lives: Vec<(Time, bool)> =
                trace.lives.iter().filter(|life| life.1 == process).map(|life| (life.0, life.2)).collect();
            lives.push((end, false));
            for (at, up) in lives {
                if let (Some(since), false) = (since, up) {
                    total += at.max(half).since(Time::max(since, half)).as_secs_f64();
                }
                since = up.then_some(at);
            }
        }
        let (share, expected) = (total / (200.0 * 500.0), up / (up + down));
        assert!((share - expected).abs() < 0.02, "{share}, expected {expected}");
    }
}

#[test]
fn churn_keeps_its_limits_and_spares_the_stable_core() {
    let from = Time::ZERO + Span::secs(300);
    let until = Time::ZERO + Span::secs(600);
    let second = Distribution::Exponential { min: Span::secs(1), mean: Span::secs(20) };
    let (sim, trace) = churned(Churn { from, until, stable: 5, ..churn(second, second) }, 20);
    let crashes = || trace.lives.iter().filter(|life| !life.2);
    assert!(crashes().count() > 50);
    assert!(crashes().all(|(at, process, _)| (from..until).contains(at) && *process >= 5));
    assert_eq!(sim.live().count(), 20, "everybody came back");
}

#[test]
fn clocks_are_wrong_by_what_the_set_up_says() {
    let drawn = |clocks| {
        let sim = world_with(200, Links::default(), |setup| setup.clocks = clocks);
        let mut sim = sim;
        for who in 0..200 {
            tell(&mut sim, 10_000, who, vec![Arm(1, Span::millis(1))]);
        }
        let mut trace = Trace::default();
        sim.run_until(ms(10_100), &mut trace);
        (sim, trace)
    };
    let (sim, trace) = drawn(Clocks { offset_max: Span::millis(50), drift_ppm_max: 1_000 });
    let errors: Vec<i64> = (0..200)
        .map(|who| {
            let shown = sim.process(p(who)).expect("up").seen[1].0;
            let fired = trace.told.iter().find(|told| told.1 == who && told.2 == Timer(1)).expect("fired").0;
            shown.0 as i64 - fired.0 as i64
        })
        .collect();
    // Up to 100 ms ahead, and up to 10 ms more or less after ten seconds.
    assert!(errors.iter().all(|error| (-10_100_000..110_100_000).contains(error)), "{errors:?}");
    assert!(errors.iter().any(|error| *error < 15_000_000) && errors.iter().any(|error| *error > 85_000_000));
    let (sim, _) = drawn(Clocks::default());
    assert!((0..200).all(|who| sim.process(p(who)).expect("up").seen[1].0 == ms(10_001)));
}

#[test]
fn a_clock_that_is_set_wrong_shows_another_time_and_counts_timers_at_its_own_pace() {
    let mut sim = world(3, Links::default());
    tell(&mut sim, 50, 0, vec![Arm(1, Span::millis(100))]);
    sim.inject(ms(100), Fault::Clock { who: ids(&[0]), step: 5_000_000, drift_ppb: 1_000_000_000 });
    tell(&mut sim, 200, 0, vec![Arm(2, Span::millis(100))]);
    tell(&mut sim, 200, 1, vec![Arm(2, Span::millis(100))]);
    sim.inject(ms(300), Fault::Clock { who: ids(&[0]), step: -400_000_000, drift_ppb: 0 });
    tell(&mut sim, 310, 0, vec![Arm(3, Span::millis(10))]);
    let mut trace = Trace::default();
    sim.run_until(ms(500), &mut trace);
    let fired = |who: u32| {
        let fired = trace.told.iter().filter(|told| told.1 == who && matches!(told.2, Timer(_)));
        fired.map(|told| told.0).collect::<Vec<_>>()
    };
    assert_eq!(fired(0), [ms(150), ms(250), ms(320)], "a timer that is armed keeps its instant");
    assert_eq!(fired(1), [ms(300)]);
    // 155 + 50, twice as fast since 100; 105 + 2 * 150; 105 + 400 - 400 + 20.
    let shown: Vec<u64> = seen(&sim, 0).iter().map(|(at, _)| *at).collect();
    assert_eq!(shown, [205, 405, 125]);
}

#[test]
fn when_a_timer_is_due_its_clock_has_counted_the_whole_span() {
    let clocks = Clocks { offset_max: Span::millis(1), drift_ppm_max: 999 };
    let mut sim = world_with(100, Links::default(), |setup| {
        setup.clocks = clocks;
        setup.config = vec![Arm(1, Span(12_345_677)), Arm(2, Span(1))].into();
    });
    sim.run_until(ms(100), &mut ());
    let mut exact = 0;
    for (_, script) in sim.live() {
        let at = |wanted: Seen| script.seen.iter().find(|seen| seen.1 == wanted).expect("it was due").0;
        let counted = at(Timer(1)).since(script.seen[0].0);
        assert!(counted >= Span(12_345_677), "{counted}");
        exact += u32::from(counted <= Span(12_345_679));
    }
    assert_eq!(exact, 100, "and hardly more");
}

#[test]
fn processes_start_when_they_are_to() {
    let mut sim = world_with(10, Links::default(), |setup| {
        setup.initial = 8;
        setup.start = isles_sim::Start::Over(Span::millis(80));
        setup.disk = Disk::default();
    });
    restart(&mut sim, 25, 9, Memory::Disk);
    let mut trace = Trace::default();
    sim.run_until(ms(1_000), &mut trace);
    let mut starts: Vec<(u32, u64)> = trace.lives.iter().map(|life| (life.1, life.0.0 / 1_000_000)).collect();
    starts.sort_unstable();
    let expected: Vec<(u32, u64)> = (0..8).map(|who| (who, u64::from(who) * 10)).chain([(9, 25)]).collect();
    assert_eq!(starts, expected);
    assert_eq!(sim.counters().restarts, 0);
    assert!(sim.process(p(8)).is_none());
}

#[test]
fn a_set_up_that_is_impossible_is_refused_with_the_reason() {
    let refuse = |change: fn(&mut Setup<Script>), reason: &str| {
        let mut setup = Setup::<Script>::new(3, 1, Vec::new());
        change(&mut setup);
        let Err(error) = Simulation::new(setup) else { panic!("accepted: {reason}") };
        assert!(error.to_string().contains(reason), "{error}");
    };
    refuse(|setup| setup.processes = 0, "0 processes");
    refuse(|setup| setup.initial = 4, "4 of 3");
    refuse(|setup| setup.links.loss = f64::NAN, "loss");
    refuse(|setup| setup.links.duplication = 1.5, "duplication");
    refuse(|setup| setup.clocks.drift_ppm_max = 1_000_000, "stand still");
    refuse(|setup| setup.clocks.offset_max = Span(u64::MAX), "offsets");
    refuse(
        |setup| {
            let law = Distribution::Uniform { min: Span(2), max: Span(1) };
            setup.churn = Some(churn(law, law));
        },
        "session",
    );
    let slowest = Setup {
        clocks: Clocks { offset_max: Span(9), drift_ppm_max: 999_999 },
        ..Setup::<Script>::new(3, 1, vec![])
    };
    assert!(Simulation::new(slowest).is_ok(), "the control");
}
