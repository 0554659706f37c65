//! Sessions: clients that go from server to server and still see what they did and saw before.
//!
//! Papers: Terry, Demers, Petersen, Spreitzer, Theimer, Welch, "Session guarantees for weakly consistent replicated data", PDIS 1994; Petersen,
//! Spreitzer, Terry, Theimer, Demers, "Flexible update propagation for weakly consistent replication", SOSP 1997, for the prefix property.
//! Model: asynchronous; servers crash and recover with their logs; partitions heal. Any server takes any write.
//!
//! A session has two vectors, of what it read and of what it wrote. A server whose own vector does not cover what an operation needs says so,
//! and the client asks another.
//!
//! | guarantee | what the server must have | what the session remembers |
//! | --- | --- | --- |
//! | read your writes | for a read: the write vector | after a write: its stamp |
//! | monotonic reads | for a read: the read vector | after a read: the server's vector |
//! | monotonic writes | for a write: the write vector | after a write: its stamp |
//! | writes follow reads | for a write: the read vector | after a read: the server's vector |
//!
//! The last two speak of what *others* see, and no check at the client gives them alone: servers must also pass writes on such that whoever has
//! a write has all that its server had when it accepted it (the prefix property), and put them in one order that contains that one. Writes are
//! therefore sent in the order of their Lamport timestamps, oldest first, and take effect in it.
//!
//! | | with n servers |
//! | --- | --- |
//! | an operation takes | a round trip for each server that is asked: 1 to n, then it waits |
//! | anti-entropy | 2 messages per server and period; each write reaches each server once |
//! | when writes stop | all servers hold the same in the end |
//! | [`Mistake::OwnWritesOnly`] | a server passes on only what it accepted itself: sessions see their own past, others see effects without causes |
//!
//! # Departures from the papers
//! - A session is its client's: one operation after the other; others wait in the client.
//! - After a read the session remembers the server's whole vector and not only the writes that the result depends on, as the paper suggests for
//!   implementations: it may wait for more than it must.
//! - Writes are kept for ever: no primary commits them, and no log is cut (Bayou does both).
//! - A write is asked for once. If the server is lost under it, nobody knows whether it was done, and the client is never answered.
//! - A client that crashes begins a new session.

use std::collections::VecDeque;

use isles_kernel::{Cx, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::multi_master::{Stamp, Stamped};
use crate::store::{Op, Reply, Store};

/// Which of the four guarantees sessions ask for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Guarantees {
    /// A read finds what the session wrote before.
    pub read_your_writes: bool,
    /// A read finds what the session had read before.
    pub monotonic_reads: bool,
    /// Whoever has a write has those that the session did before.
    pub monotonic_writes: bool,
    /// Whoever has a write has what the session had read before.
    pub writes_follow_reads: bool,
}

impl Guarantees {
    /// None of them: any server will do.
    pub const NONE: Self = Self {
        read_your_writes: false,
        monotonic_reads: false,
        monotonic_writes: false,
        writes_follow_reads: false,
    };
    /// All of them: to the session the servers are one, as far as it knows.
    pub const ALL: Self = Self {
        read_your_writes: true,
        monotonic_reads: true,
        monotonic_writes: true,
        writes_follow_reads: true,
    };
}

/// A mistake that was really made with this protocol, for the museum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// Tokens are checked, and servers tell each other only what they accepted themselves: a write arrives without what came before it at other
    /// servers.
    OwnWritesOnly,
}

/// What all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many servers there are: the processes `0..servers`. All others are clients. At least 1.
    pub servers: u32,
    /// What sessions ask for.
    pub guarantees: Guarantees,
    /// How often a server asks another for what it lacks. More than zero. A guess: 50 ms.
    pub period: Span,
    /// How long a client waits that no server could serve before it asks them again. More than zero. Default: the period.
    pub retry: Span,
    /// Writes in one message at most, at least 1; a server that got so many asks again at once. A guess: 64.
    pub batch_max: u32,
    /// For the museum.
    pub mistake: Option<Mistake>,
}

impl Config {
    /// The configuration of so many servers, at least one, with the defaults above.
    pub const fn new(servers: u32, guarantees: Guarantees) -> Self {
        let period = Span::millis(50);
        Self {
            servers: if servers == 0 { 1 } else { servers },
            guarantees,
            period,
            retry: period,
            batch_max: 64,
            mistake: None,
        }
    }
}

/// A set of writes: of each server those up to a stamp.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Version(Vec<u64>);

impl Version {
    /// No writes.
    fn none(servers: u32) -> Self {
        Self(vec![0; servers as usize])
    }

    /// The clock of the latest write of a server that is in the set; 0 if there is none.
    pub fn of(&self, server: ProcessId) -> u64 {
        self.0.get(server.index()).copied().unwrap_or(0)
    }

