//! A composed node: a heartbeat failure detector below, a list of members above. The upper layer never sends anything; it
//! is told by the lower one, which it embeds through a slot.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Slot, Span, Time, Upcall};
use isles_sim::{Fault, Setup, Simulation, Who};
use serde::{Deserialize, Serialize};

/// Suspects whoever has not been heard of for three periods.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Heartbeat {
    heard: Vec<(Time, bool)>, // when last, and whether suspected
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Beat;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Verdict {
    Suspected(ProcessId),
    Trusted(ProcessId),
}

const PERIOD: Span = Span::millis(100);

impl Protocol for Heartbeat {
    type Config = u32; // how many processes
    type Msg = Beat;
    type Timer = Beat;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Verdict;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.arm(Beat, PERIOD);
        Self { heard: vec![(cx.now(), false); *cx.config() as usize] }
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, _: Beat) {
        let (last, suspected) = &mut self.heard[from.index()];
        *last = cx.now();
        if std::mem::take(suspected) {
            cx.emit(Verdict::Trusted(from));
        }
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, _: Beat) {
        cx.arm(Beat, PERIOD);
        for (id, (last, suspected)) in (0u32..).map(ProcessId).zip(&mut self.heard) {
            if id == cx.me() {
                continue;
            }
            cx.cast(id, Beat);
            if !*suspected && cx.now().since(*last) > PERIOD.times(3) {
                *suspected = true;
                cx.emit(Verdict::Suspected(id));
            }
        }
    }
    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

/// Answers with the members that it believes to be up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Members {
    detector: Heartbeat,
    up: Vec<ProcessId>,
}

/// Where the detector sits: messages and timers need no wrapping here, for the upper layer has none of its own.
enum Below {}

impl Slot<Members> for Below {
    type Child = Heartbeat;
    fn config(config: &u32) -> &u32 {
        config
    }
    fn msg(msg: Beat) -> Beat {
        msg
    }
    fn timer(timer: Beat) -> Beat {
        timer
    }
    fn record(record: Never) -> Never {
        record
    }
}

impl Protocol for Members {
    type Config = u32;
    type Msg = Beat;
    type Timer = Beat;
    type Op = ();
    type Reply = Vec<ProcessId>;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (detector, _) = cx.embed::<Below, _>(|cx| Heartbeat::start(cx, &[]));
        Self { detector, up: (0..*cx.config()).map(ProcessId).collect() }
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Beat) {
        self.below(cx, |detector, cx| detector.on_message(cx, from, msg));
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Beat) {
        self.below(cx, |detector, cx| detector.on_timer(cx, timer));
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, (): ()) {
        cx.reply(id, self.up.clone());
    }
}

impl Members {
    fn below(&mut self, cx: &mut Cx<'_, Self>, step: impl FnOnce(&mut Heartbeat, &mut Cx<'_, Heartbeat>)) {
        for upcall in cx.embed::<Below, _>(|cx| step(&mut self.detector, cx)).1 {
            match upcall {
                Upcall::Event(Verdict::Suspected(id)) => self.up.retain(|other| *other != id),
                Upcall::Event(Verdict::Trusted(id)) => self.up.push(id),
                Upcall::Reply(_, never) => match never {},
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    let mut sim = Simulation::<Members>::new(Setup::new(5, 1, 5u32)).expect("a valid set-up");
    sim.inject(Time::ZERO + Span::secs(1), Fault::Crash(Who::Ids(vec![ProcessId(3)])));
    for millis in [900, 1_200, 1_600] {
        sim.run_until(Time::ZERO + Span::millis(millis), &mut ());
        let up = sim.process(ProcessId(0)).map(|process| process.up.clone());
        println!("at {} p0 believes up: {up:?}", sim.now());
    }
    assert!(sim.live().all(|(_, process)| process.up.len() == 4), "all have noticed");
}
