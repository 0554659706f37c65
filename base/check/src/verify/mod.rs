//! Re-checks certificates, by other means than those that found them: plain enumeration, no shared code but the models. This file is for
//! operations on objects; `transactions` is for transactions.

pub(crate) mod transactions;

use std::collections::BTreeMap;

use hashbrown::HashSet;
use isles_history::{Moment, Operation, Outcome};
use rustc_hash::FxBuildHasher;

use crate::{Effect, Model, Parts};

/// What is wrong with a certificate; the number names an operation.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It is not there.
    #[error("operation {0} is not there, is there twice, or did not return")]
    BadName(u32),
    /// It returned.
    #[error("operation {0} returned, and is missing in the order")]
    Missing(u32),
    /// It would take effect after it returned, or after a later one of its process.
    #[error("operation {0} would take effect too late")]
    TooLate(u32),
    /// It cannot have been answered so where it is.
    #[error("operation {0} cannot be answered so at its place in the order")]
    Impossible(u32),
    /// There is an order after all.
    #[error("the operations do not contradict one another")]
    NotRefuted,
    /// It would take too long to see whether there is none.
    #[error("it takes too long to see whether the operations contradict one another")]
    TooLong,
}

/// What an order must keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Each operation takes effect between its invocation and its return: linearizability.
    RealTime,
    /// Operations of a process take effect in the order of their invocations: sequential consistency.
    Processes,
}

/// Whether this order explains a history.
///
/// # Errors
/// What is wrong with it.
pub fn order<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    order: &[u32],
    keep: Keep,
) -> Result<(), Flaw> {
    let mut seen = vec![false; operations.len()];
    let mut now: BTreeMap<u32, Moment> = BTreeMap::new();
    let mut states: HashSet<M::State, FxBuildHasher> = [model.initial()].into_iter().collect();
    let mut next = Vec::new();
    for &name in order {
        if seen.get(name as usize) != Some(&false) {
            return Err(Flaw::BadName(name));
        }
        seen[name as usize] = true;
        let operation = &operations[name as usize];
        let now = now.entry(if keep == Keep::Processes { operation.process } else { 0 }).or_default();
        let end = if keep == Keep::Processes { operation.invoked } else { operation.returned() };
        if end < *now {
            return Err(Flaw::TooLate(name));
        }
        *now = operation.invoked.max(*now);
        // A model that may choose is in several states at a time.
        for state in states.drain() {
            model.step(&state, &operation.op, operation.reply(), &mut next);
        }
        states.extend(next.drain(..));
        if states.is_empty() {
            return Err(Flaw::Impossible(name));
        }
    }
    let missing = (0..).zip(operations).find(|(name, of)| !seen[*name as usize] && of.reply().is_some());
    missing.map_or(Ok(()), |(name, _)| Err(Flaw::Missing(name)))
}

