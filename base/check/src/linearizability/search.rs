//! Depth-first search for an order, just in time.
//!
//! Lowe 2017, sec. 4 (just-in-time linearization): an operation takes effect only when one must return that has not yet taken
//! effect. A configuration is a place in the history, a state, and the set of open operations that took effect. Beyond the paper:
//! open operations have slots that are used again, so that a configuration does not grow with the history; only what failed is
//! remembered; and the prunings of [`Rules`].

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::machine::{Class, Machine, Next, StateId};
use super::mask::Mask;
use super::rules::Rules;
use super::timeline::{Item, Local, Timeline};
use crate::{Effect, Model};

/// How many answers to come are looked at.
const AHEAD: usize = 4;
/// How many events may lie before such an answer.
const AHEAD_EVENTS: usize = 64;
/// What follows nothing in a list of failures.
const END: u32 = u32::MAX;

/// How a search stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// There is an order.
    Found,
    /// There is none.
    Refuted,
    /// Not known yet.
    Open,
}

/// A place where an operation must take effect, and which of them were not tried.
struct Frame<K> {
    /// The event that cannot pass.
    position: u32,
    state: StateId,
    /// The slots of open operations that took effect.
    done: K,
    /// The slots of operations to try.
    untried: K,
    /// How many of the states were tried to which the next of them may lead.
    choices: u32,
    /// How many operations took effect.
    taken: u32,
}

/// A configuration without operations of unknown outcome.
#[derive(PartialEq, Eq, Hash)]
struct Key<K> {
    position: u32,
    state: StateId,
    done: K,
}

/// A search that can be interrupted.
pub(crate) struct Search<'a, M: Model, K> {
    pub(crate) timeline: Timeline,
    machine: Machine<'a, M>,
    rules: Rules,
    frames: Vec<Frame<K>>,
    /// The operations that took effect, in order.
    taken: Vec<Local>,
    /// The next event.
    at: u32,
    /// Who has each slot at this event.
    holders: Vec<Local>,
    /// The slots of open operations, of open reads, and of open ones of unknown outcome.
    open: K,
    reads: K,
    optional: K,
    /// Answers to come that are not possible in every state, in the order of returns: the event, and whose it is.
    picky: Vec<(u32, Local)>,
    failed: HashMap<Key<K>, u32, FxBuildHasher>,
    /// Sets of operations of unknown outcome, as lists.
    failures: Vec<(K, u32)>,
    /// The furthest event reached.
    pub(crate) furthest: u32,
    /// How many configurations were entered.
    pub(crate) nodes: u64,
    failures_max: usize,
    started: bool,
}

/// What came of entering a configuration.
enum Entered {
    End,
    Failed,
    Framed,
}

impl<'a, M: Model, K: Mask> Search<'a, M, K> {
    /// A search that remembers at most so many failures.
    pub(crate) fn new(
        timeline: Timeline,
        machine: Machine<'a, M>,
        rules: Rules,
        failures_max: usize,
    ) -> Self {
        let slots = timeline.slots;
        let picky = (0..).zip(&timeline.events).filter(|(_, event)| event.is_return());
        let picky = picky.map(|(position, event)| (position, event.operation()));
        let picky = picky.filter(|(_, local)| {
            matches!(machine.effect(timeline.item(*local).class), Effect::Preserves | Effect::Any)
        });
        let picky = picky.collect();
        Self {
            timeline,
            machine,
            rules,
            frames: Vec::new(),
            taken: Vec::new(),
            at: 0,
            holders: vec![Local(0); slots],
            open: K::empty(slots),
            reads: K::empty(slots),
            optional: K::empty(slots),
            picky,
            failed: HashMap::default(),
            failures: Vec::new(),
            furthest: 0,
            nodes: 0,
            failures_max,
            started: false,
        }
    }

    /// Goes on for at most so many configurations.
    pub(crate) fn run(&mut self, nodes: u64) -> Standing {
        let end = self.nodes.saturating_add(nodes);
        if !self.started {
            self.started = true;
            match self.enter(StateId::INITIAL, K::empty(self.timeline.slots)) {
                Entered::End => return Standing::Found,
                Entered::Failed => return Standing::Refuted,
                Entered::Framed => {}
            }
        }
        while self.nodes < end {
            let Some((state, done)) = self.next() else {
                let Some(frame) = self.frames.pop() else { return Standing::Refuted };
                if self.frames.is_empty() {
                    return Standing::Refuted;
                }
                self.note_failure(frame);
                continue;
            };
            if let Entered::End = self.enter(state, done) {
                return Standing::Found;
            }
            if !self.machine.has_room() {
                return Standing::Open;
            }
        }
        Standing::Open
    }

