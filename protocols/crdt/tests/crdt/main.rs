//! Replicated data types against their specifications: on all executions of a few operations, and on long random ones. Each kind of
//! check has a control that fails.

mod bytes;
mod examples;
mod laws;
mod list;
mod museum;
mod protocols;
mod tree;
