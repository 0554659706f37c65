//! Graphs as files: edge lists as SNAP publishes them, GraphML, DOT, latency matrices.

mod dot;
mod edge_list;
mod edges;
mod graphml;
pub mod latency_matrix;
mod names;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufReader, Read, Write};

use isles_kernel::ProcessId;

use crate::Graph;
pub use names::Names;

/// A graph whose nodes have names.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// Who is linked to whom.
    pub graph: Graph,
    /// What the nodes are called.
    pub names: Names,
    /// Edges of the file that the graph does not have: loops, and repetitions of others.
    pub dropped: u64,
}

impl From<Graph> for Named {
    /// Nodes are called by their numbers.
    fn from(graph: Graph) -> Self {
        Self { graph, names: Names::Plain, dropped: 0 }
    }
}

impl Named {
    /// What a node is called.
    ///
    /// # Panics
    /// When there is no such node and nodes have names.
    pub fn name(&self, node: ProcessId) -> Cow<'_, str> {
        self.names.of(node)
    }
}

/// A way to write a graph down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Two node numbers a line, and perhaps a weight; comments begin with `#` or `%`. Whether edges have directions is what the
    /// comments say, as SNAP's do: `# Directed graph`. `# Nodes: 7 Edges: 9` says how many nodes there are, some perhaps without edges,
    /// and how many lines at least.
    EdgeList,
    /// XML (graphml.graphdrawing.org): one graph without nested ones and hyperedges. Ports are passed over.
    GraphMl,
    /// Graphviz: nodes, edges and chains of them, also within subgraphs, but no edges that lead to a subgraph.
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

    /// The format of files that end like this, in any case of letters; none if the ending says nothing.
    pub fn of_ending(ending: &str) -> Option<Self> {
        let ending = ending.to_ascii_lowercase();
        Self::ALL.iter().find(|(.., endings)| endings.contains(&ending.as_str())).map(|(format, ..)| *format)
    }

    /// The format of a file that ends like this and begins like that: what it holds counts more than what it is called.
    pub fn guess(ending: &str, begin: &[u8]) -> Self {
        let begin = String::from_utf8_lossy(begin);
        let begin = begin.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        if begin.starts_with('<') {
            return Self::GraphMl;
        }
        let word = begin.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_dot = ["graph", "digraph", "strict"].iter().any(|known| word.eq_ignore_ascii_case(known));
        if is_dot || begin.starts_with("//") || begin.starts_with("/*") {
            return Self::Dot;
        }
        // More numbers than an edge and a weight: a row.
        let row = begin.lines().find(|line| !line.trim().is_empty() && !line.starts_with(['#', '%']));
        let fields = row.unwrap_or_default().split([' ', '\t', ',']).filter(|field| !field.is_empty());
        if fields.clone().count() > 3 && fields.skip(1).all(|field| field.parse::<f64>().is_ok()) {
            return Self::LatencyMatrix;
        }
        Self::of_ending(ending).unwrap_or(Self::EdgeList)
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

const UNREADABLE: &str = "try again, or with a copy of the file";
const NO_TEXT: &str = "write it as UTF-8";

/// A graph that is read has at most so many nodes.
pub const NODES_MAX: usize = 1 << 30;

/// Reads a graph. What it takes is bounded by the length of the text.
///
/// # Errors
/// The first line that is wrong, and what to do.
pub fn read(format: Format, text: &str) -> Result<Named, ReadError> {
    read_from(format, &mut text.as_bytes())
}

/// Reads a graph out of a file, say. Edge lists and GraphML are read piece by piece; of the others, which are small, the whole text
/// is held.
///
/// # Complexity
/// Linear in the length of the text, but for names that are not numbered in order, which are looked up in a tree. An edge list takes
/// 16 bytes an edge at most while it is read (24 with weights; 40 if there are numbers above 2^32), and 4 bytes an edge or arc
/// afterwards.
///
/// # Errors
/// The first line that is wrong, and what to do; or that `from` failed.
pub fn read_from(format: Format, from: &mut dyn Read) -> Result<Named, ReadError> {
    match format {
        Format::EdgeList => edge_list::read(from),
        Format::GraphMl => graphml::read(BufReader::with_capacity(1 << 16, from)),
        Format::Dot => dot::read(&whole_text(from)?),
        Format::LatencyMatrix => {
            let text = whole_text(from)?;
            let (found, named) = latency_matrix::parse_named(&text).map_err(|error| ReadError {
                line: error.line,
                why: if error.field > 0 {
                    format!("field {}: {}", error.field, error.why)
                } else {
                    error.why
                },
                help: "write a square of milliseconds, a row a line",
            })?;
            let names = if named { Names::new(found.names.clone()) } else { Names::Plain };
            Ok(Named { graph: found.graph(), names, dropped: 0 })
        }
    }
}

/// All of `from`, without a byte order mark.
fn whole_text(from: &mut dyn Read) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    if let Err(error) = from.read_to_end(&mut bytes) {
        return refuse(0, format!("it cannot be read: {error}"), UNREADABLE);
    }
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Ok(text)
        }
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            refuse(line, "there is something that is no text", NO_TEXT)
        }
    }
}

/// Writes a graph. Edge lists keep names that are numbers, the other formats all of them, as far as a matrix can: it has no names with
/// commas, say.
///
/// # Errors
/// When `out` fails, or the format cannot hold the graph: a matrix holds a weight for every two nodes, of at most
/// [`latency_matrix::PLACES_MAX`]; no format holds weights that are no finite numbers, and GraphML no names with control characters.
pub fn write(format: Format, named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    if is_weighted(graph) && graph.weighted_edge_list().any(|(.., weight)| !weight.is_finite()) {
        return cannot("weights that are infinite or no numbers cannot be written");
    }
    match format {
        Format::EdgeList => edge_list::write(named, out),
        Format::GraphMl => graphml::write(named, out),
        Format::Dot => dot::write(named, out),
        Format::LatencyMatrix => latency_matrix::write(named, out),
    }
}

/// The format cannot hold the graph.
fn cannot<T>(why: impl Into<String>) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, why.into()))
}

/// Whether a graph has weights; without edges nobody can tell.
fn is_weighted(graph: &Graph) -> bool {
    graph.edges() > 0 && graph.weights(ProcessId(0)).is_some()
}

/// The beginning of what was found, for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).collect::<String>().escape_debug().to_string()
}
