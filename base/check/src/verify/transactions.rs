//! Re-checks the answers of [`crate::transactions::check`] without any of its code. This part reads the history, `replay` executes
//! orders, `witness` holds the axioms of weaker levels against an order, `violation` looks up edges one by one. Each is slow where that
//! keeps it short.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many levels, anomalies, reasons and steps matter at each place"
)]

mod replay;
mod violation;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Key, Moment, Status, Step, Transactions, ValueId};

use crate::Verdict;
use crate::transactions::{Level, Point, Violation, Witness};

use replay::Machine;

type Check = Result<(), &'static str>;

fn ensure(is_right: bool, wrong: &'static str) -> Check {
    is_right.then_some(()).ok_or(wrong)
}

/// Checks the certificate of an answer; an answer without one, that nothing is known, is right.
///
/// # Errors
/// What is wrong with it.
pub fn verify_transactions(
    history: &Transactions,
    level: Level,
    verdict: &Verdict<Witness, Violation>,
) -> Check {
    let judge = Judge::new(history, level);
    match verdict {
        Verdict::Holds(Witness::Commits(order)) if judge.is_serial => {
            judge.replay(order.iter().flat_map(|of| [Point::Begin(*of), Point::Commit(*of)]).collect())
        }
        Verdict::Holds(Witness::Points(points)) if judge.is_split => judge.replay(points.clone()),
        Verdict::Holds(Witness::Commits(order)) if !judge.is_split => judge.commits(order),
        Verdict::Holds(Witness::Views(views)) if level.is_guarantee() => judge.guaranteed(views),
        Verdict::Holds(Witness::Views(views)) if matches!(level, Level::CausalMemory | Level::Pram) => {
            let seen: BTreeSet<u32> = views.iter().map(|view| view.session).collect();
            ensure(history.all().iter().all(|of| seen.contains(&of.session)), "a session has no view")?;
            views.iter().try_for_each(|view| judge.view(view.session, &view.order))
        }
        Verdict::Holds(_) => Err("this witness is none for this level"),
        Verdict::Violated(found) if !found.places.is_empty() => ensure(
            !level.is_guarantee() && judge.is_flaw(found.anomaly, &found.places),
            "nothing is wrong there",
        ),
        Verdict::Violated(found) if found.cycle.is_empty() => {
            let machine = Machine::new(&judge, found.core.iter().copied().collect(), true, None);
            ensure((judge.is_serial || judge.is_split) && !machine.can_finish(), "there is an order")
        }
        Verdict::Violated(found) => judge.cycle(found),
        Verdict::Unknown(_) => Ok(()),
    }
}

struct Judge<'a> {
    history: &'a Transactions,
    level: Level,
    is_serial: bool,
    /// Whether begins and commits are different points.
    is_split: bool,
    /// Who wrote a value of a key: the first that did not abort.
    sources: BTreeMap<(Key, ValueId), u32>,
}

/// A read of what another transaction wrote: the step, the key, the writer, and whether it is not an inner element of a list.
type Read = (u32, Key, Option<u32>, bool);

const fn written(step: &Step) -> Option<(Key, ValueId)> {
    match *step {
        Step::Write { key, value } | Step::Append { key, element: value } => Some((key, value)),
        Step::Read { .. } | Step::ReadList { .. } => None,
    }
}

impl<'a> Judge<'a> {
    fn new(history: &'a Transactions, level: Level) -> Self {
        let (mut sources, name) = (BTreeMap::new(), level.name());
        for (number, transaction) in (0..).zip(history.all()).filter(|(_, of)| of.status != Status::Aborted) {
            for wrote in history.steps(transaction).iter().filter_map(written) {
                sources.entry(wrote).or_insert(number);
            }
        }
        let is_split = name.ends_with("prefix") || name.ends_with("isolation");
        Self { history, level, is_serial: name.ends_with("serializable"), is_split, sources }
    }

    fn has_lists(&self, of: Key) -> bool {
        let steps = (0..self.history.all().len()).flat_map(|transaction| self.steps(transaction as u32));
        steps.into_iter().any(|step| matches!(step, Step::ReadList { key, .. } if *key == of))
    }

