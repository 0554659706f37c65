//! Brings the store's replies to the connections that asked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use hashbrown::HashMap;
use isles_kernel::{OpId, Time};
use isles_quorum::store::{Op, Reply};
use rustc_hash::FxBuildHasher;

/// What a node asks of whatever keeps its keys.
pub trait Backend {
    /// Invokes an operation. It is answered once, to [`Switchboard::deliver`], perhaps before this returns.
    fn invoke(&self, id: OpId, op: Op);
    /// The clock by which keys expire: nanoseconds of Unix time.
    fn now(&self) -> Time;
    /// Counters, as Prometheus text.
    fn metrics(&self) -> String;
}

/// The clock by which keys expire, for commands of which few look at it.
#[derive(Clone, Copy)]
pub(crate) struct Clock<'a>(pub(crate) &'a dyn Backend);

impl Clock<'_> {
    /// What it shows.
    pub(crate) fn now(self) -> Time {
        self.0.now()
    }
}

/// Why a connection is ended by the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Doom {
    /// It sent nothing for too long.
    Idle,
    /// It stopped amid a request or an answer.
    Stalled,
    /// It did not authenticate in time.
    Stranger,
    /// Another client asked for it.
    Killed,
    /// The node stops.
    Stop,
}

/// What is known of a connection outside of its task.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number: the upper half of its operations' ids.
    pub(crate) number: Cell<u32>,
    replies: RefCell<Vec<(u32, Reply)>>,
    waker: RefCell<Option<Waker>>,
    /// Its task runs, and will look at replies before it ends.
    pub(crate) is_busy: Cell<bool>,
    doom: Cell<Option<Doom>>,
    /// The second at which bytes last came in.
    pub(crate) heard: Cell<u64>,
    /// The second at which bytes last went out, or there were none to go.
    pub(crate) sent: Cell<u64>,
    /// A request has begun and is not whole.
    pub(crate) is_amid: Cell<bool>,
    /// Requests that are not answered.
    pub(crate) waiting: Cell<u32>,
    /// Bytes that are not sent.
    pub(crate) unsent: Cell<usize>,
    /// Whether it is known who this is.
    pub(crate) is_known: Cell<bool>,
    /// What it says of itself.
    pub(crate) about: RefCell<About>,
}

/// What `CLIENT LIST` tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    /// `CLIENT ID`.
    pub(crate) id: u64,
    /// Where it is.
    pub(crate) address: String,
    /// Where it connected to.
    pub(crate) local: String,
    /// `CLIENT SETNAME`.
    pub(crate) name: String,
    /// `CLIENT SETINFO LIB-NAME`.
    pub(crate) library: String,
    /// `CLIENT SETINFO LIB-VER`.
    pub(crate) library_version: String,
    /// Who it is.
    pub(crate) user: String,
    /// 2 or 3.
    pub(crate) protocol: u8,
    /// Commands since `MULTI`, -1 outside.
    pub(crate) queued: i64,
    /// Keys that it watches.
    pub(crate) watched: usize,
    /// The last command.
    pub(crate) last: &'static str,
    /// The second at which it connected.
    pub(crate) since: u64,
}

impl Line {
    /// Takes the reply to an operation, if it is there.
    pub(crate) fn take(&self, sequence: u32) -> Option<Reply> {
        let mut replies = self.replies.borrow_mut();
        // It is the last one whenever the store answers at once.
        let place = replies.iter().rposition(|(number, _)| *number == sequence)?;
        Some(replies.swap_remove(place).1)
    }

    /// Takes any reply.
    pub(crate) fn take_any(&self) -> Option<(u32, Reply)> {
        self.replies.borrow_mut().pop()
    }

    /// Whom to wake when something comes.
    pub(crate) fn wake_with(&self, waker: &Waker) {
        let mut current = self.waker.borrow_mut();
        if !current.as_ref().is_some_and(|current| current.will_wake(waker)) {
            *current = Some(waker.clone());
        }
    }

    fn wake(&self) {
        if !self.is_busy.get()
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// Ends the connection.
    pub(crate) fn end(&self, why: Doom) {
        if self.doom.get().is_none() {
            self.doom.set(Some(why));
        }
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Why the connection is to end, if it is.
    pub(crate) fn doom(&self) -> Option<Doom> {
        self.doom.get()
    }
}

/// All connections by their numbers.
#[derive(Debug, Default)]
pub struct Switchboard {
    lines: RefCell<HashMap<u32, Rc<Line>, FxBuildHasher>>,
    next: Cell<u32>,
    ids: Cell<u64>,
}

impl Switchboard {
    /// Brings a reply to whoever asked; drops it if they are gone.
    pub fn deliver(&self, id: OpId, reply: Reply) {
        let lines = self.lines.borrow();
        if let Some(line) = lines.get(&((id.0 >> 32) as u32)) {
            line.replies.borrow_mut().push((id.0 as u32, reply));
            line.wake();
        }
    }

    /// A new connection, at this second.
    pub(crate) fn open(&self, mut about: About) -> Rc<Line> {
        self.ids.set(self.ids.get() + 1);
        about.id = self.ids.get();
        about.queued = -1;
        about.protocol = 2;
        let line = Rc::new(Line {
            number: Cell::new(self.free()),
            replies: RefCell::default(),
            waker: RefCell::default(),
            is_busy: Cell::new(false),
            doom: Cell::new(None),
            heard: Cell::new(about.since),
            sent: Cell::new(about.since),
            is_amid: Cell::new(false),
            waiting: Cell::new(0),
            unsent: Cell::new(0),
            is_known: Cell::new(false),
            about: RefCell::new(about),
        });
        self.lines.borrow_mut().insert(line.number.get(), line.clone());
        line
    }

    /// Gives a connection that nothing is under way for another number: it has used up its operations' ids.
    pub(crate) fn renumber(&self, line: &Line) {
        let mut lines = self.lines.borrow_mut();
        if let Some(kept) = lines.remove(&line.number.get()) {
            drop(lines);
            kept.number.set(self.free());
            self.lines.borrow_mut().insert(kept.number.get(), kept);
        }
    }

    /// A number that no connection has.
    fn free(&self) -> u32 {
        loop {
            let number = self.next.get();
            self.next.set(number.wrapping_add(1));
            if !self.lines.borrow().contains_key(&number) {
                return number;
            }
        }
    }

    /// A connection is over.
    pub(crate) fn close(&self, line: &Line) {
        self.lines.borrow_mut().remove(&line.number.get());
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.borrow().len()
    }

    /// All connections, oldest first.
    pub(crate) fn all(&self) -> Vec<Rc<Line>> {
        let mut lines: Vec<Rc<Line>> = self.lines.borrow().values().cloned().collect();
        lines.sort_unstable_by_key(|line| line.about.borrow().id);
        lines
    }
}
