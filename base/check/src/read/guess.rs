//! Which model a history is of, by what its operations are called and look like.

use std::collections::{BTreeMap, BTreeSet};

use isles_history::{Call, Kind, Value};

use super::words::balances;

/// What a history seems to be of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guess {
    /// The model's name, as on the command line; `txn` for transactions.
    pub model: &'static str,
    /// Whether values are pairs of key and value.
    pub tuples: bool,
    /// The balances that the first read of a bank tells.
    pub balances: BTreeMap<Value, i64>,
}

/// What the history with these first operations is of; `None` if nothing fits.
pub fn guess(calls: &[Call]) -> Option<Guess> {
    let functions: BTreeSet<&str> = calls.iter().map(|call| &*call.function).collect();
    let has = |names: &[&str]| names.iter().any(|name| functions.contains(name));
    let answers =
        || calls.iter().filter(|call| call.kind == Kind::Ok).map(|call| (&*call.function, &call.answered));
    let tuples = tuples(calls);
    let reads = |fits: fn(&Value) -> bool| {
        answers().any(|(function, value)| {
            let value = if tuples { value.elements().and_then(|pair| pair.get(1)) } else { Some(value) };
            function == "read" && value.is_some_and(fits)
        })
    };
    let lists = |value: &Value| value.elements().is_some();
    let model = if has(&["txn", ""]) {
        transactions(calls)?
    } else if has(&["transfer"]) || reads(|value| matches!(value, Value::Map(_))) {
        "bank"
    } else if has(&["enqueue", "dequeue"]) {
        "queue"
    } else if has(&["push", "pop"]) {
        "stack"
    } else if has(&["acquire", "release", "lock", "unlock"]) {
        if has(&["renew"]) { "lease" } else { "lock" }
    } else if has(&["send", "publish", "receive", "ack", "acknowledge"]) {
        "broker"
    } else if has(&["contains", "remove"]) || has(&["add", "write"]) && reads(lists) {
        "set"
    } else if has(&["add", "inc", "increment", "dec", "decrement"]) {
        "counter"
    } else if has(&["append"]) && (has(&["tail"]) || reads(lists)) {
        "log"
    } else if has(&["get", "put", "append", "delete"]) {
        "key-value"
    } else if has(&["read", "write", "cas", "compare_and_set"]) {
        "register"
    } else {
        return None;
    };
    let first = answers().find_map(|(_, value)| balances(value)).unwrap_or_default();
    Some(Guess { model, tuples, balances: if model == "bank" { first } else { BTreeMap::new() } })
}

/// Whether the steps of transactions are those of Knossos, by whole words, or of Elle.
fn transactions(calls: &[Call]) -> Option<&'static str> {
    let steps = calls.iter().filter_map(|call| call.asked.elements()).flatten();
    let mut names = steps.filter_map(|step| step.elements()?.first()?.name());
    names.next().map(|name| if matches!(name, "read" | "write") { "multi-register" } else { "txn" })
}

/// Whether all values are pairs, and some ask for nothing but the key.
fn tuples(calls: &[Call]) -> bool {
    let is_pair = |value: &Value| matches!(value.elements(), Some([key, _]) if key.elements().is_none());
    let asks = |call: &Call| matches!(call.asked.elements(), Some([_, Value::Nil]));
    calls.iter().all(|call| {
        is_pair(&call.asked)
            && (call.kind != Kind::Ok || is_pair(&call.answered))
            && !call.function.is_empty()
    }) && calls.iter().any(asks)
}
