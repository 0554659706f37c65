//! Clients that ask one thing after the other.

use isles_history::Entry;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Clients, Fault, Recorder, Setup, Simulation, Who};

/// Answers after 5 ms.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Slow;

impl Protocol for Slow {
    type Config = ();
    type Msg = Never;
    type Timer = OpId;
    type Op = u32;
    type Reply = ();
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }
    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, id: OpId) {
        cx.reply(id, ());
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, _: u32) {
        cx.arm(id, Span::millis(5));
    }
}

/// What was invoked and answered, and how many operations were open at a process at most.
fn run(crash: Option<u64>, patience: Span) -> (Vec<Entry<u32, ()>>, u32) {
    let mut sim = Simulation::<Slow>::new(Setup::new(3, 1, ())).expect("a valid set-up");
    if let Some(millis) = crash {
        sim.inject(Time::ZERO + Span::millis(millis), Fault::Crash(Who::Ids(vec![ProcessId(1)])));
    }
    let clients =
        Clients { patience, ..Clients::at_each(3, Span::millis(10), Time::ZERO + Span::secs(1), 7) };
    let mut recorder = Recorder::default();
    clients.drive(&mut sim, Time::ZERO + Span::secs(2), &mut recorder, |client, choices| {
        Some(client as u32 * 100 + choices.below(100))
    });
    let (mut open, mut most) = ([0u32; 3], 0);
    for entry in recorder.history().entries() {
        match entry {
            Entry::Invoke { process, op, .. } => {
                assert_eq!(op / 100, process.0, "each client sits at its process");
                open[process.index()] += 1;
                most = most.max(open[process.index()]);
            }
            Entry::Return { process, .. } => open[process.index()] -= 1,
            Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    (recorder.history().entries().to_vec(), most)
}

#[test]
fn a_client_waits_for_its_answer_and_thinks() {
    let (entries, most) = run(None, Span::MAX);
    assert_eq!(most, 1);
    let invoked = entries.iter().filter(|entry| matches!(entry, Entry::Invoke { .. })).count();
    // Three clients, one operation in 15 ms each, for a second.
    assert!((150..=250).contains(&invoked), "{invoked}");
    assert_eq!(entries, run(None, Span::MAX).0, "the same run gives the same history");
    assert!(entries.iter().all(|entry| entry.time() < Time::ZERO + Span::millis(1_100)));
}

#[test]
fn a_client_without_an_answer_asks_nothing_more_and_the_others_go_on() {
    let late = Time::ZERO + Span::millis(600);
    let asks = |entries: &[Entry<u32, ()>], at: u32| {
        let is = |entry: &&Entry<u32, ()>| matches!(entry, Entry::Invoke { time, process, .. } if *time > late && process.0 == at);
        entries.iter().filter(is).count()
    };
    let (entries, _) = run(Some(500), Span::MAX);
    assert_eq!(asks(&entries, 1), 0);
    assert!(asks(&entries, 0) > 10 && asks(&run(None, Span::MAX).0, 1) > 10);
}

#[test]
fn an_impatient_client_goes_on_while_its_operation_stays_open() {
    let (entries, most) = run(None, Span::millis(2));
    let returned = entries.iter().filter(|entry| matches!(entry, Entry::Return { .. })).count();
    assert!(most > 1 && returned * 2 == entries.len(), "every answer still comes, late");
    assert_eq!(run(None, Span::millis(6)).1, 1, "an answer within the patience is waited for");
}
