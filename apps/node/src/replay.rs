//! Recordings of processes that ran on sockets, made again in the simulator.
//!
//! Each input of a recording is given to the same protocol in a simulation that is driven step by step, at the instant and with the choices
//! that are recorded; what the process sends, answers and tells must then be the same to the byte. With the recordings of several
//! processes, what one of them received must moreover be what the simulation of its sender has sent.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use isles_kernel::{OpId, ProcessId, Protocol, Time};
use isles_net::recording::{self, Heading, RecordingError, Steps};
use isles_net::{Done, Input, Recorded};
use isles_quorum::store::Store;
use isles_sim::{Act, ActError, Driven, Memory, Observer, SetupError};

use crate::about::About;
use crate::run::PROTOCOL;

/// What was made again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Of how many processes.
    pub processes: u32,
    /// How often they started.
    pub starts: u64,
    /// Inputs.
    pub steps: u64,
    /// Of these, messages.
    pub messages: u64,
    /// Of these, messages that the simulation of their sender had sent.
    pub verified: u64,
    /// Operations.
    pub operations: u64,
}

/// Why a recording was not made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// Why.
        error: RecordingError,
    },
    /// Recordings that do not go together.
    #[error("{}: {what}", path.display())]
    Together {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The process does something else now.
    #[error("{}, step {step}: {process} does something else now than it did when it was recorded, at {input}", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// Which step of it, from 1 on.
        step: u64,
        /// Whose.
        process: ProcessId,
        /// The input.
        input: String,
    },
    /// A step is not possible.
    #[error("{}, step {step}: {why}, at {input}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// Which step of it.
        step: u64,
        /// Why not.
        why: ActError,
        /// The input.
        input: String,
    },
    /// Too many processes.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// What a step of the simulation did.
struct Seen<'o, P: Protocol> {
    done: Done,
    also: &'o mut dyn Observer<P>,
}

impl<P: Protocol> Observer<P> for Seen<'_, P> {
    fn sees_messages(&self) -> bool {
        true
    }
    fn on_send(&mut self, at: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &P::Msg) {
        self.done.send(to, msg);
        self.also.on_send(at, from, to, arrival, msg);
    }
    fn on_reply(&mut self, at: Time, process: ProcessId, id: OpId, reply: &P::Reply) {
        self.done.reply(id, reply);
        self.also.on_reply(at, process, id, reply);
    }
    fn on_event(&mut self, at: Time, process: ProcessId, event: &P::Event) {
        self.done.event(event);
        self.also.on_event(at, process, event);
    }
    fn on_invoke(&mut self, at: Time, process: ProcessId, id: OpId, op: &P::Op) {
        self.also.on_invoke(at, process, id, op);
    }
    fn on_crash(&mut self, at: Time, process: ProcessId) {
        self.also.on_crash(at, process);
    }
}

/// One process: its recordings, oldest first, and the step that is next.
struct Source<P: Protocol> {
    process: ProcessId,
    durable: bool,
    path: PathBuf,
    steps: Steps<P>,
    later: VecDeque<(PathBuf, Heading, Steps<P>, Recorded<P>)>,
    step: u64,
    next: Option<Recorded<P>>,
}

impl<P: Protocol> Source<P> {
    /// Moves to the next step: that of the next recording, where one ends.
    fn advance(&mut self) -> Result<(), ReplayError> {
        self.step += 1;
        let failed = |error| ReplayError::Recording { path: self.path.clone(), error };
        self.next = self.steps.next().transpose().map_err(failed)?;
        if self.next.is_none()
            && let Some((path, heading, steps, first)) = self.later.pop_front()
        {
            (self.path, self.durable, self.steps, self.step) = (path, heading.durable, steps, 1);
            self.next = Some(first);
        }
        Ok(())
    }
}

/// Makes again what was recorded, of one or more processes of one cluster; `config` makes their configuration from what the
/// recordings say of it, and `observer` looks on.
///
/// # Errors
/// When a recording is none, or something else comes out.
pub fn replay<P: Protocol>(
    paths: &[PathBuf],
    config: impl Into<Arc<P::Config>>,
    observer: &mut dyn Observer<P>,
) -> Result<Replayed, ReplayError> {
    let (mut sources, members) = open::<P>(paths)?;
    let mut driven = Driven::<P>::new(members, config, false)?;
    let recorded: Vec<bool> =
        (0..members).map(|id| sources.iter().any(|source| source.process.0 == id)).collect();
    let mut replayed = Replayed { processes: sources.len() as u32, ..Replayed::default() };
    loop {
        let mut order: Vec<usize> =
            (0..sources.len()).filter(|place| sources[*place].next.is_some()).collect();
        if order.is_empty() {
            return Ok(replayed);
        }
        order.sort_by_key(|place| sources[*place].next.as_ref().map(|step| step.now));
        let mut done = false;
        for place in &order {
            // A message waits until its sender has sent it.
            if perform(&mut driven, &sources[*place], &recorded, (&mut replayed, &mut *observer))? {
                sources[*place].advance()?;
                done = true;
                break;
            }
        }
        if !done {
            let source = &sources[order[0]];
            let input = source.next.as_ref().map(|step| format!("{:?}", step.input)).unwrap_or_default();
            let why =
                ActError::NotUnderway { from: sender(source).unwrap_or(source.process), to: source.process };
            return Err(ReplayError::Impossible { path: source.path.clone(), step: source.step, why, input });
        }
        driven.lose(|_, to| !recorded.get(to.index()).copied().unwrap_or(false));
    }
}

fn sender<P: Protocol>(source: &Source<P>) -> Option<ProcessId> {
    match &source.next.as_ref()?.input {
        Input::Message { from, .. } => Some(*from),
        Input::Start { .. }
        | Input::Timer { .. }
        | Input::Op { .. }
        | Input::Unreachable { .. }
        | Input::Durable { .. } => None,
    }
}

