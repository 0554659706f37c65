//! What the tests of registers share: single handlers, histories in the checkers' words, and runs with faults.

use isles_check::linearizability::{Limits, check};
use isles_check::models::register::{Op as Asked, Register, Reply as Told};
use isles_check::{Verdict, verify};
use isles_history::{Entry, Operation, Outcome};
use isles_kernel::random::Stream;
use isles_kernel::{Cx, Effect, ProcessId, Protocol, Span, Time};
use isles_quorum::register::{Op, Reply};
use isles_sim::{Clients, Disk, Distribution, Fault, Links, Memory, Recorder, Setup, Simulation, Who};

/// A process and what it did.
pub(crate) struct One<P: Protocol> {
    pub(crate) process: P,
    me: ProcessId,
    config: P::Config,
}

impl<P: Protocol> One<P> {
    /// Starts it with what is on its disk.
    pub(crate) fn start(me: u32, config: P::Config, log: &[P::Record]) -> (Self, Vec<Effect<P>>) {
        let mut effects = Vec::new();
        let process = P::start(&mut Cx::new(ProcessId(me), Time::ZERO, &config, &mut effects), log);
        (Self { process, me: ProcessId(me), config }, effects)
    }

    /// One step, and its effects.
    pub(crate) fn step(&mut self, step: impl FnOnce(&mut P, &mut Cx<'_, P>)) -> Vec<Effect<P>> {
        let mut effects = Vec::new();
        step(&mut self.process, &mut Cx::new(self.me, Time::ZERO, &self.config, &mut effects));
        effects
    }
}

/// What was sent, and to whom.
pub(crate) fn sent<P: Protocol>(effects: &[Effect<P>]) -> Vec<(u32, P::Msg)> {
    let send = |effect: &Effect<P>| {
        let Effect::Send { to, msg, .. } = effect else { return None };
        Some((to.0, msg.clone()))
    };
    effects.iter().filter_map(send).collect()
}

/// What was written to disk.
pub(crate) fn persisted<P: Protocol>(effects: &[Effect<P>]) -> Vec<P::Record> {
    let record = |effect: &Effect<P>| {
        let Effect::Persist { record } = effect else { return None };
        Some(record.clone())
    };
    effects.iter().filter_map(record).collect()
}

/// What clients were answered.
pub(crate) fn replies<P: Protocol>(effects: &[Effect<P>]) -> Vec<P::Reply> {
    let reply = |effect: &Effect<P>| {
        let Effect::Reply { reply, .. } = effect else { return None };
        Some(reply.clone())
    };
    effects.iter().filter_map(reply).collect()
}

type Judged = Operation<Asked<i64>, Told<i64>>;

/// The history in the checkers' words: what was refused is left out, and what is not known has no end.
pub(crate) fn operations(entries: &[Entry<Op, Reply>]) -> Vec<Judged> {
    let mut judged = Vec::new();
    for (invoked, entry) in (0..).zip(entries) {
        let Entry::Invoke { process, id, op, .. } = entry else { continue };
        let returned = (0..).zip(entries).find_map(|(at, entry)| {
            let Entry::Return { id: other, reply, .. } = entry else { return None };
            (other == id).then_some((at, *reply))
        });
        let outcome = match returned {
            Some((_, Reply::Refused)) => continue,
            Some((at, Reply::Value(value))) => Outcome::Returned { at, reply: Told::Value(value) },
            Some((at, Reply::Done)) => Outcome::Returned { at, reply: Told::Done },
            Some((_, Reply::Unknown)) | None => Outcome::Unknown,
        };
        let op = match op {
            Op::Read => Asked::Read,
            Op::Write(value) => Asked::Write(*value),
        };
        judged.push(Operation { process: process.0, invoked, op, outcome });
    }
    judged
}

/// Whether a history is that of one register.
pub(crate) fn is_linearizable(entries: &[Entry<Op, Reply>]) -> bool {
    let (model, operations) = (Register { initial: 0 }, operations(entries));
    match check(&model, &operations, &Limits::default()) {
        Verdict::Holds(order) => {
            let verified = verify::order(&model, &operations, &order.0, verify::Keep::RealTime);
            assert_eq!(verified, Ok(()), "a wrong certificate");
            true
        }
        Verdict::Violated(_) => false,
        Verdict::Unknown(_) => panic!("{} operations are not decided", operations.len()),
    }
}

pub(crate) fn at(millis: u64) -> Time {
    Time::ZERO + Span::millis(millis)
}

/// A run that ended.
pub(crate) struct Run<P: Protocol> {
    pub(crate) entries: Vec<Entry<Op, Reply>>,
    pub(crate) sim: Simulation<P>,
}

impl<P: Protocol> Run<P> {
    /// How many operations were answered so.
    pub(crate) fn count(&self, wanted: impl Fn(&Reply) -> bool) -> usize {
        let is = |entry: &&Entry<Op, Reply>| matches!(entry, Entry::Return { reply, .. } if wanted(reply));
        self.entries.iter().filter(is).count()
    }
}

/// Six seconds in which processes crash and come back with their disks, torn or not, pause, and are parted, some of it at a time; then
/// all is well for four more.
pub(crate) fn faults(processes: u32, seed: u64) -> Vec<(u64, Fault)> {
    let mut draws = Stream::new(seed, &[0x6661_756c]);
    let mut faults = Vec::new();
    for slot in 0..12 {
        let begin = 500 * slot + u64::from(draws.below(200));
        let end = begin + 50 + u64::from(draws.below(400));
        let mut who = || Who::Ids(vec![ProcessId(draws.below(processes))]);
        let (one, other) = (who(), who());
        match draws.below(5) {
            0 => {
                faults.push((begin, Fault::Crash(one)));
                faults.push((end, Fault::Restart { who: Who::All, memory: Memory::Disk }));
            }
            1 => {
                faults.push((begin, Fault::Partition(vec![one])));
                faults.push((end, Fault::Heal));
            }
            2 => {
                faults.push((begin, Fault::Mute(one)));
                faults.push((end, Fault::Heal));
            }
            3 => {
                faults.push((begin, Fault::Pause(one.clone())));
                faults.push((end, Fault::Resume(one)));
            }
            _ => {
                faults.push((begin, Fault::Crash(one)));
                faults.push((begin + 5, Fault::Partition(vec![other])));
                faults.push((end, Fault::Heal));
                faults.push((end + 5, Fault::Restart { who: Who::All, memory: Memory::Disk }));
            }
        }
    }
    faults.push((6_600, Fault::Heal));
    faults.push((6_600, Fault::Resume(Who::All)));
    faults.push((6_600, Fault::Restart { who: Who::All, memory: Memory::Disk }));
    faults
}

/// A client at each process, half reads and half writes of values that never come twice, over links of 1 to 60 ms that now and then lose
/// something.
pub(crate) fn run<P: Protocol<Op = Op, Reply = Reply>>(
    processes: u32,
    config: P::Config,
    seed: u64,
    faults: &[(u64, Fault)],
) -> Run<P> {
    let links = Links {
        loss: 0.1,
        stream_timeout: Span::secs(1),
        ..Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) })
    };
    let disk = Disk { torn: true, ..Disk::default() };
    let setup = Setup { links, disk, ..Setup::new(processes, seed, config) };
    let mut sim = Simulation::<P>::new(setup).expect("a valid set-up");
    for (millis, fault) in faults {
        sim.inject(at(*millis), fault.clone());
    }
    let mut recorder = Recorder::default();
    let patience = Span::millis(700);
    let think = Span::millis(60);
    let clients = Clients { patience, ..Clients::at_each(processes, think, at(8_000), seed) };
    let mut value = 0;
    clients.drive(&mut sim, at(10_000), &mut recorder, |_, draws| {
        value += 1;
        Some(if draws.below(2) == 0 { Op::Read } else { Op::Write(value) })
    });
    assert_eq!(recorder.stray_replies(), 0);
    Run { entries: recorder.history().entries().to_vec(), sim }
}
