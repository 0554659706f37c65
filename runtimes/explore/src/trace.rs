//! A behaviour, step by step, in terms of the protocol.

use isles_kernel::{Channel, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::action::{Action, Cause};
use crate::byzantine::Act;
use crate::ledger::Call;
use crate::local::{Outward, Ran};
use crate::parcel::{NONE, Parcel};
use crate::scenario::Memory;
use crate::space::{Space, code};
use crate::state::State;

/// One thing that happens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", bound = "")]
pub enum What<P: Protocol> {
    /// A message arrives.
    Deliver {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
        /// How it travelled.
        channel: Channel,
        /// What it says.
        msg: P::Msg,
    },
    /// A timer fires.
    Timer {
        /// Whose.
        process: ProcessId,
        /// Which.
        timer: P::Timer,
    },
    /// A client's operation is invoked at its process.
    Invoke {
        /// Where.
        process: ProcessId,
        /// Its name.
        id: OpId,
        /// What is asked.
        op: P::Op,
    },
    /// An answer reaches a remote client.
    Answer {
        /// By whom.
        from: ProcessId,
        /// To which operation.
        id: OpId,
        /// What it says.
        reply: P::Reply,
    },
    /// A process learns that its stream to another broke.
    Unreachable {
        /// Who learns it.
        process: ProcessId,
        /// The other end.
        peer: ProcessId,
    },
    /// One more record is durable.
    Sync {
        /// Whose.
        process: ProcessId,
    },
    /// A process starts again.
    Start {
        /// Which.
        process: ProcessId,
    },
    /// A process crashes.
    Crash {
        /// Which.
        process: ProcessId,
        /// What is left to it.
        memory: Memory,
        /// How many of its records survive that were being written.
        survivors: u32,
    },
    /// A datagram vanishes.
    Lose {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
        /// What it says.
        msg: P::Msg,
    },
    /// A datagram is doubled.
    Duplicate {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
        /// What it says.
        msg: P::Msg,
    },
    /// A process that lies does something to a message of its own that is under way.
    Tamper {
        /// Who lies.
        from: ProcessId,
        /// The message's receiver.
        to: ProcessId,
        /// What it says.
        msg: P::Msg,
        /// What it says from now on; none if that does not change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<P::Msg>,
        /// It will be said once more; if not, and nothing else is said, it vanishes.
        #[serde(default)]
        again: bool,
    },
    /// A partition begins: between these processes and the rest.
    Cut {
        /// The scenario's group of that number.
        group: u32,
    },
    /// The partition ends.
    Heal,
    /// A stream across the partition breaks at its sender.
    Break {
        /// The sender.
        from: ProcessId,
        /// The other end.
        to: ProcessId,
    },
    /// What a dead sender left on a stream never arrives.
    Discard {
        /// The dead sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// How many messages are lost.
        messages: u32,
    },
}

/// A message that a step sends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sent<P: Protocol> {
    /// Its receiver.
    pub to: ProcessId,
    /// How it travels.
    pub channel: Channel,
    /// What it says.
    pub msg: P::Msg,
}

/// One step of a behaviour: what happens, which choices the handler makes, and what comes of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Step<P: Protocol> {
    /// What happens.
    #[serde(flatten)]
    pub what: What<P>,
    /// What [`Cx::choose`](isles_kernel::Cx::choose) returns to the handler, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<u32>,
    /// Messages that leave the process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Sent<P>>,
    /// Operations that are answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<(OpId, P::Reply)>,
    /// Events that are emitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<P::Event>,
    /// The state of the process afterwards, as `Debug` writes it; empty if it is down or took no part.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
}

/// A behaviour: an initial state, and steps from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace<P: Protocol> {
    /// Which of the initial states: there are several if processes choose when they start.
    pub initial: u32,
    /// What happens, in order.
    pub steps: Vec<Step<P>>,
    /// The steps before this one lead to a loop, and the rest goes round it for ever; as many as there are steps if the
    /// behaviour just ends.
    pub loop_start: usize,
}

