//! Breadth-first searches from many sources at once: a bit for each source, so that one pass over the edges advances all
//! of them (Then et al., "The more the merrier: efficient multi-source graph traversal", VLDB 2014).

use isles_kernel::ProcessId;

use crate::Graph;

/// Words of 64 sources that are searched at once.
const WORDS: usize = 8;
type Bits = [u64; WORDS];

/// So many searches run at once.
pub(crate) const BATCH: usize = WORDS * 64;

const NONE: Bits = [0; WORDS];

/// A level is pushed from its frontier while that has less than this share of all arcs; otherwise every node that misses
/// something pulls.
const PUSH_BELOW: usize = 12;

/// The graph in an order that keeps what is used together near together.
struct Rows {
    offsets: Vec<u32>,
    targets: Vec<u32>,
}

impl Rows {
    /// Nodes are renamed to their place in `order`; rows begin with the neighbours that come first there.
    fn new(graph: &Graph, order: &[u32], place: &[u32]) -> Self {
        let mut offsets = Vec::with_capacity(order.len() + 1);
        let mut targets = Vec::with_capacity(graph.arcs());
        offsets.push(0);
        for &node in order {
            let start = targets.len();
            targets.extend(graph.neighbors(ProcessId(node)).iter().map(|peer| place[peer.index()]));
            targets[start..].sort_unstable();
            offsets.push(targets.len() as u32);
        }
        Self { offsets, targets }
    }

    #[inline]
    fn row(&self, node: usize) -> &[u32] {
        &self.targets[self.offsets[node] as usize..self.offsets[node + 1] as usize]
    }
}

/// What a batch of searches finds at one distance from its sources.
pub(crate) struct Level {
    /// Hops from the sources, from 1 on.
    pub(crate) distance: u32,
    /// How many pairs of a source and a node are at that distance.
    pub(crate) pairs: u64,
    /// Which sources have such a node, a bit each.
    pub(crate) who: Bits,
    /// The pairs again, each counted as often as the node weighs.
    pub(crate) heavy_pairs: u64,
    /// Which sources have such a node that weighs something.
    pub(crate) heavy_who: Bits,
    /// The pairs again, each counted as often as source and node weigh, multiplied.
    pub(crate) heavy_both: u64,
}

