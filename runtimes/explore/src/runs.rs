//! Single behaviours, drawn at random: each step by itself, or by priorities.
//!
//! Behaviours are drawn in batches. Those of a batch go on at the same time, each on one thread, as long as what handlers
//! do is known; whoever needs more is taken up by one thread in between. Each draw is addressed by seed, behaviour
//! and step, and so nothing depends on the number of threads.

use isles_kernel::Protocol;
use isles_kernel::random::{below, draw};

use crate::action::{Action, Cause};
use crate::breadth::{Bounds, Searched};
use crate::digest::digest;
use crate::explorer::Watcher;
use crate::parcel::Kind;
use crate::report::{Chance, Stopped};
use crate::space::{Need, Space};
use crate::state::State;
use crate::visited::Visited;
use crate::watch::Open;

/// Random behaviours to draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walks {
    /// How many.
    pub count: u64,
    /// How many steps each takes at most.
    pub steps: u32,
    /// Names all draws: the same seed draws the same behaviours.
    pub seed: u64,
}

/// Behaviours by random priorities (PCT: Burckhardt, Kothari, Musuvathi and Nagarakatte, *A Randomized Scheduler with
/// Probabilistic Guarantees of Finding Bugs*, ASPLOS 2010).
///
/// The paper's threads are what can go on by itself here: a stream, a datagram by sender, receiver and content, a timer,
/// a client, a disk, a process that may crash or start, a kind of fault. Each has a random priority, and whichever is highest goes on;
/// after `depth` - 1 random steps whoever took the step falls below all others. A bug of depth d is one that shows whenever
/// d events come in a certain order, whatever else happens. Each behaviour finds it with a probability of at least
/// 1 / (n · k^(d-1)), with n such threads and k steps; the report says it with the n that were met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Priorities {
    /// How many behaviours.
    pub count: u64,
    /// How many steps each takes at most: the paper's k.
    pub steps: u32,
    /// The depth of the bugs that are sought: the paper's d, at least 1.
    pub depth: u32,
    /// Names all draws: the same seed draws the same behaviours.
    pub seed: u64,
}

/// How steps are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draws {
    /// All that are possible with the same probability.
    Even(Walks),
    Priorities(Priorities),
}

/// Words that address draws.
const START: u64 = 0x0073_7461_7274;
const STEP: u64 = 0x7374_6570;
const CHANGE: u64 = 0x6368_616e_6765;
const CHAIN: u64 = 0x0063_6861_696e;

/// Behaviours that go on together.
const BATCH: u64 = 128;

impl Draws {
    const fn count(self) -> u64 {
        match self {
            Self::Even(walks) => walks.count,
            Self::Priorities(priorities) => priorities.count,
        }
    }

    const fn steps(self) -> u32 {
        match self {
            Self::Even(walks) => walks.steps,
            Self::Priorities(priorities) => priorities.steps,
        }
    }

    const fn seed(self) -> u64 {
        match self {
            Self::Even(walks) => walks.seed,
            Self::Priorities(priorities) => priorities.seed,
        }
    }
}

/// What goes on by itself: a thread of the paper.
type Chain = u64;

/// One behaviour.
struct Run {
    number: u64,
    start: u32,
    words: Vec<u32>,
    path: Vec<Action>,
    /// The fingerprints of its states.
    met: Vec<u64>,
    /// Properties that it decides, each with the steps to there.
    decided: Vec<(usize, u32)>,
    done: bool,
    /// The current state has been looked at.
    looked: bool,
    schedule: Schedule,
}

/// Whose turn it is.
#[derive(Default)]
struct Schedule {
    /// Steps after which priorities change.
    changes: Vec<u32>,
    /// Those whose priorities fell, with what they fell to.
    fallen: Vec<(Chain, u32)>,
    /// All that were met, ascending.
    chains: Vec<Chain>,
}

