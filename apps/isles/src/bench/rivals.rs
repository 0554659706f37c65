//! Other libraries under the same load, built from `benches/rivals` where the source tree is at hand.

use std::path::PathBuf;
use std::process::Command;

use isles_graph::formats::{self, Format, Named};
use serde::Deserialize;

use super::explore::{self, Model, Search};
use super::measure::{Effort, timed};
use super::phold::{self, Load, NARROW, WIDE};
use super::{Error, Measurement, causality, crdt, graphs};

/// What one rival says about one load.
#[derive(Deserialize)]
struct Line {
    rival: String,
    processes: u32,
    /// Messages in flight for each process.
    pending: u32,
    /// The flights: `narrow` are those of the rivals, `wide` those of `phold-1e6`.
    law: String,
    /// Messages delivered per CPU second.
    value: f64,
}

/// What a rival says about a graph: CPU seconds.
#[derive(Deserialize)]
struct GraphLine {
    rival: String,
    /// For one search, the mean of some.
    seconds: f64,
    components: f64,
    load: f64,
}

/// The rivals, built.
pub(super) struct Rivals {
    manifest: PathBuf,
}

impl Rivals {
    /// Finds `benches/rivals` in the current folder or above, and builds it.
    pub(super) fn build() -> Result<Self, Error> {
        let start = std::env::current_dir().map_err(|_| Error::NoRivals)?;
        let mut folders = start.ancestors().map(|folder| folder.join("benches/rivals/Cargo.toml"));
        let manifest = folders.find(|manifest| manifest.is_file()).ok_or(Error::NoRivals)?;
        let rivals = Self { manifest };
        rivals.cargo("build", &[])?;
        Ok(rivals)
    }

