//! The node that a client talks to, as the coordinator of what it asks: two-phase commit over quorums.

use std::collections::BTreeMap;
use std::sync::Arc;

use isles_kernel::{Cx, OpId, Payload, ProcessId, Span};

use super::Store;
use super::command::{Command, Entry, TransactionId, Version};
use super::config::{ATTEMPT_BITS, Mistake};
use super::evaluate::{Evaluated, evaluate};
use super::message::{Birth, Event, Mode, Msg, Record, State, Timer, Why, Write};
use super::{Op, Reply};

/// What a transaction is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Purpose {
    /// A client's operation of one command.
    One(OpId),
    /// A client's operation of many.
    All(OpId),
    /// A client's read that could not be answered by asking: some replicas know a write, another may have forgotten that it was
    /// deleted since. What is there is written again, so that the next read can.
    Refresh(OpId),
    /// To take away what has expired.
    Purge,
}

/// A transaction that this node coordinates and has not decided.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Transaction {
    pub(super) purpose: Purpose,
    pub(super) commands: Arc<[Command]>,
    pub(super) unchanged: Arc<[(Payload, Version)]>,
    pub(super) birth: Birth,
    /// Of the attempt under way, or of the last one.
    id: TransactionId,
    phase: Phase,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// Until a quorum of every key is locked.
    Locking(Vec<Locked>),
    /// Until a quorum of every key has voted yes.
    Preparing(Box<Preparing>),
    /// Until it is tried again.
    Pausing,
}

/// A key of a transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Locked {
    pub(super) key: Payload,
    pub(super) mode: Mode,
    /// How many replicas must grant it, and later vote.
    need: u32,
    /// Replicas of which nothing is expected any more.
    lost: Vec<ProcessId>,
    replicas: Vec<ProcessId>,
    /// Who granted it, and what they know.
    pub(super) granted: Vec<(ProcessId, State)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Preparing {
    keys: Vec<Locked>,
    asked: Arc<[ProcessId]>,
    yes: Vec<ProcessId>,
    evaluated: Evaluated,
}

/// A committed transaction of which somebody may not know yet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Committed {
    pub(super) writes: Arc<[Write]>,
    /// Who may be prepared and has not acknowledged.
    pub(super) waiting: Vec<ProcessId>,
}

impl Locked {
    /// Whether so many have granted it, of those that `counts` counts.
    fn is_met(&self, counts: impl Fn(ProcessId) -> bool) -> bool {
        self.granted.iter().filter(|(who, _)| counts(*who)).count() >= self.need as usize
    }

    fn can_be_met(&self) -> bool {
        self.replicas.len() - self.lost.len() >= self.need as usize
    }

    fn lose(&mut self, who: ProcessId) {
        self.granted.retain(|(other, _)| *other != who);
        if self.replicas.contains(&who) && !self.lost.contains(&who) {
            self.lost.push(who);
        }
    }

    /// The newest write that those know whom `counts` counts: its version, and what it left. Version 0 if they know none.
    pub(super) fn newest(&self, counts: impl Fn(ProcessId) -> bool) -> (Version, Option<&Entry>) {
        let known = self.granted.iter().filter(|(who, state)| counts(*who) && !state.is_absent);
        let newest = known.map(|(_, state)| state).max_by_key(|state| state.version);
        newest.map_or((Version(0), None), |state| (state.version, state.entry.as_ref()))
    }

    /// The highest version that any of them knows or has forgotten.
    pub(super) fn highest(&self) -> Version {
        self.granted.iter().map(|(_, state)| state.version).max().unwrap_or_default()
    }
}

/// Whether somebody may have forgotten that what others know was deleted.
pub(super) fn is_ambiguous<'s>(states: impl Iterator<Item = &'s State> + Clone) -> bool {
    let newest = states.clone().filter(|state| !state.is_absent).max_by_key(|state| state.version);
    newest.is_some_and(|newest| {
        newest.entry.is_some()
            && states.clone().any(|state| state.is_absent && state.version >= newest.version)
    })
}

