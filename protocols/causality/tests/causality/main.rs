//! Tests of the library from outside.

mod itc;
mod laws;
mod random;
mod reclaim;
mod recorded;
mod store;
mod truth;
