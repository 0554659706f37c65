//! Starting, crashing, and everything else that happens to a process from outside.

use isles_kernel::{Cx, ProcessId, Protocol, Time, random};

use crate::core::{Core, Phase, Step};
use crate::counters::Lost;
use crate::event::{Body, Event};
use crate::fault::{Boundary, Cut, Fault, Memory, Strike, Who, resolve, resolve_groups};
use crate::link::Detection;
use crate::observer::Observer;
use crate::process::{DiskState, Status, next};
use crate::simulation::Simulation;

/// Words that address draws.
const SESSION: u64 = 0x73_6573_7369_6f6e;
const DOWNTIME: u64 = 0x646f_776e_7469_6d65;
const TORN: u64 = 0x746f_726e;

impl<P: Protocol> Simulation<P> {
    pub(crate) fn first_start(&mut self, process: u32, observer: &mut dyn Observer<P>) {
        if self.slots[process as usize].own.status == Status::NotStarted {
            self.begin(process, observer);
        }
    }

    /// Starts a process with what its disk holds.
    pub(crate) fn begin(&mut self, process: u32, observer: &mut dyn Observer<P>) {
        self.core.turn(self.core.now, process, Phase::Start);
        self.core.set_down(process, false);
        self.core.digest.fold(self.core.now, u64::from(process));
        let Self { config, slots, core, .. } = self;
        let slot = &mut slots[process as usize];
        slot.own.status = Status::Up;
        slot.own.epoch = core.epoch;
        slot.own.timers.clear();
        // Taken out so that the protocol may persist while it reads what was persisted.
        let log = slot.own.disk.as_mut().map(|disk| disk.recover()).unwrap_or_default();
        observer.on_start(Time(core.now), ProcessId(process));
        let now = core.local(process);
        let mut step = Step { core, own: &mut slot.own, me: process, observer };
        let state = P::start(&mut Cx::new(ProcessId(process), now, &**config, &mut step), &log);
        slot.state = Some(state);
        if let Some(disk) = &mut slot.own.disk {
            let recovered = log.len();
            let begun = std::mem::replace(&mut disk.log, log);
            disk.log.extend(begun);
            disk.durable = recovered;
            disk.writing = disk.writing.map(|count| count + recovered);
            for (until, _) in &mut disk.waiting {
                *until += recovered;
            }
        }
        self.expect_churn(process);
    }

    /// The session of a process that just started will end, if there is churn.
    fn expect_churn(&mut self, process: u32) {
        let Some(churn) = &self.churn else { return };
        if process < churn.stable {
            return;
        }
        let begin = self.core.now.max(churn.from.0);
        let bits = random::draw(self.core.seed, &[SESSION, u64::from(process), self.core.now]);
        let at = begin.saturating_add(churn.session.sample(bits).0.max(1));
        if at < churn.until.0 {
            let seq = self.slots[process as usize].own.number();
            self.core.schedule(at, process, seq, Body::ChurnDown);
        }
    }

    pub(crate) fn churn_down(&mut self, process: ProcessId, observer: &mut dyn Observer<P>) {
        self.crash(process.0, None, observer);
        let Some(churn) = &self.churn else { return };
        let bits = random::draw(self.core.seed, &[DOWNTIME, u64::from(process.0), self.core.now]);
        let at = self.core.now.saturating_add(churn.downtime.sample(bits).0.max(1));
        let seq = self.slots[process.index()].own.number();
        self.core.schedule(at, process.0, seq, Body::ChurnUp);
    }

    /// Something happens to a process that does not run.
    pub(crate) fn arrive_in_vain(&mut self, event: Event<P>) {
        let own = &mut self.slots[event.to as usize].own;
        if matches!(event.body, Body::Timer)
            && let Some((due, seq)) = own.timers.postponed(event.seq)
        {
            return self.core.queue.push(Event { at: due.max(event.at), seq, ..event });
        }
        if own.status == Status::Paused {
            self.held.get_or_insert_with(event.to, Vec::new).push(event);
        } else {
            self.fall_away(event);
        }
    }

