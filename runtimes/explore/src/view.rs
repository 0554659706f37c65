//! A state as properties see it.

use std::cell::Cell;

use isles_history::Entry;
use isles_kernel::{ProcessId, Protocol};

use crate::local::Local;
use crate::parcel::{Kind, Parcel};
use crate::space::Space;
use crate::state::State;

/// One state of the whole: what properties are asked about.
pub struct View<'a, P: Protocol> {
    pub(crate) space: &'a Space<P>,
    pub(crate) state: State<'a>,
    /// The places of processes that were looked at, a bit for each; all of them if what is under way was.
    looks: Cell<u64>,
}

impl<'a, P: Protocol> View<'a, P> {
    pub(crate) const fn new(space: &'a Space<P>, state: State<'a>) -> Self {
        Self { space, state, looks: Cell::new(0) }
    }

    /// The processes that were looked at so far.
    pub(crate) const fn looks(&self) -> u64 {
        self.looks.get()
    }

    #[inline]
    fn look(&self, slots: u64) {
        self.looks.set(self.looks.get() | slots);
    }

    /// How many processes there are.
    pub fn processes(&self) -> u32 {
        self.space.scenario.processes
    }

    /// What all processes share.
    pub fn config(&self) -> &'a P::Config {
        &self.space.scenario.config
    }

    /// The state of a process; none if it is down.
    pub fn process(&self, id: ProcessId) -> Option<&'a P> {
        let local = self.local(id)?;
        local.state.as_ref().filter(|_| local.is_up())
    }

    fn local(&self, id: ProcessId) -> Option<&'a Local<P>> {
        let slot = self.space.slot(id)?;
        self.look(bit(slot));
        Some(self.space.locals.get(self.state.locals()[usize::from(slot)]))
    }

    /// All processes that are up.
    pub fn live(&self) -> impl Iterator<Item = (ProcessId, &'a P)> {
        let space = self.space;
        let looked = |(slot, local): (u8, &u32)| {
            self.look(bit(slot));
            space.locals.get(*local)
        };
        (0..).zip(self.state.locals()).map(looked).filter_map(|local| {
            let state = local.state.as_ref().filter(|_| local.is_up())?;
            Some((local.process, state))
        })
    }

    /// The timers that a process has armed.
    pub fn timers(&self, id: ProcessId) -> &'a [P::Timer] {
        self.local(id).map_or(&[], |local| &local.timers)
    }

    /// What a process would find on its disk if it crashed now.
    pub fn log(&self, id: ProcessId) -> &'a [P::Record] {
        self.local(id).map_or(&[], |local| &local.log[..local.durable])
    }

    /// Messages under way: from, to, and what. One that may arrive several times comes once for each.
    pub fn in_flight(&self) -> impl Iterator<Item = (ProcessId, ProcessId, &'a P::Msg)> {
        self.look(u64::MAX);
        let space = self.space;
        self.state.parcels().iter().flat_map(move |parcel| {
            let messages = match space.parcels.get(*parcel) {
                Parcel::Message { .. } => std::slice::from_ref(parcel),
                Parcel::Stream { messages, .. } => messages,
                Parcel::Broken { .. } | Parcel::Request(_) | Parcel::Answer { .. } => &[],
            };
            messages.iter().filter_map(move |message| match space.parcels.get(*message) {
                Parcel::Message { from, to, msg, .. } => Some((*from, *to, msg)),
                Parcel::Stream { .. }
                | Parcel::Broken { .. }
                | Parcel::Request(_)
                | Parcel::Answer { .. } => None,
            })
        })
    }

    /// Answers on their way to remote clients.
    pub fn answers(&self) -> impl Iterator<Item = &'a P::Reply> {
        self.look(u64::MAX);
        let space = self.space;
        self.state.parcels().iter().filter_map(move |parcel| match space.parcels.get(*parcel) {
            Parcel::Answer { reply, .. } => Some(reply),
            Parcel::Message { .. } | Parcel::Stream { .. } | Parcel::Broken { .. } | Parcel::Request(_) => {
                None
            }
        })
    }

    /// Whether nothing is under way to a process that is up.
    pub fn is_quiet(&self) -> bool {
        self.look(u64::MAX);
        let reaches = |parcel: &u32| {
            let meta = self.space.meta[*parcel as usize];
            meta.kind != Kind::Answer && self.space.is_up(self.state.locals()[usize::from(meta.to)])
        };
        !self.state.parcels().iter().any(reaches)
    }

    /// Whether no timer is armed at a process that is up.
    pub fn is_disarmed(&self) -> bool {
        self.look(u64::MAX);
        let space = self.space;
        self.state.locals().iter().all(|local| {
            let local = space.locals.get(*local);
            !local.is_up() || local.timers.is_empty()
        })
    }

    /// Whether a partition parts these two now, in this direction.
    pub fn is_cut(&self, from: ProcessId, to: ProcessId) -> bool {
        match (self.space.slot(from), self.space.slot(to)) {
            (Some(from), Some(to)) => self.space.crosses_cut(self.state, from, to),
            _ => false,
        }
    }

    /// What clients did and were told so far; empty unless some [`history`](crate::Property::history) is asked.
    pub fn history(&self) -> Vec<Entry<P::Op, P::Reply>> {
        self.space.ledgers.get(self.state.ledger()).entries(&self.space.scenario)
    }

    /// Operations that were invoked and have not returned.
    pub fn open_operations(&self) -> usize {
        self.space.ledgers.get(self.state.ledger()).progress.iter().filter(|client| client.open).count()
    }

    /// Whether all clients did all that they were to do, and were answered.
    pub fn clients_done(&self) -> bool {
        let progress = &self.space.ledgers.get(self.state.ledger()).progress;
        let done = |(progress, script): (&crate::ledger::Progress, &Vec<_>)| {
            !progress.open && usize::from(progress.invoked) == script.len()
        };
        progress.iter().zip(&self.space.scenario.clients).all(done)
    }
}

/// The bit of a process; whoever has none of its own stands for all.
const fn bit(slot: u8) -> u64 {
    if slot < 64 { 1 << slot } else { u64::MAX }
}
