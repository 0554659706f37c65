//! Bytes: numbers of seven bits a byte, and a reader that refuses what it would not have written.
//!
//! A value has one encoding. Whatever is not that encoding is refused with the place and the flaw, so that equal values have equal
//! bytes, and bytes can be hashed and compared in their place.

use std::fmt;

use crate::dot::{Actor, COUNTER_MAX};

/// No encoding is longer than this, in bytes; a decoder refuses more before it reads any of it.
pub const BYTES_MAX: usize = 16 << 20;

/// Why bytes are not a value, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// The first byte that is wrong, from 0 on.
    pub at: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// There are more than [`BYTES_MAX`].
    TooLong,
    /// They end before the value does.
    Ended,
    /// They go on after the value.
    Trailing,
    /// They mean a value that has another encoding: what is not as it should be.
    NotCanonical(&'static str),
    /// A number is greater than it can be: which.
    TooLarge(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            Flaw::TooLong => write!(f, "more than the {BYTES_MAX} bytes that an encoding may have"),
            Flaw::Ended => write!(f, "byte {}: the bytes end before the value does", self.at),
            Flaw::Trailing => write!(f, "byte {}: the bytes go on after the value", self.at),
            Flaw::NotCanonical(what) => write!(f, "byte {}: not canonical: {what}", self.at),
            Flaw::TooLarge(what) => write!(f, "byte {}: too large: {what}", self.at),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Writes `number` as groups of seven bits, the least first; all but the last have the highest bit.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bytes [`put_number`] takes for `number`: 1 to 10.
pub const fn number_bytes(number: u64) -> usize {
    ((64 - (number | 1).leading_zeros()) as usize).div_ceil(7)
}

/// Reads bytes from the front.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Invariant: at most `bytes.len()`.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`.
    ///
    /// # Errors
    /// When there are more than [`BYTES_MAX`].
    pub const fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > BYTES_MAX {
            return Err(DecodeError { at: BYTES_MAX, flaw: Flaw::TooLong });
        }
        Ok(Self { bytes, at: 0 })
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The error that `flaw` is at the last byte that was read.
    pub const fn error(&self, flaw: Flaw) -> DecodeError {
        DecodeError { at: self.at.saturating_sub(1), flaw }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        if count > self.left() {
            return Err(DecodeError { at: self.bytes.len(), flaw: Flaw::Ended });
        }
        let from = self.at;
        self.at += count;
        Ok(&self.bytes[from..self.at])
    }

    /// The next number that [`put_number`] wrote.
    ///
    /// # Errors
    /// When the bytes end, the number has more bytes than it needs, or does not fit into 64 bits.
    pub fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for group in 0..10 {
            let byte = self.bytes(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if group == 9 && byte > 1 {
                return Err(self.error(Flaw::TooLarge("a number has at most 64 bits")));
            }
            number |= bits << (7 * group);
            if byte < 0x80 {
                if bits == 0 && group > 0 {
                    return Err(self.error(Flaw::NotCanonical("a number ends with a group of zeros")));
                }
                return Ok(number);
            }
        }
        Err(self.error(Flaw::TooLarge("a number has at most 64 bits")))
    }

    /// How many things follow, each of which takes at least `bytes_min` bytes.
    ///
    /// # Errors
    /// When that many cannot follow, so that nobody reserves memory for them.
    pub fn count(&mut self, bytes_min: usize) -> Result<usize, DecodeError> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count.saturating_mul(bytes_min) <= self.left() => Ok(count),
            Ok(_) | Err(_) => Err(self.error(Flaw::TooLarge("a count of more than the bytes can hold"))),
        }
    }

    /// The next number, which says how far something is beyond `from`; what it is then, at most [`COUNTER_MAX`].
    ///
    /// # Errors
    /// As [`number`](Self::number), or when the sum is too large.
    pub fn counter_after(&mut self, from: u64) -> Result<u64, DecodeError> {
        let step = self.number()?;
        match from.checked_add(step) {
            Some(counter) if counter <= COUNTER_MAX => Ok(counter),
            Some(_) | None => Err(self.error(Flaw::TooLarge("a counter is at most 2^62"))),
        }
    }

    /// The next actor of an ascending list that is now at `previous`, as [`put_actor`] wrote it.
    ///
    /// # Errors
    /// As [`number`](Self::number), or when there is no such actor.
    pub fn actor_after(&mut self, previous: Option<Actor>) -> Result<Actor, DecodeError> {
        let step = self.number()?;
        let base = previous.map_or(Some(0), |previous| previous.0.checked_add(1));
        base.and_then(|base| base.checked_add(step))
            .map(Actor)
            .ok_or_else(|| self.error(Flaw::TooLarge("an actor has at most 64 bits")))
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub const fn end(&self) -> Result<(), DecodeError> {
        if self.left() == 0 { Ok(()) } else { Err(DecodeError { at: self.at, flaw: Flaw::Trailing }) }
    }
}

/// Writes the next actor of an ascending list: how far it is beyond the one after `previous`.
///
/// # Panics
/// When it is not beyond it.
pub fn put_actor(out: &mut Vec<u8>, previous: Option<Actor>, actor: Actor) {
    let base = previous.map_or(0, |previous| previous.0 + 1);
    put_number(out, actor.0.checked_sub(base).expect("actors ascend"));
}
