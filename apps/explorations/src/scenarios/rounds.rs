//! Rounds that end when everybody was heard: trees that grow in them are breadth-first, in every order of messages.

use std::sync::Arc;

use isles_explore::{Property, Scenario, View};
use isles_graph::{Graph, ring};
use isles_kernel::{Payload, ProcessId};
use isles_trees::gather::Nothing;
use isles_trees::rounds::{Config, Mistake, Pace};
use isles_trees::tree::{self, Answers, Op, properties};
use isles_trees::{Rounds, SpanningTree};

/// One process.
pub type Process = Rounds<SpanningTree<Nothing>>;

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// Who is whose neighbour; process 0 is the root.
    pub graph: Graph,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// A ring of four.
    fn default() -> Self {
        Self { graph: ring(4), mistake: None }
    }
}

const ROOT: ProcessId = ProcessId(0);

/// All behaviours of SyncBFS over channels of any latency.
pub fn scenario(parameters: Parameters) -> Scenario<Process> {
    let Parameters { graph, mistake } = parameters;
    let graph = Arc::new(graph);
    let rounds = graph.nodes();
    let child = tree::Config::new(Arc::clone(&graph), Nothing, Answers::None);
    let mut config = Config::new(graph, child, Pace::Synchronizer { rounds }, true);
    config.mistake = mistake;
    Scenario::<Process>::new(rounds, config)
        .client(vec![(ROOT, Op::Build(Payload::default()))])
        .ask(Property::always("the tree is breadth-first", |view| tree(view).is_breadth_first().is_ok()))
        .ask(Property::eventually("everybody is reached", |view| {
            tree(view).inside(ROOT).is_some() && tree(view).spans().is_ok()
        }))
}

fn tree<'a>(view: &View<'a, Process>) -> properties::View<'a, ()> {
    let children = view.live().map(|(process, rounds)| (process, rounds.child()));
    properties::View::new(&view.config().graph, ROOT, children)
}
