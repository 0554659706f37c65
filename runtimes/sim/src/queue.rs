//! The event queue: a heap while the run is small, a hierarchical timing wheel of sorted buckets when it is
//! large.
//!
//! With a million pending events a binary heap misses the cache at every level of its tree. The wheel writes an
//! event to the end of the bucket of its instant and touches it again only when that bucket is opened: the
//! bucket's keys are sorted in the cache and then read in order, which also tells which processes come next, so
//! that their state is fetched ahead. `PERFORMANCE.md` says what was measured.

use std::collections::BinaryHeap;

use isles_kernel::Protocol;

use crate::arena::{Arena, Bucket};
use crate::event::{Event, EventKey};

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
struct Level {
    buckets: Vec<Bucket>,
    /// A bit for each bucket that is not empty.
    occupied: Vec<u64>,
}

impl Level {
    fn new() -> Self {
        Self { buckets: vec![Bucket::EMPTY; BUCKETS], occupied: vec![0; BUCKETS / 64] }
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

    /// Takes a bucket out.
    fn take(&mut self, index: usize) -> Bucket {
        self.occupied[index / 64] &= !(1 << (index % 64));
        std::mem::replace(&mut self.buckets[index], Bucket::EMPTY)
    }
}

/// Where an event of the opened bucket lies, sorted by instant, receiver and place: all that is needed to read the
/// bucket in order but for events of one instant and receiver.
#[derive(Clone, Copy)]
struct Key(u128);

impl Key {
    #[inline]
    fn new(at: u64, to: u32, place: u32) -> Self {
        Self(u128::from(at) << 64 | u128::from(to) << 32 | u128::from(place))
    }

    #[inline]
    fn at(self) -> u64 {
        (self.0 >> 64) as u64
    }

    #[inline]
    fn to(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    fn place(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn ties(self, other: Self) -> bool {
        self.0 >> 32 == other.0 >> 32
    }
}

/// Sorting is outside of `Queue`, so that it is compiled once and not for every protocol.
fn sort(keys: &mut [Key]) {
    keys.sort_unstable_by_key(|key| key.0);
}

/// Writes the keys of `ties` to `tied` in the order of their events.
fn sort_ties(ties: &mut [(EventKey, Key)], tied: &mut [Key]) {
    ties.sort_unstable_by_key(|(event, _)| *event);
    for (to, (_, key)) in tied.iter_mut().zip(ties) {
        *to = *key;
    }
}

/// Pending events in their total order.
#[derive(Clone)]
pub(crate) struct Queue<P: Protocol> {
    /// Events of the opened bucket and of all others.
    arena: Arena<P>,
    /// The opened bucket, its events in order.
    open: Vec<Key>,
    /// Scratch for ordering ties.
    ties: Vec<(EventKey, Key)>,
    /// The next of `open`.
    head: usize,
    /// What `open` points into.
    opened: Bucket,
    /// Events before `open_end` that came after their bucket was opened; in a small run, all events.
    near: BinaryHeap<Event<P>>,
    /// Invariant: events before this instant are in `open` or `near`, later ones in `levels` or `far`. The largest
    /// number while the run is small.
    open_end: u64,
    /// Empty while the run is small. An event is at the level of the highest digit (base 2^BITS) in which its
    /// instant differs from the cursor.
    levels: Vec<Level>,
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
            arena: Arena::new(),
            open: Vec::new(),
            head: 0,
            opened: Bucket::EMPTY,
            ties: Vec::new(),
            near: BinaryHeap::new(),
            open_end: u64::MAX,
            levels: Vec::new(),
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
        self.arena.bytes()
            + self.open.capacity() * size_of::<Key>()
            + (self.near.capacity() + self.far.capacity()) * size_of::<Event<P>>()
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
                wheel.occupied[index / 64] |= 1 << (index % 64);
                self.arena.push(&mut wheel.buckets[index], event);
            }
            None => self.far.push(event),
        }
    }

    /// The next event before `limit`.
    #[inline]
    pub(crate) fn pop_before(&mut self, limit: u64) -> Option<Event<P>> {
        loop {
            let Some(&key) = self.open.get(self.head) else {
                if !self.near.is_empty() {
                    return self.pop_near(limit);
                }
                if !self.advance(limit) {
                    return None;
                }
                continue;
            };
            if !self.near.is_empty() && self.near_is_first(key) {
                return self.pop_near(limit);
            }
            if key.at() >= limit {
                return None;
            }
            self.head += 1;
            self.len -= 1;
            return self.arena.take(key.place());
        }
    }

    fn pop_near(&mut self, limit: u64) -> Option<Event<P>> {
        self.near.peek().filter(|event| event.at < limit)?;
        self.len -= 1;
        self.near.pop()
    }

