//! Reading measured latencies.

use std::fmt;

use isles_kernel::Span;
use isles_sim::Matrix;

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
pub const PLACES_MAX: usize = 10_000;

/// The matrices that come with the lab, by name.
pub const BUILT_IN: &[(&str, &str)] = &[("aws-2025", include_str!("../data/aws-2025.csv"))];

/// Reads a square matrix of round-trip times in milliseconds: fields apart by commas, tabs or spaces, one row a line;
/// the first line and the first field of each line may be names. Lines that begin with `#` are left out.
///
/// # Errors
/// When a field is no number, negative or not finite, a row is too short or too long, or there are too many.
pub fn parse(text: &str) -> Result<RoundTrips, MatrixError> {
    let error = |line: usize, field: usize, why: String| Err(MatrixError { line, field, why });
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    let Some((_, first)) = lines.peek() else { return error(0, 0, "there is nothing in it".to_owned()) };
    let mut header: Option<Vec<String>> = None;
    if fields(first).skip(1).any(|field| field.parse::<f64>().is_err()) {
        header = lines.next().map(|(_, line)| fields(line).map(str::to_owned).collect());
    }
    let mut names = Vec::new();
    let mut millis = Vec::new();
    let mut width = None;
    for (number, line) in lines {
        if names.len() >= PLACES_MAX {
            return error(number, 0, format!("more than {PLACES_MAX} rows"));
        }
        let mut row: Vec<&str> = fields(line).collect();
        let named = row.first().is_some_and(|field| field.parse::<f64>().is_err());
        let shift = usize::from(named);
        names.push(if named { row.remove(0).to_owned() } else { (names.len() + 1).to_string() });
        let expected = *width.get_or_insert(row.len());
        if row.len() != expected {
            return error(number, 0, format!("{} numbers, but the rows before have {expected}", row.len()));
        }
        for (index, field) in row.iter().enumerate() {
            match field.parse::<f64>() {
                Ok(value) if value.is_finite() && value >= 0.0 => millis.push(value),
                Ok(value) => {
                    return error(number, index + 1 + shift, format!("{value} is no round-trip time"));
                }
                Err(_) => return error(number, index + 1 + shift, format!("'{field}' is no number")),
            }
        }
    }
    let places = names.len();
    if places == 0 {
        return error(0, 0, "there are names, but no numbers".to_owned());
    }
    if millis.len() != places * places {
        let columns = millis.len() / places;
        return error(0, 0, format!("it is not square: {places} rows of {columns} numbers"));
    }
    if let Some(header) = header
        && header.len() >= places
    {
        names = header[header.len() - places..].to_vec();
    }
    Ok(RoundTrips { names, millis })
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    let commas = line.contains(',');
    line.split(move |c: char| if commas { c == ',' } else { c.is_whitespace() })
        .map(str::trim)
        .filter(move |field| commas || !field.is_empty())
}

impl RoundTrips {
    /// One-way latencies: half of the round trips.
    pub fn one_way(&self) -> Option<Matrix> {
        let spans = self.millis.iter().map(|millis| Span((millis * 500_000.0).round() as u64)).collect();
        Matrix::new(u32::try_from(self.names.len()).ok()?, spans)
    }
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
        let matrix = bare.one_way().expect("two places");
        assert_eq!(matrix.regions(), 2);
        assert_eq!(matrix.latency(isles_kernel::ProcessId(0), isles_kernel::ProcessId(3)), Span::millis(5));
    }

    #[test]
    fn what_ships_is_a_matrix() {
        for (name, text) in BUILT_IN {
            let matrix = parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(matrix.names.len() > 1, "{name}");
        }
    }

    #[test]
    fn errors_name_line_and_field() {
        let error = |text| parse(text).expect_err("no matrix").to_string();
        assert_eq!(error("1 2\n3 x\n"), "line 2, field 2: 'x' is no number");
        assert_eq!(error("a,b\na,1,2\nb,3\n"), "line 3: 1 numbers, but the rows before have 2");
        assert_eq!(error("1 2\n"), "it is not square: 1 rows of 2 numbers");
        assert_eq!(error("0 -5\n5 0\n"), "line 1, field 2: -5 is no round-trip time");
        assert_eq!(error(""), "there is nothing in it");
        assert_eq!(error("a b c\n"), "there are names, but no numbers");
    }
}
