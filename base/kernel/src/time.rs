//! Instants and spans of virtual time, in whole nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant: nanoseconds since the run began, on whichever clock handed it out.
///
/// [`Cx::now`](crate::Cx::now) hands out the process's own clock, which may drift and be wrong. 2^64 ns
/// are 584 years; sums saturate there.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(pub u64);

/// A length of time in nanoseconds, never negative.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Time {
    /// The beginning of the run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const MAX: Self = Self(u64::MAX);

    /// The span from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the run began, for people and plots; never for deciding.
    pub fn as_secs_f64(self) -> f64 {
        Span(self.0).as_secs_f64()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The longest there is: for ever.
    pub const MAX: Self = Self(u64::MAX);

    /// `count` nanoseconds.
    pub const fn nanos(count: u64) -> Self {
        Self(count)
    }

    /// `count` microseconds.
    pub const fn micros(count: u64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// `count` milliseconds.
    pub const fn millis(count: u64) -> Self {
        Self(count.saturating_mul(1_000_000))
    }

    /// `count` seconds.
    pub const fn secs(count: u64) -> Self {
        Self(count.saturating_mul(1_000_000_000))
    }

    /// The span in seconds, for people and plots; never for deciding.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span in milliseconds, for people and plots; never for deciding.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// `factor` times as long, at most the longest span there is.
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Time {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Units from the largest, as they are written and read.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Writes the span in the largest unit in which it is exact with three decimals at most: `1.5s`, `80s`, `20ms`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let exact =
            |nanos: u64| self.0 >= nanos && (u128::from(self.0) * 1_000).is_multiple_of(u128::from(nanos));
        // Minutes and hours only when they are whole: nobody says 1.333 minutes.
        let round = |nanos: u64| nanos <= UNITS[2].1 || self.0.is_multiple_of(nanos);
        let (unit, nanos) =
            UNITS.into_iter().find(|(_, nanos)| exact(*nanos) && round(*nanos)).unwrap_or(UNITS[5]);
        let (whole, rest) = (self.0 / nanos, u128::from(self.0 % nanos) * 1_000 / u128::from(nanos));
        if rest == 0 {
            return write!(f, "{whole}{unit}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{whole}.{}{unit}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Span(self.0), f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Span(self.0), f)
    }
}

/// Why a text is not a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSpanError(String);

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: write a number and a unit, one of h, min, s, ms, us, ns, as in 250ms", self.0)
    }
}

impl std::error::Error for ParseSpanError {}

/// Reads `250ms`, `1.5s`, `2 min`.
///
/// ```
/// # use isles_kernel::Span;
/// assert_eq!("1.5s".parse(), Ok(Span::millis(1500)));
/// assert_eq!(Span::millis(1500).to_string(), "1.5s");
/// assert!("5".parse::<Span>().is_err());
/// ```
///
/// # Errors
/// When the number or the unit is missing, the number is negative, or the span exceeds 584 years.
impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let error = |why: &str| ParseSpanError(format!("'{text}' is not a span of time ({why})"));
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| c.is_ascii_alphabetic() || c == 'µ');
        let (number, unit) = trimmed.split_at(split.ok_or_else(|| error("no unit"))?);
        let unit = if unit == "µs" { "us" } else { unit };
        let Some(&(_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(error(&format!("unknown unit '{unit}'")));
        };
        let number: f64 = number.trim().parse().map_err(|_| error("no number"))?;
        if !number.is_finite() || number < 0.0 {
            return Err(error("negative or not finite"));
        }
        let total = (number * nanos as f64).round();
        if total >= u64::MAX as f64 {
            return Err(error("too long"));
        }
        Ok(Self(total as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_back_as_it_was_written() {
        for span in [0, 1, 999, 1_000, 1_500_000, 2_000_000_000, 90_000_000_000, 3_600_000_000_000].map(Span)
        {
            assert_eq!(span.to_string().parse(), Ok(span), "{span}");
        }
    }

    #[test]
    fn a_span_is_written_in_the_unit_people_would_choose() {
        let written =
            [80_000_000_000, 1_500_000, 123_456_789, 90_000_000_000, 7_200_000_000_000, 999].map(Span);
        let expected = ["80s", "1.5ms", "123456.789us", "90s", "2h", "999ns"];
        assert_eq!(written.map(|span| span.to_string()), expected);
    }

    #[test]
    fn what_is_no_span_is_refused_with_its_text() {
        for text in ["", "5", "ms", "-1s", "1 fortnight", "NaNs", "1e300h"] {
            let error = text.parse::<Span>().expect_err(text).to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }
}
