//! What a report is made of: plain data, filled in by whoever ran the scenario.
//!
//! [`Report`] is also the format of `summary.json`: `"format"` is [`FORMAT`], and the field names of the types in
//! this module are the other keys, in this order. They stay as they are; [`FORMAT`] changes when the meaning of
//! one does. Times are seconds of virtual time, bytes are bytes, shares are fractions of one. What is not
//! finite is written as `null`.

use serde::{Serialize, Serializer};

use super::format::{Quantity, counted, quantity};
pub use super::picture::{
    Drawing, Edge, Fate, Message, Moment, MomentKind, Node, NodeState, SpaceTime, Topology,
};

/// The first field of `summary.json`: which edition of the format it is.
pub const FORMAT: &str = "isles-report-1";

/// Everything that a run leaves to be looked at. All text may come from outside; it is escaped where used.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Short name of the run, one line.
    pub title: String,
    /// What the run was to find out, one or two sentences.
    pub question: String,
    /// The scenario's TOML source, as it was read.
    pub scenario: String,
    /// What was set up, in reading order: processes, protocol, links, faults.
    pub setup: Vec<Setting>,
    /// The seeds that were run.
    pub seeds: Vec<u64>,
    /// The numbers that answer the question, most telling first.
    pub figures: Vec<Figure>,
    /// What was expected, and whether it came about.
    pub checks: Vec<Check>,
    /// Curves over time or another axis. The first one is the terminal's plot.
    pub charts: Vec<Chart>,
    /// How values were distributed.
    pub distributions: Vec<Distribution>,
    /// Messages by kind, all seeds together.
    pub traffic: Vec<Traffic>,
    /// Who was connected to whom at one instant.
    pub topology: Option<Topology>,
    /// The messages of one episode, usually the first broadcast.
    pub space_time: Option<SpaceTime>,
    /// What a reader should know besides: departures, cuts, warnings.
    pub notes: Vec<String>,
}

impl Report {
    /// How many checks hold, fail and are undecided.
    pub fn tally(&self) -> Tally {
        let count = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        Tally {
            holds: count(Verdict::Holds),
            fails: count(Verdict::Fails),
            undecided: count(Verdict::Undecided),
        }
    }
}

/// Checks by verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Checks that hold.
    pub holds: usize,
    /// Checks that fail.
    pub fails: usize,
    /// Checks that the run could not decide.
    pub undecided: usize,
}

impl Tally {
    /// The verdict over all checks in a few words, and as a verdict; `None` when there are no checks.
    pub fn verdict(self) -> Option<(Verdict, String)> {
        let all = self.holds + self.fails + self.undecided;
        let of_all = |some: usize, verb: &str| format!("{some} of {} {verb}", counted(all, "check"));
        let s = |count: usize| if count == 1 { "s" } else { "" };
        match self {
            _ if all == 0 => None,
            Self { fails: 1.., .. } => {
                Some((Verdict::Fails, of_all(self.fails, &format!("fail{}", s(self.fails)))))
            }
            Self { undecided: 1.., .. } => Some((Verdict::Undecided, of_all(self.undecided, "undecided"))),
            Self { .. } if all == 1 => Some((Verdict::Holds, "the only check holds".to_owned())),
            Self { .. } => Some((Verdict::Holds, format!("all {} hold", counted(all, "check")))),
        }
    }
}

/// One line of the set-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Setting {
    /// What is set.
    pub name: String,
    /// To what, with its unit.
    pub value: String,
    /// Why, or what it means; may be empty.
    pub note: String,
}

/// What a number counts. In `summary.json` and `metrics.csv` it is its [symbol](Unit::symbol).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A number without a unit, such as a ratio.
    #[default]
    Plain,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A fraction of one, shown as percent.
    Share,
    /// Anything else, named in the plural: `hops`, `messages/s`.
    Named(String),
}

impl Unit {
    /// A unit by its plural name.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    /// The unit as data: `""`, `"s"`, `"B"`, `"fraction"` or the name.
    pub fn symbol(&self) -> &str {
        match self {
            Self::Plain => "",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::Share => "fraction",
            Self::Named(name) => name,
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.symbol())
    }
}

/// A number per seed, and what they come to.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// The measure's name, as in `metrics.csv`.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// How it is measured, one sentence; may be empty.
    pub help: String,
    /// One value per seed that has one.
    pub per_seed: Vec<SeedValue>,
    /// Over [`Figure::per_seed`]; `None` when no seed has a finite value.
    pub summary: Option<Summary>,
}

