//! The copy of a process: its version and value, and the write that it is locked for.

use isles_kernel::{Cx, ProcessId};

use super::{Event, Lock, Mistake, Msg, Record, Timer, Version, Voting};

/// So many readers wait at most where a write has locked.
const WAITING_MAX: usize = 1024;

/// A copy.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Representative {
    version: Version,
    value: i64,
    lock: Option<Lock>,
    /// Who wants to know the version, and for which operation. Invariant: nobody waits where nothing is locked.
    waiting: Vec<(ProcessId, u64)>,
}

impl Representative {
    pub(super) const fn holds(&self) -> (Version, i64) {
        (self.version, self.value)
    }

    pub(super) const fn lock(&self) -> Option<Lock> {
        self.lock
    }

    pub(super) fn is_locked_for(&self, writer: ProcessId, number: u64) -> bool {
        self.lock.is_some_and(|lock| (lock.writer, lock.number) == (writer, number))
    }

    /// Has a value, if its version is newer; returns whether it is.
    fn take(&mut self, version: Version, value: i64) -> bool {
        let is_newer = version > self.version;
        if is_newer {
            (self.version, self.value) = (version, value);
        }
        is_newer
    }

    /// Does again what a record says.
    pub(super) fn replay(&mut self, record: &Record) {
        match record {
            Record::Stored(version, value) => _ = self.take(*version, *value),
            Record::Prepared(lock) => self.lock = Some(*lock),
            Record::Committed(version) => {
                if let Some(lock) = self.lock.take() {
                    self.take(*version, lock.value);
                }
            }
            Record::Aborted => self.lock = None,
            Record::Began(_) | Record::Decided { .. } | Record::Heard(_) => {}
        }
    }
}

impl Voting {
    /// Gifford 1979, section 3: the version numbers of a quorum say which copies are current.
    ///
    /// Why a read needs no lock of its own: let a write be decided, which takes `w` locked copies. A read that begins later meets one of
    /// them, and that one has the new version or lets the read wait until it has. A read that returns the older version had its answer from each
    /// copy that it shares with the write before that copy was locked, so before the decision.
    pub(super) fn on_inquire(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64) {
        let waits = self.copy.lock.is_some() && cx.config().mistake != Some(Mistake::PassesLocks);
        if !waits {
            let version = self.copy.version;
            self.tell(cx, from, Msg::Version { number, version });
        } else if self.copy.waiting.len() < WAITING_MAX {
            self.copy.waiting.push((from, number));
        } else {
            self.tell(cx, from, Msg::Busy { number });
        }
    }

    /// The lock and what it is for are on disk before the writer hears of them.
    pub(super) fn on_prepare(&mut self, cx: &mut Cx<'_, Self>, lock: Lock) {
        let number = lock.number;
        if self.copy.lock.is_some() {
            return self.tell(cx, lock.writer, Msg::Busy { number });
        }
        self.copy.lock = Some(lock);
        if cx.config().mistake != Some(Mistake::LosesPrepared) {
            cx.persist(Record::Prepared(lock));
        }
        cx.arm(Timer::Resolve(lock.writer, number), cx.config().remind);
        let version = self.copy.version;
        self.tell(cx, lock.writer, Msg::Prepared { number, version });
    }

    /// The value is taken under its version. A copy that was locked late may have a newer one, and keeps it.
    pub(super) fn on_commit(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        number: u64,
        version: Version,
    ) {
        if let Some(lock) = self.copy.lock.take_if(|lock| (lock.writer, lock.number) == (from, number)) {
            cx.persist(Record::Committed(version));
            if self.copy.take(version, lock.value) {
                cx.emit(Event::Took { version, value: lock.value });
            }
            self.unlocked(cx, from, number);
        }
        self.tell(cx, from, Msg::Committed { number });
    }

    pub(super) fn on_abort(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, number: u64) {
        if self.copy.lock.take_if(|lock| (lock.writer, lock.number) == (from, number)).is_some() {
            cx.persist(Record::Aborted);
            self.unlocked(cx, from, number);
        }
    }

    /// [`Mistake::Naive`]: what has a newer version is kept; the writer is told that it is there.
    pub(super) fn on_store(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        number: u64,
        new: (Version, i64),
    ) {
        let (version, value) = new;
        if self.copy.take(version, value) {
            cx.persist(Record::Stored(version, value));
            cx.emit(Event::Took { version, value });
        }
        self.tell(cx, from, Msg::Stored { number });
    }

    /// A weak representative keeps what its process read. It is a cache: nothing of it is on disk.
    pub(super) fn keep(&mut self, cx: &Cx<'_, Self>, version: Version, value: i64) {
        let is_weak = cx.config().votes.get(cx.me().index()) == Some(&0);
        if is_weak {
            self.copy.take(version, value);
        }
    }

    /// After a restart: what this copy was locked for by a write of its own process is decided here.
    pub(super) fn settle_own(&mut self, cx: &mut Cx<'_, Self>) {
        let me = cx.me();
        let Some(lock) = self.copy.lock.filter(|lock| lock.writer == me) else { return };
        match self.decided.get(&lock.number).map(|decision| decision.version) {
            Some(version) => self.on_commit(cx, me, lock.number, version),
            None => self.on_abort(cx, me, lock.number),
        }
    }

    /// Those who waited are answered.
    fn unlocked(&mut self, cx: &mut Cx<'_, Self>, writer: ProcessId, number: u64) {
        cx.disarm(Timer::Resolve(writer, number));
        let version = self.copy.version;
        for (reader, number) in std::mem::take(&mut self.copy.waiting) {
            self.tell(cx, reader, Msg::Version { number, version });
        }
    }
}
