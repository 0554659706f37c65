//! Full membership: everyone knows everyone, as analyses of gossip assume.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};

use crate::peers::Change;

/// One process that knows all others.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Everyone;

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many processes there are; at least 1.
    pub count: u32,
}

impl Protocol for Everyone {
    type Config = Config;
    type Msg = Never;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.emit(Change::Everyone { count: cx.config().count });
        Self
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}
