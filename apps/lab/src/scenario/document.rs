//! A scenario's text as a tree in which every value knows where it stands, and the problems found in it.

use std::fmt::Write;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    List(Vec<Item>),
    Table(Table),
}

/// Keys and values, as they were written.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// One key and its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) item: Item,
}

/// Where something was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// At these bytes of the file.
    File(Range<usize>),
    /// In this override, `path=value`.
    Override(String),
}

/// Something wrong in a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) help: String,
    /// The line of another file that it is about.
    pub(crate) quote: Option<Box<Quote>>,
}

/// A place in a file that the scenario names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Quote {
    /// As the scenario names it.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Characters of the line before the place.
    pub(crate) column: usize,
    /// Characters of the place.
    pub(crate) width: usize,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { place, what: what.into(), help: help.into(), quote: None }
    }
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Value {
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        if let Self::Float(number) = self {
            Some(*number)
        } else {
            self.as_integer().map(|whole| whole as f64)
        }
    }

    pub(crate) fn as_flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    pub(crate) fn as_list(&self) -> Option<&[Item]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    /// The kind of value, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// So many mistakes of syntax are told, one a line: those after them are often no mistakes.
const MISTAKES_MAX: usize = 10;

/// Parses the text of a scenario.
///
/// # Errors
/// The places where it is no TOML, or has values that no scenario has. Keys are checked only when there are none.
pub(crate) fn parse(text: &str) -> Result<Table, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = Vec::new();
    let mut lines_told: Vec<usize> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count();
        // What follows a mistake on its line is most often its echo.
        if problems.len() < MISTAKES_MAX && !lines_told.contains(&line) {
            lines_told.push(line);
            problems.push(mistake(text, span, error.message()));
        }
        if error.message().starts_with(LACKS_COMMA) {
            // All that follows is taken for items of the list.
            break;
        }
    }
    if problems.is_empty() {
        let table = convert_table(table.get_ref(), &mut problems);
        if problems.is_empty() {
            return Ok(table);
        }
    }
    Err(problems)
}

/// How the parser begins what it says of a list that goes on without a comma.
const LACKS_COMMA: &str = "missing comma between array elements";
/// What helps where nothing better is known.
const TOML: &str = "a scenario is a TOML file: https://toml.io tells how they are written";

/// A mistake of syntax, in words for people who do not know the parser.
fn mistake(text: &str, span: Range<usize>, message: &str) -> Problem {
    let marked = text.get(span.clone()).unwrap_or_default().trim();
    let rest = text.get(span.start..).unwrap_or_default();
    let word: String = if marked.is_empty() {
        rest.chars().take_while(|c| !c.is_whitespace() && *c != ',').take(60).collect()
    } else {
        marked.chars().take(60).collect()
    };
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let (what, help) = if message.starts_with("duplicate key") {
        (format!("'{marked}' is there twice"), "write each key and each [table] once".to_owned())
    } else if message.starts_with("string values must be quoted") {
        if word.is_empty() || word.starts_with('#') {
            ("there is no value".to_owned(), "write one after the '='".to_owned())
        } else {
            (
                format!("'{word}' is neither a number nor a text"),
                format!("write texts and spans of time in quotes: \"{word}\""),
            )
        }
    } else if message.starts_with("key with no value") {
        ("there is a key without '=' and a value".to_owned(), "write it as key = value".to_owned())
    } else if let Some(rest) = message.strip_prefix("unclosed ") {
        let (what, end) = rest.split_once(", expected ").unwrap_or((rest, "its end"));
        (format!("this {what} is not closed"), format!("close it with {end}"))
    } else if message.starts_with(LACKS_COMMA) {
        let what = "the list before this is not closed, or lacks a comma";
        (what.to_owned(), "put commas between its items, and close it with ]".to_owned())
    } else if message.starts_with("invalid basic string, expected `\"`") {
        let help = "close it with \", or write a text of several lines between \"\"\" and \"\"\"";
        ("this text has no end".to_owned(), help.to_owned())
    } else {
        match message.split_once(", expected ") {
            Some((what, wanted)) if wanted != "nothing" => (what.to_owned(), format!("expected is {wanted}")),
            Some((what, _)) => (what.to_owned(), TOML.to_owned()),
            None => (message, TOML.to_owned()),
        }
    };
    Problem::new(Place::File(span), what, help)
}