impl Store {
    /// Begins a transaction.
    pub(super) fn begin(
        &mut self,
        cx: &mut Cx<'_, Self>,
        purpose: Purpose,
        commands: Arc<[Command]>,
        unchanged: Arc<[(Payload, Version)]>,
    ) {
        let slot = self.next_slot(cx);
        let id = TransactionId { number: slot << ATTEMPT_BITS, coordinator: cx.me() };
        let birth = Birth { at: cx.now(), first: id };
        let transaction = Transaction { purpose, commands, unchanged, birth, id, phase: Phase::Pausing };
        self.active.insert(slot, transaction);
        cx.arm(Timer::Deadline(slot), cx.config().patience);
        self.attempt(cx, slot);
    }

    /// First round: locks. Bernstein, Hadzilacos and Goodman 1987, chapter 3: all before the first is given back.
    fn attempt(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        let config = cx.config();
        let Some(transaction) = self.active.get_mut(&slot) else { return };
        let mut modes: BTreeMap<&Payload, Mode> = BTreeMap::new();
        for (key, _) in transaction.unchanged.iter() {
            modes.insert(key, Mode::Shared);
        }
        for command in transaction.commands.iter() {
            let writes =
                command.is_write() || matches!(transaction.purpose, Purpose::Refresh(_) | Purpose::Purge);
            let mode = if writes { Mode::Exclusive } else { Mode::Shared };
            let entry = modes.entry(command.key()).or_insert(mode);
            *entry = mode.max(*entry);
        }
        let mut keys = Vec::with_capacity(modes.len());
        let mut requests: BTreeMap<ProcessId, Vec<(Payload, Mode)>> = BTreeMap::new();
        for (key, mode) in modes {
            let space = config.keyspace(key);
            let replicas = config.replicas(key);
            for replica in &replicas {
                requests.entry(*replica).or_default().push((key.clone(), mode));
            }
            let need = if mode == Mode::Shared { space.r } else { space.w };
            let (lost, granted) = (Vec::new(), Vec::new());
            keys.push(Locked { key: key.clone(), mode, need, lost, replicas, granted });
        }
        let is_only = keys.len() == 1;
        transaction.phase = Phase::Locking(keys);
        let (id, birth) = (transaction.id, transaction.birth);
        for (replica, keys) in requests {
            self.send(cx, replica, Msg::Lock { id, birth, is_only, keys });
        }
    }

    /// Whether a transaction is under way here and not decided.
    pub(super) fn is_trying(&self, id: TransactionId) -> bool {
        self.active
            .get(&(id.number >> ATTEMPT_BITS))
            .is_some_and(|transaction| transaction.id == id && transaction.phase != Phase::Pausing)
    }

    /// The transaction of which an answer speaks.
    fn attempted(&mut self, id: TransactionId) -> Option<(u64, &mut Transaction)> {
        let slot = id.number >> ATTEMPT_BITS;
        let transaction = self.active.get_mut(&slot).filter(|transaction| transaction.id == id)?;
        Some((slot, transaction))
    }

    /// A replica granted locks.
    pub(super) fn on_granted(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        id: TransactionId,
        states: Vec<(Payload, State)>,
    ) {
        let Some((slot, Transaction { phase: Phase::Locking(keys), .. })) = self.attempted(id) else {
            return;
        };
        for (key, state) in states {
            let Ok(place) = keys.binary_search_by(|locked| locked.key.cmp(&key)) else { continue };
            let locked = &mut keys[place];
            let is_new = locked.granted.iter().all(|(who, _)| *who != from) && !locked.lost.contains(&from);
            if is_new && locked.replicas.contains(&from) {
                locked.granted.push((from, state));
            }
        }
        if keys.iter().all(|locked| locked.is_met(|_| true)) {
            self.all_locked(cx, slot);
        }
    }

