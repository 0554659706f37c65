//! Depth-first searches that know the states they met by a few bits each, and many of them, each different.
//!
//! A state sets some bits of a table, at places that are hashes of it, and is taken for known if all of them are set
//! already (Holzmann, *An Analysis of Bitstate Hashing*, 1998). A state costs a few bits instead of eight bytes and more; some
//! states are missed. Of a swarm (Holzmann, Joshi and Groce, *Swarm Verification Techniques*, 2011) each member hashes
//! otherwise, takes steps in another order, goes to another depth and has some kinds of faults turned off, so that what
//! one misses another meets.
//!
//! Members go on at the same time as long as what handlers do is known; whoever needs more is taken up by one thread in
//! between.

use std::ops::ControlFlow;

use isles_kernel::Protocol;
use isles_kernel::random::{draw, mix};

use crate::action::{Action, Cause};
use crate::breadth::{Bounds, Searched};
use crate::explorer::{Progress, Watcher};
use crate::report::{Chance, Stopped};
use crate::space::{Need, Space};
use crate::state::States;
use crate::watch::Open;

/// A swarm of searches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swarm {
    /// How many searches. The first tries everything in the usual order; one alone is a plain bitstate search.
    pub members: u32,
    /// The binary logarithm of the number of bits in a member's table: 10 to 40. Eight members have theirs at a time.
    pub bits: u32,
    /// How many bits a state sets: 1 to 16. Three is a usual choice.
    pub hashes: u32,
    /// How many steps members go from the beginning at most; each but the first draws its bound from half of it on.
    pub steps: u32,
    /// Names all draws: the same seed searches the same.
    pub seed: u64,
}

/// Members that go on together.
const BATCH: u32 = 8;

/// States that one thread visits for a member that needed something, before all go on.
const ALONE: u32 = 2048;

/// A table of bits.
struct Bits {
    words: Vec<u64>,
    ones: u64,
    hashes: u32,
    seed: u64,
}

impl Bits {
    fn new(bits: u32, hashes: u32, seed: u64) -> Self {
        Self { words: vec![0; 1 << (bits - 6)], ones: 0, hashes, seed }
    }

    /// Sets the bits of a fingerprint; false if all were set.
    fn insert(&mut self, fingerprint: u64) -> bool {
        // Two independent hashes serve for all (Kirsch and Mitzenmacher, 2006).
        let first = mix(fingerprint, self.seed);
        let second = mix(fingerprint, !self.seed) | 1;
        let mask = self.words.len() as u64 * 64 - 1;
        let before = self.ones;
        for hash in 0..u64::from(self.hashes) {
            let bit = first.wrapping_add(second.wrapping_mul(hash)) & mask;
            let word = &mut self.words[(bit / 64) as usize];
            self.ones += u64::from(*word >> (bit % 64) & 1 == 0);
            *word |= 1 << (bit % 64);
        }
        self.ones > before
    }

    /// How probable it is that a state that was not met is taken for known.
    fn omission(&self) -> f64 {
        (self.ones as f64 / (self.words.len() as f64 * 64.0)).powi(self.hashes.cast_signed())
    }
}

/// A state that is to be continued; its words are in a list of their own.
struct Pending {
    depth: u32,
    action: Action,
}

/// One search of a swarm.
struct Member {
    number: u64,
    seed: u64,
    steps: u32,
    bits: Bits,
    pending: Vec<Pending>,
    states: States,
    initial: u32,
    path: Vec<Action>,
    count: u64,
    generated: u64,
    depth: u32,
    done: bool,
    violated: bool,
    full: bool,
    open: Open,
    paths: Vec<Option<(u32, Vec<Action>)>>,
}

/// Lists that are kept for their room.
#[derive(Default)]
struct Scratch {
    words: Vec<u32>,
    next: Vec<u32>,
    successors: Vec<(Action, u64)>,
}

