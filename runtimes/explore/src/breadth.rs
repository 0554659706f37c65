//! Breadth-first search, level by level, on any number of threads.
//!
//! A level is cut into blocks of states. For each block three things happen, each on all threads: fingerprints of all
//! successors are computed; those that are new are found, each thread knowing a part of all fingerprints; their states
//! are made and looked at. What handlers do is read by all and written by none meanwhile: a state for which something is
//! not known yet is put off, and taken up by one thread in between. Blocks, and the order in which states are met,
//! do not depend on the number of threads, and therefore nothing does.

use isles_kernel::Protocol;

use crate::action::Action;
use crate::report::Stopped;
use crate::space::{Need, Space};
use crate::state::States;
use crate::visited::Visited;
use crate::watch::Open;

/// States that are continued together: enough that starting threads costs little, few enough that their successors
/// stay in the cache.
const BLOCK: usize = 1 << 13;

/// Where a state came from: the number of the state before it, and the action; an initial state has itself and its
/// number.
#[derive(Clone, Copy, Debug)]
struct Origin {
    before: u32,
    action: Action,
}

/// Origins in pieces, so that there is never a second copy of all of them while they grow.
#[derive(Default)]
struct Origins {
    pieces: Vec<Vec<Origin>>,
    count: usize,
}

impl Origins {
    const PIECE: usize = 1 << 16;

    const fn len(&self) -> usize {
        self.count
    }

    fn push(&mut self, origin: Origin) {
        if self.count.is_multiple_of(Self::PIECE) {
            self.pieces.push(Vec::with_capacity(Self::PIECE));
        }
        self.pieces[self.count / Self::PIECE].push(origin);
        self.count += 1;
    }

    fn get(&self, state: u32) -> Origin {
        self.pieces[state as usize / Self::PIECE][state as usize % Self::PIECE]
    }
}

/// A successor of a state of the block that is being worked on.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    fingerprint: u64,
    /// The state of the block from which it comes.
    parent: u32,
    action: Action,
}

/// What a search came to.
pub(crate) struct Searched {
    pub(crate) states: u64,
    pub(crate) generated: u64,
    pub(crate) depth: u32,
    pub(crate) stopped: Option<Stopped>,
    /// For each property, the number of the initial state and the actions that lead to the state that decides it.
    pub(crate) paths: Vec<Option<(u32, Vec<Action>)>>,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) depth: u32,
    pub(crate) states: u64,
    /// Go on after a violation.
    pub(crate) whole: bool,
}

pub(crate) struct Breadth<'a, P: Protocol> {
    space: &'a mut Space<P>,
    threads: usize,
    bounds: Bounds,
    /// Each thread's part of the fingerprints.
    visited: Vec<Visited>,
    origins: Origins,
    /// The states of the next level, in blocks.
    next: Vec<States>,
    generated: u64,
    open: Open,
    decisions: Vec<Option<u32>>,
    violated: bool,
}

/// What one thread makes of its part of a block.
#[derive(Default)]
struct Made {
    states: States,
    /// Properties that are decided, each with the place of the state among these.
    decided: Vec<(usize, u32)>,
}

/// The part of the fingerprints to which one belongs; parts are told by high bits, places in them by low ones.
#[inline]
const fn part(fingerprint: u64, parts: usize) -> usize {
    (((fingerprint >> 32) * parts as u64) >> 32) as usize
}

impl<'a, P: Protocol + Sync> Breadth<'a, P> {
    pub(crate) fn new(space: &'a mut Space<P>, threads: usize, bounds: Bounds) -> Self {
        let open = Open::all(&space.scenario);
        let properties = space.scenario.properties.len() + 1;
        Self {
            space,
            threads: threads.max(1),
            bounds,
            visited: (0..threads.max(1)).map(|_| Visited::new()).collect(),
            origins: Origins::default(),
            next: Vec::new(),
            generated: 0,
            open,
            decisions: vec![None; properties],
            violated: false,
        }
    }

