//! Laws, strong convergence, the three forms and the specification of every type.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::rc::Rc;

use isles_causality::wire::{DecodeError, Reader};
use isles_causality::{Actor, DotContext};
use isles_crdt::bounded_counter::Op as BoundedOp;
use isles_crdt::executions::{Event, explore, random};
use isles_crdt::resettable_counter::Op as ResettableOp;
use isles_crdt::specifications as specs;
use isles_crdt::{
    AddWinsGraph, AddWinsSet, BoundedCounter, Canonical, Causal, DisableWinsFlag, EnableWinsFlag,
    GrowOnlyCounter, GrowOnlySet, LwwRegister, Map, MultiValueRegister, PnCounter, RemoveWinsSet, Replicated,
    ResettableCounter, Tally, TombstoneSet, TwoPhaseSet, flag, graph, map, register, set, tally,
};

/// Explores a type and compares what it shows with its specification: all executions of 4 operations by 2 replicas and of 3 by 3, one
/// fewer where there are many operations to choose from, and random ones of 30 by 4.
fn check<R, V>(
    offer: impl Fn(usize) -> Vec<R::Op> + Copy,
    view: impl Fn(&R) -> V,
    spec: impl Fn(&[Rc<Event<R>>], u32) -> V,
) where
    R: Replicated<Op: Clone + Debug>,
    V: PartialEq + Debug,
{
    let mut judge = |events: &[Rc<Event<R>>], known: u32, state: &R| {
        let (is, should) = (view(state), spec(events, known));
        if is == should { Ok(()) } else { Err(format!("{is:?} instead of {should:?}")) }
    };
    let sizes = if offer(0).len() > 3 { [(2, 3), (3, 2)] } else { [(2, 4), (3, 3)] };
    for (replicas, operations) in sizes {
        let worlds = explore(replicas, operations, offer, &mut judge).unwrap_or_else(|why| panic!("{why}"));
        assert!(worlds > 100, "only {worlds} worlds");
    }
    for seed in 0..40 {
        random(seed, (4, 30), offer, &mut judge).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn a_grow_only_counter_is_the_sum_of_what_was_added() {
    check::<GrowOnlyCounter, _>(|_| vec![1, 5], |state| state.value() as i128, specs::grown);
}

#[test]
fn a_counter_is_the_sum_of_what_was_added_and_taken() {
    check::<PnCounter, _>(|_| vec![3, -1], PnCounter::value, specs::sum);
}

#[test]
fn a_bounded_counter_is_a_sum_and_never_negative() {
    let offer = |_| {
        vec![
            BoundedOp::Increment(2),
            BoundedOp::Decrement(1),
            BoundedOp::Transfer { to: Actor(2), amount: 1 },
        ]
    };
    let spec = |events: &[Rc<Event<BoundedCounter>>], known| {
        let value = specs::bounded(events, known);
        assert!(value >= 0, "{value}");
        value
    };
    check::<BoundedCounter, _>(offer, BoundedCounter::value, spec);
}

#[test]
fn a_reset_takes_back_what_it_has_seen_and_nothing_else() {
    let offer = |_| vec![ResettableOp::Add(3), ResettableOp::Add(-1), ResettableOp::Reset];
    check::<ResettableCounter, _>(offer, ResettableCounter::value, specs::resettable);
}

#[test]
fn a_tally_is_the_sum_of_what_no_reset_has_seen() {
    let offer = |_| vec![tally::Op::Add(3), tally::Op::Add(-1), tally::Op::Reset];
    check::<Causal<Tally>, _>(offer, |state| state.value(), specs::tallied);
}

#[test]
fn the_last_writer_wins_and_has_seen_what_it_overwrites() {
    // The second wall clock lags, the third stands still.
    let offer = |number: usize| {
        let set = |now, value| register::Set { now, value };
        vec![set(100 + number as u64, number as u64), set(number as u64, 100 + number as u64), set(100, 7)]
    };
    check::<LwwRegister<u64>, _>(offer, |state| state.get().copied(), specs::last_written);
}

#[test]
fn a_multi_value_register_keeps_what_nobody_replaced() {
    let offer = |number: usize| vec![register::Op::Set(number as u64), register::Op::Clear];
    let view = |state: &Causal<MultiValueRegister<u64>>| state.values().copied().collect::<BTreeSet<_>>();
    check::<Causal<MultiValueRegister<u64>>, _>(offer, view, specs::written);
}

#[test]
fn a_grow_only_set_is_all_that_was_added() {
    check::<GrowOnlySet<u64>, _>(|_| vec![1, 2], |state| state.iter().copied().collect(), specs::added);
}

const SET: fn(usize) -> Vec<set::Op<u64>> =
    |_| vec![set::Op::Insert(1), set::Op::Remove(1), set::Op::Insert(2)];

#[test]
fn a_two_phase_set_is_all_that_was_added_and_never_removed() {
    check::<TwoPhaseSet<u64>, _>(SET, |state| state.iter().copied().collect(), specs::two_phase);
}

#[test]
fn both_add_wins_sets_are_as_specified() {
    check::<TombstoneSet<u64>, _>(SET, |state| state.iter().copied().collect(), specs::add_wins);
    let view = |state: &Causal<AddWinsSet<u64>>| state.iter().copied().collect::<BTreeSet<_>>();
    check::<Causal<AddWinsSet<u64>>, _>(SET, view, specs::add_wins);
}

#[test]
fn a_remove_wins_set_is_as_specified_and_no_add_wins_set() {
    let view = |state: &Causal<RemoveWinsSet<u64>>| state.iter().copied().collect::<BTreeSet<_>>();
    check::<Causal<RemoveWinsSet<u64>>, _>(SET, view, specs::remove_wins);
    let mut judge = |events: &[Rc<Event<_>>], known, state: &_| {
        if view(state) == specs::add_wins(events, known) { Ok(()) } else { Err("it differs".into()) }
    };
    assert_eq!(explore(2, 3, SET, &mut judge).err().map(|why| why.contains("it differs")), Some(true));
}

const FLAG: fn(usize) -> Vec<flag::Op> = |_| vec![flag::Op::Enable, flag::Op::Disable];

#[test]
fn flags_are_what_wins() {
    let spec = |events: &[Rc<Event<_>>], known| specs::stands(events, known, flag::Op::Enable);
    check::<Causal<EnableWinsFlag>, _>(FLAG, |state| state.is_enabled(), spec);
    let spec = |events: &[Rc<Event<_>>], known| {
        let ever = specs::stands(events, known, flag::Op::Enable);
        ever && !specs::stands(events, known, flag::Op::Disable)
    };
    check::<Causal<DisableWinsFlag>, _>(FLAG, |state| state.is_enabled(), spec);
}

#[test]
fn a_removed_key_is_reset_and_what_is_done_at_once_stays() {
    let offer = |_| {
        let (insert, remove) = (set::Op::Insert(1), set::Op::Remove(1));
        vec![
            map::Op::Update(1, insert),
            map::Op::Update(1, remove),
            map::Op::Remove(1),
            map::Op::Update(2, set::Op::Insert(2)),
        ]
    };
    let view = |state: &Causal<Map<u64, AddWinsSet<u64>>>| -> BTreeSet<(u64, u64)> {
        assert!(state.iter().all(|(_, set)| !set.is_empty()));
        state.iter().flat_map(|(key, set)| set.iter().map(|element| (*key, *element))).collect()
    };
    check::<Causal<Map<u64, AddWinsSet<u64>>>, _>(offer, view, specs::map_of_sets);
}

#[test]
fn maps_nest() {
    let offer = |number: usize| {
        let set =
            |outer, inner| map::Op::Update(outer, map::Op::Update(inner, register::Op::Set(number as u64)));
        vec![set(1, 1), set(1, 2), map::Op::Update(1, map::Op::Remove(1)), map::Op::Remove(1)]
    };
    let view = |state: &Causal<Map<u64, Map<u64, MultiValueRegister<u64>>>>| -> BTreeSet<(u64, u64, u64)> {
        let inner =
            state.iter().flat_map(|(outer, map)| map.iter().map(move |(inner, value)| (outer, inner, value)));
        inner
            .flat_map(|(outer, inner, value)| value.values().map(move |value| (*outer, *inner, *value)))
            .collect()
    };
    check::<Causal<Map<u64, Map<u64, MultiValueRegister<u64>>>>, _>(offer, view, specs::map_of_maps);
}

#[test]
fn an_edge_that_is_added_keeps_its_ends() {
    let offer = |_| {
        vec![
            graph::Op::AddVertex(1),
            graph::Op::AddVertex(2),
            graph::Op::AddEdge(1, 2),
            graph::Op::RemoveVertex(2),
            graph::Op::RemoveEdge(1, 2),
        ]
    };
    let view = |state: &Causal<AddWinsGraph<u64>>| {
        let edges: BTreeSet<_> = state.edges().map(|(from, to)| (*from, *to)).collect();
        let vertices: BTreeSet<u64> = state.vertices().copied().collect();
        assert!(edges.iter().all(|(from, to)| vertices.contains(from) && vertices.contains(to)));
        (vertices, edges)
    };
    check::<Causal<AddWinsGraph<u64>>, _>(offer, view, specs::graph);
}

/// A register whose join takes the other side's value: no join at all.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Lossy(u64);

impl Canonical for Lossy {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        u64::read(reader).map(Self)
    }
}

impl Replicated for Lossy {
    type Op = u64;
    type Effect = u64;
    type Delta = Self;
    fn prepare(&self, _: Actor, value: u64) -> Option<u64> {
        Some(value)
    }
    fn delta(&self, _: Actor, effect: &u64) -> Self {
        Self(*effect)
    }
    fn apply(&mut self, delta: &Self) {
        self.0 = delta.0;
    }
    fn join(&mut self, other: &Self) {
        self.0 = other.0;
    }
    fn join_deltas(delta: &mut Self, other: &Self) {
        delta.0 = other.0;
    }
    fn news(&self, delta: &Self) -> Option<Self> {
        (self.0 != delta.0).then(|| delta.clone())
    }
    fn is_below(&self, _: &Self) -> bool {
        true
    }
}

#[test]
fn a_lossy_merge_is_found() {
    let explored = explore(2, 2, |number| vec![number as u64 + 1], &mut |_, _, _: &Lossy| Ok(()));
    let why = explored.expect_err("two writes at once end in different orders");
    assert!(why.contains("strong convergence fails"), "{why}");
}

#[test]
fn an_operation_based_counter_under_duplication_diverges_and_deltas_do_not() {
    let (mut once, mut twice) = (PnCounter::default(), PnCounter::default());
    let effect = once.prepare(Actor(1), 5).expect("it is something");
    let delta = once.delta(Actor(1), &effect);
    let (mut by_delta, mut by_delta_twice) = (once.clone(), once.clone());
    once.perform(Actor(1), &effect);
    twice.perform(Actor(1), &effect);
    twice.perform(Actor(1), &effect);
    assert_eq!((once.value(), twice.value()), (5, 10));
    by_delta.apply(&delta);
    by_delta_twice.apply(&delta);
    by_delta_twice.apply(&delta);
    assert_eq!(by_delta, by_delta_twice);
}

#[test]
fn concurrent_runs_end_where_no_sequential_run_does() {
    // {add x, remove y} beside {add y, remove x}, from both being there.
    let (x, y) = (1, 2);
    let mut start: Causal<AddWinsSet<u64>> = Causal::default();
    start.insert(Actor(9), x);
    start.insert(Actor(9), y);
    let (mut one, mut other) = (start.clone(), start);
    one.insert(Actor(1), x);
    one.remove(Actor(1), &y);
    other.insert(Actor(2), y);
    other.remove(Actor(2), &x);
    one.join(&other);
    assert_eq!(one.iter().copied().collect::<Vec<_>>(), [x, y]);
    // Every order of the four that keeps each side's own order ends otherwise.
    let ops = [(true, x), (false, y), (true, y), (false, x)];
    let orders = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 2, 3, 1], [2, 0, 1, 3], [2, 0, 3, 1], [2, 3, 0, 1]];
    for order in orders {
        let mut set = BTreeSet::from([x, y]);
        for (adds, element) in order.map(|index: usize| ops[index]) {
            if adds {
                set.insert(element)
            } else {
                set.remove(&element)
            };
        }
        assert!(set.len() < 2, "{order:?}");
    }
}

