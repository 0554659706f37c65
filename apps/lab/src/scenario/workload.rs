//! `[[broadcasts]]` and `warmup`: what clients ask.

use isles_kernel::{ProcessId, Span, Time};

use super::document::Value;
use super::faults::ids;
use super::reader::Reader;
use super::{instant, longer};
use crate::registry::{Chosen, Selection};
use crate::run::plan::{Broadcast, Origin};
use crate::run::tree::Begin;

/// A run has at most so many broadcasts.
const COUNT_MAX: u64 = 1_000_000;
/// A payload has at most so many bytes.
const PAYLOAD_MAX: u64 = 8 << 20;

pub(super) fn read(
    top: &Reader<'_>,
    processes: u32,
    duration: Span,
    selection: Option<&Selection>,
) -> (Vec<Broadcast>, Time) {
    let warmup = instant(top, "warmup", duration).unwrap_or(Time::ZERO);
    let mut broadcasts = Vec::new();
    for table in top.tables("broadcasts") {
        let first = instant(&table, "first", duration);
        if table.entry("first").is_none() {
            table.missing("first", "\"10s\"");
        }
        let count = table.count("count", 1, COUNT_MAX).unwrap_or(1);
        let every = table.span("every").unwrap_or(Span::secs(1));
        let payload = table.count("payload", 0, PAYLOAD_MAX).unwrap_or(100) as usize;
        let origin = match selection {
            Some(Selection::Tree { tree, begin }) => read_root(&table, tree, *begin),
            Some(Selection::Gossip { .. }) | None => read_origin(&table, processes),
        };
        if let Some(first) = first {
            let last = first + every.times(count - 1);
            if last > Time::ZERO + duration {
                let what = format!("the last of these broadcasts is at {last}, after the end of the run");
                table.complain(&table.place("count"), what, longer(duration));
            } else if broadcasts.len() as u64 + count <= COUNT_MAX {
                broadcasts.extend((0..count).map(|index| Broadcast {
                    at: first + every.times(index),
                    origin,
                    payload,
                }));
            } else {
                table.complain_here(
                    "there are too many broadcasts",
                    format!("ask for {COUNT_MAX} at most in all"),
                );
            }
        }
        table.finish();
    }
    broadcasts.sort_by_key(|broadcast| broadcast.at);
    if let Some(last) = broadcasts.last()
        && last.at < warmup
    {
        let what = format!("no broadcast counts: the last is at {}, before the warm-up ends", last.at);
        top.complain(&top.place("warmup"), what, format!("write warmup = \"{}\" at most", last.at));
    }
    (broadcasts, warmup)
}

/// Broadcasts along a tree begin at its root.
fn read_root(table: &Reader<'_>, tree: &Chosen, begin: Begin) -> Origin {
    if !tree.entry.broadcasts {
        let what = format!("'{}' broadcasts nothing", tree.entry.name);
        table.complain_here(what, "leave out the broadcasts, or choose a tree of one root");
    }
    if table.entry("origin").is_some() {
        let help = "leave it out: every broadcast begins at the tree's root";
        table.complain(&table.place("origin"), "broadcasts along a [tree] have no 'origin'", help);
    }
    Origin::Process(begin.root)
}

fn read_origin(table: &Reader<'_>, processes: u32) -> Origin {
    let help = "write the number of a process, or \"random\"";
    let Some(entry) = table.entry("origin") else { return Origin::Random };
    match &entry.item.value {
        Value::Text(text) if text == "random" => Origin::Random,
        Value::Integer(id) => match u32::try_from(*id).ok().filter(|id| *id < processes) {
            Some(id) => Origin::Process(ProcessId(id)),
            None => {
                table.complain(&entry.item.place, format!("there is no process {id}"), ids(processes));
                Origin::Random
            }
        },
        Value::Text(_) | Value::Float(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) => {
            table.complain(&entry.item.place, "this is no origin", help);
            Origin::Random
        }
    }
}
