//! Total order broadcast.

use std::marker::PhantomData;

use isles_kernel::{Cx, Effect, OpId, ProcessId, Protocol, Time};
use isles_replication::total_order::{Config, Event, Msg, SEQUENCER, TotalOrder};
use isles_sim::{Links, Observer, Setup, Simulation};

use crate::world::{at, links};

type Order = TotalOrder<u32>;

const CONFIG: Config<u32> = Config { processes: 4, payload: PhantomData, mistake: None };

#[derive(Default)]
struct Delivered(Vec<Line>);

/// What a process delivers, in order: number, origin, payload.
type Line = Vec<(u64, ProcessId, u32)>;

impl Observer<Order> for Delivered {
    fn on_event(&mut self, _: Time, process: ProcessId, event: &Event<u32>) {
        let Event::Delivered { number, origin, payload } = event else { panic!("nothing is rejected") };
        self.0.resize_with(CONFIG.processes as usize, Vec::new);
        self.0[process.index()].push((*number, *origin, *payload));
    }
}

/// Ten broadcasts of each process, close together.
fn run(links: Links) -> (Vec<Line>, u64) {
    let setup = Setup { links, ..Setup::new(CONFIG.processes, 1, CONFIG) };
    let mut sim = Simulation::<Order>::new(setup).expect("a valid set-up");
    for payload in 0..40 {
        sim.invoke_at(at(u64::from(payload)), ProcessId(payload % 4), payload);
    }
    let mut delivered = Delivered::default();
    sim.run_until(at(5_000), &mut delivered);
    let messages = sim.counters().kinds().map(|kind| kind.count).sum();
    (delivered.0, messages)
}

#[test]
fn all_deliver_everything_in_one_order() {
    let (delivered, messages) = run(links());
    assert_eq!(delivered[0].len(), 40);
    assert!(delivered.iter().all(|own| *own == delivered[0]), "{delivered:?}");
    assert!((0..).zip(&delivered[0]).all(|(place, (number, ..))| place == *number));
    // Three quarters are submitted first; each is sent to four.
    assert_eq!(messages, 30 + 40 * 4);
}

#[test]
fn each_senders_payloads_keep_their_order() {
    let (delivered, _) = run(links());
    for sender in 0..4 {
        let own: Vec<u32> = delivered[0]
            .iter()
            .filter(|(_, origin, _)| origin.0 == sender)
            .map(|(.., payload)| *payload)
            .collect();
        assert!(own.is_sorted(), "{own:?}");
    }
}

/// What a process does with a message, after others.
fn effects(messages: &[(ProcessId, Msg<u32>)]) -> Vec<Effect<Order>> {
    let mut effects = Vec::new();
    let mut order = Order::start(&mut Cx::new(ProcessId(1), Time::ZERO, &CONFIG, &mut effects), &[]);
    for (from, msg) in messages {
        order.on_message(&mut Cx::new(ProcessId(1), Time::ZERO, &CONFIG, &mut effects), *from, msg.clone());
    }
    effects
}

#[test]
fn numbers_that_come_too_early_are_held_back() {
    let ordered = |number| (SEQUENCER, Msg::Ordered { number, origin: ProcessId(2), payload: number as u32 });
    let delivered = |number| {
        let event = Event::Delivered { number, origin: ProcessId(2), payload: number as u32 };
        Effect::Emit { event }
    };
    assert_eq!(effects(&[ordered(2), ordered(1), ordered(0), ordered(3)]), [0, 1, 2, 3].map(delivered));
}

#[test]
fn only_the_sequencer_numbers_and_only_once() {
    let ordered = |from, number| (from, Msg::Ordered { number, origin: ProcessId(2), payload: 7 });
    let rejected = |from| Effect::Emit { event: Event::Rejected { from } };
    assert_eq!(effects(&[ordered(ProcessId(3), 0)]), [rejected(ProcessId(3))]);
    assert_eq!(effects(&[(ProcessId(2), Msg::Submit(4))]), [rejected(ProcessId(2))]);
    assert_eq!(effects(&[ordered(SEQUENCER, 0), ordered(SEQUENCER, 0)])[1..], [rejected(SEQUENCER)]);
}

#[test]
fn the_sequencer_sends_to_all_also_to_itself() {
    let mut effects: Vec<Effect<Order>> = Vec::new();
    let mut order = Order::start(&mut Cx::new(SEQUENCER, Time::ZERO, &CONFIG, &mut effects), &[]);
    order.on_op(&mut Cx::new(SEQUENCER, Time::ZERO, &CONFIG, &mut effects), OpId(0), 9);
    assert_eq!(effects.len(), 4);
}
