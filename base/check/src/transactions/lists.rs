//! The order of versions that lists show (Kingsbury and Alvaro, Elle, VLDB 2020): whoever reads a list reads its whole past.

use isles_history::{Key, Step, Transactions, ValueId};

use super::certificate::{Anomaly, Place, Violation};
use super::facts::Facts;
use super::rules::{Rule, on};
use super::sources::{Source, Sources};

/// Two transactions that appended to one list, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follows {
    pub(super) key: Key,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) first: ValueId,
    pub(super) second: ValueId,
    /// Who read a list that shows it.
    pub(super) reader: u32,
}

/// A transaction that read a list without an element that another appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Misses {
    pub(super) key: Key,
    pub(super) reader: u32,
    pub(super) to: u32,
    pub(super) element: ValueId,
}

/// Elements that nobody read, and who read all others: each of these missed each of them.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) key: Key,
    pub(super) readers: Vec<u32>,
    pub(super) writers: Vec<(u32, ValueId)>,
}

/// What lists show.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) follows: Vec<Follows>,
    pub(super) misses: Vec<Misses>,
    pub(super) tails: Vec<Tail>,
    /// Whether a key is a list.
    pub(super) is_list: Vec<bool>,
}

/// A read of a list, without what the reader had appended itself.
#[derive(Clone, Copy)]
struct Seen<'a> {
    reader: u32,
    step: u32,
    elements: &'a [ValueId],
}

impl Lists {
    /// Reads all lists, and finds the first that does not fit. O(steps and elements of lists).
    pub(super) fn new(history: &Transactions, sources: &Sources, facts: &Facts) -> (Self, Option<Violation>) {
        let mut lists = Self { is_list: vec![false; history.keys() as usize], ..Self::default() };
        let reads = reads(history, facts, &mut lists.is_list);
        if !lists.is_list.contains(&true) {
            return (lists, None);
        }
        let mut longest: Vec<Option<Seen<'_>>> = vec![None; history.keys() as usize];
        for (key, seen) in &reads {
            let most = &mut longest[key.0 as usize];
            if most.is_none_or(|most| most.elements.len() < seen.elements.len()) {
                *most = Some(*seen);
            }
        }
        let place =
            |seen: Seen<'_>| Place { transaction: facts.original[seen.reader as usize], step: seen.step };
        for (key, seen) in &reads {
            let most = longest[key.0 as usize].unwrap_or(*seen);
            if !most.elements.starts_with(seen.elements) {
                let flaw = Violation::at(Anomaly::IncompatibleOrder, vec![place(*seen), place(most)]);
                return (lists, Some(flaw));
            }
        }
        let steps = history.all().last().map_or(0, |last| last.steps.end as usize);
        let (at, observed) = (vec![None; history.keys() as usize], vec![false; steps]);
        let next = vec![(u32::MAX, 0); history.all().len()];
        let mut order =
            Order { history, sources, facts, number: numbers(history, facts), at, observed, next };
        for (key, most) in (0..).map(Key).zip(&longest) {
            if lists.is_list[key.0 as usize]
                && let Some(most) = most
                && let Err((anomaly, other)) = order.of(key, *most)
            {
                let places = std::iter::once(place(*most)).chain(other).collect();
                return (lists, Some(Violation::at(anomaly, places)));
            }
        }
        let flaw = lists.connect(&order, &reads, &longest);
        (lists, flaw)
    }

