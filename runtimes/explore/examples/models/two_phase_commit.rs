//! Two-phase commit: Gray and Lamport, *Consensus on Transaction Commit*, 2006, section 2, without failures.
//!
//! Process 0 is the transaction manager, the others are resource managers. Messages are datagrams that may arrive any
//! number of times, as in the paper's specification, where they stay in a set. What a manager may do by itself is a timer
//! that may fire at any moment: to prepare or to abort for a resource manager, to commit or to abort for the transaction
//! manager.

use isles_explore::{Budget, Faults, Idle, Property, Rename, Renaming, Scenario, View};
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

/// The transaction manager.
pub const MANAGER: ProcessId = ProcessId(0);

/// One manager.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Manager {
    /// Of the transaction.
    Transaction {
        /// What is decided, if something is.
        decision: Option<Decision>,
        /// Who is known to be prepared: a bit for each resource manager.
        prepared: u32,
    },
    /// Of a resource.
    Resource(Resource),
}

/// The state of a resource manager.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resource {
    /// It may still do as it likes.
    Working,
    /// It will do what is decided.
    Prepared,
    /// It has committed.
    Committed,
    /// It has aborted.
    Aborted,
}

/// What the transaction manager decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Decision {
    /// All shall commit.
    Commit,
    /// All shall abort.
    Abort,
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To the transaction manager: the sender is prepared.
    Prepared,
    /// To a resource manager.
    Decided(Decision),
}

/// What a manager may do by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// A resource manager prepares.
    Prepare,
    /// Either kind aborts.
    Abort,
    /// The transaction manager commits.
    Commit,
}

/// How many resource managers there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Processes `1..=resources`.
    pub resources: u32,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// The transaction manager commits when all but one are prepared.
    Hasty,
    /// It counts messages and not managers: one that arrives twice counts twice.
    CountsMessages,
    /// Having committed, it may still abort: its timer is not disarmed.
    StaleTimer,
    /// A resource manager that has told that it is prepared may still abort by itself.
    AbortsPrepared,
}

impl Protocol for Manager {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    /// A message was taken notice of.
    type Event = ();

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.arm(Timer::Abort, Span::ZERO);
        if cx.me() == MANAGER {
            return Self::Transaction { decision: None, prepared: 0 };
        }
        cx.arm(Timer::Prepare, Span::ZERO);
        Self::Resource(Resource::Working)
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match (self, msg) {
            (Self::Transaction { decision: None, prepared }, Msg::Prepared) => {
                let mistake = cx.config().mistake;
                *prepared |= match mistake {
                    Some(Mistake::CountsMessages) => prepared.saturating_add(1),
                    _ => 1 << from.0,
                };
                let needed = cx.config().resources - u32::from(mistake == Some(Mistake::Hasty));
                if prepared.count_ones() >= needed {
                    cx.arm(Timer::Commit, Span::ZERO);
                }
                cx.emit(());
            }
            (Self::Resource(state), Msg::Decided(decision)) => {
                *state = match decision {
                    Decision::Commit => Resource::Committed,
                    Decision::Abort => Resource::Aborted,
                };
                cx.disarm(Timer::Prepare);
                cx.disarm(Timer::Abort);
                cx.emit(());
            }
            (Self::Transaction { .. }, _) | (Self::Resource(_), Msg::Prepared) => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match self {
            Self::Transaction { decision, .. } => {
                let decided = if timer == Timer::Commit { Decision::Commit } else { Decision::Abort };
                *decision = Some(decided);
                cx.disarm(Timer::Commit);
                if cx.config().mistake != Some(Mistake::StaleTimer) {
                    cx.disarm(Timer::Abort);
                }
                for resource in (1..=cx.config().resources).map(ProcessId) {
                    cx.cast(resource, Msg::Decided(decided));
                }
            }
            Self::Resource(state) => {
                cx.disarm(Timer::Prepare);
                if cx.config().mistake != Some(Mistake::AbortsPrepared) {
                    cx.disarm(Timer::Abort);
                }
                if timer == Timer::Prepare {
                    *state = Resource::Prepared;
                    cx.cast(MANAGER, Msg::Prepared);
                } else {
                    *state = Resource::Aborted;
                }
            }
        }
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

impl Rename for Manager {
    fn rename(&self, by: &Renaming) -> Self {
        let Self::Transaction { decision, prepared } = self else { return self.clone() };
        let mut renamed = 0;
        for process in (0..32).filter(|bit| prepared >> bit & 1 == 1) {
            // Whoever is nobody here gets a bit that no resource manager has.
            renamed |= 1 << by.of(ProcessId(process)).0.min(31);
        }
        Self::Transaction { decision: *decision, prepared: renamed }
    }

    fn rename_msg(msg: &Msg, _: &Renaming) -> Msg {
        *msg
    }
}

/// Whether all resource managers are in this state.
fn all_are(view: &View<'_, Manager>, state: Resource) -> bool {
    (1..view.processes()).all(|process| view.process(ProcessId(process)) == Some(&Manager::Resource(state)))
}

/// Whether no resource manager aborts while another commits.
pub fn is_consistent(view: &View<'_, Manager>) -> bool {
    let (mut aborted, mut committed) = (false, false);
    for process in 1..view.processes() {
        match view.process(ProcessId(process)) {
            Some(Manager::Resource(Resource::Aborted)) => aborted = true,
            Some(Manager::Resource(Resource::Committed)) => committed = true,
            Some(Manager::Transaction { .. } | Manager::Resource(Resource::Working | Resource::Prepared))
            | None => {}
        }
    }
    !(aborted && committed)
}

/// All behaviours of so many resource managers.
pub fn scenario(resources: u32, mistake: Option<Mistake>) -> Scenario<Manager> {
    Scenario {
        idle: Idle::Skipped,
        faults: Faults { duplicates: Budget::Unlimited, ..Faults::default() },
        ..Scenario::new(resources + 1, Config { resources, mistake })
    }
    .ask(Property::always("consistent", is_consistent))
    .ask(Property::reachable("abort agreement", |view| all_are(view, Resource::Aborted)))
    .ask(Property::reachable("commit agreement", |view| all_are(view, Resource::Committed)))
}
