//! Whatever arrives is a message or refused, and a message has one encoding of its value.
#![no_main]

use isles_gossip::Node;
use isles_gossip::hyparview::HyParView;
use isles_gossip::plumtree::Plumtree;
use isles_kernel::{Protocol, codec};
use libfuzzer_sys::fuzz_target;

type Msg = <Node<HyParView, Plumtree> as Protocol>::Msg;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(msg) = codec::decode::<Msg>(bytes) {
        let again = codec::encode(&msg);
        assert_eq!(codec::decode::<Msg>(&again).as_ref(), Ok(&msg));
    }
});
