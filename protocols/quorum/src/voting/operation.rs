//! What a process does for its clients: it gathers votes, and knows from them what to do next.

use isles_kernel::{Cx, OpId, ProcessId};

use super::{Config, Decision, Mistake, Msg, Record, Timer, Version, Voting};
use crate::register::{Op, Reply};

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Operation {
    id: OpId,
    phase: Phase,
    /// Who has answered in this phase, in the order of arrival, and with which version.
    votes: Vec<(ProcessId, Version)>,
    /// Who will not answer, as far as is known.
    lost: Vec<ProcessId>,
}

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// A read: `r` votes with their versions.
    Inquiring,
    /// A read: the value of the first of `votes`, all of whom have this version.
    Fetching(Version),
    /// A write: `w` votes that are locked for it.
    Preparing,
    /// [`Mistake::Naive`]: `w` votes with their versions, to write this.
    Naming(i64),
    /// [`Mistake::Naive`]: `w` votes that have the value.
    Storing,
}

/// What a representative may answer to a quorum's question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vote {
    /// It has this version.
    Has(Version),
    /// It is locked, and has this version until then.
    Locked(Version),
    /// It has stored the value.
    Stored,
}

impl Operation {
    /// An operation, and what to ask all who vote.
    pub(super) fn new(config: &Config, number: u64, id: OpId, op: Op) -> (Self, Msg) {
        let (phase, request) = match op {
            Op::Read => (Phase::Inquiring, Msg::Inquire { number }),
            Op::Write(value) if config.mistake == Some(Mistake::Naive) => {
                (Phase::Naming(value), Msg::Inquire { number })
            }
            Op::Write(value) => (Phase::Preparing, Msg::Prepare { number, value }),
        };
        (Self { id, phase, votes: Vec::new(), lost: Vec::new() }, request)
    }

    const fn quorum(&self, config: &Config) -> u64 {
        let votes = match self.phase {
            Phase::Inquiring => config.read,
            // One copy is asked.
            Phase::Fetching(_) => 0,
            Phase::Preparing | Phase::Naming(_) | Phase::Storing => config.write,
        };
        votes as u64
    }

    /// The version in an answer to what is asked in this phase; none if it answers something else, or what was asked before.
    const fn version_in(&self, vote: Vote) -> Option<Version> {
        match (self.phase, vote) {
            (Phase::Inquiring | Phase::Naming(_), Vote::Has(version)) => Some(version),
            (Phase::Preparing, Vote::Locked(version)) => Some(version),
            (Phase::Storing, Vote::Stored) => Some(Version(0)),
            (_, Vote::Has(_) | Vote::Locked(_) | Vote::Stored) => None,
        }
    }

    fn has_quorum(&self, config: &Config) -> bool {
        config.sum(self.votes.iter().map(|(from, _)| from)) >= self.quorum(config)
    }

    fn is_hopeless(&self, config: &Config) -> bool {
        config.sum(&config.voters().collect::<Vec<_>>()) - config.sum(&self.lost) < self.quorum(config)
    }

    /// The greatest version among the votes.
    fn newest(&self) -> Version {
        self.votes.iter().map(|(_, version)| *version).max().unwrap_or_default()
    }
}

impl Voting {
    /// A representative answered.
    pub(super) fn on_vote(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64, vote: Vote) {
        let Some(operation) = self.operations.get_mut(&number) else { return };
        let Some(version) = operation.version_in(vote) else { return };
        if operation.votes.iter().any(|(voter, _)| *voter == from) {
            return;
        }
        operation.lost.retain(|peer| *peer != from);
        operation.votes.push((from, version));
        if !operation.has_quorum(cx.config()) {
            return;
        }
        let newest = operation.newest();
        match operation.phase {
            Phase::Inquiring => self.fetch(cx, number, newest),
            Phase::Preparing => self.decide(cx, number, newest),
            Phase::Naming(value) => self.store(cx, number, newest, value),
            Phase::Storing => self.finish(cx, number, Reply::Done),
            Phase::Fetching(_) => {}
        }
    }

    /// The own copy, if it is current; else that of who answered first of those that are.
    fn fetch(&mut self, cx: &mut Cx<'_, Self>, number: u64, newest: Version) {
        let (version, value) = self.copy.holds();
        let has_copy = cx.config().votes.len() > cx.me().index();
        if has_copy && version >= newest {
            return self.finish(cx, number, Reply::Value(value));
        }
        let Some(operation) = self.operations.get_mut(&number) else { return };
        operation.phase = Phase::Fetching(newest);
        operation.votes.retain(|(_, version)| *version == newest);
        if let Some((first, _)) = operation.votes.first() {
            cx.send(*first, Msg::Fetch { number });
        }
    }

