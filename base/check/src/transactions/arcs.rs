//! What must come before what, each with a short reason, and how reasons become a certificate.

use std::collections::{BTreeMap, BinaryHeap};

use isles_history::{Key, ValueId};

use super::certificate::{Edge, Point, Reason};
use super::cycles::is_free;
use super::facts::{Facts, INITIAL, grouped};
use super::guarantees::seen;
use super::level::Level;
use super::lists::Follows;
use super::rules::{Rule, on};

/// Why an arc is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Why {
    Within,
    Session,
    /// Out of a helper that stands for an instant.
    Time,
    Read(u32),
    /// Which of [`super::lists::Lists::follows`].
    Follows(u32),
    /// Which of [`Arcs::shown`].
    Shown(u32),
    Misses(Key, ValueId),
    /// Into a helper, or between two.
    Enter,
    Overwritten {
        key: u32,
        reader: u32,
    },
    ReadBefore {
        key: u32,
        writer: u32,
    },
    NoOverlap(u32),
}

/// The node `from` comes before the node `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arc {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) why: Why,
}

/// What of the past of a transaction is visible to its reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Visible {
    /// Whom it read from.
    Read,
    /// Whom it read from, and its session.
    Step,
    /// Its causal past.
    Causal,
    /// All that comes before it.
    Past,
    /// What a session guarantee says.
    Guarantee(Level),
}

/// Arcs between the points of transactions.
pub(super) struct Arcs {
    /// Whether begins and commits are different nodes.
    pub(super) split: bool,
    /// How many transactions there are, the initial state included.
    transactions: u32,
    /// How many nodes there are, helpers included.
    pub(super) nodes: u32,
    pub(super) all: Vec<Arc>,
    /// Where the arcs of each round of derivation begin: they rest on earlier ones only.
    pub(super) rounds: Vec<usize>,
    /// What single lists show.
    pub(super) shown: Vec<Follows>,
    pub(super) visible: Visible,
}

impl Arcs {
    pub(super) const fn new(facts: &Facts, split: bool, visible: Visible) -> Self {
        let transactions = facts.original.len() as u32;
        let nodes = if split { 2 * transactions } else { transactions };
        Self { split, transactions, nodes, all: Vec::new(), rounds: Vec::new(), shown: Vec::new(), visible }
    }

    /// The node of a transaction's begin.
    pub(super) const fn begin(&self, transaction: u32) -> u32 {
        if self.split { 2 * transaction } else { transaction }
    }

    /// The node of a transaction's commit.
    pub(super) const fn commit(&self, transaction: u32) -> u32 {
        if self.split { 2 * transaction + 1 } else { transaction }
    }

    /// The transaction of a node; none for helpers.
    pub(super) const fn transaction(&self, node: u32) -> Option<u32> {
        let transaction = if self.split { node / 2 } else { node };
        if transaction < self.transactions { Some(transaction) } else { None }
    }

    /// Whether a node is a begin and no commit.
    pub(super) const fn is_begin(&self, node: u32) -> bool {
        self.split && node.is_multiple_of(2)
    }

    pub(super) fn push(&mut self, from: u32, to: u32, why: Why) {
        self.all.push(Arc { from, to, why });
    }

    /// Adds a node that is no point of a transaction.
    pub(super) const fn helper(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    /// Sessions, and who read from whom.
    pub(super) fn push_sessions(&mut self, facts: &Facts) {
        for transaction in 1..facts.count() {
            if let Some(before) = facts.before(transaction).filter(|_| on(Rule::SessionOrder)) {
                self.push(self.commit(before), self.begin(transaction), Why::Session);
            }
        }
    }

    /// Who read from whom.
    pub(super) fn push_reads(&mut self, facts: &Facts) {
        for transaction in 1..facts.count() {
            let mut last = INITIAL;
            for read in facts.reads(transaction) {
                if read.writer != INITIAL && read.writer != last && on(Rule::ReadsFrom) {
                    last = read.writer;
                    self.push(self.commit(read.writer), self.begin(transaction), Why::Read(read.key));
                }
            }
        }
    }

    /// What lists show of the order of versions.
    pub(super) fn push_follows(&mut self, facts: &Facts, no_overlap: bool) {
        for (number, follows) in (0..).zip(&facts.lists.follows).filter(|_| on(Rule::ListFollows)) {
            let to = if no_overlap { self.begin(follows.to) } else { self.commit(follows.to) };
            self.push(self.commit(follows.from), to, Why::Follows(number));
        }
    }

    /// The arcs out of each node, by their numbers.
    pub(super) fn out(&self) -> (Vec<u32>, Vec<u32>) {
        grouped(self.nodes as usize, (0..).zip(&self.all).map(|(number, arc)| (arc.from, number)))
    }

    /// The nodes in an order that contains all arcs, or none if there is a cycle. Any arc to the initial state makes one.
    pub(super) fn topological(&self) -> Option<Vec<u32>> {
        let initial = self.commit(INITIAL);
        let mut open = vec![0u32; self.nodes as usize];
        for arc in &self.all {
            if arc.to <= initial {
                if on(Rule::InitialFirst) {
                    return None;
                }
                continue;
            }
            open[arc.to as usize] += 1;
        }
        let (start, to) = grouped(self.nodes as usize, self.all.iter().map(|arc| (arc.from, arc.to)));
        let mut order: Vec<u32> = (0..self.nodes).filter(|node| open[*node as usize] == 0).collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &later in &to[start[node as usize] as usize..start[node as usize + 1] as usize] {
                open[later as usize] -= 1;
                if open[later as usize] == 0 {
                    order.push(later);
                }
            }
        }
        (order.len() == self.nodes as usize).then_some(order)
    }