    /// Runs cargo in the rivals' folder, where their own configuration holds, and returns what it printed.
    fn cargo(&self, command: &str, arguments: &[&str]) -> Result<String, Error> {
        let error = |why: String| Error::Rivals { what: "cargo", path: self.manifest.clone(), why };
        let folder = self.manifest.parent().ok_or(Error::NoRivals)?;
        let mut cargo = Command::new("cargo");
        cargo.args([command, "--release", "--locked", "--quiet"]).args(arguments).current_dir(folder);
        let output = cargo.output().map_err(|why| error(why.to_string()))?;
        if !output.status.success() {
            return Err(error(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Searches, components and loading of the graph of `isles bench graph`, by us and by a rival.
    pub(super) fn search(&self, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
        let error = |why: String| Error::Rivals { what: "a graph for", path: self.manifest.clone(), why };
        let graph = graphs::attachment().map_err(|why| error(why.to_string()))?;
        let file = std::env::temp_dir().join(format!("isles-rivals-{}.txt", std::process::id()));
        let named = Named::from(graph);
        let written = std::fs::File::create(&file)
            .and_then(|mut out| formats::write(Format::EdgeList, &named, &mut out));
        written.map_err(|why| error(why.to_string()))?;
        let said = self.cargo("run", &["--", "graph", &file.to_string_lossy()]);
        let (load, again) = timed(|| {
            let mut file = std::fs::File::open(&file).ok()?;
            formats::read_from(Format::EdgeList, &mut file).ok()
        });
        // What cannot be removed from a temporary folder stays there until the system clears it.
        let _ = std::fs::remove_file(&file);
        let said = said?;
        if again.as_ref() != Some(&named) {
            return Err(error("it could not be read again".to_owned()));
        }
        let line: GraphLine =
            serde_json::from_str(said.trim()).map_err(|why| error(format!("{why}: {said}")))?;
        let all = line.seconds * f64::from(named.graph.nodes());
        for (name, ours, theirs, how) in [
            (
                "eccentricities-ba-100k-vs-petgraph",
                graphs::seconds(&named.graph),
                all,
                ", scaled up from 100 searches",
            ),
            ("components-ba-100k-vs-petgraph", graphs::components_seconds(&named.graph), line.components, ""),
            ("read-edge-list-ba-100k-vs-petgraph", load, line.load, ", by str::parse"),
        ] {
            out(Measurement {
                name: name.into(),
                value: ours,
                unit: "s".into(),
                rival: Some(format!("{}{how}", line.rival)),
                ratio: Some(theirs / ours),
            });
        }
        Ok(())
    }

    /// The state spaces of the group `explore`, by ours and by a rival's searches; the rival counts the same states.
    pub(super) fn explore(&self, effort: Effort, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Line {
            rival: String,
            model: String,
            search: String,
            states: u64,
            value: f64,
        }
        let error =
            |why: String| Error::Rivals { what: "a state space of", path: self.manifest.clone(), why };
        for line in self.cargo("run", &["--", "explore"])?.lines() {
            let line: Line = serde_json::from_str(line).map_err(|why| error(format!("{why}: {line}")))?;
            let models = [Model::TwoPhaseCommit, Model::Paxos, Model::Register];
            let model = models.into_iter().find(|model| model.name() == line.model);
            let model = model.ok_or_else(|| error(format!("{} is not known here", line.model)))?;
            if line.states != model.states() {
                let (theirs, ours) = (line.states, model.states());
                return Err(error(format!("{}: {theirs} states instead of {ours}", line.model)));
            }
            let search = if line.search == "depth" { Search::Depth } else { Search::Breadth };
            let ours = explore::rate(model, search, effort);
            out(Measurement {
                name: format!("{}-{}-vs-stateright", line.model, line.search),
                value: ours,
                unit: "states/s".into(),
                rival: Some(line.rival),
                ratio: Some(ours / line.value),
            });
        }
        Ok(())
    }

    /// Interval tree clocks by the crates of the registry and by ours, on the same steps; all end in the same stamps.
    pub(super) fn causality(&self, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Line {
            rival: String,
            operations: f64,
            compares: f64,
            ordered: usize,
            text: String,
        }
        let error = |why: String| Error::Rivals { what: "clocks of", path: self.manifest.clone(), why };
        let ours = causality::beside_rivals();
        for line in self.cargo("run", &["--", "causality"])?.lines() {
            let line: Line = serde_json::from_str(line).map_err(|why| error(format!("{why}: {line}")))?;
            if (line.ordered, &line.text) != (ours.ordered, &ours.text) {
                return Err(error(format!("{} ends in other stamps", line.rival)));
            }
            let short = line.rival.split(' ').next().unwrap_or(&line.rival);
            for (what, unit, value, theirs) in [
                ("ops", "operations/s", ours.operations, line.operations),
                ("compares", "compares/s", ours.compares, line.compares),
            ] {
                out(Measurement {
                    name: format!("itc-{what}-vs-{short}"),
                    value,
                    unit: unit.into(),
                    rival: Some(line.rival.clone()),
                    ratio: Some(value / theirs),
                });
            }
        }
        Ok(())
    }

    /// The sets of the group `crdt`, of 10^5 elements, by ours and by a rival's.
    pub(super) fn crdt(&self, effort: Effort, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Line {
            rival: String,
            /// CPU seconds for each of the figures.
            add: f64,
            equal: f64,
            different: f64,
        }
        let error = |why: String| Error::Rivals { what: "a set of", path: self.manifest.clone(), why };
        let said = self.cargo("run", &["--", "crdt"])?;
        let line: Line = serde_json::from_str(said.trim()).map_err(|why| error(format!("{why}: {said}")))?;
        let count = 100_000;
        let [equal, different] =
            crdt::merge_seconds(effort, count).ok_or_else(|| error("a merge went wrong".to_owned()))?;
        let add = crdt::add_microseconds(effort, count);
        for (name, unit, ours, theirs) in [
            ("add-1e5-vs-crdts", "µs", add, line.add * 1e6),
            ("merge-equal-1e5-vs-crdts", "µs", equal * 1e6, line.equal * 1e6),
            ("merge-1pc-1e5-vs-crdts", "ms", different * 1e3, line.different * 1e3),
        ] {
            out(Measurement {
                name: name.into(),
                value: ours,
                unit: unit.into(),
                rival: Some(line.rival.clone()),
                ratio: Some(theirs / ours),
            });
        }
        Ok(())
    }

    /// Each rival's figures, and ours under the same load.
    pub(super) fn run(&self, effort: Effort, out: &mut dyn FnMut(Measurement)) -> Result<(), Error> {
        let quick: &[&str] = if effort == Effort::Quick { &["--", "--quick"] } else { &[] };
        for line in self.cargo("run", quick)?.lines() {
            let line: Line = serde_json::from_str(line).map_err(|why| Error::Rivals {
                what: "what was printed by",
                path: self.manifest.clone(),
                why: format!("{why}: {line}"),
            })?;
            let load = Load { processes: line.processes, pending: line.pending };
            let law = if line.law == "narrow" { NARROW } else { WIDE };
            let ours = phold::events_per_second(load, law, false, effort);
            out(beside(load, ours, &line.rival, line.value));
        }
        let processes = if effort == Effort::Quick { 100_000 } else { 1_000_000 };
        let load = Load { processes, pending: 1 };
        let ours = phold::events_per_second(load, WIDE, false, effort);
        let heap = phold::events_per_second(load, WIDE, true, effort);
        out(beside(load, ours, "isles on a heap", heap));
        Ok(())
    }
}

/// `phold-1e1-x64-vs-turmoil`: our rate, and how many times theirs it is.
fn beside(load: Load, ours: f64, rival: &str, theirs: f64) -> Measurement {
    let short = rival.split(' ').rfind(|word| word.chars().all(char::is_alphabetic)).unwrap_or(rival);
    let times = if load.pending == 1 { String::new() } else { format!("-x{}", load.pending) };
    Measurement {
        name: format!("phold-1e{}{times}-vs-{short}", load.processes.ilog10()).to_lowercase(),
        value: ours,
        unit: "events/s".into(),
        rival: Some(rival.to_owned()),
        ratio: Some(ours / theirs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rival_is_named_and_compared() {
        let figure = beside(Load { processes: 10_000, pending: 1 }, 6e6, "madsim 0.2", 2e6);
        assert_eq!((figure.name.as_str(), figure.ratio), ("phold-1e4-vs-madsim", Some(3.0)));
        let figure = beside(Load { processes: 10, pending: 64 }, 6e6, "std BinaryHeap", 2e6);
        assert_eq!(figure.name, "phold-1e1-x64-vs-binaryheap");
        let figure = beside(Load { processes: 1_000_000, pending: 1 }, 6e6, "isles on a heap", 2e6);
        assert_eq!(figure.name, "phold-1e6-vs-heap");
    }
}
