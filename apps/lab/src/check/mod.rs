//! `isles check`: a history from a file, judged, with the picture of what is wrong.

mod faults;
mod numbers;
mod operations;
mod sentences;
mod text;
mod transactions;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use isles_check::linearizability::Limits;
pub use isles_check::read::Fails;
use isles_check::read::{Reading, guess};
use isles_check::transactions::{Budget, Level};
use isles_history::{Call, Calls, Events, Format, ReadError, Value};
use serde::Serialize;

pub use faults::Mark;
pub use numbers::Stale;
pub use text::text;

/// What is asked of a history.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The format of the file; by its content if not given.
    pub format: Option<Format>,
    /// The name of the model, one of [`MODELS`]; by the operations if not given.
    pub model: Option<String>,
    /// The levels to judge; the strongest that fits if none is given.
    pub levels: Vec<Want>,
    /// All levels.
    pub all: bool,
    /// Re-check each certificate.
    pub verify: bool,
    /// What objects hold at first, where a model has that.
    pub initial: Option<Value>,
    /// What a failure says.
    pub fails: Fails,
    /// By how much clocks may have been wrong, in nanoseconds.
    pub skew: Option<u64>,
    /// How much a search for an order of operations may do.
    pub limits: Limits,
    /// How much a search for an order of transactions may do.
    pub budget: Budget,
}

impl Options {
    /// What objects hold at first, from its text in EDN.
    ///
    /// # Errors
    /// When the text is no value.
    pub fn initial_value(text: &str) -> Result<Value, String> {
        let entry = format!("{{:type :info, :process :it, :value {text}\n}}");
        let Ok(isles_history::Reading::Events(mut events)) =
            isles_history::read(entry.as_bytes(), Some(Format::Edn))
        else {
            return Err(format!("'{text}' is no value"));
        };
        match (events.next(), events.next()) {
            (Some(Ok(event)), None) => Ok(event.value),
            _ => {
                Err(format!("'{text}' is no value: write it as EDN, such as 0, nil, [1 2] or {{\"a\" 100}}"))
            }
        }
    }
}

/// What a history may be judged by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// Each operation takes effect at one moment between its invocation and its return.
    Linearizable,
    /// There is one order that keeps that of each process.
    Sequential,
    /// There is one for each object by itself, which is less: sequential consistency does not compose.
    SequentialEach,
    /// When updates have stopped, the last reads of all sessions agree.
    Eventual,
    /// A level of transactions.
    Level(Level),
}

impl Want {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Sequential => "sequential",
            Self::SequentialEach => "sequential-per-object",
            Self::Eventual => "eventual",
            Self::Level(level) => level.name(),
        }
    }

    /// All names, stronger ones first among operations.
    pub fn names() -> Vec<&'static str> {
        let others = [Self::Linearizable, Self::Sequential, Self::SequentialEach, Self::Eventual];
        others.into_iter().map(Self::name).chain(Level::all().map(Level::name)).collect()
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "linearizable" => Some(Self::Linearizable),
            "sequential" => Some(Self::Sequential),
            "sequential-per-object" => Some(Self::SequentialEach),
            "eventual" => Some(Self::Eventual),
            name => Level::named(name).map(Self::Level),
        }
    }
}

/// The models, by their names on the command line.
pub const MODELS: [&str; 14] = [
    "register",
    "key-value",
    "multi-register",
    "counter",
    "set",
    "queue",
    "stack",
    "priority-queue",
    "lock",
    "lease",
    "log",
    "bank",
    "broker",
    "txn",
];

/// What is said of one level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It holds.
    Holds,
    /// It does not.
    Violated,
    /// That could not be decided.
    Unknown,
}

/// Something that took time: an operation or a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Bar {
    /// What it is called in sentences.
    pub name: String,
    /// Who did it.
    pub lane: String,
    /// What it was.
    pub text: String,
    /// When it began, in the order of the history.
    pub begin: u64,
    /// When it ended; `None` if nobody knows.
    pub end: Option<u64>,
    /// Whether it belongs to what is wrong.
    pub marked: bool,
}

