//! Simulated stores under faults, and what judges their histories: shared by the tests and the long campaign.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many effects, faults and answers matter at each place"
)]

use std::collections::BTreeMap;

use isles_check::Verdict;
use isles_check::linearizability::{self, Limits};
use isles_check::transactions::{self, Budget, Level};
use isles_history::{History, Operation, Outcome, Status, Step, Transactions, Value};
use isles_kernel::random::Stream;
use isles_kernel::{Payload, ProcessId, Span, Time};
use isles_quorum::store::{Answer, Command, Condition, Config, Event, Expiry, Mistake, Op, Reply, Store};
use isles_sim::{
    Clients, Disk, Distribution, Fault, Links, Memory, Observer, Recorder, Setup, Simulation, Who,
};

use crate::store_model::Commands;

/// What a run is.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) clients: u32,
    /// Faults, one every so often.
    pub(crate) steps: u32,
    pub(crate) every: Span,
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) steps: u64,
    pub(crate) operations: u64,
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    pub(crate) committed: u64,
    pub(crate) wounded: u64,
    pub(crate) in_doubt: u64,
    pub(crate) repaired: u64,
    pub(crate) forgotten: u64,
    pub(crate) rejected: u64,
    pub(crate) undecided: u64,
    /// What is wrong, if anything is.
    pub(crate) wrong: Option<String>,
    pub(crate) digest: u128,
}

impl Outcomes {
    /// Counts another run, too.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.steps, other.steps),
            (&mut self.operations, other.operations),
            (&mut self.answered, other.answered),
            (&mut self.refused, other.refused),
            (&mut self.unknown, other.unknown),
            (&mut self.committed, other.committed),
            (&mut self.wounded, other.wounded),
            (&mut self.in_doubt, other.in_doubt),
            (&mut self.repaired, other.repaired),
            (&mut self.forgotten, other.forgotten),
            (&mut self.rejected, other.rejected),
            (&mut self.undecided, other.undecided),
        ] {
            *mine += theirs;
        }
        self.wrong = self.wrong.take().or_else(|| other.wrong.clone());
    }
}

/// Counts what nodes tell, and records what clients see.
#[derive(Default)]
struct Watch {
    recorder: Recorder<Store>,
    outcomes: Outcomes,
}

impl Observer<Store> for Watch {
    fn on_event(&mut self, _: Time, _: ProcessId, event: &Event) {
        let count = match event {
            Event::Committed(_) => &mut self.outcomes.committed,
            Event::Aborted(_) => return,
            Event::Wounded(_) => &mut self.outcomes.wounded,
            Event::InDoubt(_) => &mut self.outcomes.in_doubt,
            Event::Repaired { .. } => &mut self.outcomes.repaired,
            Event::Forgotten => &mut self.outcomes.forgotten,
            Event::Rejected { .. } => &mut self.outcomes.rejected,
        };
        *count += 1;
    }
    fn on_invoke(&mut self, time: Time, process: ProcessId, id: isles_kernel::OpId, op: &Op) {
        self.recorder.on_invoke(time, process, id, op);
    }
    fn on_reply(&mut self, time: Time, process: ProcessId, id: isles_kernel::OpId, reply: &Reply) {
        self.recorder.on_reply(time, process, id, reply);
    }
    fn on_crash(&mut self, time: Time, process: ProcessId) {
        self.recorder.on_crash(time, process);
    }
}

fn key(name: &str, number: u64) -> Payload {
    format!("{name}{number}").as_str().into()
}

fn text(number: u64) -> Payload {
    number.to_string().as_str().into()
}

/// One command on one of a few keys, which change with time, so that what stays unknown concerns few operations.
fn command(unique: u64, choices: &mut Stream) -> Command {
    let key = key("r", unique / 120 * 2 + u64::from(choices.below(2)));
    let set = |condition, get| Command::Set {
        key: key.clone(),
        value: text(unique),
        condition,
        expiry: Expiry::Never,
        get,
    };
    match choices.below(16) {
        0..5 => Command::Get { key },
        5..8 => set(Condition::Always, false),
        8 => set(Condition::Absent, false),
        9 => set(Condition::Present, true),
        10..13 => Command::Delete { key },
        13 => Command::Append { key, value: text(unique) },
        _ => Command::Increment { key, by: (unique as i64) << 20 },
    }
}

