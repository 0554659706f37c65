//! What anybody may send as a datagram: a message, or nothing.

#![no_main]

use isles_quorum::store::Msg;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = isles_net::outside::datagram::<Msg>(bytes);
    let _ = isles_net::outside::datagram::<Msg>(&[b"ISLD\x01\x00\x03a:1", bytes].concat());
});
