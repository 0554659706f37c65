//! GraphML (Brandes et al., Graph Drawing 2001), by quick-xml, piece by piece.

use std::io::{self, BufRead, Read, Write};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::edges::{EDGES_MAX, Edges};
use super::names::Numbering;
use super::{NODES_MAX, Named, ReadError, cannot, is_weighted, refuse, shown};

const HELP: &str = "write <graphml><graph edgedefault=\"undirected\"> with <node id=\"..\"/> and <edge source=\"..\" target=\"..\"/>";

/// A weight has at most so many characters.
const WEIGHT_MAX: usize = 1_000;

/// Counts the lines that have been read.
struct Lines<R> {
    from: R,
    ends: usize,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.ends += into[..count].iter().filter(|byte| **byte == b'\n').count();
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What is consumed was handed out before, so that this reads nothing.
        if let Ok(bytes) = self.from.fill_buf() {
            self.ends += bytes.iter().take(count).filter(|byte| **byte == b'\n').count();
        }
        self.from.consume(count);
    }
}

/// What a text that is being read says.
enum Text {
    /// The weight of the last edge.
    Weight(String),
    /// The weight of edges that do not say theirs.
    Default(String),
}

/// What has been read so far.
#[derive(Default)]
struct State {
    names: Numbering,
    /// For each name the line in which it was used, until its node comes; then 0.
    wanted: Vec<usize>,
    edges: Edges,
    directed: bool,
    /// The `id` of the key of edge weights.
    weight_key: Option<String>,
    default_weight: Option<f64>,
    /// Elements that have begun and not ended.
    depth: usize,
    graphs: usize,
    in_graph: bool,
    in_edge: bool,
    in_weight_key: bool,
    text: Option<Text>,
}

pub(super) fn read(from: impl BufRead) -> Result<Named, ReadError> {
    let mut reader = Reader::from_reader(Lines { from, ends: 0 });
    let mut state = State::default();
    let mut buffer = Vec::new();
    loop {
        let line = reader.get_ref().ends + 1;
        let told = |why: String| ReadError { line, why, help: HELP };
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Err(error) => return refuse(line, format!("no XML: {error}"), HELP),
            Ok(Event::Eof) => return state.finish(line),
            Ok(Event::Start(element)) => {
                state.depth += 1;
                state.begin(&element, line, false).map_err(told)?;
            }
            Ok(Event::Empty(element)) => state.begin(&element, line, true).map_err(told)?,
            Ok(Event::End(element)) => {
                state.depth = state.depth.saturating_sub(1);
                state.end(element.local_name().as_ref()).map_err(told)?;
            }
            Ok(Event::Text(words)) => state.add_text(&words).map_err(told)?,
            Ok(Event::CData(words)) => state.add_text(&words).map_err(told)?,
            Ok(Event::GeneralRef(reference)) if state.text.is_some() => {
                let Ok(Some(c)) = reference.resolve_char_ref() else {
                    return refuse(line, "the weight of an edge is no number", HELP);
                };
                state.add_text(c.encode_utf8(&mut [0; 4])).map_err(told)?;
            }
            Ok(Event::DocType(words)) if words.contains("<!ENTITY") => {
                return refuse(line, "entities of one's own are not read", "write what they stand for");
            }
            Ok(
                Event::GeneralRef(_) | Event::DocType(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_),
            ) => {}
        }
    }
}

