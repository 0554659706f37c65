//! Plumtree: payloads along a tree that the messages themselves carve out of the overlay, ids along all other links.
//!
//! Leitão, Pereira, Rodrigues: *Epidemic Broadcast Trees*, SRDS 2007, <https://doi.org/10.1109/SRDS.2007.27>; the
//! technical report DI-FCUL 07-14 has a correction of its algorithm 1 (2019).
//!
//! **Model**: asynchronous; crashes; an overlay whose links both ends know, such as HyParView's; streams. Over
//! datagrams notices may be lost: then the tree corrects itself with the next messages, and a message may be lost
//! that was neither delivered nor announced over any link.
//!
//! **Properties**, named: [`delivered_everywhere`] — in a connected overlay without loss each message reaches every
//! process, for a holder sends over each link either the payload or its id. [`eager_links_form_tree`] — once the
//! messages of one sender came one after the other, the eager links are a spanning tree, and each further message
//! is sent exactly n − 1 times. *Nothing is armed for ever*: a message that nobody hands over is given up after
//! [`Config::graft_passes_max`] questions to each announcer. *No lasting asymmetry*: notices that cross may leave a link
//! eager at one end only; the next payload over it is new, and makes the other end eager, or known, and makes both
//! ends lazy.
//!
//! | per broadcast, n processes, e links | payloads | ids |
//! | --- | --- | --- |
//! | first | 2e − n + 1 | none |
//! | settled tree | n − 1 | up to 2(e − n + 1) |
//!
//! | paper | here |
//! | --- | --- |
//! | eagerPushPeers, lazyPushPeers | links, each eager or lazy |
//! | lazyQueues, dispatch | `queue`, [`Timer::Announce`] |
//! | missing, Timer(mID) | [`Missing`], [`Timer::Missing`] |
//! | receivedMsgs | [`Seen`] (ids) and [`Store`] (payloads, for GRAFT) |
//! | timeout1, timeout2, threshold | [`Config::ihave_timeout`], [`Config::graft_timeout`], [`Config::threshold`] |
//!
//! # Departures from the paper
//! - An announcer that was asked stays in the list and is asked again later, with doubled patience, a bounded number
//!   of times. In the paper one lost GRAFT loses the message for a process with one announcer. The paper's rule is
//!   [`Mistake::AskOnce`].
//! - When the announcer that is being asked is lost, the next is asked at once, without waiting for the timer.
//! - A second copy from whoever sent the first one does not turn the link lazy. A doubled datagram, or an answer to
//!   a repeated GRAFT, would cut the very link over which messages come.
//! - GRAFT carries no id when the tree is optimised, and both ends change both links at once.
//! - Only neighbours have links; whoever is none may announce, graft and send, but enters no list. Where everyone is
//!   a peer, everyone is a neighbour: n − 1 links of 8 bytes in each process, for small runs.
//! - Received messages are forgotten within stated bounds.
//! - [`Config::catch_up`] announces recent messages to a new neighbour; the paper does not, and neither does the
//!   default. Without it a message is lost for those whose last link breaks while it passes.

mod properties;

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::missing::{Loss, Missing};
use crate::peers::Change;
use crate::seen::Seen;
use crate::store::{Store, Stored, push_by};

pub use properties::{Flaw, delivered_everywhere, eager_links_form_tree};

