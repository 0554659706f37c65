//! What a history of transactions says about who read from whom, laid out for the checkers.

use isles_history::{Key, Moment, Status, Step, Transactions, ValueId};

use super::certificate::{Anomaly, Place, Violation};
use super::lists::Lists;
use super::rules::{Rule, on};
use super::sources::{Source, Sources, written};

/// The initial state, as a transaction.
pub(super) const INITIAL: u32 = 0;

/// A read of what another transaction wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Read {
    /// What was read.
    pub(super) key: u32,
    /// Who wrote it.
    pub(super) writer: u32,
    /// Whether it is the version that was read; otherwise an earlier element of the list.
    pub(super) top: bool,
}

/// Committed transactions, numbered from 1 in the order of the history; 0 is the initial state.
#[derive(Default)]
pub(super) struct Facts {
    /// Which transaction of the history each one is.
    pub(super) original: Vec<u32>,
    /// Its session, numbered from 0.
    pub(super) session: Vec<u32>,
    /// How many are before it in the session.
    pub(super) place: Vec<u32>,
    /// What the sessions are called.
    pub(super) session_names: Vec<u32>,
    session_start: Vec<u32>,
    in_session: Vec<u32>,
    read_start: Vec<u32>,
    reads: Vec<Read>,
    write_start: Vec<u32>,
    writes: Vec<u32>,
    writer_start: Vec<u32>,
    writers: Vec<u32>,
    /// When each began and ended; the whole time if that is not known.
    pub(super) intervals: Vec<(Moment, Moment)>,
    /// What lists show of the order of versions.
    pub(super) lists: Lists,
    /// The first thing that is wrong by itself.
    pub(super) flaw: Option<Violation>,
    /// Why reads cannot be attributed to writers.
    pub(super) unclear: Option<&'static str>,
}

impl Facts {
    /// Reads a history. `elements` says whether a read of a list counts as a read of each of its elements, which matters
    /// where the order of versions is not part of what is visible.
    pub(super) fn new(history: &Transactions, elements: bool) -> Self {
        let sources = Sources::new(history);
        let mut facts = Self::default();
        facts.number(history, &included(history, &sources));
        facts.index_writes(history);
        let mut reader = Reader::new(history, &sources, &facts, elements);
        for transaction in 1..facts.count() {
            reader.read(transaction);
        }
        let Reader { reads, read_start, flaw, unclear, .. } = reader;
        facts.reads = reads;
        facts.read_start = read_start;
        facts.flaw = flaw;
        facts.unclear = unclear;
        let (lists, flaw) = Lists::new(history, &sources, &facts);
        facts.lists = lists;
        facts.flaw = facts.flaw.or(flaw).filter(|flaw| on(Rule::Flaw(flaw.anomaly)));
        facts
    }

    fn number(&mut self, history: &Transactions, included: &[bool]) {
        let mut names: Vec<u32> = history.all().iter().map(|transaction| transaction.session).collect();
        names.sort_unstable();
        names.dedup();
        self.original.push(u32::MAX);
        self.session.push(u32::MAX);
        self.place.push(0);
        self.intervals.push((0, 0));
        let mut counts = vec![0; names.len()];
        for (number, transaction) in (0..).zip(history.all()).filter(|(number, _)| included[*number as usize])
        {
            let session = names.partition_point(|name| *name < transaction.session);
            self.original.push(number);
            self.session.push(session as u32);
            self.place.push(counts[session]);
            self.intervals.push(transaction.interval.unwrap_or((0, Moment::MAX)));
            counts[session] += 1;
        }
        (self.session_start, self.in_session) =
            grouped(names.len(), (1..).zip(self.session[1..].iter().copied()).map(|(t, s)| (s, t)));
        self.session_names = names;
    }

    fn index_writes(&mut self, history: &Transactions) {
        self.write_start.extend([0, 0]);
        let mut stamp = vec![0; history.keys() as usize];
        for transaction in 1..self.count() {
            let from = self.writes.len();
            for (key, _) in self.steps(history, transaction).iter().filter_map(written) {
                if std::mem::replace(&mut stamp[key.0 as usize], transaction) != transaction {
                    self.writes.push(key.0);
                }
            }
            self.writes[from..].sort_unstable();
            self.write_start.push(self.writes.len() as u32);
        }
        let by_session = self.in_session.iter().flat_map(|t| self.writes(*t).iter().map(|key| (*key, *t)));
        (self.writer_start, self.writers) = grouped(history.keys() as usize, by_session);
    }

