//! Forgetting what was deleted, and deleting what has expired.
//!
//! A deleted key must be known as deleted, with its version, as long as a replica may know an older write of it or may come to: else
//! that write would count as the newest. So a replica that knows a deletion asks all replicas of the key. When each of them, at some
//! moment, has known it and nobody had the key locked, each forgets it and remembers the highest version that it ever forgot, its
//! floor. From then on
//!
//! - what arrives late with a version that is not above the floor, of a key that the replica does not know, is not taken;
//! - new versions are above the floors of all replicas in their write quorum;
//! - a read that finds a write at one replica, and at another nothing and a floor that is not below it, does not know whether the other
//!   has forgotten its deletion. It is decided by a transaction, which writes the entry again, above the floor.
//!
//! No clock takes part. A replica that is down for long delays the forgetting of what was deleted meanwhile.

use std::collections::BTreeMap;

use isles_kernel::{Cx, Payload, ProcessId};

use super::Store;
use super::apply;
use super::command::{Command, Version};
use super::coordinator::Purpose;
use super::message::{Event, Msg, Record, Timer, Write};

/// A question to all replicas of some keys.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Sweeping {
    keys: Vec<(Payload, Version)>,
    replicas: Vec<ProcessId>,
    /// Who answered, and what.
    answers: BTreeMap<ProcessId, Vec<bool>>,
}

impl Store {
    /// Looks at some keys that are deleted or expire.
    pub(super) fn sweep(&mut self, cx: &mut Cx<'_, Self>) {
        let config = cx.config();
        cx.arm(Timer::Sweep, config.sweep);
        self.sweeps.clear();
        self.swept_rounds = self.swept_rounds.wrapping_add(1);
        let mut expired = Vec::new();
        let mut deleted: BTreeMap<Vec<ProcessId>, Vec<(Payload, Version)>> = BTreeMap::new();
        let (mut seen, mut bytes, mut last) = (0, 0usize, None);
        for (hash, key, cell) in self.table.mortal_from(self.swept) {
            if seen >= config.sweep_max || bytes > config.bytes_max {
                last = Some(hash);
                break;
            }
            seen += 1;
            let is_expired = cell.entry.as_ref().is_some_and(|entry| !apply::is_live(entry, cx.now()));
            if (!is_expired && cell.entry.is_some()) || self.locks.is_claimed(key) {
                continue;
            }
            // Replicas take turns, so that one of those that still know is asked some time.
            let replicas = config.replicas(key);
            let turn = self.swept_rounds as usize % replicas.len();
            if replicas[turn] != cx.me() {
                continue;
            }
            bytes = bytes.saturating_add(key.bytes().len());
            if is_expired {
                expired.push((key.clone(), cell.version));
            } else {
                deleted.entry(replicas).or_default().push((key.clone(), cell.version));
            }
        }
        self.swept = last.unwrap_or(0);
        for (key, version) in expired {
            self.purge(cx, key, version);
        }
        for (replicas, keys) in deleted {
            let request = self.next_slot(cx);
            let sweeping =
                Sweeping { keys: keys.clone(), replicas: replicas.clone(), answers: BTreeMap::new() };
            self.sweeps.insert(request, sweeping);
            for replica in replicas {
                self.send(cx, replica, Msg::Deleted { request, keys: keys.clone() });
            }
        }
    }

    /// Takes away what has expired.
    fn purge(&mut self, cx: &mut Cx<'_, Self>, key: Payload, version: Version) {
        if self.is_alone(cx, &key) {
            let version = Version(version.max(self.table.floor).0.saturating_add(1));
            let place = self.table.find(&key);
            self.write_alone(cx, place, Write { key, entry: None, version });
        } else if self.busy() < cx.config().active_max / 2 {
            self.begin(cx, Purpose::Purge, [Command::Get { key }].into(), [].into());
        }
    }

    /// Whether a key is known as deleted by this write, or forgotten, and nobody has it locked.
    fn is_deleted(&self, key: &Payload, version: Version) -> bool {
        let is_gone = match self.table.get(key) {
            Some(cell) => cell.entry.is_none() && cell.version == version,
            None => self.table.floor >= version,
        };
        is_gone && !self.locks.is_claimed(key)
    }

    /// Somebody asks whether keys are deleted.
    pub(super) fn on_deleted(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        request: u64,
        keys: &[(Payload, Version)],
    ) {
        let yes = keys.iter().map(|(key, version)| self.is_deleted(key, *version)).collect();
        self.send(cx, from, Msg::AreDeleted { request, yes });
    }

    /// A replica answered.
    pub(super) fn on_are_deleted(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        request: u64,
        yes: Vec<bool>,
    ) {
        let Some(sweeping) = self.sweeps.get_mut(&request) else { return };
        if yes.len() != sweeping.keys.len() || !sweeping.replicas.contains(&from) {
            return;
        }
        for ((key, version), _) in sweeping.keys.iter().zip(&yes).filter(|(_, yes)| !**yes) {
            // It may not have heard.
            let write = Write { key: key.clone(), entry: None, version: *version };
            if from != cx.me() {
                cx.send(from, Msg::Repair(write));
            }
        }
        sweeping.answers.insert(from, yes);
        if sweeping.answers.len() < sweeping.replicas.len() {
            return;
        }
        let Some(Sweeping { keys, replicas, answers }) = self.sweeps.remove(&request) else { return };
        let by_all = |place: usize| answers.values().all(|yes| yes[place]);
        let keys: Vec<(Payload, Version)> =
            keys.into_iter().enumerate().filter(|(place, _)| by_all(*place)).map(|(_, key)| key).collect();
        if keys.is_empty() {
            return;
        }
        for replica in replicas {
            self.send(cx, replica, Msg::Forget { keys: keys.clone() });
        }
    }

    /// All replicas have known that these are deleted.
    pub(super) fn on_forget(&mut self, cx: &mut Cx<'_, Self>, keys: Vec<(Payload, Version)>) {
        for (key, version) in keys {
            let is_known = self.table.get(&key).is_some();
            if is_known && self.is_deleted(&key, version) {
                self.table.forget(&key, version);
                cx.persist(Record::Forgotten(key, version));
                cx.emit(Event::Forgotten);
            }
        }
    }
}
