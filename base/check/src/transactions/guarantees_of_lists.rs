//! The session guarantees for lists, which show what they lack and in which order it came: no order has to be guessed.
//!
//! | guarantee | a list that a session reads must have |
//! | --- | --- |
//! | read your writes | what the session appended in earlier transactions |
//! | monotonic reads | the last elements of the lists of this key that it read before |
//! | monotonic writes | whatever stands before something seen in its session's appends; and before it |
//! | writes follow reads | the last element of each list that was read before something seen was appended, by who appended it; and before it |
//!
//! An element stands for the transaction that appended it. That the rest of an earlier list is there too follows from lists being
//! beginnings of one another, without which other levels do not hold.

use isles_history::{Step, Transactions, ValueId};

use super::arcs::{Arcs, Visible, Why};
use super::facts::{Facts, INITIAL, Read};
use super::guarantees::Demand;
use super::level::Level;
use super::lists::Follows;
use super::rules::{Rule, on};

/// What is wrong with a list.
#[derive(Clone, Copy)]
enum Wrong {
    /// Something is not in it.
    Lacks(Demand),
    /// One transaction's elements stand before another's, which came first; for writes follow reads because this one read it.
    Swapped { key: u32, reader: u32, early: u32, late: u32, by: u32 },
}

/// Judges the lists that sessions read.
pub(super) struct Checker<'a> {
    history: &'a Transactions,
    facts: &'a Facts,
    level: Level,
    /// By key: which last elements each session read, and the place of the reader; for writes follow reads.
    reads: &'a [Vec<(u32, u32, u32)>],
    /// By transaction: where its first element stands in the list in question.
    position: Vec<u32>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        history: &'a Transactions,
        facts: &'a Facts,
        level: Level,
        reads: &'a [Vec<(u32, u32, u32)>],
    ) -> Self {
        Self { history, facts, level, reads, position: vec![u32::MAX; facts.count() as usize] }
    }

    /// Arcs with a cycle if a list of the session lacks what is demanded, or shows it in a wrong order. Demands come in the order of reads.
    pub(super) fn of(&mut self, session: usize, demands: &[Demand]) -> Option<Arcs> {
        let facts = self.facts;
        let mut rest = demands;
        for &reader in facts.in_session(session) {
            for (place, read) in (0..).zip(facts.reads(reader)) {
                if !read.top || !facts.lists.is_list[read.key as usize] {
                    continue;
                }
                let count = rest.partition_point(|demand| (demand.reader, demand.place) == (reader, place));
                let (now, later) = rest.split_at(count);
                rest = later;
                if let Some(wrong) = self.list(reader, place as usize, now) {
                    return Some(self.arcs(wrong));
                }
            }
        }
        None
    }

    fn list(&mut self, reader: u32, place: usize, demands: &[Demand]) -> Option<Wrong> {
        let reads = self.facts.reads(reader);
        let key = reads[place].key;
        let inner = reads[..place].iter().rev().take_while(|read| read.key == key && !read.top).count();
        let list: &[Read] = &reads[place - inner..=place];
        let mut order = Vec::with_capacity(list.len());
        for read in list.iter().filter(|read| read.writer != INITIAL) {
            let position = &mut self.position[read.writer as usize];
            if *position == u32::MAX {
                *position = order.len() as u32;
                order.push(read.writer);
            }
        }
        // What the reader appends itself is not among what it reads from others.
        let lacks =
            |demand: &&Demand| self.position[demand.from as usize] == u32::MAX && demand.from != reader;
        let lacked = demands.iter().find(lacks).copied();
        let lacked = lacked.or_else(|| {
            let from = self.lacked(key, reader, &order)?;
            Some(Demand { key, from, to: reads[place].writer, reader, place: place as u32 })
        });
        let wrong = lacked.filter(|_| on(Rule::GuaranteeListLacks)).map(Wrong::Lacks);
        let wrong =
            wrong.or_else(|| self.swapped(key, reader, &order).filter(|_| on(Rule::GuaranteeListOrder)));
        order.iter().for_each(|writer| self.position[*writer as usize] = u32::MAX);
        wrong
    }

    /// An element that is missing although a later one of its session is there, or the reader itself is later: demands name the last
    /// one of each session only.
    fn lacked(&self, key: u32, reader: u32, order: &[u32]) -> Option<u32> {
        let of_session = |last: u32| {
            let (session, place) = (self.facts.session[last as usize], self.facts.place[last as usize]);
            let writers = self.facts.writers(key);
            let from = writers.partition_point(|writer| self.facts.session[*writer as usize] < session);
            let earlier = writers[from..].iter().take_while(move |writer| {
                self.facts.session[**writer as usize] == session
                    && self.facts.place[**writer as usize] < place
            });
            earlier.copied().find(|writer| self.position[*writer as usize] == u32::MAX && *writer != reader)
        };
        match self.level {
            Level::ReadYourWrites => of_session(reader),
            Level::MonotonicWrites => {
                // The last element of each session says the most; others say nothing new.
                let mut sorted = order.to_vec();
                sorted.sort_unstable_by_key(|writer| self.place(*writer));
                let is_same = |a: &u32, b: &u32| self.place(*a).0 == self.place(*b).0;
                sorted.chunk_by(is_same).filter_map(|of| of.last()).find_map(|last| of_session(*last))
            }
            _ => None,
        }
    }

    /// The session of a transaction, and its place there.
    fn place(&self, of: u32) -> (u32, u32) {
        (self.facts.session[of as usize], self.facts.place[of as usize])
    }

    /// Two elements in an order that the guarantee forbids.
    fn swapped(&self, key: u32, reader: u32, order: &[u32]) -> Option<Wrong> {
        let facts = self.facts;
        if !matches!(self.level, Level::MonotonicWrites | Level::WritesFollowReads) {
            return None;
        }
        let mut sorted = order.to_vec();
        sorted.sort_unstable_by_key(|writer| self.place(*writer));
        for of_session in sorted.chunk_by(|a, b| self.place(*a).0 == self.place(*b).0) {
            // For each of them whichever of the later ones stands first.
            let mut first = of_session.to_vec();
            for at in (1..first.len()).rev() {
                if self.position[first[at] as usize] < self.position[first[at - 1] as usize] {
                    first[at - 1] = first[at];
                }
            }
            if self.level == Level::MonotonicWrites {
                if let Some((late, early)) = of_session.iter().zip(&first).find(|(late, early)| late != early)
                {
                    return Some(Wrong::Swapped { key, reader, early: *early, late: *late, by: *late });
                }
                continue;
            }
            let session = facts.session[of_session[0] as usize];
            let reads = &self.reads[key as usize];
            let reads = &reads[reads.partition_point(|read| read.0 < session)
                ..reads.partition_point(|read| read.0 <= session)];
            for &(_, by, late) in reads {
                let at = of_session.partition_point(|writer| facts.place[*writer as usize] < by);
                let Some(&early) = first.get(at) else { continue };
                let is_late = self.position[early as usize] < self.position[late as usize];
                if is_late && self.position[late as usize] != u32::MAX {
                    let by = facts.in_session(session as usize)[by as usize];
                    return Some(Wrong::Swapped { key, reader, early, late, by });
                }
            }
        }
        None
    }

    fn arcs(&self, wrong: Wrong) -> Arcs {
        let mut arcs = Arcs::new(self.facts, false, Visible::Guarantee(self.level));
        match wrong {
            Wrong::Lacks(Demand { key, from, to, reader, .. }) => {
                arcs.push(from, to, Why::Overwritten { key, reader });
                if to != INITIAL {
                    arcs.push(to, from, Why::Shown(0));
                    arcs.shown.push(self.shown(key, reader, to, from));
                }
            }
            Wrong::Swapped { key, reader, early, late, by } => {
                if by != late {
                    arcs.push(late, by, Why::Read(key));
                }
                if by != early {
                    arcs.push(by, early, Why::Session);
                }
                arcs.push(early, late, Why::Shown(0));
                arcs.shown.push(self.shown(key, reader, early, late));
            }
        }
        arcs
    }

    /// Elements of two transactions of which a list of the reader shows that the first one's came earlier.
    fn shown(&self, key: u32, reader: u32, from: u32, to: u32) -> Follows {
        let appended = |of: u32| -> Vec<ValueId> {
            let element = |step: &Step| match *step {
                Step::Append { key: at, element } if at.0 == key => Some(element),
                Step::Append { .. } | Step::Write { .. } | Step::Read { .. } | Step::ReadList { .. } => None,
            };
            self.facts.steps(self.history, of).iter().filter_map(element).collect()
        };
        let (firsts, seconds) = (appended(from), appended(to));
        let pair = |step: &Step| {
            let Step::ReadList { key: at, start, count } = *step else { return None };
            let list = self.history.list(start, count);
            let first = list.iter().position(|element| firsts.contains(element)).filter(|_| at.0 == key)?;
            let second = list.iter().position(|element| seconds.contains(element));
            let is_later = second.is_none_or(|second| second > first);
            let second = second.map_or_else(|| seconds.last().copied(), |second| list.get(second).copied());
            Some((list[first], second?)).filter(|_| is_later)
        };
        let (first, second) = self
            .facts
            .steps(self.history, reader)
            .iter()
            .find_map(pair)
            .expect("a list of the reader is wrong because it shows this");
        Follows { key: isles_history::Key(key), from, to, first, second, reader }
    }
}