    /// All that is needed is locked: the answers are known. Whether they may be given is asked in the second round.
    fn all_locked(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        let (now, bytes_max) = (cx.now(), cx.config().bytes_max);
        let Some(transaction) = self.active.get_mut(&slot) else { return };
        let Phase::Locking(keys) = std::mem::replace(&mut transaction.phase, Phase::Pausing) else { return };
        let evaluated = evaluate(transaction, &keys, now, bytes_max);
        // What one key holds is known when a quorum has granted it; of several, each might be known from another instant, if a
        // replica lost its locks meanwhile.
        let is_read = evaluated.writes.is_empty();
        if is_read && keys.len() == 1 && !is_ambiguous(keys[0].granted.iter().map(|(_, state)| state)) {
            transaction.phase = Phase::Locking(keys);
            return self.finish(cx, slot, evaluated.reply);
        }
        let mut asked: Vec<ProcessId> =
            keys.iter().flat_map(|key| key.granted.iter().map(|(who, _)| *who)).collect();
        asked.sort_unstable();
        asked.dedup();
        let asked: Arc<[ProcessId]> = asked.into();
        let requests: Vec<(ProcessId, Arc<[Write]>)> = asked
            .iter()
            .map(|replica| {
                let granted = |write: &&Write| {
                    let place = keys.binary_search_by(|locked| locked.key.cmp(&write.key));
                    place.is_ok_and(|place| keys[place].granted.iter().any(|(who, _)| who == replica))
                };
                (*replica, evaluated.writes.iter().filter(granted).cloned().collect())
            })
            .collect();
        let id = transaction.id;
        let participants = Arc::clone(&asked);
        let preparing = Preparing { keys, asked, yes: Vec::new(), evaluated };
        transaction.phase = Phase::Preparing(Box::new(preparing));
        for (replica, writes) in requests {
            let participants = Arc::clone(&participants);
            self.send(cx, replica, Msg::Prepare { id, writes, participants });
        }
    }

    /// A participant voted.
    pub(super) fn on_vote(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, id: TransactionId, yes: bool) {
        let Some((slot, Transaction { phase: Phase::Preparing(preparing), .. })) = self.attempted(id) else {
            return;
        };
        if !preparing.asked.contains(&from) || preparing.yes.contains(&from) {
            return;
        }
        if !yes {
            return self.fail(cx, slot);
        }
        preparing.yes.push(from);
        let yes = &preparing.yes;
        let votes = |who: ProcessId| yes.contains(&who);
        // What was read must be known to those who kept it locked: one that lost its locks may have known what was deleted since.
        let is_sound =
            |locked: &Locked| locked.is_met(votes) && locked.newest(votes).0 == locked.newest(|_| true).0;
        if preparing.keys.iter().all(is_sound) {
            self.commit(cx, slot);
        }
    }

    /// Decided. Mohan et al. 1986, section 3 (presumed abort): the coordinator's record is the decision.
    fn commit(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        let forgets = cx.config().errs(Mistake::ForgetsEarly);
        let Some(Transaction { id, phase: Phase::Preparing(preparing), .. }) = self.active.get(&slot) else {
            return;
        };
        let id = *id;
        let reply = preparing.evaluated.reply.clone();
        if preparing.evaluated.writes.is_empty() {
            return self.finish(cx, slot, reply);
        }
        let writes: Arc<[Write]> = preparing.evaluated.writes.clone().into();
        let waiting = preparing.asked.to_vec();
        // Those who only read are done with it when they have voted.
        let writes_at = |who: &ProcessId| {
            let wrote = |locked: &Locked| locked.granted.iter().any(|(granted, _)| granted == who);
            preparing
                .keys
                .iter()
                .any(|locked| wrote(locked) && writes.iter().any(|write| write.key == locked.key))
        };
        let waiting: Vec<ProcessId> = waiting.into_iter().filter(writes_at).collect();
        let participants: Arc<[ProcessId]> = waiting.as_slice().into();
        let involved = involved(&preparing.keys);
        cx.persist(Record::Committed { id, writes: Arc::clone(&writes), participants });
        cx.emit(Event::Committed(id));
        if let Some(transaction) = self.active.remove(&slot) {
            cx.disarm(Timer::Deadline(slot));
            answer(cx, &transaction, reply);
        }
        if forgets {
            cx.persist(Record::End(id));
        } else {
            self.committed.insert(id, Committed { writes: Arc::clone(&writes), waiting });
            cx.arm(Timer::Resend(id), cx.config().resend);
        }
        for replica in involved {
            let here: Arc<[Write]> =
                writes.iter().filter(|write| cx.config().holds(replica, &write.key)).cloned().collect();
            if here.is_empty() {
                self.send(cx, replica, Msg::Abort { id });
            } else {
                self.send(cx, replica, Msg::Commit { id, writes: here, again: false });
            }
        }
    }

