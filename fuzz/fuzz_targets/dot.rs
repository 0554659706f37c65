//! Bytes are a graph as DOT or refused.
#![no_main]

use isles_graph::formats::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| isles_fuzz::graph(Format::Dot, bytes));
