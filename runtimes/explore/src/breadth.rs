//! Breadth-first search, level by level, on any number of threads.
//!
//! A level is cut into blocks of states. For each block three things happen, each on all threads: fingerprints of all
//! successors are computed; those that are new are found, each thread knowing a part of all fingerprints; their states
//! are made and looked at. What handlers do is read by all and written by none meanwhile: a state for which something is
//! not known yet is put off, and taken up by one thread in between. Blocks, and the order in which states are met,
//! do not depend on the number of threads, and therefore nothing does.

use isles_kernel::Protocol;

use crate::action::Action;
use crate::ample::Ample;
use crate::disk::{Disk, DiskError};
use crate::explorer::{Progress, Watcher};
use crate::frontier::Frontier;
use crate::origins::{Origin, Origins};
use crate::report::{Chance, Stopped};
use crate::space::{Need, Space};
use crate::state::States;
use crate::visited::Visited;
use crate::watch::Open;

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
    /// Bytes that went to disk.
    pub(crate) spilled: u64,
    pub(crate) chance: Option<Chance>,
    /// The processes that properties looked at.
    pub(crate) looks: u64,
    /// For each property, the number of the initial state and the actions that lead to the state that decides it.
    pub(crate) paths: Vec<Option<(u32, Vec<Action>)>>,
}

impl Searched {
    /// Nothing was found yet.
    pub(crate) fn nothing(properties: usize) -> Self {
        let paths = vec![None; properties];
        Self { states: 0, generated: 0, depth: 0, stopped: None, spilled: 0, chance: None, looks: 0, paths }
    }

    /// How far it has come, with nothing that waits.
    pub(crate) const fn progress(&self) -> Progress {
        Progress { states: self.states, generated: self.generated, depth: self.depth, frontier: 0 }
    }
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) depth: u32,
    pub(crate) states: u64,
    /// Go on after a violation.
    pub(crate) whole: bool,
}

/// States of which one thread finds the successors at a time: as many as leave them in the nearest cache.
const PIECE: usize = 256;

pub(crate) struct Breadth<'a, P: Protocol> {
    space: &'a mut Space<P>,
    threads: usize,
    bounds: Bounds,
    /// Each thread's part of the fingerprints.
    visited: Vec<Visited>,
    pub(crate) origins: Origins,
    /// What is left of the level that is being continued, and the next level.
    pub(crate) level: Frontier,
    pub(crate) next: Frontier,
    /// States whose successors were taken: the first so many.
    pub(crate) expanded: u32,
    /// Steps from the beginning to the level that is being continued; to the next, if nothing is left of it.
    pub(crate) depth: u32,
    pub(crate) generated: u64,
    open: Open,
    pub(crate) decisions: Vec<Option<u32>>,
    pub(crate) violated: bool,
    /// What leaves steps out, if anything does.
    pub(crate) ample: Option<Ample>,
    /// The processes that properties looked at.
    looks: u64,
    /// Kept for their room.
    candidates: Vec<Candidate>,
    new: Vec<Candidate>,
}

/// What one thread makes of its part of a block.
#[derive(Default)]
struct Made {
    states: States,
    /// The processes that properties looked at.
    looks: u64,
    /// Properties that are decided, each with the place of the state among these.
    decided: Vec<(usize, u32)>,
}

/// The part of the fingerprints to which one belongs; parts are told by high bits, places in them by low ones.
#[inline]
const fn part(fingerprint: u64, parts: usize) -> usize {
    (((fingerprint >> 32) * parts as u64) >> 32) as usize
}

impl<'a, P: Protocol + Sync> Breadth<'a, P> {
    /// A search that has not begun.
    pub(crate) fn new(
        space: &'a mut Space<P>,
        threads: usize,
        bounds: Bounds,
        disk: Option<&Disk>,
    ) -> Result<Self, DiskError> {
        let open = Open::all(&space.scenario);
        let properties = space.scenario.properties.len() + 1;
        let frontier = |name| disk.map_or_else(|| Ok(Frontier::default()), |disk| disk.frontier(name));
        Ok(Self {
            space,
            threads: threads.max(1),
            bounds,
            visited: (0..threads.max(1)).map(|_| Visited::new()).collect(),
            origins: disk.map_or_else(|| Ok(Origins::default()), Disk::origins)?,
            level: frontier("level-a")?,
            next: frontier("level-b")?,
            expanded: 0,
            depth: 0,
            generated: 0,
            open,
            decisions: vec![None; properties],
            violated: false,
            ample: None,
            looks: 0,
            candidates: Vec::new(),
            new: Vec::new(),
        })
    }

