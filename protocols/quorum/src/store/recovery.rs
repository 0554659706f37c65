//! What a node makes of its log, and a shorter log that says the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use isles_kernel::{Cx, ProcessId};

use super::Store;
use super::command::TransactionId;
use super::coordinator::Committed;
use super::locks::Claim;
use super::message::{Birth, Mode, Record, Timer, Write};
use super::participant::{Part, Prepared};

/// What a replica promised: how old the transaction is, what it writes, who else was asked.
type Promise = (Birth, Arc<[Write]>, Arc<[ProcessId]>);

impl Store {
    /// Reads the log.
    pub(super) fn replay(&mut self, log: &[Record]) {
        let mut promises: BTreeMap<TransactionId, Promise> = BTreeMap::new();
        for record in log {
            match record {
                Record::Boot(epoch) => self.epoch = *epoch,
                Record::Write(write) => self.relearn(write, &mut promises),
                Record::Writes(writes) => writes.iter().for_each(|write| self.relearn(write, &mut promises)),
                Record::Prepared { id, birth, writes, participants } => {
                    promises.insert(*id, (*birth, Arc::clone(writes), Arc::clone(participants)));
                }
                Record::Decided { id, committed } => {
                    let Some((_, writes, _)) = promises.remove(id) else { continue };
                    for write in writes.iter().filter(|_| *committed) {
                        if write.version > self.table.version(&write.key) {
                            self.relearn(write, &mut promises);
                        }
                    }
                }
                Record::Committed { id, writes, participants } => {
                    let committed = Committed { writes: Arc::clone(writes), waiting: participants.to_vec() };
                    self.committed.insert(*id, committed);
                }
                Record::End(id) => {
                    self.committed.remove(id);
                }
                Record::Forgotten(key, version) => self.table.forget(key, *version),
                Record::Floor(version) => self.table.floor = self.table.floor.max(*version),
            }
        }
        for (id, (birth, writes, participants)) in promises {
            for write in writes.iter().filter(|write| write.version > self.table.version(&write.key)) {
                self.locks.hold(
                    &write.key,
                    Claim { birth, id, mode: Mode::Exclusive, is_only: false, is_prepared: true },
                );
            }
            let prepared = Some(Prepared { writes, participants, asked: 0 });
            self.parts.insert(id, Part { birth, keys: Vec::new(), prepared });
        }
    }

    /// A write, and the end of promises that it makes void.
    fn relearn(&mut self, write: &Write, promises: &mut BTreeMap<TransactionId, Promise>) {
        self.table.put(write);
        let table = &self.table;
        promises.retain(|_, (_, writes, _)| {
            let is_about = writes.iter().any(|other| other.key == write.key);
            !is_about || writes.iter().any(|other| other.version > table.version(&other.key))
        });
    }

    /// Goes on with what was under way: asks for decisions, and tells those that were taken.
    pub(super) fn go_on(&mut self, cx: &mut Cx<'_, Self>) {
        let prepared: Vec<TransactionId> = self.parts.keys().copied().collect();
        for id in prepared {
            self.on_ask_timer(cx, id);
        }
        let committed: Vec<TransactionId> = self.committed.keys().copied().collect();
        for id in committed {
            cx.arm(Timer::Resend(id), cx.config().resend);
            self.on_resend(cx, id);
        }
    }

    /// The records that make this node's durable state.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Boot(self.epoch), Record::Floor(self.table.floor)];
        for (_, key, cell) in self.table.from(0) {
            let write = Write { key: key.clone(), entry: cell.entry.clone(), version: cell.version };
            records.push(Record::Write(write));
        }
        for (id, part) in &self.parts {
            let Part { birth, prepared: Some(prepared), .. } = part else { continue };
            records.push(Record::Prepared {
                id: *id,
                birth: *birth,
                writes: Arc::clone(&prepared.writes),
                participants: Arc::clone(&prepared.participants),
            });
        }
        for (id, committed) in &self.committed {
            records.push(Record::Committed {
                id: *id,
                writes: Arc::clone(&committed.writes),
                participants: committed.waiting.as_slice().into(),
            });
        }
        records
    }
}
