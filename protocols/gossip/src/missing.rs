//! Messages that were announced to a process and that it has not got, and whom to ask for them.

use isles_kernel::ProcessId;
use smallvec::SmallVec;

use crate::broadcast::MessageId;
use crate::store::push_by;

/// One message has at most so many announcers; those that announce it later are not asked for it.
pub const ANNOUNCERS_MAX: usize = 16;

/// Someone who announced a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Announcer {
    /// Who has the message.
    pub peer: ProcessId,
    /// Hops that a copy from there has made when it arrives here.
    pub round: u16,
    /// How often it was asked.
    asks: u8,
}

/// A missing message.
///
/// Its announcers are asked in the order of their announcements, and from the first again, a bounded number of
/// times: the paper of Plumtree forgets an announcer once it was asked, and with it the message when that one
/// question or its answer is lost.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Entry {
    id: MessageId,
    /// Invariant: not empty, no peer twice.
    announcers: SmallVec<[Announcer; 3]>,
    /// Index of the announcer to be asked next. Invariant: `next < announcers.len()`.
    next: u8,
    /// How often all announcers were asked that were there at the time.
    passes: u8,
    /// Who was asked last and has neither answered nor failed.
    asked: Option<ProcessId>,
}

/// Whom to ask for a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ask {
    /// The announcer.
    pub peer: ProcessId,
    /// What it announced.
    pub round: u16,
    /// How often it was asked already: how patient to be.
    pub passes: u8,
}

/// What the loss of an announcer means for a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loss {
    /// It was being asked: ask the next one now.
    Unanswered(MessageId),
    /// It was the only announcer: the message is forgotten until somebody announces it again.
    Forgotten(MessageId),
}

/// All missing messages of a process. Takes no memory of its own while there are none.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Missing {
    /// Invariant: no id twice.
    entries: Vec<Entry>,
}

impl Missing {
    /// `peer` announced `id`. True if the message was not missing before; then the caller arms a timer for it.
    /// An announcement beyond `count_max` missing messages is ignored.
    pub fn announce(&mut self, id: MessageId, peer: ProcessId, round: u16, count_max: usize) -> bool {
        let announcer = Announcer { peer, round, asks: 0 };
        let full = self.entries.len() >= count_max;
        match self.entries.iter_mut().find(|entry| entry.id == id) {
            Some(entry) => {
                let known = entry.announcers.iter().any(|other| other.peer == peer);
                if !known && entry.announcers.len() < ANNOUNCERS_MAX {
                    entry.announcers.push(announcer);
                }
                false
            }
            None if full => false,
            None => {
                let announcers = SmallVec::from_elem(announcer, 1);
                push_by(&mut self.entries, 1, Entry { id, announcers, next: 0, passes: 0, asked: None });
                true
            }
        }
    }

    /// Chooses whom to ask for `id`, and the next one the next time. None if it is not missing, or no longer: then
    /// all announcers were asked `passes_max` times, those that came late, too, and the message was given up.
    pub fn ask(&mut self, id: MessageId, passes_max: u8) -> Option<Ask> {
        let index = self.entries.iter().position(|entry| entry.id == id)?;
        let entry = &mut self.entries[index];
        let may_be_asked = |announcer: &Announcer| announcer.asks < passes_max;
        if !entry.announcers.iter().any(may_be_asked) {
            self.remove(index);
            return None;
        }
        while !may_be_asked(&entry.announcers[usize::from(entry.next)]) {
            entry.advance();
        }
        let announcer = &mut entry.announcers[usize::from(entry.next)];
        announcer.asks += 1;
        let ask = Ask { peer: announcer.peer, round: announcer.round, passes: entry.passes };
        entry.asked = Some(ask.peer);
        entry.advance();
        Some(ask)
    }

