//! `[links]`: what happens to messages.

use isles_kernel::Span;
use isles_sim::{Bandwidth, Detection, Distribution, Latency, Links};

use super::document::quote;
use super::reader::Reader;
use super::{Origin, file_of};
use crate::matrix;

/// The links, the names of their regions, and the set-up in words.
pub(super) struct Read {
    pub(super) links: Links,
    pub(super) regions: Vec<String>,
    pub(super) words: Vec<(String, String)>,
}

#[derive(Clone, Copy)]
enum Model {
    Constant,
    Uniform,
    Exponential,
    LogNormal,
    Pareto,
    Weibull,
    Matrix,
}

const LAWS: &[(&str, Model)] = &[
    ("constant", Model::Constant),
    ("uniform", Model::Uniform),
    ("exponential", Model::Exponential),
    ("log-normal", Model::LogNormal),
    ("pareto", Model::Pareto),
    ("weibull", Model::Weibull),
    ("matrix", Model::Matrix),
];

pub(super) fn read(top: &Reader<'_>, origin: &Origin<'_>) -> Read {
    let mut read = Read { links: Links::default(), regions: Vec::new(), words: Vec::new() };
    if let Some(table) = top.table("links") {
        if let Some(latency) = table.table("latency") {
            read_latency(&latency, origin, &mut read);
            finish_law(latency, LAWS);
        }
        read_faults(&table, &mut read);
        read_bandwidth(&table, &mut read);
        let links = &mut read.links;
        links.retransmit = table.span("retransmit").unwrap_or(links.retransmit);
        links.stream_timeout = table.span("stream-timeout").unwrap_or(links.stream_timeout);
        let detections = [("immediate", Detection::Immediate), ("on-send", Detection::OnSend)];
        links.detection = table.choice("detection", &detections).unwrap_or(links.detection);
        table.finish();
    }
    if let Latency::Law(law) = read.links.latency {
        read.words.insert(0, ("latency".to_owned(), describe(law)));
    }
    let seen = match read.links.detection {
        Detection::Immediate => "seen at once: the connection breaks",
        Detection::OnSend => "seen on the next send",
    };
    read.words.push(("crashes".to_owned(), seen.to_owned()));
    read
}

/// What goes wrong with single messages.
fn read_faults(table: &Reader<'_>, read: &mut Read) {
    let links = &mut read.links;
    links.fifo = table.flag("fifo").unwrap_or(links.fifo);
    links.reordering_delay = table.span("reordering-delay").unwrap_or(links.reordering_delay);
    for (key, value) in [
        ("loss", &mut links.loss),
        ("duplication", &mut links.duplication),
        ("reordering", &mut links.reordering),
    ] {
        if let Some(share) = table.share(key) {
            *value = share;
            if share > 0.0 {
                // 0.07 * 100 is not quite 7.
                let percent = (share * 1e8).round() / 1e6;
                read.words.push((key.to_owned(), format!("{percent} %")));
            }
        }
    }
}

fn read_bandwidth(table: &Reader<'_>, read: &mut Read) {
    let Some(bandwidth) = table.table("bandwidth") else { return };
    let queue = bandwidth.span("queue").unwrap_or(Span::millis(100));
    if let Some(rate) = bandwidth.count("bytes-per-second", 1, RATE_MAX) {
        read.links.bandwidth = Some(Bandwidth { rate, queue });
        let words = format!("{rate} bytes/s per sender, datagrams wait {queue} at most");
        read.words.push(("bandwidth".to_owned(), words));
    } else if bandwidth.entry("bytes-per-second").is_none() {
        bandwidth.missing("bytes-per-second", "1000000");
    }
    bandwidth.finish();
}

fn read_latency(table: &Reader<'_>, origin: &Origin<'_>, read: &mut Read) {
    let Some(model) = table.choice("model", LAWS) else {
        if table.entry("model").is_none() {
            table.missing("model", "\"uniform\"");
        }
        return;
    };
    if !matches!(model, Model::Matrix) {
        if let Some(law) = read_law(table, model) {
            read.links.latency = Latency::Law(law);
        }
        return;
    }
    let jitter = table.number("jitter", 0.0, 3.0).unwrap_or(0.0);
    let trips = match (table.text("data"), table.text("file")) {
        (Some(name), None) => match matrix::BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => matrix::parse(text).ok().map(|trips| (name, trips)),
            None => {
                let names = matrix::BUILT_IN.iter().map(|(name, _)| *name);
                table.complain_choice(&table.place("data"), "data", name, names);
                None
            }
        },
        (None, Some(name)) => read_file(table, origin, name).map(|trips| (name, trips)),
        (Some(_), Some(_)) => {
            let what = "there are both 'data' and 'file'";
            table.complain(&table.place("file"), what, "leave one of them out");
            None
        }
        (None, None) => {
            if table.entry("data").is_none() && table.entry("file").is_none() {
                table.missing("data", "\"aws-2025\"");
            }
            None
        }
    };
    if let Some((name, trips)) = trips
        && let Some(matrix) = matrix::one_way(&trips)
    {
        let regions = trips.names.len();
        read.links.latency = Latency::Matrix { matrix, jitter };
        read.words.push((
            "latency".to_owned(),
            format!("half of the measured round trips of '{name}', {regions} regions, jitter {jitter}"),
        ));
        read.regions = trips.names;
    }
}

