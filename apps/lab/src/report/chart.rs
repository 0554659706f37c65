//! Line charts and bar charts, with axes, rules, legends and what the tooltip says.

use serde::Serialize;

use super::data::{Axis, Chart, Distribution, Landmark, Line, Sample, Shape, Unit, View};
use super::format::{AxisUnit, exact, quantity, range, shortened};
use super::scale::Scale;
use super::svg::{Anchor, Canvas, coordinate, polyline, text_width};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 292.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 546.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 246.0;

/// Colours in the style sheet.
pub(super) const COLOURS: usize = 12;

/// A drawing and what belongs to it on the page.
#[derive(Debug)]
pub(super) struct Drawn {
    /// The SVG element.
    pub(super) svg: String,
    /// What the curves are; empty when there is only one.
    pub(super) legend: Vec<LegendEntry>,
    /// What the tooltip says, as JSON.
    pub(super) hover: String,
}

/// One curve of a legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LegendEntry {
    /// The curve's name.
    pub(super) name: String,
    /// Something to know about it; may be empty.
    pub(super) note: String,
    /// Index of its colour.
    pub(super) colour: usize,
}

/// Which colour a curve has: a message kind keeps its own on the whole page.
#[derive(Clone, Debug, Default)]
pub(super) struct Palette {
    /// Kinds in the order of their colours.
    pub(super) kinds: Vec<String>,
}

impl Palette {
    /// The colour of the curve `name`, the `index`-th of its chart.
    pub(super) fn colour(&self, index: usize, name: &str) -> usize {
        self.kinds.iter().position(|kind| kind == name).unwrap_or(index) % COLOURS
    }
}

/// What the page's script needs to know of a chart.
#[derive(Debug, Serialize)]
struct Hover {
    /// Left, top, right and bottom of the plot.
    plot: [f64; 4],
    /// Whether a value holds until the next point.
    step: bool,
    lines: Vec<HoverLine>,
}

#[derive(Debug, Serialize)]
struct HoverLine {
    name: String,
    colour: usize,
    /// Position, and both values in words.
    points: Vec<(f64, f64, String, String)>,
}

impl Hover {
    fn new(step: bool) -> Self {
        Self { plot: [LEFT, TOP, RIGHT, BOTTOM], step, lines: Vec::new() }
    }

    /// JSON that cannot end the element it stands in.
    fn json(&self) -> String {
        let text = serde_json::to_string(self).expect("strings and finite numbers always serialise");
        text.replace('<', "\\u003c")
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A plot with its two axes.
struct Plot {
    canvas: Canvas,
    x: Scale,
    y: Scale,
}

impl Plot {
    fn new(x: Scale, y: Scale) -> Self {
        Self { canvas: Canvas::new(WIDTH, HEIGHT), x, y }
    }

    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.place(x)?, self.y.place(y)?))
    }

    fn axes(&mut self, x: &Axis, y: &Axis) {
        self.y_axis(y);
        let unit = AxisUnit::of(&x.unit, self.x.high());
        for tick in self.x.ticks(7) {
            let Some(at) = self.x.place(tick.value) else { continue };
            self.canvas.line((at, BOTTOM), (at, BOTTOM + 4.0), "axis");
            let label = unit.label(tick.value, tick.step);
            self.canvas.text((at, BOTTOM + 17.0), Anchor::Middle, "tick", &label);
        }
        self.x_title(x, &unit);
    }

    fn y_axis(&mut self, axis: &Axis) {
        let unit = AxisUnit::of(&axis.unit, self.y.high());
        for tick in self.y.ticks(5) {
            let Some(at) = self.y.place(tick.value) else { continue };
            self.canvas.line((LEFT, at), (RIGHT, at), "grid");
            let label = unit.label(tick.value, tick.step);
            self.canvas.text((LEFT - 7.0, at + 4.0), Anchor::End, "tick", &label);
        }
        self.canvas.text((4.0, 13.0), Anchor::Start, "axis-title", &titled(&axis.name, &unit));
        self.canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis");
    }

    fn x_title(&mut self, axis: &Axis, unit: &AxisUnit) {
        self.canvas.text((RIGHT, HEIGHT - 8.0), Anchor::End, "axis-title", &titled(&axis.name, unit));
    }

    /// Vertical rules with their labels above the plot, in two rows where they would touch.
    fn events(&mut self, events: &[Landmark]) {
        let mut ends = [f64::NEG_INFINITY; 2];
        for event in events.iter().take(12).filter(|event| self.x.shows(event.at)) {
            let Some(at) = self.x.place(event.at) else { continue };
            self.canvas.line((at, TOP - 2.0), (at, BOTTOM), "event");
            let label = shortened(&event.label, 34);
            let width = text_width(&label);
            let (anchor, start) = if at + width > WIDTH {
                (Anchor::End, at - width)
            } else if at - width / 2.0 < LEFT || at + width / 2.0 > RIGHT {
                (Anchor::Start, at)
            } else {
                (Anchor::Middle, at - width / 2.0)
            };
            let Some(row) = ends.iter().position(|&end| start > end + 6.0) else { continue };
            ends[row] = start + width;
            self.canvas.text((at, TOP - 6.0 - row as f64 * 12.0), anchor, "event-label", &label);
        }
    }

    fn levels(&mut self, levels: &[Landmark]) {
        for level in levels.iter().take(6).filter(|level| self.y.shows(level.at)) {
            let Some(at) = self.y.place(level.at) else { continue };
            self.canvas.line((LEFT, at), (RIGHT, at), "level");
            // Below the line where it would touch the labels above the plot.
            let label_at = if at < TOP + 14.0 { at + 13.0 } else { at - 5.0 };
            self.canvas.text(
                (RIGHT - 4.0, label_at),
                Anchor::End,
                "level-label",
                &shortened(&level.label, 40),
            );
        }
    }

    fn finish(self, label: &str) -> String {
        self.canvas.finish("chart", label)
    }
}