/// One process of Plumtree.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Plumtree {
    /// Invariant: exactly the neighbours that the membership reported, in the order in which they came up.
    links: Vec<Link>,
    seen: Seen,
    /// Invariant: all in it are seen.
    store: Store,
    /// Invariant: none in it is seen, and [`Timer::Missing`] is armed for each.
    missing: Missing,
    /// Announcements that wait. Invariant: [`Timer::Announce`] is armed if and only if it is not empty; fewer than
    /// [`ANNOUNCEMENTS_MAX`].
    queue: Vec<Queued>,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// From the first announcement of a message to the first GRAFT for it: the paper's timeout1. Above the time by
    /// which a payload on the tree may come later than an id beside it, some one-way latencies; an earlier GRAFT
    /// fetches a copy for nothing and bends the tree. Default 500 ms: a guess for wide-area networks.
    pub ihave_timeout: Span,
    /// From one GRAFT for a message to the next, which goes to the next announcer: timeout2, "order of an RTT" and
    /// below timeout1 in the paper. Doubled each time all announcers were asked. Default 200 ms: three of four round
    /// trips between PlanetLab sites are shorter.
    pub graft_timeout: Span,
    /// How often each announcer is asked for a message; at least 1. Default 4, a guess: with a tenth of the
    /// datagrams lost, one message in 760 is given up that a single announcer has. The last answer is waited
    /// for 15 times [`graft_timeout`](Self::graft_timeout) per announcer.
    pub graft_passes_max: u8,
    /// The tree is optimised when a payload made this many hops more than its announcement over another link. The
    /// paper's default is 7; smaller trees are reached sooner and kept less stable. None: never.
    pub threshold: Option<u16>,
    /// Announcements are collected for so long and sent together; zero, the default, sends each at once. Part of
    /// the time until a GRAFT, so well below [`ihave_timeout`](Self::ihave_timeout).
    pub announce_period: Span,
    /// How many payloads are kept for GRAFTs. At least what arrives within
    /// [`ihave_timeout`](Self::ihave_timeout) and some [`graft_timeout`](Self::graft_timeout)s, or a GRAFT comes too
    /// late. Default 256, a guess; they take 48 bytes each and the shared payload.
    pub cache_count_max: usize,
    /// How long payloads are kept for GRAFTs. Default 30 s, above what all GRAFTs for a message take with eight
    /// announcers. A process that hears nothing more keeps what it has.
    pub cache_span: Span,
    /// How many messages are remembered at least, so that a late copy is not delivered again; see [`Seen`]. At
    /// least [`cache_count_max`](Self::cache_count_max) counts. Default 256: at most 4 kB.
    pub seen_count_max: usize,
    /// How many announced messages may be missing at once; further ones are ignored. Default 1024, at most 64 kB.
    pub missing_count_max: usize,
    /// A new neighbour is announced what arrived within this span, if it is still cached. Default zero, as in the
    /// paper: nothing.
    pub catch_up: Span,
    /// How all messages travel. Default streams, as in the paper.
    pub channel: Channel,
    /// False: announcements are ignored and the tree is never repaired nor optimised; the control of experiments.
    pub graft: bool,
    /// For the museum: a mistake made on purpose.
    pub mistake: Option<Mistake>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ihave_timeout: Span::millis(500),
            graft_timeout: Span::millis(200),
            graft_passes_max: 4,
            threshold: Some(7),
            announce_period: Span::ZERO,
            cache_count_max: 256,
            cache_span: Span::secs(30),
            seen_count_max: 256,
            missing_count_max: 1024,
            catch_up: Span::ZERO,
            channel: Channel::Stream,
            graft: true,
            mistake: None,
        }
    }
}

/// Mistakes that were really made with this protocol, for the museum: with each, a broadcast never arrives somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// A lazy id is forgotten when its owner dies: with a neighbour that went down, all missing messages go that it
    /// announced, although others announced them too.
    ForgetWithOwner,
    /// Graft and prune chase each other: a PRUNE takes the sender's announcements back, although only payloads of
    /// the future are meant.
    PruneRevokes,
    /// Graft and prune chase each other: a GRAFT over a link that is eager already is taken for a repetition, and
    /// its message is not sent.
    GraftOnlyWhenLazy,
    /// The paper's own rule: an announcer is asked once.
    AskOnce,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// A payload, over an eager link or in answer to a GRAFT.
    Gossip {
        /// Which message.
        id: MessageId,
        /// Hops of this copy, this one included.
        round: u16,
        /// What was broadcast.
        payload: Payload,
    },
    /// The sender has these messages; over a lazy link.
    IHave {
        /// Not empty, at most [`ANNOUNCEMENTS_MAX`].
        announcements: SmallVec<[Announcement; 1]>,
    },
    /// Turn the link eager, and send the message.
    Graft {
        /// The message that is missing; none when only the tree is optimised.
        id: Option<MessageId>,
        /// The round of its announcement.
        round: u16,
    },
    /// Turn the link lazy: a payload came that was known.
    Prune,
}

