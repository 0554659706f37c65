//! Where pending events lie: chunks of a few large blocks, so that a million events take few pages of memory.

use isles_kernel::Protocol;

use crate::event::Event;
use crate::memory;

/// Events of a chunk, as a power of two.
const CHUNK_BITS: u32 = 5;
const CHUNK: u32 = 1 << CHUNK_BITS;
/// Events of the first block, as a power of two; each further block is twice as large.
const FIRST_BITS: u32 = 10;

/// A bag of events: one more than the place of the event put in last; zero if it is empty.
///
/// The places below, down to a multiple of [`CHUNK`], are the bag's too; so are the chunks linked to that one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket(u32);

impl Bucket {
    pub(crate) const EMPTY: Self = Self(0);
}

/// The memory of all buckets of a queue.
#[derive(Clone)]
pub(crate) struct Arena<P: Protocol> {
    /// Block n holds the places from 2^(n + FIRST_BITS) - 2^FIRST_BITS on.
    blocks: Vec<Vec<Option<Event<P>>>>,
    /// For each chunk, the bucket that it continues: one that is empty or ends with a full chunk.
    before: Vec<Bucket>,
    /// Chunks in no bucket, the one that is still in the cache last.
    free: Vec<u32>,
}

/// The block that holds a place, and where.
#[inline]
const fn locate(place: u32) -> (usize, usize) {
    let number = place as u64 + (1 << FIRST_BITS);
    let top = number.ilog2();
    ((top - FIRST_BITS) as usize, (number ^ 1 << top) as usize)
}

impl<P: Protocol> Arena<P> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new(), before: Vec::new(), free: Vec::new() }
    }

    /// Bytes of memory, without what is reserved and was never used.
    pub(crate) fn bytes(&self) -> usize {
        let events: usize = self.blocks.iter().map(Vec::len).sum();
        events * size_of::<Option<Event<P>>>() + (self.before.capacity() + self.free.capacity()) * 4
    }

    /// Puts an event into a bucket.
    #[inline]
    pub(crate) fn push(&mut self, bucket: &mut Bucket, event: Event<P>) {
        if bucket.0 % CHUNK == 0 {
            *bucket = self.chunk(*bucket);
        }
        let (block, index) = locate(bucket.0);
        self.blocks[block][index] = Some(event);
        bucket.0 += 1;
    }

    /// Takes the event at a place; none if it was taken before.
    #[inline]
    pub(crate) fn take(&mut self, place: u32) -> Option<Event<P>> {
        let (block, index) = locate(place);
        self.blocks[block][index].take()
    }

    /// The event at a place.
    #[inline]
    pub(crate) fn get(&self, place: u32) -> Option<&Event<P>> {
        let (block, index) = locate(place);
        self.blocks[block][index].as_ref()
    }

    /// Takes the event put in last, and frees its chunk if it was the only one there.
    #[inline]
    pub(crate) fn pop(&mut self, bucket: &mut Bucket) -> Option<Event<P>> {
        let place = bucket.0.checked_sub(1)?;
        let event = self.take(place);
        *bucket = Bucket(place);
        if place % CHUNK == 0 {
            let chunk = place / CHUNK;
            self.free.push(chunk);
            *bucket = self.before[chunk as usize];
        }
        event
    }

    /// How many events a bucket holds.
    pub(crate) fn count(&self, bucket: Bucket) -> usize {
        self.chunks(bucket).map(|(first, end)| (end - first) as usize).sum()
    }

    /// Calls `visit` with the place of each event of a bucket, in no order.
    #[inline]
    pub(crate) fn for_each(&self, bucket: Bucket, mut visit: impl FnMut(u32, &Event<P>)) {
        for (first, end) in self.chunks(bucket) {
            let (block, index) = locate(first);
            let events = &self.blocks[block][index..index + (end - first) as usize];
            for (place, event) in (first..end).zip(events) {
                if let Some(event) = event {
                    visit(place, event);
                }
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
        let place = chunk.checked_mul(CHUNK).expect("fewer than 2^32 events are pending");
        let (block, index) = locate(place);
        if block == self.blocks.len() {
            self.blocks.push(memory::vec_with_capacity(1 << (FIRST_BITS + block as u32)));
        }
        self.blocks[block].resize(index + CHUNK as usize, None);
        self.before.push(Bucket::EMPTY);
        chunk
    }
}
