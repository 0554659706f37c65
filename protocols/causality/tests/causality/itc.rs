//! Interval tree clocks: flat against the paper's letter, the paper's figures, both wire forms, depth.

use isles_causality::itc::{Events, Id, Overlap, Stamp, Wire, plain};
use isles_causality::wire::Flaw;
use isles_causality::{Actor, CausalHistory, Dot, Order};
use proptest::prelude::*;

use crate::random::Random;

/// Almeida, Baquero and Fonte 2008: the run that the paper draws, stamp by stamp.
#[test]
fn the_example_run_of_the_paper() {
    let mut a = Stamp::seed();
    let mut b = a.fork();
    assert_eq!((a.to_string(), b.to_string()), ("((1,0), 0)".into(), "((0,1), 0)".into()));
    a.event();
    b.event();
    assert_eq!((a.to_string(), b.to_string()), ("((1,0), (0,1,0))".into(), "((0,1), (0,0,1))".into()));
    let mut c = a.fork();
    b.event();
    assert_eq!(a.to_string(), "(((1,0),0), (0,1,0))");
    assert_eq!(b.to_string(), "((0,1), (0,0,2))");
    a.event();
    assert_eq!(a.to_string(), "(((1,0),0), (0,(1,1,0),0))");
    b.join(c.clone()).expect("they are disjoint");
    assert_eq!(b.to_string(), "(((0,1),1), (1,0,1))");
    c = b.fork();
    assert_eq!(b.to_string(), "(((0,1),0), (1,0,1))");
    assert_eq!(c.to_string(), "((0,1), (1,0,1))");
    a.join(b).expect("they are disjoint");
    assert_eq!(a.to_string(), "((1,0), (1,(0,1,0),1))");
    a.event();
    // The owned half is filled, and all is one number again.
    assert_eq!(a.to_string(), "((1,0), 2)");
    assert_eq!(a.compare(&c), Order::After);
}

/// The same stamp in both forms: 22 bits for Java, 23 for Erlang, which writes an inner number as a leaf.
#[test]
fn the_two_wire_forms_differ_in_one_bit_for_each_inner_number() {
    let mut a = Stamp::seed();
    let mut b = a.fork();
    a.event();
    let _given = a.fork();
    a.event();
    b.event();
    assert_eq!(a.to_string(), "(((1,0),0), (0,(1,1,0),0))");
    // Identity 10 10 001, events 0 01, then 0 11 0 1, the 1 in front of the number for Erlang only, 0 01, and 1 0 01.
    let erlang = "10100010010110110011001";
    let mut bytes = vec![0_u8; 3];
    for (at, bit) in erlang.bytes().enumerate() {
        bytes[at / 8] |= (bit - b'0') << (7 - at % 8);
    }
    assert_eq!(a.encode_as(Wire::Erlang), bytes);
    assert_eq!(erlang.len(), 23);
    let identity = [(2_u8, 2), (2, 2), (0, 2), (1, 1)];
    let only_left = [(0, 1), (1, 2)];
    let one_and_only_left = [(0, 1), (3, 2), (0, 1), (1, 1), (0, 1), (1, 2)];
    let leaf_of_one = [(1, 1), (0, 1), (1, 2)];
    let fields = [&identity[..], &only_left, &one_and_only_left, &leaf_of_one].concat();
    let mut bytes = vec![0_u8; 3];
    let mut at = 0;
    for (value, width) in fields {
        for bit in 0..width {
            bytes[at / 8] |= (value >> bit & 1) << (at % 8);
            at += 1;
        }
    }
    assert_eq!(at, 22);
    assert_eq!(a.encode_as(Wire::Java), bytes);
}

/// A stamp of each kind, with what it has seen.
struct Run {
    stamps: Vec<(Stamp, plain::Stamp, CausalHistory)>,
    events: u64,
}

impl Run {
    fn new() -> Self {
        Self { stamps: vec![(Stamp::seed(), plain::Stamp::seed(), CausalHistory::new())], events: 0 }
    }

    /// One step as in the authors' own test: a third each of forks, joins and events.
    fn step(&mut self, random: &mut Random, most: usize) -> usize {
        let at = random.below(self.stamps.len());
        let other = random.below(self.stamps.len());
        match random.below(3) {
            0 if self.stamps.len() < most => {
                let (stamp, plain, history) = &mut self.stamps[at];
                let new = (stamp.fork(), plain.fork(), history.clone());
                self.stamps.push(new);
                self.stamps.len() - 1
            }
            1 if at != other => {
                let (stamp, plain, history) = self.stamps.swap_remove(at.max(other));
                let at = at.min(other);
                let mine = &mut self.stamps[at];
                mine.0.join(stamp).expect("stamps of one run are disjoint");
                mine.1 = mine.1.join(&plain, plain::Mistake::None).expect("here, too");
                mine.2.join(&history);
                at
            }
            _ => {
                let (stamp, plain, history) = &mut self.stamps[at];
                stamp.event();
                plain.event(plain::Mistake::None);
                self.events += 1;
                history.event(Dot::new(Actor(0), self.events));
                at
            }
        }
    }
}

