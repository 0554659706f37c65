//! A behaviour that was explored, run again in the simulator: each step must do there what it did here.

use isles_explore::{Budget, Memory, Scenario, Sent, Step, Trace, What};
use isles_kernel::{Channel, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Act, ActError, Driven, Observer};

/// The simulator does something else than the explorer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("in the simulator, step {step}: {what}")]
pub struct SimulatorDiffers {
    /// Which step, counted from 1; 0 for the start.
    pub step: usize,
    /// What is different.
    pub what: String,
}

/// What comes of a step.
struct Seen<P: Protocol> {
    sent: Vec<(ProcessId, P::Msg)>,
    replies: Vec<(OpId, P::Reply)>,
    events: Vec<P::Event>,
}

impl<P: Protocol> Observer<P> for Seen<P> {
    fn sees_messages(&self) -> bool {
        true
    }

    fn on_send(&mut self, _: Time, _: ProcessId, to: ProcessId, _: Option<Time>, msg: &P::Msg) {
        self.sent.push((to, msg.clone()));
    }

    fn on_reply(&mut self, _: Time, _: ProcessId, id: OpId, reply: &P::Reply) {
        self.replies.push((id, reply.clone()));
    }

    fn on_event(&mut self, _: Time, _: ProcessId, event: &P::Event) {
        self.events.push(event.clone());
    }
}

/// Runs a behaviour in the simulator, and compares each step: what is sent, answered and emitted, and the state after it.
///
/// `starts` has what each process chooses when it starts.
///
/// # Errors
/// At the first step that is not possible there, or comes out otherwise.
pub(crate) fn simulate<P: Protocol>(
    scenario: &Scenario<P>,
    starts: &[Vec<u32>],
    trace: &Trace<P>,
) -> Result<u128, SimulatorDiffers> {
    let differs = |step: usize, what: String| SimulatorDiffers { step, what };
    let fifo = scenario.streams == isles_explore::Streams::Fifo;
    let processes = crate::case::processes(scenario);
    let driven = Driven::<P>::new(processes, scenario.config.clone(), fifo);
    let mut driven = driven.map_err(|error| differs(0, error.to_string()))?;
    begin(&mut driven, scenario, starts).map_err(|error| differs(0, error.to_string()))?;
    let zero = scenario.moment.as_ref().map_or(Time::ZERO, |moment| moment.now);
    // A local clock shows how often its process has crashed, in seconds.
    let mut crashes = vec![0u64; processes as usize];
    for (number, step) in (1..).zip(&trace.steps) {
        let mut seen = Seen { sent: Vec::new(), replies: Vec::new(), events: Vec::new() };
        let Some(act) = act(&step.what) else { continue };
        let me = actor(&step.what);
        if let What::Crash { process, .. } = &step.what {
            crashes[process.index()] += 1;
        }
        let now = zero + Span::secs(me.map_or(0, |me| crashes[me.index()]));
        let mut acts = vec![act];
        if let What::Deliver { from, to, channel: Channel::Datagram, msg } = &step.what
            && scenario.faults.duplicates == Budget::Unlimited
        {
            // It arrives, and stays.
            let into = vec![msg.clone(), msg.clone()];
            acts.insert(0, Act::Alter { from: *from, to: *to, msg: msg.clone(), into });
        }
        for act in acts {
            driven
                .act(now, act, &step.choices, &mut seen)
                .map_err(|error| differs(number, error.to_string()))?;
        }
        if let Some(me) = me.filter(|_| !has_barrier(scenario)) {
            write_all(&mut driven, now, me, &mut seen).map_err(|error| differs(number, error.to_string()))?;
        }
        let state = me.and_then(|me| driven.simulation().process(me));
        compare(step, seen, state).map_err(|what| differs(number, what))?;
    }
    Ok(driven.simulation().digest())
}

/// Starts all processes, or puts them where the scenario's moment has them.
fn begin<P: Protocol>(
    driven: &mut Driven<P>,
    scenario: &Scenario<P>,
    starts: &[Vec<u32>],
) -> Result<(), ActError> {
    let Some(moment) = &scenario.moment else {
        for (process, choices) in (0..).map(ProcessId).zip(starts) {
            driven.act(Time::ZERO, Act::Start { process }, choices, &mut ())?;
            if !has_barrier(scenario) {
                write_all(driven, Time::ZERO, process, &mut ())?;
            }
        }
        return Ok(());
    };
    for standing in &moment.processes {
        driven.place(standing.process, standing.state.clone(), &standing.timers, &standing.log)?;
    }
    for message in &moment.underway {
        // What is under way to those that stand still arrives nowhere.
        if moment.processes.iter().any(|standing| standing.process == message.to) {
            driven.put((message.from, message.to), message.channel, message.msg.clone())?;
        }
    }
    Ok(())
}

