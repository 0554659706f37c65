//! What links do to messages, by arithmetic and by statistics.

use isles_kernel::{Span, Time};
use isles_sim::{Bandwidth, Distribution, Fault, Latency, Links, Lost, Matrix};

use crate::world::{Cast, CastBytes, Do, Send, SendBytes, Trace, got, ms, p, seen, tell, uniform, world};

const COUNT: u32 = 4_000;

/// Casts one numbered datagram each millisecond.
fn cast_many(links: Links) -> (Trace, crate::world::World) {
    many(links, |n| Cast(1, n))
}

fn many(links: Links, deed: impl Fn(u32) -> Do) -> (Trace, crate::world::World) {
    let mut sim = world(2, links);
    for n in 0..COUNT {
        tell(&mut sim, u64::from(n), 0, vec![deed(n)]);
    }
    let mut trace = Trace::default();
    sim.run_until(ms(u64::from(COUNT) + 60_000), &mut trace);
    (trace, sim)
}

/// Whether `count` of `COUNT` is what a probability leads one to expect, within 4.5 standard deviations.
#[track_caller]
fn expect_share(count: usize, probability: f64) {
    let mean = f64::from(COUNT) * probability;
    let deviation = (mean * (1.0 - probability)).sqrt();
    assert!((count as f64 - mean).abs() <= 4.5 * deviation, "{count}, expected {mean} ± {deviation}");
}

/// How many messages came later than one sent after them.
fn overtaken(numbers: &[u32]) -> usize {
    let mut latest = 0;
    let mut count = 0;
    for &n in numbers {
        count += usize::from(n < latest);
        latest = latest.max(n);
    }
    count
}

#[test]
fn datagrams_are_lost_at_the_rate_of_the_link_and_streams_not_at_all() {
    for loss in [0.0, 0.01, 0.3, 1.0] {
        let links = Links { loss, ..uniform(1, 5) };
        let (_, sim) = cast_many(links.clone());
        let lost = sim.counters().lost(Lost::Link) as usize;
        expect_share(lost, loss);
        assert_eq!(got(&sim, 1, 0).len(), COUNT as usize - lost);
        if loss < 0.5 {
            let (_, sim) = many(Links { stream_timeout: Span::secs(1000), ..links }, |n| Send(1, n));
            assert_eq!(got(&sim, 1, 0), (0..COUNT).collect::<Vec<_>>());
        }
    }
}

#[test]
fn latency_can_be_changed_on_the_way_and_streams_keep_their_order() {
    let latency = |millis| Latency::Law(Distribution::Constant(Span::millis(millis)));
    for (first, second) in [(50, 5), (5, 50)] {
        let mut sim = world(2, Links { latency: latency(first), ..Links::default() });
        let mut trace = Trace::default();
        for n in 0..20 {
            tell(&mut sim, u64::from(n), 0, vec![Send(1, n)]);
        }
        sim.run_until(ms(9), &mut trace);
        sim.set_latency(latency(second)).expect("it is possible");
        sim.run_until(ms(first.max(9 + second)), &mut trace);
        assert_eq!(got(&sim, 1, 0).len() as u64, (first.max(9 + second) - first + 1).min(10));
        sim.run_until(ms(200), &mut trace);
        assert_eq!(got(&sim, 1, 0), (0..20).collect::<Vec<_>>());
    }
    let nonsense = Latency::Law(Distribution::Pareto { scale: Span::millis(1), shape: -1.0 });
    assert!(world(2, Links::default()).set_latency(nonsense).is_err());
}

#[test]
fn loss_can_be_changed_on_the_way() {
    let mut sim = world(2, uniform(1, 5));
    sim.inject(ms(1_000), Fault::Loss(1.0));
    sim.inject(ms(2_000), Fault::Loss(0.5));
    sim.inject(ms(3_000), Fault::Loss(f64::NAN));
    for n in 0..COUNT {
        tell(&mut sim, u64::from(n), 0, vec![Cast(1, n)]);
    }
    sim.run_until(ms(5_000), &mut ());
    let numbers = got(&sim, 1, 0);
    let between = |from: u32, to: u32| numbers.iter().filter(|n| (from..to).contains(*n)).count();
    assert_eq!((between(0, 1_000), between(1_000, 2_000), between(3_000, 4_000)), (1_000, 0, 1_000));
    assert!((400..600).contains(&between(2_000, 3_000)), "{}", between(2_000, 3_000));
}

