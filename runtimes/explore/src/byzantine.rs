//! Processes that lie: what they do to their own messages, from a menu.
//!
//! A process that lies runs its protocol, and something comes between it and the network: a message of it that is under way may
//! vanish, be said again later, say something else, or say what another receiver was to be told. Each such act is a
//! step, within a budget; so all lies are explored that are made of these, in all orders.

use isles_kernel::{Channel, ProcessId, Protocol};

use crate::action::{Action, Cause};
use crate::parcel::{Kind, NONE, Parcel};
use crate::scenario::Budget;
use crate::space::{Need, Space};
use crate::state::{Spent, State};

/// The mutations of a message: all that may be said instead of it.
pub type Mutate<Msg> = fn(&Msg) -> Vec<Msg>;

/// Who lies, how often in one behaviour, and how.
pub struct Byzantine<P: Protocol> {
    /// Who.
    pub processes: Vec<ProcessId>,
    /// How many of their messages are tampered with. Unlimited acts that say something again make endlessly many states.
    pub acts: Budget,
    /// A message vanishes: the process is silent towards one receiver.
    pub silent: bool,
    /// A message is kept, and said a second time at any later moment.
    pub replay: bool,
    /// A message says what another that is under way to somebody else says: two receivers are told different things.
    pub equivocate: bool,
    /// What a message may say instead: the mutations of one, for each. None: no field is corrupted.
    pub corrupt: Option<Mutate<P::Msg>>,
}

impl<P: Protocol> Byzantine<P> {
    /// These processes, so many acts, and everything on the menu that needs no mutations.
    pub fn new(processes: impl IntoIterator<Item = ProcessId>, acts: Budget) -> Self {
        let processes = processes.into_iter().collect();
        Self { processes, acts, silent: true, replay: true, equivocate: true, corrupt: None }
    }
}

/// One act on a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Silence,
    Replay,
    /// This message comes in its place.
    Instead(u32),
}

impl<P: Protocol> Space<P> {
    /// Whether somebody may tamper with messages now.
    #[inline]
    pub(crate) fn may_tamper(&self, state: State<'_>) -> bool {
        let lies = |byzantine: &Byzantine<P>| byzantine.acts.allows(state.spent(Spent::Acts));
        self.scenario.byzantine.as_ref().is_some_and(lies)
    }

    /// Calls `each` with the place of every message of somebody who lies.
    pub(crate) fn tampers<E>(
        &self,
        state: State<'_>,
        each: &mut impl FnMut(Cause) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(byzantine) = &self.scenario.byzantine else { return Ok(()) };
        let mut last = NONE;
        for (place, &parcel) in (0..).zip(state.parcels()) {
            let from = self.meta[parcel as usize].from;
            if std::mem::replace(&mut last, parcel) != parcel
                && self.message_of(parcel).is_some()
                && byzantine.processes.iter().any(|process| self.slot(*process) == Some(from))
            {
                each(Cause::Tamper { place })?;
            }
        }
        Ok(())
    }

    /// The message that a parcel is, or that is next on its stream; none if it is of nobody who lives.
    fn message_of(&self, parcel: u32) -> Option<u32> {
        let meta = self.meta[parcel as usize];
        match meta.kind {
            Kind::Datagram | Kind::Loose => Some(parcel),
            Kind::Stream => Some(meta.head),
            Kind::Orphan | Kind::Broken | Kind::Request | Kind::Answer => None,
        }
    }

    /// What may be done to the message at a place, in an order that depends on contents alone.
    pub(crate) fn acts(&self, state: State<'_>, place: u32) -> Result<Vec<Act>, Need> {
        let mut acts = Vec::new();
        let parcel = state.parcels()[place as usize];
        let (Some(byzantine), Some(message)) = (&self.scenario.byzantine, self.message_of(parcel)) else {
            return Ok(acts);
        };
        let meta = self.meta[parcel as usize];
        if byzantine.silent {
            acts.push(Act::Silence);
        }
        if byzantine.replay && !meta.kept {
            acts.push(Act::Replay);
        }
        let mut instead = |other: u32| {
            if other != message && !acts.contains(&Act::Instead(other)) {
                acts.push(Act::Instead(other));
            }
        };
        if byzantine.corrupt.is_some() {
            let (first, count) = self.mutants.get(message, 0).ok_or(Need::Mutants { message })?;
            self.mutant_messages[first as usize..(first + count) as usize].iter().for_each(|m| instead(*m));
        }
        if byzantine.equivocate {
            for &other in state.parcels() {
                let told = self.meta[other as usize];
                if told.from == meta.from
                    && told.to != meta.to
                    && let Some(other) = self.message_of(other)
                {
                    let twin = self.twins.get(message, other).ok_or(Need::Twin { message, other })?;
                    instead(twin.0);
                }
            }
        }
        Ok(acts)
    }

    /// Calls `each` with every act in a state, and the fingerprint after it.
    pub(crate) fn tampered(
        &self,
        state: State<'_>,
        scratch: &mut Vec<u32>,
        each: &mut impl FnMut(Action, u64),
    ) -> Result<(), Need> {
        self.tampers(state, &mut |cause| {
            let Cause::Tamper { place } = cause else { return Ok(()) };
            for act in 0..self.acts(state, place)?.len() as u32 {
                let action = Action::new(cause, act);
                self.successor(state, action, scratch)?;
                each(action, self.state(scratch).fingerprint());
            }
            Ok(())
        })
    }

    /// The stream with another message at its head.
    pub(crate) fn beheaded(&self, stream: u32, head: u32) -> Result<u32, Need> {
        self.heads.get(stream, head).map(|(other, _)| other).ok_or(Need::Head { stream, head })
    }

    /// Finds out what a message may say instead.
    pub(crate) fn mutate(&mut self, message: u32) {
        let first = self.mutant_messages.len() as u32;
        let corrupt = self.scenario.byzantine.as_ref().and_then(|byzantine| byzantine.corrupt);
        let (from, to, channel, msg) = self.message(message);
        let mutants = corrupt.map(|corrupt| corrupt(&msg)).unwrap_or_default();
        for msg in mutants {
            let mutant = self.parcel(Parcel::Message { from, to, channel, msg });
            self.mutant_messages.push(mutant);
        }
        let count = self.mutant_messages.len() as u32 - first;
        self.mutants.insert(message, 0, (first, count));
    }

    /// Finds out which message says to the receiver of one what another says.
    pub(crate) fn twin(&mut self, message: u32, other: u32) {
        let (from, to, channel, _) = self.message(message);
        let (.., msg) = self.message(other);
        let twin = self.parcel(Parcel::Message { from, to, channel, msg });
        self.twins.insert(message, other, (twin, 0));
    }

    pub(crate) fn behead(&mut self, stream: u32, head: u32) {
        let Parcel::Stream { from, to, orphan, messages } = self.parcels.get(stream) else {
            unreachable!("only streams have heads")
        };
        let (from, to, orphan, mut messages) = (*from, *to, *orphan, messages.clone());
        messages[0] = head;
        let other = self.parcel(Parcel::Stream { from, to, orphan, messages });
        self.heads.insert(stream, head, (other, 0));
    }

    pub(crate) fn message(&self, message: u32) -> (ProcessId, ProcessId, Channel, P::Msg) {
        match self.parcels.get(message) {
            Parcel::Message { from, to, channel, msg } => (*from, *to, *channel, msg.clone()),
            Parcel::Stream { .. } | Parcel::Broken { .. } | Parcel::Request(_) | Parcel::Answer { .. } => {
                unreachable!("only messages are tampered with")
            }
        }
    }
}
