//! What commands do to a key, as Redis does it: a pure function of what the key holds.

use isles_kernel::{Payload, Time};

use super::command::{Answer, Command, Condition, Entry, Expiry, Version};

/// What a command makes of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Nothing.
    Keep,
    /// It holds this; nothing, if it is deleted.
    Write(Option<Entry>),
}

/// Whether an entry is still there.
pub(super) fn is_live(entry: &Entry, now: Time) -> bool {
    entry.expires.is_none_or(|at| at > now)
}

/// Applies `command` to a key that holds `held` since the write `version`. What has expired is not there.
pub(super) fn apply(
    held: Option<&Entry>,
    version: Version,
    command: &Command,
    now: Time,
    bytes_max: usize,
) -> (Answer, Change) {
    let held = held.filter(|entry| is_live(entry, now));
    let seen = if held.is_some() { version } else { Version(0) };
    match command {
        Command::Get { .. } => (Answer::Entry(held.cloned(), seen), Change::Keep),
        Command::Set { value, condition, expiry, get, .. } => {
            let holds = match condition {
                Condition::Always => true,
                Condition::Absent => held.is_none(),
                Condition::Present => held.is_some(),
            };
            let change = if holds {
                Change::Write(keep(value.clone(), expires(held, *expiry), now))
            } else {
                Change::Keep
            };
            let answer = match (get, holds) {
                (true, _) => Answer::Entry(held.cloned(), seen),
                (false, true) => Answer::Done,
                (false, false) => Answer::Unchanged,
            };
            (answer, change)
        }
        Command::Delete { .. } => match held {
            Some(_) => (Answer::Deleted(1), Change::Write(None)),
            None => (Answer::Deleted(0), Change::Keep),
        },
        Command::Increment { by, .. } => increment(held, *by),
        Command::Append { value, .. } => append(held, value, bytes_max),
        Command::Expire { expiry, .. } => expire(held, *expiry, now),
    }
}

fn expires(held: Option<&Entry>, expiry: Expiry) -> Option<Time> {
    match expiry {
        Expiry::Never => None,
        Expiry::Keep => held.and_then(|entry| entry.expires),
        Expiry::At(at) => Some(at),
    }
}

/// An entry, or none if it expires at once.
fn keep(value: Payload, expires: Option<Time>, now: Time) -> Option<Entry> {
    Some(Entry { value, expires }).filter(|entry| is_live(entry, now))
}

fn increment(held: Option<&Entry>, by: i64) -> (Answer, Change) {
    let number = match held {
        None => Some(0),
        Some(entry) => number(entry.value.bytes()),
    };
    let Some(number) = number else { return (Answer::NotANumber, Change::Keep) };
    let Some(sum) = number.checked_add(by) else { return (Answer::Overflow, Change::Keep) };
    let entry = Entry { value: decimal(sum), expires: expires(held, Expiry::Keep) };
    (Answer::Number(sum), Change::Write(Some(entry)))
}

/// The number that the bytes are, written as this store writes it: no sign but a minus, no space, no needless zero.
fn number(bytes: &[u8]) -> Option<i64> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let is_plain = match digits {
        [b'0'] => bytes.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !is_plain || bytes.len() > 20 {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The number in decimal digits, without a text in between.
fn decimal(number: i64) -> Payload {
    let mut digits = [0; 20];
    let mut place = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        place -= 1;
        digits[place] = b'-';
    }
    digits[place..].into()
}

fn append(held: Option<&Entry>, value: &Payload, bytes_max: usize) -> (Answer, Change) {
    let before = held.map_or(&[][..], |entry| entry.value.bytes());
    let length = before.len().saturating_add(value.bytes().len());
    if length > bytes_max {
        return (Answer::TooLong, Change::Keep);
    }
    let value = if before.is_empty() {
        value.clone()
    } else {
        let mut whole = Vec::with_capacity(length);
        whole.extend_from_slice(before);
        whole.extend_from_slice(value.bytes());
        whole[..].into()
    };
    let entry = Entry { value, expires: expires(held, Expiry::Keep) };
    (Answer::Length(length as u64), Change::Write(Some(entry)))
}

fn expire(held: Option<&Entry>, expiry: Expiry, now: Time) -> (Answer, Change) {
    let Some(entry) = held else { return (Answer::Unchanged, Change::Keep) };
    match expiry {
        Expiry::Keep => (Answer::Unchanged, Change::Keep),
        Expiry::Never if entry.expires.is_none() => (Answer::Unchanged, Change::Keep),
        Expiry::Never | Expiry::At(_) => {
            let change = Change::Write(keep(entry.value.clone(), expires(held, expiry), now));
            (Answer::Done, change)
        }
    }
}
