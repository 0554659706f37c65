//! A replica as a participant of transactions: it locks, votes, and does what was decided.

use std::sync::Arc;

use isles_kernel::{Cx, Payload, ProcessId};

use super::Store;
use super::command::{TransactionId, Version};
use super::config::Mistake;
use super::locks::{Claim, Freed, Requested};
use super::message::{Birth, Event, Mode, Msg, Record, State, Timer, Why, Write};

/// A transaction at a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Part {
    pub(super) birth: Birth,
    /// Invariant: exactly those that it claims here, until it is prepared.
    pub(super) keys: Vec<Payload>,
    pub(super) prepared: Option<Prepared>,
}

/// What a replica promised.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Prepared {
    /// Invariant: it holds an exclusive claim on those of them that are newer than what the table has, and there is at least one.
    pub(super) writes: Arc<[Write]>,
    pub(super) participants: Arc<[ProcessId]>,
    /// How often it has asked for the decision since the last restart.
    pub(super) asked: u32,
}

impl Store {
    /// Locks keys for a transaction. Rosenkrantz et al. 1978, section 4.
    pub(super) fn on_lock(
        &mut self,
        cx: &mut Cx<'_, Self>,
        id: TransactionId,
        (birth, is_only): (Birth, bool),
        keys: Vec<(Payload, Mode)>,
    ) {
        let config = cx.config();
        self.parts.insert(
            id,
            Part { birth, keys: keys.iter().map(|(key, _)| key.clone()).collect(), prepared: None },
        );
        cx.arm(Timer::Lease(id), config.lease);
        let wounds = !config.errs(Mistake::NeverWounds);
        let mut freed = Freed::default();
        let mut wounded = Vec::new();
        for (key, mode) in keys {
            let claim = Claim { birth, id, mode, is_only, is_prepared: false };
            match self.locks.request(&key, claim, config.queue_max, wounds) {
                Requested::Granted => freed.granted.push((id, key)),
                Requested::Waits(younger) => wounded.extend(younger),
                Requested::Full => {
                    self.give_up(cx, id, &mut freed);
                    break;
                }
            }
        }
        wounded.sort_unstable();
        wounded.dedup();
        for younger in wounded {
            cx.emit(Event::Wounded(younger));
            self.give_up(cx, younger, &mut freed);
        }
        self.tell_freed(cx, freed);
    }

    /// A transaction that is not prepared loses what it claims here, and its coordinator is told.
    fn give_up(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId, freed: &mut Freed) {
        if self.drop_claims(cx, id, freed) {
            self.send(cx, id.coordinator, Msg::Lost { id });
        }
    }

    /// A transaction that is not prepared loses what it claims here; false if there is none.
    fn drop_claims(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId, freed: &mut Freed) -> bool {
        if self.parts.get(&id).is_none_or(|part| part.prepared.is_some()) {
            return false;
        }
        cx.disarm(Timer::Lease(id));
        for key in self.parts.remove(&id).into_iter().flat_map(|part| part.keys) {
            self.locks.release(&key, id, freed);
        }
        true
    }

    /// Tells whose locks were granted, and answers reads that waited.
    pub(super) fn tell_freed(&mut self, cx: &mut Cx<'_, Self>, freed: Freed) {
        let Freed { mut granted, readers } = freed;
        granted.sort_unstable();
        // Whoever was granted something and wounded in the same step has nothing.
        granted.retain(|(id, _)| self.parts.contains_key(id));
        for group in granted.chunk_by(|a, b| a.0 == b.0) {
            let id = group[0].0;
            let states: Vec<(Payload, State)> =
                group.iter().map(|(_, key)| (key.clone(), self.table.state(key))).collect();
            self.send(cx, id.coordinator, Msg::Granted { id, states });
        }
        for (reader, request, key) in readers {
            let state = self.table.state(&key);
            self.send(cx, reader, Msg::Value { request, state });
        }
    }

    /// Votes. Mohan, Lindsay and Obermarck 1986, section 2: yes only when the promise is on disk.
    pub(super) fn on_prepare(
        &mut self,
        cx: &mut Cx<'_, Self>,
        id: TransactionId,
        writes: Arc<[Write]>,
        participants: Arc<[ProcessId]>,
    ) {
        let is_careless = cx.config().errs(Mistake::VotesWithoutLock);
        let yes = match self.parts.get(&id) {
            Some(Part { prepared: Some(_), .. }) => true,
            Some(Part { birth, .. }) => {
                let birth = *birth;
                let holds = |write: &Write| self.locks.holds(&write.key, id, Mode::Exclusive);
                let yes = writes.iter().all(holds);
                if yes {
                    self.vote_yes(cx, (id, birth), writes, participants);
                }
                yes
            }
            None if is_careless && !writes.is_empty() => {
                let birth = Birth { at: cx.now(), first: id };
                self.vote_yes(cx, (id, birth), writes, participants);
                true
            }
            None => false,
        };
        self.send(cx, id.coordinator, Msg::Vote { id, yes });
    }

