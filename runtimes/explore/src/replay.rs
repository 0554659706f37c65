//! Behaviours taken up again: replayed, shortened, written to a file and read from one.

use isles_kernel::{ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::explorer::Explorer;
use crate::local::Local;
use crate::property::{self, Property};
use crate::report::NO_PANIC;
use crate::space::code;
use crate::state::State;
use crate::trace::{Step, Trace};
use crate::view::View;

/// The first line of a file with a behaviour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always `isles-explore-trace`.
    pub format: String,
    /// Always 1.
    pub version: u32,
    /// The property that the behaviour decides.
    pub property: String,
    /// How many processes there are; of a moment of another run, one more than the highest.
    pub processes: u32,
    /// Which of the initial states it begins in.
    pub initial: u32,
    /// The step from which on it goes round a loop; the number of steps if it just ends.
    pub loop_start: usize,
}

/// The format's name.
const FORMAT: &str = "isles-explore-trace";

/// Behaviours with more processes are refused: pictures have a column for each.
const NAMED_MAX: usize = 500;

/// A longer line is refused before it is read as anything.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Why a text is no behaviour.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no first line.
    #[error("the text is empty: the first line must be a header, as `isles explore` writes it")]
    Empty,
    /// A line is too long.
    #[error("line {line} has {bytes} bytes: at most {LINE_BYTES_MAX}")]
    TooLong {
        /// Which, counted from 1.
        line: usize,
        /// How long it is.
        bytes: usize,
    },
    /// The first line is no header of this format.
    #[error("line 1: {0}")]
    Header(String),
    /// A line is no step of this protocol.
    #[error("line {line}: {why}; is it the same protocol?")]
    Step {
        /// Which, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a behaviour cannot be replayed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no such initial state.
    #[error(
        "there is no initial state {0}: processes, configuration and clients must be the same as when it was found"
    )]
    Initial(u32),
    /// A step is not possible where it stands.
    #[error("step {step} cannot happen there: {what}")]
    Impossible {
        /// Which, counted from 1.
        step: usize,
        /// What it would be.
        what: String,
    },
    /// It is possible and leads to something else than what is written.
    #[error("step {step} has another outcome than it had: {what}")]
    Differs {
        /// Which, counted from 1.
        step: usize,
        /// What it is.
        what: String,
    },
}

impl<P: Protocol> Trace<P> {
    /// The behaviour as JSON lines: a header, then a line for each step.
    ///
    /// # Panics
    /// When a `Serialize` implementation of the protocol's data fails by itself, which derived ones never do.
    pub fn to_lines(&self, property: &str, processes: u32) -> String {
        let header = Header {
            format: FORMAT.into(),
            version: 1,
            property: property.into(),
            processes,
            initial: self.initial,
            loop_start: self.loop_start,
        };
        let mut text = serde_json::to_string(&header).expect("plain data");
        text.push('\n');
        for step in &self.steps {
            text.push_str(&serde_json::to_string(step).expect("derived Serialize cannot fail"));
            text.push('\n');
        }
        text
    }

    /// Reads what [`to_lines`](Self::to_lines) wrote.
    ///
    /// # Errors
    /// When the text is no such behaviour, with the line.
    pub fn from_lines(text: &str) -> Result<(Header, Self), TraceError> {
        let mut lines = (1..).zip(text.lines());
        if let Some((line, long)) = lines.clone().find(|(_, line)| line.len() > LINE_BYTES_MAX) {
            return Err(TraceError::TooLong { line, bytes: long.len() });
        }
        let (_, first) = lines.next().ok_or(TraceError::Empty)?;
        let header: Header =
            serde_json::from_str(first).map_err(|error| TraceError::Header(error.to_string()))?;
        if header.format != FORMAT || header.version != 1 {
            let why = format!("{} {} is not {FORMAT} 1", header.format, header.version);
            return Err(TraceError::Header(why));
        }
        let step = |(line, text): (usize, &str)| {
            serde_json::from_str(text).map_err(|error| TraceError::Step { line, why: error.to_string() })
        };
        let steps: Vec<Step<P>> =
            lines.filter(|(_, line)| !line.is_empty()).map(step).collect::<Result<_, _>>()?;
        let beyond = |step: &Step<P>| step.what.named().find(|process| process.0 >= header.processes);
        if let Some((line, process)) = (2..).zip(&steps).find_map(|(line, step)| Some((line, beyond(step)?)))
        {
            let why = format!("there is no {process}: the header says {} processes", header.processes);
            return Err(TraceError::Step { line, why });
        }
        let mut named: Vec<ProcessId> = steps.iter().flat_map(|step| step.what.named()).collect();
        named.sort_unstable();
        named.dedup();
        if named.len() > NAMED_MAX {
            let why = format!("{} processes take part: at most {NAMED_MAX}", named.len());
            return Err(TraceError::Header(why));
        }
        if header.loop_start > steps.len() {
            let why = format!("a loop from step {} of {}", header.loop_start, steps.len());
            return Err(TraceError::Header(why));
        }
        let trace = Self { initial: header.initial, loop_start: header.loop_start, steps };
        Ok((header, trace))
    }
}

