//! Pairs the entries of a history: each invocation with what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::{Actor, Event, Kind, Moment, ReadError, Value};

/// An operation as a file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The client, numbered from 0 in the order of their first operations. One whose operation stayed unknown goes on as another.
    pub session: u32,
    /// What the file calls the client; `None` if it does not name it. Each operation of such a client has a session of its own.
    pub process: Option<u64>,
    /// When it was invoked, in the order of the file.
    pub invoked: Moment,
    /// When it returned; [`Moment::MAX`] if it did not, or if nobody knows what came of it.
    pub returned: Moment,
    /// The nanoseconds at which it was invoked and returned at the earliest and at the latest, where the file says so;
    /// see [`Event::uncertainty`].
    pub clock: Option<(Moment, Moment)>,
    /// [`Kind::Ok`], [`Kind::Fail`], or [`Kind::Info`] if nobody knows.
    pub kind: Kind,
    /// Which operation.
    pub function: Arc<str>,
    /// Of which object, where the format keeps it apart.
    pub key: Option<Value>,
    /// What was asked.
    pub asked: Value,
    /// What was answered; [`Value::Nil`] if nothing was.
    pub answered: Value,
    /// The lines of the invocation and, if there is one, of the completion.
    pub lines: (u64, Option<u64>),
}

/// What a nemesis did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// When, in the order of the file.
    pub at: Moment,
    /// When, in nanoseconds, where the file says so.
    pub time: Option<Moment>,
    /// Who.
    pub by: Arc<str>,
    /// What.
    pub what: Arc<str>,
    /// More about it.
    pub value: Value,
}

/// Faults kept of a history at most; the others are counted.
pub const FAULTS_MAX: usize = 10_000;

/// An operation that is open.
#[derive(Debug)]
struct Open {
    session: u32,
    process: Option<u64>,
    invoked: Moment,
    earliest: Option<Moment>,
    function: Arc<str>,
    key: Option<Value>,
    asked: Value,
    line: u64,
}

/// The operations of a history, in the order of their completions; those that never return come last, in the order of their
/// invocations. Holds only what is open.
///
/// Whatever happens at one instant overlaps: of entries with the same time, the invocations come first.
///
/// ```
/// use isles_history::{Calls, Kind, Reading, read};
///
/// let text = "{:process 0, :type :invoke, :f :write, :value 3}
///             {:process 1, :type :invoke, :f :read, :value nil}
///             {:process 1, :type :ok, :f :read, :value 3}";
/// let Reading::Events(events) = read(text.as_bytes(), None)? else { panic!("these are operations") };
/// let calls: Vec<_> = Calls::new(events).collect::<Result<_, _>>()?;
/// assert_eq!((&*calls[0].function, calls[0].kind), ("read", Kind::Ok));
/// assert_eq!((&*calls[1].function, calls[1].kind), ("write", Kind::Info));
/// # Ok::<(), isles_history::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Calls<I> {
    events: I,
    /// Where the next entry stands in the order.
    next: Moment,
    /// By the name of the operation, or of the client.
    open: HashMap<Name, Open, FxBuildHasher>,
    unnamed: Vec<Open>,
    /// The session of each client.
    sessions: HashMap<u64, u32, FxBuildHasher>,
    sessions_count: u32,
    faults: Vec<Fault>,
    faults_count: u64,
    /// Completions at the instant of the last entry, and that instant.
    waiting: Vec<Event>,
    instant: Option<Moment>,
    /// An entry of a later instant, read already.
    ahead: Option<Event>,
    /// What never returned, at the end.
    left: Option<std::vec::IntoIter<Open>>,
    failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Name {
    Id(u64),
    Client(u64),
}

