//! `COMMAND`, `CONFIG GET`, `TIME`.

use super::arguments::{is, shown, wrong_arity};
use super::glob;
use super::plan::Act;
use super::table::{COMMANDS, Spec};
use crate::config::Durability;
use crate::session::Session;
use crate::shared::Shared;
use crate::wire::{Frame, Request};

/// The error of a subcommand that there is not.
pub(super) fn unknown_subcommand(request: &Request<'_>, command: &str) -> Frame {
    Frame::error(format!("ERR unknown subcommand '{}'. Try {command} HELP.", shown(request.arg(1))))
}

/// Lines of `HELP`.
pub(super) fn help(lines: &[&'static str]) -> Frame {
    Frame::List(lines.iter().copied().map(Frame::Simple).collect())
}

/// `TIME`
pub(super) fn time(_: &mut Session, shared: &Shared, _: &Request<'_>) -> Act {
    let now = shared.backend().now().0;
    let text = |number: u64| Frame::text(number.to_string());
    Frame::List(vec![text(now / 1_000_000_000), text(now / 1_000 % 1_000_000)]).into()
}

/// `COMMAND [COUNT | LIST | INFO name ... | DOCS name ... | GETKEYS command ... | HELP]`
pub(super) fn command(_: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let found = |name: &[u8]| shared.table.find(name);
    let word = request.arg(1);
    if request.len() == 1 {
        return Frame::List(COMMANDS.iter().map(described).collect()).into();
    }
    let named = request.len() > 2;
    let frame = if is(word, "count") {
        Frame::Number(COMMANDS.len() as i64)
    } else if is(word, "list") && !named {
        Frame::List(COMMANDS.iter().map(|spec| Frame::word(spec.name)).collect())
    } else if is(word, "info") {
        let described_or_null = |name: &[u8]| found(name).map_or(Frame::Null, described);
        match named {
            true => Frame::List(request.args(2).map(described_or_null).collect()),
            false => Frame::List(COMMANDS.iter().map(described).collect()),
        }
    } else if is(word, "docs") {
        match named {
            true => Frame::Map(request.args(2).filter_map(found).map(documented).collect()),
            false => Frame::Map(COMMANDS.iter().map(documented).collect()),
        }
    } else if is(word, "getkeys") && named {
        getkeys(request, found(request.arg(2)))
    } else if is(word, "help") {
        help(&[
            "COMMAND",
            "COUNT",
            "DOCS [<name> ...]",
            "GETKEYS <command>",
            "INFO [<name> ...]",
            "LIST",
            "HELP",
        ])
    } else {
        unknown_subcommand(request, "COMMAND")
    };
    frame.into()
}

/// One entry of `COMMAND`.
fn described(spec: &Spec) -> Frame {
    let words = |text: &'static str| text.split(' ').map(Frame::Simple);
    let (first, last, step) = spec.keys;
    let (access, rights) = if spec.has("write") {
        ("@write", "RW")
    } else if spec.has("readonly") {
        ("@read", "RO")
    } else {
        ("@fast", "")
    };
    let group = match spec.group {
        "string" => "@string",
        "generic" => "@keyspace",
        "connection" => "@connection",
        "transactions" => "@transaction",
        _ => "@admin",
    };
    let mut places = Vec::new();
    if first != 0 {
        let pair = |name: &'static str, value: i32| (Frame::word(name), Frame::Number(value.into()));
        let part = |kind: &'static str, spec: Vec<(Frame, Frame)>| {
            Frame::Map(vec![
                (Frame::word("type"), Frame::word(kind)),
                (Frame::word("spec"), Frame::Map(spec)),
            ])
        };
        let last = if last > 0 { last - first } else { last };
        places.push(Frame::Map(vec![
            (Frame::word("flags"), Frame::Set(vec![Frame::Simple(rights), Frame::Simple("access")])),
            (Frame::word("begin_search"), part("index", vec![pair("index", first)])),
            (
                Frame::word("find_keys"),
                part("range", vec![pair("lastkey", last), pair("keystep", step), pair("limit", 0)]),
            ),
        ]));
    }
    Frame::List(vec![
        Frame::word(spec.name),
        Frame::Number(spec.arity.into()),
        Frame::Set(words(spec.flags).collect()),
        Frame::Number(first.into()),
        Frame::Number(last.into()),
        Frame::Number(step.into()),
        Frame::Set(vec![Frame::Simple(access), Frame::Simple(group)]),
        Frame::List(Vec::new()),
        Frame::List(places),
        Frame::List(Vec::new()),
    ])
}