/// Whether a process was killed before it had written anything: then it did nothing that anybody knows.
fn is_empty(path: &std::path::Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() == 0)
}

/// Opens the recordings: a source for each process, and how many members there were.
fn open<P: Protocol>(paths: &[PathBuf]) -> Result<(Vec<Source<P>>, u32), ReplayError> {
    let mut all = Vec::new();
    for path in paths {
        let failed = |error| ReplayError::Recording { path: path.clone(), error };
        if is_empty(path) {
            continue;
        }
        let (heading, mut steps) = Steps::<P>::open(path).map_err(failed)?;
        if let Some(first) = steps.next().transpose().map_err(failed)? {
            all.push((path.clone(), heading, steps, first));
        }
    }
    all.sort_by_key(|(_, heading, _, first)| (heading.me, first.now));
    let mut sources: Vec<Source<P>> = Vec::new();
    let mut of: Option<(u32, String, serde_json::Value)> = None;
    for (path, heading, steps, first) in all {
        let same = (heading.members, heading.protocol.clone(), heading.about.clone());
        if *of.get_or_insert_with(|| same.clone()) != same {
            let what = "it is of another cluster than the recording before it".to_owned();
            return Err(ReplayError::Together { path, what });
        }
        if !matches!(first.input, Input::Start { .. }) {
            let what = "its first step is not the start of a process".to_owned();
            return Err(ReplayError::Together { path, what });
        }
        let process = ProcessId(heading.me);
        match sources.last_mut().filter(|last| last.process == process) {
            Some(last) => last.later.push_back((path, heading, steps, first)),
            None => sources.push(Source {
                process,
                durable: heading.durable,
                path,
                steps,
                later: VecDeque::new(),
                step: 1,
                next: Some(first),
            }),
        }
    }
    Ok((sources, of.map_or(0, |(members, ..)| members)))
}

/// Lets the next step of a source happen. False if it cannot yet, since its sender has not sent it.
fn perform<P: Protocol>(
    driven: &mut Driven<P>,
    source: &Source<P>,
    recorded: &[bool],
    (replayed, observer): (&mut Replayed, &mut dyn Observer<P>),
) -> Result<bool, ReplayError> {
    let Some(step) = &source.next else { return Ok(false) };
    let process = source.process;
    let input = || {
        let mut text = format!("{:?}", step.input);
        text.truncate(text.char_indices().nth(400).map_or(text.len(), |(end, _)| end));
        text
    };
    let impossible =
        |why| ReplayError::Impossible { path: source.path.clone(), step: source.step, why, input: input() };
    let mut seen = Seen { done: Done::default(), also: observer };
    let act = match &step.input {
        Input::Start { log } => {
            if replayed.starts > 0 && driven.simulation().process(process).is_some() {
                let crash = Act::Crash { process, memory: Memory::Lost, survivors: 0 };
                driven.act(step.now, crash, &[], &mut seen).map_err(impossible)?;
            }
            driven.place(process, None, &[], log).map_err(impossible)?;
            replayed.starts += 1;
            Act::Start { process }
        }
        Input::Message { from, channel, msg } => {
            let verified = *from == process || recorded.get(from.index()).copied().unwrap_or(false);
            if !verified {
                driven.put((*from, process), *channel, msg.clone()).map_err(impossible)?;
            }
            replayed.verified += u64::from(verified);
            replayed.messages += 1;
            Act::Deliver { from: *from, to: process, channel: *channel, msg: msg.clone() }
        }
        Input::Timer { timer } => Act::Timer { process, timer: timer.clone() },
        Input::Op { id, op } => {
            replayed.operations += 1;
            Act::Invoke { process, id: *id, op: op.clone() }
        }
        Input::Unreachable { peer } => Act::Unreachable { process, peer: *peer },
        Input::Durable { records } => {
            for _ in 1..*records {
                driven.act(step.now, Act::Sync { process }, &[], &mut seen).map_err(impossible)?;
            }
            Act::Sync { process }
        }
    };
    match driven.act(step.now, act, &step.choices, &mut seen) {
        Ok(()) => {}
        Err(ActError::NotUnderway { .. }) => {
            replayed.messages -= 1;
            replayed.verified -= 1;
            return Ok(false);
        }
        Err(why) => return Err(impossible(why)),
    }
    if !source.durable {
        // Without a barrier, records count as durable at once.
        while driven.act(step.now, Act::Sync { process }, &[], &mut seen).is_ok() {}
    }
    replayed.steps += 1;
    if seen.done.digest() == step.done {
        return Ok(true);
    }
    Err(ReplayError::Differs { path: source.path.clone(), step: source.step, process, input: input() })
}

/// Makes again what nodes recorded, with the store as it was configured then.
///
/// # Errors
/// When a recording is none of a node, or something else comes out.
pub fn replay_store(paths: &[PathBuf], observer: &mut dyn Observer<Store>) -> Result<Replayed, ReplayError> {
    let Some(path) = paths.iter().find(|path| !is_empty(path)) else { return Ok(Replayed::default()) };
    let together = |what: String| ReplayError::Together { path: path.clone(), what };
    let heading =
        recording::heading(path).map_err(|error| ReplayError::Recording { path: path.clone(), error })?;
    if heading.protocol != PROTOCOL {
        return Err(together(format!("it is of '{}'; this isles replays '{PROTOCOL}'", heading.protocol)));
    }
    let about: About = serde_json::from_value(heading.about)
        .map_err(|error| together(format!("its heading does not tell the configuration: {error}")))?;
    let config = about.store().map_err(|error| together(error.to_string()))?;
    replay(paths, config, observer)
}
