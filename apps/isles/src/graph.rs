//! `isles graph`: graphs as files.

mod files;
mod table;

use std::io::Write;
use std::path::Path;

use isles_graph::formats::{Format, Named};
use isles_lab::facts::{Facts, Patience, facts};
use isles_lab::registry::topologies::{self, TOPOLOGIES};
use isles_lab::scenario::read_settings;

use crate::args::{ConvertArgs, GenArgs, GraphArgs, GraphCommand, InfoArgs};
use crate::{Failure, Outcome, memory_max, print};

/// Does what was asked for.
///
/// # Errors
/// When the input is wrong, or something cannot be written.
pub(crate) fn run(args: &GraphArgs) -> Result<Outcome, Failure> {
    match &args.command {
        GraphCommand::Gen(args) => generate(args),
        GraphCommand::Info(args) => info(args),
        GraphCommand::Convert(args) => convert(args),
    }?;
    Ok(Outcome::Good)
}

/// What an edge takes while a graph is made, in bytes: three lists hold it for a moment.
const BYTES_PER_EDGE: u64 = 32;
const BYTES_PER_NODE: u64 = 32;

fn generate(args: &GenArgs) -> Result<(), Failure> {
    let wrong = |why: String| Failure::Input(format!("error: {why}"));
    let topology = topologies::find(&args.topology).ok_or_else(|| {
        let names: Vec<&str> = TOPOLOGIES.iter().map(|topology| topology.name).collect();
        wrong(format!("there is no topology '{}'\n   = there are {}", args.topology, names.join(", ")))
    })?;
    let format = match &args.format {
        Some(name) => format_of(name)?,
        None => args.out.as_deref().map_or(Format::EdgeList, format_of_file),
    };
    let values =
        read_settings(topology.params, &args.params).map_err(|error| Failure::Input(error.to_string()))?;
    let (nodes, memory) = (u64::from(args.nodes), memory_max());
    let edges = (topology.edges)(nodes, &values);
    if edges.saturating_mul(BYTES_PER_EDGE).saturating_add(nodes * BYTES_PER_NODE) > memory {
        let most = memory / BYTES_PER_EDGE;
        return Err(wrong(format!(
            "this graph has about {edges} edges, too many for the memory there is\n   = at most {most} edges fit: ask for fewer nodes"
        )));
    }
    let graph = (topology.make)(args.nodes, &values, args.seed).map_err(|why| wrong(why.to_string()))?;
    let named = Named::from(graph);
    match &args.out {
        Some(path) => {
            files::write(path, format, &named)?;
            print(&written(path, &named))
        }
        None => files::print(format, &named),
    }
}

/// What a file that was written holds.
fn written(path: &Path, named: &Named) -> String {
    let graph = &named.graph;
    let kind = if graph.is_directed() { "directed" } else { "undirected" };
    format!("{}: {} nodes, {} {kind} edges", path.display(), graph.nodes(), graph.edges())
}

fn convert(args: &ConvertArgs) -> Result<(), Failure> {
    let to = match &args.to {
        Some(name) => format_of(name)?,
        None => format_of_file(&args.output),
    };
    let named = load(&args.input, args.from.as_deref(), args.undirected)?;
    if files::is_standard(&args.output) {
        return files::print(to, &named);
    }
    files::write(&args.output, to, &named)?;
    let mut words = written(&args.output, &named);
    if named.dropped > 0 {
        words.push_str(&format!("; {} loops and repeated edges were dropped", named.dropped));
    }
    if matches!(named.names, isles_graph::formats::Names::Words(_)) && to == Format::EdgeList {
        words.push_str("; nodes have numbers now: an edge list keeps no names");
    }
    print(&words)
}

fn info(args: &InfoArgs) -> Result<(), Failure> {
    let named = load(&args.file, args.from.as_deref(), args.undirected)?;
    let patience = match (args.all || args.eccentricities.is_some(), args.quick) {
        (true, _) => Patience::Endless,
        (false, true) => Patience::Little,
        (false, false) => Patience::Some,
    };
    let facts = facts(&named, patience);
    if let Some(path) = &args.eccentricities {
        write_eccentricities(path, &named, &facts)?;
    }
    if args.json {
        print(&serde_json::to_string(&facts).map_err(|error| Failure::Machine(error.to_string()))?)
    } else {
        print(&table::of(&facts))
    }
}

/// The graph in a file, and without directions if that is asked for.
fn load(path: &Path, from: Option<&str>, undirected: bool) -> Result<Named, Failure> {
    let named = files::read(path, from.map(format_of).transpose()?)?;
    if !undirected || !named.graph.is_directed() {
        return Ok(named);
    }
    let graph = named.graph.undirected();
    let dropped = named.dropped + (named.graph.edges() - graph.edges()) as u64;
    Ok(Named { graph, dropped, ..named })
}

fn write_eccentricities(path: &Path, named: &Named, facts: &Facts) -> Result<(), Failure> {
    files::replace(path, |out| {
        writeln!(out, "node,eccentricity")?;
        for (node, eccentricity) in named.graph.ids().zip(&facts.eccentricities) {
            let name = named.name(node);
            if name.contains([',', '"', '\n', '\r']) {
                writeln!(out, "\"{}\",{eccentricity}", name.replace('"', "\"\""))?;
            } else {
                writeln!(out, "{name},{eccentricity}")?;
            }
        }
        Ok(())
    })
}

fn format_of(name: &str) -> Result<Format, Failure> {
    Format::find(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|(_, name, _)| *name).collect();
        Failure::Input(format!("error: there is no format '{name}'\n   = there are {}", names.join(", ")))
    })
}

/// As the file's ending says.
fn format_of_file(path: &Path) -> Format {
    Format::of_ending(&files::ending(path)).unwrap_or(Format::EdgeList)
}
