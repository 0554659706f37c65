//! Whether some operations contradict one another, whatever the others did.
//!
//! The operations in question, the core, must take effect once each within their intervals; of those of unknown outcome, once at most. All others, the background, may do so
//! within theirs, as often as they like or once, and need not. Whatever order the whole history has is an order in this
//! sense, so that a core without one refutes the history; and to move an operation from the core to the background only makes
//! orders possible, so that a core can be shrunk one operation at a time.

use hashbrown::HashSet;
use isles_history::{Moment, Operation};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::machine::{Class, Machine, Next, StateId};
use super::partition::Joined;
use super::timeline::{Item, Local, Timeline};
use crate::{Effect, Model, Parts};

/// Up to so many operations of the background are used once each at first; more, or if that is too much, as often as they like.
const ONCE_MAX: usize = 100;
/// Up to so many are used once each and not otherwise.
const ONCE_MIN: usize = 12;
/// Beyond so many configurations a core is taken as possible.
const CONFIGURATIONS_MAX: usize = 1 << 13;

/// How many answers to come are looked at.
const AHEAD: usize = 64;

/// An operation in question or of the background.
#[derive(Clone, Copy)]
struct Part {
    class: Class,
    invoked: Moment,
    returned: Moment,
    is_core: bool,
    /// Its bit while it is open; none for one that may take effect as often as it likes.
    bit: Option<u32>,
}

/// What a history is examined with for contradictions.
pub(crate) struct Examiner<'a, M: Model> {
    pub(crate) timeline: Timeline,
    machine: Machine<'a, M>,
    /// For each operation the values that it handles, as a number that those have that hang together.
    groups: Vec<Handled>,
    /// How many configurations were made.
    pub(crate) work: u64,
}

/// Which values an operation handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Handled {
    None,
    Group(u32),
    All,
}

impl<'a, M: Model> Examiner<'a, M> {
    pub(crate) fn new(model: &'a M, operations: &'a [Operation<M::Op, M::Reply>], members: &[u32]) -> Self {
        let (timeline, machine) = Timeline::new(model, operations, members);
        let mut joined = Joined::default();
        let mut values = Parts::default();
        let mut everything_hangs_together = false;
        let mut groups: Vec<Handled> = Vec::new();
        for item in &timeline.items {
            let operation = &operations[item.member as usize];
            values.clear();
            model.values(&operation.op, operation.reply(), &mut values);
            let mut names = values.hashes().iter();
            let handled = match names.next() {
                _ if values.are_all() => Handled::All,
                None => Handled::None,
                Some(name) => {
                    let first = joined.object(*name);
                    for name in names {
                        let other = joined.object(*name);
                        joined.join(first, other);
                    }
                    Handled::Group(first)
                }
            };
            everything_hangs_together |= handled == Handled::All && !item.is_read;
            groups.push(handled);
        }
        for group in &mut groups {
            match group {
                _ if everything_hangs_together => *group = Handled::All,
                Handled::Group(group) => *group = joined.root(*group),
                Handled::None | Handled::All => {}
            }
        }
        Self { timeline, machine, groups, work: 0 }
    }

    /// The operations that returned, all together, that handle what these handle.
    pub(crate) fn with_their_values(&self, core: &[Local]) -> Vec<Local> {
        let groups: HashSet<u32, FxBuildHasher> = core
            .iter()
            .filter_map(|local| match self.groups[local.0 as usize] {
                Handled::Group(group) => Some(group),
                Handled::None | Handled::All => None,
            })
            .collect();
        (0..self.timeline.items.len() as u32)
            .map(Local)
            .filter(|local| {
                let is_theirs =
                    matches!(self.groups[local.0 as usize], Handled::Group(group) if groups.contains(&group));
                !self.timeline.item(*local).is_optional() && (is_theirs || core.contains(local))
            })
            .collect()
    }

