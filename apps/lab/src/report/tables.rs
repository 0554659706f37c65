//! `metrics.csv` and `metrics.parquet`: every measured value in one long table.
//!
//! | column | meaning |
//! | --- | --- |
//! | `seed` | the run; empty for a value over all seeds |
//! | `time_s` | virtual time in seconds; empty for a value of the whole run |
//! | `measure` | the figure's name, or the chart's title with the line's name after a slash |
//! | `value` | in `unit` |
//! | `unit` | `s`, `B`, `fraction`, nothing, or a noun such as `hops` |
//! | `x`, `x_axis` | the position and its axis for charts over anything but time; empty otherwise |
//!
//! Values that are not finite are left out: there is nothing to say about them in a table of numbers.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{PrimitiveTypeBuilder, Type};

use super::data::Report;

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
struct Row<'a> {
    seed: Option<u64>,
    time_s: Option<f64>,
    measure: Measure<'a>,
    value: f64,
    unit: &'a str,
    x: Option<f64>,
    x_axis: Option<&'a str>,
}

/// A name, and below it the name of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measure<'a>(&'a str, &'a str);

impl Measure<'_> {
    fn text(self) -> String {
        if self.1.is_empty() { self.0.to_owned() } else { format!("{}/{}", self.0, self.1) }
    }
}

/// All values: figures first, then charts, point by point.
fn rows(report: &Report) -> impl Iterator<Item = Row<'_>> {
    let figures = report.figures.iter().flat_map(|figure| {
        figure.per_seed.iter().map(|one| Row {
            seed: Some(one.seed),
            time_s: None,
            measure: Measure(&figure.name, ""),
            value: one.value,
            unit: figure.unit.symbol(),
            x: None,
            x_axis: None,
        })
    });
    let charts = report.charts.iter().flat_map(|chart| {
        let (over_time, axis) = (chart.x.is_time(), chart.x.name.as_str());
        chart.lines.iter().flat_map(move |line| {
            line.points.iter().map(move |&(x, value)| Row {
                seed: line.seed,
                time_s: over_time.then_some(x),
                measure: Measure(&chart.title, &line.name),
                value,
                unit: chart.y.unit.symbol(),
                x: (!over_time).then_some(x),
                x_axis: (!over_time).then_some(axis),
            })
        })
    });
    let finite = |value: Option<f64>| value.is_none_or(f64::is_finite);
    figures.chain(charts).filter(move |row| row.value.is_finite() && finite(row.time_s) && finite(row.x))
}

/// Writes the table with a heading line, numbers so that they read back to the same bits.
///
/// # Errors
/// When `out` refuses.
pub fn write_csv(report: &Report, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["seed", "time_s", "measure", "value", "unit", "x", "x_axis"])?;
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for row in rows(report) {
        writer.write_record([
            &row.seed.map_or_else(String::new, |seed| seed.to_string()),
            &text(row.time_s),
            &row.measure.text(),
            &row.value.to_string(),
            row.unit,
            &text(row.x),
            row.x_axis.unwrap_or(""),
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// Rows that are held at a time.
const ROW_GROUP: usize = 1 << 16;

/// Writes the table in the columnar format that analysis tools read.
///
/// # Errors
/// When `out` refuses.
pub fn write_parquet(report: &Report, out: impl Write + Send) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema()?), Arc::new(properties))?;
    let mut rows = rows(report).peekable();
    // A file without a row is still a table, with a heading and nothing below it.
    while rows.peek().is_some() {
        let group: Vec<Row<'_>> = rows.by_ref().take(ROW_GROUP).collect();
        write_group(&mut writer, &group)?;
    }
    writer.close()?;
    Ok(())
}

fn schema() -> Result<Type, ParquetError> {
    let text = |name: &'static str, repetition| {
        column(name, Physical::BYTE_ARRAY, repetition).with_logical_type(Some(LogicalType::String)).build()
    };
    let columns = vec![
        // Not the unsigned type: a seed above 2^63 keeps its bits, and more tools read it.
        column("seed", Physical::INT64, Repetition::OPTIONAL)
            .with_converted_type(ConvertedType::UINT_64)
            .build()?,
        column("time_s", Physical::DOUBLE, Repetition::OPTIONAL).build()?,
        text("measure", Repetition::REQUIRED)?,
        column("value", Physical::DOUBLE, Repetition::REQUIRED).build()?,
        text("unit", Repetition::REQUIRED)?,
        column("x", Physical::DOUBLE, Repetition::OPTIONAL).build()?,
        text("x_axis", Repetition::OPTIONAL)?,
    ];
    Type::group_type_builder("metrics").with_fields(columns.into_iter().map(Arc::new).collect()).build()
}

fn column(name: &str, physical: Physical, repetition: Repetition) -> PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, physical).with_repetition(repetition)
}

