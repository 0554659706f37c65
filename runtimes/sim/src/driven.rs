//! A run whose every step is told: a behaviour that an explorer found, or a schedule of one's own.
//!
//! Nothing happens by itself. Messages that are sent wait until they are told to arrive, timers until they are told to fire,
//! records until they are told to be durable. Handlers, effects, timers, disks and observers are those of every
//! simulation.

use std::collections::VecDeque;
use std::sync::Arc;

use isles_kernel::{Channel, OpId, ProcessId, Protocol, Time};

use crate::core::{Phase, Step};
use crate::event::{Body, Event};
use crate::fault::Memory;
use crate::observer::Observer;
use crate::process::{DiskState, Status};
use crate::simulation::{Setup, SetupError, Simulation, act};

/// What is to happen next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act<P: Protocol> {
    /// A process starts: for the first time, or again after a crash.
    Start {
        /// Which.
        process: ProcessId,
    },
    /// A message that is under way arrives.
    Deliver {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
        /// How it travels.
        channel: Channel,
        /// What it says.
        msg: P::Msg,
    },
    /// A timer fires that is armed.
    Timer {
        /// Whose.
        process: ProcessId,
        /// Which.
        timer: P::Timer,
    },
    /// An operation is invoked.
    Invoke {
        /// Where.
        process: ProcessId,
        /// Its name.
        id: OpId,
        /// What is asked.
        op: P::Op,
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
    /// A process crashes.
    Crash {
        /// Which.
        process: ProcessId,
        /// What it finds when it starts again.
        memory: Memory,
        /// How many of its records survive that were being written.
        survivors: u32,
    },
    /// A message that is under way says something else from now on, is there so many times more, or vanishes.
    Alter {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
        /// What it says.
        msg: P::Msg,
        /// What becomes of it: what each copy says.
        into: Vec<P::Msg>,
    },
}

/// Why something cannot happen.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// There is no such process.
    #[error("there is no {0}")]
    Nobody(ProcessId),
    /// The process is not as it would have to be.
    #[error("{0} is {1}")]
    Status(ProcessId, &'static str),
    /// No such message is under way, or another is before it on its stream.
    #[error("no such message from {from} to {to} can arrive")]
    NotUnderway {
        /// Its sender.
        from: ProcessId,
        /// Its receiver.
        to: ProcessId,
    },
    /// The timer is not armed.
    #[error("{0} has not armed that timer")]
    NotArmed(ProcessId),
    /// All records are durable.
    #[error("{0} has no record that is not durable")]
    NothingToSync(ProcessId),
}

/// A simulation that is driven step by step.
#[derive(Clone)]
pub struct Driven<P: Protocol> {
    sim: Simulation<P>,
    /// Messages under way, in the order of sending.
    underway: Vec<Event<P>>,
    /// Streams keep their order.
    fifo: bool,
}

impl<P: Protocol> Driven<P> {
    /// So many processes, of which none has started. Without `fifo`, streams deliver in any order, too.
    ///
    /// # Errors
    /// When there are none, or too many.
    pub fn new(processes: u32, config: impl Into<Arc<P::Config>>, fifo: bool) -> Result<Self, SetupError> {
        let setup = Setup { initial: 0, heap_only: true, ..Setup::new(processes, 0, config) };
        Ok(Self { sim: Simulation::new(setup)?, underway: Vec::new(), fifo })
    }

    /// The simulation: its processes, logs, counters and digest.
    pub const fn simulation(&self) -> &Simulation<P> {
        &self.sim
    }

    /// Messages under way, in the order of sending.
    pub fn underway(&self) -> impl Iterator<Item = (ProcessId, ProcessId, Channel, &P::Msg)> {
        self.underway.iter().filter_map(|event| {
            let (channel, msg) = message(event)?;
            Some((ProcessId(event.from), ProcessId(event.to), channel, msg))
        })
    }