/// The axis's name with its unit, unless the unit is its name.
fn titled(name: &str, unit: &AxisUnit) -> String {
    let name = shortened(name, 60);
    match unit.name.as_str() {
        "" => name,
        unit if name.contains(unit) && unit.len() > 2 => name,
        unit if name.is_empty() => unit.to_owned(),
        unit => format!("{name} ({unit})"),
    }
}

/// Draws `chart`, which should be [condensed](super::condense::condensed).
pub(super) fn draw(chart: &Chart, palette: &Palette) -> Drawn {
    let lines = if chart.shape == Shape::Stack { stacked(&chart.lines) } else { chart.lines.clone() };
    let mut plot = Plot::new(x_scale(chart, &lines), y_scale(chart, &lines));
    plot.axes(&chart.x, &chart.y);
    plot.levels(&chart.levels);
    plot.events(&chart.events);
    let colour = |index: usize| palette.colour(index, &chart.lines[index].name);
    // Bands first, so that no curve hides beneath another's.
    for (index, line) in lines.iter().enumerate() {
        let class =
            format!("{} k{}", if chart.shape == Shape::Stack { "layer" } else { "band" }, colour(index));
        let band = band(&plot, line, chart.shape == Shape::Step);
        plot.canvas.path(&band, &class);
    }
    for (index, line) in lines.iter().enumerate() {
        curve(&mut plot, line, chart.shape, index, colour(index));
    }
    let mut hover = Hover::new(chart.shape == Shape::Step);
    for (index, (drawn, own)) in lines.iter().zip(&chart.lines).enumerate() {
        hover.lines.push(hover_line(&plot, chart, drawn, own, colour(index)));
    }
    Drawn { legend: legend(chart, palette), hover: hover.json(), svg: plot.finish(&chart.title) }
}

fn x_scale(chart: &Chart, lines: &[Line]) -> Scale {
    let values = lines.iter().flat_map(|line| &line.points).map(|point| point.0);
    Scale::fitting(values, chart.x.log, chart.x.from_zero, true, (LEFT, RIGHT))
}

fn y_scale(chart: &Chart, lines: &[Line]) -> Scale {
    let points = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let bands = lines.iter().flat_map(|line| &line.band).flat_map(|&(low, high)| [low, high]);
    let levels = chart.levels.iter().map(|level| level.at);
    let values = points.chain(bands).chain(levels);
    Scale::of(&chart.y, values, (BOTTOM, TOP))
}

/// Each line on top of those before it; the band is what it adds.
fn stacked(lines: &[Line]) -> Vec<Line> {
    let mut base: Vec<f64> = vec![0.0; lines.first().map_or(0, |line| line.points.len())];
    let mut layers = Vec::with_capacity(lines.len());
    for line in lines {
        let mut layer = Line { points: Vec::new(), band: Vec::new(), ..line.clone() };
        for (base, &(x, y)) in base.iter_mut().zip(&line.points) {
            layer.band.push((*base, *base + y.max(0.0)));
            *base += y.max(0.0);
            layer.points.push((x, *base));
        }
        layers.push(layer);
    }
    layers
}