    /// The operations that took effect, in order: members of the history.
    pub(crate) fn order(&self) -> Vec<u32> {
        self.taken.iter().map(|local| self.timeline.item(*local).member).collect()
    }

    /// How many ways are left to be tried from where the search is.
    pub(crate) fn ways_left(&self) -> usize {
        self.frames.iter().filter(|frame| !frame.untried.is_empty()).count()
    }

    fn holder(&self, slot: u32) -> &Item {
        self.timeline.item(self.holders[slot as usize])
    }

    /// The next configuration from the last frame, with one more operation taken.
    fn next(&mut self) -> Option<(StateId, K)> {
        loop {
            let (position, taken) = self.frames.last().map(|frame| (frame.position, frame.taken))?;
            self.rewind(position);
            self.taken.truncate(taken as usize);
            let frame = self.frames.last()?;
            let slot = self.choose(frame)?;
            let state = frame.state;
            let next = if frame.choices == 0 && self.rules.twins && self.has_earlier_twin(frame, slot) {
                Next::Nowhere
            } else {
                let class = self.holder(slot).class;
                self.machine.step(state, class)
            };
            let frame = self.frames.last_mut()?;
            let state = match next {
                Next::Some { start, count } if frame.choices < count => {
                    frame.choices += 1;
                    self.machine.choice(start + frame.choices - 1)
                }
                Next::One(state) => {
                    frame.untried.remove(slot);
                    state
                }
                Next::Some { .. } | Next::Nowhere => {
                    frame.untried.remove(slot);
                    frame.choices = 0;
                    continue;
                }
            };
            let mut done = frame.done.clone();
            done.insert(slot);
            self.taken.push(self.holders[slot as usize]);
            return Some((state, done));
        }
    }

    /// Which operation to try next: the one that must return, then those that will, then those of unknown outcome.
    fn choose(&self, frame: &Frame<K>) -> Option<u32> {
        let due = self.timeline.item(self.timeline.events[frame.position as usize].operation()).slot;
        if frame.untried.has(due) {
            return Some(due);
        }
        frame.untried.without(&self.optional).first().or_else(|| frame.untried.first())
    }

    /// Two open operations that are asked and answered alike can change places, so that the first to return may be taken first.
    fn has_earlier_twin(&self, frame: &Frame<K>, slot: u32) -> bool {
        let (local, item) = (self.holders[slot as usize], self.holder(slot));
        if !item.has_twins {
            return false;
        }
        let mut others = self.open.without(&frame.done);
        while let Some(other) = others.first() {
            others.remove(other);
            let twin = self.holder(other);
            if twin.class == item.class
                && (twin.returned, self.holders[other as usize]) < (item.returned, local)
            {
                return true;
            }
        }
        false
    }

    /// Goes back to an event.
    fn rewind(&mut self, position: u32) {
        while self.at > position {
            self.at -= 1;
            let event = self.timeline.events[self.at as usize];
            let item = self.timeline.items[event.operation().0 as usize];
            if event.is_return() {
                self.note_open(&item);
            } else {
                self.note_closed(item.slot);
                if let Some(heir_of) = item.heir_of {
                    self.holders[item.slot as usize] = heir_of;
                }
            }
        }
    }

    fn note_open(&mut self, item: &Item) {
        self.open.insert(item.slot);
        if item.is_read {
            self.reads.insert(item.slot);
        }
        if item.is_optional() {
            self.optional.insert(item.slot);
        }
    }

    fn note_closed(&mut self, slot: u32) {
        self.open.remove(slot);
        self.reads.remove(slot);
        self.optional.remove(slot);
    }

    /// Passes invocations, and returns of operations that took effect.
    fn pass(&mut self, done: &mut K) {
        while let Some(event) = self.timeline.events.get(self.at as usize) {
            let local = event.operation();
            let item = self.timeline.items[local.0 as usize];
            if !event.is_return() {
                self.holders[item.slot as usize] = local;
                self.note_open(&item);
            } else if done.has(item.slot) {
                done.remove(item.slot);
                self.note_closed(item.slot);
            } else {
                return;
            }
            self.at += 1;
        }
    }

