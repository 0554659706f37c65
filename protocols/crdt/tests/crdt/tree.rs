//! The tree against a map of the standard library, and its shape against the order of insertion.

use std::collections::BTreeMap;

use isles_crdt::Canonical;
use isles_crdt::canonical::{decode, encode};
use isles_crdt::tree::{Rule, Tree};
use isles_kernel::random::Stream;

#[test]
fn a_tree_is_a_map() {
    for seed in 0..8 {
        let mut draws = Stream::new(seed, &[1]);
        let (mut tree, mut map) = (Tree::new(), BTreeMap::new());
        let bound = [8, 64, 4_096][seed as usize % 3];
        for step in 0..3_000u64 {
            let key = u64::from(draws.below(bound));
            if draws.below(3) > 0 {
                assert_eq!(tree.insert(key, step), map.insert(key, step));
            } else {
                assert_eq!(tree.remove(&key), map.remove(&key));
            }
            if step % 500 == 0 {
                assert!(tree.iter().eq(map.iter()));
            }
        }
        assert_eq!(tree.len(), map.len());
        for (index, (key, value)) in map.iter().enumerate() {
            assert_eq!(tree.nth(index), Some((key, value)));
            assert_eq!((tree.rank(key), tree.get(key)), (index, Some(value)));
        }
        assert_eq!(tree.nth(map.len()), None);
        for key in 0..70 {
            assert!(tree.iter_from(&key).eq(map.range(key..)));
            assert_eq!(tree.iter_from(&key).len(), map.range(key..).count());
            assert_eq!(tree.rank(&key), map.range(..key).count());
        }
        let (mut again, mut keys): (_, Vec<u64>) = (Tree::new(), map.keys().copied().collect());
        draws.shuffle(&mut keys);
        keys.iter().for_each(|key| {
            again.insert(*key, map[key]);
        });
        assert_eq!(again, tree, "equal contents have equal trees");
        assert!(again.iter().eq(tree.iter()));
        assert_eq!(decode::<Tree<u64, u64>>(&encode(&tree)), Ok(tree));
    }
}

/// Adds what both have, and drops what is odd and only on one side.
struct Sum;

impl Rule<u64, u64> for Sum {
    const KEEPS_ALL: bool = false;
    fn mine(&mut self, _: &u64, value: &u64) -> Option<u64> {
        value.is_multiple_of(2).then_some(*value)
    }
    fn theirs(&mut self, _: &u64, value: &u64) -> Option<u64> {
        value.is_multiple_of(2).then_some(*value)
    }
    fn both(&mut self, _: &u64, mine: &u64, theirs: &u64) -> Option<u64> {
        if mine == theirs { Some(*mine) } else { (mine + theirs > 3).then_some(mine + theirs) }
    }
}

#[test]
fn trees_merge_as_maps_do() {
    for seed in 0..60 {
        let mut draws = Stream::new(seed, &[2]);
        let mut map = |count: u32, bound: u32| -> BTreeMap<u64, u64> {
            (0..count).map(|_| (u64::from(draws.below(bound)), u64::from(draws.below(4)))).collect()
        };
        let (count, bound) = ([0, 3, 40, 900][seed as usize % 4], 1_000);
        let (a, mut b) = (map(count, bound), map(700, bound));
        if seed % 3 == 0 {
            b.extend(a.iter().filter(|(key, _)| *key % 50 != 0));
        }
        let tree = |map: &BTreeMap<u64, u64>| {
            let mut tree = Tree::new();
            map.iter().for_each(|(key, value)| {
                tree.insert(*key, *value);
            });
            tree
        };
        let mut expected = BTreeMap::new();
        for key in 0..u64::from(bound) {
            let value = match (a.get(&key), b.get(&key)) {
                (Some(mine), Some(theirs)) => Sum.both(&key, mine, theirs),
                (Some(mine), None) => Sum.mine(&key, mine),
                (None, Some(theirs)) => Sum.theirs(&key, theirs),
                (None, None) => None,
            };
            expected.extend(value.map(|value| (key, value)));
        }
        let merged = tree(&a).merge(&tree(&b), &mut Sum);
        assert!(merged.iter().eq(expected.iter()), "seed {seed}");
        assert_eq!(merged, tree(&expected), "seed {seed}: the shape too");
    }
}

#[test]
fn what_is_equal_is_not_looked_at() {
    struct Count(usize);
    impl Rule<u64, ()> for Count {
        const KEEPS_ALL: bool = false;
        fn mine(&mut self, _: &u64, (): &()) -> Option<()> {
            self.0 += 1;
            Some(())
        }
        fn theirs(&mut self, _: &u64, (): &()) -> Option<()> {
            self.0 += 1;
            Some(())
        }
        fn both(&mut self, _: &u64, (): &(), (): &()) -> Option<()> {
            self.0 += 1;
            Some(())
        }
    }
    let mut one = Tree::new();
    (0..20_000u64).for_each(|key| {
        one.insert(key, ());
    });
    let mut other = Tree::new();
    (0..20_000u64).rev().for_each(|key| {
        other.insert(key, ());
    });
    let mut count = Count(0);
    assert_eq!(one.merge(&other, &mut count), one);
    assert_eq!(count.0, 0);
    other.insert(1_000_000, ());
    assert_eq!(one.merge(&other, &mut count).len(), 20_001);
    assert!((1..400).contains(&count.0), "{} entries were looked at for one difference", count.0);
}

#[test]
fn other_bytes_of_the_same_tree_are_refused() {
    let read = |bytes: &[u8]| decode::<Tree<u64, u64>>(bytes).map_err(|error| error.to_string());
    assert!(read(&[2, 1, 9, 2, 9]).is_ok());
    assert!(read(&[2, 2, 9, 1, 9]).is_err_and(|why| why.contains("ascend")));
    assert!(read(&[2, 1, 9, 1, 9]).is_err_and(|why| why.contains("ascend")));
    assert!(read(&[2, 1, 9]).is_err_and(|why| why.contains("end")));
    assert!(read(&[1, 1, 9, 0]).is_err_and(|why| why.contains("after")));
    assert!(read(&[1, 0x81, 0, 9]).is_err_and(|why| why.contains("zeros")));
    assert_ne!(1u64.digest(), 2u64.digest());
}