    /// The same with transactions of a lower rank as early as possible.
    pub(super) fn topological_by(&self, rank: &[u64]) -> Option<Vec<u32>> {
        let mut open = vec![0u32; self.nodes as usize];
        self.all.iter().for_each(|arc| open[arc.to as usize] += 1);
        let (start, to) = grouped(self.nodes as usize, self.all.iter().map(|arc| (arc.from, arc.to)));
        // Helpers come as soon as they can.
        let key = |node: u32| {
            let rank = self.transaction(node).map_or(0, |transaction| rank[transaction as usize]);
            std::cmp::Reverse((rank, node))
        };
        let mut ready: BinaryHeap<_> =
            (0..self.nodes).filter(|node| open[*node as usize] == 0).map(key).collect();
        let mut order = Vec::with_capacity(self.nodes as usize);
        while let Some(std::cmp::Reverse((_, node))) = ready.pop() {
            order.push(node);
            for &later in &to[start[node as usize] as usize..start[node as usize + 1] as usize] {
                open[later as usize] -= 1;
                if open[later as usize] == 0 {
                    ready.push(key(later));
                }
            }
        }
        (order.len() == self.nodes as usize).then_some(order)
    }

    fn point(&self, facts: &Facts, node: u32) -> Point {
        match self.transaction(node) {
            Some(INITIAL) | None => Point::Initial,
            Some(transaction) if self.is_begin(node) => Point::Begin(facts.original[transaction as usize]),
            Some(transaction) => Point::Commit(facts.original[transaction as usize]),
        }
    }
}

