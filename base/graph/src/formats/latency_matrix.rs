//! Measured latencies: a square of round-trip times.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use isles_kernel::ProcessId;

use super::{Named, Names, cannot};
use crate::Graph;

/// Round-trip times between named places.
#[derive(Clone, PartialEq, Debug)]
pub struct RoundTrips {
    /// The places; numbered when the file does not name them.
    pub names: Vec<String>,
    /// Milliseconds, row by row.
    pub millis: Vec<f64>,
}

/// Where a text is no matrix, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatrixError {
    /// Counted from 1; 0 when it is about the whole.
    pub line: usize,
    /// Counted in fields from 1; 0 when it is about the whole line.
    pub field: usize,
    /// The bytes of the text that it is about; empty when it is about the whole.
    pub span: Range<usize>,
    /// Why.
    pub why: String,
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.field) {
            (0, _) => f.write_str(&self.why),
            (line, 0) => write!(f, "line {line}: {}", self.why),
            (line, field) => write!(f, "line {line}, field {field}: {}", self.why),
        }
    }
}

impl std::error::Error for MatrixError {}

/// A matrix has at most so many places.
pub const PLACES_MAX: usize = 4_096;

/// No round trip takes longer than this, in milliseconds: a day.
pub const MILLIS_MAX: f64 = 86_400_000.0;

/// Reads a square matrix of round-trip times in milliseconds: fields apart by commas, tabs or spaces, one row a line;
/// the first line and the first field of each line may be names. Lines that begin with `#` are left out.
///
/// # Errors
/// When a field is no number, negative or longer than a day, a row is too short or too long, there are too many, or
/// the names are not as many as the rows, or not different.
pub fn parse(text: &str) -> Result<RoundTrips, MatrixError> {
    parse_named(text).map(|(trips, _)| trips)
}

/// As [`parse`]; and whether the text names the places.
pub(super) fn parse_named(text: &str) -> Result<(RoundTrips, bool), MatrixError> {
    let mut rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| Row {
            text,
            line,
            number: index + 1,
            // With its name and one number too many, so that a row that is too long is seen.
            fields: fields(line).take(PLACES_MAX + 2).collect(),
        })
        .peekable();
    let header = rows.next_if(Row::is_header);
    let mut names: Vec<String> = Vec::new();
    let mut millis = Vec::new();
    let mut width = None;
    let mut last: Option<Row<'_>> = None;
    let mut rows_named = false;
    for row in rows {
        if names.len() >= PLACES_MAX {
            return Err(row.error(format!("more than {PLACES_MAX} rows")));
        }
        let named = usize::from(row.fields.first().is_some_and(|field| field.parse::<f64>().is_err()));
        rows_named |= named == 1;
        let numbers = row.fields.get(named..).unwrap_or_default();
        if numbers.len() > PLACES_MAX {
            return Err(row.error(format!("more than {PLACES_MAX} numbers")));
        }
        let expected = *width.get_or_insert(numbers.len());
        if numbers.len() != expected {
            return Err(row.error(format!("{} numbers, but the rows before have {expected}", numbers.len())));
        }
        names.push(match (named, row.fields.first()) {
            (1, Some(name)) => (*name).to_owned(),
            _ => (names.len() + 1).to_string(),
        });
        for (index, field) in numbers.iter().enumerate() {
            millis.push(round_trip(field).map_err(|why| row.error_at(index + named, why))?);
        }
        last = Some(row);
    }
    let whole = |why: &str| Err(MatrixError { line: 0, field: 0, span: 0..0, why: why.to_owned() });
    let Some(last) = last else {
        return whole(if header.is_some() {
            "there are names, but no numbers"
        } else {
            "there is nothing in it"
        });
    };
    let places = names.len();
    if millis.len() != places * places {
        let columns = width.unwrap_or_default();
        return Err(last.error(format!("it is not square: {places} rows of {columns} numbers")));
    }
    if let Some(header) = &header {
        names = header.names(names)?;
    }
    let different: BTreeSet<&String> = names.iter().collect();
    if different.len() < places {
        let row = header.as_ref().unwrap_or(&last);
        return Err(row.error("two places have the same name".to_owned()));
    }
    let named = rows_named || header.is_some();
    Ok((RoundTrips { names, millis }, named))
}

/// A field as milliseconds.
fn round_trip(field: &str) -> Result<f64, String> {
    match field.parse::<f64>() {
        Ok(value) if (0.0..=MILLIS_MAX).contains(&value) => Ok(value),
        Ok(_) => Err(format!("{field} is no round-trip time in milliseconds")),
        Err(_) => Err(format!("'{field}' is no number")),
    }
}

/// A line that is neither empty nor a comment.
struct Row<'t> {
    text: &'t str,
    line: &'t str,
    /// Counted from 1.
    number: usize,
    fields: Vec<&'t str>,
}

