//! A store of keys on several servers, by get and put: what becomes of concurrent writes (Baquero and Preguiça, "Why logical clocks are
//! easy", CACM 59(4), 2016; DeCandia et al., "Dynamo: Amazon's highly available key-value store", SOSP 2007).
//!
//! A client is told a context with what it reads, and gives it back with its next write. By [`Rule`], concurrent writes are refused, or
//! lost, or kept beside each other as siblings. Servers tell each other of every write, and now and then of all that they have.
//!
//! Model: asynchronous; datagrams that may be lost. A server answers by what it has itself (read one, write one).
//!
//! | | |
//! | --- | --- |
//! | messages per write | n - 1, and a round of anti-entropy each period |
//! | [`Rule::Conditional`] | loses nothing, refuses all but one of concurrent writes; every write goes through server 0 |
//! | [`Rule::LastWriter`] | refuses nothing, loses all but one of concurrent writes |
//! | [`Rule::Dotted`], [`Rule::ClientVectors`] | lose and refuse nothing; siblings until somebody has read them all |
//! | all | when writes stop and messages get through, servers have the same versions |
//!
//! # Departures from the papers
//! - Every server has every key, and reads and writes are of one server: quorums are another chapter.
//! - A client may leave its context with the server ([`Basis::Session`]), as HTTP front ends with sessions do.

mod versions;

use std::collections::BTreeMap;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::dot::Actor;
use crate::hybrid::HybridClock;
use crate::version_vector::VersionVector;

pub use versions::{Mistake, Rule, Versions, Write};

/// What all servers share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many servers there are, `0..servers`.
    pub servers: u32,
    /// What becomes of concurrent writes.
    pub rule: Rule,
    /// How often a server sends all that it has to a random other one. Default one second, a guess.
    pub period: Span,
    /// How far a timestamp may be ahead; those that are further are dropped. Default one minute, a guess.
    pub ahead_max: Span,
    /// What is done wrong on purpose; nothing by default.
    pub mistake: Option<Mistake>,
}

impl Config {
    /// The defaults, for so many servers.
    pub const fn new(servers: u32, rule: Rule) -> Self {
        Self { servers, rule, period: Span::secs(1), ahead_max: Span::secs(60), mistake: None }
    }
}

/// Where the context of a write comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Basis {
    /// The client brings it.
    Given(VersionVector),
    /// It is that of the client's last answer from this server; nothing was read if there was none.
    Session,
}

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Which versions does a key have?
    Get {
        /// Who asks.
        client: u32,
        /// Which key.
        key: u32,
    },
    /// Write one.
    Put {
        /// Who writes.
        client: u32,
        /// Which key.
        key: u32,
        /// What the client has read.
        context: Basis,
        /// What it writes.
        value: u64,
    },
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The versions of a key, ascending, and the context for the next write.
    Values(Vec<u64>, VersionVector),
    /// The write is acknowledged; the context after it.
    Stored(VersionVector),
    /// The write is refused: somebody else has written since.
    Refused(VersionVector),
}

/// What servers send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// The versions of a key.
    Versions(u32, Versions),
    /// All keys, and whether those of the receiver are wanted in return.
    All(Vec<(u32, Versions)>, bool),
    /// A write that only server 0 may take: the operation, the client, the key, what it has read, the value.
    Forward(OpId, u32, u32, VersionVector, u64),
    /// The answer to that.
    Answer(OpId, u32, u32, Reply),
}

/// What went wrong at a server.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A message was dropped.
    Rejected {
        /// Who sent it.
        from: ProcessId,
        /// Why.
        why: Why,
    },
}

/// Why a message was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Why {
    /// Its versions are by another rule.
    AnotherRule,
    /// Its timestamp is too far ahead.
    TooFarAhead,
    /// It is for server 0.
    NotForMe,
}

/// It is time to send all keys to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AntiEntropy;

/// One server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Server {
    keys: BTreeMap<u32, Versions>,
    clock: HybridClock,
    /// What a client was told last of a key.
    sessions: BTreeMap<(u32, u32), VersionVector>,
}

/// Clients count beyond all servers, so that a vector may have both.
fn client_actor(client: u32) -> Actor {
    Actor(1 << 32 | u64::from(client))
}

