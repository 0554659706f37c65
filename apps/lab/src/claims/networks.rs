//! Real networks: files that others wrote.

use std::sync::Arc;

use isles_graph::formats::{self, Format, Named, ReadError};
use isles_kernel::Span;

use super::experiment::{Senders, plan};
use super::{Claim, Effort, Finding};
use crate::registry::params::Values;
use crate::registry::{BROADCASTS, Chosen, Entry, MEMBERSHIPS, Selection, World, run_seed};
use crate::run::outcome::SeedOutcome;
use crate::run::seeds::on_all_cores;

/// Claims about files.
pub(super) static NETWORKS: &[Claim] = &[Claim {
    id: "TOP-07",
    statement: "Real networks load, as edge lists, GraphML, DOT and latency matrices, and every protocol runs on them.",
    control: "the same files with a flaw in one line are refused, and the error names that line",
    source: "Internet Topology Zoo (Knight et al., IEEE JSAC 29(9), 2011): GÉANT 2010; round trips of 33 cloud regions, July 2025",
    run: top_07,
}];

/// A network that ships: a graph of places and lengths of links.
const GEANT: &str = include_str!("../../data/geant-2010.graphml");
/// A matrix that ships.
const REGIONS: &str = include_str!("../../data/aws-2025.csv");

/// Broadcasts of each run.
const COUNT: u64 = 3;

fn top_07(effort: &Effort) -> Result<Finding, String> {
    let told = |error: ReadError| error.to_string();
    let geant = formats::read(Format::GraphMl, GEANT).map_err(told)?;
    let regions = formats::read(Format::LatencyMatrix, REGIONS).map_err(told)?;
    let (mut same, mut files) = (true, Vec::new());
    for (network, format) in [
        (&geant, Format::GraphMl),
        (&geant, Format::Dot),
        (&geant, Format::EdgeList),
        (&regions, Format::LatencyMatrix),
    ] {
        let text = written(network, format)?;
        same &= formats::read(format, &text).map_err(told)?.graph == network.graph;
        files.push((format, text));
    }
    let (mut worst, mut pairs): (f64, usize) = (1.0, 0);
    for network in [&geant, &regions] {
        let reached = reliabilities(network, effort)?;
        pairs += reached.len();
        worst = reached.into_iter().fold(worst, f64::min);
    }
    let (mut flaws, mut found) = (0, 0);
    for (format, text) in &files {
        for line in flawed_lines(text) {
            flaws += 1;
            let refused = formats::read(*format, &with_flaw(text, line)).err();
            found += u32::from(refused.is_some_and(|error| error.line == line));
        }
    }
    Ok(Finding {
        holds: same && worst > 0.85 && geant.graph.nodes() == 37 && geant.graph.edges() == 56,
        control_fails: flaws > 0 && found == flaws,
        measured: format!(
            "GÉANT ({} nodes, {} links) and {} regions read, written in {} files and read again: the same: {same}; {pairs} runs of \
             {} memberships with {} broadcasts: every payload reached {:.1} % of all at least; control: {found} of {flaws} files with \
             a flaw are refused with its line",
            geant.graph.nodes(),
            geant.graph.edges(),
            regions.graph.nodes(),
            files.len(),
            MEMBERSHIPS.len(),
            BROADCASTS.len(),
            100.0 * worst,
        ),
        predicted: "37 nodes and 56 links; all protocols run, those of random views may miss some; all flaws are found".to_owned(),
        charts: Vec::new(),
    })
}

fn written(network: &Named, format: Format) -> Result<String, String> {
    let mut bytes = Vec::new();
    formats::write(format, network, &mut bytes).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// What share of all processes each payload reached at least, for each membership with each broadcast.
fn reliabilities(network: &Named, effort: &Effort) -> Result<Vec<f64>, String> {
    let graph = Arc::new(network.graph.undirected());
    let world = World { processes: graph.nodes(), graph };
    let chosen = |entry: &Entry| Chosen { entry: *entry, values: Values::defaults(entry.params) };
    let plan = plan(world.processes, Span::secs(60)).broadcasting(
        Span::secs(20),
        Span::secs(1),
        COUNT,
        Senders::Random,
    );
    let pairs: Vec<u64> = (0..(MEMBERSHIPS.len() * BROADCASTS.len()) as u64).collect();
    on_all_cores(&pairs, effort.threads, |pair| {
        let (membership, broadcast) = (pair as usize / BROADCASTS.len(), pair as usize % BROADCASTS.len());
        let (membership, broadcast) = (chosen(&MEMBERSHIPS[membership]), chosen(&BROADCASTS[broadcast]));
        let selection = Selection::Gossip { membership, broadcast };
        let outcome = run_seed(&plan, 1, &selection, &world, &|_| {}).map_err(|error| error.to_string())?;
        let SeedOutcome::Gossip(outcome) = outcome else { return Err("another family ran".to_owned()) };
        if outcome.broadcasts.len() as u64 != COUNT {
            return Ok(0.0);
        }
        Ok::<f64, String>(outcome.broadcasts.iter().filter_map(|one| one.reliability()).fold(1.0, f64::min))
    })
}

/// Some lines of a text that say something: a flaw in them cannot pass for a comment.
fn flawed_lines(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    // Not in the first lines, which may be comments or names, nor in the last, which close something.
    (4..lines.len().saturating_sub(2)).step_by(5).collect()
}

/// The text with another line of this number, counted from 1: signs that no format has there.
fn with_flaw(text: &str, number: usize) -> String {
    let flawed = |(index, line)| if index + 1 == number { "<$ ; 1 x" } else { line };
    text.lines().enumerate().map(flawed).flat_map(|line| [line, "\n"]).collect()
}
