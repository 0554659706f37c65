//! A spanning tree from one root, by flooding: AsynchSpanningTree, AsynchBcastAck, echo; in [`Rounds`](crate::Rounds) it is
//! SyncBFS.
//!
//! Lynch, *Distributed Algorithms*, 1996: SyncBFS, sec. 4.2; AsynchSpanningTree and AsynchBcastAck, sec. 15.3. Segall,
//! "Distributed network protocols", IEEE Trans. Inf. Theory 29(1), 1983: propagation of information with feedback (PIF), also
//! called echo. Attiya and Welch, *Distributed Computing*, 2004, ch. 2 and 3.
//!
//! The papers' algorithms differ in who answers a search, and when: [`Answers`]. Symbols: `search`, `bcast` are
//! [`Msg::Search`], with or without a payload; `parent` and `non-parent` have their names; `ack` to a parent, `complete`
//! and the echo are [`Msg::Report`].
//!
//! **Model**: asynchronous, no failures, reliable FIFO channels; over a directed graph with answers, in
//! [`Routed`](crate::Routed). **Properties**: [`properties`]. **Departures**: a search carries the sender's depth, so that a
//! process knows its own; the payload of a broadcast may be sent down the tree when it is finished, too.

pub mod properties;

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Channel, Cx, Data, Never, OpId, Payload, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::gather::Gather;

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SpanningTree<G: Gather> {
    /// Invariant: a process that is inside stays inside, until it forgets; parent and depth never change.
    place: Option<Inside<G::Value>>,
}

/// What a process in the tree knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Inside<V> {
    role: Role,
    depth: u32,
    /// What is known of each neighbour, in the order of the graph; nothing where searches are not answered.
    links: Vec<Link>,
    /// Invariant: how many links are [`Link::Searched`] or [`Link::Child`].
    awaited: u32,
    /// Of this process, and of the children that have reported.
    value: V,
    /// The value went to the parent; at the root: the tree is finished.
    reported: bool,
    /// Further processes that take this one for their child: [`Mistake::ReportToAll`].
    also: Vec<ProcessId>,
}

/// Where a process stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Role {
    Root {
        /// Who asked for the tree.
        op: OpId,
        /// What goes down the tree when it is finished.
        waiting: Option<Payload>,
    },
    Member {
        parent: ProcessId,
    },
}

/// What a process in the tree knows of a neighbour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Link {
    /// It was not searched: the parent.
    Unsearched,
    /// It was searched and has not answered.
    Searched,
    /// It has another parent.
    Other,
    /// It is a child, and has not reported.
    Child,
    /// It is a child, and everything below it is finished.
    Finished,
}

/// How searches are answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answers {
    /// Not at all: everybody has a parent, and nobody knows its children or when it is over (SyncBFS,
    /// AsynchSpanningTree).
    None,
    /// With parent or non-parent, at once; a process reports when its children have: child pointers, then convergecast.
    Children,
    /// With non-parent at once, or else with a report when all of one's own searches are answered (AsynchBcastAck).
    Acks,
    /// A search that meets another one is its answer; else a report (PIF, echo). Over directed graphs this does not work.
    Echo,
}

/// Mistakes made on purpose, for controls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mistake {
    /// A process takes every neighbour that is one hop nearer to the root for its parent, and reports to all of them:
    /// what leads upwards is no tree. Goes with [`Answers::Children`].
    ReportToAll,
    /// A process reports as soon as it has answered, not when its children have. Goes with [`Answers::Children`].
    ReportEarly,
    /// A process goes over to whoever searches it last.
    LastSearchWins,
    /// A process searches all its neighbours but the last.
    SkipsLast,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config<G> {
    /// Who is whose neighbour; if it is directed, whom one can send to. A process that it does not have is alone.
    pub graph: Arc<Graph>,
    /// What is gathered.
    pub gather: G,
    /// How searches are answered.
    pub answers: Answers,
    /// Whether a payload travels with the searches, instead of down the finished tree.
    pub carry: bool,
    /// Whether a process searches its parent, too. Lynch sends to all outgoing neighbours in sec. 4.2 and to all but the
    /// parent in sec. 15.3. Echo never does.
    pub to_parent: bool,
    /// Whether a process that has reported forgets everything (AsynchBcastAck). It must be sure that no search is on its
    /// way to it: channels must be reliable and FIFO.
    pub forget: bool,
    /// How messages travel; the book's channels are streams.
    pub channel: Channel,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl<G: Gather> Config<G> {
    /// Searches answered in this way, payloads carried by them, none to the parent, and nothing forgotten.
    pub fn new(graph: impl Into<Arc<Graph>>, gather: G, answers: Answers) -> Self {
        Self {
            graph: graph.into(),
            gather,
            answers,
            carry: true,
            to_parent: false,
            forget: false,
            channel: Channel::Stream,
            mistake: None,
        }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg<V> {
    /// Come into the tree.
    Search {
        /// Of the sender.
        depth: u32,
        /// What is broadcast; empty for nothing.
        payload: Payload,
    },
    /// You are my parent.
    Parent,
    /// You are not my parent.
    NonParent,
    /// Everything below me is finished.
    Report {
        /// Gathered below, the sender included.
        value: V,
    },
    /// A payload on its way down the finished tree.
    Down {
        /// What is broadcast.
        payload: Payload,
    },
}

/// What is asked of a process.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Be the root of a tree, and broadcast this payload; an empty one is no broadcast.
    Build(Payload),
    /// Broadcast this down the finished tree whose root you are.
    Broadcast(Payload),
}

/// What a process answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply<V> {
    /// The tree is finished, and this was gathered. Without answers to searches nobody ever knows.
    Built(V),
    /// The payload is on its way.
    Sent,
    /// To a tree: this process is in one already. To a broadcast: it is not the root of a finished one.
    Refused,
}

/// What a process tells.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event<V> {
    /// It is in the tree.
    Joined {
        /// Below whom; the root has none.
        parent: Option<ProcessId>,
        /// Hops from the root.
        depth: u32,
    },
    /// Everything below it is finished; at the root: the whole tree.
    Finished(V),
    /// A payload is here for the first time.
    Delivered(Payload),
    /// A message that does not fit was dropped: channels are not as they should be, or the sender is not.
    Rejected {
        /// From whom.
        from: ProcessId,
    },
}

