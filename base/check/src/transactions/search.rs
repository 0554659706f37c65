//! Tries orders of begins and commits until one is right.
//!
//! The frontier search of Biswas and Enea (OOPSLA 2019): whether a partial order of execution can be completed depends only on the set of points
//! that were executed, if a key is never overwritten while somebody must still read it; so each set is tried once. Steps
//! that cannot hurt are taken without trying others: reads, and writes that nobody will read or that nobody will overwrite.
//! Sets are told apart by 128-bit sums of random words (Zobrist), which two sets share with a probability of 2^-128.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::arcs::Arcs;
use super::facts::{Facts, INITIAL, grouped};
use super::saturate::Kind;

/// What came of a search.
pub(super) enum Found {
    /// Nodes in an order that is right.
    Order(Vec<u32>),
    /// There is none.
    None,
    /// The budget was used up; so many nodes were in place at best, with so many ways to go on.
    Unknown(usize, usize),
}

/// Looks for an order that contains all arcs, trying first what comes first in `preferred`.
pub(super) fn search(facts: &Facts, arcs: &Arcs, kind: Kind, preferred: &[u32], budget: u64) -> Found {
    let mut state = State::new(facts, arcs, kind, preferred);
    let points = arcs.nodes as usize - arcs.begin(1) as usize;
    let mut frames = vec![Frame { ways: state.ways(), executed: None }];
    let mut tried: HashSet<u128, FxBuildHasher> = HashSet::default();
    let (mut steps, mut best) = (0, (0, 0));
    while let Some(frame) = frames.last_mut() {
        if state.done.len() == points {
            let order =
                state.done.iter().map(|(node, _)| *node).filter(|node| arcs.transaction(*node).is_some());
            return Found::Order(order.collect());
        }
        let Some(node) = frame.ways.pop() else {
            if frame.executed.is_some() {
                state.undo();
            }
            frames.pop();
            continue;
        };
        state.execute(node);
        steps += 1;
        if steps > budget {
            return Found::Unknown(best.0, best.1);
        }
        if !tried.insert(state.hash) {
            state.undo();
            continue;
        }
        let ways = state.ways();
        if state.done.len() > best.0 {
            best = (state.done.len(), ways.len());
        }
        frames.push(Frame { ways, executed: Some(node) });
    }
    Found::None
}

struct Frame {
    /// What can be executed next and was not tried yet; the last is tried first.
    ways: Vec<u32>,
    executed: Option<u32>,
}

struct State<'a> {
    facts: &'a Facts,
    arcs: &'a Arcs,
    kind: Kind,
    out: (Vec<u32>, Vec<u32>),
    rank: Vec<u32>,
    /// How many nodes that must come before each one are missing.
    missing: Vec<u32>,
    /// Nodes of which none that must come before is missing, by rank; executed ones are not in it.
    ready: std::collections::BTreeSet<(u32, u32)>,
    /// For each version how many transactions must still read it, and how many read it at all.
    unread: Vec<u32>,
    readers: Vec<u32>,
    /// For each read the version that it reads, for each write the version that it makes.
    current: Vec<u32>,
    /// How many writers of each key are not executed.
    writers: Vec<u32>,
    /// Who is between its begin and its commit and writes this key.
    locked: Vec<bool>,
    /// What was executed, with the versions that its writes replaced.
    done: Vec<(u32, Vec<u32>)>,
    hash: u128,
}

impl<'a> State<'a> {
    fn new(facts: &'a Facts, arcs: &'a Arcs, kind: Kind, preferred: &[u32]) -> Self {
        let mut missing = vec![0; arcs.nodes as usize];
        for arc in &arcs.all {
            missing[arc.to as usize] += 1;
        }
        let mut rank = vec![0; arcs.nodes as usize];
        for (place, node) in (0..).zip(preferred) {
            rank[*node as usize] = place;
        }
        let mut readers = vec![0; facts.versions()];
        for reader in 1..facts.count() {
            for read in facts.reads(reader) {
                if let Some(version) = facts.version(read.writer, read.key) {
                    readers[version] += 1;
                }
            }
        }
        let ready = (arcs.begin(1)..arcs.nodes)
            .filter(|node| missing[*node as usize] == 0)
            .map(|node| (rank[node as usize], node))
            .collect();
        let out = grouped(arcs.nodes as usize, arcs.all.iter().map(|arc| (arc.from, arc.to)));
        let writers = (0..facts.keys() as u32).map(|key| facts.writers(key).len() as u32).collect();
        Self {
            facts,
            arcs,
            kind,
            out,
            rank,
            missing,
            ready,
            unread: readers.clone(),
            readers,
            current: vec![INITIAL; facts.keys()],
            writers,
            locked: vec![false; facts.keys()],
            done: Vec::new(),
            hash: 0,
        }
    }

