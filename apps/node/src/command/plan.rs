//! What a command comes to: an answer at once, or something to ask of the store and what its answer means.

use std::sync::Arc;

use isles_kernel::{Payload, Time};
use isles_quorum::store::{Answer, Command, Entry, Op, Reply, Version};
use smallvec::SmallVec;

use super::expiry::When;
use super::scan::Scanning;
use crate::session::Session;
use crate::wire::{Frame, Out};

/// What a command comes to.
pub(crate) enum Act {
    /// An answer at once.
    Reply(Frame),
    /// An answer, and the connection ends.
    Close(Frame),
    /// The connection ends without an answer.
    Cut,
    /// The store is asked.
    Ask(Ask),
}

impl From<Frame> for Act {
    fn from(frame: Frame) -> Self {
        Self::Reply(frame)
    }
}

/// Something to ask of the store.
pub(crate) struct Ask {
    /// What.
    pub(crate) op: Op,
    /// What the answer means.
    pub(crate) then: Then,
}

/// Which commands of the same connection it must not overtake, nor be overtaken by.
pub(crate) enum Access<'a> {
    /// Those that share a key, unless both only read.
    Keys(&'a [Command]),
    /// All.
    Everything,
}

/// What the store's answer means.
pub(crate) enum Then {
    /// The answer to one command, or to a few as one.
    Shape(Shape),
    /// Those of a transaction: each piece is one queued command.
    Exec(Vec<Piece>),
    /// The versions of watched keys.
    Watch(Arc<[Payload]>),
    /// What is there now, on which a write depends.
    Guard(Box<Guard>),
    /// A page of keys.
    Scan(Box<Scanning>),
}

/// What one queued command is answered from.
pub(crate) enum Piece {
    /// So many of the store's answers.
    Answers(usize, Shape),
    /// Nothing of the store's.
    Local(Frame),
}

/// Commands of the store whose answers are one answer.
pub(crate) struct Keyed {
    /// What is asked.
    pub(crate) commands: SmallVec<[Command; 1]>,
    /// What is made of the answers.
    pub(crate) shape: Shape,
}

impl Keyed {
    /// One command.
    pub(crate) fn one(command: Command, shape: Shape) -> Self {
        Self { commands: SmallVec::from_buf([command]), shape }
    }

    /// Several, at one instant.
    pub(crate) fn all(commands: impl IntoIterator<Item = Command>, shape: Shape) -> Self {
        Self { commands: commands.into_iter().collect(), shape }
    }

    /// As it is asked outside a transaction.
    pub(crate) fn ask(mut self) -> Ask {
        let op = match self.commands.len() {
            1 => Op::One(self.commands.remove(0)),
            _ => Op::All { commands: self.commands.into_vec().into(), unchanged: Arc::new([]) },
        };
        Ask { op, then: Then::Shape(self.shape) }
    }
}

/// What is made of the store's answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// The value, or nothing, of the first answer.
    Value,
    /// A list of values.
    Values,
    /// `OK`, or nothing if it was not written.
    Written,
    /// 1, or 0 if it was not written.
    Flag,
    /// A number, a length.
    Number,
    /// How many keys were taken away.
    Deleted,
    /// How many keys are there.
    Present,
    /// `string` or `none`.
    Kind,
    /// The length of the value, 0 if there is none.
    Size,
    /// When it expires.
    Expiry {
        /// In milliseconds, or in seconds.
        millis: bool,
        /// As Unix time, or from now.
        absolute: bool,
    },
    /// 1 if the first answer had an expiry.
    Persisted,
    /// Bytes of the value, by first and last index, negative ones from its end.
    Range(i64, i64),
}

/// A write that depends on what is there: read, decide, and write if it has not changed.
pub(crate) struct Guard {
    /// What is wanted.
    pub(crate) wish: Wish,
    /// The write has been asked for.
    pub(crate) is_decided: bool,
    /// How often a key had changed in between.
    pub(crate) tries: u32,
}

/// A write that depends on what is there.
pub(crate) enum Wish {
    /// Write all if none is there (`MSETNX`).
    SetAllIfAbsent(Vec<(Payload, Payload)>),
    /// Let a key expire if its expiry so far is as is said.
    ExpireIf {
        /// Which key.
        key: Payload,
        /// When.
        at: Time,
        /// If.
        when: When,
    },
}

/// How often a guarded write begins anew because a key has changed.
const TRIES_MAX: u32 = 32;

/// What `Refused` is for clients: nothing was done.
const REFUSED: &str = "TRYAGAIN nothing was done: no quorum of replicas answered in time, or too many transactions want the same keys";
/// What `Unknown` is for clients.
const UNKNOWN: &str = "UNKNOWN it is not known whether this was done, nor whether it will be: the decision did not come in time";

impl Guard {
    pub(crate) fn ask(wish: Wish) -> Ask {
        let guard = Self { wish, is_decided: false, tries: 0 };
        Ask { op: guard.look(), then: Then::Guard(Box::new(guard)) }
    }

