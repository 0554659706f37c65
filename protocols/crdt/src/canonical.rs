//! Values as canonical bytes, and their digests.
//!
//! A value has one encoding, and decoders refuse every other: equal values have equal bytes and equal digests, whatever way they
//! came about. Numbers and errors are those of [`isles_causality::wire`].

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use isles_causality::hybrid::Timestamp;
use isles_causality::wire::{DecodeError, Flaw, Reader, put_number};
use isles_causality::{Actor, Dot, DotContext, VersionVector};
use isles_kernel::random::mix;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value with one encoding.
///
/// Implement it for your own types to put them into sets, maps and lists: write the parts one after the other, and read them in the
/// same order. What `read` accepts, `write` must give back to the byte; the crate's fuzz targets show how to test that.
///
/// ```
/// use isles_causality::wire::{DecodeError, Reader};
/// use isles_crdt::canonical::{Canonical, decode, encode};
/// #[derive(PartialEq, Debug)]
/// struct Item { name: String, price: u64 }
/// impl Canonical for Item {
///     fn write(&self, out: &mut Vec<u8>) {
///         self.name.write(out);
///         self.price.write(out);
///     }
///     fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
///         Ok(Self { name: String::read(reader)?, price: u64::read(reader)? })
///     }
/// }
/// let tea = Item { name: "tea".into(), price: 300 };
/// assert_eq!(decode(&encode(&tea)), Ok(tea));
/// ```
pub trait Canonical: Sized {
    /// Appends its encoding.
    fn write(&self, out: &mut Vec<u8>);

    /// The next value of a reader.
    ///
    /// # Errors
    /// When the bytes do not begin with an encoding.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends its encoding in an ascending list, after `previous`. Shorter than [`write`](Self::write) where neighbours have much
    /// in common.
    fn write_after(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        let _ = previous;
        self.write(out);
    }

    /// The next value of a reader in an ascending list, after `previous`. That it is greater is checked by the caller.
    ///
    /// # Errors
    /// When the bytes do not begin with an encoding.
    fn read_after(previous: Option<&Self>, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let _ = previous;
        Self::read(reader)
    }

    /// The digest of the value: equal for equal values, and different for others but for an accident of one in 2^128.
    fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(64);
        self.write(&mut bytes);
        Digest::of(&bytes)
    }
}

/// What can be an element, key or value of a replicated type. Implemented for every type that qualifies.
pub trait Element: Canonical + Clone + Ord + Hash + fmt::Debug + Send + Sync + 'static {}
impl<T: Canonical + Clone + Ord + Hash + fmt::Debug + Send + Sync + 'static> Element for T {}

/// The encoding of `value`.
pub fn encode<T: Canonical>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

/// The value that `bytes` are.
///
/// # Errors
/// When they are not exactly what [`encode`] gives for some value, or more than
/// [`BYTES_MAX`](isles_causality::wire::BYTES_MAX).
pub fn decode<T: Canonical>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// 128 bits that stand for a value. Digests of parts add up to that of a whole, in any order, so that the whole need not be looked
/// at when a part changes.
///
/// They tell different values apart by chance, not against malice: whoever chooses elements on purpose can find two sets with the
/// same digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Digest(u128);

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let (mut low, mut high) = (bytes.len() as u64, 0x51_7c_c1_b7_27_22_0a_95);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (low, high) = Self::step(low, high, u64::from_le_bytes(word));
        }
        Self::end(low, high)
    }

    /// The digest of a few numbers.
    pub fn of_numbers<const COUNT: usize>(numbers: [u64; COUNT]) -> Self {
        let (mut low, mut high) = (!(COUNT as u64), 0x51_7c_c1_b7_27_22_0a_95);
        for number in numbers {
            (low, high) = Self::step(low, high, number);
        }
        Self::end(low, high)
    }

    const fn step(low: u64, high: u64, word: u64) -> (u64, u64) {
        (mix(low ^ word, 0x2545_f491_4f6c_dd1d), mix(high ^ word.rotate_left(32), low))
    }

    fn end(low: u64, high: u64) -> Self {
        let (low, high) = (mix(low, high), mix(high, low.rotate_left(17)));
        Self(u128::from(low) << 64 | u128::from(high))
    }

    /// The digest of both, in any order.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// The digest of what is left when `other` goes.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// The digest of this and then that.
    #[must_use]
    pub fn then(self, that: Self) -> Self {
        Self::of_numbers([self.0 as u64, (self.0 >> 64) as u64, that.0 as u64, (that.0 >> 64) as u64])
    }

    /// Its lower half.
    pub(crate) const fn bits(self) -> u64 {
        self.0 as u64
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Canonical for Digest {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u128::from_be_bytes(reader.bytes(16)?.try_into().expect("these are 16 bytes"))))
    }
}

