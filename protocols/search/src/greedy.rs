//! Greedy routing: whoever holds a walk hands it to the neighbour nearest to the target. Nobody knows more than its own
//! neighbours and where they are (Kleinberg, "The small-world phenomenon: an algorithmic perspective", STOC 2000;
//! Milgram's letters, Psychology Today 1967).
//!
//! A walk that meets nobody nearer is stuck and says so; the paper's lattices have no such place. Departure: the outcome is
//! sent back to the process that was asked, directly.

use std::sync::Arc;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// One process. It has no state: what it knows is its place in the world.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Greedy;

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it found its target; otherwise nobody whom its last process knows is nearer.
    pub arrived: bool,
    /// From process to process.
    pub hops: u32,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// A walk under way.
    Walk {
        /// Which operation.
        id: OpId,
        /// Who was asked.
        origin: ProcessId,
        /// Who is looked for.
        target: ProcessId,
        /// How many hops this is, from 1 on.
        hops: u32,
    },
    /// A walk ended.
    Done {
        /// Which operation.
        id: OpId,
        /// How.
        outcome: Outcome,
    },
}

/// Find this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Find(
    /// Who is looked for.
    pub ProcessId,
);

impl Protocol for Greedy {
    type Config = Arc<World>;
    type Msg = Msg;
    type Timer = Never;
    type Op = Find;
    type Reply = Outcome;
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, Find(target): Find) {
        step(cx, id, cx.me(), target, 0);
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, _: ProcessId, msg: Msg) {
        match msg {
            Msg::Walk { id, origin, target, hops } => step(cx, id, origin, target, hops),
            Msg::Done { id, outcome } => cx.reply(id, outcome),
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

/// Hands a walk on that is at this process after `hops` hops, or ends it.
fn step(cx: &mut Cx<'_, Greedy>, id: OpId, origin: ProcessId, target: ProcessId, hops: u32) {
    let next = cx.config().next_hop(u64::from(cx.me().0), u64::from(target.0));
    if let Some(next) = next {
        cx.send(ProcessId(next as u32), Msg::Walk { id, origin, target, hops: hops.saturating_add(1) });
        return;
    }
    let outcome = Outcome { arrived: cx.me() == target, hops };
    if origin == cx.me() {
        cx.reply(id, outcome);
    } else {
        cx.send(origin, Msg::Done { id, outcome });
    }
}

/// The walk that processes would make, without processes: for worlds larger than any memory.
pub fn walk(world: &World, from: u64, target: u64) -> Outcome {
    let (mut at, mut hops) = (from, 0);
    while let Some(next) = world.next_hop(at, target) {
        at = next;
        hops += 1;
    }
    Outcome { arrived: at == target, hops }
}
