//! What happens to a process, one thing at a time.

use isles_kernel::{Channel, OpId, ProcessId, Protocol, Time};
use serde::{Deserialize, Serialize};

/// What happens to a process. Together with the instants and the choices, the inputs of a run decide all that the process does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Input<P: Protocol> {
    /// It starts, with what is in its log.
    Start {
        /// The records, oldest first.
        log: Vec<P::Record>,
    },
    /// A message arrived.
    Message {
        /// From whom.
        from: ProcessId,
        /// How it travelled.
        channel: Channel,
        /// What it says.
        msg: P::Msg,
    },
    /// A timer is due.
    Timer {
        /// Which.
        timer: P::Timer,
    },
    /// A client invoked an operation.
    Op {
        /// Its name.
        id: OpId,
        /// What is asked.
        op: P::Op,
    },
    /// A stream broke, or could not be made.
    Unreachable {
        /// To whom.
        peer: ProcessId,
    },
    /// So many more records are durable.
    Durable {
        /// How many.
        records: u64,
    },
}

/// One input as it was recorded, with all that is needed to have the process do the same again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Recorded<P: Protocol> {
    /// What the process's clock showed.
    pub now: Time,
    /// What happened.
    pub input: Input<P>,
    /// What the process chose, in order.
    pub choices: Vec<u32>,
    /// A digest of all that it did then: see [`Done`].
    pub done: u64,
}

/// A digest of what a process sends, answers and tells, to the byte and in order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Done(u64);

impl Done {
    fn fold(&mut self, kind: u64, name: u64, value: &impl Serialize) {
        let bytes = isles_kernel::codec::encode(value);
        self.0 = isles_kernel::random::draw(self.0, &[kind, name, bytes.len() as u64]);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = isles_kernel::random::mix(self.0, u64::from_le_bytes(word));
        }
    }

    /// It sent a message.
    pub fn send<M: Serialize>(&mut self, to: ProcessId, msg: &M) {
        self.fold(1, u64::from(to.0), msg);
    }

    /// It answered an operation.
    pub fn reply<R: Serialize>(&mut self, id: OpId, reply: &R) {
        self.fold(2, id.0, reply);
    }

    /// It told the layer above.
    pub fn event<E: Serialize>(&mut self, event: &E) {
        self.fold(3, 0, event);
    }

    /// The digest so far.
    pub const fn digest(&self) -> u64 {
        self.0
    }
}
