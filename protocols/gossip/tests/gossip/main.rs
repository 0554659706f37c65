//! Tests of the gossip protocols: statements of their papers, handler by handler, and simulations.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one kind of message")]

mod broadcasts;
mod hyparview;
mod museum;
mod plumtree;
mod plumtree_runs;
mod traces;
mod world;
