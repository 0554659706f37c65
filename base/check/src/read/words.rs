//! What the functions of files are to each model: `read`, `write`, `cas`, `enqueue` ...

#![expect(clippy::wildcard_enum_match_arm, reason = "a file may hold any value where a model knows a few")]

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Kind, Value};

use crate::Model;
use crate::models::{
    Bank, Broker, Counter, KeyValue, Lease, Lock, Log, MultiRegister, PriorityQueue, Queue, Register, Set,
    Stack, bank, broker, collection, counter, key_value, lease, lock, log, multi_register, register, set,
};

use super::Asked;

/// A model whose operations files have.
pub trait Words: Model {
    /// The functions that it has, for whoever has another.
    const HAS: &'static str;
    /// Whether it knows keys itself; operations are sorted by their keys otherwise.
    const KEYED: bool = false;

    /// What it is called.
    fn name(&self) -> &'static str;

    /// The operation that this is, and its answer; without an answer if nobody knows, or if it was refused in a way that the
    /// model does not have. `None` if it has no such operation or answer.
    fn turn(&self, asked: &Asked<'_>) -> Option<(Self::Op, Option<Self::Reply>)>;

    /// The name of the object of an operation, for a model of several of which each operation touches one.
    fn object(&self, op: &Self::Op) -> Option<Value> {
        let _ = op;
        None
    }
}

/// The answer if there was one.
fn answer<R>(asked: &Asked<'_>, reply: impl FnOnce(&Value) -> Option<R>) -> Option<Option<R>> {
    if asked.kind == Kind::Ok { reply(asked.answered).map(Some) } else { Some(None) }
}

/// The answer of something that may be refused.
fn refusable<R>(asked: &Asked<'_>, reply: impl FnOnce(bool) -> R) -> Option<R> {
    match asked.kind {
        Kind::Ok => Some(reply(*asked.answered != Value::Bool(false))),
        Kind::Fail => Some(reply(false)),
        Kind::Info | Kind::Invoke => None,
    }
}

fn two(value: &Value) -> Option<(Value, Value)> {
    match value.elements() {
        Some([a, b]) => Some((a.clone(), b.clone())),
        Some(_) | None => None,
    }
}

impl Words for Register<Value> {
    const HAS: &'static str = "it has read, write VALUE and cas [FROM TO]; name another by --model";

    fn name(&self) -> &'static str {
        "register"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(register::Op<Value>, Option<register::Reply<Value>>)> {
        use register::{Op, Reply};
        Some(match asked.function {
            "read" | "get" | "r" => (Op::Read, answer(asked, |value| Some(Reply::Value(value.clone())))?),
            "write" | "put" | "w" | "set" => {
                (Op::Write(asked.asked.clone()), answer(asked, |_| Some(Reply::Done))?)
            }
            "cas" | "compare-and-set" | "compare_and_set" => {
                let (from, to) = two(asked.asked)?;
                (Op::CompareAndSet(from, to), refusable(asked, Reply::Set))
            }
            _ => return None,
        })
    }
}

impl Words for KeyValue<Value, Value> {
    const HAS: &'static str = "it has get, put VALUE, append VALUE, cas [FROM TO] and delete, each with a :key; name another by --model";
    const KEYED: bool = true;

    fn name(&self) -> &'static str {
        "key-value store"
    }

    fn object(&self, op: &Self::Op) -> Option<Value> {
        Some(op.key.clone())
    }

    fn turn(
        &self,
        asked: &Asked<'_>,
    ) -> Option<(key_value::Op<Value, Value>, Option<key_value::Reply<Value>>)> {
        use key_value::{Action, Op, Reply};
        let some = |value: Value| (value != Value::Nil).then_some(value);
        let (action, reply) = match asked.function {
            "get" | "read" => (Action::Get, answer(asked, |value| Some(Reply::Value(some(value.clone()))))?),
            "put" | "write" | "set" => {
                (Action::Put(asked.asked.clone()), answer(asked, |_| Some(Reply::Done))?)
            }
            "append" => (Action::Append(asked.asked.clone()), answer(asked, |_| Some(Reply::Done))?),
            "cas" | "compare-and-set" | "compare_and_set" => {
                let (from, to) = two(asked.asked)?;
                (Action::CompareAndSet(some(from), to), refusable(asked, Reply::Changed))
            }
            "delete" => {
                let told = |value: &Value| {
                    Some(match value {
                        Value::Bool(changed) => Reply::Changed(*changed),
                        _ => Reply::Done,
                    })
                };
                (Action::Delete, answer(asked, told)?)
            }
            _ => return None,
        };
        Some((Op { key: asked.key.cloned().unwrap_or(Value::Nil), action }, reply))
    }
}

impl Words for MultiRegister<Value, Value> {
    const HAS: &'static str = "it has txn [[:read KEY nil] [:write KEY VALUE] ..]; name another by --model";
    const KEYED: bool = true;

