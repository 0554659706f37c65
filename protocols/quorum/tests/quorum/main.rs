//! The tests of this crate, as one program.

mod store_costs;
mod store_explored;
mod store_handlers;
mod store_model;
mod store_runs;
mod store_world;
