//! Bytes are a state or a delta of a replicated type, or refused; what is read has these bytes and no others, and merging it with
//! anything does no harm.
#![no_main]

use isles_causality::Actor;
use isles_crdt::canonical::{decode, encode};
use isles_crdt::{
    AddWinsGraph, AddWinsSet, BoundedCounter, Causal, GrowOnlyCounter, GrowOnlySet, List, LwwRegister, Map,
    MultiValueRegister, PnCounter, RemoveWinsSet, Replicated, ResettableCounter, Tally, TombstoneSet, TwoPhaseSet,
};
use libfuzzer_sys::fuzz_target;

/// A state, an effect and a delta of one type.
fn check<R: Replicated>(bytes: &[u8]) {
    let mut state = R::default();
    if let Ok(read) = decode::<R>(bytes) {
        assert_eq!(encode(&read), bytes);
        state.join(&read);
        let mut twice = state.clone();
        twice.join(&read);
        assert!(state == twice && read.is_below(&state));
    }
    if let Ok(delta) = decode::<R::Delta>(bytes) {
        assert_eq!(encode(&delta), bytes);
        state.apply(&delta);
        let mut both = delta.clone();
        R::join_deltas(&mut both, &delta);
        assert!(both == delta && state.news(&delta).is_none());
    }
    if let Ok(effect) = decode::<R::Effect>(bytes) {
        assert_eq!(encode(&effect), bytes);
        state.perform(Actor(1), &effect);
    }
    let _ = decode::<R>(&encode(&state)).expect("it was written by us");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 16 {
        0 => check::<GrowOnlyCounter>(bytes),
        1 => check::<PnCounter>(bytes),
        2 => check::<BoundedCounter>(bytes),
        3 => check::<ResettableCounter>(bytes),
        4 => check::<Causal<Tally>>(bytes),
        5 => check::<LwwRegister<u64>>(bytes),
        6 => check::<Causal<MultiValueRegister<u64>>>(bytes),
        7 => check::<GrowOnlySet<u64>>(bytes),
        8 => check::<TwoPhaseSet<u64>>(bytes),
        9 => check::<TombstoneSet<u64>>(bytes),
        10 => check::<Causal<AddWinsSet<u64>>>(bytes),
        11 => check::<Causal<RemoveWinsSet<u64>>>(bytes),
        12 => check::<Causal<Map<u64, Map<u64, AddWinsSet<u64>>>>>(bytes),
        13 => check::<Causal<AddWinsGraph<u64>>>(bytes),
        14 => check::<Causal<List<char>>>(bytes),
        _ => check::<Causal<Map<u64, Tally>>>(bytes),
    }
});
