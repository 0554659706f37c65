//! Processes that may be exchanged: of states that differ only by who is who, one is enough.
//!
//! A state is replaced by the fingerprint of its whole orbit. Processes are sorted by what they look like: the digests of
//! all parts of the state, seen with this process marked and the others unmarked. Where two look alike and exchanging
//! them leaves the state as it is, their order does not matter; where it does not, all orders are tried and the
//! smallest fingerprint counts. So two states have one fingerprint exactly if they are in one orbit, but for collisions.

use std::marker::PhantomData;

use isles_kernel::{Effect, ProcessId, Protocol};

use crate::action::Action;
use crate::digest::digest;
use crate::local::Local;
use crate::parcel::Parcel;
use crate::scenario::Scenario;
use crate::space::{Need, Space};
use crate::state::State;

/// A protocol that says how its parts look when processes are exchanged.
pub trait Rename: Protocol {
    /// This state with all ids renamed. What is a set must be a set of the same form afterwards: sort what is kept sorted.
    #[must_use]
    fn rename(&self, by: &Renaming) -> Self;
    /// A message with all ids renamed.
    fn rename_msg(msg: &Self::Msg, by: &Renaming) -> Self::Msg;
    /// A timer with all ids renamed; as it is, unless timers name processes.
    fn rename_timer(timer: &Self::Timer, by: &Renaming) -> Self::Timer {
        let _ = by;
        timer.clone()
    }
    /// A record with all ids renamed; as it is, unless records name processes.
    fn rename_record(record: &Self::Record, by: &Renaming) -> Self::Record {
        let _ = by;
        record.clone()
    }
}

/// Who is called how. Names may be those of processes that do not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renaming(Vec<ProcessId>);

impl Renaming {
    /// The new name of a process.
    pub fn of(&self, process: ProcessId) -> ProcessId {
        self.0.get(process.index()).copied().unwrap_or(process)
    }
}

/// At most so many processes may be exchanged.
const EXCHANGEABLE_MAX: usize = 64;

/// Names of nobody: the one whose view is taken, and everyone else.
const MARKED: ProcessId = ProcessId(1_000);
const UNMARKED: ProcessId = ProcessId(1_001);

/// Processes that behave alike, and how their protocol renames them.
pub struct Symmetry<P: Protocol> {
    processes: Vec<ProcessId>,
    local: fn(&Local<P>, &Renaming) -> Local<P>,
    msg: fn(&P::Msg, &Renaming) -> P::Msg,
    phantom: PhantomData<fn(P)>,
}

impl<P: Rename> Symmetry<P> {
    pub(crate) fn new(processes: impl IntoIterator<Item = ProcessId>) -> Self {
        let mut processes: Vec<ProcessId> = processes.into_iter().collect();
        processes.sort_unstable();
        processes.dedup();
        Self { processes, local: rename_local::<P>, msg: P::rename_msg, phantom: PhantomData }
    }
}

fn rename_local<P: Rename>(local: &Local<P>, by: &Renaming) -> Local<P> {
    let mut watched: Vec<ProcessId> = local.watched.iter().map(|peer| by.of(*peer)).collect();
    watched.sort_unstable();
    let mut timers: Vec<P::Timer> = local.timers.iter().map(|timer| P::rename_timer(timer, by)).collect();
    timers.sort_by_key(|timer| digest(0, timer));
    let waiting = local.waiting.iter().map(|(until, effect)| (*until, rename_effect(effect, by))).collect();
    Local {
        process: by.of(local.process),
        state: local.state.as_ref().map(|state| state.rename(by)),
        timers,
        log: local.log.iter().map(|record| P::rename_record(record, by)).collect(),
        waiting,
        watched,
        ..*local
    }
}

