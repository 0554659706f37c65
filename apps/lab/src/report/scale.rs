//! From values to positions on an axis, and where the labels go.

use super::data::{Axis, Unit};

/// An axis between two values and two positions.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Invariant: `low < high`, both finite, both positive if `log`.
    low: f64,
    high: f64,
    log: bool,
    /// Positions of `low` and `high`.
    from: f64,
    to: f64,
}

impl Scale {
    /// The axis of a chart, widened to round numbers; that of shares does not go beyond all.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64> + Clone, positions: (f64, f64)) -> Self {
        let mut scale = Self::fitting(values.clone(), axis.log, axis.from_zero, false, positions);
        if axis.unit == Unit::Share && scale.low < 1.0 && values.fold(0.0, f64::max) <= 1.0 {
            scale.high = scale.high.min(1.0);
        }
        scale
    }

    /// An axis that shows all of `values`, widened to round numbers unless `tight`.
    ///
    /// Values that are not finite, and on a logarithmic axis those not above zero, are not looked at.
    pub(super) fn fitting(
        values: impl Iterator<Item = f64>,
        log: bool,
        from_zero: bool,
        tight: bool,
        positions: (f64, f64),
    ) -> Self {
        let shown = values
            .filter(|value| value.abs() < HUGE)
            .map(|value| if value.abs() < TINY { 0.0 } else { value })
            .filter(|value| !log || *value > 0.0);
        let (mut low, mut high) = shown
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = if log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        if from_zero && !log {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high - low <= low.abs().max(high.abs()) * 1e-9 {
            (low, high) = widened(low, high, log);
        }
        if log {
            if !tight {
                (low, high) = (10f64.powf(low.log10().floor()), 10f64.powf(high.log10().ceil()));
            }
        } else if !tight {
            let step = nice_step((high - low) / 5.0);
            // A value that a rounding error lifts above a round number is still that number.
            low = (low / step + 1e-9).floor() * step;
            high = (high / step - 1e-9).ceil() * step;
        }
        Self { low, high, log, from: positions.0, to: positions.1 }
    }

    /// The position of `value`; `None` for what the axis cannot show.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let share = if self.log {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.is_finite().then(|| self.from + share.clamp(-0.05, 1.05) * (self.to - self.from))
    }

    /// Whether `value` lies between the ends.
    pub(super) fn shows(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The value of the axis's upper end.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// About `wanted` round values, and the step between them (on a logarithmic axis, that of the value).
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        if self.log { self.log_ticks(wanted) } else { self.linear_ticks(wanted) }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<Tick> {
        let step = nice_step((self.high - self.low) / wanted.max(1) as f64);
        let first = (self.low / step - 1e-6).ceil();
        let last = (self.high / step + 1e-6).floor();
        // The step is at least a tenth of the range, so that this is a handful whatever the values are.
        let count = (last - first).clamp(0.0, 100.0) as usize;
        (0..=count).map(|index| Tick { value: (first + index as f64) * step, step }).collect()
    }

    fn log_ticks(&self, wanted: usize) -> Vec<Tick> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = (last - first).max(1) as usize;
        let stride = decades.div_ceil(wanted.max(1)).max(1);
        let within: &[f64] = match decades {
            0..=1 => &[1.0, 2.0, 3.0, 5.0],
            2 => &[1.0, 2.0, 5.0],
            3 => &[1.0, 3.0],
            _ => &[1.0],
        };
        (first..=last)
            .step_by(stride)
            .flat_map(|exponent| within.iter().map(move |mantissa| (exponent, mantissa)))
            .map(|(exponent, mantissa)| {
                let decade = 10f64.powi(exponent);
                Tick { value: mantissa * decade, step: decade }
            })
            .filter(|tick| tick.value >= self.low * (1.0 - 1e-9) && tick.value <= self.high * (1.0 + 1e-9))
            .collect()
    }
}

/// A value that deserves a label.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Tick {
    /// Where.
    pub(super) value: f64,
    /// The distance of its neighbours, which tells how many places its label needs.
    pub(super) step: f64,
}

/// Beyond these, sums and quotients of the axis's ends would leave the range of a float.
const HUGE: f64 = 1e300;
const TINY: f64 = 1e-280;

/// A range around a single value.
fn widened(low: f64, high: f64, log: bool) -> (f64, f64) {
    if log {
        (low / 2.0, high * 2.0)
    } else if low == 0.0 {
        (0.0, 1.0)
    } else {
        (low - low.abs() * 0.1, high + high.abs() * 0.1)
    }
}

/// The least of 1, 2, 2.5, 5 times a power of ten that is not below `rough`.
fn nice_step(rough: f64) -> f64 {
    let decade = 10f64.powf(rough.abs().max(1e-300).log10().floor());
    let mantissa = rough.abs() / decade;
    let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|nice| mantissa <= nice * (1.0 + 1e-9));
    nice.unwrap_or(10.0) * decade
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_at_all() {
        let shares = Axis { from_zero: false, ..Axis::new("reliability", Unit::Share) };
        let high = |values: &[f64]| Scale::of(&shares, values.iter().copied(), (0.0, 1.0)).high();
        assert_eq!((high(&[1.0, 1.0]), high(&[0.93, 0.99]), high(&[0.5, 1.5])), (1.0, 1.0, 1.6));
    }

    fn values(scale: &Scale) -> Vec<f64> {
        scale.ticks(5).into_iter().map(|tick| tick.value).collect()
    }

    #[test]
    fn a_linear_axis_ends_on_round_numbers() {
        let scale = Scale::fitting([3.0, 87.0].into_iter(), false, true, false, (0.0, 100.0));
        assert_eq!((scale.low, scale.high), (0.0, 100.0));
        assert_eq!(values(&scale), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(scale.place(25.0), Some(25.0));
    }

    #[test]
    fn a_logarithmic_axis_gives_each_factor_the_same_room() {
        let scale = Scale::fitting([2.0, 5000.0].into_iter(), true, true, false, (0.0, 4.0));
        assert_eq!((scale.low, scale.high), (1.0, 10_000.0));
        let places: Vec<f64> = values(&scale).iter().map(|&value| scale.place(value).unwrap()).collect();
        assert_eq!(places, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scale.place(0.0), None, "zero has no place on a logarithmic axis");
    }

    #[test]
    fn strange_values_give_an_axis_all_the_same() {
        let hostile: [&[f64]; 7] = [
            &[],
            &[f64::NAN, f64::INFINITY],
            &[5.0],
            &[0.0],
            &[1e-320, 2e-320],
            &[-1e299, 1e299],
            &[1e18, 1e18 + 2000.0],
        ];
        for values in hostile {
            for log in [false, true] {
                let scale = Scale::fitting(values.iter().copied(), log, false, false, (0.0, 1.0));
                assert!(scale.low < scale.high, "{values:?} {log}");
                let ticks = scale.ticks(5);
                assert!(ticks.len() <= 101 && ticks.iter().all(|tick| tick.value.is_finite()), "{values:?}");
            }
        }
    }
}
