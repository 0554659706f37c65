//! Whether degrees follow a power law: Clauset, Shalizi, Newman, "Power-law distributions in empirical data", SIAM Review 51(4),
//! 2009. A straight line through a log-log plot proves nothing.

use isles_kernel::random::Stream;

/// The power law k^-α for k from `least` on that fits best, and how well.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PowerLaw {
    /// α, by maximum likelihood (section 3.1, discrete values).
    pub exponent: f64,
    /// Its standard error.
    pub error: f64,
    /// The least value that the law is about: the one from which on data and law differ least (section 3.3).
    pub least: u64,
    /// How many values are at least that.
    pub tail: u64,
    /// The greatest difference between the distributions of data and law: the Kolmogorov-Smirnov statistic.
    pub distance: f64,
    /// How many times more likely the tail is under the law than under an exponential distribution, as the logarithm divided by
    /// its standard deviation (Vuong's test, section 5.1): far above 0 speaks for the law, far below 0 against it.
    pub against_exponential: f64,
}

/// A value as great as this or less is tried as `least`, if so many values are left: a law of fewer says nothing.
const TAIL_MIN: u64 = 50;

/// Fits `counts`, of which `counts[k]` is how often the value k occurs, as [`degree_counts`](crate::degree_counts) gives them. Zeros
/// do not count. None if there are not enough different values.
pub fn power_law(counts: &[u64]) -> Option<PowerLaw> {
    best(&values_of(counts))
}

/// Different values above 0, ascending, and how often each occurs.
type Values = Vec<(u64, u64)>;

fn values_of(counts: &[u64]) -> Values {
    (0..).zip(counts.iter().copied()).filter(|(value, count)| *value > 0 && *count > 0).collect()
}

fn best(values: &[(u64, u64)]) -> Option<PowerLaw> {
    let mut best: Option<PowerLaw> = None;
    let mut left: u64 = values.iter().map(|(_, count)| count).sum();
    for index in 0..values.len().saturating_sub(2) {
        if left < TAIL_MIN {
            break;
        }
        let law = fit(&values[index..]);
        if best.is_none_or(|best| law.distance < best.distance) {
            best = Some(law);
        }
        left -= values[index].1;
    }
    best
}

impl PowerLaw {
    /// How often data that do follow the law fit as badly as these or worse, of `rounds` synthetic sets (section 4.1: below the
    /// fitted range drawn from the data, in it from the law, and fitted in the same way): below 0.1 the law is ruled out.
    pub fn p_value(&self, counts: &[u64], rounds: u32, seed: u64) -> f64 {
        let mut draws = Stream::new(seed, &[0x706c, self.tail, self.least]);
        let mut head = values_of(counts);
        head.retain(|(value, _)| *value < self.least);
        let below: u64 = head.iter().map(|(_, count)| count).sum();
        let total = below + self.tail;
        let law = Law::new(self.exponent, self.least);
        let table = law.table();
        let mut worse = 0;
        for _ in 0..rounds {
            let mut drawn: Vec<u64> = (0..total)
                .map(|_| {
                    if draws.unit() * (total as f64) < below as f64 {
                        pick(&head, below, &mut draws)
                    } else {
                        law.draw(&table, &mut draws)
                    }
                })
                .collect();
            drawn.sort_unstable();
            let same = drawn.chunk_by(|a, b| a == b);
            let synthetic: Values = same.map(|values| (values[0], values.len() as u64)).collect();
            worse += u32::from(best(&synthetic).is_some_and(|fit| fit.distance >= self.distance));
        }
        f64::from(worse) / f64::from(rounds.max(1))
    }
}

/// A value of those below the law's range, as often as it occurs.
fn pick(head: &[(u64, u64)], below: u64, draws: &mut Stream) -> u64 {
    let mut left = (draws.unit() * below as f64) as u64;
    for &(value, count) in head {
        if left < count {
            return value;
        }
        left -= count;
    }
    head.last().map_or(0, |(value, _)| *value)
}

