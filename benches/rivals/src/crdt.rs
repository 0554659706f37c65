//! The sets of `isles bench crdt` by the crate `crdts`: an observed-remove set without tombstones, as riak_dt's.

use crdts::{CmRDT, CvRDT, Orswot};

use crate::cpu_seconds;

const COUNT: u64 = 100_000;

/// The `index`-th of different numbers in no order.
const fn number(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn insert(set: &mut Orswot<u64, u64>, by: u64, element: u64) {
    let context = set.read_ctx().derive_add_ctx(by);
    let op = set.add(element, context);
    set.apply(op);
}

/// CPU seconds of `work`.
fn timed(work: impl FnOnce()) -> f64 {
    let begin = cpu_seconds();
    work();
    cpu_seconds() - begin
}

/// Prints one line.
pub fn run() {
    let mut set: Orswot<u64, u64> = Orswot::new();
    (0..COUNT).for_each(|index| insert(&mut set, 1, number(index)));
    let (mut ours, mut theirs) = (set.clone(), set.clone());
    (0..COUNT / 200).for_each(|index| {
        insert(&mut ours, 2, number(COUNT + index));
        insert(&mut theirs, 3, number(2 * COUNT + index));
    });
    let mut same = set.clone();
    let other = set.clone();
    let equal = timed(|| same.merge(other));
    let different = timed(|| ours.merge(theirs));
    assert_eq!(ours.read().val.len() as u64, COUNT + 2 * (COUNT / 200));
    let add = timed(|| (0..10_000).for_each(|index| insert(&mut set, 4, number(3 * COUNT + index)))) / 10_000.0;
    println!(
        "{}",
        serde_json::json!({ "rival": "crdts 7.3", "add": add, "equal": equal, "different": different })
    );
}