    fn name(&self) -> &'static str {
        "multi-register"
    }

    fn turn(
        &self,
        asked: &Asked<'_>,
    ) -> Option<(multi_register::Op<Value, Value>, Option<multi_register::Reply<Value>>)> {
        use multi_register::{Op, Reply, Step};
        if !matches!(asked.function, "txn" | "") {
            return None;
        }
        let steps = if asked.kind == Kind::Ok && *asked.answered != Value::Nil {
            asked.answered
        } else {
            asked.asked
        };
        let (mut all, mut seen) = (Vec::new(), Vec::new());
        for step in steps.elements()? {
            let (name, key, value) = match step.elements()? {
                [name, key] => (name.name()?, key, &Value::Nil),
                [name, key, value] => (name.name()?, key, value),
                _ => return None,
            };
            let (step, value) = match name {
                "read" | "r" => (Step::Read(key.clone()), (*value != Value::Nil).then(|| value.clone())),
                "write" | "w" => (Step::Write(key.clone(), value.clone()), None),
                _ => return None,
            };
            all.push(step);
            seen.push(value);
        }
        Some((Op(all), answer(asked, |_| Some(Reply(seen)))?))
    }
}

impl Words for Counter {
    const HAS: &'static str = "it has read, add NUMBER, increment and decrement; name another by --model";

    fn name(&self) -> &'static str {
        "counter"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(counter::Op, Option<counter::Reply>)> {
        use counter::{Op, Reply};
        let amount = match asked.function {
            "read" | "get" => return Some((Op::Read, answer(asked, |value| value.int().map(Reply::Value))?)),
            "add" | "inc" | "increment" => asked.asked.int().or((*asked.asked == Value::Nil).then_some(1))?,
            "subtract" | "dec" | "decrement" => {
                asked.asked.int().or((*asked.asked == Value::Nil).then_some(1))?.checked_neg()?
            }
            _ => return None,
        };
        // An answer that repeats what was asked says no more than that it is done.
        let told = |value: &Value| {
            Some(value.int().filter(|_| value != asked.asked).map_or(Reply::Done, Reply::Value))
        };
        Some((Op::Add(amount), answer(asked, told)?))
    }
}

impl Words for Set<Value> {
    const HAS: &'static str = "it has add, remove, contains and read; name another by --model";

    fn name(&self) -> &'static str {
        "set"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(set::Op<Value>, Option<set::Reply<Value>>)> {
        use set::{Op, Reply};
        let element = asked.asked.clone();
        // The answer is whether it was so, alone or beside the element.
        let is = |value: &Value| match (value, value.elements()) {
            (Value::Bool(is), _) => Some(*is),
            (_, Some([element, Value::Bool(is)])) if element == asked.asked => Some(*is),
            _ => None,
        };
        let told = |value: &Value| Some(is(value).map_or(Reply::Done, Reply::Is));
        Some(match asked.function {
            "add" | "write" | "insert" => (Op::Add(element), answer(asked, told)?),
            "remove" | "delete" => (Op::Remove(element), answer(asked, told)?),
            "contains" => (Op::Contains(element), answer(asked, |value| is(value).map(Reply::Is))?),
            "read" => {
                let all = |value: &Value| match value {
                    Value::Nil => Some(BTreeSet::new()),
                    value => value.elements().map(|elements| elements.iter().cloned().collect()),
                };
                (Op::Read, answer(asked, |value| all(value).map(Reply::All))?)
            }
            _ => return None,
        })
    }
}

/// The words of queues, stacks and priority queues.
fn collection(
    asked: &Asked<'_>,
    insert: &[&str],
    remove: &[&str],
) -> Option<(collection::Op<Value>, Option<collection::Reply<Value>>)> {
    use collection::{Op, Reply};
    let told = |value: &Value| Some(Reply::Value((*value != Value::Nil).then(|| value.clone())));
    Some(match asked.function {
        function if insert.contains(&function) => {
            (Op::Insert(asked.asked.clone()), answer(asked, |_| Some(Reply::Done))?)
        }
        function if remove.contains(&function) => (Op::Remove, answer(asked, told)?),
        "peek" => (Op::Peek, answer(asked, told)?),
        _ => return None,
    })
}

impl Words for Queue<Value> {
    const HAS: &'static str = "it has enqueue VALUE, dequeue and peek; name another by --model";

    fn name(&self) -> &'static str {
        "queue"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(Self::Op, Option<Self::Reply>)> {
        collection(asked, &["enqueue", "offer", "push"], &["dequeue", "poll", "pop"])
    }
}

impl Words for Stack<Value> {
    const HAS: &'static str = "it has push VALUE, pop and peek; name another by --model";

    fn name(&self) -> &'static str {
        "stack"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(Self::Op, Option<Self::Reply>)> {
        collection(asked, &["push"], &["pop"])
    }
}

impl Words for PriorityQueue<Value> {
    const HAS: &'static str = "it has insert VALUE, remove and peek; name another by --model";

    fn name(&self) -> &'static str {
        "priority queue"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(Self::Op, Option<Self::Reply>)> {
        const INSERT: [&str; 4] = ["insert", "enqueue", "add", "push"];
        const REMOVE: [&str; 7] =
            ["remove", "dequeue", "poll", "pop", "delete-min", "extract-min", "extract-max"];
        collection(asked, &INSERT, &REMOVE)
    }
}