fn rename_effect<P: Rename>(effect: &Effect<P>, by: &Renaming) -> Effect<P> {
    match effect {
        Effect::Send { to, msg, channel } => {
            Effect::Send { to: by.of(*to), msg: P::rename_msg(msg, by), channel: *channel }
        }
        Effect::Watch { peer } => Effect::Watch { peer: by.of(*peer) },
        Effect::Unwatch { peer } => Effect::Unwatch { peer: by.of(*peer) },
        Effect::Arm { timer, after } => Effect::Arm { timer: P::rename_timer(timer, by), after: *after },
        Effect::Disarm { timer } => Effect::Disarm { timer: P::rename_timer(timer, by) },
        Effect::Persist { record } => Effect::Persist { record: P::rename_record(record, by) },
        Effect::Reply { .. } | Effect::Emit { .. } => effect.clone(),
    }
}

impl<P: Protocol> Symmetry<P> {
    pub(crate) fn flaw(&self, scenario: &Scenario<P>) -> Option<String> {
        let has = |process: &ProcessId| self.processes.contains(process);
        if let Some(process) = self.processes.iter().find(|process| process.0 >= scenario.processes) {
            return Some(format!(
                "{process} is to be exchanged, and there are {} processes",
                scenario.processes
            ));
        }
        if self.processes.len() > EXCHANGEABLE_MAX {
            let count = self.processes.len();
            return Some(format!("{count} processes are to be exchanged: at most {EXCHANGEABLE_MAX}"));
        }
        if let Some((at, _)) = scenario.clients.iter().flatten().find(|(at, _)| has(at)) {
            return Some(format!("a client asks {at}, which therefore cannot be exchanged with others"));
        }
        let splits = |group: &&Vec<ProcessId>| group.iter().any(has);
        if let Some(group) = scenario.faults.groups.iter().find(splits) {
            return Some(format!(
                "a partition names {group:?}, of which some are to be exchanged with others"
            ));
        }
        None
    }

    /// A renaming of the processes that may be exchanged.
    fn renaming(&self, to: impl Fn(usize) -> ProcessId) -> Renaming {
        let most = self.processes.last().map_or(0, |process| process.index() + 1);
        let mut names: Vec<ProcessId> = (0..most as u32).map(ProcessId).collect();
        for (index, process) in self.processes.iter().enumerate() {
            names[process.index()] = to(index);
        }
        Renaming(names)
    }
}

/// Part of a state, with its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Local(u32),
    Parcel(u32),
}

/// How a part looks to those who may be exchanged.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Whom it mentions, a bit for each.
    support: u64,
    /// Its digest as each of them sees it.
    views: Box<[u64]>,
    /// If it mentions one only: its key when that one has the name of each.
    moved: Box<[u64]>,
}

impl<P: Protocol> Space<P> {
    pub(crate) fn is_symmetric(&self) -> bool {
        self.scenario.symmetry.is_some()
    }

    /// The key of a part under other names.
    fn renamed_key(&self, part: Part, by: &Renaming) -> u64 {
        let Some(symmetry) = &self.scenario.symmetry else { return 0 };
        match part {
            Part::Local(local) => self.locals.key_of(&(symmetry.local)(self.locals.get(local), by)),
            Part::Parcel(parcel) => self.renamed_parcel_key(self.parcels.get(parcel), symmetry, by),
        }
    }

    fn renamed_parcel_key(&self, parcel: &Parcel<P>, symmetry: &Symmetry<P>, by: &Renaming) -> u64 {
        let renamed = match parcel {
            Parcel::Message { from, to, channel, msg } => Parcel::Message {
                from: by.of(*from),
                to: by.of(*to),
                channel: *channel,
                msg: (symmetry.msg)(msg, by),
            },
            Parcel::Broken { to, peer } => Parcel::Broken { to: by.of(*to), peer: by.of(*peer) },
            Parcel::Answer { from, id, reply } => {
                Parcel::Answer { from: by.of(*from), id: *id, reply: reply.clone() }
            }
            Parcel::Request(call) => Parcel::Request(*call),
            Parcel::Stream { from, to, orphan, messages } => {
                let key = |message: &u32| self.renamed_key(Part::Parcel(*message), by);
                let keys: Vec<u64> = messages.iter().map(key).collect();
                return stream_key(by.of(*from), by.of(*to), *orphan, &keys);
            }
        };
        self.parcels.key_of(&renamed)
    }