impl Run {
    fn new(number: u64, initial: &[Vec<u32>], draws: Draws) -> Self {
        let start = below(draw(draws.seed(), &[START, number]), initial.len() as u32);
        let changes = match draws {
            Draws::Even(_) => Vec::new(),
            Draws::Priorities(Priorities { depth, steps, seed, .. }) => (1..u64::from(depth))
                .map(|change| 1 + below(draw(seed, &[CHANGE, number, change]), steps.max(1)))
                .collect(),
        };
        Self {
            number,
            start,
            words: initial[start as usize].clone(),
            path: Vec::new(),
            met: Vec::new(),
            decided: Vec::new(),
            done: false,
            looked: false,
            schedule: Schedule { changes, ..Schedule::default() },
        }
    }

    /// Goes on to its end, or until something is not known.
    fn go_on<P: Protocol>(
        &mut self,
        space: &Space<P>,
        draws: Draws,
        open: &Open,
        bounds: Bounds,
    ) -> Result<(), Need> {
        let (mut actions, mut scratch) = (Vec::new(), Vec::new());
        while !self.done {
            let state = space.state(&self.words);
            if !self.looked {
                self.met.push(space.fingerprint(&self.words)?);
                let (decided, at) = (&mut self.decided, self.path.len() as u32);
                let mut violated = false;
                let _ = space.decide(state, open, |property| {
                    violated |= space.is_violation(property);
                    if decided.iter().all(|(other, _)| *other != property) {
                        decided.push((property, at));
                    }
                });
                self.looked = true;
                self.done =
                    violated && !bounds.whole || self.path.len() as u32 >= draws.steps().min(bounds.depth);
                continue;
            }
            actions.clear();
            space
                .successors(state, &mut scratch, |action, fingerprint| actions.push((action, fingerprint)))?;
            let at = (self.number, self.path.len() as u64);
            let Some(action) = self.schedule.choose(space, state, &actions, (draws, at)) else {
                self.done = true;
                continue;
            };
            space.successor(space.state(&self.words), action, &mut scratch)?;
            std::mem::swap(&mut self.words, &mut scratch);
            self.path.push(action);
            self.looked = false;
        }
        Ok(())
    }
}

impl Schedule {
    /// One of the actions that are possible, in a behaviour of this number at this step.
    fn choose<P: Protocol>(
        &mut self,
        space: &Space<P>,
        state: State<'_>,
        actions: &[(Action, u64)],
        (draws, (number, step)): (Draws, (u64, u64)),
    ) -> Option<Action> {
        let pick = |count: usize| below(draw(draws.seed(), &[STEP, number, step]), count as u32) as usize;
        if let Draws::Even(_) = draws {
            return actions.get(pick(actions.len().max(1))).map(|(action, _)| *action);
        }
        let mut best: Option<((bool, u64), Chain)> = None;
        let mut among = Vec::new();
        for (action, fingerprint) in actions {
            // What changes nothing would go on for ever, and nobody else.
            if *fingerprint == state.fingerprint() {
                continue;
            }
            let chain = space.chain(state, action.cause());
            if let Err(place) = self.chains.binary_search(&chain) {
                self.chains.insert(place, chain);
            }
            let fallen = self.fallen.iter().rev().find(|(other, _)| *other == chain);
            let priority = match fallen {
                Some((_, priority)) => (false, u64::from(*priority)),
                None => (true, draw(draws.seed(), &[CHAIN, number, chain])),
            };
            match best {
                Some((highest, other)) if (highest, other) > (priority, chain) => {}
                Some((_, other)) if other == chain => among.push(*action),
                Some(_) | None => {
                    best = Some((priority, chain));
                    among.clear();
                    among.push(*action);
                }
            }
        }
        let (_, chain) = best?;
        let action = among[pick(among.len())];
        for (priority, change) in (1..).zip(&self.changes) {
            if u64::from(*change) == step + 1 {
                self.fallen.push((chain, priority));
            }
        }
        Some(action)
    }
}

