//! What several targets have in common.

use isles_graph::formats::{Format, read_from, write};
use isles_history::{Calls, EdnWriter, Event, LinesWriter, Reading, read, transactions};

/// Bytes are a graph or refused with a line of theirs, and a graph that is read can be written and read again.
pub fn graph(format: Format, mut bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    match read_from(format, &mut bytes) {
        Ok(named) => {
            let mut text = Vec::new();
            // Control characters are no XML, and a graph without nodes no matrix.
            if write(format, &named, &mut text).is_ok() {
                let again = read_from(format, &mut text.as_slice()).expect("it was written by us");
                assert_eq!(again.graph, named.graph);
            }
        }
        Err(error) => assert!(error.line <= lines, "{error}"),
    }
}

/// Bytes are a history of this format, or of that which they seem to have, or refused. Operations that are read can be written and read again.
pub fn history(format: Option<isles_history::Format>, bytes: &[u8]) {
    let events = match read(bytes, format) {
        Ok(Reading::Events(events)) => events,
        Ok(Reading::Transactions(_)) | Err(_) => return,
    };
    let Ok(events) = events.collect::<Result<Vec<Event>, _>>() else { return };
    let (mut edn, mut lines) = (EdnWriter::default(), LinesWriter::default());
    let mut text = Vec::new();
    for event in &events {
        edn.write(event, &mut text).expect("memory takes it");
        lines.write(event, &mut std::io::sink()).expect("nothing fails");
    }
    let Ok(Reading::Events(again)) = read(text.as_slice(), Some(isles_history::Format::Edn)) else {
        panic!("it was written by us")
    };
    assert_eq!(again.map(|event| event.expect("it was written by us")).count(), events.len());
    let _ = transactions(Calls::new(events.into_iter().map(Ok)));
}
