//! A process on sockets and disk.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use isles_kernel::{OpId, ProcessId, Protocol, Time};
use rustc_hash::FxBuildHasher;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};

use crate::book::Book;
use crate::clock::Clock;
use crate::core::Core;
use crate::datagram::Session;
use crate::disk::{Disk, Written};
use crate::input::Input;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::recording::Recorder;
use crate::settings::{Limits, Security, Settings, StartError};
use crate::{incoming, outgoing};

/// A process that runs: on one thread, a tokio runtime's `LocalSet`, with all its sockets. Clones are the same process.
pub struct Host<P: Protocol>(pub(crate) Rc<Inner<P>>);

impl<P: Protocol> Clone for Host<P> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<P: Protocol> fmt::Debug for Host<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("me", &self.0.me).finish_non_exhaustive()
    }
}

/// What takes answers or events.
type Taker<T> = RefCell<Box<dyn FnMut(T)>>;

pub(crate) struct Inner<P: Protocol> {
    pub(crate) me: ProcessId,
    pub(crate) cluster: String,
    pub(crate) protocol: String,
    pub(crate) address: String,
    pub(crate) security: Security,
    pub(crate) limits: Limits,
    pub(crate) book: Rc<RefCell<Book>>,
    pub(crate) metrics: Rc<Metrics>,
    /// How datagrams of others are opened.
    pub(crate) sessions: RefCell<HashMap<u64, (ProcessId, Session), FxBuildHasher>>,
    /// How many streams each process has made to this one. Never iterated.
    turns: RefCell<HashMap<u32, u64, FxBuildHasher>>,
    core: RefCell<Core<P>>,
    on_reply: Taker<(OpId, P::Reply)>,
    on_event: Taker<P::Event>,
    /// Somebody is giving answers out already.
    giving: Cell<bool>,
    /// Until when the task of the timers sleeps.
    asleep_until: Cell<Option<Instant>>,
    timers: Notify,
    disk: Notify,
    tasks: RefCell<Vec<JoinHandle<()>>>,
    failure: watch::Sender<Option<String>>,
    clock: RefCell<Clock>,
}

impl<P: Protocol> Inner<P> {
    /// A process has made another stream to this one.
    pub(crate) fn turn(&self, peer: ProcessId) -> u64 {
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(peer.0).or_insert(0);
        *turn += 1;
        *turn
    }

    /// How many streams a process has made to this one.
    pub(crate) fn turns(&self, peer: ProcessId) -> u64 {
        self.turns.borrow().get(&peer.0).copied().unwrap_or(0)
    }
}

impl<P: Protocol> Host<P> {
    /// Opens the log, listens, and starts the process. To be called inside a tokio `LocalSet`, where everything of the process stays.
    /// `on_reply` is given each answer and `on_event` each event, in order; they may invoke operations.
    ///
    /// # Errors
    /// When the settings make no sense, or something they name cannot be used.
    pub async fn start(
        settings: Settings,
        config: Arc<P::Config>,
        on_reply: impl FnMut((OpId, P::Reply)) + 'static,
        on_event: impl FnMut(P::Event) + 'static,
    ) -> Result<Self, StartError> {
        settings.validate()?;
        let metrics = Rc::new(Metrics::new());
        let book = Rc::new(RefCell::new(Book::new(&settings.members)));
        let (sender, written) = mpsc::channel(2);
        let (disk, records) = open_log::<P>(&settings, sender)?;
        let (listener, socket) = listen(settings.listens_on()).await?;
        let mut out = Outbound::new(settings.me, Rc::clone(&book), settings.limits, Rc::clone(&metrics));
        let socket = Rc::new(socket);
        out.socket = Some(Rc::clone(&socket));
        let seed = getrandom::u64().map_err(|error| StartError::System(error.to_string()))?;
        let mut core = Core::new(config, out, disk, seed);
        core.own.recorder = recorder(&settings, core.own.disk.is_durable())?;
        let host = Self(Rc::new(Inner {
            me: settings.me,
            address: settings.members[settings.me.index()].clone(),
            cluster: settings.cluster,
            protocol: settings.protocol,
            security: settings.security,
            limits: settings.limits,
            book,
            metrics,
            sessions: RefCell::default(),
            turns: RefCell::default(),
            core: RefCell::new(core),
            on_reply: RefCell::new(Box::new(on_reply)),
            on_event: RefCell::new(Box::new(on_event)),
            giving: Cell::new(false),
            asleep_until: Cell::new(None),
            timers: Notify::new(),
            disk: Notify::new(),
            tasks: RefCell::default(),
            failure: watch::channel(None).0,
            clock: RefCell::default(),
        }));
        host.step(Input::Start { log: records });
        host.spawn(host.clone().tend_timers());
        host.spawn(host.clone().tend_disk(written));
        host.spawn(incoming::accept(host.clone(), listener));
        host.spawn(incoming::receive(host.clone(), socket));
        Ok(host)
    }

