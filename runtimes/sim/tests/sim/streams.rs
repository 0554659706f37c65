//! Streams: in order and without gaps as long as they hold; who learns that they broke, and when.

use isles_kernel::Span;
use isles_sim::{Detection, Fault, Links, Lost, Memory, Who};

use crate::world::{
    Cast, Message, Send, Unreachable, Unwatch, Watch, World, apart, got, ids, ms, p, seen, tell, uniform,
    world,
};

/// 10 ms each way, and a time-out of 100 ms.
fn plain() -> Links {
    Links { stream_timeout: Span::millis(100), ..Links::constant(Span::millis(10)) }
}

fn both() -> [Links; 2] {
    [Detection::Immediate, Detection::OnSend].map(|detection| Links { detection, ..plain() })
}

fn crash(sim: &mut World, at: u64, who: u32) {
    sim.inject(ms(at), Fault::Crash(ids(&[who])));
}

fn restart(sim: &mut World, at: u64, who: u32, memory: Memory) {
    sim.inject(ms(at), Fault::Restart { who: ids(&[who]), memory });
}

/// When a process was told that its stream to another broke.
fn told(sim: &World, who: u32, peer: u32) -> Vec<u64> {
    seen(sim, who).into_iter().filter(|(_, seen)| *seen == Unreachable(peer)).map(|(at, _)| at).collect()
}

#[test]
fn a_stream_is_in_order_and_without_gaps_under_jitter_and_loss() {
    let links = Links { loss: 0.3, retransmit: Span::millis(50), ..uniform(1, 100) };
    let mut sim = world(2, Links { stream_timeout: Span::secs(60), ..links });
    for n in 0..2_000 {
        tell(&mut sim, u64::from(n), 0, vec![Send(1, n)]);
    }
    sim.run_until(ms(100_000), &mut ());
    assert_eq!(got(&sim, 1, 0), (0..2_000).collect::<Vec<_>>());
    assert_eq!(told(&sim, 0, 1), [0u64; 0]);
}

#[test]
fn a_lost_segment_is_sent_again_after_a_span_that_doubles() {
    let links = Links { loss: 0.5, retransmit: Span::millis(100), ..plain() };
    let mut sim = world(2, Links { stream_timeout: Span::secs(1000), ..links });
    // Far apart, so that none waits for another.
    for n in 0..400 {
        tell(&mut sim, u64::from(n) * 1_000_000, 0, vec![Send(1, n)]);
    }
    sim.run_until(ms(500_000_000), &mut ());
    let mut attempts = [0; 5];
    for (at, seen) in seen(&sim, 1) {
        let Message(_, n) = seen else { continue };
        // 0, 100, 100 + 200, 100 + 200 + 400 … ms more than the latency.
        let waited = at - u64::from(n) * 1_000_000 - 10;
        assert!((waited / 100 + 1).is_power_of_two() && waited % 100 == 0, "{waited} ms");
        if let Some(count) = attempts.get_mut((waited / 100 + 1).ilog2() as usize) {
            *count += 1;
        }
    }
    // Half at once, a quarter after one, an eighth after two losses.
    for (count, expected) in attempts.into_iter().zip([200.0, 100.0, 50.0]) {
        assert!((f64::from(count) - expected).abs() < 4.5 * f64::sqrt(expected), "{attempts:?}");
    }
}

#[test]
fn a_stream_that_does_not_get_through_breaks_after_its_time_out_and_is_reported_once() {
    let mut sim = world(2, plain());
    sim.inject(ms(0), Fault::Loss(1.0));
    sim.inject(ms(5), Fault::Loss(0.0));
    tell(&mut sim, 1, 0, vec![Send(1, 1)]);
    // What follows the segment that does not get through does not get through either, though nothing is lost any more.
    for at in [2, 6, 50, 100] {
        tell(&mut sim, at, 0, vec![Send(1, 2), Cast(1, 7)]);
    }
    tell(&mut sim, 102, 0, vec![Send(1, 3)]);
    sim.run_until(ms(500), &mut ());
    assert_eq!(told(&sim, 0, 1), [101]);
    assert_eq!(got(&sim, 1, 0), [7, 7, 7, 3], "datagrams pass; the stream begins anew when its end is known");
    assert_eq!(sim.counters().lost(Lost::Stream), 5);
}

