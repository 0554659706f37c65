//! Vectors and contexts against plain sets of dots.

use std::collections::BTreeSet;

use isles_causality::{Actor, Dot, DotContext, Order, VersionVector};
use isles_kernel::codec;
use proptest::prelude::*;

fn order<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> Order {
    Order::from_inclusions(a.is_subset(b), b.is_subset(a))
}

fn dots() -> impl Strategy<Value = Vec<Dot>> {
    prop::collection::vec(
        (0..4_u64, 1..12_u64).prop_map(|(actor, counter)| Dot::new(Actor(actor), counter)),
        0..24,
    )
}

/// The events that a vector stands for.
fn history(vector: &VersionVector) -> BTreeSet<Dot> {
    vector.iter().flat_map(|dot| (1..=dot.counter).map(move |counter| Dot::new(dot.actor, counter))).collect()
}

proptest! {
    #[test]
    fn contexts_are_sets_of_dots(a in dots(), b in dots()) {
        let (x, y): (DotContext, DotContext) = (a.iter().copied().collect(), b.iter().copied().collect());
        let (s, t): (BTreeSet<Dot>, BTreeSet<Dot>) = (a.into_iter().collect(), b.into_iter().collect());
        prop_assert!(x.iter().eq(s.iter().copied()));
        prop_assert_eq!(x.count(), s.len() as u64);
        prop_assert_eq!(x.compare(&y), order(&s, &t));
        let mut joined = x.clone();
        joined.join(&y);
        prop_assert!(joined.iter().eq(s.union(&t).copied()));
        prop_assert!(x.difference(&y).iter().eq(s.difference(&t).copied()));
        // Equal sets are equal values, whatever made them.
        prop_assert_eq!(&x.difference(&y), &s.difference(&t).copied().collect());
        prop_assert_eq!(&joined, &s.union(&t).copied().collect());
        let mut rest = joined.clone();
        for dot in &s {
            prop_assert!(rest.remove(*dot) && !rest.remove(*dot));
        }
        prop_assert_eq!(rest, y.difference(&x));
        let missing: u64 = x.exceptions().map(|run| run.count()).sum();
        let newest: u64 = (0..4).map(|actor| x.newest(Actor(actor))).sum();
        prop_assert_eq!(newest - missing, x.count());
        let mut parts = DotContext::from(&x.compact());
        parts.join(&x.cloud().flat_map(|run| (run.first..=run.last).map(move |c| Dot::new(run.actor, c))).collect());
        prop_assert_eq!(&parts, &x);
        prop_assert_eq!(DotContext::decode(&x.encode()), Ok(x.clone()));
        prop_assert_eq!(codec::decode::<DotContext>(&codec::encode(&x)), Ok(x));
    }

    #[test]
    fn vectors_are_histories(a in dots(), b in dots()) {
        let (x, y): (VersionVector, VersionVector) = (a.iter().copied().collect(), b.iter().copied().collect());
        let (s, t) = (history(&x), history(&y));
        prop_assert_eq!(x.compare(&y), order(&s, &t));
        prop_assert_eq!(y.compare(&x), x.compare(&y).reverse());
        let (mut joined, mut met) = (x.clone(), x.clone());
        joined.join(&y);
        met.meet(&y);
        prop_assert_eq!(history(&joined), s.union(&t).copied().collect());
        prop_assert_eq!(history(&met), s.intersection(&t).copied().collect());
        prop_assert_eq!(DotContext::from(&x).compact(), x.clone());
        prop_assert_eq!(VersionVector::decode(&x.encode()), Ok(x.clone()));
        prop_assert_eq!(codec::decode::<VersionVector>(&codec::encode(&x)), Ok(x));
    }

    /// Whatever is read is written again byte by byte.
    #[test]
    fn bytes_have_one_meaning(bytes in prop::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..16)) {
        if let Ok(vector) = VersionVector::decode(&bytes) {
            prop_assert_eq!(vector.encode(), bytes.clone());
        }
        if let Ok(context) = DotContext::decode(&bytes) {
            prop_assert_eq!(context.encode(), bytes);
        }
    }
}

#[test]
fn a_count_that_cannot_follow_reserves_nothing() {
    let claims_a_billion = [0xff, 0xff, 0xff, 0xff, 0x03, 0, 0];
    assert!(VersionVector::decode(&claims_a_billion).is_err());
    assert!(DotContext::decode(&claims_a_billion).is_err());
}

#[test]
fn runs_that_touch_are_not_accepted_from_outside() {
    let json = |text: &str| codec::decode::<DotContext>(text.as_bytes());
    // Two runs of actor 0: 1 to 1, and 2 to 2.
    assert!(json("\u{2}\u{0}\u{1}\u{1}\u{0}\u{2}\u{2}").is_err());
    assert!(json("\u{2}\u{0}\u{1}\u{1}\u{0}\u{3}\u{3}").is_ok());
}
