//! Linearizability of a history that grows, for explorers that carry it in each of their states.
//!
//! Lowe 2017, sec. 4 (just-in-time linearization), with all ways at once. Beyond the paper, what was overwritten is decided late: an
//! operation that is answered alike in every state, and is open when another overwrites its object, may have taken effect just before, unseen. So it is
//! *free*: it may still take effect, or return without. If an open read is answered what only such an operation can have left, it took
//! effect then, and the read after it. Ways that can do no more than others are left out.

use smallvec::SmallVec;

use super::machine::{Class, Machine, Next, StateId};
use crate::{Effect, Model, Parts};

/// What all frontiers of one exploration share: states and steps by number. The model's steps without a reply must tell all states to
/// which steps with a reply may lead; of this crate's models only the lease's do not, whose grants have tokens that nobody can list.
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
    /// Ways that were met while an operation returns, each with the operation that took effect last; kept for its memory.
    met: Vec<(Configuration, Option<Open>)>,
    objects: Parts,
}

impl<'a, M: Model> Cache<'a, M> {
    /// An empty one.
    pub fn new(model: &'a M) -> Self {
        Self { machine: Machine::new(model), met: Vec::new(), objects: Parts::default() }
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
    open: SmallVec<[Option<Open>; 8]>,
}

/// An operation that has not returned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Open {
    class: Class,
    /// It changes no state.
    reads: bool,
    /// Its answer tells nothing.
    alike: bool,
    /// It leads to the same from all states of its object.
    overwrites: bool,
    /// What it touches, if that is one object.
    object: Option<u64>,
}

impl Open {
    /// Whether what took effect just before it on the same object is neither seen by its answer nor by what follows.
    const fn covers(&self) -> bool {
        self.overwrites && self.alike && self.object.is_some()
    }
}

/// Tickets below this have bits in a [`Configuration`].
const BITS: usize = 64;

/// One way: the state, what open operations did, and what open reads might have seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Configuration {
    state: StateId,
    /// Open operations that took effect, and from which state to which: their answers will have to fit.
    done: SmallVec<[(Ticket, StateId, StateId); 2]>,
    /// Open operations that were open when their object was overwritten last and whose answers tell nothing, and reads that were open then.
    free: u64,
    /// Open operations that took effect and whose answers tell nothing.
    spent: u64,
    /// States that are past, for each read that was open then.
    seen: SmallVec<[(Ticket, StateId); 4]>,
}

impl Configuration {
    /// Whether whatever can follow the other can follow this one.
    fn covers(&self, other: &Self) -> bool {
        self.state == other.state
            && self.done == other.done
            && other.free & !self.free == 0
            && self.spent & !other.spent == 0
            && other.spent & !(self.spent | self.free) == 0
            && other.seen.iter().all(|entry| self.seen.binary_search(entry).is_ok())
    }

    /// The same after this operation returned.
    fn without(mut self, ticket: Ticket) -> Self {
        self.free &= !ticket.bit();
        self.spent &= !ticket.bit();
        self.seen.retain(|(by, _)| *by != ticket);
        self
    }

    fn see(&mut self, read: Ticket, state: StateId) {
        if let Err(place) = self.seen.binary_search(&(read, state)) {
            self.seen.insert(place, (read, state));
        }
    }
}

impl Ticket {
    /// None for those beyond [`BITS`].
    const fn bit(self) -> u64 {
        if (self.0 as usize) < BITS { 1 << self.0 } else { 0 }
    }
}

impl Default for Frontier {
    fn default() -> Self {
        let start = Configuration {
            state: StateId::INITIAL,
            done: SmallVec::new(),
            free: 0,
            spent: 0,
            seen: SmallVec::new(),
        };
        Self { configurations: SmallVec::from_iter([start]), open: SmallVec::new() }
    }
}

impl Frontier {
    /// An operation is invoked. One that never returns stays open.
    pub fn invoke<M: Model>(&mut self, cache: &mut Cache<'_, M>, op: &M::Op) -> Ticket {
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free == self.open.len() {
            self.open.push(None);
        }
        self.open[free] = Some(cache.open(op));
        Ticket(free as u32)
    }

