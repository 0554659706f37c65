//! Histories from files and to files.

mod formats;
mod hostile;
mod instants;
mod round_trip;

use isles_history::{Calls, Event, Format, ReadError, Reading, Transactions, Value, read};

/// The entries of a text, or the first error.
fn events(text: &[u8], format: Option<Format>) -> Result<Vec<Event>, ReadError> {
    match read(text, format)? {
        Reading::Events(events) => events.collect(),
        Reading::Transactions(_) => panic!("these are transactions"),
    }
}

/// All that is in a text, as far as it is none of an error; operations are paired.
fn outcome(text: &[u8], format: Option<Format>) -> Result<String, ReadError> {
    match read(text, format)? {
        Reading::Events(events) => {
            let name = events.format().name();
            let mut calls = Calls::new(events);
            let mut lines = format!("{name}\n");
            for call in &mut calls {
                let call = call?;
                let key = call.key.as_ref().map_or(String::new(), |key| format!(" of {key}"));
                let process = call.process.map_or("?".to_owned(), |process| process.to_string());
                lines += &format!(
                    "{process} (session {}): {}{key} {} -> {:?} {}, {:?}\n",
                    call.session, call.function, call.asked, call.kind, call.answered, call.lines
                );
            }
            for fault in calls.faults().0 {
                lines += &format!("fault at {}: {} {} {}\n", fault.at, fault.by, fault.what, fault.value);
            }
            Ok(lines)
        }
        Reading::Transactions(transactions) => Ok(shown(&transactions)),
    }
}

/// Transactions by the names of keys and values.
fn shown(transactions: &Transactions) -> String {
    use isles_history::Step;
    let mut lines = String::new();
    for transaction in transactions.all() {
        lines += &format!("session {} {:?}:", transaction.session, transaction.status);
        for step in transactions.steps(transaction) {
            let value = |value| transactions.value_name(value);
            lines += &match *step {
                Step::Read { key, value: read } => {
                    format!(" r {} {}", transactions.key_name(key), value(read))
                }
                Step::Write { key, value: new } => {
                    format!(" w {} {}", transactions.key_name(key), value(new))
                }
                Step::Append { key, element } => {
                    format!(" append {} {}", transactions.key_name(key), value(element))
                }
                Step::ReadList { key, start, count } => {
                    let list = transactions.list(start, count).iter().map(|element| value(*element).clone());
                    format!(" r {} {}", transactions.key_name(key), Value::List(list.collect()))
                }
            };
        }
        lines.push('\n');
    }
    lines
}