    fn look(&self) -> Op {
        let get = |key: &Payload| Command::Get { key: key.clone() };
        let commands: Arc<[Command]> = match &self.wish {
            Wish::SetAllIfAbsent(pairs) => pairs.iter().map(|(key, _)| get(key)).collect(),
            Wish::ExpireIf { key, .. } => Arc::new([get(key)]),
        };
        Op::All { commands, unchanged: Arc::new([]) }
    }

    /// The write, if what is there allows it.
    fn decide(&mut self, answers: &[Answer]) -> Option<Op> {
        self.is_decided = true;
        let entries: Vec<(Option<&Entry>, Version)> = answers.iter().map(entry).collect();
        let (commands, keys): (Vec<Command>, Vec<&Payload>) = match &self.wish {
            Wish::SetAllIfAbsent(pairs) => {
                if entries.iter().any(|(entry, _)| entry.is_some()) {
                    return None;
                }
                let set = |(key, value): &(Payload, Payload)| super::strings::set(key.clone(), value.clone());
                (pairs.iter().map(set).collect(), pairs.iter().map(|(key, _)| key).collect())
            }
            Wish::ExpireIf { key, at, when } => {
                let (found, _) = entries.first()?;
                if !when.holds((*found)?.expires, *at) {
                    return None;
                }
                let expire =
                    Command::Expire { key: key.clone(), expiry: isles_quorum::store::Expiry::At(*at) };
                (vec![expire], vec![key])
            }
        };
        let versions = entries.iter().map(|(_, version)| *version);
        let unchanged = keys.into_iter().cloned().zip(versions).collect();
        Some(Op::All { commands: commands.into(), unchanged })
    }
}

fn entry(answer: &Answer) -> (Option<&Entry>, Version) {
    match answer {
        Answer::Entry(entry, version) => (entry.as_ref(), *version),
        Answer::Done
        | Answer::Unchanged
        | Answer::Deleted(_)
        | Answer::Number(_)
        | Answer::Length(_)
        | Answer::NotANumber
        | Answer::Overflow
        | Answer::TooLong => (None, Version::default()),
    }
}

impl Then {
    /// What must come before it and after it.
    pub(crate) fn access<'a>(&self, op: &'a Op) -> Access<'a> {
        match (self, op) {
            (Self::Shape(_), Op::One(command)) => Access::Keys(std::slice::from_ref(command)),
            (Self::Shape(_), Op::All { commands, .. }) => Access::Keys(commands),
            (Self::Shape(_) | Self::Exec(_) | Self::Watch(_) | Self::Guard(_) | Self::Scan(_), _) => {
                Access::Everything
            }
        }
    }

    /// Takes an answer of the store: what is to be asked next, or else the answer from which to [`write`](Self::write).
    pub(crate) fn step(&mut self, reply: Reply) -> Result<Op, Reply> {
        match self {
            Self::Guard(guard) => match reply {
                Reply::All(answers) if !guard.is_decided => guard.decide(&answers).ok_or(Reply::Changed),
                Reply::Changed if guard.tries < TRIES_MAX => {
                    guard.tries += 1;
                    guard.is_decided = false;
                    Ok(guard.look())
                }
                Reply::Changed => Err(Reply::Refused),
                Reply::One(_) | Reply::All(_) | Reply::Page { .. } | Reply::Refused | Reply::Unknown => {
                    Err(reply)
                }
            },
            Self::Scan(scanning) => scanning.step(reply),
            Self::Shape(_) | Self::Exec(_) | Self::Watch(_) => Err(reply),
        }
    }

    /// Writes the answer.
    pub(crate) fn write(self, reply: &Reply, session: &mut Session, out: &mut Out, now: impl Fn() -> Time) {
        match (self, reply) {
            (_, Reply::Refused) => out.error(REFUSED),
            (_, Reply::Unknown) => out.error(UNKNOWN),
            (Self::Shape(shape), Reply::One(answer)) => shape.write(std::slice::from_ref(answer), out, now),
            (Self::Shape(shape), Reply::All(answers)) => shape.write(answers, out, now),
            (Self::Exec(pieces), Reply::All(answers)) => {
                out.list(pieces.len());
                let mut rest = answers.as_slice();
                for piece in pieces {
                    match piece {
                        Piece::Answers(count, shape) => {
                            let (these, others) = rest.split_at(count.min(rest.len()));
                            rest = others;
                            shape.write(these, out, &now);
                        }
                        Piece::Local(frame) => out.frame(&frame),
                    }
                }
            }
            (Self::Exec(_), Reply::Changed) => out.null_list(),
            (Self::Watch(keys), Reply::All(answers)) => {
                let versions = answers.iter().map(|answer| entry(answer).1);
                session.watched.extend(keys.iter().cloned().zip(versions));
                out.frame(&Frame::OK);
            }
            (Self::Guard(_), Reply::All(answers)) => {
                // A key that went away in between is not changed.
                out.number(i64::from(!answers.contains(&Answer::Unchanged)));
            }
            (Self::Guard(_), Reply::Changed) => out.number(0),
            (Self::Scan(scanning), Reply::Page { .. }) => (*scanning).write(out),
            (
                Self::Shape(_) | Self::Exec(_) | Self::Watch(_) | Self::Guard(_) | Self::Scan(_),
                Reply::One(_) | Reply::All(_) | Reply::Changed | Reply::Page { .. },
            ) => out.error("ERR the store answered something else than it was asked"),
        }
    }
}

