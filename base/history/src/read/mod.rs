//! Histories from files: which format a text has, and its entries or transactions.

mod awdit;
mod dbcop;
mod edn;
mod error;
mod forms;
mod jepsen;
mod json;
mod names;
mod own;
mod plume;
mod sessions;
mod text;

use std::io::BufRead;
use std::str::FromStr;

use crate::{Event, Transactions};

use forms::Forms;
use names::Names;
use own::Own;
use text::fill;

pub(crate) use text::Lines;

pub(crate) use error::excerpt;
pub use error::{DEPTH_MAX, LINE_BYTES_MAX, ReadError, VALUES_MAX};

/// The formats that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Our own JSON lines; see the README of this crate.
    Lines,
    /// Jepsen's EDN: maps, one a line, or in one vector or list; logs of key-value stores are of this kind.
    Edn,
    /// The same maps as JSON, one a line or in one array.
    Json,
    /// Logs of Jepsen's runs: `INFO  jepsen.util - PROCESS :TYPE :FUNCTION VALUE`.
    Log,
    /// Plume's text: `r(key,value,session,transaction)`.
    Plume,
    /// AWDIT's text: `r KEY VALUE`, with rules of `-` and `=` between transactions and sessions.
    Awdit,
    /// dbcop's JSON: sessions of transactions of events.
    Dbcop,
}

impl Format {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 7] =
        [Self::Lines, Self::Edn, Self::Json, Self::Log, Self::Plume, Self::Awdit, Self::Dbcop];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Edn => "edn",
            Self::Json => "json",
            Self::Log => "log",
            Self::Plume => "plume",
            Self::Awdit => "awdit",
            Self::Dbcop => "dbcop",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The format of a text that begins with these bytes, if any.
    pub fn of(begin: &[u8]) -> Option<Self> {
        let begin = without_comments(begin);
        let line = begin.split(|byte| *byte == b'\n').next().unwrap_or(begin).trim_ascii();
        let line_has = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
        match (line.first()?, line.get(1).copied().unwrap_or(0)) {
            (b'r' | b'w' | b'R' | b'W', b'(') => Some(Self::Plume),
            (b'r' | b'w', b' ' | b'\t') => Some(Self::Awdit),
            (b'-' | b'=', _) if line.iter().all(|byte| *byte == line[0]) => Some(Self::Awdit),
            (b'{' | b'[' | b'(' | b'#', _) => Self::of_brackets(begin),
            _ if line_has(b"jepsen") => Some(Self::Log),
            (b'0'..=b'9', _) if line_has(b" INFO ") => Some(Self::Log),
            _ => None,
        }
    }

    /// Of a text that begins with a bracket: what follows tells EDN from JSON, and the kinds of JSON apart.
    fn of_brackets(begin: &[u8]) -> Option<Self> {
        const SEEN: usize = 4096;
        let dense: Vec<u8> =
            begin.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(SEEN).collect();
        let place = |word: &[u8]| dense.windows(word.len()).position(|window| window == word);
        let after = dense.iter().position(|byte| !matches!(byte, b'[' | b'{' | b'('));
        let nested = dense.starts_with(b"[[");
        match after.map(|at| dense[at]) {
            // Empty brackets.
            Some(b']' | b')' | b'}') if nested => Some(Self::Dbcop),
            Some(b']' | b')' | b'}') => Some(Self::Edn),
            Some(b'"') if dense.starts_with(b"[\"") => None,
            Some(b'"') if nested || place(b"\"data\":[[").is_some() && place(b"\"type\":").is_none() => {
                Some(Self::Dbcop)
            }
            Some(b'"') => {
                let earlier = |a: Option<usize>, b: Option<usize>| a.is_some_and(|a| b.is_none_or(|b| a < b));
                let ours = earlier(place(b"\"op\":"), place(b"\"f\":"))
                    || [&b"\"type\":\"crash\""[..], b"\"type\":\"fault\""]
                        .iter()
                        .any(|word| place(word).is_some_and(|at| !dense[..at].contains(&b'}')));
                Some(if ours && !dense.starts_with(b"[") { Self::Lines } else { Self::Json })
            }
            // A map, a tagged one, or one with a key of its own.
            Some(b':' | b'#') if !nested => Some(Self::Edn),
            Some(_) if !nested && dense.contains(&b'{') => Some(Self::Edn),
            Some(_) => None,
            None => None,
        }
    }
}

/// From the first byte that is neither blank nor in a comment of EDN.
fn without_comments(mut text: &[u8]) -> &[u8] {
    text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    loop {
        text = text.trim_ascii_start();
        if text.first() != Some(&b';') {
            return text;
        }
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        text = &text[end..];
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| format!("there is no format '{name}'; there are {}", Self::names()))
    }
}