impl<P: Protocol + Sync> Explorer<P> {
    /// Replays a behaviour step by step, and says which properties its last state decides: by name, violated or reached.
    ///
    /// # Errors
    /// When a step is not possible, or has another outcome than is written.
    pub fn replay(&mut self, trace: &Trace<P>) -> Result<Vec<String>, ReplayError> {
        let initial = self.space.initial();
        let mut words =
            initial.get(trace.initial as usize).cloned().ok_or(ReplayError::Initial(trace.initial))?;
        for (number, step) in (1..).zip(&trace.steps) {
            let what = || format!("{:?}", step.what);
            let Some(action) = self.space.action_of(&words, step) else {
                return Err(ReplayError::Impossible { step: number, what: what() });
            };
            if self.space.describe(&words, action) != *step {
                return Err(ReplayError::Differs { step: number, what: what() });
            }
            words = self.space.after(&words, action);
        }
        Ok(self.decided(&words))
    }

    /// What each process chose when it started, in the initial state of that number: with it another runtime can begin
    /// alike. None if there is no such state, or it is a moment of another run.
    pub fn starts(&mut self, initial: u32) -> Option<Vec<Vec<u32>>> {
        if self.space.scenario.moment.is_some() {
            return None;
        }
        self.space.initial().get(initial as usize)?;
        let words = self.space.initial().swap_remove(initial as usize);
        let begun = self.space.state(&words).locals().to_vec();
        let mut starts = Vec::new();
        for (process, after) in (0..).map(ProcessId).zip(begun) {
            let before = self.space.local(Local::new(process));
            let (first, count) = self.space.known(|space| space.outcomes(before, code::START));
            let chosen = (first..first + count).find(|index| self.space.outcome(*index).local == after)?;
            starts.push(self.space.choices(chosen).to_vec());
        }
        Some(starts)
    }

    /// The properties that a state decides.
    fn decided(&self, words: &[u32]) -> Vec<String> {
        let state: State<'_> = self.space.state(words);
        let view = View::new(&self.space, state);
        let broken = self.space.broken[state.ledger() as usize];
        let decides = |(index, property): &(usize, &Property<P>)| match &property.kind {
            property::Kind::Always(test) => !test(&view),
            property::Kind::Never(test) | property::Kind::Reachable(test) => test(&view),
            property::Kind::History(_) => broken >> index & 1 == 1,
            property::Kind::Eventually(_) | property::Kind::LeadsTo(..) => false,
        };
        let properties = self.space.scenario.properties.iter().enumerate().filter(decides);
        let mut names: Vec<String> = properties.map(|(_, property)| property.name().to_owned()).collect();
        if state.locals().iter().any(|local| self.space.brief[*local as usize].panicked) {
            names.push(NO_PANIC.to_owned());
        }
        names
    }

    /// A behaviour that decides the same property, of which no single step can be left out: steps that are not possible
    /// without the one that was are left out with it. Loops are not shortened.
    ///
    /// # Errors
    /// When the behaviour cannot be replayed, as [`replay`](Self::replay) says.
    pub fn shorten(&mut self, trace: &Trace<P>, property: &str) -> Result<Trace<P>, ReplayError> {
        let decided = self.replay(trace)?;
        if trace.loop_start < trace.steps.len() || !decided.iter().any(|name| name == property) {
            return Ok(trace.clone());
        }
        let mut best = trace.clone();
        // Whole pieces first, then single steps until none can go.
        let mut size = best.steps.len() / 2;
        while size > 0 {
            let mut start = 0;
            let mut shrunk = false;
            while start < best.steps.len() {
                let end = best.steps.len().min(start + size);
                let rest: Vec<Step<P>> = [&best.steps[..start], &best.steps[end..]].concat();
                match self.attempt(best.initial, &rest, property) {
                    Some(shorter) if shorter.steps.len() < best.steps.len() => {
                        best = shorter;
                        shrunk = true;
                    }
                    _ => start += size,
                }
            }
            if !shrunk || size > 1 {
                size /= 2;
            }
        }
        Ok(best)
    }

    /// Takes those of the steps that are possible, until the property is decided.
    fn attempt(&mut self, initial: u32, steps: &[Step<P>], property: &str) -> Option<Trace<P>> {
        let mut words = self.space.initial().get(initial as usize)?.clone();
        let mut taken = Vec::new();
        let mut steps = steps.iter();
        while !self.decided(&words).iter().any(|name| name == property) {
            let step = steps.next()?;
            if let Some(action) = self.space.action_of(&words, step) {
                taken.push(self.space.describe(&words, action));
                words = self.space.after(&words, action);
            }
        }
        Some(Trace { initial, loop_start: taken.len(), steps: taken })
    }
}
