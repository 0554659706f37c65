//! How fast the monitors are: a collection of each kind, a million operations by ten clients.

use std::collections::{BTreeSet, VecDeque};

use isles_check::models::collection::{First, Op, Reply};
use isles_check::monitors::{Finding, priority_queue, queue, stack};
use isles_history::{Operation, Outcome};
use isles_kernel::random::Stream;

type History = Vec<Operation<Op<u32>, Reply<u32>>>;

/// A history of `count` operations that took effect in turn, each within an interval around its turn; about ten are open at a time.
fn history(count: u32, mut insert: impl FnMut(u32), mut remove: impl FnMut() -> Option<u32>) -> History {
    let mut draws = Stream::new(1, &[1]);
    let mut values: Vec<u32> = (0..count).collect();
    draws.shuffle(&mut values);
    (0..count)
        .map(|turn| {
            let at = u64::from(turn) * 100 + 1_000;
            let (invoked, returned) = (at - u64::from(draws.below(500)), at + u64::from(draws.below(500)));
            let (op, reply) = if draws.below(2) == 0 {
                let value = values[turn as usize];
                insert(value);
                (Op::Insert(value), Reply::Done)
            } else {
                (Op::Remove, Reply::Value(remove()))
            };
            Operation { process: turn % 10, invoked, op, outcome: Outcome::Returned { at: returned, reply } }
        })
        .collect()
}

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example prints, and measures")]
fn main() {
    let count = 1_000_000;
    let members: Vec<u32> = (0..count).collect();
    let time = |name: &str, history: &History, monitor: &dyn Fn(&History) -> Finding| {
        let begin = std::time::Instant::now();
        let finding = monitor(history);
        println!("{name}: {:.3} s, {}", begin.elapsed().as_secs_f64(), matches!(finding, Finding::Order(_)));
    };
    let cell = std::cell::RefCell::new(VecDeque::new());
    let made = history(count, |v| cell.borrow_mut().push_back(v), || cell.borrow_mut().pop_front());
    time("queue", &made, &|h| queue(h, &members));
    let cell = std::cell::RefCell::new(Vec::new());
    let made = history(count, |v| cell.borrow_mut().push(v), || cell.borrow_mut().pop());
    time("stack", &made, &|h| stack(h, &members));
    let cell = std::cell::RefCell::new(BTreeSet::new());
    let made = history(
        count,
        |v| {
            cell.borrow_mut().insert(v);
        },
        || cell.borrow_mut().pop_first(),
    );
    time("priority queue", &made, &|h| priority_queue(h, &members, First::Least));
}
