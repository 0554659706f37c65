//! A text is a latency matrix or refused, and the error marks a part of the text.
#![no_main]

use isles_graph::formats::Format;
use isles_graph::formats::latency_matrix::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(trips) => assert_eq!(trips.millis.len(), trips.names.len() * trips.names.len()),
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span),
    }
    isles_fuzz::graph(Format::LatencyMatrix, text.as_bytes());
});
