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
}

/// The same for keys whose second half is small, as a row for each first half: one look at four bytes instead of a
/// search.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Where each row begins, and how long it is.
    rows: Vec<(u32, u32)>,
    cells: Vec<u32>,
}

/// Columns beyond are not kept in rows: they would mostly be empty.
pub(crate) const COLUMNS: u32 = 128;

/// An empty cell.
const UNKNOWN: u32 = u32::MAX;

impl Rows {
    /// What is in a cell.
    #[inline]
    pub(crate) fn get(&self, row: u32, column: u32) -> Option<u32> {
        let (start, length) = *self.rows.get(row as usize)?;
        if column >= length {
            return None;
        }
        Some(self.cells[(start + column) as usize]).filter(|value| *value != UNKNOWN)
    }

    /// Fills a cell; a row that is too short moves to the end and doubles. False if there is no room for it.
    pub(crate) fn insert(&mut self, row: u32, column: u32, value: u32) -> bool {
        if column >= COLUMNS || self.cells.len() >= (u32::MAX / 2) as usize {
            return false;
        }
        if self.rows.len() <= row as usize {
            self.rows.resize(row as usize + 1, (0, 0));
        }
        let (start, length) = self.rows[row as usize];
        if column >= length {
            let longer = (column + 1).next_power_of_two().max(4);
            let at = self.cells.len();
            self.cells.extend_from_within(start as usize..(start + length) as usize);
            self.cells.resize(at + longer as usize, UNKNOWN);
            self.rows[row as usize] = (at as u32, longer);
        }
        let (start, _) = self.rows[row as usize];
        self.cells[(start + column) as usize] = value;
        true
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
        assert_eq!((memo.get(100, 0), memo.get(0, 100)), (None, None));
    }

    #[test]
    fn rows_grow_and_keep_what_they_had() {
        let mut rows = Rows::default();
        for column in 0..COLUMNS {
            for row in [0, 7, 3] {
                assert_eq!(rows.get(row, column), None);
                assert!(rows.insert(row, column, row * 1_000 + column));
            }
        }
        for (row, column) in [(0, 0), (7, 127), (3, 64)] {
            assert_eq!(rows.get(row, column), Some(row * 1_000 + column));
        }
        assert!(!rows.insert(0, COLUMNS, 1) && rows.get(0, COLUMNS).is_none() && rows.get(99, 0).is_none());
    }
}
