//! Leader election with everybody the root of a tree: one leads, and all agree on it, in every order of messages.

use isles_explore::{Property, Scenario, View};
use isles_graph::{Graph, line};
use isles_kernel::ProcessId;
use isles_trees::every_root::{Config, Elect, EveryRoot, all_agree, one_leader};
use isles_trees::gather::Census;
use isles_trees::tree::{self, Answers, Mistake};

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// Who is whose neighbour.
    pub graph: Graph,
    /// How searches are answered; not with [`Answers::None`].
    pub answers: Answers,
    /// In the trees, for controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// A line of three with echo.
    fn default() -> Self {
        Self { graph: line(3), answers: Answers::Echo, mistake: None }
    }
}

/// All behaviours of an election that process 0 begins. The last process has the greatest UID, and process 0 the one below.
pub fn scenario(parameters: Parameters) -> Scenario<EveryRoot> {
    let Parameters { graph, answers, mistake } = parameters;
    let nodes = graph.nodes();
    let uids = (0..nodes)
        .map(|node| u64::from(if node == 0 { nodes } else { node } + node / (nodes - 1).max(1) * nodes));
    let tree = tree::Config { mistake, ..tree::Config::new(graph, Census { uids: uids.collect() }, answers) };
    Scenario::<EveryRoot>::new(nodes, Config { tree, diameter: false })
        .client(vec![(ProcessId(0), Elect)])
        .ask(Property::always("at most one leads", |view: &View<'_, EveryRoot>| {
            one_leader(view.config(), view.live()).is_ok()
        }))
        .ask(Property::always("all agree", |view: &View<'_, EveryRoot>| all_agree(view.live()).is_ok()))
        .ask(Property::eventually("everybody knows", |view: &View<'_, EveryRoot>| {
            view.live().all(|(me, process)| process.outcome(view.config(), me).is_some())
        }))
}
