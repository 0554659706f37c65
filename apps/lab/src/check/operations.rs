//! Histories of objects: linearizability and sequential consistency.

use std::collections::BTreeMap;

use isles_check::linearizability::{self, Contradiction, Order};
use isles_check::models::{
    Bank, Broker, Composed, Counter, KeyValue, Lease, Lock, Log, MultiRegister, PriorityQueue, Queue,
    Register, Set, Stack,
};
use isles_check::read::{Guess, Object, Reading, Words, objects};
use isles_check::verify::{self, Keep};
use isles_check::{Model, Verdict, sequential};
use isles_history::{Operation, Value};

use super::faults::marks;
use super::numbers::numbers;
use super::{Bar, CheckError, Judgement, MODELS, Options, Outcome, Source, Want, Word, around};

/// Judges the history as one of the model of this name.
pub(super) fn judge(
    source: &Source<'_>,
    format: &'static str,
    model: &str,
    guessed: Option<Guess>,
    how: Reading,
    options: &Options,
) -> Result<Outcome, CheckError> {
    let job = Job { source, format, how, options };
    let nothing = || options.initial.clone().filter(|value| *value != Value::Nil);
    match model {
        "register" => job.run(&Register { initial: options.initial.clone().unwrap_or(Value::Nil) }),
        "key-value" => job.run(&KeyValue::new(nothing().or_else(|| job.empty_text()))),
        "multi-register" => job.run(&job.multi_register()?),
        "counter" => job.run(&Counter { initial: nothing().and_then(|value| value.int()).unwrap_or(0) }),
        "set" => job.run(&Set { initial: elements(options).into_iter().collect() }),
        "queue" => job.run(&Queue { initial: elements(options) }),
        "stack" => job.run(&Stack { initial: elements(options) }),
        "priority-queue" => job.run(&PriorityQueue { initial: elements(options), first: Default::default() }),
        "lock" => job.run(&Lock { initial: None, owned: false }),
        "lease" => job.run(&Lease { token: 0 }),
        "log" => job.run(&Log { initial: elements(options) }),
        "bank" => {
            let balances = guessed.map(|guess| guess.balances).unwrap_or_default();
            job.run(&Bank { initial: initial_balances(options).unwrap_or(balances), overdraft: false })
        }
        "broker" => job.run(&Broker { order: Default::default(), initial: elements(options) }),
        other => {
            Err(CheckError::Asked(format!("there is no model '{other}'; there are {}", MODELS.join(", "))))
        }
    }
}

/// What a collection holds at first.
fn elements(options: &Options) -> Vec<Value> {
    options.initial.as_ref().and_then(|value| value.elements()).map_or_else(Vec::new, <[Value]>::to_vec)
}

fn initial_balances(options: &Options) -> Option<BTreeMap<Value, i64>> {
    let Some(Value::Map(pairs)) = &options.initial else { return None };
    pairs.iter().map(|(account, balance)| Some((account.clone(), balance.int()?))).collect()
}

struct Job<'a> {
    source: &'a Source<'a>,
    format: &'static str,
    how: Reading,
    options: &'a Options,
}

