//! Chapter EC: what eventual consistency promises, and what sessions add.

use std::collections::{BTreeMap, BTreeSet};

use isles_check::convergence::{ReplicaEvent, eventual, strong};
use isles_check::sessions::sessions;
use isles_check::transactions::{Budget, Level, check};
use isles_check::{Verdict, verify_transactions};
use isles_history::{Entry, History, Key, Status, Step, Transactions, Value, ValueId};
use isles_kernel::random::Stream;
use isles_kernel::{OpId, ProcessId, Span, Time};
use isles_replication::multi_master::{self, MultiMaster, Rule, Stamp};
use isles_replication::session::{Config, Guarantees, Mistake, Sessions};
use isles_replication::store::{Op, Reply, Store};
use isles_sim::{Clients, Distribution, Links, Observer, Recorder, Setup, Simulation};

use super::{Claim, Effort, Finding};
use crate::run::seeds::on_all_cores;

/// The claims of the chapter.
pub(super) static EC: &[Claim] = &[
    Claim {
        id: "EC-03",
        statement: "Replicas that put updates in the order of their timestamps converge: with the same updates they hold the same at any time, \
                    and when updates stop all reads agree in the end.",
        control: "a merge that loses updates, by doing them as they come: replicas with the same updates differ, and reads never agree",
        source: "Terry et al., SOSP 1995; Vogels, CACM 52 (1), 2009; Shapiro et al., SSS 2011",
        run: ec_03,
    },
    Claim {
        id: "EC-04",
        statement: "Session tokens give read your writes, monotonic reads, monotonic writes and writes follow reads over servers that lag, each \
                    to the sessions that ask for it.",
        control: "without tokens all four are broken, and without its own each of them is",
        source: "Terry et al., PDIS 1994",
        run: ec_04,
    },
];

/// Latencies of 1 to 60 ms; each link keeps its order.
fn links() -> Links {
    Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) })
}

/// The history in the words of the checkers: each operation is a transaction of its client's session, a snapshot one of a read of each object.
fn transactions(history: &History<Op, Reply>, objects: u32) -> Transactions {
    let mut judged = Transactions::default();
    let keys: Vec<Key> = (0..objects).map(|object| judged.add_key(Value::Int(object.into()))).collect();
    let mut values = BTreeMap::from([(0, ValueId::INITIAL)]);
    for operation in history.operations() {
        let mut id = |value| *values.entry(value).or_insert_with(|| judged.add_value(Value::Int(value)));
        let steps: Vec<Step> = match (&operation.op, operation.reply()) {
            (Op::Write { object, value }, _) => {
                vec![Step::Write { key: keys[*object as usize], value: id(*value) }]
            }
            (Op::Read { object }, Some(Reply::Value(value))) => {
                vec![Step::Read { key: keys[*object as usize], value: id(*value) }]
            }
            (Op::Snapshot, Some(Reply::Values(values))) => {
                let held: BTreeMap<u32, i64> = values.iter().copied().collect();
                let mut read = |(object, key): (u32, &Key)| Step::Read {
                    key: *key,
                    value: id(held.get(&object).copied().unwrap_or(0)),
                };
                (0..).zip(&keys).map(&mut read).collect()
            }
            (Op::Read { .. } | Op::Add { .. } | Op::Snapshot, _) => continue,
        };
        let is_known = operation.reply().is_some();
        let status = if is_known { Status::Committed } else { Status::Unknown };
        judged.push(operation.process, status, Some((operation.invoked, operation.returned())), steps);
    }
    judged
}

const REPLICAS: u32 = 3;
const OBJECTS: u32 = 2;

/// What a run of multi-master replicas showed.
struct Converged {
    /// Whether all reads agree when updates have stopped.
    eventual: bool,
    /// Whether replicas with the same updates held the same whenever it was looked at.
    strong: bool,
    /// How many pairs were compared for that.
    compared: usize,
}

