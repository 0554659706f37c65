//! Which messages a process has had, in bounded memory, and what its own are called.

use isles_kernel::{ProcessId, Time};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::broadcast::MessageId;

/// Up to 32 messages of one origin whose numbers follow each other: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// The messages' numbers divided by 32.
    group: u64,
    origin: ProcessId,
    /// Bit `b` stands for the number `32 * group + b`.
    bits: u32,
}

impl Window {
    /// The group of a message, and its bit there.
    fn place(id: MessageId) -> (u64, u32) {
        (id.number / 32, 1 << (id.number % 32))
    }

    /// Whether the message is one of these.
    pub fn contains(&self, id: MessageId) -> bool {
        let (group, bit) = Self::place(id);
        self.origin == id.origin && self.group == group && self.bits & bit != 0
    }
}

/// What a process tells another of what it has had: so many of its newest windows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Digest(Box<[Window]>);

impl Digest {
    /// Whether the message is in it.
    pub fn contains(&self, id: MessageId) -> bool {
        self.0.iter().rev().any(|window| window.contains(id))
    }
}

/// The set of messages that a process has had, and the counter of its own.
///
/// It is exact, but it forgets: it keeps the [`Window`]s that were added to last, at most as many as the caller
/// allows. With a bound of `count_max` the last `count_max` messages are remembered whoever broadcast them, and up
/// to 32 times as many when they come from few origins. It takes 16 bytes for each window in use.
///
/// ```
/// # use isles_gossip::{MessageId, seen::Seen};
/// # use isles_kernel::{ProcessId, Time};
/// let mut seen = Seen::starting(Time::ZERO);
/// let id = MessageId { origin: ProcessId(7), number: 0 };
/// assert!(seen.insert(id, 128));
/// assert!(!seen.insert(id, 128));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Seen {
    /// The number of this process's next broadcast.
    next: u64,
    /// Invariant: one window per origin and group, no window empty, the one that was added to last at the end. The
    /// only one of a process that hears one sender lies here and costs no look elsewhere.
    windows: SmallVec<[Window; 1]>,
}

impl Seen {
    /// Nothing seen yet, by a process that starts at `now` of its clock.
    pub fn starting(now: Time) -> Self {
        Self { next: now.0, windows: SmallVec::new() }
    }

    /// Names a broadcast of this process, `me`. The caller inserts it like any other.
    pub fn name(&mut self, me: ProcessId) -> MessageId {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        MessageId { origin: me, number }
    }

    /// Whether the message is remembered.
    ///
    /// # Complexity
    /// Linear in the windows, from the newest: a message of a busy origin is found at once.
    pub fn contains(&self, id: MessageId) -> bool {
        self.windows.iter().rev().any(|window| window.contains(id))
    }

    /// Adds the message, and forgets the windows that were not added to for longest where there are more than
    /// `count_max` (at least one is kept). False if it was there.
    pub fn insert(&mut self, id: MessageId, count_max: usize) -> bool {
        let (group, bit) = Window::place(id);
        let same = |window: &Window| window.origin == id.origin && window.group == group;
        if let Some(index) = self.windows.iter().rposition(same) {
            if self.windows[index].bits & bit != 0 {
                return false;
            }
            self.windows[index].bits |= bit;
            self.windows[index..].rotate_left(1);
            return true;
        }
        if self.windows.len() >= count_max.max(1) {
            self.windows.drain(..=self.windows.len() - count_max.max(1));
        }
        if self.windows.len() == self.windows.capacity() && self.windows.len() < 8 {
            self.windows.reserve_exact(1);
        }
        self.windows.push(Window { group, origin: id.origin, bits: bit });
        true
    }

    /// The `count_max` windows that were added to last, which hold at least the last `count_max` messages.
    pub fn digest(&self, count_max: usize) -> Digest {
        Digest(self.windows[self.windows.len().saturating_sub(count_max)..].into())
    }

    /// Whether the digest has a message that is not remembered here.
    pub fn lacks_any_of(&self, digest: &Digest) -> bool {
        digest.0.iter().any(|theirs| {
            let same = |ours: &&Window| ours.origin == theirs.origin && ours.group == theirs.group;
            let ours = self.windows.iter().rev().find(same).map_or(0, |window| window.bits);
            theirs.bits & !ours != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id((origin, number): (u32, u64)) -> MessageId {
        MessageId { origin: ProcessId(origin), number }
    }

    #[test]
    fn a_process_that_forgot_everything_does_not_use_a_number_again() {
        let mut first = Seen::starting(Time(10));
        let mut second = Seen::starting(Time(1_000));
        let names: Vec<u64> = (0..3).map(|_| first.name(ProcessId(1)).number).collect();
        assert_eq!(names, [10, 11, 12]);
        assert_eq!(second.name(ProcessId(1)).number, 1_000);
    }

    proptest! {
        /// Against the naive list of all messages.
        #[test]
        fn the_last_messages_are_remembered_and_nothing_else_is_invented(
            inserted in proptest::collection::vec((0u32..6, 0u64..100), 1..80),
            count_max in 1usize..12,
        ) {
            let mut seen = Seen::starting(Time::ZERO);
            let mut last: Vec<(u32, u64)> = Vec::new();
            for &message in &inserted {
                let new = seen.insert(id(message), count_max);
                prop_assert!(new || last.contains(&message), "{message:?} was never inserted");
                if new {
                    last.retain(|other| *other != message);
                    last.push(message);
                }
                for &recent in last.iter().rev().take(count_max) {
                    prop_assert!(seen.contains(id(recent)), "{recent:?} is among the last {count_max}");
                }
                prop_assert!(seen.digest(usize::MAX).0.len() <= count_max);
            }
            for other in 100..200 {
                prop_assert!(!seen.contains(id((0, other))));
            }
        }
    }

    #[test]
    fn a_digest_shows_what_another_lacks() {
        let mut ours = Seen::starting(Time::ZERO);
        let mut theirs = Seen::starting(Time::ZERO);
        for number in 0..40 {
            ours.insert(id((1, number)), 10);
            theirs.insert(id((1, number)), 10);
        }
        assert!(!ours.lacks_any_of(&theirs.digest(10)));
        theirs.insert(id((1, 40)), 10);
        assert!(ours.lacks_any_of(&theirs.digest(10)) && !theirs.lacks_any_of(&ours.digest(10)));
        let newest = theirs.digest(1);
        assert!(newest.contains(id((1, 40))) && !newest.contains(id((1, 3))), "only the newest window");
    }

    #[test]
    fn the_oldest_window_is_the_one_that_is_forgotten() {
        let mut seen = Seen::starting(Time::ZERO);
        for origin in 0..3 {
            assert!(seen.insert(id((origin, 5)), 2));
        }
        assert!(!seen.contains(id((0, 5))));
        assert!(seen.contains(id((1, 5))));
        // Adding to a window makes it the newest.
        assert!(seen.insert(id((1, 6)), 2));
        assert!(seen.insert(id((9, 0)), 2));
        assert!(seen.contains(id((1, 5))) && !seen.contains(id((2, 5))));
    }
}
