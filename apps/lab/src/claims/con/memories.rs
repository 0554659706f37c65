//! Replicated memories, simulated and judged by what their clients saw.

use isles_check::linearizability::{self, Limits};
use isles_check::models::MultiRegister;
use isles_check::models::multi_register::{Op as Steps, Reply as Seen, Step};
use isles_check::{Verdict, sequential, verify};
use isles_history::{History, Operation, Outcome};
use isles_kernel::random::Stream;
use isles_kernel::{Protocol, Span, Time};
use isles_replication::memory::{Config, Memory, Reads, Writes};
use isles_replication::multi_master::{self, MultiMaster, Rule};
use isles_replication::store::{Op, Reply, Store};
use isles_sim::{Clients, Distribution, Links, Recorder, Setup, Simulation};

use super::super::{Effort, Finding};
use crate::run::seeds::on_all_cores;

const REPLICAS: u32 = 3;
const OBJECTS: u32 = 2;

/// A run that ended: what clients saw, and what each replica holds.
pub(super) struct Ended {
    history: History<Op, Reply>,
    stores: Vec<Store>,
}

/// A client at each replica until `until`, links of 1 to 60 ms, and time enough for all to arrive.
fn run<P: Protocol<Op = Op, Reply = Reply>>(
    config: P::Config,
    seed: u64,
    until: Span,
    store: fn(&P) -> &Store,
    mut ask: impl FnMut(usize, &mut Stream) -> Option<Op>,
) -> Result<Ended, String> {
    let links = Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) });
    let setup = Setup { links, ..Setup::new(REPLICAS, seed, config) };
    let mut sim = Simulation::<P>::new(setup).map_err(|error| error.to_string())?;
    let mut recorder = Recorder::default();
    let end = Time::ZERO + until;
    let clients = Clients::at_each(REPLICAS, Span::millis(15), end, seed);
    clients.drive(&mut sim, end + Span::secs(2), &mut recorder, &mut ask);
    let stores = sim.live().map(|(_, replica)| store(replica).clone()).collect();
    Ok(Ended { history: recorder.history().clone(), stores })
}

/// Reads, writes of values that never come twice, and now and then a snapshot.
fn reads_and_writes() -> impl FnMut(usize, &mut Stream) -> Option<Op> {
    let mut value = 0;
    move |_, choices| {
        let object = choices.below(OBJECTS);
        value += 1;
        Some(match choices.below(10) {
            0..4 => Op::Write { object, value },
            4..9 => Op::Read { object },
            _ => Op::Snapshot,
        })
    }
}

/// Updates that do not commute.
fn updates() -> impl FnMut(usize, &mut Stream) -> Option<Op> {
    move |client, choices| {
        let (object, value) = (choices.below(OBJECTS), client as i64 + 1);
        Some(if choices.below(2) == 0 {
            Op::Write { object, value }
        } else {
            Op::Add { object, amount: value }
        })
    }
}

type Judged = Operation<Steps<u32, i64>, Seen<i64>>;

/// The history in the words of the checkers' model.
fn judged(history: &History<Op, Reply>) -> (MultiRegister<u32, i64>, Vec<Judged>) {
    let steps = |op: &Op| {
        Steps(match *op {
            Op::Read { object } => vec![Step::Read(object)],
            Op::Write { object, value } | Op::Add { object, amount: value } => {
                vec![Step::Write(object, value)]
            }
            Op::Snapshot => (0..OBJECTS).map(Step::Read).collect(),
        })
    };
    let seen = |reply: &Reply| {
        Seen(match reply {
            Reply::Value(value) => vec![Some(*value)],
            Reply::Done => vec![None],
            Reply::Values(values) => {
                let value =
                    |object| values.iter().find(|(at, _)| *at == object).map_or(0, |(_, value)| *value);
                (0..OBJECTS).map(|object| Some(value(object))).collect()
            }
        })
    };
    let operations = history.operations().into_iter().map(|operation| Operation {
        process: operation.process,
        invoked: operation.invoked,
        op: steps(&operation.op),
        outcome: match &operation.outcome {
            Outcome::Returned { at, reply } => Outcome::Returned { at: *at, reply: seen(reply) },
            Outcome::Unknown => Outcome::Unknown,
        },
    });
    (MultiRegister { initial: (0..OBJECTS).map(|object| (object, 0)).collect() }, operations.collect())
}

/// How a configuration of the memory came out: runs, operations, and how many runs were sequentially consistent and linearizable.
#[derive(Default)]
struct Tally {
    runs: u32,
    operations: usize,
    sequential: u32,
    linearizable: u32,
    /// The fewest operations that show that a run was not linearizable.
    least: Option<usize>,
}