fn band(plot: &Plot, line: &Line, steps: bool) -> String {
    let corners: Vec<_> = line
        .points
        .iter()
        .zip(&line.band)
        .map(|(&(x, _), &(low, high))| Some((plot.place(x, low)?, plot.place(x, high)?)))
        .collect();
    let mut commands = String::new();
    for run in corners.split(Option::is_none).filter(|run| run.len() > 1) {
        let side = |pick: fn(&(At, At)) -> At| -> Vec<Option<At>> {
            let places = run.iter().flatten().map(pick).map(Some);
            if steps { stepped(places) } else { places.collect() }
        };
        let (upper, mut lower) = (side(|corner| corner.1), side(|corner| corner.0));
        lower.reverse();
        commands.push_str(&polyline(upper.into_iter().chain(lower)));
        commands.push('Z');
    }
    commands
}

/// A position in the picture.
type At = (f64, f64);

/// With a corner before each place, so that a value holds until the next.
fn stepped(places: impl Iterator<Item = Option<At>>) -> Vec<Option<At>> {
    let mut corners: Vec<Option<At>> = Vec::new();
    for place in places {
        let before = corners.last().copied().flatten();
        if let (Some((x, _)), Some((_, y))) = (place, before) {
            corners.push(Some((x, y)));
        }
        corners.push(place);
    }
    corners
}

fn curve(plot: &mut Plot, line: &Line, shape: Shape, index: usize, colour: usize) {
    let places = || line.points.iter().map(|&(x, y)| plot.place(x, y));
    // Past the last colour they repeat, dashed.
    let dash = if index >= COLOURS { " dashed" } else { "" };
    match shape {
        Shape::Line | Shape::Stack => {
            let alone = line.points.len() == 1;
            let (commands, dots) = (polyline(places()), places().flatten().collect::<Vec<_>>());
            // A layer's upper edge is seen as it is; drawn, it would show layers that are empty.
            if shape == Shape::Line {
                plot.canvas.path(&commands, &format!("curve k{colour}{dash}"));
            }
            if alone {
                dots.into_iter().for_each(|at| plot.canvas.circle(at, 3.0, &format!("dot k{colour}")));
            }
        }
        Shape::Step => {
            let corners = stepped(places());
            plot.canvas.path(&polyline(corners), &format!("curve k{colour}{dash}"));
        }
        Shape::Dots => {
            // One path of round caps is a tenth of the bytes of as many circles.
            let dot = |(x, y)| format!("M{} {}h0", coordinate(x), coordinate(y));
            let commands: String = places().flatten().map(dot).collect();
            plot.canvas.path(&commands, &format!("dots k{colour}"));
        }
    }
}

fn hover_line(plot: &Plot, chart: &Chart, drawn: &Line, own: &Line, colour: usize) -> HoverLine {
    let mut points = Vec::with_capacity(drawn.points.len());
    for (index, (&(x, y), &(_, value))) in drawn.points.iter().zip(&own.points).enumerate() {
        let Some((at_x, at_y)) = plot.place(x, y) else { continue };
        let mut text = quantity(value, &chart.y.unit).to_string();
        if let Some(&(low, high)) = own.band.get(index)
            && low < high
        {
            text = format!("{text} ({})", range(low, high, &chart.y.unit));
        }
        points.push((tenth(at_x), tenth(at_y), place_text(x, &chart.x), text));
    }
    HoverLine { name: own.name.clone(), colour, points }
}

/// A value of the horizontal axis in words: `broadcast 12`, `40.5 s`.
fn place_text(value: f64, axis: &Axis) -> String {
    let text = quantity(value, &axis.unit).to_string();
    if axis.unit == Unit::Plain { format!("{} {text}", axis.name) } else { text }
}

fn legend(chart: &Chart, palette: &Palette) -> Vec<LegendEntry> {
    let entry = |(index, line): (usize, &Line)| LegendEntry {
        name: line.name.clone(),
        note: String::new(),
        colour: palette.colour(index, &line.name),
    };
    match &chart.lines[..] {
        // The title tells it; the tooltip has the name.
        [_] => Vec::new(),
        lines => lines.iter().enumerate().map(entry).collect(),
    }
}

