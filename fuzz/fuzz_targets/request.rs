//! Bytes of clients: requests in pieces and whole are the same, and nothing is decoded that was not framed.

#![no_main]

use isles_node::wire::{Bounds, Framing, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    for bounds in [Bounds { bytes: 4096, elements: 64 }, Bounds::STRANGER] {
        let mut at = 0;
        let mut whole = Framing::default();
        while let Ok(Some(length)) = whole.next(&bytes[at..], bounds) {
            // Byte by byte it ends at the same place.
            let mut pieces = Framing::default();
            let step = usize::from(piece).max(1);
            let found = (0..=length).step_by(step).chain([length]).find_map(|end| {
                pieces.next(&bytes[at..at + end], bounds).expect("what is whole is well formed")
            });
            assert_eq!(found, Some(length));
            if let Ok(request) = Request::decode(&bytes[at..at + length]) {
                assert!(request.args(0).map(<[u8]>::len).sum::<usize>() <= length);
            }
            at += length;
        }
    }
});
