//! Commands: what each asks of the store, and how the store's answers become a client's.

mod admin;
pub(crate) mod arguments;
mod client;
pub(crate) mod expiry;
mod glob;
mod info;
mod plan;
mod scan;
mod strings;
mod table;
mod transaction;

pub(crate) use plan::{Access, Act, Ask, Keyed, Then};
pub(crate) use table::{Run, Spec, Table};
pub(crate) use transaction::{Multi, queue};