    /// Puts a process where another run left it: its state, none if it is down, the timers that it has armed, and the
    /// records that are on its disk.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn place(
        &mut self,
        process: ProcessId,
        state: Option<P>,
        timers: &[P::Timer],
        log: &[P::Record],
    ) -> Result<(), ActError> {
        self.status(process)?;
        let slot = &mut self.sim.slots[process.index()];
        slot.own.status = if state.is_some() { Status::Up } else { Status::Down };
        slot.state = state;
        for timer in timers {
            let seq = slot.own.number();
            slot.own.timers.arm(timer.clone(), u64::MAX, seq);
        }
        if !log.is_empty() {
            let (log, durable) = (log.to_vec(), log.len());
            let survived = slot.state.is_none().then_some(durable);
            slot.own.disk = Some(Box::new(DiskState { log, durable, survived, ..DiskState::default() }));
        }
        Ok(())
    }

    /// Puts a message under way.
    ///
    /// # Errors
    /// When there is no such receiver.
    pub fn put(
        &mut self,
        (from, to): (ProcessId, ProcessId),
        channel: Channel,
        msg: P::Msg,
    ) -> Result<(), ActError> {
        self.status(to)?;
        let body = match channel {
            Channel::Stream => Body::Stream(msg),
            Channel::Datagram => Body::Datagram(msg),
        };
        self.underway.push(Event { at: 0, to: to.0, from: from.0, seq: 0, epoch: 0, body });
        Ok(())
    }

    /// Takes away messages that are under way, by their senders and receivers.
    pub fn lose(&mut self, is_lost: impl Fn(ProcessId, ProcessId) -> bool) {
        self.underway.retain(|event| !is_lost(ProcessId(event.from), ProcessId(event.to)));
    }

    /// Lets something happen, at an instant by which the acting process's clock stands; its handler is given `choices`, and
    /// draws by itself when they are used up.
    ///
    /// # Errors
    /// When it cannot happen; then nothing has.
    pub fn act(
        &mut self,
        now: Time,
        what: Act<P>,
        choices: &[u32],
        observer: &mut dyn Observer<P>,
    ) -> Result<(), ActError> {
        self.sim.core.sees_messages = observer.sees_messages();
        self.sim.core.script = Some(choices.iter().copied().collect::<VecDeque<u32>>());
        let done = self.perform(now.0, what, observer);
        self.sim.core.script = None;
        // Messages wait to be told; everything else is told by itself.
        while let Some(event) = self.sim.core.queue.pop_before(u64::MAX) {
            if matches!(event.body, Body::Stream(_) | Body::Datagram(_)) {
                self.underway.push(event);
            }
        }
        done
    }

    fn perform(&mut self, now: u64, what: Act<P>, observer: &mut dyn Observer<P>) -> Result<(), ActError> {
        match what {
            Act::Start { process } => self.start(now, process, observer),
            Act::Crash { process, memory, survivors } => self.crash(process, memory, survivors, observer),
            Act::Sync { process } => self.sync(now, process, observer),
            Act::Alter { from, to, msg, into } => self.alter((from, to), &msg, into),
            Act::Deliver { from, to, channel, msg } => {
                self.up(to)?;
                let place = self.message_at((from, to), channel, &msg)?;
                self.underway.remove(place);
                self.handle(now, to, observer, |state, cx| state.on_message(cx, from, msg));
                Ok(())
            }
            Act::Timer { process, timer } => {
                self.up(process)?;
                let own = &mut self.sim.slots[process.index()].own;
                if !own.timers.is_armed(&timer) {
                    return Err(ActError::NotArmed(process));
                }
                own.timers.disarm(&timer);
                self.sim.core.counters.timers += 1;
                self.handle(now, process, observer, |state, cx| state.on_timer(cx, timer));
                Ok(())
            }
            Act::Invoke { process, id, op } => {
                self.up(process)?;
                observer.on_invoke(Time(now), process, id, &op);
                self.sim.core.counters.ops += 1;
                self.handle(now, process, observer, |state, cx| state.on_op(cx, id, op));
                Ok(())
            }
            Act::Unreachable { process, peer } => {
                self.up(process)?;
                self.sim.core.streams.unwatch(process.0, peer.0);
                self.sim.core.counters.unreachable += 1;
                self.handle(now, process, observer, |state, cx| state.on_unreachable(cx, peer));
                Ok(())
            }
        }
    }

    fn handle(
        &mut self,
        now: u64,
        process: ProcessId,
        observer: &mut dyn Observer<P>,
        handler: impl FnOnce(&mut P, &mut isles_kernel::Cx<'_, P>),
    ) {
        let Simulation { config, slots, core, .. } = &mut self.sim;
        core.turn(now, process.0, Phase::Event);
        core.counters.events += 1;
        core.digest.fold(now, u64::from(process.0));
        act(&mut slots[process.index()], core, config, observer, handler);
    }

    fn status(&self, process: ProcessId) -> Result<Status, ActError> {
        let slot = self.sim.slots.get(process.index()).ok_or(ActError::Nobody(process))?;
        Ok(slot.own.status)
    }

    fn up(&self, process: ProcessId) -> Result<(), ActError> {
        match self.status(process)? {
            Status::Up => Ok(()),
            Status::NotStarted => Err(ActError::Status(process, "not started")),
            Status::Paused | Status::Down => Err(ActError::Status(process, "down")),
        }
    }

    /// Where a message is; of a stream that keeps its order, only if it is the first.
    fn message_at(
        &self,
        (from, to): (ProcessId, ProcessId),
        channel: Channel,
        msg: &P::Msg,
    ) -> Result<usize, ActError> {
        let error = ActError::NotUnderway { from, to };
        let ordered = self.fifo && channel == Channel::Stream;
        for (place, event) in self.underway.iter().enumerate() {
            let Some((travels, says)) = message(event) else { continue };
            if (event.from, event.to, travels) != (from.0, to.0, channel) {
                continue;
            }
            if says == msg {
                return Ok(place);
            }
            if ordered {
                return Err(error);
            }
        }
        Err(error)
    }

    fn start(
        &mut self,
        now: u64,
        process: ProcessId,
        observer: &mut dyn Observer<P>,
    ) -> Result<(), ActError> {
        match self.status(process)? {
            Status::Up | Status::Paused => return Err(ActError::Status(process, "up")),
            Status::NotStarted | Status::Down => {}
        }
        self.sim.core.turn(now, process.0, Phase::Start);
        let slot = &mut self.sim.slots[process.index()];
        if slot.state.is_some() {
            // It only stood still.
            slot.own.status = Status::Up;
            observer.on_start(Time(now), process);
        } else {
            self.sim.begin(process.0, observer);
        }
        Ok(())
    }

    fn crash(
        &mut self,
        process: ProcessId,
        memory: Memory,
        survivors: u32,
        observer: &mut dyn Observer<P>,
    ) -> Result<(), ActError> {
        self.up(process)?;
        let core = &mut self.sim.core;
        core.counters.crashes += 1;
        core.digest.fold(core.now, !u64::from(process.0));
        let slot = &mut self.sim.slots[process.index()];
        slot.own.status = Status::Down;
        if memory != Memory::Kept {
            slot.state = None;
            slot.own.timers.clear();
            if let Some(disk) = &mut slot.own.disk {
                let kept = (disk.log.len() - disk.durable).min(survivors as usize);
                disk.survived = Some(disk.durable + kept);
                if memory == Memory::Lost {
                    **disk = DiskState::default();
                }
            }
        }
        observer.on_crash(Time(self.sim.core.now), process);
        Ok(())
    }

    fn sync(&mut self, now: u64, process: ProcessId, observer: &mut dyn Observer<P>) -> Result<(), ActError> {
        self.up(process)?;
        let Simulation { slots, core, .. } = &mut self.sim;
        core.turn(now, process.0, Phase::System);
        let own = &mut slots[process.index()].own;
        let Some(disk) = own.disk.as_mut().filter(|disk| disk.durable < disk.log.len()) else {
            return Err(ActError::NothingToSync(process));
        };
        disk.durable += 1;
        disk.syncs += 1;
        core.counters.synced += 1;
        while let Some(disk) = &mut own.disk
            && disk.waiting.front().is_some_and(|(until, _)| *until <= disk.durable)
        {
            let Some((_, effect)) = disk.waiting.pop_front() else { break };
            Step { core, own, me: process.0, observer }.perform(effect);
        }
        Ok(())
    }

    fn alter(
        &mut self,
        ends: (ProcessId, ProcessId),
        msg: &P::Msg,
        into: Vec<P::Msg>,
    ) -> Result<(), ActError> {
        let datagram = self.message_at(ends, Channel::Datagram, msg);
        let place = datagram.or_else(|_| self.message_at(ends, Channel::Stream, msg))?;
        let event = self.underway.remove(place);
        let stream = matches!(event.body, Body::Stream(_));
        for msg in into.into_iter().rev() {
            let body = if stream { Body::Stream(msg) } else { Body::Datagram(msg) };
            self.underway.insert(place, Event { body, ..event.clone() });
        }
        Ok(())
    }
}

/// How a message travels, and what it says; none if the event is no message.
fn message<P: Protocol>(event: &Event<P>) -> Option<(Channel, &P::Msg)> {
    match &event.body {
        Body::Stream(msg) => Some((Channel::Stream, msg)),
        Body::Datagram(msg) => Some((Channel::Datagram, msg)),
        Body::Timer
        | Body::Op
        | Body::Unreachable
        | Body::Stalled
        | Body::Synced
        | Body::ChurnDown
        | Body::ChurnUp => None,
    }
}
