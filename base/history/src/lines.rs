//! Histories as JSON lines.

use std::io::{BufRead, Write};

use isles_kernel::{OpId, ProcessId, Span, Time};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::read::Lines;
use crate::{Entry, History, ReadError, Stamp};

/// An entry and its stamp as they are written.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Line<Op, Reply> {
    Invoke {
        time: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        uncertainty: Span,
        process: ProcessId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<u32>,
        id: OpId,
        op: Op,
    },
    Return {
        time: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        uncertainty: Span,
        process: ProcessId,
        id: OpId,
        reply: Reply,
    },
    Fail {
        time: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        uncertainty: Span,
        process: ProcessId,
        id: OpId,
        #[serde(default, skip_serializing)]
        reply: IgnoredAny,
    },
    Unknown {
        time: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        uncertainty: Span,
        process: ProcessId,
        id: OpId,
        #[serde(default, skip_serializing)]
        reply: IgnoredAny,
    },
    Crash {
        time: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        uncertainty: Span,
        process: ProcessId,
    },
    /// What a nemesis did: of no interest to protocols' histories.
    Fault {
        #[serde(default, skip_serializing)]
        time: IgnoredAny,
        #[serde(default, skip_serializing)]
        uncertainty: IgnoredAny,
        #[serde(default, skip_serializing)]
        by: IgnoredAny,
        #[serde(default, skip_serializing)]
        f: IgnoredAny,
        #[serde(default, skip_serializing)]
        value: IgnoredAny,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(span: &Span) -> bool {
    *span == Span::ZERO
}

impl<Op, Reply> Entry<Op, Reply> {
    fn line(&self, stamp: Stamp) -> Line<&Op, &Reply> {
        let Stamp { session, uncertainty } = stamp;
        match *self {
            Self::Invoke { time, process, id, ref op } => {
                Line::Invoke { time, uncertainty, process, session, id, op }
            }
            Self::Return { time, process, id, ref reply } => {
                Line::Return { time, uncertainty, process, id, reply }
            }
            Self::Fail { time, process, id } => {
                Line::Fail { time, uncertainty, process, id, reply: IgnoredAny }
            }
            Self::Unknown { time, process, id } => {
                Line::Unknown { time, uncertainty, process, id, reply: IgnoredAny }
            }
            Self::Crash { time, process } => Line::Crash { time, uncertainty, process },
        }
    }
}

impl<Op, Reply> Line<Op, Reply> {
    /// The entry and its stamp; `None` if the line is of no interest here.
    fn entry(self) -> Option<(Entry<Op, Reply>, Stamp)> {
        let stamp = |session, uncertainty| Stamp { session, uncertainty };
        Some(match self {
            Self::Invoke { time, uncertainty, process, session, id, op } => {
                (Entry::Invoke { time, process, id, op }, stamp(session, uncertainty))
            }
            Self::Return { time, uncertainty, process, id, reply } => {
                (Entry::Return { time, process, id, reply }, stamp(None, uncertainty))
            }
            Self::Fail { time, uncertainty, process, id, .. } => {
                (Entry::Fail { time, process, id }, stamp(None, uncertainty))
            }
            Self::Unknown { time, uncertainty, process, id, .. } => {
                (Entry::Unknown { time, process, id }, stamp(None, uncertainty))
            }
            Self::Crash { time, uncertainty, process } => {
                (Entry::Crash { time, process }, stamp(None, uncertainty))
            }
            Self::Fault { .. } => return None,
        })
    }
}

impl<Op: Serialize, Reply: Serialize> Entry<Op, Reply> {
    /// Writes the entry as one line.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, or `out` fails.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.write_with(Stamp::default(), out)
    }

    /// Writes the entry, and what else is known of it, as one line.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, or `out` fails.
    pub fn write_with(&self, stamp: Stamp, out: &mut impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, &self.line(stamp))?;
        out.write_all(b"\n")
    }
}

impl<Op: Serialize, Reply: Serialize> History<Op, Reply> {
    /// Writes all entries, one a line.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, or `out` fails.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.entries()
            .iter()
            .enumerate()
            .try_for_each(|(place, entry)| entry.write_with(self.stamp(place), out))
    }
}

