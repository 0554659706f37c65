//! Plumtree handler by handler, against Leitão, Pereira and Rodrigues 2007.

use isles_gossip::broadcast::Event;
use isles_gossip::plumtree::{ANNOUNCEMENTS_MAX, Announcement, Config, Msg, Plumtree, Timer};
use isles_gossip::{Broadcast, Change, MessageId};
use isles_kernel::{Channel, Cx, Effect, OpId, Payload, ProcessId, Protocol, Span, Time};

const ME: ProcessId = ProcessId(0);

/// One process and what it did last.
struct Bench {
    process: Plumtree,
    config: Config,
    now: Time,
}

fn peer(number: u32) -> ProcessId {
    ProcessId(number)
}

fn id(number: u64) -> MessageId {
    MessageId { origin: peer(99), number }
}

fn gossip(number: u64, round: u16) -> Msg {
    Msg::Gossip { id: id(number), round, payload: Payload::from("news") }
}

fn ihave(numbers: &[u64], round: u16) -> Msg {
    let announcements = numbers.iter().map(|number| Announcement { id: id(*number), round }).collect();
    Msg::IHave { announcements }
}

fn graft(number: u64, round: u16) -> Msg {
    Msg::Graft { id: Some(id(number)), round }
}

impl Bench {
    fn with(config: Config, peers: u32) -> Self {
        let mut effects: Vec<Effect<Plumtree>> = Vec::new();
        let process = Plumtree::start(&mut Cx::new(ME, Time::ZERO, &config, &mut effects), &[]);
        assert!(effects.is_empty(), "nothing to do without neighbours and messages");
        let mut bench = Self { process, config, now: Time::ZERO };
        for number in 1..=peers {
            bench.change(Change::Up { peer: peer(number) });
        }
        bench
    }

    /// Neighbours 1, 2 and 3, all eager.
    fn new() -> Self {
        Self::with(Config::default(), 3)
    }

