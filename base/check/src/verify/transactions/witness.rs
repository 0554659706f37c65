//! The axioms of levels below prefix, for an order of commits or for what sessions see.

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Key, Step};

use super::{Check, Judge, Read, ensure, written};
use crate::transactions::{Level, Order, View};

impl Judge<'_> {
    /// The axioms of Biswas and Enea for an order of commits, and of Bouajjani et al. for weak causality.
    pub(super) fn commits(&self, order: &[u32]) -> Check {
        let at: BTreeMap<u32, usize> = (0..).zip(order).map(|(place, of)| (*of, place)).collect();
        self.is_complete(&at.keys().copied().collect())?;
        let mut writers: BTreeMap<(Key, u32), BTreeSet<u32>> = BTreeMap::new();
        let mut last: BTreeMap<u32, u32> = BTreeMap::new();
        // By transaction: of each session the last that is in its causal past.
        let mut pasts: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
        for &of in order {
            let session = self.session(of);
            let before = last.insert(session, of);
            ensure(
                self.level.order() == Order::Data || before.is_none_or(|before| before < of),
                "a session is out of order",
            )?;
            let mut past = before.and_then(|before| pasts.get(&before)).cloned().unwrap_or_default();
            for (_, _, writer, _) in self.reads(of) {
                let Some(writer) = writer else { continue };
                ensure(at.get(&writer).is_some_and(|place| *place < at[&of]), "read before it was written")?;
                for (session, last) in &pasts[&writer] {
                    past.entry(*session).and_modify(|known| *known = (*known).max(*last)).or_insert(*last);
                }
            }
            past.entry(session).and_modify(|last| *last = (*last).max(of)).or_insert(of);
            pasts.insert(of, past);
            self.steps(of).iter().filter_map(written).for_each(|(key, _)| {
                writers.entry((key, session)).or_default().insert(of);
            });
        }
        for &of in order {
            let reads = self.reads(of);
            for &(step, key, from, _) in reads.iter().filter(|read| read.3) {
                let latest = |(session, last): (u32, u32)| {
                    writers.get(&(key, session))?.range(..=last).next_back().copied()
                };
                let sources =
                    |until| reads.iter().filter(move |read| read.0 <= until).filter_map(|read| read.2);
                let visible: Vec<u32> = match self.level {
                    Level::ReadCommitted | Level::SessionReadCommitted => sources(step).collect(),
                    Level::ReadAtomic => sources(u32::MAX).collect(),
                    Level::SessionReadAtomic => sources(u32::MAX)
                        .chain(of.checked_sub(1).and_then(|last| latest((self.session(of), last))))
                        .collect(),
                    _ => {
                        let bound = |(session, last): (&u32, &u32)| {
                            (*session, if *last == of { of.wrapping_sub(1) } else { *last })
                        };
                        pasts[&of]
                            .iter()
                            .map(bound)
                            .filter(|(_, last)| *last != u32::MAX)
                            .filter_map(latest)
                            .collect()
                    }
                };
                for other in
                    visible.into_iter().filter(|other| Some(*other) != from && self.wrote(*other, key))
                {
                    let is_right = match from {
                        Some(from) if self.level == Level::Causal => {
                            pasts[&other].get(&self.session(from)).is_none_or(|last| *last < from)
                        }
                        from => from.is_some_and(|from| at[&other] < at[&from]),
                    };
                    ensure(is_right, "something newer was visible to a read")?;
                }
            }
        }
        Ok(())
    }

    /// What a read of a session must not be older than, by the session guarantee.
    fn demanded(&self, by: u32, read: Read, earlier: &[(u32, Read)]) -> Vec<u32> {
        let (step, key, from, _) = read;
        let before = |other: u32, of: u32| other < of && self.session(other) == self.session(of);
        let wrote = |of: u32| (0..of).filter(move |other| before(*other, of) && self.wrote(*other, key));
        let seen =
            earlier.iter().filter(|(of, read)| (*of, read.0) <= (by, step)).filter_map(|(_, read)| read.2);
        let found: Vec<u32> = match self.level {
            Level::ReadYourWrites => wrote(by).collect(),
            Level::MonotonicReads => {
                let older = |(of, read): &&(u32, Read)| read.1 == key && read.3 && (*of, read.0) < (by, step);
                earlier.iter().filter(older).filter_map(|(_, read)| read.2).collect()
            }
            Level::MonotonicWrites => seen.flat_map(wrote).collect(),
            _ => {
                let read_it = |of: u32| (0..=of).filter(move |other| *other == of || before(*other, of));
                let reads = seen.flat_map(read_it).flat_map(|of| self.counted(of));
                reads.filter(|read| read.1 == key && read.3).filter_map(|read| read.2).collect()
            }
        };
        found.into_iter().filter(|other| Some(*other) != from).collect()
    }
}