#[test]
fn a_lagging_wall_clock_loses_what_is_written_at_once_and_nothing_else() {
    let mut here: LwwRegister<u64> = LwwRegister::default();
    let mut lagging = here.clone();
    here.set(Actor(1), 1_000, 1);
    lagging.set(Actor(2), 10, 2);
    lagging.join(&here);
    assert_eq!(lagging.get(), Some(&1), "written at once");
    lagging.set(Actor(2), 11, 3);
    here.join(&lagging);
    assert_eq!(here.get(), Some(&3), "written afterwards");
    // The same instant once more, at one replica.
    here.set(Actor(1), 1_000, 4);
    assert_eq!(here.get(), Some(&4));
}

#[test]
fn removals_need_no_tombstones_and_a_context_of_one_run() {
    let mut set: Causal<AddWinsSet<u64>> = Causal::default();
    for element in 0..1_000 {
        set.insert(Actor(1), element);
        set.remove(Actor(1), &element);
    }
    assert!(set.is_empty());
    assert_eq!(set.context().runs().len(), 1);
    assert!(isles_crdt::canonical::encode(&set).len() < 10);
    assert_ne!(*set.context(), DotContext::new());
}

#[test]
fn a_hostile_counter_stops_its_actor_and_nobody_else() {
    let last = isles_causality::dot::COUNTER_MAX;
    let mut bytes = Vec::new();
    // One element with the last dot of actor 1.
    [1, 7, 1, 1].iter().for_each(|number: &u64| number.write(&mut bytes));
    (last - 1).write(&mut bytes);
    0u64.write(&mut bytes);
    let delta = isles_crdt::canonical::decode(&bytes).expect("it is a change");
    let mut set: Causal<AddWinsSet<u64>> = Causal::default();
    set.apply(&delta);
    assert!(set.contains(&7));
    assert!(set.insert(Actor(1), 8).is_none());
    assert!(set.insert(Actor(2), 8).is_some());
}
