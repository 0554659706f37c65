//! The event queue: a heap while the run is small, a hierarchical timing wheel of sorted buckets when it is
//! large.
//!
//! With a million pending events a binary heap misses the cache at every level of its tree. The wheel writes an
//! event to the end of the bucket of its instant and touches it again only when that bucket is opened: the
//! bucket is sorted in the cache and then read in order, which also tells which processes come next, so that
//! their state is fetched ahead.

use std::collections::BinaryHeap;

use isles_kernel::Protocol;

use crate::event::Event;

/// Buckets of a level, as a power of two.
const BITS: u32 = 12;
const BUCKETS: usize = 1 << BITS;
const LEVELS: usize = 3;
/// The heap turns into a wheel above this many pending events.
const HEAP_MAX: usize = 768;
/// Events that an opened bucket should hold: few enough to be sorted within the first-level cache.
const BUCKET_AIM: u64 = 192;
/// The widest buckets: three levels of wider ones would reach beyond 2^64 ns.
const SHIFT_MAX: u32 = 63 - BITS * (LEVELS as u32 - 1);

#[derive(Clone)]
struct Level<P: Protocol> {
    buckets: Vec<Vec<Event<P>>>,
    /// A bit for each bucket that is not empty.
    occupied: Vec<u64>,
}

impl<P: Protocol> Level<P> {
    fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| Vec::new()).collect(), occupied: vec![0; BUCKETS / 64] }
    }

    #[inline]
    fn push(&mut self, index: usize, event: Event<P>, spare: &mut Vec<Vec<Event<P>>>) {
        let bucket = &mut self.buckets[index];
        if bucket.capacity() == 0 {
            self.occupied[index / 64] |= 1 << (index % 64);
            *bucket = spare.pop().unwrap_or_default();
        }
        bucket.push(event);
    }

    /// The first bucket from `start` on that is not empty.
    fn from(&self, start: usize) -> Option<usize> {
        let mut word = start / 64;
        let mut bits = self.occupied.get(word)? & (!0 << (start % 64));
        loop {
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            word += 1;
            bits = *self.occupied.get(word)?;
        }
    }

    /// Takes a bucket's events out, and its memory with them.
    fn take(&mut self, index: usize) -> Vec<Event<P>> {
        self.occupied[index / 64] &= !(1 << (index % 64));
        std::mem::take(&mut self.buckets[index])
    }
}

/// Pending events in their total order.
#[derive(Clone)]
pub(crate) struct Queue<P: Protocol> {
    /// The opened bucket, last event first.
    open: Vec<Event<P>>,
    /// Events before `open_end` that came after their bucket was opened; in a small run, all events.
    near: BinaryHeap<Event<P>>,
    /// Invariant: events before this instant are in `open` or `near`, later ones in `levels` or `far`. The largest
    /// number while the run is small.
    open_end: u64,
    /// Empty while the run is small. An event is at the level of the highest digit (base 2^BITS) in which its
    /// instant differs from the cursor.
    levels: Vec<Level<P>>,
    /// Memory of buckets that were emptied, the one that is still in the cache last.
    spare: Vec<Vec<Event<P>>>,
    /// Events too far ahead for the wheel, hence later than all that are in it.
    far: BinaryHeap<Event<P>>,
    /// A bucket of the lowest level is 2^shift ns wide.
    shift: u32,
    /// Where the opened bucket begins; a multiple of the width.
    cursor: u64,
    /// The bucket at the cursor has not been opened: `open_end` is the cursor.
    fresh: bool,
    len: usize,
    tally: Tally,
    /// Never leaves the heap: for comparing the two.
    heap_only: bool,
}

/// What happened since the width was last considered.
#[derive(Clone, Copy, Default)]
struct Tally {
    buckets: u64,
    events: u64,
    pushed: u64,
    pushed_near: u64,
}

