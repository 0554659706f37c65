//! What an exploration made use of, and what it never came to.

use std::fmt;

use isles_kernel::{Protocol, kinds, meter};
use serde::Serialize;

use crate::local::{Input, Local, Outward, Ran};
use crate::space::Space;

/// What something is that a handler takes or gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// A message that arrives.
    Message,
    /// A timer that fires.
    Timer,
    /// A client's operation.
    Operation,
    /// A fault, or what follows from one: a crash, a start, a broken stream, a record that becomes durable.
    Fault,
    /// A message that is sent.
    Sent,
    /// An answer to a client.
    Reply,
    /// A record that is written.
    Record,
    /// An event that is emitted.
    Event,
}

impl Sort {
    /// How it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Timer => "timer",
            Self::Operation => "operation",
            Self::Fault => "fault",
            Self::Sent => "sent",
            Self::Reply => "reply",
            Self::Record => "record",
            Self::Event => "event",
        }
    }

    /// Handlers take it; if not, they give it.
    pub const fn is_input(self) -> bool {
        matches!(self, Self::Message | Self::Timer | Self::Operation | Self::Fault)
    }
}

/// How one kind of thing was met.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Covered {
    /// What it is.
    pub sort: Sort,
    /// Its variant, as the meter names it.
    pub kind: String,
    /// Different steps with it: pairs of a local state and an input, each once however often it was taken.
    pub steps: u64,
    /// Of inputs: steps in which it changed nothing and nothing came of it.
    pub idle: u64,
}

/// Which messages, timers, operations, answers, records and events there are, and how often each was met.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coverage {
    /// In order of [`Sort`], then of variants.
    pub rows: Vec<Covered>,
}

impl Coverage {
    /// What was never met.
    pub fn never(&self) -> impl Iterator<Item = &Covered> {
        self.rows.iter().filter(|row| row.steps == 0)
    }

    /// Inputs that were met, and never made a difference.
    pub fn ignored(&self) -> impl Iterator<Item = &Covered> {
        self.rows.iter().filter(|row| row.sort.is_input() && row.steps > 0 && row.idle == row.steps)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.kind.len()).max().unwrap_or(0);
        for (number, row) in self.rows.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{:<10} {:<width$} ", row.sort.name(), row.kind)?;
            match (row.steps, row.idle) {
                (0, _) => write!(f, "never")?,
                (steps, idle) if row.sort.is_input() && idle == steps => {
                    write!(f, "{steps} steps, always without effect")?;
                }
                (steps, 0) => write!(f, "{steps} steps")?,
                (steps, idle) => write!(f, "{steps} steps, {idle} without effect")?,
            }
        }
        Ok(())
    }
}

/// Counts by kind. Kinds are few, and rows are found by number.
#[derive(Debug, Default)]
struct Kinds {
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    /// Empty until it is met.
    name: String,
    steps: u64,
    idle: u64,
}

impl Kinds {
    fn note<T: Serialize>(&mut self, value: &T, idle: bool) {
        let (kind, _) = meter::measure(value);
        if self.rows.len() <= kind.index() {
            self.rows.resize(kind.index() + 1, Row::default());
        }
        let row = &mut self.rows[kind.index()];
        if row.steps == 0 {
            row.name = meter::name(value);
        }
        row.steps += 1;
        row.idle += u64::from(idle);
    }

    /// All that there are by their names, and those that were met under another.
    fn told(&self, sort: Sort, names: Vec<String>, rows: &mut Vec<Covered>) {
        let met = |name: &str| self.rows.iter().find(|row| row.steps > 0 && row.name == name);
        for kind in &names {
            let Row { steps, idle, .. } = met(kind).cloned().unwrap_or_default();
            rows.push(Covered { sort, kind: kind.clone(), steps, idle });
        }
        for Row { name, steps, idle } in &self.rows {
            if *steps > 0 && !names.contains(name) {
                rows.push(Covered { sort, kind: name.clone(), steps: *steps, idle: *idle });
            }
        }
    }
}

/// Faults by their places in a table.
const FAULTS: [&str; 4] = ["restart", "crash", "broken stream", "durable record"];

/// What handlers took and gave so far, in different steps.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: Kinds,
    timers: Kinds,
    operations: Kinds,
    faults: [u64; FAULTS.len()],
    sent: Kinds,
    replies: Kinds,
    records: Kinds,
    events: Kinds,
}

impl Tally {
    /// Notes a step with all its outcomes.
    pub(crate) fn note<P: Protocol>(&mut self, before: &Local<P>, input: Input<'_, P>, outcomes: &[Ran<P>]) {
        let idle = || outcomes.iter().all(|ran| !ran.acted && ran.local.state == before.state);
        match input {
            Input::Message { msg, .. } => self.messages.note(msg, idle()),
            Input::Timer(place) => self.timers.note(&before.timers[place], idle()),
            Input::Op { op, .. } => self.operations.note(op, idle()),
            // The first start is none.
            Input::Start => self.faults[0] += u64::from(before.crashes > 0),
            Input::Crash { .. } => self.faults[1] += 1,
            Input::Unreachable(_) => self.faults[2] += 1,
            Input::Sync => self.faults[3] += 1,
        }
        for ran in outcomes {
            for outward in &ran.outward {
                match outward {
                    Outward::Send { msg, .. } => self.sent.note(msg, false),
                    Outward::Reply { reply, .. } => self.replies.note(reply, false),
                    Outward::Watch(_) => {}
                }
            }
            for record in ran.local.log.iter().skip(before.log.len()) {
                self.records.note(record, false);
            }
            for event in &ran.events {
                self.events.note(event, false);
            }
        }
    }

    pub(crate) fn coverage<P: Protocol>(&self, space: &Space<P>) -> Coverage {
        let mut rows = Vec::new();
        self.messages.told(Sort::Message, kinds::names::<P::Msg>(), &mut rows);
        self.timers.told(Sort::Timer, kinds::names::<P::Timer>(), &mut rows);
        // What nobody does cannot be met.
        if !space.scenario.clients.is_empty() {
            self.operations.told(Sort::Operation, kinds::names::<P::Op>(), &mut rows);
        }
        for (kind, steps) in FAULTS.iter().zip(self.faults) {
            if steps > 0 {
                rows.push(Covered { sort: Sort::Fault, kind: (*kind).to_owned(), steps, idle: 0 });
            }
        }
        self.sent.told(Sort::Sent, kinds::names::<P::Msg>(), &mut rows);
        if !space.scenario.clients.is_empty() {
            self.replies.told(Sort::Reply, kinds::names::<P::Reply>(), &mut rows);
        }
        self.records.told(Sort::Record, kinds::names::<P::Record>(), &mut rows);
        self.events.told(Sort::Event, kinds::names::<P::Event>(), &mut rows);
        Coverage { rows }
    }
}