/// What is said of one message in an IHAVE.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Announcement {
    /// Which message.
    pub id: MessageId,
    /// Hops that a copy from the announcer has made when it arrives.
    pub round: u16,
}

/// An IHAVE has no more announcements than this; a batch that is full is sent before its time.
pub const ANNOUNCEMENTS_MAX: usize = 64;

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// This message was announced, or asked for, and has not come.
    Missing(MessageId),
    /// The announcements that wait are to be sent.
    Announce,
}

/// A neighbour, and what is sent to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Link {
    peer: ProcessId,
    push: Push,
}

/// What goes over a link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Push {
    /// Payloads.
    Eager,
    /// Ids: of the queue, those from index `since` on concern this neighbour.
    Lazy { since: u16 },
}

/// An announcement that waits, and who need not hear it because the message came from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Queued {
    announcement: Announcement,
    from: ProcessId,
}

impl Protocol for Plumtree {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self {
            links: Vec::new(),
            seen: Seen::starting(cx.now()),
            store: Store::default(),
            missing: Missing::default(),
            queue: Vec::new(),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Gossip { id, round, payload } => self.on_gossip(cx, from, id, round, payload),
            Msg::IHave { announcements } => self.on_ihave(cx, from, &announcements),
            Msg::Graft { id, .. } => self.on_graft(cx, from, id),
            Msg::Prune => self.on_prune(cx, from),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::Missing(id) => self.graft(cx, id),
            Timer::Announce => self.dispatch(cx),
        }
    }

    // Leitão 2007, algorithm 1, Broadcast.
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, payload: Payload) {
        let me = cx.me();
        let id = self.seen.name(me);
        self.seen.insert(id, seen_count_max(cx.config()));
        cx.reply(op, id);
        self.deliver(cx, Stored { id, payload, at: cx.now(), from: me, hops: 0 });
    }

    // A stream to a neighbour may break without the membership giving it up, and with it a GRAFT or its answer.
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        for id in self.missing.unanswered(peer) {
            self.graft(cx, id);
        }
    }
}

impl Broadcast for Plumtree {
    fn on_change(&mut self, cx: &mut Cx<'_, Self>, change: Change) {
        match change {
            Change::Up { peer } => self.on_up(cx, peer),
            Change::Down { peer } => self.on_down(cx, peer),
            Change::Everyone { count } => {
                let me = cx.me();
                for peer in (0..count).map(ProcessId).filter(|peer| *peer != me) {
                    self.on_up(cx, peer);
                }
            }
        }
    }
}

impl Plumtree {
    /// The neighbours to whom this process sends payloads, in the order in which they came up.
    pub fn eager(&self) -> impl Iterator<Item = ProcessId> {
        self.links.iter().filter(|link| link.push == Push::Eager).map(|link| link.peer)
    }

    /// The neighbours to whom this process sends ids, in the order in which they came up.
    pub fn lazy(&self) -> impl Iterator<Item = ProcessId> {
        self.links.iter().filter(|link| link.push != Push::Eager).map(|link| link.peer)
    }

    /// Whether this process had the message, as far as it remembers.
    pub fn delivered(&self, id: MessageId) -> bool {
        self.seen.contains(id)
    }

    /// How many messages were announced to this process and have neither come nor been given up.
    pub fn missing_count(&self) -> usize {
        self.missing.count()
    }

    // Leitão 2007, algorithm 1: a new payload goes on and its link is eager; a known one turns the link lazy.
    fn on_gossip(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        id: MessageId,
        hops: u16,
        payload: Payload,
    ) {
        if !self.seen.insert(id, seen_count_max(cx.config())) {
            cx.emit(Event::Redundant { id });
            if self.store.get(id).is_none_or(|stored| stored.from != from) {
                self.set_lazy(from);
                self.send(cx, from, Msg::Prune);
            }
            return;
        }
        let announcers = self.missing.take(id);
        if announcers.is_some() {
            cx.disarm(Timer::Missing(id));
        }
        self.deliver(cx, Stored { id, payload, at: cx.now(), from, hops });
        self.set_eager(cx, from);
        let best = announcers.into_iter().flatten().min_by_key(|announcer| announcer.round);
        if let Some(best) = best.filter(|best| best.peer != from) {
            self.optimise(cx, from, hops, best.peer, best.round);
        }
    }

