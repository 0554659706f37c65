//! The durable log: an append-only file of batches, each with a checksum.
//!
//! | bytes | of a file's heading | | bytes | of a batch |
//! | --- | --- | --- | --- | --- |
//! | 8 | `ISLESLOG` | | 4 | a mark |
//! | 4 | version | | 4 | how long what follows the heading is |
//! | 8 | number of the file | | 8 | number of its first record in this file, from 0 on |
//! | 4 | checksum of these | | 8 | how much of the file was known to be durable when the batch was written |
//! | | | | 4 | checksum of these, the mark aside, and of what follows |
//!
//! What follows a batch's heading are its records, each after its length (32 bits, as all numbers little-endian). A batch is what is
//! made durable at once (group commit). What a crash leaves of the last batches is cut off (a torn tail). A batch that cannot be read
//! although a later one says that it had been durable is a damaged disk: opening refuses, for to go on would take back
//! what was promised. When a log has grown long, a snapshot of it goes into a new file, which takes the old one's place when all of it is durable.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use isles_kernel::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where a process keeps its records, and when they count as durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// The folder; made if it is absent.
    pub folder: PathBuf,
    /// When a record counts as durable.
    pub durability: Durability,
    /// A log longer than this, in bytes, and than four times its last snapshot, is put together in a snapshot. Default 64 MiB, a guess.
    pub compact_bytes: u64,
}

impl LogSettings {
    /// Records count as durable when they are on the disk.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), durability: Durability::Always, compact_bytes: 64 << 20 }
    }
}

/// When a record counts as durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// When the disk says that it has it: nothing is lost.
    Always,
    /// At once; the disk is made to take what there is every second. When the machine dies, up to that much is lost; when
    /// only the process dies, nothing is.
    EverySecond,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was opened, read or written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{}: another process uses this folder; stop it, or choose another folder", .0.display())]
    Locked(PathBuf),
    /// It is no log, or one of another version.
    #[error("{}: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with its heading.
        what: String,
    },
    /// What had been durable cannot be read.
    #[error(
        "{}: damaged at byte {at}, although byte {later} says that this had been on the disk: {what}; restore the folder from a copy, or \
         remove it and let the process come back as a new one",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
        /// Where the batch begins that says so.
        later: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A record whose checksum is right is none of the protocol's.
    #[error("{}: the record at byte {at} is none of this protocol's: {error}; was it written by another version?", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
        /// Why.
        error: codec::DecodeError,
    },
}

const MAGIC: [u8; 8] = *b"ISLESLOG";
const VERSION: u32 = 1;
const HEADING: usize = 24;
const MARK: [u8; 4] = [0xb4, 0xe5, 0x17, 0x15];
const BATCH_HEADING: usize = 28;
/// A batch is closed when it is as long as this.
const BATCH_BYTES: usize = 1 << 20;
/// No batch is longer: a batch is closed after the record that reaches [`BATCH_BYTES`].
const BATCH_BYTES_MAX: usize = BATCH_BYTES + codec::BYTES_MAX + 8;
/// A tail longer than this is not what a crash leaves.
const TAIL_BYTES_MAX: u64 = 1 << 30;

/// Records on their way into one batch.
#[derive(Debug, Default)]
struct Batch {
    /// Room for the heading, then records after their lengths.
    bytes: Vec<u8>,
    records: u64,
}

impl Batch {
    fn push<R: Serialize>(&mut self, record: &R) {
        if self.bytes.is_empty() {
            self.bytes.resize(BATCH_HEADING, 0);
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes =
            postcard::to_extend(record, bytes).expect("derived Serialize into growing memory cannot fail");
        let length = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.records += 1;
    }

    const fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Records on their way into batches, none of which is longer than one may be.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    /// Invariant: none is empty, and all but the last are full.
    all: Vec<Batch>,
    pub(crate) bytes: usize,
}

impl Batches {
    pub(crate) const fn new() -> Self {
        Self { all: Vec::new(), bytes: 0 }
    }

