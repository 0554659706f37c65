//! Values that are put and appended to.
//!
//! If every value that is put or appended is another, whoever reads a value reads off which operations made it, in their order. Nothing else took
//! effect between these, so that what is known to follow a put is one block, with its reads. Blocks are as the zones of a register
//! (Gibbons and Korach 1997, sec. 4): each spans the time from the first return to the last invocation of its operations, and its
//! order is fixed. What nobody read is a block of its own, which can be wherever no other block is: the next block begins with a put.

use std::hash::Hasher;

use hashbrown::HashTable;
use isles_history::Moment;
use rustc_hash::FxHasher;

use super::Finding;
use crate::linearizability::zones::{self, Zone};
use crate::models::key_value::Append;

/// An operation on a value that grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step<'a, V> {
    /// What it did.
    pub act: Act<'a, V>,
    /// When it was invoked.
    pub invoked: Moment,
    /// When it returned, [`Moment::MAX`] if it did not.
    pub returned: Moment,
    /// What the caller calls it.
    pub name: u32,
}

/// What an operation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act<'a, V> {
    /// It put this.
    Put(&'a V),
    /// It appended this.
    Append(&'a V),
    /// It read this, or that there is nothing.
    Get(Option<&'a V>),
}

/// Pieces have so many sizes at most.
const SIZES_MAX: usize = 16;

/// Judges operations in the order of their invocations on what is `initial` at first.
///
/// # Complexity
/// O(n log n) for n operations, and the sizes of what was read.
pub fn appends<V: Append>(initial: Option<&V>, steps: &[Step<'_, V>]) -> Finding {
    match Blocks::read_off(initial, steps) {
        Ok(blocks) => blocks.place(),
        Err(finding) => finding,
    }
}

/// What was put or appended.
struct Pieces<'s, 'a, V> {
    steps: &'s [Step<'a, V>],
    table: HashTable<u32>,
    /// Their sizes, ascending.
    sizes: Vec<usize>,
}

impl<'s, 'a, V: Append> Pieces<'s, 'a, V> {
    fn new(steps: &'s [Step<'a, V>]) -> Result<Self, Finding> {
        let mut pieces = Self { steps, table: HashTable::new(), sizes: Vec::new() };
        let hash = |value: &V, size| hash(value, 0, size);
        for (place, step) in (0..).zip(steps) {
            let (Act::Put(value) | Act::Append(value)) = step.act else { continue };
            let size = value.parts().filter(|size| *size > 0);
            let Some(size) = size else { return Err(Finding::Inapplicable("a value has no parts")) };
            let hashed = hash(value, size);
            if pieces.table.find(hashed, |other| pieces.value(*other) == Some(value)).is_some() {
                return Err(Finding::Inapplicable("a value is written twice"));
            }
            let steps = pieces.steps;
            pieces.table.insert_unique(hashed, place, |other| match steps[*other as usize].act {
                Act::Put(value) | Act::Append(value) => hash(value, value.parts().unwrap_or(0)),
                Act::Get(_) => 0,
            });
            if let Err(to) = pieces.sizes.binary_search(&size) {
                pieces.sizes.insert(to, size);
            }
        }
        match pieces.sizes.len() {
            0..=SIZES_MAX => Ok(pieces),
            _ => Err(Finding::Inapplicable("values have too many sizes")),
        }
    }

    fn value(&self, step: u32) -> Option<&'a V> {
        match self.steps[step as usize].act {
            Act::Put(value) | Act::Append(value) => Some(value),
            Act::Get(_) => None,
        }
    }

    /// The piece of which `value` has the parts from `at` on.
    fn find(&self, value: &V, at: usize) -> Result<Option<u32>, Finding> {
        let left = value.parts().unwrap_or(0) - at;
        let mut found = None;
        for size in self.sizes.iter().copied().take_while(|size| *size <= left) {
            let is_it = |piece: &u32| {
                self.value(*piece).is_some_and(|piece| piece.parts() == Some(size) && value.has(at, piece))
            };
            let piece = self.table.find(hash(value, at, size), is_it);
            if piece.is_some() && found.is_some() {
                return Err(Finding::Inapplicable("what was read can be read in several ways"));
            }
            found = found.or(piece.copied());
        }
        Ok(found)
    }
}