impl<P: Protocol> Queue<P> {
    pub(crate) fn new(heap_only: bool) -> Self {
        Self {
            open: Vec::new(),
            near: BinaryHeap::new(),
            open_end: u64::MAX,
            levels: Vec::new(),
            spare: Vec::new(),
            far: BinaryHeap::new(),
            shift: 0,
            cursor: 0,
            fresh: false,
            len: 0,
            tally: Tally::default(),
            heap_only,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory that pending events take, spare capacity included.
    pub(crate) fn bytes(&self) -> usize {
        let buckets = self.levels.iter().flat_map(|level| &level.buckets).chain(&self.spare);
        let buckets: usize = buckets.map(Vec::capacity).sum();
        (buckets + self.open.capacity() + self.near.capacity() + self.far.capacity()) * size_of::<Event<P>>()
    }

    #[inline]
    pub(crate) fn push(&mut self, event: Event<P>) {
        self.len += 1;
        self.tally.pushed += 1;
        if event.at < self.open_end {
            self.tally.pushed_near += 1;
            self.near.push(event);
            if self.levels.is_empty() && self.near.len() > HEAP_MAX && !self.heap_only {
                self.become_wheel();
            }
        } else {
            self.place(event);
        }
    }

    /// Puts an event that happens at `open_end` or later into its bucket.
    #[inline]
    fn place(&mut self, event: Event<P>) {
        let apart = (event.at ^ self.cursor) >> self.shift;
        let level = (63 - (apart | 1).leading_zeros()) / BITS;
        match self.levels.get_mut(level as usize) {
            Some(wheel) => {
                let index = (event.at >> (self.shift + level * BITS)) as usize & (BUCKETS - 1);
                wheel.push(index, event, &mut self.spare);
            }
            None => self.far.push(event),
        }
    }

    /// The next event before `limit`.
    #[inline]
    pub(crate) fn pop_before(&mut self, limit: u64) -> Option<Event<P>> {
        loop {
            let first_is_near = match (self.open.last(), self.near.peek()) {
                (Some(open), Some(near)) => near > open,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (None, None) => {
                    if !self.advance(limit) {
                        return None;
                    }
                    continue;
                }
            };
            let event = if first_is_near {
                self.near.peek().filter(|event| event.at < limit)?;
                self.near.pop()
            } else {
                self.open.last().filter(|event| event.at < limit)?;
                self.open.pop()
            };
            self.len -= 1;
            return event;
        }
    }

    /// The receiver of the event `ahead` places further on, if it is already known.
    #[inline]
    pub(crate) fn upcoming(&self, ahead: usize) -> Option<u32> {
        let index = self.open.len().checked_sub(ahead + 1)?;
        Some(self.open[index].to)
    }

    /// When the next event happens.
    pub(crate) fn next_time(&mut self) -> Option<u64> {
        loop {
            let soonest = self.open.last().into_iter().chain(self.near.peek()).map(|event| event.at).min();
            if soonest.is_some() || !self.advance(u64::MAX) {
                return soonest;
            }
        }
    }

    /// Opens the next bucket that is not empty and begins before `limit`; false if there is none.
    ///
    /// Called only when `open` and `near` are empty.
    fn advance(&mut self, limit: u64) -> bool {
        if self.levels.is_empty() || self.len == 0 {
            return false;
        }
        if self.tally.buckets >= 64 {
            self.consider_width();
        }
        loop {
            let Some((level, index)) = self.next_bucket() else {
                let Some(begin) = self.far.peek().map(|event| event.at >> self.shift << self.shift) else {
                    return false;
                };
                if begin >= limit {
                    return false;
                }
                self.move_to(begin);
                self.pull_far();
                continue;
            };
            let shift = self.shift + level as u32 * BITS;
            let begin = (self.cursor >> shift >> BITS << BITS | index as u64) << shift;
            if begin >= limit {
                return false;
            }
            self.move_to(begin);
            if level == 0 {
                let emptied = std::mem::replace(&mut self.open, self.levels[0].take(index));
                self.spare.push(emptied);
                self.fresh = false;
                self.open_end = begin.saturating_add(1 << self.shift);
                self.tally.buckets += 1;
                self.tally.events += self.open.len() as u64;
                self.open.sort_unstable();
                return true;
            }
            for event in self.levels[level].take(index) {
                self.place(event);
            }
        }
    }

    /// The next bucket that is not empty, by level and index.
    fn next_bucket(&self) -> Option<(usize, usize)> {
        self.levels.iter().enumerate().find_map(|(level, wheel)| {
            let at = (self.cursor >> (self.shift + level as u32 * BITS)) as usize & (BUCKETS - 1);
            let start = if level == 0 && self.fresh { at } else { at + 1 };
            Some((level, wheel.from(start)?))
        })
    }

    fn move_to(&mut self, begin: u64) {
        self.cursor = begin;
        self.open_end = begin;
        self.fresh = true;
    }

    fn pull_far(&mut self) {
        while let Some(event) = self.far.peek() {
            if (event.at ^ self.cursor) >> self.shift >> (BITS * LEVELS as u32) != 0 {
                break;
            }
            if let Some(event) = self.far.pop() {
                self.place(event);
            }
        }
    }

    fn become_wheel(&mut self) {
        self.levels = (0..LEVELS).map(|_| Level::new()).collect();
        let mut times: Vec<u64> = self.near.iter().map(|event| event.at).collect();
        times.sort_unstable();
        // The nearer half tells how dense the events are; far timers would mislead.
        let half = times.len() / 2;
        let per_event = (times[half] - times[0]) / half as u64;
        self.rebuild((per_event * BUCKET_AIM).max(1).ilog2().min(SHIFT_MAX));
    }

    /// Chooses another width when buckets are too full, too empty, or too often opened already when their events
    /// come. Rebuilding costs about as much as handling what is pending, so it must have earned that first.
    fn consider_width(&mut self) {
        let Tally { buckets, events, pushed, pushed_near } = self.tally;
        if events < self.len as u64 / 4 {
            return;
        }
        let average = (events / buckets).max(1);
        let shift = if pushed_near * 4 > pushed && average > 8 {
            self.shift.saturating_sub(1)
        } else if average > BUCKET_AIM * 4 {
            self.shift.saturating_sub((average / BUCKET_AIM).ilog2())
        } else if average < BUCKET_AIM / 8 && pushed_near * 16 <= pushed {
            self.shift + 1
        } else {
            self.shift
        };
        self.tally = Tally::default();
        if shift != self.shift && shift <= SHIFT_MAX {
            self.rebuild(shift);
        }
    }

    /// Sorts all that is pending into buckets of 2^shift ns.
    fn rebuild(&mut self, shift: u32) {
        self.spare.clear();
        let mut events = std::mem::take(&mut self.open);
        events.extend(self.near.drain());
        events.extend(self.far.drain());
        for level in &mut self.levels {
            level.occupied.fill(0);
            for bucket in &mut level.buckets {
                events.append(&mut std::mem::take(bucket));
            }
        }
        let first = events.iter().map(|event| event.at).min().unwrap_or(self.cursor);
        self.shift = shift;
        self.move_to(first >> shift << shift);
        for event in events {
            self.place(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, random};

    use super::*;
    use crate::event::Body;

    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    struct Idle;

    impl Protocol for Idle {
        type Config = ();
        type Msg = ();
        type Timer = Never;
        type Op = Never;
        type Reply = Never;
        type Record = Never;
        type Event = Never;
        fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
            Self
        }
        fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, (): ()) {}
        fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
            match timer {}
        }
        fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
            match op {}
        }
    }