    pub(crate) fn push<R: Serialize>(&mut self, record: &R) {
        if self.all.last().is_none_or(|last| last.len() >= BATCH_BYTES) {
            self.all.push(Batch::default());
        }
        if let Some(last) = self.all.last_mut() {
            let before = last.len();
            last.push(record);
            self.bytes += last.len() - before;
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn checksum(parts: [&[u8]; 2]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}

/// The file that is appended to.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    file: File,
    number: u64,
    /// Bytes and records of the file.
    pub(crate) bytes: u64,
    records: u64,
    /// How many of the bytes are known to be durable.
    durable: u64,
    /// Held while the log is open.
    _lock: File,
}

/// A log that was opened, and what was in it.
#[derive(Debug)]
pub(crate) struct Opened<R> {
    pub(crate) log: Log,
    pub(crate) records: Vec<R>,
    /// Bytes of a torn tail that were cut off.
    pub(crate) cut: u64,
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { path, source }
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("records-{number:016x}.log"))
}

impl Log {
    /// Opens the log of a folder, or makes one.
    ///
    /// # Errors
    /// When the system refuses, another process has it, or it is damaged.
    pub(crate) fn open<R: DeserializeOwned>(folder: &Path) -> Result<Opened<R>, LogError> {
        std::fs::create_dir_all(folder).map_err(io_error(folder))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(io_error(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(LogError::Locked(folder.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => return Err(LogError::Io { path, source }),
        }
        let numbers = numbers(folder)?;
        let Some(number) = numbers.last().copied() else {
            let (file, bytes) = create(folder, 0, &[])?;
            let log = Self {
                folder: folder.to_owned(),
                file,
                number: 0,
                bytes,
                records: 0,
                durable: bytes,
                _lock: lock,
            };
            return Ok(Opened { log, records: Vec::new(), cut: 0 });
        };
        let path = path_of(folder, number);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(io_error(&path))?;
        let mut reader = Reader { file: &file, path: &path, at: 0, records: Vec::new() };
        let length = reader.run(number)?;
        let (bytes, records) = (reader.at, reader.records);
        if bytes < length {
            file.set_len(bytes).map_err(io_error(&path))?;
        }
        file.sync_all().map_err(io_error(&path))?;
        (&file).seek(SeekFrom::Start(bytes)).map_err(io_error(&path))?;
        // A snapshot took their place, and the process died before they were removed.
        for older in &numbers[..numbers.len() - 1] {
            let path = path_of(folder, *older);
            std::fs::remove_file(&path).map_err(io_error(&path))?;
        }
        let count = records.len() as u64;
        let folder = folder.to_owned();
        let log = Self { folder, file, number, bytes, records: count, durable: bytes, _lock: lock };
        Ok(Opened { log, records, cut: length - bytes })
    }

    /// Writes batches at the end.
    ///
    /// # Errors
    /// When the system refuses; then nothing of the batch that did not fit is left in the file, as far as the system lets us.
    pub(crate) fn append(&mut self, batches: &mut Batches) -> io::Result<()> {
        for batch in &mut batches.all {
            seal(batch, self.records, self.durable);
            if let Err(error) = self.file.write_all(&batch.bytes) {
                self.file.set_len(self.bytes)?;
                return Err(error);
            }
            self.bytes += batch.bytes.len() as u64;
            self.records += batch.records;
        }
        Ok(())
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// When the system refuses. What was written may then be lost although a further call succeeds: give the log up.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.durable = self.bytes;
        Ok(())
    }

    /// Goes on in a new file, which begins with these records, instead of all that were written before.
    ///
    /// # Errors
    /// When the system refuses; the log is then what it was.
    pub(crate) fn compact(&mut self, batches: &mut Batches) -> Result<(), LogError> {
        let mut records = 0;
        for batch in &mut batches.all {
            // The file takes its name when all of it is durable.
            seal(batch, records, 0);
            records += batch.records;
        }
        let number = self.number + 1;
        let (file, bytes) = create(&self.folder, number, &batches.all)?;
        let old = path_of(&self.folder, self.number);
        *self = Self {
            file,
            number,
            bytes,
            records,
            durable: bytes,
            folder: std::mem::take(&mut self.folder),
            _lock: self._lock.try_clone().map_err(io_error(&old))?,
        };
        std::fs::remove_file(&old).map_err(io_error(&old))
    }
}

/// Writes the heading of a batch.
fn seal(batch: &mut Batch, first: u64, durable: u64) {
    let length = (batch.bytes.len() - BATCH_HEADING) as u32;
    batch.bytes[..4].copy_from_slice(&MARK);
    batch.bytes[4..8].copy_from_slice(&length.to_le_bytes());
    batch.bytes[8..16].copy_from_slice(&first.to_le_bytes());
    batch.bytes[16..24].copy_from_slice(&durable.to_le_bytes());
    let sum = checksum([&batch.bytes[4..24], &batch.bytes[BATCH_HEADING..]]);
    batch.bytes[24..28].copy_from_slice(&sum);
}

/// A new file with these batches, durable under its name.
fn create(folder: &Path, number: u64, batches: &[Batch]) -> Result<(File, u64), LogError> {
    let (path, under_way) = (path_of(folder, number), folder.join("under-way"));
    let mut file = File::create(&under_way).map_err(io_error(&under_way))?;
    let mut heading = Vec::with_capacity(HEADING);
    heading.extend_from_slice(&MAGIC);
    heading.extend_from_slice(&VERSION.to_le_bytes());
    heading.extend_from_slice(&number.to_le_bytes());
    heading.extend_from_slice(&checksum([&heading, &[]]));
    let mut bytes = HEADING as u64;
    let mut write = || {
        file.write_all(&heading)?;
        for batch in batches {
            file.write_all(&batch.bytes)?;
            bytes += batch.bytes.len() as u64;
        }
        file.sync_all()?;
        std::fs::rename(&under_way, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(io_error(&path))?;
    Ok((file, bytes))
}

/// The numbers of the files in a folder, ascending.
fn numbers(folder: &Path) -> Result<Vec<u64>, LogError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io_error(folder))? {
        let name = entry.map_err(io_error(folder))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix("records-")?.strip_suffix(".log"));
        numbers.extend(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a file up to the end of its last good batch.
struct Reader<'f, R> {
    file: &'f File,
    path: &'f Path,
    /// The end of the last good batch.
    at: u64,
    records: Vec<R>,
}

/// The heading of a batch.
#[derive(Clone, Copy)]
struct Heading {
    length: usize,
    first: u64,
    durable: u64,
}

fn number(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The heading at the beginning of `bytes`, if the batch is whole and its checksum right.
fn good(bytes: &[u8]) -> Result<Heading, &'static str> {
    if bytes.len() < BATCH_HEADING {
        return Err("the heading of a batch is cut short");
    }
    if bytes[..4] != MARK {
        return Err("no batch begins there");
    }
    let length = number(&bytes[4..8]) as usize;
    let body = bytes.get(BATCH_HEADING..BATCH_HEADING + length).ok_or("the batch is cut short")?;
    if length > BATCH_BYTES_MAX || checksum([&bytes[4..24], body])[..] != bytes[24..28] {
        return Err("the checksum is wrong");
    }
    Ok(Heading { length, first: number(&bytes[8..16]), durable: number(&bytes[16..24]) })
}

impl<R: DeserializeOwned> Reader<'_, R> {
    /// Reads all; returns the length of the file.
    fn run(&mut self, number: u64) -> Result<u64, LogError> {
        let length = self.file.metadata().map_err(io_error(self.path))?.len();
        self.heading(number)?;
        while self.at < length {
            match self.batch(length)? {
                None => {}
                Some(what) => {
                    self.is_torn(length, what)?;
                    break;
                }
            }
        }
        Ok(length)
    }

    fn read(&mut self, from: u64, count: u64) -> Result<Vec<u8>, LogError> {
        let mut bytes = Vec::with_capacity(count as usize);
        self.file.seek(SeekFrom::Start(from)).map_err(io_error(self.path))?;
        self.file.take(count).read_to_end(&mut bytes).map_err(io_error(self.path))?;
        Ok(bytes)
    }

    fn heading(&mut self, expected: u64) -> Result<(), LogError> {
        let foreign = |what: String| Err(LogError::Foreign { path: self.path.to_owned(), what });
        let bytes = self.read(0, HEADING as u64)?;
        if bytes.len() < HEADING || bytes[..8] != MAGIC {
            return foreign("this is no log of isles".to_owned());
        }
        match number(&bytes[8..12]) as u32 {
            VERSION => {}
            other => {
                return foreign(format!("version {other} of the log; this isles reads version {VERSION}"));
            }
        }
        if bytes[20..] != checksum([&bytes[..20], &[]]) || number(&bytes[12..20]) != expected {
            return foreign("its heading is damaged; restore it from a copy".to_owned());
        }
        self.at = HEADING as u64;
        Ok(())
    }

    /// Reads the batch at `at`, and moves behind it; says what is wrong with it otherwise.
    fn batch(&mut self, length: u64) -> Result<Option<&'static str>, LogError> {
        let heading = self.read(self.at, BATCH_HEADING as u64)?;
        let claimed = if heading.len() == BATCH_HEADING { number(&heading[4..8]) } else { 0 };
        let count = (BATCH_HEADING as u64 + claimed.min(BATCH_BYTES_MAX as u64)).min(length - self.at);
        let bytes = self.read(self.at, count)?;
        let heading = match good(&bytes) {
            Ok(heading) if heading.first == self.records.len() as u64 => heading,
            Ok(_) => return Ok(Some("records are missing")),
            Err(what) => return Ok(Some(what)),
        };
        let mut rest = &bytes[BATCH_HEADING..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let at = self.at + (bytes.len() - rest.len()) as u64;
            let size = u32::from_le_bytes(*length) as usize;
            let Some((record, after)) = after.split_at_checked(size) else {
                return Ok(Some("a record is longer than its batch"));
            };
            let record = codec::decode(record);
            self.records.push(record.map_err(|error| LogError::Record {
                path: self.path.into(),
                at,
                error,
            })?);
            rest = after;
        }
        self.at += (BATCH_HEADING + heading.length) as u64;
        Ok(None)
    }

    /// Whether what follows the last good batch may be what a crash left.
    fn is_torn(&mut self, length: u64, what: &'static str) -> Result<(), LogError> {
        let damaged = |at: u64, later: u64| LogError::Damaged { path: self.path.to_owned(), at, later, what };
        if length - self.at > TAIL_BYTES_MAX {
            return Err(damaged(self.at, length));
        }
        let tail = self.read(self.at, length - self.at)?;
        let marks = tail.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
        for (place, _) in marks {
            if good(&tail[place..]).is_ok_and(|heading| heading.durable > self.at) {
                return Err(LogError::Damaged {
                    path: self.path.to_owned(),
                    at: self.at,
                    later: self.at + place as u64,
                    what,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("isles-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    fn write(log: &mut Log, records: &[u64]) {
        let mut batches = Batches::new();
        records.iter().for_each(|record| batches.push(record));
        log.append(&mut batches).unwrap();
        log.sync().unwrap();
    }

    /// Three synced batches: [1, 2], [3], [4, 5], and where each ends.
    fn three(folder: &Path) -> Vec<u64> {
        let mut log = Log::open::<u64>(folder).unwrap().log;
        [&[1, 2][..], &[3], &[4, 5]]
            .iter()
            .map(|records| {
                write(&mut log, records);
                log.bytes
            })
            .collect()
    }

    fn reopened(folder: &Path) -> Result<(Vec<u64>, u64), LogError> {
        Log::open::<u64>(folder).map(|opened| (opened.records, opened.cut))
    }

    #[test]
    fn a_log_cut_anywhere_keeps_all_whole_batches() {
        let folder = folder("cut");
        let ends = three(&folder);
        let path = path_of(&folder, 0);
        let whole = std::fs::read(&path).unwrap();
        for length in HEADING..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let batches = ends.iter().filter(|end| **end <= length as u64).count();
            let (expected, end) = match batches {
                0 => (&[][..], HEADING as u64),
                1 => (&[1, 2][..], ends[0]),
                2 => (&[1, 2, 3][..], ends[1]),
                _ => (&[1, 2, 3, 4, 5][..], ends[2]),
            };
            assert_eq!(reopened(&folder).unwrap(), (expected.to_vec(), length as u64 - end), "{length}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_flipped_bit_is_a_torn_tail_in_the_last_batch_and_damage_before_it() {
        let folder = folder("flip");
        let ends = three(&folder);
        let path = path_of(&folder, 0);
        let whole = std::fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            match reopened(&folder) {
                Err(LogError::Foreign { .. }) => assert!(place < HEADING, "{place}"),
                Err(LogError::Damaged { at, .. }) => {
                    assert!((HEADING as u64..ends[1]).contains(&(place as u64)), "{place} {at}");
                }
                Ok((records, _)) => assert!(place as u64 >= ends[1] && records == [1, 2, 3], "{place}"),
                Err(other) => panic!("{place}: {other}"),
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_unsynced_batch_that_is_lost_before_a_later_one_is_a_torn_tail() {
        let folder = folder("unsynced");
        let mut log = Log::open::<u64>(&folder).unwrap().log;
        write(&mut log, &[1]);
        let end = log.bytes as usize;
        for record in [2u64, 3] {
            let mut batches = Batches::new();
            batches.push(&record);
            log.append(&mut batches).unwrap();
        }
        drop(log);
        let path = path_of(&folder, 0);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[end + BATCH_HEADING] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(reopened(&folder).unwrap().0, [1]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn many_and_long_records_at_once_are_read_again() {
        let folder = folder("long");
        let records: Vec<String> = (0..9).map(|letter| "x".repeat(4 << 20) + &letter.to_string()).collect();
        let mut batches = Batches::new();
        records.iter().for_each(|record| batches.push(record));
        let mut log = Log::open::<String>(&folder).unwrap().log;
        log.append(&mut batches).unwrap();
        drop(log);
        assert_eq!(Log::open::<String>(&folder).unwrap().records, records);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_snapshot_takes_the_place_of_the_log() {
        let folder = folder("snapshot");
        three(&folder);
        let mut log = Log::open::<u64>(&folder).unwrap().log;
        let mut batches = Batches::new();
        batches.push(&15u64);
        log.compact(&mut batches).unwrap();
        write(&mut log, &[6]);
        assert!(matches!(Log::open::<u64>(&folder), Err(LogError::Locked(_))));
        drop(log);
        assert_eq!(reopened(&folder).unwrap().0, [15, 6]);
        assert_eq!(numbers(&folder).unwrap(), [1]);
        // A process that died between the two steps leaves both; one that died before leaves what was under way.
        std::fs::copy(path_of(&folder, 1), path_of(&folder, 0)).unwrap();
        std::fs::write(folder.join("under-way"), b"half").unwrap();
        assert_eq!(reopened(&folder).unwrap().0, [15, 6]);
        assert_eq!(numbers(&folder).unwrap(), [1]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_log_or_no_record_is_refused() {
        let folder = folder("foreign");
        three(&folder);
        // Those records are numbers, not texts of that length.
        assert!(matches!(Log::open::<(u64, String)>(&folder), Err(LogError::Record { .. })));
        std::fs::write(path_of(&folder, 7), b"hello").unwrap();
        assert!(matches!(Log::open::<u64>(&folder), Err(LogError::Foreign { .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
