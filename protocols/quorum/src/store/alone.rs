//! What a node does that is a quorum of a key by itself: one look, one record, one answer.

use std::sync::Arc;

use isles_kernel::{Cx, OpId, Payload, ProcessId};

use super::apply::{Change, apply};
use super::command::{Command, Version};
use super::evaluate::{self, Asked};
use super::message::{Record, Write};
use super::table::Place;
use super::{Reply, Store};

impl Store {
    /// Whether this node is the only replica of a key.
    pub(super) fn is_alone(&self, cx: &Cx<'_, Self>, key: &Payload) -> bool {
        let config = cx.config();
        config.keyspace(key).n == 1 && config.holds(cx.me(), key)
    }

    /// Whether a read quorum of a key is this node.
    pub(super) fn reads_alone(&self, cx: &Cx<'_, Self>, key: &Payload) -> bool {
        let config = cx.config();
        config.keyspace(key).r == 1 && config.holds(cx.me(), key)
    }

    /// Does one command.
    pub(super) fn do_alone(&mut self, cx: &mut Cx<'_, Self>, id: OpId, command: Command) {
        let (bytes_max, now) = (cx.config().bytes_max, cx.now());
        let place = self.table.find(command.key());
        let (version, held) = match self.table.at(place) {
            Some(cell) => (cell.version, cell.entry.as_ref()),
            None => (Version(0), None),
        };
        let (answer, change) = apply(held, version, &command, now, bytes_max);
        if let Change::Write(entry) = change {
            let version = Version(version.max(self.table.floor).0.saturating_add(1));
            self.write_alone(cx, place, Write { key: command.into_key(), entry, version });
        }
        cx.reply(id, Reply::One(answer));
    }

    /// Keeps a write. What is deleted need not be known: there is no other replica that knows what was there before.
    pub(super) fn write_alone(&mut self, cx: &mut Cx<'_, Self>, place: Place, write: Write) {
        if write.entry.is_none() {
            self.table.forget(&write.key, write.version);
            cx.persist(Record::Forgotten(write.key, write.version));
        } else {
            self.table.put_at(place, &write);
            cx.persist(Record::Write(write));
        }
    }

    /// Does all commands.
    pub(super) fn do_all_alone(&mut self, cx: &mut Cx<'_, Self>, id: OpId, asked: Asked<'_>) {
        let mut keys: Vec<&Payload> = asked.commands.iter().map(Command::key).collect();
        keys.extend(asked.unchanged.iter().map(|(key, _)| key));
        keys.sort_unstable();
        keys.dedup();
        let rows = keys.into_iter().map(|key| match self.table.get(key) {
            Some(cell) => (key, cell.version, cell.entry.as_ref(), cell.version),
            None => (key, Version(0), None, self.table.floor),
        });
        let evaluated = evaluate::commands(rows, asked, cx.now(), cx.config().bytes_max);
        let writes: Arc<[Write]> = evaluated.writes.into();
        match &*writes {
            [] => {}
            [write] => self.write_alone(cx, self.table.find(&write.key), write.clone()),
            all => {
                // One record, so that all are there after a crash, or none.
                for write in all {
                    self.table.put(write);
                }
                cx.persist(Record::Writes(Arc::clone(&writes)));
            }
        }
        cx.reply(id, evaluated.reply);
    }

    /// Sends to another node, or hands over to this one.
    pub(super) fn send(&mut self, cx: &mut Cx<'_, Self>, to: ProcessId, msg: super::Msg) {
        if to == cx.me() {
            self.inbox.push_back(msg);
        } else {
            cx.send(to, msg);
        }
    }
}