/// Notes which updates replicas learn of, beside the history.
#[derive(Default)]
struct Learned {
    recorder: Recorder<MultiMaster>,
    /// Numbers for updates.
    numbers: BTreeMap<Stamp, u32>,
    events: Vec<ReplicaEvent<Store>>,
}

impl Observer<MultiMaster> for Learned {
    fn on_event(&mut self, _: Time, process: ProcessId, event: &multi_master::Event) {
        if let multi_master::Event::Applied(stamped) = event {
            let next = self.numbers.len() as u32;
            let update = *self.numbers.entry(stamped.stamp).or_insert(next);
            self.events.push(ReplicaEvent::Delivered { replica: process.0, update });
        }
    }
    fn on_invoke(&mut self, at: Time, process: ProcessId, id: OpId, op: &Op) {
        self.recorder.on_invoke(at, process, id, op);
    }
    fn on_reply(&mut self, at: Time, process: ProcessId, id: OpId, reply: &Reply) {
        self.recorder.on_reply(at, process, id, reply);
    }
}

/// Two seconds of writes at all replicas, then reads of all objects when all has arrived; replicas are looked at every 20 ms.
fn converged(rule: Rule, seed: u64) -> Result<Converged, String> {
    let setup = Setup {
        links: links(),
        ..Setup::new(REPLICAS, seed, multi_master::Config { replicas: REPLICAS, rule, mistake: None })
    };
    let mut sim = Simulation::<MultiMaster>::new(setup).map_err(|error| error.to_string())?;
    let mut choices = Stream::new(seed, &[0x6563_2d33]);
    for value in 1..=120 {
        let at = Time::ZERO + Span::micros(u64::from(choices.below(2_000_000)));
        let (replica, object) = (choices.below(REPLICAS), choices.below(OBJECTS));
        sim.invoke_at(at, ProcessId(replica), Op::Write { object, value });
    }
    let mut seen = Learned::default();
    for slice in 1..=150 {
        sim.run_until(Time::ZERO + Span::millis(20 * slice), &mut seen);
        let states = sim.live().map(|(replica, process)| ReplicaEvent::Observed {
            replica: replica.0,
            state: process.store().clone(),
        });
        seen.events.extend(states);
    }
    for object in 0..OBJECTS {
        (0..REPLICAS).for_each(|replica| _ = sim.invoke(ProcessId(replica), Op::Read { object }));
    }
    sim.run_until(Time::ZERO + Span::secs(4), &mut seen);
    let (strong, compared) = match strong(&seen.events) {
        Verdict::Holds(compared) => (true, compared),
        Verdict::Violated(_) | Verdict::Unknown(_) => (false, 0),
    };
    let eventual = match eventual(&transactions(seen.recorder.history(), OBJECTS)) {
        Verdict::Holds(agreed) => agreed.len() == OBJECTS as usize,
        Verdict::Violated(_) => false,
        Verdict::Unknown(_) => return Err(format!("seed {seed}: nobody read when updates had stopped")),
    };
    Ok(Converged { eventual, strong, compared })
}

fn ec_03(effort: &Effort) -> Result<Finding, String> {
    let seeds: Vec<u64> = (1..=if effort.quick { 10 } else { 100 }).collect();
    let count = |rule| -> Result<(usize, usize, usize), String> {
        let runs = on_all_cores(&seeds, effort.threads, |seed| converged(rule, seed))?;
        let of = |is: fn(&Converged) -> bool| runs.iter().filter(|run| is(run)).count();
        Ok((of(|run| run.eventual), of(|run| run.strong), runs.iter().map(|run| run.compared).sum()))
    };
    let (agreed, same, compared) = count(Rule::LastWriter)?;
    let (control_agreed, control_same, _) = count(Rule::Arrival)?;
    let runs = seeds.len();
    Ok(Finding {
        holds: agreed == runs && same == runs && compared > runs,
        control_fails: control_agreed < runs / 2 && control_same == 0,
        measured: format!(
            "{runs} runs of {REPLICAS} replicas and 120 writes: reads agree in the end in {agreed}, replicas with the same updates held the same in \
             {same} ({compared} pairs compared); control: {control_agreed} and {control_same}"
        ),
        predicted: "all and all; control: hardly any and none".to_owned(),
        charts: Vec::new(),
    })
}