    /// Whether all writes of `other` are in this set.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine >= theirs)
    }

    /// Whether a write is in the set.
    pub fn has(&self, stamp: Stamp) -> bool {
        stamp.clock <= self.of(stamp.replica)
    }

    /// Adds all writes of `other`.
    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Adds a write, and those of its server before it.
    fn add(&mut self, stamp: Stamp) {
        if let Some(clock) = self.0.get_mut(stamp.replica.index()) {
            *clock = (*clock).max(stamp.clock);
        }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// From a client.
    Ask {
        /// Its name for this message.
        attempt: u64,
        /// What it asks.
        op: Op,
        /// What the server must have.
        needs: Version,
    },
    /// To a client: the server lacks something of what the operation needs; nothing was done.
    Behind {
        /// Which message this answers.
        attempt: u64,
    },
    /// To a client.
    Answer {
        /// Which message this answers.
        attempt: u64,
        /// The answer.
        reply: Reply,
        /// What the server has.
        version: Version,
        /// The stamp of the write, if it was one.
        stamp: Option<Stamp>,
    },
    /// Between servers: this is what the sender has; what does it lack?
    Have(Version),
    /// Between servers: what the receiver lacks, the oldest first.
    Writes(Vec<Stamped>),
}

/// What a process waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// At a server: to ask another for what it lacks.
    AntiEntropy,
    /// At a client: to ask the servers again. Names the attempt after which it waits.
    Retry {
        /// The attempt.
        attempt: u64,
    },
}

/// What happened at a process.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A server learned of a write.
    Applied(Stamped),
    /// A server lacked what an operation needed.
    Refused {
        /// Whose operation.
        client: ProcessId,
    },
    /// A message was dropped that makes no sense, or that answers what its receiver no longer asks.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// A server or a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sessions {
    /// Holds the objects.
    Server(Server),
    /// Asks.
    Client(Client),
}

/// A server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Server {
    /// Invariant: the set of what is in `log`; so if a write is in it, all earlier ones of its server are.
    version: Version,
    /// Invariant: at least the clock of every write in `log`.
    clock: u64,
    /// Invariant: in the order of stamps, which is the order of effects.
    log: Vec<Stamped>,
    /// Invariant: what the writes of `log` lead to.
    store: Store,
}

/// A client, with its session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Client {
    /// What the session has read, and perhaps more.
    read: Version,
    /// What it wrote.
    written: Version,
    /// What is being asked.
    current: Option<Asking>,
    /// What waits for its turn.
    waiting: VecDeque<(OpId, Op)>,
    /// How many messages were sent; the last one has this number.
    attempt: u64,
}

/// An operation under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Asking {
    id: OpId,
    op: Op,
    server: ProcessId,
    /// Whether the server was asked; otherwise the client waits for its next attempt.
    is_sent: bool,
    /// How many servers have said in a row that they are behind, or were lost.
    refused: u32,
}