    /// Operations of unknown outcome without which an answer of the core might not be.
    pub(crate) fn helpers(&mut self, core: &[Local]) -> Vec<Local> {
        let item = |local: &Local| self.timeline.items[local.0 as usize];
        let last = core.iter().map(|local| item(local).returned).max().unwrap_or(0);
        let core: Vec<Item> = core.iter().map(item).collect();
        let helps = |machine: &mut Machine<'_, M>, by: &Item| {
            core.iter().any(|of| {
                matches!(machine.effect(of.class), Effect::Preserves | Effect::Any)
                    && machine.supplies(by.class, of.class)
            })
        };
        (0..)
            .map(Local)
            .zip(&self.timeline.items)
            .filter(|(_, item)| item.is_optional() && item.invoked <= last && helps(&mut self.machine, item))
            .map(|(local, _)| local)
            .collect()
    }

    /// Whether these operations, in the order of their invocations, contradict one another. No if it would take too long to tell.
    pub(crate) fn refutes(&mut self, core: &[Local]) -> bool {
        self.judges(core) == Some(true)
    }

    /// The same; none if it would take too long to tell.
    pub(crate) fn judges(&mut self, core: &[Local]) -> Option<bool> {
        // What is possible with others that come once is possible as well with those that come again.
        [true, false].into_iter().find_map(|once| {
            let mut parts = self.parts(core, once)?;
            if !give_bits(&mut parts) {
                return None;
            }
            Sweep::new(&mut self.machine, parts).refutes(&mut self.work)
        })
    }

    /// The core and what may matter to it, which is used once or as often as it likes. None if that is too much.
    fn parts(&self, core: &[Local], once: bool) -> Option<Vec<Part>> {
        let items = &self.timeline.items;
        let due = || core.iter().map(|local| &items[local.0 as usize]).filter(|item| !item.is_optional());
        let last = due().map(|item| item.returned).max()?;
        let first = due().map(|item| item.invoked).min()?;
        let groups: Vec<Handled> = core.iter().map(|local| self.groups[local.0 as usize]).collect();
        let everything = groups.contains(&Handled::All);
        let matters = |local: usize| match self.groups[local] {
            group @ Handled::Group(_) => everything || groups.contains(&group),
            Handled::None | Handled::All => true,
        };
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = core.iter().peekable();
        for (local, item) in items.iter().enumerate() {
            if item.invoked > last {
                break;
            }
            let is_core = rest.next_if(|next| next.0 as usize == local).is_some();
            if is_core || !item.is_read && matters(local) {
                let (class, invoked, returned) = (item.class, item.invoked, item.returned);
                parts.push(Part { class, invoked, returned, is_core, bit: is_core.then_some(0) });
            }
        }
        let others = parts.len() - core.len();
        if once && others > ONCE_MAX || !once && others <= ONCE_MIN {
            return None;
        }
        for part in &mut parts {
            if once {
                part.bit = Some(0);
            } else if !part.is_core && part.invoked < first {
                // As if it had been there from the start: more is possible then, and less is to be done.
                part.invoked = 0;
            }
        }
        if !once {
            parts.sort_by_key(|part| part.invoked);
        }
        Some(parts)
    }
}

/// Gives each that needs one a bit that no other has at the time. False if there are not enough.
fn give_bits(parts: &mut [Part]) -> bool {
    let mut open: Vec<(Moment, u32)> = Vec::new();
    for part in parts.iter_mut().filter(|part| part.bit.is_some()) {
        open.retain(|(returned, _)| *returned >= part.invoked);
        let Some(bit) = (0..64).find(|bit| open.iter().all(|(_, taken)| taken != bit)) else { return false };
        part.bit = Some(bit);
        open.push((part.returned, bit));
    }
    true
}

/// Those of some operations that may matter to a core: all, unless they handle one value each at most.
pub(super) fn that_matter<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    members: &[u32],
    core: &[u32],
) -> Vec<u32> {
    let mut values = Parts::default();
    let mut named: HashSet<u64, FxBuildHasher> = HashSet::default();
    for name in core {
        let operation = &operations[*name as usize];
        model.values(&operation.op, operation.reply(), &mut values);
        named.extend(values.hashes());
    }
    let mut kept = Vec::new();
    let mut hang_together = values.are_all();
    for member in members {
        let operation = &operations[*member as usize];
        values.clear();
        model.values(&operation.op, operation.reply(), &mut values);
        hang_together |= values.are_all() || values.hashes().len() > 1;
        if values.hashes().iter().all(|name| named.contains(name)) {
            kept.push(*member);
        }
    }
    if hang_together { members.to_vec() } else { kept }
}

/// A walk along the history with all configurations of a core.
struct Sweep<'m, 'a, M: Model> {
    machine: &'m mut Machine<'a, M>,
    parts: Vec<Part>,
    /// Which are open, and of all which were.
    open: Vec<u32>,
    closed: Vec<bool>,
    /// The first that is not yet.
    next: usize,
    /// Cores that are not possible in every state, by number, in the order of their returns; and the first that has not returned.
    picky: Vec<u32>,
    picky_from: usize,
    /// Steps of the background that do not lead towards an answer can be left out.
    is_bounded: bool,
    configurations: Vec<(StateId, u64)>,
    known: HashSet<(StateId, u64), FxBuildHasher>,
}

impl<'m, 'a, M: Model> Sweep<'m, 'a, M> {
    fn new(machine: &'m mut Machine<'a, M>, parts: Vec<Part>) -> Self {
        let mut picky: Vec<u32> = (0..)
            .zip(&parts)
            .filter(|(_, part)| part.is_core && part.returned < Moment::MAX)
            .filter(|(_, part)| matches!(machine.effect(part.class), Effect::Preserves | Effect::Any))
            .map(|(number, _)| number)
            .collect();
        picky.sort_by_key(|number| parts[*number as usize].returned);
        let is_bounded = parts.iter().all(|part| {
            let effect = machine.effect(part.class);
            effect == Effect::Overwrites
                || (part.is_core || effect == Effect::Accepted)
                    && picky.iter().all(|c| !machine.supplies(part.class, parts[*c as usize].class))
        });
        Self {
            machine,
            closed: vec![false; parts.len()],
            parts,
            open: Vec::new(),
            next: 0,
            picky,
            picky_from: 0,
            is_bounded,
            configurations: vec![(StateId::INITIAL, 0)],
            known: HashSet::default(),
        }
    }