    /// Tells a participant again.
    pub(super) fn tell_commit(&mut self, cx: &mut Cx<'_, Self>, to: ProcessId, id: TransactionId) {
        let Some(committed) = self.committed.get(&id) else { return };
        let here =
            committed.writes.iter().filter(|write| cx.config().holds(to, &write.key)).cloned().collect();
        self.send(cx, to, Msg::Commit { id, writes: here, again: true });
    }

    /// Those who have not acknowledged are told again.
    pub(super) fn on_resend(&mut self, cx: &mut Cx<'_, Self>, id: TransactionId) {
        let Some(committed) = self.committed.get(&id) else { return };
        for replica in committed.waiting.clone() {
            self.tell_commit(cx, replica, id);
        }
        cx.arm(Timer::Resend(id), cx.config().resend);
    }

    /// A participant has the decision on disk. When all have, nobody will ask any more.
    pub(super) fn on_acknowledge(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, id: TransactionId) {
        let Some(committed) = self.committed.get_mut(&id) else { return };
        committed.waiting.retain(|who| *who != from);
        if committed.waiting.is_empty() {
            self.committed.remove(&id);
            cx.disarm(Timer::Resend(id));
            cx.persist(Record::End(id));
        }
    }

    /// A replica has no lock for the transaction, or cannot be reached.
    pub(super) fn on_lost(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, id: TransactionId) {
        let Some((slot, transaction)) = self.attempted(id) else { return };
        let fails = match &mut transaction.phase {
            Phase::Locking(keys) => {
                keys.iter_mut().for_each(|locked| locked.lose(from));
                !keys.iter().all(Locked::can_be_met)
            }
            Phase::Preparing(preparing) => preparing.asked.contains(&from) && !preparing.yes.contains(&from),
            Phase::Pausing => false,
        };
        if fails {
            self.fail(cx, slot);
        }
    }

    /// An attempt comes to nothing; another one follows after a pause, as old as this one.
    fn fail(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        let config = cx.config();
        self.withdraw(cx, slot);
        let Some(transaction) = self.active.get_mut(&slot) else { return };
        let attempts = (transaction.id.number & ((1 << ATTEMPT_BITS) - 1)) + 1;
        if attempts >= u64::from(config.attempts_max) {
            return self.finish(cx, slot, Reply::Refused);
        }
        transaction.id.number += 1;
        let longest = config.pause.times(attempts);
        let part = u64::from(cx.choose(config.pauses)) + 1;
        let pause = Span::nanos((longest.0 / u64::from(config.pauses)).saturating_mul(part).max(1));
        cx.arm(Timer::Retry(slot), pause);
    }

    /// Gives back the locks of the attempt under way.
    fn withdraw(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        let Some(transaction) = self.active.get_mut(&slot) else { return };
        let id = transaction.id;
        let done: Vec<ProcessId>;
        let keys = match std::mem::replace(&mut transaction.phase, Phase::Pausing) {
            Phase::Locking(keys) => {
                done = Vec::new();
                keys
            }
            Phase::Preparing(preparing) => {
                let reads = preparing.evaluated.writes.is_empty();
                done = if reads { preparing.yes } else { Vec::new() };
                preparing.keys
            }
            Phase::Pausing => return,
        };
        for replica in involved(&keys).into_iter().filter(|replica| !done.contains(replica)) {
            self.send(cx, replica, Msg::Abort { id });
        }
    }