fn hash(value: &impl Append, at: usize, size: usize) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash_parts(at..at + size, &mut hasher);
    hasher.finish()
}

/// The operations that are known to follow one another.
#[derive(Default)]
struct Block {
    /// A put, unless it is the first block, and what was appended, in order.
    pieces: Vec<u32>,
    /// Who read it, after so many pieces: in the order of that, then of invocations.
    reads: Vec<(u32, u32)>,
    /// How many parts the longest reading has.
    parts: usize,
}

/// No block.
const NONE: u32 = u32::MAX;

/// All that was read off.
struct Blocks<'s, 'a, V> {
    pieces: Pieces<'s, 'a, V>,
    /// What is there at first, and how many parts it has.
    initial: Option<&'a V>,
    blocks: Vec<Block>,
    /// In which block each operation is.
    block_of: Vec<u32>,
}

impl<'s, 'a, V: Append> Blocks<'s, 'a, V> {
    fn read_off(initial: Option<&'a V>, steps: &'s [Step<'a, V>]) -> Result<Self, Finding> {
        let pieces = Pieces::new(steps)?;
        let block_of = vec![NONE; steps.len()];
        let mut blocks = Self { pieces, initial, blocks: vec![Block::default()], block_of };
        let size = |value: Option<&V>| value.map_or(Some(0), Append::parts);
        if size(initial).is_none() {
            return Err(Finding::Inapplicable("a value has no parts"));
        }
        let mut reads: Vec<(usize, u32)> = Vec::new();
        for (place, step) in (0..).zip(steps) {
            if let Act::Get(value) = step.act {
                let Some(size) = size(value) else {
                    return Err(Finding::Inapplicable("a value has no parts"));
                };
                reads.push((size, place));
            }
        }
        reads.sort_unstable();
        for (size, read) in reads {
            blocks.read(read, size)?;
        }
        // What nobody read.
        for step in 0..steps.len() as u32 {
            if blocks.block_of[step as usize] == NONE {
                blocks.begin(step);
            }
        }
        Ok(blocks)
    }

    fn name(&self, step: u32) -> u32 {
        self.pieces.steps[step as usize].name
    }

    fn begin(&mut self, piece: u32) -> u32 {
        let block = self.blocks.len() as u32;
        self.blocks.push(Block { pieces: vec![piece], reads: Vec::new(), parts: 0 });
        self.block_of[piece as usize] = block;
        block
    }

    /// Reads off what made this reading, which is at least as long as all before.
    fn read(&mut self, read: u32, size: usize) -> Result<(), Finding> {
        let wrong = Finding::Wrong(vec![self.name(read)]);
        let Act::Get(value) = self.pieces.steps[read as usize].act else { return Ok(()) };
        let Some(value) = value.filter(|_| size > 0 || self.initial.is_some()) else {
            return if value == self.initial { self.note(read, 0) } else { Err(wrong) };
        };
        let (number, mut at) = self.block(value).and_then(|found| found.ok_or_else(|| wrong.clone()))?;
        let block = &self.blocks[number as usize];
        if let Some((_, last)) = block.reads.last()
            && let Act::Get(Some(before)) = self.pieces.steps[*last as usize].act
        {
            if !value.has(0, before) {
                return Err(Finding::Wrong(vec![self.name(*last), self.name(read)]));
            }
            at = block.parts;
        }
        while at < size {
            let Some(piece) = self.pieces.find(value, at)? else { return Err(wrong) };
            let Act::Append(more) = self.pieces.steps[piece as usize].act else { return Err(wrong) };
            match self.block_of[piece as usize] {
                NONE => self.block_of[piece as usize] = number,
                other if other == number => return Err(wrong),
                other => {
                    let shown = self.blocks[other as usize].reads.last().map(|(_, read)| self.name(*read));
                    return Err(Finding::Wrong(shown.into_iter().chain([self.name(read)]).collect()));
                }
            }
            self.blocks[number as usize].pieces.push(piece);
            at += more.parts().unwrap_or(0);
        }
        self.blocks[number as usize].parts = size;
        self.note(read, number)
    }

    fn note(&mut self, read: u32, number: u32) -> Result<(), Finding> {
        let block = &mut self.blocks[number as usize];
        block.reads.push((block.pieces.len() as u32, read));
        self.block_of[read as usize] = number;
        Ok(())
    }

    /// The block to which a reading belongs, and how many of its parts were there before anything was appended.
    fn block(&mut self, value: &V) -> Result<Option<(u32, usize)>, Finding> {
        let first = self.pieces.find(value, 0)?;
        let put = first.filter(|first| matches!(self.pieces.steps[*first as usize].act, Act::Put(_)));
        let there = self.initial.and_then(Append::parts).unwrap_or(0);
        if self.initial.is_some_and(|initial| there > 0 && value.has(0, initial)) {
            let ambiguous = Finding::Inapplicable("what was read can be read in several ways");
            return if put.is_some() { Err(ambiguous) } else { Ok(Some((0, there))) };
        }
        Ok(match put {
            Some(put) => {
                let block = self.block_of[put as usize];
                let block = if block == NONE { self.begin(put) } else { block };
                Some((block, self.pieces.value(put).and_then(Append::parts).unwrap_or(0)))
            }
            None => (there == 0).then_some((0, 0)),
        })
    }

    /// The operations of a block in their order.
    fn line(&self, block: &Block) -> Vec<u32> {
        let mut line = Vec::with_capacity(block.pieces.len() + block.reads.len());
        let mut reads = block.reads.iter().peekable();
        for count in 0..=block.pieces.len() {
            while let Some((_, read)) = reads.next_if(|(after, _)| *after as usize == count) {
                line.push(*read);
            }
            line.extend(block.pieces.get(count));
        }
        line
    }

    /// The zone of a block, if its order is possible in real time.
    fn zone(&self, number: usize, line: &[u32]) -> Result<Zone, Finding> {
        let shown_by = self.blocks[number].reads.last().map_or(zones::NOBODY, |(_, read)| self.name(*read));
        let mut zone = zones::EMPTY;
        zone.shown_by = shown_by;
        if number == 0 {
            (zone.first_return, zone.write_invoked) = (0, 0);
        }
        for (place, step) in line.iter().enumerate() {
            let step = &self.pieces.steps[*step as usize];
            let is_write = place == 0 && number > 0;
            if step.returned < Moment::MAX && zone.last_invocation > step.returned + 1 {
                // By what was read it came after one that was invoked when it had returned.
                let mut names = vec![zone.last_invoker, step.name, shown_by];
                names.sort_unstable();
                names.dedup();
                return Err(Finding::Wrong(names));
            }
            zone.add(is_write, step.invoked + 1, step.returned.saturating_add(1), step.name);
        }
        Ok(zone)
    }

    /// Puts the blocks into an order.
    fn place(&self) -> Finding {
        let lines: Vec<Vec<u32>> = self.blocks.iter().map(|block| self.line(block)).collect();
        let zones: Result<Vec<Zone>, Finding> =
            lines.iter().enumerate().map(|(number, line)| self.zone(number, line)).collect();
        match zones.map(|zones| zones::place(&zones)) {
            Ok(Ok(order)) => {
                let steps = order.iter().flat_map(|(.., number)| &lines[*number as usize]);
                Finding::Order(steps.map(|step| self.name(*step)).collect())
            }
            Ok(Err(few)) => Finding::Wrong(few),
            Err(finding) => finding,
        }
    }
}
