//! The summary for a terminal: tables and a plot as text, with or without colour.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use owo_colors::{AnsiColors, OwoColorize};

use super::condense::condensed;
use super::data::{Chart, Check, Figure, Line, Report, Shape, Verdict};
use super::format::{AxisUnit, counted, one_line, shortened};
use super::scale::Scale;

/// How the text is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether escape codes for colours may be used.
    pub color: bool,
    /// Columns of the terminal; what is below 40 is taken as 40.
    pub width: u16,
}

/// Title, figures, checks, and the first chart on which something happens as a plot.
pub fn summary(report: &Report, look: Look) -> String {
    let mut parts = vec![painted(&one_line(&report.title), None, true, look)];
    if !report.figures.is_empty() {
        parts.push(figures(&report.figures, look));
    }
    if !report.checks.is_empty() {
        parts.push(checks(&report.checks, look));
    }
    // A line that is flat from end to end is told by its figure already.
    let moving = report.charts.iter().find(|chart| chart.lines.iter().any(moves));
    if let Some(chart) = moving.or(report.charts.first()) {
        let plot = plot(chart, look);
        if !plot.is_empty() {
            parts.push(plot);
        }
    }
    parts.push(verdict(report, look));
    parts.join("\n\n")
}

/// Whether a line is more than one level.
fn moves(line: &Line) -> bool {
    line.points.windows(2).any(|pair| pair[0].1 != pair[1].1)
}

fn painted(text: &str, color: Option<AnsiColors>, bold: bool, look: Look) -> String {
    match (look.color, color, bold) {
        (false, _, _) | (true, None, false) => text.to_owned(),
        (true, Some(color), true) => text.color(color).bold().to_string(),
        (true, Some(color), false) => text.color(color).to_string(),
        (true, None, true) => text.bold().to_string(),
    }
}