#[test]
fn datagrams_are_doubled_at_the_rate_of_the_link_and_streams_never() {
    for duplication in [0.0, 0.1, 1.0] {
        let links = Links { duplication, ..uniform(1, 5) };
        let (_, sim) = cast_many(links.clone());
        expect_share(sim.counters().duplicated as usize, duplication);
        let mut numbers = got(&sim, 1, 0);
        assert_eq!(numbers.len() as u64, u64::from(COUNT) + sim.counters().duplicated);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), COUNT as usize);
        let (_, sim) = many(links, |n| Send(1, n));
        assert_eq!(got(&sim, 1, 0).len(), COUNT as usize);
    }
}

#[test]
fn datagrams_are_held_back_at_the_rate_of_the_link_and_streams_never() {
    for reordering in [0.0, 0.1] {
        let links =
            Links { reordering, reordering_delay: Span::millis(50), ..Links::constant(Span::millis(10)) };
        let (trace, sim) = cast_many(links.clone());
        let delays = trace.sent.iter().filter_map(|sent| Some(sent.3?.since(sent.0)));
        let held: Vec<Span> = delays.filter(|delay| *delay != Span::millis(10)).collect();
        expect_share(held.len(), reordering);
        assert!(held.iter().all(|delay| *delay < Span::millis(60)));
        // A datagram is overtaken if it is held back for more than the millisecond between two.
        let count = overtaken(&got(&sim, 1, 0));
        assert!(count <= held.len() && count * 10 >= held.len() * 9, "{count} of {}", held.len());
        let (_, sim) = many(links, |n| Send(1, n));
        assert_eq!(overtaken(&got(&sim, 1, 0)), 0);
    }
}

#[test]
fn order_is_kept_over_links_that_keep_it_and_only_there() {
    let links = Links { duplication: 0.3, ..uniform(1, 50) };
    let (_, sim) = cast_many(links.clone());
    assert!(overtaken(&got(&sim, 1, 0)) > 100, "the control: datagrams do overtake each other");
    let (_, sim) = cast_many(Links { fifo: true, ..links.clone() });
    let mut numbers = got(&sim, 1, 0);
    // A copy may come late, since a later message may come before it; the first of each must be in order.
    let mut met = vec![false; COUNT as usize];
    numbers.retain(|n| !std::mem::replace(&mut met[*n as usize], true));
    assert_eq!(overtaken(&numbers), 0);
    assert_eq!(numbers.len(), COUNT as usize);
    let (_, sim) = many(links, |n| Send(1, n));
    assert_eq!(overtaken(&got(&sim, 1, 0)), 0);
}

#[test]
fn a_copy_does_not_overtake_on_a_link_that_keeps_order() {
    let (_, sim) = cast_many(Links { duplication: 1.0, fifo: true, ..uniform(1, 50) });
    assert_eq!(overtaken(&got(&sim, 1, 0)), 0);
}

#[test]
fn a_stream_that_waits_for_a_lost_segment_does_not_hold_datagrams_back() {
    let links =
        Links { loss: 0.2, fifo: true, retransmit: Span::secs(5), ..Links::constant(Span::millis(1)) };
    let mut sim = world(2, links);
    for n in 0..200 {
        tell(&mut sim, n, 0, vec![Send(1, 0), Cast(1, 1)]);
    }
    sim.run_until(ms(400), &mut ());
    let datagrams = got(&sim, 1, 0).into_iter().filter(|n| *n == 1).count();
    assert_eq!(datagrams as u64 + sim.counters().lost(Lost::Link), 200);
    assert!(got(&sim, 1, 0).len() < 300, "the control: streams are held back");
}