impl Tally {
    fn of(writes: Writes, reads: Reads, effort: &Effort) -> Result<Self, String> {
        let seeds: Vec<u64> = (1..=if effort.quick { 12 } else { 60 }).collect();
        let one = |seed| -> Result<(usize, bool, Result<(), usize>), String> {
            let config = Config::new(REPLICAS, writes, reads);
            let ended = run::<Memory>(config, seed, Span::millis(600), Memory::store, reads_and_writes())?;
            let (model, operations) = judged(&ended.history);
            let linearizable = match linearizability::check(&model, &operations, &Limits::default()) {
                Verdict::Holds(order) => {
                    let checked = verify::order(&model, &operations, &order.0, verify::Keep::RealTime);
                    checked.map_err(|flaw| format!("seed {seed}: a wrong certificate: {flaw:?}"))?;
                    Ok(())
                }
                Verdict::Violated(why) => Err(why.core.len()),
                Verdict::Unknown(_) => return Err(format!("seed {seed}: linearizability is not decided")),
            };
            let sequential = match sequential::check(&model, &operations, &Limits::default()) {
                Verdict::Holds(_) => true,
                Verdict::Violated(_) => false,
                Verdict::Unknown(_) => {
                    return Err(format!("seed {seed}: sequential consistency is not decided"));
                }
            };
            Ok((operations.len(), sequential, linearizable))
        };
        let mut tally = Self::default();
        for outcome in on_all_cores(&seeds, effort.threads, one).map_err(|error| error.to_string())? {
            let (operations, sequential, linearizable) = outcome;
            tally.runs += 1;
            tally.operations += operations;
            tally.sequential += u32::from(sequential);
            tally.linearizable += u32::from(linearizable.is_ok());
            tally.least = linearizable.err().into_iter().chain(tally.least).min();
        }
        Ok(tally)
    }
}

pub(super) fn con_02(effort: &Effort) -> Result<Finding, String> {
    let runs = if effort.quick { 10 } else { 100 };
    let until = Span::secs(2);
    let alike = |ended: &Ended| ended.stores.windows(2).all(|two| two[0] == two[1]);
    let (mut ordered, mut arrived, mut count) = (0, 0, 0);
    for seed in 1..=runs {
        let config = Config::new(REPLICAS, Writes::Delivered, Reads::AtOnce);
        let ended = run::<Memory>(config, seed, until, Memory::store, updates())?;
        count += ended.history.entries().len() / 2;
        ordered += u64::from(alike(&ended));
        let config = multi_master::Config { replicas: REPLICAS, rule: Rule::Arrival, mistake: None };
        arrived += u64::from(alike(&run::<MultiMaster>(config, seed, until, MultiMaster::store, updates())?));
    }
    Ok(Finding {
        holds: ordered == runs,
        control_fails: arrived < runs,
        measured: format!(
            "{runs} runs of {REPLICAS} replicas, {count} updates: alike in the end {ordered} times in total order, {arrived} times as \
             they come"
        ),
        predicted: "always, and not always".to_owned(),
        charts: Vec::new(),
    })
}

pub(super) fn con_03(effort: &Effort) -> Result<Finding, String> {
    let fast_reads = Tally::of(Writes::Delivered, Reads::AtOnce, effort)?;
    let fast_writes = Tally::of(Writes::AtOnce, Reads::AfterOwnWrites, effort)?;
    let control = Tally::of(Writes::AtOnce, Reads::AtOnce, effort)?;
    let is_sequential_only =
        |tally: &Tally| tally.sequential == tally.runs && tally.linearizable < tally.runs;
    Ok(Finding {
        holds: is_sequential_only(&fast_reads) && is_sequential_only(&fast_writes),
        control_fails: control.sequential < control.runs,
        measured: format!(
            "fast reads: {} of {} runs ({} operations) sequentially consistent, {} linearizable, {} operations show that one is not; \
             fast writes: {} and {}; control: {} sequentially consistent",
            fast_reads.sequential,
            fast_reads.runs,
            fast_reads.operations,
            fast_reads.linearizable,
            fast_reads.least.unwrap_or(0),
            fast_writes.sequential,
            fast_writes.linearizable,
            control.sequential,
        ),
        predicted:
            "all sequentially consistent, not all linearizable; control: not all sequentially consistent"
                .to_owned(),
        charts: Vec::new(),
    })
}

pub(super) fn con_05(effort: &Effort) -> Result<Finding, String> {
    let waiting = Tally::of(Writes::Acknowledged, Reads::Stable, effort)?;
    let ordered = Tally::of(Writes::Delivered, Reads::Ordered, effort)?;
    let half = Tally::of(Writes::Acknowledged, Reads::AtOnce, effort)?;
    let control = Tally::of(Writes::Delivered, Reads::AtOnce, effort)?;
    Ok(Finding {
        holds: waiting.linearizable == waiting.runs && ordered.linearizable == ordered.runs,
        control_fails: control.linearizable < control.runs,
        measured: format!(
            "{} of {} runs linearizable ({} operations), {} with reads in the order too; when only writes wait, {}: two reads during \
             a write still see the new value first and the old one then; control: {}, {} operations show it",
            waiting.linearizable,
            waiting.runs,
            waiting.operations,
            ordered.linearizable,
            half.linearizable,
            control.linearizable,
            control.least.unwrap_or(0),
        ),
        predicted: "all; control: not all".to_owned(),
        charts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_keeps_its_length_in_the_checkers_words() {
        let config = Config::new(REPLICAS, Writes::Delivered, Reads::AtOnce);
        let ended =
            run::<Memory>(config, 1, Span::millis(300), Memory::store, reads_and_writes()).expect("it runs");
        let (model, operations) = judged(&ended.history);
        assert_eq!(operations.len(), ended.history.operations().len());
        assert!(!operations.is_empty() && model.initial.len() == OBJECTS as usize);
    }
}
