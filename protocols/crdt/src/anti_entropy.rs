//! Anti-entropy with deltas: each replica tells its neighbours what they have not acknowledged, and the whole state only to those of
//! whom it knows nothing.
//!
//! Almeida, Shoker, Baquero, "Delta state replicated data types", JPDC 111, 2018, sec. 6, algorithm 2 (causal consistency by intervals of
//! deltas); Enes, Almeida, Baquero, Leitão, "Efficient synchronization of state-based CRDTs", ICDE 2019, for what is left out: what goes
//! back to where it came from (BP), and what the receiver finds that it has (RR). Paper → here: `X` is `state`, `D` is `deltas`, `c` is
//! [`end`](AntiEntropy::end), `A` is `Peer::acked`.
//!
//! **Model**: asynchronous; crashes with the disk kept; datagrams that may be lost, doubled and overtaken. **Properties**: when
//! operations stop, all replicas become equal; nobody sees a consequence without its cause, since an interval is taken only by who
//! has all before it. **Cost**: a message for each neighbour who has not acknowledged everything, in each period.
//!
//! # Departures from the papers
//! - A round goes to all neighbours instead of one at random.
//! - An interval says where it begins, and who lacks something before that asks for the state: a neighbour that lost its memory of
//!   what it merged is found out.
//! - Before a state is sent its digest is, and who has the same state acknowledges that.
//! - Who merges a whole state cannot tell which deltas it was made of, and begins a new list of deltas; to others it sends the state.

use std::collections::VecDeque;

use isles_kernel::{Channel, Cx, Data, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::canonical::{Digest, Wire};
use crate::replica::{Op, Reply, actor};
use crate::replicated::Replicated;

/// One replica of `R`, with its clients.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AntiEntropy<R: Replicated> {
    state: R,
    /// What was joined of late, oldest first.
    deltas: VecDeque<Kept<R>>,
    /// The number of the oldest of them, or of the next one if there is none.
    first: u64,
    /// Invariant: ascending by process.
    peers: Vec<Peer>,
}

/// A delta that was joined here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Kept<R: Replicated> {
    /// From whom it came.
    from: ProcessId,
    delta: Wire<R::Delta>,
}

/// What is known of a neighbour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Peer {
    id: ProcessId,
    /// It has all of this replica's deltas before this one; none if nothing is known of it.
    acked: Option<u64>,
    /// All of its deltas before this one are here.
    merged: u64,
}

/// What replicas tell each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Intervals of deltas, and states to those of whom nothing is known.
    Deltas,
    /// States, in each round to all that have not acknowledged the present one: what it costs without deltas.
    States,
}

/// Parameters that all replicas share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The neighbours of each process, ascending; links go both ways.
    pub neighbours: Vec<Vec<ProcessId>>,
    /// From one round of a process to its next. Default 1 s, a guess.
    pub period: Span,
    /// At most so many deltas are kept for those who have not acknowledged them; who lacks older ones gets the state. Default 1024.
    pub deltas_count_max: usize,
    /// What is sent. Default deltas.
    pub form: Form,
    /// Nothing goes back to where it came from (Enes 2019: BP). Default true.
    pub avoids_back_propagation: bool,
    /// Of what comes only what is new is kept and passed on (Enes 2019: RR). Default true.
    pub removes_redundancy: bool,
    /// How messages travel. Default datagrams: the next round makes up for their loss.
    pub channel: Channel,
}

impl Config {
    /// The defaults for `replicas` processes that are all neighbours.
    pub fn everyone(replicas: u32) -> Self {
        let others = |me| (0..replicas).filter(|peer| *peer != me).map(ProcessId).collect();
        Self::new((0..replicas).map(others).collect())
    }

    /// The defaults for these neighbours of each process.
    pub const fn new(neighbours: Vec<Vec<ProcessId>>) -> Self {
        Self {
            neighbours,
            period: Span::secs(1),
            deltas_count_max: 1_024,
            form: Form::Deltas,
            avoids_back_propagation: true,
            removes_redundancy: true,
            channel: Channel::Datagram,
        }
    }
}