impl Job<'_> {
    /// Stores whose values are texts hold the empty one at first, as those of the key-value logs do.
    fn empty_text(&self) -> Option<Value> {
        let mut calls = self.source.calls().ok()?;
        let appends = |call: isles_history::Call| {
            matches!(&*call.function, "append") && matches!(call.asked, Value::Text(_))
        };
        calls.find_map(|call| call.ok().filter(|call| appends(call.clone()))).map(|_| Value::Text("".into()))
    }

    /// Registers that all hold the same at first; 0 unless that was given.
    fn multi_register(&self) -> Result<MultiRegister<Value, Value>, CheckError> {
        let first = self.options.initial.clone().unwrap_or(Value::Int(0));
        let mut initial = BTreeMap::new();
        for call in self.source.calls()? {
            let call = call.map_err(self.source.wrong())?;
            for step in call.asked.elements().unwrap_or_default() {
                if let Some(key) = step.elements().and_then(|parts| parts.get(1))
                    && !initial.contains_key(key)
                {
                    initial.insert(key.clone(), first.clone());
                }
            }
        }
        Ok(MultiRegister { initial })
    }

    fn run<M: Words>(&self, model: &M) -> Result<Outcome, CheckError> {
        let mut calls = self.source.calls()?;
        let objects = objects(model, &mut calls, self.how).map_err(self.source.wrong())?;
        // Clocks that are not trusted put operations into another order than that of the file.
        let faults = if self.how.skew.is_none() { marks(calls.faults().0) } else { Vec::new() };
        let wants = match &self.options.levels[..] {
            _ if self.options.all => vec![Want::Linearizable, Want::Sequential, Want::SequentialEach],
            [] => vec![Want::Linearizable],
            wants => wants.to_vec(),
        };
        let judgements: Vec<Judgement> =
            wants.into_iter().map(|want| self.level(model, &objects, want)).collect();
        let mut outcome = Outcome {
            file: self.source.path.display().to_string(),
            format: self.format,
            model: model.name().to_owned(),
            count: objects.iter().map(|object| object.operations.len()).sum(),
            judgements,
            faults,
            stale: Vec::new(),
            strongest: Vec::new(),
            weakest: Vec::new(),
        };
        if self.options.all {
            let of =
                |word| outcome.judgements.iter().filter(move |one| one.verdict == word).map(|one| one.level);
            outcome.strongest = of(Word::Holds).take(1).collect();
            outcome.weakest = of(Word::Violated).next_back().into_iter().collect();
            if matches!(model.name(), "register" | "key-value") {
                outcome.stale =
                    numbers(self.source.calls()?, self.how.tuples).map_err(self.source.wrong())?;
            }
        }
        Ok(outcome)
    }

    /// Linearizability is local: objects are judged one by one. Sequential consistency is not: it is judged for all together, and, as a
    /// level of its own, for each.
    fn level<M: Words>(&self, model: &M, objects: &[Object<M::Op, M::Reply>], want: Want) -> Judgement {
        let parts: Vec<Object<M::Op, M::Reply>>;
        let objects = match (want, objects) {
            (Want::Sequential, [_, _, ..]) => {
                let (composed, all) = (Composed(model), together(objects));
                let verdict = sequential::check(&composed, &all.operations, &self.options.limits);
                return self.told(&composed, &all, want, &verdict);
            }
            (Want::SequentialEach, _) => {
                parts = objects.iter().flat_map(|object| apart(model, object)).collect();
                &parts[..]
            }
            _ => objects,
        };
        let mut last: Option<Judgement> = None;
        let mut count = 0;
        for object in objects {
            count += object.operations.len();
            let judgement = self.object(model, object, want);
            match (judgement.verdict, last.as_mut()) {
                (Word::Violated, _) => return judgement,
                (Word::Holds, Some(last)) => {
                    last.order.extend(judgement.order);
                    last.object = None;
                    if last.verified == Some(true) {
                        (last.verified, last.flaw) = (judgement.verified, judgement.flaw);
                    }
                }
                (Word::Unknown, Some(last)) if last.verdict == Word::Unknown => {}
                (Word::Holds | Word::Unknown, _) => last = Some(judgement),
            }
        }
        let mut judged = last.unwrap_or_else(|| Judgement::new(want.name(), Word::Holds));
        judged.count = count;
        judged
    }

    fn object<M: Words>(&self, model: &M, object: &Object<M::Op, M::Reply>, want: Want) -> Judgement {
        let (operations, limits) = (&object.operations, &self.options.limits);
        let verdict = match want {
            Want::Sequential | Want::SequentialEach => sequential::check(model, operations, limits),
            Want::Linearizable | Want::Level(_) | Want::Eventual => {
                linearizability::check(model, operations, limits)
            }
        };
        self.told(model, object, want, &verdict)
    }

    /// The verdict in words.
    fn told<M: Model>(
        &self,
        model: &M,
        object: &Object<M::Op, M::Reply>,
        want: Want,
        verdict: &Verdict<Order, Contradiction>,
    ) -> Judgement {
        let operations = &object.operations;
        let keep = match want {
            Want::Sequential | Want::SequentialEach => Keep::Processes,
            Want::Linearizable | Want::Level(_) | Want::Eventual => Keep::RealTime,
        };
        let name = |place: u32| format!("line {}", object.origins[place as usize].line);
        let mut judgement = match verdict {
            Verdict::Holds(Order(order)) => Judgement {
                order: order.iter().map(|place| name(*place)).collect(),
                ..Judgement::new(want.name(), Word::Holds)
            },
            Verdict::Violated(why) => Judgement {
                why: why.sentences(model, operations, name),
                core: why.core.iter().map(|place| name(*place)).collect(),
                bars: around(bars(model, object, why)),
                ..Judgement::new(want.name(), Word::Violated)
            },
            Verdict::Unknown(progress) => Judgement {
                why: vec![
                    format!("The first {} operations are right by themselves.", progress.decided),
                    format!("There were {} ways to go on from there.", progress.frontier),
                    format!("What would help: {}.", progress.help),
                ],
                ..Judgement::new(want.name(), Word::Unknown)
            },
        };
        judgement.object = object.key.as_ref().map(ToString::to_string);
        judgement.count = operations.len();
        if self.options.verify {
            let checked = match verdict {
                Verdict::Holds(Order(order)) => verify::order(model, operations, order, keep),
                Verdict::Violated(why) => verify::contradiction(model, operations, &why.core, keep),
                Verdict::Unknown(_) => Ok(()),
            };
            judgement.verified = (judgement.verdict != Word::Unknown).then_some(checked.is_ok());
            judgement.flaw = checked.err().map(|flaw| flaw.to_string());
        }
        judgement
    }
}

