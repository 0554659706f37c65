//! Two protocols to test the simulator with, and an observer that writes everything down.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Fault, Links, Observer, Setup, Simulation, Who};
use serde::{Deserialize, Serialize};

pub(crate) fn ms(count: u64) -> Time {
    Time::ZERO + Span::millis(count)
}

pub(crate) fn p(id: u32) -> ProcessId {
    ProcessId(id)
}

pub(crate) fn ids(ids: &[u32]) -> Who {
    Who::Ids(ids.iter().copied().map(ProcessId).collect())
}

/// Groups of a partition.
pub(crate) fn apart(groups: &[&[u32]]) -> Fault {
    Fault::Partition(groups.iter().map(|group| ids(group)).collect())
}

pub(crate) fn uniform(min: u64, max: u64) -> Links {
    Links::law(Distribution::Uniform { min: Span::millis(min), max: Span::millis(max) })
}

/// What a [`Script`] is told to do by an operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Do {
    Send(u32, u32),
    Cast(u32, u32),
    /// Casts so many bytes.
    CastBytes(u32, u32, u32),
    SendBytes(u32, u32, u32),
    Watch(u32),
    Unwatch(u32),
    Arm(u32, Span),
    Disarm(u32),
    Persist(u32),
    Choose(u32),
    Reply,
}
pub(crate) use Do::*;

/// What befell a [`Script`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Seen {
    Started(Vec<u32>),
    Message(u32, u32),
    Timer(u32),
    Unreachable(u32),
    Chose(u32),
}
pub(crate) use Seen::*;

/// A number, and bytes that only make the message longer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Letter(pub(crate) u32, pub(crate) isles_kernel::Payload);

/// A process that does what it is told and notes what befalls it, with its local time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Script {
    pub(crate) seen: Vec<(Time, Seen)>,
}

/// What every process does when it starts.
pub(crate) type AtStart = Vec<Do>;

impl Script {
    fn see(&mut self, cx: &mut Cx<'_, Self>, seen: Seen) {
        self.seen.push((cx.now(), seen.clone()));
        cx.emit(seen);
    }

    fn obey(&mut self, cx: &mut Cx<'_, Self>, id: Option<OpId>, deed: Do) {
        let sized = |bytes: u32| isles_kernel::Payload::zeros(bytes as usize);
        match deed {
            Send(to, n) => cx.send(ProcessId(to), Letter(n, sized(0))),
            Cast(to, n) => cx.cast(ProcessId(to), Letter(n, sized(0))),
            CastBytes(to, n, bytes) => cx.cast(ProcessId(to), Letter(n, sized(bytes))),
            SendBytes(to, n, bytes) => cx.send(ProcessId(to), Letter(n, sized(bytes))),
            Watch(peer) => cx.watch(ProcessId(peer)),
            Unwatch(peer) => cx.unwatch(ProcessId(peer)),
            Arm(timer, after) => cx.arm(timer, after),
            Disarm(timer) => cx.disarm(timer),
            Persist(record) => cx.persist(record),
            Choose(bound) => {
                let chosen = cx.choose(bound);
                self.see(cx, Chose(chosen));
            }
            Reply => cx.reply(id.expect("only operations are answered"), ()),
        }
    }
}

impl Protocol for Script {
    type Config = AtStart;
    type Msg = Letter;
    type Timer = u32;
    type Op = Vec<Do>;
    type Reply = ();
    type Record = u32;
    type Event = Seen;

    fn start(cx: &mut Cx<'_, Self>, log: &[u32]) -> Self {
        let mut script = Self { seen: Vec::new() };
        script.see(cx, Started(log.to_vec()));
        for deed in cx.config() {
            script.obey(cx, None, deed.clone());
        }
        script
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Letter) {
        self.see(cx, Message(from.0, msg.0));
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: u32) {
        self.see(cx, Timer(timer));
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, deeds: Vec<Do>) {
        for deed in deeds {
            self.obey(cx, Some(id), deed);
        }
    }
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        self.see(cx, Unreachable(peer.0));
    }
}

/// A simulation of scripts.
pub(crate) type World = Simulation<Script>;

/// So many scripts on these links, seed 1.
pub(crate) fn world(processes: u32, links: Links) -> World {
    world_with(processes, links, |_| {})
}

pub(crate) fn world_with(processes: u32, links: Links, change: impl FnOnce(&mut Setup<Script>)) -> World {
    let mut setup = Setup { links, ..Setup::new(processes, 1, Vec::new()) };
    change(&mut setup);
    Simulation::new(setup).expect("a valid set-up")
}