    /// Keeps the locks of what is to be written, gives back the others, and promises.
    fn vote_yes(
        &mut self,
        cx: &mut Cx<'_, Self>,
        (id, birth): (TransactionId, Birth),
        writes: Arc<[Write]>,
        participants: Arc<[ProcessId]>,
    ) {
        let mut freed = Freed::default();
        let claimed = self.parts.remove(&id).map_or(Vec::new(), |part| part.keys);
        let releases_all = cx.config().errs(Mistake::ReleasesEarly);
        for key in claimed {
            if releases_all || !writes.iter().any(|write| write.key == key) {
                self.locks.release(&key, id, &mut freed);
            }
        }
        cx.disarm(Timer::Lease(id));
        if !writes.is_empty() {
            let record = (Arc::clone(&writes), Arc::clone(&participants));
            cx.persist(Record::Prepared { id, birth, writes: record.0, participants: record.1 });
            for write in writes.iter() {
                self.locks.prepare(&write.key, id);
            }
            let prepared = Some(Prepared { writes, participants, asked: 0 });
            self.parts.insert(id, Part { birth, keys: Vec::new(), prepared });
            cx.arm(Timer::Ask(id), cx.config().ask);
        }
        self.tell_freed(cx, freed);
    }

    /// Writes, gives the locks back, and acknowledges.
    pub(super) fn on_commit(
        &mut self,
        cx: &mut Cx<'_, Self>,
        id: TransactionId,
        writes: &[Write],
        again: bool,
    ) {
        let mut freed = Freed::default();
        self.decide(cx, id, true, &mut freed);
        self.drop_claims(cx, id, &mut freed);
        if !again {
            // It was not asked to prepare this, and catches up.
            for write in writes {
                self.catch_up(cx, write, &mut freed);
            }
        }
        self.send(cx, id.coordinator, Msg::Acknowledge { id });
        self.tell_freed(cx, freed);
    }

    /// Gives the locks back.
    pub(super) fn on_abort(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId) {
        let mut freed = Freed::default();
        self.decide(cx, id, false, &mut freed);
        self.drop_claims(cx, id, &mut freed);
        self.tell_freed(cx, freed);
    }

    /// What became of a transaction on which this node voted yes; nothing happens if it did not.
    fn decide(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId, committed: bool, freed: &mut Freed) {
        let Some(Part { prepared: Some(_), .. }) = self.parts.get(&id) else { return };
        cx.persist(Record::Decided { id, committed });
        cx.disarm(Timer::Ask(id));
        let Some(Part { prepared: Some(prepared), .. }) = self.parts.remove(&id) else { return };
        for write in prepared.writes.iter() {
            if committed && write.version > self.table.version(&write.key) {
                self.learn(cx, write, freed);
            }
            self.locks.release(&write.key, id, freed);
        }
        self.remember(cx, id, committed);
    }

    /// Takes a committed write that this node was not asked to prepare, if it is newer than what it knows. While somebody else works
    /// with what it knows, and when it may have forgotten a later one, it does not.
    pub(super) fn catch_up(&mut self, cx: &mut Cx<'_, Self>, write: &Write, freed: &mut Freed) {
        let is_known = match self.table.get(&write.key) {
            Some(cell) => write.version <= cell.version,
            None => write.version <= self.table.floor,
        };
        let is_overtaking = |id: TransactionId| {
            let prepared = self.parts.get(&id).and_then(|part| part.prepared.as_ref());
            let theirs =
                prepared.and_then(|prepared| prepared.writes.iter().find(|other| other.key == write.key));
            theirs.is_some_and(|theirs| theirs.version <= write.version)
        };
        let is_in_use = match self.locks.prepared(&write.key) {
            Some(id) => !is_overtaking(id),
            None => self.locks.is_held_by_other(&write.key, None),
        };
        if !is_known && !is_in_use {
            cx.persist(Record::Write(write.clone()));
            self.learn(cx, write, freed);
        }
    }

    /// Takes a committed write that is newer than what this node knows. Whoever is prepared to write something older there need not
    /// any more, whatever was decided.
    fn learn(&mut self, cx: &mut Cx<'_, Self>, write: &Write, freed: &mut Freed) {
        self.table.put(write);
        if write.entry.is_none() && cx.config().errs(Mistake::ForgetsDeleted) {
            self.table.forget(&write.key, Version(0));
        }
        let Some(id) = self.locks.prepared(&write.key) else { return };
        self.locks.release(&write.key, id, freed);
        let is_over = match self.parts.get(&id).and_then(|part| part.prepared.as_ref()) {
            Some(prepared) => {
                !prepared.writes.iter().any(|write| write.version > self.table.version(&write.key))
            }
            None => false,
        };
        if is_over {
            self.parts.remove(&id);
            cx.disarm(Timer::Ask(id));
        }
    }

