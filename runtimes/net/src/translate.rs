//! Handles of one process as those of another: every [`ProcessId`](isles_kernel::ProcessId) in a value is mapped on its way
//! into bytes and out of them, wherever in the value it is.
//!
//! A serializer around a serializer, and a deserializer around a deserializer, that know one thing: a newtype of the name
//! `ProcessId` holds a handle.

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};
use serde::ser::{self, Serialize, Serializer};

/// What becomes of a handle; none if it cannot be mapped.
pub(crate) type Map<'m> = dyn FnMut(u32) -> Option<u32> + 'm;

const NAME: &str = "ProcessId";

/// Something that serde passes on, with the map.
struct Through<'t, 'm, T> {
    inner: T,
    map: &'t mut Map<'m>,
    /// A number that comes next is a handle.
    handle: bool,
}

fn unknown<E: ser::Error>() -> E {
    E::custom("a process that has no handle")
}

/// `value` in the wire format at the end of `bytes`, its handles mapped.
///
/// # Errors
/// When a handle cannot be mapped.
pub(crate) fn encode<T: Serialize>(
    value: &T,
    bytes: Vec<u8>,
    map: &mut Map<'_>,
) -> Result<Vec<u8>, postcard::Error> {
    let mut serializer = postcard::Serializer { output: postcard::ser_flavors::ExtendFlavor::new(bytes) };
    value.serialize(Through { inner: &mut serializer, map, handle: false })?;
    postcard::ser_flavors::Flavor::finalize(serializer.output)
}

/// The value that all of `bytes` hold, its handles mapped.
///
/// # Errors
/// When they hold none, or more, or a handle cannot be mapped.
pub(crate) fn decode<'b, T: de::Deserialize<'b>>(
    bytes: &'b [u8],
    map: &mut Map<'_>,
) -> Result<T, postcard::Error> {
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = T::deserialize(Through { inner: &mut deserializer, map, handle: false })?;
    match deserializer.finalize()? {
        [] => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// A value to be serialized through the map.
struct Mapped<'t, 'm, 'v, T: ?Sized> {
    value: &'v T,
    map: std::cell::RefCell<&'t mut Map<'m>>,
    handle: bool,
}

impl<T: Serialize + ?Sized> Serialize for Mapped<'_, '_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map = &mut **self.map.borrow_mut();
        self.value.serialize(Through { inner: serializer, map, handle: self.handle })
    }
}

fn mapped<'t, 'm, 'v, T: ?Sized>(value: &'v T, map: &'t mut Map<'m>) -> Mapped<'t, 'm, 'v, T> {
    Mapped { value, map: std::cell::RefCell::new(map), handle: false }
}

macro_rules! scalars {
    ($($method:ident $type:ty),*) => { $(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )* };
}

macro_rules! compounds {
    ($($method:ident ( $($argument:ident : $type:ty),* ) $compound:ident),*) => { $(
        fn $method(self, $($argument: $type),*) -> Result<Self::$compound, S::Error> {
            let inner = self.inner.$method($($argument),*)?;
            Ok(Through { inner, map: self.map, handle: false })
        }
    )* };
}

impl<'t, 'm, S: Serializer> Serializer for Through<'t, 'm, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Through<'t, 'm, S::SerializeSeq>;
    type SerializeTuple = Through<'t, 'm, S::SerializeTuple>;
    type SerializeTupleStruct = Through<'t, 'm, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Through<'t, 'm, S::SerializeTupleVariant>;
    type SerializeMap = Through<'t, 'm, S::SerializeMap>;
    type SerializeStruct = Through<'t, 'm, S::SerializeStruct>;
    type SerializeStructVariant = Through<'t, 'm, S::SerializeStructVariant>;

    scalars!(serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_i128 i128, serialize_u8 u8, serialize_u16 u16, serialize_u64 u64, serialize_u128 u128,
        serialize_f32 f32, serialize_f64 f64, serialize_char char, serialize_str &str, serialize_bytes &[u8],
        serialize_unit_struct &'static str);

    compounds!(serialize_seq(len: Option<usize>) SerializeSeq, serialize_tuple(len: usize) SerializeTuple,
        serialize_tuple_struct(name: &'static str, len: usize) SerializeTupleStruct,
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            SerializeTupleVariant,
        serialize_map(len: Option<usize>) SerializeMap,
        serialize_struct(name: &'static str, len: usize) SerializeStruct,
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            SerializeStructVariant);

    fn serialize_u32(self, value: u32) -> Result<S::Ok, S::Error> {
        let value = if self.handle { (self.map)(value).ok_or_else(unknown)? } else { value };
        self.inner.serialize_u32(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&mapped(value, self.map))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Mapped { handle: name == NAME, ..mapped(value, self.map) };
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, &mapped(value, self.map))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident),*) => { $(
        impl<S: ser::$trait> ser::$trait for Through<'_, '_, S> {
            type Ok = S::Ok;
            type Error = S::Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.inner.$method(&mapped(value, self.map))
            }
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )* };
}

elements!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($trait:ident),*) => { $(
        impl<S: ser::$trait> ser::$trait for Through<'_, '_, S> {
            type Ok = S::Ok;
            type Error = S::Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), S::Error> {
                self.inner.serialize_field(key, &mapped(value, self.map))
            }
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )* };
}

fields!(SerializeStruct, SerializeStructVariant);