impl Figure {
    /// A figure whose summary is computed from its values, leaving out those that are not finite.
    pub fn new(name: impl Into<String>, unit: Unit, help: impl Into<String>, values: &[(u64, f64)]) -> Self {
        let per_seed: Vec<_> = values.iter().map(|&(seed, value)| SeedValue { seed, value }).collect();
        let summary = Summary::of(per_seed.iter().map(|one| one.value));
        Self { name: name.into(), unit, help: help.into(), per_seed, summary }
    }

    /// `value` for people, in this figure's unit.
    pub fn show(&self, value: f64) -> Quantity {
        quantity(value, &self.unit)
    }
}

/// What one seed gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeedValue {
    /// The seed.
    pub seed: u64,
    /// In the figure's unit.
    pub value: f64,
}

/// Several values in four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The middle value, or the mean of the two middle ones.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The least value that 95 % of the values do not exceed.
    pub p95: f64,
}

impl Summary {
    /// Over the finite ones of `values`; `None` if there are none.
    ///
    /// # Complexity
    /// O(n log n).
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            // Halved before adding, so that two huge values do not overflow.
            sorted[middle - 1] / 2.0 + sorted[middle] / 2.0
        };
        let rank = (sorted.len() * 95).div_ceil(100);
        Some(Self { median, min, max, p95: sorted[rank - 1] })
    }
}

/// Something expected of the run. The verdict is the caller's; the report only shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The check's name.
    pub name: String,
    /// What was measured; `None` when nothing could be.
    pub measured: Option<f64>,
    /// How [`Check::measured`] should relate to [`Check::bound`].
    pub relation: Relation,
    /// The bound; `None` for a check that has no number, such as "no closed islands".
    pub bound: Option<f64>,
    /// The unit of both.
    pub unit: Unit,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Why, which seeds fail, how to replay; may be empty.
    pub detail: String,
}

impl Check {
    /// The measured value for people; a dash when there is none.
    pub fn measured_text(&self) -> String {
        self.measured.map_or_else(|| "–".to_owned(), |value| quantity(value, &self.unit).to_string())
    }

    /// Relation and bound for people, `≥ 99 %`; a dash when there is no bound.
    pub fn bound_text(&self) -> String {
        let text = |bound| format!("{} {}", self.relation.sign(), quantity(bound, &self.unit));
        self.bound.map_or_else(|| "–".to_owned(), text)
    }
}

/// How a measured value should relate to its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Not less than.
    AtLeast,
    /// Not more than.
    AtMost,
    /// Equal to.
    Equal,
}

impl Relation {
    /// `≥`, `≤` or `=`.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => "≥",
            Self::AtMost => "≤",
            Self::Equal => "=",
        }
    }
}

/// What became of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As expected.
    Holds,
    /// Not as expected.
    Fails,
    /// The run does not tell.
    Undecided,
}

impl Verdict {
    /// `✓`, `✗` or `?`.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Holds => "✓",
            Self::Fails => "✗",
            Self::Undecided => "?",
        }
    }

    /// `holds`, `fails` or `undecided`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Undecided => "undecided",
        }
    }
}

/// Curves over a common pair of axes.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// Heading, and the measure's name in `metrics.csv`.
    pub title: String,
    /// How it is measured, one sentence; may be empty.
    pub help: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// How the points are joined.
    pub shape: Shape,
    /// The curves. Those of one name and several seeds are shown as median and range.
    pub lines: Vec<Line>,
    /// Instants worth a vertical rule, such as a fault.
    pub events: Vec<Landmark>,
    /// Levels worth a horizontal rule, such as a check's bound.
    pub levels: Vec<Landmark>,
}

impl Chart {
    /// A chart of lines over virtual time, empty yet.
    pub fn over_time(title: impl Into<String>, y: Axis) -> Self {
        Self {
            title: title.into(),
            help: String::new(),
            x: Axis::time(),
            y,
            shape: Shape::Line,
            lines: Vec::new(),
            events: Vec::new(),
            levels: Vec::new(),
        }
    }
}

/// One axis of a chart.
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    /// What it shows.
    pub name: String,
    /// In which unit.
    pub unit: Unit,
    /// Whether equal steps are equal factors; values of zero or less are then left out.
    pub log: bool,
    /// Whether zero must be in view.
    pub from_zero: bool,
}

