//! Edge lists, as the Stanford Network Analysis Project publishes them.

use std::io::{self, ErrorKind, Read, Write};

use super::edges::{EDGES_MAX, Edges};
use super::{NODES_MAX, Named, Names, ReadError, UNREADABLE, is_weighted, refuse, shown};

const HELP: &str = "write two node numbers a line, apart by spaces, tabs or a comma, and perhaps a weight; comments begin with #";

/// The file is read in pieces of this size; no line is longer.
const PIECE: usize = 1 << 18;

/// A file may have so many nodes without edges, and [`NODES_FOR_EDGE`] more for each edge that it has: a comment of a few bytes
/// must not take gigabytes.
const NODES_FREE: u64 = 1 << 24;
const NODES_FOR_EDGE: u64 = 64;

pub(super) fn read(from: &mut dyn Read) -> Result<Named, ReadError> {
    let mut list = List::default();
    let mut piece = vec![0; PIECE];
    // The beginning of a line whose end has not been read yet.
    let mut held = 0;
    loop {
        let count = match from.read(&mut piece[held..]) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return refuse(list.line + 1, format!("it cannot be read: {error}"), UNREADABLE),
        };
        let filled = held + count;
        if count == 0 {
            list.lines(&piece[..filled])?;
            return list.finish();
        }
        let last = piece[held..filled].iter().rposition(|byte| *byte == b'\n');
        let whole = last.map_or(0, |last| held + last + 1);
        if whole == 0 && filled == PIECE {
            return refuse(list.line + 1, format!("the line is longer than {PIECE} bytes"), HELP);
        }
        list.lines(&piece[..whole])?;
        piece.copy_within(whole..filled, 0);
        held = filled - whole;
    }
}

/// What has been read so far.
#[derive(Default)]
struct List {
    /// The edges, as long as all numbers fit into 32 bits.
    edges: Edges,
    /// The edges, once one did not.
    wide: Vec<(u64, u64)>,
    greatest: u64,
    directed: bool,
    /// How many nodes there are, as a comment says, and in which line.
    nodes: Option<(u64, usize)>,
    /// How many edges there are, as a comment says.
    promised: u64,
    line: usize,
}

