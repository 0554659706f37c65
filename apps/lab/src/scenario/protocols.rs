//! `[membership]` and `[broadcast]`, or `[tree]`: the protocols of a scenario.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{ProcessId, Span, Time};

use super::document::Place;
use super::faults::ids;
use super::instant;
use super::reader::Reader;
use crate::registry::params::Values;
use crate::registry::{self, BROADCASTS, Chosen, Entry, MEMBERSHIPS, Selection, TREES};
use crate::run::tree::Begin;

/// What protocols must fit into.
pub(super) struct Bounds<'a> {
    /// The scenario's topology; none if it has none, or a wrong one.
    pub(super) topology: &'a Option<Arc<Graph>>,
    /// How many processes there are; none if that is wrong.
    pub(super) processes: Option<u32>,
    /// How long the run is.
    pub(super) duration: Span,
    /// Memory that it may take, in bytes.
    pub(super) memory_max: u64,
}

/// A protocol, and where it is named.
type Named = (Chosen, Place);

/// Reads the protocols; none only when there are problems.
pub(super) fn read(top: &Reader<'_>, bounds: &Bounds<'_>) -> Option<Selection> {
    if top.entry("tree").is_none() {
        let broadcast = choose(top, "broadcast", BROADCASTS, "plumtree", read_all);
        let membership = choose(top, "membership", MEMBERSHIPS, "hyparview", read_all);
        fits(top, bounds, &[&broadcast, &membership]);
        let (membership, broadcast) = (membership?.0, broadcast?.0);
        return Some(Selection::Gossip { membership, broadcast });
    }
    for key in ["membership", "broadcast", "warmup"] {
        if top.entry(key).is_some() {
            let what = format!("a scenario with a [tree] has no '{key}'");
            top.complain(&top.place(key), what, "leave out one of the two");
        }
    }
    let mut begin = Begin { root: ProcessId(0), at: Time::ZERO };
    let tree = choose(top, "tree", TREES, "sync-bfs", |entry, table| {
        let values = Values::read_from(entry.params, Some(&table));
        begin = read_begin(&table, bounds);
        table.finish();
        values
    });
    fits(top, bounds, &[&tree]);
    Some(Selection::Tree { tree: tree?.0, begin })
}

fn read_all(entry: Entry, table: Reader<'_>) -> Values {
    Values::read(entry.params, Some(table))
}

/// Who begins, and when.
fn read_begin(table: &Reader<'_>, bounds: &Bounds<'_>) -> Begin {
    let at = instant(table, "at", bounds.duration).unwrap_or(Time::ZERO);
    let root = table.count("root", 0, u64::from(u32::MAX)).unwrap_or(0) as u32;
    if let Some(processes) = bounds.processes.filter(|processes| root >= *processes) {
        table.complain(&table.place("root"), format!("there is no process {root}"), ids(processes));
    }
    Begin { root: ProcessId(root), at }
}

/// The protocol that the table `key` names.
fn choose<'a>(
    top: &Reader<'a>,
    key: &'static str,
    entries: &'static [Entry],
    example: &str,
    values: impl FnOnce(Entry, Reader<'a>) -> Values,
) -> Option<Named> {
    let Some(table) = top.table(key) else {
        if top.entry(key).is_none() {
            top.complain_here(
                format!("the scenario has no [{key}]"),
                format!("add [{key}] with name = \"{example}\""),
            );
        }
        return None;
    };
    let Some(name) = table.text("name") else {
        if table.entry("name").is_none() {
            table.missing("name", &format!("\"{example}\""));
        }
        return None;
    };
    let Some(entry) = registry::find(entries, name) else {
        table.complain_choice(&table.place("name"), key, name, entries.iter().map(|entry| entry.name));
        return None;
    };
    let place = table.place("name");
    Some((Chosen { entry, values: values(entry, table) }, place))
}

/// Complains about protocols that need a topology where there is none, or more memory than there is.
fn fits(top: &Reader<'_>, bounds: &Bounds<'_>, chosen: &[&Option<Named>]) {
    let chosen = || chosen.iter().filter_map(|named| named.as_ref());
    for (one, place) in chosen() {
        if one.entry.on_graph && bounds.topology.is_none() && top.entry("topology").is_none() {
            top.complain(
                place,
                format!("'{}' needs a [topology], and there is none", one.entry.name),
                "add [topology] with kind = \"random-regular\" and degree = 5, say",
            );
        }
    }
    let processes = u64::from(bounds.processes.unwrap_or(1));
    let each = 200 + chosen().map(|(one, _)| (one.entry.bytes)(processes)).sum::<u64>();
    let needed = each.saturating_mul(processes);
    if needed > bounds.memory_max {
        let giga = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
        let place = top.table("processes").map_or(Place::File(0..0), |table| table.place("count"));
        let (needed, there_is) = (giga(needed), giga(bounds.memory_max));
        let what = format!("{processes} processes take about {needed}, more than the {there_is} there are");
        let most = most_that_fit(processes, bounds.memory_max, |processes| {
            200 + chosen().map(|(one, _)| (one.entry.bytes)(processes)).sum::<u64>()
        });
        top.complain(&place, what, format!("at most {most} processes of these protocols fit"));
    }
}

/// The greatest number below `processes` of which all fit into `memory`.
fn most_that_fit(processes: u64, memory: u64, each: impl Fn(u64) -> u64) -> u64 {
    let (mut fits, mut too_many) = (0, processes);
    while too_many - fits > 1 {
        let middle = fits + (too_many - fits) / 2;
        if each(middle).saturating_mul(middle) <= memory { fits = middle } else { too_many = middle }
    }
    fits
}
