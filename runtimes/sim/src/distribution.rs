//! Laws from which spans of time are drawn.

use isles_kernel::{Span, random};

/// A law of spans of time: of a link's latency, a session, a repair.
///
/// Draws use `libm` alone, so that they are the same bits on every machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Every span in `min..=max` alike.
    Uniform {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// `min` plus an exponentially distributed span.
    Exponential {
        /// The shortest.
        min: Span,
        /// The mean of the whole, at least `min`.
        mean: Span,
    },
    /// A span whose logarithm is normally distributed.
    LogNormal {
        /// Half of the draws are shorter.
        median: Span,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// A heavy tail: P(X > x) = (scale / x)^shape for x >= scale.
    Pareto {
        /// The shortest.
        scale: Span,
        /// The tail's exponent; the mean is infinite at 1 and below.
        shape: f64,
    },
    /// P(X > x) = exp(-(x / scale)^shape): sessions of peer-to-peer systems have a shape below 1
    /// (Stutzbach and Rejaie, IMC 2006).
    Weibull {
        /// 63 % of the draws are shorter.
        scale: Span,
        /// 1 is exponential; below 1, the longer it has lasted the longer it will.
        shape: f64,
    },
}

/// Longer draws are cut to this: 100 days, in nanoseconds.
const LONGEST: f64 = 100.0 * 86_400.0 * 1e9;

impl Distribution {
    /// The span that 64 uniform bits stand for.
    #[inline]
    pub fn sample(&self, bits: u64) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform { min, max } => {
                let width = max.0.saturating_sub(min.0).saturating_add(1);
                Span(min.0 + ((u128::from(bits) * u128::from(width)) >> 64) as u64)
            }
            Self::Exponential { min, mean } => {
                min + span(-(mean.0.saturating_sub(min.0) as f64) * libm::log(positive(bits)))
            }
            Self::LogNormal { median, sigma } => span(median.0 as f64 * libm::exp(sigma * normal(bits))),
            Self::Pareto { scale, shape } => span(scale.0 as f64 * libm::pow(positive(bits), -1.0 / shape)),
            Self::Weibull { scale, shape } => {
                span(scale.0 as f64 * libm::pow(-libm::log(positive(bits)), 1.0 / shape))
            }
        }
    }

    /// Whether every draw is the same, so that order is kept without any bookkeeping.
    pub const fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    /// Why this is no law, if it is none.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let bad = |x: f64| !(x.is_finite() && x > 0.0);
        match *self {
            Self::Constant(_) => None,
            Self::Uniform { min, max } => (min > max).then_some("min exceeds max"),
            Self::Exponential { min, mean } => (min > mean).then_some("min exceeds the mean"),
            Self::LogNormal { sigma, .. } => {
                (!(sigma.is_finite() && sigma >= 0.0)).then_some("sigma must be finite and not negative")
            }
            Self::Pareto { shape, .. } | Self::Weibull { shape, .. } => {
                bad(shape).then_some("shape must be finite and positive")
            }
        }
    }
}

fn span(nanos: f64) -> Span {
    Span(nanos.min(LONGEST) as u64)
}

/// A uniform float in (0, 1].
#[inline]
fn positive(bits: u64) -> f64 {
    1.0 - random::unit(bits)
}

/// A standard normal draw (Box and Muller, 1958), from 64 bits and a second word mixed from them.
#[inline]
pub(crate) fn normal(bits: u64) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(positive(bits)));
    radius * libm::cos(core::f64::consts::TAU * random::unit(random::mix(bits, 0x5851_f42d_4c95_7f2d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(law: Distribution) -> (f64, f64, f64) {
        let mut draws: Vec<f64> =
            (0..20_000u64).map(|n| law.sample(random::draw(3, &[n])).as_secs_f64()).collect();
        draws.sort_by(f64::total_cmp);
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        (draws[draws.len() / 2], draws[draws.len() * 9 / 10], mean)
    }

    fn near(measured: f64, expected: f64) {
        assert!((measured / expected - 1.0).abs() < 0.05, "measured {measured}, expected {expected}");
    }

    #[test]
    fn each_law_has_its_quantiles() {
        let second = Span::secs(1);
        let (median, p90, mean) = quantiles(Distribution::Uniform { min: Span::ZERO, max: second });
        near(median, 0.5);
        near(p90, 0.9);
        near(mean, 0.5);
        let (median, p90, mean) = quantiles(Distribution::Exponential { min: Span::ZERO, mean: second });
        near(median, 2f64.ln());
        near(p90, 10f64.ln());
        near(mean, 1.0);
        let (median, p90, mean) = quantiles(Distribution::LogNormal { median: second, sigma: 0.5 });
        near(median, 1.0);
        near(p90, (0.5 * 1.281_55_f64).exp());
        near(mean, 0.125f64.exp());
        let (median, p90, mean) = quantiles(Distribution::Pareto { scale: second, shape: 3.0 });
        near(median, 2f64.powf(1.0 / 3.0));
        near(p90, 10f64.powf(1.0 / 3.0));
        near(mean, 1.5);
        let (median, p90, _) = quantiles(Distribution::Weibull { scale: second, shape: 0.5 });
        near(median, 2f64.ln().powi(2));
        near(p90, 10f64.ln().powi(2));
    }

    #[test]
    fn an_impossible_law_is_found_out() {
        assert!(Distribution::Uniform { min: Span(2), max: Span(1) }.flaw().is_some());
        assert!(Distribution::Pareto { scale: Span(1), shape: f64::NAN }.flaw().is_some());
        assert!(Distribution::Weibull { scale: Span(1), shape: 0.0 }.flaw().is_some());
        assert!(Distribution::LogNormal { median: Span(1), sigma: -1.0 }.flaw().is_some());
        assert!(Distribution::Constant(Span(1)).flaw().is_none());
    }
}
