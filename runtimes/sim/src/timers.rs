//! The timers that one process has armed.

use std::hash::Hash;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// With more timers than this, they are found by hash.
const FEW: usize = 32;

/// Armed timers.
///
/// A timer has one event in the queue. Arming it again for later only notes that: its event, when it comes, is put
/// back. So a timer that is pushed ahead again and again, as an election's is by each heartbeat, costs one event per
/// span and not one per arming.
#[derive(Clone)]
pub(crate) enum Timers<T> {
    /// In order of arming, more or less.
    Few(Vec<(T, Armed)>),
    Many(Box<Index<T>>),
}

#[derive(Clone)]
pub(crate) struct Index<T> {
    /// Never iterated but to be sorted.
    by_timer: HashMap<T, Armed, FxBuildHasher>,
    /// The timer of each event in the queue; no stale ones. Never iterated.
    by_event: HashMap<u32, T, FxBuildHasher>,
}

impl<T> Index<T> {
    /// All timers, in no order.
    pub(crate) fn armed(&self) -> impl Iterator<Item = (&T, Armed)> {
        self.by_timer.iter().map(|(timer, armed)| (timer, *armed))
    }
}

/// When a timer is due.
#[derive(Clone, Copy)]
pub(crate) struct Armed {
    pub(crate) due: u64,
    /// The number of the last arming, which orders what is due at one instant.
    pub(crate) seq: u32,
    /// The number of the event in the queue, which comes at `due` or earlier.
    event: u32,
}

