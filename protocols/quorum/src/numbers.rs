//! Names for what a process asks, none of which is ever used twice, not even after a crash.

/// How many operations an incarnation can name.
const PER_INCARNATION: u64 = 1 << 32;

/// The names of a process's operations: the number of its incarnation, and a count.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Numbers {
    /// Incarnations that are on disk, or on their way there.
    incarnations: u32,
    /// The last name of this incarnation; none before its first operation.
    last: Option<u64>,
}

impl Numbers {
    /// Of a process that finds so many incarnations on its disk.
    pub(crate) const fn after(incarnations: u32) -> Self {
        Self { incarnations, last: None }
    }

    /// How many incarnations have named something.
    pub(crate) const fn incarnations(&self) -> u32 {
        self.incarnations
    }

    /// A new name. With the first one of an incarnation comes how many there are now, to be written to disk before the name is told
    /// to anybody.
    ///
    /// # Panics
    /// After 2^32 operations without a restart.
    pub(crate) fn next(&mut self) -> (u64, Option<u32>) {
        let begins = self.last.is_none();
        if begins {
            self.incarnations += 1;
        }
        let base = u64::from(self.incarnations) * PER_INCARNATION;
        let next = self.last.map_or(base, |last| last + 1);
        assert!(next < base + PER_INCARNATION, "2^32 operations without a restart");
        self.last = Some(next);
        (next, begins.then_some(self.incarnations))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_used_twice_and_an_incarnation_is_told_once() {
        let mut first = Numbers::after(0);
        let (a, told) = first.next();
        assert_eq!((told, first.next()), (Some(1), (a + 1, None)));
        let mut second = Numbers::after(first.incarnations());
        let (b, told) = second.next();
        assert!(b > a + 1 && told == Some(2));
    }
}