    fn step(&mut self, handler: impl FnOnce(&mut Plumtree, &mut Cx<'_, Plumtree>)) -> Vec<Effect<Plumtree>> {
        let mut effects = Vec::new();
        handler(&mut self.process, &mut Cx::new(ME, self.now, &self.config, &mut effects));
        effects
    }

    fn receive(&mut self, from: u32, msg: Msg) -> Vec<Effect<Plumtree>> {
        self.step(|process, cx| process.on_message(cx, peer(from), msg))
    }

    fn timer(&mut self, timer: Timer) -> Vec<Effect<Plumtree>> {
        self.step(|process, cx| process.on_timer(cx, timer))
    }

    fn change(&mut self, change: Change) -> Vec<Effect<Plumtree>> {
        self.step(|process, cx| process.on_change(cx, change))
    }

    fn eager(&self) -> Vec<u32> {
        self.process.eager().map(|peer| peer.0).collect()
    }

    fn lazy(&self) -> Vec<u32> {
        self.process.lazy().map(|peer| peer.0).collect()
    }
}

/// The messages sent, in order.
fn sent(effects: &[Effect<Plumtree>]) -> Vec<(u32, Msg)> {
    let send = |effect: &Effect<Plumtree>| {
        let Effect::Send { to, msg, channel: Channel::Stream } = effect else { return None };
        Some((to.0, msg.clone()))
    };
    effects.iter().filter_map(send).collect()
}

fn armed(number: u64, after: Span) -> Effect<Plumtree> {
    Effect::Arm { timer: Timer::Missing(id(number)), after }
}

fn disarmed(number: u64) -> Effect<Plumtree> {
    Effect::Disarm { timer: Timer::Missing(id(number)) }
}

#[test]
fn all_neighbours_are_eager_at_first() {
    assert_eq!(Bench::new().eager(), [1, 2, 3]);
}

#[test]
fn a_broadcast_is_named_delivered_at_once_and_pushed_to_all_eager_neighbours() {
    let mut bench = Bench::new();
    let effects = bench.step(|process, cx| process.on_op(cx, OpId(7), Payload::from("mine")));
    let (id, payload) = (MessageId { origin: ME, number: 0 }, Payload::from("mine"));
    let push = Msg::Gossip { id, round: 1, payload: payload.clone() };
    assert_eq!(effects[0], Effect::Reply { id: OpId(7), reply: id });
    assert_eq!(effects[1], Effect::Emit { event: Event::Delivered { id, hops: 0, payload } });
    assert_eq!(sent(&effects), [(1, push.clone()), (2, push.clone()), (3, push)]);
}

#[test]
fn a_new_payload_goes_on_to_all_but_its_sender_with_one_more_hop() {
    let mut bench = Bench::new();
    let effects = bench.receive(2, gossip(5, 4));
    let event = Event::Delivered { id: id(5), hops: 4, payload: Payload::from("news") };
    assert_eq!(effects[0], Effect::Emit { event });
    assert_eq!(sent(&effects), [(1, gossip(5, 5)), (3, gossip(5, 5))]);
}

#[test]
fn a_known_payload_turns_the_link_lazy_at_both_ends() {
    let mut bench = Bench::new();
    bench.receive(2, gossip(5, 4));
    let effects = bench.receive(3, gossip(5, 4));
    assert_eq!(effects[0], Effect::Emit { event: Event::Redundant { id: id(5) } });
    assert_eq!(sent(&effects), [(3, Msg::Prune)]);
    assert_eq!((bench.eager(), bench.lazy()), (vec![1, 2], vec![3]));
    // The other end does the same when it is told.
    bench.receive(1, Msg::Prune);
    assert_eq!((bench.eager(), bench.lazy()), (vec![2], vec![1, 3]));
}

#[test]
fn payloads_go_over_eager_links_and_ids_over_lazy_ones() {
    let mut bench = Bench::new();
    bench.receive(3, Msg::Prune);
    assert_eq!(sent(&bench.receive(1, gossip(5, 2))), [(2, gossip(5, 3)), (3, ihave(&[5], 3))]);
}

#[test]
fn a_new_payload_over_a_lazy_link_turns_it_eager() {
    let mut bench = Bench::new();
    bench.receive(3, Msg::Prune);
    bench.receive(3, gossip(5, 2));
    assert_eq!((bench.eager(), bench.lazy()), (vec![1, 2, 3], vec![]));
}

#[test]
fn the_first_announcement_of_an_unknown_message_starts_timer_1_and_others_do_not() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.receive(1, ihave(&[5, 6], 2)),
        [armed(5, Span::millis(500)), armed(6, Span::millis(500))]
    );
    assert_eq!(bench.receive(2, ihave(&[5], 2)), []);
    bench.receive(3, gossip(7, 1));
    assert_eq!(bench.receive(1, ihave(&[7], 2)), [], "what is known is not missed");
}

#[test]
fn a_payload_that_follows_its_announcement_stops_the_timer() {
    let mut bench = Bench::new();
    bench.receive(1, ihave(&[5], 2));
    assert!(bench.receive(2, gossip(5, 2)).contains(&disarmed(5)));
    assert_eq!(bench.process.missing_count(), 0);
    assert_eq!(bench.timer(Timer::Missing(id(5))), [disarmed(5)], "a stale timer asks for nothing");
}

#[test]
fn timers_graft_one_announcer_after_the_other_more_patiently_each_time_and_end() {
    let mut bench = Bench::with(Config { graft_passes_max: 2, ..Config::default() }, 3);
    for announcer in [1, 2] {
        bench.receive(announcer, Msg::Prune);
        bench.receive(announcer, ihave(&[5], 3));
    }
    let expected = [(1, 200), (2, 200), (1, 400), (2, 400)];
    for (announcer, wait) in expected {
        let effects = bench.timer(Timer::Missing(id(5)));
        assert_eq!(effects[0], armed(5, Span::millis(wait)));
        assert_eq!(sent(&effects), [(announcer, graft(5, 3))]);
    }
    assert_eq!((bench.eager(), bench.lazy()), (vec![1, 2, 3], vec![]), "whoever is grafted is eager");
    assert_eq!(bench.timer(Timer::Missing(id(5))), [disarmed(5)], "given up");
    assert_eq!(bench.process.missing_count(), 0);
    assert_eq!(
        bench.receive(3, ihave(&[5], 3)),
        [armed(5, Span::millis(500))],
        "until it is announced again"
    );
}

