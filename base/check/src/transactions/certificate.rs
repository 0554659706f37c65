//! Certificates: what shows that a level holds or does not, in terms of the history alone.

use isles_history::{Key, ValueId};

use super::level::Order;

/// A place in a history of transactions; transactions are counted as the history lists them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Which transaction.
    pub transaction: u32,
    /// Which of its steps.
    pub step: u32,
}

/// What is ordered: a transaction's begin, when it reads, or its commit, when its writes take effect. At levels where both are one,
/// only commits appear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Point {
    /// The initial state, before everything.
    Initial,
    /// The begin of a transaction.
    Begin(u32),
    /// The commit of a transaction.
    Commit(u32),
}

impl Point {
    /// Whose it is; none for the initial state.
    pub const fn transaction(self) -> Option<u32> {
        match self {
            Self::Initial => None,
            Self::Begin(transaction) | Self::Commit(transaction) => Some(transaction),
        }
    }
}

/// Why one point comes before another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The initial state comes before everything.
    Initial,
    /// A transaction begins before it commits.
    Within,
    /// It is earlier in the same session.
    Session,
    /// It ended before the other began.
    RealTime,
    /// The other read what it wrote to this key (of a list: found what it appended).
    Read(Key),
    /// The other's element comes later in the list of this key, as this transaction read it: `first` is in there and
    /// `second` is not before it.
    ListOrder {
        /// Whose list.
        key: Key,
        /// An element of the earlier transaction.
        first: ValueId,
        /// An element of the later one.
        second: ValueId,
        /// Who read a list that shows it.
        reader: u32,
    },
    /// It read the list of this key without the other's element.
    Missing(Key, ValueId),
    /// It wrote this key, and was visible to a reader who read the other's write instead.
    Overwritten {
        /// What was written by both.
        key: Key,
        /// Who read the later one.
        reader: u32,
        /// Which edges, from it to the reader, show that it was visible; earlier ones of [`Violation::edges`].
        because: Vec<u32>,
    },
    /// It read this key before the other wrote it: what it read, of `from`, comes before the other's.
    ReadBefore {
        /// What was read.
        key: Key,
        /// Who wrote what it read.
        from: Point,
        /// Which edges lead from that writer to the other; earlier ones of [`Violation::edges`].
        because: Vec<u32>,
    },
    /// Both write this key, so they must not overlap, and it began before the other committed.
    NoOverlap {
        /// What both write.
        key: Key,
        /// Which edges lead from its begin to the other's commit; earlier ones of [`Violation::edges`].
        because: Vec<u32>,
    },
}

impl Reason {
    /// The edges on which this one rests.
    pub fn because(&self) -> &[u32] {
        match self {
            Self::Overwritten { because, .. }
            | Self::ReadBefore { because, .. }
            | Self::NoOverlap { because, .. } => because,
            Self::Initial
            | Self::Within
            | Self::Session
            | Self::RealTime
            | Self::Read(_)
            | Self::ListOrder { .. }
            | Self::Missing(..) => &[],
        }
    }
}

/// One point comes before another, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// What comes first.
    pub from: Point,
    /// What comes later.
    pub to: Point,
    /// Why.
    pub reason: Reason,
}

/// What is wrong, by the name that the field gives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Anomaly {
    /// A value was read that nobody wrote.
    ThinAirRead,
    /// A value was read whose writer aborted (Adya: G1a).
    AbortedRead,
    /// A committed transaction built on what an aborted one had appended (Elle: dirty update).
    DirtyUpdate,
    /// A value was read that its writer overwrote before it committed (Adya: G1b).
    IntermediateRead,
    /// A transaction did not see its own write.
    InternalInconsistency,
    /// A transaction read what it wrote only later.
    FutureRead,
    /// A list holds one element twice.
    DuplicateElement,
    /// Two reads of a list are such that neither is the beginning of the other, or a list has not in its order what one transaction appended.
    IncompatibleOrder,
    /// Writes alone form a cycle (Adya: G0).
    WriteCycle,
    /// Who read from whom and who overwrote whom form a cycle (Adya: G1c); with sessions alone also called a cyclic causal order.
    CircularInformationFlow,
    /// A transaction read a key twice and got the writes of two others.
    NonRepeatableRead,
    /// A transaction saw one write of another and missed a second (Bailis et al. 2014).
    FracturedRead,
    /// Two transactions read the same write and both overwrote it.
    LostUpdate,
    /// A cycle with one read that missed a write (Adya: G-single).
    SingleAntiDependency,
    /// A cycle whose reads that missed a write do not follow one another (Elle: G-nonadjacent).
    NonadjacentAntiDependencies,
    /// Two transactions each missed the other's write of another key.
    WriteSkew,
    /// Two readers saw two independent writes in opposite orders.
    LongFork,
    /// A cycle with reads that missed a write (Adya: G2-item).
    AntiDependencyCycle,
    /// A read of what was overwritten in its causal past (Bouajjani et al.: WriteCORead).
    OverwrittenInCausalPast,
    /// A read of the initial state after a write in its causal past (Bouajjani et al.: WriteCOInitRead).
    InitialReadAfterWrite,
    /// Sessions saw writes in orders that no common order contains (Bouajjani et al.: CyclicCF).
    CyclicConflictOrder,
    /// A session changed its mind about the order of writes (Bouajjani et al.: CyclicHB).
    CyclicSessionView,
    /// A session read something older than the guarantee allows.
    StaleRead,
    /// No order of the transactions in [`Violation::core`] is right; all were tried.
    NoOrder,
}

