//! What a transaction answers and writes, given what its keys hold.

use std::collections::BTreeMap;

use isles_kernel::{Payload, Time};

use super::Reply;
use super::apply::{Change, apply, is_live};
use super::command::{Command, Entry, Version};
use super::coordinator::{Locked, Purpose, Transaction, is_ambiguous};
use super::message::Write;

/// What came of the commands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Evaluated {
    pub(super) reply: Reply,
    /// In the order of keys.
    pub(super) writes: Vec<Write>,
}

/// What a client asks for at one instant.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) commands: &'a [Command],
    pub(super) unchanged: &'a [(Payload, Version)],
}

/// A key, as the commands so far have left it.
struct Row<'a> {
    version: Version,
    entry: Option<&'a Entry>,
    /// What was written, if anything was.
    written: Option<Option<Entry>>,
    /// The version of what is written.
    next: Version,
}

/// Applies the commands in order to what the granted locks show.
pub(super) fn evaluate(transaction: &Transaction, keys: &[Locked], now: Time, bytes_max: usize) -> Evaluated {
    let rows = keys.iter().map(|locked| {
        let (version, entry) = locked.newest(|_| true);
        (&locked.key, version, entry, locked.highest())
    });
    let asked = Asked { commands: &transaction.commands, unchanged: &transaction.unchanged };
    let mut evaluated = commands(rows, asked, now, bytes_max);
    let all = |locked: &Locked| locked.newest(|_| true).1.cloned();
    let again = |locked: &Locked, entry: Option<Entry>| Write {
        key: locked.key.clone(),
        entry,
        version: Version(locked.highest().0.saturating_add(1)),
    };
    match transaction.purpose {
        Purpose::One(_) => evaluated.reply = first(evaluated.reply),
        Purpose::All(_) => {}
        Purpose::Refresh(_) => {
            evaluated.reply = first(evaluated.reply);
            let doubtful =
                keys.iter().filter(|locked| is_ambiguous(locked.granted.iter().map(|(_, state)| state)));
            evaluated.writes = doubtful.map(|locked| again(locked, all(locked))).collect();
        }
        Purpose::Purge => {
            let expired = keys.iter().filter(|locked| all(locked).is_some_and(|entry| !is_live(&entry, now)));
            evaluated.writes = expired.map(|locked| again(locked, None)).collect();
        }
    }
    evaluated
}

/// The reply to a client that asked for one command.
pub(super) fn first(reply: Reply) -> Reply {
    match reply {
        Reply::All(mut answers) => answers.pop().map_or(Reply::Refused, Reply::One),
        Reply::One(_) | Reply::Changed | Reply::Page { .. } | Reply::Refused | Reply::Unknown => reply,
    }
}

/// Applies commands in order to keys: what they hold, since which version, and the highest version that was ever known.
pub(super) fn commands<'a>(
    keys: impl Iterator<Item = (&'a Payload, Version, Option<&'a Entry>, Version)>,
    Asked { commands, unchanged }: Asked<'_>,
    now: Time,
    bytes_max: usize,
) -> Evaluated {
    let mut rows: BTreeMap<&Payload, Row<'_>> = keys
        .map(|(key, version, entry, highest)| {
            (key, Row { version, entry, written: None, next: Version(highest.0.saturating_add(1)) })
        })
        .collect();
    let has_changed = |(key, version): &(Payload, Version)| {
        rows.get(key).is_none_or(|row| {
            let live = row.entry.is_some_and(|entry| is_live(entry, now));
            let seen = if live { row.version } else { Version(0) };
            seen != *version
        })
    };
    if unchanged.iter().any(has_changed) {
        return Evaluated { reply: Reply::Changed, writes: Vec::new() };
    }
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands.iter() {
        let Some(row) = rows.get_mut(command.key()) else { continue };
        let held = row.written.as_ref().map_or(row.entry, Option::as_ref);
        let (answer, change) = apply(held, row.version, command, now, bytes_max);
        if let Change::Write(entry) = change {
            row.written = Some(entry);
            row.version = row.next;
        }
        answers.push(answer);
    }
    let writes = rows.into_iter().filter_map(|(key, row)| {
        row.written.map(|entry| Write { key: key.clone(), entry, version: row.next })
    });
    Evaluated { reply: Reply::All(answers), writes: writes.collect() }
}
