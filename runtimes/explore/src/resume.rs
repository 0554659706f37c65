//! A stopped search goes on: its states are made again from their origins.

use std::fs::File;
use std::io::{BufReader, Read};

use isles_kernel::Protocol;

use crate::action::{Action, Cause};
use crate::breadth::{Bounds, Breadth};
use crate::disk::{Disk, DiskError};
use crate::frontier::Frontier;
use crate::origins::{Origin, Origins};
use crate::space::Space;
use crate::state::{State, States};

/// States in the order of their numbers, from the first one that may still be somebody's predecessor.
struct Queue {
    waiting: Frontier,
    /// The first block, and the number of its first state.
    block: States,
    first: u32,
}

impl Queue {
    /// Goes forward to the block with a state; false if it is behind, or not there yet.
    fn find(&mut self, state: u32) -> Result<bool, DiskError> {
        while state >= self.first && (state - self.first) as usize >= self.block.len() {
            self.first += self.block.len() as u32;
            match self.waiting.pop()? {
                Some(block) => self.block = block,
                None => return Ok(false),
            }
        }
        Ok(state >= self.first)
    }
}

impl<'a, P: Protocol + Sync> Breadth<'a, P> {
    /// The search that left a checkpoint, as it was when it wrote it.
    pub(crate) fn resume(
        space: &'a mut Space<P>,
        threads: usize,
        bounds: Bounds,
        disk: &Disk,
    ) -> Result<Self, DiskError> {
        let saved = disk.load(space.identity())?;
        if saved.decisions.len() != space.scenario.properties.len() + 1 {
            return Err(DiskError::Foreign);
        }
        let mut breadth = Self::new(space, threads, bounds, None)?;
        breadth.level = disk.frontier("level-a")?;
        breadth.next = disk.frontier("level-b")?;
        breadth.expanded = saved.expanded;
        breadth.generated = saved.generated;
        breadth.decisions.clone_from(&saved.decisions);
        breadth.close_decided();
        let path = disk.origins_path();
        let file = File::open(&path)?;
        if file.metadata()?.len() < u64::from(saved.states) * Origin::BYTES as u64 {
            return Err(DiskError::Damaged("its file of origins is too short".into()));
        }
        let mut file = BufReader::with_capacity(1 << 20, file);
        let waiting = disk.frontier("replay")?;
        let mut queue = Queue { waiting, block: States::default(), first: 0 };
        let (mut check, mut depth, mut begin) = (0, 0, 0);
        for number in 0..saved.states {
            let mut bytes = [0; Origin::BYTES];
            file.read_exact(&mut bytes)?;
            let origin = Origin::of(bytes);
            check = Origins::checked(check, origin);
            if !origin.is_initial() && origin.before >= begin {
                (depth, begin) = (depth + 1, number);
            }
            let words = breadth.again(origin, depth == 0, &mut queue)?;
            if !breadth.meet(&words) {
                return Err(DiskError::Damaged(format!("state {number} is there twice")));
            }
            queue.waiting.push_with(|all| all.extend_from_slice(&words))?;
        }
        if check != saved.check {
            return Err(DiskError::Damaged("the check sum of its origins is wrong".into()));
        }
        breadth.depth = depth - u32::from(depth > 0 && saved.expanded < begin);
        breadth.hand_out(queue, if saved.expanded <= begin { begin } else { saved.states })?;
        breadth.origins = Origins::again(&path, saved.states as usize, check)?;
        let cut = breadth.space().choices_cut.max(saved.choices_cut);
        breadth.space().choices_cut = cut;
        Ok(breadth)
    }

    /// The state with this origin.
    fn again(&mut self, origin: Origin, may_begin: bool, queue: &mut Queue) -> Result<Vec<u32>, DiskError> {
        let wrong = |why: &str| DiskError::Damaged(format!("its origins are not those of a search: {why}"));
        if origin.is_initial() {
            let mut initial = self.space().initial();
            let number = origin.action.0 as usize;
            if !may_begin || number >= initial.len() {
                return Err(wrong("there is no such beginning"));
            }
            return Ok(initial.swap_remove(number));
        }
        if !queue.find(origin.before)? {
            return Err(wrong("a state comes before the one it comes from"));
        }
        let words = queue.block.get((origin.before - queue.first) as usize);
        if !self.space().is_possible(words, origin.action) {
            return Err(wrong("a step is not possible"));
        }
        Ok(self.space().after(words, origin.action))
    }

    /// Puts states that are still to be continued into their levels; the next one begins with the state `begin`.
    fn hand_out(&mut self, mut queue: Queue, begin: u32) -> Result<(), DiskError> {
        loop {
            let (block, first) = (&queue.block, queue.first);
            let count = block.len() as u32;
            let place = |number: u32| number.clamp(first, first + count).abs_diff(first) as usize;
            let (from, middle) = (place(self.expanded), place(begin.max(self.expanded)));
            let mut part = States::default();
            part.append(block, from, middle);
            self.level.append(&part)?;
            let mut part = States::default();
            part.append(block, middle, block.len());
            self.next.append(&part)?;
            queue.first += count;
            match queue.waiting.pop()? {
                Some(block) => queue.block = block,
                None => return Ok(()),
            }
        }
    }
}

impl<P: Protocol> Space<P> {
    /// Whether an action, of which nothing is known, can be taken in a state.
    pub(crate) fn is_possible(&mut self, words: &[u32], action: Action) -> bool {
        let state = State { words, processes: self.scenario.processes as usize };
        let cause = action.cause();
        let may_happen = match cause {
            Cause::Deliver { place } => match state.parcels().get(place as usize) {
                Some(parcel) => self.is_deliverable(state, *parcel),
                None => false,
            },
            Cause::Tamper { place } => {
                let found = self.tampers(state, &mut |other| if other == cause { Err(()) } else { Ok(()) });
                self.may_tamper(state)
                    && found.is_err()
                    && action.outcome()
                        < self.known(|space| space.acts(space.state(words), place)).len() as u32
            }
            Cause::Timer { .. }
            | Cause::Invoke { .. }
            | Cause::Sync { .. }
            | Cause::Start { .. }
            | Cause::Crash { .. }
            | Cause::Lose { .. }
            | Cause::Duplicate { .. }
            | Cause::Cut { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Discard { .. } => {
                let found = self.other_causes(state, true, &mut |other| {
                    if other == cause { Err(()) } else { Ok(()) }
                });
                found.is_err()
            }
        };
        may_happen
            && match self.known(|space| space.key(space.state(words), cause)) {
                Some((local, code)) => {
                    let (_, count) = self.known(|space| space.outcomes(local, code));
                    action.outcome() < count
                }
                None => action.outcome() == 0 || matches!(cause, Cause::Tamper { .. }),
            }
    }
}
