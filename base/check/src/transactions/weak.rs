//! Read committed and read atomic, in O(n^1.5).
//!
//! The algorithms are those of Møldrup and Pavlogiannis (AWDIT, PLDI 2025), with the initial state as a transaction before all
//! others. A read of `t1` by a reader to which `t2`, another writer of the key, was visible orders `t2` before `t1`; the history is
//! right if these, with who read from whom and sessions, form no cycle. Only the arcs from which all others follow are added: for
//! each transaction that a reader saw, whichever is shorter is walked: what it wrote, or what the reader read.

use super::arcs::{Arcs, Visible, Why};
use super::facts::{Facts, INITIAL, Read};

/// What must come before what at read committed.
pub(super) fn read_committed(facts: &Facts, sessions: bool) -> Arcs {
    let mut arcs = base(facts, sessions, Visible::Read);
    let mut next = Latest::new(facts.keys());
    let mut first = Latest::new(facts.count() as usize);
    for reader in 1..facts.count() {
        next.clear();
        first.clear();
        let reads = facts.reads(reader);
        for (place, read) in (0..).zip(reads) {
            if first.get(read.writer).is_none() {
                first.set(read.writer, place);
            }
        }
        for (place, read) in reads.iter().enumerate().rev() {
            let Read { key, writer, top } = *read;
            let before = |arcs: &mut Arcs, key, later| {
                if later != writer && writer != INITIAL {
                    arcs.push(writer, later, Why::Overwritten { key, reader });
                }
            };
            if let Some(later) = next.get(key) {
                before(&mut arcs, key, later);
            }
            if first.get(writer) == Some(place as u32) {
                let written = facts.writes(writer);
                if written.len() <= next.touched.len() {
                    for &other in written.iter().filter(|other| **other != key) {
                        if let Some(later) = next.get(other) {
                            before(&mut arcs, other, later);
                        }
                    }
                } else {
                    for &other in next.touched.iter().filter(|other| **other != key) {
                        if let (Some(later), true) = (next.get(other), facts.wrote(writer, other)) {
                            before(&mut arcs, other, later);
                        }
                    }
                }
            }
            if top {
                next.set(key, writer);
            }
        }
    }
    arcs
}

/// What must come before what at read atomic.
pub(super) fn read_atomic(facts: &Facts, sessions: bool) -> Arcs {
    let mut arcs = base(facts, sessions, Visible::Step);
    let mut version = Latest::new(facts.keys());
    let mut seen = Latest::new(facts.count() as usize);
    for reader in 1..facts.count() {
        version.clear();
        seen.clear();
        let reads = facts.reads(reader);
        for read in reads.iter().filter(|read| read.top) {
            if let Some(other) = version.get(read.key)
                && other != read.writer
            {
                // A key was read twice: each of the two was visible when the other was read.
                for (from, to) in [(other, read.writer), (read.writer, other)] {
                    if from != INITIAL {
                        arcs.push(from, to, Why::Overwritten { key: read.key, reader });
                    }
                }
            }
            version.set(read.key, read.writer);
        }
        for read in reads {
            if read.writer == INITIAL || seen.get(read.writer).is_some() {
                continue;
            }
            seen.set(read.writer, 0);
            let mut before = |key, later| {
                if later != read.writer {
                    arcs.push(read.writer, later, Why::Overwritten { key, reader });
                }
            };
            let written = facts.writes(read.writer);
            if written.len() <= version.touched.len() {
                for &key in written {
                    if let Some(later) = version.get(key) {
                        before(key, later);
                    }
                }
            } else {
                for &key in &version.touched {
                    if let (Some(later), true) = (version.get(key), facts.wrote(read.writer, key)) {
                        before(key, later);
                    }
                }
            }
        }
    }
    if sessions {
        own_session(facts, &mut arcs);
    }
    arcs
}

/// The session's last writer of a key comes before whoever a later transaction of the session reads the key from.
fn own_session(facts: &Facts, arcs: &mut Arcs) {
    let mut last = Latest::new(facts.keys());
    for session in 0..facts.sessions() {
        last.clear();
        for &reader in facts.in_session(session) {
            for read in facts.reads(reader).iter().filter(|read| read.top) {
                if let Some(own) = last.get(read.key)
                    && own != read.writer
                {
                    arcs.push(own, read.writer, Why::Overwritten { key: read.key, reader });
                }
            }
            for &key in facts.writes(reader) {
                last.set(key, reader);
            }
        }
    }
}

fn base(facts: &Facts, sessions: bool, visible: Visible) -> Arcs {
    let mut arcs = Arcs::new(facts, false, visible);
    if sessions {
        arcs.push_sessions(facts);
    }
    arcs.push_reads(facts);
    arcs.push_follows(facts, false);
    arcs
}

/// A table that is emptied in as many steps as it has entries.
struct Latest {
    value: Vec<u32>,
    touched: Vec<u32>,
}

impl Latest {
    fn new(count: usize) -> Self {
        Self { value: vec![u32::MAX; count], touched: Vec::new() }
    }

    fn get(&self, at: u32) -> Option<u32> {
        let value = self.value[at as usize];
        (value != u32::MAX).then_some(value)
    }

    fn set(&mut self, at: u32, value: u32) {
        if std::mem::replace(&mut self.value[at as usize], value) == u32::MAX {
            self.touched.push(at);
        }
    }

    fn clear(&mut self) {
        for at in self.touched.drain(..) {
            self.value[at as usize] = u32::MAX;
        }
    }
}
