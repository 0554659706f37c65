//! How long a message is on the wire, and of which kind, without encoding it.

use std::fmt;

use serde::{Serialize, ser};

/// The kind of a message: its enum variant, and for a composed protocol the child's variant within.
///
/// A message that is no enum has the kind [`Kind::PLAIN`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(u16);

impl Kind {
    /// The kind of every message that is not an enum.
    pub const PLAIN: Self = Self(0);

    /// Kinds are numbered from zero to below this, so that counters are a plain table.
    pub const COUNT: usize = 1 << (3 * Self::BITS);

    /// Bits of one level of the path; a variant past the last shares the last one's number.
    const BITS: u32 = 4;

    /// The kind as an index into a table of [`Kind::COUNT`] rows.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    #[inline]
    const fn then(self, level: u32, variant: u32) -> Self {
        let most = (1 << Self::BITS) - 1;
        let number = if variant + 1 < most { variant + 1 } else { most };
        Self(self.0 | (number << (level * Self::BITS)) as u16)
    }
}

/// Length and kind of `message`: the bytes that [`encode`](crate::codec::encode) would write, counted.
///
/// ```
/// # use isles_kernel::{codec, meter};
/// let message = Some((300u32, "hello"));
/// assert_eq!(meter::measure(&message).1 as usize, codec::encode(&message).len());
/// ```
///
/// # Panics
/// When a `Serialize` implementation of the message fails by itself, which derived ones never do.
#[inline]
pub fn measure<T: Serialize>(message: &T) -> (Kind, u32) {
    let mut meter = Meter { bytes: 0, kind: Kind::PLAIN, level: 0 };
    message.serialize(&mut meter).expect("derived Serialize into a counter cannot fail");
    (meter.kind, meter.bytes)
}

/// The name of `message`'s kind: its variant, in the spelling of the type, with a child's after a dot.
pub fn name<T: Serialize>(message: &T) -> String {
    let mut namer = Namer { path: Vec::new() };
    // The namer stops at the first thing that is no variant; that is how it ends, not a failure.
    let _ = message.serialize(&mut namer);
    if namer.path.is_empty() { "message".to_owned() } else { namer.path.join(".") }
}

/// Bytes of `value` as postcard's varint.
#[inline]
const fn varint(value: u64) -> u32 {
    (70 - (value | 1).leading_zeros()) / 7
}

#[inline]
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

struct Meter {
    bytes: u32,
    kind: Kind,
    /// How many variants deep we are; past 3 the path is complete.
    level: u32,
}

impl Meter {
    #[inline]
    fn variant(&mut self, index: u32) {
        self.bytes += varint(u64::from(index));
        if self.level < 3 {
            self.kind = self.kind.then(self.level, index);
        }
    }

    /// Whatever follows is a field, so that enums inside it are not kinds.
    #[inline]
    fn field(&mut self) {
        self.level = 3;
    }
}

/// A measurement never fails by itself.
#[derive(Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value refused to be serialized")
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The scalar methods of a serializer that counts: type, and its bytes on the wire.
macro_rules! count {
    ($($method:ident($value:ident: $type:ty) = $bytes:expr;)*) => {
        $(#[inline]
        fn $method(self, $value: $type) -> Result<(), Refused> {
            self.field();
            self.bytes += $bytes;
            Ok(())
        })*
    };
}

