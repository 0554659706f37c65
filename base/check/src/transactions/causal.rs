//! Causal consistency (CC) and causal convergence (CCv), in O(n·k) for k sessions.
//!
//! A clock of a transaction says how many transactions of each session are in its causal past. For each read of `t1` and each session
//! that writes the key, the latest writer in the reader's causal past comes before `t1` (Møldrup and Pavlogiannis, PLDI 2025; Bouajjani et al.
//! 2017). Clocks are dense, since joining dense ones is a loop without branches, and live only from a transaction to its
//! last reader; if even those are too many, sessions are treated in blocks, each in its own pass, so that memory has a bound
//! whatever the history is. Arcs that the causal order contains already are left out.

use super::arcs::{Arcs, Visible, Why};
use super::facts::{Facts, INITIAL};

/// Entries of clocks that may be in memory.
const ENTRIES_MAX: usize = 64 << 20;

/// What causal convergence demands.
pub(super) struct Causal {
    /// Sessions, who read from whom, and what must therefore come before what.
    pub(super) arcs: Arcs,
    /// Whether sessions and who read from whom are acyclic by themselves.
    pub(super) is_ordered: bool,
}

/// What must come before what at causal convergence.
pub(super) fn convergence(facts: &Facts) -> Causal {
    let mut arcs = base(facts);
    let Some(order) = order(facts) else { return Causal { arcs, is_ordered: false } };
    let mut recent = Recent::default();
    let sweep = Sweep::new(facts, &order, ENTRIES_MAX);
    sweep.run(|reader, clock, clocks| {
        for read in facts.reads(reader).iter().filter(|read| read.top) {
            let of_writer = clocks.get(read.writer);
            for writers in facts.writers_by_session(read.key) {
                let session = facts.session[writers[0] as usize] as usize;
                let Some(seen) = clock.get(session) else { continue };
                let Some(later) = latest(facts, writers, seen, reader) else { continue };
                let known = of_writer.and_then(|clock| clock.get(session)).unwrap_or(0);
                if later != read.writer
                    && facts.place[later as usize] + 1 > known
                    && recent.is_new(later, read.writer)
                {
                    arcs.push(later, read.writer, Why::Overwritten { key: read.key, reader });
                }
            }
        }
    });
    Causal { arcs, is_ordered: true }
}

/// Those arcs of causal convergence that contradict the causal order by themselves: what was read had been overwritten.
pub(super) fn overwritten(facts: &Facts, convergence: &Causal) -> Arcs {
    let mut arcs = base(facts);
    if !convergence.is_ordered {
        return arcs;
    }
    let Some(order) = order(facts) else { return arcs };
    let suspects: Vec<_> = convergence
        .arcs
        .all
        .iter()
        .filter(|arc| matches!(arc.why, Why::Overwritten { .. }))
        .copied()
        .collect();
    let pairs = (0..).zip(&suspects).map(|(number, arc)| (arc.from, number));
    let (start, members) = super::facts::grouped(facts.count() as usize, pairs);
    // One is enough; together they would speak of a common order.
    if let Some(arc) = suspects.iter().find(|arc| arc.to == INITIAL) {
        arcs.all.push(*arc);
        return arcs;
    }
    let mut found = None;
    Sweep::new(facts, &order, ENTRIES_MAX).run(|overwriter, clock, _| {
        let at = overwriter as usize;
        for &number in &members[start[at] as usize..start[at + 1] as usize] {
            let arc = suspects[number as usize];
            if let Some(seen) = clock.get(facts.session[arc.to as usize] as usize)
                && seen > facts.place[arc.to as usize]
            {
                found = found.or(Some(arc));
            }
        }
    });
    arcs.all.extend(found);
    arcs
}

fn base(facts: &Facts) -> Arcs {
    let mut arcs = Arcs::new(facts, false, Visible::Causal);
    arcs.push_sessions(facts);
    arcs.push_reads(facts);
    arcs.push_follows(facts, false);
    arcs
}

/// The latest of a session's writers of which a clock has `seen` transactions; of the reader's own session only earlier ones.
pub(super) fn latest(facts: &Facts, writers: &[u32], seen: u32, reader: u32) -> Option<u32> {
    let mut count = writers.partition_point(|writer| facts.place[*writer as usize] < seen);
    if count > 0 && writers[count - 1] == reader {
        count -= 1;
    }
    count.checked_sub(1).map(|place| writers[place])
}

/// Transactions in an order that contains the causal one, close to that of the history; none if it is cyclic.
pub(super) fn order(facts: &Facts) -> Option<Vec<u32>> {
    let count = facts.count() as usize;
    let mut order = Vec::with_capacity(count);
    // 0: not reached, 1: what it depends on is being visited, 2: in the order.
    let mut state = vec![0u8; count];
    let mut stack: Vec<(u32, usize)> = Vec::new();
    for root in 1..facts.count() {
        if state[root as usize] != 0 {
            continue;
        }
        state[root as usize] = 1;
        stack.push((root, 0));
        while let Some((transaction, next)) = stack.last_mut() {
            let reads = facts.reads(*transaction);
            let earlier = match next.checked_sub(1) {
                None => facts.before(*transaction).unwrap_or(INITIAL),
                Some(place) if place < reads.len() => reads[place].writer,
                Some(_) => {
                    state[*transaction as usize] = 2;
                    order.push(*transaction);
                    stack.pop();
                    continue;
                }
            };
            *next += 1;
            match state[earlier as usize] {
                _ if earlier == INITIAL => {}
                0 => {
                    state[earlier as usize] = 1;
                    stack.push((earlier, 0));
                }
                1 => return None,
                _ => {}
            }
        }
    }
    Some(order)
}