fn convert_table(table: &DeTable<'_>, problems: &mut Vec<Problem>) -> Table {
    let entries = table.iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        place: Place::File(key.span()),
        item: convert(value.get_ref(), value.span(), problems),
    });
    let mut table = Table { entries: entries.collect() };
    // In the order of writing, whatever order the parser keeps.
    table.entries.sort_by_key(|entry| match &entry.place {
        Place::File(span) => span.start,
        Place::Override(_) => 0,
    });
    table
}

/// The value; where it is one that no scenario has, that is a problem, and something else stands for it.
fn convert(value: &DeValue<'_>, span: Range<usize>, problems: &mut Vec<Problem>) -> Item {
    let mut problem =
        |what: &str, help: &str| problems.push(Problem::new(Place::File(span.clone()), what, help));
    let converted = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            Value::Integer(i64::from_str_radix(&digits, number.radix()).unwrap_or_else(|_| {
                problem("this number is too large", "all whole numbers are below 2^63");
                0
            }))
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            let parsed = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            Value::Float(parsed.unwrap_or_else(|| {
                problem("this number is not finite", "write an ordinary number");
                0.0
            }))
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => {
            problem("this is a date", "times are spans since the beginning of the run, such as \"40s\"");
            Value::Flag(false)
        }
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(item.get_ref(), item.span(), problems)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, problems)),
    };
    Item { place: Place::File(span), value: converted }
}

/// A field is at most so deep: no scenario's is deeper than half of it.
const STEPS_MAX: usize = 8;

impl Table {
    /// Sets the field at a dotted path, as in `links.loss=0.05` or `faults.0.at=30s`. A value that is no TOML is taken for
    /// a text.
    ///
    /// # Errors
    /// When there is no `=`, or the path leads through something that is no table.
    pub(crate) fn set(&mut self, setting: &str) -> Result<(), Problem> {
        let place = Place::Override(setting.to_owned());
        let problem = |what: String, help: &str| Problem::new(place.clone(), what, help);
        let Some((path, text)) = setting.split_once('=') else {
            return Err(problem(
                "there is no '='".to_owned(),
                "write it as FIELD=VALUE, such as links.loss=0.05",
            ));
        };
        let mut item = match parse(&format!("value = {text}")).map(|mut table| table.entries.pop()) {
            Ok(Some(entry)) if entry.key == "value" => entry.item,
            _ => Item { place: place.clone(), value: Value::Text(text.trim().to_owned()) },
        };
        item.move_to(&place);
        let steps: Vec<&str> = path.split('.').map(str::trim).collect();
        if steps.len() > STEPS_MAX || steps.contains(&"") {
            return Err(problem(
                "this names no field".to_owned(),
                "name one by its path, such as links.loss or faults.0.at",
            ));
        }
        let Some((last, above)) = steps.split_last() else { return Ok(()) };
        let mut table = self;
        let mut steps = above.iter();
        while let Some(step) = steps.next() {
            if table.get(step).is_none()
                && let Some(number) = steps.clone().next().filter(|next| next.parse::<usize>().is_ok())
            {
                let what = format!("there is no number {number} of '{step}': there are none");
                return Err(problem(what, "write the first one in the file"));
            }
            let entry = table.entry(step, &place);
            table = match &mut entry.item.value {
                Value::Table(table) => table,
                Value::List(items) => {
                    let number = steps.next().copied();
                    let count = items.len();
                    let index = number.unwrap_or(last).parse::<usize>().ok();
                    match (index.and_then(|index| items.get_mut(index)), number) {
                        (Some(old), None) => {
                            *old = item;
                            return Ok(());
                        }
                        (Some(Item { value: Value::Table(table), .. }), Some(_)) => table,
                        (Some(_), Some(_)) => {
                            return Err(problem(
                                format!("'{step}' has no tables"),
                                "name an item of the list",
                            ));
                        }
                        (None, _) => {
                            let what = format!("there is no number {} of '{step}'", number.unwrap_or(last));
                            return Err(problem(what, &format!("there are {count}, counted from 0")));
                        }
                    }
                }
                Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) => {
                    return Err(problem(format!("'{step}' is no table"), "name a field of a table"));
                }
            };
        }
        table.entry(last, &place).item = item;
        Ok(())
    }

    /// The entry of this key; a new empty table if there is none.
    fn entry(&mut self, key: &str, place: &Place) -> &mut Entry {
        let index = self.entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            let item = Item { place: place.clone(), value: Value::Table(Self::default()) };
            self.entries.push(Entry { key: key.to_owned(), place: place.clone(), item });
            self.entries.len() - 1
        });
        &mut self.entries[index]
    }
}