    fn steps(&self, of: u32) -> &'a [Step] {
        self.history.all().get(of as usize).map_or(&[], |transaction| self.history.steps(transaction))
    }

    fn session(&self, of: u32) -> u32 {
        self.history.all().get(of as usize).map_or(u32::MAX, |of| of.session)
    }

    fn interval(&self, of: u32) -> (Moment, Moment) {
        self.history.all().get(of as usize).and_then(|of| of.interval).unwrap_or((0, Moment::MAX))
    }

    fn wrote(&self, of: u32, key: Key) -> bool {
        self.steps(of).iter().filter_map(written).any(|(other, _)| other == key)
    }

    /// What a transaction read from others. A read that is wrong by itself has a writer that does not exist.
    fn reads(&self, of: u32) -> Vec<Read> {
        let (mut own, mut found) = (Vec::<(Key, ValueId)>::new(), Vec::new());
        for (step, done) in (0..).zip(self.steps(of)) {
            let mine = |key| own.iter().filter(move |(of, _)| *of == key).map(|(_, value)| *value);
            match *done {
                Step::Read { key, value } => match mine(key).next_back() {
                    Some(last) if last == value => {}
                    Some(_) => found.push((step, key, Some(u32::MAX), true)),
                    None => found.push((step, key, self.source(of, key, value, true), true)),
                },
                Step::ReadList { key, start, count } => {
                    let list = self.history.list(start, count);
                    let (others, rest) = list.split_at(list.len() - mine(key).count().min(list.len()));
                    let is_right = rest.iter().copied().eq(mine(key));
                    found.extend((!is_right).then_some((step, key, Some(u32::MAX), true)));
                    found.extend(others.iter().enumerate().map(|(place, element)| {
                        let is_top = place + 1 == others.len();
                        (step, key, self.source(of, key, *element, is_top), is_top)
                    }));
                    found.extend(others.is_empty().then_some((step, key, None, true)));
                }
                Step::Write { .. } | Step::Append { .. } => own.extend(written(done)),
            }
        }
        found
    }

    /// Who wrote what was read: none for the initial state.
    fn source(&self, reader: u32, key: Key, value: ValueId, is_top: bool) -> Option<u32> {
        let wrote = |of: &u32| self.steps(*of).iter().filter_map(written).rfind(|(other, _)| *other == key);
        let is_final = |of: &u32| !is_top || self.level.is_guarantee() || wrote(of) == Some((key, value));
        let source = self.sources.get(&(key, value)).copied().filter(|of| *of != reader && is_final(of));
        source.or((value != ValueId::INITIAL).then_some(u32::MAX))
    }

    /// Whether whatever must be in an order is in it.
    fn is_complete(&self, order: &BTreeSet<u32>) -> Check {
        let missing = |(number, of): (u32, &isles_history::Transaction)| match of.status {
            Status::Committed => !order.contains(&number),
            Status::Aborted => order.contains(&number),
            Status::Unknown => false,
        };
        ensure(
            order.iter().all(|of| (*of as usize) < self.history.all().len()),
            "there is no such transaction",
        )?;
        ensure(
            !(0..).zip(self.history.all()).any(missing),
            "who committed is not in the order, or who aborted is",
        )
    }

    fn replay(&self, points: Vec<Point>) -> Check {
        let all: BTreeSet<u32> = points.iter().filter_map(|point| point.transaction()).collect();
        self.is_complete(&all)?;
        let mut machine = Machine::new(self, all, false, None);
        points.into_iter().try_for_each(|point| machine.step(point))?;
        ensure(machine.committed == machine.kept, "a transaction does not commit")
    }

    /// Whether all that a session read is right in an order of what it sees.
    fn view(&self, session: u32, order: &[u32]) -> Check {
        let mut machine = Machine::new(self, order.iter().copied().collect(), false, Some(session));
        for &of in order {
            let is_followed = self.level == Level::CausalMemory || self.session(of) == session;
            let sources = self.reads(of).into_iter().filter_map(|(_, _, writer, _)| writer);
            let mut open = sources.filter(|writer| is_followed && !machine.committed.contains(writer));
            ensure(open.next().is_none(), "a view lacks what was read")?;
            machine.step(Point::Begin(of))?;
            machine.step(Point::Commit(of))?;
        }
        let is_missing = |(number, of): (u32, &isles_history::Transaction)| {
            of.session == session && of.status == Status::Committed && !machine.committed.contains(&number)
        };
        ensure(!(0..).zip(self.history.all()).any(is_missing), "a view lacks a transaction of its session")
    }

    fn is_committed(&self, of: u32) -> bool {
        self.history.all().get(of as usize).is_some_and(|of| of.status == Status::Committed)
    }
}