fn table(heading: &[&str], look: Look) -> Table {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(look.width.max(40));
    table.set_header(heading);
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn figures(figures: &[Figure], look: Look) -> String {
    let seeds = figures.iter().map(|figure| figure.per_seed.len()).max().unwrap_or(0);
    // Of fewer than 20 values, the 95th percentile is the greatest.
    let columns = match seeds {
        0 | 1 => 1,
        2..20 => 3,
        _ => 4,
    };
    let heading = ["figure", if seeds > 1 { "median" } else { "value" }, "min", "max", "p95"];
    let mut table = table(&heading[..=columns], look);
    for figure in figures {
        let mut row = vec![Cell::new(one_line(&figure.name))];
        let values = figure.summary.map(|s| [s.median, s.min, s.max, s.p95]);
        for index in 0..columns {
            let text = values.map_or_else(|| "–".to_owned(), |values| figure.show(values[index]).to_string());
            row.push(right(one_line(&text)));
        }
        table.add_row(row);
    }
    table.to_string()
}

fn sign(verdict: Verdict) -> (String, AnsiColors) {
    (format!("{} {}", verdict.sign(), verdict.word()), colour(verdict))
}

fn colour(verdict: Verdict) -> AnsiColors {
    match verdict {
        Verdict::Holds => AnsiColors::Green,
        Verdict::Fails => AnsiColors::Red,
        Verdict::Undecided => AnsiColors::Yellow,
    }
}

fn checks(checks: &[Check], look: Look) -> String {
    let mut table = table(&["verdict", "check", "measured", "expected"], look);
    for check in checks {
        table.add_row(vec![
            Cell::new(sign(check.verdict).0),
            Cell::new(one_line(&check.name)),
            right(one_line(&check.measured_text())),
            right(one_line(&check.bound_text())),
        ]);
    }
    // Coloured afterwards: escape codes inside the cells would count as width.
    let line = |line: &str| {
        let found = [Verdict::Holds, Verdict::Fails, Verdict::Undecided]
            .map(sign)
            .into_iter()
            .find(|(sign, _)| line.trim_start().starts_with(sign.as_str()));
        match found {
            Some((sign, color)) => line.replacen(&sign, &painted(&sign, Some(color), true, look), 1),
            None => line.to_owned(),
        }
    };
    table.to_string().lines().map(line).collect::<Vec<_>>().join("\n")
}

fn verdict(report: &Report, look: Look) -> String {
    let seeds = counted(report.seeds.len(), "seed");
    match report.tally().verdict() {
        Some((verdict, text)) => format!("{seeds}, {}", painted(&text, Some(colour(verdict)), true, look)),
        None => format!("{seeds}, no checks"),
    }
}

/// Rows of the plot.
const ROWS: usize = 10;

const COLOURS: [AnsiColors; 5] =
    [AnsiColors::Cyan, AnsiColors::Yellow, AnsiColors::Green, AnsiColors::Magenta, AnsiColors::Blue];

/// `chart` in characters of two by four dots. Without colours, curves could not be told apart: then only the
/// first is drawn, and the others are named. Empty if there is nothing to draw.
pub fn plot(chart: &Chart, look: Look) -> String {
    let report = Report { charts: vec![chart.clone()], ..Report::default() };
    let chart = &condensed(&report).charts[0];
    let most = if look.color { COLOURS.len() } else { 1 };
    let drawn = &chart.lines[..chart.lines.len().min(most)];
    if drawn.iter().all(|line| line.points.is_empty()) {
        return String::new();
    }
    let labels_width = 10;
    let columns = usize::from(look.width.clamp(40, 110)) - labels_width - 2;
    let points = || drawn.iter().flat_map(|line| &line.points);
    let x = Scale::fitting(
        points().map(|point| point.0),
        chart.x.log,
        chart.x.from_zero,
        true,
        (0.0, (columns * 2 - 1) as f64),
    );
    let y = Scale::of(&chart.y, points().map(|point| point.1), ((ROWS * 4 - 1) as f64, 0.0));
    let mut grid = Grid::new(columns, ROWS);
    for (index, line) in drawn.iter().enumerate() {
        trace(&mut grid, line, chart.shape, &x, &y, index);
    }
    framed(chart, drawn, &grid, (&x, &y), labels_width, look)
}

/// Characters of two by four dots each.
struct Grid {
    columns: usize,
    cells: Vec<(u8, usize)>,
}

impl Grid {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, cells: vec![(0, 0); columns * rows] }
    }

    fn set(&mut self, x: usize, y: usize, colour: usize) {
        // The dots of a braille character, by column and row, as Unicode numbers them.
        const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        if x / 2 >= self.columns {
            return;
        }
        if let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2) {
            *cell = (cell.0 | DOTS[x % 2][y % 4], colour);
        }
    }

    fn row(&self, row: usize, look: Look) -> String {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        let mut text = String::new();
        for run in cells.chunk_by(|a, b| a.1 == b.1 || b.0 == 0) {
            let dots: String = run
                .iter()
                .map(|cell| char::from_u32(0x2800 + u32::from(cell.0)).expect("256 characters start there"))
                // Blank braille is as wide as a dot in few fonts; a space is.
                .map(|character| if character == '\u{2800}' { ' ' } else { character })
                .collect();
            text.push_str(&painted(&dots, Some(COLOURS[run[0].1 % COLOURS.len()]), false, look));
        }
        if look.color { text } else { text.trim_end().to_owned() }
    }
}

fn trace(grid: &mut Grid, line: &Line, shape: Shape, x: &Scale, y: &Scale, colour: usize) {
    let mut before: Option<(f64, f64)> = None;
    for &(px, py) in &line.points {
        let Some(at) = x.place(px).zip(y.place(py)) else {
            before = None;
            continue;
        };
        let from = match shape {
            Shape::Dots => at,
            Shape::Line | Shape::Step | Shape::Stack => before.unwrap_or(at),
        };
        let steps = (at.0 - from.0).abs().max((at.1 - from.1).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let share = step as f64 / steps;
            let (dot_x, dot_y) = (from.0 + (at.0 - from.0) * share, from.1 + (at.1 - from.1) * share);
            if dot_x >= -0.5 && dot_y >= -0.5 {
                grid.set(dot_x.round() as usize, dot_y.round() as usize, colour);
            }
        }
        before = Some(at);
    }
}

