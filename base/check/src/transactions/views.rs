//! Causal memory (CM) and pipelined memory (PRAM): what each session sees must be right in one order.
//!
//! For a session, whatever comes before one of its transactions and writes a key that this one reads from `w` comes before `w`; repeated until
//! nothing new follows (Bouajjani et al. 2017; Zennou et al. 2019). The view is right if there is no cycle then: what comes before
//! the session's first transaction, in any order that contains all this, then that transaction, then what else comes before the
//! second, and so on. For causal memory the order to start from is the causal one, for pipelined memory sessions and whom the session
//! itself read from.

use super::arcs::{Arc, Arcs, Visible, Why};
use super::certificate::View;
use super::facts::{Facts, INITIAL, grouped};

/// What came of it.
pub(super) enum Seen {
    /// A view for each session.
    Right(Vec<View>),
    /// A session, and arcs with a cycle.
    Wrong(u32, Arcs),
    /// So many sessions were looked at when the budget was used up.
    Unknown(usize),
}

/// Judges the view of each session; `causal` says whether to start from the causal order. The budget counts
/// transactions and arcs that are looked at.
pub(super) fn views(facts: &Facts, causal: bool, budget: u64) -> Seen {
    let count = facts.count() as usize;
    let follows =
        grouped(count, (0..).zip(&facts.lists.follows).map(|(number, follows)| (follows.to, number)));
    let mut work = Work { facts, causal, first: vec![u32::MAX; count], touched: Vec::new(), follows, budget };
    let mut views = Vec::with_capacity(facts.sessions());
    for session in 0..facts.sessions() {
        match work.session(session) {
            Ok(Some(order)) => {
                let order = order.iter().map(|transaction| facts.original[*transaction as usize]).collect();
                views.push(View { session: facts.session_names[session], key: None, order });
            }
            Ok(None) => return Seen::Unknown(session),
            Err(arcs) => return Seen::Wrong(facts.session_names[session], arcs),
        }
    }
    Seen::Right(views)
}

struct Work<'a> {
    facts: &'a Facts,
    causal: bool,
    /// The first transaction of the session, by its number in it, before which each one comes.
    first: Vec<u32>,
    touched: Vec<u32>,
    /// For each transaction what lists say of who comes before it.
    follows: (Vec<u32>, Vec<u32>),
    budget: u64,
}