impl<G: Gather> Protocol for SpanningTree<G> {
    type Config = Config<G>;
    type Msg = Msg<G::Value>;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply<G::Value>;
    type Record = Never;
    type Event = Event<G::Value>;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { place: None }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, what: Op) {
        match (what, &self.place) {
            (Op::Build(payload), None) => {
                let later = (!cx.config().carry && !payload.bytes().is_empty()).then(|| payload.clone());
                self.join(cx, Role::Root { op, waiting: later }, 0, payload);
            }
            (Op::Broadcast(payload), Some(inside)) if inside.is_root() && inside.reported => {
                cx.reply(op, Reply::Sent);
                inside.deliver(cx, payload);
            }
            (Op::Build(_) | Op::Broadcast(_), _) => cx.reply(op, Reply::Refused),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Self::Msg) {
        let fits = match (msg, &mut self.place) {
            (Msg::Search { depth, payload }, None) => {
                self.join(cx, Role::Member { parent: from }, depth.saturating_add(1), payload);
                true
            }
            (Msg::Search { depth, .. }, Some(inside)) => inside.on_search(cx, from, depth),
            (Msg::Parent, Some(inside)) => inside.turn(cx, from, Link::Searched, Link::Child),
            (Msg::NonParent, Some(inside)) => inside.turn(cx, from, Link::Searched, Link::Other),
            (Msg::Report { value }, Some(inside)) => inside.on_report(cx, from, value),
            (Msg::Down { payload }, Some(inside)) if inside.parent() == Some(from) => {
                inside.deliver(cx, payload);
                true
            }
            (Msg::Parent | Msg::NonParent | Msg::Report { .. } | Msg::Down { .. }, _) => false,
        };
        if fits {
            self.finish(cx);
        } else {
            cx.emit(Event::Rejected { from });
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl<G: Gather> SpanningTree<G> {
    /// What this process knows of the tree; none if it is not in it.
    pub fn inside(&self) -> Option<&Inside<G::Value>> {
        self.place.as_ref()
    }

    /// Lynch 1996, sec. 15.3: the first search makes its sender the parent and goes on to all others.
    fn join(&mut self, cx: &mut Cx<'_, Self>, role: Role, depth: u32, payload: Payload) {
        let config = cx.config();
        let parent = if let Role::Member { parent } = role { Some(parent) } else { None };
        let back = config.to_parent && config.answers != Answers::Echo;
        let all = neighbors(config, cx.me());
        let skipped = all.last().filter(|_| config.mistake == Some(Mistake::SkipsLast));
        let searched = |peer: &ProcessId| (back || Some(*peer) != parent) && Some(peer) != skipped;
        cx.emit(Event::Joined { parent, depth });
        if config.carry && !payload.bytes().is_empty() {
            cx.emit(Event::Delivered(payload.clone()));
        }
        let carried = if config.carry { payload } else { Payload::default() };
        for &peer in all.iter().filter(|peer| searched(peer)) {
            cx.send_by(config.channel, peer, Msg::Search { depth, payload: carried.clone() });
        }
        if let (Answers::Children, Some(parent)) = (config.answers, parent) {
            cx.send_by(config.channel, parent, Msg::Parent);
        }
        let link = |peer: &ProcessId| if searched(peer) { Link::Searched } else { Link::Unsearched };
        let links: Vec<Link> =
            if config.answers == Answers::None { Vec::new() } else { all.iter().map(link).collect() };
        self.place = Some(Inside {
            role,
            depth,
            awaited: links.iter().filter(|link| **link == Link::Searched).count() as u32,
            links,
            value: config.gather.input(cx.me(), depth),
            reported: false,
            also: Vec::new(),
        });
        self.finish(cx);
    }

    /// Reports once nothing is awaited (Lynch 1996, sec. 4.2 and 15.3: convergecast).
    fn finish(&mut self, cx: &mut Cx<'_, Self>) {
        let config = cx.config();
        let Some(inside) = &mut self.place else { return };
        let early = config.mistake == Some(Mistake::ReportEarly) && inside.parent().is_some();
        let due = early || inside.awaited == 0;
        if config.answers == Answers::None || inside.reported || !due {
            return;
        }
        inside.reported = true;
        cx.emit(Event::Finished(inside.value.clone()));
        match &mut inside.role {
            Role::Member { parent } => {
                for &above in std::iter::once(&*parent).chain(&inside.also) {
                    cx.send_by(config.channel, above, Msg::Report { value: inside.value.clone() });
                }
            }
            Role::Root { op, waiting } => {
                cx.reply(*op, Reply::Built(inside.value.clone()));
                if let Some(payload) = waiting.take() {
                    inside.deliver(cx, payload);
                }
            }
        }
        if config.forget {
            self.place = None;
        }
    }
}

impl<V: Data> Inside<V> {
    /// The process above; the root has none.
    pub fn parent(&self) -> Option<ProcessId> {
        match self.role {
            Role::Root { .. } => None,
            Role::Member { parent } => Some(parent),
        }
    }

    /// Whether the tree grows from here.
    pub fn is_root(&self) -> bool {
        matches!(self.role, Role::Root { .. })
    }

    /// Hops to the root along the tree.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// What is known of each neighbour, in the order of the graph; nothing where searches are not answered.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The children that are known so far, out of the neighbours of this process in the graph; all of them once
    /// [reported](Self::has_reported).
    pub fn children<'a>(&'a self, neighbors: &'a [ProcessId]) -> impl Iterator<Item = ProcessId> + 'a {
        let child = |link: &Link| matches!(link, Link::Child | Link::Finished);
        self.links.iter().zip(neighbors).filter(move |(link, _)| child(link)).map(|(_, peer)| *peer)
    }

    /// Whether everything below is finished.
    pub fn has_reported(&self) -> bool {
        self.reported
    }

    /// A search at a process that is in the tree already; false if it does not fit.
    fn on_search<G: Gather<Value = V>>(
        &mut self,
        cx: &mut Cx<'_, SpanningTree<G>>,
        from: ProcessId,
        depth: u32,
    ) -> bool {
        let config = cx.config();
        let nearer = depth.checked_add(1) == Some(self.depth);
        if config.mistake == Some(Mistake::LastSearchWins) && !self.is_root() {
            self.role = Role::Member { parent: from };
            self.depth = depth.saturating_add(1);
        }
        match config.answers {
            Answers::None => {}
            Answers::Echo => return self.turn(cx, from, Link::Searched, Link::Other),
            Answers::Children if config.mistake == Some(Mistake::ReportToAll) && nearer => {
                self.also.push(from);
                cx.send_by(config.channel, from, Msg::Parent);
            }
            Answers::Children | Answers::Acks => cx.send_by(config.channel, from, Msg::NonParent),
        }
        true
    }

    /// Adds a report to one's own; false if none is awaited from this process.
    fn on_report<G: Gather<Value = V>>(
        &mut self,
        cx: &Cx<'_, SpanningTree<G>>,
        from: ProcessId,
        value: V,
    ) -> bool {
        let config = cx.config();
        let before = if config.answers == Answers::Children { Link::Child } else { Link::Searched };
        let fits = self.turn(cx, from, before, Link::Finished);
        if fits {
            self.value = config.gather.combine(self.value.clone(), value);
        }
        fits
    }

    /// Turns the link to `peer` from one state into the next; false if it is in another one.
    fn turn<G: Gather<Value = V>>(
        &mut self,
        cx: &Cx<'_, SpanningTree<G>>,
        peer: ProcessId,
        before: Link,
        after: Link,
    ) -> bool {
        let place = neighbors(cx.config(), cx.me()).binary_search(&peer).ok();
        let link = place.and_then(|index| self.links.get_mut(index)).filter(|link| **link == before);
        let Some(link) = link else { return false };
        *link = after;
        self.awaited -= u32::from(after != Link::Child);
        true
    }

    /// A payload is here: tells, and sends it on to the children.
    fn deliver<G: Gather<Value = V>>(&self, cx: &mut Cx<'_, SpanningTree<G>>, payload: Payload) {
        for child in self.children(neighbors(cx.config(), cx.me())) {
            cx.send_by(cx.config().channel, child, Msg::Down { payload: payload.clone() });
        }
        cx.emit(Event::Delivered(payload));
    }
}

/// Whom `me` can send to.
fn neighbors<G>(config: &Config<G>, me: ProcessId) -> &[ProcessId] {
    if me.0 < config.graph.nodes() { config.graph.neighbors(me) } else { &[] }
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg<u64>>() <= 32);
