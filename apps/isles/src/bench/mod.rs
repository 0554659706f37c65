//! `isles bench`: what the machinery costs, beside what others cost in the same call.
//!
//! Everything goes through the public protocol trait, with counters, digest and the fault hook on. Rates are per
//! CPU second of one thread and seconds are CPU seconds, because machines are shared and noisy; bytes are the
//! growth of the program's resident memory at its peak, as the operating system counts it.

mod causality;
mod check;
mod check_monitors;
mod check_readers;
mod check_transactions;
mod cluster;
mod crdt;
mod explore;
mod graphs;
mod measure;
mod node;
mod phold;
mod rivals;
mod sim;
mod waves;

use std::path::PathBuf;

use serde::Serialize;

pub(crate) use measure::Effort;

/// One figure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Measurement {
    /// What was measured, as [`groups`] lists it; `…-vs-…` beside a rival.
    pub(crate) name: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what; `/s` is per CPU second, `s` are CPU seconds.
    pub(crate) unit: String,
    /// Who did the same in the same call.
    pub(crate) rival: Option<String>,
    /// How many times better `value` is than the rival's.
    pub(crate) ratio: Option<f64>,
}

/// What to measure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Options {
    /// Groups, and names or beginnings of names of figures; everything if there are none.
    pub(crate) wanted: Vec<String>,
    /// How long it may take.
    pub(crate) effort: Effort,
    /// Also build and run the rivals, if this is called in the source tree.
    pub(crate) rivals: bool,
}

/// Figures about one part of isles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// `isles bench NAME`.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) about: &'static str,
    /// Its benchmarks, in the order in which they run.
    pub(crate) benches: &'static [Bench],
}

/// Figures that come out of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bench {
    /// Names and units of the figures.
    pub(crate) figures: &'static [(&'static str, &'static str)],
    /// What is done.
    pub(crate) about: &'static str,
    /// Left out of a quick round.
    pub(crate) slow: bool,
    /// Gives the figures in the order of their names; none where the system does not tell.
    run: fn(Effort) -> Vec<Option<f64>>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// No group and no figure is called so.
    #[error("there is no group or figure {0}; `isles bench --list` shows them all")]
    Unknown(String),
    /// The rivals are not here.
    #[error("no benches/rivals/Cargo.toml in this folder or above it: rivals are built from the source tree")]
    NoRivals,
    /// The rivals could not be built or run.
    #[error("{what} {path}: {why}", path = .path.display())]
    Rivals {
        /// What was tried.
        what: &'static str,
        /// The rivals' manifest.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

/// All groups.
pub(crate) fn groups() -> &'static [Group] {
    &[
        sim::GROUP,
        graphs::GROUP,
        check::GROUP,
        check_monitors::GROUP,
        check_transactions::GROUP,
        check_readers::GROUP,
        explore::GROUP,
        causality::GROUP,
        crdt::GROUP,
        node::GROUP,
    ]
}

/// Whether `word` is the name of a figure, or, unless another one is called exactly so, its beginning.
fn means(word: &str, name: &str) -> bool {
    let mut names = groups().iter().flat_map(|group| group.benches).flat_map(|bench| bench.figures);
    name == word || name.starts_with(word) && !names.any(|(other, _)| *other == word)
}

/// Programs of others that a benchmark may run beside: a figure `NAME-RIVAL` is theirs of `NAME`.
const BESIDE: [&str; 2] = ["redis", "etcd"];

impl Bench {
    /// Who did the same as `name` in the same run, and its figure.
    fn beside(&self, name: &str, values: &[Option<f64>]) -> Option<(&'static str, f64)> {
        let figures = || self.figures.iter().zip(values);
        BESIDE.into_iter().find_map(|rival| {
            let other = format!("{name}-{rival}");
            figures().find(|((name, _), _)| *name == other).and_then(|(_, value)| Some((rival, (*value)?)))
        })
    }
}