/// A part of a clock: the sessions of one block.
#[derive(Clone, Copy)]
pub(super) struct Clock<'a> {
    from: usize,
    counts: &'a [u32],
}

impl Clock<'_> {
    /// How many transactions of a session it has seen; none if the session belongs to another block.
    pub(super) fn get(&self, session: usize) -> Option<u32> {
        self.counts.get(session.checked_sub(self.from)?).copied()
    }
}

/// The clocks that are in memory.
#[derive(Clone, Copy)]
pub(super) struct Clocks<'a> {
    from: usize,
    width: usize,
    slot: &'a [u32],
    pool: &'a [u32],
}

impl<'a> Clocks<'a> {
    /// The clock of a transaction that will be read from later or now.
    pub(super) fn get(&self, transaction: u32) -> Option<Clock<'a>> {
        let slot = self.slot[transaction as usize];
        let start = slot as usize * self.width;
        (slot != u32::MAX).then(|| Clock { from: self.from, counts: &self.pool[start..start + self.width] })
    }
}

/// Computes the clocks of all transactions, in their order.
pub(super) struct Sweep<'a> {
    facts: &'a Facts,
    order: &'a [u32],
    /// How many transactions still need the clock of each one.
    needed: Vec<u32>,
    /// How many sessions a block has.
    width: usize,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(facts: &'a Facts, order: &'a [u32], entries_max: usize) -> Self {
        let mut needed = vec![0u32; facts.count() as usize];
        for &transaction in order {
            for read in facts.reads(transaction) {
                needed[read.writer as usize] += 1;
            }
            if let Some(before) = facts.before(transaction) {
                needed[before as usize] += 1;
            }
        }
        let (mut open, mut live, mut most) = (needed.clone(), 0usize, 0usize);
        for &transaction in order {
            live += 1;
            most = most.max(live);
            let before = facts.before(transaction);
            let sources = facts.reads(transaction).iter().map(|read| read.writer).chain(before);
            for source in sources.filter(|source| *source != INITIAL) {
                open[source as usize] -= 1;
                live -= usize::from(open[source as usize] == 0);
            }
            live -= usize::from(open[transaction as usize] == 0);
        }
        let width = (entries_max / most.max(1)).clamp(1, facts.sessions().max(1));
        Self { facts, order, needed, width }
    }

    /// Calls `visit` for each transaction with its clock and the clocks of those that it read from; once for each block.
    pub(super) fn run(&self, mut visit: impl FnMut(u32, Clock<'_>, Clocks<'_>)) {
        let facts = self.facts;
        for from in (0..facts.sessions()).step_by(self.width) {
            let width = self.width.min(facts.sessions() - from);
            let mut pool: Vec<u32> = Vec::new();
            let mut free: Vec<u32> = Vec::new();
            let mut slot = vec![u32::MAX; facts.count() as usize];
            let mut open = self.needed.clone();
            let mut clock = vec![0u32; width];
            for &transaction in self.order {
                let part = |slot: u32| slot as usize * width..(slot as usize + 1) * width;
                let before = facts.before(transaction);
                match before {
                    Some(before) => clock.copy_from_slice(&pool[part(slot[before as usize])]),
                    None => clock.fill(0),
                }
                for read in facts.reads(transaction).iter().filter(|read| read.writer != INITIAL) {
                    let session = facts.session[read.writer as usize] as usize;
                    // Who has seen a transaction has seen its past.
                    let is_known = (from..from + width).contains(&session)
                        && clock[session - from] > facts.place[read.writer as usize];
                    if !is_known {
                        join(&mut clock, &pool[part(slot[read.writer as usize])]);
                    }
                }
                let session = facts.session[transaction as usize] as usize;
                if (from..from + width).contains(&session) {
                    clock[session - from] = facts.place[transaction as usize] + 1;
                }
                let clocks = Clocks { from, width, slot: &slot, pool: &pool };
                visit(transaction, Clock { from, counts: &clock }, clocks);
                if open[transaction as usize] > 0 {
                    let place = free.pop().unwrap_or_else(|| {
                        pool.resize(pool.len() + width, 0);
                        (pool.len() / width - 1) as u32
                    });
                    pool[part(place)].copy_from_slice(&clock);
                    slot[transaction as usize] = place;
                }
                let sources = facts.reads(transaction).iter().map(|read| read.writer).chain(before);
                for source in sources.filter(|source| *source != INITIAL) {
                    open[source as usize] -= 1;
                    if open[source as usize] == 0 {
                        free.push(slot[source as usize]);
                        slot[source as usize] = u32::MAX;
                    }
                }
            }
        }
    }
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (count, other) in clock.iter_mut().zip(other) {
        *count = (*count).max(*other);
    }
}

/// Arcs that were added lately, so that most of those that come again are left out.
struct Recent(Vec<(u32, u32)>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![(0, 0); 1 << 16])
    }
}

impl Recent {
    fn is_new(&mut self, from: u32, to: u32) -> bool {
        let mixed = (u64::from(from) << 32 | u64::from(to)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = &mut self.0[(mixed >> 48) as usize];
        std::mem::replace(place, (from, to)) != (from, to)
    }
}
