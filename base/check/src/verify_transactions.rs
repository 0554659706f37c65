//! Re-checks the answers of [`crate::transactions::check`] without any of its code: orders are replayed, edges looked up in the
//! history, one by one. It is slow where that keeps it short.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many levels, anomalies, reasons and steps matter at each place"
)]

mod machine;

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Key, Moment, Status, Step, Transactions, ValueId};

use crate::Verdict;
use crate::transactions::{Anomaly, Level, Order, Place, Point, Reason, View, Violation, Witness};

use machine::Machine;

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
}

impl Judge<'_> {
    /// The axioms of Biswas and Enea for an order of commits, and of Bouajjani et al. for weak causality.
    fn commits(&self, order: &[u32]) -> Check {
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
                let older = |(of, read): &&(u32, Read)| read.1 == key && (*of, read.0) < (by, step);
                earlier.iter().filter(older).filter_map(|(_, read)| read.2).collect()
            }
            Level::MonotonicWrites => seen.flat_map(wrote).collect(),
            _ => {
                let read_it = |of: u32| (0..=of).filter(move |other| *other == of || before(*other, of));
                let reads = seen.flat_map(read_it).flat_map(|of| self.reads(of));
                reads
                    .filter(|read| read.1 == key)
                    .filter_map(|read| read.2)
                    .filter(|of| *of != u32::MAX)
                    .collect()
            }
        };
        found.into_iter().filter(|other| Some(*other) != from).collect()
    }
}

