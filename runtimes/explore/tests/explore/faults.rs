//! What may go wrong, and only as often as it may.

use isles_explore::{
    Answer, Budget, Explorer, Faults, Idle, Memory, NO_PANIC, Property, Scenario, Streams, Timers,
};
use isles_kernel::{OpId, ProcessId};

use crate::world::{Do, Puppet, Seen, explore, explorer, fates, puppets};

fn messages(fates: &[Vec<Seen>]) -> Vec<Vec<u8>> {
    let number = |seen: &Seen| match seen {
        Seen::Message(_, n) => Some(*n),
        Seen::Timer(_) | Seen::Broken(_) | Seen::Record(_) | Seen::Choice(_) => None,
    };
    let mut all: Vec<Vec<u8>> = fates.iter().map(|fate| fate.iter().filter_map(number).collect()).collect();
    all.sort();
    all.dedup();
    all
}

fn with(faults: Faults, begin: Vec<Vec<Do>>) -> Scenario<Puppet> {
    Scenario { faults, ..puppets(begin) }
}

#[test]
fn streams_keep_their_order_and_datagrams_do_not() {
    let begin = |kind: fn(u32, u8) -> Do| vec![vec![kind(1, 1), kind(1, 2), kind(1, 3)], vec![]];
    assert_eq!(messages(&fates(puppets(begin(Do::Send)), 1)), [[1, 2, 3]]);
    assert_eq!(messages(&fates(puppets(begin(Do::Cast)), 1)).len(), 6);
    let unordered = Scenario { streams: Streams::Unordered, ..puppets(begin(Do::Send)) };
    assert_eq!(messages(&fates(unordered, 1)).len(), 6);
    // Two senders: their streams are merged in all ways that keep both orders.
    let two = vec![vec![], vec![Do::Send(0, 1), Do::Send(0, 2)], vec![Do::Send(0, 3), Do::Send(0, 4)]];
    assert_eq!(messages(&fates(puppets(two), 0)).len(), 6);
}

#[test]
fn losses_and_duplicates_come_as_often_as_they_may() {
    let begin = || vec![vec![Do::Cast(1, 1), Do::Cast(1, 2)], vec![]];
    let lossy = |most| fates(with(Faults { losses: Budget::UpTo(most), ..Faults::default() }, begin()), 1);
    let counts = |fates: &[Vec<Seen>]| {
        let mut counts: Vec<usize> = fates.iter().map(Vec::len).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    };
    assert_eq!(counts(&lossy(0)), [2]);
    assert_eq!(counts(&lossy(1)), [1, 2]);
    assert_eq!(counts(&lossy(2)), [0, 1, 2]);
    let double = with(Faults { duplicates: Budget::UpTo(1), ..Faults::default() }, begin());
    let doubled = messages(&fates(double, 1));
    assert_eq!(counts(&fates(with(Faults::default(), begin()), 1)), [2]);
    assert!(
        doubled.contains(&vec![1, 2, 1])
            && doubled.contains(&vec![2, 2, 1])
            && !doubled.contains(&vec![1, 1, 2, 2])
    );
    // Streams neither lose nor double.
    let faults = Faults { losses: Budget::Unlimited, duplicates: Budget::UpTo(2), ..Faults::default() };
    assert_eq!(messages(&fates(with(faults, vec![vec![Do::Send(1, 1)], vec![]]), 1)), [[1]]);
}

fn crash(memory: Memory, restarts: u8) -> Faults {
    Faults {
        crashes: Budget::UpTo(1),
        restarts: Budget::UpTo(restarts),
        memories: vec![memory],
        ..Faults::default()
    }
}