impl Shape {
    /// Writes the answer to one command.
    pub(crate) fn write(self, answers: &[Answer], out: &mut Out, now: impl Fn() -> Time) {
        let Some(first) = answers.first() else {
            return out.error("ERR the store answered nothing");
        };
        match first {
            Answer::NotANumber => return out.frame(&super::arguments::NOT_AN_INTEGER),
            Answer::Overflow => return out.error("ERR increment or decrement would overflow"),
            Answer::TooLong => return out.error("ERR string exceeds maximum allowed size (limits.request)"),
            Answer::Entry(..)
            | Answer::Done
            | Answer::Unchanged
            | Answer::Deleted(_)
            | Answer::Number(_)
            | Answer::Length(_) => {}
        }
        match self {
            Self::Value => value(first, out),
            Self::Values => {
                out.list(answers.len());
                for answer in answers {
                    value(answer, out);
                }
            }
            Self::Written => match first {
                Answer::Unchanged => out.null(),
                Answer::Entry(..) => value(first, out),
                Answer::Done
                | Answer::Deleted(_)
                | Answer::Number(_)
                | Answer::Length(_)
                | Answer::NotANumber
                | Answer::Overflow
                | Answer::TooLong => out.simple("OK"),
            },
            Self::Flag => out.number(i64::from(*first != Answer::Unchanged)),
            Self::Number => match first {
                Answer::Number(number) => out.number(*number),
                Answer::Length(length) => out.number(i64::try_from(*length).unwrap_or(i64::MAX)),
                Answer::Entry(..)
                | Answer::Done
                | Answer::Unchanged
                | Answer::Deleted(_)
                | Answer::NotANumber
                | Answer::Overflow
                | Answer::TooLong => value(first, out),
            },
            Self::Deleted => {
                let deleted =
                    |answer: &Answer| if let Answer::Deleted(count) = answer { *count as i64 } else { 0 };
                out.number(answers.iter().map(deleted).sum());
            }
            Self::Present => {
                out.number(answers.iter().filter(|answer| entry(answer).0.is_some()).count() as i64)
            }
            Self::Kind => out.simple(if entry(first).0.is_some() { "string" } else { "none" }),
            Self::Size => out.number(entry(first).0.map_or(0, |entry| entry.value.bytes().len() as i64)),
            Self::Expiry { millis, absolute } => out.number(expiry(first, millis, absolute, now)),
            Self::Persisted => {
                out.number(i64::from(entry(first).0.is_some_and(|entry| entry.expires.is_some())));
            }
            Self::Range(from, to) => {
                let bytes = entry(first).0.map_or(&[] as &[u8], |entry| entry.value.bytes());
                out.bulk(range(bytes, from, to));
            }
        }
    }
}

fn value(answer: &Answer, out: &mut Out) {
    match entry(answer).0 {
        Some(entry) => out.bulk(entry.value.bytes()),
        None => out.null(),
    }
}

/// -2 if there is no key, -1 if it never expires. Rounded as Redis rounds.
fn expiry(answer: &Answer, millis: bool, absolute: bool, now: impl Fn() -> Time) -> i64 {
    let Some(entry) = entry(answer).0 else { return -2 };
    let Some(expires) = entry.expires else { return -1 };
    let count = if absolute { expires.0 / 1_000_000 } else { expires.since(now()).0.div_ceil(1_000_000) };
    (if millis { count } else { (count + 500) / 1_000 }) as i64
}

/// The bytes from one index to another, both included; negative ones count from the end.
fn range(bytes: &[u8], from: i64, to: i64) -> &[u8] {
    let length = bytes.len() as i64;
    if from < 0 && to < 0 && from > to {
        return &[];
    }
    let place = |index: i64| if index < 0 { (length + index).max(0) } else { index };
    let (from, to) = (place(from), place(to).min(length - 1));
    if from > to || length == 0 { &[] } else { &bytes[from as usize..=to as usize] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_from_both_ends() {
        let text = b"This is a string";
        let cases: [(i64, i64, &str); 8] = [
            (0, 3, "This"),
            (-3, -1, "ing"),
            (0, -1, "This is a string"),
            (10, 100, "string"),
            (5, 3, ""),
            (-1, -3, ""),
            (-100, 2, "Thi"),
            (16, 20, ""),
        ];
        for (from, to, expected) in cases {
            assert_eq!(range(text, from, to), expected.as_bytes(), "{from} {to}");
        }
        assert_eq!(range(b"", 0, -1), b"");
    }
}