/// Appends unique elements to some lists, and reads some, all at once.
fn transaction(unique: u64, choices: &mut Stream) -> Op {
    let lists = 3 + u64::from(choices.below(2));
    let mut commands = Vec::new();
    for step in 0..1 + choices.below(4) {
        let key = key("l", unique / 150 * 4 + u64::from(choices.below(lists as u32)));
        let element = format!("{};", unique * 8 + u64::from(step));
        commands.push(if choices.below(2) == 0 {
            Command::Append { key, value: element.as_str().into() }
        } else {
            Command::Get { key }
        });
    }
    if let [command] = &commands[..] {
        return Op::One(command.clone());
    }
    Op::All { commands: commands.into(), unchanged: [].into() }
}

/// The faults of a run, one after the other.
fn faults(plan: &Plan, sim: &mut Simulation<Store>) {
    let mut choices = Stream::new(plan.seed, &[0x6661_756c_7473]);
    let nodes = plan.config.nodes();
    for step in 0..plan.steps {
        let at =
            Time::ZERO + plan.every.times(u64::from(step) + 1) + Span::nanos(choices.bits() % plan.every.0);
        let one = |choices: &mut Stream| Who::Ids(vec![ProcessId(choices.below(nodes))]);
        let back = Fault::Restart { who: Who::All, memory: Memory::Disk };
        let some = |choices: &mut Stream| {
            Who::Ids((0..nodes).map(ProcessId).filter(|_| choices.below(2) == 0).collect())
        };
        let fault = match choices.below(16) {
            0..5 => Fault::Crash(one(&mut choices)),
            5 => Fault::Crash(some(&mut choices)),
            6..9 => back,
            9..11 => Fault::Partition(vec![some(&mut choices)]),
            11 => Fault::Mute(one(&mut choices)),
            12..14 => Fault::Heal,
            14 => Fault::Loss(f64::from(choices.below(3)) * 0.2),
            _ => Fault::Pause(one(&mut choices)),
        };
        let lasts = plan.every.times(1 + u64::from(choices.below(4)));
        match fault {
            Fault::Crash(_) => sim.inject(at + lasts, Fault::Restart { who: Who::All, memory: Memory::Disk }),
            Fault::Partition(_) | Fault::Mute(_) => sim.inject(at + lasts, Fault::Heal),
            Fault::Loss(_) => sim.inject(at + lasts, Fault::Loss(0.0)),
            _ => sim.inject(at + lasts, Fault::Resume(Who::All)),
        }
        sim.inject(at, fault);
    }
    let end = Time::ZERO + plan.every.times(u64::from(plan.steps) + 6);
    for fault in [
        Fault::Heal,
        Fault::Loss(0.0),
        Fault::Resume(Who::All),
        Fault::Restart { who: Who::All, memory: Memory::Disk },
    ] {
        sim.inject(end, fault);
    }
}

/// A simulation at its beginning.
pub(crate) fn world(plan: &Plan) -> Simulation<Store> {
    let links = Links {
        stream_timeout: Span::millis(400),
        retransmit: Span::millis(20),
        ..Links::law(Distribution::Uniform { min: Span::micros(200), max: Span::millis(4) })
    };
    let disk = Disk { sync: Span::micros(500), torn: true };
    let setup = Setup { links, disk, ..Setup::new(plan.config.nodes(), plan.seed, plan.config.clone()) };
    Simulation::new(setup).expect("a valid set-up")
}

/// Runs a plan, and judges what clients saw.
pub(crate) fn run(plan: &Plan) -> Outcomes {
    let (mut sim, mut watch) = drive(plan);
    let history = watch.recorder.history().clone();
    let mut outcomes = std::mem::take(&mut watch.outcomes);
    outcomes.steps = u64::from(plan.steps);
    outcomes.digest = sim.digest();
    if watch.recorder.stray_replies() > 0 {
        outcomes.wrong = Some("an operation was answered twice".to_owned());
    }
    count(&history, &mut outcomes);
    let wrong = [judge_commands(&history), judge_transactions(&history), settled(&mut sim, plan)];
    for verdict in wrong {
        match verdict {
            Verdict::Holds(()) => {}
            Verdict::Violated(why) => outcomes.wrong = outcomes.wrong.or(Some(why)),
            Verdict::Unknown(_) => outcomes.undecided += 1,
        }
    }
    outcomes
}

