//! Cuts a text into its outermost maps, which may stand alone, or within one vector, list or array, over any number of
//! lines. Serves EDN and JSON: what differs (comments, characters) cannot stand between the tokens of JSON.

use std::io::BufRead;

use super::error::{LINE_BYTES_MAX, ReadError, excerpt};
use super::text::fill;

/// The outermost forms of a text, one at a time.
#[derive(Debug)]
pub(crate) struct Forms<R> {
    text: R,
    /// The line of the next byte, counted from 1.
    line: u64,
    /// The bytes of the form.
    form: Vec<u8>,
    wrapper: Wrapper,
}

/// What is around all forms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrapper {
    /// Not known: no form was seen.
    Unknown,
    /// Nothing.
    None,
    /// A bracket that opened on this line and is closed by this byte.
    Open(u64, u8),
    /// A bracket that was closed.
    Closed,
}

/// Where in a form the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Plain,
    /// Between quotes.
    Quoted,
    /// After a backslash between quotes.
    Escaped,
    /// After a backslash elsewhere: a character of EDN.
    Character,
    Comment,
}

/// Bytes that may change a state, and ends of lines.
const MARKS: [bool; 256] = {
    let (mut marks, mut place, bytes) = ([false; 256], 0, b"{}[]()\";\\\n");
    while place < bytes.len() {
        marks[bytes[place] as usize] = true;
        place += 1;
    }
    marks
};

const TORN: &str = "the file was cut off; fetch it whole, or end it after the last whole entry";

impl<R: BufRead> Forms<R> {
    pub(crate) fn new(text: R) -> Self {
        Self { text, line: 1, form: Vec::new(), wrapper: Wrapper::Unknown }
    }

    /// The next form, from its first byte to its last bracket, and the line of its first byte.
    pub(crate) fn next_form(&mut self) -> Result<Option<(u64, &[u8])>, ReadError> {
        let Some(first) = self.first_byte()? else { return Ok(None) };
        let start = self.line;
        self.form.clear();
        if first != b'{' && first != b'#' {
            let bytes = fill(&mut self.text).map_err(|error| ReadError::Io { line: start, error })?;
            let what = format!("'{}' where an entry should begin", excerpt(bytes));
            return Err(ReadError::wrong(
                start,
                what,
                "a history holds maps, {..}, alone or in one vector or list",
            ));
        }
        self.take_form(start)?;
        Ok(Some((start, &self.form)))
    }

    fn bytes(&mut self) -> Result<&[u8], ReadError> {
        let line = self.line;
        fill(&mut self.text).map_err(|error| ReadError::Io { line, error })
    }

    /// Goes to the first byte of the next form and returns it, without taking it.
    fn first_byte(&mut self) -> Result<Option<u8>, ReadError> {
        let mut comment = false;
        loop {
            let Some(&byte) = self.bytes()?.first() else {
                return match self.wrapper {
                    Wrapper::Open(line, close) => Err(ReadError::wrong(
                        self.line,
                        format!("the text ends before the '{}' of line {line} is closed", char::from(close)),
                        TORN,
                    )),
                    Wrapper::Unknown | Wrapper::None | Wrapper::Closed => Ok(None),
                };
            };
            match byte {
                b'\n' => {
                    self.line += 1;
                    comment = false;
                }
                _ if comment => {}
                b';' => comment = true,
                b' ' | b'\t' | b'\r' | b',' | b'\x0c' => {}
                b'[' if self.wrapper == Wrapper::Unknown => self.wrapper = Wrapper::Open(self.line, b']'),
                b'(' if self.wrapper == Wrapper::Unknown => self.wrapper = Wrapper::Open(self.line, b')'),
                close if matches!(self.wrapper, Wrapper::Open(_, wanted) if wanted == close) => {
                    self.wrapper = Wrapper::Closed;
                }
                _ if self.wrapper == Wrapper::Closed => {
                    let what = format!("'{}' after the end of the history", excerpt(self.bytes()?));
                    return Err(ReadError::wrong(self.line, what, "a file holds one history; cut it here"));
                }
                first => {
                    if self.wrapper == Wrapper::Unknown {
                        self.wrapper = Wrapper::None;
                    }
                    return Ok(Some(first));
                }
            }
            self.text.consume(1);
        }
    }

    /// Takes bytes up to the bracket that closes the form's first one.
    fn take_form(&mut self, start: u64) -> Result<(), ReadError> {
        let (mut depth, mut state, mut lines) = (0u32, State::Plain, 0u64);
        loop {
            let bytes = fill(&mut self.text).map_err(|error| ReadError::Io { line: start + lines, error })?;
            if bytes.is_empty() {
                return Err(ReadError::wrong(start, "the entry that begins here does not end", TORN));
            }
            let mut taken = 0;
            let mut done = false;
            while !done {
                // Nothing else changes these states.
                if matches!(state, State::Plain | State::Quoted | State::Comment) {
                    let rest = &bytes[taken..];
                    taken += rest.iter().position(|byte| MARKS[usize::from(*byte)]).unwrap_or(rest.len());
                }
                let Some(&byte) = bytes.get(taken) else { break };
                taken += 1;
                lines += u64::from(byte == b'\n');
                state = match (state, byte) {
                    (State::Plain, b'{' | b'[' | b'(') => {
                        depth += 1;
                        State::Plain
                    }
                    (State::Plain, b'}' | b']' | b')') => {
                        depth = depth.saturating_sub(1);
                        done = depth == 0;
                        State::Plain
                    }
                    (State::Plain | State::Escaped, b'"') if state == State::Plain => State::Quoted,
                    (State::Plain, b';') => State::Comment,
                    (State::Plain, b'\\') => State::Character,
                    (State::Quoted, b'\\') => State::Escaped,
                    (State::Quoted, b'"') | (State::Character, _) | (State::Comment, b'\n') => State::Plain,
                    (State::Escaped, _) => State::Quoted,
                    (state, _) => state,
                };
            }
            if (self.form.len() + taken) as u64 > LINE_BYTES_MAX {
                return Err(ReadError::TooLong { line: start });
            }
            self.form.extend_from_slice(&bytes[..taken]);
            self.text.consume(taken);
            if done {
                self.line += lines;
                return Ok(());
            }
        }
    }
}