/// Definition levels: 1 where there is a value, and the values alone.
fn optional<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<i16>, Vec<T>) {
    let mut levels = Vec::new();
    let present = values.inspect(|value| levels.push(i16::from(value.is_some()))).flatten().collect();
    (levels, present)
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    rows: &[Row<'_>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    let mut index = 0;
    while let Some(mut column) = group.next_column()? {
        match (index, column.untyped()) {
            (0, ColumnWriter::Int64ColumnWriter(out)) => {
                let (levels, values) = optional(rows.iter().map(|row| row.seed.map(u64::cast_signed)));
                out.write_batch(&values, Some(&levels), None)?;
            }
            (1 | 5, ColumnWriter::DoubleColumnWriter(out)) => {
                let pick = |row: &Row<'_>| if index == 1 { row.time_s } else { row.x };
                let (levels, values) = optional(rows.iter().map(pick));
                out.write_batch(&values, Some(&levels), None)?;
            }
            (2, ColumnWriter::ByteArrayColumnWriter(out)) => {
                let values: Vec<ByteArray> =
                    rows.iter().map(|row| row.measure.text().into_bytes().into()).collect();
                out.write_batch(&values, None, None)?;
            }
            (3, ColumnWriter::DoubleColumnWriter(out)) => {
                let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
                out.write_batch(&values, None, None)?;
            }
            (4, ColumnWriter::ByteArrayColumnWriter(out)) => {
                let values: Vec<ByteArray> = rows.iter().map(|row| row.unit.into()).collect();
                out.write_batch(&values, None, None)?;
            }
            (6, ColumnWriter::ByteArrayColumnWriter(out)) => {
                let (levels, values) = optional(rows.iter().map(|row| row.x_axis.map(ByteArray::from)));
                out.write_batch(&values, Some(&levels), None)?;
            }
            (other, _) => return Err(ParquetError::General(format!("column {other} is not in the schema"))),
        }
        column.close()?;
        index += 1;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;
    use crate::report::data::{Axis, Chart, Figure, Line, Unit};
    use crate::report::folder::tests::Scratch;

    fn report() -> Report {
        let values = [(1, 0.5), (u64::MAX, f64::NAN)];
        let mut chart = Chart::over_time("rate, \"all\"", Axis::new("rate", Unit::named("messages/s")));
        let points = vec![(0.1, 1.0), (0.2, f64::INFINITY)];
        chart.lines = vec![Line { name: "GRAFT".to_owned(), seed: Some(u64::MAX), points, band: vec![] }];
        let mut other = chart.clone();
        other.x = Axis::new("broadcast", Unit::Plain);
        other.lines[0].name.clear();
        Report {
            figures: vec![Figure::new("reliability", Unit::Share, "", &values)],
            charts: vec![chart, other],
            ..Report::default()
        }
    }

    #[test]
    fn the_csv_has_one_line_per_finite_value() {
        let mut out = Vec::new();
        write_csv(&report(), &mut out).unwrap();
        let expected = "seed,time_s,measure,value,unit,x,x_axis\n\
            1,,reliability,0.5,fraction,,\n\
            18446744073709551615,0.1,\"rate, \"\"all\"\"/GRAFT\",1,messages/s,,\n\
            18446744073709551615,,\"rate, \"\"all\"\"\",1,messages/s,0.1,broadcast\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_parquet_file_reads_back_as_the_rows() {
        let scratch = Scratch::new("parquet");
        let path = scratch.0.join("metrics.parquet");
        let report = report();
        write_parquet(&report, File::create(&path).unwrap()).unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let back: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let rows: Vec<_> = rows(&report).collect();
        assert_eq!((back.len(), rows.len()), (3, 3));
        for (back, row) in back.iter().zip(&rows) {
            assert_eq!(back.get_ulong(0).ok(), row.seed);
            assert_eq!(back.get_double(1).ok(), row.time_s);
            assert_eq!(back.get_string(2).unwrap(), &row.measure.text());
            assert_eq!(back.get_double(3).unwrap(), row.value);
            assert_eq!(back.get_string(4).unwrap(), row.unit);
            assert_eq!(back.get_double(5).ok(), row.x);
            assert_eq!(back.get_string(6).ok().map(String::as_str), row.x_axis);
        }
    }

    #[test]
    fn a_table_longer_than_a_row_group_loses_nothing() {
        let scratch = Scratch::new("groups");
        let path = scratch.0.join("metrics.parquet");
        let mut report = report();
        report.charts[0].lines[0].points = (0..ROW_GROUP + 5).map(|i| (i as f64, 1.0)).collect();
        write_parquet(&report, File::create(&path).unwrap()).unwrap();
        let metadata = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let metadata = metadata.metadata();
        assert_eq!(metadata.file_metadata().num_rows(), rows(&report).count() as i64);
        assert_eq!(metadata.num_row_groups(), 2);
    }

    #[test]
    fn an_empty_report_is_an_empty_table() {
        let scratch = Scratch::new("empty");
        let path = scratch.0.join("metrics.parquet");
        write_parquet(&Report::default(), File::create(&path).unwrap()).unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.get_row_iter(None).unwrap().count(), 0);
    }
}
