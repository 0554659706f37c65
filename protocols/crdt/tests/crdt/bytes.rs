//! Bytes of all types, changed at random: refused, or read as what has these bytes; and no harm comes of it.

use isles_causality::Actor;
use isles_crdt::canonical::encode;
use isles_crdt::executions::is_read;
use isles_crdt::set::Op;
use isles_crdt::{
    AddWinsGraph, AddWinsSet, BoundedCounter, Causal, GrowOnlyCounter, GrowOnlySet, List, LwwRegister, Map,
    MultiValueRegister, PnCounter, RemoveWinsSet, Replicated, ResettableCounter, Tally, TombstoneSet,
    TwoPhaseSet, bounded_counter, graph, list, map, register, resettable_counter, tally,
};
use isles_kernel::random::Stream;

fn check<R: Replicated<Op: Clone>>(ops: &[R::Op]) {
    let mut draws = Stream::new(ops.len() as u64, &[5]);
    let mut samples = vec![vec![0], vec![1], vec![0, 0]];
    let (mut one, mut other) = (R::default(), R::default());
    for (number, op) in ops.iter().cycle().take(8).enumerate() {
        let replica = if number % 3 == 0 { &mut one } else { &mut other };
        let by = Actor(number as u64 % 3);
        samples.extend(replica.prepare(by, op.clone()).map(|effect| encode(&effect)));
        samples.extend(replica.act(by, op.clone()).map(|delta| encode(&delta)));
        samples.push(encode(replica));
        one.join(&other.clone());
    }
    assert!(samples[3..].iter().all(|bytes| is_read::<R>(bytes)));
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..4_000 {
        let mut bytes = samples[draws.below(samples.len() as u32) as usize].clone();
        for _ in 0..=draws.below(3) {
            let at = draws.below(bytes.len() as u32 + 1) as usize;
            match (draws.below(3), at < bytes.len()) {
                (0, true) => bytes[at] = draws.bits() as u8 >> draws.below(8),
                (1, true) => {
                    bytes.remove(at);
                }
                _ => bytes.insert(at, draws.bits() as u8 >> draws.below(8)),
            }
        }
        if is_read::<R>(&bytes) { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}

#[test]
fn other_bytes_are_refused_or_do_no_harm() {
    let sets = [Op::Insert(1), Op::Insert(300), Op::Remove(1)];
    check::<GrowOnlyCounter>(&[1, 300]);
    check::<PnCounter>(&[1, -300]);
    let bounded =
        [bounded_counter::Op::Increment(5), bounded_counter::Op::Transfer { to: Actor(1), amount: 1 }];
    check::<BoundedCounter>(&bounded);
    check::<ResettableCounter>(&[resettable_counter::Op::Add(5), resettable_counter::Op::Reset]);
    check::<Causal<Tally>>(&[tally::Op::Add(5), tally::Op::Add(-1), tally::Op::Reset]);
    check::<LwwRegister<u64>>(&[register::Set { now: 5, value: 1 }, register::Set { now: 300, value: 2 }]);
    check::<Causal<MultiValueRegister<u64>>>(&[
        register::Op::Set(1),
        register::Op::Set(300),
        register::Op::Clear,
    ]);
    check::<GrowOnlySet<u64>>(&[1, 300]);
    check::<TwoPhaseSet<u64>>(&sets);
    check::<TombstoneSet<u64>>(&sets);
    check::<Causal<AddWinsSet<u64>>>(&sets);
    check::<Causal<RemoveWinsSet<u64>>>(&sets);
    let maps = [
        map::Op::Update(1, map::Op::Update(2, Op::Insert(3))),
        map::Op::Update(1, map::Op::Remove(2)),
        map::Op::Remove(1),
    ];
    check::<Causal<Map<u64, Map<u64, AddWinsSet<u64>>>>>(&maps);
    use graph::Op::{AddEdge, AddVertex, RemoveVertex};
    check::<Causal<AddWinsGraph<u64>>>(&[AddVertex(1), AddVertex(2), AddEdge(1, 2), RemoveVertex(1)]);
    let lists = [
        list::Op::Insert { index: 0, values: vec!['a', 'b'] },
        list::Op::Insert { index: 1, values: vec!['c'] },
        list::Op::Remove { index: 0, count: 1 },
    ];
    check::<Causal<List<char>>>(&lists);
}
