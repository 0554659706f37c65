//! A replicated memory on total order broadcast: read one replica, write all in one order, take a snapshot of one.
//!
//! Papers: Attiya, Welch, "Sequential consistency versus linearizability", ACM TOCS 12 (2), 1994, sections 4.2 (fast reads, fast writes);
//! Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs", 1979, for what is promised.
//! Model: asynchronous, reliable channels, no crash. Clients sit at the replicas: each asks one replica, one thing after the other.
//!
//! | [`Writes`] return | [`Reads`] return | the memory is | a write takes (links) | a read takes |
//! | --- | --- | --- | --- | --- |
//! | [`Delivered`](Writes::Delivered) | [`AtOnce`](Reads::AtOnce) | sequentially consistent (fast reads) | 2 | 0 |
//! | [`AtOnce`](Writes::AtOnce) | [`AfterOwnWrites`](Reads::AfterOwnWrites) | sequentially consistent (fast writes) | 0 | 0 to 2 |
//! | [`Acknowledged`](Writes::Acknowledged) | [`AtOnce`](Reads::AtOnce) | sequentially consistent; a read that begins after a write returned sees it | 3 | 0 |
//! | [`Acknowledged`](Writes::Acknowledged) | [`Stable`](Reads::Stable) | linearizable | 3 | 0 to 3 |
//! | any | [`Ordered`](Reads::Ordered) with [`Delivered`](Writes::Delivered) or more | linearizable | 2 | 2 |
//! | [`AtOnce`](Writes::AtOnce) | [`AtOnce`](Reads::AtOnce) | not even that: a client does not see its own write | 0 | 0 |
//!
//! That writes wait for every acknowledgement is often said to be enough for linearizability. It is enough for the order of writes, and of a
//! read after a write. Two reads *during* a write, at two replicas, may still see the new value first and the old one then;
//! [`Reads::Stable`] closes the gap: a value is shown when every replica has it.
//!
//! # Departures from the papers
//! - A snapshot reads all objects of one replica, as a read reads one.
//! - Acknowledgements go to every replica, since each may have a read that waits for them.

use std::collections::VecDeque;
use std::marker::PhantomData;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Slot, Upcall, Upcalls};
use serde::{Deserialize, Serialize};

use crate::store::{Op, Reply, Store, Update};
use crate::total_order::{self, TotalOrder};

/// When a write (any [`Update`]) returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writes {
    /// When it was sent.
    AtOnce,
    /// When this replica has done it, in its place in the order.
    Delivered,
    /// When every replica has done it and said so.
    Acknowledged,
}

/// When a read or a snapshot returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// At once, from this replica.
    AtOnce,
    /// From this replica, when it has done all that its own clients wrote.
    AfterOwnWrites,
    /// What this replica holds, when every replica has done as much. Needs acknowledgements.
    Stable,
    /// When the read itself has come round in the order.
    Ordered,
}

/// What all replicas share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// When writes return.
    pub writes: Writes,
    /// When reads return.
    pub reads: Reads,
    /// For controls.
    pub mistake: Option<Mistake>,
    /// The order's; its processes are the replicas.
    order: total_order::Config<Request>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Whoever waits for all replicas waits for the first one.
    WaitsForOne,
    /// A replica acknowledges one request more than it has done.
    AcknowledgesAhead,
    /// A client that has written several times waits for the first of its writes only.
    ForgetsOwnWrites,
}

impl Config {
    /// The configuration of so many replicas, at least one.
    pub const fn new(replicas: u32, writes: Writes, reads: Reads) -> Self {
        let processes = if replicas == 0 { 1 } else { replicas };
        let order = total_order::Config { processes, payload: PhantomData, mistake: None };
        Self { writes, reads, mistake: None, order }
    }

    /// The same with a mistake in the order.
    #[must_use]
    pub const fn misordered(mut self, mistake: Option<total_order::Mistake>) -> Self {
        self.order.mistake = mistake;
        self
    }

    /// How many replicas there are.
    pub const fn replicas(&self) -> u32 {
        self.order.processes
    }

    /// Whether replicas say what they have done.
    fn acknowledges(&self) -> bool {
        self.writes == Writes::Acknowledged || self.reads == Reads::Stable
    }
}

/// What is put in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The operation, a name that its origin gave it.
    id: OpId,
    op: Op,
}

/// What replicas send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Of the total order broadcast.
    Order(total_order::Msg<Request>),
    /// The sender has done the first so many requests.
    Acknowledge(u64),
}

/// What happened at a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It did an update.
    Applied {
        /// Its place in the order.
        number: u64,
        /// The change.
        update: Update,
    },
    /// A message was dropped.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// An answer that waits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Waiting {
    id: OpId,
    reply: Reply,
    /// Until every replica has done so many requests.
    until: u64,
}

/// One replica, with its clients.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    order: TotalOrder<Request>,
    store: Store,
    /// Reads that wait for own writes, and how many of these are under way.
    reads: Vec<(OpId, Op)>,
    own_writes: u32,
    /// How many requests each replica has done, as far as it said so.
    acknowledged: Vec<u64>,
    /// Answers that wait for acknowledgements. Invariant: `until` ascends.
    waiting: VecDeque<Waiting>,
}