/// One entry of `COMMAND DOCS`.
fn documented(spec: &Spec) -> (Frame, Frame) {
    let pair = |name, value| (Frame::word(name), Frame::word(value));
    let docs = vec![pair("summary", spec.summary), pair("since", spec.since), pair("group", spec.group)];
    (Frame::word(spec.name), Frame::Map(docs))
}

fn getkeys(request: &Request<'_>, spec: Option<&Spec>) -> Frame {
    let Some(spec) = spec else { return Frame::error("ERR Invalid command specified") };
    let count = request.len() - 2;
    if !spec.takes(count) {
        return Frame::error("ERR Invalid number of arguments specified for command");
    }
    let (first, last, step) = spec.keys;
    if first == 0 {
        return Frame::error("ERR The command has no key arguments");
    }
    let last = if last < 0 { count as i32 + last } else { last };
    let keys = (first..=last).step_by(step.max(1) as usize);
    Frame::List(keys.map(|at| Frame::Bulk(request.arg(2 + at as usize).to_vec().into())).collect())
}

/// `CONFIG GET pattern ...`
pub(super) fn config(_: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let word = request.arg(1);
    if is(word, "get") {
        if request.len() < 3 {
            return wrong_arity("config|get").into();
        }
        let lower: Vec<Vec<u8>> = request.args(2).map(<[u8]>::to_ascii_lowercase).collect();
        let wanted = |name: &str| lower.iter().any(|pattern| glob::matches(pattern, name.as_bytes()));
        let rows = settings(shared).into_iter().filter(|(name, _)| wanted(name));
        return Frame::Map(rows.map(|(name, value)| (Frame::word(name), Frame::text(value))).collect())
            .into();
    }
    if is(word, "set") || is(word, "rewrite") || is(word, "resetstat") {
        let word = shown(word).to_ascii_uppercase();
        return Frame::error(format!(
            "ERR CONFIG {word} is not possible: a node is told by its configuration file; change it and start the node again"
        ))
        .into();
    }
    if is(word, "help") {
        return help(&["CONFIG", "GET <pattern> [<pattern> ...]", "HELP"]).into();
    }
    unknown_subcommand(request, "CONFIG").into()
}

/// Settings under the names that Redis has for them, as far as clients look at them.
fn settings(shared: &Shared) -> Vec<(&'static str, String)> {
    let config = &shared.config;
    let limits = &config.limits;
    let is_kept = config.durability != Durability::None;
    let sync = match config.durability {
        Durability::Always => "always",
        Durability::EverySecond => "everysec",
        Durability::None => "no",
    };
    vec![
        ("appendfsync", sync.to_owned()),
        ("appendonly", if is_kept { "yes" } else { "no" }.to_owned()),
        ("bind", config.clients.listen.ip().to_string()),
        ("client-query-buffer-limit", limits.request.to_string()),
        ("cluster-enabled", "no".to_owned()),
        ("databases", "1".to_owned()),
        ("dir", config.data.display().to_string()),
        ("io-threads", "1".to_owned()),
        ("loglevel", "notice".to_owned()),
        ("maxclients", limits.clients.to_string()),
        ("maxmemory", "0".to_owned()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("notify-keyspace-events", String::new()),
        ("port", config.clients.listen.port().to_string()),
        ("proto-max-bulk-len", limits.request.to_string()),
        ("save", String::new()),
        ("tcp-keepalive", crate::server::KEEPALIVE.as_secs().to_string()),
        ("timeout", (limits.idle.0 / 1_000_000_000).to_string()),
    ]
}
