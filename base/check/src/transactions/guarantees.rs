//! The four session guarantees (Terry et al., PDIS 1994), each judged for each session.
//!
//! A guarantee says which writes a read must not be older than:
//!
//! | guarantee | what the session must not read anything older than |
//! | --- | --- |
//! | read your writes | what it wrote itself in an earlier transaction |
//! | monotonic reads | what it read before |
//! | monotonic writes | what the session of a transaction that it has read from wrote in earlier transactions |
//! | writes follow reads | what the session of a transaction that it has read from had read by then |
//!
//! *Older* is what comes before in some order of the writes of the key that contains the order of sessions and in which all
//! reads of this session are right. A read of the initial state is older than every write; otherwise the guarantee is broken if the
//! reads of the session demand a cycle. Each session may have its own order: nothing is said about whether sessions agree.
//!
//! Lists show what they lack; see `guarantees_of_lists`.

use std::collections::BTreeMap;

use isles_history::{Key, Transactions};

use super::arcs::{Arcs, Visible, Why};
use super::certificate::View;
use super::facts::{Facts, INITIAL, Read, grouped};
use super::guarantees_of_lists::Checker;
use super::level::Level;
use super::rules::{Rule, on};

/// Ends of lists of one key that are remembered of a session.
const ENDS_MAX: usize = 64;

/// A write that a read must not be older than.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Demand {
    pub(super) key: u32,
    /// Whose write it is.
    pub(super) from: u32,
    /// Whose write was read instead.
    pub(super) to: u32,
    /// By whom.
    pub(super) reader: u32,
    /// With which of its reads.
    pub(super) place: u32,
}

/// Judges one guarantee for each session: the order of writes of each key, or arcs that have a cycle.
pub(super) fn guarantee(
    history: &Transactions,
    facts: &Facts,
    level: Level,
) -> Vec<(u32, Result<Vec<View>, Arcs>)> {
    let reads = if level == Level::WritesFollowReads { reads(facts) } else { Vec::new() };
    let mut demands = Demands::new(facts, level, &reads);
    let mut lists = Checker::new(history, facts, level, &reads);
    let sessions = (0..facts.sessions()).map(|session| {
        let name = facts.session_names[session];
        let (of_lists, mut found): (Vec<Demand>, Vec<Demand>) =
            demands.of(session).into_iter().partition(|demand| facts.lists.is_list[demand.key as usize]);
        if let Some(arcs) = lists.of(session, &of_lists) {
            return (name, Err(arcs));
        }
        found.sort_unstable();
        found.dedup_by_key(|demand| (demand.key, demand.from, demand.to));
        let views = found.chunk_by(|a, b| a.key == b.key).map(|demands| {
            let order = order(facts, demands)?;
            let order = order.iter().map(|writer| facts.original[*writer as usize]).collect();
            Some(View { session: name, key: Some(Key(demands[0].key)), order })
        });
        (name, views.collect::<Option<Vec<View>>>().ok_or_else(|| arcs(facts, level, &found)))
    });
    sessions.collect()
}

/// Collects what a guarantee demands.
struct Demands<'a> {
    facts: &'a Facts,
    level: Level,
    /// By key: who wrote it or was read last, in this session.
    last: Vec<u32>,
    /// By key that is a list: whose elements ended the lists that this session read.
    ends: BTreeMap<u32, Vec<u32>>,
    /// By session: of how many of its transactions something was seen.
    seen: Vec<u32>,
    /// By key: each session's reads of it, with the place of the reader.
    reads: &'a [Vec<(u32, u32, u32)>],
}

/// By key: each session's reads of it, with the place of the reader; of lists the last element.
fn reads(facts: &Facts) -> Vec<Vec<(u32, u32, u32)>> {
    let mut reads = vec![Vec::new(); facts.keys()];
    for session in 0..facts.sessions() {
        for &reader in facts.in_session(session) {
            for read in facts.reads(reader).iter().filter(|read| read.writer != INITIAL && read.top) {
                let of: &mut Vec<_> = &mut reads[read.key as usize];
                let one = (session as u32, facts.place[reader as usize], read.writer);
                if of.last() != Some(&one) {
                    of.push(one);
                }
            }
        }
    }
    reads
}

impl<'a> Demands<'a> {
    fn new(facts: &'a Facts, level: Level, reads: &'a [Vec<(u32, u32, u32)>]) -> Self {
        let (last, seen) = (vec![u32::MAX; facts.keys()], vec![0; facts.sessions()]);
        Self { facts, level, last, ends: BTreeMap::new(), seen, reads }
    }

    fn of(&mut self, session: usize) -> Vec<Demand> {
        let mut found = match self.level {
            Level::ReadYourWrites => self.own_writes(session),
            Level::MonotonicReads => self.own_reads(session),
            _ => self.others(session),
        };
        found.retain(|demand| demand.from != demand.to);
        found
    }

