//! What nobody should do, and what must then not happen: panics, endless loops, memory without bound.

use isles_kernel::{Span, Time};
use isles_sim::{
    Bandwidth, Churn, Clocks, Disk, Distribution, Fault, Latency, Links, Matrix, Memory, Start, Who,
};

use crate::world::{
    Arm, Cast, CastBytes, Do, Persist, Send, Timer, Unreachable, Watch, apart, got, ids, ms, p, seen, tell,
    uniform, world, world_with,
};

#[test]
fn a_message_to_nobody_is_lost_and_a_stream_to_nobody_breaks() {
    let matrix = Matrix::new(1, vec![Span::millis(10)]).expect("a valid matrix");
    let measured = Links { latency: Latency::Matrix { matrix, jitter: 0.0 }, ..Links::default() };
    for links in [Links::default(), measured] {
        for nobody in [5, 1 << 20, u32::MAX - 2, u32::MAX - 1, u32::MAX] {
            let mut sim = world(5, links.clone());
            sim.inject(ms(0), apart(&[&[0]]));
            sim.inject(ms(50), Fault::Heal);
            tell(&mut sim, 100, 0, vec![Cast(nobody, 1), Send(nobody, 2), Watch(nobody), Send(nobody, 3)]);
            sim.run_until(ms(1_000), &mut ());
            assert_eq!(seen(&sim, 0), [(110, Unreachable(nobody))]);
            assert_eq!(sim.counters().delivered, 0);
        }
    }
}

#[test]
fn spans_of_zero_let_time_go_on() {
    let links = Links {
        loss: 0.5,
        duplication: 0.5,
        reordering: 0.5,
        reordering_delay: Span::ZERO,
        retransmit: Span::ZERO,
        stream_timeout: Span::ZERO,
        bandwidth: Some(Bandwidth { rate: u64::MAX, queue: Span::ZERO }),
        ..Links::constant(Span::ZERO)
    };
    let zero = Distribution::Constant(Span::ZERO);
    let mut sim = world_with(4, links, |setup| {
        setup.disk = Disk { sync: Span::ZERO, torn: true };
        setup.start = Start::Over(Span::ZERO);
        let (from, until) = (Time::ZERO, Time(10_000));
        let memory = Memory::Disk;
        setup.churn = Some(Churn { session: zero, downtime: zero, memory, from, until, stable: 2 });
        setup.config = vec![Arm(1, Span::ZERO), Persist(1), Send(1, 1), Watch(2), Cast(3, 1)].into();
    });
    sim.inject(Time(5_000), apart(&[&[0]]));
    sim.inject(Time(5_000), Fault::Heal);
    assert!(sim.run_to_quiescence(ms(1), &mut ()));
    assert!(sim.counters().crashes > 1_000);
    // A stream without any patience breaks at the first loss.
    assert!(seen(&sim, 0).iter().any(|(_, seen)| matches!(seen, Timer(_))));
}

#[test]
fn spans_without_end_never_end_and_do_not_overflow() {
    let forever = Span(u64::MAX);
    let links = Links {
        reordering: 0.5,
        reordering_delay: forever,
        duplication: 1.0,
        bandwidth: Some(Bandwidth { rate: 1, queue: forever }),
        retransmit: forever,
        stream_timeout: forever,
        loss: 0.5,
        ..Links::constant(forever)
    };
    let mut sim = world_with(4, links, |setup| {
        setup.clocks = Clocks { offset_max: Span(i64::MAX as u64 / 2), drift_ppm_max: 999_999 };
        setup.disk.sync = forever;
    });
    for who in 0..4 {
        let deeds = vec![Arm(1, forever), Cast(1, 1), Send(2, 2), CastBytes(2, 3, 1_000), Watch(3)];
        tell(&mut sim, 10, who, deeds.clone());
        tell(&mut sim, 12, who, deeds);
        tell(&mut sim, 14, who, vec![Persist(1), Cast(0, 1)]);
    }
    sim.inject(ms(11), apart(&[&[0]]));
    sim.inject(ms(13), Fault::Crash(ids(&[3])));
    sim.inject(ms(20), Fault::Clock { who: Who::All, step: i64::MIN, drift_ppb: i64::MIN });
    sim.inject(ms(21), Fault::Clock { who: Who::All, step: i64::MAX, drift_ppb: i64::MAX });
    sim.inject(ms(30), Fault::Heal);
    sim.invoke_at(Time::MAX, p(0), vec![Cast(1, 9)]);
    sim.inject(Time::MAX, Fault::Heal);
    assert!(sim.run_to_quiescence(Time::MAX, &mut ()), "what is due at the end of time is not waited for");
    assert!(sim.pending() > 0);
    sim.run_until(Time::MAX, &mut ());
    assert_eq!(sim.now(), Time::MAX);
}