#[test]
fn a_graft_turns_the_link_eager_and_is_answered_with_the_payload() {
    let mut bench = Bench::new();
    bench.receive(1, gossip(5, 4));
    bench.receive(2, Msg::Prune);
    assert_eq!(sent(&bench.receive(2, graft(5, 5))), [(2, gossip(5, 5))]);
    assert_eq!(bench.eager(), [1, 2, 3]);
    // Also over a link that is eager: the payload may be older than that.
    assert_eq!(sent(&bench.receive(3, graft(5, 5))), [(3, gossip(5, 5))]);
}

#[test]
fn a_graft_for_a_message_that_is_not_kept_only_turns_the_link_eager() {
    let mut bench = Bench::with(Config { cache_count_max: 1, ..Config::default() }, 3);
    bench.receive(1, gossip(5, 1));
    bench.receive(1, gossip(6, 1));
    bench.receive(2, Msg::Prune);
    assert_eq!(bench.receive(2, graft(5, 2)), []);
    assert_eq!(bench.eager(), [1, 2, 3]);
    assert_eq!(sent(&bench.receive(2, graft(6, 2))), [(2, gossip(6, 2))]);
}

#[test]
fn payloads_are_kept_for_their_span_only() {
    let mut bench = Bench::new();
    bench.receive(1, gossip(5, 1));
    bench.now = Time::ZERO + Span::secs(30);
    bench.receive(1, gossip(6, 1));
    assert_eq!(sent(&bench.receive(2, graft(5, 2))), [(2, gossip(5, 2))]);
    bench.now = Time::ZERO + Span::secs(31);
    bench.receive(1, gossip(7, 1));
    assert_eq!(bench.receive(2, graft(5, 2)), []);
}

#[test]
fn a_late_copy_is_not_delivered_again_though_its_payload_is_gone() {
    let config = Config { cache_count_max: 1, seen_count_max: 4, ..Config::default() };
    let mut bench = Bench::with(config, 3);
    for number in 0..100 {
        bench.receive(1, gossip(number, 1));
    }
    let effects = bench.receive(2, gossip(3, 1));
    assert_eq!(effects[0], Effect::Emit { event: Event::Redundant { id: id(3) } });
    // The bound binds: four windows of other origins later it is forgotten, as documented.
    for origin in 0..4 {
        let id = MessageId { origin: peer(1000 + origin), number: 0 };
        bench.receive(1, Msg::Gossip { id, round: 1, payload: Payload::from("x") });
    }
    assert!(matches!(bench.receive(2, gossip(3, 1))[0], Effect::Emit { event: Event::Delivered { .. } }));
}

#[test]
fn a_second_copy_from_the_first_ones_sender_leaves_the_link_alone() {
    let mut bench = Bench::new();
    bench.receive(2, gossip(5, 4));
    let effects = bench.receive(2, gossip(5, 4));
    assert_eq!(effects, [Effect::Emit { event: Event::Redundant { id: id(5) } }]);
    assert_eq!(bench.eager(), [1, 2, 3]);
}

