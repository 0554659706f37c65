//! Histories to files: our JSON lines, Jepsen's EDN, Plume's text.

mod edn;
mod json;
mod plume;

pub use edn::EdnWriter;
pub use json::LinesWriter;
pub use plume::{PlumeError, write_plume};

use crate::{Event, Value};

/// An operation whose invocation was written, and that is named by nothing but what it is.
#[derive(Debug)]
struct Unnamed {
    id: u64,
    function: std::sync::Arc<str>,
    key: Option<Value>,
    asked: Value,
}

/// Takes out the one that `event` completes, as [`crate::Calls`] pairs them.
fn take_unnamed(open: &mut Vec<Unnamed>, event: &Event) -> Option<u64> {
    let same = |open: &Unnamed| open.function == event.function && open.key == event.key;
    let exact = open.iter().position(|open| same(open) && crate::calls::fits(&open.asked, &event.value));
    let place = exact.or_else(|| open.iter().position(same))?;
    Some(open.remove(place).id)
}
