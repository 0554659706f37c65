//! Commands on values.

use isles_kernel::{Payload, Time};
use isles_quorum::store::{Command, Condition, Expiry};

use super::arguments::{Count, SYNTAX, integer, invalid_expire, is, wrong_arity};
use super::plan::{Ask, Guard, Keyed, Shape, Wish};
use crate::switchboard::Clock;
use crate::wire::{Frame, Request};

/// A key or value as the store keeps it.
pub(super) fn payload(bytes: &[u8]) -> Payload {
    bytes.into()
}

/// A read of the key that is this argument.
pub(super) fn read(request: &Request<'_>, index: usize) -> Command {
    Command::Get { key: payload(request.arg(index)) }
}

/// A plain write.
pub(super) fn set(key: Payload, value: Payload) -> Command {
    Command::Set { key, value, condition: Condition::Always, expiry: Expiry::Never, get: false }
}

fn set_of(request: &Request<'_>, key: usize, value: usize) -> Command {
    set(payload(request.arg(key)), payload(request.arg(value)))
}

pub(super) fn get(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::one(read(request, 1), Shape::Value))
}

pub(super) fn strlen(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::one(read(request, 1), Shape::Size))
}

pub(super) fn kind(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::one(read(request, 1), Shape::Kind))
}

pub(super) fn getrange(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::one(read(request, 1), Shape::Range(integer(request.arg(2))?, integer(request.arg(3))?)))
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(super) fn set_with_options(request: &Request<'_>, clock: Clock<'_>) -> Result<Keyed, Frame> {
    if request.len() == 3 {
        return Ok(Keyed::one(set_of(request, 1, 2), Shape::Written));
    }
    let (mut condition, mut expiry, mut get) = (Condition::Always, None, false);
    let mut at = 3;
    while at < request.len() {
        let word = request.arg(at);
        if is(word, "nx") && condition != Condition::Present {
            condition = Condition::Absent;
        } else if is(word, "xx") && condition != Condition::Absent {
            condition = Condition::Present;
        } else if is(word, "get") {
            get = true;
        } else if is(word, "keepttl") && expiry.is_none() {
            expiry = Some(Expiry::Keep);
        } else if let (Some(count), None, true) = (Count::option(word), expiry, at + 1 < request.len()) {
            expiry = Some(Expiry::At(positive(count, request.arg(at + 1), clock, "set")?));
            at += 1;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let command = Command::Set {
        key: payload(request.arg(1)),
        value: payload(request.arg(2)),
        condition,
        expiry: expiry.unwrap_or_default(),
        get,
    };
    Ok(Keyed::one(command, if get { Shape::Value } else { Shape::Written }))
}

/// The instant of an expiry that must be greater than zero.
fn positive(count: Count, arg: &[u8], clock: Clock<'_>, command: &str) -> Result<Time, Frame> {
    let amount = integer(arg)?;
    if amount <= 0 { Err(invalid_expire(command)) } else { count.instant(amount, clock.now(), command) }
}

pub(super) fn setnx(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let command = Command::Set {
        key: payload(request.arg(1)),
        value: payload(request.arg(2)),
        condition: Condition::Absent,
        expiry: Expiry::Never,
        get: false,
    };
    Ok(Keyed::one(command, Shape::Flag))
}

pub(super) fn setex(request: &Request<'_>, clock: Clock<'_>) -> Result<Keyed, Frame> {
    expiring(request, clock, Count::Seconds, "setex")
}

pub(super) fn psetex(request: &Request<'_>, clock: Clock<'_>) -> Result<Keyed, Frame> {
    expiring(request, clock, Count::Millis, "psetex")
}

fn expiring(request: &Request<'_>, clock: Clock<'_>, count: Count, name: &str) -> Result<Keyed, Frame> {
    let command = Command::Set {
        key: payload(request.arg(1)),
        value: payload(request.arg(3)),
        condition: Condition::Always,
        expiry: Expiry::At(positive(count, request.arg(2), clock, name)?),
        get: false,
    };
    Ok(Keyed::one(command, Shape::Written))
}

pub(super) fn getset(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let command = Command::Set {
        key: payload(request.arg(1)),
        value: payload(request.arg(2)),
        condition: Condition::Always,
        expiry: Expiry::Never,
        get: true,
    };
    Ok(Keyed::one(command, Shape::Value))
}

pub(super) fn getdel(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let delete = Command::Delete { key: payload(request.arg(1)) };
    Ok(Keyed::all([read(request, 1), delete], Shape::Value))
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(super) fn getex(request: &Request<'_>, clock: Clock<'_>) -> Result<Keyed, Frame> {
    let expiry = match request.len() {
        2 => return get(request, clock),
        3 if is(request.arg(2), "persist") => Expiry::Never,
        4 => {
            let count = Count::option(request.arg(2)).ok_or(SYNTAX)?;
            Expiry::At(positive(count, request.arg(3), clock, "getex")?)
        }
        _ => return Err(SYNTAX),
    };
    let expire = Command::Expire { key: payload(request.arg(1)), expiry };
    Ok(Keyed::all([read(request, 1), expire], Shape::Value))
}

pub(super) fn append(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let command = Command::Append { key: payload(request.arg(1)), value: payload(request.arg(2)) };
    Ok(Keyed::one(command, Shape::Number))
}

fn increment(request: &Request<'_>, by: i64) -> Keyed {
    Keyed::one(Command::Increment { key: payload(request.arg(1)), by }, Shape::Number)
}

pub(super) fn incr(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(increment(request, 1))
}

pub(super) fn decr(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(increment(request, -1))
}

pub(super) fn incrby(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(increment(request, integer(request.arg(2))?))
}

pub(super) fn decrby(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let by = integer(request.arg(2))?;
    let by = by.checked_neg().ok_or(Frame::Error("ERR decrement would overflow".into()))?;
    Ok(increment(request, by))
}

pub(super) fn del(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let delete = |key: &[u8]| Command::Delete { key: payload(key) };
    Ok(Keyed::all(request.args(1).map(delete), Shape::Deleted))
}

pub(super) fn exists(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::all((1..request.len()).map(|index| read(request, index)), Shape::Present))
}

pub(super) fn mget(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    Ok(Keyed::all((1..request.len()).map(|index| read(request, index)), Shape::Values))
}

pub(super) fn mset(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    if request.len().is_multiple_of(2) {
        return Err(wrong_arity("mset"));
    }
    let pairs = (1..request.len()).step_by(2);
    Ok(Keyed::all(pairs.map(|key| set_of(request, key, key + 1)), Shape::Written))
}

pub(super) fn msetnx(request: &Request<'_>, _: Clock<'_>) -> Result<Ask, Frame> {
    if request.len().is_multiple_of(2) {
        return Err(wrong_arity("msetnx"));
    }
    let pair = |key: usize| (payload(request.arg(key)), payload(request.arg(key + 1)));
    Ok(Guard::ask(Wish::SetAllIfAbsent((1..request.len()).step_by(2).map(pair).collect())))
}
