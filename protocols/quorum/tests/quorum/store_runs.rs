//! The store under faults, in simulated runs.

use isles_kernel::Span;

use crate::store_world::{Plan, config, run};

#[test]
fn whatever_breaks_histories_are_linearizable_and_strictly_serializable() {
    for (seed, (nodes, n, r, w)) in
        [(3, 3, 2, 2), (5, 3, 2, 2), (3, 3, 1, 3), (1, 1, 1, 1)].into_iter().enumerate()
    {
        for round in 0..3 {
            let config = config(nodes, n, r, w, None);
            let seed = seed as u64 * 100 + round;
            let plan = Plan { config, clients: 8, steps: 60, every: Span::millis(60), seed };
            let outcomes = run(&plan);
            assert_eq!(outcomes.wrong, None, "seed {seed}");
            println!("{outcomes:?}");
        }
    }
}
