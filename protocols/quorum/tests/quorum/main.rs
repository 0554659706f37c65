//! Quorums, against what their papers say, explored, and in simulation with faults. Each rule has a control that breaks it.

mod abd;
mod registers_in_simulation;
mod voting;
mod voting_explored;
mod world;
