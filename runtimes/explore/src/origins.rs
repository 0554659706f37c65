//! Where each state came from: what a counterexample is made of, in memory or on disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use isles_kernel::random::mix;

use crate::action::Action;

/// Where a state came from: the number of the state before it, and the action; an initial state has nobody before it, and
/// its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) before: u32,
    pub(crate) action: Action,
}

impl Origin {
    pub(crate) const BYTES: usize = 8;

    pub(crate) const fn is_initial(self) -> bool {
        self.before == u32::MAX
    }

    const fn word(self) -> u64 {
        (self.before as u64) << 32 | self.action.0 as u64
    }

    pub(crate) const fn of(bytes: [u8; Self::BYTES]) -> Self {
        let word = u64::from_le_bytes(bytes);
        Self { before: (word >> 32) as u32, action: Action(word as u32) }
    }
}

/// The origins of all states in the order of their numbers, in pieces, so that there is never a second copy of all of
/// them while they grow; with a file, only the last piece is in memory.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    pieces: Vec<Vec<Origin>>,
    /// Those before the first piece, which are in the file alone.
    filed: usize,
    count: usize,
    file: Option<File>,
    /// A digest of all, in their order.
    check: u64,
}

impl Origins {
    const PIECE: usize = 1 << 16;

    /// None yet, and a file for them.
    pub(crate) fn on(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file: Some(file), ..Self::default() })
    }

    /// Those in a file, of which the caller knows that it is as it was left.
    pub(crate) fn again(path: &Path, count: usize, check: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self { pieces: Vec::new(), filed: count, count, file: Some(file), check })
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    pub(crate) const fn check(&self) -> u64 {
        self.check
    }

    /// The digest of some origins after one more.
    pub(crate) fn checked(check: u64, origin: Origin) -> u64 {
        mix(check ^ origin.word(), 0x6f72_6967_696e)
    }

    #[inline]
    pub(crate) fn push(&mut self, origin: Origin) -> io::Result<()> {
        if self.pieces.last().is_none_or(|piece| piece.len() == Self::PIECE) {
            self.flush()?;
            self.pieces.push(Vec::with_capacity(Self::PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(origin);
        }
        if self.file.is_some() {
            self.check = Self::checked(self.check, origin);
        }
        self.count += 1;
        Ok(())
    }

    /// Leaves nothing in memory that is not in the file, if there is one.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start((self.filed * Origin::BYTES) as u64))?;
            for piece in self.pieces.drain(..) {
                let bytes: Vec<u8> = piece.iter().flat_map(|origin| origin.word().to_le_bytes()).collect();
                file.write_all(&bytes)?;
            }
            self.filed = self.count;
        }
        Ok(())
    }

    /// The same, and returns when it is on the disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn get(&mut self, state: u32) -> io::Result<Origin> {
        let state = state as usize;
        if let Some(file) = &mut self.file
            && state < self.filed
        {
            let mut bytes = [0; Origin::BYTES];
            file.seek(SeekFrom::Start((state * Origin::BYTES) as u64))?;
            file.read_exact(&mut bytes)?;
            return Ok(Origin::of(bytes));
        }
        let place = state - self.filed;
        Ok(self.pieces[place / Self::PIECE][place % Self::PIECE])
    }

    /// The number of the initial state, and the actions that lead to a state.
    pub(crate) fn path(&mut self, state: u32) -> io::Result<(u32, Vec<Action>)> {
        let mut actions = Vec::new();
        let mut at = state;
        loop {
            let origin = self.get(at)?;
            if origin.is_initial() {
                actions.reverse();
                return Ok((origin.action.0, actions));
            }
            actions.push(origin.action);
            at = origin.before;
        }
    }
}
