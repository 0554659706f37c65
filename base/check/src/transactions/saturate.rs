//! What must come before what at prefix, snapshot isolation and serializability, as far as it follows without trying.
//!
//! The rules are those of Biswas and Enea (OOPSLA 2019) on begins and commits, applied until nothing new follows: a writer that comes before a
//! reader comes before whom that one read from; a reader comes before any writer that comes after whom it read from; and under
//! snapshot isolation two writers of one key do not overlap. Lists show their order, so that nothing is left to derive for them.

use isles_history::Moment;

use super::arcs::{Arcs, Visible, Why};
use super::facts::{Facts, INITIAL};
use super::level::Order;

/// Which of the levels that need a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Prefix,
    Snapshot,
    Serial,
}

/// Entries of clocks that may be in memory; with more, nothing is derived.
const ENTRIES_MAX: usize = 64 << 20;
/// After so many rounds the rest is left to the search.
const ROUNDS_MAX: usize = 200;

/// What must come before what by what is known at once.
pub(super) fn base(facts: &Facts, kind: Kind, order: Order) -> Arcs {
    let mut arcs = Arcs::new(facts, kind != Kind::Serial, Visible::Past);
    if arcs.split {
        for transaction in 1..facts.count() {
            arcs.push(arcs.begin(transaction), arcs.commit(transaction), Why::Within);
        }
    }
    if order >= Order::Session {
        arcs.push_sessions(facts);
    }
    if order == Order::RealTime {
        push_times(facts, &mut arcs);
    }
    arcs.push_reads(facts);
    arcs.push_follows(facts, kind == Kind::Snapshot);
    for misses in &facts.lists.misses {
        arcs.push(arcs.begin(misses.reader), arcs.commit(misses.to), Why::Misses(misses.key, misses.element));
    }
    for tail in &facts.lists.tails {
        let (key, one) =
            (tail.key, |(to, element): &(u32, _), reader: u32| (*to != reader).then_some((*to, *element)));
        if tail.readers.len() * tail.writers.len() <= 4 * (tail.readers.len() + tail.writers.len()) {
            for &reader in &tail.readers {
                for (to, element) in tail.writers.iter().filter_map(|writer| one(writer, reader)) {
                    arcs.push(arcs.begin(reader), arcs.commit(to), Why::Misses(key, element));
                }
            }
            continue;
        }
        // Readers that append to the list themselves would come before themselves through the helper.
        let helper = arcs.helper();
        let appends = |reader: &u32| tail.writers.iter().any(|(writer, _)| writer == reader);
        for (to, element) in &tail.writers {
            arcs.push(helper, arcs.commit(*to), Why::Misses(key, *element));
        }
        for reader in &tail.readers {
            if !appends(reader) {
                arcs.push(arcs.begin(*reader), helper, Why::Enter);
                continue;
            }
            for (to, element) in tail.writers.iter().filter_map(|writer| one(writer, *reader)) {
                arcs.push(arcs.begin(*reader), arcs.commit(to), Why::Misses(key, element));
            }
        }
    }
    arcs
}

/// Who ended before whom began, through a chain of helpers, one for each end after which something begins.
fn push_times(facts: &Facts, arcs: &mut Arcs) {
    let mut ends: Vec<(Moment, u32)> = (1..facts.count())
        .map(|transaction| (facts.intervals[transaction as usize].1, transaction))
        .collect();
    let mut begins: Vec<(Moment, u32)> = (1..facts.count())
        .map(|transaction| (facts.intervals[transaction as usize].0, transaction))
        .collect();
    ends.sort_unstable();
    begins.sort_unstable();
    let mut ends = ends.into_iter().peekable();
    let mut helper = None;
    for (begun, transaction) in begins {
        let mut fresh = None;
        while let Some((_, ended)) = ends.next_if(|(end, _)| *end < begun) {
            let to = *fresh.get_or_insert_with(|| arcs.helper());
            arcs.push(arcs.commit(ended), to, Why::Enter);
        }
        if let (Some(from), Some(to)) = (helper, fresh) {
            arcs.push(from, to, Why::Enter);
        }
        helper = fresh.or(helper);
        if let Some(helper) = helper {
            arcs.push(helper, arcs.begin(transaction), Why::Time);
        }
    }
}

/// Adds all that follows, and says in which order nodes can come; none if there is a cycle.
pub(super) fn saturate(facts: &Facts, arcs: &mut Arcs, kind: Kind, sessions: bool) -> Option<Vec<u32>> {
    let has_registers = (1..facts.count())
        .any(|reader| facts.reads(reader).iter().any(|read| !facts.lists.is_list[read.key as usize]));
    let width = if sessions { facts.sessions() } else { (2 * facts.count() as usize).div_ceil(32) };
    let fits = (arcs.nodes as usize).saturating_mul(width) <= ENTRIES_MAX;
    for _ in 0..ROUNDS_MAX {
        let order = arcs.topological()?;
        if !has_registers && kind != Kind::Snapshot || !fits {
            return Some(order);
        }
        arcs.rounds.push(arcs.all.len());
        let reach = Reach::new(facts, arcs, &order, sessions, width);
        let before = arcs.all.len();
        derive(facts, arcs, &reach);
        if kind == Kind::Snapshot {
            keep_apart(facts, arcs, &reach);
        }
        if arcs.all.len() == before {
            return Some(order);
        }
    }
    arcs.topological()
}

