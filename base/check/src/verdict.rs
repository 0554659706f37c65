//! What a checker answers.

/// The answer of a checker: each side has its certificate, which `verify` re-checks without the checker's help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict<Witness, Violation> {
    /// The history is right; this shows it.
    Holds(Witness),
    /// The history is wrong; this shows it.
    Violated(Violation),
    /// The checker gave up.
    Unknown(Progress),
}

/// How far a checker came that gave up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// How many operations, from the first on, are known to be right by themselves.
    pub decided: usize,
    /// How many ways there were to go on from there.
    pub frontier: usize,
    /// What would help.
    pub help: &'static str,
}
