//! Protocols on which explorers are compared: the examples of Stateright 0.31, written for this kernel with its semantics
//! (clients elsewhere, messages in any order, what changes nothing is not delivered), so that state counts can be compared.
//!
//! The examples, the tests and `isles bench explore` share them.

pub mod abd;
pub mod paxos;
pub mod register;
pub mod single_copy;
pub mod two_phase_commit;