impl Item {
    fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Value::Table(table) => {
                for entry in &mut table.entries {
                    entry.place = place.clone();
                    entry.item.move_to(place);
                }
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) => {}
        }
    }
}

/// So many problems are told at most.
const TOLD_MAX: usize = 30;
/// Longer lines are shown in part, in characters.
const LINE_MAX: usize = 110;

/// The problems of a scenario, in the order of its lines, as a person reads them.
pub(crate) fn render(name: &str, text: &str, problems: &[Problem]) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| match &problem.place {
        Place::File(span) => (0, span.start),
        Place::Override(_) => (1, 0),
    });
    sorted.dedup();
    let mut out = String::new();
    for problem in sorted.iter().take(TOLD_MAX) {
        let _ = writeln!(out, "error: {}", shorten(&problem.what));
        match &problem.place {
            Place::File(span) if *span == (0..0) => {
                let _ = writeln!(out, "  --> {name}");
            }
            Place::File(span) => excerpt(&mut out, &quote(name, text, span), "-->"),
            Place::Override(setting) => {
                let _ = writeln!(out, "  --> --set {}", shorten(setting));
            }
        }
        if let Some(quote) = &problem.quote {
            excerpt(&mut out, quote, ":::");
        }
        if !problem.help.is_empty() {
            let _ = writeln!(out, "   = {}", shorten(&problem.help));
        }
        out.push('\n');
    }
    if sorted.len() > TOLD_MAX {
        let _ = writeln!(out, "and {} more", sorted.len() - TOLD_MAX);
    }
    out
}

/// Without control characters, and not endless: values may come into messages as they were written.
fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().map(visible).take(1_000).collect();
    if text.chars().nth(1_000).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> char {
    if c.is_control() || c == '\u{feff}' { ' ' } else { c }
}

/// The line of `text` where `span` begins.
pub(crate) fn quote(file: &str, text: &str, span: &Range<usize>) -> Quote {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    let end = floor(span.end.max(span.start));
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    Quote {
        file: file.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        column: text[begin..start].chars().count(),
        width: text[start..end].chars().take_while(|c| *c != '\n').count().max(1),
        text: text[begin..].lines().next().unwrap_or_default().to_owned(),
    }
}

/// Name, line and column, and the line itself with the place marked.
fn excerpt(out: &mut String, quote: &Quote, arrow: &str) {
    let length = quote.text.chars().count();
    let width = quote.width.min(length.saturating_sub(quote.column).max(1)).min(LINE_MAX);
    // Of a long line, what is around the place.
    let skipped = if length <= LINE_MAX { 0 } else { (quote.column + width + 20).saturating_sub(LINE_MAX) };
    let skipped = skipped.min(quote.column);
    let before = if skipped > 0 { "…" } else { "" };
    let after = if length > skipped + LINE_MAX { "…" } else { "" };
    let shown: String = quote.text.chars().skip(skipped).take(LINE_MAX).map(visible).collect();
    let indent = " ".repeat(quote.column - skipped + usize::from(skipped > 0));
    let margin = " ".repeat(quote.line.to_string().len());
    let _ = writeln!(out, "{margin}{arrow} {}:{}:{}", quote.file, quote.line, quote.column + 1);
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{} | {}", quote.line, format!("{before}{shown}{after}").trim_end());
    let _ = writeln!(out, "{margin} | {indent}{}", "^".repeat(width));
}
