//! Commands on when keys expire.

use isles_kernel::Time;
use isles_quorum::store::{Command, Expiry};

use super::arguments::{Count, integer, is, shown};
use super::plan::{Ask, Guard, Keyed, Shape, Wish};
use super::strings::{payload, read};
use crate::switchboard::Clock;
use crate::wire::{Frame, Request};

/// On which expiry so far a new one depends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct When {
    /// Only if it never expires (`NX`).
    none: bool,
    /// Only if it expires (`XX`).
    some: bool,
    /// Only if it expires earlier so far (`GT`); never is later than all.
    later: bool,
    /// Only if it expires later so far (`LT`).
    earlier: bool,
}

impl When {
    /// Whether a key that expires at `old` may expire at `new`.
    pub(crate) fn holds(self, old: Option<Time>, new: Time) -> bool {
        let before = old.unwrap_or(Time::MAX);
        !(self.none && old.is_some()
            || self.some && old.is_none()
            || self.later && new <= before
            || self.earlier && new >= before)
    }

    fn read(request: &Request<'_>, from: usize) -> Result<Self, Frame> {
        let mut when = Self::default();
        for arg in request.args(from) {
            let words = [
                ("nx", &mut when.none),
                ("xx", &mut when.some),
                ("gt", &mut when.later),
                ("lt", &mut when.earlier),
            ];
            match words.into_iter().find(|(word, _)| is(arg, word)) {
                Some((_, flag)) => *flag = true,
                None => return Err(Frame::error(format!("ERR Unsupported option {}", shown(arg)))),
            }
        }
        if when.none && (when.some || when.later || when.earlier) {
            return Err(Frame::error("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if when.later && when.earlier {
            return Err(Frame::error("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(when)
    }
}

/// What an `EXPIRE` of any kind comes to.
pub(crate) enum Expire {
    /// Without conditions.
    Plain(Keyed),
    /// With some.
    Guarded(Ask),
}

fn expire_by(request: &Request<'_>, clock: Clock<'_>, count: Count, name: &str) -> Result<Expire, Frame> {
    let when = When::read(request, 3)?;
    let at = count.instant(integer(request.arg(2))?, clock.now(), name)?;
    let key = payload(request.arg(1));
    if when == When::default() {
        return Ok(Expire::Plain(Keyed::one(Command::Expire { key, expiry: Expiry::At(at) }, Shape::Flag)));
    }
    Ok(Expire::Guarded(Guard::ask(Wish::ExpireIf { key, at, when })))
}

pub(super) fn expire(request: &Request<'_>, clock: Clock<'_>) -> Result<Expire, Frame> {
    expire_by(request, clock, Count::Seconds, "expire")
}

pub(super) fn pexpire(request: &Request<'_>, clock: Clock<'_>) -> Result<Expire, Frame> {
    expire_by(request, clock, Count::Millis, "pexpire")
}

pub(super) fn expireat(request: &Request<'_>, clock: Clock<'_>) -> Result<Expire, Frame> {
    expire_by(request, clock, Count::SecondsAt, "expireat")
}

pub(super) fn pexpireat(request: &Request<'_>, clock: Clock<'_>) -> Result<Expire, Frame> {
    expire_by(request, clock, Count::MillisAt, "pexpireat")
}

fn left(request: &Request<'_>, millis: bool, absolute: bool) -> Result<Keyed, Frame> {
    Ok(Keyed::one(read(request, 1), Shape::Expiry { millis, absolute }))
}

pub(super) fn ttl(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    left(request, false, false)
}

pub(super) fn pttl(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    left(request, true, false)
}

pub(super) fn expiretime(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    left(request, false, true)
}

pub(super) fn pexpiretime(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    left(request, true, true)
}

pub(super) fn persist(request: &Request<'_>, _: Clock<'_>) -> Result<Keyed, Frame> {
    let persist = Command::Expire { key: payload(request.arg(1)), expiry: Expiry::Never };
    Ok(Keyed::all([read(request, 1), persist], Shape::Persisted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_later_than_any_instant() {
        let when = |text: &str| {
            let line = format!("expire k 1 {text}\r\n");
            let request = Request::decode(line.as_bytes()).expect("a line");
            When::read(&request, 3)
        };
        let holds = |text: &str, old: Option<u64>| when(text).expect(text).holds(old.map(Time), Time(5));
        assert!(holds("nx", None) && !holds("nx", Some(1)));
        assert!(!holds("xx", None) && holds("xx", Some(9)));
        assert!(!holds("gt", None) && holds("gt", Some(4)) && !holds("gt", Some(5)));
        assert!(holds("lt", None) && holds("lt", Some(6)) && !holds("lt", Some(5)));
        assert!(!holds("xx lt", None) && holds("xx lt", Some(6)));
        assert!(when("nx gt").is_err() && when("gt lt").is_err() && when("zz").is_err());
    }
}
