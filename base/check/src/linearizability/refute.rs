//! Whether some operations contradict one another, whatever the others did.
//!
//! The operations in question, the core, must take effect once each within their intervals; of those of unknown outcome, once at most. All others, the background, may do so
//! within theirs, as often as they like or once, and need not. Whatever order the whole history has is an order in this
//! sense, so that a core without one refutes the history; and to move an operation from the core to the background only makes
//! orders possible, so that a core can be shrunk one operation at a time.

use hashbrown::HashSet;
use isles_history::{Moment, Operation};
use rustc_hash::FxBuildHasher;

use super::machine::Machine;
use super::partition::Joined;
use super::sweep::{Part, Sweep, WAYS_MAX, give_bits};
use super::timeline::{Item, Local, Timeline};
use crate::{Effect, Model, Parts};

/// Up to so many operations of the background are used once each at first; more, or if that is too much, as often as they like.
const ONCE_MAX: usize = 100;
/// Up to so many are used once each and not otherwise.
const ONCE_MIN: usize = 12;
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
            let mut sweep = Sweep::new(&mut self.machine, parts, WAYS_MAX);
            let judged = sweep.refutes(&mut self.work)?;
            Some(judged.is_some())
        })
    }

    /// The moment up to which all that returned contradicts itself, if it does; nothing if it would take more ways to tell.
    pub(crate) fn refuted_until(&mut self, ways_max: usize) -> Option<Moment> {
        let all = (0..self.timeline.items.len() as u32).map(Local);
        let returned: Vec<Local> = all.filter(|local| !self.timeline.item(*local).is_optional()).collect();
        let mut parts = self.parts(&returned, true)?;
        if !give_bits(&mut parts) {
            return None;
        }
        Sweep::new(&mut self.machine, parts, ways_max).refutes(&mut self.work)?
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