    /// Finds out how a part looks.
    pub(crate) fn shape_of(&self, part: Part) -> Shape {
        let Some(symmetry) = &self.scenario.symmetry else {
            return Shape { support: 0, views: Box::default(), moved: Box::default() };
        };
        let count = symmetry.processes.len();
        let named = |to: &dyn Fn(usize) -> ProcessId| self.renamed_key(part, &symmetry.renaming(to));
        let as_it_is = named(&|index| symmetry.processes[index]);
        let mut support = 0;
        for one in 0..count {
            let hidden = named(&|index| if index == one { MARKED } else { symmetry.processes[index] });
            support |= u64::from(hidden != as_it_is) << one;
        }
        let nobody = named(&|_| UNMARKED);
        let view = |one: usize| match support >> one & 1 {
            0 => nobody,
            _ => named(&|index| if index == one { MARKED } else { UNMARKED }),
        };
        let views = (0..count).map(view).collect();
        let alone = support.count_ones() == 1;
        let moved = (0..if alone { count } else { 0 }).map(|to| named(&|_| symmetry.processes[to])).collect();
        Shape { support, views, moved }
    }

    fn parts(state: State<'_>) -> impl Iterator<Item = Part> {
        let locals = state.locals().iter().map(|local| Part::Local(*local));
        locals.chain(state.parcels().iter().map(|parcel| Part::Parcel(*parcel)))
    }

    fn shape(&self, part: Part) -> &Shape {
        match part {
            Part::Local(local) => &self.local_shapes[local as usize],
            Part::Parcel(parcel) => &self.parcel_shapes[parcel as usize],
        }
    }

    /// The key of a part when the process at each place of `order` has the name at that place.
    fn key_in_order(&self, part: Part, places: &[usize], by: &Renaming) -> u64 {
        let shape = self.shape(part);
        match shape.support.count_ones() {
            0 => self.key_of_part(part),
            1 => shape.moved[places[shape.support.trailing_zeros() as usize]],
            _ => self.renamed_key(part, by),
        }
    }

    fn key_of_part(&self, part: Part) -> u64 {
        match part {
            Part::Local(local) => self.locals.key(local),
            Part::Parcel(parcel) => self.parcels.key(parcel),
        }
    }

    /// The fingerprint of a state with its processes named in this order.
    fn fingerprint_in_order(&self, state: State<'_>, symmetry: &Symmetry<P>, order: &[usize]) -> u64 {
        let mut places = vec![0; order.len()];
        for (place, one) in order.iter().enumerate() {
            places[*one] = place;
        }
        let by = symmetry.renaming(|index| symmetry.processes[places[index]]);
        let mut sum = self.rest_key(state);
        for part in Self::parts(state) {
            sum = sum.wrapping_add(self.key_in_order(part, &places, &by));
        }
        sum
    }

    /// The key of a part when two processes have exchanged their names.
    pub(crate) fn swapped_key(&self, part: Part, a: usize, b: usize) -> u64 {
        let Some(symmetry) = &self.scenario.symmetry else { return 0 };
        let swap = |index: usize| {
            symmetry.processes[if index == a {
                b
            } else if index == b {
                a
            } else {
                index
            }]
        };
        self.renamed_key(part, &symmetry.renaming(swap))
    }

    /// Whether a state stays the same when two processes are exchanged.
    fn is_alike(&self, state: State<'_>, a: usize, b: usize) -> Result<bool, Need> {
        let mut shift = 0u64;
        for part in Self::parts(state) {
            let shape = self.shape(part);
            let (has_a, has_b) = (shape.support >> a & 1 == 1, shape.support >> b & 1 == 1);
            if !has_a && !has_b {
                continue;
            }
            let swapped = if shape.support.count_ones() == 1 {
                shape.moved[if has_a { b } else { a }]
            } else {
                self.swapped(part, a as u32, b as u32)?
            };
            shift = shift.wrapping_add(swapped).wrapping_sub(self.key_of_part(part));
        }
        Ok(shift == 0)
    }