    /// Something happens to a process that is down.
    fn fall_away(&mut self, event: Event<P>) {
        let own = &self.slots[event.to as usize].own;
        match event.body {
            Body::Stream(_) => {
                self.core.counters.lose(Lost::Down);
                self.refuse(event.from, event.epoch, event.to);
            }
            Body::Datagram(_) => self.core.counters.lose(Lost::Down),
            Body::ChurnUp if event.epoch >= own.epoch => self.returning.push(event.to),
            Body::Op => {
                self.ops.remove(event.seq);
            }
            Body::Unreachable => self.core.streams.forget(event.to, event.from, event.seq),
            // A timer stays armed: a restart from memory finds it overdue.
            Body::Timer | Body::Stalled | Body::Synced | Body::ChurnDown | Body::ChurnUp => {}
        }
    }

    pub(crate) fn crash(&mut self, process: u32, survivors: Option<u32>, observer: &mut dyn Observer<P>) {
        let Self { slots, core, .. } = self;
        let own = &mut slots[process as usize].own;
        if !matches!(own.status, Status::Up | Status::Paused) {
            return;
        }
        own.status = Status::Down;
        core.epoch += 1;
        core.counters.crashes += 1;
        core.set_down(process, true);
        core.digest.fold(core.now, !u64::from(process));
        if let Some(disk) = &mut own.disk {
            let unsynced = disk.log.len() - disk.durable;
            let kept = match survivors {
                Some(survivors) => unsynced.min(survivors as usize),
                None if self.disk.torn => {
                    let bits = random::draw(core.seed, &[TORN, u64::from(process), core.now]);
                    random::below(bits, unsynced as u32 + 1) as usize
                }
                None => 0,
            };
            disk.survived = Some(disk.durable + kept);
        }
        for event in self.held.remove(process).unwrap_or_default() {
            self.fall_away(event);
        }
        self.end_streams(process);
        observer.on_crash(Time(self.core.now), ProcessId(process));
        if self.core.wire.links.detection == Detection::Immediate {
            self.tell_watchers(process);
        }
    }

    pub(crate) fn restart(&mut self, process: u32, memory: Memory, observer: &mut dyn Observer<P>) {
        let own = &mut self.slots[process as usize].own;
        match own.status {
            Status::Up | Status::Paused => return,
            Status::NotStarted => return self.begin(process, observer),
            Status::Down => {}
        }
        self.core.epoch += 1;
        self.core.counters.restarts += 1;
        // Streams to the process that died are answered by one that does not know them.
        self.tell_watchers(process);
        match memory {
            Memory::Kept => self.continue_from_memory(process, observer),
            Memory::Disk => self.begin(process, observer),
            Memory::Lost => {
                if let Some(disk) = &mut self.slots[process as usize].own.disk {
                    **disk = DiskState { syncs: disk.syncs, ..DiskState::default() };
                }
                self.begin(process, observer);
            }
        }
    }

    fn continue_from_memory(&mut self, process: u32, observer: &mut dyn Observer<P>) {
        let core = &mut self.core;
        core.turn(core.now, process, Phase::Start);
        core.set_down(process, false);
        core.digest.fold(core.now, u64::from(process));
        let own = &mut self.slots[process as usize].own;
        own.status = Status::Up;
        let before = std::mem::replace(&mut own.epoch, core.epoch);
        let seq = &mut own.seq;
        for seq in own.timers.overdue(core.now, || next(seq)) {
            let (at, epoch) = (core.now.saturating_add(1), core.epoch);
            core.queue.push(Event { at, to: process, from: process, seq, epoch, body: Body::Timer });
        }
        observer.on_start(Time(core.now), ProcessId(process));
        if let Some(disk) = &mut own.disk {
            disk.survived = None;
            disk.writing = None;
            if disk.durable < disk.log.len() {
                Step { core, own, me: process, observer }.write();
            }
        }
        self.lose_watched(process, before);
        self.expect_churn(process);
    }

    /// Brings back the processes whose downtime is over.
    pub(crate) fn bring_back(&mut self, observer: &mut dyn Observer<P>) {
        while let Some(process) = self.returning.pop() {
            let memory = self.churn.as_ref().map_or(Memory::Disk, |churn| churn.memory);
            self.restart(process, memory, observer);
        }
    }

