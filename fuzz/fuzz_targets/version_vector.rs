//! Bytes are a VersionVector and its only encoding, or refused.
#![no_main]

use isles_causality::VersionVector;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = VersionVector::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