/// What a file holds.
#[derive(Debug)]
pub enum Reading<R> {
    /// Operations, read one entry at a time.
    Events(Events<R>),
    /// Transactions.
    Transactions(Transactions),
}

/// Begins to read `text`, in the format that it has by its content unless one is given. Operations are read as they are asked
/// for, in memory that does not depend on the length of the text; transactions are read to the end.
///
/// ```
/// use isles_history::{Format, Reading, read};
///
/// let text = "{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :ok, :f :read, :value 3}";
/// let Reading::Events(events) = read(text.as_bytes(), None)? else { panic!("these are operations") };
/// assert_eq!(events.format(), Format::Edn);
/// let values: Vec<String> = events.map(|event| event.map(|event| event.value.to_string())).collect::<Result<_, _>>()?;
/// assert_eq!(values, ["nil", "3"]);
/// # Ok::<(), isles_history::ReadError>(())
/// ```
///
/// # Errors
/// When the format is not known; for transactions, when a line is wrong.
pub fn read<R: BufRead>(mut text: R, format: Option<Format>) -> Result<Reading<R>, ReadError> {
    let begin = fill(&mut text).map_err(|error| ReadError::Io { line: 1, error })?;
    let bom = if begin.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if let Some(packed) = packed(begin) {
        let what = format!("the file is compressed by {packed}");
        return Err(ReadError::wrong(1, what, "unpack it first"));
    }
    let Some(format) = format.or_else(|| Format::of(begin)) else { return Err(unknown(begin)) };
    text.consume(bom);
    let source = match format {
        Format::Plume => return plume::read(text).map(Reading::Transactions),
        Format::Awdit => return awdit::read(text).map(Reading::Transactions),
        Format::Dbcop => return dbcop::read(text).map(Reading::Transactions),
        Format::Lines => Source::Lines(Lines::new(text), Box::default()),
        Format::Log => Source::Log(Lines::new(text), Names::default()),
        Format::Edn => Source::Edn(Forms::new(text), Names::default()),
        Format::Json => Source::Json(Forms::new(text), Names::default()),
    };
    Ok(Reading::Events(Events { format, source, over: false }))
}

/// Whether EDN can have a keyword of this name.
pub(crate) fn is_name(name: &str) -> bool {
    let text = format!(":{name}");
    is_value(&text, |value| matches!(value, crate::Value::Keyword(read) if **read == *name))
}

/// Whether EDN reads this as [`crate::Value::Other`].
pub(crate) fn is_other(text: &str) -> bool {
    is_value(text, |value| matches!(value, crate::Value::Other(read) if **read == *text))
}

fn is_value(text: &str, wanted: impl Fn(&crate::Value) -> bool) -> bool {
    let mut names = Names::default();
    let mut edn = edn::Edn::new(text.as_bytes(), 1, &mut names);
    edn.value(0).is_ok_and(|value| wanted(&value)) && edn.is_at_end()
}

/// The program that packed a file which begins like this.
fn packed(begin: &[u8]) -> Option<&'static str> {
    const PROGRAMS: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ", "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip"),
    ];
    PROGRAMS.into_iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, program)| program)
}

fn unknown(begin: &[u8]) -> ReadError {
    let rest = without_comments(begin);
    let line = 1 + begin[..begin.len() - rest.len()].iter().filter(|byte| **byte == b'\n').count() as u64;
    if rest.is_empty() {
        return ReadError::wrong(line, "the file is empty", "an empty history is named with --format");
    }
    ReadError::NoFormat { line, begins: excerpt(rest) }
}

/// The entries of a text, one at a time. After an error there are no more.
#[derive(Debug)]
pub struct Events<R> {
    format: Format,
    source: Source<R>,
    over: bool,
}

#[derive(Debug)]
enum Source<R> {
    Lines(Lines<R>, Box<Own>),
    Log(Lines<R>, Names),
    Edn(Forms<R>, Names),
    Json(Forms<R>, Names),
}

impl<R: BufRead> Events<R> {
    /// The format in which they are read.
    pub const fn format(&self) -> Format {
        self.format
    }

    fn next_event(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            let event = match &mut self.source {
                Source::Lines(lines, own) => match lines.next_line()? {
                    Some((line, text)) => Some(own.entry(text, line)?),
                    None => return Ok(None),
                },
                Source::Log(lines, names) => match lines.next_line()? {
                    Some((line, text)) => jepsen::log_entry(text, line, names)?,
                    None => return Ok(None),
                },
                Source::Edn(forms, names) => match forms.next_form()? {
                    Some((line, text)) => jepsen::entry(text, line, names)?,
                    None => return Ok(None),
                },
                Source::Json(forms, names) => match forms.next_form()? {
                    Some((line, text)) => Some(json::entry(text, line, names)?),
                    None => return Ok(None),
                },
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_event().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