/// The dots with a frame, labels, a title and what is what.
fn framed(
    chart: &Chart,
    drawn: &[Line],
    grid: &Grid,
    (x, y): (&Scale, &Scale),
    width: usize,
    look: Look,
) -> String {
    let unit = AxisUnit::of(&chart.y.unit, y.high());
    let ticks = y.ticks(4);
    let mut lines = vec![shortened(&title(chart, &unit), usize::from(look.width.max(40)))];
    for row in 0..ROWS {
        let in_row = |value: f64| y.place(value).is_some_and(|at| (at / 4.0) as usize == row);
        let tick = ticks.iter().find(|tick| in_row(tick.value));
        let label = tick.map_or_else(String::new, |tick| unit.label(tick.value, tick.step));
        let edge = if tick.is_some() { '┤' } else { '│' };
        lines.push(format!("{label:>width$} {edge}{}", grid.row(row, look)).trim_end().to_owned());
    }
    lines.extend(time_labels(chart, x, grid.columns, width));
    if drawn.len() > 1 {
        let entry =
            |(index, line): (usize, &Line)| painted(&one_line(&line.name), Some(COLOURS[index]), false, look);
        lines.push(format!(
            "{:width$}  {}",
            "",
            drawn.iter().enumerate().map(entry).collect::<Vec<_>>().join("  ")
        ));
    }
    let hidden = chart.lines.len() - drawn.len();
    if hidden > 0 {
        let first = if look.color {
            String::new()
        } else {
            format!("drawn is {}; ", shortened(&one_line(&drawn[0].name), 20))
        };
        let text = format!("{:width$}  {first}{} more in report.html", "", counted(hidden, "curve"));
        lines.push(shortened(&text, usize::from(look.width.max(40))));
    }
    lines.join("\n")
}

fn title(chart: &Chart, unit: &AxisUnit) -> String {
    let unit = if unit.name.is_empty() { String::new() } else { format!(" ({})", one_line(&unit.name)) };
    let (title, y) = (one_line(&chart.title), one_line(&chart.y.name));
    if title == y { format!("{title}{unit}") } else { format!("{title}: {y}{unit}") }
}

