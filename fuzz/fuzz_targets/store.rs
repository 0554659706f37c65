//! Bytes are messages to a node of the store, or refused; whatever they say, the node goes on, and starts again from what it kept.
#![no_main]

use isles_kernel::{Cx, Effect, ProcessId, Protocol, Span, Time, codec};
use isles_quorum::store::{Config, Keyspace, Msg, Store};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(msgs) = codec::decode::<Vec<(u32, Msg)>>(bytes) else { return };
    let mut config = Config::new(3, vec![Keyspace::all(3, 2, 2)]).expect("these quorums meet");
    config.sweep = Span::ZERO;
    let mut effects: Vec<Effect<Store>> = Vec::new();
    let mut log = Vec::new();
    let mut node = Store::start(&mut Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects), &[]);
    for (from, msg) in msgs {
        node.on_message(&mut Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects), ProcessId(from), msg);
        log.extend(effects.drain(..).filter_map(|effect| match effect {
            Effect::Persist { record } => Some(record),
            _ => None,
        }));
    }
    let again = Store::start(&mut Cx::new(ProcessId(0), Time::ZERO, &config, &mut effects), &log);
    assert_eq!((again.keys(), again.in_doubt()), (node.keys(), node.in_doubt()));
});
