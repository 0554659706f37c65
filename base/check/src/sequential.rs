//! Sequential consistency (Lamport 1979): one order of all operations that keeps the order of each process, whatever the real time.
//!
//! It is not local: objects cannot be judged apart. If each operation is taken as a transaction and each process as a session, this is
//! one-copy serializability with session order (Bernstein and Goodman 1983). To decide is NP-complete even if values are written once
//! each (Gibbons and Korach 1997), hence a search within limits: depth first over how far each process has come, with reads taken
//! as soon as they fit, and without entering a configuration twice.

use hashbrown::HashSet;
use isles_history::Operation;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::linearizability::machine::{Class, Machine, Next, StateId};
use crate::linearizability::{Contradiction, Limits, Order};
use crate::rules::{Rule, on};
use crate::{Effect, Model, Progress, Verdict};

/// Up to so many operations that need not take effect do so once; more as often as they like.
const ONCE_MAX: usize = 12;
/// How many configurations may be entered to find out whether some operations suffice for a contradiction. More would let what may come
/// as often as it likes build large states.
const SHRINK_NODES: u64 = 2_000;
/// And for all that is tried to make it small.
const SHRINK_NODES_ALL: u64 = 4_000_000;

/// Judges whether a history is sequentially consistent. The operations of a process follow one another in the order of their
/// invocations.
///
/// # Complexity
/// O(length ^ processes) configurations for each state, within [`Limits`].
pub fn check<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    limits: &Limits,
) -> Verdict<Order, Contradiction> {
    let all: Vec<bool> = operations.iter().map(|operation| operation.reply().is_some()).collect();
    let mut search = Search::new(model, operations, &all, true);
    match search.run(limits.nodes, limits.memory) {
        Some(true) => Verdict::Holds(Order(search.taken.iter().map(|(name, _)| *name).collect())),
        Some(false) => {
            let core = shrink(model, operations, all);
            let core = (0..).zip(core).filter(|(_, is_core)| *is_core).map(|(place, _)| place);
            Verdict::Violated(Contradiction::of_processes(operations, core))
        }
        None => Verdict::Unknown(Progress {
            decided: search.furthest,
            frontier: search.frames.iter().filter(|frame| frame.next < search.processes.len()).count(),
            help: "fewer processes, or more nodes",
        }),
    }
}