impl<S: ser::SerializeMap> ser::SerializeMap for Through<'_, '_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(&mapped(key, self.map))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&mapped(value, self.map))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

macro_rules! takes {
    ($($method:ident ( $($argument:ident : $type:ty),* )),*) => { $(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($argument,)* Through { inner: visitor, map: self.map, handle: self.handle })
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Through<'_, '_, D> {
    type Error = D::Error;

    takes!(deserialize_any(), deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(),
        deserialize_i64(), deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(),
        deserialize_u64(), deserialize_u128(), deserialize_f32(), deserialize_f64(), deserialize_char(),
        deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_option(),
        deserialize_unit(), deserialize_unit_struct(name: &'static str), deserialize_seq(),
        deserialize_tuple(len: usize), deserialize_tuple_struct(name: &'static str, len: usize), deserialize_map(),
        deserialize_struct(name: &'static str, fields: &'static [&'static str]),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]), deserialize_identifier(),
        deserialize_ignored_any());

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Through { inner: visitor, map: self.map, handle: name == NAME };
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visits {
    ($($method:ident $type:ty),*) => { $(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Through<'_, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(f)
    }

    visits!(visit_bool bool, visit_i8 i8, visit_i16 i16, visit_i32 i32, visit_i64 i64, visit_i128 i128, visit_u8 u8,
        visit_u16 u16, visit_u64 u64, visit_u128 u128, visit_f32 f32, visit_f64 f64, visit_char char, visit_str &str,
        visit_borrowed_str &'de str, visit_string String, visit_bytes &[u8], visit_borrowed_bytes &'de [u8],
        visit_byte_buf Vec<u8>);

    fn visit_u32<E: de::Error>(self, value: u32) -> Result<V::Value, E> {
        let value = if self.handle {
            (self.map)(value).ok_or_else(|| de::Error::custom("a process that was not introduced"))?
        } else {
            value
        };
        self.inner.visit_u32(value)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Through { inner, map: self.map, handle: false })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Through { inner, map: self.map, handle: self.handle })
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Through { inner, map: self.map, handle: false })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Through { inner, map: self.map, handle: false })
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Through { inner, map: self.map, handle: false })
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Through<'_, '_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.inner.deserialize(Through { inner, map: self.map, handle: false })
    }
}

impl<'de, A: de::SeqAccess<'de>> de::SeqAccess<'de> for Through<'_, '_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(Through { inner: seed, map: self.map, handle: false })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for Through<'_, '_, A> {
    type Error = A::Error;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_key_seed(Through { inner: seed, map: self.map, handle: false })
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(Through { inner: seed, map: self.map, handle: false })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'t, 'm, 'de, A: de::EnumAccess<'de>> de::EnumAccess<'de> for Through<'t, 'm, A> {
    type Error = A::Error;
    type Variant = Through<'t, 'm, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, Through { inner, map: self.map, handle: false }))
    }
}

impl<'de, A: de::VariantAccess<'de>> de::VariantAccess<'de> for Through<'_, '_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(Through { inner: seed, map: self.map, handle: false })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Through { inner: visitor, map: self.map, handle: false })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Through { inner: visitor, map: self.map, handle: false })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isles_kernel::ProcessId;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    struct Other(u32);

    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    enum Everything {
        Unit,
        New(ProcessId),
        Tuple(ProcessId, Other, Option<ProcessId>),
        Struct {
            map: BTreeMap<ProcessId, Vec<ProcessId>>,
            pair: (u32, ProcessId),
            text: String,
            inner: Box<Self>,
        },
    }

    fn all(of: [u32; 6]) -> Everything {
        let [a, b, c, d, e, f] = of.map(ProcessId);
        Everything::Struct {
            map: BTreeMap::from([(a, vec![b, c])]),
            pair: (7, d),
            text: "text".to_owned(),
            inner: Box::new(Everything::Tuple(e, Other(7), Some(f))),
        }
    }

    #[test]
    fn every_handle_is_mapped_and_nothing_else() {
        let plus: &mut Map<'_> = &mut |handle| Some(handle + 300);
        let bytes = encode(&all([1, 2, 3, 4, 5, 6]), Vec::new(), plus).unwrap();
        let plain: Everything = isles_kernel::codec::decode(&bytes).unwrap();
        assert_eq!(plain, all([301, 302, 303, 304, 305, 306]));
        let back: Everything = decode(&bytes, &mut |handle| handle.checked_sub(300)).unwrap();
        assert_eq!(back, all([1, 2, 3, 4, 5, 6]));
        for value in [Everything::Unit, Everything::New(ProcessId(9))] {
            let bytes = encode(&value, vec![], &mut Some).unwrap();
            assert_eq!(bytes, isles_kernel::codec::encode(&value));
            assert_eq!(decode::<Everything>(&bytes, &mut Some).unwrap(), value);
        }
    }

    #[test]
    fn a_handle_that_cannot_be_mapped_is_an_error_both_ways() {
        assert!(encode(&all([1; 6]), Vec::new(), &mut |_| None).is_err());
        let bytes = isles_kernel::codec::encode(&all([1; 6]));
        assert!(decode::<Everything>(&bytes, &mut |_| None).is_err());
        assert!(decode::<Everything>(&bytes[..bytes.len() - 1], &mut Some).is_err());
        assert!(decode::<Everything>(&[&bytes[..], &[0]].concat(), &mut Some).is_err());
    }
}
