//! Who has locked which keys at one node, and who waits: read and write locks with wound-wait.
//!
//! Rosenkrantz, Stearns and Lewis 1978, section 4: an older transaction that meets a younger one wounds it, a younger one waits for an
//! older. All waiting is then for older ones, and there is no circle. Those who wait do so in the order of their births, and nobody
//! overtakes, so that the oldest is never starved.

use std::collections::BTreeMap;

use isles_kernel::{Payload, ProcessId};

use super::command::TransactionId;
use super::message::{Birth, Mode};

/// A transaction's claim on a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Claim {
    pub(super) birth: Birth,
    pub(super) id: TransactionId,
    pub(super) mode: Mode,
    /// Whether it is the only key of its transaction.
    pub(super) is_only: bool,
    /// Invariant: exclusive and held, if prepared.
    pub(super) is_prepared: bool,
}

/// The claims on one key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Queue {
    /// Invariant: one, or all are shared.
    holders: Vec<Claim>,
    /// Invariant: the oldest first; the first of them is not compatible with the holders.
    waiting: Vec<Claim>,
    /// Reads that wait for the holder. Invariant: empty if there is none that makes them wait.
    readers: Vec<(ProcessId, u64)>,
}

/// All claims at a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Locks {
    /// Invariant: a key that nobody claims has no row.
    keys: BTreeMap<Payload, Queue>,
}

/// What came of a request.
pub(super) enum Requested {
    /// It is held.
    Granted,
    /// It waits; these younger ones have to give way.
    Waits(Vec<TransactionId>),
    /// Too many wait.
    Full,
}

/// What a release set free.
#[derive(Default)]
pub(super) struct Freed {
    /// Who holds which key now.
    pub(super) granted: Vec<(TransactionId, Payload)>,
    /// Whose reads of which key can be answered now.
    pub(super) readers: Vec<(ProcessId, u64, Payload)>,
}

impl Locks {
    /// Whether nobody has locked anything.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many claims wait.
    pub(super) fn waiting(&self) -> usize {
        self.keys.values().map(|queue| queue.waiting.len()).sum()
    }

    /// Whether anybody claims a key.
    pub(super) fn is_claimed(&self, key: &Payload) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(key)
    }

    /// Who is prepared to write a key.
    pub(super) fn prepared(&self, key: &Payload) -> Option<TransactionId> {
        if self.keys.is_empty() {
            return None;
        }
        self.keys.get(key)?.holders.iter().find(|claim| claim.is_prepared).map(|claim| claim.id)
    }

    /// Whether a read of a key has to wait. It need not wait for who will write this key alone and has not voted: that one may still
    /// come after the read. Who writes several keys comes at the moment when all are locked, and others may have seen that already.
    pub(super) fn is_hidden(&self, key: &Payload) -> bool {
        !self.keys.is_empty()
            && self.keys.get(key).is_some_and(|queue| queue.holders.iter().any(Claim::hides))
    }

    /// Whether a transaction holds a key in this mode.
    pub(super) fn holds(&self, key: &Payload, id: TransactionId, mode: Mode) -> bool {
        self.keys
            .get(key)
            .is_some_and(|queue| queue.holders.iter().any(|claim| claim.id == id && claim.mode >= mode))
    }

    /// Whether somebody else holds a key.
    pub(super) fn is_held_by_other(&self, key: &Payload, id: Option<TransactionId>) -> bool {
        self.keys.get(key).is_some_and(|queue| queue.holders.iter().any(|claim| Some(claim.id) != id))
    }

    /// A transaction claims a key that it does not claim yet.
    pub(super) fn request(
        &mut self,
        key: &Payload,
        claim: Claim,
        queue_max: usize,
        wounds: bool,
    ) -> Requested {
        let queue = self.keys.entry(key.clone()).or_default();
        if queue.waiting.len() >= queue_max {
            return Requested::Full;
        }
        let place = queue.waiting.partition_point(|other| (other.birth, other.id) < (claim.birth, claim.id));
        queue.waiting.insert(place, claim);
        queue.promote(|_| {});
        if queue.holders.iter().any(|holder| holder.id == claim.id) {
            return Requested::Granted;
        }
        let gives_way = |holder: &&Claim| {
            wounds
                && !holder.is_prepared
                && holder.birth > claim.birth
                && !compatible(holder.mode, claim.mode)
        };
        Requested::Waits(queue.holders.iter().filter(gives_way).map(|holder| holder.id).collect())
    }

    /// A transaction gives its claim on a key back, if it has one.
    pub(super) fn release(&mut self, key: &Payload, id: TransactionId, freed: &mut Freed) {
        let Some(queue) = self.keys.get_mut(key) else { return };
        queue.waiting.retain(|claim| claim.id != id);
        queue.holders.retain(|claim| claim.id != id);
        // Reads come before whoever is next, so that they do not wait for ever.
        if !queue.holders.iter().any(Claim::hides) {
            freed.readers.extend(queue.readers.drain(..).map(|(who, request)| (who, request, key.clone())));
        }
        queue.promote(|claim| freed.granted.push((claim.id, key.clone())));
        if queue.holders.is_empty() && queue.waiting.is_empty() {
            self.keys.remove(key);
        }
    }

    /// The holder of a key becomes prepared.
    pub(super) fn prepare(&mut self, key: &Payload, id: TransactionId) {
        if let Some(queue) = self.keys.get_mut(key) {
            for claim in queue.holders.iter_mut().filter(|claim| claim.id == id) {
                claim.is_prepared = true;
            }
        }
    }

    /// A claim whose transaction voted yes, without a question: as after a restart.
    pub(super) fn hold(&mut self, key: &Payload, claim: Claim) {
        self.keys.entry(key.clone()).or_default().holders.push(claim);
    }

    /// A read waits for the holder of a key; false if too many do.
    pub(super) fn wait(&mut self, key: &Payload, reader: (ProcessId, u64), queue_max: usize) -> bool {
        let Some(queue) = self.keys.get_mut(key) else { return false };
        let has_room = queue.readers.len() < queue_max;
        if has_room && !queue.readers.contains(&reader) {
            queue.readers.push(reader);
        }
        has_room
    }
}

impl Claim {
    /// Whether a holder makes reads wait.
    fn hides(&self) -> bool {
        self.mode == Mode::Exclusive && (self.is_prepared || !self.is_only)
    }
}

impl Queue {
    /// Those who can hold now do.
    fn promote(&mut self, mut granted: impl FnMut(&Claim)) {
        while let Some(first) = self.waiting.first().copied()
            && self.holders.iter().all(|holder| compatible(holder.mode, first.mode))
        {
            self.waiting.remove(0);
            self.holders.push(first);
            granted(&first);
        }
    }
}

fn compatible(a: Mode, b: Mode) -> bool {
    a == Mode::Shared && b == Mode::Shared
}
