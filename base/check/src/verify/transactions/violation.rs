//! What is wrong at one place, and cycles of what must come before one another.

use isles_history::{Key, Status, Step, ValueId};

use super::{Check, Judge, Read, ensure, written};
use crate::transactions::{Anomaly, Level, Order, Place, Point, Reason, Violation};

impl Judge<'_> {
    pub(super) fn is_flaw(&self, anomaly: Anomaly, places: &[Place]) -> bool {
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
                let is_last = self.foreign(places[0]).last().is_none_or(|last| *last == value);
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
            (Anomaly::IncompatibleOrder, Some((source, wrote))) => {
                sees_source && self.has_other_order(places[0], source, wrote)
            }
            (Anomaly::IncompatibleOrder, None) if places.len() == 2 => {
                let (a, b) = (self.foreign(places[0]), self.foreign(places[1]));
                !a.starts_with(b) && !b.starts_with(a)
            }
            _ => false,
        }
    }

    /// Whether a list has not in its order, up to one element, what the transaction of that one appended.
    fn has_other_order(&self, read: Place, source: Place, (key, element): (Key, ValueId)) -> bool {
        let steps = self.steps(source.transaction);
        let elements = |steps: &[Step]| -> Vec<ValueId> {
            steps
                .iter()
                .filter_map(written)
                .filter(|(of, _)| *of == key)
                .map(|(_, element)| element)
                .collect()
        };
        let (all, until) = (elements(steps), elements(&steps[..=source.step as usize]));
        let seen = self.foreign(read).iter().copied().filter(|one| all.contains(one));
        let count = seen.clone().position(|one| one == element).map_or(0, |at| at + 1);
        source.transaction != read.transaction && !seen.take(count).eq(until)
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

    pub(super) fn cycle(&self, found: &Violation) -> Check {
        for place in 0..found.edges.len() as u32 {
            ensure(self.is_edge(found, place), "an edge does not follow")?;
        }
        let edges: Vec<_> = found.cycle.iter().filter_map(|edge| found.edges.get(*edge as usize)).collect();
        let derived = edges.iter().filter(|edge| matches!(edge.reason, Reason::Overwritten { .. })).count();
        // The order of a list is one for all; that of a register is each reader's own.
        let own = edges
            .iter()
            .filter(|edge| matches!(edge.reason, Reason::Overwritten { key, .. } if !self.has_lists(key)))
            .count();
        ensure(own < 2 || self.level != Level::Causal, "weak causality has no common order")?;
        ensure(
            derived > 0 || !self.level.is_guarantee() || self.is_swapped(&edges),
            "no guarantee is broken",
        )?;
        let follows = |(place, edge): (usize, &&crate::transactions::Edge)| {
            edge.to == edges[(place + 1) % edges.len()].from
        };
        ensure(edges.len() == found.cycle.len() && edges.iter().enumerate().all(follows), "it is no cycle")
    }

    /// Whether a cycle says that a list has two elements in an order that the guarantee forbids.
    fn is_swapped(&self, edges: &[&crate::transactions::Edge]) -> bool {
        let letter = |edge: &&crate::transactions::Edge| match edge.reason {
            Reason::Session => 'S',
            Reason::Read(_) => 'R',
            Reason::ListOrder { .. } => 'L',
            _ => '?',
        };
        let letters: String = edges.iter().map(letter).collect();
        let keys = edges.iter().filter_map(|edge| match edge.reason {
            Reason::Read(key) | Reason::ListOrder { key, .. } => Some(key),
            _ => None,
        });
        let keys: std::collections::BTreeSet<Key> = keys.collect();
        // A cycle may begin anywhere.
        let is = |word: &str| word.len() == letters.len() && format!("{letters}{letters}").contains(word);
        keys.len() == 1
            && match self.level {
                Level::MonotonicWrites => is("SL"),
                Level::WritesFollowReads => is("RL") || is("RSL"),
                _ => false,
            }
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
                // A guarantee is of one session: what others see of the order does not count.
                let is_own = !self.level.is_guarantee() || found.session == Some(self.session(*reader));
                let is_shown = self.steps(*reader).iter().any(shows);
                is_after_commit && is_apart && is_own && a != b && has_written && is_shown
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