impl List {
    /// Reads whole lines.
    fn lines(&mut self, mut bytes: &[u8]) -> Result<(), ReadError> {
        if self.line == 0 {
            bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        }
        while !bytes.is_empty() {
            self.line += 1;
            if let Some((a, b, rest)) = plain_edge(bytes) {
                self.push(a, b, None)?;
                bytes = rest;
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
            self.any_line(bytes[..end].trim_ascii())?;
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
        Ok(())
    }

    fn any_line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        match line {
            [] => Ok(()),
            [b'#' | b'%', comment @ ..] => {
                self.comment(&String::from_utf8_lossy(comment));
                Ok(())
            }
            _ => {
                let (a, b, weight) = edge(self.line, line)?;
                self.push(a, b, weight)
            }
        }
    }

    /// What SNAP's comments say: `Directed graph`, `Undirected graph`, `Nodes: 7 Edges: 9`. They count the lines.
    fn comment(&mut self, comment: &str) {
        let mut words = comment.split_whitespace();
        let mut before = "";
        while let Some(word) = words.next() {
            match (before, word) {
                ("Directed", "graph" | "graph:") => self.directed = true,
                ("Undirected", "graph" | "graph:") => self.directed = false,
                (_, "Nodes:") => {
                    let count = words.next().and_then(|count| count.parse().ok());
                    self.nodes = count.map(|count| (count, self.line));
                }
                (_, "Edges:") => {
                    self.promised = words.next().and_then(|count| count.parse().ok()).unwrap_or(0);
                }
                _ => {}
            }
            before = word;
        }
    }

    #[inline]
    fn push(&mut self, a: u64, b: u64, weight: Option<f64>) -> Result<(), ReadError> {
        self.greatest = self.greatest.max(a).max(b);
        let fits = if self.greatest <= u64::from(u32::MAX) {
            self.edges.push(a as u32, b as u32, weight)
        } else {
            self.push_wide(a, b, weight)
        };
        if fits {
            Ok(())
        } else {
            refuse(self.line, format!("more than {EDGES_MAX} edges"), "split the graph")
        }
    }

    #[cold]
    fn push_wide(&mut self, a: u64, b: u64, weight: Option<f64>) -> bool {
        if self.wide.is_empty() {
            self.wide = self.edges.ends.iter().map(|&(a, b)| (u64::from(a), u64::from(b))).collect();
        }
        self.wide.push((a, b));
        // The narrow list goes on holding the weights.
        self.edges.push(0, 0, weight)
    }

    fn finish(mut self) -> Result<Named, ReadError> {
        let count = self.edges.ends.len() as u64;
        if count < self.promised {
            let why = format!("it ends after {count} edges, and a comment promises {}", self.promised);
            return refuse(self.line, why, "fetch the rest, or leave 'Edges:' out if that is all");
        }
        let greatest = (count > 0).then_some(self.greatest);
        // Numbers as they are, where every one of them is a node; otherwise in their order.
        if let Some((nodes, line)) = self.nodes.filter(|(nodes, _)| greatest.is_none_or(|most| most < *nodes))
        {
            if nodes > NODES_MAX as u64 || nodes > NODES_FREE + count * NODES_FOR_EDGE {
                let why = format!("{nodes} nodes are too many for {count} edges");
                return refuse(line, why, "leave 'Nodes:' out: then the nodes are those that have edges");
            }
            return Ok(self.named(nodes as usize, Names::Plain));
        }
        let ids = if self.wide.is_empty() { self.place_narrow() } else { self.place_wide() };
        if ids.len() > NODES_MAX {
            return refuse(0, format!("{} nodes are more than {NODES_MAX}", ids.len()), "split the graph");
        }
        let count = ids.len();
        let plain = ids.last().is_none_or(|last| *last == count as u64 - 1);
        Ok(self.named(count, if plain { Names::Plain } else { Names::Numbers(ids) }))
    }

    fn named(self, nodes: usize, names: Names) -> Named {
        let (graph, dropped) = self.edges.graph(nodes, self.directed);
        Named { graph, names, dropped }
    }

    /// Replaces numbers by their places in their order, and returns them.
    fn place_narrow(&mut self) -> Vec<u64> {
        let ends = &mut self.edges.ends;
        let words = self.greatest as usize / 64 + 1;
        if words > ends.len() + PIECE {
            // Numbers far apart: sorting them takes less than a bit for each that there might be.
            let mut ids: Vec<u32> = ends.iter().flat_map(|&(a, b)| [a, b]).collect();
            ids.sort_unstable();
            ids.dedup();
            let place = |id: u32| ids.partition_point(|other| *other < id) as u32;
            ends.iter_mut().for_each(|(a, b)| (*a, *b) = (place(*a), place(*b)));
            return ids.into_iter().map(u64::from).collect();
        }
        let mut there = vec![0u64; words];
        for &(a, b) in ends.iter() {
            there[a as usize / 64] |= 1 << (a % 64);
            there[b as usize / 64] |= 1 << (b % 64);
        }
        let mut before = Vec::with_capacity(words);
        let mut count = 0u32;
        for word in &there {
            before.push(count);
            count += word.count_ones();
        }
        if u64::from(count) <= self.greatest {
            let place = |id: u32| {
                let word = id as usize / 64;
                before[word] + (there[word] & ((1 << (id % 64)) - 1)).count_ones()
            };
            ends.iter_mut().for_each(|(a, b)| (*a, *b) = (place(*a), place(*b)));
        }
        let ids = (0u64..).zip(&there).flat_map(|(index, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit)
        });
        ids.collect()
    }

    fn place_wide(&mut self) -> Vec<u64> {
        let wide = std::mem::take(&mut self.wide);
        let mut ids: Vec<u64> = wide.iter().flat_map(|&(a, b)| [a, b]).collect();
        ids.sort_unstable();
        ids.dedup();
        let place = |id: u64| ids.partition_point(|other| *other < id) as u32;
        for (end, &(a, b)) in self.edges.ends.iter_mut().zip(&wide) {
            *end = (place(a), place(b));
        }
        ids
    }
}