#[test]
fn a_path_longer_by_the_threshold_is_replaced_and_a_shorter_one_is_not() {
    for (hops, threshold, replaced) in
        [(9, Some(7), true), (8, Some(7), false), (9, None, false), (3, Some(1), true), (2, Some(0), false)]
    {
        let mut bench = Bench::with(Config { threshold, ..Config::default() }, 3);
        bench.receive(1, Msg::Prune);
        bench.receive(1, ihave(&[5], 2));
        let effects = bench.receive(3, gossip(5, hops));
        let notices: Vec<_> = sent(&effects)
            .into_iter()
            .filter(|(_, msg)| matches!(msg, Msg::Graft { .. } | Msg::Prune))
            .collect();
        let context = format!("{hops} hops, threshold {threshold:?}");
        if replaced {
            assert_eq!(notices, [(1, Msg::Graft { id: None, round: 2 }), (3, Msg::Prune)], "{context}");
            assert_eq!((bench.eager(), bench.lazy()), (vec![1, 2], vec![3]), "{context}");
        } else {
            assert_eq!(notices, [], "{context}");
            assert_eq!((bench.eager(), bench.lazy()), (vec![2, 3], vec![1]), "{context}");
        }
    }
}

#[test]
fn a_graft_without_an_id_sends_nothing() {
    let mut bench = Bench::new();
    bench.receive(2, gossip(5, 4));
    bench.receive(1, Msg::Prune);
    assert_eq!(bench.receive(1, Msg::Graft { id: None, round: 2 }), []);
    assert_eq!(bench.eager(), [1, 2, 3]);
}

#[test]
fn what_only_a_lost_neighbour_announced_is_forgotten_and_nothing_stays_armed() {
    let mut bench = Bench::new();
    bench.receive(1, ihave(&[5, 6], 2));
    bench.receive(2, ihave(&[6], 2));
    assert_eq!(bench.change(Change::Down { peer: peer(1) }), [disarmed(5)]);
    assert_eq!(bench.eager(), [2, 3]);
    assert_eq!(sent(&bench.timer(Timer::Missing(id(6)))), [(2, graft(6, 2))]);
}

#[test]
fn when_the_grafted_announcer_is_lost_the_next_is_grafted_at_once() {
    let mut bench = Bench::new();
    bench.receive(1, ihave(&[5], 2));
    bench.receive(2, ihave(&[5], 3));
    bench.timer(Timer::Missing(id(5)));
    let effects = bench.change(Change::Down { peer: peer(1) });
    assert_eq!(effects[0], armed(5, Span::millis(200)));
    assert_eq!(sent(&effects), [(2, graft(5, 3))]);
}

#[test]
fn when_the_stream_to_the_grafted_announcer_breaks_the_next_is_grafted_at_once() {
    let mut bench = Bench::new();
    bench.receive(1, ihave(&[5], 2));
    bench.receive(2, ihave(&[5], 3));
    bench.timer(Timer::Missing(id(5)));
    let effects = bench.step(|process, cx| process.on_unreachable(cx, peer(1)));
    assert_eq!(sent(&effects), [(2, graft(5, 3))]);
    assert_eq!(bench.step(|process, cx| process.on_unreachable(cx, peer(1))), [], "it is not asked any more");
}

#[test]
fn a_new_neighbour_is_eager_and_hears_of_recent_messages_only_where_that_is_asked_for() {
    for (catch_up, expected) in [(Span::ZERO, vec![]), (Span::secs(1), vec![(4, ihave(&[6], 3))])] {
        let mut bench = Bench::with(Config { catch_up, ..Config::default() }, 3);
        bench.receive(1, gossip(5, 2));
        bench.now = Time::ZERO + Span::secs(2);
        bench.receive(1, gossip(6, 2));
        assert_eq!(sent(&bench.change(Change::Up { peer: peer(4) })), expected);
        assert_eq!(bench.eager(), [1, 2, 3, 4]);
    }
}

#[test]
fn whoever_is_no_neighbour_is_answered_and_gets_no_link() {
    let mut bench = Bench::new();
    bench.receive(8, gossip(5, 1));
    bench.receive(8, ihave(&[6], 1));
    assert_eq!(sent(&bench.timer(Timer::Missing(id(6)))), [(8, graft(6, 1))]);
    assert_eq!(sent(&bench.receive(8, graft(5, 2))), [(8, gossip(5, 2))]);
    bench.receive(8, Msg::Prune);
    assert_eq!((bench.eager(), bench.lazy()), (vec![1, 2, 3], vec![]));
}