impl<Op: DeserializeOwned, Reply: DeserializeOwned> History<Op, Reply> {
    /// Reads a history to its end. Empty lines and faults are left out.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub fn read(text: impl BufRead) -> Result<Self, ReadError> {
        let mut history = Self::default();
        let mut lines = Lines::new(text);
        while let Some((line, text)) = lines.next_line()? {
            let read: Line<Op, Reply> =
                serde_json::from_slice(text).map_err(|error| ReadError::Malformed { line, error })?;
            if let Some((entry, stamp)) = read.entry() {
                history.push_with(entry, stamp).map_err(|flaw| ReadError::Flawed { line, flaw })?;
            }
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::{OpId, ProcessId, Time};
    use proptest::prelude::*;

    use super::*;

    type Registers = History<(String, Option<i64>), Result<i64, String>>;

    /// Any sequence of steps, of which those that fit make a history.
    fn history() -> impl Strategy<Value = Registers> {
        let step =
            (0u8..6, 0u32..3, 0u64..12, any::<Option<i64>>(), ".{0,8}", 0u64..5, prop::option::of(0u32..3));
        proptest::collection::vec(step, 0..60).prop_map(|steps| {
            let mut history = Registers::default();
            let mut time = Time(0);
            for (kind, process, id, value, text, wait, session) in steps {
                time = Time(time.0 + wait);
                let (process, id) = (ProcessId(process), OpId(id));
                let uncertainty = Span(wait / 3);
                let entry = match kind {
                    0 | 5 => Entry::Invoke { time, process, id, op: (text, value) },
                    1 => Entry::Return { time, process, id, reply: value.ok_or(text) },
                    2 => Entry::Fail { time, process, id },
                    3 => Entry::Unknown { time, process, id },
                    _ => Entry::Crash { time, process },
                };
                let session = session.filter(|_| matches!(entry, Entry::Invoke { .. }));
                let _ = history.push_with(entry, Stamp { session, uncertainty });
            }
            history
        })
    }

    fn written(history: &Registers) -> Vec<u8> {
        let mut text = Vec::new();
        history.write(&mut text).expect("memory does not fail");
        text
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(history in history()) {
            let read = Registers::read(written(&history).as_slice());
            prop_assert_eq!(read.expect("own text"), history);
        }

        #[test]
        fn noise_and_torn_texts_never_panic(history in history(), noise in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let _ = Registers::read(noise.as_slice());
            let mut text = written(&history);
            if !text.is_empty() {
                let at = cut.index(text.len());
                let _ = Registers::read(&text[..at]);
                text[at] ^= 0x11;
                let _ = Registers::read(text.as_slice());
            }
        }
    }

    fn error(text: &str) -> String {
        History::<u32, u32>::read(text.as_bytes()).expect_err("it is wrong").to_string()
    }

    #[test]
    fn errors_name_the_line_and_the_reason() {
        let invoke = r#"{"type":"invoke","time":5,"process":0,"id":1,"op":3}"#;
        let back = r#"{"type":"return","time":4,"process":0,"id":1,"reply":3}"#;
        let elsewhere = r#"{"type":"return","time":6,"process":1,"id":1,"reply":3}"#;
        let good = r#"{"type":"return","time":6,"process":0,"id":1,"reply":3}"#;
        assert!(
            error(&format!("{invoke}\n\n{invoke}\n")).starts_with("line 3: op1 is invoked a second time")
        );
        assert!(error(&format!("{invoke}\n{back}\n")).starts_with("line 2: time goes back"));
        assert!(error(&format!("{invoke}\n{elsewhere}\n")).contains("invoked at p0 and returns at p1"));
        assert!(error(good).starts_with("line 1: op1 returns, but it is not open"));
        assert!(error(&format!("{invoke}\n{good}\n{good}")).starts_with("line 3: op1 returns"));
        assert!(error("{\"type\":\"invoke\"}").contains("line 1: no entry"));
        assert!(error("\n\nnonsense").contains("line 3"));
    }

    #[test]
    fn open_operations_are_those_without_a_return() {
        let text = r#"{"type":"invoke","time":5,"process":0,"id":1,"op":3}
{"type":"invoke","time":5,"process":1,"id":2,"op":3}
{"type":"return","time":6,"process":0,"id":1,"reply":3}
{"type":"crash","time":7,"process":1}"#;
        let history = History::<u32, u32>::read(text.as_bytes()).expect("it is right");
        assert_eq!(history.open().collect::<Vec<_>>(), [OpId(2)]);
        assert_eq!(history.entries().len(), 4);
    }
}