    pub(super) fn on_value(&mut self, cx: &mut Cx<'_, Self>, number: u64, version: Version, value: i64) {
        let Some(Operation { phase: Phase::Fetching(wanted), .. }) = self.operations.get(&number) else {
            return;
        };
        if version >= *wanted {
            self.keep(cx, version, value);
            self.finish(cx, number, Reply::Value(value));
        }
    }

    /// `w` votes are locked: the write is decided, under a version that is newer than any before it.
    fn decide(&mut self, cx: &mut Cx<'_, Self>, number: u64, newest: Version) {
        let Some(operation) = self.operations.get(&number) else { return };
        let own = cx.config().mistake == Some(Mistake::OwnVersion);
        let version = if own { self.copy.holds().0 } else { newest }.next();
        let mut quorum: Vec<ProcessId> = operation.votes.iter().map(|(voter, _)| *voter).collect();
        quorum.sort_unstable();
        if cx.config().mistake != Some(Mistake::LosesDecision) {
            cx.persist(Record::Decided { number, version, quorum: quorum.clone() });
        }
        self.decided.insert(number, Decision { version, unheard: quorum.clone() });
        cx.arm(Timer::Remind(number), cx.config().remind);
        self.finish(cx, number, Reply::Done);
        for voter in quorum {
            self.tell(cx, voter, Msg::Commit { number, version });
        }
    }

    /// [`Mistake::Naive`]: the value goes to all, under the next version.
    fn store(&mut self, cx: &mut Cx<'_, Self>, number: u64, newest: Version, value: i64) {
        let Some(operation) = self.operations.get_mut(&number) else { return };
        operation.phase = Phase::Storing;
        operation.votes.clear();
        self.ask_all(cx, Msg::Store { number, version: newest.next(), value });
    }

    /// A representative has heard the decision; when all of the quorum have, it is forgotten.
    pub(super) fn on_heard(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64) {
        let Some(decision) = self.decided.get_mut(&number) else { return };
        decision.unheard.retain(|peer| *peer != from);
        if decision.unheard.is_empty() {
            self.decided.remove(&number);
            cx.disarm(Timer::Remind(number));
            cx.persist(Record::Heard(number));
        }
    }

    /// A representative is locked and asks what became of it, or was locked after the decision. Nothing on disk means that there is no
    /// decision, or that a quorum has heard it and this one was not of it: its copy may stay as old as it is.
    pub(super) fn on_resolve(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64) {
        if self.operations.contains_key(&number) {
            return;
        }
        let outcome = match self.decided.get(&number) {
            Some(decision) => Msg::Commit { number, version: decision.version },
            None => Msg::Abort { number },
        };
        self.tell(cx, from, outcome);
    }

    /// A representative will not answer an operation, as far as is known.
    pub(super) fn on_lost(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId, number: u64) {
        let config = cx.config();
        let Some(operation) = self.operations.get_mut(&number) else { return };
        if matches!(operation.phase, Phase::Fetching(_)) {
            let was_asked = operation.votes.first().is_some_and(|(first, _)| *first == peer);
            operation.votes.retain(|(voter, _)| *voter != peer);
            match operation.votes.first() {
                Some((next, _)) if was_asked => cx.send(*next, Msg::Fetch { number }),
                Some(_) => {}
                None => self.give_up(cx, number),
            }
            return;
        }
        let is_new = config.votes_of(peer) > 0
            && !operation.votes.iter().any(|(voter, _)| *voter == peer)
            && !operation.lost.contains(&peer);
        if is_new {
            operation.lost.push(peer);
            if operation.is_hopeless(config) {
                self.give_up(cx, number);
            }
        }
    }

    /// No quorum answered. A write that is not decided takes its locks back; what was stored without a transaction stays.
    pub(super) fn give_up(&mut self, cx: &mut Cx<'_, Self>, number: u64) {
        let Some(operation) = self.operations.get(&number) else { return };
        let (phase, busy) = (operation.phase, operation.lost.clone());
        let reply = if phase == Phase::Storing { Reply::Unknown } else { Reply::Refused };
        self.finish(cx, number, reply);
        if phase == Phase::Preparing {
            let config = cx.config();
            for voter in config.voters().filter(|voter| !busy.contains(voter)) {
                self.tell(cx, voter, Msg::Abort { number });
            }
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_, Self>, number: u64, reply: Reply) {
        if let Some(operation) = self.operations.remove(&number) {
            cx.disarm(Timer::Operation(number));
            cx.reply(operation.id, reply);
        }
    }
}