#[test]
fn each_law_of_latency_shows_in_the_delays() {
    let second = Span::secs(1);
    let laws = [
        (Distribution::Constant(second), 1.0, 1.0),
        (Distribution::Uniform { min: Span::ZERO, max: second }, 0.5, 0.9),
        (Distribution::Exponential { min: Span::ZERO, mean: second }, 2f64.ln(), 10f64.ln()),
        (Distribution::LogNormal { median: second, sigma: 0.5 }, 1.0, (0.5 * 1.281_55_f64).exp()),
        (Distribution::Pareto { scale: second, shape: 3.0 }, 2f64.powf(1.0 / 3.0), 10f64.powf(1.0 / 3.0)),
        (Distribution::Weibull { scale: second, shape: 0.5 }, 2f64.ln().powi(2), 10f64.ln().powi(2)),
    ];
    for (law, median, p90) in laws {
        let (trace, _) = cast_many(Links::law(law));
        let mut delays: Vec<f64> =
            trace.sent.iter().map(|s| s.3.expect("nothing is lost").since(s.0).as_secs_f64()).collect();
        delays.sort_by(f64::total_cmp);
        for (quantile, expected) in [(0.5, median), (0.9, p90)] {
            let measured = delays[(quantile * delays.len() as f64) as usize];
            assert!((measured / expected - 1.0).abs() < 0.1, "{law:?}: {measured}, expected {expected}");
        }
    }
}

#[test]
fn a_matrix_gives_each_pair_of_regions_its_latency_and_jitter_spreads_it() {
    let spans = [1, 40, 80, 40, 2, 60, 81, 61, 3].map(Span::millis).to_vec();
    let matrix = Matrix::new(3, spans).and_then(|matrix| matrix.with_pattern(vec![0, 1, 1, 2]));
    let matrix = matrix.expect("a valid matrix");
    let latency = |jitter| Latency::Matrix { matrix: matrix.clone(), jitter };
    let mut sim = world(8, Links { latency: latency(0.0), ..Links::default() });
    // Regions by process: 0 1 1 2 0 1 1 2.
    tell(&mut sim, 0, 0, vec![Cast(4, 0), Cast(1, 1), Cast(3, 2)]);
    tell(&mut sim, 0, 3, vec![Cast(0, 3), Send(7, 4)]);
    let mut trace = Trace::default();
    sim.run_until(ms(1_000), &mut trace);
    let mut delays: Vec<(u32, Option<Time>)> = trace.sent.iter().map(|sent| (sent.4, sent.3)).collect();
    delays.sort_unstable();
    let expected: Vec<(u32, Option<Time>)> = (0..5).zip([1, 40, 80, 81, 3].map(|at| Some(ms(at)))).collect();
    assert_eq!(delays, expected);

    let (trace, _) = cast_many(Links { latency: latency(0.3), ..Links::default() });
    let mut delays: Vec<f64> =
        trace.sent.iter().map(|s| s.3.expect("nothing is lost").since(s.0).as_millis_f64()).collect();
    delays.sort_by(f64::total_cmp);
    let (median, p90) = (delays[delays.len() / 2], delays[delays.len() * 9 / 10]);
    assert!((median / 40.0 - 1.0).abs() < 0.03, "{median}");
    assert!((p90 / (40.0 * (0.3 * 1.281_55_f64).exp()) - 1.0).abs() < 0.05, "{p90}");
}

/// 1 000 bytes per second: a message of n bytes leaves after n milliseconds.
fn narrow(queue: Span) -> Links {
    Links { bandwidth: Some(Bandwidth { rate: 1_000, queue }), ..Links::constant(Span::millis(10)) }
}

/// The bytes of a message with so many bytes of content: number, length, content.
fn wire(content: u32) -> u64 {
    u64::from(content) + 2
}