    fn own_writes(&mut self, session: usize) -> Vec<Demand> {
        let (facts, mut found) = (self.facts, Vec::new());
        for &reader in facts.in_session(session) {
            for (place, read) in (0..).zip(facts.reads(reader)).filter(|(_, read)| read.top) {
                let from = self.last[read.key as usize];
                if from != u32::MAX && on(Rule::GuaranteeOwnWrites) {
                    found.push(Demand { key: read.key, from, to: read.writer, reader, place });
                }
            }
            for key in facts.writes(reader) {
                self.last[*key as usize] = reader;
            }
        }
        for &transaction in facts.in_session(session) {
            facts.writes(transaction).iter().for_each(|key| self.last[*key as usize] = u32::MAX);
        }
        found
    }

    fn own_reads(&mut self, session: usize) -> Vec<Demand> {
        let (facts, mut found) = (self.facts, Vec::new());
        for &reader in facts.in_session(session) {
            for (place, read) in (0..).zip(facts.reads(reader)).filter(|(_, read)| read.top) {
                if facts.lists.is_list[read.key as usize] {
                    self.own_list(*read, (reader, place), &mut found);
                    continue;
                }
                let from = std::mem::replace(&mut self.last[read.key as usize], read.writer);
                if from != u32::MAX && from != INITIAL && on(Rule::GuaranteeOwnReads) {
                    found.push(Demand { key: read.key, from, to: read.writer, reader, place });
                }
            }
        }
        for &transaction in facts.in_session(session) {
            facts.reads(transaction).iter().for_each(|read| self.last[read.key as usize] = u32::MAX);
        }
        self.ends.clear();
        found
    }

    /// A list must have what earlier ones ended with. If lists are beginnings of one another, whatever is in this one speaks for that.
    fn own_list(&mut self, read: Read, (reader, place): (u32, u32), found: &mut Vec<Demand>) {
        let ends = self.ends.entry(read.key).or_default();
        let demands =
            ends.iter().map(|from| Demand { key: read.key, from: *from, to: read.writer, reader, place });
        found.extend(demands.filter(|_| on(Rule::GuaranteeOwnReads)));
        if read.writer != INITIAL {
            // Unless its writer is still to come in this very session, and will not read its own element from others.
            let (session, place) = (&self.facts.session, &self.facts.place);
            let is_to_come = session[read.writer as usize] == session[reader as usize]
                && place[read.writer as usize] > place[reader as usize];
            ends.retain(|from| *from == reader || is_to_come || self.facts.flaw.is_some());
            if !ends.contains(&read.writer) {
                ends.push(read.writer);
            }
            // More than a few there are only where lists contradict one another; the oldest are let go.
            if ends.len() > ENDS_MAX {
                ends.remove(0);
            }
        }
    }

    /// What was written, or read, before something that the session has seen.
    fn others(&mut self, session: usize) -> Vec<Demand> {
        let (facts, mut found) = (self.facts, Vec::new());
        self.seen.fill(0);
        for &reader in facts.in_session(session) {
            for (place, read) in (0..).zip(facts.reads(reader)) {
                let Some(writer) = Some(read.writer).filter(|writer| *writer != INITIAL) else {
                    if read.top {
                        self.demand(*read, (reader, place), &mut found);
                    }
                    continue;
                };
                // What is read with this very step has been seen, too.
                let seen = &mut self.seen[facts.session[writer as usize] as usize];
                *seen = (*seen).max(facts.place[writer as usize] + 1);
                if read.top {
                    self.demand(*read, (reader, place), &mut found);
                }
            }
        }
        found
    }

    fn demand(&self, read: Read, (reader, place): (u32, u32), found: &mut Vec<Demand>) {
        let (facts, key) = (self.facts, read.key);
        if self.level == Level::MonotonicWrites {
            for writers in facts.writers_by_session(key) {
                let seen = self.seen[facts.session[writers[0] as usize] as usize].saturating_sub(1);
                let mut count = writers.partition_point(|writer| facts.place[*writer as usize] < seen);
                // A list is read without what its reader appends: the one before that is demanded.
                if count > 0 && writers[count - 1] == reader && facts.lists.is_list[key as usize] {
                    count -= 1;
                }
                if let Some(count) = count.checked_sub(1).filter(|_| on(Rule::GuaranteeEarlierWrites)) {
                    found.push(Demand { key, from: writers[count], to: read.writer, reader, place });
                }
            }
            return;
        }
        for reads in self.reads[key as usize].chunk_by(|a, b| a.0 == b.0) {
            let seen = self.seen[reads[0].0 as usize];
            let count = if on(Rule::GuaranteeEarlierReads) {
                reads.partition_point(|(_, place, _)| *place < seen)
            } else {
                0
            };
            let demands = reads[..count].iter().map(|(_, _, from)| Demand {
                key,
                from: *from,
                to: read.writer,
                reader,
                place,
            });
            found.extend(demands);
        }
    }
}