#[test]
fn what_follows_a_record_waits_for_it_and_a_crash_takes_both() {
    let begin = || vec![vec![Do::Persist(7), Do::Cast(1, 1)], vec![]];
    let told = || {
        Property::<Puppet>::always("who told and crashed has the record", |view| {
            let told = view.process(ProcessId(1)).is_some_and(|puppet| !puppet.seen.is_empty());
            !told || view.process(ProcessId(0)).is_some() || view.log(ProcessId(0)) == [7]
        })
    };
    let report = explore(with(crash(Memory::Disk, 1), begin()).ask(told()));
    assert!(report.is_proof(), "{report}");
    // The control: sent first, persisted then.
    let careless = vec![vec![Do::Cast(1, 1), Do::Persist(7)], vec![]];
    let report = explore(with(crash(Memory::Disk, 1), careless).ask(told()));
    assert!(report.failure().is_some(), "{report}");
}

#[test]
fn a_crash_leaves_what_its_memory_says() {
    let begin = || vec![vec![Do::Persist(1), Do::Persist(2), Do::Arm(3)]];
    let left = |memory, torn| {
        let faults = Faults { torn, ..crash(memory, 1) };
        let mut fates = fates(with(faults, begin()), 0);
        fates.sort_by_key(Vec::len);
        fates
    };
    let records = |fates: Vec<Vec<Seen>>| -> Vec<usize> {
        let count = |fate: &Vec<Seen>| fate.iter().filter(|seen| matches!(seen, Seen::Record(_))).count();
        let mut counts: Vec<usize> = fates.iter().map(count).collect();
        counts.dedup();
        counts
    };
    // A timer that waited for the records is armed in no life after a crash that lost the state.
    assert_eq!(records(left(Memory::Disk, true)), [0, 1, 0, 2]);
    assert_eq!(records(left(Memory::Lost, true)), [0]);
    // Who keeps its state finds its timer, too.
    assert!(left(Memory::Kept, true).contains(&vec![Seen::Timer(3)]));
}

#[test]
fn a_stream_whose_end_died_is_reported_and_its_messages_are_lost() {
    let begin = || vec![vec![Do::Watch(1), Do::Send(1, 1), Do::Send(1, 2)], vec![]];
    let sender = fates(with(crash(Memory::Lost, 1), begin()), 0);
    assert_eq!(sender, [vec![Seen::Broken(1)], vec![]]);
    // What was sent to the process that died never reaches the one in its place: nobody hears the second alone.
    let receiver = messages(&fates(with(crash(Memory::Lost, 1), begin()), 1));
    assert_eq!(receiver, [vec![], vec![1], vec![1, 2]]);
    // What a dead sender left behind arrives as a prefix.
    let receiver = messages(&fates(with(crash(Memory::Lost, 0), begin()), 1));
    assert_eq!(receiver, [vec![], vec![1], vec![1, 2]]);
}

#[test]
fn a_partition_stalls_streams_swallows_datagrams_and_ends() {
    let faults = || Faults { cuts: Budget::UpTo(1), groups: vec![vec![ProcessId(0)]], ..Faults::default() };
    let late = || vec![(ProcessId(0), vec![Do::Cast(1, 1), Do::Send(1, 2)])];
    let scenario = || with(faults(), vec![vec![], vec![]]).client(late());
    let got = messages(&fates(scenario(), 1));
    assert_eq!(got, [vec![], vec![1], vec![1, 2], vec![2], vec![2, 1]]);
    let cut = Property::never("a stream crosses", |view| {
        view.is_cut(ProcessId(0), ProcessId(1)) && view.is_cut(ProcessId(0), ProcessId(0))
    });
    assert!(explore(scenario().ask(cut)).is_proof());
    assert_eq!(
        messages(&fates(puppets(vec![vec![], vec![]]).client(late()), 1)),
        [vec![], vec![1, 2], vec![2, 1]]
    );
}

#[test]
fn timers_fire_freely_or_when_nothing_else_happens() {
    let begin = || vec![vec![Do::Arm(9), Do::Cast(0, 1)]];
    let free = fates(puppets(begin()), 0);
    assert_eq!(free.len(), 2);
    let quiet = fates(Scenario { timers: Timers::WhenQuiet, ..puppets(begin()) }, 0);
    assert_eq!(quiet, [[Seen::Message(0, 1), Seen::Timer(9)]]);
    let never = Scenario { timeouts: Budget::NONE, ..puppets(begin()) };
    assert_eq!(explore(never).states, 2);
    // Armed and disarmed in one step: it never fires.
    assert_eq!(fates(puppets(vec![vec![Do::Arm(1), Do::Disarm(1)]]), 0), [[]]);
}