    /// An open operation returns; its ticket may be given to another from now on. Answers whether the history is still linearizable; once it
    /// is not, it never is again.
    ///
    /// # Panics
    /// If no operation is open by this ticket.
    pub fn respond<M: Model>(&mut self, cache: &mut Cache<'_, M>, ticket: Ticket, reply: &M::Reply) -> bool {
        let asked = self.open.get(ticket.0 as usize).copied().flatten().expect("a ticket is used once");
        let class = cache.machine.class_answered(asked.class, reply);
        let mut met = std::mem::take(&mut cache.met);
        met.extend(self.configurations.drain(..).map(|way| (way, None)));
        let others_change = self.others(ticket).any(|open| !open.overwrites || !open.alike);
        let mut returning = Returning {
            machine: &mut cache.machine,
            open: &self.open,
            ticket,
            asked,
            class,
            is_lazy: self.open.len() <= BITS,
            others_change,
            found: &mut self.configurations,
        };
        let mut place = 0;
        while place < met.len() {
            let (way, last) = met[place].clone();
            place += 1;
            if !returning.settle(&way, last) {
                returning.before(&way, last, &mut met);
            }
        }
        met.clear();
        cache.met = met;
        self.open[ticket.0 as usize] = None;
        self.configurations.sort_unstable();
        !self.configurations.is_empty()
    }