/// The writers that are concerned, in an order that respects the demands and the order of sessions.
fn order(facts: &Facts, demands: &[Demand]) -> Option<Vec<u32>> {
    let mut nodes: Vec<u32> = demands.iter().flat_map(|demand| [demand.from, demand.to]).collect();
    nodes.sort_unstable_by_key(|node| (facts.session[*node as usize], facts.place[*node as usize]));
    nodes.dedup();
    let number = |node: u32| {
        let place = |node: u32| (facts.session[node as usize], facts.place[node as usize]);
        nodes.partition_point(|other| place(*other) < place(node)) as u32
    };
    if demands.iter().any(|demand| demand.to == INITIAL) {
        return None;
    }
    let sessions = nodes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| facts.session[pair[0] as usize] == facts.session[pair[1] as usize])
        .filter(|_| on(Rule::GuaranteeSessions));
    let mut pairs: Vec<(u32, u32)> = sessions.map(|(place, _)| (place as u32, place as u32 + 1)).collect();
    pairs.extend(demands.iter().map(|demand| (number(demand.from), number(demand.to))));
    let (start, to) = grouped(nodes.len(), pairs.iter().copied());
    let mut missing = vec![0u32; nodes.len()];
    pairs.iter().for_each(|(_, to)| missing[*to as usize] += 1);
    let mut order: Vec<u32> = (0..nodes.len() as u32).filter(|node| missing[*node as usize] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &later in &to[start[node as usize] as usize..start[node as usize + 1] as usize] {
            missing[later as usize] -= 1;
            if missing[later as usize] == 0 {
                order.push(later);
            }
        }
    }
    (order.len() == nodes.len()).then(|| order.iter().map(|node| nodes[*node as usize]).collect())
}

/// What is demanded, as arcs with a cycle among those of one key.
fn arcs(facts: &Facts, level: Level, demands: &[Demand]) -> Arcs {
    let mut arcs = Arcs::new(facts, false, Visible::Guarantee(level));
    let wrong = demands.chunk_by(|a, b| a.key == b.key).find(|demands| order(facts, demands).is_none());
    let wrong = wrong.unwrap_or_default();
    let key = wrong.first().map_or(0, |demand| demand.key);
    // Sessions order the writes of one key directly: others are only needed to show what was seen.
    for writers in facts.writers_by_session(key) {
        writers.windows(2).for_each(|pair| arcs.push(pair[0], pair[1], Why::Session));
    }
    for demand in wrong {
        arcs.push(demand.from, demand.to, Why::Overwritten { key, reader: demand.reader });
    }
    arcs
}

/// Why a guarantee speaks of a write: steps from its writer to the reader, each along a session or with the key that was read.
pub(super) fn seen(
    facts: &Facts,
    level: Level,
    (key, from, to, reader): (u32, u32, u32, u32),
) -> Vec<(u32, u32, Option<u32>)> {
    if level == Level::ReadYourWrites {
        return vec![(from, reader, None)];
    }
    let place = |transaction: u32| facts.place[transaction as usize];
    let session = |transaction: u32| facts.session[transaction as usize] as usize;
    let up_to = |transaction: u32| &facts.in_session(session(transaction))[..=place(transaction) as usize];
    let reads_it =
        |other: &u32| facts.reads(*other).iter().any(|read| read.key == key && read.writer == from);
    let mut steps = Vec::new();
    // What the reader itself had seen up to the read in question.
    let own = facts.reads(reader);
    let until = own.iter().rposition(|read| read.key == key && read.writer == to && read.top).unwrap_or(0);
    let reads = |viewer: u32| if viewer == reader { &own[..=until] } else { facts.reads(viewer) };
    // The latest that saw it is the closest.
    for &viewer in up_to(reader).iter().rev() {
        if level == Level::MonotonicReads {
            if reads(viewer).iter().any(|read| read.key == key && read.writer == from) {
                steps.push((from, viewer, Some(key)));
            }
        } else {
            for read in reads(viewer).iter().filter(|read| read.writer != INITIAL) {
                let source = read.writer;
                if level == Level::MonotonicWrites {
                    if session(source) == session(from) && place(from) < place(source) {
                        steps = vec![(from, source, None), (source, viewer, Some(read.key))];
                    }
                } else if let Some(&earlier) = up_to(source).iter().rev().find(|other| reads_it(other)) {
                    steps = vec![(from, earlier, Some(key))];
                    if earlier != source {
                        steps.push((earlier, source, None));
                    }
                    steps.push((source, viewer, Some(read.key)));
                }
                if !steps.is_empty() {
                    break;
                }
            }
        }
        if !steps.is_empty() {
            if viewer != reader {
                steps.push((viewer, reader, None));
            }
            return steps;
        }
    }
    steps
}
