//! A table from a pair of small numbers to another: what handlers did before.

/// No key: no pair of numbers is ever this.
const EMPTY: u64 = u64::MAX;

/// Open addressing with linear probing, at most half full: a look-up is one line of the cache.
#[derive(Debug)]
pub(crate) struct Memo {
    slots: Vec<(u64, u32, u32)>,
    count: usize,
}

impl Memo {
    pub(crate) fn new() -> Self {
        Self { slots: vec![(EMPTY, 0, 0); 64], count: 0 }
    }

    #[inline]
    fn slot(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.slots.len() - 1)
    }

    /// What is known for the pair.
    #[inline]
    pub(crate) fn get(&self, a: u32, b: u32) -> Option<(u32, u32)> {
        let key = u64::from(a) << 32 | u64::from(b);
        let mut slot = self.slot(key);
        loop {
            let (other, first, second) = self.slots[slot];
            if other == key {
                return Some((first, second));
            }
            if other == EMPTY {
                return None;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Notes what is not known yet.
    pub(crate) fn insert(&mut self, a: u32, b: u32, value: (u32, u32)) {
        if self.count * 2 >= self.slots.len() {
            let bigger = vec![(EMPTY, 0, 0); self.slots.len() * 2];
            for (key, first, second) in std::mem::replace(&mut self.slots, bigger) {
                if key != EMPTY {
                    self.place(key, (first, second));
                }
            }
        }
        self.count += 1;
        self.place(u64::from(a) << 32 | u64::from(b), value);
    }

    fn place(&mut self, key: u64, (first, second): (u32, u32)) {
        let mut slot = self.slot(key);
        while self.slots[slot].0 != EMPTY {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = (key, first, second);
    }

    /// How many pairs are known.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_found_and_nothing_else() {
        let mut memo = Memo::new();
        for n in 0..10_000u32 {
            memo.insert(n % 100, n / 100, (n, n + 1));
        }
        assert!((0..10_000).all(|n| memo.get(n % 100, n / 100) == Some((n, n + 1))));
        assert_eq!((memo.get(100, 0), memo.get(0, 100), memo.len()), (None, None, 10_000));
    }
}