/// Which nodes come before which, by clocks of sessions, or by sets of points where sessions do not count.
struct Reach<'a> {
    facts: &'a Facts,
    sessions: bool,
    width: usize,
    /// For each node and session how many of the session's begins and commits come before it or are it; or 32 points a word.
    clocks: Vec<u32>,
}

impl<'a> Reach<'a> {
    fn new(facts: &'a Facts, arcs: &Arcs, order: &[u32], sessions: bool, width: usize) -> Self {
        let nodes = arcs.nodes as usize;
        let mut reach = Self { facts, sessions, width, clocks: vec![0; nodes * width] };
        let (start, into) = super::facts::grouped(nodes, arcs.all.iter().map(|arc| (arc.to, arc.from)));
        let mut clock = vec![0; width];
        for &node in order {
            let own = node as usize * width..(node as usize + 1) * width;
            clock.fill(0);
            for &from in &into[start[node as usize] as usize..start[node as usize + 1] as usize] {
                let other = &reach.clocks[from as usize * width..(from as usize + 1) * width];
                for (count, other) in clock.iter_mut().zip(other) {
                    *count = if sessions { (*count).max(*other) } else { *count | *other };
                }
            }
            if let Some(transaction) = arcs.transaction(node)
                && transaction != INITIAL
            {
                let (word, number) = reach.place(transaction, arcs.is_begin(node));
                clock[word] = if sessions { clock[word].max(number) } else { clock[word] | number };
            }
            reach.clocks[own].copy_from_slice(&clock);
        }
        reach
    }

    /// The session of a point and its number there, counted from 1; or its word and its bit there.
    fn place(&self, transaction: u32, is_begin: bool) -> (usize, u32) {
        let half = u32::from(!is_begin);
        if self.sessions {
            let place = self.facts.place[transaction as usize];
            (self.facts.session[transaction as usize] as usize, 2 * place + 1 + half)
        } else {
            let point = 2 * transaction + half;
            ((point / 32) as usize, 1 << (point % 32))
        }
    }

    /// Whether a point of a transaction comes before a node, or is it.
    fn reaches(&self, (transaction, is_begin): (u32, bool), node: u32) -> bool {
        if transaction == INITIAL {
            return true;
        }
        let (word, number) = self.place(transaction, is_begin);
        let clock = self.clocks[node as usize * self.width + word];
        if self.sessions { clock >= number } else { clock & number != 0 }
    }

    /// The writers of a key in slices in which whoever comes later in the slice also comes later in the order.
    fn chains(&self, key: u32) -> impl Iterator<Item = &'a [u32]> {
        let (facts, sessions) = (self.facts, self.sessions);
        facts
            .writers(key)
            .chunk_by(move |a, b| sessions && facts.session[*a as usize] == facts.session[*b as usize])
    }
}

/// The two rules for reads of registers.
fn derive(facts: &Facts, arcs: &mut Arcs, reach: &Reach<'_>) {
    for reader in 1..facts.count() {
        let begin = arcs.begin(reader);
        for read in facts.reads(reader).iter().filter(|read| !facts.lists.is_list[read.key as usize]) {
            let (key, from) = (read.key, read.writer);
            for writers in reach.chains(key) {
                let is_before = |writer: &u32| reach.reaches((*writer, false), begin);
                let mut count = writers.partition_point(is_before);
                if count > 0 && writers[count - 1] == reader {
                    count -= 1;
                }
                if let Some(&writer) = count.checked_sub(1).map(|place| &writers[place])
                    && writer != from
                    && (from == INITIAL || !reach.reaches((writer, false), arcs.commit(from)))
                {
                    arcs.push(arcs.commit(writer), arcs.commit(from), Why::Overwritten { key, reader });
                }
                let after =
                    |writer: &u32| *writer == from || !reach.reaches((from, false), arcs.commit(*writer));
                let mut rest = &writers[writers.partition_point(after)..];
                if rest.first() == Some(&reader) {
                    rest = &rest[1..];
                }
                if let Some(&writer) = rest.first()
                    && !reach.reaches((reader, arcs.split), arcs.commit(writer))
                {
                    arcs.push(begin, arcs.commit(writer), Why::ReadBefore { key, writer: from });
                }
            }
        }
    }
}

/// Of two writers of one key one commits before the other begins.
fn keep_apart(facts: &Facts, arcs: &mut Arcs, reach: &Reach<'_>) {
    for key in 0..facts.keys() as u32 {
        for &first in facts.writers(key) {
            for writers in reach.chains(key) {
                let rest = writers.partition_point(|writer| {
                    *writer == first || !reach.reaches((first, true), arcs.commit(*writer))
                });
                let mut rest = writers[rest..].iter().filter(|writer| **writer != first);
                if let Some(&second) = rest.next()
                    && !reach.reaches((first, false), arcs.begin(second))
                {
                    arcs.push(arcs.commit(first), arcs.begin(second), Why::NoOverlap(key));
                }
            }
        }
    }
}
