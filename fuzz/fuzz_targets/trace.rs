//! A text is a behaviour of Plumtree or refused, and one that is read can be written and read again.
#![no_main]

use isles_explore::Trace;
use isles_gossip::Node;
use isles_gossip::plumtree::Plumtree;
use isles_gossip::static_graph::StaticGraph;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok((header, trace)) = Trace::<Node<StaticGraph, Plumtree>>::from_lines(text) {
        let again = trace.to_lines(&header.property, header.processes);
        assert_eq!(Trace::from_lines(&again).expect("it was written by us").1, trace);
        // Drawing must not fail either.
        let _ = (trace.to_text(), trace.to_diagram(), trace.to_html("fuzz"), trace.to_mermaid(), trace.to_shiviz());
    }
});
