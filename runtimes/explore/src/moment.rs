//! A moment of another run, taken up: some of its processes go on in every possible way, the rest stands still.
//!
//! A simulation, or a recorded run, is at some point; a few of its processes, with what is under way to them, become where
//! an exploration begins. What they send to the others leaves and arrives nowhere; of the others nothing comes but what is
//! under way already. With a bound of depth these are the next steps of that run.

use isles_kernel::{Channel, ProcessId, Protocol, Time};

use crate::local::{Local, Status};
use crate::parcel::Parcel;
use crate::scenario::{PROCESSES_MAX, Scenario, Streams};
use crate::space::Space;

/// A process at that moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing<P: Protocol> {
    /// Who it is.
    pub process: ProcessId,
    /// Its state; none if it is down.
    pub state: Option<P>,
    /// The timers that it has armed.
    pub timers: Vec<P::Timer>,
    /// What is on its disk; all of it is durable.
    pub log: Vec<P::Record>,
    /// Whose streams to it are watched by it.
    pub watched: Vec<ProcessId>,
}

impl<P: Protocol> Standing<P> {
    /// A process that is up, with no timer, an empty disk, and nobody watched.
    pub const fn new(process: ProcessId, state: P) -> Self {
        Self { process, state: Some(state), timers: Vec::new(), log: Vec::new(), watched: Vec::new() }
    }
}

/// A message that is under way at that moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Underway<P: Protocol> {
    /// Its sender, who may be one of those that stand still.
    pub from: ProcessId,
    /// Its receiver; messages to those that stand still are left out.
    pub to: ProcessId,
    /// How it travels.
    pub channel: Channel,
    /// What it says.
    pub msg: P::Msg,
}

/// A moment, as far as the chosen processes are concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment<P: Protocol> {
    /// The instant that clocks show; after each crash of a process its own shows a second more.
    pub now: Time,
    /// The processes that go on: at most 250, in any order.
    pub processes: Vec<Standing<P>>,
    /// What is under way, each stream in the order of sending.
    pub underway: Vec<Underway<P>>,
}

impl<P: Protocol> Moment<P> {
    /// What is wrong with it.
    pub(crate) fn flaw(&self) -> Option<String> {
        let count = self.processes.len();
        if count == 0 || count > PROCESSES_MAX as usize {
            return Some(format!("{count} processes are to go on: an exploration has 1 to {PROCESSES_MAX}"));
        }
        let mut ids: Vec<ProcessId> = self.processes.iter().map(|standing| standing.process).collect();
        ids.sort_unstable();
        let twice = ids.windows(2).find(|pair| pair[0] == pair[1]);
        twice.map(|pair| format!("{} is there twice", pair[0]))
    }
}

impl<P: Protocol> Scenario<P> {
    /// What may follow a moment of another run, if the processes in it go on and all others stand still. Nothing is asked
    /// and nothing goes wrong, until it is said; bound the depth to look at the next steps only.
    pub fn lifted(config: impl Into<std::sync::Arc<P::Config>>, moment: Moment<P>) -> Self {
        let processes = moment.processes.len() as u32;
        Self { moment: Some(moment), ..Self::new(processes, config) }
    }

    /// The processes, ascending, if they are not those from 0 on.
    pub(crate) fn chosen(&self) -> Option<Vec<ProcessId>> {
        let moment = self.moment.as_ref()?;
        let mut chosen: Vec<ProcessId> = moment.processes.iter().map(|standing| standing.process).collect();
        chosen.sort_unstable();
        Some(chosen)
    }
}

impl<P: Protocol> Space<P> {
    /// The place of a process in states; none if it is not explored.
    #[inline]
    pub(crate) fn slot(&self, process: ProcessId) -> Option<u8> {
        if self.chosen.is_empty() {
            return (process.0 < self.scenario.processes).then_some(process.0 as u8);
        }
        self.chosen.binary_search(&process).ok().map(|slot| slot as u8)
    }

    /// The process at a place of states.
    pub(crate) fn id(&self, slot: u8) -> ProcessId {
        self.chosen.get(usize::from(slot)).copied().unwrap_or(ProcessId(slot.into()))
    }

    /// The local states with which a moment begins, by place, and what is under way.
    pub(crate) fn begin_moment(&mut self, moment: &Moment<P>) -> (Vec<u32>, Vec<u32>) {
        let mut standings: Vec<&Standing<P>> = moment.processes.iter().collect();
        standings.sort_by_key(|standing| standing.process);
        let mut locals = Vec::new();
        for standing in standings {
            let local = Local::standing(standing);
            locals.push(self.local(local));
        }
        let mut parcels = Vec::new();
        let mut streams: Vec<(ProcessId, ProcessId, Vec<u32>)> = Vec::new();
        for Underway { from, to, channel, msg } in &moment.underway {
            if self.slot(*to).is_none() {
                continue;
            }
            let (from, to, channel) = (*from, *to, *channel);
            let message = self.parcel(Parcel::Message { from, to, channel, msg: msg.clone() });
            if channel == Channel::Datagram || self.scenario.streams == Streams::Unordered {
                parcels.push(message);
                continue;
            }
            match streams.iter_mut().find(|(other, receiver, _)| (*other, *receiver) == (from, to)) {
                Some((.., messages)) => messages.push(message),
                None => streams.push((from, to, vec![message])),
            }
        }
        for (from, to, messages) in streams {
            // The stream of somebody who is down is the rest of what it sent.
            let slot = self.slot(from);
            let orphan =
                self.is_breakable() && slot.is_some_and(|slot| !self.is_up(locals[usize::from(slot)]));
            parcels.push(self.parcel(Parcel::Stream { from, to, orphan, messages }));
        }
        (locals, parcels)
    }
}

impl<P: Protocol> Local<P> {
    fn standing(standing: &Standing<P>) -> Self {
        let status = if standing.state.is_some() { Status::Up } else { Status::Down };
        let log = standing.log.clone();
        let mut local = Self {
            status,
            state: standing.state.clone(),
            durable: log.len(),
            log,
            ..Self::new(standing.process)
        };
        standing.timers.iter().for_each(|timer| local.arm(timer.clone()));
        local.watched.clone_from(&standing.watched);
        local.watched.sort_unstable();
        local.watched.dedup();
        local
    }
}
