//! Parameters of protocols: what `isles list` shows, and what a scenario's tables are checked against.

use std::collections::BTreeMap;

use isles_kernel::{Channel, Span};

use crate::scenario::reader::Reader;

/// One parameter of a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// As scenarios name it.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default, as it would be written.
    pub default: &'static str,
    /// What it does, and where the default comes from, in one line.
    pub doc: &'static str,
}

/// No period is shorter: with none at all, virtual time would stand still.
pub const PERIOD_MIN: Span = Span::micros(1);

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A span of time.
    Span,
    /// A span of time after which something is done again, at least [`PERIOD_MIN`].
    Period,
    /// A whole number within bounds, both included.
    Count(u64, u64),
    /// A whole number within bounds, or none, which is written `0`.
    CountOrNone(u64),
    /// A whole number up to a greatest one, or what these words say, which is written `0`.
    CountOr(u64, &'static str),
    /// A number within bounds, both included.
    Real(f64, f64),
    /// True or false.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The unit or the values, for `isles list`.
    pub fn describe(&self) -> String {
        match self {
            Self::Span => "span of time".to_owned(),
            Self::Period => format!("span of time, at least {PERIOD_MIN}"),
            Self::Count(min, max) => format!("{min} to {max}"),
            Self::CountOrNone(max) => format!("1 to {max}, 0 for none"),
            Self::CountOr(max, words) => format!("1 to {max}, 0 for {words}"),
            Self::Real(min, max) => format!("{min} to {max}, fractions too"),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => words.join(", "),
        }
    }
}

/// Values of a protocol's parameters: a scenario's, or the defaults.
#[derive(Clone, Debug, Default)]
pub struct Values {
    by_name: BTreeMap<&'static str, Setting>,
}

#[derive(Clone, PartialEq, Debug)]
enum Setting {
    Span(Span),
    Count(u64),
    Real(f64),
    Flag(bool),
    Word(String),
}

impl Values {
    /// Reads a table of parameters; problems go to the reader, unknown keys too.
    pub(crate) fn read(params: &'static [Param], table: Option<Reader<'_>>) -> Self {
        let values = Self::read_from(params, table.as_ref());
        if let Some(table) = table {
            table.finish();
        }
        values
    }

    /// Reads parameters out of a table that has other keys, too.
    pub(crate) fn read_from(params: &'static [Param], table: Option<&Reader<'_>>) -> Self {
        let value = |param: &'static Param| {
            let written = table.and_then(|table| read(param, table));
            (param.name, written.unwrap_or_else(|| default(param)))
        };
        Self { by_name: params.iter().map(value).collect() }
    }

    /// All defaults.
    pub fn defaults(params: &'static [Param]) -> Self {
        Self::read(params, None)
    }

    /// # Panics
    /// When the registry has no such parameter of this kind. A test builds every entry.
    fn get<'v, T>(&'v self, name: &str, kind: impl Fn(&'v Setting) -> Option<T>) -> T {
        let value = self.by_name.get(name).and_then(kind);
        value.unwrap_or_else(|| panic!("the registry has no parameter '{name}' of this kind"))
    }

    /// A span of time.
    ///
    /// # Panics
    /// As all getters: when the registry has no such parameter of this kind. A test builds every entry.
    pub fn span(&self, name: &str) -> Span {
        self.get(name, |value| if let Setting::Span(span) = value { Some(*span) } else { None })
    }

    /// A whole number.
    pub fn count(&self, name: &str) -> u64 {
        self.get(name, |value| if let Setting::Count(count) = value { Some(*count) } else { None })
    }

    /// A whole number as an index type.
    pub fn size(&self, name: &str) -> usize {
        usize::try_from(self.count(name)).unwrap_or(usize::MAX)
    }

    /// A whole number, 0 for none.
    pub fn count_or_none(&self, name: &str) -> Option<u64> {
        Some(self.count(name)).filter(|count| *count > 0)
    }

    /// A number.
    pub fn real(&self, name: &str) -> f64 {
        self.get(name, |value| if let Setting::Real(number) = value { Some(*number) } else { None })
    }

    /// True or false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name, |value| if let Setting::Flag(flag) = value { Some(*flag) } else { None })
    }

    /// One of the words that the parameter takes.
    pub fn word(&self, name: &str) -> &str {
        self.get(name, |value| if let Setting::Word(word) = value { Some(word.as_str()) } else { None })
    }

    /// A kind of channel, of the words `stream` and `datagram`.
    pub fn channel(&self, name: &str) -> Channel {
        if self.word(name) == "datagram" { Channel::Datagram } else { Channel::Stream }
    }

    /// All values as they would be written, in the order of their names.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.by_name.iter().map(|(name, setting)| {
            let text = match setting {
                Setting::Span(span) => span.to_string(),
                Setting::Count(count) => count.to_string(),
                Setting::Real(number) => number.to_string(),
                Setting::Flag(flag) => flag.to_string(),
                Setting::Word(word) => word.clone(),
            };
            (*name, text)
        })
    }
}

fn read(param: &'static Param, table: &Reader<'_>) -> Option<Setting> {
    match param.kind {
        Kind::Span => table.span(param.name).map(Setting::Span),
        Kind::Period => {
            let span = table.span(param.name)?;
            if span < PERIOD_MIN {
                let what = format!("'{}' is {span}, which is too short", param.name);
                table.complain(&table.place(param.name), what, format!("write at least \"{PERIOD_MIN}\""));
                return None;
            }
            Some(Setting::Span(span))
        }
        Kind::Count(min, max) => table.count(param.name, min, max).map(Setting::Count),
        Kind::CountOrNone(max) | Kind::CountOr(max, _) => table.count(param.name, 0, max).map(Setting::Count),
        Kind::Real(min, max) => table.number(param.name, min, max).map(Setting::Real),
        Kind::Flag => table.flag(param.name).map(Setting::Flag),
        Kind::Choice(words) => {
            let choices: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
            table.choice(param.name, &choices).map(|word| Setting::Word(word.to_owned()))
        }
    }
}

fn default(param: &Param) -> Setting {
    let text = param.default;
    let parsed = match param.kind {
        Kind::Span | Kind::Period => text.parse().ok().map(Setting::Span),
        Kind::Count(..) | Kind::CountOrNone(_) | Kind::CountOr(..) => text.parse().ok().map(Setting::Count),
        Kind::Real(..) => text.parse().ok().map(Setting::Real),
        Kind::Flag => text.parse().ok().map(Setting::Flag),
        Kind::Choice(words) => words.contains(&text).then(|| Setting::Word(text.to_owned())),
    };
    parsed.unwrap_or_else(|| panic!("'{text}' is no default of '{}'", param.name))
}
