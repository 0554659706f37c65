//! Rounds in which processes report what they have and propose what a majority reported: Ben-Or, *Another Advantage of Free Choice*, PODC
//! 1983, with a rule in place of his coin.
//!
//! **Model**: asynchronous, FIFO streams, n processes of which f < n / 2 may crash. **Properties**: agreement and validity always; that
//! it ends is what a coin is for. **Departures**: whoever has no proposal to go by takes the smallest value that was reported to it, a
//! deterministic rule. With a leader everybody waits for it, and proposes what it reported. Rounds have no numbers: each process sends one message
//! of each phase to everybody, so that the order of a stream says to which phase a message belongs. A process that went on without
//! somebody's message lets it pass when it comes.

use std::collections::VecDeque;

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// What is decided: 0 or 1.
pub type Value = u8;

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BenOr {
    value: Value,
    /// Of this round, once there was a majority for it; in the second phase.
    phase: Phase,
    decided: Option<Value>,
    /// By process: what came, and how many messages are to pass unheard before that. Invariant: one of both is empty.
    early: Vec<VecDeque<Msg>>,
    late: Vec<u8>,
}

/// Where a process is in a round.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// It has reported its value.
    Report,
    /// It has proposed, or found nothing to propose.
    Propose {
        proposal: Option<Value>,
        /// What it takes if nobody proposes.
        otherwise: Value,
    },
}

/// What processes send each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Of the first phase: what the sender has.
    Report(Value),
    /// Of the second: what a majority has, as far as the sender knows.
    Propose(Option<Value>),
    /// It is over.
    Decided(Value),
}

/// What all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// What each process has at first.
    pub values: Vec<Value>,
    /// How many may crash: nobody waits for these.
    pub faulty: usize,
    /// Whom everybody waits for, and whose value is proposed: the control.
    pub leader: Option<ProcessId>,
}