/// Draws a distribution: the cumulative share, or bars.
pub(super) fn draw_distribution(distribution: &Distribution, palette: &Palette) -> Drawn {
    let mut drawn = match distribution.view {
        View::Cumulative => draw(&cumulative(distribution), palette),
        View::Bars => bars(distribution, palette),
    };
    let entry = |(index, sample): (usize, &Sample)| {
        let quantile = |share| sample.quantile(share).map(|value| quantity(value, &distribution.axis.unit));
        let note = match (quantile(0.5), quantile(0.99)) {
            (Some(median), Some(p99)) => format!("median {median}, p99 {p99}"),
            _ => "no values".to_owned(),
        };
        LegendEntry { name: sample.name.clone(), note, colour: palette.colour(index, &sample.name) }
    };
    drawn.legend = distribution.samples.iter().enumerate().map(entry).collect();
    drawn
}

/// The share of values at or below each: a step up at each value.
fn cumulative(distribution: &Distribution) -> Chart {
    let curve = |sample: &Sample| {
        let total = sample.total().max(1) as f64;
        let mut seen = 0u64;
        let start = sample.counts.first().map(|&(value, _)| (value, 0.0));
        let rise = sample.counts.iter().map(|&(value, count)| {
            seen = seen.saturating_add(count);
            (value, seen as f64 / total)
        });
        let points = start.into_iter().chain(rise).collect();
        Line { name: sample.name.clone(), points, ..Line::default() }
    };
    Chart {
        title: distribution.title.clone(),
        help: distribution.help.clone(),
        x: distribution.axis.clone(),
        y: Axis::new("values at or below", Unit::Share),
        shape: Shape::Step,
        lines: distribution.samples.iter().map(curve).collect(),
        events: Vec::new(),
        levels: Vec::new(),
    }
}

/// Bars side by side: one group per value, one bar per sample.
fn bars(distribution: &Distribution, palette: &Palette) -> Drawn {
    let mut values: Vec<f64> =
        distribution.samples.iter().flat_map(|sample| &sample.counts).map(|bin| bin.0).collect();
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    values.dedup();
    let samples = distribution.samples.iter();
    let shares: Vec<Vec<(f64, u64, f64)>> = samples
        .map(|sample| {
            let total = sample.total().max(1) as f64;
            sample.counts.iter().map(|&(value, count)| (value, count, count as f64 / total)).collect()
        })
        .collect();
    let y = Axis::new("share", Unit::Share);
    let highest = shares.iter().flatten().map(|bin| bin.2);
    let scale = Scale::of(&y, highest, (BOTTOM, TOP));
    let mut plot = Plot::new(Scale::fitting([].into_iter(), false, true, true, (LEFT, RIGHT)), scale);
    plot.y_axis(&y);
    let slot = (RIGHT - LEFT) / values.len().max(1) as f64;
    bar_labels(&mut plot, distribution, &values, slot);
    let width = (slot * 0.8 / shares.len().max(1) as f64).min(48.0);
    let mut hover = Hover::new(false);
    for (index, (bins, sample)) in shares.iter().zip(&distribution.samples).enumerate() {
        let colour = palette.colour(index, &sample.name);
        let shift = (index as f64 - shares.len() as f64 / 2.0) * width;
        let mut points = Vec::new();
        for &(value, count, share) in bins {
            let Ok(position) = values.binary_search_by(|other| other.total_cmp(&value)) else { continue };
            let centre = LEFT + (position as f64 + 0.5) * slot;
            let top = plot.y.place(share).unwrap_or(BOTTOM);
            plot.canvas.rect((centre + shift, top), (width * 0.94, BOTTOM - top), &format!("bar k{colour}"));
            let text = format!("{} ({})", quantity(share, &Unit::Share), exact(count));
            points.push((tenth(centre), tenth(top), place_text(value, &distribution.axis), text));
        }
        hover.lines.push(HoverLine { name: sample.name.clone(), colour, points });
    }
    Drawn { svg: plot.finish(&distribution.title), legend: Vec::new(), hover: hover.json() }
}

