//! A connection without its socket: bytes in, bytes out, and what is under way between.

use std::collections::VecDeque;

use isles_kernel::OpId;
use isles_quorum::store::Reply;

use super::flights::{Flights, Touched};
use crate::command::{Act, Ask, Then};
use crate::session::Session;
use crate::shared::{Shared, count};
use crate::wire::{Frame, Framing, Out, Request, WireError};

/// Bytes of answers beyond which no further request is read until some are sent.
const OUTPUT_SOFT: usize = 256 << 10;
/// Operations after which a connection takes another number as soon as nothing is under way.
const SEQUENCE_SOFT: u32 = 1 << 31;

/// A connection without its socket.
pub(crate) struct Core {
    pub(crate) session: Session,
    pub(crate) out: Out,
    framing: Framing,
    /// What is not answered, in the order of requests.
    pending: VecDeque<Entry>,
    /// Which keys it is about.
    flights: Flights,
    /// The next operation's number. Entries that wait have ascending numbers.
    sequence: u32,
    /// An operation that must not overtake what is under way.
    parked: Option<Ask>,
    /// No further request is read.
    pub(crate) is_ending: bool,
    /// All that was fed was understood, but for the beginning of a request.
    pub(crate) is_hungry: bool,
}

/// A request that is not answered.
struct Entry {
    sequence: u32,
    state: State,
}

enum State {
    /// The store was asked.
    Waits(Then, Touched),
    /// The store has answered, and something before it has not.
    Came(Then, Reply),
    /// The node's own answer, behind something that waits.
    Ready(Frame),
}