    /// Open operations other than this one that change states.
    fn others(&self, ticket: Ticket) -> impl Iterator<Item = &Open> {
        let others = (0..).map(Ticket).zip(&self.open).filter(move |(other, _)| *other != ticket);
        others.filter_map(|(_, open)| open.as_ref().filter(|open| !open.reads))
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

/// An operation that returns.
struct Returning<'r, 'a, M: Model> {
    machine: &'r mut Machine<'a, M>,
    open: &'r [Option<Open>],
    ticket: Ticket,
    asked: Open,
    /// Its class with its answer.
    class: Class,
    /// Whether all open operations have bits.
    is_lazy: bool,
    /// Whether others may change a state so that it matters which it was before.
    others_change: bool,
    found: &'r mut SmallVec<[Configuration; 2]>,
}

impl<M: Model> Returning<'_, '_, M> {
    /// The ways in which it took effect before or takes effect now, after `last` did. Whether there is no need to look for more.
    fn settle(&mut self, way: &Configuration, last: Option<Open>) -> bool {
        if let Some(place) = way.done.iter().position(|(done, ..)| *done == self.ticket) {
            let mut after = way.clone();
            let (_, from, to) = after.done.remove(place);
            if leads(self.machine, from, self.class, to) {
                self.find(after);
            }
            return true;
        }
        let bit = self.ticket.bit();
        if self.asked.reads {
            if self.fits(way.state)
                || way
                    .seen
                    .iter()
                    .any(|(by, at)| *by == self.ticket && self.machine.step(*at, self.class) != Next::Nowhere)
            {
                self.find(way.clone().without(self.ticket));
                return true;
            }
            self.see_overwritten(way);
            return false;
        }
        if way.spent & bit != 0 {
            if self.fits(way.state) {
                self.find(way.clone().without(self.ticket));
            }
            return true;
        }
        if way.free & bit != 0 && self.fits(way.state) {
            let mut after = way.clone();
            let asked = self.asked;
            self.leave(&mut after, &asked);
            self.find(after.without(self.ticket));
        }
        if !self.is_unseen(last, &self.asked) {
            let mut nexts: SmallVec<[StateId; 2]> = SmallVec::new();
            each(self.machine, way.state, self.class, |next| nexts.push(next));
            for next in nexts {
                self.find(self.moved(way, &self.asked, next).without(self.ticket));
            }
        }
        false
    }

    fn fits(&mut self, state: StateId) -> bool {
        self.machine.step(state, self.class) != Next::Nowhere
    }

    /// It read what a free operation left before it was overwritten.
    fn see_overwritten(&mut self, way: &Configuration) {
        if way.free & self.ticket.bit() == 0 {
            return;
        }
        let open = self.open;
        for (other, of) in (0..).map(Ticket).zip(open) {
            let Some(of) = of.as_ref().filter(|of| of.overwrites && of.object == self.asked.object) else {
                continue;
            };
            if of.reads || way.free & other.bit() == 0 {
                continue;
            }
            let Next::One(left) = self.machine.step(way.state, of.class) else { continue };
            if !self.fits(left) {
                continue;
            }
            let mut after = way.clone();
            after.free &= !other.bit();
            after.spent |= other.bit();
            self.leave(&mut after, of);
            self.find(after.without(self.ticket));
        }
    }

    /// A free operation took effect just before it was overwritten: reads that were open then may have seen what it left.
    fn leave(&mut self, way: &mut Configuration, by: &Open) {
        if !by.overwrites {
            return;
        }
        let Next::One(left) = self.machine.step(way.state, by.class) else { return };
        for (read, open) in (0..).map(Ticket).zip(self.open) {
            if open.is_some_and(|it| it.reads && it.object == by.object) && way.free & read.bit() != 0 {
                way.see(read, left);
            }
        }
    }

    /// Lowe 2017, sec. 4: before one that must return, any of the others may take effect.
    fn before(
        &mut self,
        way: &Configuration,
        last: Option<Open>,
        met: &mut Vec<(Configuration, Option<Open>)>,
    ) {
        let open = self.open;
        for (other, of) in (0..).map(Ticket).zip(open) {
            let Some(of) = of.as_ref().filter(|of| !of.reads) else { continue };
            if other == self.ticket
                || way.spent & other.bit() != 0
                || way.done.iter().any(|(done, ..)| *done == other)
                || self.is_unseen(last, of)
            {
                continue;
            }
            let is_last = !self.others_change && self.is_lazy;
            if is_last && self.is_unseen(Some(*of), &self.asked) {
                continue;
            }
            let mut nexts: SmallVec<[StateId; 2]> = SmallVec::new();
            each(self.machine, way.state, of.class, |next| nexts.push(next));
            for next in nexts {
                if is_last && self.asked.reads && !self.fits(next) {
                    continue;
                }
                let mut after = self.moved(way, of, next);
                if of.alike && other.bit() != 0 {
                    after.free &= !other.bit();
                    after.spent |= other.bit();
                } else {
                    let place = after.done.partition_point(|(done, ..)| *done < other);
                    after.done.insert(place, (other, way.state, next));
                }
                let last = Some(*of);
                if !met.iter().any(|(way, before)| *before == last && way.covers(&after)) {
                    met.push((after, last));
                }
            }
        }
    }

    /// Whether `last` took effect and would be overwritten unseen: it might as well be free.
    fn is_unseen(&self, last: Option<Open>, by: &Open) -> bool {
        let overwritten = last.filter(|last| last.alike && by.covers() && last.object == by.object);
        overwritten.is_some_and(|last| {
            let reads = || self.open.iter().flatten().any(|open| open.reads && open.object == by.object);
            self.is_lazy && (last.overwrites || !reads())
        })
    }

    /// A way in another state after `by`: open reads may have seen the one before, and what was overwritten is free.
    fn moved(&self, way: &Configuration, by: &Open, next: StateId) -> Configuration {
        let mut after = way.clone();
        after.state = next;
        for (ticket, open) in (0..).map(Ticket).zip(self.open) {
            let Some(open) = open else { continue };
            if open.reads && next != way.state {
                after.see(ticket, way.state);
            }
            if by.covers()
                && open.object == by.object
                && (open.reads || open.alike)
                && way.spent & ticket.bit() == 0
            {
                after.free |= ticket.bit();
            }
        }
        after
    }

    /// Keeps a way, unless another covers it, and none that it covers.
    fn find(&mut self, way: Configuration) {
        if self.found.iter().any(|other| other.covers(&way)) {
            return;
        }
        self.found.retain(|other| !way.covers(other));
        self.found.push(way);
    }
}

impl<M: Model> Cache<'_, M> {
    /// What is known of an operation that begins.
    fn open(&mut self, op: &M::Op) -> Open {
        let class = self.machine.class_asked(op);
        let model = self.machine.model();
        self.objects.clear();
        model.objects(op, &mut self.objects);
        let object = match self.objects.hashes() {
            _ if self.objects.are_all() => Some(0),
            [only] => Some(*only),
            _ => None,
        };
        let effect = self.machine.effect(class);
        Open {
            class,
            reads: effect == Effect::Preserves,
            alike: model.answers_alike(op),
            overwrites: effect == Effect::Overwrites,
            object,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::register::{Op, Register, Reply};

    const REGISTER: Register<u32> = Register { initial: 0 };

    /// Two writes overlap, and the second returns first; then the first, and whether reads that were invoked before all of that, or between
    /// the returns, can be answered 1.
    #[test]
    fn what_was_overwritten_is_read_by_who_was_there() {
        let mut cache = Cache::new(&REGISTER);
        let mut start = Frontier::default();
        let early = start.invoke(&mut cache, &Op::Read);
        let another = start.invoke(&mut cache, &Op::Read);
        let writes = [1, 2].map(|value| start.invoke(&mut cache, &Op::Write(value)));
        assert!(start.respond(&mut cache, writes[1], &Reply::Done));
        let late = start.invoke(&mut cache, &Op::Read);
        let mut before = start.clone();
        assert!(start.respond(&mut cache, writes[0], &Reply::Done));
        // 1 was overwritten by 2, or the other way round: whoever is late saw the last of them.
        for (first, second, fits) in [(1, 2, true), (2, 1, true), (1, 1, true), (0, 2, true), (3, 2, false)] {
            let mut history = start.clone();
            let told = history.respond(&mut cache, early, &Reply::Value(first));
            assert_eq!(
                told && history.respond(&mut cache, late, &Reply::Value(second)),
                fits,
                "{first} {second}"
            );
        }
        let mut history = start.clone();
        assert!(history.respond(&mut cache, late, &Reply::Value(2)), "2 was written last");
        for read in [early, another] {
            assert!(history.respond(&mut cache, read, &Reply::Value(1)), "1 was there for a moment");
        }
        let mut history = start;
        let last = history.invoke(&mut cache, &Op::Read);
        assert!(history.respond(&mut cache, last, &Reply::Value(2)));
        assert!(
            !history.respond(&mut cache, late, &Reply::Value(1)),
            "2 was written last, and before it began"
        );
        // Before the first write returns.
        assert!(before.respond(&mut cache, early, &Reply::Value(1)));
        let later = before.invoke(&mut cache, &Op::Read);
        assert!(before.respond(&mut cache, later, &Reply::Value(2)), "it overwrote 1");
        assert!(before.respond(&mut cache, another, &Reply::Value(1)));
        assert!(before.respond(&mut cache, writes[0], &Reply::Done));
        let last = before.invoke(&mut cache, &Op::Read);
        assert!(!before.respond(&mut cache, last, &Reply::Value(1)), "it was seen before 2");
    }

    /// Without deciding late there is a way for each set of writes that took effect before the one that returned: 2^11.
    #[test]
    fn overwritten_writes_are_no_ways() {
        let mut cache = Cache::new(&REGISTER);
        let mut history = Frontier::default();
        let _read = history.invoke(&mut cache, &Op::Read);
        let writes: Vec<Ticket> =
            (1..=12).map(|value| history.invoke(&mut cache, &Op::Write(value))).collect();
        for (returned, write) in writes.iter().enumerate() {
            assert!(history.respond(&mut cache, *write, &Reply::Done));
            assert!(history.width() <= 1 + returned, "{}", history.width());
        }
    }

    /// Both a write that took effect again and one that did not leave the same there; after the former more is free.
    #[test]
    fn ways_that_can_do_less_are_left_out() {
        let mut cache = Cache::new(&REGISTER);
        let mut history = Frontier::default();
        let alike = [1, 1].map(|value| history.invoke(&mut cache, &Op::Write(value)));
        assert!(history.respond(&mut cache, alike[0], &Reply::Done));
        let _later = history.invoke(&mut cache, &Op::Write(5));
        assert!(history.respond(&mut cache, alike[1], &Reply::Done));
        assert_eq!(history.width(), 1);
    }

    /// Tickets beyond those with bits.
    #[test]
    fn many_operations_are_open() {
        let mut cache = Cache::new(&REGISTER);
        let mut history = Frontier::default();
        let reads: Vec<Ticket> = (0..63).map(|_| history.invoke(&mut cache, &Op::Read)).collect();
        let writes = [1, 2, 3].map(|value| history.invoke(&mut cache, &Op::Write(value)));
        let read = history.invoke(&mut cache, &Op::Read);
        for write in writes {
            assert!(history.respond(&mut cache, write, &Reply::Done));
        }
        assert!(!history.clone().respond(&mut cache, read, &Reply::Value(4)));
        assert!(history.respond(&mut cache, read, &Reply::Value(2)));
        assert!(history.respond(&mut cache, reads[0], &Reply::Value(1)));
        let last = history.invoke(&mut cache, &Op::Read);
        assert!(!history.clone().respond(&mut cache, last, &Reply::Value(0)));
        assert!(history.respond(&mut cache, last, &Reply::Value(1)));
        assert!(history.respond(&mut cache, reads[1], &Reply::Value(3)));
    }
}