/// As many labels below the bars as have room.
fn bar_labels(plot: &mut Plot, distribution: &Distribution, values: &[f64], slot: f64) {
    let greatest = values.last().copied().unwrap_or(1.0);
    let unit = AxisUnit::of(&distribution.axis.unit, greatest);
    let label = |value: f64| quantity(value * unit.factor, &Unit::Plain).to_string();
    let widest = values.iter().map(|&value| text_width(&label(value))).fold(0.0, f64::max);
    let stride = (((widest + 8.0) / slot).ceil() as usize).max(1);
    for (position, &value) in values.iter().enumerate().step_by(stride) {
        let centre = LEFT + (position as f64 + 0.5) * slot;
        plot.canvas.text((centre, BOTTOM + 17.0), Anchor::Middle, "tick", &label(value));
    }
    plot.x_title(&distribution.axis, &unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, points: &[(f64, f64)]) -> Chart {
        let lines = vec![Line { name: "a".to_owned(), points: points.to_vec(), ..Line::default() }];
        Chart { lines, shape, ..Chart::over_time("latency", Axis::new("latency", Unit::Seconds)) }
    }

    fn drawn(chart: &Chart) -> Drawn {
        draw(chart, &Palette::default())
    }

    #[test]
    fn an_axis_names_its_unit_once() {
        let drawn = drawn(&chart(Shape::Line, &[(0.0, 0.01), (60.0, 0.3)]));
        assert!(drawn.svg.contains(">latency (ms)<"), "{}", drawn.svg);
        assert!(drawn.svg.contains(">time (s)<"));
        assert!(drawn.svg.contains(">300<") && !drawn.svg.contains(">0.3<"));
    }

    #[test]
    fn a_step_turns_at_a_right_angle() {
        let step = drawn(&chart(Shape::Step, &[(0.0, 0.0), (1.0, 1.0)])).svg;
        let line = drawn(&chart(Shape::Line, &[(0.0, 0.0), (1.0, 1.0)])).svg;
        assert!(step.contains("M54 246L546 246L546 44"), "{step}");
        assert!(line.contains("M54 246L546 44"), "{line}");
    }

    #[test]
    fn layers_lie_on_top_of_each_other() {
        let mut chart = chart(Shape::Stack, &[(0.0, 1.0), (1.0, 1.0)]);
        chart.lines.push(chart.lines[0].clone());
        let layers = stacked(&chart.lines);
        assert_eq!(layers[1].points, [(0.0, 2.0), (1.0, 2.0)]);
        assert_eq!(layers[1].band, [(1.0, 2.0), (1.0, 2.0)]);
        // The tooltip tells what each layer adds, not where it lies.
        assert_eq!(drawn(&chart).hover.matches("\"1 s\"]").count(), 4);
    }

    #[test]
    fn the_cumulative_share_ends_at_all_values() {
        let counts = (1..=100).map(|value| (f64::from(value), 3)).collect();
        let samples = vec![Sample { name: String::new(), counts }];
        let axis = Axis::new("latency", Unit::Seconds);
        let distribution = Distribution {
            title: "d".to_owned(),
            help: String::new(),
            axis,
            view: View::Cumulative,
            samples,
        };
        let points = &cumulative(&distribution).lines[0].points;
        assert_eq!((points[0], points[50]), ((1.0, 0.0), (50.0, 0.5)));
        assert_eq!(points.last(), Some(&(100.0, 1.0)));
        assert_eq!(
            draw_distribution(&distribution, &Palette::default()).legend[0].note,
            "median 50 s, p99 99 s"
        );
    }

    #[test]
    fn a_message_kind_keeps_its_colour() {
        let palette = Palette { kinds: vec!["GOSSIP".to_owned(), "IHAVE".to_owned()] };
        assert_eq!(palette.colour(0, "IHAVE"), 1);
        assert_eq!(palette.colour(5, "other"), 5);
    }

    #[test]
    fn a_hostile_name_cannot_leave_the_chart() {
        let mut chart = chart(Shape::Line, &[(0.0, 1.0)]);
        let hostile = "</script><script>alert(1)</script>";
        chart.lines[0].name = hostile.to_owned();
        chart.title = hostile.to_owned();
        chart.y.name = hostile.to_owned();
        chart.events.push(Landmark { at: 0.0, label: hostile.to_owned() });
        let drawn = drawn(&chart);
        assert!(!drawn.svg.contains("<script") && !drawn.hover.contains('<'), "{drawn:?}");
    }

    #[test]
    fn charts_of_nothing_and_of_no_numbers_are_drawn() {
        for points in [&[][..], &[(f64::NAN, 1.0)], &[(0.0, f64::INFINITY)]] {
            for shape in [Shape::Line, Shape::Step, Shape::Dots, Shape::Stack] {
                let svg = drawn(&chart(shape, points)).svg;
                assert!(svg.starts_with("<svg") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }
}
