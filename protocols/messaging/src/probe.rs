//! A probe: sends numbered messages over either kind of channel and tells what arrives.
//!
//! It adds nothing to the channel: no acknowledgement, no numbering that it would act upon, no repetition. What a
//! receiver is told is what the channel did.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// One process of the probe.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Probe;

/// A numbered message.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Msg {
    /// The sender's number for it.
    pub number: u32,
    /// Its content.
    pub payload: Payload,
}

/// Send a message.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Op {
    /// To whom; a datagram to several is one multicast, of which each copy has a fate of its own.
    pub to: Vec<ProcessId>,
    /// Over which kind of channel.
    pub channel: Channel,
    /// Its number.
    pub number: u32,
    /// Its content.
    pub payload: Payload,
}

/// What a process notices.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A message arrived.
    Arrived {
        /// Who sent it.
        from: ProcessId,
        /// Its number.
        number: u32,
        /// Bytes of its content.
        size: usize,
    },
    /// The stream to this process broke. Which of the messages sent over it arrived is not known.
    Broke {
        /// The other end.
        peer: ProcessId,
    },
}

impl Protocol for Probe {
    type Config = ();
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Never;
    type Record = Never;
    type Event = Event;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        cx.emit(Event::Arrived { from, number: msg.number, size: msg.payload.bytes().len() });
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, _: OpId, op: Op) {
        for to in op.to {
            cx.send_by(op.channel, to, Msg { number: op.number, payload: op.payload.clone() });
        }
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        cx.emit(Event::Broke { peer });
    }
}