/// A simulation that ends in the midst of what was under way, with all nodes down.
pub(crate) fn crashed(plan: &Plan) -> Simulation<Store> {
    let mut sim = world(plan);
    faults(plan, &mut sim);
    let nodes = plan.config.nodes();
    let middle = Time::ZERO + plan.every.times(u64::from(plan.steps) / 2);
    let clients = Clients {
        at: (0..plan.clients).map(|client| ProcessId(client % nodes)).collect(),
        ..Clients::at_each(nodes, Span::millis(4), middle + plan.every, plan.seed)
    };
    let mut unique = 0;
    clients.drive(&mut sim, middle, &mut (), |client, choices| {
        unique += 1;
        Some(if client % 2 == 0 { Op::One(command(unique, choices)) } else { transaction(unique, choices) })
    });
    sim.inject(middle, Fault::Crash(Who::All));
    sim.run_until(middle, &mut ());
    sim
}

fn drive(plan: &Plan) -> (Simulation<Store>, Watch) {
    let mut sim = world(plan);
    faults(plan, &mut sim);
    let nodes = plan.config.nodes();
    let until = Time::ZERO + plan.every.times(u64::from(plan.steps) + 8);
    let clients = Clients {
        at: (0..plan.clients).map(|client| ProcessId(client % nodes)).collect(),
        patience: Span::secs(1),
        ..Clients::at_each(nodes, Span::millis(4), until, plan.seed)
    };
    let mut watch = Watch::default();
    let mut unique = 0;
    clients.drive(&mut sim, until + Span::secs(4), &mut watch, |client, choices| {
        unique += 1;
        Some(if client % 2 == 0 { Op::One(command(unique, choices)) } else { transaction(unique, choices) })
    });
    (sim, watch)
}

fn count(history: &History<Op, Reply>, outcomes: &mut Outcomes) {
    for operation in history.operations() {
        outcomes.operations += 1;
        match operation.reply() {
            Some(Reply::Refused) => outcomes.refused += 1,
            Some(Reply::Unknown) | None => outcomes.unknown += 1,
            Some(_) => outcomes.answered += 1,
        }
    }
}

/// When all faults are over and nobody asks any more, nothing is under way: no lock is held, and replicas of a key that know a
/// version of it know the same.
fn settled(sim: &mut Simulation<Store>, plan: &Plan) -> Verdict<(), String> {
    if plan.config.mistake.is_some() {
        return Verdict::Holds(());
    }
    for (id, node) in sim.live() {
        if !node.is_idle() {
            return Verdict::Violated(format!("{id} has something under way at the end: {node:?}"));
        }
    }
    if sim.live().count() < plan.config.nodes() as usize {
        return Verdict::Violated("a node is down at the end".to_owned());
    }
    Verdict::Holds(())
}

/// Whether the operations of one command on single keys are linearizable. What was refused must not have been done.
pub(crate) fn judge_commands(history: &History<Op, Reply>) -> Verdict<(), String> {
    let mut operations = Vec::new();
    for operation in history.operations() {
        let Op::One(command) = &operation.op else { continue };
        // Lists are written by transactions, too.
        if command.key().bytes().starts_with(b"l") {
            continue;
        }
        let outcome = match &operation.outcome {
            Outcome::Returned { reply: Reply::Refused, .. } => continue,
            Outcome::Returned { at, reply: Reply::One(answer) } => {
                Outcome::Returned { at: *at, reply: answer.clone() }
            }
            Outcome::Returned { .. } | Outcome::Unknown => Outcome::Unknown,
        };
        // A read of which nobody knows the answer tells nothing.
        if matches!(command, Command::Get { .. }) && matches!(outcome, Outcome::Unknown) {
            continue;
        }
        let (process, invoked) = (operation.process, operation.invoked);
        operations.push(Operation { process, invoked, op: command.clone(), outcome });
    }
    match linearizability::check(&Commands, &operations, &Limits { nodes: 3_000_000, ..Limits::default() }) {
        Verdict::Holds(_) => Verdict::Holds(()),
        Verdict::Violated(why) => {
            let told = why.core.iter().map(|place| format!("{:?}", operations[*place as usize]));
            Verdict::Violated(format!("not linearizable: {}", told.collect::<Vec<_>>().join("\n  ")))
        }
        Verdict::Unknown(progress) => Verdict::Unknown(progress),
    }
}

