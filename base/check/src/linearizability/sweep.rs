//! A walk along a history with all ways in which some of its operations can have taken effect.

use hashbrown::HashMap;
use isles_history::Moment;
use rustc_hash::FxBuildHasher;

use super::machine::{Class, Machine, Next, StateId};
use crate::{Effect, Model};

/// Beyond so many ways operations are usually taken as possible.
pub(super) const WAYS_MAX: usize = 1 << 13;
/// How many answers to come are looked at.
const AHEAD: usize = 64;
/// What follows nothing in a list of ways.
const END: u32 = u32::MAX;

/// An operation in question or of the background; see [`super::refute`].
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) class: Class,
    pub(super) invoked: Moment,
    pub(super) returned: Moment,
    pub(super) is_core: bool,
    /// Its bit among those of its kind while it is open; none for one that may take effect as often as it likes.
    pub(super) bit: Option<u32>,
}

/// Gives each that needs one a bit that no other of its kind has at the time. False if there are not enough.
pub(super) fn give_bits(parts: &mut [Part]) -> bool {
    let mut taken = [0_u64; 2];
    let mut open: Vec<(Moment, bool, u32)> = Vec::new();
    for part in parts.iter_mut().filter(|part| part.bit.is_some()) {
        open.retain(|(returned, is_core, bit)| {
            let stays = *returned >= part.invoked;
            taken[usize::from(*is_core)] &= !(u64::from(!stays) << bit);
            stays
        });
        let taken = &mut taken[usize::from(part.is_core)];
        let bit = (!*taken).trailing_zeros();
        if bit == u64::BITS {
            return false;
        }
        *taken |= 1 << bit;
        part.bit = Some(bit);
        open.push((part.returned, part.is_core, bit));
    }
    true
}

/// One way: the state, and who took effect of those that are open. Whatever follows a way follows one with less of the background done.
#[derive(Clone, Copy)]
struct Way {
    state: StateId,
    core: u64,
    others: u64,
}

/// A way, and the next that has the same state and core.
struct Node {
    way: Way,
    next: u32,
    /// Whether it counts: there is none that is better, and it leads somewhere.
    lives: bool,
}

/// An answer of the core that is not possible in every state.
struct Picky {
    part: u32,
    class: Class,
    /// Its bit.
    bit: u64,
    /// Operations that may supply it before it returns, once they are known.
    suppliers: Option<Vec<u32>>,
    /// Which of these are open: by their bits, and whether one is left that may take effect in any case.
    core: u64,
    others: u64,
    always: bool,
    is_open: bool,
}

/// The walk.
pub(super) struct Sweep<'m, 'a, M: Model> {
    machine: &'m mut Machine<'a, M>,
    ways_max: usize,
    parts: Vec<Part>,
    is_read: Vec<bool>,
    /// There are others of its class that are in question, or that are not, as it is.
    has_twins: Vec<bool>,
    /// Which are open, and of all which were.
    open: Vec<u32>,
    closed: Vec<bool>,
    /// The first that is not yet.
    next: usize,
    /// In the order of their returns; and the first that has not returned.
    picky: Vec<Picky>,
    picky_from: usize,
    /// Steps of the background that do not lead towards an answer can be left out.
    is_bounded: bool,
    /// The last return that a way was given up for.
    furthest: Moment,
    nodes: Vec<Node>,
    heads: HashMap<(StateId, u64), u32, FxBuildHasher>,
}

impl<'m, 'a, M: Model> Sweep<'m, 'a, M> {
    /// Of these parts, in the order of their invocations, with at most so many ways at a time.
    pub(super) fn new(machine: &'m mut Machine<'a, M>, parts: Vec<Part>, ways_max: usize) -> Self {
        let picky = picky(machine, &parts);
        let is_bounded = is_bounded(machine, &parts, &picky);
        let mut counts: HashMap<(Class, bool), u32, FxBuildHasher> = HashMap::default();
        for part in &parts {
            *counts.entry((part.class, part.is_core)).or_default() += u32::from(part.bit.is_some());
        }
        let has_twins = parts
            .iter()
            .map(|part| part.bit.is_some() && counts.get(&(part.class, part.is_core)).is_some_and(|n| *n > 1))
            .collect();
        let is_read = parts.iter().map(|part| machine.effect(part.class) == Effect::Preserves).collect();
        let start = Way { state: StateId::INITIAL, core: 0, others: 0 };
        let mut sweep = Self {
            machine,
            ways_max,
            is_read,
            has_twins,
            closed: vec![false; parts.len()],
            parts,
            open: Vec::new(),
            next: 0,
            picky,
            picky_from: 0,
            is_bounded,
            furthest: 0,
            nodes: Vec::new(),
            heads: HashMap::default(),
        };
        sweep.note(start, true);
        sweep
    }