impl Row<'_> {
    /// Whether the line has names and no numbers.
    fn is_header(&self) -> bool {
        self.fields.iter().all(|field| field.parse::<f64>().is_err())
    }

    /// The names of a header, one for each row; those of the rows, if they have their own, are the same.
    fn names(&self, rows: Vec<String>) -> Result<Vec<String>, MatrixError> {
        let Some(first) = self.fields.len().checked_sub(rows.len()).filter(|first| *first <= 1) else {
            return Err(self.error(format!("{} names for {} rows", self.fields.len(), rows.len())));
        };
        for (index, row) in rows.iter().enumerate() {
            if *row != (index + 1).to_string() && self.fields[first + index] != row {
                return Err(self.error_at(first + index, format!("row {} has the name '{row}'", index + 1)));
            }
        }
        Ok(self.fields[first..].iter().map(|name| (*name).to_owned()).collect())
    }

    fn error(&self, why: String) -> MatrixError {
        MatrixError { line: self.number, field: 0, span: span_within(self.text, self.line.trim()), why }
    }

    fn error_at(&self, field: usize, why: String) -> MatrixError {
        let span = span_within(self.text, self.fields[field]);
        MatrixError { line: self.number, field: field + 1, span, why }
    }
}

/// Which bytes of `text` its slice `part` is.
pub fn span_within(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    let commas = line.contains(',');
    line.split(move |c: char| if commas { c == ',' } else { c.is_whitespace() })
        .map(str::trim)
        .filter(move |field| commas || !field.is_empty())
}

impl RoundTrips {
    /// A complete directed graph, whose weights are the round-trip times in milliseconds.
    pub fn graph(&self) -> Graph {
        let places = self.names.len();
        let arcs = (0..places).flat_map(|a| (0..places).map(move |b| (a, b)));
        let arcs: Vec<(u32, u32, f64)> =
            arcs.map(|(a, b)| (a as u32, b as u32, self.millis[a * places + b])).collect();
        Graph::weighted(places as u32, true, &arcs)
    }
}

pub(super) fn write(named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    let places = graph.nodes() as usize;
    let complete = graph.ids().all(|node| graph.degree(node) as usize + 1 == places);
    if places == 0 || places > PLACES_MAX || !complete || graph.weights(ProcessId(0)).is_none() {
        return cannot(format!(
            "a matrix holds a weight for every two of 1 to {PLACES_MAX} nodes, and this graph has not all of them"
        ));
    }
    if graph.weighted_edge_list().any(|(.., weight)| !(0.0..=MILLIS_MAX).contains(&weight)) {
        return cannot("a matrix holds milliseconds, not below 0 and no more than a day");
    }
    let names = match &named.names {
        Names::Words(words) if words.iter().all(|word| is_plain(word)) => Some(words),
        Names::Words(_) | Names::Numbers(_) | Names::Plain => None,
    };
    if let Some(names) = names {
        writeln!(out, "from,{}", names.join(","))?;
    }
    for node in graph.ids() {
        if let Some(names) = names {
            write!(out, "{},", names[node.index()])?;
        }
        let weights = graph.weights(node).unwrap_or_default();
        let (before, after) = weights.split_at(node.index());
        for (index, weight) in before.iter().chain([&0.0]).chain(after).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{weight}")?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Whether the name is still the same when it is read out of a row.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.trim() == name
        && !name.contains([',', '\n', '\r', '#'])
        && name.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_may_be_left_out() {
        let named = parse("region,a,b\na,1,20.5\nb,21,1.5\n").expect("a matrix");
        assert_eq!(named.names, ["a", "b"]);
        assert_eq!(named.millis, [1.0, 20.5, 21.0, 1.5]);
        let bare = parse("# ms\n0\t10\n12\t0\n").expect("a matrix");
        assert_eq!(bare.names, ["1", "2"]);
        let graph = bare.graph();
        assert_eq!(graph.weights(ProcessId(1)), Some(&[12.0][..]));
    }

    #[test]
    fn errors_mark_the_field() {
        let text = "# RTT\r\n  0  12\r\n 12  zero\r\n";
        let error = parse(text).expect_err("no matrix");
        assert_eq!(&text[error.span], "zero");
    }

    #[test]
    fn errors_name_line_and_field() {
        let error = |text| parse(text).expect_err("no matrix").to_string();
        assert_eq!(error("1 2\n3 x\n"), "line 2, field 2: 'x' is no number");
        assert_eq!(error("a,b\na,1,2\nb,3\n"), "line 3: 1 numbers, but the rows before have 2");
        assert_eq!(error("1 2\n"), "line 1: it is not square: 1 rows of 2 numbers");
        assert_eq!(error("0 x\n5 0\n"), "line 1, field 2: 'x' is no number");
        assert_eq!(error("0 7 x\n7 0 1\n"), "line 1, field 3: 'x' is no number");
        assert_eq!(error("0 1e300\n5 0\n"), "line 1, field 2: 1e300 is no round-trip time in milliseconds");
        assert_eq!(error("p,a,a\n1,2\n3,4\n"), "line 1: two places have the same name");
        assert_eq!(error("p,a,b\na,1,2\nc,3,4\n"), "line 1, field 3: row 2 has the name 'c'");
        assert_eq!(error("p,a,b,c\n1,2\n3,4\n"), "line 1: 4 names for 2 rows");
        assert_eq!(error("0 -5\n5 0\n"), "line 1, field 2: -5 is no round-trip time in milliseconds");
        assert_eq!(error(""), "there is nothing in it");
        assert_eq!(error("a b c\n"), "there are names, but no numbers");
    }
}
