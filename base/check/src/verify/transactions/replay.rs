//! Replays begins and commits.

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Key, Moment, Step, ValueId};

use super::{Check, Judge, ensure, written};
use crate::transactions::{Order, Point};

/// Executes begins and commits.
#[derive(Clone)]
pub(super) struct Machine<'a> {
    judge: &'a Judge<'a>,
    pub(super) kept: BTreeSet<u32>,
    /// Whether reads from transactions that are not kept are left out.
    is_part: bool,
    /// Whose reads count; everybody's if none.
    own: Option<u32>,
    before: BTreeMap<u32, u32>,
    values: BTreeMap<Key, Vec<ValueId>>,
    locked: BTreeSet<Key>,
    begun: BTreeSet<u32>,
    pub(super) committed: BTreeSet<u32>,
    latest_begin: Moment,
}

impl<'a> Machine<'a> {
    pub(super) fn new(judge: &'a Judge<'a>, kept: BTreeSet<u32>, is_part: bool, own: Option<u32>) -> Self {
        let (mut last, mut before) = (BTreeMap::new(), BTreeMap::new());
        for &of in kept.iter().filter(|of| (**of as usize) < judge.history.all().len()) {
            if let Some(earlier) = last.insert(judge.session(of), of) {
                before.insert(of, earlier);
            }
        }
        Self {
            judge,
            kept,
            is_part,
            own,
            before,
            values: BTreeMap::new(),
            locked: BTreeSet::new(),
            begun: BTreeSet::new(),
            committed: BTreeSet::new(),
            latest_begin: 0,
        }
    }

    pub(super) fn step(&mut self, point: Point) -> Check {
        let (judge, order) = (self.judge, self.judge.level.order());
        let steps = |of| judge.steps(of).iter().filter_map(written);
        match point {
            Point::Initial => Err("the initial state does not begin"),
            Point::Begin(of) => {
                ensure(self.kept.contains(&of) && self.begun.insert(of), "a transaction begins twice")?;
                let is_first = self.before.get(&of).is_none_or(|before| self.committed.contains(before));
                ensure(is_first || order == Order::Data, "a session is out of order")?;
                ensure(judge.is_split || self.begun.len() == self.committed.len() + 1, "it is not serial")?;
                if judge.level.name().ends_with("isolation") {
                    let own: BTreeSet<Key> = steps(of).map(|(key, _)| key).collect();
                    ensure(self.locked.is_disjoint(&own), "two writers of a key overlap")?;
                    self.locked.extend(own);
                }
                self.latest_begin = self.latest_begin.max(judge.interval(of).0);
                ensure(
                    self.own.is_some_and(|own| own != judge.session(of)) || self.reads_right(of),
                    "a read is wrong",
                )
            }
            Point::Commit(of) => {
                ensure(self.begun.contains(&of) && self.committed.insert(of), "a transaction commits twice")?;
                let is_late = order == Order::RealTime && judge.interval(of).1 < self.latest_begin;
                ensure(!is_late, "it ended before another began that is before it")?;
                steps(of).for_each(|(key, _)| _ = self.locked.remove(&key));
                for step in judge.steps(of) {
                    match *step {
                        Step::Write { key, value } => _ = self.values.insert(key, vec![value]),
                        Step::Append { key, element } => self.values.entry(key).or_default().push(element),
                        Step::Read { .. } | Step::ReadList { .. } => {}
                    }
                }
                Ok(())
            }
        }
    }

    fn reads_right(&self, of: u32) -> bool {
        let mut own: Vec<(Key, ValueId)> = Vec::new();
        let counts = |key, value| {
            value == ValueId::INITIAL
                || !self.is_part
                || self.judge.sources.get(&(key, value)).is_some_and(|from| self.kept.contains(from))
        };
        self.judge.steps(of).iter().all(|step| {
            own.extend(written(step));
            let held = |key| self.values.get(&key).map_or(&[][..], Vec::as_slice);
            match *step {
                Step::Read { key, value } => {
                    let mine = own.iter().rev().find(|(of, _)| *of == key).map(|(_, value)| *value);
                    let now = mine.or(held(key).last().copied()).unwrap_or(ValueId::INITIAL);
                    !counts(key, value) || now == value
                }
                Step::ReadList { key, start, count } => {
                    let mine = own.iter().filter(|(of, _)| *of == key).map(|(_, element)| *element);
                    let now = held(key).iter().copied().chain(mine);
                    let list = self.judge.history.list(start, count).iter().copied();
                    list.filter(|element| counts(key, *element)).eq(now)
                }
                Step::Write { .. } | Step::Append { .. } => true,
            }
        })
    }

    /// Whether all can commit from here, by trying everything.
    pub(super) fn can_finish(&self) -> bool {
        let next = |point| {
            let mut machine = self.clone();
            machine.step(point).is_ok()
                && (self.judge.is_split
                    || machine.step(Point::Commit(point.transaction().unwrap_or(0))).is_ok())
                && machine.can_finish()
        };
        self.committed == self.kept
            || self.kept.difference(&self.begun).any(|of| next(Point::Begin(*of)))
            || self.judge.is_split
                && self.begun.difference(&self.committed).any(|of| next(Point::Commit(*of)))
    }
}
