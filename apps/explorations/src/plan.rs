//! What is to be explored and how: read from a TOML file, changed from the command line, and written into each saved
//! behaviour, so that it can be replayed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use isles_explore::{Budget, Clients, Idle, Memory, Scenario, Streams, Timers};
use isles_kernel::{ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// An exploration: which one, and what is different from its defaults.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// The name of one of [`EXPLORATIONS`](crate::EXPLORATIONS).
    pub exploration: String,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// What may happen.
    #[serde(default, skip_serializing_if = "World::is_default")]
    pub world: World,
    /// How it is searched.
    #[serde(default)]
    pub search: Search,
}

/// The value of a parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// How many, or how much.
    Number(u64),
    /// One of several.
    Word(String),
}

impl Value {
    /// The value that is written so.
    pub fn read(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Word(text.to_owned()), Self::Number)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// How often something may happen: a number up to 255, or `"unlimited"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Often(pub Budget);

impl TryFrom<Value> for Often {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Number(number) => u8::try_from(number)
                .map(|most| Self(Budget::UpTo(most)))
                .map_err(|_| format!("{number} is too often: at most 255, or \"unlimited\"")),
            Value::Word(word) if word == "unlimited" => Ok(Self(Budget::Unlimited)),
            Value::Word(word) => Err(format!("'{word}' is no number of times: 0 to 255, or \"unlimited\"")),
        }
    }
}

impl From<Often> for Value {
    fn from(often: Often) -> Self {
        match often.0 {
            Budget::UpTo(most) => Self::Number(most.into()),
            Budget::Unlimited => Self::Word("unlimited".to_owned()),
        }
    }
}

/// What may happen; where nothing is said, what the exploration says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct World {
    /// How messages over streams arrive: `fifo`, `unordered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<StreamsWord>,
    /// When timers are due: `free`, `when-quiet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers: Option<TimersWord>,
    /// What happens to messages and timers that change nothing: `consumed`, `skipped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleWord>,
    /// Where clients are: `attached`, `remote`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<ClientsWord>,
    /// Timers that fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Often>,
    /// Datagrams that vanish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losses: Option<Often>,
    /// Datagrams that are doubled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Often>,
    /// Processes that crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crashes: Option<Often>,
    /// Processes that start again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Often>,
    /// What a crash leaves, each tried: `kept`, `disk`, `lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memories: Option<Vec<Memory>>,
    /// Whether a crash may leave any number of the records that were being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<bool>,
    /// Partitions that begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Often>,
    /// What a partition may part from the rest: lists of process numbers. Default each process alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Vec<u32>>>,
    /// A choice among more than this is cut to its first and last value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices_max: Option<u32>,
}

/// [`Streams`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamsWord {
    /// First in, first out.
    Fifo,
    /// In any order.
    Unordered,
}

/// [`Timers`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimersWord {
    /// At any moment.
    Free,
    /// When no message can be delivered.
    WhenQuiet,
}

/// [`Idle`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdleWord {
    /// It is consumed.
    Consumed,
    /// It stays.
    Skipped,
}

/// [`Clients`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientsWord {
    /// At the process.
    Attached,
    /// Elsewhere.
    Remote,
}

impl World {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Changes a scenario where something is said.
    pub fn apply<P: Protocol>(&self, scenario: &mut Scenario<P>) {
        let budget = |to: &mut Budget, said: Option<Often>| {
            if let Some(Often(said)) = said {
                *to = said;
            }
        };
        if let Some(streams) = self.streams {
            scenario.streams = match streams {
                StreamsWord::Fifo => Streams::Fifo,
                StreamsWord::Unordered => Streams::Unordered,
            };
        }
        if let Some(timers) = self.timers {
            scenario.timers = match timers {
                TimersWord::Free => Timers::Free,
                TimersWord::WhenQuiet => Timers::WhenQuiet,
            };
        }
        if let Some(idle) = self.idle {
            scenario.idle = match idle {
                IdleWord::Consumed => Idle::Consumed,
                IdleWord::Skipped => Idle::Skipped,
            };
        }
        if let Some(clients) = self.clients {
            scenario.place = match clients {
                ClientsWord::Attached => Clients::Attached,
                ClientsWord::Remote => Clients::Remote,
            };
        }
        budget(&mut scenario.timeouts, self.timeouts);
        let processes = scenario.processes;
        let faults = &mut scenario.faults;
        budget(&mut faults.losses, self.losses);
        budget(&mut faults.duplicates, self.duplicates);
        budget(&mut faults.crashes, self.crashes);
        budget(&mut faults.restarts, self.restarts);
        budget(&mut faults.cuts, self.cuts);
        if let Some(memories) = &self.memories {
            faults.memories.clone_from(memories);
        }
        faults.torn = self.torn.unwrap_or(faults.torn);
        if let Some(groups) = &self.groups {
            let ids = |group: &Vec<u32>| group.iter().copied().map(ProcessId).collect();
            faults.groups = groups.iter().map(ids).collect();
        } else if faults.cuts != Budget::NONE && faults.groups.is_empty() {
            faults.groups = (0..processes).map(|process| vec![ProcessId(process)]).collect();
        }
        scenario.choices_max = self.choices_max.unwrap_or(scenario.choices_max);
    }
}

