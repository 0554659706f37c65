//! Payloads that a process keeps for a while, to send them again.

use isles_kernel::{Payload, ProcessId, Span, Time};

use crate::broadcast::MessageId;

/// A message that is kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stored {
    /// Which message.
    pub id: MessageId,
    /// What was broadcast.
    pub payload: Payload,
    /// When the first copy arrived, on the local clock.
    pub at: Time,
    /// Who sent that copy; the process itself for its own broadcasts.
    pub from: ProcessId,
    /// The hops of that copy.
    pub hops: u16,
}

/// The newest messages, oldest first: at most as many and for as long as the caller allows.
///
/// What is too old goes when something newer comes, so a process that hears nothing more keeps its last messages;
/// the count bounds them. 48 bytes for each message, and its payload, which is shared.
///
/// ```
/// # use isles_gossip::{MessageId, store::{Store, Stored}};
/// # use isles_kernel::{Payload, ProcessId, Span, Time};
/// let mut store = Store::default();
/// for number in 0..3 {
///     let id = MessageId { origin: ProcessId(0), number };
///     let at = Time(number);
///     store.insert(Stored { id, payload: Payload::zeros(9), at, from: ProcessId(0), hops: 0 }, 2, Span::secs(1));
/// }
/// assert_eq!(store.newest(10).iter().map(|stored| stored.id.number).collect::<Vec<_>>(), [1, 2]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Store {
    /// Invariant: in the order of insertion, no id twice.
    messages: Vec<Stored>,
}

impl Store {
    /// Keeps `message`, which the caller knows to be new, and drops what is older than `span` or beyond the newest
    /// `count_max`.
    pub fn insert(&mut self, message: Stored, count_max: usize, span: Span) {
        self.expire(message.at, span);
        if count_max == 0 {
            return;
        }
        if self.messages.len() >= count_max {
            self.messages.drain(..=self.messages.len() - count_max);
        }
        push_by(&mut self.messages, 4, message);
    }

    /// Drops what arrived more than `span` before `now`.
    pub fn expire(&mut self, now: Time, span: Span) {
        // A clock that was set back makes an instant in the future: such a message stays until the count ends it.
        let old = self.messages.iter().take_while(|message| now.since(message.at) > span).count();
        self.messages.drain(..old);
    }

    /// The message, if it is kept.
    pub fn get(&self, id: MessageId) -> Option<&Stored> {
        self.messages.iter().rev().find(|message| message.id == id)
    }

    /// The newest `count_max` messages, oldest of them first.
    pub fn newest(&self, count_max: usize) -> &[Stored] {
        &self.messages[self.messages.len().saturating_sub(count_max)..]
    }

    /// Drops the messages for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Stored) -> bool) {
        self.messages.retain(keep);
    }
}

/// Pushes, and reserves no more than `step` places at a time while the list is short: a million processes have a
/// million lists, and most stay short.
pub(crate) fn push_by<T>(list: &mut Vec<T>, step: usize, item: T) {
    if list.len() == list.capacity() && list.len() < 8 {
        list.reserve_exact(step);
    }
    list.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, at: u64) -> Stored {
        let id = MessageId { origin: ProcessId(3), number };
        Stored { id, payload: Payload::from("x"), at: Time(at), from: ProcessId(3), hops: 1 }
    }

    fn numbers(store: &Store) -> Vec<u64> {
        store.newest(usize::MAX).iter().map(|stored| stored.id.number).collect()
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many_or_its_span_is_over() {
        let mut store = Store::default();
        for number in 0..4 {
            store.insert(message(number, number * 10), 3, Span(1_000));
        }
        assert_eq!(numbers(&store), [1, 2, 3]);
        store.insert(message(4, 25), 3, Span(15));
        assert_eq!(numbers(&store), [2, 3, 4], "10 is exactly 15 before 25 and stays, but for the count");
        store.insert(message(5, 41), 9, Span(10));
        assert_eq!(numbers(&store), [5], "all others arrived more than 10 before 41");
        assert!(store.get(message(5, 0).id).is_some() && store.get(message(4, 0).id).is_none());
    }

    #[test]
    fn a_bound_of_zero_keeps_nothing() {
        let mut store = Store::default();
        store.insert(message(0, 0), 0, Span::secs(1));
        assert_eq!(numbers(&store), []);
    }
}