/// No uplink sends more bytes in a second.
const RATE_MAX: u64 = 1_000_000_000_000;

/// What the laws of spans have besides `model`.
const LAW_KEYS: &[&str] =
    &["value", "min", "max", "mean", "median", "sigma", "scale", "shape", "data", "file", "jitter"];

/// Complains about what does not go with the law.
fn finish_law(table: Reader<'_>, laws: &[(&str, Model)]) {
    let is_known = |name: &str| laws.iter().any(|(known, _)| *known == name);
    match table.text("model") {
        Some(name) if is_known(name) => table.misplaced(LAW_KEYS, &format!("the model '{name}'")),
        _ => table.pass_over(LAW_KEYS),
    }
    table.finish();
}

/// The matrix in the file `name`.
fn read_file(table: &Reader<'_>, origin: &Origin<'_>, name: &str) -> Option<matrix::RoundTrips> {
    let place = table.place("file");
    let text = file_of(table, &place, name, origin)?;
    match matrix::parse(&text) {
        Ok(trips) => Some(trips),
        Err(error) => {
            let what = format!("'{name}' is no latency matrix: {}", error.why);
            let help = "write a square matrix of round-trip times in milliseconds";
            if error.line == 0 {
                table.complain(&place, what, help);
            } else {
                table.complain_about(&place, quote(name, &text, &error.span), what, help);
            }
            None
        }
    }
}

/// A law of spans, in a table with `model` and its parameters.
pub(super) fn read_distribution(table: Reader<'_>) -> Option<Distribution> {
    let laws = &LAWS[..LAWS.len() - 1];
    let model = table.choice("model", laws);
    if table.entry("model").is_none() {
        table.missing("model", "\"exponential\"");
    }
    let law = model.and_then(|model| read_law(&table, model));
    finish_law(table, laws);
    law
}

fn read_law(table: &Reader<'_>, model: Model) -> Option<Distribution> {
    let needed = |key: &'static str| {
        let span = table.span(key);
        if span.is_none() && table.entry(key).is_none() {
            table.missing(key, "\"50ms\"");
        }
        span
    };
    let number = |key: &'static str, min: f64, max: f64| {
        let number = table.number(key, min, max);
        if number.is_none() && table.entry(key).is_none() {
            table.missing(key, "0.5");
        }
        number
    };
    // Both are read before either is missed, so that one reading finds all that is wrong.
    let law = match model {
        Model::Constant => Distribution::Constant(needed("value")?),
        Model::Uniform => {
            let (min, max) = (needed("min"), needed("max"));
            Distribution::Uniform { min: min?, max: max? }
        }
        Model::Exponential => {
            let (min, mean) = (table.span("min").unwrap_or_default(), needed("mean"));
            Distribution::Exponential { min, mean: mean? }
        }
        Model::LogNormal => {
            let (median, sigma) = (needed("median"), number("sigma", 0.0, 10.0));
            Distribution::LogNormal { median: median?, sigma: sigma? }
        }
        Model::Pareto => {
            let (scale, shape) = (needed("scale"), number("shape", 0.01, 100.0));
            Distribution::Pareto { scale: scale?, shape: shape? }
        }
        Model::Weibull => {
            let (scale, shape) = (needed("scale"), number("shape", 0.01, 100.0));
            Distribution::Weibull { scale: scale?, shape: shape? }
        }
        Model::Matrix => return None,
    };
    let bounds = match law {
        Distribution::Uniform { min, max } => Some((min, max, "max")),
        Distribution::Exponential { min, mean } => Some((min, mean, "mean")),
        Distribution::Constant(_)
        | Distribution::LogNormal { .. }
        | Distribution::Pareto { .. }
        | Distribution::Weibull { .. } => None,
    };
    if let Some((min, other, name)) = bounds
        && min > other
    {
        table.complain(
            &table.place("min"),
            format!("'min' is {min}, above '{name}', {other}"),
            "exchange them, say",
        );
        return None;
    }
    Some(law)
}

/// About how long the law's spans are: enough to tell whether they are next to nothing.
pub(super) fn typical(law: Distribution) -> Span {
    match law {
        Distribution::Constant(span) => span,
        Distribution::Uniform { max, .. } => max,
        Distribution::Exponential { mean, .. } => mean,
        Distribution::LogNormal { median, .. } => median,
        Distribution::Pareto { scale, .. } | Distribution::Weibull { scale, .. } => scale,
    }
}

/// A law in words, for the set-up of a report.
pub(super) fn describe(law: Distribution) -> String {
    match law {
        Distribution::Constant(span) => format!("constant, {span}"),
        Distribution::Uniform { min, max } => format!("uniform, {min} to {max}"),
        Distribution::Exponential { min, mean } => format!("exponential, mean {mean}, at least {min}"),
        Distribution::LogNormal { median, sigma } => format!("log-normal, median {median}, sigma {sigma}"),
        Distribution::Pareto { scale, shape } => format!("Pareto, at least {scale}, shape {shape}"),
        Distribution::Weibull { scale, shape } => format!("Weibull, scale {scale}, shape {shape}"),
    }
}
