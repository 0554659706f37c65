//! Plume's text: `r(key,value,session,transaction)` and `w(..)`, one a line, whole numbers.
//!
//! [Plume](https://github.com/dracoooooo/Plume), read by PolySI, AWDIT and IsoVista, too. The lines of a session are in
//! its order; those of several may be interleaved. Transaction -1 is one that was aborted. Value 0 is what every key
//! holds before anybody writes it.

use std::io::BufRead;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use crate::{Builder, Status, Step, Transactions, Value};

use super::error::{ReadError, excerpt};
use super::sessions::Sessions;
use super::text::Lines;

/// The transaction of a session that may go on.
#[derive(Debug, Default)]
struct Open {
    transaction: Option<i64>,
    /// The line in which it began.
    line: u64,
    steps: Vec<Step>,
    closed: Closed,
}

/// The transactions of a session that ended.
#[derive(Debug, Default)]
struct Closed {
    /// Each greater than those that ended before it, as nearly all are in most files.
    ascending: Vec<i64>,
    others: HashSet<i64, FxBuildHasher>,
}

impl Closed {
    fn is_next(&self, transaction: i64) -> bool {
        self.ascending.last().is_none_or(|last| *last < transaction)
    }

    fn insert(&mut self, transaction: i64) {
        if self.is_next(transaction) {
            self.ascending.push(transaction);
        } else {
            self.others.insert(transaction);
        }
    }

    fn contains(&self, transaction: i64) -> bool {
        !self.is_next(transaction) && self.ascending.binary_search(&transaction).is_ok()
            || !self.others.is_empty() && self.others.contains(&transaction)
    }
}

struct Plume {
    builder: Builder,
    sessions: Sessions,
    open: Vec<Open>,
    /// The lines in which the transactions began, in the order in which they ended.
    begun: Vec<u64>,
}

/// Reads a whole text.
pub(crate) fn read(text: impl BufRead) -> Result<Transactions, ReadError> {
    let mut plume = Plume {
        builder: Builder::with_initial_zero(),
        sessions: Sessions::default(),
        open: Vec::new(),
        begun: Vec::new(),
    };
    let mut lines = Lines::new(text);
    while let Some((line, text)) = lines.next_line()? {
        let Some((write, [key, value, session, transaction])) = operation(text) else {
            return Err(ReadError::wrong(
                line,
                format!("'{}' is no operation", excerpt(text)),
                "it is r(key,value,session,transaction) or w(..), whole numbers",
            ));
        };
        plume.step(line, write, [key, value], (session, transaction))?;
    }
    for session in 0..plume.open.len() as u32 {
        plume.close(session);
    }
    Ok(plume.builder.finish_ordered(&plume.begun))
}

impl Plume {
    fn step(&mut self, line: u64, write: bool, pair: [i64; 2], place: (i64, i64)) -> Result<(), ReadError> {
        let session = self.sessions.get(place.0);
        if session as usize == self.open.len() {
            self.open.push(Open::default());
        }
        if place.1 == -1 {
            self.close(session);
            if write {
                let step = self.builder.write(&Value::Int(pair[0]), &Value::Int(pair[1]));
                self.builder.push(session, Status::Aborted, None, [step]);
                self.begun.push(line);
            }
            return Ok(());
        }
        if self.open[session as usize].transaction != Some(place.1) {
            self.close(session);
            if self.open[session as usize].closed.contains(place.1) {
                return Err(ReadError::wrong(
                    line,
                    format!("transaction {} of session {} goes on after another one began", place.1, place.0),
                    "put the lines of a transaction together",
                ));
            }
            self.open[session as usize].transaction = Some(place.1);
            self.open[session as usize].line = line;
        }
        let [key, value] = pair.map(Value::Int);
        let step = if write { self.builder.write(&key, &value) } else { self.builder.read(&key, &value) };
        self.open[session as usize].steps.push(step);
        Ok(())
    }

    fn close(&mut self, session: u32) {
        let open = &mut self.open[session as usize];
        if let Some(transaction) = open.transaction.take() {
            open.closed.insert(transaction);
            self.builder.push(session, Status::Committed, None, open.steps.drain(..));
            self.begun.push(open.line);
        }
    }
}

/// Whether it is a write, and the four numbers.
fn operation(text: &[u8]) -> Option<(bool, [i64; 4])> {
    let write = match text.first()? {
        b'r' | b'R' => false,
        b'w' | b'W' => true,
        _ => return None,
    };
    let inner = text[1..].trim_ascii_start().strip_prefix(b"(")?.strip_suffix(b")")?;
    let mut numbers = [0i64; 4];
    let mut at = 0;
    for (index, number) in numbers.iter_mut().enumerate() {
        let (value, after) = whole(inner, at)?;
        *number = value;
        at = after;
        if index < 3 {
            if inner.get(at) != Some(&b',') {
                return None;
            }
            at += 1;
        }
    }
    (at == inner.len()).then_some((write, numbers))
}

/// The whole number at `at`, blanks around it left out, and where it ends.
fn whole(text: &[u8], mut at: usize) -> Option<(i64, usize)> {
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(negative);
    let (start, mut number) = (at, 0i64);
    while let Some(byte @ b'0'..=b'9') = text.get(at) {
        number = number.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
        at += 1;
    }
    if at == start {
        return None;
    }
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    Some((if negative { -number } else { number }, at))
}