/// Whether effects wait for disks: where nobody crashes nobody could tell, and the explorer's disks take no time.
fn has_barrier<P: Protocol>(scenario: &Scenario<P>) -> bool {
    scenario.faults.crashes != Budget::NONE
}

/// Makes everything durable that a process wrote, as part of the step that wrote it.
fn write_all<P: Protocol>(
    driven: &mut Driven<P>,
    now: Time,
    process: ProcessId,
    observer: &mut dyn Observer<P>,
) -> Result<(), ActError> {
    loop {
        match driven.act(now, Act::Sync { process }, &[], observer) {
            Ok(()) => {}
            Err(ActError::NothingToSync(_)) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}

/// A step in the simulator's words; none if nothing happens to processes, disks and messages.
fn act<P: Protocol>(what: &What<P>) -> Option<Act<P>> {
    Some(match what.clone() {
        What::Deliver { from, to, channel, msg } => Act::Deliver { from, to, channel, msg },
        What::Timer { process, timer } => Act::Timer { process, timer },
        What::Invoke { process, id, op } => Act::Invoke { process, id, op },
        What::Unreachable { process, peer } => Act::Unreachable { process, peer },
        What::Sync { process } => Act::Sync { process },
        What::Start { process } => Act::Start { process },
        What::Crash { process, memory, survivors } => {
            let memory = match memory {
                Memory::Kept => isles_sim::Memory::Kept,
                Memory::Disk => isles_sim::Memory::Disk,
                Memory::Lost => isles_sim::Memory::Lost,
            };
            Act::Crash { process, memory, survivors }
        }
        What::Lose { from, to, msg } => Act::Alter { from, to, msg, into: Vec::new() },
        What::Duplicate { from, to, msg } => {
            let into = vec![msg.clone(), msg.clone()];
            Act::Alter { from, to, msg, into }
        }
        What::Tamper { from, to, msg, instead, again } => {
            let into = match (instead, again) {
                (Some(instead), _) => vec![instead],
                (None, true) => vec![msg.clone(), msg.clone()],
                (None, false) => Vec::new(),
            };
            Act::Alter { from, to, msg, into }
        }
        // Clients, and what the network does or does not let through, is decided by the behaviour itself.
        What::Answer { .. } | What::Cut { .. } | What::Heal | What::Break { .. } | What::Discard { .. } => {
            return None;
        }
    })
}

/// Whose handler runs, if one does.
fn actor<P: Protocol>(what: &What<P>) -> Option<ProcessId> {
    match what {
        What::Deliver { to, .. } => Some(*to),
        What::Timer { process, .. }
        | What::Invoke { process, .. }
        | What::Unreachable { process, .. }
        | What::Sync { process }
        | What::Start { process } => Some(*process),
        What::Crash { .. }
        | What::Answer { .. }
        | What::Lose { .. }
        | What::Duplicate { .. }
        | What::Tamper { .. }
        | What::Cut { .. }
        | What::Heal
        | What::Break { .. }
        | What::Discard { .. } => None,
    }
}

fn compare<P: Protocol>(step: &Step<P>, seen: Seen<P>, state: Option<&P>) -> Result<(), String> {
    let sent: Vec<(ProcessId, P::Msg)> =
        step.sent.iter().map(|Sent { to, msg, .. }| (*to, msg.clone())).collect();
    if seen.sent != sent {
        return Err(format!("it sends {:?} instead of {sent:?}", seen.sent));
    }
    if seen.replies != step.replies {
        return Err(format!("it answers {:?} instead of {:?}", seen.replies, step.replies));
    }
    if seen.events != step.events {
        return Err(format!("it emits {:?} instead of {:?}", seen.events, step.events));
    }
    match state {
        Some(state) if format!("{state:?}") != step.after => {
            Err(format!("it is {state:?} instead of {}", step.after))
        }
        Some(_) | None => Ok(()),
    }
}
