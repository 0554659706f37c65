//! A register on a majority of servers: Attiya, Bar-Noy, Dolev, *Sharing Memory Robustly in Message-Passing Systems*,
//! JACM 1995, with several writers.

use std::collections::{BTreeMap, BTreeSet};

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use super::register::{INITIAL, Op, Reply};

/// The version of a value: a logical clock, and who wrote it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Version(u64, ProcessId);

/// One server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Abd {
    version: Version,
    value: char,
    phase: Phase,
}

/// What a server does for a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Idle,
    /// Asking a majority for its newest value.
    Query {
        id: u64,
        write: Option<char>,
        answers: BTreeMap<ProcessId, (Version, char)>,
    },
    /// Making a majority have the value.
    Record {
        id: u64,
        read: Option<char>,
        acks: BTreeSet<ProcessId>,
    },
}

/// What servers send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// What is your newest value?
    Query(u64),
    /// This.
    AckQuery(u64, Version, char),
    /// Take this, if it is newer.
    Record(u64, Version, char),
    /// Done.
    AckRecord(u64),
}

/// How many servers there are, and a mistake made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Processes `0..servers`.
    pub servers: u32,
    /// Reads do not write back what they read.
    pub skip_write_back: bool,
}

impl Abd {
    fn broadcast(cx: &mut Cx<'_, Self>, msg: &Msg) {
        let me = cx.me();
        for peer in (0..cx.config().servers).map(ProcessId).filter(|peer| *peer != me) {
            cx.send(peer, msg.clone());
        }
    }

    fn learn(&mut self, version: Version, value: char) {
        if version > self.version {
            self.version = version;
            self.value = value;
        }
    }

    fn on_answer(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, answer: (Version, char)) {
        let majority = cx.config().servers as usize / 2 + 1;
        let Phase::Query { id, write, answers } = &mut self.phase else { return };
        answers.insert(from, answer);
        if answers.len() != majority {
            return;
        }
        let (id, write) = (*id, *write);
        let newest = answers.values().max_by_key(|(version, _)| *version).copied();
        let (version, value) = newest.expect("a majority is not empty");
        if write.is_none() && cx.config().skip_write_back {
            self.phase = Phase::Idle;
            return cx.reply(OpId(id), Reply::GetOk(value));
        }
        let (version, value, read) = match write {
            Some(written) => (Version(version.0 + 1, cx.me()), written, None),
            None => (version, value, Some(value)),
        };
        Self::broadcast(cx, &Msg::Record(id, version, value));
        self.learn(version, value);
        self.phase = Phase::Record { id, read, acks: BTreeSet::from([cx.me()]) };
    }

    fn on_ack(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId) {
        let majority = cx.config().servers as usize / 2 + 1;
        let Phase::Record { id, read, acks } = &mut self.phase else { return };
        acks.insert(from);
        if acks.len() == majority {
            cx.reply(OpId(*id), read.map_or(Reply::PutOk, Reply::GetOk));
            self.phase = Phase::Idle;
        }
    }
}

impl Protocol for Abd {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { version: Version(0, cx.me()), value: INITIAL, phase: Phase::Idle }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        if self.phase != Phase::Idle {
            return;
        }
        let write = match op {
            Op::Put(value) => Some(value),
            Op::Get => None,
        };
        let answers = BTreeMap::from([(cx.me(), (self.version, self.value))]);
        self.phase = Phase::Query { id: id.0, write, answers };
        Self::broadcast(cx, &Msg::Query(id.0));
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match (msg, &self.phase) {
            (Msg::Query(id), _) => cx.send(from, Msg::AckQuery(id, self.version, self.value)),
            (Msg::AckQuery(asked, version, value), Phase::Query { id, .. }) if *id == asked => {
                self.on_answer(cx, from, (version, value));
            }
            (Msg::Record(id, version, value), _) => {
                self.learn(version, value);
                cx.send(from, Msg::AckRecord(id));
            }
            (Msg::AckRecord(asked), Phase::Record { id, acks, .. })
                if *id == asked && !acks.contains(&from) =>
            {
                self.on_ack(cx, from);
            }
            (Msg::AckQuery(..) | Msg::AckRecord(_), _) => {}
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}
