//! Every order of every small tree: TREE-08.

use isles_explorations::scenarios::tree::{Channels, Parameters, connected_graphs, scenario};
use isles_explore::{Answer, Explorer, Report};
use isles_graph::{line, ring};
use isles_trees::tree::Answers;

use crate::claims::{Effort, Finding};

/// What was explored so far.
#[derive(Default)]
struct Proved {
    explorations: u32,
    states: u64,
    /// The first thing that is not as it should be.
    flaw: Option<String>,
}

fn explored(
    parameters: Parameters,
    effort: &Effort,
) -> Result<Report<isles_explorations::scenarios::tree::Process>, String> {
    let explorer = Explorer::new(scenario(parameters)).map_err(|error| error.to_string())?;
    Ok(explorer.threads(effort.threads).breadth_first())
}

impl Proved {
    /// All connected graphs of up to so many nodes, and of that many nodes those of up to so many edges.
    fn all(
        &mut self,
        nodes_max: u32,
        edges_max: usize,
        parameters: &Parameters,
        effort: &Effort,
    ) -> Result<(), String> {
        for graph in (1..=nodes_max).flat_map(connected_graphs) {
            if graph.nodes() == nodes_max && graph.edges() > edges_max {
                continue;
            }
            let report = explored(Parameters { graph, ..parameters.clone() }, effort)?;
            self.explorations += 1;
            self.states += report.states;
            if !report.is_proof() {
                self.flaw.get_or_insert(report.to_string());
            }
        }
        Ok(())
    }
}

pub(super) fn tree_08(effort: &Effort) -> Result<Finding, String> {
    let mut proved = Proved::default();
    let answered = |answers| Parameters { answers, ..Parameters::default() };
    let (five, four) = if effort.quick { (5, 4) } else { (10, 6) };
    proved.all(5, five, &answered(Answers::None), effort)?;
    for answers in [Answers::Children, Answers::Acks, Answers::Echo] {
        proved.all(4, four, &answered(answers), effort)?;
    }
    proved.all(4, four, &Parameters { forget: true, ..answered(Answers::Acks) }, effort)?;
    let acks = |channels| Parameters { graph: ring(3), channels, forget: true, ..answered(Answers::Acks) };
    let lossy = Parameters { graph: line(3), channels: Channels::Lossy(1), ..Parameters::default() };
    let controls = [
        ("overtaking", acks(Channels::Unordered)),
        ("doubling", acks(Channels::Doubling(1))),
        ("loss", lossy),
    ];
    let count = controls.len();
    let mut found = Vec::new();
    for (name, parameters) in controls {
        let report = explored(parameters, effort)?;
        if let Some(failure) = report.failure() {
            let steps = failure.answer.trace().map_or(0, |trace| trace.steps.len());
            let verb = if matches!(failure.answer, Answer::Violated(_)) { "violates" } else { "misses" };
            found.push(format!("{name} {verb} \"{}\" in {steps} steps", failure.property));
        }
    }
    let Proved { explorations, states, flaw } = proved;
    Ok(Finding {
        holds: flaw.is_none(),
        control_fails: found.len() == count,
        measured: format!(
            "{explorations} explorations of all connected graphs (up to names) of up to 5 processes, those of 5 with up to {five} edges, \
             and with answers up to 4 processes and {four} edges: {states} states, {}; controls: {}",
            flaw.unwrap_or_else(|| "every property proved in each".to_owned()),
            found.join("; "),
        ),
        predicted: "no order violates anything; each control has an order that does".to_owned(),
        ..Finding::default()
    })
}