/// The law for `values` from the first one on.
///
/// # Panics
/// When there are none.
fn fit(values: &[(u64, u64)]) -> PowerLaw {
    let least = values[0].0;
    let tail: u64 = values.iter().map(|(_, count)| count).sum();
    let n = tail as f64;
    let each = || values.iter().map(|&(value, count)| (value as f64, count as f64));
    let logs: f64 = each().map(|(value, count)| count * libm::log(value)).sum::<f64>() / n;
    // The likelihood has one maximum; its logarithm per value is -ln ζ(α, least) - α · mean of logarithms.
    let likelihood = |exponent: f64| -libm::log(zeta(exponent, least as f64)) - exponent * logs;
    let exponent = maximum(likelihood, 1.000_1, 12.0);
    let law = Law::new(exponent, least);
    let step = 1e-3;
    let curvature = (likelihood(exponent + step) - 2.0 * likelihood(exponent) + likelihood(exponent - step))
        / (step * step);
    PowerLaw {
        exponent,
        error: 1.0 / (-curvature * n).max(1e-12).sqrt(),
        least,
        tail,
        distance: law.distance(each(), n),
        against_exponential: vuong(&law, &each().collect::<Vec<_>>(), n),
    }
}

/// The logarithm of the ratio of likelihoods against the exponential distribution, by its standard deviation.
fn vuong(law: &Law, values: &[(f64, f64)], n: f64) -> f64 {
    let mean = values.iter().map(|(value, count)| (value - law.least) * count).sum::<f64>() / n;
    // Geometric from `least` on: (1 - q) q^(k - least), of greatest likelihood at q = mean / (1 + mean).
    let q = mean / (1.0 + mean);
    let difference = |value: f64| {
        let power = -law.exponent * libm::log(value) - libm::log(law.whole);
        let exponential = if q > 0.0 { libm::log(1.0 - q) + (value - law.least) * libm::log(q) } else { 0.0 };
        power - exponential
    };
    let sum: f64 = values.iter().map(|(value, count)| difference(*value) * count).sum();
    let average = sum / n;
    let variance =
        values.iter().map(|(value, count)| (difference(*value) - average).powi(2) * count).sum::<f64>() / n;
    if variance > 0.0 { sum / (variance * n).sqrt() } else { 0.0 }
}

/// A discrete power law.
struct Law {
    exponent: f64,
    least: f64,
    /// ζ(α, least).
    whole: f64,
}

impl Law {
    fn new(exponent: f64, least: u64) -> Self {
        Self { exponent, least: least as f64, whole: zeta(exponent, least as f64) }
    }

    /// The probability of a value of at least this.
    fn at_least(&self, value: f64) -> f64 {
        zeta(self.exponent, value) / self.whole
    }

    /// The greatest difference of the law and `n` values, of which each one and its count is given, ascending.
    fn distance(&self, values: impl Iterator<Item = (f64, f64)>, n: f64) -> f64 {
        let (mut below, mut greatest): (f64, f64) = (0.0, 0.0);
        // The law's probability of at least `at`; from one value to the next it is a subtraction.
        let (mut at, mut share) = (self.least, 1.0);
        for (value, count) in values {
            if value != at {
                (at, share) = (value, self.at_least(value));
            }
            greatest = greatest.max((share - (1.0 - below)).abs());
            share -= libm::pow(at, -self.exponent) / self.whole;
            at += 1.0;
            below += count / n;
            greatest = greatest.max((share - (1.0 - below)).abs());
        }
        greatest
    }

    /// The probabilities of at least `least`, of at least one more, and so on, for as many values as most draws need.
    fn table(&self) -> Vec<f64> {
        (0..TABLE).map(|index| self.at_least(self.least + f64::from(index))).collect()
    }

    /// A value. What the table does not hold is found by doubling and halving (appendix D).
    fn draw(&self, table: &[f64], draws: &mut Stream) -> u64 {
        let above = 1.0 - draws.unit();
        let held = table.partition_point(|share| *share >= above);
        if held < table.len() {
            return self.least as u64 + held.max(1) as u64 - 1;
        }
        let mut high = self.least;
        while self.at_least(high + 1.0) >= above && high < VALUE_MAX {
            high *= 2.0;
        }
        let mut low = self.least;
        while low < high {
            let middle = ((low + high) / 2.0).floor();
            if self.at_least(middle + 1.0) < above { high = middle } else { low = middle + 1.0 }
        }
        low.min(VALUE_MAX) as u64
    }
}

/// Values of a law whose probabilities are computed in advance.
const TABLE: u32 = 256;