    /// The message arrived: its announcers in order, if it was missing.
    pub fn take(&mut self, id: MessageId) -> Option<SmallVec<[Announcer; 3]>> {
        let index = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.remove(index).announcers)
    }

    /// `peer` will answer nothing more: it is forgotten as an announcer, and `then` is told what that means for
    /// each message concerned.
    pub fn forget(&mut self, peer: ProcessId, mut then: impl FnMut(Loss)) {
        self.entries.retain_mut(|entry| {
            if let Some(index) = entry.announcers.iter().position(|other| other.peer == peer) {
                entry.announcers.remove(index);
                if entry.announcers.is_empty() {
                    then(Loss::Forgotten(entry.id));
                    return false;
                }
                if index < usize::from(entry.next) {
                    entry.next -= 1;
                } else if usize::from(entry.next) == entry.announcers.len() {
                    entry.next = 0;
                    entry.passes = entry.passes.saturating_add(1);
                }
            }
            if entry.asked == Some(peer) {
                entry.asked = None;
                then(Loss::Unanswered(entry.id));
            }
            true
        });
        self.release();
    }

    /// What was asked of `peer` may be lost: the messages for which it was being asked.
    pub fn unanswered(&mut self, peer: ProcessId) -> SmallVec<[MessageId; 4]> {
        let mut ids = SmallVec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.asked == Some(peer)) {
            entry.asked = None;
            ids.push(entry.id);
        }
        ids
    }

    /// The missing messages that `peer` announced.
    pub fn announced_by(&self, peer: ProcessId) -> SmallVec<[MessageId; 4]> {
        let by = |entry: &&Entry| entry.announcers.iter().any(|other| other.peer == peer);
        self.entries.iter().filter(by).map(|entry| entry.id).collect()
    }

    /// Whether the message is missing.
    pub fn contains(&self, id: MessageId) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// How many messages are missing.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    fn remove(&mut self, index: usize) -> Entry {
        let entry = self.entries.swap_remove(index);
        self.release();
        entry
    }

    /// Most processes miss nothing most of the time: then they hold no memory for it.
    fn release(&mut self) {
        if self.entries.is_empty() {
            self.entries = Vec::new();
        }
    }
}

impl Entry {
    fn advance(&mut self) {
        self.next += 1;
        if usize::from(self.next) == self.announcers.len() {
            self.next = 0;
            self.passes = self.passes.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: MessageId = MessageId { origin: ProcessId(9), number: 1 };

    fn announced_by(peers: &[u32]) -> Missing {
        let mut missing = Missing::default();
        for (index, peer) in peers.iter().enumerate() {
            assert_eq!(missing.announce(ID, ProcessId(*peer), 3, 10), index == 0);
        }
        missing
    }

    fn asked(missing: &mut Missing, passes_max: u8) -> Option<(u32, u8)> {
        missing.ask(ID, passes_max).map(|ask| (ask.peer.0, ask.passes))
    }

    fn losses(missing: &mut Missing, peer: u32) -> Vec<Loss> {
        let mut losses = Vec::new();
        missing.forget(ProcessId(peer), |loss| losses.push(loss));
        losses
    }

    #[test]
    fn announcers_are_asked_in_turn_and_a_bounded_number_of_times() {
        let mut missing = announced_by(&[1, 2, 2]);
        let all: Vec<_> = std::iter::from_fn(|| asked(&mut missing, 2)).take(9).collect();
        assert_eq!(all, [(1, 0), (2, 0), (1, 1), (2, 1)]);
        assert!(!missing.contains(ID), "given up");
    }

    #[test]
    fn whoever_announces_late_is_asked_too() {
        let mut missing = announced_by(&[1]);
        assert_eq!(asked(&mut missing, 2), Some((1, 0)));
        assert_eq!(asked(&mut missing, 2), Some((1, 1)));
        assert!(!missing.announce(ID, ProcessId(2), 3, 10));
        assert_eq!(losses(&mut missing, 1), [Loss::Unanswered(ID)]);
        let rest: Vec<_> =
            std::iter::from_fn(|| asked(&mut missing, 2)).map(|(peer, _)| peer).take(9).collect();
        assert_eq!(rest, [2, 2], "and not given up with the first");
    }

    #[test]
    fn when_the_one_who_is_asked_is_lost_the_next_one_is_asked_at_once() {
        let mut missing = announced_by(&[1, 2, 3]);
        assert_eq!(asked(&mut missing, 2), Some((1, 0)));
        assert_eq!(losses(&mut missing, 1), [Loss::Unanswered(ID)]);
        assert_eq!(asked(&mut missing, 2), Some((2, 0)));
        assert_eq!(losses(&mut missing, 3), [], "nobody waits for this one");
        assert_eq!(asked(&mut missing, 2), Some((2, 1)));
        assert_eq!(losses(&mut missing, 2), [Loss::Forgotten(ID)]);
        assert_eq!(missing, Missing::default());
    }

    #[test]
    fn more_missing_messages_than_allowed_are_not_noted() {
        let mut missing = announced_by(&[1]);
        assert!(!missing.announce(MessageId { number: 2, ..ID }, ProcessId(1), 0, 1));
        assert_eq!(missing.count(), 1);
    }

    #[test]
    fn whoever_loses_announcers_in_any_order_asks_only_those_that_are_left() {
        for lost in 1..=4 {
            for questions in 0..9 {
                let mut missing = announced_by(&[1, 2, 3, 4]);
                for _ in 0..questions {
                    missing.ask(ID, 9);
                }
                losses(&mut missing, lost);
                for _ in 0..6 {
                    let (peer, _) = asked(&mut missing, 9).expect("three announcers are left");
                    assert_ne!(peer, lost, "lost after {questions} questions");
                }
            }
        }
    }
}
