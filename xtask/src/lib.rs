//! Chores of the repository, as a library so that tests can run them.

pub mod compare;
pub mod readme;
pub mod repository;
pub mod tidy;
