//! Many seeds and points to as many as the eye can tell apart.

use std::collections::BTreeMap;

use super::data::{Chart, Distribution, Line, Report, Sample, Shape, Summary, View};

/// Points per curve that are drawn and written to `summary.json`; the tables hold all of them.
pub(super) const POINTS_MAX: usize = 320;

/// Cells of the common grid when seeds were measured at different instants.
const GRID: usize = 160;

/// `report` with the curves of several seeds replaced by median and range, and long ones thinned out. Doing
/// it twice changes nothing more.
pub(super) fn condensed(report: &Report) -> Report {
    let mut report = report.clone();
    for chart in &mut report.charts {
        *chart = condensed_chart(chart);
    }
    for distribution in &mut report.distributions {
        coarsen(distribution);
    }
    report
}

/// Values of a cumulative curve that are kept one by one at its upper end: the tail is what one looks for.
const TAIL: usize = 12;

/// Joins neighbouring values of a long cumulative distribution, each to the greatest of its group, so that a
/// quantile read from it is never too low, and too high by a third of a percent of the values at most.
fn coarsen(distribution: &mut Distribution) {
    if distribution.view == View::Bars {
        return;
    }
    for sample in &mut distribution.samples {
        sample.counts.retain(|&(value, count)| value.is_finite() && count > 0);
        if sample.counts.len() <= POINTS_MAX {
            continue;
        }
        let group = (sample.total() / (POINTS_MAX - TAIL) as u64).max(1);
        let tail = sample.counts.len() - TAIL;
        let mut joined = Vec::with_capacity(POINTS_MAX);
        let mut waiting = 0u64;
        for (index, &(value, count)) in sample.counts.iter().enumerate() {
            waiting = waiting.saturating_add(count);
            if waiting > group || index + 1 >= tail {
                joined.push((value, waiting));
                waiting = 0;
            }
        }
        *sample = Sample { counts: joined, name: std::mem::take(&mut sample.name) };
    }
}

fn condensed_chart(chart: &Chart) -> Chart {
    let mut groups: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for line in &chart.lines {
        let group = groups.entry(&line.name).or_default();
        if group.is_empty() {
            order.push(&line.name);
        }
        group.push(line);
    }
    let merge = |name: &&str| merged(&groups[*name]);
    let mut lines: Vec<Line> = order.iter().map(merge).collect();
    if chart.shape == Shape::Stack {
        align(&mut lines);
        thin_together(&mut lines);
    } else {
        for line in &mut lines {
            thin(line);
        }
    }
    Chart { lines, ..chart.clone() }
}

/// One curve for the lines of one name.
fn merged(lines: &[&Line]) -> Line {
    if let [only] = lines {
        let mut only = (*only).clone();
        if only.band.len() != only.points.len() {
            only.band.clear();
        }
        return only;
    }
    let same = lines.windows(2).all(|pair| {
        let x = |line: &Line| line.points.iter().map(|point| point.0).collect::<Vec<_>>();
        x(pair[0]) == x(pair[1])
    });
    if same { pointwise(lines) } else { gridwise(lines) }
}

fn pointwise(lines: &[&Line]) -> Line {
    let mut merged = Line { name: lines[0].name.clone(), ..Line::default() };
    for (index, &(x, _)) in lines[0].points.iter().enumerate() {
        merged.push(x, lines.iter().map(|line| line.points[index].1));
    }
    merged
}

/// Each seed's mean per cell first, so that a seed with many points in a cell has no more weight.
fn gridwise(lines: &[&Line]) -> Line {
    let mut merged = Line { name: lines[0].name.clone(), ..Line::default() };
    let all =
        || lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).filter(|x| x.is_finite());
    let (low, high) =
        all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let longest = lines.iter().map(|line| line.points.len()).max().unwrap_or(0);
    if low > high {
        return merged;
    }
    let cells = longest.clamp(1, GRID);
    let width = ((high - low) / cells as f64).max(f64::MIN_POSITIVE);
    let mut means: Vec<Vec<f64>> = vec![Vec::new(); cells];
    for line in lines {
        let mut sums = vec![(0.0, 0u32); cells];
        for (x, y) in line.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
            let cell = (((x - low) / width) as usize).min(cells - 1);
            sums[cell] = (sums[cell].0 + y, sums[cell].1 + 1);
        }
        for (mean, (sum, count)) in means.iter_mut().zip(sums) {
            if count > 0 {
                mean.push(sum / f64::from(count));
            }
        }
    }
    for (cell, mean) in means.into_iter().enumerate() {
        // A cell that no seed has a value in is no gap in the run, only in the grid.
        if !mean.is_empty() {
            merged.push(low + (cell as f64 + 0.5) * width, mean.into_iter());
        }
    }
    merged
}

impl Line {
    fn push(&mut self, x: f64, values: impl Iterator<Item = f64>) {
        let summary = Summary::of(values);
        self.points.push((x, summary.map_or(f64::NAN, |summary| summary.median)));
        self.band.push(summary.map_or((f64::NAN, f64::NAN), |summary| (summary.min, summary.max)));
    }
}

/// Gives every line the x values of all, with zero where it has none, as a stack needs.
fn align(lines: &mut [Line]) {
    let mut xs: Vec<f64> = lines.iter().flat_map(|line| &line.points).map(|point| point.0).collect();
    xs.retain(|x| x.is_finite());
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    for line in lines {
        let mut own = line.points.iter().peekable();
        let mut points = Vec::with_capacity(xs.len());
        for &x in &xs {
            while own.next_if(|point| point.0 < x).is_some() {}
            let y = own.peek().filter(|point| point.0 == x).map_or(0.0, |point| point.1);
            points.push((x, if y.is_finite() { y } else { 0.0 }));
        }
        line.points = points;
        line.band.clear();
    }
}

