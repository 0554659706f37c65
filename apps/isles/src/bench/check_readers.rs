//! The part of group `check` about reading histories: files of about 10^6 events, made in memory by our own writers.

use isles_history::{
    Actor, Calls, EdnWriter, Event, Format, Kind, LinesWriter, Reading, Value, read, write_plume,
};

use super::check_transactions::registers;
use super::measure::timed;
use super::{Bench, Group};

const EVENTS: u64 = 1_000_000;

/// A format.
macro_rules! reader {
    ($name:literal, $about:literal, $run:expr) => {
        Bench { figures: &[($name, "bytes/s")], about: $about, slow: false, run: |_| vec![$run()] }
    };
}

pub(super) const GROUP: Group = Group {
    name: "check",
    about: "reading histories, bytes a CPU second",
    benches: &[
        reader!("read-plume-rate", "10^6 operations of transactions in Plume's text", plume),
        reader!("read-lines-rate", "10^6 events of a register in our own lines, as calls", lines),
        reader!("read-edn-rate", "10^6 events of a register in Jepsen's EDN, as calls", edn),
    ],
};

fn plume() -> Option<f64> {
    let mut text = Vec::new();
    write_plume(&registers(125_000, 1_000), &mut text).ok()?;
    let (seconds, reading) = timed(|| read(text.as_slice(), Some(Format::Plume)));
    matches!(reading, Ok(Reading::Transactions(_))).then(|| text.len() as f64 / seconds)
}

/// Ten clients write and read a register in turn.
fn events() -> impl Iterator<Item = Event> {
    (0..EVENTS).map(|line| {
        let (number, is_return) = (line / 2, line % 2 == 1);
        let is_write = number % 2 == 0;
        let value = match (is_write, is_return) {
            (true, false) => Value::Int(number as i64),
            (false, true) => Value::Int(number as i64 - 1),
            _ => Value::Nil,
        };
        Event {
            line: line + 1,
            time: Some(line * 500),
            uncertainty: 0,
            actor: Actor::Client(number % 10),
            id: Some(number),
            kind: if is_return { Kind::Ok } else { Kind::Invoke },
            function: if is_write { "write" } else { "read" }.into(),
            key: None,
            value,
        }
    })
}

/// Bytes a CPU second of reading them as calls; none if calls are missing.
fn calls(text: &[u8], format: Format) -> Option<f64> {
    let (seconds, count) = timed(|| match read(text, Some(format)) {
        Ok(Reading::Events(events)) => Calls::new(events).filter(Result::is_ok).count(),
        Ok(Reading::Transactions(_)) | Err(_) => 0,
    });
    (count as u64 == EVENTS / 2).then(|| text.len() as f64 / seconds)
}

fn lines() -> Option<f64> {
    let (mut text, mut writer) = (Vec::new(), LinesWriter::default());
    for event in events() {
        writer.write(&event, &mut text).ok()?;
    }
    calls(&text, Format::Lines)
}

fn edn() -> Option<f64> {
    let (mut text, mut writer) = (Vec::new(), EdnWriter::default());
    for event in events() {
        writer.write(&event, &mut text).ok()?;
    }
    calls(&text, Format::Edn)
}