#[test]
fn flat_trees_are_the_papers_stamp_for_stamp_and_order_is_that_of_histories() {
    let mut random = Random::new(1);
    for most in [2, 3, 4, 8, 24] {
        for _ in 0..12 {
            let mut run = Run::new();
            for _ in 0..250 {
                let changed = run.step(&mut random, most);
                let (stamp, plain, history) = &run.stamps[changed];
                assert_eq!(stamp.to_string(), plain.to_string());
                for (other, _, known) in &run.stamps {
                    assert_eq!(stamp.compare(other), history.compare(known), "{stamp} and {other}");
                    assert_eq!(stamp.events().includes(other.events()), history.includes(known));
                    assert!(std::ptr::eq(stamp, other) || stamp.id().is_disjoint(other.id()));
                }
                for wire in [Wire::Erlang, Wire::Java] {
                    assert_eq!(Stamp::decode_as(&stamp.encode_as(wire), wire).as_ref(), Ok(stamp));
                    let events = stamp.peek();
                    assert_eq!(Events::decode_as(&events.encode_as(wire), wire), Ok(events));
                }
            }
            // All parts come together, and nothing is left of those that were.
            let mut all = run.stamps.swap_remove(0).0;
            for (stamp, _, _) in run.stamps {
                all.join(stamp).expect("they are disjoint");
            }
            assert!(all.id().is_whole());
            all.event();
            assert_eq!(all.events().intervals(), 1);
        }
    }
}

#[test]
fn sending_receiving_and_syncing_are_what_they_are_made_of() {
    let mut a = Stamp::seed();
    let mut b = a.fork();
    let message = a.send();
    assert_eq!(message, *a.events());
    b.receive(&message);
    assert!(b.events().includes(&message) && !a.events().includes(b.events()));
    a.sync(&mut b).expect("they are disjoint");
    assert_eq!(a.compare(&b), Order::Equal);
    let copy = a.clone();
    assert_eq!(a.join(copy), Err(Overlap));
    assert_eq!(a.sync(&mut a.clone()), Err(Overlap));
    let mut whole = a.id().clone();
    whole.join(b.id()).expect("they are disjoint");
    assert!(whole.is_whole() && a.id().complement() == *b.id());
    assert!(Stamp::new(Id::nothing(), Events::new()).is_none());
}

/// 10^5 levels, which no recursion survives.
#[test]
fn depth_costs_no_stack() {
    let depth = 100_000;
    // Alternately left and right, so that neither side of the path is trivial: 10 01 10 01 ..., then 001 and 1 0 00.
    let mut bits: String = "1001".repeat(depth / 2);
    bits.push_str("0011000");
    let mut bytes = vec![0_u8; bits.len().div_ceil(8)];
    for (at, bit) in bits.bytes().enumerate() {
        bytes[at / 8] |= (bit - b'0') << (7 - at % 8);
    }
    let mut deep = Stamp::decode_as(&bytes, Wire::Erlang).expect("it is canonical");
    assert_eq!(deep.id().intervals(), depth + 1);
    let before = deep.clone();
    deep.event();
    assert_eq!(deep.events().intervals(), depth + 1);
    assert_eq!(before.compare(&deep), Order::Before);
    let other = deep.fork();
    assert_eq!(other.id().intervals(), depth + 2);
    deep.event();
    assert_eq!(other.compare(&deep), Order::Before);
    for wire in [Wire::Erlang, Wire::Java] {
        assert_eq!(Stamp::decode_as(&deep.encode_as(wire), wire).as_ref(), Ok(&deep));
    }
    assert!(deep.to_string().len() > depth);
    deep.join(other).expect("they are disjoint");
    assert_eq!(deep.id(), before.id());
    let rest = Stamp::new(deep.id().complement(), Events::new()).expect("it is not whole");
    deep.join(rest).expect("they are disjoint");
    deep.event();
    assert_eq!(deep.events().intervals(), 1);
}

