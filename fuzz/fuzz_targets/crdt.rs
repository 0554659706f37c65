//! Bytes are a state or a delta of a replicated type, or refused; what is read has these bytes and no others, and merging it with
//! anything does no harm.
#![no_main]

use isles_crdt::executions::is_read;
use isles_crdt::{
    AddWinsGraph, AddWinsSet, BoundedCounter, Causal, GrowOnlyCounter, GrowOnlySet, List, LwwRegister, Map,
    MultiValueRegister, PnCounter, RemoveWinsSet, ResettableCounter, Tally, TombstoneSet, TwoPhaseSet,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let _ = match kind % 16 {
        0 => is_read::<GrowOnlyCounter>(bytes),
        1 => is_read::<PnCounter>(bytes),
        2 => is_read::<BoundedCounter>(bytes),
        3 => is_read::<ResettableCounter>(bytes),
        4 => is_read::<Causal<Tally>>(bytes),
        5 => is_read::<LwwRegister<u64>>(bytes),
        6 => is_read::<Causal<MultiValueRegister<u64>>>(bytes),
        7 => is_read::<GrowOnlySet<u64>>(bytes),
        8 => is_read::<TwoPhaseSet<u64>>(bytes),
        9 => is_read::<TombstoneSet<u64>>(bytes),
        10 => is_read::<Causal<AddWinsSet<u64>>>(bytes),
        11 => is_read::<Causal<RemoveWinsSet<u64>>>(bytes),
        12 => is_read::<Causal<Map<u64, Map<u64, AddWinsSet<u64>>>>>(bytes),
        13 => is_read::<Causal<AddWinsGraph<u64>>>(bytes),
        14 => is_read::<Causal<List<char>>>(bytes),
        _ => is_read::<Causal<Map<u64, Tally>>>(bytes),
    };
});
