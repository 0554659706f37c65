//! Where pending events lie: chunks of a few large blocks, so that a million events take few pages of memory.

use isles_kernel::Protocol;

use crate::event::{self, Body, Event, EventKey};
use crate::memory;

/// Events of a chunk.
const CHUNK: u32 = 32;
/// Chunks of the first block, as a power of two; each further block is twice as large.
const FIRST_BITS: u32 = 5;

/// A bag of events: one more than the place of the event put in last; zero if it is empty.
///
/// The places below, down to a multiple of [`CHUNK`], are the bag's too; so are the chunks linked to that one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket(u32);

impl Bucket {
    pub(crate) const EMPTY: Self = Self(0);
}

/// An event, smaller: its kind shares a word with the epoch, so that one with a message of 40 bytes, as most
/// gossip has, fills one cache line.
#[derive(Clone)]
struct Cell<P: Protocol> {
    at: u64,
    to: u32,
    from: u32,
    seq: u32,
    /// The epoch times 16, and the kind.
    epoch_and_kind: u32,
    /// Invariant: some for the two kinds that carry a message, until it is taken.
    msg: Option<P::Msg>,
}

/// The kind of no event.
const NOTHING: u32 = 15;

impl<P: Protocol> Cell<P> {
    const EMPTY: Self = Self { at: 0, to: 0, from: 0, seq: 0, epoch_and_kind: NOTHING, msg: None };

    #[inline]
    fn new(event: Event<P>) -> Self {
        let Event { at, to, from, seq, epoch, body } = event;
        let kind = u32::from(body.kind());
        assert!(epoch < 1 << 28, "a run sees fewer than 2^28 crashes and restarts");
        let msg = match body {
            Body::Stream(msg) | Body::Datagram(msg) => Some(msg),
            Body::Timer
            | Body::Op
            | Body::Unreachable
            | Body::Stalled
            | Body::Synced
            | Body::ChurnDown
            | Body::ChurnUp => None,
        };
        Self { at, to, from, seq, epoch_and_kind: epoch << 4 | kind, msg }
    }

    #[inline]
    fn kind(&self) -> u8 {
        (self.epoch_and_kind & 15) as u8
    }

    /// Takes the event out; none if that was done before.
    #[inline]
    fn take(&mut self) -> Option<Event<P>> {
        let &mut Self { at, to, from, seq, epoch_and_kind, .. } = self;
        let body = Body::of_kind(self.kind(), self.msg.take())?;
        self.epoch_and_kind = NOTHING;
        Some(Event { at, to, from, seq, epoch: epoch_and_kind >> 4, body })
    }
}

/// Begins at a cache line, so that an event of 64 bytes is in one.
#[derive(Clone)]
#[repr(align(64))]
struct Chunk<P: Protocol>([Cell<P>; CHUNK as usize]);

/// The memory of all buckets of a queue.
#[derive(Clone)]
pub(crate) struct Arena<P: Protocol> {
    /// Block n holds the chunks from 2^(n + FIRST_BITS) - 2^FIRST_BITS on.
    blocks: Vec<Vec<Chunk<P>>>,
    /// For each chunk, the bucket that it continues: one that is empty or ends with a full chunk.
    before: Vec<Bucket>,
    /// Chunks in no bucket, the one that is still in the cache last.
    free: Vec<u32>,
}

/// The block that holds a chunk, and where.
#[inline]
const fn locate(chunk: u32) -> (usize, usize) {
    let number = chunk as u64 + (1 << FIRST_BITS);
    let top = number.ilog2();
    ((top - FIRST_BITS) as usize, (number ^ 1 << top) as usize)
}