/// What came of judging a history by one level.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Judgement {
    /// Which level.
    pub level: &'static str,
    /// Of which object, where the history has several that are judged apart.
    pub object: Option<String>,
    /// The verdict.
    pub verdict: Word,
    /// The name of what is wrong, where it has one.
    pub anomaly: Option<String>,
    /// Why, in sentences: one for each step of the reason; or how far it came, and what would help.
    pub why: Vec<String>,
    /// The smallest part that is wrong, by its names.
    pub core: Vec<String>,
    /// The operations around it, with it marked.
    pub bars: Vec<Bar>,
    /// How many there are in all.
    pub count: usize,
    /// An order that explains the history, by names; for a verdict that holds. Several for levels that judge sessions.
    pub order: Vec<String>,
    /// Whether the independent verifier accepts the certificate; `None` if it was not asked.
    pub verified: Option<bool>,
    /// What the verifier found wrong.
    pub flaw: Option<String>,
}

/// What came of a history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: &'static str,
    /// What it was judged as.
    pub model: String,
    /// How many operations or transactions it has that count.
    pub count: usize,
    /// What is said of each level.
    pub judgements: Vec<Judgement>,
    /// What befell the system meanwhile, as far as the file says.
    pub faults: Vec<Mark>,
    /// With [`Options::all`]: how stale the reads of each register are whose values are unique.
    pub stale: Vec<Stale>,
    /// With [`Options::all`]: the strongest levels that hold.
    pub strongest: Vec<&'static str>,
    /// With [`Options::all`]: the weakest levels that do not.
    pub weakest: Vec<&'static str>,
}

impl Outcome {
    /// The verdict over all levels that were asked for: violated if one is, else unknown if one is.
    pub fn verdict(&self) -> Word {
        let has = |word| self.judgements.iter().any(|judgement| judgement.verdict == word);
        if has(Word::Violated) {
            Word::Violated
        } else if has(Word::Unknown) {
            Word::Unknown
        } else {
            Word::Holds
        }
    }
}

/// Why a history could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The file cannot be opened.
    #[error("cannot open {path}: {error}", path = path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no history.
    #[error("{path}: {error}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        error: ReadError,
    },
    /// What was asked for does not fit.
    #[error("{0}")]
    Asked(String),
}

/// How many operations are looked at to see what a history is of.
const LOOKED_AT: usize = 2000;

/// Judges the history in the file at `path`.
///
/// # Errors
/// When it cannot be read, or is not what was asked for.
pub fn run(path: &Path, options: &Options) -> Result<Outcome, CheckError> {
    let source = Source { path, format: options.format };
    let reading = match source.open()? {
        isles_history::Reading::Transactions(transactions) => {
            if let Some(model) = options.model.as_deref().filter(|model| *model != "txn") {
                return Err(CheckError::Asked(format!(
                    "the file holds transactions, and no {model}: leave --model out"
                )));
            }
            let format = source.format_name()?;
            return transactions::judge(&source, format, &transactions, options, &[]);
        }
        isles_history::Reading::Events(events) => events,
    };
    let format = reading.format().name();
    let first: Vec<Call> =
        Calls::new(reading).take(LOOKED_AT).collect::<Result<_, _>>().map_err(source.wrong())?;
    let guessed = guess(&first);
    let Some(model) = options.model.clone().or_else(|| guessed.as_ref().map(|guess| guess.model.to_owned()))
    else {
        let functions: Vec<&str> = first.iter().map(|call| &*call.function).take(3).collect();
        return Err(CheckError::Asked(format!(
            "{}: no model has operations like '{}': name one by --model, of {}",
            path.display(),
            functions.join("', '"),
            MODELS.join(", ")
        )));
    };
    let is_txn = |want: &Want| matches!(want, Want::Level(_) | Want::Eventual);
    if model == "txn" || options.levels.iter().any(is_txn) {
        let mut calls = source.calls()?;
        let read = isles_history::transactions(&mut calls).map_err(source.wrong())?;
        return transactions::judge(&source, format, &read, options, calls.faults().0);
    }
    let tuples = guessed.as_ref().is_some_and(|guess| guess.tuples);
    let how = Reading { fails: options.fails, tuples, skew: options.skew };
    operations::judge(&source, format, &model, guessed, how, options)
}

