//! Channels as a protocol meets them, in simulation.

use isles_kernel::{Channel, Payload, ProcessId, Span, Time};
use isles_messaging::probe::{Event, Op, Probe};
use isles_sim::{Fault, Links, Memory, Observer, Setup, Simulation, Who};

#[derive(Default)]
struct Seen(Vec<(ProcessId, Event)>);

impl Observer<Probe> for Seen {
    fn on_event(&mut self, _: Time, process: ProcessId, event: &Event) {
        self.0.push((process, event.clone()));
    }
}

fn run(links: Links, fault: Option<(Span, Fault)>, sends: &[(u64, Channel)]) -> Vec<(ProcessId, Event)> {
    let setup = Setup { links, ..Setup::new(2, 1, ()) };
    let mut sim = Simulation::<Probe>::new(setup).expect("a valid set-up");
    for (number, (at, channel)) in (0u32..).zip(sends) {
        let op = Op { to: vec![ProcessId(1)], channel: *channel, number, payload: Payload::zeros(9) };
        sim.invoke_at(Time::ZERO + Span::millis(*at), ProcessId(0), op);
    }
    if let Some((at, fault)) = fault {
        sim.inject(Time::ZERO + at, fault);
    }
    let mut seen = Seen::default();
    sim.run_until(Time::ZERO + Span::secs(60), &mut seen);
    seen.0
}

fn arrived(number: u32) -> (ProcessId, Event) {
    (ProcessId(1), Event::Arrived { from: ProcessId(0), number, size: 9 })
}

fn broke() -> (ProcessId, Event) {
    (ProcessId(0), Event::Broke { peer: ProcessId(1) })
}

#[test]
fn whether_the_last_message_arrived_before_the_stream_broke_is_not_known() {
    let links = || Links::constant(Span::millis(10));
    let crash = |at| Some((Span::millis(at), Fault::Crash(Who::Ids(vec![ProcessId(1)]))));
    let sends = [(0, Channel::Stream), (20, Channel::Stream), (100, Channel::Stream)];
    // The second message arrived in one run and not in the other; the sender saw the same.
    let of_sender = |events: &[(ProcessId, Event)]| -> Vec<Event> {
        events
            .iter()
            .filter(|(process, _)| *process == ProcessId(0))
            .map(|(_, event)| event.clone())
            .collect()
    };
    let (after, before) = (run(links(), crash(35), &sends), run(links(), crash(25), &sends));
    assert!(after.contains(&arrived(1)) && !before.contains(&arrived(1)));
    assert!(!of_sender(&before).is_empty());
    assert_eq!(of_sender(&after)[0], of_sender(&before)[0]);
}

#[test]
fn a_datagram_reaches_the_next_incarnation_and_a_stream_does_not() {
    let links = || Links::constant(Span::millis(100));
    for (channel, expected) in [(Channel::Datagram, vec![arrived(0)]), (Channel::Stream, vec![broke()])] {
        let setup = Setup { links: links(), ..Setup::new(2, 1, ()) };
        let mut sim = Simulation::<Probe>::new(setup).expect("a valid set-up");
        sim.invoke(
            ProcessId(0),
            Op { to: vec![ProcessId(1)], channel, number: 0, payload: Payload::zeros(9) },
        );
        let who = || Who::Ids(vec![ProcessId(1)]);
        sim.inject(Time::ZERO + Span::millis(20), Fault::Crash(who()));
        sim.inject(Time::ZERO + Span::millis(40), Fault::Restart { who: who(), memory: Memory::Disk });
        let mut seen = Seen::default();
        sim.run_until(Time::ZERO + Span::secs(60), &mut seen);
        assert_eq!(seen.0, expected, "{channel:?}");
    }
}

#[test]
fn a_partition_loses_datagrams_and_delays_a_stream() {
    let links = || Links { stream_timeout: Span::secs(10), ..Links::constant(Span::millis(10)) };
    for (channel, expected) in [(Channel::Datagram, vec![]), (Channel::Stream, vec![arrived(0)])] {
        let setup = Setup { links: links(), ..Setup::new(2, 1, ()) };
        let mut sim = Simulation::<Probe>::new(setup).expect("a valid set-up");
        sim.inject(Time::ZERO, Fault::Partition(vec![Who::Ids(vec![ProcessId(1)])]));
        sim.inject(Time::ZERO + Span::secs(5), Fault::Heal);
        let op = Op { to: vec![ProcessId(1)], channel, number: 0, payload: Payload::zeros(9) };
        sim.invoke_at(Time::ZERO + Span::secs(1), ProcessId(0), op);
        let mut seen = Seen::default();
        sim.run_until(Time::ZERO + Span::secs(60), &mut seen);
        assert_eq!(seen.0, expected, "{channel:?}");
    }
}
