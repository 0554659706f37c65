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
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Value {
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

/// Parses the text of a scenario.
///
/// # Errors
/// The first place where it is no TOML.
pub(crate) fn parse(text: &str) -> Result<Table, Problem> {
    match DeTable::parse(text) {
        Ok(table) => convert_table(table.get_ref()),
        Err(error) => Err(Problem {
            place: Place::File(error.span().unwrap_or(0..0)),
            what: one_line(error.message()),
            help: "a scenario is a TOML file".to_owned(),
        }),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn convert_table(table: &DeTable<'_>) -> Result<Table, Problem> {
    let entries = table.iter().map(|(key, value)| {
        Ok(Entry {
            key: key.get_ref().to_string(),
            place: Place::File(key.span()),
            item: convert(value.get_ref(), value.span())?,
        })
    });
    let mut table = Table { entries: entries.collect::<Result<_, Problem>>()? };
    // In the order of writing, whatever order the parser keeps.
    table.entries.sort_by_key(|entry| match &entry.place {
        Place::File(span) => span.start,
        Place::Override(_) => 0,
    });
    Ok(table)
}

fn convert(value: &DeValue<'_>, span: Range<usize>) -> Result<Item, Problem> {
    let problem = |what: &str, help: &str| Problem {
        place: Place::File(span.clone()),
        what: what.to_owned(),
        help: help.to_owned(),
    };
    let converted = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let parsed = i64::from_str_radix(&digits, number.radix());
            Value::Integer(parsed.map_err(|_| problem("this number is too large", "use a smaller one"))?)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            let parsed = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            Value::Float(parsed.ok_or_else(|| problem("this number is not finite", "use an ordinary one"))?)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => {
            return Err(problem(
                "this is a date",
                "times are spans since the beginning of the run, such as \"40s\"",
            ));
        }
        DeValue::Array(items) => {
            let items = items.iter().map(|item| convert(item.get_ref(), item.span()));
            Value::List(items.collect::<Result<_, Problem>>()?)
        }
        DeValue::Table(table) => Value::Table(convert_table(table)?),
    };
    Ok(Item { place: Place::File(span), value: converted })
}

impl Table {
    /// Sets the field at a dotted path, as in `links.loss=0.05` or `faults.0.at=30s`. A value that is no TOML is taken for
    /// a text.
    ///
    /// # Errors
    /// When there is no `=`, or the path leads through something that is no table.
    pub(crate) fn set(&mut self, setting: &str) -> Result<(), Problem> {
        let place = Place::Override(setting.to_owned());
        let problem =
            |what: String, help: &str| Problem { place: place.clone(), what, help: help.to_owned() };
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
        let steps: Vec<&str> = path.trim().split('.').collect();
        let Some((last, above)) = steps.split_last() else { return Ok(()) };
        let mut table = self;
        let mut steps = above.iter();
        while let Some(step) = steps.next() {
            let entry = table.entry(step, &place);
            table = match &mut entry.item.value {
                Value::Table(table) => table,
                Value::List(items) => {
                    let number = steps.next().copied().unwrap_or_default();
                    let count = items.len();
                    let index = number.parse::<usize>().ok().filter(|index| *index < count);
                    match index.and_then(|index| items.get_mut(index)).map(|item| &mut item.value) {
                        Some(Value::Table(table)) => table,
                        _ => {
                            let what = format!("'{step}' has no table number '{number}'");
                            return Err(problem(what, &format!("{step} has {count}, counted from 0")));
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

/// The problems of a scenario, in the order of its lines, as a person reads them.
pub(crate) fn render(name: &str, text: &str, problems: &[Problem]) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| match &problem.place {
        Place::File(span) => (0, span.start),
        Place::Override(_) => (1, 0),
    });
    sorted.dedup();
    let mut out = String::new();
    for problem in sorted {
        let _ = writeln!(out, "error: {}", problem.what);
        match &problem.place {
            Place::File(span) => excerpt(&mut out, name, text, span),
            Place::Override(setting) => {
                let _ = writeln!(out, "  --> --set {setting}");
            }
        }
        if !problem.help.is_empty() {
            let _ = writeln!(out, "   = {}", problem.help);
        }
        out.push('\n');
    }
    out
}

/// Name, line and column, and the line itself with the place marked.
fn excerpt(out: &mut String, name: &str, text: &str, span: &Range<usize>) {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(span.start), floor(span.end.max(span.start)));
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    let number = text[..start].matches('\n').count() + 1;
    let column = text[begin..start].chars().count();
    let width = text[start..end].chars().take_while(|c| *c != '\n').count().max(1);
    let width = width.min(line.chars().count().saturating_sub(column).max(1));
    let margin = " ".repeat(number.to_string().len());
    let shown: String = line.chars().map(|c| if c == '\t' || c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(out, "{margin}--> {name}:{number}:{}", column + 1);
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{number} | {shown}");
    let _ = writeln!(out, "{margin} | {}{}", " ".repeat(column), "^".repeat(width));
}
