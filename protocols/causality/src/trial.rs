//! Trials: every mechanism beside the causal history, on the same run, compared on all pairs.
//!
//! Replicas fork, count events, learn from each other and retire. Each keeps the set of events that it knows, which is the truth, and what
//! each mechanism makes of it. A trial says where a mechanism's order is not that of the sets.

use crate::dot::{Actor, Dot};
use crate::exceptions::DotContext;
use crate::history::CausalHistory;
use crate::hybrid::{HybridClock, Timestamp};
use crate::itc::Stamp;
use crate::order::Order;
use crate::vector_clock::{Process, VectorClock};
use crate::version_vector::VersionVector;

/// What happens next. Replicas are numbered from 0 on as they stand in the trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The replica counts an event.
    Event(usize),
    /// The first learns what the second knows.
    Learn(usize, usize),
    /// A new replica comes, as a copy of this one.
    Fork(usize),
    /// The second hands all that it has to the first, and is gone.
    Retire(usize, usize),
}

/// One replica, by all mechanisms.
#[derive(Clone, Debug)]
struct Replica {
    history: CausalHistory,
    vector: VersionVector,
    context: DotContext,
    stamp: Stamp,
    process: Process,
    hybrid: HybridClock,
    actor: Actor,
}

/// One event, by the mechanisms that order events.
#[derive(Clone, Debug)]
struct Event {
    history: CausalHistory,
    clock: VectorClock,
    time: Timestamp,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Trial {
    replicas: Vec<Replica>,
    events: Vec<Event>,
    /// How many replicas there ever were: the next actor.
    actors: u64,
}

/// A pair of which a mechanism says something else than the sets of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// The mechanism.
    pub mechanism: &'static str,
    /// The two replicas or events.
    pub pair: (usize, usize),
    /// What it says.
    pub said: Order,
    /// What is true.
    pub truth: Order,
}

impl Default for Trial {
    fn default() -> Self {
        Self::new()
    }
}

impl Trial {
    /// One replica that knows nothing.
    pub fn new() -> Self {
        let actor = Actor(0);
        let first = Replica {
            history: CausalHistory::new(),
            vector: VersionVector::new(),
            context: DotContext::new(),
            stamp: Stamp::seed(),
            process: Process::new(actor),
            hybrid: HybridClock::new(u64::MAX),
            actor,
        };
        Self { replicas: vec![first], events: Vec::new(), actors: 1 }
    }

    /// How many replicas there are.
    pub fn replicas(&self) -> usize {
        self.replicas.len()
    }

    /// How many events there were.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// All steps that can follow while there are at most `most` replicas.
    pub fn steps(&self, most: usize) -> Vec<Step> {
        let count = self.replicas.len();
        let mut steps = Vec::new();
        for a in 0..count {
            steps.push(Step::Event(a));
            if count < most {
                steps.push(Step::Fork(a));
            }
            for b in (0..count).filter(|b| *b != a) {
                steps.push(Step::Learn(a, b));
                steps.push(Step::Retire(a, b));
            }
        }
        steps
    }

    /// Does a step: the replica that has changed.
    ///
    /// # Panics
    /// When a step names a replica that is not there, or one replica twice.
    pub fn step(&mut self, step: Step) -> usize {
        match step {
            Step::Event(at) => self.event(at),
            Step::Learn(at, from) => {
                let from = self.replicas[from].clone();
                self.learn(at, &from);
                self.replicas[at].stamp.learn(from.stamp.events());
                at
            }
            Step::Fork(at) => {
                let replica = &mut self.replicas[at];
                let actor = Actor(self.actors);
                let mut new = Replica { stamp: replica.stamp.fork(), actor, ..replica.clone() };
                new.process = Process::new(actor);
                // What the new process starts from is the last event that the old one knows of each actor.
                new.process.know(&new.vector);
                self.actors += 1;
                self.replicas.push(new);
                self.replicas.len() - 1
            }
            Step::Retire(at, other) => {
                let gone = self.replicas.remove(other);
                let at = at - usize::from(other < at);
                self.learn(at, &gone);
                self.replicas[at].stamp.join(gone.stamp).expect("replicas of a trial own disjoint parts");
                at
            }
        }
    }

    fn event(&mut self, at: usize) -> usize {
        let replica = &mut self.replicas[at];
        let dot = replica.vector.event(replica.actor);
        replica.history.event(dot);
        replica.context.insert(dot);
        replica.stamp.event();
        let clock = replica.process.event();
        // Wall clocks that differ and do not move much, so that the logical part has work to do.
        let now = 1_000 * (replica.actor.0 % 3) + self.events.len() as u64 / 4;
        let time = replica.hybrid.event(now);
        assert_eq!(clock.dot(), dot, "both count the same events");
        self.events.push(Event { history: replica.history.clone(), clock, time });
        at
    }

    fn learn(&mut self, at: usize, from: &Replica) {
        let replica = &mut self.replicas[at];
        replica.history.join(&from.history);
        replica.vector.join(&from.vector);
        replica.context.join(&from.context);
        replica.process.know(from.process.known());
        let latest = from.hybrid.latest();
        replica.hybrid.join(latest.wall, latest).expect("these clocks refuse nothing");
    }