    // Leitão 2007, the optimisation: a much shorter path than the one over which the payload came replaces it.
    fn optimise(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, hops: u16, peer: ProcessId, round: u16) {
        let Some(threshold) = cx.config().threshold else { return };
        if hops.saturating_sub(round) >= threshold.max(1) {
            self.set_eager(cx, peer);
            self.send(cx, peer, Msg::Graft { id: None, round });
            self.set_lazy(from);
            self.send(cx, from, Msg::Prune);
        }
    }

    // Leitão 2007, algorithm 2.
    fn on_ihave(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, announcements: &[Announcement]) {
        if !cx.config().graft {
            return;
        }
        let (count_max, after) = (cx.config().missing_count_max, cx.config().ihave_timeout);
        for &Announcement { id, round } in announcements {
            if !self.seen.contains(id) && self.missing.announce(id, from, round, count_max) {
                cx.arm(Timer::Missing(id), after);
            }
        }
    }

    /// Asks the next announcer for the message, if there is one that was not asked too often.
    fn graft(&mut self, cx: &mut Cx<'_, Self>, id: MessageId) {
        let config = cx.config();
        let passes_max = match config.mistake {
            Some(Mistake::AskOnce) => 1,
            _ => config.graft_passes_max.max(1),
        };
        let timeout = config.graft_timeout;
        let Some(ask) = self.missing.ask(id, passes_max) else {
            cx.disarm(Timer::Missing(id));
            return;
        };
        cx.arm(Timer::Missing(id), timeout.times(1 << ask.passes.min(32)));
        self.set_eager(cx, ask.peer);
        self.send(cx, ask.peer, Msg::Graft { id: Some(id), round: ask.round });
    }

    fn on_graft(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, id: Option<MessageId>) {
        if cx.config().mistake == Some(Mistake::GraftOnlyWhenLazy) && self.eager().any(|peer| peer == from) {
            return;
        }
        self.set_eager(cx, from);
        // A message that is no longer kept cannot be sent: the other end asks the next announcer in time.
        let Some(stored) = id.and_then(|id| self.store.get(id)) else { return };
        let Stored { id, payload, hops, .. } = stored.clone();
        self.send(cx, from, Msg::Gossip { id, round: hops.saturating_add(1), payload });
    }

    fn on_prune(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId) {
        self.set_lazy(from);
        if cx.config().mistake == Some(Mistake::PruneRevokes) {
            self.lose(cx, from);
        }
    }

    // Leitão 2007, algorithm 3: a new neighbour is eager, so that it receives what is broadcast from now on.
    fn on_up(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if self.links.iter().any(|link| link.peer == peer) {
            return;
        }
        push_by(&mut self.links, 1, Link { peer, push: Push::Eager });
        let (now, span) = (cx.now(), cx.config().catch_up);
        if span > Span::ZERO {
            let recent = self.store.newest(ANNOUNCEMENTS_MAX).iter();
            let recent = recent.filter(|stored| now.since(stored.at) <= span);
            let recent =
                recent.map(|stored| Announcement { id: stored.id, round: stored.hops.saturating_add(1) });
            let announcements: SmallVec<_> = recent.collect();
            if !announcements.is_empty() {
                self.send(cx, peer, Msg::IHave { announcements });
            }
        }
    }

    fn on_down(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        self.links.retain(|link| link.peer != peer);
        if cx.config().mistake == Some(Mistake::ForgetWithOwner) {
            for id in self.missing.announced_by(peer) {
                self.missing.take(id);
                cx.disarm(Timer::Missing(id));
            }
        }
        self.lose(cx, peer);
    }

