//! Numbers and text for people: the one place that decides how they look.

use std::fmt;

use super::data::Unit;

/// A number and the unit it was scaled to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The digits, with a sign if negative.
    pub number: String,
    /// The unit with its prefix; empty for a plain number below a thousand.
    pub unit: String,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.number)?;
        if self.unit.is_empty() { Ok(()) } else { write!(f, " {}", self.unit) }
    }
}

/// `value`, which is in `unit`, with three significant digits and the prefix that suits it.
///
/// ```
/// # use isles_lab::report::{data::Unit, format::quantity};
/// assert_eq!(quantity(0.0123, &Unit::Seconds).to_string(), "12.3 ms");
/// assert_eq!(quantity(12_340.0, &Unit::named("messages")).to_string(), "12.3 k messages");
/// assert_eq!(quantity(0.99987, &Unit::Share).to_string(), "99.987 %");
/// ```
pub fn quantity(value: f64, unit: &Unit) -> Quantity {
    if !value.is_finite() {
        let number = if value.is_nan() {
            "–"
        } else if value > 0.0 {
            "∞"
        } else {
            "−∞"
        };
        return Quantity { number: number.to_owned(), unit: String::new() };
    }
    match unit {
        Unit::Seconds => seconds(value),
        Unit::Bytes => prefixed(value, &BYTES, ""),
        Unit::Share => Quantity { number: percent(value), unit: "%".to_owned() },
        Unit::Plain => prefixed(value, &COUNTS, ""),
        Unit::Named(name) => prefixed(value, &COUNTS, name),
    }
}

/// `low – high` in `unit`, which is named once where both have the same.
pub fn range(low: f64, high: f64, unit: &Unit) -> String {
    let (low, high) = (quantity(low, unit), quantity(high, unit));
    if low.unit == high.unit { format!("{} – {high}", low.number) } else { format!("{low} – {high}") }
}

const COUNTS: [(f64, &str); 5] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (0.0, "")];
const BYTES: [(f64, &str); 5] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (0.0, "B")];
const TIMES: [(f64, &str); 6] =
    [(3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];

/// From this many seconds on, minutes and hours are easier to grasp.
const MINUTES_FROM: f64 = 600.0;

fn prefixed(value: f64, scale: &[(f64, &str)], unit: &str) -> Quantity {
    // What rounds up to a thousand belongs to the next prefix: 999.9 is "1 k", never "1000".
    let size = value.abs() * ROUNDS_UP;
    let &(factor, prefix) =
        scale.iter().find(|&&(least, _)| size >= least).expect("the last entry's bound is zero");
    let number = digits(value / if factor == 0.0 { 1.0 } else { factor });
    // A symbol takes its prefix without a space, 12 kB/s; a noun does not, 12 k messages.
    let symbol = unit.starts_with("B/") || unit.starts_with("bit/");
    let space = if prefix.is_empty() || unit.is_empty() || symbol { "" } else { " " };
    Quantity { number, unit: format!("{prefix}{space}{unit}") }
}

/// A number this close below a power of ten shows as that power in three digits.
const ROUNDS_UP: f64 = 1.0005;

fn seconds(value: f64) -> Quantity {
    if value == 0.0 {
        return Quantity { number: "0".to_owned(), unit: "s".to_owned() };
    }
    let size = value.abs() * ROUNDS_UP;
    let suits = |&&(factor, _): &&(f64, &str)| {
        size >= if factor == 60.0 {
            MINUTES_FROM
        } else if factor == 3600.0 {
            7200.0
        } else {
            factor
        }
    };
    let &(factor, unit) = TIMES.iter().find(suits).unwrap_or(&TIMES[TIMES.len() - 1]);
    Quantity { number: digits(value / factor), unit: unit.to_owned() }
}

/// A fraction of one in percent. What is not all is never shown as 100, nor what is not nothing as 0.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    let missing = (1.0 - share).abs();
    if share == 0.0 || missing == 0.0 || !(0.99..1.01).contains(&share) {
        return digits(value);
    }
    if missing < 1e-10 {
        return if share < 1.0 { "<100".to_owned() } else { ">100".to_owned() };
    }
    // Two digits of what is missing: 99.987, 99.99987.
    let places = (-(missing * 100.0).log10().floor()).max(0.0) as usize + 1;
    trimmed(format!("{value:.places$}"))
}

