//! Primary-backup with crashes that are noticed: what was acknowledged survives whoever crashes.

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_replication::primary_backup::{Config, Mistake, Mode, PrimaryBackup};

use crate::judge::Promise;
use crate::workload::{Mix, Workload};

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many replicas; the first is the primary.
    pub replicas: u32,
    /// When updates are answered.
    pub mode: Mode,
    /// Whether each replica answers reads.
    pub read_anywhere: bool,
    /// How many replicas may crash, any of them and at any moment.
    pub crashes: u8,
    /// What clients do.
    pub workload: Workload,
    /// What is asked of their histories.
    pub promise: Promise,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// Three replicas of which one may crash; a client writes, another reads.
    fn default() -> Self {
        let workload = Workload { clients: 2, operations: 2, objects: 1, mix: Mix::WriterAndReaders };
        Self {
            replicas: 3,
            mode: Mode::Synchronous,
            read_anywhere: false,
            crashes: 1,
            workload,
            promise: Promise::Linearizable,
            mistake: None,
        }
    }
}

/// All behaviours of the replicas and their clients, with crashes for ever that whoever is left notices sooner or later.
pub fn scenario(parameters: Parameters) -> Scenario<PrimaryBackup> {
    let Parameters { replicas, mode, read_anywhere, crashes, workload, promise, mistake } = parameters;
    let faults = Faults { crashes: Budget::UpTo(crashes), memories: vec![Memory::Lost], ..Faults::default() };
    let scenario =
        Scenario::<PrimaryBackup>::new(replicas, Config { replicas, mode, read_anywhere, mistake });
    let scenario = Scenario { clients: workload.scripts(replicas), faults, ..scenario };
    let scenario = match promise.property() {
        Some(property) => scenario.ask(property),
        None => scenario,
    };
    scenario
        .ask(replicas_agree())
        .ask(one_primary())
        .ask(nobody_waits_in_vain())
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

/// When nothing is under way, all replicas that live hold the same.
pub fn replicas_agree() -> Property<PrimaryBackup> {
    Property::always("at rest, all live replicas hold the same", |view: &View<'_, PrimaryBackup>| {
        let mut stores = view.live().map(|(_, replica)| replica.store());
        let first = stores.next();
        !view.is_quiet() || stores.all(|store| Some(store) == first)
    })
}

/// At most one replica that lives takes itself for the primary.
pub fn one_primary() -> Property<PrimaryBackup> {
    Property::always("at most one primary", |view: &View<'_, PrimaryBackup>| {
        view.live().filter(|(me, replica)| replica.primary() == *me).count() < 2
    })
}

/// When nothing is under way, no replica that lives keeps a client waiting.
pub fn nobody_waits_in_vain() -> Property<PrimaryBackup> {
    Property::always("at rest, no live replica keeps a client waiting", |view: &View<'_, PrimaryBackup>| {
        !view.is_quiet() || view.live().all(|(_, replica)| replica.waiting() == 0)
    })
}
