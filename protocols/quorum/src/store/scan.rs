//! Scans: which keys are there, page by page, in the order of their hashes.
//!
//! So many nodes are asked that a read quorum of every key is among them, and whoever is prepared to write a key counts it as there:
//! a key that is there all the time is then seen. One that was deleted meanwhile may be, too.

use std::collections::BTreeSet;

use isles_kernel::{Cx, OpId, Payload, ProcessId};

use super::message::{Msg, Timer};
use super::{Reply, Store, apply};

/// A scan under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Scanning {
    id: OpId,
    pages: Vec<(ProcessId, Vec<Payload>, Option<u64>)>,
}

/// Keys of one page at most.
const PAGE_MAX: u32 = 10_000;

impl Store {
    /// Asks all nodes.
    pub(super) fn scan(&mut self, cx: &mut Cx<'_, Self>, id: OpId, cursor: u64, count: u32) {
        let count = count.clamp(1, PAGE_MAX);
        if cx.config().nodes() == 1 {
            let (keys, next) = self.page(cx, cursor, count);
            return cx.reply(id, Reply::Page { cursor: next.unwrap_or(0), keys });
        }
        let request = self.next_slot(cx);
        self.scans.insert(request, Scanning { id, pages: Vec::new() });
        cx.arm(Timer::Deadline(request), cx.config().patience);
        for node in (0..cx.config().nodes()).map(ProcessId) {
            self.send(cx, node, Msg::Scan { request, cursor, count });
        }
    }

    /// The keys from a place on that are there, or may be written, and where to go on.
    fn page(&self, cx: &Cx<'_, Self>, cursor: u64, count: u32) -> (Vec<Payload>, Option<u64>) {
        let (now, bytes_max) = (cx.now(), cx.config().bytes_max);
        let held = self
            .table
            .from(cursor)
            .filter(|(_, _, cell)| cell.entry.as_ref().is_some_and(|entry| apply::is_live(entry, now)));
        let promised = self.parts.values().filter_map(|part| part.prepared.as_ref());
        let promised =
            promised.flat_map(|prepared| prepared.writes.iter()).filter(|write| write.entry.is_some());
        let promised: BTreeSet<(u64, &Payload)> = promised
            .map(|write| (self.table.hash(&write.key), &write.key))
            .filter(|(hash, _)| *hash >= cursor)
            .collect();
        let mut keys: Vec<Payload> = Vec::new();
        let (mut last, mut bytes) = (None, 0);
        let mut held = held.map(|(hash, key, _)| (hash, key)).peekable();
        let mut promised = promised.into_iter().peekable();
        loop {
            let next = match (held.peek().copied(), promised.peek().copied()) {
                (None, None) => return (keys, None),
                (Some(one), None) | (None, Some(one)) => one,
                (Some(one), Some(other)) => one.min(other),
            };
            // All keys of one hash are on one page.
            if (keys.len() >= count as usize || bytes >= bytes_max)
                && let Some(last) = last.filter(|last| *last != next.0)
            {
                return (keys, Some(u64::saturating_add(last, 1)));
            }
            held.next_if_eq(&next);
            promised.next_if_eq(&next);
            last = Some(next.0);
            bytes += next.1.bytes().len();
            keys.push(next.1.clone());
        }
    }

    /// A node is asked.
    pub(super) fn on_scan(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        request: u64,
        place: (u64, u32),
    ) {
        let (keys, next) = self.page(cx, place.0, place.1.clamp(1, PAGE_MAX));
        self.send(cx, from, Msg::Keys { request, keys, next });
    }

    /// A node answered.
    pub(super) fn on_keys(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        request: u64,
        (keys, next): (Vec<Payload>, Option<u64>),
    ) {
        let needed = cx.config().scanned();
        let Some(scanning) = self.scans.get_mut(&request) else { return };
        if scanning.pages.iter().any(|(who, ..)| *who == from) {
            return;
        }
        scanning.pages.push((from, keys, next));
        if scanning.pages.len() < needed {
            return;
        }
        let Some(Scanning { id, pages }) = self.scans.remove(&request) else { return };
        cx.disarm(Timer::Deadline(request));
        // What is beyond the end of the shortest page is not known of its node.
        let end = pages.iter().filter_map(|(_, _, next)| *next).min();
        let keys: BTreeSet<(u64, Payload)> = pages
            .into_iter()
            .flat_map(|(_, keys, _)| keys)
            .map(|key| (self.table.hash(&key), key))
            .filter(|(hash, _)| end.is_none_or(|end| *hash < end))
            .collect();
        let keys = keys.into_iter().map(|(_, key)| key).collect();
        cx.reply(id, Reply::Page { cursor: end.unwrap_or(0), keys });
    }

    /// The patience with a scan is at its end.
    pub(super) fn scan_is_late(&mut self, cx: &mut Cx<'_, Self>, request: u64) {
        if let Some(scanning) = self.scans.remove(&request) {
            cx.reply(scanning.id, Reply::Refused);
        }
    }
}