    fn connect(
        &mut self,
        order: &Order<'_>,
        reads: &[(Key, Seen<'_>)],
        longest: &[Option<Seen<'_>>],
    ) -> Option<Violation> {
        let facts = order.facts;
        let mut tails = order.tails();
        for (key, seen) in reads {
            let writers = order.writers(*key);
            if let Some(own) = writers[..seen.elements.len()].iter().position(|writer| *writer == seen.reader)
            {
                let place = Place { transaction: facts.original[seen.reader as usize], step: seen.step };
                let element = seen.elements[own];
                let source = match order.sources.of(order.history, *key, element) {
                    Source::Step { transaction, step, .. } => Some(Place { transaction, step }),
                    Source::Several | Source::Nobody => None,
                };
                return Some(Violation::at(
                    Anomaly::FutureRead,
                    std::iter::once(place).chain(source).collect(),
                ));
            }
            let most = longest[key.0 as usize].map_or(&[][..], |most| most.elements);
            let next = writers[seen.elements.len()..].iter().position(|writer| *writer != seen.reader);
            match next.map(|next| next + seen.elements.len()) {
                // A later one follows from the order of the list.
                Some(next) => self.misses.push(Misses {
                    key: *key,
                    reader: seen.reader,
                    to: writers[next],
                    element: most[next],
                }),
                None => tails[key.0 as usize].readers.push(seen.reader),
            }
        }
        for (key, most) in (0..).map(Key).zip(longest) {
            let writers = order.writers(key);
            let Some(most) = most else { continue };
            let follows = |from: usize, to, second| Follows {
                key,
                from: writers[from],
                to,
                first: most.elements[from],
                second,
                reader: most.reader,
            };
            let pairs = writers.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
            self.follows.extend(pairs.map(|(at, pair)| follows(at, pair[1], most.elements[at + 1])));
            if let Some(last) = writers.len().checked_sub(1) {
                let unseen = tails[key.0 as usize].writers.iter().filter(|(to, _)| *to != writers[last]);
                self.follows.extend(unseen.map(|(to, element)| follows(last, *to, *element)));
            }
        }
        self.tails = tails;
        self.tails.retain(|tail| !tail.readers.is_empty() && !tail.writers.is_empty());
        None
    }
}

/// All reads of lists, without what their readers had appended themselves.
fn reads<'a>(history: &'a Transactions, facts: &Facts, is_list: &mut [bool]) -> Vec<(Key, Seen<'a>)> {
    let mut reads = Vec::new();
    let mut own = vec![(0, 0); history.keys() as usize];
    for reader in 1..facts.count() {
        for (step, done) in (0..).zip(facts.steps(history, reader)) {
            match *done {
                Step::Append { key, .. } => {
                    is_list[key.0 as usize] = true;
                    let (by, count) = &mut own[key.0 as usize];
                    *count = if *by == reader { *count + 1 } else { 1 };
                    *by = reader;
                }
                Step::ReadList { key, start, count } => {
                    is_list[key.0 as usize] = true;
                    let (by, appended) = own[key.0 as usize];
                    let appended = if by == reader { appended } else { 0 };
                    // A list that lacks what its reader appended was refused already.
                    let elements = history.list(start, count.saturating_sub(appended));
                    reads.push((key, Seen { reader, step, elements }));
                }
                Step::Read { .. } | Step::Write { .. } => {}
            }
        }
    }
    reads
}

fn numbers(history: &Transactions, facts: &Facts) -> Vec<u32> {
    let mut number = vec![u32::MAX; history.all().len()];
    for (transaction, original) in (1..).zip(&facts.original[1..]) {
        number[*original as usize] = transaction;
    }
    number
}

/// Who appended each element of the longest list of each key.
struct Order<'a> {
    history: &'a Transactions,
    sources: &'a Sources,
    facts: &'a Facts,
    number: Vec<u32>,
    at: Vec<Option<Vec<u32>>>,
    /// For each step of the history whether the element that it appended is in the longest list.
    observed: Vec<bool>,
    /// For each transaction the key of which something of it was met last, and the step after that.
    next: Vec<(u32, u32)>,
}

impl Order<'_> {
    fn writers(&self, key: Key) -> &[u32] {
        self.at[key.0 as usize].as_deref().unwrap_or_default()
    }

    /// Attributes the elements of a list to those who appended them.
    fn of(&mut self, key: Key, most: Seen<'_>) -> Result<(), (Anomaly, Option<Place>)> {
        let mut writers = Vec::with_capacity(most.elements.len());
        let mut aborted = None;
        for element in most.elements {
            let Source::Step { transaction, step, .. } = self.sources.of(self.history, key, *element) else {
                return Err((Anomaly::ThinAirRead, None));
            };
            let place = Place { transaction, step };
            let among_all = self.history.all()[transaction as usize].steps.start + step;
            if std::mem::replace(&mut self.observed[among_all as usize], true) {
                return Err((Anomaly::DuplicateElement, Some(place)));
            }
            if !self.continues(key, place) && on(Rule::ListWithin) {
                return Err((Anomaly::IncompatibleOrder, Some(place)));
            }
            match self.number[transaction as usize] {
                u32::MAX => aborted = Some(place),
                writer if aborted.is_none() => writers.push(writer),
                _ => return Err((Anomaly::DirtyUpdate, aborted)),
            }
        }
        if aborted.is_some() {
            return Err((Anomaly::AbortedRead, aborted));
        }
        self.at[key.0 as usize] = Some(writers);
        Ok(())
    }

    /// Whether an element is the next one that its transaction appended to the key.
    fn continues(&mut self, key: Key, place: Place) -> bool {
        let (of, next) = self.next[place.transaction as usize];
        let from = if of == key.0 { next } else { 0 };
        self.next[place.transaction as usize] = (key.0, place.step + 1);
        let steps = self.history.steps(&self.history.all()[place.transaction as usize]);
        let is_skipped = |step: &Step| matches!(step, Step::Append { key: at, .. } if *at == key);
        from <= place.step && !steps[from as usize..place.step as usize].iter().any(is_skipped)
    }

    /// For each key whoever appended an element that is not in the longest list.
    fn tails(&self) -> Vec<Tail> {
        let mut tails: Vec<Tail> = (0..self.history.keys())
            .map(|key| Tail { key: Key(key), readers: Vec::new(), writers: Vec::new() })
            .collect();
        for writer in 1..self.facts.count() {
            let transaction = &self.history.all()[self.facts.original[writer as usize] as usize];
            for (at, step) in (transaction.steps.start..).zip(self.history.steps(transaction)) {
                if let Step::Append { key, element } = *step
                    && !self.observed[at as usize]
                {
                    let writers = &mut tails[key.0 as usize].writers;
                    if writers.last().is_none_or(|(last, _)| *last != writer) {
                        writers.push((writer, element));
                    }
                }
            }
        }
        tails
    }
}