/// The sources of a set of bits, by their place in the batch.
pub(crate) fn each_bit(bits: &Bits, mut visit: impl FnMut(usize)) {
    for (word, &bits) in bits.iter().enumerate() {
        let mut bits = bits;
        while bits != 0 {
            visit(word * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

/// Many searches over one graph; its memory is used again by each batch.
pub(crate) struct Searches {
    /// `order[place]` is a node of the graph: breadth-first from the node of highest degree of each component.
    order: Vec<u32>,
    place: Vec<u32>,
    outgoing: Rows,
    /// None if the graph is not directed: then it is `outgoing`.
    incoming: Option<Rows>,
    seen: Vec<Bits>,
    front: Vec<Bits>,
    next: Vec<Bits>,
    /// Nodes with something in `front`.
    frontier: Vec<u32>,
    /// Nodes with something in `next`.
    reached: Vec<u32>,
    /// What each node weighs, by its place; empty if none weighs anything.
    weights: Vec<u32>,
    /// Which sources have a weight with bit 0, with bit 1, and so on.
    planes: Vec<Bits>,
}

impl Searches {
    /// Searches over `graph`, each of whose nodes has one of the `weights`; without any, nothing weighs anything.
    pub(crate) fn new(graph: &Graph, weights: &[u32]) -> Self {
        let order = breadth_first_order(graph);
        let mut place = vec![0u32; order.len()];
        for (index, &node) in order.iter().enumerate() {
            place[node as usize] = index as u32;
        }
        let incoming = graph.is_directed().then(|| Rows::new(&graph.reversed(), &order, &place));
        let blank = || vec![NONE; order.len()];
        Self {
            outgoing: Rows::new(graph, &order, &place),
            incoming,
            seen: blank(),
            front: blank(),
            next: blank(),
            frontier: Vec::new(),
            reached: Vec::new(),
            weights: weights
                .first()
                .map_or_else(Vec::new, |_| order.iter().map(|&node| weights[node as usize]).collect()),
            planes: Vec::new(),
            order,
            place,
        }
    }

    /// All nodes, those that lie near each other together: batches in this order share their frontiers.
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    /// 1 if `source` weighs something, else 0: how far it sees before any search.
    pub(crate) fn own_leaf(&self, source: u32) -> u32 {
        let place = self.place[source as usize] as usize;
        self.weights.get(place).map_or(0, |weight| (*weight).min(1))
    }

    /// Searches from up to [`BATCH`] `sources`, and tells each level in turn.
    pub(crate) fn run(&mut self, sources: &[u32], mut at_level: impl FnMut(&Level)) {
        let all = self.begin(sources);
        for distance in 1.. {
            let arcs: usize = self.frontier.iter().map(|&node| self.outgoing.row(node as usize).len()).sum();
            if arcs == 0 {
                break;
            }
            let (pairs, who) =
                if arcs * PUSH_BELOW < self.outgoing.targets.len() { self.push() } else { self.pull(&all) };
            // What is now behind the frontier is blank for the level after the next.
            for &node in &self.frontier {
                self.front[node as usize] = NONE;
            }
            std::mem::swap(&mut self.front, &mut self.next);
            std::mem::swap(&mut self.frontier, &mut self.reached);
            if pairs == 0 {
                break;
            }
            let mut level = Level { distance, pairs, who, heavy_pairs: 0, heavy_who: NONE, heavy_both: 0 };
            self.weigh(&mut level);
            at_level(&level);
        }
    }

    /// Forgets what was before, and puts every source at its own distance 0; the bits of all sources.
    fn begin(&mut self, sources: &[u32]) -> Bits {
        debug_assert!(sources.len() <= BATCH);
        self.seen.fill(NONE);
        self.front.fill(NONE);
        self.next.fill(NONE);
        self.frontier.clear();
        self.planes.clear();
        let mut all = NONE;
        for (index, &source) in sources.iter().enumerate() {
            let place = self.place[source as usize];
            let (word, bit) = (index / 64, 1u64 << (index % 64));
            all[word] |= bit;
            self.seen[place as usize][word] |= bit;
            self.front[place as usize][word] |= bit;
            self.frontier.push(place);
            let weight = self.weights.get(place as usize).copied().unwrap_or(0);
            for plane in 0..(u32::BITS - weight.leading_zeros()) as usize {
                if self.planes.len() == plane {
                    self.planes.push(NONE);
                }
                self.planes[plane][word] |= if weight >> plane & 1 == 1 { bit } else { 0 };
            }
        }
        all
    }

    /// Counts the frontier again, by what its nodes weigh.
    fn weigh(&self, level: &mut Level) {
        if self.weights.is_empty() {
            return;
        }
        for &node in &self.frontier {
            let weight = u64::from(self.weights[node as usize]);
            if weight > 0 {
                let new = &self.front[node as usize];
                level.heavy_pairs += weight * count(new);
                or(&mut level.heavy_who, new);
                for (power, plane) in self.planes.iter().enumerate() {
                    let both: u64 =
                        new.iter().zip(plane).map(|(new, plane)| u64::from((new & plane).count_ones())).sum();
                    level.heavy_both += (weight << power) * both;
                }
            }
        }
    }

    /// From each node of the frontier to those that it leads to.
    fn push(&mut self) -> (u64, Bits) {
        self.reached.clear();
        for &node in &self.frontier {
            let bits = self.front[node as usize];
            for &peer in self.outgoing.row(node as usize) {
                let next = &mut self.next[peer as usize];
                if is_none(next) {
                    self.reached.push(peer);
                }
                or(next, &bits);
            }
        }
        let (mut pairs, mut who) = (0, NONE);
        let (next, seen) = (&mut self.next, &mut self.seen);
        self.reached.retain(|&node| {
            let new = without(&next[node as usize], &seen[node as usize]);
            next[node as usize] = new;
            or(&mut seen[node as usize], &new);
            or(&mut who, &new);
            let count = count(&new);
            pairs += count;
            count > 0
        });
        (pairs, who)
    }

    /// To each node that some source has not reached, from those that lead to it, until nothing is missing.
    fn pull(&mut self, all: &Bits) -> (u64, Bits) {
        let rows = self.incoming.as_ref().unwrap_or(&self.outgoing);
        let (mut pairs, mut who) = (0, NONE);
        self.reached.clear();
        for (node, (seen, next)) in self.seen.iter_mut().zip(&mut self.next).enumerate() {
            let missing = without(all, seen);
            if is_none(&missing) {
                continue;
            }
            let mut left = missing;
            for &peer in rows.row(node) {
                left = without(&left, &self.front[peer as usize]);
                if is_none(&left) {
                    break;
                }
            }
            let new = without(&missing, &left);
            if !is_none(&new) {
                *next = new;
                or(seen, &new);
                or(&mut who, &new);
                pairs += count(&new);
                self.reached.push(node as u32);
            }
        }
        (pairs, who)
    }
}

#[inline]
fn or(into: &mut Bits, bits: &Bits) {
    for word in 0..WORDS {
        into[word] |= bits[word];
    }
}

#[inline]
fn without(bits: &Bits, taken: &Bits) -> Bits {
    let mut rest = NONE;
    for word in 0..WORDS {
        rest[word] = bits[word] & !taken[word];
    }
    rest
}

/// Comparing with [`NONE`] would call a function that compares memory.
#[inline]
fn is_none(bits: &Bits) -> bool {
    bits.iter().fold(0, |any, word| any | word) == 0
}

#[inline]
fn count(bits: &Bits) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Every node once: breadth first, from the node of highest degree that is left, directions ignored.
fn breadth_first_order(graph: &Graph) -> Vec<u32> {
    let undirected = graph.is_directed().then(|| graph.undirected());
    let graph = undirected.as_ref().unwrap_or(graph);
    let mut by_degree: Vec<u32> = (0..graph.nodes()).collect();
    by_degree.sort_by_key(|&node| std::cmp::Reverse(graph.degree(ProcessId(node))));
    let mut known = vec![false; graph.nodes() as usize];
    let mut order = Vec::with_capacity(known.len());
    for start in by_degree {
        if std::mem::replace(&mut known[start as usize], true) {
            continue;
        }
        let mut next = order.len();
        order.push(start);
        while let Some(&node) = order.get(next) {
            next += 1;
            let first = order.len();
            for &peer in graph.neighbors(ProcessId(node)) {
                if !std::mem::replace(&mut known[peer.index()], true) {
                    order.push(peer.0);
                }
            }
            order[first..].sort_by_key(|&peer| std::cmp::Reverse(graph.degree(ProcessId(peer))));
        }
    }
    order
}