    /// The fingerprint by which a state is known: its own, or that of its orbit.
    pub(crate) fn fingerprint(&self, words: &[u32]) -> Result<u64, Need> {
        let state = self.state(words);
        let Some(symmetry) = &self.scenario.symmetry else { return Ok(state.fingerprint()) };
        let count = symmetry.processes.len();
        let mut looks: Vec<(u64, usize)> = (0..count).map(|one| (0, one)).collect();
        for part in Self::parts(state) {
            let views = &self.shape(part).views;
            for (look, one) in &mut looks {
                // Mixed once more, so that the same sum does not come from other parts in another way.
                *look = look.wrapping_add(isles_kernel::random::mix(views[*one], 0x6c6f_6f6b));
            }
        }
        looks.sort_unstable();
        // Cells of processes that look alike; within each, classes of which any two may be exchanged.
        let mut cells: Vec<Vec<Vec<usize>>> = Vec::new();
        let mut last = None;
        for (look, one) in looks {
            if last.replace(look) != Some(look) {
                cells.push(Vec::new());
            }
            let cell = cells.last_mut().expect("the first look begins a cell");
            let mut class = None;
            for (index, members) in cell.iter().enumerate() {
                if self.is_alike(state, members[0], one)? {
                    class = Some(index);
                    break;
                }
            }
            match class {
                Some(index) => cell[index].push(one),
                None => cell.push(vec![one]),
            }
        }
        let mut order = Vec::with_capacity(count);
        Ok(self.smallest(state, symmetry, &mut cells, &mut order))
    }

    /// The smallest fingerprint of all orders of the processes in these cells that differ.
    fn smallest(
        &self,
        state: State<'_>,
        symmetry: &Symmetry<P>,
        cells: &mut [Vec<Vec<usize>>],
        order: &mut Vec<usize>,
    ) -> u64 {
        let Some(first) = cells.iter().position(|cell| cell.iter().any(|class| !class.is_empty())) else {
            return self.fingerprint_in_order(state, symmetry, order);
        };
        let mut smallest = u64::MAX;
        for class in 0..cells[first].len() {
            // Members of one class give the same: one of them is enough.
            if let Some(one) = cells[first][class].pop() {
                order.push(one);
                smallest = smallest.min(self.smallest(state, symmetry, cells, order));
                order.pop();
                cells[first][class].push(one);
            }
        }
        smallest
    }

    /// Calls `each` with each action and the fingerprint by which the state after it is known.
    #[inline]
    pub(crate) fn fingerprints(
        &self,
        state: State<'_>,
        scratch: &mut Vec<u32>,
        mut each: impl FnMut(Action, u64),
    ) -> Result<(), Need> {
        if !self.is_symmetric() {
            return self.successors(state, scratch, each);
        }
        let mut actions = Vec::new();
        self.successors(state, scratch, |action, _| actions.push(action))?;
        for action in actions {
            self.successor(state, action, scratch)?;
            each(action, self.fingerprint(scratch)?);
        }
        Ok(())
    }

    /// The first two processes whose exchange changes where a run begins, and which are therefore not alike.
    pub(crate) fn difference(&mut self) -> Option<(ProcessId, ProcessId)> {
        let processes = self.scenario.symmetry.as_ref()?.processes.clone();
        let initial = self.initial();
        let mut before: Vec<u64> = initial.iter().map(|words| self.state(words).fingerprint()).collect();
        before.sort_unstable();
        for other in 1..processes.len() {
            let symmetry = self.scenario.symmetry.as_ref()?;
            let mut order: Vec<usize> = (0..processes.len()).collect();
            order.swap(0, other);
            let swap = |words: &Vec<u32>| self.fingerprint_in_order(self.state(words), symmetry, &order);
            let mut after: Vec<u64> = initial.iter().map(swap).collect();
            after.sort_unstable();
            if before != after {
                return Some((processes[0], processes[other]));
            }
        }
        None
    }
}

/// The key of a stream, from the keys of its messages.
pub(crate) fn stream_key(from: ProcessId, to: ProcessId, orphan: bool, keys: &[u64]) -> u64 {
    digest(4, &(from, to, orphan, keys))
}