    /// Searches from where it is to the end or to a bound.
    pub(crate) fn run(mut self, disk: Option<&Disk>, progress: Watcher<'_>) -> Result<Searched, DiskError> {
        if self.origins.len() == 0 {
            self.begin()?;
        }
        let mut saved = self.origins.len() as u64;
        let stopped = loop {
            if self.level.len() == 0 {
                if self.violated && !self.bounds.whole {
                    break Some(Stopped::AtViolation);
                }
                if self.next.len() == 0 {
                    break None;
                }
                if self.depth == self.bounds.depth {
                    break Some(Stopped::AtDepth(self.depth));
                }
                std::mem::swap(&mut self.level, &mut self.next);
            }
            let before = (self.generated, self.space.handler_steps);
            if let Some(stopped) = self.level(disk, &mut saved, progress)? {
                break Some(stopped);
            }
            let (steps, handlers) = (self.generated - before.0, self.space.handler_steps - before.1);
            if self.ample.is_none() && self.space.forgets(steps, handlers) {
                self.space.forget(&mut self.next)?;
            }
            self.depth += u32::from(self.next.len() > 0);
        };
        if let Some(disk) = disk {
            disk.save(self.saved(), &mut self.origins)?;
        }
        let mut paths = Vec::new();
        for state in self.decisions.clone() {
            paths.push(state.map(|state| self.origins.path(state)).transpose()?);
        }
        let states = self.origins.len() as u64;
        let spilled = self.level.written() + self.next.written();
        Ok(Searched {
            states,
            generated: self.generated,
            depth: self.depth,
            stopped,
            spilled,
            chance: None,
            looks: self.looks,
            paths,
        })
    }

    /// Continues what is left of a level, block by block. Each block is given back as soon as it has been continued.
    fn level(
        &mut self,
        disk: Option<&Disk>,
        saved: &mut u64,
        progress: Watcher<'_>,
    ) -> Result<Option<Stopped>, DiskError> {
        while self.level.len() > 0 {
            let states = self.origins.len() as u64;
            if states > self.bounds.states {
                break;
            }
            if let Some(disk) = disk {
                if disk.is_full(states) {
                    return Ok(Some(Stopped::AtMemory(disk.memory)));
                }
                if states - *saved >= disk.every {
                    disk.save(self.saved(), &mut self.origins)?;
                    *saved = states;
                }
            }
            let Some(block) = self.level.pop()? else { break };
            self.block(&block)?;
            self.expanded += block.len() as u32;
            let frontier = (self.level.len() + self.next.len()) as u64;
            let states = self.origins.len() as u64;
            let (generated, depth) = (self.generated, self.depth + 1);
            if progress(Progress { states, generated, depth, frontier }).is_break() {
                return Ok(Some(Stopped::OnRequest));
            }
        }
        let is_beyond = self.origins.len() as u64 > self.bounds.states;
        Ok(is_beyond.then_some(Stopped::AtStates(self.bounds.states)))
    }

    fn begin(&mut self) -> Result<(), DiskError> {
        let initial = self.space.initial();
        let mut made = Made::default();
        for (number, words) in (0..).zip(&initial) {
            self.generated += 1;
            if self.meet(words) {
                self.origins.push(Origin { before: u32::MAX, action: Action(number) })?;
                self.space.look(words, &self.open, &mut made);
            }
        }
        self.take(&made, 0)
    }

    /// Notes a state; false if it was met before.
    pub(crate) fn meet(&mut self, words: &[u32]) -> bool {
        let fingerprint = self.space.known(|space| space.fingerprint(words));
        self.visited[part(fingerprint, self.threads)].insert(fingerprint)
    }

    pub(crate) const fn space(&mut self) -> &mut Space<P> {
        self.space
    }

    /// Closes what was decided before the search was stopped.
    pub(crate) fn close_decided(&mut self) {
        for property in 0..self.decisions.len() {
            if self.decisions[property].is_some() {
                self.open.close(property);
                self.violated |= self.space.is_violation(property);
            }
        }
    }

