//! What is wrong with a configuration, where, and what to do.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

/// Why a configuration is refused: all that is wrong, each with its place and a remedy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(super) fn unread(path: &Path, error: &std::io::Error) -> Self {
        Self(format!(
            "cannot read {}: {error}\nisles node --example-config prints a configuration to begin with",
            path.display()
        ))
    }

    /// What the reader of TOML complains about, with the nearest name of an unknown key.
    pub(super) fn from_toml(name: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message();
        let mut problems = Problems::new(name, text);
        let (what, remedy) = match message.strip_prefix("unknown field ") {
            Some(rest) => unknown(rest),
            None => match message.strip_prefix("missing field ") {
                Some(field) => {
                    let field = field.replace('`', "'");
                    (format!("{field} is missing"), "isles node --example-config shows every key".to_owned())
                }
                None => match message.split_once("; ") {
                    Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
                    None => (message.replace('`', "'"), String::new()),
                },
            },
        };
        problems.add(error.span().unwrap_or(0..0), &what, &remedy);
        Self(problems.told)
    }
}

/// "`x`, expected one of `a`, `b`" as a problem and its remedy.
fn unknown(rest: &str) -> (String, String) {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(key, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min();
    let remedy = match near {
        Some((_, name)) => format!("did you mean '{name}'?"),
        None => format!("known are {}", known.join(", ")),
    };
    (format!("unknown key '{key}'"), remedy)
}

/// Collects what is wrong with a text.
pub(super) struct Problems<'a> {
    name: &'a str,
    text: &'a str,
    told: String,
}

impl<'a> Problems<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, told: String::new() }
    }

    /// Notes a problem of what was written at `span`.
    pub(super) fn add(&mut self, span: Range<usize>, what: &str, remedy: &str) {
        let start = (0..=span.start.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let before = &self.text[..start.unwrap_or(0)];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let quote = self.text.lines().nth(line - 1).unwrap_or_default();
        let width = span.len().clamp(1, quote.chars().count().saturating_sub(column - 1).max(1));
        let margin = line.to_string().len();
        // Into a text: it cannot fail.
        let _ = writeln!(self.told, "{}: line {line}, column {column}: {what}", self.name);
        let _ = writeln!(self.told, "{:margin$} |\n{line} | {quote}", "");
        let _ =
            writeln!(self.told, "{:margin$} | {:indent$}{}", "", "", "^".repeat(width), indent = column - 1);
        if !remedy.is_empty() {
            let _ = writeln!(self.told, "remedy: {remedy}");
        }
    }

    /// The end: an error if anything was noted.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        if self.told.is_empty() { Ok(()) } else { Err(ConfigError(self.told)) }
    }
}
