//! No simulator at all: a `BinaryHeap` of plain events and an array of counters, the least that a program with a
//! heap can do. Flights are uniform over 1 ms to 1 s.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{Random, cpu_seconds};

pub fn messages_per_second((processes, pending): (u32, u32), budget: f64) -> f64 {
    let mut random = Random::new(0);
    let flight = |random: &mut Random| 1_000_000 + u64::from(random.below(999_000_000));
    // A process of 64 bytes, as ours.
    let mut states = vec![[0u64; 8]; processes as usize];
    let mut heap = BinaryHeap::new();
    for seq in 0..processes * pending {
        heap.push(Reverse((flight(&mut random), random.below(processes), seq)));
    }
    let mut step = |count: u64| {
        for _ in 0..count {
            let Some(Reverse((at, to, seq))) = heap.pop() else { return };
            states[to as usize][0] += 1;
            heap.push(Reverse((at + flight(&mut random), random.below(processes), seq)));
        }
    };
    // Every message has been sent on twice: the load is steady.
    step(2 * u64::from(processes * pending));
    let (begin, mut messages) = (cpu_seconds(), 0);
    loop {
        step(20_000);
        messages += 20_000;
        let seconds = cpu_seconds() - begin;
        if seconds >= budget {
            std::hint::black_box(&states);
            return messages as f64 / seconds;
        }
    }
}
