//! Writes the report of a run that never happened, to see what reports look like:
//! `cargo run -p isles-lab --example sample_report [FOLDER]`.

use std::io::Write;
use std::path::Path;

use isles_lab::report::folder::Folder;
use isles_lab::report::{terminal, write};

mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let report = sample::report();
    let folder = match std::env::args().nth(1) {
        Some(path) => Folder::at(Path::new(&path))?,
        None => Folder::numbered(Path::new("runs"), "sample")?,
    };
    folder.write_lines("trace.jsonl", &report.notes)?;
    write(&report, &folder)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", terminal::summary(&report, terminal::Look { color: true, width: 100 }))?;
    writeln!(out, "written to {}", folder.path().display())?;
    Ok(())
}