impl Protocol for Sessions {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Op;
    type Reply = Reply;
    type Record = Stamped;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, log: &[Stamped]) -> Self {
        let config = cx.config();
        assert!(config.period > Span::ZERO && config.retry > Span::ZERO, "time passes between attempts");
        let none = Version::none(config.servers);
        if cx.me().0 < config.servers {
            let mut server = Server { version: none, clock: 0, log: Vec::new(), store: Store::default() };
            server.learn(log.to_vec());
            // Servers that start together do not all ask in the same instant.
            let sixteenths = u64::from(1 + cx.choose(16));
            cx.arm(Timer::AntiEntropy, Span::nanos((config.period.0 / 16).saturating_mul(sixteenths).max(1)));
            Self::Server(server)
        } else {
            let (read, written) = (none.clone(), none);
            Self::Client(Client { read, written, current: None, waiting: VecDeque::new(), attempt: 0 })
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        match self {
            Self::Client(client) => {
                client.waiting.push_back((id, op));
                client.next(cx);
            }
            // A client that stays at one server has all four guarantees for nothing.
            Self::Server(server) => {
                let (reply, _) = server.serve(cx, &op);
                cx.reply(id, reply);
            }
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match (self, msg) {
            (Self::Server(server), Msg::Ask { attempt, op, needs }) => {
                server.on_ask(cx, from, attempt, (op, needs))
            }
            (Self::Server(server), Msg::Have(version)) => server.on_have(cx, from, &version),
            (Self::Server(server), Msg::Writes(writes)) => server.on_writes(cx, from, writes),
            (Self::Client(client), Msg::Behind { attempt }) => client.on_behind(cx, from, attempt),
            (Self::Client(client), Msg::Answer { attempt, reply, version, stamp }) => {
                client.on_answer(cx, from, attempt, (reply, version, stamp));
            }
            (Self::Server(_), Msg::Behind { .. } | Msg::Answer { .. })
            | (Self::Client(_), Msg::Ask { .. } | Msg::Have(_) | Msg::Writes(_)) => {
                cx.emit(Event::Rejected { from });
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Server(server), Timer::AntiEntropy) => {
                server.ask_for_more(cx);
                cx.arm(Timer::AntiEntropy, cx.config().period);
            }
            (Self::Client(client), Timer::Retry { attempt }) if attempt == client.attempt => client.ask(cx),
            // A timer of an operation that is over.
            (Self::Client(_), Timer::Retry { .. } | Timer::AntiEntropy)
            | (Self::Server(_), Timer::Retry { .. }) => {}
        }
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if let Self::Client(client) = self {
            client.on_lost(cx, peer);
        }
    }
}

impl Sessions {
    /// What a server holds; none for a client.
    pub const fn store(&self) -> Option<&Store> {
        match self {
            Self::Server(server) => Some(&server.store),
            Self::Client(_) => None,
        }
    }

    /// Which writes a server has; none for a client.
    pub const fn version(&self) -> Option<&Version> {
        match self {
            Self::Server(server) => Some(&server.version),
            Self::Client(_) => None,
        }
    }

    /// The writes of a server in the order in which they take effect; none for a client.
    pub fn log(&self) -> &[Stamped] {
        match self {
            Self::Server(server) => &server.log,
            Self::Client(_) => &[],
        }
    }
}

impl Server {
    /// Terry et al. 1994, section 4: the server's vector must cover what the session brings.
    fn on_ask(
        &mut self,
        cx: &mut Cx<'_, Sessions>,
        from: ProcessId,
        attempt: u64,
        (op, needs): (Op, Version),
    ) {
        if needs.0.len() != self.version.0.len() {
            cx.emit(Event::Rejected { from });
        } else if self.version.covers(&needs) {
            let (reply, stamp) = self.serve(cx, &op);
            cx.send(from, Msg::Answer { attempt, reply, version: self.version.clone(), stamp });
        } else {
            cx.emit(Event::Refused { client: from });
            cx.send(from, Msg::Behind { attempt });
        }
    }

    /// Does an operation, and says under which stamp if it was a write: one that is later than all that this server has.
    fn serve(&mut self, cx: &mut Cx<'_, Sessions>, op: &Op) -> (Reply, Option<Stamp>) {
        let stamp = op.update().map(|update| {
            let stamp = Stamp { clock: self.clock + 1, replica: cx.me() };
            self.accept(cx, vec![Stamped { stamp, update }]);
            stamp
        });
        (self.store.answer(op), stamp)
    }

    /// Petersen et al. 1997, section 2: one asks, the other sends what is missing.
    fn ask_for_more(&self, cx: &mut Cx<'_, Sessions>) {
        let others = cx.config().servers.saturating_sub(1);
        if others > 0 {
            let number = cx.choose(others);
            let peer = ProcessId(number + u32::from(number >= cx.me().0));
            cx.send(peer, Msg::Have(self.version.clone()));
        }
    }

    fn on_have(&self, cx: &mut Cx<'_, Sessions>, from: ProcessId, version: &Version) {
        if version.0.len() != self.version.0.len() {
            cx.emit(Event::Rejected { from });
            return;
        }
        let (me, mistake) = (cx.me(), cx.config().mistake);
        let is_passed_on = |stamp: Stamp| mistake != Some(Mistake::OwnWritesOnly) || stamp.replica == me;
        let missing = self
            .log
            .iter()
            .filter(|known| !version.has(known.stamp) && is_passed_on(known.stamp))
            .take(cx.config().batch_max.max(1) as usize);
        let writes: Vec<Stamped> = missing.copied().collect();
        if !writes.is_empty() {
            cx.send(from, Msg::Writes(writes));
        }
    }

    fn on_writes(&mut self, cx: &mut Cx<'_, Sessions>, from: ProcessId, writes: Vec<Stamped>) {
        let servers = cx.config().servers;
        let is_right =
            |write: &Stamped| write.stamp.replica.0 < servers && (1..u64::MAX).contains(&write.stamp.clock);
        if !writes.iter().all(is_right) || !writes.windows(2).all(|two| two[0].stamp < two[1].stamp) {
            cx.emit(Event::Rejected { from });
            return;
        }
        let is_full = writes.len() >= cx.config().batch_max as usize;
        self.accept(cx, writes);
        if is_full {
            cx.send(from, Msg::Have(self.version.clone()));
        }
    }

    /// Makes writes durable, oldest first, so that what is left of them after a crash is a prefix; then learns them.
    fn accept(&mut self, cx: &mut Cx<'_, Sessions>, mut writes: Vec<Stamped>) {
        writes.retain(|write| !self.version.has(write.stamp));
        for write in &writes {
            cx.persist(*write);
            cx.emit(Event::Applied(*write));
        }
        self.learn(writes);
    }

    /// Puts writes in their places, and does again what is after them.
    fn learn(&mut self, writes: Vec<Stamped>) {
        let mut is_late = false;
        for write in writes {
            self.version.add(write.stamp);
            self.clock = self.clock.max(write.stamp.clock);
            is_late |= self.log.last().is_some_and(|last| last.stamp > write.stamp);
            self.log.push(write);
            if !is_late {
                self.store.apply(write.update);
            }
        }
        if is_late {
            self.log.sort_unstable_by_key(|known| known.stamp);
            self.store = Store::default();
            self.log.iter().for_each(|known| self.store.apply(known.update));
        }
    }
}

impl Client {
    /// Takes up the next operation, if none is under way: any server may be the first to be asked.
    fn next(&mut self, cx: &mut Cx<'_, Sessions>) {
        if self.current.is_some() {
            return;
        }
        let Some((id, op)) = self.waiting.pop_front() else { return };
        let server = ProcessId(cx.choose(cx.config().servers));
        self.current = Some(Asking { id, op, server, is_sent: false, refused: 0 });
        self.ask(cx);
    }

    /// What a server must have to do an operation.
    fn needs(&self, config: &Config, op: &Op) -> Version {
        let wanted = config.guarantees;
        let (of_written, of_read) = match op.update() {
            Some(_) => (wanted.monotonic_writes, wanted.writes_follow_reads),
            None => (wanted.read_your_writes, wanted.monotonic_reads),
        };
        let mut needs = Version::none(config.servers);
        if of_written {
            needs.join(&self.written);
        }
        if of_read {
            needs.join(&self.read);
        }
        needs
    }

    fn ask(&mut self, cx: &mut Cx<'_, Sessions>) {
        let Some(mut asking) = self.current.take() else { return };
        self.attempt += 1;
        let needs = self.needs(cx.config(), &asking.op);
        cx.send(asking.server, Msg::Ask { attempt: self.attempt, op: asking.op.clone(), needs });
        asking.is_sent = true;
        self.current = Some(asking);
    }

    /// Whether a message answers what is being asked.
    fn is_awaited(&self, from: ProcessId, attempt: u64) -> bool {
        let is_of = |asking: &Asking| asking.server == from && asking.is_sent;
        attempt == self.attempt && self.current.as_ref().is_some_and(is_of)
    }

    /// Asks the next server; when all were asked, later.
    fn on_behind(&mut self, cx: &mut Cx<'_, Sessions>, from: ProcessId, attempt: u64) {
        if !self.is_awaited(from, attempt) {
            cx.emit(Event::Rejected { from });
            return;
        }
        self.go_on(cx);
    }

    fn go_on(&mut self, cx: &mut Cx<'_, Sessions>) {
        let servers = cx.config().servers;
        let Some(asking) = &mut self.current else { return };
        asking.server = ProcessId((asking.server.0 + 1) % servers);
        asking.refused += 1;
        if asking.refused < servers {
            self.ask(cx);
        } else {
            (asking.refused, asking.is_sent) = (0, false);
            self.attempt += 1;
            cx.arm(Timer::Retry { attempt: self.attempt }, cx.config().retry);
        }
    }

    fn on_answer(
        &mut self,
        cx: &mut Cx<'_, Sessions>,
        from: ProcessId,
        attempt: u64,
        (reply, version, stamp): (Reply, Version, Option<Stamp>),
    ) {
        let is_right = version.0.len() == self.read.0.len()
            && stamp.is_none_or(|stamp| stamp.replica == from && stamp.clock < u64::MAX);
        if !self.is_awaited(from, attempt) || !is_right {
            cx.emit(Event::Rejected { from });
            return;
        }
        let Some(asking) = self.current.take() else { return };
        match stamp {
            Some(stamp) => self.written.add(stamp),
            None => self.read.join(&version),
        }
        cx.reply(asking.id, reply);
        self.next(cx);
    }

    /// A read goes to another server; what became of a write nobody knows, and the session goes on without it.
    fn on_lost(&mut self, cx: &mut Cx<'_, Sessions>, peer: ProcessId) {
        match &self.current {
            Some(asking) if asking.server == peer && asking.is_sent => {
                if asking.op.update().is_none() {
                    self.go_on(cx);
                } else {
                    self.current = None;
                    self.next(cx);
                }
            }
            Some(_) | None => {}
        }
    }
}