impl<I: Iterator<Item = Result<Event, ReadError>>> Calls<I> {
    /// Pairs these entries.
    pub fn new(events: I) -> Self {
        Self {
            events,
            next: 0,
            open: HashMap::default(),
            unnamed: Vec::new(),
            sessions: HashMap::default(),
            sessions_count: 0,
            faults: Vec::new(),
            faults_count: 0,
            waiting: Vec::new(),
            instant: None,
            ahead: None,
            left: None,
            failed: false,
        }
    }

    /// What nemeses did so far, the first [`FAULTS_MAX`] of it, and how much it was in all.
    pub fn faults(&self) -> (&[Fault], u64) {
        (&self.faults, self.faults_count)
    }

    /// How many sessions there were so far.
    pub const fn sessions(&self) -> u32 {
        self.sessions_count
    }

    /// The next entry, in an order in which the invocations of an instant come before its completions. Only entries of our
    /// own lines are exact to the instant; other files are in the order in which things happened.
    fn next_event(&mut self) -> Result<Option<Event>, ReadError> {
        if self.ahead.is_none() && !self.waiting.is_empty() {
            while let Some(event) = self.events.next().transpose()? {
                if event.time != self.instant || event.id.is_none() {
                    self.ahead = Some(event);
                    break;
                }
                if event.kind == Kind::Invoke {
                    return Ok(Some(event));
                }
                self.waiting.push(event);
            }
            // Taken from the end.
            self.waiting.reverse();
            self.instant = None;
        }
        if let Some(event) = self.waiting.pop() {
            return Ok(Some(event));
        }
        let next = match self.ahead.take() {
            Some(event) => Some(event),
            None => self.events.next().transpose()?,
        };
        if let Some(event) = next {
            if event.id.is_none() || event.time.is_none() || event.kind == Kind::Invoke {
                return Ok(Some(event));
            }
            self.instant = event.time;
            self.waiting.push(event);
            return self.next_event();
        }
        Ok(None)
    }

    fn next_call(&mut self) -> Result<Option<Call>, ReadError> {
        while let Some(event) = self.next_event()? {
            let moment = self.next;
            self.next += 1;
            if let Actor::Nemesis(by) = event.actor {
                self.faults_count += 1;
                if self.faults.len() < FAULTS_MAX {
                    let (what, value) = (event.function, event.value);
                    self.faults.push(Fault { at: moment, time: event.time, by, what, value });
                }
                continue;
            }
            if event.kind == Kind::Invoke {
                self.invoke(event, moment)?;
            } else if let Some(call) = self.complete(event, moment)? {
                return Ok(Some(call));
            }
        }
        Ok(None)
    }

    fn invoke(&mut self, event: Event, moment: Moment) -> Result<(), ReadError> {
        let process = match event.actor {
            Actor::Client(process) => Some(process),
            Actor::Unnamed | Actor::Nemesis(_) => None,
        };
        let session = match process {
            Some(process) => *self.sessions.entry(process).or_insert_with(|| {
                self.sessions_count += 1;
                self.sessions_count - 1
            }),
            None => {
                self.sessions_count += 1;
                self.sessions_count - 1
            }
        };
        let open = Open {
            session,
            process,
            invoked: moment,
            earliest: event.time.map(|time| time.saturating_sub(event.uncertainty)),
            function: event.function,
            key: event.key,
            asked: event.value,
            line: event.line,
        };
        let Some(name) = event.id.map(Name::Id).or(process.map(Name::Client)) else {
            self.unnamed.push(open);
            return Ok(());
        };
        match self.open.insert(name, open) {
            None => Ok(()),
            Some(before) => Err(ReadError::wrong(
                event.line,
                match name {
                    Name::Id(id) => {
                        format!("operation {id} is invoked, and is open since line {}", before.line)
                    }
                    Name::Client(process) => {
                        format!(
                            "process {process} invokes, and its operation of line {} is open",
                            before.line
                        )
                    }
                },
                "a client has one operation at a time; one that gave up says info and goes on as another",
            )),
        }
    }