/// What replicas send each other. `end` is the number after the sender's last delta.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Msg<R: Replicated> {
    /// Joined deltas, from `start` to before `end`.
    Interval {
        /// The number of the first.
        start: u64,
        /// The number after the last.
        end: u64,
        /// All of them.
        delta: Wire<R::Delta>,
    },
    /// The state that I have has this digest.
    Offer {
        /// See above.
        end: u64,
        /// Of the state.
        digest: Digest,
    },
    /// Send me your state.
    Want,
    /// A state.
    State {
        /// See above.
        end: u64,
        /// All of it.
        state: Wire<R>,
    },
    /// The sender has all of the receiver's deltas before this one.
    Ack {
        /// Its number.
        end: u64,
    },
}

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The next round.
    Round,
}

/// What was joined, as it is kept on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Record<R: Replicated> {
    /// A delta.
    Delta(Wire<R::Delta>),
    /// A whole state.
    State(Wire<R>),
}

/// What happened at a replica.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// What came had something new.
    Merged {
        /// From whom.
        from: ProcessId,
    },
    /// What came was all there.
    Redundant {
        /// From whom.
        from: ProcessId,
    },
    /// A message was dropped: it came from no neighbour, or says what cannot be.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

impl<R: Replicated<Op: Data>> Protocol for AntiEntropy<R> {
    type Config = Config;
    type Msg = Msg<R>;
    type Timer = Timer;
    type Op = Op<R::Op>;
    type Reply = Reply<R>;
    type Record = Record<R>;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, log: &[Record<R>]) -> Self {
        let mut state = R::default();
        let mut first = 0;
        for record in log {
            match record {
                Record::Delta(delta) => state.apply(&delta.0),
                Record::State(other) => state.join(&other.0),
            }
            first += 1;
        }
        let neighbours = cx.config().neighbours.get(cx.me().index()).map_or([].as_slice(), Vec::as_slice);
        // An empty state is known to all at first; after a crash nobody remembers who knows what.
        let acked = log.is_empty().then_some(0);
        let peers = neighbours.iter().map(|id| Peer { id: *id, acked, merged: 0 }).collect();
        cx.arm(Timer::Round, cx.config().period);
        Self { state, deltas: VecDeque::new(), first, peers }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op<R::Op>) {
        let me = cx.me();
        match op {
            Op::Read => cx.reply(id, Reply::Value(Wire::from(self.state.clone()))),
            Op::Do(op) => {
                let delta = self.state.act(actor(me), op);
                let done = delta.is_some();
                delta.into_iter().for_each(|delta| self.keep(cx, me, Wire::from(delta)));
                cx.reply(id, Reply::Done(done));
            }
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg<R>) {
        let Ok(peer) = self.peers.binary_search_by_key(&from, |peer| peer.id) else {
            return cx.emit(Event::Rejected { from });
        };
        match msg {
            Msg::Interval { start, end, delta } => self.on_interval(cx, peer, (start, end), &delta),
            Msg::Offer { end, digest } if digest == self.state.digest() => self.merged(cx, peer, end),
            Msg::Offer { .. } => cx.send_by(cx.config().channel, from, Msg::Want),
            Msg::Want => {
                let (end, state) = (self.end(), Wire::from(self.state.clone()));
                cx.send_by(cx.config().channel, from, Msg::State { end, state });
            }
            Msg::State { end, state } => self.on_state(cx, peer, end, state),
            Msg::Ack { end } => self.on_ack(cx, peer, end),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Round: Timer) {
        cx.arm(Timer::Round, cx.config().period);
        for peer in 0..self.peers.len() {
            self.tell(cx, peer);
        }
    }
}

impl<R: Replicated<Op: Data>> AntiEntropy<R> {
    /// The value.
    pub const fn state(&self) -> &R {
        &self.state
    }

    /// The number after the last delta.
    pub fn end(&self) -> u64 {
        self.first + self.deltas.len() as u64
    }

    /// How many deltas are kept.
    pub fn deltas_count(&self) -> usize {
        self.deltas.len()
    }

    /// Whether all neighbours are known to have everything.
    pub fn is_acknowledged(&self) -> bool {
        self.peers.iter().all(|peer| peer.acked == Some(self.end()))
    }

    /// Almeida 2018, algorithm 2, periodically: the interval that the neighbour has not acknowledged, or else the state.
    fn tell(&mut self, cx: &mut Cx<'_, Self>, peer: usize) {
        let end = self.end();
        let Peer { id, acked, .. } = self.peers[peer];
        if acked == Some(end) {
            return;
        }
        let (channel, avoids) = (cx.config().channel, cx.config().avoids_back_propagation);
        if cx.config().form == Form::States {
            return cx.send_by(channel, id, Msg::State { end, state: Wire::from(self.state.clone()) });
        }
        let Some(start) = acked.filter(|acked| *acked >= self.first) else {
            return cx.send_by(channel, id, Msg::Offer { end, digest: self.state.digest() });
        };
        let open = self.deltas.iter().skip((start - self.first) as usize);
        let mut open = open.filter(|kept| !avoids || kept.from != id).map(|kept| &kept.delta);
        let Some(mut delta) = open.next().cloned() else {
            // All of it came from there.
            self.peers[peer].acked = Some(end);
            return self.trim();
        };
        for other in open {
            R::join_deltas(std::sync::Arc::make_mut(&mut delta.0), &other.0);
        }
        cx.send_by(channel, id, Msg::Interval { start, end, delta });
    }

    fn on_interval(
        &mut self,
        cx: &mut Cx<'_, Self>,
        peer: usize,
        (start, end): (u64, u64),
        delta: &Wire<R::Delta>,
    ) {
        let Peer { id, merged, .. } = self.peers[peer];
        if start > merged {
            // The condition of causal merging does not hold: something before it is not here.
            return cx.send_by(cx.config().channel, id, Msg::Want);
        }
        match self.state.news(&delta.0) {
            Some(news) => {
                self.state.apply(&delta.0);
                let kept = if cx.config().removes_redundancy { Wire::from(news) } else { delta.clone() };
                self.keep(cx, id, kept);
                cx.emit(Event::Merged { from: id });
            }
            None => cx.emit(Event::Redundant { from: id }),
        }
        self.merged(cx, peer, end);
    }

    fn on_state(&mut self, cx: &mut Cx<'_, Self>, peer: usize, end: u64, state: Wire<R>) {
        let id = self.peers[peer].id;
        if state.0.is_below(&self.state) {
            cx.emit(Event::Redundant { from: id });
        } else {
            self.state.join(&state.0);
            cx.persist(Record::State(state));
            cx.emit(Event::Merged { from: id });
            // No delta says what came: a number without one makes everybody's acknowledgements too old.
            self.first = self.end() + 1;
            self.deltas.clear();
        }
        self.merged(cx, peer, end);
    }

    /// All of a neighbour's deltas before `end` are here.
    fn merged(&mut self, cx: &mut Cx<'_, Self>, peer: usize, end: u64) {
        let peer = &mut self.peers[peer];
        peer.merged = peer.merged.max(end);
        cx.send_by(cx.config().channel, peer.id, Msg::Ack { end });
    }

    fn on_ack(&mut self, cx: &mut Cx<'_, Self>, peer: usize, end: u64) {
        if end > self.end() {
            return cx.emit(Event::Rejected { from: self.peers[peer].id });
        }
        let acked = &mut self.peers[peer].acked;
        *acked = (*acked).max(Some(end));
        self.trim();
    }

    /// Forgets the deltas that all neighbours have.
    fn trim(&mut self) {
        let all = self.peers.iter().map(|peer| peer.acked).min().flatten();
        while all.is_some_and(|all| self.first < all) && self.deltas.pop_front().is_some() {
            self.first += 1;
        }
    }

    fn keep(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, delta: Wire<R::Delta>) {
        cx.persist(Record::Delta(delta.clone()));
        self.deltas.push_back(Kept { from, delta });
        while self.deltas.len() > cx.config().deltas_count_max {
            self.deltas.pop_front();
            self.first += 1;
        }
    }
}
