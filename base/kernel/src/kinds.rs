//! Which kinds of messages a type has, without having any of them.

use std::fmt;

use serde::de::value::U32Deserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};

/// The names of all kinds that values of a type can have, as [`meter::name`](crate::meter::name) gives them: in the order of
/// the variants, with a child's after a dot, to three levels. A type that is no enum has the one kind `message`; a type
/// without values has none.
///
/// ```
/// # use isles_kernel::kinds;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// enum Msg {
///     Ask(u32),
///     Answer { value: u32 },
/// }
/// assert_eq!(kinds::names::<Msg>(), ["Ask", "Answer"]);
/// assert_eq!(kinds::names::<Option<Msg>>(), ["message"]);
/// ```
pub fn names<T: DeserializeOwned>() -> Vec<String> {
    let mut names = Vec::new();
    descend::<T>(&mut Vec::new(), "", &mut names);
    if names.is_empty() && !is_empty::<T>() {
        names.push("message".to_owned());
    }
    names
}

/// As deep as kinds go.
const LEVELS_MAX: usize = 3;

/// Adds the names below a path of variants.
fn descend<T: DeserializeOwned>(path: &mut Vec<u32>, above: &str, names: &mut Vec<String>) {
    let Some(variants) = look::<T>(path) else {
        if !path.is_empty() {
            names.push(above.to_owned());
        }
        return;
    };
    for (index, variant) in (0..).zip(variants) {
        let name = if above.is_empty() { (*variant).to_owned() } else { format!("{above}.{variant}") };
        if path.len() + 1 == LEVELS_MAX {
            names.push(name);
            continue;
        }
        path.push(index);
        descend::<T>(path, &name, names);
        path.pop();
    }
}

/// The variants at the end of a path; none where there is no enum.
fn look<T: DeserializeOwned>(path: &[u32]) -> Option<&'static [&'static str]> {
    match T::deserialize(Looker { path }) {
        Err(Seen::Variants(variants)) => Some(variants),
        Err(Seen::Other) | Ok(_) => None,
    }
}

fn is_empty<T: DeserializeOwned>() -> bool {
    matches!(T::deserialize(Looker { path: &[] }), Err(Seen::Variants([])))
}

/// Goes down a path of variants, and fails with what is there.
#[derive(Clone, Copy)]
struct Looker<'a> {
    path: &'a [u32],
}

/// What was seen.
#[derive(Debug)]
enum Seen {
    Variants(&'static [&'static str]),
    Other,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing is read: only its shape is looked at")
    }
}

impl std::error::Error for Seen {}

impl de::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

impl<'de> de::Deserializer<'de> for Looker<'_> {
    type Error = Seen;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Seen> {
        Err(Seen::Other)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Seen> {
        if self.path.is_empty() { Err(Seen::Variants(variants)) } else { visitor.visit_enum(self) }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Looker<'_> {
    type Error = Seen;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Seen> {
        let (variant, rest) = self.path.split_first().ok_or(Seen::Other)?;
        let index: U32Deserializer<Seen> = variant.into_deserializer();
        Ok((seed.deserialize(index)?, Self { path: rest }))
    }
}

impl<'de> VariantAccess<'de> for Looker<'_> {
    type Error = Seen;

    fn unit_variant(self) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Seen> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Seen> {
        Err(Seen::Other)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Seen> {
        Err(Seen::Other)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{Never, meter};

    #[derive(Serialize, Deserialize)]
    enum Outer {
        Left(Inner),
        Right { inner: Inner },
        Both(Inner, Inner),
        Neither,
        Deep(Option<Inner>),
    }

    #[derive(Serialize, Deserialize)]
    enum Inner {
        Data(u32),
        End,
    }

    #[test]
    fn names_are_those_that_the_meter_gives() {
        let values = [
            Outer::Left(Inner::Data(1)),
            Outer::Left(Inner::End),
            Outer::Right { inner: Inner::End },
            Outer::Both(Inner::End, Inner::End),
            Outer::Neither,
        ];
        let given: Vec<String> = values.iter().map(meter::name).collect();
        assert_eq!(names::<Outer>()[..5], given);
        assert_eq!(names::<u32>(), ["message"]);
        assert_eq!(names::<()>(), ["message"]);
        assert!(names::<Never>().is_empty());
    }
}
