//! The fingerprints of the states that were reached.

/// A set of 64-bit fingerprints: open addressing over lines of the cache, 8 bytes each.
#[derive(Debug)]
pub(crate) struct Visited {
    /// A power of two of them; zero is an empty place.
    slots: Vec<u64>,
    count: usize,
}

impl Visited {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; 1 << 12], count: 0 }
    }

    /// The first place to look at: the beginning of a line of eight.
    #[inline]
    fn start(&self, fingerprint: u64) -> usize {
        (fingerprint as usize).wrapping_mul(8) & (self.slots.len() - 1)
    }

    /// Adds a fingerprint; false if it was there.
    #[inline]
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        // Full to four fifths: with eight fingerprints in a line most look-ups still end in their first line.
        if self.count >= self.slots.len() / 5 * 4 {
            self.grow();
        }
        // The empty place has no fingerprint, so the one state in 2^64 that would have it shares another's.
        let fingerprint = fingerprint.max(1);
        let mask = self.slots.len() - 1;
        let mut place = self.start(fingerprint);
        loop {
            let other = self.slots[place & mask];
            if other == fingerprint {
                return false;
            }
            if other == 0 {
                self.slots[place & mask] = fingerprint;
                self.count += 1;
                return true;
            }
            place += 1;
        }
    }

    /// Whether a fingerprint is there.
    pub(crate) fn contains(&self, fingerprint: u64) -> bool {
        let fingerprint = fingerprint.max(1);
        let mask = self.slots.len() - 1;
        let mut place = self.start(fingerprint);
        loop {
            match self.slots[place & mask] {
                0 => return false,
                other if other == fingerprint => return true,
                _ => place += 1,
            }
        }
    }

    /// Asks the processor for the line in which a fingerprint will be sought.
    #[inline]
    pub(crate) fn prefetch(&self, fingerprint: u64) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let line = std::ptr::from_ref(&self.slots[self.start(fingerprint.max(1))]).cast::<i8>();
            // SAFETY: a prefetch never faults, and the address lies within the table.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = fingerprint;
    }

    #[cold]
    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let mask = size - 1;
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        for fingerprint in old.into_iter().filter(|fingerprint| *fingerprint != 0) {
            let mut place = self.start(fingerprint);
            while self.slots[place & mask] != 0 {
                place += 1;
            }
            self.slots[place & mask] = fingerprint;
        }
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::random::draw;

    use super::*;

    #[test]
    fn each_fingerprint_is_new_once() {
        let mut visited = Visited::new();
        for round in 0..2 {
            for n in 0..50_000 {
                assert_eq!(visited.insert(draw(1, &[n])), round == 0);
            }
        }
        assert!(visited.insert(0) && !visited.insert(0));
        assert_eq!(visited.len(), 50_001);
    }

    #[test]
    fn fingerprints_that_begin_at_one_place_are_all_kept() {
        let mut visited = Visited::new();
        assert!((1..3_000u64).all(|n| visited.insert(n << 40)));
        assert!((1..3_000u64).all(|n| !visited.insert(n << 40)));
    }
}
