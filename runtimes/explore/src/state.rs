//! A state of the whole as a few words: the numbers of its parts.

/// What was spent of each budget, and which partition there is; eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Spent {
    Losses,
    Duplicates,
    Crashes,
    Restarts,
    Cuts,
    /// The partition that there is now, counted from one; zero for none.
    Cut,
    Timeouts,
}

/// Words before the parcels: two of the fingerprint, two of what was spent, the ledger, and one for each process.
pub(crate) const HEAD: usize = 5;

/// A state, borrowed from where many are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct State<'a> {
    pub(crate) words: &'a [u32],
    pub(crate) processes: usize,
}

impl<'a> State<'a> {
    /// The sum of the keys of all parts.
    #[inline]
    pub(crate) fn fingerprint(self) -> u64 {
        u64::from(self.words[0]) | u64::from(self.words[1]) << 32
    }

    /// All that was spent, in one number.
    #[inline]
    pub(crate) fn all_spent(self) -> u64 {
        u64::from(self.words[2]) | u64::from(self.words[3]) << 32
    }

    #[inline]
    pub(crate) fn spent(self, what: Spent) -> u8 {
        (self.all_spent() >> (8 * what as u32)) as u8
    }

    #[inline]
    pub(crate) fn ledger(self) -> u32 {
        self.words[4]
    }

    #[inline]
    pub(crate) fn locals(self) -> &'a [u32] {
        &self.words[HEAD..HEAD + self.processes]
    }

    /// What is under way, in the order of keys.
    #[inline]
    pub(crate) fn parcels(self) -> &'a [u32] {
        &self.words[HEAD + self.processes..]
    }
}

/// Many states, one after the other.
#[derive(Clone, Default, Debug)]
pub(crate) struct States {
    words: Vec<u32>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl States {
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.words[start as usize..self.ends[index] as usize]
    }

    pub(crate) fn push(&mut self, words: &[u32]) {
        self.words.extend_from_slice(words);
        let end =
            u32::try_from(self.words.len()).expect("a level has fewer than 2^32 words: bound the scenario");
        self.ends.push(end);
    }

    /// Moves the last state into `into`; false if there is none.
    pub(crate) fn pop(&mut self, into: &mut Vec<u32>) -> bool {
        let Some(end) = self.ends.pop() else { return false };
        let start = self.ends.last().copied().unwrap_or(0);
        into.clear();
        into.extend_from_slice(&self.words[start as usize..end as usize]);
        self.words.truncate(start as usize);
        true
    }
}
