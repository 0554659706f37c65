//! Hashes of content: the same on every machine, whatever order things were met in.

use std::hash::{Hash, Hasher};

use isles_kernel::random::mix;

/// 64 bits that stand for `value`; `domain` keeps values of different kinds apart.
pub(crate) fn digest<T: Hash + ?Sized>(domain: u64, value: &T) -> u64 {
    let mut mixer = Mixer(mix(domain, 0x6578_706c_6f72_6521));
    value.hash(&mut mixer);
    mixer.finish()
}

/// Folds words into one with the kernel's mixing function. Sums of such digests serve as fingerprints of sets, so each
/// bit must depend on every bit of the content.
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        mix(self.0, 0x2545_f491_4f6c_dd1d)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0 ^ value, self.0.rotate_left(29));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_tell_kinds_and_contents_apart() {
        assert_eq!(digest(1, "ab"), digest(1, &*String::from("ab")));
        assert_ne!(digest(1, "ab"), digest(2, "ab"));
        assert_ne!(digest(1, &("ab", "c")), digest(1, &("a", "bc")));
        let mut all: Vec<u64> = (0..100_000u32).map(|n| digest(0, &n)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 100_000);
    }
}