const SERVERS: u32 = 4;
const CLIENTS: u32 = 5;
/// Objects of EC-04: so many that many reads are of one that somebody has just written for the first time.
const PLACES: u32 = 80;

/// The guarantees as levels, in the order of the columns of the table that EC-04 measures.
const LEVELS: [(Level, &str); 4] = [
    (Level::ReadYourWrites, "read your writes"),
    (Level::MonotonicReads, "monotonic reads"),
    (Level::MonotonicWrites, "monotonic writes"),
    (Level::WritesFollowReads, "writes follow reads"),
];

/// All guarantees but one of the four, by its place.
fn all_but(place: usize) -> Guarantees {
    let mut wanted = Guarantees::ALL;
    *field(&mut wanted, place) = false;
    wanted
}

/// One guarantee. What others see of a session's writes can only be judged by readers that do not go back themselves: the last two come
/// with monotonic reads.
fn only(place: usize) -> Guarantees {
    let mut wanted = Guarantees { monotonic_reads: place >= 2, ..Guarantees::NONE };
    *field(&mut wanted, place) = true;
    wanted
}

const fn field(wanted: &mut Guarantees, place: usize) -> &mut bool {
    match place {
        0 => &mut wanted.read_your_writes,
        1 => &mut wanted.monotonic_reads,
        2 => &mut wanted.monotonic_writes,
        _ => &mut wanted.writes_follow_reads,
    }
}

/// What became of the guarantees in a run.
struct Kept {
    /// Whether some session lacked each of the four.
    lacked: [bool; 4],
    operations: usize,
    /// Nanoseconds from invocations to returns, all operations together.
    waited: u64,
}

/// Clients that read and write what others have just written, each at whichever server it comes upon. A client writes no object twice: if it
/// did, the order of its own writes would be part of what it reads.
fn simulated(guarantees: Guarantees, mistake: Option<Mistake>, seed: u64) -> Result<Kept, String> {
    let config = Config { period: Span::millis(200), mistake, ..Config::new(SERVERS, guarantees) };
    let setup = Setup { links: links(), ..Setup::new(SERVERS + CLIENTS, seed, config) };
    let mut sim = Simulation::<Sessions>::new(setup).map_err(|error| error.to_string())?;
    let mut recorder = Recorder::default();
    let end = Time::ZERO + Span::secs(2);
    let at = (SERVERS..SERVERS + CLIENTS).map(ProcessId).collect();
    let clients = Clients { at, ..Clients::at_each(CLIENTS, Span::millis(10), end, seed) };
    let (mut value, mut written) = (0, BTreeSet::new());
    clients.drive(&mut sim, end + Span::secs(10), &mut recorder, |client, choices| {
        value += 1;
        let object = (value as u32 / 4 + choices.below(3)) % PLACES;
        Some(match choices.below(8) {
            0 => Op::Snapshot,
            1..5 if written.insert((client, object)) => Op::Write { object, value },
            _ => Op::Read { object },
        })
    });
    let operations = recorder.history().operations();
    if operations.iter().any(|operation| operation.reply().is_none()) {
        return Err(format!("seed {seed}: an operation was not answered"));
    }
    let history = transactions(recorder.history(), PLACES);
    let mut lacked = [false; 4];
    for report in sessions(&history)? {
        for (level, violation) in report.lacks {
            verify_transactions(&history, level, &Verdict::Violated(violation))
                .map_err(|why| format!("seed {seed}: a wrong certificate: {why}"))?;
            for (lacks, _) in lacked.iter_mut().zip(LEVELS).filter(|(_, (of, _))| *of == level) {
                *lacks = true;
            }
        }
    }
    if guarantees == Guarantees::ALL && mistake.is_none() {
        let causal = check(&history, Level::CausalConvergence, Budget::default());
        if !matches!(causal, Verdict::Holds(_)) {
            return Err(format!("seed {seed}: all four guarantees, and it is not causal: {causal:?}"));
        }
    }
    Ok(Kept { lacked, operations: operations.len(), waited: waited(recorder.history()) })
}

