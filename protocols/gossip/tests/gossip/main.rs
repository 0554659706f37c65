//! Tests of the gossip protocols: statements of their papers, handler by handler, and simulations.

mod broadcasts;
mod hyparview;
mod museum;
mod plumtree;
mod plumtree_runs;
mod world;