impl ser::Serializer for &mut Meter {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    count! {
        serialize_bool(_value: bool) = 1;
        serialize_i8(_value: i8) = 1;
        serialize_i16(value: i16) = varint(zigzag(i64::from(value)));
        serialize_i32(value: i32) = varint(zigzag(i64::from(value)));
        serialize_i64(value: i64) = varint(zigzag(value));
        serialize_i128(value: i128) = {
            let zigzag = ((value << 1) ^ (value >> 127)) as u128;
            (134 - (zigzag | 1).leading_zeros()) / 7
        };
        serialize_u8(_value: u8) = 1;
        serialize_u16(value: u16) = varint(u64::from(value));
        serialize_u32(value: u32) = varint(u64::from(value));
        serialize_u64(value: u64) = varint(value);
        serialize_u128(value: u128) = (134 - (value | 1).leading_zeros()) / 7;
        serialize_f32(_value: f32) = 4;
        serialize_f64(_value: f64) = 8;
        serialize_char(value: char) = 1 + value.len_utf8() as u32;
        serialize_str(value: &str) = varint(value.len() as u64) + value.len() as u32;
        serialize_bytes(value: &[u8]) = varint(value.len() as u64) + value.len() as u32;
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.field();
        self.bytes += 1;
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.field();
        self.bytes += 1;
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Refused> {
        self.variant(index);
        self.field();
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.variant(index);
        self.level += 1;
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Refused> {
        self.field();
        self.bytes += varint(len.ok_or(Refused)? as u64);
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, Refused> {
        self.field();
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.field();
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Refused> {
        self.variant(index);
        self.field();
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Refused> {
        self.serialize_seq(len)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.field();
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Refused> {
        self.variant(index);
        self.field();
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// A compound counts each of its parts.
macro_rules! parts {
    ($($compound:ident: $method:ident($($name:ident)?);)*) => {
        $(impl ser::$compound for &mut Meter {
            type Ok = ();
            type Error = Refused;
            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Refused> {
                value.serialize(&mut **self)
            }
            #[inline]
            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(_name);
    SerializeStructVariant: serialize_field(_name);
}

impl ser::SerializeMap for &mut Meter {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

struct Namer {
    path: Vec<&'static str>,
}

/// Every scalar and compound ends the path.
macro_rules! stop {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$result, Refused> {
            Err(Refused)
        })*
    };
}

type Compound = ser::Impossible<(), Refused>;

impl ser::Serializer for &mut Namer {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Compound;
    type SerializeTuple = Compound;
    type SerializeTupleStruct = Compound;
    type SerializeTupleVariant = Compound;
    type SerializeMap = Compound;
    type SerializeStruct = Compound;
    type SerializeStructVariant = Compound;

    stop! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Compound;
        serialize_tuple(usize) -> Compound;
        serialize_tuple_struct(&'static str, usize) -> Compound;
        serialize_map(Option<usize>) -> Compound;
        serialize_struct(&'static str, usize) -> Compound;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Refused> {
        Err(Refused)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), Refused> {
        self.path.push(name);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.path.push(name);
        value.serialize(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Compound, Refused> {
        self.path.push(name);
        Err(Refused)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Compound, Refused> {
        self.path.push(name);
        Err(Refused)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::codec::{decode, encode};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Inner {
        Ping,
        Data { id: u64, text: String },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Outer {
        Left(Inner),
        Right(u16, Vec<i32>),
        Map(BTreeMap<u8, Option<char>>),
        Wide(u128, i128, f64, Box<[u8]>, (bool, i8)),
    }

    fn outer() -> impl Strategy<Value = Outer> {
        prop_oneof![
            Just(Outer::Left(Inner::Ping)),
            any::<(u64, String)>().prop_map(|(id, text)| Outer::Left(Inner::Data { id, text })),
            any::<(u16, Vec<i32>)>().prop_map(|(a, b)| Outer::Right(a, b)),
            any::<BTreeMap<u8, Option<char>>>().prop_map(Outer::Map),
            any::<(u128, i128, f64, Vec<u8>, (bool, i8))>().prop_map(|(a, b, c, d, e)| Outer::Wide(
                a,
                b,
                c,
                d.into(),
                e
            )),
        ]
    }

    proptest! {
        #[test]
        fn the_measured_length_is_the_encoded_length(value in outer()) {
            let bytes = encode(&value);
            prop_assert_eq!(measure(&value).1 as usize, bytes.len());
        }

        #[test]
        fn decoding_is_total_and_inverse(value in outer(), noise in any::<Vec<u8>>()) {
            let mut bytes = encode(&value);
            if let Ok(back) = decode::<Outer>(&bytes) {
                prop_assert_eq!(encode(&back), bytes.clone());
            } else {
                prop_assert!(false, "own bytes refused");
            }
            bytes.push(0);
            prop_assert!(decode::<Outer>(&bytes).is_err());
            let _ = decode::<Outer>(&noise);
        }
    }

    #[test]
    fn kinds_are_paths_of_variants() {
        let ping = Outer::Left(Inner::Ping);
        let data = Outer::Left(Inner::Data { id: 1, text: String::new() });
        let right = Outer::Right(1, vec![]);
        assert_eq!(name(&ping), "Left.Ping");
        assert_eq!(name(&data), "Left.Data");
        assert_eq!(name(&right), "Right");
        assert_eq!(name(&7u8), "message");
        assert_eq!(measure(&7u8).0, Kind::PLAIN);
        let mut kinds = [ping, data, right].map(|message| measure(&message).0);
        kinds.sort_unstable();
        assert!(kinds[0] < kinds[1] && kinds[1] < kinds[2]);
        // A field that is an enum does not split its message's kind.
        assert_eq!(
            measure(&Outer::Map([(1, None)].into())).0,
            measure(&Outer::Map([(1, Some('x'))].into())).0
        );
    }
}