impl<P: Protocol> Arena<P> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new(), before: Vec::new(), free: Vec::new() }
    }

    /// Bytes of memory, without what is reserved and was never used.
    pub(crate) fn bytes(&self) -> usize {
        let chunks: usize = self.blocks.iter().map(Vec::len).sum();
        chunks * size_of::<Chunk<P>>() + (self.before.capacity() + self.free.capacity()) * 4
    }

    #[inline]
    fn cell(&self, place: u32) -> &Cell<P> {
        let (block, index) = locate(place / CHUNK);
        &self.blocks[block][index].0[(place % CHUNK) as usize]
    }

    #[inline]
    fn cell_mut(&mut self, place: u32) -> &mut Cell<P> {
        let (block, index) = locate(place / CHUNK);
        &mut self.blocks[block][index].0[(place % CHUNK) as usize]
    }

    /// Puts an event into a bucket.
    ///
    /// # Panics
    /// When the run has seen 2^28 crashes and restarts, or 2^32 events are pending.
    #[inline]
    pub(crate) fn push(&mut self, bucket: &mut Bucket, event: Event<P>) {
        if bucket.0.is_multiple_of(CHUNK) {
            *bucket = self.chunk(*bucket);
        }
        let empty = std::mem::replace(self.cell_mut(bucket.0), Cell::new(event));
        debug_assert!(empty.kind() == NOTHING as u8, "the place is taken");
        // Nothing to drop; finding that out would wait for memory that is only written.
        std::mem::forget(empty);
        bucket.0 += 1;
    }

    /// Takes the event at a place; none if it was taken before.
    #[inline]
    pub(crate) fn take(&mut self, place: u32) -> Option<Event<P>> {
        self.cell_mut(place).take()
    }

    /// [`Event::key`] of the event at a place.
    #[inline]
    pub(crate) fn key(&self, place: u32) -> EventKey {
        let cell = self.cell(place);
        event::key(cell.at, (cell.to, cell.from), cell.seq, cell.kind())
    }

    /// Takes the event put in last, and frees its chunk if it was the only one there.
    #[inline]
    pub(crate) fn pop(&mut self, bucket: &mut Bucket) -> Option<Event<P>> {
        let place = bucket.0.checked_sub(1)?;
        let (chunk, number) = (place / CHUNK, place % CHUNK);
        let before = self.before[chunk as usize];
        if before != Bucket::EMPTY {
            // A chunk ahead, which is full.
            memory::prefetch(self.cell(before.0 - CHUNK + number));
        }
        let event = self.take(place);
        *bucket = Bucket(place);
        if number == 0 {
            self.free.push(chunk);
            *bucket = before;
        }
        event
    }

    /// How many events a bucket holds.
    pub(crate) fn count(&self, bucket: Bucket) -> usize {
        self.chunks(bucket).map(|(first, end)| (end - first) as usize).sum()
    }

    /// Calls `visit` with instant, receiver and place of each event of a bucket, in no order.
    #[inline]
    pub(crate) fn for_each(&self, bucket: Bucket, mut visit: impl FnMut(u64, u32, u32)) {
        for (first, end) in self.chunks(bucket) {
            let (block, index) = locate(first / CHUNK);
            for (place, cell) in (first..end).zip(&self.blocks[block][index].0) {
                visit(cell.at, cell.to, place);
            }
        }
    }

    /// Frees the chunks of a bucket whose events were all taken.
    pub(crate) fn free(&mut self, bucket: Bucket) {
        let mut rest = bucket;
        while let Some(last) = rest.0.checked_sub(1) {
            let chunk = last / CHUNK;
            self.free.push(chunk);
            rest = self.before[chunk as usize];
        }
    }

    /// The places of a bucket, chunk by chunk.
    fn chunks(&self, bucket: Bucket) -> impl Iterator<Item = (u32, u32)> {
        let mut rest = bucket;
        std::iter::from_fn(move || {
            let end = rest.0;
            let chunk = end.checked_sub(1)? / CHUNK;
            rest = self.before[chunk as usize];
            Some((chunk * CHUNK, end))
        })
    }

    /// An empty chunk that continues `bucket`.
    #[inline(never)]
    fn chunk(&mut self, bucket: Bucket) -> Bucket {
        let chunk = match self.free.pop() {
            Some(chunk) => chunk,
            None => self.grow(),
        };
        self.before[chunk as usize] = bucket;
        Bucket(chunk * CHUNK)
    }

    /// A chunk that was never used.
    fn grow(&mut self) -> u32 {
        let chunk = self.before.len() as u32;
        assert!(chunk < u32::MAX / CHUNK, "fewer than 2^32 events are pending");
        let (block, index) = locate(chunk);
        if block == self.blocks.len() {
            self.blocks.push(memory::vec_with_capacity(1 << (FIRST_BITS + block as u32)));
        }
        debug_assert!(index == self.blocks[block].len(), "chunks are made in order");
        self.blocks[block].push(Chunk([const { Cell::EMPTY }; CHUNK as usize]));
        self.before.push(Bucket::EMPTY);
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::{Idle, event};

    #[test]
    fn every_kind_of_event_comes_out_as_it_went_in() {
        let mut arena: Arena<Idle> = Arena::new();
        let bodies = [
            Body::Stream(()),
            Body::Datagram(()),
            Body::Timer,
            Body::Op,
            Body::Unreachable,
            Body::Stalled,
            Body::Synced,
            Body::ChurnDown,
            Body::ChurnUp,
        ];
        for (number, body) in bodies.into_iter().enumerate() {
            let epoch = (1 << 28) - 1 - number as u32;
            let put = Event { from: 9, epoch, body, ..event(u64::MAX, u32::MAX - 1, 3) };
            let mut bucket = Bucket::EMPTY;
            arena.push(&mut bucket, put.clone());
            assert!(arena.key(bucket.0 - 1) == put.key());
            let got = arena.pop(&mut bucket).expect("it was put in");
            assert!(got == put && got.epoch == put.epoch && got.body.kind() == put.body.kind());
            assert!(bucket == Bucket::EMPTY && arena.pop(&mut bucket).is_none());
        }
    }

    #[test]
    fn a_bag_keeps_what_is_put_in_and_its_memory_is_used_again() {
        let mut arena: Arena<Idle> = Arena::new();
        let mut bytes = 0;
        for round in 0..3 {
            let mut bags = [Bucket::EMPTY; 7];
            for number in 0..10_000 {
                arena.push(&mut bags[number as usize % 7], event(number, number as u32, round));
            }
            for (index, mut bag) in bags.into_iter().enumerate() {
                let mut seen: Vec<u64> = Vec::new();
                arena.for_each(bag, |at, to, _| seen.extend((at == u64::from(to)).then_some(at)));
                assert_eq!(seen.len(), arena.count(bag));
                let mut popped: Vec<u64> =
                    std::iter::from_fn(|| arena.pop(&mut bag)).map(|event| event.at).collect();
                let expected: Vec<u64> = (0..10_000).filter(|at| *at as usize % 7 == index).collect();
                seen.sort_unstable();
                popped.sort_unstable();
                assert!(seen == expected && popped == expected);
            }
            assert!(round == 0 || arena.bytes() == bytes, "round {round}");
            bytes = arena.bytes();
        }
    }
}