/// Whether appends and reads of lists are strictly serializable.
pub(crate) fn judge_transactions(history: &History<Op, Reply>) -> Verdict<(), String> {
    let mut read = Transactions::default();
    let (mut keys, mut values) = (BTreeMap::new(), BTreeMap::new());
    for (session, operation) in (0..).zip(history.operations()) {
        let commands: &[Command] = match &operation.op {
            Op::One(command) => std::slice::from_ref(command),
            Op::All { commands, .. } => commands,
            Op::Scan { .. } => continue,
        };
        if !commands.iter().all(|command| command.key().bytes().starts_with(b"l")) {
            continue;
        }
        let none = Vec::new();
        let (status, answers): (Status, Vec<Answer>) = match operation.reply() {
            Some(Reply::All(answers)) => (Status::Committed, answers.clone()),
            Some(Reply::One(answer)) => (Status::Committed, vec![answer.clone()]),
            Some(Reply::Refused) => (Status::Aborted, none),
            Some(_) | None => (Status::Unknown, none),
        };
        let mut steps = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            let name = command.key().clone();
            let next = keys.len() as i64;
            let key = *keys.entry(name).or_insert_with(|| read.add_key(Value::Int(next)));
            let mut id = |element: &str| {
                let number: i64 = element.parse().expect("elements are numbers");
                *values.entry(number).or_insert_with(|| read.add_value(Value::Int(number)))
            };
            match (command, answers.get(place)) {
                (Command::Append { value, .. }, _) => {
                    let element = std::str::from_utf8(value.bytes()).expect("it is text");
                    steps.push(Step::Append { key, element: id(element.trim_end_matches(';')) });
                }
                (Command::Get { .. }, Some(Answer::Entry(entry, _))) => {
                    let bytes = entry.as_ref().map_or(&[][..], |entry| entry.value.bytes());
                    let list = std::str::from_utf8(bytes).expect("it is text");
                    let elements: Vec<_> = list.split_terminator(';').map(&mut id).collect();
                    steps.push(read.read_list(key, elements));
                }
                _ => {}
            }
        }
        read.push(session, status, Some((operation.invoked, operation.returned())), steps);
    }
    match transactions::check(&read, Level::StrictSerializable, Budget::default()) {
        Verdict::Holds(_) => Verdict::Holds(()),
        Verdict::Violated(why) => Verdict::Violated(format!("not strictly serializable: {why:?}")),
        Verdict::Unknown(progress) => Verdict::Unknown(progress),
    }
}

/// A configuration whose waits fit runs of seconds.
pub(crate) fn config(nodes: u32, n: u32, r: u32, w: u32, mistake: Option<Mistake>) -> Config {
    let space = isles_quorum::store::Keyspace::all(n, r, w);
    let mut config = Config::new(nodes, vec![space]).expect("these quorums meet");
    config.patience = Span::millis(600);
    config.lease = Span::millis(600);
    config.resend = Span::millis(100);
    config.ask = Span::millis(60);
    config.pause = Span::millis(2);
    config.sweep = Span::millis(150);
    config.mistake = mistake;
    config
}

/// All mistakes.
pub(crate) const MISTAKES: [Mistake; 8] = [
    Mistake::DecidesAlone,
    Mistake::ReleasesEarly,
    Mistake::ForgetsEarly,
    Mistake::VotesWithoutLock,
    Mistake::ReadsPrepared,
    Mistake::ReadsLocked,
    Mistake::NeverWounds,
    Mistake::ForgetsDeleted,
];

/// A run of a shape that the seed chooses.
pub(crate) fn plan(seed: u64, steps: u32, mistake: Option<Mistake>) -> Plan {
    const SHAPES: [(u32, u32, u32, u32); 5] =
        [(3, 3, 2, 2), (5, 3, 2, 2), (3, 3, 1, 3), (5, 5, 3, 3), (4, 4, 2, 3)];
    let (nodes, n, r, w) = SHAPES[(seed % 5) as usize];
    Plan { config: config(nodes, n, r, w, mistake), clients: 8, steps, every: Span::millis(50), seed }
}