impl Protocol for BenOr {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let count = cx.config().values.len();
        let value = cx.config().values[cx.me().index()];
        let process = Self {
            value,
            phase: Phase::Report,
            decided: None,
            early: vec![VecDeque::new(); count],
            late: vec![0; count],
        };
        tell(cx, Msg::Report(value));
        process
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        if self.decided.is_some() {
            return;
        }
        match (msg, &mut self.late[from.index()]) {
            (Msg::Decided(value), _) => self.decide(cx, value),
            (_, late) if *late > 0 => *late -= 1,
            (_, _) => self.early[from.index()].push_back(msg),
        }
        while self.decided.is_none() && self.is_heard(cx) {
            self.go_on(cx);
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

/// Sends to all others.
fn tell(cx: &mut Cx<'_, BenOr>, msg: Msg) {
    let me = cx.me();
    for peer in (0..cx.config().values.len() as u32).map(ProcessId).filter(|peer| *peer != me) {
        cx.send(peer, msg);
    }
}

impl BenOr {
    /// What this process has decided.
    pub const fn decided(&self) -> Option<Value> {
        self.decided
    }

    /// Whether enough were heard in this phase: all but those that may have crashed.
    fn is_heard(&self, cx: &Cx<'_, Self>) -> bool {
        let heard = |process: ProcessId| !self.early[process.index()].is_empty();
        let count = 1 + self.early.iter().filter(|early| !early.is_empty()).count();
        let Config { values, faulty, leader } = cx.config();
        count + faulty >= values.len() && leader.is_none_or(|leader| leader == cx.me() || heard(leader))
    }

    /// Goes by what was heard in this phase to the next one.
    fn go_on(&mut self, cx: &mut Cx<'_, Self>) {
        let (me, leader) = (cx.me(), cx.config().leader);
        let majority = cx.config().values.len() / 2 + 1;
        let mut heard = Vec::with_capacity(self.early.len());
        for (process, (early, late)) in (0..).map(ProcessId).zip(self.early.iter_mut().zip(&mut self.late)) {
            match early.pop_front() {
                Some(msg) => heard.push((process, msg)),
                None if process != me => *late += 1,
                None => {}
            }
        }
        match self.phase {
            Phase::Report => {
                let reports = heard.iter().filter_map(|(from, msg)| match msg {
                    Msg::Report(value) => Some((*from, *value)),
                    Msg::Propose(_) | Msg::Decided(_) => None,
                });
                let reports: Vec<(ProcessId, Value)> = reports.chain([(me, self.value)]).collect();
                let count = |value: &Value| reports.iter().filter(|(_, other)| other == value).count();
                let led = reports.iter().find(|(from, _)| Some(*from) == leader).map(|(_, value)| *value);
                let proposal = led.or_else(|| [0, 1].into_iter().find(|value| count(value) >= majority));
                let otherwise = reports.iter().map(|(_, value)| *value).min().unwrap_or(self.value);
                self.phase = Phase::Propose { proposal, otherwise };
                tell(cx, Msg::Propose(proposal));
            }
            Phase::Propose { proposal, otherwise } => {
                let proposals = heard.iter().filter_map(|(_, msg)| match msg {
                    Msg::Propose(proposal) => *proposal,
                    Msg::Report(_) | Msg::Decided(_) => None,
                });
                // All proposals of a round are for one value: two majorities have somebody in common.
                let proposals: Vec<Value> = proposals.chain(proposal).collect();
                self.value = proposals.first().copied().unwrap_or(otherwise);
                if proposals.len() > cx.config().faulty {
                    return self.decide(cx, self.value);
                }
                self.phase = Phase::Report;
                tell(cx, Msg::Report(self.value));
            }
        }
    }

    fn decide(&mut self, cx: &mut Cx<'_, Self>, value: Value) {
        self.value = value;
        self.decided = Some(value);
        self.phase = Phase::Report;
        self.early.iter_mut().for_each(VecDeque::clear);
        self.late.fill(0);
        tell(cx, Msg::Decided(value));
    }
}

/// What is explored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// What each process has at first.
    pub values: Vec<Value>,
    /// Whom everybody waits for: the control.
    pub leader: Option<ProcessId>,
    /// Processes that may crash; as many as nobody waits for at most.
    pub crashes: u8,
}

impl Default for Parameters {
    /// Three processes that do not agree.
    fn default() -> Self {
        Self { values: vec![0, 1, 1], leader: None, crashes: 0 }
    }
}

/// All behaviours of the rounds, of which one process may be missed in each phase. Without a leader there are infinitely many states, for
/// a process may be left behind as far as one likes: bound them.
pub fn scenario(parameters: Parameters) -> Scenario<BenOr> {
    let Parameters { values, leader, crashes } = parameters;
    let (processes, faulty) = (values.len() as u32, values.len().saturating_sub(1) / 2);
    let faults = Faults { crashes: Budget::UpTo(crashes), memories: vec![Memory::Lost], ..Faults::default() };
    let decides = |name, value| {
        Property::reachable(name, move |view: &View<'_, BenOr>| decisions(view).any(|other| other == value))
    };
    let config = Config { values, faulty, leader };
    let scenario = Scenario { faults, ..Scenario::<BenOr>::new(processes, config) }
        .ask(Property::always("one value is decided", |view: &View<'_, BenOr>| {
            let mut all = decisions(view);
            let first = all.next();
            all.all(|value| Some(value) == first)
        }))
        .ask(Property::eventually("somebody decides", |view: &View<'_, BenOr>| {
            decisions(view).next().is_some()
        }));
    // With a leader it is known from the beginning what will be decided.
    if leader.is_some() {
        return scenario;
    }
    scenario.ask(decides("0 is decided", 0)).ask(decides("1 is decided", 1))
}

fn decisions<'a>(view: &View<'a, BenOr>) -> impl Iterator<Item = Value> + use<'a> {
    view.live().filter_map(|(_, process)| process.decided()).collect::<Vec<_>>().into_iter()
}