    /// Continues the states of a block.
    fn block(&mut self, block: &States) -> Result<(), DiskError> {
        if self.threads == 1 && self.ample.is_none() {
            for from in (0..block.len()).step_by(PIECE) {
                self.piece(block, from, block.len().min(from + PIECE))?;
            }
            return Ok(());
        }
        let first = self.expanded;
        let mut candidates = self.candidates(block);
        self.leave_out(block, &mut candidates);
        self.generated += candidates.iter().map(Vec::len).sum::<usize>() as u64;
        let new = self.new_ones(&candidates);
        let mut offset = self.origins.len() as u32;
        for Candidate { parent, action, .. } in &new {
            self.origins.push(Origin { before: first + parent, action: *action })?;
        }
        for made in self.make(block, &new) {
            self.take(&made, offset)?;
            offset += made.states.len() as u32;
        }
        Ok(())
    }

    /// The same for some states of a block on this thread alone: nothing is handed from one to another.
    fn piece(&mut self, block: &States, from: usize, until: usize) -> Result<(), DiskError> {
        /// How far ahead places in the table are fetched.
        const AHEAD: usize = 16;
        let Self { space, visited, origins, next, open, decisions, candidates, new, .. } = self;
        candidates.clear();
        let mut scratch = Vec::new();
        for parent in from..until {
            let words = block.get(parent);
            while let Err(need) = space.expand(words, parent as u32, &mut scratch, candidates) {
                space.supply(need);
            }
        }
        self.generated += candidates.len() as u64;
        new.clear();
        for (index, candidate) in candidates.iter().enumerate() {
            if let Some(later) = candidates.get(index + AHEAD) {
                visited[0].prefetch(later.fingerprint);
            }
            if visited[0].insert(candidate.fingerprint) {
                new.push(*candidate);
            }
        }
        for Candidate { parent, action, .. } in &*new {
            let number = origins.len() as u32;
            origins.push(Origin { before: self.expanded + parent, action: *action })?;
            let parent = space.state(block.get(*parent as usize));
            next.push_with(|words| {
                let start = words.len();
                let known = space.append_successor(parent, *action, words);
                known.expect("whoever computed the fingerprint had all that is needed");
                let state = space.state(&words[start..]);
                let _ = space.decide(state, open, |property| {
                    if decisions[property].is_none() {
                        decisions[property] = Some(number);
                        self.violated |= space.is_violation(property);
                    }
                });
            })?;
        }
        // A property is asked until the end of the piece in which it is decided.
        for (property, decision) in decisions.iter().enumerate() {
            if decision.is_some() {
                open.close(property);
            }
        }
        Ok(())
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

    /// Leaves out the candidates that are not in an ample set.
    fn leave_out(&self, block: &States, candidates: &mut [Vec<Candidate>]) {
        let Some(ample) = &self.ample else { return };
        let space = &*self.space;
        let is_new = |fingerprint| !self.visited[part(fingerprint, self.threads)].contains(fingerprint);
        for piece in candidates {
            let mut kept = Vec::with_capacity(piece.len());
            for siblings in piece.chunk_by(|one, other| one.parent == other.parent) {
                let state = space.state(block.get(siblings[0].parent as usize));
                let successors = siblings.iter().map(|candidate| (candidate.action, candidate.fingerprint));
                let process = ample.process(space, state, successors, is_new);
                let stays = |candidate: &&Candidate| {
                    process.is_none() || space.stepper(state, candidate.action) == process
                };
                kept.extend(siblings.iter().filter(stays));
            }
            *piece = kept;
        }
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
    fn take(&mut self, made: &Made, offset: u32) -> Result<(), DiskError> {
        self.next.append(&made.states)?;
        self.looks |= made.looks;
        for (property, place) in &made.decided {
            if self.decisions[*property].is_none() {
                self.decisions[*property] = Some(offset + place);
                self.open.close(*property);
                self.violated |= self.space.is_violation(*property);
            }
        }
        Ok(())
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
        made.looks |= self.decide(self.state(words), open, |property| {
            if decided.iter().all(|(other, _)| *other != property) {
                decided.push((property, place));
            }
        });
        made.states.push(words);
    }
}