/// Three significant digits, without trailing zeros or an exponent where that stays readable.
pub fn digits(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&size) {
        return sign(format!("{value:.2e}").replace(".00e", "e"));
    }
    let magnitude = (size * ROUNDS_UP).log10().floor() as i32;
    let places = (2 - magnitude).max(0) as usize;
    trimmed(format!("{value:.places$}"))
}

/// A true minus sign, as wide as a plus.
fn sign(text: String) -> String {
    if text.starts_with('-') { text.replacen('-', "−", 1) } else { text }
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return sign(text);
    }
    sign(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// A count to the last digit, in groups of three: `10 000`.
pub fn exact(count: u64) -> String {
    let text = count.to_string();
    let mut grouped = String::with_capacity(text.len() + text.len() / 3);
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (text.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// How an axis's numbers are scaled, once for all its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisUnit {
    /// Values are multiplied by this.
    pub factor: f64,
    /// What the scaled values count; may be empty.
    pub name: String,
}

impl AxisUnit {
    /// The unit that suits an axis whose largest value is `extent`.
    pub fn of(unit: &Unit, extent: f64) -> Self {
        let fixed = |factor: f64, name: &str| Self { factor, name: name.to_owned() };
        let shown = quantity(extent.abs(), unit);
        match unit {
            Unit::Share => fixed(100.0, "%"),
            Unit::Plain => fixed(1.0, ""),
            Unit::Named(name) => fixed(1.0, name),
            Unit::Bytes => {
                let found = BYTES.iter().find(|entry| entry.1 == shown.unit && entry.0 > 0.0);
                found.map_or(fixed(1.0, "B"), |&(factor, name)| fixed(1.0 / factor, name))
            }
            Unit::Seconds => {
                let found = TIMES.iter().find(|entry| entry.1 == shown.unit);
                found.map_or(fixed(1.0, "s"), |&(factor, name)| fixed(1.0 / factor, name))
            }
        }
    }

    /// The label of `value`, with the places that steps of `step` need; both in the unscaled unit.
    pub fn label(&self, value: f64, step: f64) -> String {
        let (value, step) = (value * self.factor, (step * self.factor).abs());
        // A sum of steps may miss zero by a rounding error.
        if value.abs() < step * 1e-6 {
            return "0".to_owned();
        }
        if value.abs() >= 1e4 {
            return prefixed(value, &COUNTS, "").to_string();
        }
        if value.abs() < 1e-4 {
            return digits(value);
        }
        let places = (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
        // A step of 2.5 needs one place more than its magnitude tells.
        let half = (step / 10f64.powi(-(places as i32))).fract();
        let places = if (0.01..0.99).contains(&half) { places + 1 } else { places };
        trimmed(format!("{value:.places$}"))
    }
}

/// `text` with all that HTML, SVG and attribute values would interpret written as entities, and without
/// control characters.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            _ if hidden(character) => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

/// `text` on one line without control characters, so that it cannot steer a terminal.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' | '\r' => ' ',
            _ if hidden(character) => '\u{fffd}',
            _ => character,
        })
        .collect()
}

