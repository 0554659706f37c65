//! Quorums, against what their papers say, explored, and in simulation with faults. Each rule has a control that breaks it.

mod abd;
mod registers_in_simulation;
mod store_costs;
mod store_explored;
mod store_handlers;
mod store_model;
mod store_runs;
mod store_world;
mod voting;
mod voting_explored;
mod world;
