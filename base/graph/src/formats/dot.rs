//! DOT, the language of Graphviz: nodes, edges, chains of edges and their attributes. Subgraphs are about drawing: what is in them
//! is read, and edges that lead to a whole one are refused.
//!
//! Our own reader: the parsers that there are nest as deep as their input does, or panic on what they did not expect.

use std::io::{self, Write};
use std::iter::Peekable;
use std::str::CharIndices;

use super::edges::{EDGES_MAX, Edges};
use super::names::Numbering;
use super::{NODES_MAX, Named, ReadError, is_weighted, refuse, shown};

const HELP: &str = "write graph { a -- b; } or digraph { a -> b [weight=2]; }";

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    /// A name, a number or a text in quotes, which is no keyword.
    Id { word: String, quoted: bool },
    /// `--` or `->`.
    Edge { directed: bool },
    /// One of `{ } [ ] ; , = :`.
    Sign(char),
}

/// Cuts a text into tokens.
struct Tokens<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    line: usize,
    /// A token that was looked at and not taken.
    held: Option<(usize, Token)>,
}

impl Tokens<'_> {
    fn advance(&mut self) -> Option<(usize, char)> {
        let next = self.chars.next();
        self.line += usize::from(next.is_some_and(|(_, c)| c == '\n'));
        next
    }

    fn rest(&mut self) -> &str {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        &self.text[at..]
    }

    /// Spaces and comments.
    fn skip(&mut self) -> Result<(), ReadError> {
        loop {
            let (line, at_start) = (self.line, self.at_line_start());
            let rest = self.rest();
            if rest.starts_with("//") || (rest.starts_with('#') && at_start) {
                while self.advance().is_some_and(|(_, c)| c != '\n') {}
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else { return refuse(line, "a comment has no end", HELP) };
                let end = rest[..end + 2].chars().count();
                (0..end).for_each(|_| {
                    self.advance();
                });
            } else if rest.starts_with(char::is_whitespace) {
                self.advance();
            } else {
                return Ok(());
            }
        }
    }

    fn at_line_start(&mut self) -> bool {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        at == 0 || self.text.as_bytes()[at - 1] == b'\n'
    }

    /// The next token and its line; none at the end.
    fn next(&mut self) -> Result<Option<(usize, Token)>, ReadError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        self.skip()?;
        let line = self.line;
        let Some((_, first)) = self.advance() else { return Ok(None) };
        let token = match first {
            '{' | '}' | '[' | ']' | ';' | ',' | '=' | ':' => Token::Sign(first),
            '-' if self.rest().starts_with(['-', '>']) => {
                Token::Edge { directed: self.advance().is_some_and(|(_, c)| c == '>') }
            }
            '"' => Token::Id { word: self.quoted(line)?, quoted: true },
            '<' => Token::Id { word: self.markup(line)?, quoted: true },
            _ if is_bare(first) || first == '-' => {
                let mut word = String::from(first);
                while let Some((_, c)) = self.chars.next_if(|(_, c)| is_bare(*c)) {
                    word.push(c);
                }
                Token::Id { word, quoted: false }
            }
            other => return refuse(line, format!("'{}' is out of place", other.escape_default()), HELP),
        };
        Ok(Some((line, token)))
    }

    fn quoted(&mut self, line: usize) -> Result<String, ReadError> {
        let mut text = String::new();
        while let Some((_, c)) = self.advance() {
            match c {
                '"' => return Ok(text),
                '\\' => match self.advance() {
                    Some((_, '"')) => text.push('"'),
                    Some((_, '\\')) => text.push('\\'),
                    Some((_, '\n')) => {}
                    Some((_, '\r')) => {
                        self.chars.next_if(|(_, c)| *c == '\n').inspect(|_| self.line += 1);
                    }
                    // Escapes for drawing, such as \l, stay as they are.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        refuse(line, "a quoted text has no end", HELP)
    }

    /// A label in HTML, up to the '>' that closes it.
    fn markup(&mut self, line: usize) -> Result<String, ReadError> {
        let (mut text, mut depth) = (String::new(), 1usize);
        while let Some((_, c)) = self.advance() {
            match c {
                '<' => depth += 1,
                '>' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(text);
            }
            text.push(c);
        }
        refuse(line, "a label in HTML has no end", HELP)
    }

    /// Takes the sign if it is next.
    fn sign(&mut self, wanted: char) -> Result<bool, ReadError> {
        let next = self.next()?;
        let found = next.as_ref().is_some_and(|(_, token)| *token == Token::Sign(wanted));
        if !found {
            self.held = next;
        }
        Ok(found)
    }
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

pub(super) fn read(text: &str) -> Result<Named, ReadError> {
    let mut tokens = Tokens { text, chars: text.char_indices().peekable(), line: 1, held: None };
    let directed = head(&mut tokens)?;
    let mut body =
        Body { tokens, directed, names: Numbering::default(), edges: Edges::default(), defaults: vec![None] };
    while !body.defaults.is_empty() {
        body.next_statement()?;
    }
    if let Some((line, _)) = body.tokens.next()? {
        return refuse(line, "there is something after the graph", HELP);
    }
    let (graph, dropped) = body.edges.graph(body.names.len(), directed);
    Ok(Named { graph, names: body.names.finish(), dropped })
}

/// `strict digraph name {`: whether it is directed.
fn head(tokens: &mut Tokens<'_>) -> Result<bool, ReadError> {
    let mut word = tokens.next()?;
    if word.as_ref().is_some_and(|(_, token)| is_word(token, "strict")) {
        word = tokens.next()?;
    }
    let directed = match &word {
        Some((_, token)) if is_word(token, "digraph") => true,
        Some((_, token)) if is_word(token, "graph") => false,
        Some((line, _)) => return refuse(*line, "it begins neither with graph nor with digraph", HELP),
        None => return refuse(0, "there is nothing in it", HELP),
    };
    if let Some((line, token)) = tokens.next()? {
        match token {
            Token::Sign('{') => return Ok(directed),
            Token::Id { .. } if tokens.sign('{')? => return Ok(directed),
            Token::Id { .. } | Token::Edge { .. } | Token::Sign(_) => {
                return refuse(line, "the graph has no '{'", HELP);
            }
        }
    }
    refuse(tokens.line, "the graph has no '{'", HELP)
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Id { word, quoted: false } if word.eq_ignore_ascii_case(wanted))
}

/// What is between the braces, as far as it has been read.
struct Body<'t> {
    tokens: Tokens<'t>,
    directed: bool,
    names: Numbering,
    edges: Edges,
    /// The weight of edges that do not say theirs, for the graph and each subgraph that has begun and not ended.
    defaults: Vec<Option<f64>>,
}

impl Body<'_> {
    fn next_statement(&mut self) -> Result<(), ReadError> {
        let Some((line, token)) = self.tokens.next()? else {
            return refuse(self.tokens.line, "the graph has no end: a '}' is missing", HELP);
        };
        match token {
            Token::Sign('}') => {
                self.defaults.pop();
                if self.defaults.is_empty() { Ok(()) } else { self.end_of_subgraph() }
            }
            Token::Sign(';' | ',') => Ok(()),
            Token::Sign('{') => {
                self.begin_subgraph();
                Ok(())
            }
            _ if is_word(&token, "subgraph") => {
                let named = self.tokens.next()?;
                if !matches!(named, Some((_, Token::Id { .. }))) {
                    self.tokens.held = named;
                }
                if !self.tokens.sign('{')? {
                    return refuse(line, "a subgraph has no '{'", HELP);
                }
                self.begin_subgraph();
                Ok(())
            }
            Token::Id { .. } => self.statement(line, &token),
            Token::Edge { .. } | Token::Sign(_) => {
                refuse(line, "a statement begins with the name of a node", HELP)
            }
        }
    }

    /// A subgraph has the defaults of what it is in.
    fn begin_subgraph(&mut self) {
        self.defaults.push(self.default_weight());
    }

    fn end_of_subgraph(&mut self) -> Result<(), ReadError> {
        let next = self.tokens.next()?;
        if let Some((line, Token::Edge { .. })) = next {
            return refuse(line, "edges from a subgraph are not read", "write one for each of its nodes");
        }
        self.tokens.held = next;
        Ok(())
    }

    fn default_weight(&self) -> Option<f64> {
        self.defaults.last().copied().flatten()
    }

    /// `a -- b -- c [weight=2]`, `a [..]`, `node [..]` or `key = value`.
    fn statement(&mut self, line: usize, first: &Token) -> Result<(), ReadError> {
        let Token::Id { word, .. } = first else { return Ok(()) };
        if self.tokens.sign('=')? {
            return value(&mut self.tokens, line).map(|_| ());
        }
        if is_word(first, "graph") || is_word(first, "node") {
            return attributes(&mut self.tokens).map(|_| ());
        }
        if is_word(first, "edge") {
            let weight = attributes(&mut self.tokens)?;
            if let (Some(_), Some(default)) = (weight, self.defaults.last_mut()) {
                *default = weight;
            }
            return Ok(());
        }
        let mut chain = vec![self.node(line, word)?];
        while let Some((line, token)) = self.tokens.next()? {
            let Token::Edge { directed } = token else {
                self.tokens.held = Some((line, token));
                break;
            };
            if directed != self.directed {
                return refuse(line, "edges are -- in a graph and -> in a digraph", HELP);
            }
            match self.tokens.next()? {
                Some((line, Token::Id { word, .. })) => chain.push(self.node(line, &word)?),
                Some((line, Token::Sign('{'))) => {
                    return refuse(
                        line,
                        "edges to a subgraph are not read",
                        "write one for each of its nodes",
                    );
                }
                Some(_) | None => return refuse(line, "an edge does not lead to a node", HELP),
            }
        }
        let weight = attributes(&mut self.tokens)?.or(self.default_weight());
        for two in chain.windows(2) {
            if !self.edges.push(two[0], two[1], weight) {
                return refuse(line, format!("more than {EDGES_MAX} edges"), "split the graph");
            }
        }
        Ok(())
    }

    /// The node of this name, whose `:port` is about drawing.
    fn node(&mut self, line: usize, name: &str) -> Result<u32, ReadError> {
        let Some(number) = self.names.number(name) else {
            return refuse(line, format!("more than {NODES_MAX} nodes"), "split the graph");
        };
        while self.tokens.sign(':')? {
            value(&mut self.tokens, line)?;
        }
        Ok(number)
    }
}