/// Turns arcs into edges that rest on one another.
pub(super) struct Explainer<'a> {
    arcs: &'a Arcs,
    facts: &'a Facts,
    out: (Vec<u32>, Vec<u32>),
    made: BTreeMap<(u32, u32), u32>,
    pub(super) edges: Vec<Edge>,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(arcs: &'a Arcs, facts: &'a Facts) -> Self {
        Self { arcs, facts, out: arcs.out(), made: BTreeMap::new(), edges: Vec::new() }
    }

    /// Edges for a path of arcs; a way through helpers, or along a session, becomes one edge.
    pub(super) fn edges(&mut self, path: &[u32]) -> Vec<u32> {
        let arc = |place: usize| path.get(place).map(|number| self.arcs.all[*number as usize]);
        let why = |place| arc(place).map(|arc| arc.why);
        let mut parts = Vec::new();
        let mut place = 0;
        while let Some(first) = arc(place) {
            let from = place;
            while why(place) == Some(Why::Enter) && place + 1 < path.len() {
                place += 1;
            }
            if first.why == Why::Session {
                loop {
                    match (why(place + 1), why(place + 2)) {
                        (Some(Why::Session), _) => place += 1,
                        (Some(Why::Within), Some(Why::Session)) => place += 2,
                        _ => break,
                    }
                }
            }
            parts.push((from, place));
            place += 1;
        }
        parts.into_iter().map(|(from, to)| self.edge(path[from], path[to])).collect()
    }

    /// The edge from where one arc begins to where another ends, with the reason of the latter.
    fn edge(&mut self, first: u32, last: u32) -> u32 {
        if let Some(edge) = self.made.get(&(first, last)) {
            return *edge;
        }
        let (from, arc) = (self.arcs.all[first as usize].from, self.arcs.all[last as usize]);
        let reason = self.reason(last, arc);
        let (from, to) = (self.arcs.point(self.facts, from), self.arcs.point(self.facts, arc.to));
        self.edges.push(Edge { from, to, reason });
        let edge = self.edges.len() as u32 - 1;
        self.made.insert((first, last), edge);
        edge
    }

    /// The edge from the initial state to a node.
    pub(super) fn initial(&mut self, to: u32) -> u32 {
        let to = self.arcs.point(self.facts, to);
        self.edges.push(Edge { from: Point::Initial, to, reason: Reason::Initial });
        self.edges.len() as u32 - 1
    }

    fn reason(&mut self, number: u32, arc: Arc) -> Reason {
        let (arcs, facts) = (self.arcs, self.facts);
        let original = |transaction: u32| facts.original[transaction as usize];
        match arc.why {
            Why::Within => Reason::Within,
            Why::Session => Reason::Session,
            Why::Time | Why::Enter => Reason::RealTime,
            Why::Read(key) => Reason::Read(Key(key)),
            Why::Follows(which) | Why::Shown(which) => {
                let is_own = matches!(arc.why, Why::Shown(_));
                let follows =
                    if is_own { arcs.shown[which as usize] } else { facts.lists.follows[which as usize] };
                Reason::ListOrder {
                    key: follows.key,
                    first: follows.first,
                    second: follows.second,
                    reader: original(follows.reader),
                }
            }
            Why::Misses(key, element) => Reason::Missing(key, element),
            Why::Overwritten { key, reader } => {
                let because = match arcs.visible {
                    Visible::Guarantee(level) => self.guarantee(level, (key, arc.from, arc.to, reader)),
                    _ => self.because(number, arc.from, arcs.begin(reader)),
                };
                Reason::Overwritten { key: Key(key), reader: original(reader), because }
            }
            Why::ReadBefore { key, writer } => {
                let because = if writer == INITIAL {
                    vec![self.initial(arc.to)]
                } else {
                    self.because(number, arcs.commit(writer), arc.to)
                };
                let from = arcs.point(facts, arcs.commit(writer));
                Reason::ReadBefore { key: Key(key), from, because }
            }
            Why::NoOverlap(key) => {
                let transaction = |node| arcs.transaction(node).expect("it has a transaction");
                let (from, to) = (arcs.begin(transaction(arc.from)), arcs.commit(transaction(arc.to)));
                Reason::NoOverlap { key: Key(key), because: self.because(number, from, to) }
            }
        }
    }

    /// Why a session must not read anything older than a write.
    fn guarantee(&mut self, level: Level, (key, from, to, reader): (u32, u32, u32, u32)) -> Vec<u32> {
        let (arcs, facts) = (self.arcs, self.facts);
        let mut found = Vec::new();
        for (from, to, read) in seen(facts, level, (key, from, to, reader)) {
            let reason = read.map_or(Reason::Session, |key| Reason::Read(Key(key)));
            self.edges.push(Edge { from: arcs.point(facts, from), to: arcs.point(facts, to), reason });
            found.push(self.edges.len() as u32 - 1);
        }
        found
    }

    /// A shortest way from one node to another along arcs that were there before this one was derived.
    fn because(&mut self, number: u32, from: u32, to: u32) -> Vec<u32> {
        let rounds = &self.arcs.rounds;
        let limit = match rounds.partition_point(|start| *start <= number as usize) {
            0 => self.arcs.all.len(),
            round => rounds[round - 1],
        };
        let visible = self.arcs.visible;
        let session = |node| self.arcs.transaction(node).map(|at| self.facts.session[at as usize]);
        let is_own = visible == Visible::Step && session(from) == session(to);
        let is_allowed = |number: u32, arc: &Arc| {
            (number as usize) < limit
                && match visible {
                    Visible::Read | Visible::Step => {
                        is_own && arc.why == Why::Session
                            || matches!(arc.why, Why::Read(_)) && (arc.from, arc.to) == (from, to)
                    }
                    Visible::Causal => matches!(arc.why, Why::Read(_) | Why::Session),
                    Visible::Past | Visible::Guarantee(_) => true,
                }
        };
        let path = self.shortest(from, to, is_allowed).expect("the arc was derived from such a way");
        self.edges(&path)
    }

    /// A shortest way along allowed arcs.
    fn shortest(&self, from: u32, to: u32, is_allowed: impl Fn(u32, &Arc) -> bool) -> Option<Vec<u32>> {
        let mut came = vec![u32::MAX; self.arcs.nodes as usize];
        let (mut level, mut later) = (vec![from], Vec::new());
        'search: while !level.is_empty() {
            let mut place = 0;
            while let Some(&node) = level.get(place) {
                place += 1;
                let (start, end) = (self.out.0[node as usize], self.out.0[node as usize + 1]);
                for &number in &self.out.1[start as usize..end as usize] {
                    let arc = &self.arcs.all[number as usize];
                    if arc.to != from && came[arc.to as usize] == u32::MAX && is_allowed(number, arc) {
                        came[arc.to as usize] = number;
                        if arc.to == to {
                            break 'search;
                        }
                        if is_free(arc.why) { level.push(arc.to) } else { later.push(arc.to) }
                    }
                }
            }
            level = std::mem::take(&mut later);
        }
        let mut path = Vec::new();
        let mut node = to;
        while node != from {
            let number = came[node as usize];
            if number == u32::MAX {
                return None;
            }
            path.push(number);
            node = self.arcs.all[number as usize].from;
        }
        path.reverse();
        Some(path)
    }
}