/// How it is searched.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Search {
    /// Which search.
    pub kind: Kind,
    /// States so many steps from the beginning are not continued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// It ends soon after so many states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<u64>,
    /// It goes on after a violation.
    pub whole: bool,
    /// What is left out, without changing verdicts.
    pub reduce: Reduce,
    /// Processes that behave alike are exchanged: states that differ by who is who count once.
    pub symmetry: bool,
    /// Of `random` and `priorities`: how many behaviours.
    pub runs: u64,
    /// Of `random`, `priorities` and `swarm`: steps of a behaviour.
    pub steps: u32,
    /// Of `priorities`: the depth of the bugs that are sought.
    pub bug_depth: u32,
    /// Of `random`, `priorities` and `swarm`: names all draws.
    pub seed: u64,
    /// Of `swarm`: how many searches.
    pub members: u32,
    /// Of `swarm`: the binary logarithm of the bits of each table, 10 to 40.
    pub bits: u32,
    /// Of `swarm`: bits that a state sets, 1 to 16.
    pub hashes: u32,
    /// Of `breadth-first`: a folder for what finds no room in memory, and for checkpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<PathBuf>,
    /// With a folder: megabytes of memory.
    pub memory_mb: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            kind: Kind::BreadthFirst,
            depth: None,
            states: None,
            whole: false,
            reduce: Reduce::Nothing,
            symmetry: false,
            runs: 10_000,
            steps: 200,
            bug_depth: 3,
            seed: 1,
            members: 8,
            bits: 24,
            hashes: 3,
            disk: None,
            memory_mb: 4096,
        }
    }
}

/// Which search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All states, shortest counterexamples.
    BreadthFirst,
    /// All states in less memory.
    DepthFirst,
    /// Behaviours drawn step by step.
    Random,
    /// Behaviours by random priorities (PCT).
    Priorities,
    /// Bitstate searches, each different.
    Swarm,
}

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduce {
    /// Nothing.
    Nothing,
    /// Steps that commute, but for one order (depth-first).
    SleepSets,
    /// States, where the steps of one process are enough.
    AmpleSets,
}

/// Why a text is no plan.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(pub String);

impl Plan {
    /// The plan of a TOML text, with some fields set afterwards: `world.losses` to `1`.
    ///
    /// # Errors
    /// When it is no TOML, or a field is unknown or has an impossible value, with the place and what there is.
    pub fn read(text: &str, set: &[(String, String)]) -> Result<Self, PlanError> {
        // Once as it stands, so that what is wrong with the file is told with its line.
        let plan: Self = toml::from_str(text).map_err(|error| PlanError(error.to_string()))?;
        if set.is_empty() {
            return Ok(plan);
        }
        let mut table: toml::Table = toml::from_str(text).map_err(|error| PlanError(error.to_string()))?;
        for (path, value) in set {
            put(&mut table, path, value)?;
        }
        let wrong = |error: toml::de::Error| PlanError(format!("after --set: {}", error.message()));
        table.try_into().map_err(wrong)
    }

    /// The plan of a name alone.
    ///
    /// # Errors
    /// When a field that is set is unknown or has an impossible value.
    pub fn named(name: &str, set: &[(String, String)]) -> Result<Self, PlanError> {
        let mut table = toml::Table::new();
        table.insert("exploration".to_owned(), name.into());
        let text = toml::to_string(&table).map_err(|error| PlanError(error.to_string()))?;
        Self::read(&text, set)
    }
}

/// Puts a value at a path of keys.
fn put(table: &mut toml::Table, path: &str, value: &str) -> Result<(), PlanError> {
    let (last, above) = match path.rsplit_once('.') {
        Some((above, last)) => (last, above.split('.').collect()),
        None => (path, Vec::new()),
    };
    let mut within = table;
    for key in above {
        let entry = within.entry(key.to_owned()).or_insert_with(|| toml::Table::new().into());
        within = entry
            .as_table_mut()
            .ok_or_else(|| PlanError(format!("{path}: '{key}' is a value, and has no fields")))?;
    }
    // What is no value of TOML by itself is a word.
    let text = format!("value = {value}");
    let value = match toml::from_str::<toml::Table>(&text).ok().and_then(|mut table| table.remove("value")) {
        Some(value) => value,
        None => value.into(),
    };
    within.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_fields_are_set() {
        let text = "exploration = \"paxos\"\n[parameters]\nclients = 2\n[world]\nlosses = \"unlimited\"\n";
        let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        let plan = Plan::read(
            text,
            &[
                set("world.crashes", "1"),
                set("search.kind", "depth-first"),
                set("parameters.mistake", "forgetful"),
            ],
        )
        .expect("a plan");
        assert_eq!(plan.world.losses, Some(Often(Budget::Unlimited)));
        assert_eq!(plan.world.crashes, Some(Often(Budget::UpTo(1))));
        assert_eq!(plan.search.kind, Kind::DepthFirst);
        assert_eq!(plan.parameters["mistake"], Value::Word("forgetful".into()));
        let again = serde_json::to_string(&plan).expect("plain data");
        assert_eq!(serde_json::from_str::<Plan>(&again).expect("as written"), plan);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let wrong = |text: &str| Plan::read(text, &[]).expect_err("refused").to_string();
        let unknown = wrong("exploration = \"paxos\"\n[world]\nlosess = 1\n");
        assert!(unknown.contains("line 3") && unknown.contains("losses"), "{unknown}");
        let often = wrong("exploration = \"paxos\"\n[world]\nlosses = 300\n");
        assert!(often.contains("line 3") && often.contains("at most 255"), "{often}");
        let kind = wrong("exploration = \"paxos\"\n[search]\nkind = \"best-first\"\n");
        assert!(kind.contains("line 3") && kind.contains("breadth-first"), "{kind}");
        assert!(wrong("").contains("exploration"));
        let set = [("world.losses.much".to_owned(), "1".to_owned())];
        let text = "exploration = \"paxos\"\n[world]\nlosses = 1\n";
        assert!(Plan::read(text, &set).expect_err("refused").to_string().contains("has no fields"));
    }
}
