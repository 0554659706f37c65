//! Loads for interval tree clocks, after the evaluation in their paper (Almeida, Baquero and Fonte 2008, section 6): so many stamps at
//! any time, and rounds in which random ones do something. Every function draws by `below`, a number below a bound.

use crate::itc::{Stamp, Wire};

/// Which round is repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Load {
    /// Processes stay: one counts an event, one sends a message to one.
    StaticProcess,
    /// Replicas come and go: one forks, one counts an event, two join.
    DynamicData,
    /// Processes come and go: one forks, one counts an event, one sends a message to one, two join.
    DynamicProcess,
}

/// So many stamps, each forked from a random one.
pub fn stamps(count: usize, below: &mut impl FnMut(usize) -> usize) -> Vec<Stamp> {
    let mut stamps = vec![Stamp::seed()];
    while stamps.len() < count {
        fork(&mut stamps, below);
    }
    stamps
}

/// One round.
pub fn round(load: Load, stamps: &mut Vec<Stamp>, below: &mut impl FnMut(usize) -> usize) {
    let dynamic = load != Load::StaticProcess;
    if dynamic {
        fork(stamps, below);
    }
    let at = below(stamps.len());
    stamps[at].event();
    if load != Load::DynamicData {
        let (from, to) = (below(stamps.len()), below(stamps.len()));
        if from != to {
            let known = stamps[from].send();
            stamps[to].receive(&known);
        }
    }
    if dynamic {
        let gone = below(stamps.len());
        let gone = stamps.swap_remove(gone);
        let at = below(stamps.len());
        stamps[at].join(gone).expect("stamps that were forked own disjoint parts");
    }
}

fn fork(stamps: &mut Vec<Stamp>, below: &mut impl FnMut(usize) -> usize) {
    let at = below(stamps.len());
    let new = stamps[at].fork();
    stamps.push(new);
}

/// Mean bytes of a stamp, in the form that the paper's Erlang program writes.
pub fn mean_bytes(stamps: &[Stamp]) -> f64 {
    stamps.iter().map(|stamp| stamp.encode_as(Wire::Erlang).len()).sum::<usize>() as f64 / stamps.len() as f64
}

/// Mean bytes of one of `count` stamps after `rounds` rounds.
pub fn bytes_after(load: Load, count: usize, rounds: u32, below: &mut impl FnMut(usize) -> usize) -> f64 {
    let mut all = stamps(count, below);
    (0..rounds).for_each(|_| round(load, &mut all, below));
    mean_bytes(&all)
}
