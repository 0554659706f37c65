//! The tests of this crate, as one program.

mod store_runs;
mod store_world;
