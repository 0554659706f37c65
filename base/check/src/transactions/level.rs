//! The levels at which a history of transactions can be consistent, and what each of them demands.

/// Which orders from outside the data a level must respect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Order {
    /// None: only what was read and written counts.
    Data,
    /// The transactions of a session in their order.
    Session,
    /// Sessions, and a transaction that ended before another began.
    RealTime,
}

/// A level of consistency.
///
/// A level holds if there is a *commit order*, total on all transactions and containing who read from whom
/// and the level's [`Order`], such that for each read of a key by `r` from `w`, each other writer `v` of that key
/// that is *visible* to the read comes before `w` (Biswas and Enea, OOPSLA 2019). Levels differ in what is visible. The
/// initial state is a transaction before all others. The names with `session` are theirs; those without leave the order of
/// sessions out (Adya 1999, Bailis et al. 2014), `strong` and `strict` add real time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Visible is what the transaction itself has read from already. Stronger than Adya's PL-2, which only asks that nothing of G0
    /// and G1 happens: who has read from a transaction reads nothing older than what it wrote.
    ReadCommitted,
    /// The same, and the commit order contains sessions.
    SessionReadCommitted,
    /// Visible is whoever the transaction reads from anywhere in it. Bailis et al., TODS 2016, without sessions.
    ReadAtomic,
    /// Visible is also what is earlier in the session. Read atomic of Biswas and Enea.
    SessionReadAtomic,
    /// Weak causal consistency, CC of Bouajjani, Enea, Guerraoui and Hamza (POPL 2017): nobody reads what was overwritten
    /// in its causal past; there is no common commit order, and a client may change its mind about concurrent writes.
    Causal,
    /// Causal convergence, CCv there; causal consistency of Biswas and Enea: visible is the whole causal past.
    CausalConvergence,
    /// Causal memory, CM there (Ahamad et al. 1995): each session sees its causal past in one order, which never changes.
    CausalMemory,
    /// Pipelined memory (Lipton and Sandberg 1988): each session sees all transactions in one order that contains all sessions.
    Pram,
    /// Terry et al. 1994: a session reads nothing older than what it wrote.
    ReadYourWrites,
    /// Terry et al. 1994: a session reads nothing older than what it has read.
    MonotonicReads,
    /// Terry et al. 1994: who has seen a write reads nothing older than earlier writes of the writer's session.
    MonotonicWrites,
    /// Terry et al. 1994: who has seen a write reads nothing older than what the writer's session had read before it.
    WritesFollowReads,
    /// Each transaction reads from a prefix of the commit order (Terry et al. 2013; Burckhardt et al. 2015), without sessions.
    Prefix,
    /// The same, and what is earlier in the session is in the prefix.
    SessionPrefix,
    /// Prefix, and of two transactions that write one key one sees the other. Adya's PL-SI without start times.
    SnapshotIsolation,
    /// The same with sessions (Cerone, Bernardi and Gotsman, CONCUR 2015; strong session snapshot isolation of Daudjee and Salem).
    SessionSnapshotIsolation,
    /// The same with real time: strong snapshot isolation (Daudjee and Salem, VLDB 2006).
    StrongSnapshotIsolation,
    /// Visible is all that commits earlier: one-copy serializability (Papadimitriou 1979). Adya's PL-3.
    Serializable,
    /// The same with sessions; with transactions of one step this is sequential consistency.
    SessionSerializable,
    /// The same with real time (Herlihy and Wing 1990); with transactions of one step this is linearizability.
    StrictSerializable,
}

/// What [`Level`] is called, and the strongest order that it respects.
const LEVELS: [(Level, &str, Order); 20] = [
    (Level::ReadCommitted, "read-committed", Order::Data),
    (Level::SessionReadCommitted, "session-read-committed", Order::Session),
    (Level::ReadAtomic, "read-atomic", Order::Data),
    (Level::SessionReadAtomic, "session-read-atomic", Order::Session),
    (Level::Causal, "causal", Order::Session),
    (Level::CausalConvergence, "causal-convergence", Order::Session),
    (Level::CausalMemory, "causal-memory", Order::Session),
    (Level::Pram, "pram", Order::Session),
    (Level::ReadYourWrites, "read-your-writes", Order::Session),
    (Level::MonotonicReads, "monotonic-reads", Order::Session),
    (Level::MonotonicWrites, "monotonic-writes", Order::Session),
    (Level::WritesFollowReads, "writes-follow-reads", Order::Session),
    (Level::Prefix, "prefix", Order::Data),
    (Level::SessionPrefix, "session-prefix", Order::Session),
    (Level::SnapshotIsolation, "snapshot-isolation", Order::Data),
    (Level::SessionSnapshotIsolation, "session-snapshot-isolation", Order::Session),
    (Level::StrongSnapshotIsolation, "strong-snapshot-isolation", Order::RealTime),
    (Level::Serializable, "serializable", Order::Data),
    (Level::SessionSerializable, "session-serializable", Order::Session),
    (Level::StrictSerializable, "strict-serializable", Order::RealTime),
];

impl Level {
    /// All levels, in the order of the enum.
    pub fn all() -> impl Iterator<Item = Self> {
        LEVELS.iter().map(|(level, ..)| *level)
    }

    /// What it is called, in words joined by hyphens.
    pub const fn name(self) -> &'static str {
        LEVELS[self as usize].1
    }

    /// Which orders from outside the data it respects.
    pub const fn order(self) -> Order {
        LEVELS[self as usize].2
    }

    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        LEVELS.iter().find(|(_, called, _)| *called == name).map(|(level, ..)| *level)
    }

    /// Whether it judges each session by itself.
    pub const fn is_guarantee(self) -> bool {
        matches!(
            self,
            Self::ReadYourWrites | Self::MonotonicReads | Self::MonotonicWrites | Self::WritesFollowReads
        )
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (place, level) in Level::all().enumerate() {
            assert_eq!(level as usize, place);
            assert_eq!(Level::named(level.name()), Some(level));
        }
    }
}