    /// Whether the first of `near` happens before the event of `key`.
    fn near_is_first(&self, key: Key) -> bool {
        self.near.peek().is_some_and(|near| near.key() < self.arena.key(key.place()))
    }

    /// The receiver of the event `ahead` places further on, if it is already known.
    #[inline]
    pub(crate) fn upcoming(&self, ahead: usize) -> Option<u32> {
        self.open.get(self.head + ahead).map(|key| key.to())
    }

    /// When the next event happens.
    pub(crate) fn next_time(&mut self) -> Option<u64> {
        loop {
            let open = self.open.get(self.head).map(|key| key.at());
            let soonest = open.into_iter().chain(self.near.peek().map(|event| event.at)).min();
            if soonest.is_some() || !self.advance(u64::MAX) {
                return soonest;
            }
        }
    }

    /// Opens the next bucket that is not empty and begins before `limit`; false if there is none.
    ///
    /// Called only when `open` and `near` are empty.
    fn advance(&mut self, limit: u64) -> bool {
        self.close();
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
                if let Some(narrower) = self.narrower(index) {
                    self.rebuild(narrower);
                    continue;
                }
                let bucket = self.levels[0].take(index);
                self.open(bucket);
                return true;
            }
            let bucket = self.levels[level].take(index);
            self.scatter(bucket);
        }
    }

    /// Puts a bucket's keys in order.
    fn open(&mut self, bucket: Bucket) {
        self.fresh = false;
        self.open_end = self.cursor.saturating_add(1 << self.shift);
        self.opened = bucket;
        let Self { open, arena, .. } = self;
        arena.for_each(bucket, |at, to, place| open.push(Key::new(at, to, place)));
        sort(open);
        self.tally.buckets += 1;
        self.tally.events += self.open.len() as u64;
        self.order_ties();
    }

    /// Orders what happens to one process at one instant: the places in the keys mean nothing.
    fn order_ties(&mut self) {
        let Self { open, arena, ties, .. } = self;
        let mut start = 0;
        while let Some(&key) = open.get(start) {
            let end = start + open[start..].iter().take_while(|other| other.ties(key)).count();
            if end - start > 1 {
                let tied = &mut open[start..end];
                ties.clear();
                ties.extend(tied.iter().map(|key| (arena.key(key.place()), *key)));
                sort_ties(ties, tied);
            }
            start = end;
        }
    }

    /// Gives the memory of the opened bucket, all of whose events are gone, back to the arena.
    fn close(&mut self) {
        debug_assert!(self.head == self.open.len(), "events of the opened bucket are left");
        self.open.clear();
        self.head = 0;
        self.arena.free(std::mem::replace(&mut self.opened, Bucket::EMPTY));
    }

    /// Moves a bucket's events to where they belong now.
    fn scatter(&mut self, bucket: Bucket) {
        let mut rest = bucket;
        while let Some(event) = self.arena.pop(&mut rest) {
            self.place(event);
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
        self.shift = (per_event * BUCKET_AIM).max(1).ilog2().min(SHIFT_MAX);
        self.move_to(times[0] >> self.shift << self.shift);
        for event in std::mem::take(&mut self.near) {
            self.place(event);
        }
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

    /// Another width, if a bucket about to be opened is so full that the number of events must have multiplied since
    /// the width was chosen, as when a run begins; none if its events happen at about one instant, which no width
    /// takes apart.
    fn narrower(&self, index: usize) -> Option<u32> {
        let bucket = self.levels[0].buckets[index];
        let count = self.arena.count(bucket) as u64;
        if count < BUCKET_AIM * 16 || count < self.len as u64 / 16 {
            return None;
        }
        let (mut first, mut last) = (u64::MAX, 0);
        self.arena.for_each(bucket, |at, _, _| {
            first = first.min(at);
            last = last.max(at);
        });
        let shift = self.shift.saturating_sub((count / BUCKET_AIM).ilog2());
        (shift < self.shift && last - first >= 1 << self.shift >> 2).then_some(shift)
    }

    /// Sorts all that is pending into buckets of 2^shift ns, in the memory where it is.
    ///
    /// Called only when `open` and `near` are empty.
    fn rebuild(&mut self, shift: u32) {
        let old = std::mem::replace(&mut self.levels, (0..LEVELS).map(|_| Level::new()).collect());
        self.tally = Tally::default();
        self.shift = shift;
        self.move_to(self.cursor >> shift << shift);
        for bucket in old.into_iter().flat_map(|level| level.buckets) {
            self.scatter(bucket);
        }
        for event in std::mem::take(&mut self.far) {
            self.place(event);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, random};

    use super::*;
    use crate::event::Body;

    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    pub(crate) struct Idle;

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

    pub(crate) fn event(at: u64, to: u32, seq: u32) -> Event<Idle> {
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
        type Law = fn(u64) -> u64;
        let laws: [(&str, Law); 5] = [
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