impl Member {
    fn new(number: u32, swarm: Swarm, initial: &[(Vec<u32>, u64)], open: &Open, properties: usize) -> Self {
        let number = u64::from(number);
        let seed = draw(swarm.seed, &[0x0073_7761_726d, number]);
        let half = swarm.steps / 2;
        let steps = if number == 0 { swarm.steps } else { swarm.steps - (seed % u64::from(half + 1)) as u32 };
        let mut member = Self {
            number,
            seed,
            steps,
            bits: Bits::new(swarm.bits.clamp(10, 40), swarm.hashes.clamp(1, 16), seed),
            pending: Vec::new(),
            states: States::default(),
            initial: 0,
            path: Vec::new(),
            count: 0,
            generated: 0,
            depth: 0,
            done: false,
            violated: false,
            full: false,
            open: open.clone(),
            paths: vec![None; properties],
        };
        for (place, (words, fingerprint)) in (0..).zip(initial) {
            member.generated += 1;
            if member.bits.insert(*fingerprint) {
                member.pending.push(Pending { depth: 0, action: Action(place) });
                member.states.push(words);
            }
        }
        member
    }

    /// Whether this member leaves a step out: of the kinds of faults, each is turned off with one chance in two.
    fn leaves_out(&self, cause: Cause) -> bool {
        let kind = match cause {
            Cause::Lose { .. } => 0,
            Cause::Duplicate { .. } => 1,
            Cause::Crash { .. } => 2,
            Cause::Cut { .. } => 3,
            Cause::Tamper { .. } => 4,
            // What would go on without faults, and what ends them, is never turned off.
            Cause::Deliver { .. }
            | Cause::Timer { .. }
            | Cause::Invoke { .. }
            | Cause::Sync { .. }
            | Cause::Start { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Discard { .. } => return false,
        };
        self.number > 0 && self.seed >> (32 + kind) & 1 == 1
    }

    /// Visits so many states, or ends, or needs something.
    fn go_on<P: Protocol>(
        &mut self,
        space: &Space<P>,
        bounds: Bounds,
        scratch: &mut Scratch,
        mut states: u32,
    ) -> Result<(), Need> {
        while !self.done && states > 0 {
            let Some(Pending { depth, action }) = self.pending.last() else {
                self.done = true;
                break;
            };
            let (depth, action) = (*depth, *action);
            scratch.words.clear();
            scratch.words.extend_from_slice(self.states.get(self.states.len() - 1));
            let state = space.state(&scratch.words);
            scratch.successors.clear();
            if depth < self.steps.min(bounds.depth) {
                let successors = &mut scratch.successors;
                space.fingerprints(state, &mut scratch.next, |action, fingerprint| {
                    successors.push((action, fingerprint));
                })?;
            }
            // Nothing more can be needed.
            self.pending.pop();
            self.states.pop(&mut scratch.words);
            self.visit(space, depth, action, scratch);
            self.done |= self.violated && !bounds.whole;
            self.full |= self.count >= bounds.states && !self.pending.is_empty();
            self.done |= self.full;
            states -= 1;
        }
        Ok(())
    }

    fn visit<P: Protocol>(&mut self, space: &Space<P>, depth: u32, action: Action, scratch: &mut Scratch) {
        self.path.truncate((depth as usize).saturating_sub(1));
        if depth == 0 {
            self.initial = action.0;
        } else {
            self.path.push(action);
        }
        self.count += 1;
        self.depth = self.depth.max(depth);
        let state = space.state(&scratch.words);
        let mut decided = Vec::new();
        let _ = space.decide(state, &self.open, |property| decided.push(property));
        for property in decided {
            self.open.close(property);
            self.violated |= space.is_violation(property);
            self.paths[property] = Some((self.initial, self.path.clone()));
        }
        if self.number > 0 {
            let seed = self.seed;
            scratch.successors.sort_by_key(|(action, fingerprint)| (mix(*fingerprint, seed), *action));
        }
        // The first comes off the stack first.
        for (action, fingerprint) in scratch.successors.iter().rev() {
            if self.leaves_out(action.cause()) {
                continue;
            }
            self.generated += 1;
            if self.bits.insert(*fingerprint) {
                self.pending.push(Pending { depth: depth + 1, action: *action });
                let known = self.states.push_with(|words| space.append_successor(state, *action, words));
                known.expect("whoever computed the fingerprint had all that is needed");
            }
        }
    }
}

/// Searches with all members, batch by batch, until one finds a violation.
pub(crate) fn search<P: Protocol + Sync>(
    space: &mut Space<P>,
    threads: usize,
    swarm: Swarm,
    bounds: Bounds,
    progress: Watcher<'_>,
) -> Searched {
    let properties = space.scenario.properties.len() + 1;
    let mut open = Open::all(&space.scenario);
    let mut found = Searched::nothing(properties);
    let mut initial = Vec::new();
    for words in space.initial() {
        let fingerprint = space.known(|space| space.fingerprint(&words));
        initial.push((words, fingerprint));
    }
    let (mut omission, mut violated) = (0.0f64, false);
    for first in (0..swarm.members.max(1)).step_by(BATCH as usize) {
        let numbers = first..swarm.members.max(1).min(first + BATCH);
        let member = |number| Member::new(number, swarm, &initial, &open, properties);
        let mut members: Vec<Member> = numbers.map(member).collect();
        let ended = go_together(space, threads, &mut members, bounds, &mut |generated, depth, frontier| {
            let generated = found.generated + generated;
            progress(Progress { states: found.states, generated, depth: found.depth.max(depth), frontier })
        });
        for member in members {
            found.states = found.states.max(member.count);
            found.generated += member.generated;
            found.depth = found.depth.max(member.depth);
            omission = omission.max(member.bits.omission());
            violated |= member.violated;
            if member.full {
                found.stopped = Some(Stopped::AtStates(bounds.states));
            }
            for (property, path) in member.paths.into_iter().enumerate() {
                if path.is_some() {
                    open.close(property);
                    found.paths[property] = found.paths[property].take().or(path);
                }
            }
        }
        if violated && !bounds.whole {
            found.stopped = Some(Stopped::AtViolation);
            break;
        }
        if ended.is_break() {
            found.stopped = Some(Stopped::OnRequest);
            break;
        }
    }
    found.stopped = found.stopped.or(Some(Stopped::Bitstate));
    found.chance = Some(Chance::Omission { members: swarm.members.max(1), probability: omission });
    found
}

/// Lets all members of a batch come to their ends.
fn go_together<P: Protocol + Sync>(
    space: &mut Space<P>,
    threads: usize,
    members: &mut [Member],
    bounds: Bounds,
    progress: &mut dyn FnMut(u64, u32, u64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut scratch = Scratch::default();
    while members.iter().any(|member| !member.done) {
        if threads > 1 && members.len() > 1 {
            let size = members.len().div_ceil(threads);
            let space = &*space;
            std::thread::scope(|scope| {
                for part in members.chunks_mut(size) {
                    scope.spawn(move || {
                        let mut scratch = Scratch::default();
                        // Whoever needs more is taken up below.
                        for member in part {
                            let _ = member.go_on(space, bounds, &mut scratch, 1 << 20);
                        }
                    });
                }
            });
        }
        for member in &mut *members {
            let until = member.count + u64::from(ALONE);
            while !member.done && member.count < until {
                let left = (until - member.count) as u32;
                if let Err(need) = member.go_on(space, bounds, &mut scratch, left) {
                    space.supply(need);
                }
            }
        }
        let generated = members.iter().map(|member| member.generated).sum();
        let depth = members.iter().map(|member| member.depth).max().unwrap_or(0);
        progress(generated, depth, members.iter().map(|member| member.pending.len() as u64).sum())?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_states_are_missed_as_is_said() {
        let mut bits = Bits::new(16, 3, 1);
        let count = 12_000u64;
        let taken = (0..count).filter(|n| !bits.insert(mix(*n, 5))).count() as f64;
        let missed = (count..2 * count).filter(|n| !Bits::insert(&mut bits, mix(*n, 5))).count() as f64;
        // While the table fills up fewer are missed than at its end.
        assert!(taken > 0.0 && taken / count as f64 <= bits.omission(), "{taken}");
        assert!(missed > taken && missed / count as f64 <= bits.omission(), "{missed}");
        let fill = 1.0 - (-3.0 * 2.0 * count as f64 / 65_536.0).exp();
        assert!((bits.omission() - fill.powi(3)).abs() < 0.1, "{} {fill}", bits.omission());
    }

    #[test]
    fn a_table_with_room_takes_nothing_for_known() {
        let mut bits = Bits::new(24, 3, 7);
        assert!((0..1_000).all(|n| bits.insert(mix(n, 1))) && (0..1_000).all(|n| !bits.insert(mix(n, 1))));
    }
}
