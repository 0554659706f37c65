//! DOT, the language of Graphviz: nodes, edges, chains of edges and their attributes. Subgraphs are refused: they are about drawing.
//!
//! Our own reader: the parsers that there are nest as deep as their input does, or panic on what they did not expect.

use std::io::{self, Write};
use std::iter::Peekable;
use std::str::CharIndices;

use super::{Named, Names, ReadError, graph_of, is_weighted, refuse};

const HELP: &str = "write graph { a -- b; } or digraph { a -> b [weight=2]; }";

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    /// A name, a number or a quoted text.
    Id(String),
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
            '"' => Token::Id(self.quoted(line)?),
            '<' => return refuse(line, "HTML labels are not read", HELP),
            _ if is_bare(first) || first == '-' => {
                let mut word = String::from(first);
                while let Some((_, c)) = self.chars.next_if(|(_, c)| is_bare(*c)) {
                    word.push(c);
                }
                Token::Id(word)
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
                    // Escapes for drawing, such as \l, stay as they are.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        refuse(line, "a quoted text has no end", HELP)
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
    let mut names = Names::default();
    let mut edges = Vec::new();
    loop {
        match tokens.next()? {
            None => return refuse(tokens.line, "the graph has no end", HELP),
            Some((_, Token::Sign('}'))) => break,
            Some((_, Token::Sign(';' | ','))) => {}
            Some((line, Token::Sign('{'))) => return refuse(line, "subgraphs are not read", HELP),
            Some((line, Token::Id(word))) => {
                statement(&mut tokens, line, &word, directed, &mut names, &mut edges)?
            }
            Some((line, _)) => return refuse(line, "a statement begins with the name of a node", HELP),
        }
    }
    if let Some((line, _)) = tokens.next()? {
        return refuse(line, "there is something after the graph", HELP);
    }
    let graph = graph_of(names.in_order.len(), directed, &edges);
    Ok(Named::new(graph, names.in_order))
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
            Token::Id(_) if tokens.sign('{')? => return Ok(directed),
            Token::Id(_) | Token::Edge { .. } | Token::Sign(_) => {
                return refuse(line, "the graph has no '{'", HELP);
            }
        }
    }
    refuse(tokens.line, "the graph has no '{'", HELP)
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Id(word) if word.eq_ignore_ascii_case(wanted))
}

/// `a -- b -- c [weight=2]`, `a [..]`, `node [..]` or `key = value`.
fn statement(
    tokens: &mut Tokens<'_>,
    line: usize,
    first: &str,
    directed: bool,
    names: &mut Names,
    edges: &mut Vec<(u32, u32, Option<f64>)>,
) -> Result<(), ReadError> {
    if first.eq_ignore_ascii_case("subgraph") {
        return refuse(line, "subgraphs are not read", HELP);
    }
    if tokens.sign('=')? {
        return value(tokens, line).map(|_| ());
    }
    if ["graph", "node", "edge"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return attributes(tokens).map(|_| ());
    }
    let mut last = names.number(first);
    port(tokens)?;
    let begin = edges.len();
    loop {
        match tokens.next()? {
            Some((line, Token::Edge { directed: arrow })) if arrow == directed => {
                let Some((_, Token::Id(word))) = tokens.next()? else {
                    return refuse(line, "an edge does not lead to a node", HELP);
                };
                let next = names.number(&word);
                port(tokens)?;
                edges.push((last, next, None));
                last = next;
            }
            Some((line, Token::Edge { .. })) => {
                return refuse(line, "edges are -- in a graph and -> in a digraph", HELP);
            }
            other => {
                tokens.held = other;
                break;
            }
        }
    }
    if let Some(weight) = attributes(tokens)? {
        edges[begin..].iter_mut().for_each(|edge| edge.2 = Some(weight));
    }
    Ok(())
}

/// `:port`, which is about drawing.
fn port(tokens: &mut Tokens<'_>) -> Result<(), ReadError> {
    while tokens.sign(':')? {
        value(tokens, tokens.line)?;
    }
    Ok(())
}

fn value(tokens: &mut Tokens<'_>, line: usize) -> Result<String, ReadError> {
    match tokens.next()? {
        Some((_, Token::Id(value))) => Ok(value),
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
                Some((line, Token::Id(key))) => {
                    if !tokens.sign('=')? {
                        return refuse(line, "an attribute has no value", HELP);
                    }
                    let value = value(tokens, line)?;
                    if key == "weight" {
                        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
                        let Some(number) = number else { return refuse(line, "a weight is no number", HELP) };
                        weight = Some(number);
                    }
                }
                Some((line, _)) => return refuse(line, "an attribute begins with its name", HELP),
                None => return refuse(tokens.line, "attributes have no end", HELP),
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
