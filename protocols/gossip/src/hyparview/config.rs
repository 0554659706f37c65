//! What all processes of HyParView share.

use isles_kernel::{ProcessId, Span};
use serde::{Deserialize, Serialize};

/// How a process finds somebody to join through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Contact {
    /// Only by [`Op::Join`](super::Op::Join).
    None,
    /// Always this process.
    Process(ProcessId),
    /// A random process with a smaller id: those that start in the order of their ids find one that is there.
    #[default]
    AnyBefore,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Neighbours at most. Default 5, the paper's for 10 000 processes: fanout 4, and one that messages come from.
    pub active_max: usize,
    /// Candidates at most; above ln n. Default 30, the paper's for 10 000.
    pub passive_max: usize,
    /// Hops of a FORWARDJOIN at most: active random walk length. Default 6, the paper's.
    pub arwl: u8,
    /// At so many hops before its end a FORWARDJOIN leaves the newcomer in a passive view; at most `arwl`. Default 3,
    /// the paper's.
    pub prwl: u8,
    /// Hops of a SHUFFLE at most. Default 6, as ARWL.
    pub shuffle_ttl: u8,
    /// Neighbours that go with a SHUFFLE: ka. Default 3, the paper's.
    pub shuffle_active: usize,
    /// Candidates that go with a SHUFFLE: kp. Default 4, the paper's.
    pub shuffle_passive: usize,
    /// From one SHUFFLE of a process to its next, give or take a quarter. Default 10 s: a guess; the paper counts
    /// cycles.
    pub shuffle_period: Span,
    /// How long a candidate has to answer, and a newcomer waits for its first neighbour. Above a round trip; default
    /// 2 s: a guess.
    pub request_timeout: Span,
    /// Walks that a contact starts for a newcomer. Default 3: half of the active view.
    pub walks: usize,
    /// How many of those that joined through it a contact remembers. Default 256: 1 kB, at contacts only.
    pub sample_max: usize,
    /// For so many periods after a join, or the loss of more than half of the neighbours, links are mixed, and these
    /// periods are a quarter as long. Default 4.
    pub mixing: u8,
    /// How a process finds somebody to join through.
    pub contact: Contact,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// Who is told that it has lost its place keeps the link.
    IgnoresDisconnect,
    /// Who makes room for another is not told.
    DropsSilently,
    /// A neighbour that crashed stays one.
    KeepsCrashed,
    /// Who becomes a neighbour stays a candidate.
    StaysCandidate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            active_max: 5,
            passive_max: 30,
            arwl: 6,
            prwl: 3,
            shuffle_ttl: 6,
            shuffle_active: 3,
            shuffle_passive: 4,
            shuffle_period: Span::secs(10),
            request_timeout: Span::secs(2),
            walks: 3,
            sample_max: 256,
            mixing: 4,
            contact: Contact::AnyBefore,
            mistake: None,
        }
    }
}