fn value(tokens: &mut Tokens<'_>, line: usize) -> Result<String, ReadError> {
    match tokens.next()? {
        Some((_, Token::Id { word, .. })) => Ok(word),
        Some((line, _)) => refuse(line, "a value is missing", HELP),
        None => refuse(line, "a value is missing", HELP),
    }
}

/// Any number of `[a=b, c=d]`: the weight that they give.
fn attributes(tokens: &mut Tokens<'_>) -> Result<Option<f64>, ReadError> {
    let mut weight = None;
    while tokens.sign('[')? {
        loop {
            match tokens.next()? {
                Some((_, Token::Sign(']'))) => break,
                Some((_, Token::Sign(',' | ';'))) => {}
                Some((line, Token::Id { word: key, .. })) => {
                    if !tokens.sign('=')? {
                        return refuse(line, "an attribute has no value", HELP);
                    }
                    let value = value(tokens, line)?;
                    if key == "weight" {
                        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
                        let Some(number) = number else {
                            return refuse(
                                line,
                                format!("the weight '{}' is no number", shown(&value)),
                                HELP,
                            );
                        };
                        weight = Some(number);
                    }
                }
                Some((line, _)) => return refuse(line, "an attribute begins with its name", HELP),
                None => return refuse(tokens.line, "attributes have no end: a ']' is missing", HELP),
            }
        }
    }
    Ok(weight)
}

pub(super) fn write(named: &Named, out: &mut impl Write) -> io::Result<()> {
    let graph = &named.graph;
    let weighted = is_weighted(graph);
    let quote = |node| format!("\"{}\"", named.name(node).replace('\\', "\\\\").replace('"', "\\\""));
    let (head, edge) = if graph.is_directed() { ("digraph", "->") } else { ("graph", "--") };
    writeln!(out, "{head} {{")?;
    for node in graph.ids() {
        writeln!(out, "  {};", quote(node))?;
    }
    for (a, b, weight) in graph.weighted_edge_list() {
        write!(out, "  {} {edge} {}", quote(a), quote(b))?;
        if weighted {
            write!(out, " [weight=\"{weight}\"]")?;
        }
        out.write_all(b";\n")?;
    }
    out.write_all(b"}\n")
}
