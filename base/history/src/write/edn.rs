//! Jepsen's EDN: one map a line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Result, Write};

use crate::{Actor, Event, Kind, Value};

/// Writes entries as Jepsen has them. A process has one operation at a time there, and none after one that stayed unknown: where
/// a client of the history has more, its operations get processes of their own.
///
/// ```
/// use isles_history::{EdnWriter, Reading, read};
///
/// let text = r#"{"type":"invoke","time":5,"process":0,"id":1,"op":{"f":"write","value":3}}
///               {"type":"return","time":9,"process":0,"id":1,"reply":null}"#;
/// let Reading::Events(events) = read(text.as_bytes(), None)? else { panic!("these are operations") };
/// let (mut out, mut writer) = (Vec::new(), EdnWriter::default());
/// for event in events {
///     writer.write(&event?, &mut out)?;
/// }
/// let line = "{:process 0, :type :invoke, :f :write, :value 3, :time 5}";
/// assert_eq!(String::from_utf8(out)?.lines().next(), Some(line));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct EdnWriter {
    /// The process of each open operation that has an id.
    open: BTreeMap<u64, u64>,
    /// Processes that have an open operation, or can have none.
    busy: BTreeSet<u64>,
    next: u64,
}

impl EdnWriter {
    /// Writes an entry and a line end.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&mut self, event: &Event, out: &mut impl Write) -> Result<()> {
        write!(out, "{{")?;
        match (&event.actor, event.id) {
            (Actor::Nemesis(name), _) => write!(out, ":process {}, ", Name(name))?,
            (Actor::Client(process), None) => {
                self.next = self.next.max(process.saturating_add(1));
                write!(out, ":process {process}, ")?;
            }
            (Actor::Client(process), Some(id)) => {
                write!(out, ":process {}, ", self.process(*process, id, event.kind))?
            }
            (Actor::Unnamed, _) => {}
        }
        let kind = match event.kind {
            Kind::Invoke => "invoke",
            Kind::Ok => "ok",
            Kind::Fail => "fail",
            Kind::Info => "info",
        };
        write!(out, ":type :{kind}")?;
        if !event.function.is_empty() {
            write!(out, ", :f {}", Name(&event.function))?;
        }
        if let Some(key) = &event.key {
            write!(out, ", :key {key}")?;
        }
        write!(out, ", :value {}", event.value)?;
        if let Some(time) = event.time {
            write!(out, ", :time {time}")?;
        }
        if event.uncertainty > 0 {
            write!(out, ", :uncertainty {}", event.uncertainty)?;
        }
        writeln!(out, "}}")
    }

    /// The process of an operation that has an id.
    fn process(&mut self, client: u64, id: u64, kind: Kind) -> u64 {
        if kind != Kind::Invoke {
            let process = self.open.remove(&id).unwrap_or(client);
            if kind != Kind::Info {
                self.busy.remove(&process);
            }
            return process;
        }
        let process = if self.busy.contains(&client) { self.next.max(client + 1) } else { client };
        self.next = self.next.max(process.saturating_add(1));
        self.busy.insert(process);
        self.open.insert(id, process);
        process
    }
}

/// A name as a keyword, or as a text if no keyword can have it.
struct Name<'a>(&'a str);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Value::Keyword(self.0.into()).fmt(f)
    }
}