/// Tells a process what to do at an instant.
pub(crate) fn tell(world: &mut World, at: u64, who: u32, deeds: Vec<Do>) {
    world.invoke_at(ms(at), p(who), deeds);
}

/// What befell a process since it started, with its own clock in milliseconds.
pub(crate) fn seen(world: &World, who: u32) -> Vec<(u64, Seen)> {
    let script = world.process(p(who)).expect("it is up");
    script.seen.iter().skip(1).map(|(at, seen)| (at.0 / 1_000_000, seen.clone())).collect()
}

/// The numbers of the messages that a process got from another, in order.
pub(crate) fn got(world: &World, who: u32, from: u32) -> Vec<u32> {
    let of = |seen: &(Time, Seen)| if let Message(sender, n) = seen.1 { Some((sender, n)) } else { None };
    world
        .process(p(who))
        .expect("it is up")
        .seen
        .iter()
        .filter_map(of)
        .filter(|(sender, _)| *sender == from)
        .map(|(_, n)| n)
        .collect()
}

/// Everything that an observer sees, in order.
#[derive(Default)]
pub(crate) struct Trace {
    /// When, from, to, arrival, number.
    pub(crate) sent: Vec<(Time, u32, u32, Option<Time>, u32)>,
    pub(crate) delivered: Vec<(Time, u32, u32, u32)>,
    pub(crate) told: Vec<(Time, u32, Seen)>,
    pub(crate) replies: usize,
    pub(crate) lives: Vec<(Time, u32, bool)>,
}

impl Observer<Script> for Trace {
    fn sees_messages(&self) -> bool {
        true
    }
    fn on_send(&mut self, at: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &Letter) {
        self.sent.push((at, from.0, to.0, arrival, msg.0));
    }
    fn on_deliver(&mut self, at: Time, from: ProcessId, to: ProcessId, msg: &Letter) {
        self.delivered.push((at, from.0, to.0, msg.0));
    }
    fn on_event(&mut self, at: Time, process: ProcessId, event: &Seen) {
        self.told.push((at, process.0, event.clone()));
    }
    fn on_reply(&mut self, _: Time, _: ProcessId, _: OpId, (): &()) {
        self.replies += 1;
    }
    fn on_start(&mut self, at: Time, process: ProcessId) {
        self.lives.push((at, process.0, true));
    }
    fn on_crash(&mut self, at: Time, process: ProcessId) {
        self.lives.push((at, process.0, false));
    }
}

/// A process that does a bit of everything at random, for comparing whole runs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Chatter {
    count: u32,
    durable: Vec<u32>,
}

impl Chatter {
    fn act(&mut self, cx: &mut Cx<'_, Self>, ttl: u32) {
        self.count += 1;
        if ttl == 0 {
            return;
        }
        let peer = ProcessId(cx.choose(*cx.config()));
        match cx.choose(8) {
            0 | 1 => cx.send(peer, ttl - 1),
            2 | 3 => cx.cast(peer, ttl - 1),
            4 => {
                cx.persist(self.count);
                self.durable.push(self.count);
                cx.send(peer, ttl - 1);
            }
            5 => cx.arm(cx.now().0 as u8 % 4, Span::millis(u64::from(ttl))),
            6 => {
                cx.disarm((self.count % 4) as u8);
                cx.watch(peer);
                cx.cast(peer, ttl - 1);
            }
            _ => {
                cx.unwatch(peer);
                cx.send(peer, ttl - 1);
                cx.cast(peer, ttl - 1);
            }
        }
    }
}

impl Protocol for Chatter {
    type Config = u32;
    type Msg = u32;
    type Timer = u8;
    type Op = u32;
    type Reply = u32;
    type Record = u32;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, log: &[u32]) -> Self {
        let mut chatter = Self { count: log.len() as u32, durable: log.to_vec() };
        cx.arm(9, Span::millis(20));
        chatter.act(cx, 30);
        chatter
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, _: ProcessId, ttl: u32) {
        self.act(cx, ttl);
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: u8) {
        if timer == 9 {
            cx.arm(9, Span::millis(40));
        }
        self.act(cx, 10 + u32::from(timer));
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, ttl: u32) {
        self.act(cx, ttl);
        cx.reply(id, self.count);
    }
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, _: ProcessId) {
        self.act(cx, 3);
    }
}