impl Canonical for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }

    fn digest(&self) -> Digest {
        Digest(1)
    }
}

impl Canonical for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, *self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.number()
    }

    fn digest(&self) -> Digest {
        Digest::of_numbers([*self])
    }
}

impl Canonical for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, u64::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = reader.number()?;
        Self::try_from(number).map_err(|_| reader.error(Flaw::TooLarge("a number of at most 32 bits")))
    }

    fn digest(&self) -> Digest {
        Digest::of_numbers([u64::from(*self)])
    }
}

impl Canonical for u8 {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(reader.bytes(1)?[0])
    }
}

/// Small numbers of both signs take few bytes: 0, -1, 1, -2 are written as 0, 1, 2, 3.
impl Canonical for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, (*self << 1 ^ *self >> 63) as u64);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = reader.number()?;
        Ok((number >> 1) as Self ^ -((number & 1) as Self))
    }
}

impl Canonical for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.bytes(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(reader.error(Flaw::NotCanonical("a truth value is 0 or 1"))),
        }
    }
}

impl Canonical for char {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, u64::from(u32::from(*self)));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = u32::read(reader)?;
        Self::from_u32(number).ok_or_else(|| reader.error(Flaw::NotCanonical("no character has this number")))
    }
}

impl Canonical for String {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(1)?;
        let text = std::str::from_utf8(reader.bytes(count)?).map(Self::from);
        text.map_err(|_| reader.error(Flaw::NotCanonical("a text is UTF-8")))
    }

    fn digest(&self) -> Digest {
        Digest::of(self.as_bytes())
    }
}

impl Canonical for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.len() as u64);
        out.extend_from_slice(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(1)?;
        Ok(reader.bytes(count)?.to_vec())
    }

    fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if bool::read(reader)? { Ok(Some(T::read(reader)?)) } else { Ok(None) }
    }
}

impl<A: Canonical, B: Canonical> Canonical for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(reader)?, B::read(reader)?))
    }

    fn digest(&self) -> Digest {
        self.0.digest().then(self.1.digest())
    }
}

impl Canonical for Actor {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(reader.number()?))
    }
}

impl Canonical for Dot {
    fn write(&self, out: &mut Vec<u8>) {
        self.actor.write(out);
        put_number(out, self.counter - 1);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(Actor::read(reader)?, reader.counter_after(1)?))
    }

    fn digest(&self) -> Digest {
        Digest::of_numbers([self.actor.0, self.counter])
    }
}

impl Canonical for VersionVector {
    fn write(&self, out: &mut Vec<u8>) {
        self.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::read(reader)
    }
}

impl Canonical for DotContext {
    fn write(&self, out: &mut Vec<u8>) {
        self.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::read(reader)
    }
}

/// Wall clocks that come from outside show at most so many nanoseconds, so that later ones can still be counted: 146 years.
const WALL_MAX: u64 = 1 << 62;

impl Canonical for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.wall);
        put_number(out, u64::from(self.logical));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wall = reader.number()?;
        if wall > WALL_MAX {
            return Err(reader.error(Flaw::TooLarge("a wall clock shows at most 2^62 ns")));
        }
        Ok(Self { wall, logical: u32::read(reader)? })
    }
}

/// A value as protocols send and keep it: shared, and as its canonical bytes on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Wire<T>(pub Arc<T>);

impl<T> From<T> for Wire<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: Canonical> Hash for Wire<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest().hash(state);
    }
}

impl<T: Canonical> Serialize for Wire<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&encode(&*self.0))
    }
}

impl<'de, T: Canonical> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes<T>(std::marker::PhantomData<T>);
        impl<'de, T: Canonical> Visitor<'de> for Bytes<T> {
            type Value = Wire<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the canonical bytes of a value")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Wire<T>, E> {
                decode::<T>(bytes).map(|value| Wire(Arc::new(value))).map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Wire<T>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                decode::<T>(&bytes).map(|value| Wire(Arc::new(value))).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_bytes(Bytes(std::marker::PhantomData))
    }
}
