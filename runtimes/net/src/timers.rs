//! The timers that the process has armed.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::time::Instant;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Armed timers, by when they are due; those due at one instant in the order of arming.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    /// Invariant: the same timers as in `armed`.
    by_due: BTreeMap<(Instant, u64), T>,
    /// Never iterated.
    armed: HashMap<T, (Instant, u64), FxBuildHasher>,
    armings: u64,
}

impl<T: Clone + Eq + Hash> Timers<T> {
    pub(crate) fn new() -> Self {
        Self { by_due: BTreeMap::new(), armed: HashMap::default(), armings: 0 }
    }

    /// Arms `timer` instead of any earlier arming.
    pub(crate) fn arm(&mut self, timer: T, due: Instant) {
        self.armings += 1;
        let place = (due, self.armings);
        if let Some(before) = self.armed.insert(timer.clone(), place) {
            self.by_due.remove(&before);
        }
        self.by_due.insert(place, timer);
    }

    pub(crate) fn disarm(&mut self, timer: &T) {
        if let Some(place) = self.armed.remove(timer) {
            self.by_due.remove(&place);
        }
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_due.first_key_value().map(|((due, _), _)| *due)
    }

    /// The first timer that is due, no longer armed.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        let first = self.by_due.first_entry().filter(|first| first.key().0 <= now)?;
        let timer = first.remove();
        self.armed.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_arming_counts_and_one_instant_keeps_the_order() {
        let start = crate::clock::instant();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new();
        timers.arm("a", at(5));
        timers.arm("b", at(5));
        timers.arm("c", at(1));
        timers.arm("a", at(9));
        timers.arm("d", at(5));
        timers.disarm(&"c");
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop(at(4)), None);
        let popped: Vec<_> = std::iter::from_fn(|| timers.pop(at(10))).collect();
        assert_eq!(popped, ["b", "d", "a"]);
        assert_eq!(timers.next(), None);
    }
}
