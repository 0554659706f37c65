//! What may happen next in a state, in one word.

use isles_kernel::Protocol;

use crate::parcel::{Kind, NONE};
use crate::scenario::{Budget, Clients, Idle, Timers};
use crate::space::Space;
use crate::state::{Spent, State};

/// What happens. Places are those among the parcels of the state, or among the timers of the process; both are in
/// an order that depends on content alone, so that an action means the same in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Cause {
    /// The parcel arrives: of a stream, its first message.
    Deliver {
        place: u32,
    },
    Timer {
        process: u8,
        place: u16,
    },
    /// An attached client invokes its next operation.
    Invoke {
        client: u8,
    },
    /// One more record is durable.
    Sync {
        process: u8,
    },
    Start {
        process: u8,
    },
    Crash {
        process: u8,
    },
    Lose {
        place: u32,
    },
    Duplicate {
        place: u32,
    },
    Cut {
        group: u8,
    },
    Heal,
    /// A stream that a partition stalls breaks at its sender.
    Break {
        from: u8,
        to: u8,
    },
    /// What is left of the stream of a dead sender never arrives.
    Discard {
        place: u32,
    },
    /// Somebody who lies does something to a message; its outcomes are what.
    Tamper {
        place: u32,
    },
}

const OUTCOME_BITS: u32 = 10;
const OPERAND_BITS: u32 = 18;

/// A cause, and which of its outcomes: 4 bits of kind, 18 of operand, 10 of outcome.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Action(pub(crate) u32);

impl Action {
    #[inline]
    pub(crate) fn new(cause: Cause, outcome: u32) -> Self {
        let pair = |a: u8, b: u16| u32::from(a) << 10 | u32::from(b);
        let (kind, operand) = match cause {
            Cause::Deliver { place } => (0, place),
            Cause::Timer { process, place } => (1, pair(process, place)),
            Cause::Invoke { client } => (2, client.into()),
            Cause::Sync { process } => (3, process.into()),
            Cause::Start { process } => (4, process.into()),
            Cause::Crash { process } => (5, process.into()),
            Cause::Lose { place } => (6, place),
            Cause::Duplicate { place } => (7, place),
            Cause::Cut { group } => (8, group.into()),
            Cause::Heal => (9, 0),
            Cause::Break { from, to } => (10, pair(from, to.into())),
            Cause::Discard { place } => (11, place),
            Cause::Tamper { place } => (12, place),
        };
        // Only absurd scenarios come here; a wrong answer would be worse than none.
        assert!(outcome < 1 << OUTCOME_BITS, "a step has more than 2^10 outcomes: lower choices_max");
        assert!(
            operand < 1 << OPERAND_BITS,
            "more than 2^18 messages under way, or 2^10 timers of a process"
        );
        Self(kind << (OPERAND_BITS + OUTCOME_BITS) | operand << OUTCOME_BITS | outcome)
    }

    #[inline]
    pub(crate) const fn outcome(self) -> u32 {
        self.0 & ((1 << OUTCOME_BITS) - 1)
    }

    #[inline]
    pub(crate) const fn cause(self) -> Cause {
        let operand = self.0 >> OUTCOME_BITS & ((1 << OPERAND_BITS) - 1);
        let (process, place) = ((operand >> 10) as u8, (operand & 0x3ff) as u16);
        match self.0 >> (OPERAND_BITS + OUTCOME_BITS) {
            0 => Cause::Deliver { place: operand },
            1 => Cause::Timer { process, place },
            2 => Cause::Invoke { client: operand as u8 },
            3 => Cause::Sync { process: operand as u8 },
            4 => Cause::Start { process: operand as u8 },
            5 => Cause::Crash { process: operand as u8 },
            6 => Cause::Lose { place: operand },
            7 => Cause::Duplicate { place: operand },
            8 => Cause::Cut { group: operand as u8 },
            9 => Cause::Heal,
            10 => Cause::Break { from: process, to: place as u8 },
            11 => Cause::Discard { place: operand },
            _ => Cause::Tamper { place: operand },
        }
    }
}

impl<P: Protocol> Space<P> {
    /// Whether the partition that there is parts these two, in this direction.
    pub(crate) fn crosses_cut(&self, state: State<'_>, from: u8, to: u8) -> bool {
        let cut = state.spent(Spent::Cut);
        cut != 0 && {
            let group = &self.scenario.faults.groups[usize::from(cut) - 1];
            let inside = |process: u8| group.iter().any(|member| self.slot(*member) == Some(process));
            inside(from) != inside(to)
        }
    }

    /// Whether timers fire whatever is under way.
    fn timers_are_free(&self) -> bool {
        self.scenario.timers == Timers::Free
    }

    /// Calls `each` for all else that may happen. Some of it may turn out to change nothing.
    #[inline]
    pub(crate) fn other_causes<E>(
        &self,
        state: State<'_>,
        quiet: bool,
        each: &mut impl FnMut(Cause) -> Result<(), E>,
    ) -> Result<(), E> {
        if (self.timers_are_free() || quiet) && self.scenario.timeouts.allows(state.spent(Spent::Timeouts)) {
            for (process, &local) in (0..).zip(state.locals()) {
                let brief = self.brief[local as usize];
                for place in 0..if brief.up { brief.timers } else { 0 } {
                    each(Cause::Timer { process, place })?;
                }
            }
        }
        if self.scenario.place == Clients::Attached {
            for client in 0..self.scenario.clients.len() as u8 {
                let call = self.ledgers.get(state.ledger()).next(client, &self.scenario);
                if let Some((at, _)) = call.and_then(|call| call.of_script(&self.scenario))
                    && let Some(slot) = self.slot(*at)
                    && self.is_up(state.locals()[usize::from(slot)])
                {
                    each(Cause::Invoke { client })?;
                }
            }
        }
        if self.is_breakable() || self.may_lose_or_double(state) { self.faults(state, each) } else { Ok(()) }
    }