impl<P: Protocol> What<P> {
    /// The process that acts; none for what happens in the network or at a remote client.
    pub const fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Deliver { to, .. } => Some(*to),
            Self::Timer { process, .. }
            | Self::Invoke { process, .. }
            | Self::Unreachable { process, .. }
            | Self::Sync { process }
            | Self::Start { process }
            | Self::Crash { process, .. } => Some(*process),
            Self::Answer { .. }
            | Self::Lose { .. }
            | Self::Duplicate { .. }
            | Self::Tamper { .. }
            | Self::Cut { .. }
            | Self::Heal
            | Self::Break { .. }
            | Self::Discard { .. } => None,
        }
    }

    /// The processes that it names: who acts, and whose message or stream it is.
    pub(crate) fn named(&self) -> impl Iterator<Item = ProcessId> + use<P> {
        let other = match self {
            Self::Deliver { from, .. }
            | Self::Answer { from, .. }
            | Self::Lose { from, .. }
            | Self::Duplicate { from, .. }
            | Self::Tamper { from, .. }
            | Self::Break { from, .. }
            | Self::Discard { from, .. } => Some(*from),
            Self::Unreachable { peer, .. } => Some(*peer),
            Self::Timer { .. }
            | Self::Invoke { .. }
            | Self::Sync { .. }
            | Self::Start { .. }
            | Self::Crash { .. }
            | Self::Cut { .. }
            | Self::Heal => None,
        };
        let receiver = match self {
            Self::Lose { to, .. }
            | Self::Duplicate { to, .. }
            | Self::Tamper { to, .. }
            | Self::Break { to, .. }
            | Self::Discard { to, .. } => Some(*to),
            Self::Deliver { .. }
            | Self::Timer { .. }
            | Self::Invoke { .. }
            | Self::Answer { .. }
            | Self::Unreachable { .. }
            | Self::Sync { .. }
            | Self::Start { .. }
            | Self::Crash { .. }
            | Self::Cut { .. }
            | Self::Heal => self.process(),
        };
        other.into_iter().chain(receiver)
    }
}

impl<P: Protocol> Space<P> {
    /// What a cause means in a state. All that it needs is known already.
    pub(crate) fn what(&self, state: State<'_>, cause: Cause, choices: &[u32]) -> What<P> {
        let id = |process: u8| self.id(process);
        let parcel = |place: u32| state.parcels()[place as usize];
        let message = |place: u32| match self.parcels.get(parcel(place)) {
            Parcel::Message { from, to, msg, .. } => (*from, *to, msg.clone()),
            Parcel::Stream { .. } | Parcel::Broken { .. } | Parcel::Request(_) | Parcel::Answer { .. } => {
                unreachable!("only datagrams are lost and doubled")
            }
        };
        match cause {
            Cause::Deliver { place } => self.delivery(parcel(place)),
            Cause::Timer { process, place } => {
                let local = self.locals.get(state.locals()[usize::from(process)]);
                What::Timer { process: id(process), timer: local.timers[usize::from(place)].clone() }
            }
            Cause::Invoke { client } => match self.request(state, client) {
                Some(request) => self.delivery(request),
                None => unreachable!("whoever invokes has something to invoke"),
            },
            Cause::Sync { process } => What::Sync { process: id(process) },
            Cause::Start { process } => What::Start { process: id(process) },
            Cause::Crash { process } => {
                let memory = [Memory::Kept, Memory::Disk, Memory::Lost][choices[0] as usize];
                What::Crash { process: id(process), memory, survivors: choices[1] }
            }
            Cause::Lose { place } => {
                let (from, to, msg) = message(place);
                What::Lose { from, to, msg }
            }
            Cause::Duplicate { place } => {
                let (from, to, msg) = message(place);
                What::Duplicate { from, to, msg }
            }
            Cause::Tamper { place } => self.lie(state, place, choices[0]),
            Cause::Cut { group } => What::Cut { group: group.into() },
            Cause::Heal => What::Heal,
            Cause::Break { from, to } => What::Break { from: id(from), to: id(to) },
            Cause::Discard { place } => match self.parcels.get(parcel(place)) {
                Parcel::Stream { from, to, messages, .. } => {
                    What::Discard { from: *from, to: *to, messages: messages.len() as u32 }
                }
                Parcel::Message { .. }
                | Parcel::Broken { .. }
                | Parcel::Request(_)
                | Parcel::Answer { .. } => {
                    unreachable!("only streams are discarded")
                }
            },
        }
    }