/// Draws behaviours until one violates a property, or all are drawn.
pub(crate) fn search<P: Protocol + Sync>(
    space: &mut Space<P>,
    threads: usize,
    draws: Draws,
    bounds: Bounds,
    progress: Watcher<'_>,
) -> Searched {
    let mut visited = Visited::new();
    let mut open = Open::all(&space.scenario);
    let mut found = Searched::nothing(space.scenario.properties.len() + 1);
    let (mut violated, mut chains) = (false, 1);
    let mut drawn = 0;
    let initial = space.initial();
    'batches: for first in (0..draws.count()).step_by(BATCH as usize) {
        let numbers = first..draws.count().min(first + BATCH);
        let mut runs: Vec<Run> = numbers.map(|number| Run::new(number, &initial, draws)).collect();
        let size = runs.len().div_ceil(threads);
        if threads > 1 {
            let (space, open) = (&*space, &open);
            std::thread::scope(|scope| {
                for part in runs.chunks_mut(size) {
                    scope.spawn(move || {
                        // Whoever needs more is taken up below.
                        for run in part {
                            let _ = run.go_on(space, draws, open, bounds);
                        }
                    });
                }
            });
        }
        for run in &mut runs {
            while let Err(need) = run.go_on(space, draws, &open, bounds) {
                space.supply(need);
            }
        }
        for run in runs {
            drawn += 1;
            found.generated += run.met.len() as u64;
            for fingerprint in run.met {
                visited.insert(fingerprint);
            }
            found.depth = found.depth.max(run.path.len() as u32);
            chains = chains.max(run.schedule.chains.len() as u32);
            for (property, steps) in run.decided {
                open.close(property);
                violated |= space.is_violation(property);
                let path = || Some((run.start, run.path[..steps as usize].to_vec()));
                found.paths[property] = found.paths[property].take().or_else(path);
            }
            found.states = visited.len() as u64;
            if violated && !bounds.whole {
                found.stopped = Some(Stopped::AtViolation);
                break 'batches;
            }
            if found.states >= bounds.states {
                found.stopped = Some(Stopped::AtStates(bounds.states));
                break 'batches;
            }
        }
        if progress(found.progress()).is_break() {
            found.stopped = Some(Stopped::OnRequest);
            break;
        }
    }
    found.stopped = found.stopped.or(Some(Stopped::Random));
    if let Draws::Priorities(Priorities { steps, depth, .. }) = draws {
        found.chance = Some(Chance::Priorities { runs: drawn, threads: chains, steps, depth: depth.max(1) });
    }
    found
}

impl<P: Protocol> Space<P> {
    /// Whose step this is: what goes on by itself, one step after the other.
    fn chain(&self, state: State<'_>, cause: Cause) -> Chain {
        let key = |place: u32| self.parcels.key(state.parcels()[place as usize]);
        match cause {
            Cause::Deliver { place } => {
                let meta = self.meta[state.parcels()[place as usize] as usize];
                match meta.kind {
                    Kind::Stream | Kind::Orphan => digest(7, &(0, meta.from, meta.to)),
                    Kind::Datagram | Kind::Loose | Kind::Broken | Kind::Request | Kind::Answer => key(place),
                }
            }
            Cause::Timer { process, place } => {
                let local = self.locals.get(state.locals()[usize::from(process)]);
                digest(7, &(1, process, &local.timers[usize::from(place)]))
            }
            Cause::Invoke { client } => digest(7, &(2, client)),
            Cause::Sync { process } => digest(7, &(3, process)),
            Cause::Start { process } | Cause::Crash { process } => digest(7, &(4, process)),
            Cause::Lose { place } => digest(7, &(5, key(place))),
            Cause::Duplicate { place } => digest(7, &(6, key(place))),
            Cause::Tamper { place } => digest(7, &(7, key(place))),
            Cause::Discard { place } => digest(7, &(8, key(place))),
            Cause::Break { from, to } => digest(7, &(9, from, to)),
            Cause::Cut { .. } | Cause::Heal => digest(7, &10),
        }
    }
}
