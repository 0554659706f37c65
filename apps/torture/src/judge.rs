//! What the history of a run says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use isles_check::linearizability::{self, Limits};
use isles_check::models::register::Register;
use isles_check::read::{Reading, objects};
use isles_check::transactions::{self, Budget, Level};
use isles_check::{Verdict, read};
use isles_history::{Calls, EdnWriter, Event, Kind, Value};

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judgement {
    /// Operations on registers, and transactions, that were answered.
    pub answered: (u64, u64),
    /// Of these and those, that nobody knows of.
    pub unknown: (u64, u64),
    /// Registers are linearizable; otherwise why not.
    pub registers: Option<String>,
    /// Transactions are strictly serializable; otherwise why not.
    pub transactions: Option<String>,
    /// Appends that were acknowledged and are in no list at the end.
    pub lost: Vec<i64>,
}

impl Judgement {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.registers.is_none() && self.transactions.is_none() && self.lost.is_empty()
    }
}

/// Writes a history as EDN, for `isles check`.
fn write(path: &Path, events: &[Event]) -> Result<()> {
    let mut out = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    let mut writer = EdnWriter::default();
    for event in events {
        writer.write(event, &mut out)?;
    }
    Ok(out.flush()?)
}

fn count(events: &[Event], kind: Kind) -> u64 {
    events.iter().filter(|event| event.kind == kind).count() as u64
}

/// Judges both histories, and leaves them in `folder` as `registers.edn` and `lists.edn`.
///
/// # Errors
/// When they cannot be written, or are none.
pub fn judge(folder: &Path, registers: &[Event], lists: &[Event]) -> Result<Judgement> {
    write(&folder.join("registers.edn"), registers)?;
    write(&folder.join("lists.edn"), lists)?;
    Ok(Judgement {
        answered: (count(registers, Kind::Ok), count(lists, Kind::Ok)),
        unknown: (count(registers, Kind::Info), count(lists, Kind::Info)),
        registers: judge_registers(registers)?,
        transactions: judge_lists(lists)?,
        lost: lost(lists),
    })
}

fn judge_registers(events: &[Event]) -> Result<Option<String>> {
    let model = Register { initial: Value::Nil };
    let reading = Reading { tuples: true, fails: read::Fails::Drop, skew: None };
    let calls = Calls::new(events.iter().cloned().map(Ok));
    for object in objects(&model, calls, reading)? {
        let name = object.key.as_ref().map(ToString::to_string).unwrap_or_default();
        match linearizability::check(&model, &object.operations, &Limits::default()) {
            Verdict::Holds(_) => {}
            Verdict::Violated(why) => {
                let core: Vec<String> = why
                    .core
                    .iter()
                    .map(|place| format!("{:?}", object.operations[*place as usize]))
                    .collect();
                return Ok(Some(format!("{name} is not linearizable: {}", core.join("; "))));
            }
            Verdict::Unknown(progress) => return Ok(Some(format!("{name} was not decided: {progress:?}"))),
        }
    }
    Ok(None)
}

fn judge_lists(events: &[Event]) -> Result<Option<String>> {
    let history = isles_history::transactions(Calls::new(events.iter().cloned().map(Ok)))?;
    Ok(match transactions::check(&history, Level::StrictSerializable, Budget::default()) {
        Verdict::Holds(_) => None,
        Verdict::Violated(why) => Some(format!("transactions are not strictly serializable: {why:?}")),
        Verdict::Unknown(progress) => Some(format!("transactions were not decided: {progress:?}")),
    })
}

/// Appends that were acknowledged and that the last read of their list does not have.
fn lost(events: &[Event]) -> Vec<i64> {
    let mut acknowledged: BTreeMap<&Value, Vec<i64>> = BTreeMap::new();
    let mut last: BTreeMap<&Value, BTreeSet<i64>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == Kind::Ok) {
        for step in event.value.elements().unwrap_or_default() {
            match step.elements() {
                Some([word, key, Value::Int(value)]) if word.name() == Some("append") => {
                    acknowledged.entry(key).or_default().push(*value);
                }
                Some([_, key, Value::List(values)]) => {
                    last.insert(key, values.iter().filter_map(Value::int).collect());
                }
                _ => {}
            }
        }
    }
    let is_lost = |key: &Value, value: &i64| !last.get(key).is_some_and(|values| values.contains(value));
    acknowledged
        .iter()
        .flat_map(|(key, values)| {
            values.iter().filter(|value| is_lost(key, value)).copied().collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Event> {
        let isles_history::Reading::Events(events) = isles_history::read(text.as_bytes(), None).unwrap()
        else {
            panic!("these are operations")
        };
        events.map(Result::unwrap).collect()
    }

    fn judged(registers: &str, lists: &str) -> Judgement {
        let folder = std::env::temp_dir().join(format!(
            "isles-judge-{}-{}",
            std::process::id(),
            registers.len() + lists.len()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let judgement = judge(&folder, &events(registers), &events(lists)).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        judgement
    }

    const REGISTERS: &str = "{:process 0 :type :invoke :f :write :value [\"r\" 1]}\n{:process 0 :type :ok :f :write :value [\"r\" 1]}\n\
         {:process 1 :type :invoke :f :read :value [\"r\" nil]}\n{:process 1 :type :ok :f :read :value [\"r\" 1]}\n";
    const LISTS: &str = "{:process 0 :type :invoke :f :txn :value [[:append \"l\" 1] [:append \"m\" 2]]}\n\
         {:process 0 :type :ok :f :txn :value [[:append \"l\" 1] [:append \"m\" 2]]}\n\
         {:process 1 :type :invoke :f :txn :value [[:r \"l\" nil] [:r \"m\" nil]]}\n\
         {:process 1 :type :ok :f :txn :value [[:r \"l\" [1]] [:r \"m\" [2]]]}\n";

    #[test]
    fn good_histories_are_good_and_stale_torn_or_lost_ones_are_not() {
        assert!(judged(REGISTERS, LISTS).is_good());
        let stale = judged(&REGISTERS.replace("read :value [\"r\" 1]", "read :value [\"r\" nil]"), LISTS);
        assert!(stale.registers.is_some_and(|why| why.contains("not linearizable")));
        let torn = judged(REGISTERS, &LISTS.replace("[:r \"m\" [2]]", "[:r \"m\" []]"));
        assert!(torn.transactions.is_some_and(|why| why.contains("strictly serializable")));
        assert_eq!(torn.lost, [2]);
    }
}