    pub(crate) fn run(mut self, progress: &mut dyn FnMut(u64, u64, u32)) -> Searched {
        self.begin();
        let mut depth = 0;
        let stopped = loop {
            if self.violated && !self.bounds.whole {
                break Some(Stopped::AtViolation);
            }
            if self.next.is_empty() {
                break None;
            }
            if depth == self.bounds.depth {
                break Some(Stopped::AtDepth(depth));
            }
            let level = std::mem::take(&mut self.next);
            let mut first = (self.origins.len() - level.iter().map(States::len).sum::<usize>()) as u32;
            // Each block is given back as soon as it has been continued.
            for block in level {
                if self.origins.len() as u64 > self.bounds.states {
                    break;
                }
                self.block(&block, first);
                first += block.len() as u32;
                progress(self.origins.len() as u64, self.generated, depth + 1);
            }
            if self.origins.len() as u64 > self.bounds.states {
                break Some(Stopped::AtStates(self.bounds.states));
            }
            depth += u32::from(!self.next.is_empty());
        };
        let paths = self.decisions.iter().map(|state| state.map(|state| self.path(state))).collect();
        let states = self.origins.len() as u64;
        Searched { states, generated: self.generated, depth, stopped, paths }
    }

    fn begin(&mut self) {
        let initial = self.space.initial();
        let mut made = Made::default();
        for (number, words) in (0..).zip(&initial) {
            self.generated += 1;
            let fingerprint = self.space.known(|space| space.fingerprint(words));
            if self.visited[part(fingerprint, self.threads)].insert(fingerprint) {
                self.origins.push(Origin { before: u32::MAX, action: Action(number) });
                self.space.look(words, &self.open, &mut made);
            }
        }
        self.take(made, 0);
    }

    /// Continues the states of a block, of which the first has this number.
    fn block(&mut self, block: &States, first: u32) {
        let candidates = self.candidates(block);
        self.generated += candidates.iter().map(Vec::len).sum::<usize>() as u64;
        let new = self.new_ones(&candidates);
        let mut offset = self.origins.len() as u32;
        for Candidate { parent, action, .. } in &new {
            self.origins.push(Origin { before: first + parent, action: *action });
        }
        assert!(self.origins.len() < u32::MAX as usize, "more than 2^32 states: bound the scenario");
        for made in self.make(block, &new) {
            let count = made.states.len() as u32;
            self.take(made, offset);
            offset += count;
        }
    }

