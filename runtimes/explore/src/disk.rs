//! A search that keeps on disk what finds no room in memory, and that goes on after it was stopped.
//!
//! A folder has four files. `origins` has, for each state in the order in which it was reached, the number of the state
//! before it and the action, 8 bytes; it only grows. `checkpoint` says how much of that counts, with a digest of it.
//! `level-a` and `level-b` have states that are to be continued, as long as a search runs. A checkpoint has no states:
//! protocols need not be able to write theirs. They are made again from their origins, each by one step.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use isles_kernel::Protocol;
use serde::{Deserialize, Serialize};

use crate::breadth::Breadth;
use crate::digest::digest;
use crate::frontier::{BLOCK, Frontier};
use crate::origins::Origins;
use crate::space::Space;

/// Where a search keeps what finds no room in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The folder, which is made if it is not there. One search uses it at a time.
    pub folder: PathBuf,
    /// Bytes of memory: three quarters for fingerprints, at the end of which the search stops, and the rest for states that
    /// are to be continued, of which the others go to disk. What the parts of states take is not counted.
    pub memory: u64,
    /// After so many new states a checkpoint is written, and at the end.
    pub every: u64,
}

impl Disk {
    /// A folder, 4 GiB of memory, and a checkpoint each 10 million states.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), memory: 4 << 30, every: 10_000_000 }
    }
}

/// Why a search cannot use its folder, or go on from what is there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// A file cannot be read or written.
    #[error("cannot use the files of the search: {0}; is the folder writable, and the disk not full?")]
    Io(String),
    /// There is no checkpoint.
    #[error("there is no checkpoint in {}: begin the search first", .0.display())]
    Nothing(PathBuf),
    /// The checkpoint is no whole one of this version.
    #[error("the checkpoint is damaged: {0}; begin the search again")]
    Damaged(String),
    /// It is of another scenario.
    #[error(
        "the checkpoint is of another scenario: protocol, processes, configuration, clients, faults and properties must be the same"
    )]
    Foreign,
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// A longer checkpoint is refused before it is read as anything.
const CHECKPOINT_BYTES_MAX: u64 = 1 << 20;

const FORMAT: &str = "isles-explore-checkpoint";

/// How far a search has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    format: String,
    version: u32,
    /// What tells scenarios apart.
    scenario: u64,
    pub(crate) states: u32,
    pub(crate) expanded: u32,
    pub(crate) generated: u64,
    pub(crate) choices_cut: u32,
    /// For each property, the number of the state that decides it.
    pub(crate) decisions: Vec<Option<u32>>,
    /// Of the origins of all states.
    pub(crate) check: u64,
}

impl Disk {
    pub(crate) fn frontier(&self, name: &str) -> Result<Frontier, DiskError> {
        fs::create_dir_all(&self.folder)?;
        Ok(Frontier::spilling(&self.folder.join(name), self.memory / 8)?)
    }

    pub(crate) fn origins_path(&self) -> PathBuf {
        self.folder.join("origins")
    }

    pub(crate) fn origins(&self) -> Result<Origins, DiskError> {
        fs::create_dir_all(&self.folder)?;
        // What it belonged to is no more.
        match fs::remove_file(self.folder.join("checkpoint")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        Ok(Origins::on(&self.origins_path())?)
    }

    /// Whether there might be no room for the fingerprints of the successors of one more block. It depends on the number
    /// of states alone, so that a search stops at the same state whatever the number of threads.
    pub(crate) fn is_full(&self, states: u64) -> bool {
        let next = states + 4 * BLOCK as u64;
        // A table is at most four fifths full, and while it grows there are the old one and one of twice its size.
        let table = 8 * (next / 4 * 5).next_power_of_two();
        table + table / 2 > self.memory / 4 * 3
    }

    /// Writes a checkpoint: whole or not at all.
    pub(crate) fn save(&self, mut saved: Saved, origins: &mut Origins) -> Result<(), DiskError> {
        origins.sync()?;
        saved.check = origins.check();
        let line = serde_json::to_string(&saved).expect("plain data");
        let text = format!("{line}\n{:016x}\n", digest(6, line.as_str()));
        let path = self.folder.join("checkpoint");
        let draft = self.folder.join("checkpoint.draft");
        let mut file = fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(fs::rename(draft, path)?)
    }

    /// Reads the checkpoint.
    pub(crate) fn load(&self, scenario: u64) -> Result<Saved, DiskError> {
        let path = self.folder.join("checkpoint");
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DiskError::Nothing(self.folder.clone()));
            }
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(CHECKPOINT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let saved = Saved::of(&bytes).map_err(DiskError::Damaged)?;
        if saved.scenario == scenario { Ok(saved) } else { Err(DiskError::Foreign) }
    }
}

