//! The table of planted bugs: all of them by all searches, with so many CPU seconds for each (60), of those whose names contain a word.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints what it finds")]

use isles_explorations::planted::{Bound, Row, Strategy, called, examine, table};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(60.0);
    let word = arguments.next().unwrap_or_default();
    let bound = Bound { states: 20_000_000, behaviours: 200_000, seconds };
    let mut rows: Vec<Row> = Vec::new();
    for planted in called(&word) {
        eprintln!("{}", planted.name);
        rows.push(examine(planted, &Strategy::ALL, bound, 1));
    }
    println!("{}", table(&rows));
}