    /// Nothing that `peer` announced is to be had from it any more.
    fn lose(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let mut unanswered: SmallVec<[MessageId; 4]> = SmallVec::new();
        self.missing.forget(peer, |loss| match loss {
            Loss::Unanswered(id) => unanswered.push(id),
            Loss::Forgotten(id) => cx.disarm(Timer::Missing(id)),
        });
        for id in unanswered {
            self.graft(cx, id);
        }
    }

    /// Delivers a message that is new here, and passes it on: the payload over eager links, the id over lazy ones.
    fn deliver(&mut self, cx: &mut Cx<'_, Self>, message: Stored) {
        let Stored { id, from, hops, .. } = message;
        cx.emit(Event::Delivered { id, hops, payload: message.payload.clone() });
        let round = hops.saturating_add(1);
        let announcement = Announcement { id, round };
        let at_once = cx.config().announce_period == Span::ZERO;
        let mut any_lazy = false;
        for link in self.links.iter().filter(|link| link.peer != from) {
            match link.push {
                Push::Eager => {
                    self.send(cx, link.peer, Msg::Gossip { id, round, payload: message.payload.clone() });
                }
                Push::Lazy { .. } if at_once => {
                    self.send(cx, link.peer, Msg::IHave { announcements: smallvec![announcement] });
                }
                Push::Lazy { .. } => any_lazy = true,
            }
        }
        if any_lazy {
            self.enqueue(cx, Queued { announcement, from });
        }
        self.store.insert(message, cx.config().cache_count_max, cx.config().cache_span);
    }

    fn enqueue(&mut self, cx: &mut Cx<'_, Self>, queued: Queued) {
        if self.queue.is_empty() {
            cx.arm(Timer::Announce, cx.config().announce_period);
        }
        self.queue.push(queued);
        if self.queue.len() >= ANNOUNCEMENTS_MAX {
            cx.disarm(Timer::Announce);
            self.dispatch(cx);
        }
    }

    /// Sends the announcements that wait, one message to each lazy neighbour.
    fn dispatch(&mut self, cx: &mut Cx<'_, Self>) {
        for index in 0..self.links.len() {
            let Link { peer, push } = self.links[index];
            if let Push::Lazy { since } = push {
                self.links[index].push = Push::Lazy { since: 0 };
                self.announce(cx, peer, since);
            }
        }
        self.queue.clear();
    }

    /// Sends `peer` the announcements from index `since` on.
    fn announce(&self, cx: &mut Cx<'_, Self>, peer: ProcessId, since: u16) {
        let concerning = self.queue.iter().skip(usize::from(since)).filter(|queued| queued.from != peer);
        let announcements: SmallVec<_> = concerning.map(|queued| queued.announcement).collect();
        if !announcements.is_empty() {
            self.send(cx, peer, Msg::IHave { announcements });
        }
    }

    /// From now on payloads go to `peer`. What waits to be announced to it is announced now: nobody else would.
    fn set_eager(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let Some(index) = self.links.iter().position(|link| link.peer == peer) else { return };
        if let Push::Lazy { since } = std::mem::replace(&mut self.links[index].push, Push::Eager) {
            self.announce(cx, peer, since);
        }
    }

    /// From now on ids go to `peer`.
    fn set_lazy(&mut self, peer: ProcessId) {
        let since = self.queue.len() as u16;
        let eager = self.links.iter_mut().find(|link| link.peer == peer && link.push == Push::Eager);
        if let Some(link) = eager {
            link.push = Push::Lazy { since };
        }
    }

    fn send(&self, cx: &mut Cx<'_, Self>, peer: ProcessId, msg: Msg) {
        cx.send_by(cx.config().channel, peer, msg);
    }
}

/// What is cached must be known, or a process would ask for what it has.
fn seen_count_max(config: &Config) -> usize {
    config.seen_count_max.max(config.cache_count_max)
}

// Simulated events hold a message inline, and a million processes are to run on one machine: with five neighbours
// and four messages in memory, a process takes 450 bytes, its allocations included.
const _: () = assert!(size_of::<Msg>() <= 40 && size_of::<Plumtree>() <= 128);