impl Judge<'_> {
    fn guaranteed(&self, views: &[View]) -> Check {
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
            let right = self.reads(of).into_iter().filter(|read| read.2 != Some(u32::MAX));
            reads.entry(self.session(of)).or_default().extend(right.map(|read| (of, read)));
        }
        for (session, reads) in &reads {
            for &(of, read) in reads.iter().filter(|(_, read)| read.3 && read.2 != Some(u32::MAX)) {
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

    fn is_committed(&self, of: u32) -> bool {
        self.history.all().get(of as usize).is_some_and(|of| of.status == Status::Committed)
    }

    fn is_flaw(&self, anomaly: Anomaly, places: &[Place]) -> bool {
        let at = |place: &Place| self.steps(place.transaction).get(place.step as usize).copied();
        let list = |place: &Place| match at(place) {
            Some(Step::ReadList { start, count, .. }) => self.history.list(start, count),
            _ => &[],
        };
        let sees = |place: &Place, (key, value)| match at(place) {
            Some(Step::Read { key: of, value: seen }) => of == key && seen == value,
            Some(Step::ReadList { key: of, .. }) => of == key && list(place).contains(&value),
            _ => false,
        };
        let source = places.get(1).and_then(|place| Some((*place, written(&at(place)?)?)));
        let sees_source = source.is_some_and(|(_, wrote)| sees(&places[0], wrote));
        let aborted = |of: u32| self.history.all()[of as usize].status == Status::Aborted;
        match (anomaly, source) {
            (Anomaly::ThinAirRead, _) => {
                let values: Vec<(Key, ValueId)> = match at(&places[0]) {
                    Some(Step::Read { key, value }) => vec![(key, value)],
                    Some(Step::ReadList { key, .. }) => {
                        list(&places[0]).iter().map(|one| (key, *one)).collect()
                    }
                    _ => Vec::new(),
                };
                let steps =
                    || self.history.all().iter().flat_map(|of| self.history.steps(of)).filter_map(written);
                values
                    .into_iter()
                    .any(|value| value.1 != ValueId::INITIAL && !steps().any(|wrote| wrote == value))
            }
            (Anomaly::AbortedRead, Some((source, _))) => sees_source && aborted(source.transaction),
            (Anomaly::DirtyUpdate, Some((source, (_, value)))) => {
                sees_source && aborted(source.transaction) && list(&places[0]).last() != Some(&value)
            }
            (Anomaly::IntermediateRead, Some((source, (key, value)))) => {
                let later =
                    self.steps(source.transaction)[source.step as usize + 1..].iter().filter_map(written);
                let is_last = list(&places[0]).last().is_none_or(|last| *last == value);
                sees_source && is_last && later.into_iter().any(|(of, _)| of == key)
            }
            (Anomaly::FutureRead, Some((source, _))) => {
                sees_source && source.transaction == places[0].transaction && source.step > places[0].step
            }
            (Anomaly::InternalInconsistency, Some((source, wrote))) => {
                let read = places[0];
                let between = &self.steps(read.transaction)[source.step as usize..read.step as usize];
                let own = between.iter().filter_map(written).filter(|(key, _)| *key == wrote.0);
                let own: Vec<ValueId> = own.map(|(_, value)| value).collect();
                source.transaction == read.transaction
                    && match at(&read) {
                        Some(Step::Read { key, value }) => key == wrote.0 && own.last() != Some(&value),
                        Some(Step::ReadList { key, .. }) => key == wrote.0 && !list(&read).ends_with(&own),
                        _ => false,
                    }
            }
            (Anomaly::DuplicateElement, _) => {
                let mut elements = list(&places[0]).to_vec();
                elements.sort_unstable();
                elements.windows(2).any(|pair| pair[0] == pair[1])
            }
            (Anomaly::IncompatibleOrder, None) if places.len() == 2 => {
                let (a, b) = (self.foreign(places[0]), self.foreign(places[1]));
                !a.starts_with(b) && !b.starts_with(a)
            }
            _ => false,
        }
    }

    /// A list as others made it: without what its reader had appended to it.
    fn foreign(&self, place: Place) -> &[ValueId] {
        match self.steps(place.transaction).get(place.step as usize) {
            Some(&Step::ReadList { key, start, count }) => {
                let before = self.steps(place.transaction)[..place.step as usize].iter().filter_map(written);
                let own = before.filter(|(of, _)| *of == key).count() as u32;
                self.history.list(start, count.saturating_sub(own))
            }
            _ => &[],
        }
    }

    fn cycle(&self, found: &Violation) -> Check {
        for place in 0..found.edges.len() as u32 {
            ensure(self.is_edge(found, place), "an edge does not follow")?;
        }
        let edges: Vec<_> = found.cycle.iter().filter_map(|edge| found.edges.get(*edge as usize)).collect();
        let derived = edges.iter().filter(|edge| matches!(edge.reason, Reason::Overwritten { .. })).count();
        ensure(derived < 2 || self.level != Level::Causal, "weak causality has no common order")?;
        let follows = |(place, edge): (usize, &&crate::transactions::Edge)| {
            edge.to == edges[(place + 1) % edges.len()].from
        };
        ensure(edges.len() == found.cycle.len() && edges.iter().enumerate().all(follows), "it is no cycle")
    }

    /// Whether edges before `limit` lead from one point to another.
    fn is_path(&self, found: &Violation, path: &[u32], limit: u32, from: Point, to: Point) -> bool {
        let mut at = from;
        for edge in path {
            match found.edges.get(*edge as usize) {
                Some(edge_found) if *edge < limit && edge_found.from == at => at = edge_found.to,
                _ => return false,
            }
        }
        at == to && !path.is_empty()
    }

    fn is_edge(&self, found: &Violation, place: u32) -> bool {
        let edge = &found.edges[place as usize];
        let begin = |of| if self.is_split { Point::Begin(of) } else { Point::Commit(of) };
        let (Some(b), a) = (edge.to.transaction(), edge.from.transaction()) else {
            // Only what was read instead can be the initial state.
            let Reason::Overwritten { key, reader, because } = &edge.reason else { return false };
            return self.is_overwritten(found, place, (*key, *reader, None), because);
        };
        let Some(a) = a else { return edge.reason == Reason::Initial };
        let reads = |of: u32, key: Key, from: Option<u32>| {
            self.reads(of).iter().any(|read| read.1 == key && read.2 == from && read.3)
        };
        let is_after_commit = edge.from == Point::Commit(a);
        let order = self.level.order();
        match &edge.reason {
            Reason::Initial => false,
            Reason::Within => edge.from == Point::Begin(a) && edge.to == Point::Commit(a),
            Reason::Session => {
                is_after_commit && order >= Order::Session && a < b && self.session(a) == self.session(b)
            }
            Reason::RealTime => {
                is_after_commit && order == Order::RealTime && self.interval(a).1 < self.interval(b).0
            }
            Reason::Read(key) => {
                let is_seen = self.level != Level::Pram || found.session == Some(self.session(b));
                is_after_commit
                    && is_seen
                    && a != b
                    && self.reads(b).iter().any(|read| read.1 == *key && read.2 == Some(a))
            }
            Reason::ListOrder { key, first, second, reader } => {
                let shows = |step: &Step| self.shows_order(step, *key, *first, *second);
                let wrote =
                    |of, value| self.steps(of).iter().filter_map(written).any(|step| step == (*key, value));
                let is_apart = edge.to == Point::Commit(b) || self.level.name().ends_with("isolation");
                let has_written = wrote(a, *first) && wrote(b, *second) && self.is_committed(*reader);
                is_after_commit && is_apart && a != b && has_written && self.steps(*reader).iter().any(shows)
            }
            Reason::Missing(key, element) => {
                let misses = |step: &Step| self.misses(step, *key, *element);
                let wrote = self.steps(b).iter().filter_map(written).any(|step| step == (*key, *element));
                edge.from == begin(a)
                    && edge.to == Point::Commit(b)
                    && a != b
                    && wrote
                    && self.steps(a).iter().any(misses)
            }
            Reason::Overwritten { key, reader, because } => {
                self.is_overwritten(found, place, (*key, *reader, Some(b)), because)
            }
            Reason::ReadBefore { key, from, because } => {
                let is_path = self.is_path(found, because, place, *from, edge.to);
                let is_read = reads(a, *key, from.transaction()) && *from != Point::Commit(b);
                (self.is_split || self.is_serial)
                    && edge.from == begin(a)
                    && a != b
                    && is_read
                    && is_path
                    && self.wrote(b, *key)
            }
            Reason::NoOverlap { key, because } => {
                let is_path = self.is_path(found, because, place, Point::Begin(a), Point::Commit(b));
                let is_apart = self.level.name().ends_with("isolation") && edge.to == Point::Begin(b);
                is_apart && is_after_commit && is_path && a != b && self.wrote(a, *key) && self.wrote(b, *key)
            }
        }
    }

    /// Whether a step reads a list without an element.
    fn misses(&self, step: &Step, key: Key, element: ValueId) -> bool {
        matches!(*step, Step::ReadList { key: of, start, count }
            if of == key && !self.history.list(start, count).contains(&element))
    }

    /// Whether a read of a list has one element, and another not before it.
    fn shows_order(&self, step: &Step, key: Key, first: ValueId, second: ValueId) -> bool {
        match *step {
            Step::ReadList { key: of, start, count } if of == key => {
                let list = self.history.list(start, count);
                let at = list.iter().position(|element| *element == first);
                at.is_some_and(|at| !list[..at].contains(&second))
            }
            _ => false,
        }
    }

    /// Whether a writer was visible to a reader who read what `to` wrote instead.
    fn is_overwritten(
        &self,
        found: &Violation,
        place: u32,
        (key, reader, to): (Key, u32, Option<u32>),
        because: &[u32],
    ) -> bool {
        let from = found.edges[place as usize].from;
        let Some(writer) = from.transaction().filter(|writer| self.wrote(*writer, key)) else { return false };
        let end = if self.is_split { Point::Begin(reader) } else { Point::Commit(reader) };
        let reasons = || because.iter().map(|edge| &found.edges[*edge as usize].reason);
        let is_own = |of: u32| Some(self.session(of)) == found.session;
        let is_step = |reason: &Reason| matches!(reason, Reason::Session | Reason::Read(_));
        if !self.is_path(found, because, place, from, end) || Some(writer) == to || !self.is_committed(reader)
        {
            return false;
        }
        // Letters say which edges show that the writer counts: R who read from whom, S sessions.
        let letters: String =
            reasons().map(|reason| if matches!(reason, Reason::Session) { 'S' } else { 'R' }).collect();
        let reads = self.reads(reader);
        let read_to = |read: &&Read| read.1 == key && read.2 == to && read.3;
        let Some(last) = reads.iter().filter(read_to).map(|read| read.0).max() else { return false };
        // Where the order of steps counts, whatever was seen was seen up to this step.
        let seen_by_then =
            |writer: Option<u32>, until: u32| reads.iter().any(|read| read.2 == writer && read.0 <= until);
        let source = because.last().and_then(|edge| found.edges[*edge as usize].from.transaction());
        let in_time = !letters.ends_with('R') || seen_by_then(source, last);
        match self.level {
            Level::ReadCommitted | Level::SessionReadCommitted => letters == "R" && in_time,
            Level::ReadAtomic | Level::SessionReadAtomic => letters.len() == 1 && reasons().all(is_step),
            Level::Causal | Level::CausalConvergence => reasons().all(is_step),
            Level::CausalMemory | Level::Pram => is_own(reader),
            Level::ReadYourWrites => letters == "S" && is_own(writer) && is_own(reader),
            Level::MonotonicReads => matches!(&*letters, "R" | "RS") && is_own(reader) && in_time,
            Level::MonotonicWrites => matches!(&*letters, "SR" | "SRS") && is_own(reader) && in_time,
            Level::WritesFollowReads => {
                matches!(&*letters, "RR" | "RRS" | "RSR" | "RSRS") && is_own(reader) && in_time
            }
            _ => true,
        }
    }
}