/// Where the order sits.
enum Below {}

impl Slot<Memory> for Below {
    type Child = TotalOrder<Request>;
    fn config(config: &Config) -> &total_order::Config<Request> {
        &config.order
    }
    fn msg(msg: total_order::Msg<Request>) -> Msg {
        Msg::Order(msg)
    }
    fn timer(timer: Never) -> Never {
        timer
    }
    fn record(record: Never) -> Never {
        record
    }
}

impl Protocol for Memory {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (order, _) = cx.embed::<Below, _>(|cx| TotalOrder::start(cx, &[]));
        Self {
            order,
            store: Store::default(),
            reads: Vec::new(),
            own_writes: 0,
            acknowledged: vec![0; cx.config().replicas() as usize],
            waiting: VecDeque::new(),
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        if op.update().is_some() {
            if cx.config().writes == Writes::AtOnce {
                cx.reply(id, Reply::Done);
            }
            self.own_writes += 1;
            self.submit(cx, id, op);
            return;
        }
        match cx.config().reads {
            Reads::AtOnce => cx.reply(id, self.store.answer(&op)),
            Reads::AfterOwnWrites if self.own_writes > 0 => self.reads.push((id, op)),
            Reads::AfterOwnWrites => cx.reply(id, self.store.answer(&op)),
            Reads::Stable => {
                let reply = self.store.answer(&op);
                self.waiting.push_back(Waiting { id, reply, until: self.order.delivered() });
                self.answer_stable(cx);
            }
            Reads::Ordered => self.submit(cx, id, op),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Order(msg) => self.below(cx, |order, cx| order.on_message(cx, from, msg)),
            Msg::Acknowledge(count) => match self.acknowledged.get_mut(from.index()) {
                Some(known) => {
                    *known = count.max(*known);
                    self.answer_stable(cx);
                }
                None => cx.emit(Event::Rejected { from }),
            },
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl Memory {
    /// What this replica holds.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    fn submit(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        self.below(cx, |order, cx| order.on_op(cx, id, Request { id, op }));
    }

    /// Runs the order, and does what it delivers.
    fn below(
        &mut self,
        cx: &mut Cx<'_, Self>,
        step: impl FnOnce(&mut TotalOrder<Request>, &mut Cx<'_, TotalOrder<Request>>),
    ) {
        let (_, upcalls): (_, Upcalls<TotalOrder<Request>>) =
            cx.embed::<Below, _>(|cx| step(&mut self.order, cx));
        for upcall in upcalls {
            match upcall {
                Upcall::Event(total_order::Event::Delivered { number, origin, payload }) => {
                    self.on_delivered(cx, number, origin, payload);
                }
                Upcall::Event(total_order::Event::Rejected { from }) => cx.emit(Event::Rejected { from }),
                Upcall::Reply(_, never) => match never {},
            }
        }
    }

    /// Attiya and Welch 1994, section 4.2: a request takes effect where the order delivers it.
    fn on_delivered(&mut self, cx: &mut Cx<'_, Self>, number: u64, origin: ProcessId, request: Request) {
        if let Some(update) = request.op.update() {
            self.store.apply(update);
            cx.emit(Event::Applied { number, update });
        }
        if cx.config().acknowledges() {
            let ahead = u64::from(cx.config().mistake == Some(Mistake::AcknowledgesAhead));
            for to in (0..cx.config().replicas()).map(ProcessId) {
                cx.send(to, Msg::Acknowledge(number + 1 + ahead));
            }
        }
        if origin != cx.me() {
            return;
        }
        let reply = self.store.answer(&request.op);
        if request.op.update().is_none() {
            cx.reply(request.id, reply);
            return;
        }
        self.own_writes -= 1;
        if cx.config().mistake == Some(Mistake::ForgetsOwnWrites) {
            for (id, op) in std::mem::take(&mut self.reads) {
                cx.reply(id, self.store.answer(&op));
            }
        }
        match cx.config().writes {
            Writes::AtOnce => {}
            Writes::Delivered => cx.reply(request.id, reply),
            Writes::Acknowledged => {
                self.waiting.push_back(Waiting { id: request.id, reply, until: number + 1 });
            }
        }
        if self.own_writes == 0 {
            for (id, op) in std::mem::take(&mut self.reads) {
                cx.reply(id, self.store.answer(&op));
            }
        }
    }

    /// Answers what has waited for every replica long enough.
    fn answer_stable(&mut self, cx: &mut Cx<'_, Self>) {
        let known = self.acknowledged.iter().copied();
        let one = cx.config().mistake == Some(Mistake::WaitsForOne);
        let everywhere = if one { known.max() } else { known.min() }.unwrap_or(0);
        while self.waiting.front().is_some_and(|first| first.until <= everywhere) {
            if let Some(first) = self.waiting.pop_front() {
                cx.reply(first.id, first.reply);
            }
        }
    }
}
