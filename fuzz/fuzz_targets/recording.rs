//! Recordings of nodes from outside: steps, an end or an error.

#![no_main]

use isles_net::recording::Steps;
use isles_quorum::store::Store;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("isles-fuzz-recording-{}", std::process::id()));
    let heading: &[u8] = b"{\"format\":\"isles-recording\",\"version\":1,\"protocol\":\"x\",\"me\":0,\"members\":1,\"durable\":true,\"about\":null}\n";
    for bytes in [bytes, &[heading, bytes].concat()] {
        std::fs::write(&path, bytes).expect("a temporary file");
        if let Ok((_, steps)) = Steps::<Store>::open(&path) {
            let _ = steps.take_while(Result::is_ok).count();
        }
    }
});