/// A file that may be read several times.
struct Source<'a> {
    path: &'a Path,
    format: Option<Format>,
}

impl Source<'_> {
    fn file(&self) -> Result<BufReader<File>, CheckError> {
        let opened = File::open(self.path).and_then(|file| {
            if file.metadata()?.is_dir() { Err(std::io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
        });
        let file = opened.map_err(|error| CheckError::Open { path: self.path.to_owned(), error })?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    fn open(&self) -> Result<isles_history::Reading<BufReader<File>>, CheckError> {
        isles_history::read(self.file()?, self.format).map_err(self.wrong())
    }

    fn wrong(&self) -> impl Fn(ReadError) -> CheckError {
        let path = self.path.to_owned();
        move |error| CheckError::Read { path: path.clone(), error }
    }

    /// The operations from the beginning.
    fn calls(&self) -> Result<Calls<Events<BufReader<File>>>, CheckError> {
        match self.open()? {
            isles_history::Reading::Events(events) => Ok(Calls::new(events)),
            isles_history::Reading::Transactions(_) => {
                Err(CheckError::Asked(format!("{} changed while it was read", self.path.display())))
            }
        }
    }

    /// The format of a file of transactions.
    fn format_name(&self) -> Result<&'static str, CheckError> {
        use std::io::BufRead;
        let mut file = self.file()?;
        let begin =
            file.fill_buf().map_err(|error| CheckError::Open { path: self.path.to_owned(), error })?;
        Ok(self.format.or_else(|| Format::of(begin)).map_or("transactions", Format::name))
    }
}

/// Bars shown of a history at most; the marked ones and those nearest to them.
const BARS_MAX: usize = 300;

/// Those bars that can be shown: all, or the ones around the marked ones.
fn around(mut bars: Vec<Bar>) -> Vec<Bar> {
    if bars.len() <= BARS_MAX {
        return bars;
    }
    let marked = || bars.iter().filter(|bar| bar.marked);
    let (first, last) = (
        marked().map(|bar| bar.begin).min().unwrap_or(0),
        marked().map(|bar| bar.end.unwrap_or(bar.begin)).max().unwrap_or(u64::MAX),
    );
    // How far an interval lies from the part that is wrong.
    let distance = |bar: &Bar| {
        let end = bar.end.unwrap_or(bar.begin);
        if bar.marked { 0 } else { 1 + first.saturating_sub(end).max(bar.begin.saturating_sub(last)) }
    };
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|place| (distance(&bars[*place]), *place));
    order.truncate(BARS_MAX);
    order.sort_unstable();
    let mut keep = order.into_iter().peekable();
    let mut place = 0;
    bars.retain(|_| {
        let kept = keep.next_if_eq(&place).is_some();
        place += 1;
        kept
    });
    bars
}

/// What a transaction, or an operation that is one, is called in sentences.
fn known(place: u32) -> String {
    format!("T{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_cut_to_what_lies_around_the_wrong_part() {
        let bar = |begin: u64| Bar {
            name: begin.to_string(),
            lane: "0".to_owned(),
            text: String::new(),
            begin,
            end: Some(begin + 1),
            marked: begin == 600 || begin == 610,
        };
        let shown = around((0..1000).map(bar).collect());
        assert_eq!(shown.len(), BARS_MAX);
        assert_eq!(shown.iter().filter(|bar| bar.marked).count(), 2);
        assert!(
            shown.first().is_some_and(|bar| bar.begin > 440)
                && shown.last().is_some_and(|bar| bar.begin < 770)
        );
        assert!(shown.is_sorted_by_key(|bar| bar.begin));
    }

    #[test]
    fn each_level_has_one_name() {
        for name in Want::names() {
            assert_eq!(Want::named(name).map(Want::name), Some(name));
        }
        assert_eq!(Want::named("perfect"), None);
    }
}