/// What Adya, Elle and Bouajjani et al. call the anomalies.
const NAMES: [(Anomaly, &str); 24] = [
    (Anomaly::ThinAirRead, "thin-air read"),
    (Anomaly::AbortedRead, "G1a (aborted read)"),
    (Anomaly::DirtyUpdate, "dirty update"),
    (Anomaly::IntermediateRead, "G1b (intermediate read)"),
    (Anomaly::InternalInconsistency, "internal inconsistency"),
    (Anomaly::FutureRead, "future read"),
    (Anomaly::DuplicateElement, "duplicate element"),
    (Anomaly::IncompatibleOrder, "incompatible order"),
    (Anomaly::WriteCycle, "G0 (write cycle)"),
    (Anomaly::CircularInformationFlow, "G1c (circular information flow)"),
    (Anomaly::NonRepeatableRead, "non-repeatable read"),
    (Anomaly::FracturedRead, "fractured read"),
    (Anomaly::LostUpdate, "lost update"),
    (Anomaly::SingleAntiDependency, "G-single (read skew)"),
    (Anomaly::NonadjacentAntiDependencies, "G-nonadjacent"),
    (Anomaly::WriteSkew, "write skew"),
    (Anomaly::LongFork, "long fork"),
    (Anomaly::AntiDependencyCycle, "G2-item"),
    (Anomaly::OverwrittenInCausalPast, "read of what was overwritten in the causal past"),
    (Anomaly::InitialReadAfterWrite, "read of the initial state after a write"),
    (Anomaly::CyclicConflictOrder, "cyclic conflict order"),
    (Anomaly::CyclicSessionView, "session that changed its mind"),
    (Anomaly::StaleRead, "stale read"),
    (Anomaly::NoOrder, "no order"),
];

impl Anomaly {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        NAMES[self as usize].1
    }
}

impl std::fmt::Display for Anomaly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Shows that a level does not hold: a place that is wrong by itself, or a cycle of things that must come before one another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What it is called.
    pub anomaly: Anomaly,
    /// The strongest order from outside the data that it needs: a cycle through real time is `G-single-realtime` and so on.
    pub order: Order,
    /// Where it is, if it is no cycle: a wrong read first, then what it conflicts with.
    pub places: Vec<Place>,
    /// Whose view is wrong, at levels that judge sessions one by one.
    pub session: Option<u32>,
    /// All that the cycle rests on; each edge rests on earlier ones only.
    pub edges: Vec<Edge>,
    /// Which edges form the cycle; each begins where the one before ends.
    pub cycle: Vec<u32>,
    /// Transactions that have no order, if there is no cycle; reads from others do not count.
    pub core: Vec<u32>,
}

impl Violation {
    /// Something that is wrong at places.
    pub(crate) const fn at(anomaly: Anomaly, places: Vec<Place>) -> Self {
        Self {
            anomaly,
            order: Order::Data,
            places,
            session: None,
            edges: Vec::new(),
            cycle: Vec::new(),
            core: Vec::new(),
        }
    }

    /// The transactions that take part, ascending.
    pub fn transactions(&self) -> Vec<u32> {
        let mut found: Vec<u32> = self.places.iter().map(|place| place.transaction).collect();
        found.extend(self.core.iter().copied());
        for edge in &self.edges {
            found.extend(edge.from.transaction().into_iter().chain(edge.to.transaction()));
            match &edge.reason {
                Reason::Overwritten { reader, .. } | Reason::ListOrder { reader, .. } => found.push(*reader),
                Reason::ReadBefore { from, .. } => found.extend(from.transaction()),
                Reason::Initial
                | Reason::Within
                | Reason::Session
                | Reason::RealTime
                | Reason::Read(_)
                | Reason::Missing(..)
                | Reason::NoOverlap { .. } => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Shows that a level holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Witness {
    /// Transactions in an order of their commits. Transactions with an unknown outcome that are not in it need not have committed.
    Commits(Vec<u32>),
    /// Begins and commits in an order in which each transaction reads, at its begin, what is committed.
    Points(Vec<Point>),
    /// For each session the transactions that it sees, in an order in which all that it read is right.
    Views(Vec<View>),
}

/// What a session sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Which session.
    pub session: u32,
    /// For the session guarantees, of which key the writes are ordered.
    pub key: Option<Key>,
    /// Transactions in an order; for the session guarantees only those that wrote what counts there.
    pub order: Vec<u32>,
}