#[test]
fn an_uplink_sends_one_byte_after_the_other() {
    let mut sim = world(4, narrow(Span::secs(10)));
    tell(&mut sim, 0, 0, vec![CastBytes(1, 1, 98), CastBytes(2, 2, 48), SendBytes(1, 3, 28)]);
    // Another sender has its own uplink, and a free one is used at once.
    tell(&mut sim, 0, 3, vec![CastBytes(2, 4, 98)]);
    tell(&mut sim, 500, 0, vec![CastBytes(1, 5, 8)]);
    let mut trace = Trace::default();
    sim.run_until(ms(2_000), &mut trace);
    let mut arrivals: Vec<(u32, Option<Time>)> = trace.sent.iter().map(|sent| (sent.4, sent.3)).collect();
    arrivals.sort_unstable();
    let at = |ends: u64| Some(ms(ends + 10));
    let (one, two, three) = (wire(98), wire(98) + wire(48), wire(98) + wire(48) + wire(28));
    assert_eq!(
        arrivals,
        [(1, at(one)), (2, at(two)), (3, at(three)), (4, at(wire(98))), (5, at(500 + wire(8)))]
    );
    assert_eq!(seen(&sim, 2).len(), 2);
}

#[test]
fn a_full_queue_drops_datagrams_and_delays_streams() {
    let burst = |deed: fn(u32) -> Do| {
        let mut sim = world(2, narrow(Span::millis(500)));
        tell(&mut sim, 0, 0, (0..20).map(deed).collect());
        let mut trace = Trace::default();
        sim.run_until(ms(5_000), &mut trace);
        (got(&sim, 1, 0), sim.counters().lost(Lost::Queue), trace.sent.last().expect("sent").3)
    };
    // Each takes 100 ms. Those that would wait for more than 500 are dropped: all after the first six.
    let (numbers, lost, last) = burst(|n| CastBytes(1, n, 98));
    assert_eq!((numbers, lost, last), ((0..6).collect(), 14, None));
    let (numbers, lost, last) = burst(|n| SendBytes(1, n, 98));
    assert_eq!((numbers, lost, last), ((0..20).collect(), 0, Some(ms(20 * 100 + 10))));
}

#[test]
fn a_process_reaches_itself_at_once_and_without_loss() {
    let links = Links { loss: 1.0, ..Links::constant(Span::millis(10)) };
    let mut sim = world(2, links);
    tell(&mut sim, 5, 0, vec![Cast(0, 1), Send(0, 2), Cast(1, 3)]);
    sim.run_until(ms(6), &mut ());
    assert_eq!(got(&sim, 0, 0), [1, 2]);
    assert_eq!(sim.process(p(1)).map(|script| script.seen.len()), Some(1));
}

#[test]
fn every_message_is_delivered_or_lost_for_a_reason_that_is_counted() {
    let links = Links { loss: 0.2, duplication: 0.2, stream_timeout: Span::millis(300), ..uniform(1, 40) };
    let mut sim = world(6, links);
    for n in 0..2_000 {
        let (who, to) = (n % 6, (n / 6) % 7);
        tell(&mut sim, u64::from(n), who, vec![Cast(to, n), Send(to, n)]);
    }
    for (at, fault) in [
        (200, crate::world::apart(&[&[0, 1], &[2, 3]])),
        (400, Fault::Crash(crate::world::ids(&[1, 2]))),
        (600, Fault::Heal),
        (700, Fault::Restart { who: isles_sim::Who::All, memory: isles_sim::Memory::Disk }),
        (800, Fault::Pause(crate::world::ids(&[3, 4]))),
        (1_000, Fault::Crash(crate::world::ids(&[3]))),
        (1_100, Fault::Resume(isles_sim::Who::All)),
        (1_200, Fault::Mute(crate::world::ids(&[5]))),
        (1_300, Fault::Crash(crate::world::ids(&[5]))),
        (1_400, Fault::Heal),
        (1_500, Fault::Restart { who: isles_sim::Who::All, memory: isles_sim::Memory::Kept }),
    ] {
        sim.inject(ms(at), fault);
    }
    assert!(sim.run_to_quiescence(ms(60_000), &mut ()));
    let counters = sim.counters();
    let reasons = [Lost::Link, Lost::Partition, Lost::Queue, Lost::Down, Lost::Stream];
    let lost: u64 = reasons.iter().map(|why| counters.lost(*why)).sum();
    assert_eq!(counters.sent() + counters.duplicated, counters.delivered + lost, "{counters:?}");
    for why in [Lost::Link, Lost::Partition, Lost::Down, Lost::Stream] {
        assert!(counters.lost(why) > 0, "{why:?} was not tried");
    }
}
