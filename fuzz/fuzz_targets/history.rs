//! A text is a history or refused, and a history that is read can be written and read again.
#![no_main]

use isles_history::History;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(history) = History::<Value, Value>::read(bytes) {
        let mut text = Vec::new();
        history.write(&mut text).expect("memory takes it");
        assert_eq!(History::read(text.as_slice()).expect("it was written by us"), history);
    }
});
