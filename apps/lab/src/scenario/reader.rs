//! Taking values out of a table, with problems instead of exceptions: each method notes what is wrong and goes on
//! with a default, so that one reading finds all problems.

use std::cell::RefCell;

use isles_kernel::Span;

use super::document::{Entry, Item, Place, Problem, Quote, Table, Value};

/// A table that is being read. What is left unread when it ends is unknown.
pub(crate) struct Reader<'a> {
    table: &'a Table,
    /// What the table is, for messages: `[links]`, or empty at the top.
    name: String,
    place: Place,
    problems: &'a RefCell<Vec<Problem>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        table: &'a Table,
        name: impl Into<String>,
        place: Place,
        problems: &'a RefCell<Vec<Problem>>,
    ) -> Self {
        Self { table, name: name.into(), place, problems, known: RefCell::new(Vec::new()) }
    }

    pub(crate) fn complain(&self, place: &Place, what: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(place.clone(), what, help));
    }

    /// Complains about a line of a file that the scenario names.
    pub(crate) fn complain_about(
        &self,
        place: &Place,
        quote: Quote,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem::new(place.clone(), what, help);
        self.problems.borrow_mut().push(Problem { quote: Some(Box::new(quote)), ..problem });
    }

    /// Complains about this table as a whole.
    pub(crate) fn complain_here(&self, what: impl Into<String>, help: impl Into<String>) {
        self.complain(&self.place, what, help);
    }

    /// The entry of this key, if it is there.
    pub(crate) fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Where the key's value was written, or else the table.
    pub(crate) fn place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |entry| entry.item.place.clone())
    }

    /// Complains about a key that must be there and is not.
    pub(crate) fn missing(&self, key: &str, example: &str) {
        let within = if self.name.is_empty() { "the scenario".to_owned() } else { self.name.clone() };
        self.complain_here(format!("{within} has no '{key}'"), format!("add one, such as {key} = {example}"));
    }

    /// Takes `keys` for known, whatever they are: what they depend on is wrong already.
    pub(crate) fn pass_over(&self, keys: &[&'static str]) {
        self.known.borrow_mut().extend(keys);
    }

    /// Complains about those of `keys` that nothing asked for, because they do not go with the others.
    pub(crate) fn misplaced(&self, keys: &[&'static str], owner: &str) {
        let fitting = list(self.known.borrow().iter().copied());
        for entry in &self.table.entries {
            let Some(key) = keys.iter().find(|key| **key == entry.key) else { continue };
            if !self.known.borrow().contains(key) {
                self.complain(&entry.place, format!("{owner} has no '{key}'"), format!("it has {fitting}"));
                self.known.borrow_mut().push(key);
            }
        }
    }

    /// Complains about all keys that nothing asked for.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for entry in self.table.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let within = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let help = nearest(&entry.key, known.iter().copied()).map_or_else(
                || format!("known are {}", list(known.iter().copied())),
                |name| format!("did you mean '{name}'?"),
            );
            self.complain(&entry.place, format!("unknown key '{}'{within}", entry.key), help);
        }
    }

    fn wrong_type(&self, item: &Item, key: &str, wanted: &str) {
        let what = format!("'{key}' is {}, not {wanted}", item.value.kind());
        self.complain(&item.place, what, format!("write {wanted}"));
    }

    /// The value of this key as what `get` takes it for.
    fn typed<T>(&self, key: &'static str, wanted: &str, get: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let item = &self.entry(key)?.item;
        let value = get(&item.value);
        if value.is_none() {
            self.wrong_type(item, key, wanted);
        }
        value
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.typed(key, "a text in quotes", Value::as_text)
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_flag)
    }

    /// A span of time, written as `"250ms"`.
    pub(crate) fn span(&self, key: &'static str) -> Option<Span> {
        let item = &self.entry(key)?.item;
        if let Some(number) = item.value.as_integer() {
            let help = format!("write \"{number}s\" for seconds, \"{number}ms\" for milliseconds");
            self.complain(&item.place, format!("'{key}' is a number without a unit of time"), help);
            return None;
        }
        let text = self.typed(key, "a span of time in quotes, such as \"250ms\"", Value::as_text)?;
        match text.parse::<Span>() {
            Ok(span) => Some(span),
            Err(error) => {
                let (what, help) = halves(&error.to_string());
                self.complain(&item.place, format!("'{key}': {what}"), help);
                None
            }
        }
    }

    /// A span of time forwards or, with a minus before it, backwards, in nanoseconds.
    pub(crate) fn signed_span(&self, key: &'static str) -> Option<i64> {
        let text = self.entry(key)?.item.value.as_text();
        let backwards = text.and_then(|text| text.trim().strip_prefix('-'));
        let (span, sign) = match backwards.map(str::parse::<Span>) {
            Some(Ok(span)) => (span, -1),
            Some(Err(_)) | None => (self.span(key)?, 1),
        };
        Some(sign * i64::try_from(span.0).unwrap_or(i64::MAX))
    }

    /// A number within bounds.
    pub(crate) fn number(&self, key: &'static str, min: f64, max: f64) -> Option<f64> {
        let item = &self.entry(key)?.item;
        let number = self.typed(key, "a number", Value::as_number)?;
        if (min..=max).contains(&number) {
            return Some(number);
        }
        let help = if max == f64::INFINITY {
            format!("write a number, at least {min}")
        } else if (min, max) == (0.0, 1.0) && (1.0..=100.0).contains(&number) {
            format!("write a number from 0 to 1: {} for {number} %", number / 100.0)
        } else {
            format!("write a number from {min} to {max}")
        };
        self.complain(&item.place, format!("'{key}' is {number}, which is out of bounds"), help);
        None
    }

    /// A probability or share.
    pub(crate) fn share(&self, key: &'static str) -> Option<f64> {
        self.number(key, 0.0, 1.0)
    }

    /// A whole number within bounds.
    pub(crate) fn count(&self, key: &'static str, min: u64, max: u64) -> Option<u64> {
        let item = &self.entry(key)?.item;
        let number = self.typed(key, "a whole number", Value::as_integer)?;
        let fits = u64::try_from(number).ok().filter(|number| (min..=max).contains(number));
        if fits.is_none() {
            self.complain(
                &item.place,
                format!("'{key}' is {number}, which is out of bounds"),
                format!("write a whole number from {min} to {max}"),
            );
        }
        fits
    }

    /// One of these words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let entry = self.entry(key)?;
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            self.complain_choice(&entry.item.place, key, text, choices.iter().map(|(name, _)| *name));
        }
        found
    }

    pub(crate) fn complain_choice<'n>(
        &self,
        place: &Place,
        key: &str,
        text: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) {
        let help = nearest(text, names.clone())
            .map_or_else(|| format!("known are {}", list(names)), |name| format!("did you mean '{name}'?"));
        self.complain(place, format!("unknown {key} '{text}'"), help);
    }

    /// A table below this one.
    pub(crate) fn table(&self, key: &'static str) -> Option<Self> {
        let item = &self.entry(key)?.item;
        let Some(table) = item.value.as_table() else {
            let what = format!("'{key}' is {}, not a table", item.value.kind());
            let help = format!("write a table, under {} or in braces: {{ key = value }}", self.path(key));
            self.complain(&item.place, what, help);
            return None;
        };
        Some(self.below(table, self.path(key), item.place.clone()))
    }

    /// Several tables: `[[key]]`.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Self> {
        let wanted = format!("tables, each headed [[{key}]]");
        let items = self.typed(key, &wanted, Value::as_list).unwrap_or_default();
        let mut tables = Vec::new();
        for item in items {
            match item.value.as_table() {
                Some(table) => {
                    let name = format!("[[{}]]", self.join(key));
                    tables.push(self.below(table, name, item.place.clone()));
                }
                None => self.wrong_type(item, key, "a table"),
            }
        }
        tables
    }

    /// The items of a list.
    pub(crate) fn list(&self, key: &'static str) -> Option<&'a [Item]> {
        self.typed(key, "a list", Value::as_list)
    }

    fn below(&self, table: &'a Table, name: String, place: Place) -> Self {
        Self::new(table, name, place, self.problems)
    }

    fn join(&self, key: &str) -> String {
        let above = self.name.trim_matches(['[', ']']);
        if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") }
    }

    fn path(&self, key: &str) -> String {
        format!("[{}]", self.join(key))
    }
}

/// What is wrong with a span, and what to do about it.
fn halves(error: &str) -> (String, String) {
    match error.split_once("): ") {
        Some((what, help)) => (format!("{what})"), help.to_owned()),
        None => (error.to_owned(), "write it as \"250ms\"".to_owned()),
    }
}

/// The name nearest to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let plain = word.to_lowercase().replace('_', "-");
    if let Some(longer) = names.clone().find(|name| plain.len() >= 3 && name.starts_with(&plain)) {
        return Some(longer);
    }
    names
        .map(|name| (strsim::damerau_levenshtein(&plain, name), name))
        .filter(|(distance, name)| *distance <= (name.len().min(plain.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Names in a sentence.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut different: Vec<&str> = Vec::new();
    for name in names {
        if !different.contains(&name) {
            different.push(name);
        }
    }
    different.join(", ")
}