impl Words for Lock<u32> {
    const HAS: &'static str = "it has acquire and release; name another by --model";

    fn name(&self) -> &'static str {
        "lock"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(lock::Op<u32>, Option<lock::Reply>)> {
        use lock::{Op, Reply};
        let reply = refusable(asked, Reply);
        // Processes that gave up go on as others: whoever they were then cannot be told, so that anybody may release.
        match asked.function {
            "acquire" | "lock" => Some((Op::Acquire(asked.process), reply)),
            "release" | "unlock" => Some((Op::Release(asked.process), reply)),
            _ => None,
        }
    }
}

impl Words for Lease {
    const HAS: &'static str =
        "it has acquire answered TOKEN or nothing, renew TOKEN and release TOKEN; name another by --model";

    fn name(&self) -> &'static str {
        "lease"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(lease::Op, Option<lease::Reply>)> {
        use lease::{Op, Reply};
        let token = |value: &Value| value.int().and_then(|token| u64::try_from(token).ok());
        if asked.function == "acquire" {
            let reply = match asked.kind {
                Kind::Ok if matches!(asked.answered, Value::Nil | Value::Bool(false)) => {
                    Some(Reply::Is(false))
                }
                Kind::Ok => Some(Reply::Granted(token(asked.answered)?)),
                Kind::Fail => Some(Reply::Is(false)),
                Kind::Info | Kind::Invoke => None,
            };
            return Some((Op::Acquire, reply));
        }
        let reply = refusable(asked, Reply::Is);
        match asked.function {
            "renew" => Some((Op::Renew(token(asked.asked)?), reply)),
            "release" => Some((Op::Release(token(asked.asked)?), reply)),
            _ => None,
        }
    }
}

impl Words for Log<Value> {
    const HAS: &'static str =
        "it has append VALUE, read (from the start, or FROM) and tail; name another by --model";

    fn name(&self) -> &'static str {
        "log"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(log::Op<Value>, Option<log::Reply<Value>>)> {
        use log::{Op, Reply};
        let at = |value: &Value| u64::try_from(value.int()?).ok().map(Reply::At);
        Some(match asked.function {
            "append" | "send" => {
                let told = |value: &Value| match value {
                    value if value == asked.asked || *value == Value::Nil => Some(Reply::Done),
                    value => at(value),
                };
                (Op::Append(asked.asked.clone()), answer(asked, told)?)
            }
            "read" | "poll" => {
                let from = asked.asked.int().map_or(Some(0), |from| u64::try_from(from).ok())?;
                let told = |value: &Value| match value {
                    Value::Nil => Some(Reply::Records(Vec::new())),
                    value => value.elements().map(|records| Reply::Records(records.to_vec())),
                };
                (Op::Read { from, limit: u64::MAX }, answer(asked, told)?)
            }
            "tail" => (Op::Tail, answer(asked, at)?),
            _ => return None,
        })
    }
}

impl Words for Bank<Value> {
    const HAS: &'static str =
        "it has read and transfer {:from ACCOUNT, :to ACCOUNT, :amount NUMBER}; name another by --model";
    const KEYED: bool = true;

    fn name(&self) -> &'static str {
        "bank"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(bank::Op<Value>, Option<bank::Reply<Value>>)> {
        use bank::{Op, Reply};
        match asked.function {
            "read" => {
                let told = |value: &Value| balances(value).map(Reply::Balances);
                Some((Op::Read, answer(asked, told)?))
            }
            "transfer" => {
                let Value::Map(fields) = asked.asked else { return None };
                let field =
                    |name| fields.iter().find(|(key, _)| key.name() == Some(name)).map(|(_, value)| value);
                let (from, to) = (field("from")?.clone(), field("to")?.clone());
                let op = Op::Transfer { from, to, amount: field("amount")?.int()? };
                Some((op, refusable(asked, Reply::Moved)))
            }
            _ => None,
        }
    }
}

/// What a map of balances says.
pub(super) fn balances(value: &Value) -> Option<BTreeMap<Value, i64>> {
    let Value::Map(pairs) = value else { return None };
    pairs.iter().map(|(account, balance)| Some((account.clone(), balance.int()?))).collect()
}

impl Words for Broker<Value> {
    const HAS: &'static str = "it has send VALUE, receive and acknowledge VALUE; name another by --model";

    fn name(&self) -> &'static str {
        "broker"
    }

    fn turn(&self, asked: &Asked<'_>) -> Option<(broker::Op<Value>, Option<broker::Reply<Value>>)> {
        use broker::{Op, Reply};
        Some(match asked.function {
            "send" | "publish" => (Op::Send(asked.asked.clone()), answer(asked, |_| Some(Reply::Done))?),
            "receive" | "poll" => {
                let told =
                    |value: &Value| Some(Reply::Message((*value != Value::Nil).then(|| value.clone())));
                (Op::Receive, answer(asked, told)?)
            }
            "ack" | "acknowledge" => {
                (Op::Acknowledge(asked.asked.clone()), refusable(asked, Reply::Acknowledged))
            }
            _ => return None,
        })
    }
}