#[test]
fn the_end_of_a_watched_stream_is_seen_after_one_latency_or_when_something_is_sent() {
    let run = |detection, send: bool| {
        let mut sim = world(3, Links { detection, ..plain() });
        tell(&mut sim, 0, 0, vec![Watch(1)]);
        crash(&mut sim, 50, 1);
        if send {
            tell(&mut sim, 100, 0, vec![Send(1, 1)]);
            tell(&mut sim, 105, 0, vec![Send(1, 2)]);
        }
        sim.run_until(ms(5_000), &mut ());
        told(&sim, 0, 1)
    };
    assert_eq!(run(Detection::Immediate, false), [60]);
    assert_eq!(run(Detection::OnSend, false), [0u64; 0]);
    assert_eq!(run(Detection::OnSend, true), [120], "there and back");
}

#[test]
fn whoever_does_not_watch_is_told_only_of_what_it_sends() {
    for links in both() {
        let mut sim = world(3, links);
        crash(&mut sim, 50, 1);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(told(&sim, 0, 1), [0u64; 0]);
        tell(&mut sim, 1_000, 0, vec![Send(1, 1), Send(1, 2), Cast(1, 3)]);
        sim.run_until(ms(2_000), &mut ());
        assert_eq!(told(&sim, 0, 1), [1_020]);
        assert_eq!(told(&sim, 2, 1), [0u64; 0]);
    }
}

#[test]
fn whoever_watches_no_longer_is_not_told() {
    let mut sim = world(2, plain());
    tell(&mut sim, 0, 0, vec![Watch(1)]);
    tell(&mut sim, 10, 0, vec![Unwatch(1)]);
    crash(&mut sim, 50, 1);
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(told(&sim, 0, 1), [0u64; 0]);
    // Nor when a partition had stalled the watch before it ended.
    let mut sim = world(2, plain());
    tell(&mut sim, 0, 0, vec![Watch(1)]);
    sim.inject(ms(10), apart(&[&[0]]));
    tell(&mut sim, 20, 0, vec![Unwatch(1)]);
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(told(&sim, 0, 1), [0u64; 0]);
}

#[test]
fn watching_whoever_is_down_or_not_there_is_refused() {
    for links in both() {
        let mut sim = world(2, links);
        crash(&mut sim, 50, 1);
        tell(&mut sim, 100, 0, vec![Watch(1), Watch(77)]);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!((told(&sim, 0, 1), told(&sim, 0, 77)), (vec![120], vec![120]));
    }
}

#[test]
fn whoever_is_told_watches_no_longer() {
    for links in both() {
        let mut sim = world(2, links);
        tell(&mut sim, 0, 0, vec![Watch(1)]);
        crash(&mut sim, 50, 1);
        tell(&mut sim, 55, 0, vec![Send(1, 1)]);
        restart(&mut sim, 200, 1, Memory::Disk);
        crash(&mut sim, 300, 1);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(told(&sim, 0, 1).len(), 1);
    }
}

#[test]
fn a_later_start_gets_nothing_of_the_streams_of_the_one_that_crashed() {
    for links in both() {
        let mut sim = world(2, links);
        // Crashed and up again while both messages are on their way.
        tell(&mut sim, 95, 0, vec![Send(1, 1), Cast(1, 7)]);
        crash(&mut sim, 100, 1);
        restart(&mut sim, 102, 1, Memory::Disk);
        // Sent to the one that is up, but over the old stream: its sender knows nothing yet.
        tell(&mut sim, 106, 0, vec![Send(1, 2)]);
        tell(&mut sim, 112, 0, vec![Send(1, 3)]);
        // The first was refused at 105, so this is after the news.
        tell(&mut sim, 116, 0, vec![Send(1, 4)]);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(got(&sim, 1, 0), [7, 4], "a datagram knows no connection");
        assert_eq!(told(&sim, 0, 1), [115]);
        assert_eq!(sim.counters().lost(Lost::Stream), 3);
    }
}