#[test]
fn everyone_means_all_other_processes() {
    let mut bench = Bench::with(Config::default(), 0);
    bench.change(Change::Everyone { count: 4 });
    assert_eq!(bench.eager(), [1, 2, 3]);
}

#[test]
fn without_grafting_announcements_are_ignored() {
    let mut bench = Bench::with(Config { graft: false, ..Config::default() }, 3);
    assert_eq!(bench.receive(1, ihave(&[5], 2)), []);
    assert_eq!(bench.process.missing_count(), 0);
}

/// Collects announcements for 100 ms; neighbours 2 and 3 are lazy.
fn batching() -> Bench {
    let mut bench = Bench::with(Config { announce_period: Span::millis(100), ..Config::default() }, 3);
    bench.receive(2, Msg::Prune);
    bench.receive(3, Msg::Prune);
    bench
}

#[test]
fn announcements_wait_for_the_period_and_go_together() {
    let mut bench = batching();
    let announce = Effect::Arm { timer: Timer::Announce, after: Span::millis(100) };
    assert!(bench.receive(1, gossip(5, 1)).contains(&announce));
    assert!(!bench.receive(1, gossip(6, 1)).contains(&announce), "the batch has its timer");
    assert_eq!(bench.timer(Timer::Announce), {
        let to = |number| Effect::Send { to: peer(number), msg: ihave(&[5, 6], 2), channel: Channel::Stream };
        [to(2), to(3)]
    });
    assert_eq!(bench.timer(Timer::Announce), [], "and are sent once");
}

#[test]
fn a_message_is_not_announced_to_whoever_sent_it() {
    let mut bench = batching();
    bench.receive(1, gossip(5, 1));
    let effects = sent(&bench.receive(2, gossip(6, 1)));
    assert_eq!(
        effects,
        [(1, gossip(6, 2)), (2, ihave(&[5], 2))],
        "the link turns eager: 5 was waiting, 6 is known"
    );
    bench.receive(2, Msg::Prune);
    bench.receive(1, gossip(7, 1));
    assert_eq!(sent(&bench.timer(Timer::Announce)), [(2, ihave(&[7], 2)), (3, ihave(&[5, 6, 7], 2))]);
}

#[test]
fn what_waits_for_a_neighbour_is_announced_when_its_link_turns_eager() {
    let mut bench = batching();
    bench.receive(1, gossip(5, 1));
    assert_eq!(sent(&bench.receive(2, graft(4, 1))), [(2, ihave(&[5], 2))]);
    assert_eq!(sent(&bench.timer(Timer::Announce)), [(3, ihave(&[5], 2))]);
}

#[test]
fn a_link_that_turns_lazy_gets_no_announcement_of_what_it_was_sent() {
    let mut bench = batching();
    bench.receive(2, gossip(5, 1));
    assert_eq!(bench.eager(), [1, 2]);
    bench.receive(1, Msg::Prune);
    bench.receive(2, gossip(6, 1));
    assert_eq!(sent(&bench.timer(Timer::Announce)), [(1, ihave(&[6], 2)), (3, ihave(&[5, 6], 2))]);
}

#[test]
fn a_full_batch_does_not_wait() {
    let mut bench = batching();
    let full = ANNOUNCEMENTS_MAX as u64;
    for number in 1..full {
        assert!(sent(&bench.receive(1, gossip(number, 1))).is_empty());
    }
    let effects = bench.receive(1, gossip(full, 1));
    assert!(effects.contains(&Effect::Disarm { timer: Timer::Announce }));
    let numbers: Vec<u64> = (1..=full).collect();
    assert_eq!(sent(&effects), [(2, ihave(&numbers, 2)), (3, ihave(&numbers, 2))]);
}

#[test]
fn more_missing_messages_than_allowed_are_ignored() {
    let mut bench = Bench::with(Config { missing_count_max: 2, ..Config::default() }, 3);
    assert_eq!(bench.receive(1, ihave(&[5, 6, 7], 2)).len(), 2);
    assert_eq!(bench.process.missing_count(), 2);
}