/// Whether these operations have no order, even if every other that may matter to them takes effect where that keeps to the same
/// rules, as often as it likes (once, if they are few) or never: then no order explains the history. One of unknown outcome among
/// them takes effect once at most.
///
/// # Errors
/// That they have one, or that it would take too long to see.
pub fn contradiction<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    core: &[u32],
    keep: Keep,
) -> Result<(), Flaw> {
    for (index, name) in core.iter().enumerate() {
        if operations.get(*name as usize).is_none() || core[..index].contains(name) {
            return Err(Flaw::BadName(*name));
        }
    }
    let at = |name: u32| &operations[name as usize];
    let is_read = |name: u32| model.effect(&at(name).op, at(name).reply()) == Effect::Preserves;
    let mut near: Vec<u32> = (0..operations.len() as u32).collect();
    if keep == Keep::RealTime {
        near = connected(core, &near, |name, parts| model.objects(&at(name).op, parts), |_| true);
    }
    let values = |name, parts: &mut Parts| model.values(&at(name).op, at(name).reply(), parts);
    let last =
        core.iter().map(|name| at(*name)).filter(|of| of.reply().is_some()).map(Operation::returned).max();
    let in_time = |name: u32| keep == Keep::Processes || at(name).invoked <= last.unwrap_or(0);
    let judge = |named: &[u32], whole: &[u32]| {
        let mut parts = connected(named, &near, values, |name| !is_read(name));
        // What was read as a whole counts without the values that are left out.
        let mut without = Parts::default();
        let left_out = near.iter().filter(|name| !is_read(**name) && parts.binary_search(name).is_err());
        left_out.for_each(|name| values(*name, &mut without));
        without.sort();
        parts.retain(|name| !core.contains(name) && !is_read(*name) && in_time(*name));
        let whole: Vec<_> = whole.iter().filter_map(|name| narrowed(model, at(*name), &without)).collect();
        let named = named.iter().map(|name| &operations[*name as usize]);
        let others = parts.len();
        let parts: Vec<&Operation<M::Op, M::Reply>> =
            named.chain(&whole).chain(parts.iter().map(|name| &operations[*name as usize])).collect();
        let run = |once| Enumeration { model, parts: parts.clone(), core: core.len(), once, keep }.run();
        let again = if others > 12 { run(false) } else { Err(Flaw::TooLong) };
        if again.is_err() && others <= 100 { run(true) } else { again }
    };
    let (named, whole): (Vec<u32>, Vec<u32>) =
        core.iter().partition(|name| narrowed(model, at(**name), &Parts::default()).is_none());
    let judged = judge(&named, &whole);
    if judged.is_ok() || whole.is_empty() { judged } else { judge(core, &[]) }
}

/// An operation that reads all there is, without some values.
fn narrowed<M: Model>(
    model: &M,
    operation: &Operation<M::Op, M::Reply>,
    without: &Parts,
) -> Option<Operation<M::Op, M::Reply>> {
    let reply = model.narrowed(&operation.op, operation.reply()?, without)?;
    Some(Operation { outcome: Outcome::Returned { at: operation.returned(), reply }, ..operation.clone() })
}

/// Those of `among` that have a part in common with `core`, or with one that has and links, and so on; and those without parts.
fn connected(
    core: &[u32],
    among: &[u32],
    parts_of: impl Fn(u32, &mut Parts),
    links: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let mut parts = Parts::default();
    core.iter().for_each(|name| parts_of(*name, &mut parts));
    let mut everything = parts.are_all();
    let mut reached: HashSet<u64, FxBuildHasher> = parts.hashes().iter().copied().collect();
    let mut before = usize::MAX;
    let mut kept = Vec::new();
    while before != reached.len() {
        before = reached.len();
        kept.clear();
        for &name in among {
            parts.clear();
            parts_of(name, &mut parts);
            everything |= parts.are_all() && links(name);
            let names = parts.hashes();
            if parts.are_all() || names.is_empty() || names.iter().any(|part| reached.contains(part)) {
                kept.push(name);
                reached.extend(names.iter().filter(|_| links(name)));
            }
        }
    }
    if everything { among.to_vec() } else { kept }
}

/// All the ways in which a core and what may matter to it can take effect.
struct Enumeration<'a, M: Model> {
    model: &'a M,
    /// The core comes first.
    parts: Vec<&'a Operation<M::Op, M::Reply>>,
    core: usize,
    /// Whether the others take effect once each.
    once: bool,
    keep: Keep,
}

/// States, and who took effect or can no more.
type Ways<S> = HashSet<(S, Vec<bool>), FxBuildHasher>;
/// Beyond so many ways nothing is refuted.
const WAYS_MAX: usize = 1 << 16;