    /// The moment up to which what returns shows that the core has no order, if it has none. None if it would take too long to tell. Adds the ways that were made to `work`.
    pub(super) fn refutes(&mut self, work: &mut u64) -> Option<Option<Moment>> {
        let mut returns: Vec<u32> = (0..self.parts.len() as u32).collect();
        returns.sort_by_key(|part| (self.parts[*part as usize].returned, *part));
        // Whether operations are open that were not tried from every way because of a twin.
        let mut is_stale = false;
        for part in returns {
            let Part { returned, is_core, bit, .. } = self.parts[part as usize];
            if returned == Moment::MAX {
                break;
            }
            let before = self.open.len();
            while self.parts.get(self.next).is_some_and(|part| part.invoked <= returned) {
                self.open.push(self.next as u32);
                self.next += 1;
            }
            let first_new = if is_stale { 0 } else { before };
            if self.open.len() > first_new {
                self.look_ahead(returned);
                if !self.close(first_new) {
                    *work += self.ways_max as u64;
                    return None;
                }
            }
            *work += self.nodes.len() as u64;
            self.open.retain(|other| *other != part);
            self.closed[part as usize] = true;
            is_stale = self.has_twins[part as usize];
            let Some(bit) = bit else { continue };
            if !self.forget(1 << bit, is_core) {
                return Some(Some(returned.max(self.furthest)));
            }
        }
        Some(None)
    }

    /// An operation with this bit returned: one of the core must have taken effect. False if no way is left.
    fn forget(&mut self, bit: u64, is_core: bool) -> bool {
        self.heads.clear();
        for node in std::mem::take(&mut self.nodes) {
            let Way { core, others, .. } = node.way;
            if !node.lives || is_core && core & bit == 0 {
                continue;
            }
            let way = match is_core {
                true => Way { core: core & !bit, ..node.way },
                false => Way { others: others & !bit, ..node.way },
            };
            if !self.is_known(way) {
                self.note(way, true);
            }
        }
        !self.nodes.is_empty()
    }

    /// Looks at which answers must come soon, and who might help them.
    fn look_ahead(&mut self, now: Moment) {
        let (parts, machine) = (&self.parts, &mut *self.machine);
        let returned = |picky: &Picky| parts[picky.part as usize].returned;
        self.picky_from += self.picky[self.picky_from..].iter().take_while(|it| returned(it) < now).count();
        for picky in self.picky.iter_mut().skip(self.picky_from).take(AHEAD) {
            let (number, class, until) = (picky.part, picky.class, returned(picky));
            let suppliers = picky.suppliers.get_or_insert_with(|| {
                (0..)
                    .zip(parts)
                    .take_while(|(_, part)| part.invoked <= until)
                    .filter(|(other, part)| *other != number && machine.supplies(part.class, class))
                    .map(|(other, _)| other)
                    .collect()
            });
            suppliers.retain(|supplier| !self.closed[*supplier as usize]);
            (picky.core, picky.others, picky.always) = (0, 0, false);
            picky.is_open = (number as usize) < self.next;
            for supplier in suppliers {
                let part = parts[*supplier as usize];
                match part.bit.filter(|_| (*supplier as usize) < self.next) {
                    Some(bit) if part.is_core => picky.core |= 1 << bit,
                    Some(bit) => picky.others |= 1 << bit,
                    None => picky.always = true,
                }
            }
        }
    }

    /// Adds what open operations lead to; of ways that were there before, only those from `first_new` on. False if that is too much.
    fn close(&mut self, first_new: usize) -> bool {
        let old = self.nodes.len();
        let mut place = 0;
        while place < self.nodes.len() {
            let from = if place < old { first_new } else { 0 };
            if self.nodes[place].lives && !self.take_reads(place, from) {
                for index in from..self.open.len() {
                    self.take(self.nodes[place].way, self.open[index]);
                }
            }
            place += 1;
            if self.nodes.len() > self.ways_max {
                return false;
            }
        }
        true
    }

    /// Reads of the core that fit take effect at once: wherever else they would, they could as well do so here. Then the way is another.
    fn take_reads(&mut self, place: usize, from: usize) -> bool {
        let way = self.nodes[place].way;
        let mut core = way.core;
        for part in &self.open[from..] {
            let Part { class, bit, is_core, .. } = self.parts[*part as usize];
            if let Some(bit) = bit
                && is_core
                && self.is_read[*part as usize]
                && core >> bit & 1 == 0
                && self.machine.step(way.state, class) != Next::Nowhere
            {
                core |= 1 << bit;
            }
        }
        if core == way.core {
            return false;
        }
        self.nodes[place].lives = false;
        let way = Way { core, ..way };
        if !self.is_known(way) {
            // It was not given up before, and has less to do now.
            self.note(way, true);
        }
        true
    }

