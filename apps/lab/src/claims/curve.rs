//! Curves of experiments: exponents, and charts of them.

use crate::report::data::{Axis, Chart, Line, Shape};

/// The exponent x of y ~ size^x: the slope of a line through the logarithms, by least squares. Not a number for fewer than two
/// different sizes.
pub(super) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let along: f64 = logs.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    along / logs.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

/// A chart with one curve for each name.
pub(super) fn chart(
    title: &str,
    help: &str,
    axes: (Axis, Axis),
    lines: Vec<(String, Vec<(f64, f64)>)>,
) -> Chart {
    let line = |(name, points)| Line { name, seed: None, points, band: Vec::new() };
    Chart {
        help: help.to_owned(),
        x: axes.0,
        shape: Shape::Line,
        lines: lines.into_iter().map(line).collect(),
        ..Chart::over_time(title, axes.1)
    }
}

/// An axis on which equal steps are equal factors.
pub(super) fn logarithmic(mut axis: Axis) -> Axis {
    (axis.log, axis.from_zero) = (true, false);
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_of_a_power_is_found() {
        let points: Vec<(f64, f64)> = [1.0, 2.0, 5.0, 9.0].map(|x: f64| (x, 3.0 * x.powf(0.7))).to_vec();
        assert!((exponent(&points) - 0.7).abs() < 1e-9);
        assert!(exponent(&points[..1]).is_nan());
    }
}
