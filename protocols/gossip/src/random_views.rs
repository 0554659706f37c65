//! Plain random views: each process picks some others when it starts, and never repairs its choice.
//!
//! The control of HyParView's experiments: the same number of links, without symmetry and without repair.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};

use crate::peers::Change;

/// One process with a random view.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RandomViews;

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many processes there are; at least 1.
    pub count: u32,
    /// How many of the others a process picks; all of them if there are fewer.
    pub view: u32,
}

impl Protocol for RandomViews {
    type Config = Config;
    type Msg = Never;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (count, view) = (cx.config().count, cx.config().view);
        let mut chosen: Vec<ProcessId> = Vec::new();
        while chosen.len() < view.min(count.saturating_sub(1)) as usize {
            let peer = ProcessId(cx.choose(count));
            if peer != cx.me() && !chosen.contains(&peer) {
                chosen.push(peer);
                cx.emit(Change::Up { peer });
            }
        }
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
