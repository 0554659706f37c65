//! A register on a majority of servers: Attiya, Bar-Noy, Dolev, *Sharing Memory Robustly in Message-Passing Systems*,
//! JACM 1995, with several writers.

use std::collections::{BTreeMap, BTreeSet};

use isles_explore::Scenario;
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

/// How many servers there are, and what is wrong with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Processes `0..servers`.
    pub servers: u32,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Reads do not write back what they read.
    SkipsWriteBack,
    /// Half of the servers are a quorum; one fewer than a majority where their number is even.
    HalfQuorum,
    /// A write goes by the version that its own server has, not by that of a majority.
    OwnVersion,
    /// A server takes whatever it is told to record, newer or not.
    NoVersions,
    /// A write is answered before anybody has recorded it.
    AnswersEarly,
}

impl Config {
    fn quorum(&self) -> usize {
        let servers = self.servers as usize;
        if self.mistake == Some(Mistake::HalfQuorum) { servers.div_ceil(2) } else { servers / 2 + 1 }
    }
}

/// Where a mistake shows: how many servers it takes, and what clients do.
pub fn showing(mistake: Mistake) -> Scenario<Abd> {
    let put = |at, value| (ProcessId(at), Op::Put(value));
    let get = |at| (ProcessId(at), Op::Get);
    let (servers, clients) = match mistake {
        // The second read asks a majority without whom the first one asked.
        Mistake::SkipsWriteBack => (3, vec![vec![put(0, 'A')], vec![get(1), get(2)]]),
        Mistake::HalfQuorum => (4, vec![vec![put(0, 'A'), get(2)]]),
        // The version of the second write is the older one, for its server has the lower number.
        Mistake::OwnVersion => (3, vec![vec![put(1, 'A'), put(0, 'B'), get(0)]]),
        Mistake::NoVersions => (3, vec![vec![put(0, 'A'), put(1, 'B'), get(2)]]),
        Mistake::AnswersEarly => (3, vec![vec![put(0, 'A'), get(1)]]),
    };
    Scenario { clients, ..super::register::scenario(servers, 1, Config { servers, mistake: Some(mistake) }) }
}

impl Abd {
    fn broadcast(cx: &mut Cx<'_, Self>, msg: &Msg) {
        let me = cx.me();
        for peer in (0..cx.config().servers).map(ProcessId).filter(|peer| *peer != me) {
            cx.send(peer, msg.clone());
        }
    }

    fn learn(&mut self, cx: &Cx<'_, Self>, version: Version, value: char) {
        if version > self.version || cx.config().mistake == Some(Mistake::NoVersions) {
            self.version = version;
            self.value = value;
        }
    }

    fn on_answer(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, answer: (Version, char)) {
        let Phase::Query { id, write, answers } = &mut self.phase else { return };
        answers.insert(from, answer);
        if answers.len() != cx.config().quorum() {
            return;
        }
        let (id, write, mistake) = (*id, *write, cx.config().mistake);
        let newest = answers.values().max_by_key(|(version, _)| *version).copied();
        let (mut version, value) = newest.expect("a majority is not empty");
        if write.is_none() && mistake == Some(Mistake::SkipsWriteBack) {
            self.phase = Phase::Idle;
            return cx.reply(OpId(id), Reply::GetOk(value));
        }
        if mistake == Some(Mistake::OwnVersion) {
            version = self.version;
        }
        let (version, value, read) = match write {
            Some(written) => (Version(version.0 + 1, cx.me()), written, None),
            None => (version, value, Some(value)),
        };
        Self::broadcast(cx, &Msg::Record(id, version, value));
        self.learn(cx, version, value);
        if write.is_some() && mistake == Some(Mistake::AnswersEarly) {
            self.phase = Phase::Idle;
            return cx.reply(OpId(id), Reply::PutOk);
        }
        self.phase = Phase::Record { id, read, acks: BTreeSet::from([cx.me()]) };
    }

    fn on_ack(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId) {
        let Phase::Record { id, read, acks } = &mut self.phase else { return };
        acks.insert(from);
        if acks.len() == cx.config().quorum() {
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
                self.learn(cx, version, value);
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
