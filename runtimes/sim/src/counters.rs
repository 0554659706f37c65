//! What a run counts by itself.

use isles_kernel::Data;
use isles_kernel::meter::{self, Kind};

/// Messages and bytes of one kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KindCount {
    /// The variant's name, a child's after a dot.
    pub name: String,
    /// Messages sent.
    pub count: u64,
    /// Their bytes on the wire, without any transport's headers.
    pub bytes: u64,
}

/// Why a message did not arrive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lost {
    /// The link lost the datagram.
    Link,
    /// The datagram was sent into a partition.
    Partition,
    /// The sender's queue was full.
    Queue,
    /// The receiver was down.
    Down,
    /// The stream broke before it arrived.
    Stream,
}

/// Counters of a run, always on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Invariant: a row for every kind up to the highest that was sent.
    kinds: Vec<KindCount>,
    /// Indexed by [`Lost`].
    lost: [u64; 5],
    /// Messages that arrived at a process.
    pub delivered: u64,
    /// Datagrams that the links doubled.
    pub duplicated: u64,
    /// Timers that were due.
    pub timers: u64,
    /// Operations invoked.
    pub ops: u64,
    /// Events handled: messages, timers, operations and the simulator's own.
    pub events: u64,
    /// Crashes and restarts.
    pub crashes: u64,
    /// Processes started again.
    pub restarts: u64,
    /// Streams reported broken.
    pub unreachable: u64,
    /// Records that reached a disk.
    pub synced: u64,
}

impl Counters {
    /// Messages sent, of all kinds.
    pub fn sent(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.count).sum()
    }

    /// Bytes sent, of all kinds.
    pub fn bytes(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.bytes).sum()
    }

    /// Messages that did not arrive for this reason.
    pub fn lost(&self, why: Lost) -> u64 {
        self.lost[why as usize]
    }

    /// The kinds that were sent, in the order of the type's variants.
    pub fn kinds(&self) -> impl Iterator<Item = &KindCount> {
        self.kinds.iter().filter(|kind| kind.count > 0)
    }

    /// Counts one message and returns its bytes.
    #[inline]
    pub(crate) fn send<M: Data>(&mut self, msg: &M) -> (Kind, u32) {
        let (kind, bytes) = meter::measure(msg);
        if self.kinds.len() <= kind.index() || self.kinds[kind.index()].count == 0 {
            self.meet(kind, msg);
        }
        let row = &mut self.kinds[kind.index()];
        row.count += 1;
        row.bytes += u64::from(bytes);
        (kind, bytes)
    }

    #[cold]
    fn meet<M: Data>(&mut self, kind: Kind, msg: &M) {
        if self.kinds.len() <= kind.index() {
            self.kinds.resize(kind.index() + 1, KindCount::default());
        }
        self.kinds[kind.index()].name = meter::name(msg);
    }

    #[inline]
    pub(crate) fn lose(&mut self, why: Lost) {
        self.lost[why as usize] += 1;
    }
}
