//! What several targets have in common.

use isles_graph::formats::{Format, read_from, write};

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