    fn enter(&mut self, state: StateId, mut done: K) -> Entered {
        self.nodes += 1;
        loop {
            self.pass(&mut done);
            self.furthest = self.furthest.max(self.at);
            let Some(event) = self.timeline.events.get(self.at as usize) else { return Entered::End };
            let due = self.timeline.item(event.operation()).slot;
            if self.rules.greedy_reads {
                self.take_reads(state, &mut done);
            }
            if !done.has(due) {
                break;
            }
        }
        if self.rules.memory && self.has_failed(state, &done)
            || self.rules.look_ahead && self.is_doomed(state, &done)
        {
            return Entered::Failed;
        }
        let mut untried = self.open.without(&done);
        if self.rules.greedy_reads {
            untried = untried.without(&self.reads);
        }
        let taken = self.taken.len() as u32;
        self.frames.push(Frame { position: self.at, state, done, untried, choices: 0, taken });
        Entered::Framed
    }

    /// An open read whose answer fits takes effect: wherever else it would, it could as well do so here.
    fn take_reads(&mut self, state: StateId, done: &mut K) {
        let mut reads = self.open.and(&self.reads).without(done);
        while let Some(slot) = reads.first() {
            reads.remove(slot);
            let class = self.holder(slot).class;
            if self.machine.step(state, class) != Next::Nowhere {
                done.insert(slot);
                self.taken.push(self.holders[slot as usize]);
            }
        }
    }

    /// Whether an answer must come to which the state cannot lead, with nothing left that could help.
    fn is_doomed(&mut self, state: StateId, done: &K) -> bool {
        let from = self.picky.partition_point(|(position, _)| *position < self.at);
        let mut looked_at = 0;
        for place in from..self.picky.len() {
            let (position, local) = self.picky[place];
            if looked_at == AHEAD || (position - self.at) as usize > AHEAD_EVENTS {
                return false;
            }
            let item = *self.timeline.item(local);
            let is_open = self.open.has(item.slot) && self.holders[item.slot as usize] == local;
            if is_open && done.has(item.slot) {
                continue;
            }
            looked_at += 1;
            if !self.machine.can_lead(state, item.class)
                && !self.is_supplied(local, item.class, position, done)
            {
                // That this return cannot be passed is what was found.
                self.furthest = self.furthest.max(position);
                return true;
            }
        }
        false
    }

    /// Whether an operation is left that might supply what this one needs before it returns.
    fn is_supplied(&mut self, local: Local, class: Class, position: u32, done: &K) -> bool {
        let mut open = self.open.without(done);
        while let Some(slot) = open.first() {
            open.remove(slot);
            let other = self.holders[slot as usize];
            let by = self.timeline.item(other).class;
            if other != local && self.machine.supplies(by, class) {
                return true;
            }
        }
        for place in self.at..position {
            let event = self.timeline.events[place as usize];
            let other = event.operation();
            if !event.is_return()
                && other != local
                && self.machine.supplies(self.timeline.item(other).class, class)
            {
                return true;
            }
        }
        false
    }

    fn key(&self, position: u32, state: StateId, done: &K) -> Key<K> {
        let done = if self.rules.subsumption { done.without(&self.optional) } else { done.clone() };
        Key { position, state, done }
    }

    /// Whether this configuration, or one with fewer operations of unknown outcome, failed before.
    fn has_failed(&self, state: StateId, done: &K) -> bool {
        let Some(mut place) = self.failed.get(&self.key(self.at, state, done)).copied() else { return false };
        // It failed without any.
        if place == END {
            return true;
        }
        let optional = done.and(&self.optional);
        while place != END {
            let (failed, next) = &self.failures[place as usize];
            if failed.is_within(&optional) {
                return true;
            }
            place = *next;
        }
        false
    }

    fn note_failure(&mut self, frame: Frame<K>) {
        if !self.rules.memory {
            return;
        }
        // To forget costs time and is never wrong.
        if self.failed.len() + self.failures.len() >= self.failures_max {
            self.failed.clear();
            self.failures.clear();
        }
        // The marks of open operations must be those of the frame.
        self.rewind(frame.position);
        let optional = frame.done.and(&self.optional);
        let key = self.key(frame.position, frame.state, &frame.done);
        let head = self.failed.entry(key).or_insert(END);
        if self.rules.subsumption && (!optional.is_empty() || *head != END) {
            self.failures.push((optional, *head));
            *head = self.failures.len() as u32 - 1;
        }
    }
}