fn thin_together(lines: &mut [Line]) {
    let Some(first) = lines.first() else { return };
    let total = |index: usize| (0.0, lines.iter().map(|line| line.points[index].1).sum::<f64>());
    let totals: Vec<(f64, f64)> = (0..first.points.len()).map(total).collect();
    let kept = kept(&totals);
    for line in lines {
        line.points = kept.iter().map(|&index| line.points[index]).collect();
    }
}

fn thin(line: &mut Line) {
    let kept = kept(&line.points);
    if kept.len() < line.points.len() {
        line.points = kept.iter().map(|&index| line.points[index]).collect();
        if !line.band.is_empty() {
            line.band = kept.iter().map(|&index| line.band[index]).collect();
        }
    }
}

/// Indices of the points to keep: of each stretch the lowest and the highest, so that no dip or peak is
/// lost, and the two ends.
fn kept(points: &[(f64, f64)]) -> Vec<usize> {
    let count = points.len();
    if count <= POINTS_MAX {
        return (0..count).collect();
    }
    let stretches = (POINTS_MAX - 2) / 2;
    let mut kept = vec![0, count - 1];
    for stretch in 0..stretches {
        let range = stretch * count / stretches..(stretch + 1) * count / stretches;
        let by_y = |a: &usize, b: &usize| points[*a].1.total_cmp(&points[*b].1);
        kept.extend(range.clone().min_by(by_y));
        kept.extend(range.max_by(by_y));
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{Axis, Unit};

    fn chart(lines: Vec<Line>, shape: Shape) -> Chart {
        Chart { lines, shape, ..Chart::over_time("c", Axis::new("y", Unit::Plain)) }
    }

    fn line(seed: u64, points: &[(f64, f64)]) -> Line {
        Line { seed: Some(seed), points: points.to_vec(), ..Line::default() }
    }

    #[test]
    fn seeds_on_the_same_instants_become_median_and_range() {
        let lines = vec![line(1, &[(0.0, 1.0)]), line(2, &[(0.0, 5.0)]), line(3, &[(0.0, 2.0)])];
        let merged = condensed_chart(&chart(lines, Shape::Line)).lines;
        assert_eq!(merged.len(), 1);
        assert_eq!((merged[0].points[0], merged[0].band[0]), ((0.0, 2.0), (1.0, 5.0)));
    }

    #[test]
    fn seeds_on_different_instants_meet_on_a_grid() {
        let lines = vec![line(1, &[(0.0, 1.0), (10.0, 3.0)]), line(2, &[(0.5, 2.0), (9.0, 4.0)])];
        let merged = &condensed_chart(&chart(lines, Shape::Line)).lines[0];
        assert_eq!(merged.points, [(2.5, 1.5), (7.5, 3.5)]);
        assert_eq!(merged.band, [(1.0, 2.0), (3.0, 4.0)]);
    }

    #[test]
    fn a_single_dip_in_a_long_curve_survives_thinning() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), 1.0)).collect();
        points[54_321].1 = 0.25;
        let thinned = &condensed_chart(&chart(vec![line(1, &points)], Shape::Line)).lines[0];
        assert!(thinned.points.len() <= POINTS_MAX);
        assert!(thinned.points.contains(&(54_321.0, 0.25)));
        assert_eq!(thinned.points.first(), points.first());
        assert_eq!(thinned.points.last(), points.last());
    }

    #[test]
    fn a_long_distribution_keeps_its_total_its_quantiles_and_its_tail() {
        let counts = (1..=10_000).map(|value| (f64::from(value), 3)).collect();
        let full = Sample { name: "s".to_owned(), counts };
        let axis = Axis::new("x", Unit::Plain);
        let (title, help) = (String::new(), String::new());
        let samples = vec![full.clone()];
        let mut coarse = Distribution { title, help, axis, view: View::Cumulative, samples };
        coarsen(&mut coarse);
        let coarse = &coarse.samples[0];
        assert!(coarse.counts.len() <= POINTS_MAX && coarse.total() == full.total());
        for share in [0.01, 0.5, 0.99, 0.9999, 1.0] {
            let (exact, near) = (full.quantile(share).unwrap(), coarse.quantile(share).unwrap());
            assert!((exact..=exact + 40.0).contains(&near), "{share}: {exact} {near}");
        }
        assert_eq!(coarse.counts.last(), Some(&(10_000.0, 3)));
    }

    #[test]
    fn a_stack_has_zero_where_a_line_has_no_point() {
        let mut other = line(1, &[(1.0, 7.0)]);
        other.name = "b".to_owned();
        let merged = condensed_chart(&chart(vec![line(1, &[(0.0, 2.0), (1.0, 3.0)]), other], Shape::Stack));
        assert_eq!(merged.lines[1].points, [(0.0, 0.0), (1.0, 7.0)]);
    }

    #[test]
    fn points_that_are_not_finite_do_not_stop_it() {
        let lines = vec![line(1, &[(f64::NAN, 1.0), (1.0, f64::NAN)]), line(2, &[(f64::INFINITY, 1.0)])];
        let merged = condensed_chart(&chart(lines, Shape::Line)).lines;
        assert!(merged[0].points.is_empty());
    }
}
