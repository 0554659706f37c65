//! From plain data to the folder that a run leaves behind.
//!
//! Whoever ran a scenario fills in a [`Report`], picks a [`Folder`] and calls
//! [`write`](write()). The folder then holds
//!
//! | file | what |
//! | --- | --- |
//! | `report.html` | one page that needs nothing but itself: light, dark, phone, paper |
//! | `summary.json` | the report as data, curves condensed to median and range over the seeds |
//! | `metrics.csv`, `metrics.parquet` | every value of every seed in one [long table](tables) |
//! | `history.jsonl`, `trace.jsonl` | if the caller [streams](folder::Folder::lines) them |
//!
//! Charts are drawn here and not by a plotting crate: with colours from the page's style sheet one drawing
//! serves light, dark and paper, and the tooltips read the positions that were drawn.

mod chart;
mod condense;
pub mod data;
pub mod folder;
pub mod format;
pub mod html;
mod picture;
mod scale;
mod space_time;
mod svg;
pub mod tables;
pub mod terminal;
mod topology;
pub mod verdict;

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use data::Report;
use folder::{Folder, WriteError, io_error};

/// `summary.json`: the edition of the format, then the report's fields.
#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    #[serde(flatten)]
    report: &'a Report,
}

/// The report as one line of JSON: the fields of [`Report`], each curve condensed to what can be seen.
pub fn summary_json(report: &Report) -> String {
    let report = condense::condensed(report);
    let document = Document { format: data::FORMAT, report: &report };
    let mut text = serde_json::to_string(&document).expect("a report has text keys and no type that refuses");
    text.push('\n');
    text
}

/// Writes `summary.json`, the tables and `report.html`, which links to all that the folder then holds; so
/// histories and traces are best written before. Returns the files' paths.
///
/// # Errors
/// When the folder cannot be written; the error names the file. Files written before stay, each complete.
pub fn write(report: &Report, folder: &Folder) -> Result<Vec<PathBuf>, WriteError> {
    let summary = folder.write("summary.json", summary_json(report).as_bytes())?;
    let mut csv = folder.draft("metrics.csv")?;
    tables::write_csv(report, &mut csv).map_err(|error| csv.encode_error(error))?;
    let csv = csv.finish()?;
    let mut parquet = folder.draft("metrics.parquet")?;
    tables::write_parquet(report, &mut parquet).map_err(|error| parquet.encode_error(error))?;
    let parquet = parquet.finish()?;
    let page = folder.write("report.html", html::render(report, &names(folder)?).as_bytes())?;
    Ok(vec![page, summary, csv, parquet])
}

/// The files that the folder shows, in order.
fn names(folder: &Folder) -> Result<Vec<String>, WriteError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).map_err(io_error("read", folder.path()))? {
        let entry = entry.map_err(io_error("read", folder.path()))?;
        names.extend(entry.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort_unstable();
    Ok(names)
}
