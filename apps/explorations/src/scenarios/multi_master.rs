//! Replicas that do every update at once: equal at last, if timestamps say in which order.

use isles_explore::{Property, Scenario, View};
use isles_replication::multi_master::{Config, Mistake, MultiMaster, Rule};

use crate::judge::Promise;
use crate::workload::{Mix, Workload};

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many replicas.
    pub replicas: u32,
    /// In which order updates count.
    pub rule: Rule,
    /// What clients do.
    pub workload: Workload,
    /// What is asked of their histories. Nothing is promised; to ask shows what is not.
    pub promise: Promise,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// Three replicas whose clients set and add, in the order of timestamps.
    fn default() -> Self {
        let workload = Workload { clients: 3, operations: 2, objects: 1, mix: Mix::SetsAndAdds };
        Self { replicas: 3, rule: Rule::LastWriter, workload, promise: Promise::None, mistake: None }
    }
}

/// All behaviours of the replicas and their clients over reliable channels.
pub fn scenario(parameters: Parameters) -> Scenario<MultiMaster> {
    let Parameters { replicas, rule, workload, promise, mistake } = parameters;
    let scenario = Scenario::<MultiMaster>::new(replicas, Config { replicas, rule, mistake });
    let scenario = Scenario { clients: workload.scripts(replicas), ..scenario };
    let scenario = match promise.property() {
        Some(property) => scenario.ask(property),
        None => scenario,
    };
    scenario.ask(replicas_converge()).ask(Property::eventually("all is done and everywhere", |view| {
        view.clients_done() && view.is_quiet()
    }))
}

/// When nothing is under way, all replicas hold the same (strong eventual consistency).
pub fn replicas_converge() -> Property<MultiMaster> {
    Property::always("at rest, all replicas hold the same", |view: &View<'_, MultiMaster>| {
        let mut stores = view.live().map(|(_, replica)| replica.store());
        let first = stores.next();
        !view.is_quiet() || stores.all(|store| Some(store) == first)
    })
}
