//! Why a text is no history.

use crate::Flaw;

/// A line of a history, or one entry of it, has at most so many bytes.
pub const LINE_BYTES_MAX: u64 = 16 << 20;

/// An entry of a history has at most so many values, those within others included.
pub const VALUES_MAX: u32 = 1 << 21;

/// The values of an entry lie within one another at most so deep.
pub const DEPTH_MAX: u32 = 64;

/// Why a text is no history. Each names the line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text could not be read.
    #[error("line {line}: cannot be read: {error}")]
    Io {
        /// Counted from 1.
        line: u64,
        /// Why.
        error: std::io::Error,
    },
    /// A line, or an entry, is longer than [`LINE_BYTES_MAX`].
    #[error("line {line}: longer than {LINE_BYTES_MAX} bytes: is the file a history?")]
    TooLong {
        /// Counted from 1.
        line: u64,
    },
    /// A line is no entry.
    #[error("line {line}: no entry of a history: {error}; see the format in the README of isles-history")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// Why.
        error: serde_json::Error,
    },
    /// An entry cannot follow those before it.
    #[error("line {line}: {flaw}")]
    Flawed {
        /// Counted from 1.
        line: u64,
        /// Why.
        flaw: Flaw,
    },
    /// A line is not what its format demands.
    #[error("line {line}: {what}: {remedy}")]
    Wrong {
        /// Counted from 1.
        line: u64,
        /// What is there.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// No format fits what the text begins with.
    #[error("line {line}: no format begins like '{begins}': name it with --format, one of {formats}", formats = crate::Format::names())]
    NoFormat {
        /// Counted from 1.
        line: u64,
        /// Its first bytes.
        begins: String,
    },
}

impl ReadError {
    /// The line that is wrong.
    pub const fn line(&self) -> u64 {
        match self {
            Self::Io { line, .. }
            | Self::TooLong { line }
            | Self::Malformed { line, .. }
            | Self::Flawed { line, .. }
            | Self::Wrong { line, .. }
            | Self::NoFormat { line, .. } => *line,
        }
    }

    pub(crate) fn wrong(line: u64, what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Wrong { line, what: what.into(), remedy }
    }
}

/// A part of the text as an error shows it: short, on one line.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end.min(SHOWN)]);
    let clean: String =
        text.trim().chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    if end > SHOWN { format!("{clean} ...") } else { clean }
}
