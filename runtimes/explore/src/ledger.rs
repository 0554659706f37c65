//! What clients have done so far.

use isles_history::Entry;
use isles_kernel::{OpId, ProcessId, Protocol, Time};

use crate::scenario::{Clients, Scenario};

/// One operation of a client's script.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Call {
    pub(crate) client: u8,
    pub(crate) index: u16,
}

impl Call {
    pub(crate) fn id(self) -> OpId {
        OpId(u64::from(self.client) << 32 | u64::from(self.index))
    }

    /// The call that is named so, if a client's can be.
    pub(crate) fn of(id: OpId) -> Option<Self> {
        Some(Self { client: u8::try_from(id.0 >> 32).ok()?, index: u16::try_from(id.0 & 0xffff_ffff).ok()? })
    }

    /// Where it is invoked, and what is asked; none if no script has it.
    pub(crate) fn of_script<P: Protocol>(self, scenario: &Scenario<P>) -> Option<&(ProcessId, P::Op)> {
        scenario.clients.get(usize::from(self.client))?.get(usize::from(self.index))
    }
}

/// How far each client is, and, if a property asks for it, the history.
///
/// A history is kept in one form for all orders that say the same: invocations that follow each other directly are in
/// the order of their clients, and so are returns. Two sequences have one form exactly if they agree which operations
/// returned before which were invoked, and that is all that linearizability and its relatives see.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Ledger<P: Protocol> {
    pub(crate) progress: Vec<Progress>,
    marks: Vec<Mark<P>>,
}

/// How far a client is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Progress {
    /// Operations that were invoked.
    pub(crate) invoked: u16,
    /// The last of them has not returned.
    pub(crate) open: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Mark<P: Protocol> {
    Invoke(Call),
    Return(Call, P::Reply),
}

impl<P: Protocol> Mark<P> {
    const fn place(&self) -> (bool, u8) {
        match self {
            Self::Invoke(call) => (false, call.client),
            Self::Return(call, _) => (true, call.client),
        }
    }
}

impl<P: Protocol> Ledger<P> {
    /// Nothing has happened.
    pub(crate) fn new(clients: usize) -> Self {
        Self { progress: vec![Progress { invoked: 0, open: false }; clients], marks: Vec::new() }
    }

    /// The next operation of a client, if it has one and is free to invoke it.
    pub(crate) fn next(&self, client: u8, scenario: &Scenario<P>) -> Option<Call> {
        let Progress { invoked, open } = self.progress[usize::from(client)];
        let call = Call { client, index: invoked };
        (!open && call.of_script(scenario).is_some()).then_some(call)
    }

    /// The ledger after an invocation.
    pub(crate) fn invoke(&self, call: Call, scenario: &Scenario<P>) -> Self {
        let mut next = self.clone();
        next.progress[usize::from(call.client)] = Progress { invoked: call.index + 1, open: true };
        next.mark(Mark::Invoke(call), scenario);
        next
    }

    /// The ledger after an answer, and the operation that its client invokes at once if it is remote; none if the
    /// operation is not open.
    pub(crate) fn answer(
        &self,
        id: OpId,
        reply: &P::Reply,
        scenario: &Scenario<P>,
    ) -> Option<(Self, Option<Call>)> {
        let call = Call::of(id)?;
        let progress = self.progress.get(usize::from(call.client))?;
        if !progress.open || progress.invoked != call.index + 1 {
            return None;
        }
        let mut next = self.clone();
        next.progress[usize::from(call.client)].open = false;
        next.mark(Mark::Return(call, reply.clone()), scenario);
        let follows = match scenario.place {
            Clients::Attached => None,
            Clients::Remote => next.next(call.client, scenario),
        };
        match follows {
            Some(call) => Some((next.invoke(call, scenario), Some(call))),
            None => Some((next, None)),
        }
    }

    fn mark(&mut self, mark: Mark<P>, scenario: &Scenario<P>) {
        if scenario.properties.iter().any(crate::property::Property::sees_history) {
            let place = mark.place();
            let later = |other: &&Mark<P>| other.place().0 == place.0 && other.place().1 > place.1;
            let after = self.marks.iter().rev().take_while(later).count();
            self.marks.insert(self.marks.len() - after, mark);
        }
    }

    /// The history; its instants count its entries.
    pub(crate) fn entries(&self, scenario: &Scenario<P>) -> Vec<Entry<P::Op, P::Reply>> {
        let entry = |(time, mark): (u64, &Mark<P>)| {
            let (Mark::Invoke(call) | Mark::Return(call, _)) = mark;
            let (process, op) = call.of_script(scenario)?;
            let (time, process, id) = (Time(time), *process, call.id());
            Some(match mark {
                Mark::Invoke(_) => Entry::Invoke { time, process, id, op: op.clone() },
                Mark::Return(_, reply) => Entry::Return { time, process, id, reply: reply.clone() },
            })
        };
        (0..).zip(&self.marks).filter_map(entry).collect()
    }
}