impl Work<'_> {
    /// What a session sees, in an order; none if the budget does not suffice; arcs with a cycle if it is wrong.
    fn session(&mut self, session: usize) -> Result<Option<Vec<u32>>, Arcs> {
        let facts = self.facts;
        for transaction in self.touched.drain(..) {
            self.first[transaction as usize] = u32::MAX;
        }
        let mut derived: Vec<Arc> = Vec::new();
        let mut rounds = Vec::new();
        // Who comes before whom by what was derived.
        let mut before: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
        for &transaction in facts.in_session(session) {
            let place = facts.place[transaction as usize];
            if !self.reach(transaction, place, session, &before) {
                return Ok(None);
            }
        }
        loop {
            let from = derived.len();
            rounds.push(from);
            for &reader in facts.in_session(session) {
                if !self.derive(reader, &mut derived, &mut before) {
                    return Ok(None);
                }
            }
            if derived.len() == from {
                break;
            }
            for arc in &derived[from..] {
                let place = self.first[arc.to as usize];
                if arc.to == INITIAL {
                    return Err(self.arcs(session, &derived, &rounds));
                }
                if !self.reach(arc.from, place, session, &before) {
                    return Ok(None);
                }
            }
        }
        self.order(session, &derived).map(Some).ok_or_else(|| self.arcs(session, &derived, &rounds))
    }

    /// Notes that a transaction, and all that comes before it, comes before or is the session's transaction at `place`.
    fn reach(
        &mut self,
        transaction: u32,
        place: u32,
        session: usize,
        before: &std::collections::BTreeMap<u32, Vec<u32>>,
    ) -> bool {
        let facts = self.facts;
        let mut open = vec![transaction];
        while let Some(transaction) = open.pop() {
            let first = &mut self.first[transaction as usize];
            if *first <= place {
                continue;
            }
            if *first == u32::MAX {
                self.touched.push(transaction);
            }
            *first = place;
            open.extend(facts.before(transaction));
            if self.causal || facts.session[transaction as usize] as usize == session {
                let writers = facts.reads(transaction).iter().map(|read| read.writer);
                open.extend(writers.filter(|writer| *writer != INITIAL));
            }
            open.extend(before.get(&transaction).into_iter().flatten());
            let range = self.follows.0[transaction as usize]..self.follows.0[transaction as usize + 1];
            let follows = self.follows.1[range.start as usize..range.end as usize].iter();
            open.extend(follows.map(|number| facts.lists.follows[*number as usize].from));
            let cost = 1 + facts.reads(transaction).len() as u64;
            match self.budget.checked_sub(cost) {
                Some(rest) => self.budget = rest,
                None => return false,
            }
        }
        true
    }

    /// The arcs that follow from what a transaction of the session read.
    fn derive(
        &mut self,
        reader: u32,
        derived: &mut Vec<Arc>,
        before: &mut std::collections::BTreeMap<u32, Vec<u32>>,
    ) -> bool {
        let facts = self.facts;
        let place = facts.place[reader as usize];
        for read in facts.reads(reader).iter().filter(|read| read.top) {
            for writers in facts.writers_by_session(read.key) {
                let count = writers.partition_point(|writer| self.first[*writer as usize] <= place);
                let count = count - usize::from(count > 0 && writers[count - 1] == reader);
                let Some(&writer) = count.checked_sub(1).map(|count| &writers[count]) else { continue };
                let earlier = before.entry(read.writer).or_default();
                if writer == read.writer || earlier.contains(&writer) {
                    continue;
                }
                // A later writer of the same session says the same.
                earlier.retain(|other| {
                    facts.session[*other as usize] != facts.session[writer as usize]
                        || facts.place[*other as usize] > facts.place[writer as usize]
                        || !facts.wrote(*other, read.key)
                });
                earlier.push(writer);
                let why = Why::Overwritten { key: read.key, reader };
                derived.push(Arc { from: writer, to: read.writer, why });
            }
            let cost = 1 + facts.writers(read.key).len().min(facts.sessions()) as u64;
            match self.budget.checked_sub(cost) {
                Some(rest) => self.budget = rest,
                None => return false,
            }
        }
        true
    }

    /// All arcs of a session's view, for a certificate.
    fn arcs(&self, session: usize, derived: &[Arc], rounds: &[usize]) -> Arcs {
        let facts = self.facts;
        let mut arcs = Arcs::new(facts, false, Visible::Past);
        for &transaction in &self.touched {
            if let Some(before) = facts.before(transaction) {
                arcs.push(before, transaction, Why::Session);
            }
            if self.causal || facts.session[transaction as usize] as usize == session {
                for read in facts.reads(transaction).iter().filter(|read| read.writer != INITIAL) {
                    arcs.push(read.writer, transaction, Why::Read(read.key));
                }
            }
        }
        for (number, follows) in (0..).zip(&facts.lists.follows) {
            if self.first[follows.to as usize] != u32::MAX {
                arcs.push(follows.from, follows.to, Why::Follows(number));
            }
        }
        let base = arcs.all.len();
        arcs.rounds = rounds.iter().map(|round| round + base).collect();
        arcs.all.extend(derived);
        arcs
    }

    /// The session's transactions, each after what comes before it.
    fn order(&self, session: usize, derived: &[Arc]) -> Option<Vec<u32>> {
        let facts = self.facts;
        let arcs = self.arcs(session, derived, &[]);
        let count = facts.count() as usize;
        let mut missing: Vec<u32> = vec![0; count];
        let (start, to) = grouped(count, arcs.all.iter().map(|arc| (arc.from, arc.to)));
        for arc in &arcs.all {
            missing[arc.to as usize] += 1;
        }
        let mut ready = std::collections::BTreeSet::new();
        // The session's own transaction is the last of those that share its place.
        let rank =
            |node: u32| (self.first[node as usize], facts.session[node as usize] as usize == session, node);
        ready
            .extend(self.touched.iter().filter(|node| missing[**node as usize] == 0).map(|node| rank(*node)));
        let mut order = Vec::with_capacity(self.touched.len());
        while let Some((_, _, node)) = ready.pop_first() {
            order.push(node);
            for &later in &to[start[node as usize] as usize..start[node as usize + 1] as usize] {
                missing[later as usize] -= 1;
                if missing[later as usize] == 0 {
                    ready.insert(rank(later));
                }
            }
        }
        (order.len() == self.touched.len()).then_some(order)
    }
}