#[test]
fn what_changes_nothing_is_left_out_if_wanted_unless_others_wait_for_it() {
    let skipped = |begin| Scenario { idle: Idle::Skipped, ..puppets(begin) };
    let timer = || vec![vec![Do::Rearm(1)]];
    assert_eq!((explore(puppets(timer())).generated, explore(skipped(timer())).generated), (2, 1));
    let datagram = || vec![vec![Do::Cast(1, 0)], vec![]];
    assert_eq!((explore(puppets(datagram())).states, explore(skipped(datagram())).states), (2, 1));
    let stream = vec![vec![Do::Send(1, 0), Do::Send(1, 5)], vec![]];
    assert_eq!(messages(&fates(skipped(stream), 1)), [[5]]);
}

#[test]
fn choices_are_all_tried_or_the_report_says_so() {
    let all = explore(puppets(vec![vec![Do::Choose(3), Do::Choose(2)]]));
    assert_eq!((all.states, all.choices_cut, all.is_proof()), (6, 0, true));
    let cut = explore(puppets(vec![vec![Do::Choose(1000)]]));
    assert_eq!((cut.states, cut.choices_cut, cut.is_proof()), (2, 1, false));
    assert!(cut.to_string().contains("of 1 choices not all values were tried"), "{cut}");
}

#[test]
fn a_panic_of_a_handler_is_found() {
    let scenario = puppets(vec![vec![]]).client(vec![(ProcessId(0), vec![Do::Choose(2), Do::Panic])]);
    let report = explorer(scenario).breadth_first();
    let trace = report.answer(NO_PANIC).and_then(Answer::trace).expect("it panics");
    assert_eq!(trace.steps.len(), 1);
    assert_eq!(trace.steps[0].after, "panicked: told to");
}

#[test]
fn histories_say_who_was_answered_before_whom() {
    let write = |n| (ProcessId(0), vec![Do::Reply(n)]);
    let scenario = puppets(vec![vec![]]).client(vec![write(1), write(2)]).client(vec![write(3)]);
    // Answered on the spot: no two operations overlap.
    let sequential = Property::history("one after the other", |history| {
        history.chunks(2).all(|pair| match pair {
            [isles_history::Entry::Invoke { id, .. }, isles_history::Entry::Return { id: answered, .. }] => {
                id == answered
            }
            _ => false,
        })
    });
    let orders = Property::reachable("the other client comes between", |view| {
        let history = view.history();
        history.len() == 6 && history.iter().any(|entry| {
            matches!(entry, isles_history::Entry::Invoke { id, time, .. } if *id == OpId(1 << 32) && time.0 == 2)
        })
    });
    let report = explore(scenario.ask(sequential).ask(orders));
    assert!(report.is_proof(), "{report}");
    assert_eq!(report.states, 9, "for each order of what was done so far, one history");
}

#[test]
fn what_cannot_be_explored_is_refused_with_the_reason() {
    let refused = |scenario| Explorer::<Puppet>::new(scenario).err().expect("refused").to_string();
    assert!(refused(Scenario::new(0, vec![])).contains("0 processes"));
    assert!(refused(Scenario::new(1, vec![]).client(vec![(ProcessId(1), vec![])])).contains("asks p1"));
    let faults = Faults { groups: vec![vec![ProcessId(5)]], ..Faults::default() };
    assert!(refused(with(faults, vec![vec![]])).contains("parts p5"));
    let faults = Faults { crashes: Budget::UpTo(1), memories: vec![], ..Faults::default() };
    assert!(refused(with(faults, vec![vec![]])).contains("no memory"));
    let twice = || Property::always("x", |_| true);
    assert!(
        refused(Scenario::new(1, vec![]).ask(twice()).ask(twice())).contains("two properties are called x")
    );
}
