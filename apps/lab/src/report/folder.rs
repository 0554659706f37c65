//! The folder of one run: created once, never shared, each file complete or absent.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Why a report could not be written. Every message names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder asked for belongs to something else.
    #[error("{path} is not empty ({holds}): name a new folder, or empty this one first", path = path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        holds: String,
    },
    /// A value that its own type refuses to serialise, or that the format cannot hold.
    #[error("cannot encode {path}: {why}", path = path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        why: String,
    },
}

/// Attaches what was tried, and with which path, to what the system says.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Io { action, path: path.to_owned(), source }
}

/// A folder that belongs to this run alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates `<root>/<name>-<n>` with the least `n` after those that exist. Two runs at the same moment get
    /// two folders.
    ///
    /// `name` may be any text; what does not belong in a file name becomes a dash.
    ///
    /// # Errors
    /// When `root` cannot be read or written.
    pub fn numbered(root: &Path, name: &str) -> Result<Self, WriteError> {
        fs::create_dir_all(root).map_err(io_error("create", root))?;
        let name = file_name(name);
        let mut number = last_number(root, &name)?.saturating_add(1);
        loop {
            let path = root.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // Another run was faster; that is what the loop is for.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io_error("create", &path)(error)),
            }
        }
    }

    /// Takes `path`, which must be empty or not exist yet.
    ///
    /// # Errors
    /// When something is in it, it is no folder, or it cannot be created.
    pub fn at(path: &Path) -> Result<Self, WriteError> {
        fs::create_dir_all(path).map_err(io_error("create", path))?;
        let mut entries = fs::read_dir(path).map_err(io_error("read", path))?;
        if let Some(entry) = entries.next() {
            let entry = entry.map_err(io_error("read", path))?;
            let holds = if path.join("summary.json").exists() {
                "it holds the report of another run".to_owned()
            } else {
                format!("it holds {}", entry.file_name().to_string_lossy())
            };
            return Err(WriteError::Occupied { path: path.to_owned(), holds });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a file of the folder. It appears under its name when it is [finished](Draft::finish).
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn draft(&self, name: &str) -> Result<Draft, WriteError> {
        let (path, part) = (self.path.join(name), self.path.join(format!(".{name}.part")));
        let file = File::create(&part).map_err(io_error("create", &part))?;
        Ok(Draft { path, part, out: Some(BufWriter::with_capacity(1 << 16, file)) })
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left under its name then.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, WriteError> {
        let mut draft = self.draft(name)?;
        draft.write_all(content).map_err(io_error("write", &draft.path))?;
        draft.finish()
    }

    /// Writes one JSON value a line, as the iterator yields them; holds one value at a time.
    ///
    /// # Errors
    /// When the file cannot be written or a value refuses to be serialised; nothing is left under its name then.
    pub fn write_lines<T: Serialize>(
        &self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Result<PathBuf, WriteError> {
        let mut lines = self.lines(name)?;
        for value in values {
            lines.push(&value)?;
        }
        lines.finish()
    }

    /// Starts a file of JSON lines that is written while the run goes on, such as `trace.jsonl`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn lines(&self, name: &str) -> Result<Lines, WriteError> {
        Ok(Lines { draft: self.draft(name)?, count: 0 })
    }
}

/// The greatest number that a folder of this name has in `root`, or zero.
fn last_number(root: &Path, name: &str) -> Result<u64, WriteError> {
    let mut last = 0;
    for entry in fs::read_dir(root).map_err(io_error("read", root))? {
        let entry = entry.map_err(io_error("read", root))?.file_name();
        let number = entry.to_str().and_then(|text| text.strip_prefix(name)?.strip_prefix('-')?.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}

/// `name` as every file system takes it: at most 60 letters, digits, dashes and underscores.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for character in name.chars().take(60) {
        if character.is_ascii_alphanumeric() || character == '_' {
            safe.push(character);
        } else if !safe.is_empty() && !safe.ends_with('-') {
            safe.push('-');
        }
    }
    let safe = safe.trim_end_matches('-');
    if safe.is_empty() { "run".to_owned() } else { safe.to_owned() }
}

/// A file that is not complete yet. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    part: PathBuf,
    /// `None` once finished.
    out: Option<BufWriter<File>>,
}

impl Draft {
    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name. Not flushed to the disk itself: a run is worth less than the wait.
    ///
    /// # Errors
    /// When the rest cannot be written, or a file of that name cannot be replaced.
    pub fn finish(mut self) -> Result<PathBuf, WriteError> {
        let mut out = self.out.take().expect("only finish takes it, and finish consumes the draft");
        let done = out.flush().map_err(io_error("write", &self.path)).and_then(|()| {
            drop(out);
            fs::rename(&self.part, &self.path).map_err(io_error("write", &self.path))
        });
        if done.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&self.part);
        }
        done.map(|()| self.path.clone())
    }

    /// The error for a failure to encode this file.
    pub(crate) fn encode_error(&self, why: impl ToString) -> WriteError {
        WriteError::Encode { path: self.path.clone(), why: why.to_string() }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Err(io::ErrorKind::BrokenPipe.into()), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            // An abandoned draft: that it cannot be removed either is no news to anyone.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A file of JSON lines that is being written.
#[derive(Debug)]
pub struct Lines {
    draft: Draft,
    count: u64,
}

impl Lines {
    /// Adds one value.
    ///
    /// # Errors
    /// When the disk is full, or the value refuses to be serialised.
    pub fn push<T: Serialize>(&mut self, value: &T) -> Result<(), WriteError> {
        if let Err(error) = serde_json::to_writer(&mut self.draft, value) {
            return Err(match error.io_error_kind() {
                Some(kind) => io_error("write", self.draft.path())(kind.into()),
                None => self.draft.encode_error(error),
            });
        }
        let ended = self.draft.write_all(b"\n");
        ended.map_err(io_error("write", &self.draft.path))?;
        self.count += 1;
        Ok(())
    }

    /// How many values were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// As [`Draft::finish`].
    pub fn finish(self) -> Result<PathBuf, WriteError> {
        self.draft.finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A folder of its own for one test, gone when the test ends.
    pub(in crate::report) struct Scratch(pub(in crate::report) PathBuf);

    impl Scratch {
        pub(in crate::report) fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("isles-report-{}-{test}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn each_run_gets_a_folder_of_its_own() {
        let scratch = Scratch::new("numbered");
        let root = scratch.0.join("runs");
        let paths: Vec<PathBuf> =
            (0..3).map(|_| Folder::numbered(&root, "plum tree/../x").unwrap().path().to_owned()).collect();
        assert_eq!(names(&root), ["plum-tree-x-1", "plum-tree-x-2", "plum-tree-x-3"]);
        fs::remove_dir(&paths[0]).unwrap();
        Folder::numbered(&root, "plum tree/../x").unwrap();
        assert_eq!(names(&root), ["plum-tree-x-2", "plum-tree-x-3", "plum-tree-x-4"]);
    }

    #[test]
    fn a_name_that_is_no_file_name_is_made_one() {
        let cases = [("", "run"), ("../..", "run"), ("a b", "a-b"), ("ü", "run"), ("x_1-y", "x_1-y")];
        for (name, expected) in cases {
            assert_eq!(file_name(name), expected);
        }
        assert_eq!(file_name(&"long".repeat(100)).len(), 60);
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused_and_untouched() {
        let scratch = Scratch::new("occupied");
        fs::write(scratch.0.join("thesis.txt"), "mine").unwrap();
        let error = Folder::at(&scratch.0).unwrap_err().to_string();
        assert!(error.contains("thesis.txt") && error.contains("occupied"), "{error}");
        assert_eq!(fs::read_to_string(scratch.0.join("thesis.txt")).unwrap(), "mine");
        // The control: an empty one is taken, a missing one created.
        assert!(Folder::at(&scratch.0.join("new/deep")).is_ok());
        assert!(Folder::at(&scratch.0.join("new/deep")).is_ok());
    }

    #[test]
    fn an_earlier_run_is_never_overwritten() {
        let scratch = Scratch::new("earlier");
        Folder::at(&scratch.0).unwrap().write("summary.json", b"{}").unwrap();
        let error = Folder::at(&scratch.0).unwrap_err().to_string();
        assert!(error.contains("another run"), "{error}");
    }

    #[test]
    fn an_error_names_the_path() {
        let scratch = Scratch::new("error");
        let file = scratch.0.join("a-file");
        fs::write(&file, "").unwrap();
        for error in [Folder::at(&file).unwrap_err(), Folder::numbered(&file, "x").unwrap_err()] {
            assert!(error.to_string().contains("a-file"), "{error}");
        }
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let scratch = Scratch::new("draft");
        let folder = Folder::at(&scratch.0).unwrap();
        let mut draft = folder.draft("a.txt").unwrap();
        draft.write_all(b"half").unwrap();
        assert_eq!(names(&scratch.0), [".a.txt.part"]);
        drop(draft);
        assert!(names(&scratch.0).is_empty(), "an abandoned draft leaves nothing");
        folder.write("a.txt", b"whole").unwrap();
        assert_eq!(names(&scratch.0), ["a.txt"]);
    }

    #[test]
    fn lines_are_one_json_value_each() {
        let scratch = Scratch::new("lines");
        let folder = Folder::at(&scratch.0).unwrap();
        let path = folder.write_lines("trace.jsonl", (0..3).map(|n| (n, "line\nbreak"))).unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text, "[0,\"line\\nbreak\"]\n[1,\"line\\nbreak\"]\n[2,\"line\\nbreak\"]\n");
    }

    #[test]
    fn a_value_that_cannot_be_serialised_leaves_no_file() {
        let scratch = Scratch::new("refused");
        let folder = Folder::at(&scratch.0).unwrap();
        let bad = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = folder.write_lines("history.jsonl", [bad]).unwrap_err();
        assert!(matches!(error, WriteError::Encode { .. }) && error.to_string().contains("history.jsonl"));
        assert!(names(&scratch.0).is_empty());
    }
}