impl Judge<'_> {
    fn is_list(&self, of: u32, step: u32) -> bool {
        matches!(self.steps(of).get(step as usize), Some(Step::ReadList { .. }))
    }

    /// The reads of a transaction but for those of which something is wrong by itself.
    fn counted(&self, of: u32) -> Vec<Read> {
        let reads = self.reads(of);
        let is_wrong = |step: u32| reads.iter().any(|read| read.0 == step && read.2 == Some(u32::MAX));
        reads.iter().filter(|read| !is_wrong(read.0)).copied().collect()
    }

    /// Whether a list has all that is demanded, and what came first in front. An element stands for its transaction.
    fn list_guaranteed(&self, by: u32, read: Read, earlier: &[(u32, Read)]) -> Check {
        let of_step = |of: &&(u32, Read)| of.0 == by && of.1.0 == read.0;
        let list: Vec<u32> = earlier.iter().filter(of_step).filter_map(|of| of.1.2).collect();
        let lacks = |other: u32| !list.contains(&other) && other != by;
        ensure(
            !self.demanded(by, read, earlier).into_iter().any(lacks),
            "a list lacks what the guarantee demands",
        )?;
        if !matches!(self.level, Level::MonotonicWrites | Level::WritesFollowReads) {
            return Ok(());
        }
        let place = |of: u32| list.iter().position(|other| *other == of);
        for &of in &list {
            // What this one demands must stand before it.
            let alone = [(by, (read.0, read.1, Some(of), true))];
            let before = self.demanded(by, (read.0, read.1, Some(of), true), &alone);
            ensure(
                before.into_iter().all(|other| place(other) <= place(of)),
                "a list has what came first behind",
            )?;
        }
        Ok(())
    }

    pub(super) fn guaranteed(&self, views: &[View]) -> Check {
        let mut orders: BTreeMap<(u32, Option<Key>), &[u32]> = BTreeMap::new();
        for View { session, key, order } in views {
            ensure(orders.insert((*session, *key), order).is_none(), "a key has two orders in one session")?;
            let is_early = |(place, of): (usize, &u32)| {
                order[..place].iter().any(|other| other >= of && self.session(*other) == self.session(*of))
            };
            ensure(!order.iter().enumerate().any(is_early), "a session is out of order")?;
        }
        let mut reads: BTreeMap<u32, Vec<(u32, Read)>> = BTreeMap::new();
        for of in (0..self.history.all().len() as u32).filter(|of| self.is_committed(*of)) {
            let counted = self.counted(of).into_iter().map(|read| (of, read));
            reads.entry(self.session(of)).or_default().extend(counted);
        }
        for (session, reads) in &reads {
            for &(of, read) in reads.iter().filter(|(_, read)| read.3) {
                if self.is_list(of, read.0) {
                    self.list_guaranteed(of, read, reads)?;
                    continue;
                }
                let order = orders.get(&(*session, Some(read.1))).copied().unwrap_or_default();
                let from = read.2.unwrap_or(u32::MAX);
                let before =
                    order.split(|other| *other == from).next().filter(|before| before.len() < order.len());
                for other in self.demanded(of, read, reads) {
                    // Whoever is later in a session comes later in every order.
                    let is_later = |one: &u32| *one >= other && self.session(*one) == self.session(other);
                    let is_right = read.2.as_ref().is_some_and(is_later)
                        || before.is_some_and(|before| before.iter().any(is_later));
                    ensure(is_right, "a read is older than the guarantee allows")?;
                }
            }
        }
        Ok(())
    }
}
