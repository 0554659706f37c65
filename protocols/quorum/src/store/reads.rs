//! Reads of one key in one round. Gifford 1979, section 3: a read quorum meets every write quorum, and the newest version counts.

use std::sync::Arc;

use isles_kernel::{Cx, OpId, Payload, ProcessId, Span};

use super::Store;
use super::command::{Answer, Command, Version};
use super::coordinator::{Purpose, is_ambiguous};
use super::message::{Event, Msg, State, Timer, Write};
use super::{Reply, apply};

/// A read under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Getting {
    id: OpId,
    key: Payload,
    /// Of how many replicas answers are needed.
    need: u32,
    replicas: Vec<ProcessId>,
    states: Vec<(ProcessId, State)>,
    /// Whose streams broke since they were asked last.
    lost: Vec<ProcessId>,
    /// How often the replicas were asked.
    attempts: u32,
}

impl Store {
    /// Asks all replicas of a key.
    pub(super) fn get(&mut self, cx: &mut Cx<'_, Self>, id: OpId, key: Payload) {
        let replicas = cx.config().replicas(&key);
        let need = cx.config().keyspace(&key).r;
        let request = self.next_slot(cx);
        let (states, lost) = (Vec::new(), Vec::new());
        let getting =
            Getting { id, key: key.clone(), need, replicas: replicas.clone(), states, lost, attempts: 1 };
        self.gets.insert(request, getting);
        cx.arm(Timer::Deadline(request), cx.config().patience);
        for replica in replicas {
            self.send(cx, replica, Msg::Read { request, key: key.clone() });
        }
    }

    /// A replica answered.
    pub(super) fn on_value(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, request: u64, state: State) {
        let Some(getting) = self.gets.get_mut(&request) else { return };
        if !getting.replicas.contains(&from) || getting.states.iter().any(|(who, _)| *who == from) {
            return;
        }
        getting.lost.retain(|who| *who != from);
        getting.states.push((from, state));
        if getting.states.len() < getting.need as usize {
            return;
        }
        let Some(getting) = self.gets.remove(&request) else { return };
        cx.disarm(Timer::Deadline(request));
        cx.disarm(Timer::Retry(request));
        let Getting { id, key, states, .. } = getting;
        if is_ambiguous(states.iter().map(|(_, state)| state)) {
            let commands: Arc<[Command]> = [Command::Get { key }].into();
            return self.begin(cx, Purpose::Refresh(id), commands, [].into());
        }
        let known = states.iter().filter(|(_, state)| !state.is_absent);
        let Some((_, newest)) = known.max_by_key(|(_, state)| state.version) else {
            return cx.reply(id, Reply::One(Answer::Entry(None, Version(0))));
        };
        let live = newest.entry.as_ref().filter(|entry| apply::is_live(entry, cx.now()));
        let version = if live.is_some() { newest.version } else { Version(0) };
        cx.reply(id, Reply::One(Answer::Entry(live.cloned(), version)));
        let write = Write { key, entry: newest.entry.clone(), version: newest.version };
        let behind = |state: &State| state.version < write.version;
        let replicas: Vec<ProcessId> =
            states.iter().filter(|(_, state)| behind(state)).map(|(who, _)| *who).collect();
        for replica in replicas {
            cx.emit(Event::Repaired { replica });
            self.send(cx, replica, Msg::Repair(write.clone()));
        }
    }

    /// The streams to these replicas broke: what they were asked, they may not have got.
    pub(super) fn reads_lost(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let (pause, attempts_max) = (cx.config().pause, cx.config().attempts_max);
        for (request, getting) in &mut self.gets {
            let waits =
                getting.replicas.contains(&peer) && getting.states.iter().all(|(who, _)| *who != peer);
            if waits && !getting.lost.contains(&peer) {
                getting.lost.push(peer);
                let cannot = getting.replicas.len() - getting.lost.len() < getting.need as usize;
                if cannot && getting.attempts < attempts_max {
                    cx.arm(
                        Timer::Retry(*request),
                        Span::nanos(pause.times(u64::from(getting.attempts)).0.max(1)),
                    );
                }
            }
        }
    }

    /// Those who were lost are asked again.
    pub(super) fn read_again(&mut self, cx: &mut Cx<'_, Self>, request: u64) {
        let Some(getting) = self.gets.get_mut(&request) else { return };
        getting.attempts += 1;
        let (key, lost) = (getting.key.clone(), std::mem::take(&mut getting.lost));
        for replica in lost {
            self.send(cx, replica, Msg::Read { request, key: key.clone() });
        }
    }

    /// The patience with a read is at its end.
    pub(super) fn read_is_late(&mut self, cx: &mut Cx<'_, Self>, request: u64) {
        if let Some(getting) = self.gets.remove(&request) {
            cx.disarm(Timer::Retry(request));
            cx.reply(getting.id, Reply::Refused);
        }
    }
}
