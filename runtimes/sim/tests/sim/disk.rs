//! Durability is a barrier: what is emitted after a record waits until the record is on disk.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Boundary, Disk, Fault, Links, Memory, Observer, Setup, Simulation, Who, each_boundary};
use serde::{Deserialize, Serialize};

use crate::world::{
    Arm, Cast, Message, Persist, Reply, Send, Timer, Trace, ids, ms, p, seen, tell, world, world_with,
};

#[test]
fn what_follows_a_record_waits_for_it_in_this_step_and_in_later_ones() {
    let mut sim = world_with(3, Links::default(), |setup| {
        setup.disk = Disk { sync: Span::millis(5), torn: false };
    });
    tell(
        &mut sim,
        10,
        0,
        vec![Cast(1, 1), Persist(1), Cast(1, 2), Send(1, 3), Arm(1, Span::millis(1)), Reply],
    );
    tell(&mut sim, 12, 0, vec![Cast(2, 4), Reply]);
    tell(&mut sim, 16, 0, vec![Cast(2, 5)]);
    let mut trace = Trace::default();
    sim.run_until(ms(14), &mut trace);
    assert_eq!(trace.replies, 0);
    sim.run_until(ms(100), &mut trace);
    assert_eq!(trace.replies, 2);
    assert_eq!(seen(&sim, 1), [(20, Message(0, 1)), (25, Message(0, 2)), (25, Message(0, 3))]);
    assert_eq!(seen(&sim, 2), [(25, Message(0, 4)), (26, Message(0, 5))]);
    assert_eq!(seen(&sim, 0), [(16, Timer(1))]);
}

#[test]
fn records_that_come_while_the_disk_writes_are_written_together() {
    let mut sim = world(2, Links::default());
    // A write takes 1 ms: the first is under way when the others come.
    for n in 0..10 {
        let at = Time(ms(10).0 + u64::from(n) * 100_000);
        sim.invoke_at(at, p(0), vec![Persist(n), Cast(1, n)]);
    }
    sim.run_until(ms(15), &mut ());
    assert_eq!(sim.syncs(p(0)), 2);
    assert_eq!(sim.counters().synced, 10);
    sim.run_until(ms(50), &mut ());
    let times: Vec<u64> = seen(&sim, 1).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [21, 22, 22, 22, 22, 22, 22, 22, 22, 22]);
}

#[test]
fn a_torn_tail_is_a_prefix_of_what_was_being_written() {
    let left = |torn: bool, seed: u64| {
        let mut sim = world_with(2, Links::default(), |setup| {
            setup.seed = seed;
            setup.disk.torn = torn;
        });
        tell(&mut sim, 10, 0, vec![Persist(0)]);
        tell(&mut sim, 20, 0, (1..5).map(Persist).collect());
        sim.inject(Time(ms(20).0 + 1), Fault::Crash(Who::All));
        sim.run_until(ms(30), &mut ());
        sim.log(p(0)).to_vec()
    };
    let mut lengths: Vec<usize> = (0..100)
        .map(|seed| left(true, seed))
        .map(|log| {
            assert_eq!(log, (0..log.len() as u32).collect::<Vec<_>>());
            log.len()
        })
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    assert_eq!(lengths, [1, 2, 3, 4, 5]);
    assert!((0..100).all(|seed| left(false, seed) == [0]), "the control: cut clean");
}