    pub(crate) fn befall(&mut self, fault: Fault, observer: &mut dyn Observer<P>) {
        match fault {
            Fault::Crash(who) => {
                for process in self.chosen(&who, &[Status::Up, Status::Paused]) {
                    self.crash(process, None, observer);
                }
            }
            Fault::CrashAt { process, boundary, survivors } => {
                self.core.crash_points.push((process, boundary, survivors));
            }
            Fault::Restart { who, memory } => {
                for process in self.chosen(&who, &[Status::Down, Status::NotStarted]) {
                    self.restart(process, memory, observer);
                }
            }
            Fault::Pause(who) => {
                for process in self.chosen(&who, &[Status::Up]) {
                    self.slots[process as usize].own.status = Status::Paused;
                }
            }
            Fault::Resume(who) => {
                for process in self.chosen(&who, &[Status::Paused]) {
                    self.resume(process, observer);
                }
            }
            Fault::Partition(groups) => {
                let Core { seed, now, processes, .. } = self.core;
                let region = |process| self.core.region(process);
                let groups = resolve_groups(&groups, seed, now, processes, region);
                self.cut(Cut::new(self.core.processes, &groups, false));
            }
            Fault::Mute(who) => {
                let muted = self.members(&who);
                self.cut(Cut::new(self.core.processes, &[muted], true));
            }
            Fault::Heal => self.heal(),
            Fault::Loss(probability) => self.core.wire.set_loss(probability),
            Fault::Clock { who, step, drift_ppb } => {
                let count = self.core.processes as usize;
                self.core.clocks.resize(count, crate::clock::Clock::default());
                for process in self.members(&who) {
                    let clock = &mut self.core.clocks[process as usize];
                    *clock = clock.adjusted(self.core.now, step, drift_ppb);
                }
            }
        }
    }

    /// The processes that `who` means among those with one of these statuses.
    fn chosen(&self, who: &Who, statuses: &[Status]) -> Vec<u32> {
        let candidates: Vec<u32> = (0..self.core.processes)
            .filter(|process| statuses.contains(&self.slots[*process as usize].own.status))
            .collect();
        resolve(who, self.core.seed, self.core.now, &candidates, |process| self.core.region(process))
    }

    /// The processes that `who` means among all.
    fn members(&self, who: &Who) -> Vec<u32> {
        self.chosen(who, &[Status::NotStarted, Status::Up, Status::Paused, Status::Down])
    }

    fn resume(&mut self, process: u32, observer: &mut dyn Observer<P>) {
        self.slots[process as usize].own.status = Status::Up;
        for mut event in self.held.remove(process).unwrap_or_default() {
            event.at = self.core.now;
            self.core.turn(event.at, process, Phase::Resume);
            match self.slots[process as usize].own.status {
                Status::Up => self.handle(event, observer),
                // It crashed at what came before.
                Status::Down | Status::Paused | Status::NotStarted => self.arrive_in_vain(event),
            }
        }
        self.bring_back(observer);
    }

    /// The disk of `me` finished a write: what waited for it happens.
    pub(crate) fn synced(&mut self, me: ProcessId, observer: &mut dyn Observer<P>) {
        let Self { slots, core, .. } = self;
        let own = &mut slots[me.index()].own;
        let Some(disk) = &mut own.disk else { return };
        let Some(written) = disk.writing.take() else { return };
        let sync = disk.syncs;
        let unsynced = disk.log.len() - disk.durable;
        if let Some(survivors) = core.crash_point(me, Boundary::BeforeSync(sync), unsynced) {
            return self.crash(me.0, Some(survivors), observer);
        }
        disk.syncs += 1;
        core.counters.synced += (written - disk.durable) as u64;
        disk.durable = written;
        let unsynced = disk.log.len() - disk.durable;
        if let Some(survivors) = core.crash_point(me, Boundary::AfterSync(sync), unsynced) {
            return self.crash(me.0, Some(survivors), observer);
        }
        while let Some(disk) = &mut own.disk
            && disk.waiting.front().is_some_and(|(until, _)| *until <= disk.durable)
        {
            let Some((_, effect)) = disk.waiting.pop_front() else { break };
            Step { core, own, me: me.0, observer }.perform(effect);
        }
        if own.disk.as_ref().is_some_and(|disk| disk.durable < disk.log.len()) {
            Step { core, own, me: me.0, observer }.write();
        }
    }
}

impl<P: Protocol> Core<P> {
    /// Whether the process is to crash here, and how many of the unsynced records survive. Each point serves once.
    fn crash_point(&mut self, process: ProcessId, boundary: Boundary, unsynced: usize) -> Option<u32> {
        let index = self.crash_points.iter().position(|(at, when, _)| *at == process && *when == boundary)?;
        self.strikes.push(Strike { process, boundary, unsynced: unsynced as u32 });
        Some(self.crash_points.swap_remove(index).2)
    }
}