    /// What somebody who lies does.
    fn lie(&self, state: State<'_>, place: u32, act: u32) -> What<P> {
        let parcel = state.parcels()[place as usize];
        let meta = self.meta[parcel as usize];
        let (from, to, _, msg) = self.message(if meta.head == NONE { parcel } else { meta.head });
        let act = self.acts(state, place).map(|acts| acts[act as usize]);
        let instead = match act {
            Ok(Act::Instead(other)) => Some(self.message(other).3),
            Ok(Act::Silence | Act::Replay) | Err(_) => None,
        };
        What::Tamper { from, to, msg, instead, again: act == Ok(Act::Replay) }
    }

    fn delivery(&self, parcel: u32) -> What<P> {
        let call = |call: &Call| {
            let (process, op) = call.of_script(&self.scenario).expect("only calls of a script are made");
            What::Invoke { process: *process, id: call.id(), op: op.clone() }
        };
        match self.parcels.get(parcel) {
            Parcel::Message { from, to, channel, msg } => {
                What::Deliver { from: *from, to: *to, channel: *channel, msg: msg.clone() }
            }
            Parcel::Stream { messages, .. } => self.delivery(messages[0]),
            Parcel::Broken { to, peer } => What::Unreachable { process: *to, peer: *peer },
            Parcel::Request(request) => call(request),
            Parcel::Answer { from, id, reply } => What::Answer { from: *from, id: *id, reply: reply.clone() },
        }
    }

    /// An action as a step, with what comes of it.
    pub(crate) fn describe(&mut self, words: &[u32], action: Action) -> Step<P> {
        let cause = action.cause();
        let key = self.known(|space| space.key(space.state(words), cause));
        if let Cause::Tamper { place } = cause {
            self.known(|space| space.acts(space.state(words), place));
        }
        let Some((local, code)) = key else {
            let what = self.what(self.state(words), cause, &[action.outcome()]);
            return Step {
                what,
                choices: Vec::new(),
                sent: Vec::new(),
                replies: Vec::new(),
                events: Vec::new(),
                after: String::new(),
            };
        };
        let (first, _) = self.known(|space| space.outcomes(local, code));
        let index = first + action.outcome();
        let choices = self.choices(index).to_vec();
        // Run again: events and the order of effects are not kept.
        let mut ran = self.run(local, code);
        let ran: Ran<P> = ran.swap_remove(action.outcome() as usize);
        let what = self.what(self.state(words), cause, &choices);
        let (mut sent, mut replies) = (Vec::new(), Vec::new());
        for outward in ran.outward {
            match outward {
                Outward::Send { to, msg, channel } => sent.push(Sent { to, channel, msg }),
                Outward::Reply { id, reply } => replies.push((id, reply)),
                Outward::Watch(_) => {}
            }
        }
        let after = ran.local.state.as_ref().filter(|_| ran.local.is_up());
        let after = match ran.panic {
            Some(panic) => format!("panicked: {panic}"),
            None => after.map(|state| format!("{state:?}")).unwrap_or_default(),
        };
        // A crash's choices are part of what happens.
        let choices = if code == code::CRASH { Vec::new() } else { choices };
        Step { what, choices, sent, replies, events: ran.events, after }
    }

    /// The actions that are possible in a state, with what they mean.
    pub(crate) fn actions(&mut self, words: &[u32]) -> Vec<Action> {
        self.known(|space| {
            let mut actions = Vec::new();
            let mut scratch = Vec::new();
            space.successors(space.state(words), &mut scratch, |action, _| actions.push(action))?;
            Ok(actions)
        })
    }

    /// The state after an action.
    pub(crate) fn after(&mut self, words: &[u32], action: Action) -> Vec<u32> {
        self.known(|space| {
            let mut next = Vec::new();
            space.successor(space.state(words), action, &mut next)?;
            Ok(next)
        })
    }

    /// The action that does what a step says, if it is possible in a state.
    pub(crate) fn action_of(&mut self, words: &[u32], step: &Step<P>) -> Option<Action> {
        self.actions(words).into_iter().find(|action| {
            let found = self.describe(words, *action);
            found.what == step.what && found.choices == step.choices
        })
    }

    /// A behaviour that is given by its actions.
    pub(crate) fn trace(&mut self, initial: u32, actions: &[Action]) -> Trace<P> {
        let mut words = self.initial().swap_remove(initial as usize);
        let mut steps = Vec::new();
        for action in actions {
            steps.push(self.describe(&words, *action));
            words = self.after(&words, *action);
        }
        Trace { initial, loop_start: steps.len(), steps }
    }
}
