//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.

use std::sync::Arc;

use isles_kernel::Payload;
use isles_quorum::store::{Command, Op};

use super::expiry::Expire;
use super::plan::{Act, Ask, Keyed, Piece, Then};
use super::strings::{payload, read};
use super::table::{Run, Spec};
use crate::session::Session;
use crate::shared::Shared;
use crate::switchboard::Clock;
use crate::wire::{Frame, Request};

/// What was queued since `MULTI`.
#[derive(Default)]
pub(crate) struct Multi {
    commands: Vec<Command>,
    pieces: Vec<Piece>,
    /// Bytes of the arguments.
    bytes: usize,
    /// A command was refused: `EXEC` does nothing.
    pub(crate) is_failed: bool,
}

/// `QUEUED`.
const QUEUED: Frame = Frame::Simple("QUEUED");

impl Multi {
    /// How many commands are queued.
    pub(crate) fn count(&self) -> i64 {
        self.pieces.len() as i64
    }

    fn keyed(&mut self, keyed: Keyed) -> Frame {
        self.pieces.push(Piece::Answers(keyed.commands.len(), keyed.shape));
        self.commands.extend(keyed.commands);
        QUEUED
    }
}

/// Queues a command, or refuses it and the transaction with it.
pub(crate) fn queue(session: &mut Session, shared: &Shared, spec: &Spec, request: &Request<'_>) -> Act {
    let frame = queued(session, shared, spec, request);
    if let (Frame::Error(_), Some(multi)) = (&frame, &mut session.multi) {
        multi.is_failed = true;
    }
    frame.into()
}

fn queued(session: &mut Session, shared: &Shared, spec: &Spec, request: &Request<'_>) -> Frame {
    let clock = Clock(shared.backend());
    let impossible = || Frame::error(format!("ERR '{}' is not possible inside MULTI", spec.name));
    let most = shared.config.limits.transaction as usize;
    let Some(multi) = &mut session.multi else { return impossible() };
    if multi.pieces.len() >= most || multi.commands.len() + request.len() > 16 * most {
        return Frame::error(format!(
            "ERR more than {most} commands between MULTI and EXEC (limits.transaction)"
        ));
    }
    let (bytes, bytes_max) = (request.args(0).map(<[u8]>::len).sum::<usize>(), shared.config.limits.request);
    if multi.bytes + bytes > bytes_max {
        return Frame::error(format!(
            "ERR more than {bytes_max} bytes between MULTI and EXEC (limits.request)"
        ));
    }
    multi.bytes += bytes;
    // An argument that is wrong is told at `EXEC`, as by Redis: the other commands are done.
    match spec.run {
        Run::Keyed(run) => match run(request, clock) {
            Ok(keyed) => multi.keyed(keyed),
            Err(frame) => {
                multi.pieces.push(Piece::Local(frame));
                QUEUED
            }
        },
        Run::Expire(run) => match run(request, clock) {
            Ok(Expire::Plain(keyed)) => multi.keyed(keyed),
            Ok(Expire::Guarded(_)) => {
                Frame::error(format!("ERR '{}' with options is not possible inside MULTI", spec.name))
            }
            Err(frame) => {
                multi.pieces.push(Piece::Local(frame));
                QUEUED
            }
        },
        Run::Local(run) => match run(session, shared, request) {
            Act::Reply(frame) => {
                if let Some(multi) = &mut session.multi {
                    multi.pieces.push(Piece::Local(frame));
                }
                QUEUED
            }
            Act::Close(_) | Act::Cut | Act::Ask(_) => impossible(),
        },
        Run::Guarded(_) | Run::Scan(_) | Run::Alone(_) | Run::Control(_) => impossible(),
    }
}

pub(super) fn multi(session: &mut Session, _: &Shared, _: &Request<'_>) -> Act {
    if session.multi.is_some() {
        return Frame::error("ERR MULTI calls can not be nested").into();
    }
    session.multi = Some(Multi::default());
    Frame::OK.into()
}

pub(super) fn discard(session: &mut Session, _: &Shared, _: &Request<'_>) -> Act {
    if session.multi.take().is_none() {
        return Frame::error("ERR DISCARD without MULTI").into();
    }
    session.watched.clear();
    Frame::OK.into()
}

pub(super) fn exec(session: &mut Session, _: &Shared, _: &Request<'_>) -> Act {
    let Some(Multi { commands, pieces, is_failed, .. }) = session.multi.take() else {
        return Frame::error("ERR EXEC without MULTI").into();
    };
    let watched = std::mem::take(&mut session.watched);
    if is_failed {
        return Frame::error("EXECABORT Transaction discarded because of previous errors.").into();
    }
    // Watched keys are looked at even if nothing else is asked.
    if commands.is_empty() && watched.is_empty() {
        let local = |piece| if let Piece::Local(frame) = piece { Some(frame) } else { None };
        return Frame::List(pieces.into_iter().filter_map(local).collect()).into();
    }
    let op = Op::All { commands: commands.into(), unchanged: watched.into() };
    Act::Ask(Ask { op, then: Then::Exec(pieces) })
}

pub(super) fn watch(session: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    if session.multi.is_some() {
        return Frame::error("ERR WATCH inside MULTI is not allowed").into();
    }
    let most = shared.config.limits.transaction as usize;
    if session.watched.len() + request.len() > most {
        return Frame::error(format!("ERR more than {most} keys are watched (limits.transaction)")).into();
    }
    let keys: Arc<[Payload]> = request.args(1).map(payload).collect();
    let commands = (1..request.len()).map(|index| read(request, index)).collect();
    Act::Ask(Ask { op: Op::All { commands, unchanged: Arc::new([]) }, then: Then::Watch(keys) })
}

pub(super) fn unwatch(session: &mut Session, _: &Shared, _: &Request<'_>) -> Act {
    session.watched.clear();
    Frame::OK.into()
}