/// Two numbers and nothing else, which most lines are; and what comes after the line.
#[inline]
fn plain_edge(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (a, rest) = number(bytes)?;
    let [b'\t' | b' ' | b',', rest @ ..] = rest else { return None };
    let (b, rest) = number(rest)?;
    match rest {
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some((a, b, rest)),
        _ => None,
    }
}

/// The number that `bytes` begin with, if it has at most 19 digits, and what comes after it.
#[inline]
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (index > 0).then(|| (value, &bytes[index..]));
        }
        if index == 19 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    None
}

/// An edge and perhaps its weight, however it is written.
fn edge(number: usize, line: &[u8]) -> Result<(u64, u64, Option<f64>), ReadError> {
    let Ok(line) = str::from_utf8(line) else {
        let found = shown(&String::from_utf8_lossy(line));
        return refuse(number, format!("'{found}' is no text"), HELP);
    };
    let mut fields = line.split(|c: char| c.is_whitespace() || c == ',').filter(|field| !field.is_empty());
    let (Some(a), Some(b)) = (fields.next(), fields.next()) else {
        return refuse(number, format!("'{}' is no edge, which has two ends", shown(line)), HELP);
    };
    let end = |field: &str| {
        let digits = field.bytes().all(|byte| byte.is_ascii_digit());
        field.parse::<u64>().ok().filter(|_| digits).map_or_else(
            || {
                let why = if digits { "is above 2^64" } else { "is no node number" };
                refuse(number, format!("'{}' {why}", shown(field)), HELP)
            },
            Ok,
        )
    };
    let (a, b) = (end(a)?, end(b)?);
    let weight = match fields.next() {
        None => None,
        Some(field) => match field.parse::<f64>() {
            Ok(weight) if weight.is_finite() => Some(weight),
            _ => return refuse(number, format!("'{}' is no weight", shown(field)), HELP),
        },
    };
    match fields.next() {
        Some(_) => refuse(number, "there is more than an edge and a weight", HELP),
        None => Ok((a, b, weight)),
    }
}

/// Names are written where all of them are numbers, ascending, and every node has an edge by which it is known; otherwise the
/// numbers of the nodes are.
pub(super) fn write(named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    let numbers = numbers_of(named);
    writeln!(out, "# {} graph", if graph.is_directed() { "Directed" } else { "Undirected" })?;
    if numbers.is_some() {
        writeln!(out, "# Edges: {}", graph.edges())?;
    } else {
        writeln!(out, "# Nodes: {} Edges: {}", graph.nodes(), graph.edges())?;
    }
    let weighted = is_weighted(graph);
    let mut text = Vec::with_capacity(PIECE + 512);
    let end = |id: u32| numbers.as_ref().map_or(u64::from(id), |numbers| numbers[id as usize]);
    for (a, b, weight) in graph.weighted_edge_list() {
        decimal(&mut text, end(a.0));
        text.push(b'\t');
        decimal(&mut text, end(b.0));
        if weighted {
            write!(text, "\t{weight}")?;
        }
        text.push(b'\n');
        if text.len() >= PIECE {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

/// The numbers by which a file can call the nodes.
fn numbers_of(named: &Named) -> Option<Vec<u64>> {
    let numbers = match &named.names {
        Names::Plain => return None,
        Names::Numbers(numbers) => numbers.clone(),
        Names::Words(words) => {
            let number = |word: &String| word.parse::<u64>().ok().filter(|id| id.to_string() == *word);
            words.iter().map(number).collect::<Option<_>>()?
        }
    };
    let mut known = vec![false; numbers.len()];
    for (a, b) in named.graph.edge_list() {
        (known[a.index()], known[b.index()]) = (true, true);
    }
    let ascending = numbers.windows(2).all(|two| two[0] < two[1]);
    (ascending && known.iter().all(|known| *known)).then_some(numbers)
}

/// Writes a number, as `write!` does, several times faster.
fn decimal(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[first..]);
}
