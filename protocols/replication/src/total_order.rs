//! Total order broadcast by a fixed sequencer: every process delivers the same payloads in the same order.
//!
//! Paper: Défago, Schiper, Urbán, "Total order broadcast and multicast algorithms", ACM Computing Surveys 36 (4), 2004, section 4.1,
//! the variant unicast-broadcast: a payload goes to the sequencer, which numbers it and sends it to all.
//! Model: asynchronous, reliable channels; a crash of the sequencer stops everything. Needs no FIFO order: numbers that come too early are held back.
//!
//! | | |
//! | --- | --- |
//! | messages per broadcast | n + 1 (n when the sequencer broadcasts), counting that from the sequencer to itself |
//! | delay | two links |
//! | properties | validity, uniform agreement and total order as long as nobody crashes; FIFO order of each sender over FIFO channels |
//!
//! A layer: [`Memory`](crate::memory::Memory) embeds it.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use isles_kernel::{Cx, Data, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// The process that numbers.
pub const SEQUENCER: ProcessId = ProcessId(0);

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TotalOrder<T: Data> {
    /// How many payloads this process has numbered; 0 everywhere but at the sequencer.
    numbered: u64,
    /// How many payloads this process has delivered; the next one has this number.
    delivered: u64,
    /// What came too early. Invariant: all numbers are greater than `delivered`.
    held: BTreeMap<u64, (ProcessId, T)>,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg<T> {
    /// To the sequencer: number this.
    Submit(T),
    /// From the sequencer to all.
    Ordered {
        /// Its place in the order, from 0 on.
        number: u64,
        /// Who broadcast it.
        origin: ProcessId,
        /// What was broadcast.
        payload: T,
    },
}

/// What the layer above is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event<T> {
    /// The next payload of the common order.
    Delivered {
        /// Its place in the order, from 0 on.
        number: u64,
        /// Who broadcast it.
        origin: ProcessId,
        /// What was broadcast.
        payload: T,
    },
    /// A message was dropped: only the sequencer numbers, and numbers once.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// What all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config<T> {
    /// How many processes there are, `0..processes`; at least one.
    pub processes: u32,
    /// What is broadcast.
    pub payload: PhantomData<fn() -> T>,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// What comes too early is not held back: what is before it is never delivered.
    NoHoldBack,
    /// The sequencer gives its own payloads a number that it gives the next one, too.
    NumberTwice,
}

impl<T: Data> Protocol for TotalOrder<T> {
    type Config = Config<T>;
    type Msg = Msg<T>;
    type Timer = Never;
    /// Broadcast this.
    type Op = T;
    type Reply = Never;
    type Record = Never;
    type Event = Event<T>;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { numbered: 0, delivered: 0, held: BTreeMap::new() }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, _: OpId, payload: T) {
        if cx.me() == SEQUENCER {
            self.number(cx, SEQUENCER, payload);
        } else {
            cx.send(SEQUENCER, Msg::Submit(payload));
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg<T>) {
        match msg {
            Msg::Submit(payload) if cx.me() == SEQUENCER => self.number(cx, from, payload),
            Msg::Ordered { number, origin, payload } if from == SEQUENCER && number >= self.delivered => {
                if cx.config().mistake == Some(Mistake::NoHoldBack) {
                    self.delivered = number;
                }
                self.held.entry(number).or_insert((origin, payload));
                self.deliver(cx);
            }
            Msg::Submit(_) | Msg::Ordered { .. } => cx.emit(Event::Rejected { from }),
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl<T: Data> TotalOrder<T> {
    /// How many payloads this process has delivered.
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Gives the payload the next number and sends it to all, to itself too: so that it delivers as the others do.
    fn number(&mut self, cx: &mut Cx<'_, Self>, origin: ProcessId, payload: T) {
        let number = self.numbered;
        let twice = cx.config().mistake == Some(Mistake::NumberTwice) && origin == SEQUENCER;
        self.numbered += u64::from(!twice);
        for to in (0..cx.config().processes).map(ProcessId) {
            cx.send(to, Msg::Ordered { number, origin, payload: payload.clone() });
        }
    }

    fn deliver(&mut self, cx: &mut Cx<'_, Self>) {
        while let Some((origin, payload)) = self.held.remove(&self.delivered) {
            let number = self.delivered;
            self.delivered += 1;
            cx.emit(Event::Delivered { number, origin, payload });
        }
    }
}
