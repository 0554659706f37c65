//! What prunes the search, each to be switched off by tests.

/// Which prunings are on; see [`super::search`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Reads that fit are taken at once.
    pub(crate) greedy_reads: bool,
    /// Of operations that are asked and answered alike, the first to return is taken first.
    pub(crate) twins: bool,
    /// A configuration that failed is not entered again.
    pub(crate) memory: bool,
    /// What failed fails as well after more operations of unknown outcome.
    pub(crate) subsumption: bool,
    /// States that cannot lead to an answer that must come are left.
    pub(crate) look_ahead: bool,
}

impl Rules {
    /// All on.
    pub(crate) const ALL: Self =
        Self { greedy_reads: true, twins: true, memory: true, subsumption: true, look_ahead: true };
}