impl Saved {
    /// Reads a checkpoint.
    fn of(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > CHECKPOINT_BYTES_MAX {
            return Err(format!("more than {CHECKPOINT_BYTES_MAX} bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let (line, check) = text.split_once('\n').ok_or("it ends within its first line")?;
        if check != format!("{:016x}\n", digest(6, line)) {
            return Err("its check sum is wrong".into());
        }
        let saved: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if saved.format != FORMAT || saved.version != 1 {
            return Err(format!("{} {} is not {FORMAT} 1", saved.format, saved.version));
        }
        if saved.expanded > saved.states || saved.states == u32::MAX {
            return Err(format!("{} of {} states were continued", saved.expanded, saved.states));
        }
        let beyond = |state: &&Option<u32>| state.is_some_and(|state| state >= saved.states);
        match saved.decisions.iter().find(beyond) {
            Some(state) => Err(format!("there is no state {state:?}")),
            None => Ok(saved),
        }
    }
}

/// Whether these bytes are a whole checkpoint, and if not, why.
///
/// # Errors
/// When they are none, as the message says.
pub fn check_checkpoint(bytes: &[u8]) -> Result<(), DiskError> {
    Saved::of(bytes).map(|_| ()).map_err(DiskError::Damaged)
}

impl<P: Protocol + Sync> Breadth<'_, P> {
    /// How far the search has come.
    pub(crate) fn saved(&mut self) -> Saved {
        Saved {
            format: FORMAT.into(),
            version: 1,
            scenario: self.space().identity(),
            states: self.origins.len() as u32,
            expanded: self.expanded,
            generated: self.generated,
            choices_cut: self.space().choices_cut,
            decisions: self.decisions.clone(),
            check: self.origins.check(),
        }
    }
}

impl<P: Protocol> Space<P> {
    /// What tells scenarios apart: all of them that can be written down, and how a run begins.
    pub(crate) fn identity(&mut self) -> u64 {
        let initial: Vec<u64> = self.initial().iter().map(|words| self.state(words).fingerprint()).collect();
        let scenario = &self.scenario;
        let names: Vec<String> = scenario.properties.iter().map(|property| format!("{property:?}")).collect();
        let said = format!(
            "{:?}",
            (
                (scenario.processes, &scenario.clients, scenario.place, scenario.streams, scenario.timers),
                (scenario.timeouts, scenario.idle, &scenario.faults, scenario.choices_max),
                (names, scenario.symmetry.is_some(), initial),
            )
        );
        digest(5, said.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> String {
        let saved = Saved {
            format: FORMAT.into(),
            version: 1,
            scenario: 7,
            states: 9,
            expanded: 3,
            generated: 20,
            choices_cut: 0,
            decisions: vec![None, Some(8)],
            check: 1,
        };
        let line = serde_json::to_string(&saved).expect("plain data");
        format!("{line}\n{:016x}\n", digest(6, line.as_str()))
    }

    #[test]
    fn every_torn_or_changed_checkpoint_is_refused() {
        let whole = whole();
        assert_eq!(check_checkpoint(whole.as_bytes()), Ok(()));
        for length in 0..whole.len() {
            assert!(check_checkpoint(&whole.as_bytes()[..length]).is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            for flip in [1, 0x20, 0x80] {
                let mut bytes = whole.clone().into_bytes();
                bytes[place] ^= flip;
                assert!(check_checkpoint(&bytes).is_err(), "byte {place}");
            }
        }
        assert!(check_checkpoint(&vec![b' '; 2 << 20]).is_err());
    }

    #[test]
    fn a_well_formed_checkpoint_that_contradicts_itself_is_refused() {
        for (from, to) in
            [("\"version\":1", "\"version\":2"), ("\"expanded\":3", "\"expanded\":10"), ("8]", "9]")]
        {
            let line = whole().lines().next().expect("a line").replace(from, to);
            let text = format!("{line}\n{:016x}\n", digest(6, line.as_str()));
            assert!(matches!(check_checkpoint(text.as_bytes()), Err(DiskError::Damaged(_))), "{to}");
        }
    }
}
