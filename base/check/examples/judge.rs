//! Judges files of operations: verdict, how many operations show it, time, and whether the verifier accepts the certificate:
//! `cargo run --release -p isles-check --example judge -- FILE...`

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::time::{Duration, Instant};

use isles_check::linearizability::{Limits, check};
use isles_check::models::{Bank, Counter, KeyValue, Lock, MultiRegister, Queue, Register, Set, Stack};
use isles_check::read::{Fails, Guess, Reading, Words, guess, objects};
use isles_check::verify::{self, Keep};
use isles_check::{Model, Verdict};
use isles_history::{Call, Calls, Operation, Value, read};

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example for the terminal, which measures"
)]
fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let begin = Instant::now();
        let isles_history::Reading::Events(events) = read(BufReader::new(File::open(&path)?), None)? else {
            println!("{path}: transactions; see the example 'place'");
            continue;
        };
        let calls = Calls::new(events).collect::<Result<Vec<Call>, _>>()?;
        let read = begin.elapsed();
        let Some(Guess { model, tuples, balances }) = guess(&calls) else {
            println!("{path}: of no model that is known");
            continue;
        };
        let fails = if path.contains("etcd-jepsen") { Fails::Assert } else { Fails::Drop };
        let job = Job { path, read, calls, how: Reading { tuples, fails, skew: None } };
        let nothing = Value::Nil;
        match model {
            "register" => job.run(&Register { initial: nothing }),
            "key-value" => job.run(&KeyValue::new(job.path.contains("kv/c").then(|| Value::Text("".into())))),
            "multi-register" => {
                let keys = ["x", "y"].map(|key| (Value::Keyword(key.into()), Value::Int(0)));
                job.run(&MultiRegister { initial: BTreeMap::from(keys) })
            }
            "counter" => job.run(&Counter { initial: 0 }),
            "set" => job.run(&Set { initial: BTreeSet::new() }),
            "queue" => job.run(&Queue { initial: Vec::new() }),
            "stack" => job.run(&Stack { initial: Vec::new() }),
            "lock" => job.run(&Lock { initial: None, owned: false }),
            "bank" => job.run(&Bank { initial: balances, overdraft: false }),
            other => println!("{}: {other} is not judged here", job.path),
        }
    }
    Ok(())
}

struct Job {
    path: String,
    read: Duration,
    calls: Vec<Call>,
    how: Reading,
}

impl Job {
    #[expect(clippy::print_stdout, reason = "an example for the terminal")]
    fn run<M: Words>(&self, model: &M) {
        let objects = match objects(model, self.calls.iter().cloned().map(Ok), self.how) {
            Ok(objects) => objects,
            Err(error) => return println!("{}: {error}", self.path),
        };
        for object in objects {
            let key = object.key.map_or_else(String::new, |key| format!(" {key}"));
            println!("{}{key}: {}, read in {:?}", self.path, judged(model, &object.operations), self.read);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an example that measures")]
fn judged<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>]) -> String {
    let begin = Instant::now();
    let verdict = check(model, operations, &Limits::default());
    let time = begin.elapsed();
    let begin = Instant::now();
    let (word, checked) = match &verdict {
        Verdict::Holds(order) => {
            ("holds".to_owned(), verify::order(model, operations, &order.0, Keep::RealTime))
        }
        Verdict::Violated(why) => (
            format!("violated, shown by {}", why.core.len()),
            verify::contradiction(model, operations, &why.core, Keep::RealTime),
        ),
        Verdict::Unknown(_) => ("unknown".to_owned(), Ok(())),
    };
    format!(
        "{} operations, {word}, in {time:?}, verified {checked:?} in {:?}",
        operations.len(),
        begin.elapsed()
    )
}