/// Nanoseconds from invocations to returns, all operations together.
fn waited(history: &History<Op, Reply>) -> u64 {
    let mut open = BTreeMap::new();
    let mut sum = 0;
    for entry in history.entries() {
        match entry {
            Entry::Invoke { time, id, .. } => _ = open.insert(*id, *time),
            Entry::Return { time, id, .. } => {
                sum += open.remove(id).map_or(0, |begun| time.since(begun).0);
            }
            Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    sum
}

/// How many runs a row of the table has; writes that follow reads are broken seldom.
const fn runs(effort: &Effort) -> u64 {
    if effort.quick { 120 } else { 500 }
}

/// A row of the table: in how many runs some session lacked each guarantee, and how long an operation took on average.
#[derive(Clone, Copy)]
struct Row {
    lacked: [usize; 4],
    millis: f64,
}

fn row(effort: &Effort, guarantees: Guarantees, mistake: Option<Mistake>) -> Result<Row, String> {
    let seeds: Vec<u64> = (1..=runs(effort)).collect();
    let runs = on_all_cores(&seeds, effort.threads, |seed| simulated(guarantees, mistake, seed))?;
    let lacked = [0, 1, 2, 3].map(|place| runs.iter().filter(|run| run.lacked[place]).count());
    let operations: usize = runs.iter().map(|run| run.operations).sum();
    let waited: u64 = runs.iter().map(|run| run.waited).sum();
    Ok(Row { lacked, millis: waited as f64 / 1e6 / operations.max(1) as f64 })
}

fn ec_04(effort: &Effort) -> Result<Finding, String> {
    let all = row(effort, Guarantees::ALL, None)?;
    let none = row(effort, Guarantees::NONE, None)?;
    let (mut kept, mut broken, mut told) = (true, true, Vec::new());
    for (place, (_, name)) in LEVELS.iter().enumerate() {
        let (alone, without) = (row(effort, only(place), None)?, row(effort, all_but(place), None)?);
        kept &= alone.lacked[place] == 0;
        broken &= without.lacked[place] > 0 && none.lacked[place] > 0;
        told.push(format!(
            "{name} {} of {} alone, {} without its own, {} with none",
            alone.lacked[place], all.lacked[place], without.lacked[place], none.lacked[place]
        ));
    }
    let runs = runs(effort);
    Ok(Finding {
        holds: kept && all.lacked == [0; 4],
        control_fails: broken,
        measured: format!(
            "sessions that lack a guarantee, in how many of {runs} runs of {SERVERS} servers and {CLIENTS} clients, with all tokens {:?}; {}; an operation takes {:.0} ms \
             with all and {:.0} ms with none",
            all.lacked,
            told.join("; "),
            all.millis,
            none.millis
        ),
        predicted: "none with its token, some without".to_owned(),
        charts: Vec::new(),
    })
}

pub(super) fn mus_31(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 200 } else { 2_000 };
    let first = |mistake| -> Result<Option<u64>, String> {
        for seed in 1..=seeds {
            if simulated(Guarantees::ALL, mistake, seed)?.lacked[2] {
                return Ok(Some(seed));
            }
        }
        Ok(None)
    };
    let (found, shipped) = (first(Some(Mistake::OwnWritesOnly))?, first(None)?);
    let told = |seed: Option<u64>| {
        seed.map_or_else(|| format!("kept with {seeds} seeds"), |seed| format!("broken with seed {seed}"))
    };
    Ok(Finding {
        holds: found.is_some(),
        control_fails: shipped.is_none(),
        measured: format!(
            "monotonic writes, all tokens checked: {} when servers pass on only their own writes; control: {}",
            told(found),
            told(shipped)
        ),
        predicted: "broken; kept by servers that pass on all they have, oldest first".to_owned(),
        charts: Vec::new(),
    })
}
