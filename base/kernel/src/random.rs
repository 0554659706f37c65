//! Random numbers addressed by identity.
//!
//! A draw is a pure function of what it is *for*: a seed and the words that name the draw, such as a
//! process, a link, a message number and a purpose. There is no generator whose state an extra draw
//! elsewhere could shift, so taking a fault out of a run, or adding an observer, changes no other draw.

/// Mixes two words into one: the folded 128-bit product of wyhash (Wang Yi, 2019).
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    let product = ((a ^ 0x9e37_79b9_7f4a_7c15) as u128).wrapping_mul((b ^ 0xe703_7ed1_a0b4_28db) as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The draw that `words` name under `seed`: 64 uniform bits.
///
/// ```
/// # use isles_kernel::random::draw;
/// assert_eq!(draw(7, &[1, 2]), draw(7, &[1, 2]));
/// assert_ne!(draw(7, &[1, 2]), draw(7, &[2, 1]));
/// ```
#[inline]
pub const fn draw(seed: u64, words: &[u64]) -> u64 {
    let mut state = mix(seed, 0xa076_1d64_78bd_642f);
    let mut index = 0;
    while index < words.len() {
        state = mix(state ^ words[index], state.rotate_left(32) ^ index as u64);
        index += 1;
    }
    mix(state, 0x8ebc_6af0_9c88_c6e3)
}

/// Scales 64 uniform bits to `0..bound`; the bias is below 2^-32.
///
/// # Panics
/// When `bound` is zero: there is nothing to choose from.
#[inline]
pub const fn below(bits: u64, bound: u32) -> u32 {
    assert!(bound > 0, "cannot choose from nothing");
    ((bits as u128 * bound as u128) >> 64) as u32
}

/// Scales 64 uniform bits to a float in `[0, 1)` with 53 bits of resolution.
#[inline]
pub const fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A sequence of draws for one purpose, when a computation needs many (making a graph, say).
#[derive(Clone, Debug)]
pub struct Stream {
    key: u64,
    count: u64,
}

impl Stream {
    /// The stream that `words` name under `seed`.
    pub const fn new(seed: u64, words: &[u64]) -> Self {
        Self { key: draw(seed, words), count: 0 }
    }

    /// The next 64 uniform bits.
    #[inline]
    pub const fn bits(&mut self) -> u64 {
        self.count += 1;
        mix(self.key ^ self.count, self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.key.rotate_left(17))
    }

    /// The next number in `0..bound`.
    ///
    /// # Panics
    /// When `bound` is zero.
    #[inline]
    pub const fn below(&mut self, bound: u32) -> u32 {
        below(self.bits(), bound)
    }

    /// The next float in `[0, 1)`.
    #[inline]
    pub const fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Puts `items` into a uniformly random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u32 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chi-squared over 16 cells, 15 degrees of freedom: 99.99 % of uniform samples stay below 44.3.
    fn chi_squared(draws: impl Iterator<Item = u64>) -> f64 {
        let mut cells = [0u32; 16];
        let mut count = 0;
        for bits in draws {
            cells[below(bits, 16) as usize] += 1;
            count += 1;
        }
        let expected = f64::from(count) / 16.0;
        cells.iter().map(|&cell| (f64::from(cell) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn neighbouring_identities_draw_independently() {
        for seed in [0, 1, 42, u64::MAX] {
            assert!(
                chi_squared((0..1 << 16).map(|word| draw(seed, &[word]))) < 44.3,
                "seed {seed}, one word"
            );
            assert!(
                chi_squared((0..1 << 16).map(|word| draw(seed, &[3, word, 9]))) < 44.3,
                "seed {seed}, three"
            );
            let mut stream = Stream::new(seed, &[5]);
            assert!(chi_squared((0..1 << 16).map(|_| stream.bits())) < 44.3, "seed {seed}, stream");
            let pairs = (0..1u64 << 16).map(|word| draw(seed, &[word]).wrapping_sub(draw(seed, &[word + 1])));
            assert!(chi_squared(pairs) < 44.3, "seed {seed}, differences");
        }
    }

    #[test]
    fn a_biased_source_fails_the_same_test() {
        assert!(chi_squared((0..1u64 << 16).map(|word| draw(1, &[word]) | 1 << 60)) > 44.3);
    }
}