    /// The first pair of replicas, one of them `at`, of which a mechanism says something wrong.
    pub fn replica_disagrees(&self, at: usize) -> Option<Disagreement> {
        (0..self.replicas.len()).find_map(|other| {
            let (a, b) = (&self.replicas[at], &self.replicas[other]);
            let truth = a.history.compare(&b.history);
            let answers = [
                ("version vectors", a.vector.compare(&b.vector)),
                ("dot contexts", a.context.compare(&b.context)),
                ("interval tree clocks", a.stamp.compare(&b.stamp)),
                ("what processes know", a.process.known().compare(b.process.known())),
            ];
            let wrong = answers.into_iter().find(|(_, said)| *said != truth);
            wrong.map(|(mechanism, said)| Disagreement { mechanism, pair: (at, other), said, truth })
        })
    }

    /// The first pair of events, one of them `at`, of which a mechanism says something wrong. Timestamps must only not contradict.
    pub fn event_disagrees(&self, at: usize) -> Option<Disagreement> {
        (0..self.events.len()).find_map(|other| {
            let (a, b) = (&self.events[at], &self.events[other]);
            let truth = a.history.compare(&b.history);
            let pair = (at, other);
            let said = a.clock.compare(&b.clock);
            if said != truth {
                return Some(Disagreement { mechanism: "vector clocks", pair, said, truth });
            }
            let said = a.time.compare(&b.time);
            let contradicts = truth != Order::Concurrent && said != truth;
            contradicts.then_some(Disagreement { mechanism: "hybrid clocks", pair, said, truth })
        })
    }

    /// The first pair of all of which a mechanism says something wrong.
    pub fn disagrees(&self) -> Option<Disagreement> {
        (0..self.replicas.len())
            .find_map(|at| self.replica_disagrees(at))
            .or_else(|| (0..self.events.len()).find_map(|at| self.event_disagrees(at)))
    }

    /// What an event knew, itself included: the truth.
    pub fn history(&self, event: usize) -> &CausalHistory {
        &self.events[event].history
    }

    /// The vector clock of an event.
    pub fn clock(&self, event: usize) -> &VectorClock {
        &self.events[event].clock
    }

    /// What a replica has, by interval tree clocks.
    pub fn stamp(&self, replica: usize) -> &Stamp {
        &self.replicas[replica].stamp
    }

    /// The dot of an event; events are numbered from 0 on.
    pub fn dot(&self, event: usize) -> Dot {
        self.events[event].clock.dot()
    }

    /// Whether all that replicas own is disjoint, and nothing is missing.
    pub fn identities_are_sound(&self) -> bool {
        let mut whole = crate::itc::Id::nothing();
        self.replicas.iter().all(|replica| whole.join(replica.stamp.id()).is_ok()) && whole.is_whole()
    }
}

/// Does all runs of `length` steps with at most `most` replicas: how many, or the first disagreement with its steps. After each step all
/// pairs with the changed replica are compared, and the newest event with all others.
///
/// # Errors
/// The steps that lead to a wrong answer, and the answer.
pub fn exhaust(most: usize, length: usize) -> Result<u64, (Vec<Step>, Disagreement)> {
    let mut runs = 0;
    let mut pending = vec![(Trial::new(), Vec::new())];
    while let Some((trial, steps)) = pending.pop() {
        if steps.len() == length {
            runs += 1;
            continue;
        }
        for step in trial.steps(most) {
            let (mut next, mut path) = (trial.clone(), steps.clone());
            path.push(step);
            let changed = next.step(step);
            let newest = matches!(step, Step::Event(_)).then(|| next.events() - 1);
            let wrong =
                next.replica_disagrees(changed).or_else(|| newest.and_then(|at| next.event_disagrees(at)));
            if let Some(wrong) = wrong {
                return Err((path, wrong));
            }
            assert!(next.identities_are_sound(), "identities after {path:?}");
            pending.push((next, path));
        }
    }
    Ok(runs)
}

/// Does `steps` random steps, in runs of `length` steps with at most `most` replicas each; `below` draws a number below a bound. As
/// [`exhaust`] otherwise.
///
/// # Errors
/// The first wrong answer, and after how many steps.
pub fn wander(
    steps: u64,
    length: u64,
    most: usize,
    mut below: impl FnMut(usize) -> usize,
) -> Result<(), (u64, Disagreement)> {
    let mut trial = Trial::new();
    for done in 0..steps {
        if done % length == 0 {
            trial = Trial::new();
        }
        let count = trial.replicas();
        let (at, other) = (below(count), below(count));
        // A third each of forks, of retirements, and of events and learning, as in the authors' own test of interval tree clocks.
        let step = match below(6) {
            0 | 1 if count < most => Step::Fork(at),
            2 if at != other => Step::Retire(at, other),
            3 if at != other => Step::Learn(at, other),
            _ => Step::Event(at),
        };
        let changed = trial.step(step);
        let newest = matches!(step, Step::Event(_)).then(|| trial.events() - 1);
        let wrong =
            trial.replica_disagrees(changed).or_else(|| newest.and_then(|at| trial.event_disagrees(at)));
        if let Some(wrong) = wrong {
            return Err((done, wrong));
        }
    }
    Ok(())
}
