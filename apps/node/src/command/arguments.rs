//! Reading arguments as Redis reads them.

use isles_kernel::Time;

use crate::wire::Frame;

/// `value is not an integer or out of range`.
pub(crate) const NOT_AN_INTEGER: Frame =
    Frame::Error(std::borrow::Cow::Borrowed("ERR value is not an integer or out of range"));
/// `syntax error`.
pub(crate) const SYNTAX: Frame = Frame::Error(std::borrow::Cow::Borrowed("ERR syntax error"));

/// A number of 64 bits: no spaces, no plus, no leading zeros.
pub(crate) fn integer(arg: &[u8]) -> Result<i64, Frame> {
    let digits = arg.strip_prefix(b"-").unwrap_or(arg);
    let is_canonical = digits.len() <= 19
        && digits.iter().all(u8::is_ascii_digit)
        && match digits {
            [] => false,
            [b'0'] => digits.len() == arg.len(),
            [first, ..] => *first != b'0',
        };
    let text = std::str::from_utf8(arg).ok().filter(|_| is_canonical);
    text.and_then(|text| text.parse().ok()).ok_or(NOT_AN_INTEGER)
}

/// Whether an argument is this word, in any case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// What was meant, for a message: at most 128 bytes.
pub(crate) fn shown(arg: &[u8]) -> String {
    String::from_utf8_lossy(&arg[..arg.len().min(128)]).replace(['\r', '\n'], " ")
}

/// In which unit, and from when, an expiry is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Count {
    /// Seconds from now (`EX`).
    Seconds,
    /// Milliseconds from now (`PX`).
    Millis,
    /// Seconds of Unix time (`EXAT`).
    SecondsAt,
    /// Milliseconds of Unix time (`PXAT`).
    MillisAt,
}

impl Count {
    /// By the option of `SET` and `GETEX`.
    pub(crate) fn option(arg: &[u8]) -> Option<Self> {
        let words = [
            ("ex", Self::Seconds),
            ("px", Self::Millis),
            ("exat", Self::SecondsAt),
            ("pxat", Self::MillisAt),
        ];
        words.into_iter().find(|(word, _)| is(arg, word)).map(|(_, count)| count)
    }

    /// The instant that `amount` names; an instant before the beginning of Unix time is its beginning, which has passed.
    ///
    /// # Errors
    /// When it is beyond the year 2554: instants are counted in nanoseconds in 64 bits.
    pub(crate) fn instant(self, amount: i64, now: Time, command: &str) -> Result<Time, Frame> {
        let millis = match self {
            Self::Seconds | Self::SecondsAt => amount.checked_mul(1_000),
            Self::Millis | Self::MillisAt => Some(amount),
        };
        let nanos = millis.map(|millis| i128::from(millis) * 1_000_000).map(|nanos| match self {
            Self::Seconds | Self::Millis => nanos + i128::from(now.0),
            Self::SecondsAt | Self::MillisAt => nanos,
        });
        let instant = nanos.and_then(|nanos| u64::try_from(nanos.max(0)).ok());
        instant.map(Time).ok_or_else(|| invalid_expire(command))
    }
}

/// `invalid expire time`.
pub(crate) fn invalid_expire(command: &str) -> Frame {
    Frame::error(format!("ERR invalid expire time in '{command}' command"))
}

/// `wrong number of arguments`.
pub(crate) fn wrong_arity(command: &str) -> Frame {
    Frame::error(format!("ERR wrong number of arguments for '{command}' command"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_redis_reads_them() {
        for (text, value) in
            [("0", 0), ("-1", -1), ("9223372036854775807", i64::MAX), ("-9223372036854775808", i64::MIN)]
        {
            assert_eq!(integer(text.as_bytes()), Ok(value), "{text}");
        }
        for text in [
            "",
            "-",
            "+1",
            " 1",
            "1 ",
            "01",
            "-0",
            "0x1",
            "1.0",
            "9223372036854775808",
            "99999999999999999999",
        ] {
            assert_eq!(integer(text.as_bytes()), Err(NOT_AN_INTEGER), "{text}");
        }
    }

    #[test]
    fn instants_beyond_what_can_be_counted_are_refused() {
        let now = Time(1_000_000_000_000);
        assert_eq!(Count::Seconds.instant(10, now, "set"), Ok(Time(1_010_000_000_000)));
        assert_eq!(Count::MillisAt.instant(7, now, "set"), Ok(Time(7_000_000)));
        assert_eq!(Count::Millis.instant(-2_000_000, now, "expire"), Ok(Time(0)));
        for count in [Count::Seconds, Count::Millis, Count::SecondsAt, Count::MillisAt] {
            assert_eq!(count.instant(i64::MAX, now, "set"), Err(invalid_expire("set")));
        }
    }
}