    fn event(at: u64, to: u32, seq: u32) -> Event<Idle> {
        Event { at, to, from: 0, seq, epoch: 0, body: Body::Datagram(()) }
    }

    /// Hold model: each event popped pushes another, at delays from `delay`. Returns the order of pops.
    fn hold(
        mut queue: Queue<Idle>,
        pending: u32,
        pops: u32,
        delay: impl Fn(u64) -> u64,
    ) -> Vec<(u64, u32, u32)> {
        let draw = |n: u32| delay(random::draw(5, &[u64::from(n)]));
        for n in 0..pending {
            queue.push(event(draw(n), n % 97, n));
        }
        let mut order = Vec::new();
        let mut limit = 0;
        while order.len() < pops as usize {
            let Some(next) = queue.pop_before(limit) else {
                assert!(queue.next_time().is_some_and(|at| at >= limit));
                limit += 1 + limit / 8;
                continue;
            };
            assert!(next.at < limit);
            order.push((next.at, next.to, next.seq));
            let seq = pending + order.len() as u32;
            queue.push(event(next.at + draw(seq), next.to, seq));
        }
        assert_eq!(queue.len(), pending as usize);
        order
    }

    #[test]
    fn heap_and_wheel_agree_on_the_order() {
        let laws: [(&str, fn(u64) -> u64); 5] = [
            ("uniform", |bits| 1 + bits % 1_000_000),
            ("narrow", |bits| 1_000_000_000 + bits % 7),
            ("mixed", |bits| if bits % 8 == 0 { 10_000_000_000 + bits % 1000 } else { 1 + bits % 50_000 }),
            ("heavy tail", |bits| 1 << (bits % 50) >> 4),
            ("same instant", |bits| bits % 2 * 1_000),
        ];
        for (name, law) in laws {
            for pending in [10, 900, 20_000] {
                let heap = hold(Queue::new(true), pending, 60_000, law);
                let wheel = hold(Queue::new(false), pending, 60_000, law);
                assert!(heap == wheel, "{name}, {pending} pending");
                assert!(heap.is_sorted_by_key(|(at, _, _)| *at), "{name}, {pending} pending");
            }
        }
    }

    #[test]
    fn a_large_run_leaves_the_heap() {
        let mut queue = Queue::<Idle>::new(false);
        for n in 0..10_000 {
            queue.push(event(u64::from(n) * 1_000, 0, n));
        }
        assert!(queue.near.len() <= HEAP_MAX);
        assert_eq!(queue.len(), 10_000);
    }
}