/// A smaller core without an order, each of whose operations is needed, as far as the limits allow to see.
fn shrink<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>], mut core: Vec<bool>) -> Vec<bool> {
    let mut nodes = 0;
    let mut size = core.len().div_ceil(2).max(1);
    loop {
        let mut changed = false;
        let places: Vec<usize> = (0..core.len()).rev().filter(|place| core[*place]).collect();
        for chunk in places.chunks(size) {
            let mut rest = core.clone();
            for place in chunk {
                rest[*place] = false;
            }
            if nodes < SHRINK_NODES_ALL && rest.contains(&true) {
                let mut search = Search::new(model, operations, &rest, false);
                if search.run(SHRINK_NODES, usize::MAX) == Some(false) {
                    core = rest;
                    changed = true;
                }
                nodes += search.nodes;
            }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if !changed {
            return core;
        }
    }
}

/// An operation of a process.
#[derive(Clone, Copy)]
struct Item {
    name: u32,
    class: Class,
    is_read: bool,
    /// It must take effect; others may, once if the search is exact, and as often as they like while their turn lasts if not.
    is_core: bool,
}

/// How many operations of each process are past.
type Places = SmallVec<[u32; 8]>;

struct Frame {
    state: StateId,
    places: Places,
    /// Which process to try next, and which of the states it may lead to.
    next: usize,
    choice: u32,
    taken: usize,
}

struct Search<'a, M: Model> {
    machine: Machine<'a, M>,
    processes: Vec<Vec<Item>>,
    /// Operations that are not core are taken once, in their turn.
    exact: bool,
    frames: Vec<Frame>,
    entered: HashSet<(StateId, Places), FxBuildHasher>,
    /// Who took effect, and in which process.
    taken: Vec<(u32, usize)>,
    nodes: u64,
    furthest: usize,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, operations: &'a [Operation<M::Op, M::Reply>], core: &[bool], exact: bool) -> Self {
        let mut machine = Machine::new(model);
        let mut names: Vec<u32> = (0..operations.len() as u32).collect();
        names.sort_by_key(|name| (operations[*name as usize].process, operations[*name as usize].invoked));
        let mut processes: Vec<Vec<Item>> = Vec::new();
        let mut last = None;
        for name in names {
            let operation = &operations[name as usize];
            let class = machine.class_of(operation);
            let is_read = machine.effect(class) == Effect::Preserves;
            let is_core = core[name as usize];
            if last != Some(operation.process) {
                processes.push(Vec::new());
                last = Some(operation.process);
            }
            if let (true, Some(process)) = (is_core || !is_read, processes.last_mut()) {
                process.push(Item { name, class, is_read, is_core });
            }
        }
        processes.retain(|process| !process.is_empty());
        let others = processes.iter().flatten().filter(|item| !item.is_core).count();
        Self {
            machine,
            processes,
            exact: exact || others <= ONCE_MAX,
            frames: Vec::new(),
            entered: HashSet::default(),
            taken: Vec::new(),
            nodes: 0,
            furthest: 0,
        }
    }

    /// Whether there is an order; none if it would take more than so many configurations to say.
    fn run(&mut self, nodes: u64, memory: usize) -> Option<bool> {
        let places = SmallVec::from_elem(0, self.processes.len());
        if self.enter(StateId::INITIAL, places) {
            return Some(true);
        }
        while let Some((state, places)) = self.next() {
            if self.nodes >= nodes || !self.machine.has_room() {
                return None;
            }
            // To forget costs time and is never wrong, as long as no step leads back.
            if self.entered.len() >= memory {
                self.entered.clear();
            }
            if self.enter(state, places) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether all that must have taken effect; else a new frame, unless it was there before.
    fn enter(&mut self, state: StateId, mut places: Places) -> bool {
        self.nodes += 1;
        let mut index = 0;
        while index < self.processes.len() {
            let place = places[index] as usize;
            let item = self.processes[index].get(place).copied();
            match item {
                Some(item) if item.is_read && self.fits(state, item) => {
                    self.taken.push((item.name, index));
                    places[index] += 1;
                }
                Some(_) | None => index += 1,
            }
        }
        self.furthest = self.furthest.max(self.taken.len());
        let is_end = self
            .processes
            .iter()
            .zip(&places)
            .all(|(process, place)| process[*place as usize..].iter().all(|item| !item.is_core))
            || !on(Rule::SequentialAll);
        if is_end {
            return true;
        }
        if self.entered.insert((state, places.clone())) {
            self.frames.push(Frame { state, places, next: 0, choice: 0, taken: self.taken.len() });
        }
        false
    }

    /// Whether a read can be answered so.
    fn fits(&mut self, state: StateId, read: Item) -> bool {
        self.machine.step(state, read.class) != Next::Nowhere || !on(Rule::SequentialAnswers)
    }

    /// The next configuration.
    fn next(&mut self) -> Option<(StateId, Places)> {
        loop {
            let frame = self.frames.last_mut()?;
            self.taken.truncate(frame.taken);
            // Steps are numbered: for each process its next core operation, after any of those before it.
            let Some((index, place)) = nth(&self.processes, &frame.places, frame.next) else {
                self.frames.pop();
                continue;
            };
            let item = self.processes[index][place];
            let state = match self.machine.step(frame.state, item.class) {
                Next::One(state) => {
                    frame.next += 1;
                    state
                }
                Next::Some { start, count } if frame.choice < count => {
                    frame.choice += 1;
                    self.machine.choice(start + frame.choice - 1)
                }
                Next::Some { .. } | Next::Nowhere => {
                    frame.next += 1;
                    frame.choice = 0;
                    continue;
                }
            };
            let mut places = frame.places.clone();
            if item.is_core || self.exact {
                places[index] = place as u32 + 1;
            }
            self.taken.push((item.name, index));
            return Some((state, places));
        }
    }
}

/// The `n`-th of the operations that may be next: in each process those that need not take effect, up to the first that must.
fn nth(processes: &[Vec<Item>], places: &Places, n: usize) -> Option<(usize, usize)> {
    let mut n = n;
    for (index, (process, place)) in processes.iter().zip(places).enumerate() {
        for (place, item) in process.iter().enumerate().skip(*place as usize) {
            if n == 0 {
                return Some((index, place));
            }
            n -= 1;
            if item.is_core && on(Rule::SequentialProcesses) {
                break;
            }
        }
    }
    None
}