    /// Answers, and gives back what is locked.
    fn finish(&mut self, cx: &mut Cx<'_, Self>, slot: u64, reply: Reply) {
        if matches!(reply, Reply::Refused)
            && let Some(transaction) = self.active.get(&slot)
        {
            cx.emit(Event::Aborted(transaction.id));
        }
        self.withdraw(cx, slot);
        cx.disarm(Timer::Deadline(slot));
        cx.disarm(Timer::Retry(slot));
        if let Some(transaction) = self.active.remove(&slot) {
            answer(cx, &transaction, reply);
        }
    }

    /// The pause is over.
    pub(super) fn on_retry(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        if self.active.get(&slot).is_some_and(|transaction| transaction.phase == Phase::Pausing) {
            self.attempt(cx, slot);
        }
    }

    /// The patience with a transaction is at its end. It is not decided, and so it is aborted.
    pub(super) fn on_deadline(&mut self, cx: &mut Cx<'_, Self>, slot: u64) {
        self.finish(cx, slot, Reply::Refused);
    }

    /// The stream to a replica broke: what it was asked, it may not have got.
    pub(super) fn replica_lost(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let waiting = |transaction: &Transaction| match &transaction.phase {
            Phase::Locking(keys) => {
                keys.iter().any(|locked| locked.replicas.contains(&peer) && !locked.lost.contains(&peer))
            }
            Phase::Preparing(preparing) => preparing.asked.contains(&peer) && !preparing.yes.contains(&peer),
            Phase::Pausing => false,
        };
        let ids: Vec<TransactionId> = self
            .active
            .values()
            .filter(|transaction| waiting(transaction))
            .map(|transaction| transaction.id)
            .collect();
        for id in ids {
            self.on_lost(cx, peer, id);
        }
    }

    /// The next number of an operation: never used before, not even before a restart.
    pub(super) fn next_slot(&mut self, cx: &mut Cx<'_, Self>) -> u64 {
        if self.counter == u32::MAX {
            self.boot(cx);
        }
        self.counter += 1;
        self.epoch << 32 | u64::from(self.counter)
    }

    /// All numbers from here on are new.
    pub(super) fn boot(&mut self, cx: &mut Cx<'_, Self>) {
        self.epoch += 1;
        self.counter = 0;
        cx.persist(Record::Boot(self.epoch));
    }

    /// How many operations are under way.
    pub(super) fn busy(&self) -> usize {
        self.active.len() + self.gets.len() + self.scans.len() + self.committed.len()
    }

    /// Whether the sender of a message about a transaction coordinates it.
    pub(super) fn check_coordinator(
        &self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        id: TransactionId,
    ) -> bool {
        if from != id.coordinator {
            self.reject(cx, from, Why::NotCoordinator);
        }
        from == id.coordinator
    }
}

/// All replicas of the keys.
fn involved(keys: &[Locked]) -> Vec<ProcessId> {
    let mut involved: Vec<ProcessId> =
        keys.iter().flat_map(|locked| locked.replicas.iter().copied()).collect();
    involved.sort_unstable();
    involved.dedup();
    involved
}

/// Tells the client.
fn answer(cx: &mut Cx<'_, Store>, transaction: &Transaction, reply: Reply) {
    match transaction.purpose {
        Purpose::One(id) | Purpose::All(id) | Purpose::Refresh(id) => cx.reply(id, reply),
        Purpose::Purge => {}
    }
}

/// Whether an operation is one that the store can do at all.
pub(super) fn fits(op: &Op, commands_max: usize, bytes_max: usize) -> bool {
    let size = |command: &Command| {
        let value = match command {
            Command::Set { value, .. } | Command::Append { value, .. } => value.bytes().len(),
            Command::Get { .. }
            | Command::Delete { .. }
            | Command::Increment { .. }
            | Command::Expire { .. } => 0,
        };
        command.key().bytes().len().saturating_add(value)
    };
    match op {
        Op::One(command) => size(command) <= bytes_max,
        Op::All { commands, unchanged } => {
            let keys = unchanged.iter().map(|(key, _)| key.bytes().len());
            let bytes = commands.iter().map(size).chain(keys).fold(0usize, usize::saturating_add);
            commands.len() <= commands_max && unchanged.len() <= commands_max && bytes <= bytes_max
        }
        Op::Scan { .. } => true,
    }
}