#[test]
fn news_of_a_stream_does_not_reach_a_later_start_of_its_sender() {
    for links in both() {
        let mut sim = world(2, links);
        tell(&mut sim, 100, 0, vec![Watch(1), Send(1, 1)]);
        crash(&mut sim, 101, 1);
        crash(&mut sim, 102, 0);
        restart(&mut sim, 103, 0, Memory::Disk);
        tell(&mut sim, 104, 0, vec![Send(1, 2)]);
        sim.run_until(ms(109), &mut ());
        assert_eq!(told(&sim, 0, 1), [0u64; 0]);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(told(&sim, 0, 1), [124], "its own message is refused");
    }
}

#[test]
fn what_a_process_sent_before_it_crashed_comes_before_the_news_of_it() {
    let mut sim = world(2, uniform(1, 200));
    tell(&mut sim, 0, 0, vec![Watch(1)]);
    for n in 0..100 {
        tell(&mut sim, u64::from(n), 1, vec![Send(0, n)]);
    }
    crash(&mut sim, 100, 1);
    sim.run_until(ms(2_000), &mut ());
    let seen = seen(&sim, 0);
    assert_eq!(seen.len(), 101);
    assert_eq!(seen[100].1, Unreachable(1));
}

#[test]
fn a_partition_holds_streams_back_and_its_end_releases_them_in_order() {
    let mut sim = world(2, Links { stream_timeout: Span::millis(100), ..uniform(1, 30) });
    for n in 0..100 {
        tell(&mut sim, u64::from(n), 0, vec![Send(1, n), Cast(1, 1_000 + n)]);
    }
    sim.inject(ms(20), apart(&[&[0]]));
    sim.inject(ms(80), Fault::Heal);
    sim.run_until(ms(79), &mut ());
    assert!(got(&sim, 1, 0).iter().all(|n| n % 1_000 < 20));
    sim.run_until(ms(500), &mut ());
    let (streams, datagrams): (Vec<u32>, Vec<u32>) = got(&sim, 1, 0).into_iter().partition(|n| *n < 1_000);
    assert_eq!(streams, (0..100).collect::<Vec<_>>());
    assert_eq!(datagrams.len(), 40);
    assert_eq!(sim.counters().lost(Lost::Partition), 60);
    assert_eq!(told(&sim, 0, 1), [0u64; 0]);
}

#[test]
fn a_partition_longer_than_the_time_out_breaks_streams() {
    for links in both() {
        let mut sim = world(4, links);
        tell(&mut sim, 0, 0, vec![Watch(1)]);
        tell(&mut sim, 0, 1, vec![Watch(0)]);
        sim.inject(ms(50), apart(&[&[0, 2]]));
        tell(&mut sim, 70, 2, vec![Send(3, 1)]);
        tell(&mut sim, 100, 0, vec![Send(1, 1), Send(2, 2)]);
        // A new stream into the partition waits again; the end of the partition comes first.
        tell(&mut sim, 200, 0, vec![Send(1, 3)]);
        sim.inject(ms(250), Fault::Heal);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(
            (told(&sim, 0, 1), told(&sim, 1, 0)),
            (vec![150], vec![150]),
            "watched: from its beginning"
        );
        assert_eq!(told(&sim, 2, 3), [170], "not watched: from the message on");
        assert_eq!((got(&sim, 1, 0), got(&sim, 2, 0), got(&sim, 3, 2)), (vec![3], vec![2], vec![]));
        assert_eq!(sim.counters().lost(Lost::Stream), 2);
    }
}

#[test]
fn muted_processes_are_not_heard_but_hear() {
    let mut sim = world(4, plain());
    sim.inject(ms(50), Fault::Mute(ids(&[0, 2])));
    tell(&mut sim, 60, 0, vec![Send(1, 1), Cast(1, 2), Cast(2, 3)]);
    tell(&mut sim, 60, 1, vec![Send(0, 4), Cast(0, 5)]);
    sim.run_until(ms(155), &mut ());
    assert_eq!(got(&sim, 1, 0), [0u32; 0]);
    assert_eq!(got(&sim, 2, 0), [3], "the muted are on one side");
    let mut heard = got(&sim, 0, 1);
    heard.sort_unstable();
    assert_eq!(heard, [4, 5]);
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(told(&sim, 0, 1), [160]);
    // Watching needs both directions, whoever is muted.
    tell(&mut sim, 1_000, 1, vec![Watch(0)]);
    tell(&mut sim, 1_000, 0, vec![Watch(1)]);
    tell(&mut sim, 1_000, 1, vec![Watch(3)]);
    sim.run_until(ms(2_000), &mut ());
    assert_eq!(
        (told(&sim, 1, 0), told(&sim, 0, 1), told(&sim, 1, 3)),
        (vec![1_100], vec![160, 1_100], vec![])
    );
}

