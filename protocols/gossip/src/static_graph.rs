//! A fixed overlay: the neighbours of a given graph, for ever.
//!
//! What broadcasts are compared on, since it takes the membership out of the comparison. A neighbour that is
//! unreachable is dropped, if the configuration says so, and never comes back.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};

use crate::peers::Change;

/// One process of a fixed overlay.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StaticGraph;

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Who is whose neighbour. A process that it does not have is alone.
    pub graph: Arc<Graph>,
    /// Whether neighbours are watched, and dropped when they are unreachable. Default true.
    pub watch: bool,
}

impl Config {
    /// The neighbours of `graph`, watched.
    pub fn new(graph: impl Into<Arc<Graph>>) -> Self {
        Self { graph: graph.into(), watch: true }
    }
}

impl Protocol for StaticGraph {
    type Config = Config;
    type Msg = Never;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let config = cx.config();
        if cx.me().0 < config.graph.nodes() {
            for &peer in config.graph.neighbors(cx.me()) {
                if config.watch {
                    cx.watch(peer);
                }
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

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if cx.config().watch {
            cx.emit(Change::Down { peer });
        }
    }
}