#[test]
fn a_crash_at_a_boundary_comes_exactly_there_and_once() {
    let run = |boundary, survivors| {
        let mut sim = world(2, Links::default());
        sim.inject(ms(0), Fault::CrashAt { process: p(0), boundary, survivors });
        for at in [10, 20, 30] {
            let n = at as u32;
            tell(&mut sim, at, 0, vec![Persist(n), Persist(n + 1), Cast(1, n)]);
        }
        sim.inject(ms(25), Fault::Restart { who: Who::All, memory: Memory::Disk });
        sim.run_until(ms(22), &mut ());
        let log = sim.log(p(0)).to_vec();
        sim.run_until(ms(100), &mut ());
        let strike = sim.strikes()[0];
        assert_eq!((sim.strikes().len(), strike.process, strike.boundary), (1, p(0), boundary));
        let got: Vec<u32> = crate::world::got(&sim, 1, 0);
        (log, got, strike.unsynced)
    };
    // The first write begins with the first record alone, the second has the other.
    assert_eq!(run(Boundary::BeforeSync(2), 0), (vec![10, 11], vec![10, 30], 2));
    assert_eq!(run(Boundary::BeforeSync(2), 1), (vec![10, 11, 20], vec![10, 30], 2));
    assert_eq!(run(Boundary::BeforeSync(2), 2), (vec![10, 11, 20, 21], vec![10, 30], 2));
    assert_eq!(run(Boundary::AfterSync(2), 0), (vec![10, 11, 20], vec![10, 30], 1));
    assert_eq!(run(Boundary::AfterSync(3), 0), (vec![10, 11, 20, 21], vec![10, 30], 0));
    assert_eq!(run(Boundary::BeforeSync(3), 9), (vec![10, 11, 20, 21], vec![10, 30], 1));
}

/// A replicated log in small: the leader numbers what clients say, makes it durable and sends it; a follower makes it
/// durable and acknowledges; the leader answers when all have. `careless` sends first and persists then.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Replica {
    log: Vec<u64>,
    /// Acknowledgements of each entry, and its operation.
    acks: Vec<(u32, Option<OpId>)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Append { at: usize, entry: u64 },
    Have { count: usize },
}

#[derive(Debug)]
struct Replication {
    replicas: u32,
    careless: bool,
}

impl Replica {
    fn append(&mut self, cx: &mut Cx<'_, Self>, entry: u64, then: impl FnOnce(&mut Cx<'_, Self>)) {
        self.log.push(entry);
        if cx.config().careless {
            then(cx);
            cx.persist(entry);
        } else {
            cx.persist(entry);
            then(cx);
        }
    }

    fn others(cx: &Cx<'_, Self>) -> impl Iterator<Item = ProcessId> + use<> {
        (1..cx.config().replicas).map(ProcessId)
    }
}

impl Protocol for Replica {
    type Config = Replication;
    type Msg = Msg;
    type Timer = ();
    type Op = u64;
    type Reply = ();
    type Record = u64;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, log: &[u64]) -> Self {
        if cx.me() == ProcessId(0) {
            cx.arm((), Span::millis(50));
        }
        Self { log: log.to_vec(), acks: vec![(0, None); log.len()] }
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, entry: u64) {
        let at = self.log.len();
        self.acks.push((0, Some(id)));
        self.append(cx, entry, |cx| {
            for peer in Self::others(cx) {
                cx.send(peer, Msg::Append { at, entry });
            }
        });
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Append { at, entry } if at == self.log.len() => {
                self.append(cx, entry, |cx| cx.send(from, Msg::Have { count: at + 1 }));
            }
            Msg::Append { at, .. } if at < self.log.len() => {
                cx.send(from, Msg::Have { count: self.log.len() });
            }
            Msg::Append { .. } => {}
            Msg::Have { count } => {
                let others = cx.config().replicas - 1;
                for (mask, id) in self.acks.iter_mut().take(count) {
                    *mask |= 1 << from.0;
                    if mask.count_ones() == others
                        && let Some(id) = id.take()
                    {
                        cx.reply(id, ());
                    }
                }
            }
        }
    }
    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, (): ()) {
        cx.arm((), Span::millis(50));
        for peer in Self::others(cx) {
            for (at, &entry) in self.log.iter().enumerate() {
                cx.send(peer, Msg::Append { at, entry });
            }
        }
    }
}

/// What was said must be durable where it was said.
#[derive(Default)]
struct Said {
    /// The longest log that each process spoke of.
    longest: [usize; 3],
    answered: Vec<OpId>,
}

