//! What a peer may send on a stream between nodes: a handshake and frames of the store's messages, or nothing.

#![no_main]

use isles_quorum::store::Msg;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Behind a right handshake, too: most bytes would never come that far.
    const GREETED: &[u8] = b"ISLE\x01\x00\x0c\x00\x00\x00\x01a\x01b\x07x:10000";
    let _ = isles_net::outside::stream::<Msg>(bytes);
    let _ = isles_net::outside::stream::<Msg>(&[GREETED, bytes].concat());
});
