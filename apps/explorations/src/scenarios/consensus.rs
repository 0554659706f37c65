//! Consensus, and why no deterministic protocol always ends: Fischer, Lynch, Paterson, *Impossibility of Distributed Consensus with One
//! Faulty Process*, JACM 32 (2), 1985, as a scheduler.
//!
//! The paper's adversary begins where both decisions are still possible (a *bivalent* configuration) and delivers every message, and yet
//! nobody ever decides. The explorer is that adversary: it reaches both decisions from one beginning, and finds a loop in which every link
//! delivers and every timer fires, without a decision. Two protocols whose runs can come back to where they were:
//!
//! - [`paxos`]: two proposers duel before an acceptor. Ballots are numbers on a circle, which the explorer proves to be enough for
//!   comparing them: a duel that goes on for ever comes back to the same state.
//! - [`ben_or`]: the rounds of Ben-Or with a rule in place of his coin. It bears one crash of three; rounds are counted by the order of
//!   streams, not by numbers.
//!
//! The control of each is a leader, as a failure detector would give one: then every behaviour decides.

pub mod ben_or;
pub mod paxos;
