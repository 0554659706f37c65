//! `CLIENT`: about connections.

use super::admin::{help, unknown_subcommand};
use super::arguments::{SYNTAX, integer, is, shown, wrong_arity};
use super::plan::Act;
use crate::session::{Session, printable};
use crate::shared::Shared;
use crate::switchboard::{Doom, Line};
use crate::wire::{Frame, Request};

/// `CLIENT ...`
pub(super) fn client(session: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let word = request.arg(1).to_ascii_lowercase();
    let count = request.len();
    let frame = match (word.as_slice(), count) {
        (b"id", 2) => Frame::Number(session.line.about.borrow().id as i64),
        (b"getname", 2) => match session.line.about.borrow().name.as_str() {
            "" => Frame::Null,
            name => Frame::text(name),
        },
        (b"setname", 3) => session.set_name(request.arg(2)).map_or_else(|frame| frame, |()| Frame::OK),
        (b"setinfo", 4) => setinfo(session, request),
        (b"info", 2) => Frame::Verbatim(format!("{}\n", told(&session.line, shared))),
        (b"list", _) => list(shared, request),
        (b"kill", 3..) => return kill(session, shared, request),
        // There is no eviction, so that nothing is touched by it.
        (b"no-evict" | b"no-touch", 3) => match is(request.arg(2), "on") || is(request.arg(2), "off") {
            true => Frame::OK,
            false => SYNTAX,
        },
        (b"reply", 3) => match is(request.arg(2), "on") {
            true => Frame::OK,
            false => {
                Frame::error("ERR CLIENT REPLY OFF and SKIP are not possible: every command is answered")
            }
        },
        (b"tracking", 3..) => match is(request.arg(2), "off") {
            true => Frame::OK,
            false => {
                Frame::error("ERR CLIENT TRACKING is not possible: nodes do not know what clients cache")
            }
        },
        (b"help", 2) => help(&[
            "CLIENT",
            "GETNAME",
            "ID",
            "INFO",
            "KILL <address> | ID <id> | ADDR <address>",
            "LIST [TYPE normal] [ID <id> ...]",
            "NO-EVICT ON|OFF",
            "NO-TOUCH ON|OFF",
            "SETINFO LIB-NAME|LIB-VER <text>",
            "SETNAME <name>",
            "HELP",
        ]),
        (
            b"id" | b"getname" | b"setname" | b"setinfo" | b"info" | b"no-evict" | b"no-touch" | b"reply"
            | b"kill" | b"help" | b"tracking",
            _,
        ) => wrong_arity(&format!("client|{}", String::from_utf8_lossy(&word))),
        _ => unknown_subcommand(request, "CLIENT"),
    };
    frame.into()
}

fn setinfo(session: &Session, request: &Request<'_>) -> Frame {
    let word = request.arg(2);
    let Some(text) = printable(request.arg(3)) else {
        return Frame::error(format!(
            "ERR {} cannot contain spaces, newlines or special characters.",
            shown(word).to_ascii_lowercase()
        ));
    };
    let mut about = session.line.about.borrow_mut();
    if is(word, "lib-name") {
        about.library = text;
    } else if is(word, "lib-ver") {
        about.library_version = text;
    } else {
        return Frame::error(format!("ERR Unrecognized option '{}'", shown(word)));
    }
    Frame::OK
}

/// One line of `CLIENT LIST`.
fn told(line: &Line, shared: &Shared) -> String {
    let about = line.about.borrow();
    let now = shared.second.get();
    format!(
        "id={} addr={} laddr={} fd=0 name={} age={} idle={} flags=N db=0 sub=0 psub=0 ssub=0 multi={} watch={} qbuf=0 \
         qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll={} omem={} tot-mem={} events=r cmd={} user={} redir=-1 \
         resp={} lib-name={} lib-ver={}",
        about.id,
        about.address,
        about.local,
        about.name,
        now.saturating_sub(about.since),
        now.saturating_sub(line.heard.get()),
        about.queued,
        about.watched,
        line.waiting.get(),
        line.unsent.get(),
        line.unsent.get(),
        if about.last.is_empty() { "NULL" } else { about.last },
        about.user,
        about.protocol,
        about.library,
        about.library_version,
    )
}

fn list(shared: &Shared, request: &Request<'_>) -> Frame {
    let mut ids = None;
    if request.len() > 2 {
        if is(request.arg(2), "type") && request.len() == 4 {
            let word = request.arg(3);
            if !["normal", "master", "replica", "slave", "pubsub"].into_iter().any(|kind| is(word, kind)) {
                return Frame::error(format!("ERR Unknown client type '{}'", shown(word)));
            }
            if !is(word, "normal") {
                return Frame::Verbatim(String::new());
            }
        } else if is(request.arg(2), "id") && request.len() > 3 {
            match request.args(3).map(integer).collect::<Result<Vec<i64>, Frame>>() {
                Ok(wanted) => ids = Some(wanted),
                Err(_) => return Frame::error("ERR Invalid client ID"),
            }
        } else {
            return SYNTAX;
        }
    }
    let wanted = |line: &Line| ids.as_ref().is_none_or(|ids| ids.contains(&(line.about.borrow().id as i64)));
    let lines = shared.switchboard.all();
    let rows = lines.iter().filter(|line| wanted(line)).map(|line| format!("{}\n", told(line, shared)));
    Frame::Verbatim(rows.collect())
}

/// `CLIENT KILL address`, `CLIENT KILL ID id`, `CLIENT KILL ADDR address`
fn kill(session: &Session, shared: &Shared, request: &Request<'_>) -> Act {
    let lines = shared.switchboard.all();
    let is_old = request.len() == 3;
    let found: Vec<_> = if is_old || request.len() == 4 && is(request.arg(2), "addr") {
        let address = String::from_utf8_lossy(request.arg(request.len() - 1)).into_owned();
        lines.iter().filter(|line| line.about.borrow().address == address).collect()
    } else if request.len() == 4 && is(request.arg(2), "id") {
        match integer(request.arg(3)) {
            Ok(id) if id > 0 => lines.iter().filter(|line| line.about.borrow().id == id as u64).collect(),
            Ok(_) | Err(_) => return Frame::error("ERR client-id should be greater than 0").into(),
        }
    } else {
        return SYNTAX.into();
    };
    let mut is_self = false;
    for line in &found {
        if line.number == session.line.number {
            is_self = true;
        } else {
            line.end(Doom::Killed);
        }
    }
    let frame = match (is_old, found.len()) {
        (true, 0) => Frame::error("ERR No such client"),
        (true, _) => Frame::OK,
        (false, count) => Frame::Number(count as i64),
    };
    if is_self { Act::Close(frame) } else { frame.into() }
}