/// No synthetic value is greater: the heaviest tails have no end.
const VALUE_MAX: f64 = 1e6;

/// Hurwitz zeta: Σ (k + q)^-s for k from 0 on, by the Euler-Maclaurin formula from the tenth term on. Relative error below 1e-10
/// for s above 1 and q of at least 1.
fn zeta(s: f64, q: f64) -> f64 {
    const TERMS: u32 = 10;
    let sum: f64 = (0..TERMS).map(|k| libm::pow(q + f64::from(k), -s)).sum();
    let a = q + f64::from(TERMS);
    let power = libm::pow(a, -s);
    let corrections = 0.5 + s / (12.0 * a) - s * (s + 1.0) * (s + 2.0) / (720.0 * a * a * a)
        + s * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) / (30_240.0 * a.powi(5));
    sum + power * a / (s - 1.0) + power * corrections
}

/// Where a function with one maximum has it, by golden sections.
fn maximum(function: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > 1e-7 {
        if at_left < at_right {
            (low, left, at_left) = (left, right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = function(right);
        } else {
            (high, right, at_right) = (right, left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = function(left);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{degree_counts, preferential_attachment, random_pairs};

    fn drawn(exponent: f64, least: u64, count: u32, seed: u64) -> Vec<u64> {
        let (law, mut draws) = (Law::new(exponent, least), Stream::new(seed, &[1]));
        let table = law.table();
        let mut counts = vec![0; VALUE_MAX as usize + 1];
        for _ in 0..count {
            counts[law.draw(&table, &mut draws) as usize] += 1;
        }
        let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        counts.truncate(last + 1);
        counts
    }

    #[test]
    fn zeta_has_its_known_values() {
        let pi = std::f64::consts::PI;
        assert!((zeta(2.0, 1.0) - pi * pi / 6.0).abs() < 1e-10);
        assert!((zeta(4.0, 1.0) - pi.powi(4) / 90.0).abs() < 1e-10);
        assert!((zeta(2.5, 3.0) - (zeta(2.5, 1.0) - 1.0 - 2f64.powf(-2.5))).abs() < 1e-10);
    }

    #[test]
    fn a_law_that_was_drawn_from_is_found_again_and_not_ruled_out() {
        for (exponent, least) in [(2.5, 1), (3.0, 4), (2.1, 2)] {
            let counts = drawn(exponent, least, 20_000, 3);
            let found = power_law(&counts).expect("enough values");
            assert!((found.exponent - exponent).abs() < 4.0 * found.error + 0.02, "{found:?}");
            assert!(found.against_exponential > 3.0, "{found:?}");
        }
        // Of laws that hold, the p-value is as likely to be small as to be great.
        let p_value = |seed| {
            let counts = drawn(2.5, 1, 1_000, seed);
            power_law(&counts).expect("enough values").p_value(&counts, 20, seed)
        };
        let values: Vec<f64> = (0..12).map(p_value).collect();
        assert!((0.25..0.75).contains(&(values.iter().sum::<f64>() / 12.0)), "{values:?}");
    }

    #[test]
    fn degrees_without_a_heavy_tail_are_ruled_out() {
        let counts = degree_counts(&random_pairs(5_000, 0.002, 1).expect("possible"));
        let whole = fit(&values_of(&counts));
        assert!(whole.against_exponential < -3.0, "{whole:?}");
        let mut draws = Stream::new(7, &[1]);
        let mut geometric = vec![0u64; 400];
        for _ in 0..5_000 {
            geometric[1 + (libm::log(1.0 - draws.unit()) / libm::log(0.9)) as usize] += 1;
        }
        let whole = fit(&values_of(&geometric));
        assert!(whole.against_exponential < -3.0 && whole.p_value(&geometric, 20, 1) < 0.1, "{whole:?}");
    }

    #[test]
    fn preferential_attachment_is_near_three() {
        let found = power_law(&degree_counts(&preferential_attachment(50_000, 5, 1).expect("possible")));
        let found = found.expect("enough values");
        assert!((2.75..3.15).contains(&found.exponent), "{found:?}");
    }

    #[test]
    fn too_few_values_have_no_law() {
        assert_eq!(power_law(&[]), None);
        assert_eq!(power_law(&[0, 1_000]), None);
        assert_eq!(power_law(&[0, 5, 3, 1]), None);
    }
}
