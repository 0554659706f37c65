//! MUS-07: a merge that takes the side which knows more.

use isles_causality::Actor;
use isles_crdt::causal::Mistake;
use isles_crdt::{AddWinsSet, Causal};

type Set = Causal<AddWinsSet<u64>>;

/// The report of riak_dt 78: one replica has removed what another has copied, and then they merge.
fn after(merge: impl Fn(&mut Set, &Set)) -> Vec<u64> {
    let (milk, tea, bread) = (1, 2, 3);
    let mut one = Set::default();
    one.insert(Actor(1), milk);
    one.insert(Actor(1), tea);
    let mut other = Set::default();
    other.insert(Actor(2), bread);
    merge(&mut other, &one);
    one.remove(Actor(1), &tea);
    merge(&mut one, &other);
    one.iter().copied().collect()
}

#[test]
fn mus_07_an_element_that_was_removed_comes_back() {
    assert_eq!(after(|mine, theirs| mine.join_mistaken(theirs, Mistake::TakesIncluding)), [1, 2, 3]);
    assert_eq!(after(Set::join), [1, 3]);
}

#[test]
fn mus_07_a_strict_comparison_would_not_have_been_enough() {
    assert_eq!(after(|mine, theirs| mine.join_mistaken(theirs, Mistake::TakesStrictlyIncluding)), [1, 2, 3]);
    // Equal contexts, one of which has removed: here strictness helps.
    let merged = |mistake| {
        let mut one = Set::default();
        one.insert(Actor(1), 1);
        let mut other = one.clone();
        other.remove(Actor(2), &1);
        one.join_mistaken(&other, mistake);
        one.len()
    };
    assert_eq!(merged(Mistake::TakesIncluding), 1);
    assert_eq!(merged(Mistake::TakesStrictlyIncluding), 0);
}