impl State {
    fn begin(&mut self, element: &BytesStart<'_>, line: usize, empty: bool) -> Result<(), String> {
        if self.text.is_some() {
            return Err("there is an element within a number".to_owned());
        }
        let local = element.local_name();
        let name: &str = local.as_ref();
        if matches!(name, "node" | "edge" | "hyperedge") && !self.in_graph {
            return Err(format!("a {name} outside of a graph"));
        }
        check_attributes(element)?;
        match name {
            "graph" => self.begin_graph(element, empty)?,
            "key" => self.begin_key(element, empty)?,
            "default" if self.in_weight_key && !empty => self.text = Some(Text::Default(String::new())),
            "node" => {
                let id = attribute(element, "id")?.ok_or("a node without an id")?;
                let node = self.number(&id, line)? as usize;
                if std::mem::replace(&mut self.wanted[node], 0) == 0 {
                    return Err(format!("a second node with the id '{}'", shown(&id)));
                }
            }
            "edge" => self.begin_edge(element, line, empty)?,
            "data" if self.in_edge && self.weight_key.is_some() => self.begin_data(element, empty)?,
            "hyperedge" => return Err("hyperedges are not read".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn begin_graph(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), String> {
        if self.in_graph {
            return Err("a graph within a graph is not read".to_owned());
        }
        self.graphs += 1;
        if self.graphs > 1 {
            return Err("a second graph is not read".to_owned());
        }
        self.in_graph = !empty;
        self.directed = match attribute(element, "edgedefault")?.as_deref() {
            Some("directed") => true,
            Some("undirected") | None => false,
            Some(_) => return Err("edgedefault is neither directed nor undirected".to_owned()),
        };
        Ok(())
    }

    fn begin_key(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), String> {
        let of = attribute(element, "for")?;
        let of_edges = of.is_none_or(|of| matches!(of.as_str(), "edge" | "all"));
        if of_edges && attribute(element, "attr.name")?.as_deref() == Some("weight") {
            if self.weight_key.is_some() {
                return Err("a second key of weights".to_owned());
            }
            self.weight_key = Some(attribute(element, "id")?.ok_or("a key without an id")?);
            self.in_weight_key = !empty;
        }
        Ok(())
    }

    fn begin_edge(&mut self, element: &BytesStart<'_>, line: usize, empty: bool) -> Result<(), String> {
        if self.in_edge {
            return Err("an edge within an edge".to_owned());
        }
        if let Some(own) = attribute(element, "directed")?
            && own != self.directed.to_string()
        {
            return Err("edges with and without directions in one graph are not read".to_owned());
        }
        let source = attribute(element, "source")?.ok_or("an edge without a source")?;
        let target = attribute(element, "target")?.ok_or("an edge without a target")?;
        let (a, b) = (self.number(&source, line)?, self.number(&target, line)?);
        if !self.edges.push(a, b, self.default_weight) {
            return Err(format!("more than {EDGES_MAX} edges"));
        }
        self.in_edge = !empty;
        Ok(())
    }

    fn begin_data(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), String> {
        if attribute(element, "key")? != self.weight_key {
            return Ok(());
        }
        if empty {
            return Err("the weight of an edge is no number".to_owned());
        }
        self.text = Some(Text::Weight(String::new()));
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), String> {
        match name {
            "graph" => self.in_graph = false,
            "edge" => self.in_edge = false,
            "key" => self.in_weight_key = false,
            _ => {}
        }
        match self.text.take() {
            None => {}
            Some(Text::Weight(text)) => self.edges.weigh_last(weight(&text)?),
            Some(Text::Default(text)) => self.default_weight = Some(weight(&text)?),
        }
        Ok(())
    }

    fn add_text(&mut self, words: &str) -> Result<(), String> {
        if let Some(Text::Weight(text) | Text::Default(text)) = &mut self.text {
            if text.len() + words.len() > WEIGHT_MAX {
                return Err(format!("a weight has more than {WEIGHT_MAX} characters"));
            }
            text.push_str(words);
        }
        Ok(())
    }

    /// The node of this name. One that is new is wanted from this line on.
    fn number(&mut self, name: &str, line: usize) -> Result<u32, String> {
        let number = self.names.number(name).ok_or_else(|| format!("more than {NODES_MAX} nodes"))?;
        if self.names.len() > self.wanted.len() {
            self.wanted.push(line);
        }
        Ok(number)
    }

    fn finish(self, line: usize) -> Result<Named, ReadError> {
        if self.depth > 0 {
            return refuse(line, "it ends within an element: the rest is missing", HELP);
        }
        if self.graphs == 0 {
            return refuse(0, "there is no <graph>", HELP);
        }
        if let Some(node) = self.wanted.iter().position(|line| *line > 0) {
            let name = shown(self.names.name(node as u32));
            let why = format!("an edge leads to '{name}', and there is no such node");
            return refuse(self.wanted[node], why, "add <node id=\"..\"/> for it, or leave the edge out");
        }
        let (graph, dropped) = self.edges.graph(self.names.len(), self.directed);
        Ok(Named { graph, names: self.names.finish(), dropped })
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("the weight of an edge is '{}', which is no number", shown(text)))
}

/// Goes through all attributes, since a look-up stops at the one that it finds.
fn check_attributes(element: &BytesStart<'_>) -> Result<(), String> {
    element
        .attributes()
        .try_for_each(|one| one.map(|_| ()).map_err(|error| format!("a wrong attribute: {error}")))
}

/// The value of an attribute, if it is there.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let found = element.try_get_attribute(name).map_err(|error| format!("a wrong attribute: {error}"))?;
    let Some(found) = found else { return Ok(None) };
    let value = quick_xml::escape::unescape(&found.value)
        .map_err(|error| format!("the attribute '{name}': {error}"))?;
    Ok(Some(value.into_owned()))
}

pub(super) fn write(named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    let weighted = is_weighted(graph);
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n")?;
    if weighted {
        out.write_all(b"  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n")?;
    }
    let default = if graph.is_directed() { "directed" } else { "undirected" };
    writeln!(out, "  <graph edgedefault=\"{default}\">")?;
    let name = |node| escaped(&named.name(node));
    for node in graph.ids() {
        writeln!(out, "    <node id=\"{}\"/>", name(node)?)?;
    }
    for (a, b, weight) in graph.weighted_edge_list() {
        write!(out, "    <edge source=\"{}\" target=\"{}\"", name(a)?, name(b)?)?;
        if weighted {
            writeln!(out, "><data key=\"weight\">{weight}</data></edge>")?;
        } else {
            out.write_all(b"/>\n")?;
        }
    }
    out.write_all(b"  </graph>\n</graphml>\n")
}

/// A name as the value of an attribute, in which line ends and tabs would become spaces.
fn escaped(name: &str) -> io::Result<String> {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' => text.push_str("&#9;"),
            '\n' => text.push_str("&#10;"),
            '\r' => text.push_str("&#13;"),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {
                return cannot(format!("XML cannot hold the control character in '{}'", shown(name)));
            }
            _ => text.push(c),
        }
    }
    Ok(text)
}