    /// What a transaction did.
    pub(super) fn steps<'a>(&self, history: &'a Transactions, transaction: u32) -> &'a [Step] {
        history.steps(&history.all()[self.original[transaction as usize] as usize])
    }

    /// How many transactions there are, the initial state included.
    pub(super) fn count(&self) -> u32 {
        self.original.len() as u32
    }

    /// How many sessions there are.
    pub(super) fn sessions(&self) -> usize {
        self.session_names.len()
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.writer_start.len() - 1
    }

    /// The transactions of a session, in order.
    pub(super) fn in_session(&self, session: usize) -> &[u32] {
        &self.in_session[self.session_start[session] as usize..self.session_start[session + 1] as usize]
    }

    /// What a transaction read from others, in order.
    pub(super) fn reads(&self, transaction: u32) -> &[Read] {
        let (from, to) = (self.read_start[transaction as usize], self.read_start[transaction as usize + 1]);
        &self.reads[from as usize..to as usize]
    }

    /// The keys that a transaction wrote, ascending.
    pub(super) fn writes(&self, transaction: u32) -> &[u32] {
        let (from, to) = (self.write_start[transaction as usize], self.write_start[transaction as usize + 1]);
        &self.writes[from as usize..to as usize]
    }

    /// Whether a transaction wrote a key.
    pub(super) fn wrote(&self, transaction: u32, key: u32) -> bool {
        self.writes(transaction).binary_search(&key).is_ok()
    }

    /// The number of what a transaction wrote to a key, among all versions; initial versions come last.
    pub(super) fn version(&self, transaction: u32, key: u32) -> Option<usize> {
        if transaction == INITIAL {
            return Some(self.writes.len() + key as usize);
        }
        let place = self.writes(transaction).binary_search(&key).ok()?;
        Some(self.write_start[transaction as usize] as usize + place)
    }

    /// How many versions there are, initial ones included.
    pub(super) fn versions(&self) -> usize {
        self.writes.len() + self.keys()
    }

    /// Who wrote a key, by session and in the order of the session.
    pub(super) fn writers(&self, key: u32) -> &[u32] {
        let (from, to) = (self.writer_start[key as usize], self.writer_start[key as usize + 1]);
        &self.writers[from as usize..to as usize]
    }

    /// Who wrote a key, one slice for each session.
    pub(super) fn writers_by_session(&self, key: u32) -> impl Iterator<Item = &[u32]> {
        self.writers(key).chunk_by(|a, b| self.session[*a as usize] == self.session[*b as usize])
    }

    /// The transaction before this one in its session.
    pub(super) fn before(&self, transaction: u32) -> Option<u32> {
        let place = self.place[transaction as usize].checked_sub(1)?;
        Some(self.in_session(self.session[transaction as usize] as usize)[place as usize])
    }
}

/// Lists by group, each in the order in which its members come.
pub(super) fn grouped(
    groups: usize,
    pairs: impl Iterator<Item = (u32, u32)> + Clone,
) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; groups + 1];
    for (group, _) in pairs.clone() {
        start[group as usize + 1] += 1;
    }
    for group in 1..=groups {
        start[group] += start[group - 1];
    }
    let mut next = start.clone();
    let mut members = vec![0; start[groups] as usize];
    for (group, member) in pairs {
        let place = &mut next[group as usize];
        members[*place as usize] = member;
        *place += 1;
    }
    (start, members)
}

/// Who committed: of those with an unknown outcome whoever was seen by somebody who did. Others may be taken as aborted,
/// since leaving them out breaks no level.
fn included(history: &Transactions, sources: &Sources) -> Vec<bool> {
    let mut included: Vec<bool> =
        history.all().iter().map(|transaction| transaction.status == Status::Committed).collect();
    if history.all().iter().all(|transaction| transaction.status != Status::Unknown) {
        return included;
    }
    if !on(Rule::SeenUnknown) {
        return included;
    }
    let mut open: Vec<u32> = (0..).zip(&included).filter(|(_, is_in)| **is_in).map(|(t, _)| t).collect();
    while let Some(transaction) = open.pop() {
        let steps = history.steps(&history.all()[transaction as usize]);
        let mut see = |key, value| {
            if let Source::Step { transaction: writer, .. } = sources.of(history, key, value)
                && history.all()[writer as usize].status == Status::Unknown
                && !std::mem::replace(&mut included[writer as usize], true)
            {
                open.push(writer);
            }
        };
        for step in steps {
            match *step {
                Step::Read { key, value } => see(key, value),
                Step::ReadList { key, start, count } => {
                    history.list(start, count).iter().for_each(|element| see(key, *element));
                }
                Step::Write { .. } | Step::Append { .. } => {}
            }
        }
    }
    included
}

/// Attributes reads to writers, transaction after transaction.
struct Reader<'a> {
    history: &'a Transactions,
    sources: &'a Sources,
    facts: &'a Facts,
    elements: bool,
    /// Which committed transaction each one of the history is.
    number: Vec<u32>,
    /// For each key the transaction that wrote it last and the step with which it did.
    own: Vec<(u32, u32)>,
    /// For each step of the transaction its previous append to the same key.
    earlier: Vec<Option<u32>>,
    reads: Vec<Read>,
    read_start: Vec<u32>,
    flaw: Option<Violation>,
    unclear: Option<&'static str>,
}