    /// A coordinator did not come back in time.
    pub(super) fn on_lease(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId) {
        let mut freed = Freed::default();
        self.give_up(cx, id, &mut freed);
        self.tell_freed(cx, freed);
    }

    /// A prepared participant has waited for the decision: it asks the coordinator, and from the second time on the others, too.
    pub(super) fn on_ask_timer(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId) {
        let prepared = self.parts.get_mut(&id).and_then(|part| part.prepared.as_mut());
        let Some(prepared) = prepared else { return };
        prepared.asked = (prepared.asked + 1).min(2);
        let (asked, participants) = (prepared.asked, Arc::clone(&prepared.participants));
        if asked == 1 {
            cx.emit(Event::InDoubt(id));
        } else if cx.config().errs(Mistake::DecidesAlone) {
            return self.on_abort(cx, id);
        }
        self.send(cx, id.coordinator, Msg::Ask { id });
        let me = cx.me();
        let others = participants.iter().filter(|other| **other != me && **other != id.coordinator);
        for other in others.filter(|_| asked > 1) {
            self.send(cx, *other, Msg::Ask { id });
        }
        cx.arm(Timer::Ask(id), cx.config().ask);
    }

    /// Somebody who is prepared asks what became of a transaction. Mohan et al. 1986, section 3: whoever coordinated it and knows
    /// nothing of it says that it was aborted.
    pub(super) fn on_ask(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, id: TransactionId) {
        let remembered =
            self.decisions.iter().find(|(decided, _)| *decided == id).map(|(_, committed)| *committed);
        if let Some(committed) = remembered {
            self.send(cx, from, Msg::Outcome { id, committed });
        } else if id.coordinator != cx.me() {
            // It does not know either.
        } else if self.committed.contains_key(&id) {
            self.tell_commit(cx, from, id);
        } else if !self.is_trying(id) {
            self.send(cx, from, Msg::Outcome { id, committed: false });
        }
    }

    /// The answer.
    pub(super) fn on_outcome(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId, committed: bool) {
        let mut freed = Freed::default();
        self.decide(cx, id, committed, &mut freed);
        self.tell_freed(cx, freed);
    }

    fn remember(&mut self, cx: &Cx<'_, Self>, id: TransactionId, committed: bool) {
        if self.decisions.len() >= cx.config().remembered_max {
            self.decisions.pop_front();
        }
        if cx.config().remembered_max > 0 {
            self.decisions.push_back((id, committed));
        }
    }

    /// A read of one key.
    pub(super) fn on_read(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, request: u64, key: &Payload) {
        let is_hidden = match cx.config().mistake {
            Some(Mistake::ReadsPrepared) => false,
            Some(Mistake::ReadsLocked) => self.locks.prepared(key).is_some(),
            _ => self.locks.is_hidden(key),
        };
        // Whoever finds no room to wait is not answered.
        if !is_hidden {
            let state = self.table.state(key);
            self.send(cx, from, Msg::Value { request, state });
        } else {
            self.locks.wait(key, (from, request), cx.config().queue_max);
        }
    }

    /// Somebody read an older write here than elsewhere.
    pub(super) fn on_repair(&mut self, cx: &mut Cx<'_, Self>, write: &Write) {
        let mut freed = Freed::default();
        self.catch_up(cx, write, &mut freed);
        self.tell_freed(cx, freed);
    }

    /// The coordinator's stream broke: what it has not asked to prepare it will not get, and what it has is asked for now.
    pub(super) fn coordinator_lost(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let theirs: Vec<(TransactionId, bool)> = self
            .parts
            .iter()
            .filter(|(id, _)| id.coordinator == peer)
            .map(|(id, part)| (*id, part.prepared.is_some()))
            .collect();
        let mut freed = Freed::default();
        for (id, is_prepared) in theirs {
            if is_prepared {
                self.on_ask_timer(cx, id);
            } else {
                self.drop_claims(cx, id, &mut freed);
            }
        }
        self.tell_freed(cx, freed);
    }

    /// Whether a lock request makes sense.
    pub(super) fn flaw(&self, cx: &Cx<'_, Self>, id: TransactionId, keys: &[(Payload, Mode)]) -> Option<Why> {
        let config = cx.config();
        let sorted = keys.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let fits = |(key, _): &(Payload, Mode)| key.bytes().len() <= config.bytes_max;
        if keys.is_empty() || keys.len() > config.commands_max * 2 || !sorted || !keys.iter().all(fits) {
            Some(Why::Malformed)
        } else if self.parts.contains_key(&id) {
            Some(Why::Stale)
        } else if self.parts.len() >= config.active_max.saturating_mul(config.nodes() as usize) {
            Some(Why::TooMany)
        } else if !keys.iter().all(|(key, _)| config.holds(cx.me(), key)) {
            Some(Why::NotHere)
        } else {
            None
        }
    }

    /// The version of the newest write of a key that this node knows.
    pub fn version(&self, key: &Payload) -> Version {
        self.table.version(key)
    }
}
