//! Local clocks, which run ahead, behind, fast and slow.

use isles_kernel::{Span, Time, random};

/// How wrong clocks are at the start of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clocks {
    /// A process's clock is up to twice this ahead of the simulator's; so any two differ by up to twice this, and
    /// none is negative.
    pub offset_max: Span,
    /// A clock gains or loses up to so many parts per million; below a million, or it would stand still.
    pub drift_ppm_max: u32,
}

impl Clocks {
    /// Why no clocks are like that, if none are.
    pub(crate) fn flaw(&self) -> Option<String> {
        if self.drift_ppm_max >= 1_000_000 {
            return Some(format!("clocks that drift by {} ppm stand still", self.drift_ppm_max));
        }
        let most = Span(i64::MAX as u64 / 2);
        (self.offset_max > most).then(|| format!("clock offsets of {} exceed {most}", self.offset_max))
    }
}

/// One process's clock: local = offset + t * (1 + drift).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Clock {
    pub(crate) offset: i64,
    /// Parts per billion, above -10^9.
    pub(crate) drift_ppb: i64,
}

const BILLION: i128 = 1_000_000_000;

impl Clock {
    /// The clock that `process` draws.
    pub(crate) fn drawn(clocks: Clocks, seed: u64, process: u32) -> Self {
        let bits =
            |purpose: u64| u128::from(random::draw(seed, &[0x636c_6f63_6b00 + purpose, u64::from(process)]));
        let offset = (bits(0) * (2 * u128::from(clocks.offset_max.0) + 1)) >> 64;
        let ppb = 1000 * i64::from(clocks.drift_ppm_max);
        let drift = (bits(1) * (2 * ppb as u128 + 1)) >> 64;
        Self { offset: offset as i64, drift_ppb: drift as i64 - ppb }
    }

    /// What the clock shows at the simulator's instant `at`.
    #[inline]
    pub(crate) fn local(self, at: u64) -> Time {
        let shown =
            i128::from(self.offset) + i128::from(at) + i128::from(at) * i128::from(self.drift_ppb) / BILLION;
        Time(shown.clamp(0, i128::from(u64::MAX)) as u64)
    }

    /// How long the simulator waits until the clock has counted `span`, and not less.
    pub(crate) fn real(self, span: Span) -> u64 {
        let rate = (BILLION + i128::from(self.drift_ppb)).unsigned_abs();
        u64::try_from((u128::from(span.0) * BILLION.unsigned_abs()).div_ceil(rate)).unwrap_or(u64::MAX)
    }

    /// The clock jumped by `step` and with another drift from `at` on; slower than a billionth it does not get.
    pub(crate) fn adjusted(self, at: u64, step: i64, drift_ppb: i64) -> Self {
        let drift_ppb = drift_ppb.max(1 - BILLION as i64);
        let shown = i128::from(self.local(at).0) + i128::from(step);
        let advance = i128::from(at) + i128::from(at) * i128::from(drift_ppb) / BILLION;
        Self { offset: (shown - advance).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64, drift_ppb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_waits_shorter() {
        let fast = Clock { offset: 5, drift_ppb: 100_000_000 };
        assert_eq!(fast.local(1_000), Time(1_105));
        assert_eq!(fast.real(Span(1_100)), 1_000);
        let slowed = fast.adjusted(1_000, 0, 0);
        assert_eq!(slowed.local(1_000), Time(1_105));
        assert_eq!(slowed.local(2_000), Time(2_105));
        assert_eq!(fast.adjusted(1_000, -105, 0).local(1_000), Time(1_000));
    }

    #[test]
    fn drawn_clocks_keep_their_bounds() {
        let clocks = Clocks { offset_max: Span::millis(5), drift_ppm_max: 50 };
        let drawn: Vec<Clock> = (0..1000).map(|process| Clock::drawn(clocks, 1, process)).collect();
        assert!(drawn.iter().all(|clock| (0..=10_000_000).contains(&clock.offset)));
        assert!(drawn.iter().all(|clock| clock.drift_ppb.abs() <= 50_000));
        assert!(drawn.iter().any(|clock| clock.drift_ppb < -40_000 && clock.offset < 5_000_000));
        assert!(drawn.iter().any(|clock| clock.drift_ppb > 40_000 && clock.offset > 5_000_000));
    }
}