    fn refutes(&mut self, work: &mut u64) -> Option<bool> {
        self.known.insert((StateId::INITIAL, 0));
        let mut returns: Vec<u32> = (0..self.parts.len() as u32).collect();
        returns.sort_by_key(|part| (self.parts[*part as usize].returned, *part));
        for part in returns {
            let Part { returned, is_core, bit, .. } = self.parts[part as usize];
            if returned == Moment::MAX {
                break;
            }
            let before = self.next;
            while self.parts.get(self.next).is_some_and(|part| part.invoked <= returned) {
                self.open.push(self.next as u32);
                self.next += 1;
            }
            self.picky_from += self.picky[self.picky_from..]
                .iter()
                .take_while(|number| self.parts[**number as usize].returned < returned)
                .count();
            if self.next > before && !self.close(returned) {
                *work += CONFIGURATIONS_MAX as u64;
                return None;
            }
            *work += self.configurations.len() as u64;
            self.open.retain(|other| *other != part);
            self.closed[part as usize] = true;
            let Some(bit) = bit else { continue };
            if is_core {
                self.configurations.retain(|(_, done)| done >> bit & 1 == 1);
                if self.configurations.is_empty() {
                    return Some(true);
                }
            }
            self.known.clear();
            let known = &mut self.known;
            self.configurations.retain_mut(|configuration| {
                configuration.1 &= !(1 << bit);
                known.insert(*configuration)
            });
        }
        Some(false)
    }

    /// Adds what open operations lead to. False if that is too much.
    fn close(&mut self, now: Moment) -> bool {
        let mut place = 0;
        while let Some(&(state, done)) = self.configurations.get(place) {
            place += 1;
            for index in 0..self.open.len() {
                let part = self.parts[self.open[index] as usize];
                let after = match part.bit {
                    Some(bit) if done >> bit & 1 == 1 => continue,
                    Some(bit) => done | 1 << bit,
                    None => done,
                };
                match self.machine.step(state, part.class) {
                    Next::Nowhere => {}
                    Next::One(next) => self.add(part, (next, after), now),
                    Next::Some { start, count } => {
                        for place in start..start + count {
                            let next = self.machine.choice(place);
                            self.add(part, (next, after), now);
                        }
                    }
                }
            }
            if self.configurations.len() > CONFIGURATIONS_MAX {
                return false;
            }
        }
        true
    }

    fn add(&mut self, part: Part, configuration: (StateId, u64), now: Moment) {
        if self.known.contains(&configuration) || self.is_doomed(configuration, now) {
            return;
        }
        // Whatever leads to an answer from there overwrites it, and does so from where it came as well.
        if self.is_bounded && part.bit.is_none() && !self.leads_somewhere(configuration) {
            return;
        }
        self.known.insert(configuration);
        self.configurations.push(configuration);
    }

    fn is_done(&self, number: u32, done: u64) -> bool {
        let place = number as usize;
        let is_open = place < self.next && !self.closed[place];
        self.parts[place].bit.is_some_and(|bit| is_open && done >> bit & 1 == 1)
    }

    /// Whether an answer of the core is still to come to which this state can lead.
    fn leads_somewhere(&mut self, (state, done): (StateId, u64)) -> bool {
        (self.picky_from..self.picky.len()).any(|index| {
            let number = self.picky[index];
            !self.is_done(number, done) && self.machine.can_lead(state, self.parts[number as usize].class)
        })
    }

    /// Whether an answer of the core must come soon to which the state cannot lead, with nothing left that could help.
    fn is_doomed(&mut self, (state, done): (StateId, u64), now: Moment) -> bool {
        for index in self.picky_from..self.picky.len().min(self.picky_from + AHEAD) {
            let number = self.picky[index];
            let Part { class, returned, .. } = self.parts[number as usize];
            if returned < now || self.is_done(number, done) || self.machine.can_lead(state, class) {
                continue;
            }
            let supplies = |sweep: &mut Self, other: u32| {
                let by = sweep.parts[other as usize];
                other != number && !sweep.is_done(other, done) && sweep.machine.supplies(by.class, class)
            };
            let is_supplied = (0..self.open.len()).any(|place| supplies(self, self.open[place]))
                || (self.next..self.parts.len())
                    .take_while(|other| self.parts[*other].invoked <= returned)
                    .collect::<SmallVec<[usize; 16]>>()
                    .into_iter()
                    .any(|other| supplies(self, other as u32));
            if !is_supplied {
                return true;
            }
        }
        false
    }
}
