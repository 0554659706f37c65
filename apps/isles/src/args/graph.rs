//! What may be said to `isles graph`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(subcommand)]
    pub(crate) command: GraphCommand,
}

/// What to do with graphs.
#[derive(Debug, Subcommand)]
pub(crate) enum GraphCommand {
    /// Generate a graph of a topology
    Gen(GenArgs),
    /// Say what a graph is like
    Info(InfoArgs),
    /// Read a graph in one format and write it in another
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  isles graph gen ring --nodes 8
  isles graph gen watts-strogatz --nodes 1000 neighbors=10 p=0.01 --seed 7 --out small.graphml
  isles graph gen preferential-attachment --nodes 1000000 --out scale-free.txt

`isles list topologies` shows all topologies with their parameters, bounds and defaults.
The same topology, parameters and seed give the same graph on every machine.")]
pub(crate) struct GenArgs {
    /// A topology, such as ring, torus, watts-strogatz (see `isles list topologies`)
    pub(crate) topology: String,
    /// Parameters of the topology: p=0.01 (those left out have their defaults)
    #[arg(value_name = "PARAM=VALUE")]
    pub(crate) params: Vec<String>,
    /// How many nodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) nodes: u32,
    /// Names the random choices
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// edges, graphml, dot or matrix [default: as the file's ending says, or edges]
    #[arg(long)]
    pub(crate) format: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Distances are exact: eccentricities, diameter, radius, centre and periphery of the largest component (the largest strong component,
if edges have directions), and the number of pairs at each distance in the whole graph. Both usual means of clustering are told: over
nodes of degree 2 and more (SuiteSparse), and over all nodes (SNAP, networkx).

What would take long on a large graph is left out, with an estimate: --all measures it, --quick leaves out more.

Examples:
  isles graph info network.graphml
  isles graph info p2p-Gnutella31.txt --undirected
  isles graph info network.dot --json | jq .distances.diameter
  isles graph info network.txt --eccentricities all.csv")]
pub(crate) struct InfoArgs {
    /// The file, or - for standard input
    pub(crate) file: PathBuf,
    /// edges, graphml, dot or matrix [default: seen from the file]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<String>,
    /// Forget the directions of edges
    #[arg(long)]
    pub(crate) undirected: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure everything, whatever it takes
    #[arg(long, conflicts_with = "quick")]
    pub(crate) all: bool,
    /// Only what takes no longer than reading the file
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write node and eccentricity as CSV to this file
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    pub(crate) eccentricities: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Edge lists keep names that are numbers, matrices need a weight for every two nodes, and both formats of names, GraphML and DOT,
keep everything. Loops and repeated edges are dropped, and counted.

Examples:
  isles graph convert p2p-Gnutella31.txt p2p.graphml
  isles graph convert data.txt data.dot --from edges --undirected
  isles graph convert net.graphml - --to edges")]
pub(crate) struct ConvertArgs {
    /// The file to read, or - for standard input
    pub(crate) input: PathBuf,
    /// The file to write, or - for standard output
    pub(crate) output: PathBuf,
    /// edges, graphml, dot or matrix [default: seen from the file]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<String>,
    /// edges, graphml, dot or matrix [default: as the file's ending says, or edges]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<String>,
    /// Forget the directions of edges
    #[arg(long)]
    pub(crate) undirected: bool,
}
