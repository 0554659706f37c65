//! Bytes are a DotContext and its only encoding, or refused.
#![no_main]

use isles_causality::DotContext;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = DotContext::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
