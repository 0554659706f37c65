//! Bugs planted on purpose, and which searches find them.
//!
//! Each is a switch of a protocol's own configuration that is off by default. A scenario of its protocol in which it shows is searched
//! in five ways; the protocol as it is shipped has to survive the same search.

mod bugs;
mod hunt;
mod table;

pub use bugs::PLANTED;
pub use hunt::{Bound, Hunt, Outcome, Strategy};
pub use table::{Row, called, examine, table};

/// A bug.
pub struct Planted {
    /// Its name: the protocol's, and the mistake's.
    pub name: &'static str,
    /// What is wrong.
    pub wrong: &'static str,
    /// The property that breaks.
    pub breaks: &'static str,
    /// Searches the scenario, with the bug in it if the second argument says so.
    pub search: fn(&Hunt, bool) -> Outcome,
}
