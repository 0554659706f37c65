//! The replicated memory on total order broadcast: CON-03 and CON-05.
//!
//! Attiya and Welch 1994: whether reads of one replica and writes in one order are linearizable, or only sequentially consistent,
//! is decided by who waits for what.

use isles_explore::{Clients, Property, Scenario, Streams, View};
use isles_replication::memory::{Config, Memory, Mistake, Reads, Writes};
use isles_replication::total_order;

use crate::judge::Promise;
use crate::workload::Workload;

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many replicas; the first is the sequencer.
    pub replicas: u32,
    /// When writes return.
    pub writes: Writes,
    /// When reads return.
    pub reads: Reads,
    /// What clients do.
    pub workload: Workload,
    /// Whether clients sit at the replicas, or elsewhere.
    pub place: Clients,
    /// How messages arrive. The order broadcast needs no order of channels; clients that write without waiting do.
    pub streams: Streams,
    /// What is asked of their histories.
    pub promise: Promise,
    /// For controls.
    pub mistake: Option<Mistake>,
    /// In the order broadcast, for controls.
    pub misorder: Option<total_order::Mistake>,
}

impl Default for Parameters {
    /// Two replicas, writes that wait for acknowledgements and reads that wait for what they show: linearizable.
    fn default() -> Self {
        Self {
            replicas: 2,
            writes: Writes::Acknowledged,
            reads: Reads::Stable,
            workload: Workload::default(),
            place: Clients::Attached,
            streams: Streams::Fifo,
            promise: Promise::Linearizable,
            mistake: None,
            misorder: None,
        }
    }
}

/// All behaviours of the memory and its clients over reliable channels.
pub fn scenario(parameters: Parameters) -> Scenario<Memory> {
    let Parameters { replicas, writes, reads, workload, place, streams, promise, .. } = parameters;
    let mut config = Config::new(replicas, writes, reads).misordered(parameters.misorder);
    config.mistake = parameters.mistake;
    let clients = workload.scripts(replicas);
    let scenario = Scenario { clients, place, streams, ..Scenario::new(replicas, config) };
    let scenario = match promise.property() {
        Some(property) => scenario.ask(property),
        None => scenario,
    };
    scenario.ask(replicas_agree()).ask(all_are_answered())
}

/// When nothing is under way, all replicas hold the same.
pub fn replicas_agree() -> Property<Memory> {
    Property::always("at rest, all replicas hold the same", |view: &View<'_, Memory>| {
        let mut stores = view.live().map(|(_, replica)| replica.store());
        let first = stores.next();
        !view.is_quiet() || stores.all(|store| Some(store) == first)
    })
}

/// At last all operations are answered.
pub fn all_are_answered() -> Property<Memory> {
    Property::eventually("all operations are answered", |view| view.clients_done())
}
