//! Graphs as files: edge lists as SNAP publishes them, GraphML, DOT, latency matrices.

mod dot;
mod edge_list;
mod graphml;
pub mod latency_matrix;

use std::fmt;
use std::io::{self, Write};

use isles_kernel::ProcessId;

use crate::Graph;

/// A graph whose nodes have names.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// Who is linked to whom.
    pub graph: Graph,
    /// The name of each node; none at all if nodes are called 0, 1, 2 and so on.
    pub names: Vec<String>,
}

impl Named {
    /// The name of a node.
    pub fn name(&self, node: ProcessId) -> String {
        self.names.get(node.index()).cloned().unwrap_or_else(|| node.0.to_string())
    }

    /// Forgets names that say no more than the numbers of the nodes.
    fn new(graph: Graph, names: Vec<String>) -> Self {
        let plain = (0..).zip(&names).all(|(index, name): (u32, &String)| *name == index.to_string());
        Self { graph, names: if plain { Vec::new() } else { names } }
    }
}

/// A way to write a graph down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Two node numbers a line, and perhaps a weight; comments begin with `#` or `%`. Whether edges have directions is what the
    /// comments say, as SNAP's do: `# Directed graph`.
    EdgeList,
    /// XML (graphml.graphdrawing.org): one graph without nested ones, ports or hyperedges.
    GraphMl,
    /// Graphviz: nodes, edges and chains of them, without subgraphs.
    Dot,
    /// A square of numbers: the weights of a complete directed graph.
    LatencyMatrix,
}

impl Format {
    /// All of them, with the names by which they are asked for and the endings of their files.
    pub const ALL: [(Self, &'static str, &'static [&'static str]); 4] = [
        (Self::EdgeList, "edges", &["txt", "edges", "el", "tsv"]),
        (Self::GraphMl, "graphml", &["graphml", "xml"]),
        (Self::Dot, "dot", &["dot", "gv"]),
        (Self::LatencyMatrix, "matrix", &["csv", "matrix"]),
    ];

    /// The format of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own, _)| *own == name).map(|(format, ..)| *format)
    }

    /// The format of a file that ends like this and begins like that: what it holds counts more than what it is called.
    pub fn guess(extension: &str, text: &str) -> Self {
        let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let word =
            begin.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        if begin.starts_with('<') {
            return Self::GraphMl;
        }
        if matches!(word.as_str(), "graph" | "digraph" | "strict")
            || begin.starts_with("//")
            || begin.starts_with("/*")
        {
            return Self::Dot;
        }
        let extension = extension.to_ascii_lowercase();
        let named = Self::ALL.iter().find(|(.., endings)| endings.contains(&extension.as_str()));
        named.map_or(Self::EdgeList, |(format, ..)| *format)
    }
}

/// Why a text is no graph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// Counted from 1; 0 when it is about the whole.
    pub line: usize,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub help: &'static str,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{}; {}", self.why, self.help)
    }
}

impl std::error::Error for ReadError {}

fn refuse<T>(line: usize, why: impl Into<String>, help: &'static str) -> Result<T, ReadError> {
    Err(ReadError { line, why: why.into(), help })
}

/// A graph that is read has at most so many nodes.
pub const NODES_MAX: usize = 1 << 30;

/// Reads a graph. What it takes is bounded by the length of the text.
///
/// # Errors
/// The first line that is wrong, and what to do.
pub fn read(format: Format, text: &str) -> Result<Named, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::EdgeList => edge_list::read(text),
        Format::GraphMl => graphml::read(text),
        Format::Dot => dot::read(text),
        Format::LatencyMatrix => {
            let found = latency_matrix::parse(text).map_err(|error| ReadError {
                line: error.line,
                why: if error.field > 0 {
                    format!("field {}: {}", error.field, error.why)
                } else {
                    error.why
                },
                help: "write a square of milliseconds, a row a line",
            })?;
            Ok(Named::new(found.graph(), found.names))
        }
    }
}

/// Writes a graph.
///
/// # Errors
/// When `out` fails, or the format cannot hold the graph: a matrix holds a weight for every two nodes, of at most
/// [`latency_matrix::PLACES_MAX`].
pub fn write(format: Format, named: &Named, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::EdgeList => edge_list::write(named, out),
        Format::GraphMl => graphml::write(named, out),
        Format::Dot => dot::write(named, out),
        Format::LatencyMatrix => latency_matrix::write(named, out),
    }
}

/// Nodes by their names, numbered as they come.
#[derive(Default)]
struct Names {
    by_name: std::collections::BTreeMap<String, u32>,
    in_order: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = self.in_order.len() as u32;
        self.by_name.insert(name.to_owned(), number);
        self.in_order.push(name.to_owned());
        number
    }
}

/// The graph of edges that were read, with weights if any edge has one; the others weigh 1 then.
fn graph_of(nodes: usize, directed: bool, edges: &[(u32, u32, Option<f64>)]) -> Graph {
    if edges.iter().any(|edge| edge.2.is_some()) {
        let edges: Vec<(u32, u32, f64)> =
            edges.iter().map(|&(a, b, weight)| (a, b, weight.unwrap_or(1.0))).collect();
        return Graph::weighted(nodes as u32, directed, &edges);
    }
    let edges: Vec<(u32, u32)> = edges.iter().map(|&(a, b, _)| (a, b)).collect();
    if directed { Graph::from_arcs(nodes as u32, &edges) } else { Graph::from_edges(nodes as u32, &edges) }
}

fn is_weighted(graph: &Graph) -> bool {
    graph.edges() > 0 && graph.weights(ProcessId(0)).is_some()
}