impl<'a> Reader<'a> {
    fn new(history: &'a Transactions, sources: &'a Sources, facts: &'a Facts, elements: bool) -> Self {
        let mut number = vec![u32::MAX; history.all().len()];
        for (transaction, original) in (1..).zip(&facts.original[1..]) {
            number[*original as usize] = transaction;
        }
        Self {
            history,
            sources,
            facts,
            elements,
            number,
            own: vec![(u32::MAX, 0); history.keys() as usize],
            earlier: Vec::new(),
            reads: Vec::new(),
            read_start: vec![0, 0],
            flaw: None,
            unclear: None,
        }
    }

    fn wrong(&mut self, anomaly: Anomaly, places: Vec<Place>) {
        self.flaw.get_or_insert_with(|| Violation::at(anomaly, places));
    }

    fn read(&mut self, transaction: u32) {
        let steps = self.facts.steps(self.history, transaction);
        self.earlier.clear();
        for (step, done) in (0..).zip(steps) {
            let place = Place { transaction: self.facts.original[transaction as usize], step };
            let mut earlier = None;
            match *done {
                Step::Write { key, .. } => self.own[key.0 as usize] = (transaction, step),
                Step::Append { key, .. } => {
                    let own = std::mem::replace(&mut self.own[key.0 as usize], (transaction, step));
                    earlier = (own.0 == transaction).then_some(own.1);
                }
                Step::Read { key, value } => self.read_register(transaction, place, key, value),
                Step::ReadList { key, start, count } => {
                    self.read_list(transaction, place, key, self.history.list(start, count));
                }
            }
            self.earlier.push(earlier);
        }
        self.read_start.push(self.reads.len() as u32);
    }

    fn read_register(&mut self, transaction: u32, place: Place, key: Key, value: ValueId) {
        let (writer, step) = self.own[key.0 as usize];
        if writer != transaction {
            self.see(transaction, place, key, value, true);
            return;
        }
        let own = self.facts.steps(self.history, transaction)[step as usize];
        if written(&own) != Some((key, value)) {
            self.wrong(Anomaly::InternalInconsistency, vec![place, Place { step, ..place }]);
        }
    }

    /// Whatever the transaction has appended itself must be at the end of the list; the rest it read from others.
    fn read_list(&mut self, transaction: u32, place: Place, key: Key, list: &[ValueId]) {
        let (writer, step) = self.own[key.0 as usize];
        let mut own = (writer == transaction).then_some(step);
        let mut foreign = list;
        while let Some(step) = own {
            let appended = written(&self.facts.steps(self.history, transaction)[step as usize]);
            match foreign.split_last() {
                Some((last, rest)) if appended == Some((key, *last)) => foreign = rest,
                _ => {
                    self.wrong(Anomaly::InternalInconsistency, vec![place, Place { step, ..place }]);
                    return;
                }
            }
            own = self.earlier[step as usize];
        }
        let Some((last, rest)) = foreign.split_last() else {
            self.reads.push(Read { key: key.0, writer: INITIAL, top: true });
            return;
        };
        let before = self.reads.len();
        let inner = if self.elements { rest } else { &[] };
        let mut is_right = inner.iter().all(|element| self.see(transaction, place, key, *element, false));
        is_right &= self.see(transaction, place, key, *last, true);
        if !is_right {
            // A list of which something is wrong by itself does not count.
            self.reads.truncate(before);
        }
    }

    /// Attributes what was read; whether it is a read from another that committed.
    fn see(&mut self, transaction: u32, place: Place, key: Key, value: ValueId, top: bool) -> bool {
        if value == ValueId::INITIAL {
            self.reads.push(Read { key: key.0, writer: INITIAL, top });
            return true;
        }
        let (writer, step, last) = match self.sources.of(self.history, key, value) {
            Source::Step { transaction, step, last } => (transaction, step, last),
            Source::Several => {
                self.unclear = Some(
                    "a value that was read has several writers: write each value once for each key, or append to lists",
                );
                return false;
            }
            Source::Nobody => {
                self.wrong(Anomaly::ThinAirRead, vec![place]);
                return false;
            }
        };
        let source = Place { transaction: writer, step };
        let writer = self.number[writer as usize];
        if writer == transaction {
            self.wrong(Anomaly::FutureRead, vec![place, source]);
        } else if writer == u32::MAX {
            self.wrong(Anomaly::AbortedRead, vec![place, source]);
        } else {
            if !last && top {
                self.wrong(Anomaly::IntermediateRead, vec![place, source]);
            }
            let read = Read { key: key.0, writer, top };
            if top || self.reads.last() != Some(&read) {
                self.reads.push(read);
            }
            return true;
        }
        false
    }
}
