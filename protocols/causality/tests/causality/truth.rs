//! Every mechanism against causal histories: exhaustively in small scope, and at random beyond.

use isles_causality::trial::{exhaust, wander};
use isles_causality::vector_clock::VectorClock;
use isles_causality::{Actor, CausalHistory, Dot, DottedVersionVector, DvvSet, Order, Stamp, VersionVector};

use crate::random::Random;

#[test]
fn all_short_runs_of_up_to_four_replicas_are_ordered_as_their_histories() {
    assert_eq!(exhaust(4, 6), Ok(259_298));
}

#[test]
fn long_random_runs_are_ordered_as_their_histories() {
    let mut random = Random::new(3);
    assert_eq!(wander(60_000, 100, 6, |bound| random.below(bound)), Ok(()));
}

/// What no mechanism survives, so that the tests above can fail: a copy that counts as the same actor.
#[test]
fn copies_that_both_count_are_taken_for_one() {
    let (mut vector, mut stamp) = (VersionVector::new(), Stamp::seed());
    let (mut same_actor, mut copy) = (vector.clone(), stamp.clone());
    let _ = (vector.event(Actor(0)), same_actor.event(Actor(0)));
    stamp.event();
    copy.event();
    let one: CausalHistory = [Dot::new(Actor(0), 1)].into_iter().collect();
    let other: CausalHistory = [Dot::new(Actor(1), 1)].into_iter().collect();
    assert_eq!(one.compare(&other), Order::Concurrent);
    assert_eq!(vector.compare(&same_actor), Order::Equal);
    assert_eq!(stamp.compare(&copy), Order::Equal);
}

/// A version of the truth: what its writer had read, and itself.
#[derive(Clone)]
struct Version {
    number: usize,
    known: CausalHistory,
}

/// Two servers, two clients with contexts, three mechanisms beside each other.
#[derive(Clone, Default)]
struct Store {
    /// By server: all versions that it was ever told of.
    truth: [Vec<Version>; 2],
    sets: [DvvSet<usize>; 2],
    dotted: [Vec<(DottedVersionVector, usize)>; 2],
    read: [(CausalHistory, VersionVector); 2],
    writes: usize,
}

impl Store {
    fn siblings(&self, server: usize) -> Vec<usize> {
        let all = &self.truth[server];
        let overwritten =
            |version: &Version| all.iter().any(|other| version.known.compare(&other.known) == Order::Before);
        let mut live: Vec<usize> =
            all.iter().filter(|version| !overwritten(version)).map(|version| version.number).collect();
        live.sort_unstable();
        live
    }

    fn read(&mut self, client: usize, server: usize) {
        let mut known = CausalHistory::new();
        self.truth[server].iter().for_each(|version| known.join(&version.known));
        let context = self.sets[server].context();
        let mut all = VersionVector::new();
        self.dotted[server].iter().for_each(|(clock, _)| all.join(&clock.context()));
        assert!(context.includes(&all), "{context:?} and {all:?}");
        self.read[client] = (known, context);
    }

    fn put(&mut self, client: usize, server: usize) {
        let (mut known, context) = self.read[client].clone();
        let actor = Actor(server as u64);
        let dot = self.sets[server].event(actor, &context, self.writes);
        let present = self.dotted[server].iter().map(|(clock, _)| clock);
        let clock = DottedVersionVector::event(&context, present, actor);
        assert_eq!(DottedVersionVector::decode(&clock.encode()).as_ref(), Ok(&clock));
        known.event(dot);
        self.truth[server].push(Version { number: self.writes, known });
        self.dotted[server].push((clock, self.writes));
        self.prune(server);
        self.writes += 1;
    }

    fn sync(&mut self, server: usize) {
        let theirs = self.truth[1 - server].clone();
        for version in theirs {
            if !self.truth[server].iter().any(|mine| mine.number == version.number) {
                self.truth[server].push(version);
            }
        }
        let other = self.sets[1 - server].clone();
        self.sets[server].join(&other);
        for (clock, number) in self.dotted[1 - server].clone() {
            if !self.dotted[server].iter().any(|(mine, _)| *mine == clock) {
                self.dotted[server].push((clock, number));
            }
        }
        self.prune(server);
    }

    /// Versions that another one here has overwritten go.
    fn prune(&mut self, server: usize) {
        let all = self.dotted[server].clone();
        let lives =
            |clock: &DottedVersionVector| !all.iter().any(|(other, _)| clock.compare(other) == Order::Before);
        self.dotted[server].retain(|(clock, _)| lives(clock));
    }

    fn check(&self) {
        for server in 0..2 {
            let truth = self.siblings(server);
            let mut set: Vec<usize> = self.sets[server].values().copied().collect();
            set.sort_unstable();
            assert_eq!(set, truth);
            let mut dotted: Vec<usize> = self.dotted[server].iter().map(|(_, number)| *number).collect();
            dotted.sort_unstable();
            assert_eq!(dotted, truth);
        }
    }
}

/// Dotted version vectors and their sets keep exactly those versions that no other has overwritten, in all runs of 5 steps.
#[test]
fn siblings_are_those_of_the_histories_in_all_short_runs() {
    let mut pending = vec![(Store::default(), 0)];
    let mut runs = 0;
    while let Some((store, done)) = pending.pop() {
        store.check();
        if done == 5 {
            runs += 1;
            continue;
        }
        for kind in 0..10 {
            let mut next = store.clone();
            match kind {
                0..4 => next.read(kind / 2, kind % 2),
                4..8 => next.put((kind - 4) / 2, kind % 2),
                _ => next.sync(kind - 8),
            }
            pending.push((next, done + 1));
        }
    }
    assert_eq!(runs, 100_000);
}

#[test]
fn siblings_are_those_of_the_histories_in_long_runs() {
    let mut random = Random::new(5);
    for _ in 0..40 {
        let mut store = Store::default();
        for _ in 0..60 {
            match random.below(3) {
                0 => store.read(random.below(2), random.below(2)),
                1 => store.put(random.below(2), random.below(2)),
                _ => store.sync(random.below(2)),
            }
            store.check();
        }
    }
}

#[test]
fn stamps_of_events_have_one_encoding() {
    let mut process = isles_causality::vector_clock::Process::new(Actor(3));
    let stamp = process.event();
    assert_eq!(VectorClock::decode(&stamp.encode()), Ok(stamp.clone()));
    let mut other = isles_causality::vector_clock::Process::new(Actor(1));
    assert_eq!(other.receive(&stamp).compare(&stamp), Order::After);
    // An event that does not know itself.
    assert!(VectorClock::decode(&[4, 1, 3, 0]).is_err());
}