impl Core {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            out: Out::default(),
            framing: Framing::default(),
            pending: VecDeque::new(),
            flights: Flights::default(),
            sequence: 0,
            parked: None,
            is_ending: false,
            is_hungry: true,
        }
    }

    /// Whether there is nothing to wait for.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.parked.is_none()
    }

    /// How many requests are not answered.
    pub(crate) fn waiting(&self) -> u32 {
        (self.pending.len() + usize::from(self.parked.is_some())) as u32
    }

    /// Whether a request has begun and is not whole.
    pub(crate) fn is_amid(&self) -> bool {
        self.framing.is_amid()
    }

    /// Whether requests wait only for answers to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.out.bytes.len() > OUTPUT_SOFT
    }

    /// Takes what the store has answered, and writes what can be answered in order.
    pub(crate) fn collect(&mut self, shared: &Shared) {
        while let Some((sequence, reply)) = self.session.line.take_any() {
            self.take(shared, sequence, reply);
        }
        self.write_ready(shared);
    }

    fn take(&mut self, shared: &Shared, sequence: u32, reply: Reply) {
        let from = self.pending.partition_point(|entry| entry.sequence < sequence);
        let waits = |entry: &Entry| entry.sequence == sequence && matches!(entry.state, State::Waits(..));
        let Some(place) = (from..self.pending.len()).find(|place| waits(&self.pending[*place])) else {
            return;
        };
        let entry = &mut self.pending[place];
        let State::Waits(then, touched) = &mut entry.state else { return };
        match then.step(reply) {
            Ok(op) => {
                entry.sequence = self.sequence;
                let id = self.id();
                shared.backend().invoke(id, op);
            }
            Err(reply) => {
                self.flights.land(touched);
                let state = std::mem::replace(&mut entry.state, State::Ready(Frame::Null));
                if let State::Waits(then, _) = state {
                    entry.state = State::Came(then, reply);
                }
            }
        }
    }

    fn write_ready(&mut self, shared: &Shared) {
        while self.pending.front().is_some_and(|entry| !matches!(entry.state, State::Waits(..))) {
            match self.pending.pop_front().map(|entry| entry.state) {
                Some(State::Came(then, reply)) => self.write(shared, then, &reply),
                Some(State::Ready(frame)) => self.out.frame(&frame),
                Some(State::Waits(..)) | None => {}
            }
        }
    }

    fn write(&mut self, shared: &Shared, then: Then, reply: &Reply) {
        then.write(reply, &mut self.session, &mut self.out, || shared.backend().now());
    }

    /// The next operation's id.
    fn id(&mut self) -> OpId {
        let id = u64::from(self.session.line.number.get()) << 32 | u64::from(self.sequence);
        self.sequence += 1;
        OpId(id)
    }

    /// Reads requests from the beginning of `bytes`, as many as may be, and tells how many bytes that took.
    pub(crate) fn feed(&mut self, shared: &Shared, bytes: &[u8]) -> usize {
        let mut taken = 0;
        self.is_hungry = false;
        while self.may_go_on(shared) {
            let rest = &bytes[taken..];
            let bounds = self.session.bounds(shared);
            let request = match self.framing.next(rest, bounds) {
                Ok(None) => {
                    self.is_hungry = true;
                    return taken;
                }
                Ok(Some(length)) => Request::decode(&rest[..length]).map(|request| (request, length)),
                Err(error) => Err(error),
            };
            match request {
                Ok((request, length)) => {
                    if !self.request(shared, &request) {
                        return taken;
                    }
                    taken += length;
                }
                Err(error) => {
                    self.refuse(shared, error);
                    return taken;
                }
            }
        }
        taken
    }

    /// Whether a further request may be looked at.
    fn may_go_on(&mut self, shared: &Shared) -> bool {
        if let Some(ask) = self.parked.take_if(|ask| !self.flights.conflicts(&ask.then.access(&ask.op))) {
            self.ask(shared, ask);
        }
        if self.sequence >= SEQUENCE_SOFT && self.is_idle() {
            shared.switchboard.renumber(&self.session.line);
            self.sequence = 0;
        }
        !self.is_ending
            && self.parked.is_none()
            && !self.is_full()
            && self.pending.len() < shared.config.limits.pipeline as usize
            && self.sequence < u32::MAX - 1
    }

    /// Takes a request, unless it must wait for what is under way.
    fn request(&mut self, shared: &Shared, request: &Request<'_>) -> bool {
        if request.is_empty() {
            return true;
        }
        let spec = shared.table.find(request.arg(0));
        if !self.is_idle() && spec.is_some_and(crate::command::Spec::is_alone) {
            return false;
        }
        match self.session.dispatch(shared, spec, request) {
            Act::Reply(frame) => self.reply(frame),
            Act::Close(frame) => {
                self.reply(frame);
                self.is_ending = true;
            }
            Act::Cut => {
                tracing::warn!(client = %self.session.line.about.borrow().address, "client speaks HTTP: ended");
                self.is_ending = true;
            }
            Act::Ask(ask) => {
                if self.flights.conflicts(&ask.then.access(&ask.op)) {
                    self.parked = Some(ask);
                } else {
                    self.ask(shared, ask);
                }
            }
        }
        true
    }

    fn reply(&mut self, frame: Frame) {
        self.out.protocol = self.session.protocol;
        if self.pending.is_empty() {
            self.out.frame(&frame);
        } else {
            self.pending.push_back(Entry { sequence: self.sequence, state: State::Ready(frame) });
        }
    }

    /// Asks the store. Whoever is answered at once is never pending.
    fn ask(&mut self, shared: &Shared, ask: Ask) {
        let Ask { mut op, mut then } = ask;
        self.out.protocol = self.session.protocol;
        let touched = Touched::new(&then.access(&op));
        loop {
            let sequence = self.sequence;
            let id = self.id();
            shared.backend().invoke(id, op);
            let reply = if self.pending.is_empty() { self.session.line.take(sequence) } else { None };
            let Some(reply) = reply else {
                self.flights.start(&touched);
                self.pending.push_back(Entry { sequence, state: State::Waits(then, touched) });
                return;
            };
            match then.step(reply) {
                Ok(next) => op = next,
                Err(reply) => return self.write(shared, then, &reply),
            }
        }
    }

    fn refuse(&mut self, shared: &Shared, error: WireError) {
        count(&shared.stats.malformed);
        tracing::warn!(client = %self.session.line.about.borrow().address, %error, "client sent what is no request: ended");
        self.reply(Frame::error(format!("ERR {error}")));
        self.is_ending = true;
    }
}