impl<M: Model> Enumeration<'_, M> {
    fn run(&self) -> Result<(), Flaw> {
        let mut ways: Ways<M::State> = HashSet::default();
        ways.insert((self.model.initial(), vec![false; self.parts.len()]));
        let picky = |of: &usize| {
            self.parts[*of].reply().is_some() && matches!(self.effect(*of), Effect::Preserves | Effect::Any)
        };
        let picky: Vec<usize> = (0..self.core).filter(picky).collect();
        // Whether answers come only from states that lead to them by themselves, and from what overwrites.
        let is_bounded = (0..self.parts.len()).all(|by| {
            let is_fit = by < self.core || self.effect(by) == Effect::Accepted;
            self.effect(by) == Effect::Overwrites || is_fit && !picky.iter().any(|of| self.supplies(by, *of))
        });
        let mut returns: Vec<usize> = (0..self.parts.len()).collect();
        returns.sort_by_key(|part| self.parts[*part].returned());
        for due in returns {
            let now = self.parts[due].returned();
            self.grow(&mut ways, (&picky, is_bounded), now)?;
            let settle = |(state, mut done): (M::State, Vec<bool>)| {
                done[due] |= self.once && now < Moment::MAX;
                (state, done)
            };
            if due < self.core && now < Moment::MAX {
                ways.retain(|(_, done)| done[due]);
            } else if self.keep == Keep::RealTime {
                ways = ways.into_iter().map(settle).collect();
            }
            if ways.is_empty() {
                return Ok(());
            }
        }
        Err(Flaw::NotRefuted)
    }

    /// Adds all that operations lead to which may take effect before `now` is over.
    fn grow(&self, ways: &mut Ways<M::State>, targets: (&[usize], bool), now: Moment) -> Result<(), Flaw> {
        let mut left: Vec<(M::State, Vec<bool>)> = ways.iter().cloned().collect();
        let mut next = Vec::new();
        while let Some((state, done)) = left.pop() {
            for part in (0..self.parts.len()).filter(|part| !done[*part] && self.may(*part, &done, now)) {
                let counts = part < self.core || self.once;
                self.model.step(&state, &self.parts[part].op, self.parts[part].reply(), &mut next);
                for state in next.drain(..) {
                    let mut done = done.clone();
                    done[part] |= counts;
                    let mut due = targets.0.iter().copied().filter(|of| !done[*of]);
                    // A step that may come again only went astray, or an answer that must come cannot any more.
                    let astray = targets.1 && !counts && !due.clone().any(|of| self.leads(&state, of));
                    let helps = |by: usize, of: usize| {
                        by != of && !done[by] && self.in_time(by, of, now) && self.supplies(by, of)
                    };
                    let is_lost =
                        |of| !self.leads(&state, of) && !(0..self.parts.len()).any(|by| helps(by, of));
                    if !astray && !due.any(is_lost) && ways.insert((state.clone(), done.clone())) {
                        left.push((state, done));
                    }
                }
            }
            if ways.len() > WAYS_MAX {
                return Err(Flaw::TooLong);
            }
        }
        Ok(())
    }

    /// Whether it is the turn of an operation.
    fn may(&self, part: usize, done: &[bool], now: Moment) -> bool {
        let it = self.parts[part];
        if self.keep == Keep::RealTime {
            return it.invoked <= now && now <= it.returned();
        }
        // What need not take effect is skipped by whatever comes later.
        self.parts.iter().zip(done).enumerate().all(|(of, (other, done))| {
            let is_earlier = other.invoked < it.invoked;
            let fits = if of < self.core && other.reply().is_some() {
                *done == is_earlier
            } else {
                is_earlier || !*done
            };
            of == part || other.process != it.process || fits
        })
    }

    /// Whether `by` may take effect from `now` on and before `of` returns.
    fn in_time(&self, by: usize, of: usize, now: Moment) -> bool {
        let (by, of) = (self.parts[by], self.parts[of]);
        self.keep == Keep::Processes || by.invoked <= of.returned() && by.returned() >= now
    }

    fn effect(&self, part: usize) -> Effect {
        self.model.effect(&self.parts[part].op, self.parts[part].reply())
    }

    fn supplies(&self, by: usize, of: usize) -> bool {
        let (by, of) = (self.parts[by], self.parts[of]);
        of.reply().is_none_or(|reply| self.model.supplies((&by.op, by.reply()), &of.op, reply))
    }

    fn leads(&self, state: &M::State, of: usize) -> bool {
        self.parts[of].reply().is_none_or(|reply| self.model.can_lead(state, &self.parts[of].op, reply))
    }
}