/// The horizontal axis: a rule with marks, a few labels below it, and its name at the right.
fn time_labels(chart: &Chart, x: &Scale, columns: usize, width: usize) -> [String; 2] {
    let unit = AxisUnit::of(&chart.x.unit, x.high());
    let name = shortened(&one_line(&chart.x.name), 16);
    let name = if unit.name.is_empty() { name } else { format!("{name} ({})", one_line(&unit.name)) };
    let mut rule: Vec<char> = vec!['─'; columns];
    let mut labels: Vec<char> = vec![' '; columns];
    let free = columns.saturating_sub(name.chars().count() + 2);
    for tick in x.ticks(6) {
        let Some(at) = x.place(tick.value) else { continue };
        let column = ((at / 2.0).max(0.0) as usize).min(columns - 1);
        rule[column] = '┬';
        let text = unit.label(tick.value, tick.step);
        let start = column.saturating_sub(text.chars().count() / 2);
        // Where the name stands, there is no room for a label.
        if start + text.chars().count() <= free {
            labels[start..].iter_mut().zip(text.chars()).for_each(|(slot, character)| *slot = character);
        }
    }
    let start = columns.saturating_sub(name.chars().count());
    labels[start..].iter_mut().zip(name.chars()).for_each(|(slot, character)| *slot = character);
    let [rule, labels] = [rule, labels].map(|characters| characters.into_iter().collect::<String>());
    [format!("{:width$} └{rule}", ""), format!("{:width$}  {labels}", "").trim_end().to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{Axis, Relation, Unit};

    const PLAIN: Look = Look { color: false, width: 80 };
    const COLOURED: Look = Look { color: true, width: 80 };

    fn report() -> Report {
        let check = |name: &str, verdict| Check {
            name: name.to_owned(),
            measured: Some(0.5),
            relation: Relation::AtLeast,
            bound: Some(0.99),
            unit: Unit::Share,
            verdict,
            detail: String::new(),
        };
        let points = (0..100).map(|i| (f64::from(i), if i == 50 { 0.0 } else { 1.0 })).collect();
        let line = Line { name: "first".to_owned(), points, ..Line::default() };
        let other = Line { name: "second".to_owned(), ..line.clone() };
        Report {
            title: "a title".to_owned(),
            seeds: vec![1, 2],
            figures: vec![Figure::new("latency", Unit::Seconds, "", &[(1, 0.01), (2, 0.02)])],
            checks: vec![check("one", Verdict::Holds), check("two", Verdict::Fails)],
            charts: vec![Chart {
                lines: vec![line, other],
                ..Chart::over_time("reliability", Axis::new("reached", Unit::Share))
            }],
            ..Report::default()
        }
    }

    #[test]
    fn without_colour_there_is_no_escape_code() {
        let text = summary(&report(), PLAIN);
        assert!(!text.contains('\u{1b}'), "{text}");
        for expected in
            ["a title", "15 ms", "✓ holds", "✗ fails", "≥ 99 %", "1 of 2 checks fails", "time (s)"]
        {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
        // The control: with colour there are some.
        assert!(summary(&report(), COLOURED).contains('\u{1b}'));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [40, 60, 80, 200] {
            let text = summary(&report(), Look { color: false, width });
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{widest} > {width} in\n{text}");
        }
    }

    #[test]
    fn a_dip_is_seen_in_the_plot() {
        let chart = &report().charts[0];
        let rows: Vec<String> = plot(chart, PLAIN).lines().map(str::to_owned).collect();
        let dots = |row: &str| row.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
        assert!(dots(&rows[1]) > 50, "{rows:?}");
        assert!((1..5).contains(&dots(&rows[ROWS / 2])), "the dip's flanks alone: {rows:?}");
    }

    #[test]
    fn a_chart_on_which_nothing_happens_gives_way_to_the_next() {
        let mut report = report();
        let mut flat = report.charts[0].clone();
        flat.title = "flat".to_owned();
        for line in &mut flat.lines {
            line.points.iter_mut().for_each(|point| point.1 = 1.0);
        }
        report.charts.insert(0, flat.clone());
        assert!(!summary(&report, PLAIN).contains("flat"));
        report.charts = vec![flat];
        assert!(summary(&report, PLAIN).contains("flat"), "the only one is drawn");
    }

    #[test]
    fn curves_that_are_not_drawn_are_counted() {
        let chart = &report().charts[0];
        assert!(plot(chart, PLAIN).contains("drawn is first; 1 curve more"));
        assert!(!plot(chart, COLOURED).contains("more"));
    }

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        let mut report = report();
        let hostile = "\u{1b}[2J\u{7}\nx";
        report.title = hostile.to_owned();
        report.figures[0].name = hostile.to_owned();
        report.figures[0].unit = Unit::named(hostile);
        report.checks[0].name = hostile.to_owned();
        report.charts[0].title = hostile.to_owned();
        report.charts[0].y.unit = Unit::named(hostile);
        report.charts[0].lines[0].name = hostile.to_owned();
        let text = summary(&report, PLAIN);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }

    #[test]
    fn an_empty_report_says_so() {
        assert!(summary(&Report::default(), PLAIN).ends_with("0 seeds, no checks"));
    }
}