#[test]
fn news_does_not_cross_a_partition() {
    for links in both() {
        let mut sim = world(2, links);
        tell(&mut sim, 0, 0, vec![Watch(1)]);
        sim.inject(ms(50), apart(&[&[0]]));
        crash(&mut sim, 60, 1);
        sim.run_until(ms(149), &mut ());
        assert_eq!(told(&sim, 0, 1), [0u64; 0]);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(told(&sim, 0, 1), [150], "the stall began with the partition");
    }
}

#[test]
fn what_a_partition_held_back_is_not_for_a_later_start() {
    for detection in [Detection::Immediate, Detection::OnSend] {
        let mut sim = world(2, Links { detection, stream_timeout: Span::secs(10), ..plain() });
        sim.inject(ms(50), apart(&[&[0]]));
        tell(&mut sim, 55, 0, vec![Send(1, 1)]);
        crash(&mut sim, 60, 1);
        restart(&mut sim, 70, 1, Memory::Disk);
        sim.inject(ms(90), Fault::Heal);
        tell(&mut sim, 120, 0, vec![Send(1, 2)]);
        sim.run_until(ms(1_000), &mut ());
        assert_eq!(got(&sim, 1, 0), [2]);
        assert_eq!(told(&sim, 0, 1), [110]);
    }
}

#[test]
fn a_partition_between_others_changes_nothing() {
    let mut sim = world(4, plain());
    tell(&mut sim, 0, 0, vec![Watch(1)]);
    sim.inject(ms(10), apart(&[&[2, 3]]));
    tell(&mut sim, 20, 0, vec![Send(1, 1)]);
    sim.run_until(ms(30), &mut ());
    assert_eq!(got(&sim, 1, 0), [1]);
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(told(&sim, 0, 1), [0u64; 0]);
}

#[test]
fn a_pause_delays_the_report_of_a_stall_and_does_not_swallow_it() {
    let mut sim = world(2, plain());
    sim.inject(ms(10), apart(&[&[0]]));
    tell(&mut sim, 20, 0, vec![Send(1, 1)]);
    sim.inject(ms(50), Fault::Pause(ids(&[0])));
    sim.inject(ms(300), Fault::Resume(Who::All));
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(told(&sim, 0, 1), [300]);
}

#[test]
fn groups_chosen_at_random_are_different_processes() {
    let mut sim = world(10, plain());
    sim.inject(ms(0), Fault::Partition(vec![Who::Fraction(0.3), Who::Fraction(0.3), Who::Count(2)]));
    for who in 0..10 {
        tell(&mut sim, 1, who, (0..10).map(|to| Cast(to, 0)).collect());
    }
    sim.run_until(ms(50), &mut ());
    let mut sizes: Vec<usize> =
        (0..10).map(|who| (0..10).filter(|from| !got(&sim, who, *from).is_empty()).count()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
}

#[test]
fn a_partition_at_the_beginning_holds_for_what_processes_send_when_they_start() {
    let config = vec![Cast(0, 1), Cast(1, 1)];
    let run = |faults: bool| {
        let mut sim =
            isles_sim::Simulation::<crate::world::Script>::new(isles_sim::Setup::new(2, 1, config.clone()))
                .expect("a valid set-up");
        if faults {
            sim.inject(ms(0), apart(&[&[0]]));
        }
        // Of those that start at this instant, all have.
        sim.inject(ms(0), Fault::Crash(ids(&[0])));
        sim.run_until(ms(50), &mut ());
        assert!(sim.process(p(0)).is_none());
        got(&sim, 1, 0)
    };
    assert_eq!((run(true), run(false)), (vec![], vec![1]));
}