    /// Invokes an operation, whose name must not have been used since the process started. The answer is given to `on_reply`, perhaps
    /// before this returns.
    #[inline]
    pub fn invoke(&self, id: OpId, op: P::Op) {
        self.0.metrics.operations.inc();
        self.step(Input::Op { id, op });
    }

    /// Looks at the process.
    ///
    /// # Panics
    /// When called while the process acts, that is from a protocol's handler.
    pub fn inspect<R>(&self, look: impl FnOnce(&P) -> R) -> R {
        look(self.0.core.borrow().state().expect("a host is handed out when its process has started"))
    }

    /// Nanoseconds of Unix time, as the process sees them.
    pub fn now(&self) -> Time {
        self.0.clock.borrow_mut().now()
    }

    /// What the host has counted, as Prometheus text.
    pub fn metrics(&self) -> String {
        self.0.metrics.text()
    }

    /// Waits until the process cannot go on: its disk has failed. Says why.
    pub async fn failed(&self) -> String {
        let mut failure = self.0.failure.subscribe();
        loop {
            if let Some(why) = &*failure.borrow_and_update() {
                return why.clone();
            }
            if failure.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Stops: what has been persisted becomes durable, and what waits for others is sent, for at most a second each. Nothing
    /// happens to the process any more.
    pub async fn stop(self) {
        let until = crate::clock::instant() + Duration::from_secs(1);
        while crate::clock::instant() < until && !self.is_idle() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        tasks.iter().for_each(JoinHandle::abort);
        for task in tasks {
            // Their sockets are closed when they have ended; that they were ended is no failure.
            let _ = task.await;
        }
        let thread = { self.0.core.borrow_mut().own.disk.stop() };
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join());
            if !matches!(ended.await, Ok(Ok(()))) {
                tracing::error!("the thread of the log panicked");
            }
        }
    }

    fn is_idle(&self) -> bool {
        let core = self.0.core.borrow();
        core.own.disk.is_idle() && core.own.out.is_idle()
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let mut tasks = self.0.tasks.borrow_mut();
        if tasks.len() >= 64 && tasks.len().is_power_of_two() {
            tasks.retain(|task| !task.is_finished());
        }
        let task = tokio::task::spawn_local(task);
        let handle = task.abort_handle();
        tasks.push(task);
        handle
    }

    /// Lets something happen to the process, and tells everyone whom it concerns.
    #[inline]
    pub(crate) fn step(&self, input: Input<P>) {
        let inner = &*self.0;
        let (fresh, next) = {
            let mut core = inner.core.borrow_mut();
            core.step(input);
            let own = &mut core.own;
            if own.disk.wants_to_write() {
                inner.disk.notify_one();
            }
            own.keep_recording();
            own.out.send_packets();
            let fresh =
                if own.out.fresh.is_empty() { Vec::new() } else { std::mem::take(&mut own.out.fresh) };
            (fresh, own.timers.next())
        };
        if let Some(next) = next
            && inner.asleep_until.get().is_none_or(|until| next < until)
        {
            inner.asleep_until.set(Some(next));
            inner.timers.notify_one();
        }
        for link in fresh {
            self.spawn(outgoing::tend(self.clone(), link));
        }
        self.give();
    }

