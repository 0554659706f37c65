//! Bytes are an interval tree clock in either published form and its only encoding, or refused; and such a clock can be used.
#![no_main]

use isles_causality::itc::{Events, Stamp, Wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for wire in [Wire::Erlang, Wire::Java] {
        if let Ok(events) = Events::decode_as(bytes, wire) {
            assert_eq!(events.encode_as(wire), bytes);
        }
        if let Ok(mut stamp) = Stamp::decode_as(bytes, wire) {
            assert_eq!(stamp.encode_as(wire), bytes);
            let before = stamp.clone();
            stamp.event();
            assert!(before.compare(&stamp) == isles_causality::Order::Before);
            let other = stamp.fork();
            stamp.join(other).expect("halves are disjoint");
            assert_eq!(stamp.id(), before.id());
        }
    }
});