/// How many times better a figure is than another: of rates the greater one, of costs the smaller.
fn better(value: f64, other: f64, unit: &str) -> f64 {
    if unit.starts_with("/s") { value / other } else { other / value }
}

impl Group {
    /// The figures of one of its benchmarks that are wanted.
    fn wanted(&self, bench: &Bench, wanted: &[String]) -> Vec<bool> {
        let is_wanted = |name: &str| {
            wanted.is_empty() || wanted.iter().any(|word| word == self.name || means(word, name))
        };
        bench.figures.iter().map(|(name, _)| is_wanted(name)).collect()
    }
}

/// Measures, and hands out each figure as soon as it is there.
///
/// # Errors
/// When something unknown is wanted, or the rivals are and cannot be built or run.
pub(crate) fn run(options: &Options, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
    for word in &options.wanted {
        let known = groups().iter().any(|group| {
            let figures = || group.benches.iter().flat_map(|bench| bench.figures);
            group.name == word || figures().any(|(name, _)| name.starts_with(word.as_str()))
        });
        if !known {
            return Err(Error::Unknown(word.clone()));
        }
    }
    // Built before anything is measured: a wrong path should show at once.
    let rivals = if options.rivals { Some(rivals::Rivals::build()?) } else { None };
    for group in groups() {
        for bench in group.benches {
            let wanted = group.wanted(bench, &options.wanted);
            if !wanted.contains(&true) || bench.slow && options.effort == Effort::Quick {
                continue;
            }
            let values = (bench.run)(options.effort);
            for ((&(name, unit), value), wanted) in bench.figures.iter().zip(&values).zip(wanted) {
                if let (&Some(value), true) = (value, wanted) {
                    let beside = bench.beside(name, &values);
                    out(Measurement {
                        name: name.into(),
                        value,
                        unit: unit.into(),
                        rival: beside.map(|(rival, _)| rival.to_owned()),
                        ratio: beside.map(|(_, other)| better(value, other, unit)),
                    });
                }
            }
        }
        let whole = options.wanted.is_empty() || options.wanted.iter().any(|word| word == group.name);
        match (&rivals, group.name, whole) {
            (Some(rivals), "sim", true) => rivals.run(options.effort, out)?,
            (Some(rivals), "graph", true) => rivals.search(out)?,
            (Some(rivals), "explore", true) => rivals.explore(options.effort, out)?,
            (Some(rivals), "causality", true) => rivals.causality(out)?,
            (Some(rivals), "crdt", true) => rivals.crdt(options.effort, out)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(wanted: &[&str]) -> Result<Vec<Measurement>, Error> {
        let wanted = wanted.iter().map(|&word| word.to_owned()).collect();
        let mut figures = Vec::new();
        run(&Options { wanted, effort: Effort::Quick, rivals: false }, &mut |figure| figures.push(figure))?;
        Ok(figures)
    }

    #[test]
    fn names_are_unique_and_told_before_they_are_measured() {
        let mut names: Vec<&str> = Vec::new();
        for bench in groups().iter().flat_map(|group| group.benches) {
            names.extend(bench.figures.iter().map(|(name, _)| name));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for needed in
            ["phold-1e3", "phold-1e5", "phold-1e6", "plumtree-wave-1e6-seconds", "plumtree-bytes-per-process"]
        {
            assert!(names.contains(&needed), "{needed}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(
            matches!(measure(&["phold-1e3", "nonsense"]), Err(Error::Unknown(word)) if word == "nonsense")
        );
    }

    #[test]
    fn a_figure_by_its_name_comes_alone() {
        let figures = measure(&["startup-microseconds"]).expect("it is known");
        assert_eq!(figures.len(), 1);
        assert_eq!((figures[0].name.as_str(), figures[0].unit.as_str()), ("startup-microseconds", "µs"));
        assert!(figures[0].value > 0.0);
        let line = serde_json::to_value(&figures[0]).expect("plain data");
        let keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["name", "ratio", "rival", "unit", "value"]);
    }
}