    /// The successors of the states of a block, in their order, in pieces.
    fn candidates(&mut self, block: &States) -> Vec<Vec<Candidate>> {
        let space = &*self.space;
        let end = block.len();
        if self.threads == 1 {
            let all = (0..end as u32).collect::<Vec<u32>>();
            return vec![self.complete(block, Vec::new(), &all)];
        }
        let size = end.div_ceil(self.threads);
        let pieces: Vec<(Vec<Candidate>, Vec<u32>)> = std::thread::scope(|scope| {
            let work = |from: usize| {
                scope.spawn(move || {
                    let (mut all, mut put_off, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
                    for parent in from..end.min(from + size) {
                        if space.expand(block.get(parent), parent as u32, &mut scratch, &mut all).is_err() {
                            put_off.push(parent as u32);
                        }
                    }
                    (all, put_off)
                })
            };
            let workers: Vec<_> = (0..end).step_by(size.max(1)).map(work).collect();
            workers.into_iter().map(|worker| worker.join().expect("workers do not panic")).collect()
        });
        pieces.into_iter().map(|(all, put_off)| self.complete(block, all, &put_off)).collect()
    }

    /// Adds the successors of states that were put off, so that all are in the order of their parents.
    fn complete(&mut self, block: &States, known: Vec<Candidate>, put_off: &[u32]) -> Vec<Candidate> {
        if put_off.is_empty() {
            return known;
        }
        let mut scratch = Vec::new();
        let mut all = Vec::with_capacity(known.len());
        let mut known = known.into_iter().peekable();
        for &parent in put_off {
            while let Some(candidate) = known.next_if(|candidate| candidate.parent < parent) {
                all.push(candidate);
            }
            let words = block.get(parent as usize);
            while let Err(need) = self.space.expand(words, parent, &mut scratch, &mut all) {
                self.space.supply(need);
            }
        }
        all.extend(known);
        all
    }

    /// The candidates that nobody has met before, each once, in order.
    fn new_ones(&mut self, candidates: &[Vec<Candidate>]) -> Vec<Candidate> {
        /// How far ahead places in the table are fetched.
        const AHEAD: usize = 12;
        let parts = self.threads;
        let work = |mine: usize, visited: &mut Visited| {
            let mut new = Vec::new();
            let mut number = 0;
            for piece in candidates {
                for (index, candidate) in piece.iter().enumerate() {
                    if let Some(later) = piece.get(index + AHEAD) {
                        visited.prefetch(later.fingerprint);
                    }
                    if (parts == 1 || part(candidate.fingerprint, parts) == mine)
                        && visited.insert(candidate.fingerprint)
                    {
                        new.push((number + index as u32, *candidate));
                    }
                }
                number += piece.len() as u32;
            }
            new
        };
        let mut all: Vec<(u32, Candidate)> = if parts == 1 {
            work(0, &mut self.visited[0])
        } else {
            std::thread::scope(|scope| {
                let work = &work;
                let workers: Vec<_> = (0..)
                    .zip(&mut self.visited)
                    .map(|(mine, visited)| scope.spawn(move || work(mine, visited)))
                    .collect();
                workers.into_iter().flat_map(|worker| worker.join().expect("workers do not panic")).collect()
            })
        };
        if parts > 1 {
            all.sort_unstable_by_key(|(number, _)| *number);
        }
        all.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// Makes the states of new candidates, and looks at them.
    fn make(&self, block: &States, new: &[Candidate]) -> Vec<Made> {
        let (space, open) = (&*self.space, &self.open);
        let work = |piece: &[Candidate]| {
            let mut made = Made::default();
            let mut words = Vec::new();
            for candidate in piece {
                let parent = space.state(block.get(candidate.parent as usize));
                let known = space.successor(parent, candidate.action, &mut words);
                known.expect("whoever computed the fingerprint had all that is needed");
                space.look(&words, open, &mut made);
            }
            made
        };
        if self.threads == 1 || new.len() < 64 {
            return vec![work(new)];
        }
        let size = new.len().div_ceil(self.threads);
        std::thread::scope(|scope| {
            let work = &work;
            let workers: Vec<_> = new.chunks(size).map(|piece| scope.spawn(move || work(piece))).collect();
            workers.into_iter().map(|worker| worker.join().expect("properties do not panic")).collect()
        })
    }

    /// Takes in states whose first has the number `offset`.
    fn take(&mut self, made: Made, offset: u32) {
        for index in 0..made.states.len() {
            if self.next.last().is_none_or(|block| block.len() == BLOCK) {
                self.next.push(States::default());
            }
            if let Some(block) = self.next.last_mut() {
                block.push(made.states.get(index));
            }
        }
        for (property, place) in made.decided {
            if self.decisions[property].is_none() {
                self.decisions[property] = Some(offset + place);
                self.open.close(property);
                self.violated |= self.space.is_violation(property);
            }
        }
    }

    /// The actions that lead to a state.
    fn path(&self, state: u32) -> (u32, Vec<Action>) {
        let mut actions = Vec::new();
        let mut at = state;
        loop {
            let Origin { before, action } = self.origins.get(at);
            if before == u32::MAX {
                actions.reverse();
                return (action.0, actions);
            }
            actions.push(action);
            at = before;
        }
    }
}

impl<P: Protocol> Space<P> {
    /// Adds all successors of a state; none if something is not known.
    #[inline]
    fn expand(
        &self,
        words: &[u32],
        parent: u32,
        scratch: &mut Vec<u32>,
        all: &mut Vec<Candidate>,
    ) -> Result<(), Need> {
        let before = all.len();
        let each = |action, fingerprint| all.push(Candidate { fingerprint, parent, action });
        let known = self.fingerprints(self.state(words), scratch, each);
        if known.is_err() {
            all.truncate(before);
        }
        known
    }

    /// Looks at a new state, and keeps it.
    fn look(&self, words: &[u32], open: &Open, made: &mut Made) {
        let place = made.states.len() as u32;
        let decided = &mut made.decided;
        self.decide(self.state(words), open, |property| {
            if decided.iter().all(|(other, _)| *other != property) {
                decided.push((property, place));
            }
        });
        made.states.push(words);
    }
}
