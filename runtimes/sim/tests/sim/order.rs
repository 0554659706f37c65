//! One order of events, whatever holds them and whoever looks on.

use isles_kernel::{Never, OpId, ProcessId, Span, Time};
use isles_sim::{
    Bandwidth, Boundary, Churn, Clocks, Detection, Disk, Distribution, Fault, Links, Memory, Observer, Setup,
    Simulation, Start, Who,
};

use crate::world::{Chatter, apart, ms, p, uniform};

const COUNT: u32 = 60;

fn setup(links: Links) -> Setup<Chatter> {
    Setup { links, ..Setup::new(COUNT, 7, COUNT) }
}

/// Everything at once.
fn stormy() -> Setup<Chatter> {
    let links = Links {
        loss: 0.1,
        duplication: 0.1,
        reordering: 0.1,
        bandwidth: Some(Bandwidth { rate: 20_000, queue: Span::millis(5) }),
        retransmit: Span::millis(30),
        stream_timeout: Span::millis(200),
        ..uniform(1, 40)
    };
    Setup {
        clocks: Clocks { offset_max: Span::millis(5), drift_ppm_max: 200 },
        disk: Disk { sync: Span::millis(2), torn: true },
        start: Start::Over(Span::millis(30)),
        churn: Some(Churn {
            session: Distribution::Exponential { min: Span::ZERO, mean: Span::millis(400) },
            downtime: Distribution::Constant(Span::millis(50)),
            memory: Memory::Kept,
            from: ms(100),
            until: ms(600),
            stable: 10,
        }),
        ..setup(links)
    }
}

fn mixes() -> Vec<(&'static str, Setup<Chatter>)> {
    let fifo = Links { fifo: true, duplication: 0.2, detection: Detection::OnSend, ..uniform(1, 20) };
    let cramped = Links { stream_timeout: Span::millis(30), ..Links::constant(Span::millis(10)) };
    vec![
        ("constant", setup(cramped)),
        ("same instants", setup(Links::constant(Span::ZERO))),
        ("fifo, detection on send", setup(fifo)),
        ("stormy", stormy()),
    ]
}

/// The run of a set-up with faults of every kind and operations, not yet begun.
fn begun(setup: Setup<Chatter>) -> Simulation<Chatter> {
    let mut sim = Simulation::new(setup).expect("a valid set-up");
    for (at, fault) in [
        (50, Fault::Crash(Who::Fraction(0.2))),
        (80, Fault::Restart { who: Who::All, memory: Memory::Disk }),
        (90, Fault::Pause(Who::Count(5))),
        (100, apart(&[&[0, 1, 2, 3, 4, 5, 6, 7]])),
        (110, Fault::Mute(Who::Count(3))),
        (130, Fault::Resume(Who::All)),
        (160, Fault::Crash(Who::Count(4))),
        (180, Fault::Heal),
        (190, Fault::Restart { who: Who::All, memory: Memory::Kept }),
        (200, Fault::Loss(0.3)),
        (230, Fault::Clock { who: Who::Count(9), step: -3_000_000, drift_ppb: 40_000 }),
        (260, Fault::Loss(0.0)),
        (270, Fault::Crash(Who::Count(4))),
        (300, Fault::Restart { who: Who::All, memory: Memory::Lost }),
    ] {
        sim.inject(ms(at), fault);
    }
    for process in 0..COUNT {
        let crash = Fault::CrashAt { process: p(process), boundary: Boundary::BeforeSync(9), survivors: 1 };
        sim.inject(Time::ZERO, crash);
        for at in [0, 10, 100, 110] {
            sim.invoke_at(ms(at), p((process + at as u32) % COUNT), 5);
        }
    }
    sim
}

fn digest(setup: Setup<Chatter>) -> u128 {
    let mut sim = begun(setup);
    sim.run_until(ms(500), &mut ());
    assert!(sim.counters().events > 3_000, "{:?}", sim.counters());
    sim.digest()
}

#[test]
fn heap_and_wheel_give_the_same_run_under_every_mix_of_faults() {
    for (name, setup) in mixes() {
        let heap = digest(Setup { heap_only: true, ..setup.clone() });
        assert_eq!(digest(setup.clone()), heap, "{name}");
        let (mut wheel, mut heap) = (begun(setup.clone()), begun(Setup { heap_only: true, ..setup }));
        wheel.run_until(ms(400), &mut ());
        heap.run_until(ms(400), &mut ());
        assert_eq!(wheel.counters(), heap.counters(), "{name}");
    }
}

#[test]
fn heap_and_wheel_give_the_same_run_when_thousands_of_events_are_pending() {
    for (name, setup) in mixes() {
        let large = Setup { processes: 3_000, initial: 3_000, config: 3_000.into(), ..setup };
        let digest = |heap_only| {
            let mut sim = begun(Setup { heap_only, ..large.clone() });
            sim.run_until(ms(30), &mut ());
            let most = sim.pending();
            sim.run_until(ms(150), &mut ());
            (sim.digest(), most)
        };
        let ((wheel, pending), (heap, _)) = (digest(false), digest(true));
        assert!(pending > 2_000, "{name}: {pending}");
        assert_eq!(wheel, heap, "{name}");
    }
}

