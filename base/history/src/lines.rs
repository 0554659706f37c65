//! Histories as JSON lines.

use std::io::{BufRead, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Entry, History, LINE_BYTES_MAX, ReadError};

impl<Op: Serialize, Reply: Serialize> Entry<Op, Reply> {
    /// Writes the entry as one line.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, or `out` fails.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

impl<Op: Serialize, Reply: Serialize> History<Op, Reply> {
    /// Writes all entries, one a line.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, or `out` fails.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.entries().iter().try_for_each(|entry| entry.write(out))
    }
}

impl<Op: DeserializeOwned, Reply: DeserializeOwned> History<Op, Reply> {
    /// Reads a history to its end. Empty lines are left out.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub fn read(mut text: impl BufRead) -> Result<Self, ReadError> {
        let mut history = Self::default();
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let read = text.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes);
            match read.map_err(|error| ReadError::Io { line, error })? {
                0 => break,
                count if count as u64 > LINE_BYTES_MAX => return Err(ReadError::TooLong { line }),
                _ => {}
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let entry =
                serde_json::from_slice(&bytes).map_err(|error| ReadError::Malformed { line, error })?;
            history.push(entry).map_err(|flaw| ReadError::Flawed { line, flaw })?;
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
        let step = (0u8..3, 0u32..3, 0u64..12, any::<Option<i64>>(), ".{0,8}", 0u64..5);
        proptest::collection::vec(step, 0..60).prop_map(|steps| {
            let mut history = Registers::default();
            let mut time = Time(0);
            for (kind, process, id, value, text, wait) in steps {
                time = Time(time.0 + wait);
                let (process, id) = (ProcessId(process), OpId(id));
                let _ = history.push(match kind {
                    0 => Entry::Invoke { time, process, id, op: (text, value) },
                    1 => Entry::Return { time, process, id, reply: value.ok_or(text) },
                    _ => Entry::Crash { time, process },
                });
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
