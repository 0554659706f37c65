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
    /// Messages that were tampered with.
    Acts,
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
        self.end();
    }

    /// Lets `write` append the words of one state.
    #[inline]
    pub(crate) fn push_with<T>(&mut self, write: impl FnOnce(&mut Vec<u32>) -> T) -> T {
        let written = write(&mut self.words);
        self.end();
        written
    }

    /// Appends all states of another list, in their order.
    pub(crate) fn append(&mut self, others: &Self, from: usize, until: usize) {
        let start = if from == 0 { 0 } else { others.ends[from - 1] };
        let end = if until == 0 { 0 } else { others.ends[until - 1] };
        let offset = self.words.len() as u32;
        self.words.extend_from_slice(&others.words[start as usize..end as usize]);
        assert!(
            self.words.len() < u32::MAX as usize,
            "a block has fewer than 2^32 words: bound the scenario"
        );
        self.ends.extend(others.ends[from..until].iter().map(|at| at - start + offset));
    }

    #[inline]
    fn end(&mut self) {
        assert!(
            self.words.len() < u32::MAX as usize,
            "a block has fewer than 2^32 words: bound the scenario"
        );
        self.ends.push(self.words.len() as u32);
    }

    /// How much memory it takes.
    pub(crate) const fn bytes(&self) -> u64 {
        (self.words.len() + self.ends.len()) as u64 * 4
    }

    /// Shows all states to `each`, which may change them.
    pub(crate) fn each(&mut self, mut each: impl FnMut(&mut [u32])) {
        let mut start = 0;
        for end in &self.ends {
            each(&mut self.words[start as usize..*end as usize]);
            start = *end;
        }
    }

    /// Gives back room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.words.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// All of it, the ends first.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.ends.iter().chain(&self.words).flat_map(|word| word.to_le_bytes()).collect()
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) const fn from_words(words: Vec<u32>, ends: Vec<u32>) -> Self {
        Self { words, ends }
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