    fn version(&self, transaction: u32, key: u32) -> usize {
        self.facts.version(transaction, key).expect("it wrote the key")
    }

    /// Whether a node reads, and whether it writes.
    fn parts(&self, node: u32) -> (u32, bool, bool) {
        match self.arcs.transaction(node) {
            None => (INITIAL, false, false),
            Some(transaction) if !self.arcs.split => (transaction, true, true),
            Some(transaction) => (transaction, self.arcs.is_begin(node), !self.arcs.is_begin(node)),
        }
    }

    fn fits(&self, node: u32) -> bool {
        let (transaction, reads, writes) = self.parts(node);
        let (facts, kind) = (self.facts, self.kind);
        if reads {
            let is_current =
                facts.reads(transaction).iter().all(|read| self.current[read.key as usize] == read.writer);
            let overlaps = kind == Kind::Snapshot
                && facts.writes(transaction).iter().any(|key| self.locked[*key as usize]);
            if !is_current || overlaps {
                return false;
            }
        }
        !writes
            || facts.writes(transaction).iter().all(|&key| {
                let current = self.current[key as usize];
                let own = if reads {
                    facts
                        .reads(transaction)
                        .iter()
                        .filter(|read| read.key == key && read.writer == current)
                        .count()
                } else {
                    0
                };
                self.unread[self.version(current, key)] == own as u32
            })
    }

    /// Whether executing a node that fits cannot make anything else impossible.
    fn is_safe(&self, node: u32) -> bool {
        let (transaction, reads, writes) = self.parts(node);
        let written = self.facts.writes(transaction);
        if writes {
            return written.iter().all(|&key| {
                self.readers[self.version(transaction, key)] == 0 || self.writers[key as usize] == 1
            });
        }
        !reads || self.kind == Kind::Prefix || written.is_empty()
    }

    /// What can come next, best last; a single one if that cannot hurt.
    fn ways(&self) -> Vec<u32> {
        let mut ways = Vec::new();
        for &(_, node) in &self.ready {
            if self.fits(node) {
                if self.is_safe(node) {
                    return vec![node];
                }
                ways.push(node);
            }
        }
        ways.reverse();
        ways
    }

    fn execute(&mut self, node: u32) {
        let (transaction, reads, writes) = self.parts(node);
        let facts = self.facts;
        self.ready.remove(&(self.rank[node as usize], node));
        if reads {
            for read in facts.reads(transaction) {
                let version = self.version(read.writer, read.key);
                self.unread[version] -= 1;
            }
            if self.arcs.split {
                self.lock(transaction, true);
            }
        }
        let mut replaced = Vec::new();
        if writes {
            for &key in facts.writes(transaction) {
                replaced.push(std::mem::replace(&mut self.current[key as usize], transaction));
                self.writers[key as usize] -= 1;
            }
            if self.arcs.split {
                self.lock(transaction, false);
            }
        }
        for place in self.out.0[node as usize]..self.out.0[node as usize + 1] {
            let later = self.out.1[place as usize];
            self.missing[later as usize] -= 1;
            if self.missing[later as usize] == 0 {
                self.ready.insert((self.rank[later as usize], later));
            }
        }
        self.done.push((node, replaced));
        self.hash ^= word(node);
    }

    fn undo(&mut self) {
        let Some((node, replaced)) = self.done.pop() else { return };
        let (transaction, reads, writes) = self.parts(node);
        let facts = self.facts;
        self.hash ^= word(node);
        for place in self.out.0[node as usize]..self.out.0[node as usize + 1] {
            let later = self.out.1[place as usize];
            if self.missing[later as usize] == 0 {
                self.ready.remove(&(self.rank[later as usize], later));
            }
            self.missing[later as usize] += 1;
        }
        if writes {
            for (&key, before) in facts.writes(transaction).iter().zip(replaced) {
                self.current[key as usize] = before;
                self.writers[key as usize] += 1;
            }
            if self.arcs.split {
                self.lock(transaction, true);
            }
        }
        if reads {
            for read in facts.reads(transaction) {
                let version = self.version(read.writer, read.key);
                self.unread[version] += 1;
            }
            if self.arcs.split {
                self.lock(transaction, false);
            }
        }
        self.ready.insert((self.rank[node as usize], node));
    }

    fn lock(&mut self, transaction: u32, locked: bool) {
        if self.kind == Kind::Snapshot {
            for &key in self.facts.writes(transaction) {
                self.locked[key as usize] = locked;
            }
        }
    }
}

/// A word for a node that looks random (SplitMix64, Steele et al. 2014), twice.
fn word(node: u32) -> u128 {
    let half = |seed: u64| {
        let mut word =
            (u64::from(node) ^ seed).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xD129_0DF4_2A5A_5B21);
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    };
    u128::from(half(0)) << 64 | u128::from(half(0x5851_F42D_4C95_7F2D))
}