#[test]
fn another_seed_is_another_run_and_so_is_any_other_rule() {
    let plain = digest(setup(uniform(1, 20)));
    assert_eq!(plain, digest(setup(uniform(1, 20))));
    assert_ne!(plain, digest(Setup { seed: 8, ..setup(uniform(1, 20)) }));
    assert_ne!(plain, digest(setup(uniform(1, 21))));
    assert_ne!(plain, digest(setup(Links { loss: 0.01, ..uniform(1, 20) })));
    let slow = Disk { sync: Span::millis(3), torn: false };
    assert_ne!(plain, digest(Setup { disk: slow, ..setup(uniform(1, 20)) }));
}

/// Counts what it sees.
#[derive(Default)]
struct Onlooker {
    wants_messages: bool,
    messages: u64,
    lives: u64,
}

impl Observer<Chatter> for Onlooker {
    fn sees_messages(&self) -> bool {
        self.wants_messages
    }
    fn on_send(&mut self, _: Time, _: ProcessId, _: ProcessId, _: Option<Time>, _: &u32) {
        self.messages += 1;
    }
    fn on_deliver(&mut self, _: Time, _: ProcessId, _: ProcessId, _: &u32) {
        self.messages += 1;
    }
    fn on_event(&mut self, _: Time, _: ProcessId, event: &Never) {
        match *event {}
    }
    fn on_reply(&mut self, _: Time, _: ProcessId, _: OpId, _: &u32) {
        self.lives += 1;
    }
    fn on_crash(&mut self, _: Time, _: ProcessId) {
        self.lives += 1;
    }
}

#[test]
fn onlookers_change_nothing() {
    for (name, setup) in mixes() {
        let alone = digest(setup.clone());
        for wants_messages in [false, true] {
            let mut onlooker = Onlooker { wants_messages, ..Onlooker::default() };
            let mut sim = begun(setup.clone());
            sim.run_until(ms(500), &mut onlooker);
            assert_eq!(sim.digest(), alone, "{name}");
            assert!(onlooker.lives > 0 && (onlooker.messages > 0) == wants_messages);
        }
    }
}

#[test]
fn a_run_in_small_steps_is_the_same_run() {
    for (name, setup) in mixes() {
        let whole = digest(setup.clone());
        for step in [1, 777_777, 13_000_000] {
            let mut sim = begun(setup.clone());
            let mut until = Time::ZERO;
            // The finest steps are few, or they would take too long.
            while step == 1 && until < Time(2_000) || step > 1 && until < ms(500) {
                sim.run_until(until, &mut ());
                until += Span(step);
            }
            while sim.next_time().is_some_and(|next| next <= ms(500)) {
                let next = sim.next_time().expect("just seen");
                sim.run_until(next, &mut ());
            }
            sim.run_until(ms(500), &mut ());
            assert_eq!(sim.digest(), whole, "{name}, steps of {step} ns");
        }
    }
}

#[test]
fn what_is_invoked_on_the_way_is_the_same_as_what_was_planned() {
    // At instants at which nothing else happens: what does would happen first.
    let at = |n: u64| Time(ms(n * 7).0 + n * 333 + 1);
    let begin = || Simulation::new(setup(uniform(1, 20))).expect("a valid set-up");
    let planned = {
        let mut sim = begin();
        for n in 1..50 {
            sim.invoke_at(at(n), p(0), 20);
        }
        sim.run_until(ms(500), &mut ());
        sim.digest()
    };
    for early in [1, 0] {
        let mut sim = begin();
        for n in 1..50 {
            sim.run_until(Time(at(n).0 - early), &mut ());
            sim.invoke_at(at(n), p(0), 20);
        }
        sim.run_until(ms(500), &mut ());
        assert_eq!(sim.digest(), planned, "{early} ns before");
    }
}

#[test]
fn two_runs_at_once_are_the_same_run() {
    let alone = digest(stormy());
    let run = || digest(stormy());
    let (one, other) = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(run), scope.spawn(run));
        (one.join().expect("no panic"), other.join().expect("no panic"))
    });
    assert_eq!((one, other), (alone, alone));
}

/// Debug and release, and every machine, must agree with this number. It changes with the rules of the simulator, and
/// with nothing else.
#[test]
fn the_digest_of_a_run_is_the_same_everywhere() {
    assert_eq!(digest(stormy()), STORMY);
    assert_eq!(digest(setup(Links::constant(Span::millis(10)))), CALM);
}

const STORMY: u128 = 32050941001365790681960498548631748556;
const CALM: u128 = 326275486524570703525086211469487481786;