/// The authors' programs take the sum of depth and 1000 for each split: with both beyond 1000 that prefers a split to depth.
#[test]
fn the_cost_of_growing_is_a_pair() {
    // Owned: a part 1500 levels down on the left where the tree of events is as deep already, and one half of the right half, where it
    // is not. The left one needs no split.
    let mut left = Stamp::seed();
    let right = left.fork();
    let mut given = Vec::new();
    for _ in 0..1500 {
        given.push(left.fork());
    }
    left.event();
    let deep = left.events().intervals();
    assert_eq!(deep, 1502);
    let mut right = right;
    let mut quarter = right.fork();
    std::mem::swap(&mut right, &mut quarter);
    left.join(right).expect("they are disjoint");
    left.event();
    assert_eq!(left.events().intervals(), deep, "nothing is split");
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let refused = |bits: &str| {
        let mut bytes = vec![0_u8; bits.len().div_ceil(8)];
        for (at, bit) in bits.bytes().enumerate() {
            bytes[at / 8] |= (bit - b'0') << (7 - at % 8);
        }
        Stamp::decode_as(&bytes, Wire::Erlang).expect_err(bits).flaw
    };
    assert!(matches!(refused("0001000"), Flaw::NotCanonical(what) if what.contains("owns something")));
    assert!(matches!(refused("110010011000"), Flaw::NotCanonical(what) if what.contains("both halves")));
    assert!(matches!(refused("010001000"), Flaw::NotCanonical(what) if what.contains("not owned")));
    // (0,1,1) as events: the 1 belongs to the node.
    assert!(matches!(refused("00101010011001"), Flaw::NotCanonical(what) if what.contains("siblings")));
    assert!(matches!(refused("0010101000"), Flaw::NotCanonical(what) if what.contains("not written")));
    assert!(matches!(refused("001011011000"), Flaw::NotCanonical(_)));
    assert!(matches!(refused("0011001100000000"), Flaw::Trailing));
    assert!(matches!(refused("00110011"), Flaw::NotCanonical(what) if what.contains("left over")));
    assert!(matches!(refused("10101010"), Flaw::Ended));
    assert!(matches!(refused(&format!("001{}", "1".repeat(200))), Flaw::TooLarge(_)));
    assert!(matches!(Stamp::decode(&vec![0; 1 + (1 << 20)]).expect_err("too long").flaw, Flaw::TooLong));
}

proptest! {
    #[test]
    fn stamps_have_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        for wire in [Wire::Erlang, Wire::Java] {
            if let Ok(stamp) = Stamp::decode_as(&bytes, wire) {
                prop_assert_eq!(stamp.encode_as(wire), bytes.clone());
            }
            if let Ok(events) = Events::decode_as(&bytes, wire) {
                prop_assert_eq!(events.encode_as(wire), bytes.clone());
            }
        }
    }
}

/// Museum: tests of the order on trees that are not in normal form, and a fill that looks at its sibling too early.
mod museum {
    use super::*;
    use plain::Mistake;

    /// A run whose stamps make `mistake`: how many answers differ from those of histories, and how many intervals the stamps have
    /// more than the shipped ones.
    fn run(mistake: Mistake) -> (usize, usize) {
        let mut random = Random::new(7);
        let (mut wrong, mut larger) = (0, 0);
        for _ in 0..40 {
            let mut stamps = vec![(Stamp::seed(), plain::Stamp::seed(), CausalHistory::new())];
            for step in 1..=60 {
                let at = random.below(stamps.len());
                if stamps.len() < 4 && random.below(2) == 0 {
                    let (a, b, c) = &mut stamps[at];
                    let new = (a.fork(), b.fork(), c.clone());
                    stamps.push(new);
                } else if stamps.len() > 2 && random.below(3) == 0 {
                    let (a, b, c) = stamps.swap_remove(at);
                    let mine = &mut stamps[0];
                    mine.0.join(a).expect("they are disjoint");
                    mine.1 = mine.1.join(&b, mistake).expect("they are disjoint");
                    mine.2.join(&c);
                }
                let at = random.below(stamps.len());
                let (a, b, c) = &mut stamps[at];
                a.event();
                b.event(mistake);
                c.event(Dot::new(Actor(0), step));
                for (a, b, c) in &stamps {
                    larger += usize::from(b.events.to_string().len() > a.events().to_string().len());
                    wrong += stamps
                        .iter()
                        .filter(|(_, other, known)| b.compare(other) != c.compare(known))
                        .count();
                    assert!(stamps.iter().all(|(other, _, known)| a.compare(other) == c.compare(known)));
                }
            }
        }
        (wrong, larger)
    }

    #[test]
    fn the_shipped_order_survives_and_both_mistakes_show() {
        assert_eq!(run(Mistake::None), (0, 0));
        let (wrong, _) = run(Mistake::NoNormalForm);
        assert!(wrong > 100, "{wrong}");
        let (wrong, larger) = run(Mistake::FillTooEarly);
        assert!(wrong == 0 && larger > 10, "{wrong} {larger}");
    }
}
