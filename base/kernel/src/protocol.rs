//! The trait that every protocol implements.

use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Cx, OpId, ProcessId};

/// What travels or is kept: plain values that can be compared, hashed, printed and encoded.
///
/// Implemented for every type that qualifies; derive the parts and it is there.
pub trait Data: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync + 'static> Data for T {}

/// A type without values, for what a protocol does not use: `type Record = Never` says that nothing is
/// durable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, serde::Deserialize)]
pub enum Never {}

/// One process of a distributed protocol, as a deterministic state machine.
///
/// State, input and what [`Cx`] hands out decide everything. A handler never blocks, never fails and never
/// reads a clock, entropy or the environment by another way than `Cx`; a bad message is dropped and told
/// with an event. The same type is simulated, explored and run on sockets.
///
/// # Example
/// The crate's front page has a complete protocol in under 40 lines.
pub trait Protocol: Clone + Eq + Hash + Debug + Send + Sized + 'static {
    /// What all processes of a run share and none changes; not part of the state.
    type Config: Debug + Send + Sync + 'static;
    /// What processes send each other. Keep it small: a simulated event holds it inline. Share what is big.
    type Msg: Data;
    /// A timer's value is its identity: arming it again re-arms it. Put the term, round or id into it, so
    /// that a stale one is recognised and ignored.
    type Timer: Data;
    /// What a client, or the layer above, asks of this process.
    type Op: Data;
    /// What this process answers to whoever invoked an operation.
    type Reply: Data;
    /// One durable log entry; [`Never`] for a volatile protocol.
    type Record: Data;
    /// What this process tells the layer above; at the root, what measures and the studio see.
    type Event: Data;

    /// The process starts: for the first time with an empty `log`, or again after a crash with the records
    /// that had reached the disk, oldest first.
    fn start(cx: &mut Cx<'_, Self>, log: &[Self::Record]) -> Self;

    /// `msg` arrived from `from`.
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Self::Msg);

    /// `timer`, armed by this process and not disarmed since, is due.
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Self::Timer);

    /// A client, or the layer above, invokes `op`; answer with [`Cx::reply`], now or later.
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Self::Op);

    /// Records from which [`start`](Self::start) makes what it would make of the whole log so far: a runtime may put them in its
    /// place when it has grown long. None, the default, if the protocol has no shorter log.
    fn snapshot(&self) -> Option<Vec<Self::Record>> {
        None
    }

    /// A stream to `peer` broke. What was in flight may or may not have arrived; a new stream resends nothing.
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let _ = (cx, peer);
    }
}
