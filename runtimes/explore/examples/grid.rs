//! Four processes that each count to 99, or to another number if one is given: 10^8 states with a folder, and a
//! counterexample that ends in the very last of them.

use isles_explore::{Answer, Disk, Explorer, Property, Scenario};
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span};

/// How far it has counted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Counter(u32);

impl Protocol for Counter {
    /// How far to count.
    type Config = u32;
    type Msg = Never;
    type Timer = ();
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.arm((), Span::ZERO);
        Self(0)
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, (): ()) {
        self.0 += 1;
        if self.0 < *cx.config() {
            cx.arm((), Span::ZERO);
        }
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let most: u32 = std::env::args().nth(1).map_or(Ok(99), |word| word.parse())?;
    let folder = std::env::temp_dir().join("isles-explore-grid");
    let scenario = Scenario::<Counter>::new(4, most)
        .ask(Property::<Counter>::never("all are done", |view| {
            view.live().all(|(_, counter)| counter.0 == *view.config())
        }));
    let report = Explorer::new(scenario)?.breadth_first_on(&Disk::new(&folder))?;
    println!("{report}");
    let steps = report.answer("all are done").and_then(Answer::trace).map(|trace| trace.steps.len());
    println!("{steps:?} steps to the last state; {} bytes were spilled", report.spilled);
    Ok(std::fs::remove_dir_all(folder)?)
}
