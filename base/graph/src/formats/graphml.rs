//! GraphML (Brandes et al., Graph Drawing 2001), by quick-xml.

use std::io::{self, Write};

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::{Named, Names, ReadError, graph_of, is_weighted, refuse};

const HELP: &str = "write <graphml><graph edgedefault=\"undirected\"> with <node id=\"..\"/> and <edge source=\"..\" target=\"..\"/>";

/// What has been read so far.
#[derive(Default)]
struct State {
    names: Names,
    edges: Vec<(u32, u32, Option<f64>)>,
    directed: bool,
    /// The `id` of the key of edge weights.
    weight_key: Option<String>,
    in_graph: bool,
    graphs: usize,
    /// Within an edge's `<data>` of that key.
    in_weight: bool,
    in_edge: bool,
}

pub(super) fn read(text: &str) -> Result<Named, ReadError> {
    let mut reader = Reader::from_str(text);
    let mut state = State::default();
    loop {
        let begin = reader.buffer_position();
        let line = || {
            1 + text.as_bytes()[..(begin as usize).min(text.len())]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
        };
        match reader.read_event() {
            Err(error) => return refuse(line(), format!("no XML: {error}"), HELP),
            Ok(Event::Eof) => break,
            Ok(Event::Start(element)) => {
                state.begin(&element, false).or_else(|why| refuse(line(), why, HELP))?
            }
            Ok(Event::Empty(element)) => {
                state.begin(&element, true).or_else(|why| refuse(line(), why, HELP))?
            }
            Ok(Event::End(element)) => match element.local_name().as_ref() {
                "graph" => state.in_graph = false,
                "edge" => state.in_edge = false,
                "data" => state.in_weight = false,
                _ => {}
            },
            Ok(Event::Text(words)) if state.in_weight => {
                let words: &str = words.as_ref();
                match (words.trim().parse::<f64>(), state.edges.last_mut()) {
                    (Ok(weight), Some(edge)) if weight.is_finite() => edge.2 = Some(weight),
                    _ => return refuse(line(), "the weight of an edge is no number", HELP),
                }
            }
            Ok(_) => {}
        }
    }
    if state.graphs == 0 {
        return refuse(0, "there is no <graph>", HELP);
    }
    let graph = graph_of(state.names.in_order.len(), state.directed, &state.edges);
    Ok(Named::new(graph, state.names.in_order))
}

impl State {
    fn begin(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), String> {
        match element.local_name().as_ref() {
            "graph" => {
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
            }
            "key" => {
                let is = |name: &str, wanted: &str| {
                    attribute(element, name).map(|value| value.as_deref() == Some(wanted))
                };
                if is("for", "edge")? && is("attr.name", "weight")? {
                    self.weight_key = attribute(element, "id")?;
                }
            }
            "node" => {
                let id = attribute(element, "id")?.ok_or("a node without an id")?;
                self.names.number(&id);
            }
            "edge" => {
                if let Some(own) = attribute(element, "directed")?
                    && own != self.directed.to_string()
                {
                    return Err("edges with and without directions in one graph are not read".to_owned());
                }
                let source = attribute(element, "source")?.ok_or("an edge without a source")?;
                let target = attribute(element, "target")?.ok_or("an edge without a target")?;
                let ends = (self.names.number(&source), self.names.number(&target));
                self.edges.push((ends.0, ends.1, None));
                self.in_edge = !empty;
            }
            "data" => {
                self.in_weight = !empty
                    && self.in_edge
                    && self.weight_key.is_some()
                    && attribute(element, "key")? == self.weight_key;
            }
            "hyperedge" => return Err("hyperedges are not read".to_owned()),
            _ => {}
        }
        Ok(())
    }
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
    let name = |node| escape(named.name(node)).into_owned();
    for node in graph.ids() {
        writeln!(out, "    <node id=\"{}\"/>", name(node))?;
    }
    for (a, b, weight) in graph.weighted_edge_list() {
        write!(out, "    <edge source=\"{}\" target=\"{}\"", name(a), name(b))?;
        if weighted {
            writeln!(out, "><data key=\"weight\">{weight}</data></edge>")?;
        } else {
            out.write_all(b"/>\n")?;
        }
    }
    out.write_all(b"  </graph>\n</graphml>\n")
}
