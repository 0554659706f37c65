//! Bytes are the clock of an event, of a version or of a set of versions, and its only encoding, or refused.
#![no_main]

use isles_causality::hybrid::Timestamp;
use isles_causality::wire::{Reader, put_number};
use isles_causality::{DottedVersionVector, DvvSet, VectorClock};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(clock) = VectorClock::decode(bytes) {
        assert_eq!(clock.encode(), bytes);
    }
    if let Ok(clock) = DottedVersionVector::decode(bytes) {
        assert_eq!(clock.encode(), bytes);
    }
    if let Ok(time) = Timestamp::decode(bytes) {
        assert_eq!(time.encode(), bytes);
    }
    let Ok(mut reader) = Reader::new(bytes) else { return };
    if let Ok(set) = DvvSet::read(&mut reader, |reader| reader.number())
        && reader.end().is_ok()
    {
        let mut again = Vec::new();
        set.encode_into(&mut again, |out, value| put_number(out, *value));
        assert_eq!(again, bytes);
    }
});
