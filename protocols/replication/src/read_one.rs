//! Read one, write all: clients apart from the replicas, each of which asks the replica nearest to it.
//!
//! Paper: Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery in Database Systems*, 1987, section 8.2 (read-one, write-all of those
//! that are available). Model: crashes without recovery that are noticed; updates of an object by one client at a time.
//!
//! | | with n replicas |
//! | --- | --- |
//! | a read takes | a round trip to the nearest replica that lives |
//! | an update takes | a round trip to the farthest one |
//! | messages | 2 per read, 2 n per update |
//! | data is lost | only when every replica is |
//! | a read is not answered | only when every replica is down |
//!
//! # Departures from the book
//! - No transactions and no directory of copies that are up: whoever crashes never comes back.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::store::{Op, Reply, Store};

/// What all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many replicas there are: the processes `0..replicas`. All others are clients.
    pub replicas: u32,
    /// For each client, from the first process that is no replica on, the replicas from the nearest to the farthest.
    pub nearest: Vec<Vec<ProcessId>>,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To a replica.
    Ask {
        /// The client's name for it.
        id: OpId,
        /// What is asked.
        op: Op,
    },
    /// To the client.
    Answer {
        /// Which question.
        id: OpId,
        /// The answer.
        reply: Reply,
    },
}

/// What a client waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Pending {
    id: OpId,
    op: Op,
    /// Who has not answered.
    asked: Vec<ProcessId>,
}

/// A replica or a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ReadOne {
    /// Holds the objects.
    Replica {
        /// What they hold.
        store: Store,
    },
    /// Asks.
    Client(Client),
}

/// A client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Client {
    pending: Vec<Pending>,
    /// The replicas that crashed, as far as it noticed.
    crashed: Vec<ProcessId>,
}

impl Protocol for ReadOne {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        if cx.me().0 < cx.config().replicas {
            Self::Replica { store: Store::default() }
        } else {
            Self::Client(Client::default())
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        match self {
            Self::Client(client) => client.ask(cx, id, op),
            // A client that sits at a replica asks that one alone; an update would not reach the others.
            Self::Replica { store } if op.update().is_none() => cx.reply(id, store.answer(&op)),
            Self::Replica { .. } => {}
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match (self, msg) {
            (Self::Replica { store }, Msg::Ask { id, op }) => {
                if let Some(update) = op.update() {
                    store.apply(update);
                }
                cx.send(from, Msg::Answer { id, reply: store.answer(&op) });
            }
            (Self::Client(client), Msg::Answer { id, reply }) => client.on_answer(cx, from, id, reply),
            (Self::Replica { .. }, Msg::Answer { .. }) | (Self::Client(_), Msg::Ask { .. }) => {}
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if let Self::Client(client) = self {
            client.on_crash(cx, peer);
        }
    }
}

impl Client {
    /// The replicas from the nearest on.
    fn nearest<'c>(cx: &Cx<'c, ReadOne>) -> &'c [ProcessId] {
        let place = cx.me().0.saturating_sub(cx.config().replicas) as usize;
        cx.config().nearest.get(place).map_or(&[], Vec::as_slice)
    }

    fn ask(&mut self, cx: &mut Cx<'_, ReadOne>, id: OpId, op: Op) {
        let alive = Self::nearest(cx).iter().filter(|replica| !self.crashed.contains(replica)).copied();
        let asked: Vec<ProcessId> =
            if op.update().is_some() { alive.collect() } else { alive.take(1).collect() };
        for replica in &asked {
            cx.send(*replica, Msg::Ask { id, op: op.clone() });
        }
        self.pending.push(Pending { id, op, asked });
    }

    fn on_answer(&mut self, cx: &mut Cx<'_, ReadOne>, from: ProcessId, id: OpId, reply: Reply) {
        let Some(place) = self.pending.iter().position(|pending| pending.id == id) else { return };
        let pending = &mut self.pending[place];
        pending.asked.retain(|replica| *replica != from);
        if pending.asked.is_empty() {
            self.pending.remove(place);
            cx.reply(id, reply);
        }
    }

    /// A read goes to the next replica; an update does not wait for who is gone, unless all are.
    fn on_crash(&mut self, cx: &mut Cx<'_, ReadOne>, peer: ProcessId) {
        if self.crashed.contains(&peer) {
            return;
        }
        self.crashed.push(peer);
        for pending in std::mem::take(&mut self.pending) {
            match &pending.asked[..] {
                [only] if *only == peer && pending.op.update().is_none() => {
                    self.ask(cx, pending.id, pending.op)
                }
                [only] if *only == peer && self.crashed.len() < cx.config().replicas as usize => {
                    cx.reply(pending.id, Reply::Done);
                }
                _ => {
                    let asked = pending.asked.iter().copied().filter(|replica| *replica != peer);
                    self.pending.push(Pending { asked: asked.collect(), ..pending });
                }
            }
        }
    }
}