    fn complete(&mut self, event: Event, moment: Moment) -> Result<Option<Call>, ReadError> {
        let name = match (&event.actor, event.id) {
            (_, Some(id)) => Some(Name::Id(id)),
            (Actor::Client(process), None) => Some(Name::Client(*process)),
            (Actor::Unnamed | Actor::Nemesis(_), None) => None,
        };
        let open = match name {
            Some(name) => self.open.remove(&name),
            None => self.take_unnamed(&event),
        };
        let Some(open) = open else {
            let what = match name {
                Some(Name::Id(id)) => format!("operation {id} returns, but it is not open"),
                Some(Name::Client(process)) => {
                    format!("process {process} completes, but has no open operation")
                }
                None => "a completion without an invocation".to_owned(),
            };
            return Err(ReadError::wrong(
                event.line,
                what,
                "each completion follows its invocation; is the beginning of the file missing?",
            ));
        };
        if !event.function.is_empty() && event.function != open.function {
            let what =
                format!("'{}' completes the '{}' of line {}", event.function, open.function, open.line);
            return Err(ReadError::wrong(event.line, what, "a completion repeats the function"));
        }
        if event.kind == Kind::Info
            && let Some(process) = open.process
        {
            self.sessions.remove(&process);
        }
        let latest = event.time.map(|time| time.saturating_add(event.uncertainty));
        Ok(Some(open.call(event.kind, moment, latest, event.value, Some(event.line))))
    }

    /// The open operation of an unnamed client that this completes: one with the same function and the same value, nothing
    /// fitting anything, else the oldest with the same function.
    fn take_unnamed(&mut self, event: &Event) -> Option<Open> {
        let same = |open: &Open| open.function == event.function && open.key == event.key;
        let exact = self.unnamed.iter().position(|open| same(open) && fits(&open.asked, &event.value));
        let place = exact.or_else(|| self.unnamed.iter().position(same))?;
        Some(self.unnamed.remove(place))
    }
}

/// Whether an answer repeats what was asked, with something wherever that had nothing.
pub(crate) fn fits(asked: &Value, answered: &Value) -> bool {
    match (asked, answered) {
        (Value::Nil, _) => true,
        (Value::List(asked), Value::List(answered)) => {
            asked.len() == answered.len()
                && asked.iter().zip(answered).all(|(asked, answered)| fits(asked, answered))
        }
        (asked, answered) => asked == answered,
    }
}

impl Open {
    fn call(
        self,
        kind: Kind,
        moment: Moment,
        latest: Option<Moment>,
        answered: Value,
        line: Option<u64>,
    ) -> Call {
        let known = matches!(kind, Kind::Ok | Kind::Fail);
        Call {
            session: self.session,
            process: self.process,
            invoked: self.invoked,
            returned: if known { moment } else { Moment::MAX },
            clock: self
                .earliest
                .map(|earliest| (earliest, if known { latest.unwrap_or(Moment::MAX) } else { Moment::MAX })),
            kind,
            function: self.function,
            key: self.key,
            asked: self.asked,
            answered: if known { answered } else { Value::Nil },
            lines: (self.line, line),
        }
    }
}

impl<I: Iterator<Item = Result<Event, ReadError>>> Iterator for Calls<I> {
    type Item = Result<Call, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.left.is_none() {
            match self.next_call() {
                Ok(Some(call)) => return Some(Ok(call)),
                Ok(None) => {
                    let mut left: BTreeMap<Moment, Open> = std::mem::take(&mut self.unnamed)
                        .into_iter()
                        .map(|open| (open.invoked, open))
                        .collect();
                    // The table's order does not matter: moments differ.
                    left.extend(
                        std::mem::take(&mut self.open).into_values().map(|open| (open.invoked, open)),
                    );
                    self.left = Some(left.into_values().collect::<Vec<_>>().into_iter());
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        let open = self.left.as_mut()?.next()?;
        Some(Ok(open.call(Kind::Info, Moment::MAX, None, Value::Nil, None)))
    }
}
