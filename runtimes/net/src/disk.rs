//! The barrier before the disk, and the thread that writes.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use isles_kernel::{Effect, Protocol};
use tokio::sync::mpsc;

use crate::clock::instant;
use crate::log::{Batches, Durability, Log, LogSettings};

/// Without a barrier, records that wait for the writer may have so many bytes; after that, effects wait for them.
const BEHIND_BYTES_MAX: usize = 64 << 20;
/// The writer is given so much at once, rather than to wait for more.
const FULL_BYTES: usize = 1 << 20;

/// Records on their way to the disk, and what waits for them.
#[derive(Debug)]
pub(crate) struct Disk<P: Protocol> {
    /// None for a volatile process.
    writer: Option<Writer>,
    /// Effects wait until records are on the disk.
    barrier: bool,
    /// Records that the writer has not got.
    coming: Batches,
    /// How many of them are awaited.
    awaited: u64,
    /// How many awaited records the writer has in hand, if it has something.
    in_hand: Option<u64>,
    /// Records so far that effects wait for, and how many of these are durable.
    persisted: u64,
    durable: u64,
    /// Effects, and how many records must be durable before each. Invariant: empty if all are durable.
    waiting: VecDeque<(u64, Effect<P>)>,
    bytes: u64,
    snapshot_bytes: u64,
    compact_bytes: u64,
}

/// What the thread has done.
#[derive(Debug)]
pub(crate) enum Written {
    /// Made what it had durable; the log has so many bytes.
    Done { bytes: u64, took: Duration, compacted: bool },
    /// It could not.
    Failed(String),
}

enum Command {
    Append(Batches),
    Compact(Batches),
}

/// The thread.
#[derive(Debug)]
struct Writer {
    commands: SyncSender<Command>,
    thread: JoinHandle<()>,
}

impl<P: Protocol> Disk<P> {
    /// Without a log.
    pub(crate) const fn volatile() -> Self {
        Self {
            writer: None,
            barrier: false,
            coming: Batches::new(),
            awaited: 0,
            in_hand: None,
            persisted: 0,
            durable: 0,
            waiting: VecDeque::new(),
            bytes: 0,
            snapshot_bytes: 0,
            compact_bytes: u64::MAX,
        }
    }

    /// With a log, to which a thread of its own writes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn durable(
        log: Log,
        settings: &LogSettings,
        written: mpsc::Sender<Written>,
    ) -> std::io::Result<Self> {
        let (commands, inbox) = sync_channel(1);
        let (bytes, durability) = (log.bytes, settings.durability);
        let thread = std::thread::Builder::new()
            .name("isles-log".to_owned())
            .spawn(move || write(log, durability, &inbox, &written))?;
        Ok(Self {
            writer: Some(Writer { commands, thread }),
            barrier: durability == Durability::Always,
            bytes,
            compact_bytes: settings.compact_bytes,
            ..Self::volatile()
        })
    }

    pub(crate) const fn is_durable(&self) -> bool {
        self.barrier
    }

    /// Whether what is emitted now waits for the disk.
    #[inline]
    pub(crate) const fn holds(&self) -> bool {
        self.durable < self.persisted
    }

    pub(crate) fn hold(&mut self, effect: Effect<P>) {
        self.waiting.push_back((self.persisted, effect));
    }

    pub(crate) fn persist(&mut self, record: &P::Record) {
        if self.writer.is_none() {
            return;
        }
        self.coming.push(record);
        // A disk that does not keep up is waited for even where nobody else would: memory is bounded.
        if self.barrier || self.coming.bytes > BEHIND_BYTES_MAX {
            self.persisted += 1;
            self.awaited += 1;
        }
    }

    /// So many more records are durable: the first effect that waited for no more than these; to be asked again until there is none.
    pub(crate) fn release(&mut self) -> Option<Effect<P>> {
        if self.waiting.front().is_none_or(|(until, _)| *until > self.durable) {
            return None;
        }
        self.waiting.pop_front().map(|(_, effect)| effect)
    }

    pub(crate) fn is_durable_now(&mut self, records: u64) {
        self.durable += records;
        assert!(self.durable <= self.persisted, "the disk has more than was written");
    }

    /// Whether something should be given to the writer.
    #[inline]
    pub(crate) const fn wants_to_write(&self) -> bool {
        self.in_hand.is_none() && !self.coming.is_empty()
    }

    /// Whether so much has come together that it should not wait for more.
    pub(crate) const fn is_full(&self) -> bool {
        self.coming.bytes >= FULL_BYTES
    }

    /// Gives the writer what has come together; `snapshot` tells a shorter log, if there is one and the log is long.
    pub(crate) fn write(&mut self, snapshot: impl FnOnce() -> Option<Vec<P::Record>>) {
        let Some(writer) = &self.writer else { return };
        if !self.wants_to_write() {
            return;
        }
        let coming = std::mem::take(&mut self.coming);
        self.in_hand = Some(std::mem::take(&mut self.awaited));
        let long = self.bytes > self.compact_bytes && self.bytes / 4 > self.snapshot_bytes;
        // A snapshot has in it what is coming, too.
        let command = match long.then(snapshot).flatten() {
            None => Command::Append(coming),
            Some(records) => {
                let mut all = Batches::new();
                records.iter().for_each(|record| all.push(record));
                Command::Compact(all)
            }
        };
        // Nothing is in hand, so that there is room; a thread that has ended has said why.
        let _ = writer.commands.try_send(command);
    }

    /// The writer is done: how many records are durable now that were not.
    pub(crate) fn written(&mut self, bytes: u64, compacted: bool) -> u64 {
        self.bytes = bytes;
        if compacted {
            self.snapshot_bytes = bytes;
        }
        self.in_hand.take().unwrap_or(0)
    }

    /// Whether nothing is left to be written.
    pub(crate) const fn is_idle(&self) -> bool {
        self.in_hand.is_none() && self.coming.is_empty()
    }

    /// Ends the thread, which makes durable what it was given.
    pub(crate) fn stop(&mut self) -> Option<JoinHandle<()>> {
        self.writer.take().map(|writer| writer.thread)
    }
}

/// What the thread does.
fn write(mut log: Log, durability: Durability, inbox: &Receiver<Command>, written: &mpsc::Sender<Written>) {
    const SECOND: Duration = Duration::from_secs(1);
    let (mut dirty, mut synced) = (false, instant());
    let fail = |error: String| {
        let _ = written.blocking_send(Written::Failed(error));
    };
    loop {
        let wait = if dirty { SECOND.saturating_sub(synced.elapsed()) } else { SECOND };
        let command = match inbox.recv_timeout(wait) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let begun = instant();
        let compacted = matches!(command, Some(Command::Compact(_)));
        let told = command.is_some();
        let done = match command {
            Some(Command::Append(mut batches)) => log.append(&mut batches).map_err(|error| error.to_string()),
            Some(Command::Compact(mut batches)) => {
                log.compact(&mut batches).map_err(|error| error.to_string())
            }
            None => Ok(()),
        };
        dirty = (dirty || told) && !compacted;
        let due = durability == Durability::Always || synced.elapsed() >= SECOND;
        let done = match done {
            Ok(()) if dirty && due => {
                (dirty, synced) = (false, instant());
                log.sync().map_err(|error| error.to_string())
            }
            done => done,
        };
        if let Err(error) = done {
            return fail(error);
        }
        let report = Written::Done { bytes: log.bytes, took: begun.elapsed(), compacted };
        if told && written.blocking_send(report).is_err() {
            break;
        }
    }
    if dirty && let Err(error) = log.sync() {
        fail(error.to_string());
    }
}