impl Axis {
    /// A linear axis that shows zero.
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Self { name: name.into(), unit, log: false, from_zero: true }
    }

    /// Virtual time since the run began. Its charts are the ones with a `time_s` in `metrics.csv`.
    pub fn time() -> Self {
        Self { from_zero: false, ..Self::new("time", Unit::Seconds) }
    }

    /// Whether this is virtual time.
    pub fn is_time(&self) -> bool {
        self.unit == Unit::Seconds && self.name == "time"
    }
}

/// How the points of a line are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// By straight lines.
    Line,
    /// A value holds until the next point.
    Step,
    /// Not at all.
    Dots,
    /// Filled, one line on top of the other; lines share their x values.
    Stack,
}

/// One curve.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    /// What sets it apart from the chart's other curves; may be empty if there are none.
    pub name: String,
    /// Whose run it is; `None` for a curve over all seeds.
    pub seed: Option<u64>,
    /// `(x, y)` by ascending x. A y that is not finite interrupts the curve.
    pub points: Vec<(f64, f64)>,
    /// `(least, greatest)` over the seeds at each point: empty, or one per point.
    pub band: Vec<(f64, f64)>,
}

/// A value on an axis that deserves a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Landmark {
    /// Where, in the axis's unit.
    pub at: f64,
    /// What it is, in two or three words.
    pub label: String,
}

/// How often which value occurred.
#[derive(Clone, Debug, Serialize)]
pub struct Distribution {
    /// Heading, and the measure's name.
    pub title: String,
    /// How it is measured, one sentence; may be empty.
    pub help: String,
    /// What is distributed.
    pub axis: Axis,
    /// How it is drawn.
    pub view: View,
    /// The groups to compare.
    pub samples: Vec<Sample>,
}

/// How a distribution is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The share of values at or below each value.
    Cumulative,
    /// One bar per value: for few distinct values, such as hops.
    Bars,
}

/// One group of a distribution.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sample {
    /// What sets the group apart; may be empty if it is the only one.
    pub name: String,
    /// `(value, how many times)` by ascending value.
    pub counts: Vec<(f64, u64)>,
}

impl Sample {
    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, &(_, count)| sum.saturating_add(count))
    }

    /// The least value that a fraction `share` of the values do not exceed; `None` if there are no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = self.total() as f64 * share;
        let mut seen = 0u64;
        self.counts.iter().find_map(|&(value, count)| {
            seen = seen.saturating_add(count);
            (count > 0 && seen as f64 >= wanted).then_some(value)
        })
    }
}

/// Messages of one kind, all seeds together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// The kind, as the kernel's meter names it.
    pub kind: String,
    /// How many were sent.
    pub messages: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_over_the_finite_values() {
        let summary = Summary::of([4.0, f64::NAN, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(summary, Summary { median: 2.5, min: 1.0, max: 4.0, p95: 4.0 });
        assert_eq!(Summary::of((1..=100).map(f64::from)).unwrap().p95, 95.0);
        assert_eq!(Summary::of([f64::INFINITY]), None);
    }

    #[test]
    fn quantiles_count_how_often_a_value_occurred() {
        let sample = Sample { name: String::new(), counts: vec![(1.0, 98), (2.0, 0), (3.0, 2)] };
        assert_eq!(
            [0.0, 0.5, 0.98, 0.99, 1.0].map(|share| sample.quantile(share).unwrap()),
            [1.0, 1.0, 1.0, 3.0, 3.0]
        );
        assert_eq!(Sample::default().quantile(0.5), None);
    }

    #[test]
    fn one_failing_check_makes_the_verdict() {
        let verdict = |holds, fails, undecided| Tally { holds, fails, undecided }.verdict();
        assert_eq!(verdict(4, 1, 1), Some((Verdict::Fails, "1 of 6 checks fails".to_owned())));
        assert_eq!(verdict(4, 2, 0), Some((Verdict::Fails, "2 of 6 checks fail".to_owned())));
        assert_eq!(verdict(4, 0, 1), Some((Verdict::Undecided, "1 of 5 checks undecided".to_owned())));
        assert_eq!(verdict(4, 0, 0), Some((Verdict::Holds, "all 4 checks hold".to_owned())));
        assert_eq!(verdict(1, 0, 0), Some((Verdict::Holds, "the only check holds".to_owned())));
        assert_eq!(verdict(0, 0, 0), None);
    }
}