    /// What an operation leads to.
    fn take(&mut self, way: Way, number: u32) {
        let part = self.parts[number as usize];
        let mut after = way;
        if let Some(bit) = part.bit {
            let done = if part.is_core { &mut after.core } else { &mut after.others };
            if *done >> bit & 1 == 1 {
                return;
            }
            *done |= 1 << bit;
        }
        if self.is_read[number as usize]
            || self.has_twins[number as usize] && self.has_earlier_twin(way, number)
        {
            return;
        }
        match self.machine.step(way.state, part.class) {
            Next::Nowhere => {}
            Next::One(state) => self.add(part, Way { state, ..after }),
            Next::Some { start, count } => {
                for place in start..start + count {
                    let state = self.machine.choice(place);
                    self.add(part, Way { state, ..after });
                }
            }
        }
    }

    /// Of those that are asked and answered alike, the first to return is taken first.
    fn has_earlier_twin(&self, way: Way, number: u32) -> bool {
        let part = self.parts[number as usize];
        self.open.iter().any(|other| {
            let twin = self.parts[*other as usize];
            let done = if twin.is_core { way.core } else { way.others };
            twin.class == part.class
                && twin.is_core == part.is_core
                && (twin.returned, *other) < (part.returned, number)
                && twin.bit.is_some_and(|bit| done >> bit & 1 == 0)
        })
    }

    fn add(&mut self, part: Part, way: Way) {
        if self.is_known(way) {
            return;
        }
        // Whatever leads to an answer from there overwrites it, and does so from where it came as well.
        let is_idle = self.is_bounded && part.bit.is_none() && !self.leads_somewhere(way);
        let lives = !is_idle && !self.is_doomed(way);
        self.note(way, lives);
    }

    /// Whether there is this way already, or a better one. One that leads nowhere is better than one that leads nowhere either.
    fn is_known(&self, way: Way) -> bool {
        let mut place = self.heads.get(&(way.state, way.core)).copied().unwrap_or(END);
        while place != END {
            let node = &self.nodes[place as usize];
            if node.way.others & !way.others == 0 {
                return true;
            }
            place = node.next;
        }
        false
    }

    /// Keeps a way, and gives up those that are worse.
    fn note(&mut self, way: Way, lives: bool) {
        let number = self.nodes.len() as u32;
        let head = self.heads.entry((way.state, way.core)).or_insert(END);
        let next = std::mem::replace(head, number);
        let mut place = next;
        while lives && place != END {
            let node = &mut self.nodes[place as usize];
            node.lives &= way.others & !node.way.others != 0;
            place = node.next;
        }
        self.nodes.push(Node { way, next, lives });
    }

    /// Whether an answer of the core is still to come to which this way's state can lead.
    fn leads_somewhere(&mut self, way: Way) -> bool {
        (self.picky_from..self.picky.len()).any(|index| {
            let picky = &self.picky[index];
            let is_open = (picky.part as usize) < self.next && !self.closed[picky.part as usize];
            let is_done = is_open && way.core & picky.bit != 0;
            let class = picky.class;
            !is_done && self.machine.can_lead(way.state, class)
        })
    }

    /// Whether an answer of the core must come soon to which the state cannot lead, with nothing left that could help.
    fn is_doomed(&mut self, way: Way) -> bool {
        let lost = self.picky[self.picky_from..].iter().take(AHEAD).find(|picky| {
            let is_done = picky.is_open && way.core & picky.bit != 0;
            let is_supplied = picky.always || picky.core & !way.core != 0 || picky.others & !way.others != 0;
            !is_done && !is_supplied && !self.machine.can_lead(way.state, picky.class)
        });
        if let Some(picky) = lost {
            self.furthest = self.furthest.max(self.parts[picky.part as usize].returned);
        }
        lost.is_some()
    }
}

/// The answers of the core that are not possible in every state.
fn picky<M: Model>(machine: &Machine<'_, M>, parts: &[Part]) -> Vec<Picky> {
    let mut picky: Vec<Picky> = (0..)
        .zip(parts)
        .filter(|(_, part)| part.is_core && part.returned < Moment::MAX)
        .filter(|(_, part)| matches!(machine.effect(part.class), Effect::Preserves | Effect::Any))
        .map(|(number, part)| Picky {
            part: number,
            class: part.class,
            bit: part.bit.map_or(0, |bit| 1 << bit),
            suppliers: None,
            core: 0,
            others: 0,
            always: false,
            is_open: false,
        })
        .collect();
    picky.sort_by_key(|picky| parts[picky.part as usize].returned);
    picky
}

/// Whether no operation that may take effect as often as it likes changes a state towards an answer without overwriting it.
fn is_bounded<M: Model>(machine: &mut Machine<'_, M>, parts: &[Part], picky: &[Picky]) -> bool {
    parts.iter().any(|part| part.bit.is_none())
        && parts.iter().all(|part| {
            let effect = machine.effect(part.class);
            effect == Effect::Overwrites
                || (part.is_core || effect == Effect::Accepted)
                    && picky.iter().all(|picky| !machine.supplies(part.class, picky.class))
        })
}