    /// Gives out answers and events. Whoever takes one may invoke an operation; the outermost call gives its answers, too.
    #[inline]
    fn give(&self) {
        let inner = &*self.0;
        if inner.giving.replace(true) {
            return;
        }
        loop {
            let (mut replies, mut events) = {
                let own = &mut inner.core.borrow_mut().own;
                (std::mem::take(&mut own.replies), std::mem::take(&mut own.events))
            };
            if replies.is_empty() && events.is_empty() {
                break;
            }
            inner.metrics.replies.inc_by(replies.len() as u64);
            let mut taker = inner.on_reply.borrow_mut();
            replies.drain(..).for_each(&mut *taker);
            drop(taker);
            let mut taker = inner.on_event.borrow_mut();
            events.drain(..).for_each(&mut *taker);
            drop(taker);
            // Their memory is used again.
            let own = &mut inner.core.borrow_mut().own;
            if own.replies.is_empty() {
                own.replies = replies;
            }
            if own.events.is_empty() {
                own.events = events;
            }
            if own.replies.is_empty() && own.events.is_empty() {
                break;
            }
        }
        inner.giving.set(false);
    }

    async fn tend_timers(self) {
        let inner = &*self.0;
        loop {
            let next = inner.core.borrow().own.timers.next();
            inner.asleep_until.set(next);
            let slept = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = slept => {}
                () = inner.timers.notified() => continue,
            }
            let now = crate::clock::instant();
            loop {
                let due = inner.core.borrow_mut().own.timers.pop(now);
                let Some(timer) = due else { break };
                inner.metrics.timers.inc();
                self.step(Input::Timer { timer });
            }
        }
    }

    async fn tend_disk(self, mut written: mpsc::Receiver<Written>) {
        let inner = &*self.0;
        loop {
            tokio::select! {
                () = inner.disk.notified() => {
                    // Whoever is ready to act now gets into the same batch.
                    if !inner.core.borrow().own.disk.is_full() {
                        tokio::task::yield_now().await;
                    }
                    inner.core.borrow_mut().write();
                }
                done = written.recv() => match done {
                    None => std::future::pending().await,
                    Some(Written::Failed(error)) => {
                        tracing::error!(%error, "the log cannot be written: this process stops");
                        inner.failure.send_replace(Some(format!("the log cannot be written: {error}")));
                    }
                    Some(Written::Done { bytes, took, compacted }) => {
                        inner.metrics.sync_seconds.observe(took.as_secs_f64());
                        inner.metrics.syncs.inc();
                        inner.metrics.log_bytes.set(bytes as i64);
                        inner.metrics.snapshots.inc_by(u64::from(compacted));
                        let records = inner.core.borrow_mut().own.disk.written(bytes, compacted);
                        if records > 0 {
                            self.step(Input::Durable { records });
                        }
                        if inner.core.borrow().own.disk.wants_to_write() {
                            inner.disk.notify_one();
                        }
                    }
                },
            }
        }
    }
}

async fn listen(address: &str) -> Result<(TcpListener, UdpSocket), StartError> {
    let failed = |source| StartError::Listen { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    let socket = UdpSocket::bind(local).await.map_err(failed)?;
    Ok((listener, socket))
}

fn open_log<P: Protocol>(
    settings: &Settings,
    written: mpsc::Sender<Written>,
) -> Result<(Disk<P>, Vec<P::Record>), StartError> {
    let Some(log) = &settings.log else { return Ok((Disk::volatile(), Vec::new())) };
    let opened = Log::open(&log.folder)?;
    if opened.cut > 0 {
        let folder = log.folder.display();
        tracing::warn!(%folder, bytes = opened.cut, "cut the end of the log that a crash had left half written");
    }
    let disk =
        Disk::durable(opened.log, log, written).map_err(|error| StartError::System(error.to_string()))?;
    Ok((disk, opened.records))
}

fn recorder(settings: &Settings, durable: bool) -> Result<Option<Recorder>, StartError> {
    let Some(recording) = &settings.recording else { return Ok(None) };
    let mut heading = Recorder::heading(&settings.protocol, (settings.me, settings.members.len()), durable);
    heading.about = recording.about.clone();
    let recorder = Recorder::new(&recording.path, &heading);
    let path = recording.path.clone();
    recorder.map(Some).map_err(|source| StartError::Recording { path, source })
}