impl Protocol for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = AntiEntropy;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        if cx.config().servers > 1 {
            cx.arm(AntiEntropy, cx.config().period);
        }
        Self {
            keys: BTreeMap::new(),
            clock: HybridClock::new(cx.config().ahead_max.0),
            sessions: BTreeMap::new(),
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        match op {
            Op::Get { client, key } => {
                let versions = self.versions(cx.config().rule, key);
                let (values, context) = (versions.values(), versions.context());
                self.answer(cx, id, (client, key), Reply::Values(values, context));
            }
            Op::Put { client, key, context, value } => {
                let context = match context {
                    Basis::Given(context) => context,
                    Basis::Session => self.sessions.get(&(client, key)).cloned().unwrap_or_default(),
                };
                if cx.config().rule == Rule::Conditional && cx.me() != ProcessId(0) {
                    cx.send(ProcessId(0), Msg::Forward(id, client, key, context, value));
                    return;
                }
                let reply = self.put(cx, (client, key), &context, value);
                self.answer(cx, id, (client, key), reply);
            }
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Versions(key, versions) => self.learn(cx, from, key, &versions),
            Msg::All(keys, wanted) => {
                for (key, versions) in &keys {
                    self.learn(cx, from, *key, versions);
                }
                if wanted {
                    let mine = self.keys.iter().map(|(key, versions)| (*key, versions.clone())).collect();
                    cx.cast(from, Msg::All(mine, false));
                }
            }
            Msg::Forward(id, client, key, context, value) => {
                if cx.config().rule != Rule::Conditional || cx.me() != ProcessId(0) {
                    cx.emit(Event::Rejected { from, why: Why::NotForMe });
                    return;
                }
                let reply = self.put(cx, (client, key), &context, value);
                cx.send(from, Msg::Answer(id, client, key, reply));
            }
            Msg::Answer(id, client, key, reply) => self.answer(cx, id, (client, key), reply),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, AntiEntropy: AntiEntropy) {
        let other = cx.choose(cx.config().servers - 1);
        let peer = ProcessId(if other < cx.me().0 { other } else { other + 1 });
        let keys = self.keys.iter().map(|(key, versions)| (*key, versions.clone())).collect();
        cx.cast(peer, Msg::All(keys, true));
        cx.arm(AntiEntropy, cx.config().period);
    }
}

impl Server {
    /// The versions of each key that was ever written here.
    pub const fn keys(&self) -> &BTreeMap<u32, Versions> {
        &self.keys
    }

    fn versions(&mut self, rule: Rule, key: u32) -> &mut Versions {
        self.keys.entry(key).or_insert_with(|| Versions::new(rule))
    }

    fn answer(&mut self, cx: &mut Cx<'_, Self>, id: OpId, session: (u32, u32), reply: Reply) {
        let (Reply::Values(_, context) | Reply::Stored(context) | Reply::Refused(context)) = &reply;
        self.sessions.insert(session, context.clone());
        cx.reply(id, reply);
    }

    fn put(
        &mut self,
        cx: &mut Cx<'_, Self>,
        (client, key): (u32, u32),
        context: &VersionVector,
        value: u64,
    ) -> Reply {
        let (rule, mistake) = (cx.config().rule, cx.config().mistake);
        let time = match mistake {
            Some(Mistake::DropsSameMicrosecond) => crate::hybrid::Timestamp { wall: cx.now().0, logical: 0 },
            None => self.clock.event(cx.now().0),
        };
        let write =
            Write { server: Actor(u64::from(cx.me().0)), client: client_actor(client), context, time };
        let versions = self.versions(rule, key);
        let accepted = versions.put(rule, &write, value, mistake);
        let context = versions.context();
        if !accepted {
            return Reply::Refused(context);
        }
        let (versions, me) = (versions.clone(), cx.me());
        for peer in (0..cx.config().servers).map(ProcessId).filter(|peer| *peer != me) {
            cx.cast(peer, Msg::Versions(key, versions.clone()));
        }
        Reply::Stored(context)
    }

    fn learn(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, key: u32, theirs: &Versions) {
        let rule = cx.config().rule;
        if std::mem::discriminant(theirs) != std::mem::discriminant(&Versions::new(rule)) {
            cx.emit(Event::Rejected { from, why: Why::AnotherRule });
            return;
        }
        if let Versions::Last(Some((time, _, _))) = theirs
            && cx.config().mistake.is_none()
            && self.clock.join(cx.now().0, *time).is_err()
        {
            cx.emit(Event::Rejected { from, why: Why::TooFarAhead });
            return;
        }
        self.versions(rule, key).join(theirs);
    }
}