impl Observer<Replica> for Said {
    fn sees_messages(&self) -> bool {
        true
    }
    fn on_send(&mut self, _: Time, from: ProcessId, _: ProcessId, _: Option<Time>, msg: &Msg) {
        let length = match msg {
            Msg::Append { at, .. } => at + 1,
            Msg::Have { count } => *count,
        };
        let longest = &mut self.longest[from.index()];
        *longest = length.max(*longest);
    }
    fn on_reply(&mut self, _: Time, _: ProcessId, id: OpId, (): &()) {
        self.answered.push(id);
    }
}

fn replicate(careless: bool) -> isles_sim::Boundaries<String> {
    let config = Replication { replicas: 3, careless };
    let setup = Setup { links: Links::constant(Span::millis(3)), ..Setup::<Replica>::new(3, 1, config) };
    let mut sim = Simulation::new(setup).expect("a valid set-up");
    for n in 0..12u64 {
        // Some together, so that writes are grouped and tails can be torn.
        sim.invoke_at(ms(10 + n / 4 * 7), ProcessId(0), n);
    }
    for at in [40, 90] {
        sim.inject(ms(at), Fault::Restart { who: Who::All, memory: Memory::Disk });
    }
    each_boundary(&sim, |sim| {
        let mut said = Said::default();
        for at in (1..300).map(ms) {
            sim.run_until(at, &mut said);
            for process in 0..3 {
                let (durable, longest) = (sim.log(ProcessId(process)).len(), said.longest[process as usize]);
                // A process that is up may still make durable what it spoke of; one that crashed will not.
                if sim.process(ProcessId(process)).is_none() && durable < longest {
                    return Err(format!(
                        "p{process} spoke of {longest} entries at {at} and {durable} are durable"
                    ));
                }
            }
        }
        let log = |process| sim.log(ProcessId(process)).to_vec();
        if !(log(0) == log(1) && log(0) == log(2)) {
            return Err("the replicas differ in the end".to_owned());
        }
        let lost = said.answered.iter().find(|id| !log(0).contains(&id.0));
        lost.map_or(Ok(()), |id| Err(format!("{id} was answered and is lost")))
    })
}

#[test]
fn what_was_sent_was_durable_whichever_boundary_a_process_crashes_at() {
    let tried = replicate(false);
    assert!(tried.failures.is_empty(), "{:?}", tried.failures);
    assert!(tried.runs > 40, "{}", tried.runs);
}

#[test]
fn a_protocol_that_sends_before_it_persists_is_caught() {
    let tried = replicate(true);
    let lost = tried.failures.iter().filter(|(crash, _)| crash.is_some()).count();
    assert!(lost > 10, "{:?}", tried.failures);
}

#[test]
fn a_process_may_persist_while_it_reads_what_it_persisted() {
    /// Counts its starts.
    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    struct Starts(u32);
    impl Protocol for Starts {
        type Config = ();
        type Msg = u32;
        type Timer = Never;
        type Op = Never;
        type Reply = Never;
        type Record = u32;
        type Event = Never;
        fn start(cx: &mut Cx<'_, Self>, log: &[u32]) -> Self {
            let starts = log.last().map_or(1, |last| last + 1);
            cx.persist(starts);
            cx.send(ProcessId(1), starts);
            Self(starts)
        }
        fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, starts: u32) {
            self.0 = starts;
        }
        fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
            match timer {}
        }
        fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
            match op {}
        }
    }
    let mut sim = Simulation::<Starts>::new(Setup::new(2, 1, ())).expect("a valid set-up");
    for round in 1..5u64 {
        sim.inject(ms(round * 100), Fault::Crash(ids(&[0])));
        sim.inject(ms(round * 100 + 10), Fault::Restart { who: Who::All, memory: Memory::Disk });
        // Once more before its record is durable: that start is not counted.
        sim.inject(Time(ms(round * 100 + 10).0 + 9), Fault::Crash(ids(&[0])));
        sim.inject(ms(round * 100 + 20), Fault::Restart { who: Who::All, memory: Memory::Disk });
    }
    sim.run_until(ms(1_000), &mut ());
    assert_eq!(sim.log(p(0)), [1, 2, 3, 4, 5]);
    assert_eq!(sim.process(p(1)), Some(&Starts(5)), "only durable starts were spoken of");
}