impl<T: Clone + Eq + Hash> Timers<T> {
    pub(crate) const fn new() -> Self {
        Self::Few(Vec::new())
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Arms `timer` to be due at `due`. True if an event of that number must be put into the queue.
    #[inline]
    pub(crate) fn arm(&mut self, timer: T, due: u64, seq: u32) -> bool {
        let armed = match self {
            Self::Few(list) => list.iter_mut().find(|(other, _)| *other == timer).map(|(_, armed)| armed),
            Self::Many(index) => index.by_timer.get_mut(&timer),
        };
        let Some(armed) = armed else {
            self.insert(timer, Armed { due, seq, event: seq });
            return true;
        };
        let later = due >= armed.due;
        let event = if later { armed.event } else { seq };
        let before = std::mem::replace(armed, Armed { due, seq, event });
        if let Self::Many(index) = self
            && !later
        {
            index.by_event.remove(&before.event);
            index.by_event.insert(seq, timer);
        }
        !later
    }

    fn insert(&mut self, timer: T, armed: Armed) {
        match self {
            Self::Few(list) if list.len() < FEW => {
                if list.len() == list.capacity() && list.len() < 4 {
                    list.reserve_exact(1);
                }
                list.push((timer, armed));
            }
            Self::Few(list) => {
                let mut index = Index { by_timer: HashMap::default(), by_event: HashMap::default() };
                for (timer, armed) in list.drain(..).chain([(timer, armed)]) {
                    index.by_event.insert(armed.event, timer.clone());
                    index.by_timer.insert(timer, armed);
                }
                *self = Self::Many(Box::new(index));
            }
            Self::Many(index) => {
                index.by_event.insert(armed.event, timer.clone());
                index.by_timer.insert(timer, armed);
            }
        }
    }

    /// Whether `timer` is armed.
    pub(crate) fn is_armed(&self, timer: &T) -> bool {
        match self {
            Self::Few(list) => list.iter().any(|(other, _)| other == timer),
            Self::Many(index) => index.by_timer.contains_key(timer),
        }
    }

    #[inline]
    pub(crate) fn disarm(&mut self, timer: &T) {
        match self {
            Self::Few(list) => {
                if let Some(index) = list.iter().position(|(other, _)| other == timer) {
                    list.swap_remove(index);
                }
            }
            Self::Many(index) => {
                if let Some(armed) = index.by_timer.remove(timer) {
                    index.by_event.remove(&armed.event);
                }
            }
        }
    }

    /// Takes the timer that is due, now that the event numbered `event` has come; none if it was disarmed or armed
    /// again since.
    #[inline]
    pub(crate) fn take(&mut self, event: u32) -> Option<T> {
        match self {
            Self::Few(list) => {
                let index = list.iter().position(|(_, armed)| armed.event == event && armed.seq == event)?;
                Some(list.swap_remove(index).0)
            }
            Self::Many(index) => {
                let timer = index.by_event.get(&event)?;
                if index.by_timer.get(timer).is_none_or(|armed| armed.seq != event) {
                    return None;
                }
                let timer = index.by_event.remove(&event)?;
                index.by_timer.remove(&timer);
                Some(timer)
            }
        }
    }

    /// When the timer of the event numbered `event`, which has come, is due, if it was armed again for later; and the
    /// number under which its event is to be put back.
    pub(crate) fn postponed(&mut self, event: u32) -> Option<(u64, u32)> {
        let armed = match self {
            Self::Few(list) => list.iter_mut().map(|(_, armed)| armed).find(|armed| armed.event == event)?,
            Self::Many(index) => index.by_timer.get_mut(index.by_event.get(&event)?)?,
        };
        if armed.seq == event {
            return None;
        }
        armed.event = armed.seq;
        let (due, seq) = (armed.due, armed.seq);
        if let Self::Many(index) = self
            && let Some(timer) = index.by_event.remove(&event)
        {
            index.by_event.insert(seq, timer);
        }
        Some((due, seq))
    }

    /// The timers due at `now` or earlier, in the order in which they are due, with their events numbered anew by
    /// `number`; returns these numbers.
    pub(crate) fn overdue(&mut self, now: u64, mut number: impl FnMut() -> u32) -> Vec<u32> {
        let timers: Vec<(&T, Armed)> = match self {
            Self::Few(list) => list.iter().map(|(timer, armed)| (timer, *armed)).collect(),
            Self::Many(index) => index.armed().collect(),
        };
        let late: Vec<(T, Armed)> = by_due(timers.iter().map(|(_, armed)| *armed), now)
            .into_iter()
            .map(|at| (timers[at].0.clone(), timers[at].1))
            .collect();
        late.into_iter()
            .map(|(timer, armed)| {
                let seq = number();
                self.disarm(&timer);
                self.insert(timer, Armed { due: armed.due, seq, event: seq });
                seq
            })
            .collect()
    }
}

/// The places of those that are due at `now` or earlier, in the order in which they are due.
fn by_due(armed: impl Iterator<Item = Armed>, now: u64) -> Vec<usize> {
    let late = armed.enumerate().filter(|(_, armed)| armed.due <= now);
    let mut late: Vec<(u64, u32, usize)> = late.map(|(at, armed)| (armed.due, armed.seq, at)).collect();
    late.sort_unstable();
    late.into_iter().map(|(_, _, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isles_kernel::random;

    use super::*;

    /// Arms, disarms and lets time pass at random; what is due must be what a plain table of last armings says.
    fn compare(timers_max: u32) {
        let mut timers = Timers::new();
        let mut queue: BTreeMap<(u64, u32), ()> = BTreeMap::new();
        let mut plain: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
        let mut now = 0;
        for seq in 0..20_000u32 {
            let bits = random::draw(u64::from(timers_max), &[u64::from(seq)]);
            let timer = random::below(bits, timers_max);
            if bits.is_multiple_of(5) {
                timers.disarm(&timer);
                plain.remove(&timer);
            } else {
                let due = now + 1 + (bits >> 7) % 1000;
                plain.insert(timer, (due, seq));
                if timers.arm(timer, due, seq) {
                    queue.insert((due, seq), ());
                }
            }
            now += bits % 3 * u64::from(bits.is_multiple_of(7)) * 100;
            let mut fired = Vec::new();
            while let Some((&(at, event), ())) = queue.first_key_value()
                && at <= now
            {
                queue.pop_first();
                match timers.take(event) {
                    Some(timer) => fired.push((at, event, timer)),
                    None => queue.extend(timers.postponed(event).map(|later| (later, ()))),
                }
            }
            let mut expected: Vec<(u64, u32, u32)> =
                plain.iter().filter(|(_, armed)| armed.0 <= now).map(|(t, (d, s))| (*d, *s, *t)).collect();
            expected.sort_unstable();
            for (_, _, timer) in &expected {
                plain.remove(timer);
            }
            assert_eq!(fired, expected, "at {now}");
        }
    }

    #[test]
    fn timers_are_due_when_they_were_last_armed_for_few_or_many() {
        compare(5);
        compare(31);
        compare(500);
    }

    #[test]
    fn pushing_a_timer_ahead_adds_no_event() {
        let mut timers = Timers::new();
        let pushed = (0..1000u32).filter(|&n| timers.arm('a', 100 + u64::from(n), n)).count();
        assert_eq!(pushed, 1);
        assert_eq!((timers.take(0), timers.postponed(0)), (None, Some((1099, 999))));
        assert!(timers.arm('a', 500, 1000), "an earlier instant needs an event of its own");
        assert_eq!((timers.take(999), timers.postponed(999)), (None, None));
        assert_eq!(timers.take(1000), Some('a'));
    }
}
