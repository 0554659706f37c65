//! States that are to be continued, in blocks: in memory, and on disk beyond a budget.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::state::States;

/// States that are continued together: enough that starting threads costs little, few enough that what belongs to them
/// fits into memory many times.
pub(crate) const BLOCK: usize = 1 << 13;

/// A queue of states.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    blocks: VecDeque<Block>,
    /// The block that is being filled.
    last: States,
    count: usize,
    /// Bytes of the blocks that are in memory.
    bytes: u64,
    spill: Option<Spill>,
}

#[derive(Debug)]
enum Block {
    Here(States),
    /// At this place of the file, so many states.
    There {
        at: u64,
        states: u32,
    },
}

/// Where blocks go that find no room in memory. The file is removed at the end.
#[derive(Debug)]
struct Spill {
    path: PathBuf,
    file: File,
    end: u64,
    /// Bytes that may stay in memory.
    budget: u64,
    /// Bytes that were written in all.
    written: u64,
}

impl Frontier {
    /// An empty queue that keeps at most about `budget` bytes in memory, and the rest in a file of its own.
    pub(crate) fn spilling(path: &Path, budget: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        let spill = Spill { path: path.to_path_buf(), file, end: 0, budget, written: 0 };
        Ok(Self { spill: Some(spill), ..Self::default() })
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Bytes that were written to disk since the beginning.
    pub(crate) fn written(&self) -> u64 {
        self.spill.as_ref().map_or(0, |spill| spill.written)
    }

    /// Appends states.
    pub(crate) fn append(&mut self, states: &States) -> io::Result<()> {
        let mut from = 0;
        while from < states.len() {
            let until = states.len().min(from + BLOCK - self.last.len());
            self.last.append(states, from, until);
            self.count += until - from;
            from = until;
            if self.last.len() == BLOCK {
                self.seal()?;
            }
        }
        Ok(())
    }

    /// Lets `write` append one state.
    #[inline]
    pub(crate) fn push_with<T>(&mut self, write: impl FnOnce(&mut Vec<u32>) -> T) -> io::Result<T> {
        let written = self.last.push_with(write);
        self.count += 1;
        if self.last.len() == BLOCK {
            self.seal()?;
        }
        Ok(written)
    }

    #[cold]
    fn seal(&mut self) -> io::Result<()> {
        let mut block = std::mem::take(&mut self.last);
        block.shrink();
        let bytes = block.bytes();
        match &mut self.spill {
            Some(spill) if self.bytes + bytes > spill.budget => {
                let at = spill.end;
                spill.end += bytes;
                spill.written += bytes;
                spill.write(at, &block)?;
                self.blocks.push_back(Block::There { at, states: block.len() as u32 });
            }
            _ => {
                self.bytes += bytes;
                self.blocks.push_back(Block::Here(block));
            }
        }
        Ok(())
    }

    /// Shows all states to `each`, which may change them.
    pub(crate) fn each(&mut self, mut each: impl FnMut(&mut [u32])) -> io::Result<()> {
        for block in &mut self.blocks {
            match block {
                Block::Here(block) => block.each(&mut each),
                Block::There { at, states } => {
                    let spill = self.spill.as_mut().expect("who wrote it can read it");
                    let mut block = spill.read(*at, *states)?;
                    block.each(&mut each);
                    spill.write(*at, &block)?;
                }
            }
        }
        self.last.each(&mut each);
        Ok(())
    }

    /// The next block, in the order in which states were appended.
    pub(crate) fn pop(&mut self) -> io::Result<Option<States>> {
        let block = match self.blocks.pop_front() {
            Some(Block::Here(block)) => {
                self.bytes -= block.bytes();
                block
            }
            Some(Block::There { at, states }) => {
                let spill = self.spill.as_mut().expect("who wrote it can read it");
                spill.read(at, states)?
            }
            None if self.last.len() > 0 => std::mem::take(&mut self.last),
            None => return Ok(None),
        };
        self.count -= block.len();
        if self.blocks.is_empty()
            && let Some(spill) = &mut self.spill
        {
            spill.end = 0;
        }
        Ok(Some(block))
    }
}

impl Spill {
    fn write(&mut self, at: u64, block: &States) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&block.to_bytes())
    }

    fn read(&mut self, at: u64, states: u32) -> io::Result<States> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut ends = vec![0; states as usize * 4];
        self.file.read_exact(&mut ends)?;
        let ends = words(&ends);
        let mut bytes = vec![0; ends.last().map_or(0, |end| *end as usize * 4)];
        self.file.read_exact(&mut bytes)?;
        Ok(States::from_words(words(&bytes), ends))
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // What cannot be removed stays, and is overwritten by the next search.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Words that were written least significant byte first.
fn words(bytes: &[u8]) -> Vec<u32> {
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    bytes.chunks_exact(4).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spilled_comes_back_in_order() {
        let folder = std::env::temp_dir().join(format!("isles-frontier-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let path = folder.join("frontier");
        let mut frontier = Frontier::spilling(&path, 100_000).expect("a file");
        let count = 5 * BLOCK as u32 + 17;
        let state = |n: u32| -> Vec<u32> { (0..n % 5).map(|place| n + place).collect() };
        for n in 0..count {
            frontier.push_with(|words| words.extend(state(n))).expect("room on the disk");
        }
        assert!(frontier.written() > 0 && frontier.len() == count as usize);
        let mut next = 0;
        while let Some(block) = frontier.pop().expect("what was written") {
            for index in 0..block.len() {
                assert_eq!(block.get(index), state(next));
                next += 1;
            }
        }
        assert_eq!((next, frontier.len()), (count, 0));
        drop(frontier);
        assert!(!path.exists());
        std::fs::remove_dir_all(&folder).expect("it is empty");
    }
}