/// Control characters, and those that reverse the direction of the text around them.
fn hidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` cut to `most` characters, the last one an ellipsis if anything was cut.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `1 seed`, `3 seeds`, `2 processes`: for a noun that takes an s or, after one, an es.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = match (count, noun.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {noun}{plural}", exact(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: f64, unit: Unit) -> String {
        quantity(value, &unit).to_string()
    }

    #[test]
    fn counts_have_three_digits_and_a_prefix() {
        let expected = [
            (0.0, "0"),
            (0.5, "0.5"),
            (7.0, "7"),
            (999.0, "999"),
            (999.9, "1 k"),
            (12_340.0, "12.3 k"),
            (999_950.0, "1 M"),
            (4.2e9, "4.2 G"),
            (-1500.0, "−1.5 k"),
            (0.012_345, "0.0123"),
            (0.000_000_12, "1.20e-7"),
        ];
        for (value, text) in expected {
            assert_eq!(show(value, Unit::Plain), text);
        }
        assert_eq!(show(12_340.0, Unit::named("hops")), "12.3 k hops");
        assert_eq!(show(3.0, Unit::named("hops")), "3 hops");
        assert_eq!(show(12_340.0, Unit::named("B/s")), "12.3 kB/s");
        assert_eq!(range(14.5, 15.0, &Unit::named("hops")), "14.5 – 15 hops");
        assert_eq!(range(0.5, 1.5, &Unit::Seconds), "500 ms – 1.5 s");
    }

    #[test]
    fn times_are_in_the_unit_that_they_fill() {
        let expected = [
            (0.0, "0 s"),
            (2e-9, "2 ns"),
            (1.5e-5, "15 µs"),
            (0.9999, "1 s"),
            (0.0123, "12.3 ms"),
            (119.0, "119 s"),
            (900.0, "15 min"),
            (9000.0, "2.5 h"),
        ];
        for (value, text) in expected {
            assert_eq!(show(value, Unit::Seconds), text);
        }
    }

    #[test]
    fn a_share_that_is_not_all_never_reads_as_all() {
        assert_eq!(show(1.0, Unit::Share), "100 %");
        for (value, text) in [(0.5, "50 %"), (0.999, "99.9 %"), (0.999_987, "99.9987 %"), (0.0, "0 %")] {
            assert_eq!(show(value, Unit::Share), text);
        }
        for power in 1..15 {
            let text = show(1.0 - 10f64.powi(-power), Unit::Share);
            assert!(!text.starts_with("100"), "1 - 1e-{power} reads as {text}");
        }
    }

    #[test]
    fn what_is_no_number_is_a_dash_or_infinite() {
        assert_eq!(show(f64::NAN, Unit::Seconds), "–");
        assert_eq!(show(f64::INFINITY, Unit::Bytes), "∞");
    }

    #[test]
    fn bytes_and_exact_counts() {
        assert_eq!(show(512.0, Unit::Bytes), "512 B");
        assert_eq!(show(1_234_567.0, Unit::Bytes), "1.23 MB");
        assert_eq!([0, 999, 1000, 1_234_567].map(exact), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(counted(1, "seed"), "1 seed");
        assert_eq!(counted(2000, "seed"), "2 000 seeds");
        assert_eq!(counted(2, "process"), "2 processes");
    }

    #[test]
    fn an_axis_has_one_unit_and_as_many_places_as_its_step() {
        let axis = AxisUnit::of(&Unit::Seconds, 0.3);
        assert_eq!((axis.name.as_str(), axis.label(0.05, 0.05)), ("ms", "50".to_owned()));
        let axis = AxisUnit::of(&Unit::Plain, 1.0);
        assert_eq!(axis.label(0.75, 0.25), "0.75");
        assert_eq!(axis.label(0.1 + 0.2 - 0.3, 0.1), "0");
        assert_eq!(axis.label(20_000.0, 5_000.0), "20 k");
        assert_eq!(AxisUnit::of(&Unit::Bytes, 5e6).label(2.5e6, 2.5e6), "2.5");
        assert_eq!(AxisUnit::of(&Unit::Share, 1.0).label(0.999, 0.0005), "99.9");
    }

    #[test]
    fn hostile_text_is_made_harmless() {
        assert_eq!(escape("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202e}"), "a\u{fffd}[2J b\u{fffd}");
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }
}
