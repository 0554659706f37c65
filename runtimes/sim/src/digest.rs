//! The trace digest: 128 bits that stand for everything that happened, in order.

use std::hash::Hasher;

use isles_kernel::random::mix;

/// Folds words into 128 bits, as a [`Hasher`] so that any message can be folded in.
///
/// Integers of every width are folded as 64-bit words, so that the digest is the same on every machine. It
/// guards determinism, it is no defence against forgery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest {
    low: u64,
    high: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { low: 0x243f_6a88_85a3_08d3, high: 0x1319_8a2e_0370_7344 }
    }
}

impl Digest {
    /// The digest of everything so far.
    pub const fn value(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    #[inline]
    pub(crate) fn fold(&mut self, a: u64, b: u64) {
        self.low = mix(self.low ^ a, b);
        self.high = self.high.rotate_left(23) ^ self.low;
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.low ^ self.high
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word), chunk.len() as u64);
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }
    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.fold(value, 8);
    }
    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    // Signed widths are sign-extended, so that an enum's discriminant (an isize) folds alike everywhere.
    #[inline]
    fn write_i8(&mut self, value: i8) {
        self.write_i64(i64::from(value));
    }
    #[inline]
    fn write_i16(&mut self, value: i16) {
        self.write_i64(i64::from(value));
    }
    #[inline]
    fn write_i32(&mut self, value: i32) {
        self.write_i64(i64::from(value));
    }
    #[inline]
    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }
    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_i64(value as i64);
    }
}
