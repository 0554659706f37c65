//! A protocol of one's own, simulated with faults and checked: a counter that a primary keeps and copies to a backup.
//! The primary answers a client when the backup has confirmed; so no answered increment is lost when the primary dies.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Fault, Links, Observer, Setup, Simulation, Who};
use serde::{Deserialize, Serialize};

const PRIMARY: ProcessId = ProcessId(0);
const BACKUP: ProcessId = ProcessId(1);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Counter {
    value: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Copy { id: OpId, value: u64 },
    Copied { id: OpId, value: u64 },
}

/// Whether the primary waits for the backup before it answers. The control does not.
struct Config {
    wait: bool,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wait: {}", self.wait)
    }
}

impl Protocol for Counter {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = (); // add one
    type Reply = u64; // the value after it
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { value: 0 }
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Copy { id, value } => {
                self.value = self.value.max(value);
                cx.send(from, Msg::Copied { id, value });
            }
            Msg::Copied { id, value } if cx.config().wait => cx.reply(id, value),
            Msg::Copied { .. } => {}
        }
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, (): ()) {
        self.value += 1;
        cx.send(BACKUP, Msg::Copy { id, value: self.value });
        if !cx.config().wait {
            cx.reply(id, self.value);
        }
    }
}

/// The highest value that a client was told.
#[derive(Default)]
struct Promised(u64);

impl Observer<Counter> for Promised {
    fn on_reply(&mut self, _: Time, _: ProcessId, _: OpId, value: &u64) {
        self.0 = self.0.max(*value);
    }
}

/// Whether the backup has all that clients were told, when the primary crashes at a random moment.
fn keeps_promises(wait: bool, seed: u64) -> bool {
    let setup =
        Setup { links: Links { loss: 0.1, ..Links::default() }, ..Setup::new(2, seed, Config { wait }) };
    let mut sim = Simulation::<Counter>::new(setup).expect("a valid set-up");
    for millis in 0..100 {
        sim.invoke_at(Time::ZERO + Span::millis(millis), PRIMARY, ());
    }
    sim.inject(Time::ZERO + Span::millis(20 + seed % 60), Fault::Crash(Who::Ids(vec![PRIMARY])));
    let mut promised = Promised::default();
    sim.run_until(Time::ZERO + Span::millis(20 + seed % 60), &mut promised);
    sim.process(BACKUP).is_some_and(|backup| backup.value >= promised.0)
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    let kept = |wait| (0..1_000).filter(|seed| keeps_promises(wait, *seed)).count();
    println!("promises kept in {} of 1000 runs, without waiting in {}", kept(true), kept(false));
    assert!(kept(true) == 1_000, "the backup must have all that was answered");
    assert!(kept(false) < 1_000, "the control must fail: it answers before the backup has it");
}