    /// Whether this parcel can arrive now.
    pub(crate) fn is_deliverable(&self, state: State<'_>, parcel: u32) -> bool {
        let meta = self.meta[parcel as usize];
        match meta.kind {
            Kind::Answer => true,
            Kind::Datagram | Kind::Loose | Kind::Broken | Kind::Request => {
                // What comes to a process that is down is lost; that need only be tried if the process may come back.
                let returns = || self.scenario.faults.restarts.allows(state.spent(Spent::Restarts));
                self.is_up(state.locals()[usize::from(meta.to)]) || !meta.kept && returns()
            }
            Kind::Stream | Kind::Orphan => {
                self.is_up(state.locals()[usize::from(meta.to)])
                    && !self.crosses_cut(state, meta.from, meta.to)
            }
        }
    }

    fn may_lose_or_double(&self, state: State<'_>) -> bool {
        let faults = &self.scenario.faults;
        faults.losses.allows(state.spent(Spent::Losses)) || self.may_double(state)
    }

    /// Whether a datagram may be doubled by a step of the network; one that may arrive any number of times need not be.
    fn may_double(&self, state: State<'_>) -> bool {
        let duplicates = self.scenario.faults.duplicates;
        duplicates != Budget::Unlimited && duplicates.allows(state.spent(Spent::Duplicates))
    }

    fn faults<E>(&self, state: State<'_>, each: &mut impl FnMut(Cause) -> Result<(), E>) -> Result<(), E> {
        let faults = &self.scenario.faults;
        let mut last = NONE;
        for (place, &parcel) in (0..).zip(state.parcels()) {
            if std::mem::replace(&mut last, parcel) == parcel {
                continue;
            }
            let meta = self.meta[parcel as usize];
            if meta.kind == Kind::Orphan {
                each(Cause::Discard { place })?;
            }
            if meta.kind == Kind::Datagram {
                if faults.losses.allows(state.spent(Spent::Losses)) {
                    each(Cause::Lose { place })?;
                }
                if self.may_double(state) {
                    each(Cause::Duplicate { place })?;
                }
            }
        }
        for (process, &local) in (0..).zip(state.locals()) {
            let brief = self.brief[local as usize];
            if brief.up {
                if brief.unsynced > 0 {
                    each(Cause::Sync { process })?;
                }
                if faults.crashes.allows(state.spent(Spent::Crashes)) {
                    each(Cause::Crash { process })?;
                }
            } else if !brief.panicked && faults.restarts.allows(state.spent(Spent::Restarts)) {
                each(Cause::Start { process })?;
            }
        }
        if state.spent(Spent::Cut) != 0 {
            each(Cause::Heal)?;
            return self.breaks(state, each);
        }
        if faults.cuts.allows(state.spent(Spent::Cuts)) {
            for group in 0..faults.groups.len() as u8 {
                each(Cause::Cut { group })?;
            }
        }
        Ok(())
    }

    /// Streams across a partition may break: those that are watched, and those on which something waits.
    fn breaks<E>(&self, state: State<'_>, each: &mut impl FnMut(Cause) -> Result<(), E>) -> Result<(), E> {
        for (from, &local) in (0..).zip(state.locals()) {
            if !self.is_up(local) {
                continue;
            }
            for to in 0..state.processes as u8 {
                let watched = self.locals.get(local).watched.contains(&self.id(to));
                let told = state.parcels().contains(&self.notice(from, to));
                if self.crosses_cut(state, from, to)
                    && !told
                    && (watched || self.stream_between(state, from, to).is_some())
                {
                    each(Cause::Break { from, to })?;
                }
            }
        }
        Ok(())
    }

    /// The place of the stream between two processes, if something is on it.
    pub(crate) fn stream_between(&self, state: State<'_>, from: u8, to: u8) -> Option<usize> {
        state.parcels().iter().position(|parcel| {
            let meta = self.meta[*parcel as usize];
            meta.kind == Kind::Stream && meta.from == from && meta.to == to
        })
    }

    /// Whether steps that change nothing are left out.
    #[inline]
    pub(crate) fn skips_idle(&self) -> bool {
        self.scenario.idle == Idle::Skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_says_what_it_was_made_of() {
        let causes = [
            Cause::Deliver { place: (1 << 18) - 1 },
            Cause::Timer { process: 249, place: 1023 },
            Cause::Invoke { client: 249 },
            Cause::Sync { process: 1 },
            Cause::Start { process: 2 },
            Cause::Crash { process: 3 },
            Cause::Lose { place: 4 },
            Cause::Duplicate { place: 5 },
            Cause::Cut { group: 254 },
            Cause::Heal,
            Cause::Break { from: 249, to: 248 },
            Cause::Discard { place: 6 },
            Cause::Tamper { place: 7 },
        ];
        for cause in causes {
            for outcome in [0, 1023] {
                let action = Action::new(cause, outcome);
                assert_eq!((action.cause(), action.outcome()), (cause, outcome));
            }
        }
    }
}
