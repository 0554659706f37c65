//! An exploration that has a name, and what it can be told.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::plan::{Plan, Value};

/// Something that can be explored.
#[derive(Clone, Copy, Debug)]
pub struct Exploration {
    /// How it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Where the protocol was published.
    pub source: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    /// Makes it ready.
    pub(crate) open: fn(&Arguments) -> Result<Box<dyn Case>, String>,
}

/// Something that an exploration can be told.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// How it is called.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// What it may be.
    pub takes: Takes,
}

/// What a parameter may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// A number.
    Number {
        /// If nothing is said.
        default: u64,
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// One of these words, the first if nothing is said.
    Word(&'static [&'static str]),
}

impl Takes {
    /// In words.
    pub fn describe(self) -> String {
        match self {
            Self::Number { default, least, most } => format!("{least} to {most} (default {default})"),
            Self::Word(words) => format!("{} (default {})", words.join(", "), words[0]),
        }
    }

    fn default(self) -> Value {
        match self {
            Self::Number { default, .. } => Value::Number(default),
            Self::Word(words) => Value::Word(words[0].to_owned()),
        }
    }

    fn allows(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number { least, most, .. }, Value::Number(number)) => (least..=most).contains(number),
            (Self::Word(words), Value::Word(word)) => words.contains(&word.as_str()),
            (Self::Number { .. }, Value::Word(_)) | (Self::Word(_), Value::Number(_)) => false,
        }
    }
}

/// The value of each parameter.
#[derive(Debug)]
pub(crate) struct Arguments(BTreeMap<&'static str, Value>);

impl Arguments {
    /// A number.
    ///
    /// # Panics
    /// When the exploration has no such number.
    pub(crate) fn number(&self, name: &str) -> u32 {
        match self.0.get(name) {
            Some(Value::Number(number)) => u32::try_from(*number).expect("bounds are below 2^32"),
            Some(Value::Word(_)) | None => panic!("{name} is no number of this exploration"),
        }
    }

    /// A number, if the exploration has it.
    pub(crate) fn try_number(&self, name: &str) -> Option<u32> {
        self.0.contains_key(name).then(|| self.number(name))
    }

    /// A word.
    ///
    /// # Panics
    /// When the exploration has no such word.
    pub(crate) fn word(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(Value::Word(word)) => word,
            Some(Value::Number(_)) | None => panic!("{name} is no word of this exploration"),
        }
    }
}

/// Why something cannot be explored.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// One of `names` that looks like `name`.
fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let close = |other: &str| strsim::damerau_levenshtein(name, other);
    match names.map(|other| (close(other), other)).min() {
        Some((distance, other)) if distance <= 3 => format!("; did you mean '{other}'?"),
        _ => String::new(),
    }
}

/// The exploration with this name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Exploration, Refused> {
    let all = crate::EXPLORATIONS;
    all.iter().find(|exploration| exploration.name == name).ok_or_else(|| {
        let names = all.iter().map(|exploration| exploration.name);
        Refused(format!(
            "there is no exploration '{name}'{}\n   = there are {}",
            near(name, names.clone()),
            names.collect::<Vec<_>>().join(", ")
        ))
    })
}

impl Exploration {
    /// The values of all parameters, those of a plan and defaults.
    fn arguments(&self, given: &BTreeMap<String, Value>) -> Result<Arguments, Refused> {
        for name in given.keys() {
            if self.parameters.iter().all(|parameter| parameter.name != name) {
                let names = self.parameters.iter().map(|parameter| parameter.name);
                return Err(Refused(format!(
                    "{} has no parameter '{name}'{}\n   = it has {}",
                    self.name,
                    near(name, names.clone()),
                    names.collect::<Vec<_>>().join(", ")
                )));
            }
        }
        let mut values = BTreeMap::new();
        for Parameter { name, takes, .. } in self.parameters {
            let value = given.get(*name).cloned().unwrap_or_else(|| takes.default());
            if !takes.allows(&value) {
                return Err(Refused(format!(
                    "{name} of {} cannot be {value}: it is {}",
                    self.name,
                    takes.describe()
                )));
            }
            values.insert(*name, value);
        }
        Ok(Arguments(values))
    }
}

/// Makes what a plan says ready.
///
/// # Errors
/// When there is no such exploration, or it cannot be as the plan says.
pub(crate) fn open(plan: &Plan) -> Result<Box<dyn Case>, Refused> {
    let exploration = find(&plan.exploration)?;
    let arguments = exploration.arguments(&plan.parameters)?;
    let mut case = (exploration.open)(&arguments).map_err(Refused)?;
    case.apply(&plan.world);
    if !plan.search.symmetry {
        return Ok(case);
    }
    case.exchange().ok_or_else(|| {
        let name = &plan.exploration;
        Refused(format!("the processes of {name} are not alike, or are not known to be: leave symmetry out"))
    })
}
