//! HyParView against its paper, and in simulation.

use isles_gossip::hyparview::properties::{overlay_connected, views_sound, views_symmetric};
use isles_gossip::hyparview::{Config, Contact, HyParView, Msg, Op, SHUFFLED_MAX, Timer};
use isles_gossip::peers::Change;
use isles_kernel::{Channel, Cx, Effect, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Detection, Distribution, Fault, Links, Setup, Simulation, Start, Who};

const ME: ProcessId = ProcessId(100);

fn p(id: u32) -> ProcessId {
    ProcessId(id)
}

/// A process by itself: what it does is a list.
struct Alone {
    config: Config,
    state: HyParView,
}

impl Alone {
    fn new(config: Config) -> Self {
        let mut effects: Vec<Effect<HyParView>> = Vec::new();
        let state = HyParView::start(&mut Cx::new(ME, Time::ZERO, &config, &mut effects), &[]);
        Self { config, state }
    }

    /// With these neighbours, which asked for their links.
    fn with_neighbors(peers: std::ops::Range<u32>) -> Self {
        let mut alone = Self::new(Config { contact: Contact::None, ..Config::default() });
        for peer in peers {
            alone.hears(p(peer), Msg::Neighbor { high: true });
        }
        alone
    }

    fn does(&mut self, step: impl FnOnce(&mut HyParView, &mut Cx<'_, HyParView>)) -> Vec<Effect<HyParView>> {
        let mut effects = Vec::new();
        step(&mut self.state, &mut Cx::new(ME, Time::ZERO, &self.config, &mut effects));
        assert_eq!(views_sound(&self.config, [(ME, &self.state)]), Ok(()));
        effects
    }

    fn hears(&mut self, from: ProcessId, msg: Msg) -> Vec<Effect<HyParView>> {
        self.does(|state, cx| state.on_message(cx, from, msg))
    }
}

/// Messages sent, in order.
fn sent(effects: &[Effect<HyParView>]) -> Vec<(ProcessId, Msg)> {
    let message = |effect: &Effect<HyParView>| match effect {
        Effect::Send { to, msg, channel: Channel::Stream } => Some((*to, msg.clone())),
        _ => None,
    };
    effects.iter().filter_map(message).collect()
}

fn changes(effects: &[Effect<HyParView>]) -> Vec<Change> {
    let change = |effect: &Effect<HyParView>| match effect {
        Effect::Emit { event } => Some(*event),
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

#[test]
fn a_process_that_starts_joins_through_its_contact() {
    let config = Config { contact: Contact::Process(p(3)), ..Config::default() };
    let mut effects: Vec<Effect<HyParView>> = Vec::new();
    HyParView::start(&mut Cx::new(ME, Time::ZERO, &config, &mut effects), &[]);
    assert_eq!(sent(&effects), [(p(3), Msg::Join)]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Arm { timer: Timer::Join, .. })));
}

#[test]
fn a_contact_with_room_takes_the_newcomer_in_and_starts_walks() {
    let mut alone = Alone::with_neighbors(1..3);
    let effects = alone.hears(p(50), Msg::Join);
    let walks: Vec<_> =
        sent(&effects).into_iter().filter(|(_, msg)| matches!(msg, Msg::ForwardJoin { .. })).collect();
    let walk = Msg::ForwardJoin { newcomer: p(50), ttl: 6 };
    assert_eq!(walks, [(p(1), walk.clone()), (p(2), walk)]);
    assert!(sent(&effects).contains(&(p(50), Msg::Neighbor { high: true })));
    assert_eq!(changes(&effects), [Change::Up { peer: p(50) }]);
    assert!(effects.contains(&Effect::Watch { peer: p(50) }));
}

#[test]
fn a_full_contact_makes_room_for_nobody() {
    let mut alone = Alone::with_neighbors(1..6);
    let effects = alone.hears(p(50), Msg::Join);
    assert_eq!(changes(&effects), []);
    assert_eq!(sent(&effects).len(), alone.config.walks);
    assert_eq!(alone.state.passive(), [p(50)]);
}

#[test]
fn a_walk_ends_where_there_is_room() {
    let mut alone = Alone::with_neighbors(1..4);
    let effects = alone.hears(p(1), Msg::ForwardJoin { newcomer: p(50), ttl: 5 });
    assert_eq!(sent(&effects), [(p(50), Msg::Neighbor { high: true })]);
}

#[test]
fn a_walk_goes_on_from_a_full_process_and_leaves_a_trace_at_prwl() {
    let mut alone = Alone::with_neighbors(1..6);
    let effects = alone.hears(p(1), Msg::ForwardJoin { newcomer: p(50), ttl: 3 });
    let [(to, Msg::ForwardJoin { newcomer, ttl: 2 })] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(newcomer, p(50));
    assert_ne!(to, p(1), "not back where it came from");
    assert_eq!(alone.state.passive(), [p(50)]);
}

#[test]
fn a_walk_that_is_over_splits_a_link() {
    let mut alone = Alone::with_neighbors(1..6);
    let effects = alone.hears(p(2), Msg::ForwardJoin { newcomer: p(50), ttl: 0 });
    assert_eq!(changes(&effects), [Change::Down { peer: p(1) }, Change::Up { peer: p(50) }]);
    let told = Msg::Disconnect { instead: Some(p(50)) };
    assert_eq!(sent(&effects), [(p(1), told), (p(50), Msg::Neighbor { high: true })]);
    assert!(effects.contains(&Effect::Unwatch { peer: p(1) }));
}

#[test]
fn a_high_priority_request_is_never_refused_and_a_low_one_when_there_is_no_room() {
    let mut alone = Alone::with_neighbors(1..6);
    let refused = alone.hears(p(50), Msg::Neighbor { high: false });
    assert_eq!(sent(&refused), [(p(50), Msg::NeighborReply { accepted: false })]);
    let accepted = alone.hears(p(51), Msg::Neighbor { high: true });
    assert!(sent(&accepted).contains(&(p(51), Msg::NeighborReply { accepted: true })));
    assert!(alone.state.active().contains(&p(51)));
}

#[test]
fn a_broken_link_is_repaired_from_the_passive_view_at_once() {
    let mut alone = Alone::with_neighbors(1..6);
    alone.hears(p(50), Msg::Neighbor { high: false });
    let effects = alone.does(|state, cx| state.on_unreachable(cx, p(3)));
    assert_eq!(changes(&effects), [Change::Down { peer: p(3) }]);
    assert_eq!(sent(&effects), [(p(50), Msg::Neighbor { high: false })]);
    // Refused: no other candidate is left but the same one, which is asked again.
    let effects = alone.hears(p(50), Msg::NeighborReply { accepted: false });
    assert_eq!(sent(&effects), [(p(50), Msg::Neighbor { high: false })]);
    let effects = alone.hears(p(50), Msg::NeighborReply { accepted: true });
    assert_eq!(changes(&effects), [Change::Up { peer: p(50) }]);
}

#[test]
fn who_was_dropped_asks_first_whoever_took_its_place() {
    let mut alone = Alone::with_neighbors(1..6);
    let effects = alone.hears(p(2), Msg::Disconnect { instead: Some(p(60)) });
    assert_eq!(sent(&effects), [(p(60), Msg::Neighbor { high: false })]);
    assert_eq!(alone.state.passive(), [p(2)], "the former neighbour is a candidate");
}

#[test]
fn who_has_no_neighbour_asks_with_high_priority() {
    let mut alone = Alone::with_neighbors(1..2);
    alone.state_remembers(p(70));
    let effects = alone.does(|state, cx| state.on_unreachable(cx, p(1)));
    assert_eq!(sent(&effects), [(p(70), Msg::Neighbor { high: true })]);
}

impl Alone {
    /// Makes a candidate of `peer`, by a shuffle's answer.
    fn state_remembers(&mut self, peer: ProcessId) {
        self.hears(p(1), Msg::ShuffleReply { peers: [peer].into() });
    }
}

#[test]
fn a_link_that_only_the_other_end_has_is_cut() {
    let mut alone = Alone::with_neighbors(1..3);
    let stale = alone.hears(p(9), Msg::NeighborReply { accepted: true });
    assert_eq!(sent(&stale), [(p(9), Msg::Disconnect { instead: None })]);
    let shuffle = Msg::Shuffle { origin: p(9), ttl: 1, peers: [p(9)].into() };
    let effects = alone.hears(p(9), shuffle);
    assert!(sent(&effects).contains(&(p(9), Msg::Disconnect { instead: None })));
}

#[test]
fn a_shuffle_is_answered_with_as_many_candidates_and_taken_in() {
    let mut alone = Alone::with_neighbors(1..2);
    for peer in 20..30 {
        alone.state_remembers(p(peer));
    }
    let effects = alone.hears(p(1), Msg::Shuffle { origin: p(5), ttl: 1, peers: [p(5), p(6), p(7)].into() });
    let reply = sent(&effects).into_iter().find_map(|(to, msg)| match msg {
        Msg::ShuffleReply { peers } if to == p(5) => Some(peers.len()),
        _ => None,
    });
    assert_eq!(reply, Some(3));
    assert!([p(5), p(6), p(7)].iter().all(|peer| alone.state.passive().contains(peer)));
}

#[test]
fn a_hostile_shuffle_is_cut() {
    let mut alone = Alone::with_neighbors(1..2);
    let many: Vec<ProcessId> = (1_000..101_000).map(ProcessId).collect();
    alone.hears(p(1), Msg::Shuffle { origin: p(5), ttl: 255, peers: many.clone().into() });
    alone.hears(p(1), Msg::ShuffleReply { peers: many.into() });
    assert!(alone.state.passive().len() <= alone.config.passive_max.min(2 * SHUFFLED_MAX));
}

#[test]
fn who_leaves_tells_its_neighbours() {
    let mut alone = Alone::with_neighbors(1..4);
    let effects = alone.does(|state, cx| state.on_op(cx, OpId(0), Op::Leave));
    assert_eq!(changes(&effects).len(), 3);
    let told = sent(&effects).iter().filter(|(_, msg)| *msg == Msg::Disconnect { instead: None }).count();
    assert_eq!(told, 3);
    assert!(alone.state.active().is_empty());
}

#[test]
fn the_properties_see_what_they_should() {
    let one = Alone::with_neighbors(1..3);
    assert!(views_symmetric([(ME, &one.state)]).is_err());
    let (a, b) = (Alone::with_neighbors(1..2), Alone::with_neighbors(2..3));
    assert_eq!(overlay_connected([(p(8), &a.state), (p(9), &b.state)]), Err(vec![2, 2]));
    let small = Config { active_max: 1, ..Config::default() };
    assert_eq!(views_sound(&small, [(ME, &one.state)]), Err(ME));
}

type Run = Simulation<HyParView>;

fn overlay(processes: u32, seed: u64, over: Span, config: Config, detection: Detection) -> Run {
    let latency = Distribution::Uniform { min: Span::millis(10), max: Span::millis(50) };
    let links = Links { detection, ..Links::law(latency) };
    let start = if over == Span::ZERO { Start::AtOnce } else { Start::Over(over) };
    Run::new(Setup { links, start, ..Setup::new(processes, seed, config) }).expect("a valid set-up")
}

/// Views are sound now; once no step is under way they are symmetric and connected.
fn check(run: &Run, config: &Config) -> Result<(), String> {
    let states = || run.live();
    views_sound(config, states()).map_err(|id| format!("{id}: views are not sound"))?;
    overlay_connected(states()).map_err(|sizes| format!("islands of {sizes:?}"))
}

/// How many links only one end has.
fn asymmetric(run: &Run) -> usize {
    run.live()
        .flat_map(|(id, state)| state.active().iter().map(move |peer| (id, *peer)))
        .filter(|(id, peer)| !run.process(*peer).is_some_and(|other| other.active().contains(id)))
        .count()
}

#[test]
fn processes_that_join_one_after_the_other_make_one_symmetric_overlay() {
    for seed in 0..3 {
        let config = Config::default();
        let mut run = overlay(1_000, seed, Span::secs(20), config.clone(), Detection::Immediate);
        run.run_until(Time::ZERO + Span::secs(120), &mut ());
        assert_eq!(check(&run, &config), Ok(()), "seed {seed}");
        assert_eq!(asymmetric(&run), 0, "seed {seed}");
        let full = run.live().filter(|(_, state)| state.active().len() == config.active_max).count();
        assert!(full > 950, "seed {seed}: {full} of 1000 have all neighbours");
    }
}

#[test]
fn a_thousand_that_join_at_once_through_one_contact_make_one_symmetric_overlay() {
    for seed in 0..3 {
        let config = Config { contact: Contact::Process(p(0)), ..Config::default() };
        let mut run = overlay(1_000, seed, Span::ZERO, config.clone(), Detection::Immediate);
        run.run_until(Time::ZERO + Span::secs(120), &mut ());
        assert_eq!(check(&run, &config), Ok(()), "seed {seed}");
        assert_eq!(asymmetric(&run), 0, "seed {seed}");
    }
}

#[test]
fn survivors_of_mass_crashes_are_one_symmetric_overlay_again() {
    for (share, detection) in [
        (0.5, Detection::Immediate),
        (0.8, Detection::Immediate),
        (0.5, Detection::OnSend),
        (0.8, Detection::OnSend),
    ] {
        for seed in 0..3 {
            let config = Config::default();
            let mut run = overlay(1_000, seed, Span::secs(20), config.clone(), detection);
            run.run_until(Time::ZERO + Span::secs(90), &mut ());
            run.inject(run.now(), Fault::Crash(Who::Fraction(share)));
            run.run_until(Time::ZERO + Span::secs(90 + 150), &mut ());
            assert_eq!(check(&run, &config), Ok(()), "seed {seed}, {share}, {detection:?}");
            assert!(asymmetric(&run) <= 2, "seed {seed}, {share}, {detection:?}: {}", asymmetric(&run));
        }
    }
}

#[test]
fn without_repair_a_mass_crash_leaves_islands() {
    // No period begins again after the crash, and no candidate is known: nobody can repair anything.
    let config = Config { passive_max: 1, mixing: 0, contact: Contact::None, ..Config::default() };
    let mut run = overlay(1_000, 1, Span::secs(20), config.clone(), Detection::Immediate);
    for id in 1..1_000 {
        run.invoke_at(Time::ZERO + Span::secs(21), p(id), Op::Join { contact: p(id - 1) });
    }
    run.run_until(Time::ZERO + Span::secs(25), &mut ());
    run.inject(run.now(), Fault::Crash(Who::Fraction(0.8)));
    run.run_until(Time::ZERO + Span::secs(26), &mut ());
    assert!(overlay_connected(run.live()).is_err());
}

#[test]
fn whoever_lost_everybody_joins_again() {
    let config = Config { contact: Contact::Process(p(0)), ..Config::default() };
    let mut run = overlay(50, 3, Span::secs(5), config, Detection::Immediate);
    run.run_until(Time::ZERO + Span::secs(60), &mut ());
    // Process 49 is cut off for so long that everyone forgets it and it everyone.
    run.inject(run.now(), Fault::Partition(vec![Who::Ids(vec![p(49)])]));
    run.run_until(Time::ZERO + Span::secs(200), &mut ());
    assert!(run.process(p(49)).is_some_and(|state| state.active().is_empty()));
    run.inject(run.now(), Fault::Heal);
    run.run_until(Time::ZERO + Span::secs(300), &mut ());
    assert_eq!(overlay_connected(run.live()), Ok(()));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let digest = |seed| {
        let mut run = overlay(300, seed, Span::ZERO, Config::default(), Detection::Immediate);
        run.run_until(Time::ZERO + Span::secs(30), &mut ());
        run.digest()
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}