/// The operations of several objects as those of one, in the order of their invocations, each with the number of its object.
fn together<Op: Clone, Reply: Clone>(objects: &[Object<Op, Reply>]) -> Object<(u32, Op), Reply> {
    let mut all = Vec::new();
    for (number, object) in (0..).zip(objects) {
        for (operation, origin) in object.operations.iter().zip(&object.origins) {
            let Operation { process, invoked, op, outcome } = operation.clone();
            all.push((Operation { process, invoked, op: (number, op), outcome }, *origin));
        }
    }
    all.sort_by_key(|(operation, _)| operation.invoked);
    let (operations, origins) = all.into_iter().unzip();
    Object { key: None, operations, origins }
}

/// The objects that a model of several knows, each with its operations, in the order of their names.
fn apart<M: Words>(model: &M, object: &Object<M::Op, M::Reply>) -> Vec<Object<M::Op, M::Reply>> {
    let mut parts: BTreeMap<Option<Value>, Object<M::Op, M::Reply>> = BTreeMap::new();
    for (operation, origin) in object.operations.iter().zip(&object.origins) {
        let key = model.object(&operation.op).or_else(|| object.key.clone());
        let part = parts.entry(key.clone()).or_insert_with(|| Object {
            key,
            operations: Vec::new(),
            origins: Vec::new(),
        });
        part.operations.push(operation.clone());
        part.origins.push(*origin);
    }
    if parts.is_empty() { vec![object.clone()] } else { parts.into_values().collect() }
}

fn bars<M: Model>(model: &M, object: &Object<M::Op, M::Reply>, why: &Contradiction) -> Vec<Bar> {
    (0..)
        .zip(object.operations.iter().zip(&object.origins))
        .map(|(place, (operation, origin))| Bar {
            name: format!("line {}", origin.line),
            lane: origin.process.unwrap_or(u64::from(operation.process)).to_string(),
            text: model.describe(&operation.op, operation.reply()),
            begin: operation.invoked,
            end: operation.reply().map(|_| operation.returned()),
            marked: why.core.binary_search(&place).is_ok(),
        })
        .collect()
}

impl Judgement {
    pub(super) const fn new(level: &'static str, verdict: Word) -> Self {
        Self {
            level,
            object: None,
            verdict,
            anomaly: None,
            why: Vec::new(),
            core: Vec::new(),
            bars: Vec::new(),
            count: 0,
            order: Vec::new(),
            verified: None,
            flaw: None,
        }
    }
}
