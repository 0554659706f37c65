//! The one table of commands: parsing, `COMMAND`, `COMMAND DOCS` and the crate's front page follow from it.

use rustc_hash::FxBuildHasher;

use super::expiry::Expire;
use super::plan::{Act, Ask, Keyed};
use super::{admin, client, expiry, info, scan, strings, transaction};
use crate::config::Limits;
use crate::session::{self, Session};
use crate::shared::Shared;
use crate::switchboard::Clock;
use crate::wire::{Frame, Request};

/// One command.
#[derive(Debug)]
pub(crate) struct Spec {
    /// Its name, in small letters.
    pub(crate) name: &'static str,
    /// Arguments with the name: so many, or if negative at least so many.
    pub(crate) arity: i32,
    /// Flags of `COMMAND`, between spaces.
    pub(crate) flags: &'static str,
    /// Places of the first and last key (negative from the end), and the step between; 0 if there is none.
    pub(crate) keys: (i32, i32, i32),
    /// Its group in the documentation.
    pub(crate) group: &'static str,
    /// The version of Redis that brought it.
    pub(crate) since: &'static str,
    /// What it does.
    pub(crate) summary: &'static str,
    /// How it is done.
    pub(crate) run: Run,
}

/// What a session command does.
pub(crate) type Local = fn(&mut Session, &Shared, &Request<'_>) -> Act;

/// How a command is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// By commands of the store, at one instant.
    Keyed(fn(&Request<'_>, Clock<'_>) -> Result<Keyed, Frame>),
    /// The same, unless it has options.
    Expire(fn(&Request<'_>, Clock<'_>) -> Result<Expire, Frame>),
    /// By a read, and a write that depends on it.
    Guarded(fn(&Request<'_>, Clock<'_>) -> Result<Ask, Frame>),
    /// By going through the keys.
    Scan(fn(&Request<'_>, &Limits) -> Result<Ask, Frame>),
    /// By the node alone.
    Local(Local),
    /// By the node alone, and it changes what later answers look like: all before it are answered first.
    Alone(Local),
    /// Like `Alone`, and at once even between `MULTI` and `EXEC`.
    Control(Local),
}

/// One row for each command: name, arity, flags, keys, group, since, summary, how.
macro_rules! commands {
    ($($name:literal $arity:literal [$flags:literal] ($first:literal $last:literal $step:literal)
        $group:literal $since:literal $summary:literal => $run:expr;)*) => {
        /// All commands, by name.
        pub(crate) const COMMANDS: &[Spec] = &[$(Spec {
            name: $name,
            arity: $arity,
            flags: $flags,
            keys: ($first, $last, $step),
            group: $group,
            since: $since,
            summary: $summary,
            run: $run,
        }),*];
    };
}

use Run::{Alone, Control, Guarded, Keyed as Key, Local as Node, Scan};

commands! {
    "append" 3 ["write fast"] (1 1 1) "string" "2.0.0" "Appends to a value" => Key(strings::append);
    "auth" -2 ["noscript loading stale fast no_auth allow_busy"] (0 0 0) "connection" "1.0.0" "Authenticates" => Alone(session::auth);
    "client" -2 ["noscript loading stale"] (0 0 0) "connection" "2.4.0" "About connections" => Alone(client::client);
    "command" -1 ["loading stale"] (0 0 0) "server" "2.8.13" "About commands" => Node(admin::command);
    "config" -2 ["admin noscript loading stale"] (0 0 0) "server" "2.0.0" "Reads settings" => Node(admin::config);
    "dbsize" 1 ["readonly"] (0 0 0) "server" "1.0.0" "Counts keys by going through them" => Scan(scan::dbsize);
    "decr" 2 ["write fast"] (1 1 1) "string" "1.0.0" "Subtracts one from a number" => Key(strings::decr);
    "decrby" 3 ["write fast"] (1 1 1) "string" "1.0.0" "Subtracts from a number" => Key(strings::decrby);
    "del" -2 ["write"] (1 -1 1) "generic" "1.0.0" "Deletes keys" => Key(strings::del);
    "discard" 1 ["noscript loading stale fast"] (0 0 0) "transactions" "2.0.0" "Forgets a transaction" => Control(transaction::discard);
    "echo" 2 ["loading stale fast"] (0 0 0) "connection" "1.0.0" "Answers with its argument" => Node(session::echo);
    "exec" 1 ["noscript loading stale"] (0 0 0) "transactions" "1.2.0" "Does a transaction" => Control(transaction::exec);
    "exists" -2 ["readonly fast"] (1 -1 1) "generic" "1.0.0" "Counts which of the keys are there" => Key(strings::exists);
    "expire" -3 ["write fast"] (1 1 1) "generic" "1.0.0" "Lets a key expire in seconds" => Run::Expire(expiry::expire);
    "expireat" -3 ["write fast"] (1 1 1) "generic" "1.2.0" "Lets a key expire at a second" => Run::Expire(expiry::expireat);
    "expiretime" 2 ["readonly fast"] (1 1 1) "generic" "7.0.0" "Tells the second at which a key expires" => Key(expiry::expiretime);
    "get" 2 ["readonly fast"] (1 1 1) "string" "1.0.0" "Reads a value" => Key(strings::get);
    "getdel" 2 ["write fast"] (1 1 1) "string" "6.2.0" "Reads a value and deletes the key" => Key(strings::getdel);
    "getex" -2 ["write fast"] (1 1 1) "string" "6.2.0" "Reads a value and sets when it expires" => Key(strings::getex);
    "getrange" 4 ["readonly"] (1 1 1) "string" "2.4.0" "Reads a part of a value" => Key(strings::getrange);
    "getset" 3 ["write fast"] (1 1 1) "string" "1.0.0" "Writes a value and answers the one before" => Key(strings::getset);
    "hello" -1 ["noscript loading stale fast no_auth allow_busy"] (0 0 0) "connection" "6.0.0" "Chooses the protocol" => Alone(session::hello);
    "incr" 2 ["write fast"] (1 1 1) "string" "1.0.0" "Adds one to a number" => Key(strings::incr);
    "incrby" 3 ["write fast"] (1 1 1) "string" "1.0.0" "Adds to a number" => Key(strings::incrby);
    "info" -1 ["loading stale"] (0 0 0) "server" "1.0.0" "Tells about the node" => Node(info::info);
    "keys" 2 ["readonly"] (0 0 0) "generic" "1.0.0" "Lists keys by going through all" => Scan(scan::keys);
    "mget" -2 ["readonly fast"] (1 -1 1) "string" "1.0.0" "Reads several values at one instant" => Key(strings::mget);
    "mset" -3 ["write"] (1 -1 2) "string" "1.0.1" "Writes several values at one instant" => Key(strings::mset);
    "msetnx" -3 ["write"] (1 -1 2) "string" "1.0.1" "Writes several values if none is there" => Guarded(strings::msetnx);
    "multi" 1 ["noscript loading stale fast"] (0 0 0) "transactions" "1.2.0" "Begins a transaction" => Control(transaction::multi);
    "persist" 2 ["write fast"] (1 1 1) "generic" "2.2.0" "Lets a key never expire" => Key(expiry::persist);
    "pexpire" -3 ["write fast"] (1 1 1) "generic" "2.6.0" "Lets a key expire in milliseconds" => Run::Expire(expiry::pexpire);
    "pexpireat" -3 ["write fast"] (1 1 1) "generic" "2.6.0" "Lets a key expire at a millisecond" => Run::Expire(expiry::pexpireat);
    "pexpiretime" 2 ["readonly fast"] (1 1 1) "generic" "7.0.0" "Tells the millisecond at which a key expires" => Key(expiry::pexpiretime);
    "ping" -1 ["fast"] (0 0 0) "connection" "1.0.0" "Answers PONG, or its argument" => Node(session::ping);
    "psetex" 4 ["write"] (1 1 1) "string" "2.6.0" "Writes a value that expires in milliseconds" => Key(strings::psetex);
    "pttl" 2 ["readonly fast"] (1 1 1) "generic" "2.6.0" "Tells in how many milliseconds a key expires" => Key(expiry::pttl);
    "quit" -1 ["noscript loading stale fast no_auth allow_busy"] (0 0 0) "connection" "1.0.0" "Ends the connection" => Control(session::quit);
    "reset" 1 ["noscript loading stale fast no_auth allow_busy"] (0 0 0) "connection" "6.2.0" "Begins the connection anew" => Control(session::reset);
    "scan" -2 ["readonly"] (0 0 0) "generic" "2.8.0" "Goes through the keys, page by page" => Scan(scan::scan);
    "select" 2 ["loading stale fast"] (0 0 0) "connection" "1.0.0" "Chooses the database: 0" => Node(session::select);
    "set" -3 ["write"] (1 1 1) "string" "1.0.0" "Writes a value" => Key(strings::set_with_options);
    "setex" 4 ["write"] (1 1 1) "string" "2.0.0" "Writes a value that expires in seconds" => Key(strings::setex);
    "setnx" 3 ["write fast"] (1 1 1) "string" "1.0.0" "Writes a value if none is there" => Key(strings::setnx);
    "strlen" 2 ["readonly fast"] (1 1 1) "string" "2.2.0" "Tells the length of a value" => Key(strings::strlen);
    "substr" 4 ["readonly"] (1 1 1) "string" "1.0.0" "Reads a part of a value" => Key(strings::getrange);
    "time" 1 ["loading stale fast"] (0 0 0) "server" "2.6.0" "Tells the node's clock" => Node(admin::time);
    "touch" -2 ["readonly fast"] (1 -1 1) "generic" "3.2.1" "Counts which of the keys are there" => Key(strings::exists);
    "ttl" 2 ["readonly fast"] (1 1 1) "generic" "1.0.0" "Tells in how many seconds a key expires" => Key(expiry::ttl);
    "type" 2 ["readonly fast"] (1 1 1) "generic" "1.0.0" "Tells the type of a value: string" => Key(strings::kind);
    "unlink" -2 ["write fast"] (1 -1 1) "generic" "4.0.0" "Deletes keys" => Key(strings::del);
    "unwatch" 1 ["noscript loading stale fast"] (0 0 0) "transactions" "2.2.0" "Watches no keys" => Control(transaction::unwatch);
    "watch" -2 ["noscript loading stale fast"] (1 -1 1) "transactions" "2.2.0" "Lets EXEC do nothing if a key changes" => Control(transaction::watch);
}

impl Spec {
    /// Whether so many arguments, with the name, are right.
    pub(crate) const fn takes(&self, count: usize) -> bool {
        if self.arity < 0 {
            count >= self.arity.unsigned_abs() as usize
        } else {
            count == self.arity as usize
        }
    }

    /// Whether it has this flag.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.split(' ').any(|word| word == flag)
    }

    /// Whether all commands before it must be answered first.
    pub(crate) const fn is_alone(&self) -> bool {
        matches!(self.run, Alone(_) | Control(_))
    }
}

/// Finds commands by name.
#[derive(Debug)]
pub(crate) struct Table(hashbrown::HashMap<u128, &'static Spec, FxBuildHasher>);

/// A name of up to 16 bytes in small letters as a number.
fn packed(name: &[u8]) -> Option<u128> {
    if name.len() > 16 {
        return None;
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    Some(u128::from_le_bytes(bytes))
}

impl Table {
    pub(crate) fn new() -> Self {
        let row = |spec: &'static Spec| Some((packed(spec.name.as_bytes())?, spec));
        Self(COMMANDS.iter().filter_map(row).collect())
    }

    /// The command of this name, in any case.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&'static Spec> {
        self.0.get(&packed(name)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_in_any_case() {
        let table = Table::new();
        for spec in COMMANDS {
            let found = table.find(spec.name.to_ascii_uppercase().as_bytes()).expect(spec.name);
            assert_eq!(found.name, spec.name);
            assert_eq!(spec.name, spec.name.to_ascii_lowercase());
        }
        assert!(COMMANDS.is_sorted_by_key(|spec| spec.name), "COMMANDS is in the order of names");
        assert!(table.find(b"lpush").is_none() && table.find(b"").is_none());
        assert!(table.find(b"a-name-of-seventeen").is_none());
    }
}