#[test]
fn faults_that_hit_nobody_do_nothing() {
    let run = |faults: bool| {
        let mut sim = world_with(6, uniform(1, 9), |setup| setup.initial = 5);
        for n in 0..100 {
            tell(&mut sim, u64::from(n), n % 5, vec![Send((n + 1) % 5, n), Arm(1, Span::millis(3))]);
        }
        let nobody = [
            Who::Fraction(f64::NAN),
            Who::Fraction(-1.0),
            Who::Count(0),
            Who::Ids(vec![]),
            ids(&[77, u32::MAX]),
            Who::Range { first: p(9), end: p(2) },
            Who::Region(0),
        ];
        for who in nobody.into_iter().filter(|_| faults) {
            for fault in [
                Fault::Crash(who.clone()),
                Fault::Pause(who.clone()),
                Fault::Mute(who.clone()),
                Fault::Partition(vec![who.clone(), who.clone()]),
                Fault::Restart { who: who.clone(), memory: Memory::Lost },
                Fault::Clock { who: who.clone(), step: 9, drift_ppb: 9 },
            ] {
                sim.inject(ms(50), fault);
            }
        }
        if faults {
            // Up already, down never, not paused, not cut; and whom a crash does not hit because it is not started.
            sim.inject(
                ms(50),
                Fault::Restart { who: Who::Range { first: p(0), end: p(5) }, memory: Memory::Lost },
            );
            sim.inject(ms(50), Fault::Resume(Who::All));
            sim.inject(ms(50), Fault::Heal);
            sim.inject(ms(50), Fault::Crash(ids(&[5])));
        }
        sim.run_until(ms(500), &mut ());
        (sim.digest(), sim.counters().clone())
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_share_beyond_one_is_everybody() {
    let mut sim = world(6, Links::default());
    sim.inject(ms(1), Fault::Crash(Who::Fraction(f64::INFINITY)));
    sim.run_until(ms(2), &mut ());
    assert_eq!(sim.live().count(), 0);
    sim.inject(ms(3), Fault::Restart { who: Who::Count(u32::MAX), memory: Memory::Disk });
    sim.run_until(ms(4), &mut ());
    assert_eq!(sim.live().count(), 6);
}

#[test]
fn a_process_in_two_groups_of_a_partition_is_in_the_first() {
    let mut sim = world(4, Links::default());
    sim.inject(ms(0), apart(&[&[0, 1], &[1, 2]]));
    tell(&mut sim, 1, 1, vec![Cast(0, 1), Cast(2, 2), Cast(3, 3)]);
    sim.run_until(ms(50), &mut ());
    assert_eq!((got(&sim, 0, 1), got(&sim, 2, 1), got(&sim, 3, 1)), (vec![1], vec![], vec![]));
}

#[test]
fn an_operation_at_whoever_is_down_is_lost_without_a_trace() {
    let mut sim = world_with(3, Links::default(), |setup| setup.initial = 2);
    sim.inject(ms(5), Fault::Crash(ids(&[0])));
    sim.inject(ms(20), Fault::Restart { who: Who::All, memory: Memory::Disk });
    for who in [0, 2] {
        tell(&mut sim, 10, who, vec![Cast(1, who)]);
    }
    tell(&mut sim, 30, 2, vec![Cast(1, 7)]);
    sim.run_until(ms(100), &mut ());
    assert_eq!((got(&sim, 1, 0), got(&sim, 1, 2)), (vec![], vec![7]));
    assert_eq!(sim.counters().ops, 1);
}

#[test]
fn faults_and_operations_of_the_past_happen_now() {
    let mut sim = world(3, Links::default());
    sim.run_until(ms(100), &mut ());
    sim.inject(ms(50), Fault::Crash(ids(&[2])));
    tell(&mut sim, 50, 0, vec![Cast(1, 1), Send(2, 2)]);
    sim.run_until(ms(99), &mut ());
    assert_eq!(sim.now(), ms(100), "time does not go back");
    sim.run_until(ms(200), &mut ());
    assert_eq!(seen(&sim, 1).len(), 1);
    assert_eq!(seen(&sim, 0), [(120, Unreachable(2))]);
}

#[test]
fn a_timer_pushed_ahead_a_hundred_thousand_times_is_one_event() {
    let mut sim = world(1, Links::default());
    tell(&mut sim, 1, 0, vec![Arm(1, Span::millis(50)); 100_000]);
    for at in 2..1_000 {
        tell(&mut sim, at, 0, vec![Arm(1, Span::millis(50))]);
    }
    let mut most = 0;
    for at in 1..999 {
        sim.run_until(ms(at), &mut ());
        most = most.max(sim.pending() + at as usize);
    }
    // One operation less each millisecond, and one timer.
    assert!(most <= 1_002, "{most}");
    sim.run_until(ms(5_000), &mut ());
    assert_eq!(seen(&sim, 0), [(1_049, Timer(1))]);
}

#[test]
fn a_hundred_thousand_timers_of_one_process_are_no_burden() {
    let all = |span| -> Vec<Do> { (0..100_000).map(|timer| Arm(timer, Span(span))).collect() };
    let mut sim = world(1, Links::default());
    tell(&mut sim, 1, 0, all(5_000_000));
    tell(&mut sim, 2, 0, all(5_000_000));
    tell(&mut sim, 3, 0, (0..50_000).map(Do::Disarm).collect());
    sim.run_until(ms(100), &mut ());
    let expected: Vec<_> = (50_000..100_000).map(|timer| (7, Timer(timer))).collect();
    assert_eq!(seen(&sim, 0), expected);
}

#[test]
fn thousands_of_events_hours_apart_are_kept_in_order() {
    let mut sim = world(2, Links::default());
    let hour = 3_600_000;
    for n in 0..2_000u64 {
        tell(&mut sim, (n * 7_919 % 2_000) * hour, 0, vec![Cast(1, (n * 7_919 % 2_000) as u32)]);
    }
    sim.run_until(ms(2_001 * hour), &mut ());
    assert_eq!(got(&sim, 1, 0), (0..2_000).collect::<Vec<_>>());
}
