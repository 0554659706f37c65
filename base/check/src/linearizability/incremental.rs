//! Linearizability of a history that grows, for explorers that carry it in each of their states.

use smallvec::SmallVec;

use super::machine::{Class, Machine, Next, StateId};
use crate::{Effect, Model};

/// What all frontiers of one exploration share: states and steps by number.
///
/// ```
/// use isles_check::linearizability::incremental::{Cache, Frontier};
/// use isles_check::models::register::{Op, Register, Reply};
///
/// let register = Register { initial: 0 };
/// let mut cache = Cache::new(&register);
/// let mut history = Frontier::default();
/// let write = history.invoke(&mut cache, &Op::Write(1));
/// let read = history.invoke(&mut cache, &Op::Read);
/// assert!(history.clone().respond(&mut cache, read, &Reply::Value(1)));
/// assert!(history.respond(&mut cache, write, &Reply::Done));
/// let late = history.invoke(&mut cache, &Op::Read);
/// assert!(!history.respond(&mut cache, late, &Reply::Value(0)));
/// ```
pub struct Cache<'a, M: Model> {
    machine: Machine<'a, M>,
    /// Configurations to go on from, and all that were met; kept for their memory.
    left: Vec<Configuration>,
    met: Vec<Configuration>,
}

impl<'a, M: Model> Cache<'a, M> {
    /// An empty one.
    pub fn new(model: &'a M) -> Self {
        Self { machine: Machine::new(model), left: Vec::new(), met: Vec::new() }
    }
}

/// An open operation of a [`Frontier`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u32);

/// All ways in which a history can have taken effect so far. Frontiers of one cache are equal if the same can follow them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Frontier {
    /// In order; none if the history is not linearizable.
    configurations: SmallVec<[Configuration; 2]>,
    /// Open operations by their tickets; free places hold none.
    open: SmallVec<[Option<(Class, bool)>; 8]>,
}

/// One way: the state, what open operations did, and what open reads might have seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Configuration {
    state: StateId,
    /// Open operations that took effect, and from which state to which: their answers will have to fit.
    done: SmallVec<[(Ticket, StateId, StateId); 2]>,
    /// States that are past, for each read that was open then.
    seen: SmallVec<[(Ticket, StateId); 4]>,
}

impl Default for Frontier {
    fn default() -> Self {
        let start = Configuration { state: StateId::INITIAL, done: SmallVec::new(), seen: SmallVec::new() };
        Self { configurations: SmallVec::from_iter([start]), open: SmallVec::new() }
    }
}

impl Frontier {
    /// An operation is invoked. One that never returns stays open.
    pub fn invoke<M: Model>(&mut self, cache: &mut Cache<'_, M>, op: &M::Op) -> Ticket {
        let class = cache.machine.class_asked(op);
        let is_read = cache.machine.effect(class) == Effect::Preserves;
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free == self.open.len() {
            self.open.push(None);
        }
        self.open[free] = Some((class, is_read));
        Ticket(free as u32)
    }

    /// An open operation returns; its ticket may be given to another from now on. Answers whether the history is still linearizable; once it
    /// is not, it never is again.
    ///
    /// # Panics
    /// If no operation is open by this ticket.
    pub fn respond<M: Model>(&mut self, cache: &mut Cache<'_, M>, ticket: Ticket, reply: &M::Reply) -> bool {
        let (asked, is_read) =
            self.open.get(ticket.0 as usize).copied().flatten().expect("a ticket is used once");
        let class = cache.machine.class_answered(asked, reply);
        let Cache { machine, left, met } = cache;
        met.clear();
        left.extend(self.configurations.drain(..));
        let ways = &mut self.configurations;
        while let Some(mut way) = left.pop() {
            if let Some(place) = way.done.iter().position(|(done, ..)| *done == ticket) {
                let (_, before, after) = way.done.remove(place);
                if leads(machine, before, class, after) {
                    ways.push(way);
                }
                continue;
            }
            if !is_read {
                each(machine, way.state, class, |next| ways.push(moved(&self.open, &way, next)));
            } else if machine.step(way.state, class) != Next::Nowhere
                || way.seen.iter().any(|(by, at)| *by == ticket && machine.step(*at, class) != Next::Nowhere)
            {
                way.seen.retain(|(by, _)| *by != ticket);
                ways.push(way);
                continue;
            }
            // Lowe 2017, sec. 4: before one that must return, any of the others may take effect.
            for (other, open) in (0..).map(Ticket).zip(&self.open) {
                let Some((class, false)) = *open else { continue };
                if other == ticket || way.done.iter().any(|(done, ..)| *done == other) {
                    continue;
                }
                each(machine, way.state, class, |next| {
                    let mut after = moved(&self.open, &way, next);
                    let place = after.done.partition_point(|(done, ..)| *done < other);
                    after.done.insert(place, (other, way.state, next));
                    if !met.contains(&after) {
                        met.push(after.clone());
                        left.push(after);
                    }
                });
            }
        }
        self.open[ticket.0 as usize] = None;
        self.configurations.sort_unstable();
        self.configurations.dedup();
        !self.configurations.is_empty()
    }

    /// Whether the history is linearizable so far.
    pub fn is_linearizable(&self) -> bool {
        !self.configurations.is_empty()
    }

    /// How many ways there are.
    pub fn width(&self) -> usize {
        self.configurations.len()
    }
}

/// A way in another state: open reads may have seen the one before.
fn moved(open: &[Option<(Class, bool)>], way: &Configuration, next: StateId) -> Configuration {
    let mut after = way.clone();
    after.state = next;
    if next != way.state {
        for (read, open) in (0..).map(Ticket).zip(open) {
            if let Some((_, true)) = open
                && let Err(place) = after.seen.binary_search(&(read, way.state))
            {
                after.seen.insert(place, (read, way.state));
            }
        }
    }
    after
}

/// Where a step leads.
fn each<M: Model>(machine: &mut Machine<'_, M>, state: StateId, class: Class, mut then: impl FnMut(StateId)) {
    match machine.step(state, class) {
        Next::Nowhere => {}
        Next::One(next) => then(next),
        Next::Some { start, count } => {
            (start..start + count).map(|place| machine.choice(place)).for_each(then)
        }
    }
}

/// Whether a step may lead to this state.
fn leads<M: Model>(machine: &mut Machine<'_, M>, state: StateId, class: Class, to: StateId) -> bool {
    let mut found = false;
    each(machine, state, class, |next| found |= next == to);
    found
}
