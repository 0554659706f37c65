//! What a store of one node costs, without runtime and disk: `cargo run --release -p isles-quorum --example store_speed [KEYS]`.
#![expect(clippy::print_stdout, reason = "it is a program")]
#![expect(clippy::disallowed_methods, reason = "it measures the machine's clock")]

use std::time::Instant;

use isles_kernel::random::Stream;
use isles_kernel::{Cx, Effect, OpId, Payload, ProcessId, Protocol, Sink, Time};
use isles_quorum::store::{Command, Condition, Config, Expiry, Keyspace, Op, Store};

/// Drops what it is given, and counts it.
#[derive(Default)]
struct Count {
    replies: u64,
    records: u64,
}

impl Sink<Store> for Count {
    fn put(&mut self, effect: Effect<Store>) {
        self.replies += u64::from(matches!(effect, Effect::Reply { .. }));
        self.records += u64::from(matches!(effect, Effect::Persist { .. }));
    }

    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}

fn main() {
    let keys: u32 = std::env::args().nth(1).map_or(100_000, |word| word.parse().expect("a number of keys"));
    let config = Config::new(1, vec![Keyspace::all(1, 1, 1)]).expect("one node is a quorum");
    let mut sink = Count::default();
    let mut store = Store::start(&mut Cx::new(ProcessId(0), Time::ZERO, &config, &mut sink), &[]);
    let names: Vec<Vec<u8>> = (0..keys).map(|key| format!("key:{key:012}").into_bytes()).collect();
    let value = [b'x'; 64];
    let mut choices = Stream::new(1, &[]);
    let operations = 2_000_000u64;
    let order: Vec<u32> = (0..operations).map(|_| choices.below(keys)).collect();
    let mut measure = |what: &str, make: &dyn Fn(&[u8]) -> Option<Command>| {
        let begin = Instant::now();
        let mut cx = Cx::new(ProcessId(0), Time::ZERO, &config, &mut sink);
        for (id, key) in (0..).zip(&order) {
            match make(&names[*key as usize]) {
                Some(command) => store.on_op(&mut cx, OpId(id), Op::One(command)),
                None => drop(std::hint::black_box(Payload::from(&names[*key as usize][..]))),
            }
        }
        let nanos = begin.elapsed().as_nanos() as f64 / operations as f64;
        println!("{what:>24}: {nanos:6.0} ns");
    };
    let set = |key: &[u8]| Command::Set {
        key: key.into(),
        value: value[..].into(),
        condition: Condition::Always,
        expiry: Expiry::Never,
        get: false,
    };
    measure("a key's bytes alone", &|_| None);
    measure("set, filling", &|key| Some(set(key)));
    for _ in 0..2 {
        measure("set", &|key| Some(set(key)));
        measure("get", &|key| Some(Command::Get { key: key.into() }));
        measure("incr", &|_| Some(Command::Increment { key: b"counter"[..].into(), by: 1 }));
    }
    println!("{} keys, {} replies, {} records", store.keys(), sink.replies, sink.records);
}
